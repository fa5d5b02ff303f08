//! The subspace of a LoRA update: what a stage's data wants of it, what stays of the past, and what its directions mean.

pub mod curvature;
pub mod meaning;
pub mod retention;

#[cfg(test)]
mod theory_tests;
