//! Hit@k and NDCG@k with one relevant item a user.
//!
//! Items may share a semantic id, and a generated id names all of them. The *released* count takes any of them as a
//! hit. The *corrected* count takes the target's place among them as uniform and gives the expectation, so that a
//! crowded id earns no more than its share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Where the target stands in a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Rank of the target's id in the list, from 1 (any item of the same id counts); 0 where it is not in it.
    pub rank: u32,
    /// Items ranked before the target's id, and items that share it: its place is uniform over
    /// `before + 1 ..= before + sharing`. `sharing` is 0 where the id is not in the list.
    pub before: u32,
    pub sharing: u32,
}

impl Place {
    /// The place in a list of single items, in which nothing is shared.
    pub fn of_items(target: u32, ranked: &[u32]) -> Self {
        let found = ranked.iter().position(|&item| item == target).map(|before| before as u32);
        found.map_or_else(Self::default, |before| Self { rank: before + 1, before, sharing: 1 })
    }

    /// [`hit`] of the rank.
    pub fn hit(self, k: usize) -> f64 {
        hit(self.rank, k)
    }

    /// [`ndcg`] of the rank.
    pub fn ndcg(self, k: usize) -> f64 {
        ndcg(self.rank, k)
    }

    /// Expectation of [`hit`] over the places that the target may have among the items of its id.
    pub fn hit_corrected(self, k: usize) -> f64 {
        self.expected(k, |rank| hit(rank, k))
    }

    /// Expectation of [`ndcg`] over the places that the target may have among the items of its id.
    pub fn ndcg_corrected(self, k: usize) -> f64 {
        self.expected(k, |rank| ndcg(rank, k))
    }

    /// Mean of `gain` over the places that the target may have; 0 where it is not in the list.
    fn expected(self, k: usize, gain: impl Fn(u32) -> f64) -> f64 {
        if self.sharing == 0 {
            return 0.0;
        }
        // Places beyond k gain nothing; only the first k are visited, however many items share the id.
        let last = self.before.saturating_add(self.sharing).min(u32::try_from(k).unwrap_or(u32::MAX));
        // From 0.0: the sum of nothing is -0.0.
        (self.before.saturating_add(1)..=last).map(gain).fold(0.0, |sum, gain| sum + gain) / f64::from(self.sharing)
    }
}

/// What one test user was recommended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserOutcome {
    /// The user, as an index into the dataset's list.
    pub user: u32,
    /// The item that followed.
    pub target: u32,
    /// The target's [`Place`] in a list of the whole catalogue.
    pub rank: u32,
    pub before: u32,
    pub sharing: u32,
    /// The first ten recommended items, best first.
    pub top: Vec<u32>,
    /// The target's place in a list of the items known by the tested stage; none where no such list was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known: Option<Place>,
}

impl UserOutcome {
    /// The outcome of lists of single items, in which nothing is shared: of the whole catalogue and, where it was made, of
    /// the known items.
    pub fn of_items(user: u32, target: u32, ranked: &[u32], known: Option<&[u32]>) -> Self {
        let Place { rank, before, sharing } = Place::of_items(target, ranked);
        let known = known.map(|ranked| Place::of_items(target, ranked));
        Self { user, target, rank, before, sharing, top: ranked.iter().take(10).copied().collect(), known }
    }

    /// Whether items that share an id have a part in the list up to the target, so that its rank among ids is not its place
    /// among items.
    pub fn has_shared_ids(&self) -> bool {
        self.rank > 0 && (self.sharing != 1 || self.before + 1 != self.rank)
    }

