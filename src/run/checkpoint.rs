//! What a worker needs to go on exactly where it was: one safetensors file, replaced as a whole.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::federation::Round;
use super::observer::Phase;
use crate::error::InputError;
use crate::files;
use crate::method::StageLambda;
use crate::method::pull_ratio::Measured;
use crate::model::adapter::Matrix;
use crate::model::weights::{Weights, Written, write_safetensors};

/// Where a run is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// Stage, from 1.
    pub stage: usize,
    /// [`Phase::Evaluate`]: the stage is trained, its adapter kept; which cells are measured, the records tell.
    pub phase: Phase,
    /// Which of the stage's adapters is trained, from 0.
    #[serde(default)]
    pub part: usize,
    /// Where in the training of the phase; none at its start.
    pub training: Option<TrainingCursor>,
}

/// Where in the training of one stage.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TrainingCursor {
    /// Whole epochs done.
    pub epoch: usize,
    /// Steps done in the current epoch.
    pub step_in_epoch: usize,
    /// Steps done in the phase.
    pub step: usize,
    /// Sum of the losses of the current epoch's steps, each times its examples, and those examples.
    pub loss_sum: f64,
    pub loss_examples: usize,
    /// Mean training loss of the last whole epoch.
    pub epoch_loss: f64,
    /// Validation loss after each whole epoch.
    pub validation_losses: Vec<f64>,
    /// Epoch of the least validation loss, from 1.
    pub best_epoch: usize,
    /// Wall time spent in this training.
    pub seconds: f64,
    /// What was measured for the weight of the method's term, and what it came to.
    #[serde(default)]
    pub measured: Measured,
    #[serde(default)]
    pub lambda: Option<StageLambda>,
    /// The rounds that are done, where clients train it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<Round>,
}

/// A cursor with the state it stands for. The random streams need none: they are functions of seed, stage and step.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    pub cursor: Cursor,
    /// Trained parameters, by name.
    pub parameters: BTreeMap<String, Matrix>,
    /// The optimiser's moments of them.
    pub first: BTreeMap<String, Matrix>,
    pub second: BTreeMap<String, Matrix>,
    /// The parameters of the best epoch so far.
    pub best: BTreeMap<String, Matrix>,
}

pub(crate) const FILE: &str = "state.safetensors";
const CURSOR: &str = "cursor";

impl Checkpoint {
    /// A checkpoint between two phases, with no state of its own.
    pub fn at(stage: usize, phase: Phase) -> Self {
        let none = BTreeMap::new;
        let cursor = Cursor { stage, phase, part: 0, training: None };
        Self { cursor, parameters: none(), first: none(), second: none(), best: none() }
    }

    fn groups(&self) -> [(&'static str, &BTreeMap<String, Matrix>); 4] {
        [("parameter", &self.parameters), ("first", &self.first), ("second", &self.second), ("best", &self.best)]
    }

    /// Replaces the checkpoint in a folder.
    ///
    /// # Errors
    /// The folder cannot be written; the old checkpoint is then still there.
    pub fn save(&self, folder: &Path) -> Result<(), InputError> {
        let file = folder.join(FILE);
        let cursor = serde_json::to_string(&self.cursor).map_err(|e| InputError::new(&file, e.to_string()))?;
        let matrices = self
            .groups()
            .into_iter()
            .flat_map(|(group, all)| all.iter().map(move |(name, m)| Written::matrix(&format!("{group}/{name}"), m)));
        files::create_folder(folder)?;
        write_safetensors(&file, matrices, &[(CURSOR, cursor)])
    }

    /// The checkpoint in a folder, if there is one.
    ///
    /// # Errors
    /// It is damaged.
    pub fn load(folder: &Path) -> Result<Option<Self>, InputError> {
        let file = folder.join(FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let damaged =
            |problem: &str| InputError::new(&file, problem.to_owned()).advice("start the run over with `--fresh`");
        let weights = Weights::open_file(&file)?;
        let cursor = weights.metadata(CURSOR).ok_or_else(|| damaged("the checkpoint has no cursor"))?;
        let cursor = serde_json::from_str(cursor).map_err(|_| damaged("the checkpoint's cursor is damaged"))?;
        let mut checkpoint = Self { cursor, ..Self::at(1, Phase::Train) };
        for name in weights.names().map(str::to_owned).collect::<Vec<_>>() {
            let matrix = weights.matrix(&name, None)?;
            let (group, name) =
                name.split_once('/').ok_or_else(|| damaged("the checkpoint has a tensor of no group"))?;
            let group = match group {
                "parameter" => &mut checkpoint.parameters,
                "first" => &mut checkpoint.first,
                "second" => &mut checkpoint.second,
                "best" => &mut checkpoint.best,
                _ => return Err(damaged("the checkpoint has a tensor of an unknown group")),
            };
            group.insert(name.to_owned(), matrix);
        }
        Ok(Some(checkpoint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_comes_back_as_it_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(Checkpoint::load(folder.path()).expect("no error"), None);
        let matrix = |v: f32| Matrix { rows: 2, columns: 3, values: vec![v; 6] };
        let norm = Matrix { rows: 1, columns: 4, values: vec![0.1; 4] };
        let mut checkpoint = Checkpoint::at(3, Phase::Train);
        checkpoint.cursor.training =
            Some(TrainingCursor { epoch: 1, step: 17, validation_losses: vec![0.1 + 0.2], ..Default::default() });
        checkpoint.parameters = [("a".to_owned(), matrix(1.5)), ("model.norm.weight".to_owned(), norm)].into();
        checkpoint.first = [("a".to_owned(), matrix(1e-30))].into();
        checkpoint.best = [("b/c".to_owned(), matrix(-2.0))].into();
        checkpoint.save(folder.path()).expect("written");
        assert_eq!(Checkpoint::load(folder.path()).expect("read"), Some(checkpoint));
    }

    #[test]
    fn a_damaged_checkpoint_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Checkpoint::at(2, Phase::Evaluate).save(folder.path()).expect("written");
        let file = folder.path().join(FILE);
        let bytes = std::fs::read(&file).expect("there");
        std::fs::write(&file, &bytes[..bytes.len() / 2]).expect("cut");
        assert!(Checkpoint::load(folder.path()).is_err());
    }
}
