//! Two towers as a method of a project: [`crate::baseline::two_tower`] trained stage by stage.

use super::{Card, Family, Method};
pub use crate::baseline::TwoTower;
use crate::baseline::{DatasetSize, StageRecommender, TwoTowerRecommender, two_tower};
use crate::model::backend::TrainingBackend;
use crate::schema::FieldError;

pub const CARD: Card = Card {
    key: "two_tower",
    name: "Two towers",
    sentence: "An embedding for each user and each item, without the language model, carried from stage to stage",
    formula: "s(u, i) = u·i;  BPR or sampled softmax + weight · contrast with the past",
    source: "Contrastive and PIW: arXiv 2305.01204; PISA: SIGIR 2025; our reading, see the code",
    family: Family::OtherRecommender,
    fields: two_tower::FIELDS,
};

impl Method for TwoTower {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn recommender<B: TrainingBackend>(
        &self,
        size: DatasetSize,
        seed: u64,
        _device: &B::Device,
    ) -> Option<Result<Box<dyn StageRecommender>, String>> {
        let made = TwoTowerRecommender::new(self.clone(), size.users, size.items, seed);
        Some(made.map(|recommender| Box::new(recommender) as _))
    }

    fn recommender_parameters(&self, size: DatasetSize) -> Option<u64> {
        Some(self.parameters(size.users, size.items))
    }

    fn check_options(&self) -> Result<(), FieldError> {
        self.check().map_err(|problem| FieldError::new("method", problem, "see the method's options"))
    }
}
