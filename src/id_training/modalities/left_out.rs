//! Ids trained twice, compared by the groups that their codes make: names of codes say nothing from one training to the next.

use std::collections::BTreeMap;

use super::super::updates::matching;
use super::{Change, ItemFigures, LevelChange};

/// Ids as groups.
pub(super) struct Grouped {
    /// By item.
    first: Vec<u32>,
    /// By level, by item: the number of its group, the items that share their codes up to this level.
    levels: Vec<Vec<u32>>,
    codes: usize,
}

impl Grouped {
    /// Of `items x levels` codes, row-major, each below `codes`.
    pub(super) fn of<'i>(ids: &'i [u32], levels: usize, codes: usize) -> Self {
        let first = ids.chunks(levels).map(|id| id[0]).collect();
        let level = |level: usize| {
            let mut numbers: BTreeMap<&[u32], u32> = BTreeMap::new();
            let mut group = |id: &'i [u32]| {
                let next = numbers.len() as u32;
                *numbers.entry(&id[..=level]).or_insert(next)
            };
            ids.chunks(levels).map(&mut group).collect()
        };
        Self { first, levels: (0..levels).map(level).collect(), codes }
    }

    /// What is other in ids of the same items; a mean over several. Each item is told what is so of it.
    pub(super) fn changed(&self, others: &[Self], each: &mut [ItemFigures]) -> Change {
        let count = others.len() as f64;
        let mut first_code = vec![0.0; each.len()];
        let mut companions = vec![0.0; each.len()];
        let mut levels = vec![LevelChange { rand_index: 0.0, companions: 0.0 }; self.levels.len()];
        for other in others {
            let names = matching(&other.first, &self.first, self.codes);
            for (moved, (new, old)) in first_code.iter_mut().zip(other.first.iter().zip(&self.first)) {
                *moved += f64::from(u8::from(names[*new as usize] != *old)) / count;
            }
            for (number, (own, other)) in self.levels.iter().zip(&other.levels).enumerate() {
                let kept = kept_companions(own, other);
                levels[number].rand_index += rand_index(own, other) / count;
                levels[number].companions += mean(&kept) / count;
                if number == 0 {
                    companions.iter_mut().zip(kept).for_each(|(sum, kept)| *sum += kept / count);
                }
            }
        }
        let change = Change { without: None, trainings: others.len(), first_code: mean(&first_code), levels };
        for (item, (moved, kept)) in each.iter_mut().zip(first_code.into_iter().zip(companions)) {
            item.first_code.push(moved);
            item.companions.push(kept);
        }
        change
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// How many items are in each group of one, of the other, and in each of both at once.
type Counts = (BTreeMap<u32, u64>, BTreeMap<u32, u64>, BTreeMap<(u32, u32), u64>);

fn counts(one: &[u32], other: &[u32]) -> Counts {
    let mut counts = Counts::default();
    for (&one, &other) in one.iter().zip(other) {
        *counts.0.entry(one).or_default() += 1;
        *counts.1.entry(other).or_default() += 1;
        *counts.2.entry((one, other)).or_default() += 1;
    }
    counts
}

/// Adjusted Rand index (Hubert and Arabie 1985) of two ways to group the same items: pairs that both put together, less as many as by
/// chance, as a share of the most there could be less as many. 1 where both part every two items, or neither any.
fn rand_index(one: &[u32], other: &[u32]) -> f64 {
    let pairs = |count: u64| (count * count.saturating_sub(1)) as f64 / 2.0;
    let (of_one, of_other, of_both) = counts(one, other);
    let together = |counts: &mut dyn Iterator<Item = u64>| counts.map(pairs).sum::<f64>();
    let (of_one, of_other, of_both) = (
        together(&mut of_one.into_values()),
        together(&mut of_other.into_values()),
        together(&mut of_both.into_values()),
    );
    let all = pairs(one.len() as u64);
    let by_chance = if all > 0.0 { of_one * of_other / all } else { 0.0 };
    let most = f64::midpoint(of_one, of_other);
    if most > by_chance { (of_both - by_chance) / (most - by_chance) } else { 1.0 }
}

/// By item: the others that are in its group both times, of those that are in it either time; 1 for one that is alone both times.
fn kept_companions(one: &[u32], other: &[u32]) -> Vec<f64> {
    let (of_one, of_other, of_both) = counts(one, other);
    let kept = |(one, other): (&u32, &u32)| {
        let both = of_both[&(*one, *other)];
        let either = of_one[one] + of_other[other] - both;
        if either == 1 { 1.0 } else { (both - 1) as f64 / (either - 1) as f64 }
    };
    one.iter().zip(other).map(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rand_indices_are_those_of_scikit_learn() {
        // scikit-learn 1.9: `adjusted_rand_score`
        for (one, other, expected) in [
            (&[0, 0, 0, 1, 1, 1, 2, 2, 2, 2][..], &[1, 1, 0, 0, 0, 2, 2, 2, 2, 0][..], 0.169_741_697_416_974_17),
            (&[0, 0, 1, 1], &[0, 1, 0, 1], -0.5),
            (&[0, 0, 0, 0], &[0, 1, 2, 3], 0.0),
            (&[0, 1, 2], &[5, 6, 7], 1.0),
            (&[0, 0, 0], &[1, 1, 1], 1.0),
        ] {
            let found = rand_index(one, other);
            assert!((found - expected).abs() < 1e-12, "{one:?} {other:?}: {found}");
            assert_eq!(found, rand_index(other, one));
        }
    }

    #[test]
    fn changes_are_those_counted_by_hand() {
        // First codes: {0, 1, 2}, {3, 4}, {5}; after: {0, 1}, {2, 3, 4}, {5} under other names.
        let before = Grouped::of(&[0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 2, 0], 2, 3);
        let after = Grouped::of(&[2, 1, 2, 1, 1, 0, 1, 2, 1, 2, 0, 0], 2, 3);
        assert_eq!(before.levels, [[0, 0, 0, 1, 1, 2], [0, 0, 1, 2, 3, 4]]);
        let item = |item: usize| ItemFigures {
            item: item.to_string(),
            title: None,
            agreement: Vec::new(),
            first_code: Vec::new(),
            companions: Vec::new(),
        };
        let mut each: Vec<ItemFigures> = (0..6).map(item).collect();
        let change = before.changed(std::slice::from_ref(&after), &mut each);
        // Only item 2 goes elsewhere. 0 keeps 1 of {1, 2}; 2 had {0, 1}, has {3, 4} and keeps none; 3 keeps 4 of {2, 4}.
        assert_eq!(each.iter().map(|item| item.first_code[0]).collect::<Vec<_>>(), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
        assert_eq!(each.iter().map(|item| item.companions[0]).collect::<Vec<_>>(), [0.5, 0.5, 0.0, 0.5, 0.5, 1.0]);
        assert_eq!((change.first_code, change.levels[0].companions), (1.0 / 6.0, 0.5));
        // On level 2 before {0, 1} and singles, after {0, 1}, {3, 4} and singles.
        assert!((change.levels[1].companions - 4.0 / 6.0).abs() < 1e-12, "{:?}", change.levels[1]);
        // Over two trainings, of which one is the same.
        let change = before.changed(&[after, Grouped::of(&[0, 0, 0, 0, 0, 1, 1, 0, 1, 1, 2, 0], 2, 3)], &mut each);
        assert_eq!((change.trainings, change.first_code, change.levels[0].companions), (2, 1.0 / 12.0, 0.75));
        assert_eq!(each[2].first_code, [1.0, 0.5]);
    }
}
