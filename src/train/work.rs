//! How much there is to do in a run, counted in training examples and test users.

use super::result_matrix::row_tests;
use super::{Task, candidates};
use crate::method::plan::{Data, Matrices, Origin, Stage};
use crate::method::{AdapterMethod, Federated, Lambda, Part};
use crate::model::{Adapter, BaseModel};
use crate::run::observer::Phase;

/// What a run has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Work {
    /// Examples of a compact base model's training, over all epochs.
    pub base: u64,
    /// By stage: examples of each adapter that is trained in it, over all epochs.
    pub train: Vec<Vec<u64>>,
    /// By stage: tests after it.
    pub test: Vec<u64>,
}

impl Work {
    /// Counts what a run of a method has to do, what it shares with others included.
    pub fn of(task: &Task<'_>, method: &dyn AdapterMethod) -> Self {
        let stages = task.dataset.stages.len();
        let training = &task.project.training;
        let examples: Vec<u64> = task.dataset.stages.iter().map(|stage| stage.training_examples() as u64).collect();
        let base = match &task.project.base_model {
            BaseModel::Compact(compact) => compact.epochs as u64 * examples.first().copied().unwrap_or(0),
            BaseModel::HuggingFace(_) | BaseModel::Gguf(_) => 0,
        };
        let later = |stage: usize| -> Vec<u64> {
            let part = |part: Part| {
                let epochs = training.epochs_of(if part.origin == Origin::Base { 0 } else { stage });
                let epochs = match &part.lambda {
                    Lambda::Validated(all) => candidates::epochs(all.len(), epochs),
                    Lambda::Fixed(_) | Lambda::PullRatio(_) | Lambda::Kalman => epochs,
                };
                match &part.federation {
                    Some(federated) => by_clients(federated, examples[stage], training.batch as u64),
                    None => seen(&examples, stage, part.data) * epochs as u64,
                }
            };
            parts(method, stage + 1).into_iter().map(part).collect()
        };
        let epochs = if training.start.trains() { training.epochs_of(0) as u64 } else { 0 };
        let first = examples.first().map(|examples| vec![examples * epochs]);
        let train = first.into_iter().chain((1..stages).map(later)).collect();
        let tested = |stage| if stage == 0 || method.trains() { row_tests(task, stage + 1) } else { 0 };
        Self { base, train, test: (0..stages).map(tested).collect() }
    }

    /// What there is to do when a phase of a stage (from 1) has ended. A test user counts as one example.
    pub fn after(&self, phase: Phase, stage: usize) -> u64 {
        let own = |from: Phase, counts: u64| if phase < from { counts } else { 0 };
        let index = stage.saturating_sub(1);
        let train = |index: usize| self.train.get(index).into_iter().flatten().sum::<u64>();
        let test = |index: usize| self.test.get(index).copied().unwrap_or(0);
        let later: u64 = (index + 1..self.train.len()).map(|index| train(index) + test(index)).sum();
        own(Phase::Train, train(index)) + own(Phase::Evaluate, test(index)) + later
    }
}

/// What a method trains in a stage (from 2), as far as it does not depend on what came before.
fn parts(method: &dyn AdapterMethod, number: usize) -> Vec<Part> {
    if !method.trains() {
        return Vec::new();
    }
    // What is trained on what does not depend on what came before.
    let (past, statistics, fresh) =
        (vec![Adapter::default(); number - 1], Matrices::new(), |_: &str| Adapter::default());
    let plan =
        method.plan(&Stage { number, past: &past, rows: &[], memories: &[], statistics: &statistics, fresh: &fresh });
    [Some(plan.main), plan.beside].into_iter().flatten().collect()
}

/// Examples that clients may be expected to train in a stage with so many, as if they had equally many.
fn by_clients(options: &Federated, examples: u64, batch: u64) -> u64 {
    let clients = (options.clients as u64).min(examples).max(1);
    // An epoch of a client's own examples is so many steps, the last of them smaller.
    let steps = examples.div_ceil(clients).div_ceil(batch.max(1)).max(1);
    let taken = options.participation * (options.rounds * options.local_steps) as f64;
    (taken * examples as f64 / steps as f64) as u64
}

/// Examples of an epoch of a stage (from 0), by the examples of every stage.
fn seen(examples: &[u64], stage: usize, data: Data) -> u64 {
    let earlier: u64 = examples[..stage].iter().sum();
    examples[stage]
        + match data {
            Data::Stage => 0,
            Data::History => earlier,
            Data::Replay { examples } => earlier.min(examples as u64),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::{Lsat, MethodOptions, Replay};

    #[test]
    fn parts_of_methods_are_those_that_their_plans_train() {
        let parts = |options: MethodOptions| -> Vec<(Data, bool)> {
            let parts = super::parts(options.adapter_method().unwrap(), 3);
            parts.iter().map(|part| (part.data, part.origin == Origin::Base)).collect()
        };
        assert_eq!(parts(MethodOptions::Frozen), []);
        assert_eq!(parts(MethodOptions::Single), [(Data::Stage, false)]);
        assert_eq!(parts(MethodOptions::Retrain), [(Data::History, true)]);
        assert_eq!(parts(MethodOptions::Lsat(Lsat::default())), [(Data::History, false), (Data::Stage, true)]);
        let replay = MethodOptions::Replay(Replay { examples: 7 });
        assert_eq!(parts(replay), [(Data::Replay { examples: 7 }, false)]);
        for method in MethodOptions::all().iter().filter_map(MethodOptions::adapter_method) {
            super::parts(method, 2);
        }
    }

    #[test]
    fn an_epoch_sees_the_stage_the_history_or_a_sample_of_it() {
        let examples = [100, 20, 30];
        assert_eq!(seen(&examples, 2, Data::Stage), 30);
        assert_eq!(seen(&examples, 2, Data::History), 150);
        assert_eq!(seen(&examples, 2, Data::Replay { examples: 50 }), 80);
        assert_eq!(seen(&examples, 2, Data::Replay { examples: 500 }), 150);
    }

    #[test]
    fn clients_see_their_steps_of_a_batch_or_of_what_they_have() {
        let of = |clients, participation| Federated {
            clients,
            participation,
            rounds: 3,
            local_steps: 4,
            ..Federated::default()
        };
        // 10 clients of 64 examples each, two steps of 32 an epoch: 3 · 4 steps each.
        assert_eq!(by_clients(&of(10, 1.0), 640, 32), 10 * 3 * 4 * 32);
        assert_eq!(by_clients(&of(10, 0.5), 640, 32), 10 * 3 * 4 * 32 / 2);
        // 20 examples a client are one step of an epoch.
        assert_eq!(by_clients(&of(32, 1.0), 640, 32), 32 * 3 * 4 * 20);
    }

    #[test]
    fn what_comes_after_a_phase_leaves_out_what_is_done() {
        let work = Work { base: 1000, train: vec![vec![100], vec![20, 30]], test: vec![7, 8] };
        assert_eq!(work.after(Phase::Base, 1), 100 + 7 + 50 + 8);
        assert_eq!(work.after(Phase::Train, 1), 7 + 50 + 8);
        assert_eq!(work.after(Phase::Evaluate, 1), 50 + 8);
        assert_eq!(work.after(Phase::Train, 2), 8);
        assert_eq!(work.after(Phase::Evaluate, 2), 0);
    }
}
