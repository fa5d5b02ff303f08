//! Methods: what a stage starts from, what the forward pass adds, what the loss adds.
//!
//! A method is one file here and one line in [`MethodOptions::method`]. No file here knows a screen, a path or a
//! process.

mod frozen;
pub mod options;
mod peso;
pub mod proximal;
mod single;
mod sum_lora;

pub use options::{Aggregation, Distance, MethodOptions, Peso, SumLora};
pub use proximal::Proximal;

use crate::model::Adapter;

/// How a method goes through the stages after the first, which all methods share.
///
/// `past` holds the adapter after each earlier stage, oldest first, and is never empty.
pub trait Method: Send + Sync {
    /// Whether anything is trained after stage 1.
    fn trains(&self) -> bool {
        true
    }

    /// The adapter that a stage starts from; `fresh` draws a new one that adds nothing yet.
    fn start(&self, past: &[Adapter], fresh: &dyn Fn() -> Adapter) -> Adapter;

    /// What past adapters add to the forward pass beside the current one, frozen.
    fn added(&self, _past: &[Adapter]) -> Option<Adapter> {
        None
    }

    /// The term of the loss that holds the adapter near its state before the stage.
    fn proximal(&self) -> Option<Proximal> {
        None
    }
}

impl MethodOptions {
    /// The method that the options describe.
    pub fn method(&self) -> Box<dyn Method> {
        match self {
            Self::Frozen => Box::new(frozen::Frozen),
            Self::Single => Box::new(single::Single),
            Self::SumLora(options) => Box::new(sum_lora::SumLoraMethod::new(options.clone())),
            Self::Peso(options) => Box::new(peso::PesoMethod::new(options.clone())),
        }
    }
}

/// The newest of the past adapters.
fn latest(past: &[Adapter]) -> Adapter {
    past.last().cloned().unwrap_or_default()
}
