//! Behaviour across modules, in one test program.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod adapters;
mod analysis;
mod architecture;
mod bad_model;
mod base_models;
mod baselines_reference;
mod chart;
mod cli;
mod compare;
mod damaged_models;
mod data;
mod gguf_file;
mod gpu;
mod import_cancel;
mod imports;
mod methods;
mod methods_reference;
mod model_reference;
mod packing;
mod planted;
mod project;
mod protocols;
mod queue;
mod reference;
mod render;
mod runs;
mod semantic_ids;
mod statistics;
mod statistics_reference;
mod subspace_reference;
mod subspaces;
mod sweeps;
mod theory_reference;
mod tokenizers;
mod training;
