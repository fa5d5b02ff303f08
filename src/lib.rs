//! PESO Workbench: continual LoRA adaptation of language-model recommenders, as a library.
//!
//! Data flows one way: files → [`data`] → [`method`] → run folder ([`experiment`]) → views ([`chart`], [`app`]).

pub mod app;
pub mod baseline;
pub mod chart;
pub mod cli;
pub mod data;
pub mod device;
pub mod error;
pub mod experiment;
pub mod files;
pub mod json;
pub mod linalg;
pub mod measure;
pub mod method;
pub mod model;
pub mod render;
pub mod seeds;
pub mod semantic_id;
pub mod subspace;
