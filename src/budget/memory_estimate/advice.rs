//! What to change where training does not fit, the gentlest first.

use serde::{Deserialize, Serialize};

use super::Sizes;
use crate::model::{Storage, VocabularyMode};
use crate::project::Training;

/// A setting that lowers the peak.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// As the project file says it: `training.checkpointing: true`.
    pub setting: String,
    /// The same for programs; none where more than a setting has to change.
    pub change: Option<Change>,
    /// What it costs.
    pub costs: String,
    pub peak_bytes: u64,
    pub fits: bool,
}

/// A change of the training settings that saves memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Smaller batches, so many of them a step: the step's batch stays.
    Accumulation(usize),
    /// Layers are computed again in the backward pass.
    Checkpointing,
    /// Weights that are not trained lie on the device in half precision.
    Half,
    /// Only rows of added tokens are trained.
    NewTokens,
}

impl Change {
    /// Makes it.
    pub fn apply(self, training: &mut Training) {
        match self {
            Self::Accumulation(pieces) => training.accumulation = pieces,
            Self::Checkpointing => training.checkpointing = true,
            Self::Half => training.storage = Storage::Half,
            Self::NewTokens => training.vocabulary = VocabularyMode::NewTokens,
        }
    }

    /// As the project file says it.
    fn setting(self) -> String {
        match self {
            Self::Accumulation(pieces) => format!("training.accumulation: {pieces}"),
            Self::Checkpointing => "training.checkpointing: true".to_owned(),
            Self::Half => "training.storage: Half".to_owned(),
            Self::NewTokens => "training.vocabulary: NewTokens".to_owned(),
        }
    }

    /// What it costs with steps of so many targets.
    fn costs(self, batch: usize) -> String {
        match self {
            Self::Accumulation(pieces) => {
                let targets = batch.div_ceil(pieces);
                let batches = if targets == 1 { "1 target".to_owned() } else { format!("{targets} targets") };
                format!(
                    "batches of {batches}, {pieces} of them a step of {batch}: the same numbers but for rounding and the \
                     masks of dropout, a little slower"
                )
            }
            Self::Checkpointing => "steps take about a third longer; the same result".to_owned(),
            Self::Half => {
                "the same result where the model's files have that number type, else weights are rounded to it"
                    .to_owned()
            }
            Self::NewTokens => "another result: rows of the base model's tokens stay as they are".to_owned(),
        }
    }
}

impl Sizes {
    /// Changes one after the other, each on top of those before, until it fits.
    pub(super) fn advice(&self, device: &str, peak: u64, available: u64) -> Vec<Advice> {
        let mut sizes = self.clone();
        let (mut min, mut advice) = (peak, Vec::new());
        for change in self.changes() {
            change.apply(&mut sizes.training);
            let peak_bytes = sizes.parts(device).peak();
            let fits = peak_bytes <= available;
            if peak_bytes < min {
                min = peak_bytes;
                let (setting, costs) = (change.setting(), change.costs(self.training.batch));
                advice.push(Advice { setting, change: Some(change), costs, peak_bytes, fits });
            }
            if fits {
                return advice;
            }
        }
        let parts = sizes.parts(device);
        let (setting, max) = if parts.search > parts.training() {
            ("fewer `evaluation.beams`, or a shorter `training.max_history`", "recommending to users takes most of it")
        } else {
            ("a smaller base model, or a shorter `training.max_history`", "weights and optimiser take most of it")
        };
        let costs = format!("another result; the settings above are not enough, as {max}");
        advice.push(Advice { setting: setting.to_owned(), change: None, costs, peak_bytes: min, fits: false });
        advice
    }

    /// What can be changed, the gentlest first: down to batches of one target.
    fn changes(&self) -> Vec<Change> {
        let Training { batch, accumulation, checkpointing, storage, vocabulary, .. } = self.training;
        let doubled = std::iter::successors(Some(2usize), |pieces| pieces.checked_mul(2));
        let pieces = doubled.take_while(|&pieces| pieces / 2 < batch).map(|pieces| pieces.min(batch));
        let mut changes: Vec<Change> =
            pieces.filter(|&pieces| pieces > accumulation).map(Change::Accumulation).collect();
        if !checkpointing {
            changes.push(Change::Checkpointing);
        }
        if storage == Storage::Float32 && !self.trains_base {
            changes.push(Change::Half);
        }
        if vocabulary == VocabularyMode::Full {
            changes.push(Change::NewTokens);
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::super::Batch;
    use super::super::tests::sizes;
    use super::*;

    #[test]
    fn advice_stops_where_it_fits_and_says_where_it_never_does() {
        let sizes = sizes();
        let peak = sizes.on("cpu", None).peak_bytes;
        assert_eq!(sizes.on("cpu", Some(peak)).advice, []);
        let estimate = sizes.on("cpu", Some(peak - 1));
        assert_eq!(estimate.fits(), Some(false));
        assert_eq!(estimate.advice.len(), 1);
        assert_eq!(estimate.advice[0].setting, "training.accumulation: 2");
        assert!(estimate.advice[0].fits && estimate.advice[0].peak_bytes < peak);
        assert!(estimate.advice[0].costs.starts_with("batches of 2 targets, 2 of them a step of 4"));
        let never = sizes.on("cpu", Some(1)).advice;
        assert!(never.iter().all(|change| !change.fits));
        assert!(never.last().is_some_and(|last| last.setting.contains("smaller") && last.change.is_none()));
    }

    #[test]
    fn smaller_batches_are_advised_where_activations_are_too_much_and_not_where_the_search_is() {
        let plain = Sizes { search: Batch::default(), ..sizes() };
        let mut one_target = plain.clone();
        one_target.training.accumulation = 4;
        let enough = one_target.parts("cpu").peak();
        let advice = plain.on("cpu", Some(enough)).advice;
        let changes: Vec<_> = advice.iter().filter_map(|advice| advice.change).collect();
        assert_eq!(changes, [Change::Accumulation(2), Change::Accumulation(4)], "down to one target, and no further");
        assert!(advice.last().is_some_and(|last| last.fits && last.peak_bytes == enough));
        let mut advised = plain.training.clone();
        changes.iter().for_each(|change| change.apply(&mut advised));
        assert_eq!((advised.batch, advised.accumulation), (4, 4), "the step's batch stays");

        let large = Batch { sequences: 48, tokens: 9000, scored: 48 };
        let training = Training { storage: Storage::Half, ..sizes().training };
        let searching = Sizes { search: large, training, ..sizes() };
        let peak = searching.parts("cpu").peak();
        let advice = searching.on("cpu", Some(peak - 1)).advice;
        assert!(advice.iter().all(|advice| advice.change.is_none()), "{advice:?}");
        assert!(advice[0].setting.contains("beams"));
    }
}
