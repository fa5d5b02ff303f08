//! The options of co-occurrence for a dataset, chosen on validation.

use std::fmt;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{CoOccurrence, CoOccurrenceOptions};
use crate::baseline::CountingBaseline;
use crate::data::{Dataset, Example, Sequence};
use crate::measure::UserOutcome;
use crate::measure::ranking::ndcg;

/// How the options are chosen: the values that each may have, and on how many users.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Search {
    pub window: &'static [usize],
    pub newest: &'static [usize],
    pub decay: &'static [f64],
    /// Validation users of stage 1 at most, evenly spaced in its order.
    pub users: usize,
    /// Cut-off of the NDCG that decides.
    pub k: usize,
    /// What is taken where stage 1 has no validation user. With these, the released Video Games blocks give the figures
    /// known for the baseline (Hit@10 .0659).
    pub otherwise: CoOccurrenceOptions,
}

/// The search of this program, a part of the identity of a co-occurrence run.
pub const SEARCH: Search = Search {
    window: &[1, 2, 3, 5, 10],
    newest: &[1, 2, 3, 5, 10, 20],
    decay: &[0.5, 0.7, 0.8, 0.9, 1.0],
    users: 2000,
    k: 10,
    otherwise: CoOccurrenceOptions { window: 3, newest: 10, decay: 0.9 },
};

/// Options, and what they were chosen by.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChosenOptions {
    #[serde(flatten)]
    pub options: CoOccurrenceOptions,
    /// Validation users of stage 1 that they were chosen on; 0 where there is none.
    pub validation_users: usize,
    /// Mean NDCG@10 on these users, the greatest of the search; 0 where there is none.
    pub validation_ndcg: f64,
}

impl ChosenOptions {
    /// The options of [`SEARCH`] with the greatest NDCG on the validation targets of stage 1, of equal ones the first: the
    /// least window, then the fewest newest items, then the smallest decay. No test target has a part in it.
    pub fn of(dataset: &Dataset) -> Self {
        let validated = validation(dataset);
        let mut best = Self { options: SEARCH.otherwise, validation_users: validated.len(), validation_ndcg: 0.0 };
        if validated.is_empty() {
            return best;
        }
        best.validation_ndcg = f64::NEG_INFINITY;
        for &window in SEARCH.window {
            // What is counted depends on the window alone.
            let mut baseline = CoOccurrence::fit(dataset, 0, CoOccurrenceOptions { window, ..SEARCH.otherwise });
            for &newest in SEARCH.newest {
                for &decay in SEARCH.decay {
                    baseline.options = CoOccurrenceOptions { window, newest, decay };
                    let validation_ndcg = mean_ndcg(&baseline, &validated);
                    if validation_ndcg > best.validation_ndcg {
                        best = Self { options: baseline.options, validation_ndcg, ..best };
                    }
                }
            }
        }
        best
    }
}

impl fmt::Display for ChosenOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CoOccurrenceOptions { window, newest, decay } = self.options;
        write!(f, "window {window}, newest items {newest}, decay {decay}: ")?;
        match self.validation_users {
            0 => f.write_str("the defaults, as stage 1 has no validation user"),
            users => write!(
                f,
                "chosen by NDCG@{} of {users} validation users of stage 1 ({:.4})",
                SEARCH.k, self.validation_ndcg
            ),
        }
    }
}

/// Validation examples of stage 1, of at most [`Search::users`] users.
fn validation(dataset: &Dataset) -> Vec<Example<'_>> {
    let users = dataset.stages.first().into_iter().flat_map(|stage| &stage.sequences);
    let all: Vec<Example<'_>> = users.filter_map(Sequence::validation).collect();
    let count = all.len().min(SEARCH.users);
    (0..count).map(|place| all[place * all.len() / count]).collect()
}

