//! Measuring one cell `R[i, j]`: the model after stage i on the test users of stage j.

use std::collections::BTreeMap;
use std::time::Instant;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::observer::EvaluationRecord;
use super::project::{Evaluation, UsersPerStage};
use crate::data::{Dataset, Example, Sequence};
use crate::measure::ranking::{UserOutcome, aggregate};
use crate::model::PromptWriter;
use crate::model::beam::{Decoder, Ensemble, Hypothesis};
use crate::model::kernels::Kernels;
use crate::seeds;

/// Users whose beams are searched together.
pub const USERS_A_BATCH: usize = 48;

/// The users of a stage (index from 0) that take part in testing or validation, in file order.
///
/// A sample is the same for all methods and seeds, since their comparison is paired by user.
pub fn chosen_users<'d>(dataset: &'d Dataset, stage: usize, users: UsersPerStage, purpose: &str) -> Vec<&'d Sequence> {
    let mut all: Vec<&Sequence> = dataset.stages[stage].participants().collect();
    if let UsersPerStage::Sample(most) = users
        && most < all.len()
    {
        let seed = seeds::derive(0, &[purpose, &stage.to_string()]);
        let mut places: Vec<usize> = (0..all.len()).collect();
        places.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        places.truncate(most);
        places.sort_unstable();
        all = places.into_iter().map(|place| all[place]).collect();
    }
    all
}

/// The test users of a stage (index from 0).
pub fn test_users(dataset: &Dataset, stage: usize, users: UsersPerStage) -> Vec<&Sequence> {
    chosen_users(dataset, stage, users, "test users")
}

/// Number of test users of each stage.
pub fn test_user_counts(dataset: &Dataset, users: UsersPerStage) -> Vec<usize> {
    let most = match users {
        UsersPerStage::All => usize::MAX,
        UsersPerStage::Sample(most) => most,
    };
    dataset.stages.iter().map(|stage| stage.participants().count().min(most)).collect()
}

/// Outcomes so far of one cell.
pub struct Cell {
    outcomes: Vec<UserOutcome>,
    invalid: usize,
    hypotheses: usize,
    began: Instant,
}

impl Default for Cell {
    fn default() -> Self {
        Self { outcomes: Vec::new(), invalid: 0, hypotheses: 0, began: Instant::now() }
    }
}

impl Cell {
    /// Tests a batch of users.
    pub fn test<B: Kernels>(
        &mut self,
        model: &Ensemble<B>,
        decoder: &Decoder<'_>,
        writer: PromptWriter<'_>,
        users: &[&Sequence],
    ) {
        let tests: Vec<Example<'_>> = users.iter().filter_map(|user| user.test()).collect();
        let questions: Vec<_> = tests.iter().map(|test| writer.question(test.history)).collect();
        for (test, list) in tests.iter().zip(decoder.search(model, &questions)) {
            self.invalid += list.iter().filter(|h| h.leaf.is_none()).count();
            self.hypotheses += list.len();
            self.outcomes.push(outcome(test, &list, decoder));
        }
    }

    /// Number of users tested.
    pub fn users(&self) -> usize {
        self.outcomes.len()
    }

    /// The cell's metrics; stages count from 1.
    pub fn record(self, trained_stage: usize, test_stage: usize, evaluation: &Evaluation) -> EvaluationRecord {
        let mut metrics = metrics(&self.outcomes, evaluation);
        metrics.insert("invalid_rate".to_owned(), self.invalid as f64 / self.hypotheses.max(1) as f64);
        let seconds = self.began.elapsed().as_secs_f64();
        EvaluationRecord { trained_stage, test_stage, metrics, users: self.outcomes, seconds }
    }
}

/// Hit and NDCG at the cut-offs that the list is long enough for.
pub fn metrics(outcomes: &[UserOutcome], evaluation: &Evaluation) -> BTreeMap<String, f64> {
    let k: Vec<usize> = evaluation.k.iter().copied().filter(|&k| k <= evaluation.beams).collect();
    aggregate(outcomes, &k)
}

fn outcome(test: &Example<'_>, list: &[Hypothesis], decoder: &Decoder<'_>) -> UserOutcome {
    const TOP: usize = 10;
    let codes = decoder.index.item(test.target);
    let items = |h: &Hypothesis| h.leaf.map_or(&[][..], |leaf| decoder.trie.leaf(leaf));
    let rank = list.iter().position(|h| h.codes == codes);
    let before = rank.map_or(0, |rank| list[..rank].iter().map(|h| items(h).len().max(1)).sum());
    UserOutcome {
        user: test.user,
        target: test.target,
        rank: rank.map_or(0, |r| r as u32 + 1),
        before: before as u32,
        sharing: rank.map_or(0, |r| items(&list[r]).len() as u32),
        top: list.iter().flat_map(items).copied().take(TOP).collect(),
    }
}
