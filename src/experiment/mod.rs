//! Experiments: the project file, the worker that trains, and the run folder it writes.

pub mod batches;
pub mod bench;
pub mod checkpoint;
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
mod rows;
pub mod run_folder;
mod shared;
pub mod sliced;
mod stages;
pub mod step;
pub mod summary;
pub mod trainer;
pub mod worker;

pub use project::Project;
