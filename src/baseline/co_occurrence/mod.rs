//! What other users trained on near the items of the history.

mod choice;

pub use choice::{ChosenOptions, SEARCH, Search};

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::{CountingBaseline, Popularity};
use crate::data::{Dataset, KnownItems};

/// What [`CoOccurrence`] counts, and how it weighs it; [`ChosenOptions::of`] finds those of a dataset.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CoOccurrenceOptions {
    /// Two training targets of one user in one stage count as a pair when they are at most this far apart.
    pub window: usize,
    /// The newest items of a history that are looked up.
    pub newest: usize,
    /// Weight of a history's item against that of the one after it.
    pub decay: f64,
}

/// Co-occurrence: items score by how often they are training targets within `window` places of the history's `newest`
/// items, in either order and in all stages so far; the i-th newest item weighs `decay`^(i-1). Popularity in the stage
/// fills the list up.
///
/// Validation and test targets are never counted, so a cell `R[i, j]` with j < i is no easier than the diagonal.
#[derive(Debug, Clone, PartialEq)]
pub struct CoOccurrence {
    options: CoOccurrenceOptions,
    /// By item: the items near it with their counts, in catalogue order.
    near: Vec<Vec<(u32, u32)>>,
    popularity: Popularity,
}

impl CoOccurrence {
    /// Counts the training targets of all stages up to the one at index `stage` of [`Dataset::stages`].
    ///
    /// # Panics
    /// Where the dataset has no such stage.
    pub fn fit(dataset: &Dataset, stage: usize, options: CoOccurrenceOptions) -> Self {
        let mut near: Vec<BTreeMap<u32, u32>> = vec![BTreeMap::new(); dataset.items.len()];
        for sequence in dataset.stages[..=stage].iter().flat_map(|stage| &stage.sequences) {
            let targets = &sequence.items[sequence.training_targets()];
            for (at, &later) in targets.iter().enumerate() {
                for &earlier in &targets[at.saturating_sub(options.window)..at] {
                    *near[earlier as usize].entry(later).or_default() += 1;
                    *near[later as usize].entry(earlier).or_default() += 1;
                }
            }
        }
        let near = near.into_iter().map(|counts| counts.into_iter().collect()).collect();
        Self { options, near, popularity: Popularity::fit(dataset, stage) }
    }

    /// Scores of the items near the history's newest ones.
    fn scores(&self, history: &[u32]) -> HashMap<u32, f64> {
        let mut scores = HashMap::new();
        let mut weight = 1.0;
        for &item in history.iter().rev().take(self.options.newest) {
            for &(near, count) in &self.near[item as usize] {
                *scores.entry(near).or_insert(0.0) += weight * f64::from(count);
            }
            weight *= self.options.decay;
        }
        scores
    }
}

impl CountingBaseline for CoOccurrence {
    fn recommend(&self, history: &[u32], n: usize, known: Option<&KnownItems>) -> Vec<u32> {
        let is_known = |item: u32| known.is_none_or(|known| known.contains(item));
        let mut listed: HashSet<u32> = history.iter().copied().collect();
        let mut scored: Vec<(u32, f64)> = self.scores(history).into_iter().collect();
        scored.retain(|&(item, _)| !listed.contains(&item) && is_known(item));
        scored.sort_unstable_by(|one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
        let mut items: Vec<u32> = scored.into_iter().take(n).map(|(item, _)| item).collect();
        listed.extend(&items);
        let missing = n - items.len();
        let popular = self.popularity.ranked().iter().filter(|&item| !listed.contains(item) && is_known(*item));
        items.extend(popular.take(missing));
        items
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    const OPTIONS: CoOccurrenceOptions = CoOccurrenceOptions { window: 3, newest: 10, decay: 0.9 };

    #[test]
    fn pairs_within_the_window_count_in_either_order() {
        // Training targets 0, 1, 2, 3, 4: items 0 and 4 are four places apart; 5 and 6 are validation and test.
        let baseline = CoOccurrence::fit(&fixture::dataset(7, &[&[&[0, 1, 2, 3, 4, 5, 6]]]), 0, OPTIONS);
        let near = |item: usize| baseline.near[item].iter().map(|&(near, _)| near).collect::<Vec<_>>();
        assert_eq!(near(0), [1, 2, 3]);
        assert_eq!(near(4), [1, 2, 3]);
        assert!(near(5).is_empty());
        assert!(near(6).is_empty());
    }

    #[test]
    fn newer_items_of_the_history_weigh_more() {
        // 0 goes with 2 and 1 with 3, equally often.
        let stages: [&[&[u32]]; 1] = [&[&[0, 2, 9, 9], &[1, 3, 9, 9]]];
        let baseline = CoOccurrence::fit(&fixture::dataset(10, &stages), 0, OPTIONS);
        assert_eq!(baseline.recommend(&[0, 1], 2, None), [3, 2]);
        assert_eq!(baseline.recommend(&[1, 0], 2, None), [2, 3]);
        let forgotten: Vec<u32> = [0].into_iter().chain([9; OPTIONS.newest]).collect();
        assert_eq!(baseline.scores(&forgotten), HashMap::new());
    }

    #[test]
    fn popularity_of_the_stage_fills_the_list_without_repeats() {
        let stages: [&[&[u32]]; 2] = [&[&[0, 2, 9, 9]], &[&[4, 9, 9], &[4, 9, 9], &[2, 9, 9], &[5, 9, 9]]];
        let baseline = CoOccurrence::fit(&fixture::dataset(10, &stages), 1, OPTIONS);
        assert_eq!(baseline.recommend(&[0], 4, None), [2, 4, 5]);
        assert_eq!(baseline.recommend(&[0, 4], 1, None), [2]);
        assert!(baseline.recommend(&[0], 0, None).is_empty());
    }
}
