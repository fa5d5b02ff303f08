//! Behaviour across modules, in one test program.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod architecture;
mod bad_model;
mod chart;
mod cli;
mod compare;
mod data;
mod gpu;
mod model_reference;
mod packing;
mod project;
mod reference;
mod statistics;
mod statistics_reference;
mod sweeps;
mod training;
