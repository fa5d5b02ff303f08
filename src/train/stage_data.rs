//! The examples of a stage as the model reads them, and how they are written and generated.

use super::evaluate::{chosen_users, test_user_counts};
use super::{Task, batches};
use crate::method::plan::Data;
use crate::model::beam::Decoder;
use crate::model::packing::Sequence;
use crate::model::{PromptWriter, Softmax};
use crate::run::observer::StageRecord;
use crate::seeds;

/// The examples of one stage, written for the model.
pub struct StageData {
    /// Stage, from 0.
    pub index: usize,
    pub sequences: Vec<Sequence>,
    pub validation: Vec<Sequence>,
    /// Training targets.
    pub examples: usize,
}

impl StageData {
    /// Writes a stage's validation examples, and its training examples with what is trained beside them.
    pub fn new(task: &Task<'_>, index: usize, data: Data, seed: u64) -> Self {
        let training = &task.project.training;
        let writer = writer(task);
        let of_stage = |stage: usize| -> Vec<Sequence> {
            let users = task.dataset.stages[stage].participants();
            users.flat_map(|user| writer.training(user, training.batch)).collect()
        };
        let mut sequences = of_stage(index);
        match data {
            Data::Stage => {}
            Data::History => sequences.extend((0..index).flat_map(of_stage)),
            Data::Replay { examples } => {
                let earlier = (0..index).flat_map(of_stage).collect();
                let seed = seeds::derive(seed, &["replay", &index.to_string()]);
                sequences.extend(batches::sample(earlier, examples, seed));
            }
        }
        let validation = chosen_users(&task.dataset, index, training.validation_users, "validation users");
        let validation = validation.iter().filter_map(|user| user.validation()).map(|e| writer.example(e)).collect();
        let examples = sequences.iter().map(|s| s.branches.len()).sum();
        Self { index, sequences, validation, examples }
    }

    /// The stage's record before anything is trained.
    pub fn record(&self, task: &Task<'_>) -> StageRecord {
        StageRecord {
            stage: self.index + 1,
            train_examples: self.examples as u64,
            test_users: test_user_counts(&task.dataset, task.project.evaluation.users)[self.index] as u64,
            ..StageRecord::default()
        }
    }
}

/// Writes examples for the project's model.
pub fn writer<'t>(task: &'t Task<'_>) -> PromptWriter<'t> {
    PromptWriter {
        vocabulary: &task.vocabulary,
        index: &task.dataset.index,
        max_history: task.project.training.max_history,
        existing: match task.project.training.softmax {
            Softmax::AllTokens => None,
            Softmax::ExistingItems => Some((task.trie.as_ref(), task.continuations.as_ref())),
        },
    }
}

/// Generates items as the project wants them.
pub fn decoder<'t>(task: &'t Task<'_>) -> Decoder<'t> {
    Decoder {
        vocabulary: &task.vocabulary,
        index: &task.dataset.index,
        trie: &task.trie,
        decoding: task.project.evaluation.decoding,
        softmax: task.project.training.softmax,
        beams: task.project.evaluation.beams,
    }
}
