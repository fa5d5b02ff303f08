//! How good a method is: ranking metrics of one cell `R[i, j]`, what the whole matrix says, and how sure a difference is.

pub mod continual;
pub mod ranking;
pub mod statistics;

pub use continual::Continual;
pub use ranking::UserOutcome;
