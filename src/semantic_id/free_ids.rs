//! The nearest free id: ids for items that come after others have theirs, which stay as they are.
//!
//! An item's own codes are the nearest level by level. Where they are some other item's, the item takes the nearest id that is
//! free: first of those that differ from its own codes on the last level alone, where all of these are taken of those that
//! differ on the last two, and so on. *Nearest* is the smallest squared distance of the item's vector from the sum of the entries;
//! of equal ones the smaller codes.
//!
//! The search is exact. Below a prefix that leaves `r` over, the distance of the codes `c` is
//! `|r|² + Σ (|e(c)|² - 2 r·e(c)) + 2 Σ e(c)·e(c')`, over the levels and over pairs of them. The first sum is known for all codes
//! before the search; products of entries are made once. A part of the tree is left out if it is full, or if even the least of
//! each level's terms, with products as small as the entries' lengths allow (Cauchy, Schwarz), is above the best that was found.

use std::collections::HashMap;
use std::sync::Arc;

use super::codebooks::{Codebooks, NearestCodes, dot};

/// Ids that are taken under codebooks, and those that are still free.
#[derive(Debug)]
pub struct FreeIds<'b> {
    books: &'b Codebooks,
    /// By level: the codes that may be used, ascending.
    allowed: Vec<Vec<u32>>,
    /// By all codes but the last: the last codes that are taken, ascending.
    taken: HashMap<Vec<u32>, Vec<u32>>,
    /// By prefix: ids of allowed codes that are taken below it.
    below: HashMap<Vec<u32>, u128>,
    /// By level, code and later level: the products of the code's entry with that level's allowed ones.
    products: HashMap<(usize, u32, usize), Arc<[f64]>>,
    /// By level: the greatest length of an allowed entry.
    longest: Vec<f64>,
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

/// The best id of a search so far.
struct Best {
    error: f64,
    codes: Vec<u32>,
}

/// A level with what is known of it during a search.
#[derive(Clone)]
struct Terms {
    /// By allowed code: what it adds to the squared distance, products with codes of levels below left out.
    values: Arc<[f64]>,
    least: f64,
}

impl Terms {
    fn new(values: Arc<[f64]>) -> Self {
        Self { least: values.iter().copied().fold(f64::INFINITY, f64::min), values }
    }
}

impl<'b> FreeIds<'b> {
    /// Free are all ids of codes that some published id (`ids x levels`, row-major) uses on that level and that have an entry; so
    /// that new ids need no token that was not there. Taken are the published ones.
    pub fn beside(books: &'b Codebooks, published: &[u32]) -> Self {
        let levels = books.levels();
        let used = |level: usize| {
            let known = published.iter().skip(level).step_by(levels).copied();
            let mut codes: Vec<u32> = known.filter(|&code| (code as usize) < books.codes(level)).collect();
            codes.sort_unstable();
            codes.dedup();
            codes
        };
        let allowed: Vec<Vec<u32>> = (0..levels).map(used).collect();
        let length = |level: usize| move |&code: &u32| books.square(level, code).sqrt();
        let longest = (0..levels).map(|level| allowed[level].iter().map(length(level)).fold(0.0, f64::max)).collect();
        let (taken, below, products) = Default::default();
        let mut free = Self { books, allowed, taken, below, products, longest };
        published.chunks(levels).for_each(|id| free.mark(id));
        free
    }

    /// A vector's own codes, of those that may be used.
    pub fn own(&self, vector: &[f64]) -> NearestCodes {
        self.books.nearest(vector, &self.allowed)
    }

    /// Gives an item an id, near its vector, whose own codes are known; the id is taken from now on.
    pub fn take(&mut self, vector: &[f64], own: &NearestCodes) -> (Vec<u32>, Found) {
        let levels = self.books.levels();
        let (codes, found) = if self.is_free(&own.codes) {
            (own.codes.clone(), Found::Own)
        } else {
            let widened = (1..=levels).filter(|&free| !self.is_full(&own.codes[..levels - free]));
            let mut nearest = widened.map(|free| (free, levels - free));
            match nearest.next().and_then(|(free, kept)| Some((free, self.search(vector, &own.codes[..kept])?))) {
                Some((levels, codes)) => (codes, Found::Free { levels }),
                None => (own.codes.clone(), Found::Shared),
            }
        };
        self.mark(&codes);
        (codes, found)
    }

    fn is_free(&self, id: &[u32]) -> bool {
        let Some((last, before)) = id.split_last() else { return false };
        self.taken.get(before).is_none_or(|taken| taken.binary_search(last).is_err())
    }

    fn is_full(&self, prefix: &[u32]) -> bool {
        let all =
            self.allowed[prefix.len()..].iter().fold(1_u128, |all, codes| all.saturating_mul(codes.len() as u128));
        self.below.get(prefix).copied().unwrap_or(0) >= all
    }

    fn mark(&mut self, id: &[u32]) {
        let Some((&last, before)) = id.split_last() else { return };
        let taken = self.taken.entry(before.to_vec()).or_default();
        let Err(at) = taken.binary_search(&last) else { return };
        taken.insert(at, last);
        if id.iter().zip(&self.allowed).all(|(code, allowed)| allowed.binary_search(code).is_ok()) {
            (0..id.len()).for_each(|length| *self.below.entry(id[..length].to_vec()).or_insert(0) += 1);
        }
    }

