//! The items that the stage's users trained on most.

use super::CountingBaseline;
use crate::data::{Dataset, KnownItems};

/// Popularity in a block: items by how often they are training targets of one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Popularity {
    /// Items that occur, most frequent first, equal ones in catalogue order.
    ranked: Vec<u32>,
}

impl Popularity {
    /// Counts the training targets of the stage at index `stage` of [`Dataset::stages`].
    ///
    /// # Panics
    /// Where the dataset has no such stage.
    pub fn fit(dataset: &Dataset, stage: usize) -> Self {
        let mut counts = vec![0u32; dataset.items.len()];
        for sequence in &dataset.stages[stage].sequences {
            for &item in &sequence.items[sequence.training_targets()] {
                counts[item as usize] += 1;
            }
        }
        let mut ranked: Vec<u32> = (0..counts.len() as u32).filter(|&item| counts[item as usize] > 0).collect();
        ranked.sort_by_key(|&item| (std::cmp::Reverse(counts[item as usize]), item));
        Self { ranked }
    }

    /// Items that occur, most frequent first.
    pub(super) fn ranked(&self) -> &[u32] {
        &self.ranked
    }
}

impl CountingBaseline for Popularity {
    fn recommend(&self, history: &[u32], n: usize, known: Option<&KnownItems>) -> Vec<u32> {
        let listed = |item: &u32| !history.contains(item) && known.is_none_or(|known| known.contains(*item));
        self.ranked.iter().copied().filter(listed).take(n).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{evaluate, fixture};
    use super::*;

    #[test]
    fn only_training_targets_of_the_stage_count() {
        let stages: [&[&[u32]]; 2] = [&[&[0, 0, 0, 0, 0]], &[&[3, 2, 4, 5], &[2, 3, 1, 5], &[1, 2, 5, 4], &[5, 5]]];
        let popularity = Popularity::fit(&fixture::dataset(6, &stages), 1);
        // Item 2 is a target of three users, 3 of two, 1 of one; 0, 4 and 5 of none.
        assert_eq!(popularity.ranked(), [2, 3, 1]);
        assert_eq!(popularity.recommend(&[], 2, None), [2, 3]);
        assert_eq!(popularity.recommend(&[2, 0], 5, None), [3, 1]);
    }

    #[test]
    fn equal_counts_are_in_catalogue_order() {
        let popularity = Popularity::fit(&fixture::dataset(9, &[&[&[8, 3, 5, 0, 0]]]), 0);
        assert_eq!(popularity.recommend(&[], 9, None), [3, 5, 8]);
    }

    #[test]
    fn every_test_user_has_an_outcome() {
        let dataset = fixture::dataset(6, &[&[&[0, 1, 2, 3], &[1, 4, 5, 0], &[2, 3]]]);
        let outcomes = evaluate(&Popularity::fit(&dataset, 0), &dataset.stages[0].sequences, 10);
        let ranks: Vec<_> = outcomes.iter().map(|outcome| (outcome.user, outcome.target, outcome.rank)).collect();
        // Trained on 0, 1, 1, 4: the first user's target 3 never occurs, the second user's 0 is first behind his own 1 and 4.
        assert_eq!(ranks, [(0, 3, 0), (1, 0, 1)]);
    }
}
