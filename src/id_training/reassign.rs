//! Other codes on the last level for items that share all codes.

use std::collections::{BTreeMap, BTreeSet};

use super::rq_vae::{EPSILON, sinkhorn};
use crate::semantic_id::clustering::{Clustered, squared_distance};

/// Rounds of [`spread`], at most.
pub const ROUNDS: usize = 20;

/// Chooses the last codes of items that share an id anew, as LC-Rec does: each such group by a transport plan that uses the last
/// level's codes alike. An item may meet others under its new code, so this is repeated until no id is shared, or
/// [`ROUNDS`] times. Returns the rounds that were made.
pub fn spread(numbers: &mut [u32], levels: usize, residuals: &[Vec<f64>], centres: &[Vec<f64>]) -> usize {
    for round in 0..ROUNDS {
        let mut ids: BTreeMap<&[u32], Vec<usize>> = BTreeMap::new();
        numbers.chunks(levels).enumerate().for_each(|(item, row)| ids.entry(row).or_default().push(item));
        let groups: Vec<Vec<usize>> = ids.into_values().filter(|items| items.len() > 1).collect();
        if groups.is_empty() {
            return round;
        }
        for items in groups {
            let distances: Vec<f64> = items
                .iter()
                .flat_map(|&item| centres.iter().map(move |centre| squared_distance(&residuals[item], centre)))
                .collect();
            let plan = sinkhorn::plan(&sinkhorn::centred(&distances), centres.len(), EPSILON);
            for (item, shares) in items.iter().zip(plan.chunks(centres.len())) {
                numbers[item * levels + levels - 1] = argmax(shares) as u32;
            }
        }
    }
    ROUNDS
}

/// The index of the largest value; the first of several.
fn argmax(values: &[f64]) -> usize {
    (1..values.len()).fold(0, |best, index| if values[index] > values[best] { index } else { best })
}

/// Gives items that share all their codes other codes, as near as there are free ones, and returns how many items were given
/// some. Of those that share an id, the nearest to its centre keeps it; the others take the nearest free code of the last level, and
/// where none is free there, the nearest free pair of the last two.
///
/// Of `codes` codes of a level, those without a centre come last. Items stay together where more of them share the
/// levels before than the last two have pairs of codes.
pub fn reassign(numbers: &mut [u32], levels: usize, codes: usize, found: &Clustered) -> usize {
    let left = by_last_code(numbers, levels, codes, found);
    let moved = left.moved;
    if levels < 2 {
        return moved;
    }
    moved + by_last_pair(numbers, levels, codes, found, &left.without)
}

/// What the last level could do.
struct Left {
    /// Items that were given a code of their own.
    moved: usize,
    /// Those for whom there was none.
    without: Vec<usize>,
}

fn by_last_code(numbers: &mut [u32], levels: usize, codes: usize, found: &Clustered) -> Left {
    let (last_residuals, centres) = (&found.last_residuals, found.last_centres());
    let distance = |item: usize, code: usize| {
        centres.get(code).map_or(f64::INFINITY, |centre| squared_distance(&last_residuals[item], centre))
    };
    let mut prefixes: BTreeMap<&[u32], Vec<usize>> = BTreeMap::new();
    for (item, row) in numbers.chunks(levels).enumerate() {
        prefixes.entry(&row[..levels - 1]).or_default().push(item);
    }
    let (mut changes, mut stay) = (Vec::new(), Vec::new());
    for items in prefixes.values() {
        let code_of = |item: usize| numbers[item * levels + levels - 1] as usize;
        let mut order = items.clone();
        order.sort_by(|&one, &other| distance(one, code_of(one)).total_cmp(&distance(other, code_of(other))));
        let mut taken = BTreeSet::new();
        let without: Vec<usize> = order.into_iter().filter(|&item| !taken.insert(code_of(item))).collect();
        for item in without {
            let free = (0..codes.max(centres.len())).filter(|code| !taken.contains(code));
            let nearest = free.min_by(|&one, &other| distance(item, one).total_cmp(&distance(item, other)));
            match nearest {
                Some(code) => {
                    taken.insert(code);
                    changes.push((item, code as u32));
                }
                None => stay.push(item),
            }
        }
    }
    for &(item, code) in &changes {
        numbers[item * levels + levels - 1] = code;
    }
    Left { moved: changes.len(), without: stay }
}

