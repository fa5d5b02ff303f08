//! Interactions in the order of time, as every step of the preparation goes through them.

use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;

use crate::data::interactions::Interactions;

/// An interaction: who and what, side by side, so that a step reads memory from front to back however the file was ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    pub user: u32,
    pub item: u32,
    /// Its place in the file, where its time and rating are.
    pub at: u32,
}

/// All interactions, by time; those of one time, and all where there are no times, in file order.
pub fn in_time(interactions: &Interactions) -> Vec<Row> {
    let row = |at: u32| Row { user: interactions.user[at as usize], item: interactions.item[at as usize], at };
    let times = &interactions.time;
    let places = 0..interactions.len() as u32;
    if times.is_sorted() {
        return places.map(row).collect();
    }
    let first = times.iter().min().copied().unwrap_or_default();
    let longest = times.iter().map(|time| time.abs_diff(first)).max().unwrap_or_default();
    let bits = u64::BITS - (times.len() as u64).leading_zeros();
    if longest.leading_zeros() < bits {
        let mut places: Vec<u32> = places.collect();
        places.sort_by_key(|&at| times[at as usize]);
        return places.into_iter().map(row).collect();
    }
    // Time and place in one number, as they nearly always fit: sorting then needs neither the times nor room beside it.
    let mut keys: Vec<u64> =
        times.iter().zip(places).map(|(time, at)| time.abs_diff(first) << bits | u64::from(at)).collect();
    keys.sort_unstable();
    let place = (1 << bits) - 1;
    keys.into_iter().map(|key| row((key & place) as u32)).collect()
}

/// Keeps the first of each user and item.
pub fn keep_first_of_pairs(rows: &mut Vec<Row>) {
    let hasher = RandomState::new();
    let hash = |row: &Row| hasher.hash_one(u64::from(row.user) << 32 | u64::from(row.item));
    let same = |one: &Row, other: &Row| (one.user, one.item) == (other.user, other.item);
    // Places in `rows`, half as large as what they stand for.
    let mut seen: HashTable<u32> = HashTable::with_capacity(rows.len());
    let first: Vec<bool> = (0..rows.len() as u32)
        .map(|place| {
            let row = &rows[place as usize];
            let hashed = hash(row);
            let known = seen.find(hashed, |&other| same(&rows[other as usize], row)).is_some();
            if !known {
                seen.insert_unique(hashed, place, |&other| hash(&rows[other as usize]));
            }
            !known
        })
        .collect();
    let mut first = first.into_iter();
    rows.retain(|_| first.next() == Some(true));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn interactions(events: &[(u32, u32, i64)]) -> Interactions {
        Interactions {
            user: events.iter().map(|event| event.0).collect(),
            item: events.iter().map(|event| event.1).collect(),
            time: events.iter().map(|event| event.2).collect(),
            ..Interactions::default()
        }
    }

    fn places(rows: &[Row]) -> Vec<u32> {
        rows.iter().map(|row| row.at).collect()
    }

    proptest! {
        #[test]
        fn rows_are_sorted_and_ties_stay_in_file_order(
            events in prop::collection::vec((0..9u32, 0..9u32, prop_oneof![-3..3i64, any::<i64>()]), 0..40),
        ) {
            let interactions = interactions(&events);
            let mut expected: Vec<u32> = (0..events.len() as u32).collect();
            expected.sort_by_key(|&at| events[at as usize].2);
            let rows = in_time(&interactions);
            prop_assert_eq!(places(&rows), expected);
            prop_assert!(rows.iter().all(|row| (row.user, row.item) == (events[row.at as usize].0, events[row.at as usize].1)));
        }

        #[test]
        fn the_first_of_each_pair_is_kept(events in prop::collection::vec((0..4u32, 0..4u32, 0..1i64), 0..60)) {
            let mut rows = in_time(&interactions(&events));
            let is_first = |at: usize| !events[..at].iter().any(|&(user, item, _)| (user, item) == (events[at].0, events[at].1));
            let expected: Vec<u32> = (0..events.len()).filter(|&at| is_first(at)).map(|at| at as u32).collect();
            keep_first_of_pairs(&mut rows);
            prop_assert_eq!(places(&rows), expected);
        }
    }

    #[test]
    fn times_that_do_not_fit_beside_their_places_are_sorted_too() {
        let rows = in_time(&interactions(&[(0, 0, i64::MAX), (1, 1, i64::MIN), (2, 2, 0)]));
        assert_eq!(places(&rows), [1, 2, 0]);
    }
}