    /// The nearest free id that begins with these codes.
    fn search(&mut self, vector: &[f64], prefix: &[u32]) -> Option<Vec<u32>> {
        let books = self.books;
        let mut left = vector.to_vec();
        prefix.iter().enumerate().for_each(|(level, &code)| books.subtract(&mut left, level, code));
        let terms = |level: usize| {
            let term = |&code: &u32| {
                let entry = books.entry(level, code).unwrap_or_default();
                books.square(level, code) - 2.0 * dot(&left, entry)
            };
            Terms::new(self.allowed[level].iter().map(term).collect())
        };
        let terms: Vec<Terms> = (prefix.len()..books.levels()).map(terms).collect();
        let mut best = None;
        self.descend(&mut prefix.to_vec(), dot(&left, &left), &terms, &mut best);
        best.map(|best: Best| best.codes)
    }

    /// Looks below a prefix, whose levels add up to `error`; `terms` are those of the levels that are left.
    fn descend(&mut self, prefix: &mut Vec<u32>, error: f64, terms: &[Terms], best: &mut Option<Best>) {
        let level = prefix.len();
        let Some((own, later)) = terms.split_first() else { return };
        if later.is_empty() {
            return self.finish(prefix, error, own, best);
        }
        let after = level + 1..self.books.levels();
        let lengths: f64 = self.longest[after.clone()].iter().sum();
        // Products of the later levels with each other.
        let among = self.longest[after.clone()].iter().map(|length| length * (lengths - length)).sum::<f64>();
        let rest = later.iter().map(|terms| terms.least).sum::<f64>() - among;
        let bound = |(&code, term): (&u32, &f64)| {
            let length = self.books.square(level, code).sqrt();
            (error + term + rest - 2.0 * length * lengths, code, error + term)
        };
        let mut order: Vec<(f64, u32, f64)> = self.allowed[level].iter().zip(own.values.iter()).map(bound).collect();
        order.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        for (bound, code, error) in order {
            // What rounding may have taken from a bound is far smaller than this.
            if best.as_ref().is_some_and(|best| bound - 1e-9 * bound.abs().max(1e-9) > best.error) {
                break;
            }
            prefix.push(code);
            if !self.is_full(prefix) {
                let below: Vec<Terms> =
                    after.clone().zip(later).map(|(l, terms)| self.with(level, code, l, terms)).collect();
                self.descend(prefix, error, &below, best);
            }
            prefix.pop();
        }
    }

    /// The terms of a later level under a code of this one.
    fn with(&mut self, level: usize, code: u32, later: usize, terms: &Terms) -> Terms {
        let (books, allowed) = (self.books, &self.allowed[later]);
        let products = self.products.entry((level, code, later)).or_insert_with(|| {
            let own = books.entry(level, code).unwrap_or_default();
            allowed.iter().map(|&other| dot(own, books.entry(later, other).unwrap_or_default())).collect()
        });
        Terms::new(terms.values.iter().zip(products.iter()).map(|(term, product)| term + 2.0 * product).collect())
    }

    /// The nearest free code of the last level.
    fn finish(&self, prefix: &[u32], error: f64, terms: &Terms, best: &mut Option<Best>) {
        let taken = self.taken.get(prefix).map_or(&[][..], Vec::as_slice);
        for (&code, term) in self.allowed[prefix.len()].iter().zip(terms.values.iter()) {
            let error = error + term;
            let nearer = match best {
                None => true,
                Some(best) if error == best.error => {
                    (prefix, code) < (&best.codes[..prefix.len()], best.codes[prefix.len()])
                }
                Some(best) => error < best.error,
            };
            if nearer && taken.binary_search(&code).is_err() {
                *best = Some(Best { error, codes: [prefix, &[code]].concat() });
            }
        }
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
            serde_json::from_str(include_str!("../../tests/fixtures/nearest_free_ids.json")).unwrap();
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        /// Against a search through all ids, until none is free.
        #[test]
        fn ids_are_the_nearest_free_ones(
            entries in proptest::collection::vec(-4.0_f64..4.0, 3 * 3 * 2),
            vectors in proptest::collection::vec((-9.0_f64..9.0, -9.0_f64..9.0), 30),
        ) {
            let levels: Vec<Vec<Vec<f64>>> =
                entries.chunks(6).map(|level| level.chunks(2).map(<[f64]>::to_vec).collect()).collect();
            let books = Codebooks::new(&levels).unwrap();
            let published = [0, 0, 0, 1, 1, 1, 2, 2, 2];
            let mut taken: Vec<Vec<u32>> = published.chunks(3).map(<[u32]>::to_vec).collect();
            let mut free = FreeIds::beside(&books, &published);
            for (x, y) in vectors {
                let vector = [x, y];
                let own = free.own(&vector);
                let (id, found) = free.take(&vector, &own);
                let mut expected = None;
                for kept in (0..=3).rev() {
                    let ids = all(3, 3).into_iter().filter(|id| id[..kept] == own.codes[..kept] && !taken.contains(id));
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
            prop_assert_eq!(taken.iter().collect::<std::collections::BTreeSet<_>>().len(), 27);
        }
    }
}