/// Gives each of these items the nearest free pair of codes on the last two levels.
fn by_last_pair(numbers: &mut [u32], levels: usize, codes: usize, found: &Clustered, items: &[usize]) -> usize {
    let (last_residuals, before, centres) = (&found.last_residuals, found.previous_centres(), found.last_centres());
    let mut taken: BTreeSet<Vec<u32>> = numbers.chunks(levels).map(<[u32]>::to_vec).collect();
    let mut moved = 0;
    for &item in items {
        let row = numbers[item * levels..(item + 1) * levels].to_vec();
        // What the levels before the last two leave over, less a code of the first of both.
        let left = |code: usize| -> Option<Vec<f64>> {
            let own = before.get(row[levels - 2] as usize)?;
            let other = before.get(code)?;
            Some(
                last_residuals[item]
                    .iter()
                    .zip(own)
                    .zip(other)
                    .map(|((left, own), other)| left + own - other)
                    .collect(),
            )
        };
        let mut best: Option<(f64, Vec<u32>)> = None;
        for first in 0..codes.max(before.len()) {
            let left = left(first);
            for last in 0..codes.max(centres.len()) {
                let distance = match (&left, centres.get(last)) {
                    (Some(left), Some(centre)) => squared_distance(left, centre),
                    _ => f64::INFINITY,
                };
                if best.as_ref().is_some_and(|(nearest, _)| *nearest <= distance) {
                    continue;
                }
                let mut id = row.clone();
                id[levels - 2..].copy_from_slice(&[first as u32, last as u32]);
                if !taken.contains(&id) {
                    best = Some((distance, id));
                }
            }
        }
        if let Some((_, id)) = best {
            numbers[item * levels..(item + 1) * levels].copy_from_slice(&id);
            taken.insert(id);
            moved += 1;
        }
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    const CENTRES: [f64; 3] = [0.0, 1.0, 5.0];

    fn column(values: &[f64]) -> Vec<Vec<f64>> {
        values.iter().map(|&value| vec![value]).collect()
    }

    fn reassigned(numbers: &[u32], residuals: &[f64], codes: usize) -> (Vec<u32>, usize) {
        let found = Clustered {
            numbers: numbers.to_vec(),
            last_residuals: column(residuals),
            centres: vec![column(&[0.0, 10.0, 20.0]), column(&CENTRES)],
            errors: vec![0.0; 2],
        };
        let mut numbers = numbers.to_vec();
        let moved = reassign(&mut numbers, 2, codes, &found);
        (numbers, moved)
    }

    #[test]
    fn the_nearest_keeps_its_code_and_the_others_take_the_nearest_free_one() {
        // Items 0 to 2 share (7, 0); item 1 is nearest to 0. Code 1 belongs to item 3 under the same prefix, so that what is
        // free is 2 and the code 3 without a centre. Item 4 has another prefix.
        let (numbers, moved) = reassigned(&[7, 0, 7, 0, 7, 0, 7, 1, 8, 0], &[0.4, 0.1, 0.2, 1.0, 0.0], 4);
        assert_eq!((numbers, moved), (vec![7, 3, 7, 0, 7, 2, 7, 1, 8, 0], 2));
    }

    #[test]
    fn rounds_part_those_who_differ_and_leave_equal_items_together() {
        // Items 0 and 1 share (7, 0), item 2 has a code of its own under another prefix.
        let mut numbers = [7, 0, 7, 0, 8, 1];
        let rounds = spread(&mut numbers, 2, &column(&[0.0, 0.4, 0.0]), &column(&[0.0, 1.0]));
        assert_eq!((numbers, rounds), ([7, 0, 7, 1, 8, 1], 1));
        // By hand: equal items have equal shares of every code, however often they are looked at.
        let mut numbers = [7, 0, 7, 0];
        let rounds = spread(&mut numbers, 2, &column(&[0.2, 0.2]), &column(&[0.0, 1.0]));
        assert_eq!((numbers[1] == numbers[3], rounds), (true, ROUNDS));
        let mut numbers = [7, 0, 7, 1];
        assert_eq!(spread(&mut numbers, 2, &column(&[0.2, 0.2]), &column(&[0.0, 1.0])), 0);
    }

    #[test]
    fn where_no_code_of_the_last_level_is_free_the_nearest_pair_is_taken() {
        // Four items of the prefix 0 and three codes: the last lies at -8 + 0 before the two levels, nearest to 0 + 0, and
        // of what is free to 10 + 0, which is 18 away; 10 + 1 is taken by the item 4.
        let (numbers, moved) = reassigned(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 1], &[0.0, 0.1, 0.2, -8.0, 0.0], 3);
        assert_eq!((numbers, moved), (vec![0, 0, 0, 1, 0, 2, 1, 0, 1, 1], 3));
    }

    #[test]
    fn where_no_pair_is_free_items_stay_together() {
        let found = Clustered {
            numbers: vec![0; 5],
            last_residuals: column(&[0.0; 5]),
            centres: vec![column(&CENTRES)],
            errors: vec![0.0],
        };
        let mut numbers = vec![0; 5];
        assert_eq!((reassign(&mut numbers, 1, 3, &found), numbers), (2, vec![0, 1, 2, 0, 0]));
    }
}
