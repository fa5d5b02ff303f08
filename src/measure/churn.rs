//! Prediction churn: how far the lists that users see change from one model to the next, and who sees the change.
//!
//! Two models are asked the same tests, so that nothing but the model can change a list.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::slice_means::{SliceMean, slice_means};
use super::slices::Slices;
use super::statistics::Unanswerable;

/// How far down a list one reads on: the chance to go on from one place to the next. With 0.9 the first ten places carry
/// 86 % of the weight.
pub const PERSISTENCE: f64 = 0.9;

/// The part of the first `k` items that two lists have in common, from 0 to 1. Shorter lists are measured at the length of
/// the longer one; two empty lists are equal.
pub fn overlap(one: &[u32], other: &[u32], k: usize) -> f64 {
    let (one, other) = (distinct(one, k), distinct(other, k));
    let longest = one.len().max(other.len());
    if longest == 0 {
        return 1.0;
    }
    one.iter().filter(|item| other.contains(item)).count() as f64 / longest as f64
}

/// Rank-biased overlap of two lists, from 0 to 1: agreement at every depth, the upper places weighing more.
///
/// This is RBO_ext of Webber, Moffat and Zobel (A similarity measure for indefinite rankings, TOIS 2010, equation 32):
/// what is not seen below the lists' ends is taken to agree as much as what is. `persistence` lies between 0 and 1. Two
/// empty lists are equal; an empty one and another have nothing in common.
pub fn rank_biased_overlap(one: &[u32], other: &[u32], persistence: f64) -> f64 {
    let (one, other) = (distinct(one, usize::MAX), distinct(other, usize::MAX));
    let (short, long) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let (s, l) = (short.len(), long.len());
    match (s, l) {
        (0, 0) => return 1.0,
        (0, _) => return 0.0,
        _ => {}
    }
    let common = |depth: usize| {
        let seen = &short[..depth.min(s)];
        long[..depth].iter().filter(|item| seen.contains(item)).count() as f64
    };
    let at_short = common(s);
    let weight = |depth: usize| persistence.powi(depth as i32);
    let seen: f64 = (1..=l).map(|depth| common(depth) / depth as f64 * weight(depth)).sum();
    let unseen: f64 = (s + 1..=l).map(|depth| at_short * (depth - s) as f64 / (s * depth) as f64 * weight(depth)).sum();
    let end = ((common(l) - at_short) / l as f64 + at_short / s as f64) * weight(l);
    (1.0 - persistence) / persistence * (seen + unseen) + end
}

/// The first `max` items, each once. Lists of shared ids may name an item twice.
fn distinct(list: &[u32], max: usize) -> Vec<u32> {
    let first = |(index, item): (usize, &u32)| (!list[..index].contains(item)).then_some(*item);
    list.iter().enumerate().filter_map(first).take(max).collect()
}

/// What became of an item from one list to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// It was not in the list before.
    Entered,
    /// It is this many places higher.
    Up(usize),
    /// It is this many places lower.
    Down(usize),
    Stayed,
}

/// The items of a list with what became of each since the list before, and those that left it, best first.
pub fn moves(before: &[u32], now: &[u32]) -> (Vec<(u32, Move)>, Vec<u32>) {
    let of = |(index, item): (usize, &u32)| {
        let moved = match before.iter().position(|earlier| earlier == item) {
            None => Move::Entered,
            Some(earlier) if earlier > index => Move::Up(earlier - index),
            Some(earlier) if earlier < index => Move::Down(index - earlier),
            Some(_) => Move::Stayed,
        };
        (*item, moved)
    };
    let left = before.iter().filter(|item| !now.contains(item)).copied();
    (now.iter().enumerate().map(of).collect(), left.collect())
}

/// What a new model changed in one test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// Part of the first ten items that stayed.
    pub overlap: f64,
    /// Rank-biased overlap of both lists at [`PERSISTENCE`].
    pub agreement: f64,
    /// The metric after less the metric before.
    pub gain: f64,
}

impl Change {
    /// Between the lists of two models, whose metric in this test was `before` and is `after`.
    pub fn of(lists: [&[u32]; 2], [before, after]: [f64; 2]) -> Self {
        let [one, other] = lists;
        Self {
            overlap: overlap(one, other, 10),
            agreement: rank_biased_overlap(one, other, PERSISTENCE),
            gain: after - before,
        }
    }
}

/// Means over tests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Churn {
    pub tests: usize,
    /// Part of the first ten items that a new model leaves in place: 1 where it changes nothing.
    pub overlap: f64,
    /// Rank-biased overlap: 1 where it changes nothing.
    pub agreement: f64,
    pub gain: f64,
}

