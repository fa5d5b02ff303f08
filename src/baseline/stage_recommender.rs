//! The seam of the baselines that are trained stage by stage.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::path::Path;

use rayon::prelude::*;

use crate::data::dataset::Example;
use crate::data::{Dataset, KnownItems, Sequence};
use crate::error::{InputError, RunError};
use crate::files;
use crate::measure::UserOutcome;
use crate::model::adapter::Matrix;
use crate::model::weights::{Weights, safetensors_bytes};

/// Queries that are scored together: enough for large products, few enough for the memory of a large catalogue.
const QUERIES: usize = 256;

/// Of how many users and items a recommender may have parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DatasetSize {
    pub users: usize,
    pub items: usize,
}

impl DatasetSize {
    /// All users and items of a dataset, whatever stage they first occur in.
    pub fn of(dataset: &Dataset) -> Self {
        Self { users: dataset.users.len(), items: dataset.items.len() }
    }
}

/// Whom to recommend to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// The user, as an index into [`Dataset::users`]; [`Self::NOBODY`] where it is none of them.
    pub user: u32,
    /// Everything that the user did before, oldest first.
    pub history: &'a [u32],
}

impl Query<'_> {
    /// Somebody whom no stage has trained on.
    pub const NOBODY: u32 = u32::MAX;
}

impl<'a> From<Example<'a>> for Query<'a> {
    fn from(example: Example<'a>) -> Self {
        Self { user: example.user, history: example.history }
    }
}

/// An item and its score; scores of one query compare, those of two need not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    pub item: u32,
    pub score: f32,
}

/// What a training tells as it goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Progress {
    /// One optimiser step is done.
    Step {
        /// Epoch within the stage, from 1.
        epoch: usize,
        /// Step within the stage, from 1.
        step: usize,
        /// Mean loss a target, in nats.
        loss: f64,
        /// What holds the parameters back, its weight included; 0 where nothing does.
        penalty: f64,
        /// Targets in the step.
        examples: usize,
    },
    /// An epoch is done and validated.
    Epoch {
        /// Epoch within the stage, from 1.
        epoch: usize,
        epochs: usize,
        /// Mean loss a target over the epoch's steps, without the penalty.
        training_loss: f64,
        /// Mean loss a validation target.
        validation_loss: f64,
    },
}

/// OnProgress each [`Progress`]; an error (the user stops, records cannot be written) ends the training.
pub type OnProgress<'a> = dyn FnMut(Progress) -> Result<(), RunError> + 'a;

/// How the training of a stage went.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StageFigures {
    /// Mean training loss of the last epoch; 0 where nothing was trained.
    pub final_loss: f64,
    /// Validation loss after each epoch; the parameters of the least one are kept.
    pub validation_losses: Vec<f64>,
    /// Epoch that is kept, from 1; 0 where nothing was trained.
    pub best_epoch: usize,
}

