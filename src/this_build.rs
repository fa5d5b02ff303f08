//! What this program is: its version, the features that it was built with, and how.

/// Version of the crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Features of the crate that it was built with.
pub const FEATURES: &str = match (cfg!(feature = "wgpu"), cfg!(feature = "cuda")) {
    (true, true) => "wgpu, cuda",
    (true, false) => "wgpu",
    (false, true) => "cuda",
    (false, false) => "none",
};

/// Whether it was built to be fast.
pub const PROFILE: &str = if cfg!(debug_assertions) { "debug" } else { "release" };