    /// The target's place in the list of the whole catalogue.
    pub fn whole(&self) -> Place {
        Place { rank: self.rank, before: self.before, sharing: self.sharing }
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

/// Means over users, under `hit@k`, `ndcg@k`, `hit@k_corrected` and `ndcg@k_corrected` for every k; the same under
/// `hit@k_known`, `ndcg@k_known`, `hit@k_known_corrected` and `ndcg@k_known_corrected` where every user has a list of known
/// items. Empty where there is no user.
pub fn aggregate(outcomes: &[UserOutcome], k: &[usize]) -> BTreeMap<String, f64> {
    let mut metrics = BTreeMap::new();
    if outcomes.is_empty() {
        return metrics;
    }
    let whole: Vec<Place> = outcomes.iter().map(UserOutcome::whole).collect();
    let known: Option<Vec<Place>> = outcomes.iter().map(|outcome| outcome.known).collect();
    for (places, list) in [(Some(whole), ""), (known, "_known")] {
        let Some(places) = places else { continue };
        let mean = |of: fn(Place, usize) -> f64, k: usize| {
            places.iter().map(|&place| of(place, k)).sum::<f64>() / places.len() as f64
        };
        for &k in k {
            metrics.insert(format!("hit@{k}{list}"), mean(Place::hit, k));
            metrics.insert(format!("ndcg@{k}{list}"), mean(Place::ndcg, k));
            metrics.insert(format!("hit@{k}{list}_corrected"), mean(Place::hit_corrected, k));
            metrics.insert(format!("ndcg@{k}{list}_corrected"), mean(Place::ndcg_corrected, k));
        }
    }
    metrics
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(rank: u32, before: u32, sharing: u32) -> UserOutcome {
        UserOutcome { user: 0, target: 0, rank, before, sharing, top: Vec::new(), known: None }
    }

    #[test]
    fn a_list_of_items_gives_the_rank() {
        let found = UserOutcome::of_items(3, 9, &[7, 8, 9], Some(&[8, 9]));
        assert_eq!((found.rank, found.before, found.sharing), (3, 2, 1));
        assert_eq!(found.top, [7, 8, 9]);
        assert_eq!(found.known, Some(Place { rank: 2, before: 1, sharing: 1 }));
        let missed = UserOutcome::of_items(3, 1, &[7, 8, 9], None);
        assert_eq!((missed.rank, missed.before, missed.sharing), (0, 0, 0));
        assert_eq!(UserOutcome::of_items(0, 0, &(0..20).collect::<Vec<_>>(), None).top.len(), 10);
    }

    #[test]
    fn the_first_rank_gains_all_and_a_missed_one_nothing() {
        assert_eq!((hit(1, 1), ndcg(1, 1)), (1.0, 1.0));
        assert_eq!((hit(3, 5), ndcg(3, 5)), (1.0, 0.5));
        assert_eq!((hit(6, 5), ndcg(6, 5)), (0.0, 0.0));
        assert_eq!((hit(0, 5), ndcg(0, 5)), (0.0, 0.0));
        assert_eq!(outcome(0, 0, 0).whole().hit_corrected(5), 0.0);
    }

    #[test]
    fn items_of_one_id_share_its_gain() {
        // Four items share the id behind four others: places 5, 6, 7 and 8.
        let shared = outcome(2, 4, 4).whole();
        assert_eq!(hit(shared.rank, 5), 1.0);
        assert_eq!(shared.hit_corrected(5), 0.25);
        assert_eq!(shared.hit_corrected(6), 0.5);
        assert_eq!(shared.hit_corrected(4), 0.0);
        let expected = (1.0 / 6f64.log2() + 1.0 / 7f64.log2()) / 4.0;
        assert!((shared.ndcg_corrected(6) - expected).abs() < 1e-15);
        assert!(outcome(2, 4, 4).has_shared_ids() && outcome(2, 2, 1).has_shared_ids());
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

    #[test]
    fn lists_of_known_items_have_metrics_of_their_own_where_every_user_has_one() {
        let known = |rank, sharing| Some(Place { rank, before: rank - 1, sharing });
        let mut outcomes = [outcome(0, 0, 0), outcome(3, 2, 1)];
        outcomes[0].known = known(3, 1);
        assert_eq!(aggregate(&outcomes, &[5]).len(), 4, "one user has none");
        outcomes[1].known = known(1, 2);
        let metrics = aggregate(&outcomes, &[1, 5]);
        assert_eq!(metrics.len(), 16);
        assert_eq!((metrics["hit@5"], metrics["ndcg@5"]), (0.5, 0.25));
        assert_eq!((metrics["hit@5_known"], metrics["ndcg@5_known"]), (1.0, 0.75));
        assert_eq!((metrics["hit@1_known"], metrics["hit@1_known_corrected"]), (0.5, 0.25));
        // Places 1 and 2 of the second user gain 1 and 1/log2(3).
        let expected = (0.5 + (1.0 + 1.0 / 3f64.log2()) / 2.0) / 2.0;
        assert!((metrics["ndcg@5_known_corrected"] - expected).abs() < 1e-15);
    }

    proptest! {
        #[test]
        fn without_sharing_both_counts_agree(rank in 0u32..30, k in 1usize..25) {
            let single = outcome(rank, rank.saturating_sub(1), u32::from(rank > 0)).whole();
            prop_assert_eq!(hit(rank, k), single.hit_corrected(k));
            prop_assert_eq!(ndcg(rank, k), single.ndcg_corrected(k));
        }

        #[test]
        fn the_correction_never_flatters(rank in 1u32..30, before_rank in 0u32..40, sharing in 1u32..u32::MAX, k in 1usize..25) {
            // Each id ranked before the target's has at least one item.
            let shared = outcome(rank, rank - 1 + before_rank, sharing).whole();
            prop_assert!(shared.hit_corrected(k) <= hit(rank, k));
            prop_assert!(shared.ndcg_corrected(k) <= ndcg(rank, k) + 1e-12);
        }
    }
}
