//! Experiments: the project file, the worker that trains, and the run folder it writes.

pub mod batches;
pub mod bench;
pub mod checkpoint;
pub mod comparison;
mod counting;
pub mod estimate;
pub mod evaluate;
pub mod hybrid;
pub mod learning_rate;
pub mod look;
pub mod memory;
pub mod observer;
pub mod paired;
pub mod planned;
pub mod project;
pub mod project_check;
pub mod project_file;
pub mod queue;
pub mod recommender;
pub mod results;
mod ron_source;
mod rows;
pub mod run_folder;
pub mod schedule;
pub mod settings;
pub mod shared;
pub mod sliced;
mod stages;
pub mod step;
pub mod summary;
pub mod sweep;
pub mod trainer;
mod warm_up;
mod work;
pub mod worker;

pub use project::Project;
