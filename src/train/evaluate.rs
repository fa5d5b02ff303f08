//! Measuring one cell `R[i, j]`: the model after stage i on the tests of stage j.

use std::collections::BTreeMap;
use std::time::Instant;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::data::{Dataset, Example, KnownItems, Protocol, Sequence};
use crate::measure::Slicer;
use crate::measure::ranking::{Place, UserOutcome, aggregate};
use crate::model::PromptWriter;
use crate::model::beam::{Decoder, Ensemble, Hypothesis, ReadQuestions};
use crate::model::kernels::Kernels;
use crate::project::{Evaluation, UsersPerStage};
use crate::run::observer::{CellIndex, EvaluationRecord, TestSet};
use crate::seeds;
use crate::semantic_id::{SemanticIndex, Trie};

/// Users whose beams are searched together.
pub const USERS_A_BATCH: usize = 48;

/// The users of a stage (index from 0) that take part in validation, in file order.
///
/// A sample is the same for all methods and seeds, since their comparison is paired by user.
pub fn chosen_users<'d>(dataset: &'d Dataset, stage: usize, users: UsersPerStage, purpose: &str) -> Vec<&'d Sequence> {
    sample(dataset.stages[stage].participants().collect(), stage, users, purpose)
}

/// The tests of a stage (index from 0) under a protocol, in file order, and a sample as that of [`chosen_users`].
pub fn tests(dataset: &Dataset, protocol: Protocol, stage: usize, users: UsersPerStage) -> Vec<Example<'_>> {
    let purpose = match protocol {
        Protocol::SameBlock | Protocol::GlobalTime => "test users",
        Protocol::NextBlock => "next-block test users",
    };
    sample(protocol.tests(&dataset.stages[stage]).collect(), stage, users, purpose)
}

fn sample<T: Copy>(all: Vec<T>, stage: usize, users: UsersPerStage, purpose: &str) -> Vec<T> {
    match users {
        UsersPerStage::Sample(max) if max < all.len() => {
            let seed = seeds::derive(0, &[purpose, &stage.to_string()]);
            let mut places: Vec<usize> = (0..all.len()).collect();
            places.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
            places.truncate(max);
            places.sort_unstable();
            places.into_iter().map(|place| all[place]).collect()
        }
        _ => all,
    }
}

/// Number of tests of each stage under a protocol.
pub fn test_counts(dataset: &Dataset, protocol: Protocol, users: UsersPerStage) -> Vec<usize> {
    let max = match users {
        UsersPerStage::All => usize::MAX,
        UsersPerStage::Sample(max) => max,
    };
    dataset.stages.iter().map(|stage| protocol.tests(stage).count().min(max)).collect()
}

/// Number of same-block test users of each stage.
pub fn test_user_counts(dataset: &Dataset, users: UsersPerStage) -> Vec<usize> {
    test_counts(dataset, Protocol::SameBlock, users)
}

impl TestSet {
    /// The tests of a stage (index from 0).
    pub fn of(dataset: &Dataset, protocol: Protocol, stage: usize, users: UsersPerStage) -> Self {
        let slicer = Slicer::new(dataset, stage);
        let asked = protocol.tests(&dataset.stages[stage]).count();
        Self {
            protocol,
            stage: stage + 1,
            left_out: dataset.stages[stage].sequences.len() - asked,
            slices: tests(dataset, protocol, stage, users).iter().map(|test| slicer.slices(test)).collect(),
        }
    }
}

/// A part of the catalogue that lists are restricted to: the items known by a stage (`evaluation.known_items`), or new ones.
pub struct KnownCatalogue {
    pub items: KnownItems,
    /// Of their ids.
    pub trie: Trie,
}

impl KnownCatalogue {
    /// The items known by the stage at index `stage`.
    pub fn of(dataset: &Dataset, stage: usize) -> Self {
        Self::with(dataset, KnownItems::by(dataset, stage))
    }

