//! Runs of the hybrid: the lists of an adapted language model and of another recommender, fused ([`crate::method::hybrid`]).
//!
//! Nothing is trained: both parts are finished runs of the same project and seed. What is chosen, on the validation users
//! of each stage, is the weight.

use super::evaluate::{KnownCatalogue, USERS_A_BATCH, chosen_users, items};
use super::parts::finished_run;
use super::recommender::{self, state_file};
use super::recorder::Recorder;
use super::stage_artifacts::predicting;
use super::stage_data::{decoder, writer};
use super::{Task, model_loading, result_matrix};
use crate::baseline::stage_recommender::{Query, StageRecommender};
use crate::data::Example;
use crate::error::{InputError, RunError};
use crate::measure::UserOutcome;
use crate::measure::ranking::ndcg;
use crate::method::Hybrid;
use crate::method::hybrid::{Candidates, normalised};
use crate::model::backend::TrainingBackend;
use crate::model::beam::{Ensemble, ReadQuestions};
use crate::model::kernels::Kernels;
use crate::run::observer::{Level, Observer, StageRecord};
use crate::run::{RunFolder, RunMethod};

/// Weights that are tried, in tenths; of equally good ones the language model's greatest is taken.
const TENTHS: u32 = 10;

/// Measures all stages, from wherever an earlier worker left them.
///
/// # Errors
/// A part is not finished or not of its kind; the user stops; records cannot be read or written.
pub fn run<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    options: &Hybrid,
    device: &B::Device,
    recorder: &mut Recorder<'_>,
) -> Result<(), RunError> {
    let seed = folder.config().seed;
    let [adapter, towers] = [&options.adapter, &options.towers].map(|name| finished_run(task, "a hybrid", name, seed));
    let (adapter, towers) = (adapter?, towers?);
    let RunMethod::Learned(method) = &towers.config().method else { return Ok(()) };
    let mut towers_model = recommender::make::<B>(task, method, seed, device)?
        .ok_or_else(|| wrong_kind(task, &options.towers, "SASRec or two towers"))?;
    if adapter.config().method.adapter_method().is_none() {
        return Err(wrong_kind(task, &options.adapter, "a method that adapts the language model").into());
    }
    for stage in 1..=task.dataset.stages.len() {
        let there = folder.reader()?.stages()?.into_iter().find(|record| record.stage == stage);
        if there.as_ref().is_some_and(|record| record.finished) && result_matrix::is_measured(task, folder, stage)? {
            continue;
        }
        towers_model.load(&state_file(&towers, stage))?;
        let stages = task.dataset.stages.len();
        let model =
            predicting::<B>(task, &adapter, stage, device, &mut model_loading::on_progress(recorder, stage, stages))?;
        let fused = Fused { task, model, towers: towers_model.as_ref() };
        let weight = fused.chosen_weight(stage - 1);
        recorder.event(Level::Info, &format!("stage {stage}: the language model has the weight {weight:.1}"))?;
        let mut record =
            StageRecord { stage, test_users: result_matrix::test_users_of(task, stage), ..StageRecord::default() };
        recorder.stage(&record)?;
        let answers = &mut |tests: &[Example<'_>], known: Option<&KnownCatalogue>| fused.answers(tests, weight, known);
        result_matrix::measure_row_with(task, folder, &mut record, answers, recorder)?;
    }
    Ok(())
}

/// What the hybrid recommends after a stage (from 1), with the weight that its run chose there, of the items `among` alone where
/// these are given.
///
/// # Errors
/// A part is not finished, not of its kind, or cannot be read.
pub fn recommended<B: TrainingBackend>(
    task: &Task<'_>,
    (options, seed): (&Hybrid, u64),
    stage: usize,
    (query, among): (Query<'_>, Option<&KnownCatalogue>),
    device: &B::Device,
) -> Result<Vec<u32>, InputError> {
    let [adapter, towers] = [&options.adapter, &options.towers].map(|name| finished_run(task, "a hybrid", name, seed));
    let (adapter, towers) = (adapter?, towers?);
    let wrong = || wrong_kind(task, &options.towers, "SASRec or two towers");
    let RunMethod::Learned(method) = &towers.config().method else { return Err(wrong()) };
    let mut towers_model = recommender::make::<B>(task, method, seed, device)?.ok_or_else(wrong)?;
    towers_model.load(&state_file(&towers, stage))?;
    let model = predicting::<B>(task, &adapter, stage, device, &mut model_loading::unreported)?;
    let fused = Fused { task, model, towers: towers_model.as_ref() };
    let weight = fused.chosen_weight(stage - 1);
    // Only user and history of a test are read.
    let test = Example { user: query.user, history: query.history, target: 0 };
    let lists = fused.lists(&[test], &fused.read(&[test]), weight, among);
    Ok(lists.into_iter().next().unwrap_or_default())
}

fn wrong_kind(task: &Task<'_>, experiment: &str, expected: &str) -> InputError {
    InputError::new(&task.project.folder, format!("\"{experiment}\" is not {expected}")).at("a hybrid's options")
}

/// Both sides after a stage.
struct Fused<'a, B: Kernels> {
    task: &'a Task<'a>,
    model: Ensemble<B>,
    towers: &'a dyn StageRecommender,
}

impl<B: Kernels> Fused<'_, B> {
    /// The weight of the language model with the best NDCG on a stage's validation users (stage from 0).
    fn chosen_weight(&self, stage: usize) -> f64 {
        let task = self.task;
        let users = chosen_users(&task.dataset, stage, task.project.training.validation_users, "validation users");
        let tests: Vec<Example<'_>> = users.iter().filter_map(|user| user.validation()).collect();
        let candidates: Vec<Candidates> =
            tests.chunks(USERS_A_BATCH).flat_map(|tests| self.candidates(tests, &self.read(tests), None)).collect();
        let length = task.project.evaluation.beams;
        let quality = |weight: f64| -> f64 {
            let gain = |(test, candidates): (&Example<'_>, &Candidates)| {
                let rank = candidates.ranked(weight).iter().take(length).position(|item| *item == test.target);
                ndcg(rank.map_or(0, |index| index as u32 + 1), length)
            };
            tests.iter().zip(&candidates).map(gain).sum()
        };
        let weights = (0..=TENTHS).rev().map(|tenths| f64::from(tenths) / f64::from(TENTHS));
        let better = |best: (f64, f64), weight: f64| {
            let quality = quality(weight);
            if quality > best.1 { (weight, quality) } else { best }
        };
        weights.fold((1.0, f64::NEG_INFINITY), better).0
    }

    fn answers(&self, tests: &[Example<'_>], weight: f64, known: Option<&KnownCatalogue>) -> Vec<UserOutcome> {
        let read = self.read(tests);
        let ranked = |known| self.lists(tests, &read, weight, known);
        let (whole, known) = (ranked(None), known.map(|known| ranked(Some(known))));
        let outcome = |(index, test): (usize, &Example<'_>)| {
            let known = known.as_ref().map(|lists| lists[index].as_slice());
            UserOutcome::of_items(test.user, test.target, &whole[index], known)
        };
        tests.iter().enumerate().map(outcome).collect()
    }

    /// The fused lists of tests that were read, of `known` items where these are given.
    fn lists(
        &self,
        tests: &[Example<'_>],
        read: &ReadQuestions<B>,
        weight: f64,
        known: Option<&KnownCatalogue>,
    ) -> Vec<Vec<u32>> {
        let length = self.task.project.evaluation.beams;
        let candidates = self.candidates(tests, read, known).into_iter();
        candidates.map(|candidates| candidates.ranked(weight).into_iter().take(length).collect()).collect()
    }

    fn read(&self, tests: &[Example<'_>]) -> ReadQuestions<B> {
        let questions: Vec<_> = tests.iter().map(|test| writer(self.task).question(test.history)).collect();
        ReadQuestions::new(&self.model, &self.task.vocabulary, &questions)
    }

    /// The union of both lists, of `known` items where these are given, with both sides' scores.
    fn candidates(
        &self,
        tests: &[Example<'_>],
        read: &ReadQuestions<B>,
        known: Option<&KnownCatalogue>,
    ) -> Vec<Candidates> {
        let (task, evaluation) = (self.task, &self.task.project.evaluation);
        let queries: Vec<Query<'_>> = tests.iter().map(|&test| test.into()).collect();
        let trie = known.map_or(task.trie.as_ref(), |known| &known.trie);
        let listed: Vec<Vec<(u32, f64)>> = decoder(task)
            .among(trie)
            .answers(&self.model, read)
            .iter()
            .map(|list| list.iter().flat_map(|h| items(h, trie).iter().map(|&item| (item, h.score))).collect())
            .collect();
        let own = self.towers.recommend(&queries, evaluation.beams, known.map(|known| &known.items));
        let union: Vec<Vec<u32>> = listed
            .iter()
            .zip(&own)
            .map(|(listed, own)| {
                let mut items: Vec<u32> =
                    listed.iter().map(|(item, _)| *item).chain(own.iter().map(|scored| scored.item)).collect();
                items.sort_unstable();
                items.dedup();
                items
            })
            .collect();
        let lists: Vec<&[u32]> = union.iter().map(Vec::as_slice).collect();
        let scores = self.towers.score_items(&queries, &lists);
        union
            .into_iter()
            .zip(listed)
            .zip(scores)
            .map(|((items, listed), scores)| fused(items, &listed, &scores))
            .collect()
    }
}

fn fused(items: Vec<u32>, listed: &[(u32, f64)], scores: &[f32]) -> Candidates {
    let own = normalised(&listed.iter().map(|(_, score)| *score).collect::<Vec<_>>());
    let of = |item: &u32| listed.iter().position(|(other, _)| other == item).map_or(0.0, |index| own[index]);
    let language_model = items.iter().map(of).collect();
    let towers = normalised(&scores.iter().map(|score| f64::from(*score)).collect::<Vec<_>>());
    Candidates { items, language_model, towers }
}
