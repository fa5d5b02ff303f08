//! What training settings must fulfil.

use super::values::{Checked, above_zero, dropout, not_negative, positive, require, share};
use crate::project::Training;

/// Finds the first training setting whose value cannot be used.
pub(in crate::project) fn training(training: &Training) -> Checked {
    let field = |name: &str| format!("training.{name}");
    positive(&field("epochs"), training.epochs)?;
    training.later_stage_epochs.map_or(Ok(()), |epochs| positive(&field("later_stage_epochs"), epochs))?;
    positive(&field("batch"), training.batch)?;
    positive(&field("accumulation"), training.accumulation)?;
    positive(&field("max_history"), training.max_history)?;
    above_zero(&field("learning_rate"), training.learning_rate)?;
    above_zero(&field("later_stage_factor"), training.later_stage_factor)?;
    above_zero(&field("temperature"), training.temperature)?;
    share(&field("warm_up"), training.warm_up)?;
    not_negative(&field("weight_decay"), training.weight_decay)?;
    not_negative(&field("clip"), training.clip)?;
    dropout(&field("dropout"), training.dropout)?;
    positive(&field("lora.rank"), training.lora.rank)?;
    above_zero(&field("lora.alpha"), training.lora.alpha)?;
    let no_path = training.start.path().is_some_and(|path| path.as_os_str().is_empty());
    require(!no_path, &field("start"), "the path is empty", "name the adapter's folder")
}
