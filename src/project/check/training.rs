//! What training settings must fulfil: what their fields say.

use super::values::{Checked, require};
use crate::model::RankSearch;
use crate::model::ranks::rungs;
use crate::project::training_fields::{FIELDS, FORM_FIELDS};
use crate::project::{Training, settings};

/// Finds the first training setting whose value cannot be used.
pub(in crate::project) fn training(training: &Training) -> Checked {
    settings::check("training", training, &[FIELDS, FORM_FIELDS])?;
    rank_search(training)?;
    let no_path = training.start.path().is_some_and(|path| path.as_os_str().is_empty());
    require(!no_path, "training.start", "the path is empty", "name the adapter's folder")
}

/// What a search for ranks needs.
fn rank_search(training: &Training) -> Checked {
    let lora = training.lora;
    if lora.search == RankSearch::Off {
        return Ok(());
    }
    let smallest = rungs(lora)[1];
    require(
        lora.budget * lora.rank as f64 >= smallest as f64,
        "training.lora.budget",
        &format!("rank {smallest}, the smallest that is tried, is more than this share of rank {}", lora.rank),
        "raise the budget, or set a smaller `smallest_rank`",
    )?;
    require(
        training.start.trains(),
        "training.lora.search",
        "stage 1 trains nothing here, so that there is nothing to search",
        "set it to Off: the adapter that stage 1 starts from keeps the ranks that it has",
    )
}
