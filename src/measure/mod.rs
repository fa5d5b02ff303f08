//! How good a method is: ranking metrics of one cell `R[i, j]`, and what the whole matrix says.

pub mod continual;
pub mod ranking;

pub use continual::Continual;
pub use ranking::UserOutcome;
