//! What a search for ranks measured and chose, as a file beside the adapter of stage 1.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::pareto::fronts;
use crate::error::InputError;
use crate::files;
use crate::model::RankSearch;
use crate::model::ranks::RankSpace;

/// The file, in the folder of the adapter of stage 1.
pub const RANK_SEARCH_FILE: &str = "rank_search.json";

/// Largest file that is read.
const LARGEST: u64 = 256 << 20;

/// What a search for ranks measured and chose.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RankRecord {
    pub search: RankSearch,
    /// Largest share of the whole adapter's parameters.
    pub budget: f64,
    /// Parameters of the whole adapter, in which every module has the largest rank.
    pub whole: u64,
    pub modules: Vec<ModuleRecord>,
    /// In the order in which they were measured.
    pub candidates: Vec<Candidate>,
    /// Places in [`Self::candidates`] of the one that was kept, and of what the base model's spectrum proposes.
    pub chosen: usize,
    pub proposal: usize,
    /// Places of the adapters whose modules have all the same rank.
    pub uniform: Vec<usize>,
    /// Validation targets that a loss is the mean over.
    pub targets: usize,
}

/// A module of the base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleRecord {
    /// `model.layers.0.self_attn.q_proj`
    pub name: String,
    /// Directions of its weight that are more than noise.
    pub signal: usize,
}

/// A part of the adapter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// By place in [`RankRecord::modules`].
    pub ranks: Vec<usize>,
    pub parameters: u64,
    /// Cross-entropy a response token of the stage's validation users, in nats.
    pub loss: f64,
}

impl RankRecord {
    /// Reads the record of a run's stage 1; none where ranks were not searched.
    ///
    /// # Errors
    /// The file cannot be read, or is none of this program's.
    pub fn read(folder: &Path) -> Result<Option<Self>, InputError> {
        let file = folder.join(RANK_SEARCH_FILE);
        if !file.is_file() {
            return Ok(None);
        }
        let record: Self = serde_json::from_str(&files::read_text(&file, LARGEST)?).map_err(|error| {
            InputError::new(&file, format!("not the record of a search for ranks: {error}")).at(format!(
                "line {}, column {}",
                error.line(),
                error.column()
            ))
        })?;
        let places = record.uniform.iter().chain([&record.chosen, &record.proposal]);
        let fits = record.candidates.iter().all(|candidate| candidate.ranks.len() == record.modules.len());
        if places.into_iter().all(|place| *place < record.candidates.len()) && fits {
            return Ok(Some(record));
        }
        Err(InputError::new(&file, "the candidates do not fit the modules, or one that is named is missing")
            .advice("run the project over with `--fresh`"))
    }

    /// Writes the record into the folder of the adapter of stage 1.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), InputError> {
        let file = folder.join(RANK_SEARCH_FILE);
        let text = serde_json::to_string(self).map_err(|error| InputError::new(&file, error.to_string()))?;
        files::write_atomically(&file, text.as_bytes())
    }

    /// Places of the candidates that no other beats in both parameters and loss, by rising parameters.
    pub fn front(&self) -> Vec<usize> {
        let points: Vec<[f64; 2]> =
            self.candidates.iter().map(|candidate| [candidate.parameters as f64, candidate.loss]).collect();
        let fronts = fronts(&points);
        let mut front: Vec<usize> = (0..points.len()).filter(|&index| fronts[index] == 0).collect();
        front.sort_by(|&i, &j| points[i][0].total_cmp(&points[j][0]));
        front
    }

    /// The ranks that were chosen, as a configuration of the space.
    pub fn configuration(&self, space: &RankSpace) -> Vec<usize> {
        let rung = |rank: &usize| space.rungs.iter().position(|rung| rung == rank).unwrap_or(0);
        self.candidates[self.chosen].ranks.iter().map(rung).collect()
    }
}
