//! Where training of the autoencoder is between two epochs, as a file that is replaced as a whole.

use std::path::Path;

use crate::error::InputError;
use crate::model::adapter::Matrix;
use crate::model::weights::{Weights, Written, write_safetensors};

/// All that training goes on from. Random streams need no state: they are functions of seed and epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// Epochs that are done.
    pub epoch: usize,
    /// Steps that are done.
    pub steps: u64,
    /// In the order of the network.
    pub parameters: Vec<Matrix>,
    /// The optimiser's moments of them; none before the first step.
    pub first: Vec<Matrix>,
    pub second: Vec<Matrix>,
}

const EPOCH: &str = "epoch";
const STEPS: &str = "steps";
const MADE_OF: &str = "made_of";

impl Checkpoint {
    /// Replaces the file; `made_of` says what is trained on.
    ///
    /// # Errors
    /// It cannot be written; the old one is then still there.
    pub fn save(&self, file: &Path, made_of: &str) -> Result<(), InputError> {
        let groups = [("parameter", &self.parameters), ("first", &self.first), ("second", &self.second)];
        let matrices = groups.into_iter().flat_map(|(group, all)| {
            all.iter().enumerate().map(move |(index, matrix)| Written::matrix(&format!("{group}/{index}"), matrix))
        });
        let about = [(EPOCH, self.epoch.to_string()), (STEPS, self.steps.to_string()), (MADE_OF, made_of.to_owned())];
        write_safetensors(file, matrices, &about)
    }

    /// The state in a file; none where there is no file, or it is of training on something else.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn load(file: &Path, made_of: &str) -> Result<Option<Self>, InputError> {
        if !file.is_file() {
            return Ok(None);
        }
        let weights = Weights::open_file(file)?;
        if weights.metadata(MADE_OF) != Some(made_of) {
            return Ok(None);
        }
        let number = |key: &str| weights.metadata(key).and_then(|text| text.parse::<u64>().ok());
        let (Some(epoch), Some(steps)) = (number(EPOCH), number(STEPS)) else {
            return Err(damaged(file, "the checkpoint does not say where it is"));
        };
        let group = |name: &str| {
            let names = (0..).map(|index| format!("{name}/{index}")).take_while(|name| weights.has(name));
            names.map(|name| weights.matrix(&name, None)).collect::<Result<Vec<_>, _>>()
        };
        Ok(Some(Self {
            epoch: epoch as usize,
            steps,
            parameters: group("parameter")?,
            first: group("first")?,
            second: group("second")?,
        }))
    }

    /// Whether the matrices are those of a network of these shapes.
    pub(super) fn fits(&self, shapes: &[[usize; 2]]) -> bool {
        let fit = |matrices: &[Matrix]| {
            matrices.len() == shapes.len()
                && matrices.iter().zip(shapes).all(|(matrix, shape)| [matrix.rows, matrix.columns] == *shape)
        };
        fit(&self.parameters)
            && (fit(&self.first) && fit(&self.second)
                || self.steps == 0 && self.first.is_empty() && self.second.is_empty())
    }
}

fn damaged(file: &Path, problem: &str) -> InputError {
    InputError::new(file, problem).advice("`peso semantic-ids --fresh` starts over")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_comes_back_as_it_was_and_belongs_to_what_it_was_made_of() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ids.checkpoint.safetensors");
        assert_eq!(Checkpoint::load(&file, "a").unwrap(), None);
        let matrix = |value: f32| Matrix { rows: 2, columns: 3, values: vec![value; 6] };
        let parameters: Vec<Matrix> = (0..12).map(|index| matrix(index as f32)).collect();
        let state =
            Checkpoint { epoch: 3, steps: 7, first: parameters.clone(), second: parameters.clone(), parameters };
        state.save(&file, "a").unwrap();
        assert_eq!(Checkpoint::load(&file, "a").unwrap(), Some(state.clone()));
        assert_eq!(Checkpoint::load(&file, "b").unwrap(), None);
        assert!(state.fits(&[[2, 3]; 12]) && !state.fits(&[[2, 3]; 11]) && !state.fits(&[[3, 2]; 12]));
        let bytes = std::fs::read(&file).unwrap();
        std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
        assert!(Checkpoint::load(&file, "a").is_err());
    }
}
