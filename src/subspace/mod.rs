//! Subspaces of low-rank updates: spectra, principal angles, matching of directions, movement, and a basis to draw in; what a
//! stage's data wants of an update, what stays of the past, and what its directions mean.
//!
//! An update is a product of thin factors, `ΔW = B A`; nothing here forms it. All in float64.

pub mod angles;
pub mod basis;
pub mod curvature;
pub mod factors;
pub mod matching;
pub mod meaning;
pub mod movement;
pub mod noise;
pub mod operator;
pub mod retention;
pub mod spectrum;

pub use angles::{Angles, principal_angles};
pub use basis::{Basis, shared_basis};
pub use factors::{Factors, in_common_frame};
pub use matching::{Match, Side, match_directions};
pub use movement::{Movement, movement};
pub use operator::{change_operator, random_angles, random_distances};
pub use spectrum::Spectrum;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod theory_tests;
