//! Training: what a project comes to, a run's stages one after another, and the worker that does the runs of a project.
//!
//! The modules stand in the order of a run, and each imports only from those before it.

// What the runs of a project share
mod file_hashes;

mod model_identity;

pub mod task;

pub mod semantic_ids;

// The examples of a stage
pub mod batches;
pub mod evaluate;

pub mod stage_data;

pub mod prompt_preview;

// One training
pub mod learning_rate;
pub mod step;

pub mod trainer;

pub mod jobs;

pub mod candidates;

// The models: the base, what stage 1 begins with, what a stage leaves
pub mod model_loading;

pub mod base_model;

pub mod start;

pub mod rank_search;

pub mod stage_artifacts;

pub mod steering;

pub mod adapter_export;

pub mod stage_statistics;

// What is measured, and who hears of it
pub mod result_matrix;

pub mod work;

pub mod preflight;

pub mod recorder;

pub mod filter;

pub mod federated;

// The kinds of runs
pub mod shared;

mod trial;

pub mod stages;

pub mod recommender;

mod parts;

pub mod hybrid;

pub mod steered;

pub mod counting;

// All runs of a project
pub mod worker;

pub use self::task::Task;
