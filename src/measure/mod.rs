//! How good a method is: ranking metrics of one cell `R[i, j]`, what the whole matrix says, what
//! slices of the tests say, and how sure a difference is.

pub mod continual;
pub mod ranking;
pub mod slice_means;
pub mod slices;
pub mod statistics;

pub use continual::Continual;
pub use ranking::UserOutcome;
pub use slices::{Dimension, Slice, Slicer, Slices};
