//! Methods: what a stage starts from, what the forward pass adds, what the loss adds, what a stage leaves behind.
//!
//! A method is one file here (its options, its [`Card`] for people, what it is able to do) and its line in the list below.
//! It says what is to be done as data, a [`Plan`]; no file here knows a screen, a path or a process.

mod card;
mod family;
mod fields;
pub mod kalman;
pub mod lambda;
pub mod metric;
mod options;
pub mod plan;
pub mod pull_ratio;
mod reference;
mod registry;
pub mod state;
pub mod term;

use serde::{Deserialize, Serialize};

pub use self::card::Card;
pub use self::family::Family;
pub use self::lambda::{Lambda, StageLambda, Strength};
pub use self::lsat::Combination;
pub use self::peso::Anchor;
pub use self::plan::{Data, Ended, Matrices, Origin, Part, Plan, Stage, StatisticsRequest};
pub use self::reference::reference;
pub use self::state::{Rows, State};
pub use self::sum_lora::Past;
pub use self::term::proximal::{Aggregation, Distance, Proximal};
pub use self::term::{Guides, Term};
use crate::baseline::{DatasetSize, StageRecommender};
use crate::model::backend::TrainingBackend;
use crate::schema::FieldError;

// The paper's first, then what it is compared with, from the least machinery to the most.
registry::methods! {
    peso: Peso(Peso), "One evolving adapter pulled toward its previous state.";
    single: Single, "One evolving adapter, cross-entropy only.";
    frozen: Frozen, "The adapter of stage 1 for all stages.";
    retrain: Retrain, "A fresh adapter on all stages so far.";
    restart: Restart(Restart), "Stages start from the adapter of stage 1 again.";
    sum_lora: SumLora(SumLora), "Past adapters, normalised and frozen, are added to the current one.";
    sd_lora: SdLora(SdLora), "As SumLoRA, with a learned magnitude for every adapter.";
    inf_lora: InfLora(InfLora), "Only B is trained; A spans inputs that earlier stages did not use.";
    o_lora: OLora(OLora), "Past adapters are added; the current one is held orthogonal to them.";
    ewc: Ewc(Ewc), "Parameters that mattered to earlier stages are held back most.";
    lwf: Lwf(Lwf), "The previous model's predictions are kept on the stage's inputs.";
    replay: Replay(Replay), "Earlier examples are trained again.";
    lsat: Lsat(Lsat), "A long-term and a short-term adapter together.";
    gradient_surgery: GradientSurgery(GradientSurgery),
        "Another method that starts each stage ahead, in a direction that does not undo the last stage's.";
    federated: Federated(Federated), "Another method, trained by simulated clients that send adapters alone.";
    sasrec: SasRec(SasRec), "SASRec, without the language model.";
    two_tower: TwoTower(TwoTower), "Two towers, without the language model.";
    hybrid: Hybrid(Hybrid), "The lists of a language model and of two towers, fused.";
    steered: Steered(Steered), "A finished run with one stage's step taken in part.";
}

/// What a method is, and what it is able to do.
pub trait Method: Send + Sync {
    /// What it is, for people.
    fn card(&self) -> &'static Card;

    /// How it takes the language model's adapter through the stages; none where it adapts no model of its own.
    fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        None
    }

    /// The recommender without the language model that it trains, with fresh parameters; none where it trains none.
    ///
    /// # Errors
    /// In words, why its options cannot be used.
    fn recommender<B: TrainingBackend>(
        &self,
        _size: DatasetSize,
        _seed: u64,
        _device: &B::Device,
    ) -> Option<Result<Box<dyn StageRecommender>, String>>
    where
        Self: Sized,
    {
        None
    }

    /// Number of parameters of [`Self::recommender`].
    fn recommender_parameters(&self, _size: DatasetSize) -> Option<u64> {
        None
    }

    /// The experiments whose finished runs it is made of; none where it trains itself.
    fn parts(&self) -> Vec<&str> {
        Vec::new()
    }

    /// The lists that it fuses; none where it makes its own.
    fn fusion(&self) -> Option<&Hybrid> {
        None
    }

    /// The run that it steers; none where it steers none.
    fn steered(&self) -> Option<&Steered> {
        None
    }

    /// The method that it changes; none where it is one of its own.
    fn inner(&self) -> Option<&MethodOptions> {
        None
    }

    /// The same change of another method; none where it changes none.
    fn with_inner(&self, _inner: MethodOptions) -> Option<MethodOptions> {
        None
    }

    /// The simulation of clients that it trains with; none where it trains on all examples in one place.
    fn federated(&self) -> Option<&Federated> {
        None
    }

    /// The proximal term that analyses of the pull measure; none where its loss has no such term.
    fn proximal(&self) -> Option<&Peso> {
        None
    }

    /// Refuses options that are each in their range and do not go together.
    ///
    /// # Errors
    /// Says which.
    fn check_options(&self) -> Result<(), FieldError> {
        Ok(())
    }
}

/// How a method takes an adapter of the language model through the stages after the first, which all such methods share.
pub trait AdapterMethod: Send + Sync {
    /// Whether anything is trained after stage 1.
    fn trains(&self) -> bool {
        true
    }

    /// What it asks for of a stage's data before the stage, under the model as the last stage left it.
    fn statistics_before(&self) -> Option<StatisticsRequest> {
        None
    }

    /// What it asks for of a stage's data after the stage, under the model that the stage left.
    fn statistics_after(&self) -> Option<StatisticsRequest> {
        None
    }

    /// What it keeps of a stage that has ended; asked only where it asks for statistics after a stage.
    fn remember(&self, ended: Ended<'_>) -> Matrices {
        ended.statistics
    }

    /// Whether its terms hold the trained token rows beside the adapter.
    fn rows(&self) -> Rows {
        Rows::Free
    }

    /// What is done in a stage.
    fn plan(&self, stage: &Stage<'_>) -> Plan;

    /// How the adapters predict together where a stage trains two, and the weight of the second, of 1.
    fn combination(&self) -> Option<(Combination, f64)> {
        None
    }

    /// Parameters that a stage trains, of an adapter whose A and B have so many and of `rows` parameters of trained
    /// token rows.
    fn trainable(&self, [a, b]: [u64; 2], rows: u64) -> u64 {
        a + b + rows
    }
}
