//! Runs as jobs of [Slurm](https://slurm.schedmd.com): which jobs, in which order, and the scripts that do them.
//!
//! Jobs come in layers: semantic ids, then base models, then adapters of stage 1, then runs, then what is made of runs. A layer is one
//! job array, and begins when the one before has ended. What a layer lacks its tasks make by themselves, so that an order that
//! came out otherwise costs time and no numbers.

mod plan;
mod script;
mod submit;

pub use self::plan::{Job, Layer, plan};
pub use self::script::Setup;
pub use self::submit::{Submitted, submit};
