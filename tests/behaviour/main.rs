//! Behaviour across modules, in one test program.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod analysis;
mod architecture;
mod bad_model;
mod baselines_reference;
mod chart;
mod cli;
mod compare;
mod data;
mod gpu;
mod methods;
mod methods_reference;
mod model_reference;
mod packing;
mod project;
mod protocols;
mod queue;
mod reference;
mod render;
mod runs;
mod statistics;
mod statistics_reference;
mod sweeps;
mod theory_reference;
mod training;