/// A recommender that goes from stage to stage with its parameters.
///
/// A run trains a stage, saves, measures, and goes on; one that is resumed loads the last stage that was saved and
/// trains the next. Every random number comes from a stream of seed and stage, so both end with the same numbers.
pub trait StageRecommender {
    /// Trains on the training targets of the stage at index `stage` of [`Dataset::stages`], from the parameters that
    /// the stage before left, and keeps those of the epoch with the least validation loss.
    ///
    /// # Errors
    /// `on_progress` says so, or the loss is no number. The parameters are then those of an unfinished stage: load the last
    /// ones that were saved.
    ///
    /// # Panics
    /// Where the dataset has no such stage.
    fn train_stage(
        &mut self,
        dataset: &Dataset,
        stage: usize,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<StageFigures, RunError>;

    /// Scores of all items, `[queries, items]`.
    fn scores(&self, queries: &[Query<'_>]) -> Matrix;

    /// Number of parameters that training changes.
    fn trainable_parameters(&self) -> u64;

    /// Everything that goes from stage to stage, by name.
    fn state(&self) -> BTreeMap<String, Matrix>;

    /// Takes a state over that [`Self::state`] gave.
    ///
    /// # Errors
    /// Names the matrix that is missing or of another shape.
    fn restore(&mut self, state: &Weights) -> Result<(), InputError>;

    /// Writes the state as safetensors.
    ///
    /// # Errors
    /// The file cannot be written.
    fn save(&self, file: &Path) -> Result<(), InputError> {
        let state = self.state();
        let matrices = state.iter().map(|(name, matrix)| (name.clone(), matrix));
        let bytes = safetensors_bytes(matrices, &[]).map_err(|problem| InputError::new(file, problem))?;
        files::write_atomically(file, &bytes)
    }

    /// Takes the state of a file over that [`Self::save`] wrote.
    ///
    /// # Errors
    /// The file is missing or damaged; it is of another dataset or of other options.
    fn load(&mut self, file: &Path) -> Result<(), InputError> {
        self.restore(&Weights::open_file(file)?)
    }

    /// At most `n` items for each query that are not in its history, and of `known` items where these are given, best
    /// first; equal ones in catalogue order.
    fn recommend(&self, queries: &[Query<'_>], n: usize, known: Option<&KnownItems>) -> Vec<Vec<Scored>> {
        let mut lists = Vec::with_capacity(queries.len());
        for queries in queries.chunks(QUERIES) {
            let scores = self.scores(queries);
            let rows = scores.values.par_chunks(scores.columns.max(1)).zip(queries);
            lists.par_extend(rows.map(|(scores, query)| best(scores, query.history, n, known)));
        }
        lists
    }

    /// Scores of given items for each query, in the order of `items`.
    ///
    /// # Panics
    /// Where there are not as many lists as queries, or an item is not in the catalogue.
    fn score_items(&self, queries: &[Query<'_>], items: &[&[u32]]) -> Vec<Vec<f32>> {
        assert_eq!(queries.len(), items.len(), "a list of items for each query");
        let mut lists = Vec::with_capacity(queries.len());
        for (queries, items) in queries.chunks(QUERIES).zip(items.chunks(QUERIES)) {
            let scores = self.scores(queries);
            let rows = scores.values.chunks(scores.columns.max(1)).zip(items);
            lists.extend(rows.map(|(scores, items)| items.iter().map(|&item| scores[item as usize]).collect()));
        }
        lists
    }
}

/// The `n` items of the greatest scores that are not in `history`, of the `known` ones where these are given, best first,
/// equal ones in catalogue order.
fn best(scores: &[f32], history: &[u32], n: usize, known: Option<&KnownItems>) -> Vec<Scored> {
    let is_known = |item: u32| known.is_none_or(|known| known.contains(item));
    let mut listed: Vec<bool> = (0..scores.len() as u32).map(is_known).collect();
    for &item in history {
        listed[item as usize] = false;
    }
    let items = (0u32..).zip(scores).zip(listed);
    let mut candidates: Vec<Scored> =
        items.filter(|&(_, listed)| listed).map(|((item, &score), _)| Scored { item, score }).collect();
    let order = |one: &Scored, other: &Scored| -> Ordering {
        other.score.total_cmp(&one.score).then(one.item.cmp(&other.item))
    };
    if n < candidates.len() {
        candidates.select_nth_unstable_by(n, order);
        candidates.truncate(n);
    }
    candidates.sort_unstable_by(order);
    candidates
}

/// Tests a recommender on the test examples of users with lists of `length` items, as
/// [`super::evaluate`] does for the non-learned baselines.
pub fn evaluate_trained<'d>(
    recommender: &dyn StageRecommender,
    users: impl IntoIterator<Item = &'d Sequence>,
    length: usize,
) -> Vec<UserOutcome> {
    let tests: Vec<Example<'_>> = users.into_iter().filter_map(Sequence::test).collect();
    let queries: Vec<Query<'_>> = tests.iter().map(|&test| test.into()).collect();
    let lists = recommender.recommend(&queries, length, None);
    let ranked = lists.iter().map(|list| list.iter().map(|scored| scored.item).collect::<Vec<_>>());
    tests
        .iter()
        .zip(ranked)
        .map(|(test, ranked)| UserOutcome::of_items(test.user, test.target, &ranked, None))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(scores: &[f32], history: &[u32], n: usize) -> Vec<u32> {
        best(scores, history, n, None).iter().map(|scored| scored.item).collect()
    }

    #[test]
    fn the_best_items_come_first_without_the_history() {
        let scores = [0.5, 2.0, -1.0, 2.0, 3.0];
        assert_eq!(items(&scores, &[], 3), [4, 1, 3]);
        assert_eq!(items(&scores, &[4, 4, 1], 2), [3, 0]);
        assert_eq!(items(&scores, &[4], 9), [1, 3, 0, 2]);
        assert!(items(&scores, &[], 0).is_empty());
    }

    #[test]
    fn a_list_of_known_items_goes_on_where_others_are_struck_out() {
        let dataset = super::super::fixture::dataset(5, &[&[&[0, 1, 2]], &[&[3, 4]]]);
        let known = KnownItems::by(&dataset, 0);
        let listed = best(&[0.5, 2.0, -1.0, 2.0, 3.0], &[0], 2, Some(&known));
        assert_eq!(listed.iter().map(|scored| scored.item).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn scores_that_are_no_numbers_break_nothing() {
        assert_eq!(items(&[f32::NAN, 1.0, f32::NAN], &[], 3).len(), 3);
    }
}
