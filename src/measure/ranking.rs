//! Hit@k and NDCG@k with one relevant item a user.
//!
//! Items may share a semantic id, and a generated id names all of them. The *released* count takes any of them as a
//! hit. The *corrected* count takes the target's place among them as uniform and gives the expectation, so that a
//! crowded id earns no more than its share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What one test user was recommended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserOutcome {
    /// The user, as an index into the dataset's list.
    pub user: u32,
    /// The item that followed.
    pub target: u32,
    /// Rank of the target's id in the list, from 1 (any item of the same id counts); 0 where it is not in it.
    pub rank: u32,
    /// Items ranked before the target's id, and items that share it: its place is uniform over
    /// `before + 1 ..= before + sharing`. `sharing` is 0 where the id is not in the list.
    pub before: u32,
    pub sharing: u32,
    /// The first ten recommended items, best first.
    pub top: Vec<u32>,
}

impl UserOutcome {
    /// The outcome of a list of single items, in which nothing is shared.
    pub fn of_items(user: u32, target: u32, ranked: &[u32]) -> Self {
        let before = ranked.iter().position(|&item| item == target);
        Self {
            user,
            target,
            rank: before.map_or(0, |before| before as u32 + 1),
            before: before.unwrap_or(0) as u32,
            sharing: u32::from(before.is_some()),
            top: ranked.iter().take(10).copied().collect(),
        }
    }

    /// Whether items that share an id have a part in the list up to the target, so that its rank among ids is not its place
    /// among items.
    pub fn has_shared_ids(&self) -> bool {
        self.rank > 0 && (self.sharing != 1 || self.before + 1 != self.rank)
    }

    /// Mean of `gain` over the places that the target may have; 0 where it is not in the list.
    fn expected(&self, k: usize, gain: impl Fn(u32) -> f64) -> f64 {
        if self.sharing == 0 {
            return 0.0;
        }
        // Places beyond k gain nothing; only the first k are visited, however many items share the id.
        let last = self.before.saturating_add(self.sharing).min(u32::try_from(k).unwrap_or(u32::MAX));
        (self.before.saturating_add(1)..=last).map(gain).sum::<f64>() / f64::from(self.sharing)
    }
}

/// 1 where a rank (from 1; 0: not in the list) is within the first `k`, else 0.
pub fn hit(rank: u32, k: usize) -> f64 {
    f64::from(u8::from(rank > 0 && rank as usize <= k))
}

/// `1 / log2(rank + 1)` where a rank (from 1; 0: not in the list) is within the first `k`, else 0: NDCG with one relevant
/// item, whose ideal gain is 1.
pub fn ndcg(rank: u32, k: usize) -> f64 {
    if hit(rank, k) > 0.0 { (f64::from(rank) + 1.0).log2().recip() } else { 0.0 }
}

/// Expectation of [`hit`] over the places that the target may have among the items of its id.
pub fn hit_corrected(outcome: &UserOutcome, k: usize) -> f64 {
    outcome.expected(k, |rank| hit(rank, k))
}

/// Expectation of [`ndcg`] over the places that the target may have among the items of its id.
pub fn ndcg_corrected(outcome: &UserOutcome, k: usize) -> f64 {
    outcome.expected(k, |rank| ndcg(rank, k))
}