impl Churn {
    /// The means of `changes`; none where there are none.
    pub fn of(changes: &[Change]) -> Option<Self> {
        let mean = |of: fn(&Change) -> f64| changes.iter().map(of).sum::<f64>() / changes.len() as f64;
        (!changes.is_empty()).then(|| Self {
            tests: changes.len(),
            overlap: mean(|change| change.overlap),
            agreement: mean(|change| change.agreement),
            gain: mean(|change| change.gain),
        })
    }
}

/// What became of the users whose lists changed most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MostChanged {
    /// How many they are; fewer than [`Self::COUNT`] where fewer lists changed.
    pub users: usize,
    /// Of how many the list serves the target better, and worse.
    pub gained: usize,
    pub lost: usize,
}

impl MostChanged {
    pub const COUNT: usize = 20;

    /// Of the tests of one stage, which has one a user; none where no list changed.
    pub fn of<'c>(changes: impl IntoIterator<Item = &'c Change>) -> Option<Self> {
        let mut changed: Vec<&Change> = changes.into_iter().filter(|change| change.agreement < 1.0 - 1e-9).collect();
        changed.sort_by(|a, b| a.agreement.total_cmp(&b.agreement));
        changed.truncate(Self::COUNT);
        let count = |of: fn(f64) -> bool| changed.iter().filter(|change| of(change.gain)).count();
        let (gained, lost) = (count(|gain| gain > 0.0), count(|gain| gain < 0.0));
        (!changed.is_empty()).then_some(Self { users: changed.len(), gained, lost })
    }
}

impl fmt::Display for MostChanged {
    /// `Of the 20 most changed users 6 gained, 9 lost`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { users, gained, lost } = self;
        match users {
            1 => write!(f, "Of the one user whose list changed {gained} gained, {lost} lost"),
            _ => write!(f, "Of the {users} most changed users {gained} gained, {lost} lost"),
        }
    }
}

/// Churn and gain of one slice of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SliceChurn {
    /// One less the rank-biased overlap.
    pub churn: SliceMean,
    pub gain: SliceMean,
}

