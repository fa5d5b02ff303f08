//! How good a method is: ranking metrics of one cell `R[i, j]`, what the whole matrix says, what
//! slices of the tests say, how sure a difference is, and how far lists change from one model to the next.

pub mod churn;
pub mod continual;
pub mod metric;
pub mod ranking;
pub mod slice_means;
pub mod slices;
pub mod statistics;

pub use continual::Continual;
pub use metric::{Gain, Ranking, UserMetric};
pub use ranking::{Place, UserOutcome};
pub use slices::{Dimension, Slice, Slicer, Slices};
