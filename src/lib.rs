//! PESO Workbench: continual LoRA adaptation of language-model recommenders, as a library.
//!
//! Data flows one way: files → [`data`] → [`method`] → run folder ([`run`], [`train`]) → [`results`] and [`analysis`] →
//! [`figures`] → [`report`], [`app`] and [`cli`]. A module imports only from those above it in this list.

// The ground
pub mod calendar;
pub mod canonical;
pub mod crash;
pub mod error;
pub mod files;
pub mod json;
pub mod linalg;
pub mod peak_memory;
pub mod schema;
pub mod seeds;
pub mod text;
pub mod this_build;
pub mod user_folders;

pub mod device;

// Data and model
pub mod semantic_id;

pub mod data;

pub mod model;

pub mod id_training;

// What is compared, and by what
pub mod measure;

pub mod subspace;

pub mod baseline;

pub mod method;

// Experiments
pub mod project;

pub mod run;

pub mod train;

pub mod budget;

pub mod slurm;

pub mod results;

pub mod analysis;

// Charts
pub mod plot;

pub mod render;

pub mod figures;

pub mod report;

pub mod pack;

pub mod doctor;

pub mod growth;

// Window and command line
pub mod app;

pub mod cli;