/// Who sees the change: churn and gain of every slice that has tests.
///
/// # Errors
/// There is not one entry of `slices` a change.
pub fn by_slice(changes: &[Change], slices: &[Slices]) -> Result<Vec<SliceChurn>, Unanswerable> {
    let means = |of: fn(&Change) -> f64| slice_means(&[changes.iter().map(of).collect()], slices);
    let churn = means(|change| 1.0 - change.agreement)?;
    let gain = means(|change| change.gain)?;
    Ok(churn.into_iter().zip(gain).map(|(churn, gain)| SliceChurn { churn, gain }).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::measure::Slice;

    #[test]
    fn the_users_whose_lists_changed_most_are_counted_by_what_it_brought() {
        let change = |agreement: f64, gain: f64| Change { overlap: 0.5, agreement, gain };
        // Three lists that did not change do not count, however much their users seem to gain.
        let few = [change(1.0, 1.0), change(0.3, 0.2), change(0.2, -0.1), change(1.0, 1.0), change(0.9, 0.0)];
        let found = MostChanged::of(&few).unwrap();
        assert_eq!((found.users, found.gained, found.lost), (3, 1, 1));
        let many: Vec<Change> = (0..100)
            .map(|i| {
                change(
                    f64::from(i) / 101.0,
                    if i < 6 {
                        1.0
                    } else if i < 15 {
                        -1.0
                    } else {
                        0.0
                    },
                )
            })
            .rev()
            .collect();
        assert_eq!(MostChanged::of(&many).unwrap().to_string(), "Of the 20 most changed users 6 gained, 9 lost");
        assert_eq!(MostChanged::of(&[change(1.0, 0.5)]), None);
    }

    #[test]
    fn the_overlap_counts_what_both_lists_have() {
        assert_eq!(overlap(&[1, 2, 3, 4], &[4, 9, 2, 8], 4), 0.5);
        assert_eq!(overlap(&[1, 2, 3, 4], &[4, 9, 2, 8], 1), 0.0);
        assert_eq!(overlap(&[1, 2, 3, 4], &[2, 1, 7, 8], 2), 1.0);
        assert_eq!(overlap(&[1, 2], &[1, 2, 3, 4], 10), 0.5, "a shorter list lacks the rest");
        assert_eq!((overlap(&[], &[], 10), overlap(&[], &[1], 10)), (1.0, 0.0));
        assert_eq!(overlap(&[1, 1, 2], &[1, 2], 2), 1.0, "an item counts once");
    }

    /// By hand: agreement is 1, 1/2 and 1 at the depths 1 to 3, so that (0.1/0.9)(0.9 + 0.81/2 + 0.729) + 0.729 = 0.955.
    #[test]
    fn rank_biased_overlap_is_what_a_hand_computes() {
        assert!((rank_biased_overlap(&[1, 2, 3], &[1, 3, 2], 0.9) - 0.955).abs() < 1e-12);
        assert!((rank_biased_overlap(&[1, 2, 3], &[1, 3, 2], 0.5) - 0.875).abs() < 1e-12);
        assert_eq!(rank_biased_overlap(&[], &[], 0.9), 1.0);
        assert_eq!(rank_biased_overlap(&[1], &[], 0.9), 0.0);
    }

    /// Random lists of equal and unequal lengths, against `RankingSimilarity.rbo_ext` of the Python package rbo 0.1.3.
    #[test]
    fn rank_biased_overlap_equals_another_implementation() {
        let cases: [(&[u32], &[u32], [f64; 2]); 7] = [
            (&[1, 2, 3, 4, 5], &[2, 3, 1, 5, 6], [0.705_555, 0.346_875]),
            (
                &[3, 9, 8, 2, 5, 13, 7, 1, 4, 0],
                &[14, 13, 7, 4, 8, 3, 9, 12, 11, 6],
                [0.371_650_235_078_571_5, 0.024_558_221_726_190_477],
            ),
            (
                &[7, 6, 10, 2, 3, 11, 8, 13, 5, 0],
                &[10, 12, 1, 2, 9, 0, 4, 14, 6, 11],
                [0.344_577_602_571_428_6, 0.095_461_309_523_809_52],
            ),
            (
                &[7, 9, 11, 6, 12, 10, 14, 2, 8, 0],
                &[0, 2, 7, 3, 4, 6, 10, 9, 8, 11],
                [0.469_333_804_307_142_9, 0.077_404_203_894_704_2],
            ),
            (
                &[9, 5, 8, 14, 6, 11, 3, 13, 7, 0],
                &[13, 4, 9, 10, 2, 5, 8],
                [0.355_294_157_721_428_6, 0.076_347_036_210_317_45],
            ),
            (&[14, 9, 13, 1], &[11, 10, 3, 13, 9, 4, 14, 1, 0], [0.381_822_732_321_428_55, 0.045_103_236_607_142_855]),
            (&[7], &[13, 10, 7, 1, 5, 11, 6, 2, 0, 12], [0.125_284_243_435_714_3, 0.068_162_512_400_793_64]),
        ];
        for (one, other, expected) in cases {
            for (persistence, expected) in [0.9, 0.5].into_iter().zip(expected) {
                let found = rank_biased_overlap(one, other, persistence);
                assert!((found - expected).abs() < 1e-10, "{one:?} {other:?}: {found} for {expected}");
            }
        }
    }

    #[test]
    fn every_item_enters_moves_stays_or_leaves() {
        let (now, left) = moves(&[1, 2, 3, 4], &[3, 2, 9, 1]);
        assert_eq!(now, [(3, Move::Up(2)), (2, Move::Stayed), (9, Move::Entered), (1, Move::Down(3))]);
        assert_eq!(left, [4]);
    }

    #[test]
    fn slices_have_churn_and_gain_of_their_own() {
        let change = |agreement, gain| Change { overlap: agreement, agreement, gain };
        let changes = [change(1.0, 0.0), change(0.5, 1.0), change(0.0, -1.0), change(0.5, 1.0)];
        let slices = |user| [user, Slice::Warm, Slice::Head, Slice::Long];
        let of = [Slice::New, Slice::New, Slice::Returning, Slice::Returning].map(slices);
        let found = by_slice(&changes, &of).unwrap();
        let named: Vec<_> = found.iter().map(|f| (f.churn.slice.key(), f.churn.mean, f.gain.mean)).collect();
        assert_eq!(
            named,
            [
                ("new", 0.25, 0.5),
                ("returning", 0.75, 0.0),
                ("warm", 0.5, 0.25),
                ("head", 0.5, 0.25),
                ("long", 0.5, 0.25)
            ]
        );
        let whole = Churn::of(&changes).unwrap();
        assert_eq!((whole.tests, whole.overlap, whole.agreement, whole.gain), (4, 0.5, 0.5, 0.25));
        assert_eq!(Churn::of(&[]), None);
    }

    proptest! {
        #[test]
        fn agreement_is_symmetric_and_only_equal_lists_have_all_of_it(
            one in proptest::sample::subsequence((0u32..12).collect::<Vec<_>>(), 1..10).prop_shuffle(),
            other in proptest::sample::subsequence((0u32..12).collect::<Vec<_>>(), 1..10).prop_shuffle(),
            persistence in 0.05f64..0.95,
        ) {
            let found = rank_biased_overlap(&one, &other, persistence);
            prop_assert!((found - rank_biased_overlap(&other, &one, persistence)).abs() < 1e-12);
            prop_assert!((-1e-12..=1.0 + 1e-12).contains(&found));
            prop_assert!((rank_biased_overlap(&one, &one, persistence) - 1.0).abs() < 1e-12);
            if one.len() == other.len() && one != other {
                prop_assert!(found < 1.0 - 1e-12);
            }
        }
    }
}
