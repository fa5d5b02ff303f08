//! Training: what a project comes to ([`task`]), a run's stages one after another, and the worker that does the runs of a project.

pub mod adapter_export;
pub mod batches;
pub mod counting;
pub mod evaluate;
pub mod hybrid;
pub mod learning_rate;
pub mod model_loading;
pub mod prompt_preview;
pub mod recommender;
pub mod result_matrix;
pub mod semantic_ids;
pub mod shared;
pub mod stage_artifacts;
pub mod stage_statistics;
pub mod stages;
pub mod start;
pub mod step;
pub mod task;
pub mod trainer;
pub mod work;
pub mod worker;

pub use self::task::Task;