    /// These items.
    pub fn with(dataset: &Dataset, items: KnownItems) -> Self {
        Self { trie: Trie::of(&dataset.index, items.iter()), items }
    }
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
    /// Asks a batch of tests, a second time among `known` items where these are given. Histories are read once.
    pub fn test<B: Kernels>(
        &mut self,
        model: &Ensemble<B>,
        decoder: &Decoder<'_>,
        known: Option<&KnownCatalogue>,
        writer: PromptWriter<'_>,
        tests: &[Example<'_>],
    ) {
        let questions: Vec<_> = tests.iter().map(|test| writer.question(test.history)).collect();
        let read = ReadQuestions::new(model, decoder.vocabulary, &questions);
        let first = self.outcomes.len();
        for (test, list) in tests.iter().zip(decoder.answers(model, &read)) {
            self.invalid += list.iter().filter(|h| h.leaf.is_none()).count();
            self.hypotheses += list.len();
            self.outcomes.push(outcome(test, &list, decoder));
        }
        let Some(known) = known else { return };
        let decoder = decoder.among(&known.trie);
        for (outcome, list) in self.outcomes[first..].iter_mut().zip(decoder.answers(model, &read)) {
            outcome.known = Some(place(outcome.target, &list, decoder.index, decoder.trie));
        }
    }

    /// The outcomes of the tests that were asked, in their order.
    pub fn outcomes(&self) -> &[UserOutcome] {
        &self.outcomes
    }

    /// Number of users tested.
    pub fn users(&self) -> usize {
        self.outcomes.len()
    }

    /// The record of the cell `at`.
    pub fn record(self, at: CellIndex, evaluation: &Evaluation) -> EvaluationRecord {
        let mut metrics = metrics(&self.outcomes, evaluation);
        metrics.insert("invalid_rate".to_owned(), self.invalid as f64 / self.hypotheses.max(1) as f64);
        let seconds = self.began.elapsed().as_secs_f64();
        EvaluationRecord { at, metrics, users: self.outcomes, seconds }
    }
}

/// Hit and NDCG at the cut-offs that the list is long enough for.
pub fn metrics(outcomes: &[UserOutcome], evaluation: &Evaluation) -> BTreeMap<String, f64> {
    let k: Vec<usize> = evaluation.k.iter().copied().filter(|&k| k <= evaluation.beams).collect();
    aggregate(outcomes, &k)
}

/// Items of a list that are kept of every test.
pub const TOP: usize = 10;

/// The first items of a list.
fn top(list: &[Hypothesis], trie: &Trie) -> Vec<u32> {
    list.iter().flat_map(|h| items(h, trie)).copied().take(TOP).collect()
}

/// What is recommended to somebody with this history, as the tests of a cell are answered.
pub fn recommended<B: Kernels>(
    model: &Ensemble<B>,
    decoder: &Decoder<'_>,
    writer: PromptWriter<'_>,
    history: &[u32],
) -> Vec<u32> {
    let lists = decoder.search(model, &[writer.question(history)]);
    lists.first().map_or_else(Vec::new, |list| top(list, decoder.trie))
}

fn outcome(test: &Example<'_>, list: &[Hypothesis], decoder: &Decoder<'_>) -> UserOutcome {
    let Place { rank, before, sharing } = place(test.target, list, decoder.index, decoder.trie);
    let top = top(list, decoder.trie);
    UserOutcome { user: test.user, target: test.target, rank, before, sharing, top, known: None }
}

/// Where a target stands in a list. An id that no item of the trie has takes a rank as any other, and the place of one item.
fn place(target: u32, list: &[Hypothesis], index: &SemanticIndex, trie: &Trie) -> Place {
    let codes = index.item(target);
    let Some(rank) = list.iter().position(|h| h.codes == codes) else { return Place::default() };
    let before: usize = list[..rank].iter().map(|h| items(h, trie).len().max(1)).sum();
    Place { rank: rank as u32 + 1, before: before as u32, sharing: items(&list[rank], trie).len() as u32 }
}

/// The items of a generated id; none where it is invalid.
pub fn items<'t>(hypothesis: &Hypothesis, trie: &'t Trie) -> &'t [u32] {
    hypothesis.leaf.map_or(&[][..], |leaf| trie.leaf(leaf))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::data::{DatasetSource, SyntheticOptions};

    fn dataset() -> Dataset {
        let options = SyntheticOptions { users: 90, items: 60, stages: 3, ..SyntheticOptions::default() };
        Dataset::load(&DatasetSource::Synthetic(options), None, Path::new(".")).unwrap()
    }

    #[test]
    fn an_invalid_id_takes_a_rank_and_the_place_of_one_item() {
        // Items 0 and 1 share an id, 2 to 4 another one; 5 has its own.
        let index = SemanticIndex::from_numbers(1, &[0, 0, 1, 1, 1, 2]);
        let list = |trie: &Trie, ids: &[u32]| -> Vec<Hypothesis> {
            let hypothesis = |&code| Hypothesis { codes: vec![code], leaf: trie.find(&[code]), score: 0.0 };
            ids.iter().map(hypothesis).collect()
        };
        let whole = Trie::new(&index);
        let listed = list(&whole, &[0, 9, 1]);
        assert_eq!(place(3, &listed, &index, &whole), Place { rank: 3, before: 3, sharing: 3 });
        assert_eq!(place(5, &listed, &index, &whole), Place::default(), "it is not in the list");
        // Of the known items one has the first id, and one the target's; 9 is invalid, and so is 2 now.
        let known = Trie::of(&index, [1, 3]);
        let listed = list(&known, &[2, 0, 9, 1]);
        assert_eq!(listed[0].leaf, None);
        assert_eq!(place(3, &listed, &index, &known), Place { rank: 4, before: 3, sharing: 1 });
    }

    #[test]
    fn a_sample_is_part_of_all_tests_in_file_order_and_each_protocol_draws_its_own() {
        let dataset = dataset();
        let users = |protocol, max| tests(&dataset, protocol, 2, max).iter().map(|t| t.user).collect::<Vec<_>>();
        for protocol in Protocol::MEASURED {
            let (all, some) = (users(protocol, UsersPerStage::All), users(protocol, UsersPerStage::Sample(10)));
            let places: Vec<_> = some.iter().map(|user| all.iter().position(|other| other == user)).collect();
            assert!(places.len() == 10 && places.is_sorted() && places.iter().all(Option::is_some), "{places:?}");
            assert_eq!(test_counts(&dataset, protocol, UsersPerStage::All)[2], all.len());
            assert_eq!(
                test_counts(&dataset, protocol, UsersPerStage::Sample(10)),
                if protocol == Protocol::SameBlock { [10, 10, 10] } else { [0, 10, 10] }
            );
        }
        let [same, next] = Protocol::MEASURED.map(|protocol| users(protocol, UsersPerStage::Sample(10)));
        assert_ne!(same, next);
    }

    #[test]
    fn no_next_block_target_was_trained_on_before_it_is_asked() {
        let dataset = dataset();
        for stage in 1..3 {
            for test in tests(&dataset, Protocol::NextBlock, stage, UsersPerStage::All) {
                let trained = dataset.stages[..stage].iter().flat_map(|earlier| &earlier.sequences);
                let trained = trained.filter(|sequence| sequence.user == test.user);
                let longest = trained.map(|sequence| sequence.training_targets().end).max().unwrap_or(0);
                // The target stands behind everything that earlier stages trained on, in the user's own order.
                assert!(longest <= test.history.len(), "user {} of stage {}", test.user, stage + 1);
                assert!(!test.history.is_empty());
            }
        }
    }
}
