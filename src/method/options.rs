//! What the project file says of a method.

use serde::{Deserialize, Serialize};

use super::hybrid;
use super::{
    Ewc, Frozen, GradientSurgery, Hybrid, InfLora, Lsat, Lwf, OLora, Peso, Replay, Retrain, SdLora, Single, SumLora,
};
use super::{Method, ewc, frozen, gradient_surgery, inf_lora, lsat, lwf, o_lora, peso, replay, retrain, sd_lora};
use super::{single, sum_lora};
use crate::baseline::{SasRec, TwoTower, sasrec, two_tower};
use crate::schema::Card;

/// A method and its options.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum MethodOptions {
    /// One evolving adapter pulled toward its previous state.
    Peso(Peso),
    /// One evolving adapter, cross-entropy only.
    Single,
    /// The adapter of stage 1 for all stages.
    Frozen,
    /// A fresh adapter on all stages so far.
    Retrain,
    /// Past adapters, normalised and frozen, are added to the current one.
    SumLora(SumLora),
    /// As SumLoRA, with a learned magnitude for every adapter.
    SdLora(SdLora),
    /// Only B is trained; A spans inputs that earlier stages did not use.
    InfLora(InfLora),
    /// Past adapters are added; the current one is held orthogonal to them.
    OLora(OLora),
    /// Parameters that mattered to earlier stages are held back most.
    Ewc(Ewc),
    /// The previous model's predictions are kept on the stage's inputs.
    Lwf(Lwf),
    /// Earlier examples are trained again.
    Replay(Replay),
    /// A long-term and a short-term adapter together.
    Lsat(Lsat),
    /// Another method that starts each stage ahead, in a direction that does not undo the last stage's.
    GradientSurgery(GradientSurgery),
    /// SASRec, without the language model.
    SasRec(SasRec),
    /// Two towers, without the language model.
    TwoTower(TwoTower),
    /// The lists of a language model and of two towers, fused.
    Hybrid(Hybrid),
}

/// Which past adapters a method adds to the forward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Past {
    /// The previous stage's.
    Latest,
    /// Those of all earlier stages.
    All,
}

impl MethodOptions {
    /// Every method with its defaults, the paper's first.
    pub fn all() -> Vec<Self> {
        let surgery = GradientSurgery::default();
        vec![
            Self::Peso(Peso::default()),
            Self::Single,
            Self::Frozen,
            Self::Retrain,
            Self::SumLora(SumLora::default()),
            Self::SdLora(SdLora::default()),
            Self::InfLora(InfLora::default()),
            Self::OLora(OLora::default()),
            Self::Ewc(Ewc::default()),
            Self::Lwf(Lwf::default()),
            Self::Replay(Replay::default()),
            Self::Lsat(Lsat::default()),
            Self::GradientSurgery(surgery),
            Self::SasRec(SasRec::default()),
            Self::TwoTower(TwoTower::default()),
            Self::Hybrid(Hybrid::default()),
        ]
    }

    /// The method that the options describe, where it is one that adapts the language model.
    pub fn method(&self) -> Option<Box<dyn Method>> {
        Some(match self.clone() {
            Self::Peso(options) => Box::new(options),
            Self::Single => Box::new(Single),
            Self::Frozen => Box::new(Frozen),
            Self::Retrain => Box::new(Retrain),
            Self::SumLora(options) => Box::new(options),
            Self::SdLora(options) => Box::new(options),
            Self::InfLora(options) => Box::new(options),
            Self::OLora(options) => Box::new(options),
            Self::Ewc(options) => Box::new(options),
            Self::Lwf(options) => Box::new(options),
            Self::Replay(options) => Box::new(options),
            Self::Lsat(options) => Box::new(options),
            Self::GradientSurgery(options) => Box::new(options),
            Self::SasRec(_) | Self::TwoTower(_) | Self::Hybrid(_) => return None,
        })
    }

    /// What the method is, for people.
    pub const fn card(&self) -> &'static Card {
        match self {
            Self::Peso(_) => &peso::CARD,
            Self::Single => &single::CARD,
            Self::Frozen => &frozen::CARD,
            Self::Retrain => &retrain::CARD,
            Self::SumLora(_) => &sum_lora::CARD,
            Self::SdLora(_) => &sd_lora::CARD,
            Self::InfLora(_) => &inf_lora::CARD,
            Self::OLora(_) => &o_lora::CARD,
            Self::Ewc(_) => &ewc::CARD,
            Self::Lwf(_) => &lwf::CARD,
            Self::Replay(_) => &replay::CARD,
            Self::Lsat(_) => &lsat::CARD,
            Self::GradientSurgery(_) => &gradient_surgery::CARD,
            Self::SasRec(_) => &sasrec::CARD,
            Self::TwoTower(_) => &two_tower::CARD,
            Self::Hybrid(_) => &hybrid::CARD,
        }
    }
}
