//! The nearest free id: ids for items that come after others have theirs, which stay as they are.
//!
//! An item's own codes are the nearest level by level. Where they are some other item's, the item takes the nearest id that is
//! free: first of those that differ from its own codes on the last level alone, where all of these are taken of those that
//! differ on the last two, and so on. *Nearest* is the smallest squared distance of the item's vector from the sum of the entries;
//! of equal ones the smaller codes.
//!
//! The search is exact (`search`). Items that are alike look at the same ids, one after the other: what a search has found beyond
//! the nearest is kept for those that come after (`nearby`).

mod nearby;
mod search;
mod taken;

use std::collections::HashMap;

use super::codebooks::{Codebooks, NearestCodes};
use nearby::{Nearby, SHORTEST};
use search::Search;
use taken::Taken;

/// Lists that are kept below one prefix.
const LISTS: usize = 8;

/// Ids that are taken under codebooks, and those that are still free.
#[derive(Debug)]
pub struct FreeIds<'b> {
    books: &'b Codebooks,
    search: Search<'b>,
    taken: Taken,
    /// By prefix: ids that are near vectors that were looked for below it, the one of the last search last.
    nearby: HashMap<Vec<u32>, Vec<Nearby>>,
}

/// Which id an item was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The nearest codes.
    Own,
    /// The nearest free id; it differs on so many levels at most, counted from the last.
    Free { levels: usize },
    /// No id is free. The item shares the one of its own codes.
    Shared,
}

impl<'b> FreeIds<'b> {
    /// Free are all ids of codes that some published id (`ids x levels`, row-major) uses on that level and that have an entry; so
    /// that new ids need no token that was not there. Taken are the published ones.
    pub fn beside(books: &'b Codebooks, published: &[u32]) -> Self {
        Self::among(books, published, published)
    }

    /// The same where ids that were published are taken back: codes of `known` ids may be given, and `published` ones are taken.
    pub fn among(books: &'b Codebooks, known: &[u32], published: &[u32]) -> Self {
        let levels = books.levels();
        let used = |level: usize| {
            let known = known.iter().skip(level).step_by(levels).copied();
            let mut codes: Vec<u32> = known.filter(|&code| (code as usize) < books.codes(level)).collect();
            codes.sort_unstable();
            codes.dedup();
            codes
        };
        let search = Search::new(books, (0..levels).map(used).collect());
        let mut taken = Taken::default();
        published.chunks(levels).for_each(|id| taken.mark(id, &search.allowed));
        Self { books, search, taken, nearby: HashMap::new() }
    }

    /// A vector's own codes, of those that may be used.
    pub fn own(&self, vector: &[f64]) -> NearestCodes {
        self.books.nearest(vector, &self.search.allowed)
    }

    /// Gives an item an id, near its vector, whose own codes are known; the id is taken from now on.
    pub fn take(&mut self, vector: &[f64], own: &NearestCodes) -> (Vec<u32>, Found) {
        let levels = self.books.levels();
        let (codes, found) = if self.taken.is_free(&own.codes, &self.search.allowed) {
            (own.codes.clone(), Found::Own)
        } else {
            let widened =
                (1..=levels).find(|&free| !self.taken.is_full(&own.codes[..levels - free], &self.search.allowed));
            match widened.and_then(|free| Some((free, self.nearest(vector, &own.codes[..levels - free])?))) {
                Some((levels, codes)) => (codes, Found::Free { levels }),
                None => (own.codes.clone(), Found::Shared),
            }
        };
        self.taken.mark(&codes, &self.search.allowed);
        (codes, found)
    }