/// Means over users, under `hit@k`, `ndcg@k`, `hit@k_corrected` and `ndcg@k_corrected` for every k; empty where there is no
/// user.
pub fn aggregate(outcomes: &[UserOutcome], k: &[usize]) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    if outcomes.is_empty() {
        return metrics;
    }
    let mean = |of: &dyn Fn(&UserOutcome) -> f64| outcomes.iter().map(of).sum::<f64>() / outcomes.len() as f64;
    for &k in k {
        metrics.insert(format!("hit@{k}"), mean(&|outcome| hit(outcome.rank, k)));
        metrics.insert(format!("ndcg@{k}"), mean(&|outcome| ndcg(outcome.rank, k)));
        metrics.insert(format!("hit@{k}_corrected"), mean(&|outcome| hit_corrected(outcome, k)));
        metrics.insert(format!("ndcg@{k}_corrected"), mean(&|outcome| ndcg_corrected(outcome, k)));
    }
    metrics
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(rank: u32, before: u32, sharing: u32) -> UserOutcome {
        UserOutcome { user: 0, target: 0, rank, before, sharing, top: Vec::new() }
    }

    #[test]
    fn a_list_of_items_gives_the_rank() {
        let found = UserOutcome::of_items(3, 9, &[7, 8, 9]);
        assert_eq!((found.rank, found.before, found.sharing), (3, 2, 1));
        assert_eq!(found.top, [7, 8, 9]);
        let missed = UserOutcome::of_items(3, 1, &[7, 8, 9]);
        assert_eq!((missed.rank, missed.before, missed.sharing), (0, 0, 0));
        assert_eq!(UserOutcome::of_items(0, 0, &(0..20).collect::<Vec<_>>()).top.len(), 10);
    }

    #[test]
    fn the_first_rank_gains_all_and_a_missed_one_nothing() {
        assert_eq!((hit(1, 1), ndcg(1, 1)), (1.0, 1.0));
        assert_eq!((hit(3, 5), ndcg(3, 5)), (1.0, 0.5));
        assert_eq!((hit(6, 5), ndcg(6, 5)), (0.0, 0.0));
        assert_eq!((hit(0, 5), ndcg(0, 5)), (0.0, 0.0));
        assert_eq!(hit_corrected(&outcome(0, 0, 0), 5), 0.0);
    }

    #[test]
    fn items_of_one_id_share_its_gain() {
        // Four items share the id behind four others: places 5, 6, 7 and 8.
        let shared = outcome(2, 4, 4);
        assert_eq!(hit(shared.rank, 5), 1.0);
        assert_eq!(hit_corrected(&shared, 5), 0.25);
        assert_eq!(hit_corrected(&shared, 6), 0.5);
        assert_eq!(hit_corrected(&shared, 4), 0.0);
        let expected = (1.0 / 6f64.log2() + 1.0 / 7f64.log2()) / 4.0;
        assert!((ndcg_corrected(&shared, 6) - expected).abs() < 1e-15);
        assert!(shared.has_shared_ids() && outcome(2, 2, 1).has_shared_ids());
        assert!(!outcome(2, 1, 1).has_shared_ids() && !outcome(0, 0, 0).has_shared_ids());
    }

    #[test]
    fn means_are_over_all_users() {
        let metrics = aggregate(&[outcome(1, 0, 2), outcome(0, 0, 0), outcome(3, 2, 1), outcome(7, 6, 1)], &[1, 5]);
        let keys: Vec<&str> = metrics.keys().map(String::as_str).collect();
        let expected = ["hit@1", "hit@1_corrected", "hit@5", "hit@5_corrected"];
        assert_eq!(keys[..4], expected);
        assert_eq!((metrics["hit@1"], metrics["hit@1_corrected"]), (0.25, 0.125));
        assert_eq!((metrics["hit@5"], metrics["ndcg@5"]), (0.5, 0.375));
        assert_eq!(metrics.len(), 8);
        assert!(aggregate(&[], &[10]).is_empty());
    }

    proptest! {
        #[test]
        fn without_sharing_both_counts_agree(rank in 0u32..30, k in 1usize..25) {
            let single = outcome(rank, rank.saturating_sub(1), u32::from(rank > 0));
            prop_assert_eq!(hit(rank, k), hit_corrected(&single, k));
            prop_assert_eq!(ndcg(rank, k), ndcg_corrected(&single, k));
        }

        #[test]
        fn the_correction_never_flatters(rank in 1u32..30, before_rank in 0u32..40, sharing in 1u32..u32::MAX, k in 1usize..25) {
            // Each id ranked before the target's has at least one item.
            let shared = outcome(rank, rank - 1 + before_rank, sharing);
            prop_assert!(hit_corrected(&shared, k) <= hit(rank, k));
            prop_assert!(ndcg_corrected(&shared, k) <= ndcg(rank, k) + 1e-12);
        }
    }
}