/// Mean over the examples, summed in their order.
fn mean_ndcg(baseline: &CoOccurrence, examples: &[Example<'_>]) -> f64 {
    let gain = |example: &Example<'_>| {
        let ranked = baseline.recommend(example.history, SEARCH.k, None);
        ndcg(UserOutcome::of_items(example.user, example.target, &ranked, None).rank, SEARCH.k)
    };
    let gains: Vec<f64> = examples.par_iter().map(gain).collect();
    gains.iter().sum::<f64>() / gains.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::fixture;

    const NEVER: u32 = 59;
    const TEST: u32 = 58;

    /// Users with one training target each, which is one of twelve popular items. Whoever is told of no pair is recommended
    /// these. Nobody trains on their validation target.
    fn popular() -> Vec<Vec<u32>> {
        (40..52).flat_map(|item| vec![vec![item, NEVER, TEST]; 3]).collect()
    }

    fn chosen(users: &[Vec<u32>]) -> ChosenOptions {
        ChosenOptions::of(&fixture::dataset(60, &[&users.iter().map(Vec::as_slice).collect::<Vec<_>>()]))
    }

    fn assert_chosen(found: ChosenOptions, options: (usize, usize, f64), gain: f64) {
        let (window, newest, decay) = options;
        assert_eq!(found.options, CoOccurrenceOptions { window, newest, decay });
        assert!((found.validation_ndcg - gain / found.validation_users as f64).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn the_window_is_the_least_that_reaches_the_validation_target() {
        // 2 is a training target two places after 0, and the validation target of a user who knows 0.
        let users = [popular(), vec![vec![0, 1, 2, NEVER, TEST], vec![0, 2, TEST]]].concat();
        // 1 goes with 0 as often, and comes first in the catalogue: the target is second.
        assert_chosen(chosen(&users), (2, 1, 0.5), 1.0 / 3f64.log2());
        assert_eq!(chosen(&users).validation_users, 38);
    }

    #[test]
    fn as_many_of_the_newest_items_are_looked_up_as_it_takes() {
        // 1 goes with 0, which is the newest item but one of a user who turns to it.
        let users = [popular(), vec![vec![0, 1, NEVER, TEST], vec![0, 5, 1, TEST]]].concat();
        assert_chosen(chosen(&users), (1, 2, 0.5), 1.0);
    }

    /// 1 went with 0 three times. Ten items went twice with 5, the newest item of a user who turns to 1 after 0 and 5:
    /// 1 is first where 3 times the decay is more than 2, and not among the first ten otherwise.
    fn older_is_better() -> Vec<Vec<u32>> {
        let newer = (20..30).flat_map(|item| vec![vec![5, item, NEVER, TEST]; 2]).collect();
        [popular(), vec![vec![0, 1, NEVER, TEST]; 3], newer, vec![vec![0, 5, 1, TEST]]].concat()
    }

    #[test]
    fn the_decay_is_the_smallest_that_puts_the_target_first() {
        assert_chosen(chosen(&older_is_better()), (1, 2, 0.7), 1.0);
    }

    #[test]
    fn test_targets_and_later_stages_have_no_part_in_it() {
        let users = older_is_better();
        let mut tested_otherwise = users.clone();
        for (user, item) in tested_otherwise.iter_mut().zip((20..30).cycle()) {
            user.pop();
            user.push(item);
        }
        assert_eq!(chosen(&tested_otherwise), chosen(&users));
        let stage: Vec<&[u32]> = users.iter().map(Vec::as_slice).collect();
        let later: Vec<&[u32]> = vec![&[0, 1, 2, 2, 2]; 50];
        assert_eq!(ChosenOptions::of(&fixture::dataset(60, &[&stage, &later])), chosen(&users));
    }

    #[test]
    fn of_equal_options_the_first_are_taken() {
        assert_chosen(chosen(&popular()), (1, 1, 0.5), 0.0);
    }

    #[test]
    fn without_a_validation_target_the_known_options_are_taken() {
        let found = chosen(&[vec![0, 1], vec![2]]);
        assert_eq!(found, ChosenOptions { options: SEARCH.otherwise, validation_users: 0, validation_ndcg: 0.0 });
    }

    #[test]
    fn a_large_stage_is_sampled_evenly() {
        let users: Vec<&[u32]> = vec![&[0, 1, 2]; 5000];
        let dataset = fixture::dataset(3, &[&users]);
        let sampled: Vec<u32> = validation(&dataset).iter().map(|example| example.user).collect();
        assert_eq!(sampled.len(), 2000);
        assert_eq!((&sampled[..4], sampled[1999]), (&[0, 2, 5, 7][..], 4997));
    }
}
