//! What a project costs before it is run: memory from the shapes, time from finished runs or a few steps, and the speed of this machine.

pub mod against;
pub mod bench;
pub mod estimate;
pub mod loading;
pub mod memory_estimate;
pub mod reasons;
pub mod setup;
pub mod warm_up;
