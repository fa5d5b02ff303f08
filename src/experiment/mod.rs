//! Experiments: the project file, the worker that trains, and the run folder it writes.

pub mod batches;
pub mod bench;
pub mod checkpoint;
pub mod comparison;
mod counting;
pub mod evaluate;
pub mod look;
mod memory;
pub mod observer;
pub mod optimizer;
pub mod paired;
pub mod project;
pub mod project_check;
pub mod project_file;
pub mod queue;
pub mod results;
mod ron_source;
pub mod run_folder;
pub mod settings;
mod shared;
mod stages;
pub mod step;
pub mod summary;
pub mod trainer;
pub mod worker;

pub use project::Project;
