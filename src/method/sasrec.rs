//! SASRec as a method of a project: [`crate::baseline::sasrec`] trained stage by stage.

use super::{Card, Family, Method};
pub use crate::baseline::SasRec;
use crate::baseline::{DatasetSize, SasRecommender, StageRecommender, sasrec};
use crate::model::backend::TrainingBackend;
use crate::schema::FieldError;

pub const CARD: Card = Card {
    key: "sasrec",
    name: "SASRec",
    sentence: "A small transformer over items, without the language model, trained stage by stage: the strongest sequential baseline",
    formula: "CE over all items of the next one, softmax(h·E^T)",
    source: "Kang & McAuley, arXiv 1808.09781; full cross-entropy: arXiv 2309.07602",
    family: Family::OtherRecommender,
    fields: sasrec::FIELDS,
};

impl Method for SasRec {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn recommender<B: TrainingBackend>(
        &self,
        size: DatasetSize,
        seed: u64,
        device: &B::Device,
    ) -> Option<Result<Box<dyn StageRecommender>, String>> {
        let made = SasRecommender::<B>::new(self.clone(), size.items, seed, device);
        Some(made.map(|recommender| Box::new(recommender) as _))
    }

    fn recommender_parameters(&self, size: DatasetSize) -> Option<u64> {
        Some(self.parameters(size.items))
    }

    fn check_options(&self) -> Result<(), FieldError> {
        self.check().map_err(|problem| FieldError::new("method", problem, "see the method's options"))
    }
}