    /// The nearest free id that begins with these codes.
    fn nearest(&mut self, vector: &[f64], prefix: &[u32]) -> Option<Vec<u32>> {
        let Self { search, taken, nearby, .. } = self;
        let whole = |codes: &[u32]| [prefix, codes].concat();
        let left = search.left(vector, prefix);
        let lists = nearby.entry(prefix.to_vec()).or_default();
        let away = (0..lists.len()).map(|at| (at, lists[at].away(&left)));
        let nearest_list = away.min_by(|one, other| one.1.total_cmp(&other.1)).map(|(at, _)| at);
        let mut wanted = SHORTEST;
        if let Some(at) = nearest_list {
            let list = &mut lists[at];
            let is_free = |codes: &[u32]| taken.is_free(&whole(codes), &search.allowed);
            if let Some(codes) = list.nearest(&left, is_free, |codes| search.error(&left, prefix.len(), codes)) {
                return Some(whole(&codes));
            }
            wanted = list.next_length();
            if list.is_used_up() {
                lists.remove(at);
            }
        }
        if lists.len() == LISTS {
            lists.remove(0);
        }
        let list = search.nearest(taken, &left, prefix, wanted);
        let mut list = Nearby::new(left, list, wanted);
        let codes = list.first();
        lists.push(list);
        codes.map(|codes| whole(&codes))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn books(levels: &[&[&[f64]]]) -> Codebooks {
        let levels: Vec<Vec<Vec<f64>>> =
            levels.iter().map(|level| level.iter().map(|entry| entry.to_vec()).collect()).collect();
        Codebooks::new(&levels).unwrap()
    }

    /// Squared distance, summed plainly.
    fn error(books: &Codebooks, vector: &[f64], id: &[u32]) -> f64 {
        vector.iter().zip(books.sum(id)).map(|(value, sum)| (value - sum) * (value - sum)).sum()
    }

    /// All ids of `codes` codes a level.
    fn all(levels: usize, codes: u32) -> Vec<Vec<u32>> {
        (0..levels).fold(vec![Vec::new()], |ids, _| {
            ids.iter().flat_map(|id| (0..codes).map(move |code| [&id[..], &[code]].concat())).collect()
        })
    }

    #[test]
    fn the_last_level_gives_way_first_then_the_levels_before() {
        let books = books(&[&[&[0.0], &[10.0]], &[&[0.0], &[1.0]], &[&[0.0], &[0.25]]]);
        // Every code is used.
        let mut free = FreeIds::beside(&books, &[0, 0, 0, 1, 1, 1]);
        let mut given = |value: f64| {
            let own = free.own(&[value]);
            free.take(&[value], &own)
        };
        // By hand, of items at 0.1: (0, 0, 0) is taken; of its last level 0.25 is free; then 1 and 1.25 of the last two, of which 1
        // is nearer; then, of all, 10 before 10.25 before 11.
        assert_eq!(given(0.1), (vec![0, 0, 1], Found::Free { levels: 1 }));
        assert_eq!(given(0.1), (vec![0, 1, 0], Found::Free { levels: 2 }));
        assert_eq!(given(1.2), (vec![0, 1, 1], Found::Own));
        assert_eq!(given(0.1), (vec![1, 0, 0], Found::Free { levels: 3 }));
        assert_eq!(given(0.1), (vec![1, 0, 1], Found::Free { levels: 3 }));
        assert_eq!(given(0.1), (vec![1, 1, 0], Found::Free { levels: 3 }));
        assert_eq!(given(0.1), (vec![0, 0, 0], Found::Shared));
        assert_eq!(given(11.2), (vec![1, 1, 1], Found::Shared));
    }

    #[test]
    fn codes_that_nobody_uses_and_codes_without_an_entry_are_not_given() {
        let books = books(&[&[&[0.0], &[1.0], &[2.0]]]);
        // Code 1 is no item's; code 7 was given to an item when no entry was free.
        let mut free = FreeIds::beside(&books, &[0, 2, 7]);
        assert_eq!(free.own(&[1.1]).codes, [2]);
        let own = free.own(&[1.1]);
        assert_eq!(free.take(&[1.1], &own), (vec![2], Found::Shared));
    }

    #[test]
    fn ids_are_those_of_numpy() {
        // NumPy 2: each vector's own codes by argmin level by level, then the least error among all free ids with the longest
        // prefix of them that some free id has.
        let fixture: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/nearest_free_ids.json")).unwrap();
        let floats = |name: &str| serde_json::from_value::<Vec<Vec<f64>>>(fixture[name].clone()).unwrap();
        let ids = |name: &str| serde_json::from_value::<Vec<Vec<u32>>>(fixture[name].clone()).unwrap();
        let levels: Vec<Vec<Vec<f64>>> = serde_json::from_value(fixture["books"].clone()).unwrap();
        let books = Codebooks::new(&levels).unwrap();
        let mut free = FreeIds::beside(&books, &ids("published").concat());
        let mut given = |vector: &Vec<f64>| {
            let own = free.own(vector);
            free.take(vector, &own).0
        };
        let found: Vec<Vec<u32>> = floats("vectors").iter().map(&mut given).collect();
        assert_eq!(found, ids("ids"));
    }

    /// Against a search through all ids.
    fn check(codes: u32, entries: &[f64], vectors: impl IntoIterator<Item = [f64; 2]>) -> Result<usize, TestCaseError> {
        let levels: Vec<Vec<Vec<f64>>> =
            entries.chunks(2 * codes as usize).map(|level| level.chunks(2).map(<[f64]>::to_vec).collect()).collect();
        let books = Codebooks::new(&levels).unwrap();
        let published: Vec<u32> = (0..codes).flat_map(|code| [code; 3]).collect();
        let mut taken: Vec<Vec<u32>> = published.chunks(3).map(<[u32]>::to_vec).collect();
        let mut free = FreeIds::beside(&books, &published);
        for vector in vectors {
            let own = free.own(&vector);
            let (id, found) = free.take(&vector, &own);
            let mut expected = None;
            for kept in (0..=3).rev() {
                let ids = all(3, codes).into_iter().filter(|id| id[..kept] == own.codes[..kept] && !taken.contains(id));
                expected = ids.map(|id| error(&books, &vector, &id)).min_by(f64::total_cmp);
                if expected.is_some() {
                    break;
                }
            }
            match expected {
                Some(expected) => {
                    prop_assert!(!taken.contains(&id));
                    prop_assert!((error(&books, &vector, &id) - expected).abs() < 1e-9, "{:?}", id);
                }
                None => prop_assert_eq!((&id, found), (&own.codes, Found::Shared)),
            }
            taken.push(id);
        }
        Ok(taken.iter().collect::<std::collections::BTreeSet<_>>().len())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn ids_are_the_nearest_free_ones(
            entries in proptest::collection::vec(-4.0_f64..4.0, 3 * 3 * 2),
            vectors in proptest::collection::vec((-9.0_f64..9.0, -9.0_f64..9.0), 30),
        ) {
            // Until none is free.
            prop_assert_eq!(check(3, &entries, vectors.into_iter().map(|(x, y)| [x, y]))?, 27);
        }

        #[test]
        fn ids_of_items_that_are_alike_are_the_nearest_free_ones(
            entries in proptest::collection::vec(-4.0_f64..4.0, 3 * 5 * 2),
            places in proptest::collection::vec((-9.0_f64..9.0, -9.0_f64..9.0), 3),
            items in proptest::collection::vec((0_usize..3, prop_oneof![Just(0.0), -1e-6..1e-6, -0.3..0.3]), 110),
        ) {
            let vector = |(place, off): (usize, f64)| [places[place].0 + off, places[place].1 - 0.5 * off];
            prop_assert_eq!(check(5, &entries, items.into_iter().map(vector))?, 115);
        }
    }
}
