//! Other codes on the last level for items that share all codes.

use std::collections::{BTreeMap, BTreeSet};

use super::clustering::squared_distance;

/// Gives items that share all their codes other codes on the last level, as near as there are free ones, and returns how
/// many items were given one. Of those that share an id, the nearest to its centre keeps it.
///
/// Of `codes` codes on the last level, those without a centre come last. Items stay together where more of them share the
/// levels before than the last level has codes.
pub fn reassign(
    numbers: &mut [u32],
    levels: usize,
    codes: usize,
    residuals: &[Vec<f64>],
    centres: &[Vec<f64>],
) -> usize {
    let distance = |item: usize, code: usize| {
        centres.get(code).map_or(f64::INFINITY, |centre| squared_distance(&residuals[item], centre))
    };
    let mut prefixes: BTreeMap<&[u32], Vec<usize>> = BTreeMap::new();
    for (item, row) in numbers.chunks(levels).enumerate() {
        prefixes.entry(&row[..levels - 1]).or_default().push(item);
    }
    let mut changes = Vec::new();
    for items in prefixes.values() {
        let code_of = |item: usize| numbers[item * levels + levels - 1] as usize;
        let mut order = items.clone();
        order.sort_by(|&one, &other| distance(one, code_of(one)).total_cmp(&distance(other, code_of(other))));
        let mut taken = BTreeSet::new();
        let without: Vec<usize> = order.into_iter().filter(|&item| !taken.insert(code_of(item))).collect();
        for item in without {
            let free = (0..codes.max(centres.len())).filter(|code| !taken.contains(code));
            let nearest = free.min_by(|&one, &other| distance(item, one).total_cmp(&distance(item, other)));
            let Some(code) = nearest else { break };
            taken.insert(code);
            changes.push((item, code as u32));
        }
    }
    for &(item, code) in &changes {
        numbers[item * levels + levels - 1] = code;
    }
    changes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CENTRES: [f64; 3] = [0.0, 1.0, 5.0];

    fn reassigned(numbers: &[u32], residuals: &[f64], codes: usize) -> (Vec<u32>, usize) {
        let column = |values: &[f64]| values.iter().map(|&value| vec![value]).collect::<Vec<_>>();
        let mut numbers = numbers.to_vec();
        let moved = reassign(&mut numbers, 2, codes, &column(residuals), &column(&CENTRES));
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
    fn where_no_code_is_free_items_stay_together() {
        let (numbers, moved) = reassigned(&[7, 0, 7, 0, 7, 0, 7, 0], &[0.0; 4], 3);
        assert_eq!((numbers, moved), (vec![7, 0, 7, 1, 7, 2, 7, 0], 2));
    }
}
