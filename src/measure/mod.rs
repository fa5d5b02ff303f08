//! How good a method is: ranking metrics of one cell `R[i, j]`, what the whole matrix says, what
//! slices of the tests say, how sure a difference is, how far lists change from one model to the next, and what
//! noise leaves open of those whom it hides.

pub mod churn;
pub mod continual;
pub mod metric;
pub mod privacy;
pub mod ranking;
pub mod slice_means;
pub mod slices;
pub mod statistics;

pub use continual::Continual;
pub use metric::{Gain, Ranking, UserMetric};
pub use ranking::{Place, UserOutcome};
pub use slices::{Dimension, Slice, Slicer, Slices};
