//! Figures: charts made of runs and data, one file a figure.

pub mod churn;
pub mod comparison;
pub mod cost;
pub mod data_drift;
pub mod live;
pub mod matrix;
pub mod parallel;
pub mod retention;
pub mod semantic_ids;
pub mod slices;
pub mod stages;
pub mod subspace;
