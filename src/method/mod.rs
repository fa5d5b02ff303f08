//! Methods: what a stage starts from, what the forward pass adds, what the loss adds, what a stage leaves behind.
//!
//! A method is one file here (its options, its card for people, its plan of a stage) and its lines in [`MethodOptions`].
//! It says what is to be done as data, a [`Plan`]; no file here knows a screen, a path or a process.

pub mod ewc;
mod family;
mod fields;
mod frozen;
pub mod gradient_surgery;
pub mod hybrid;
pub mod inf_lora;
mod lsat;
mod lwf;
mod o_lora;
pub mod options;
mod peso;
pub mod plan;
mod replay;
mod retrain;
mod sd_lora;
mod single;
mod sum_lora;
pub mod term;

pub use self::ewc::Ewc;
pub use self::family::Family;
pub use self::frozen::Frozen;
pub use self::gradient_surgery::GradientSurgery;
pub use self::hybrid::Hybrid;
pub use self::inf_lora::InfLora;
pub use self::lsat::{Combination, Lsat};
pub use self::lwf::Lwf;
pub use self::o_lora::OLora;
pub use self::options::{MethodOptions, Past};
pub use self::peso::{Anchor, Peso};
pub use self::plan::{Ended, Look, Matrices, Part, Plan, Stage};
pub use self::replay::Replay;
pub use self::retrain::Retrain;
pub use self::sd_lora::SdLora;
pub use self::single::Single;
pub use self::sum_lora::SumLora;
pub use self::term::proximal::{Aggregation, Distance, Proximal};
pub use self::term::{Guides, Term};

/// How a method goes through the stages after the first, which all methods share.
pub trait Method: Send + Sync {
    /// Whether anything is trained after stage 1.
    fn trains(&self) -> bool {
        true
    }

    /// What it wants to see of a stage's data before the stage, under the model as the last stage left it.
    fn looks_before(&self) -> Option<Look> {
        None
    }

    /// What it wants to see of a stage's data after the stage, under the model that the stage left.
    fn looks_after(&self) -> Option<Look> {
        None
    }

    /// What it keeps of a stage that has ended; asked only where it looks at something after a stage.
    fn remember(&self, ended: Ended<'_>) -> Matrices {
        ended.seen
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
