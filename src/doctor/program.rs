//! Which program this is.

use super::Check;
use crate::this_build;

pub(super) fn checks() -> Vec<Check> {
    let executable = match std::env::current_exe() {
        Ok(path) => Check::fine("executable", path.display().to_string()),
        Err(error) => Check::problem(
            "executable",
            format!("the system does not tell where this program lies: {}", crate::error::io_words(&error)),
            "the window starts its workers from there: start the program by its whole path",
        ),
    };
    let build = match this_build::PROFILE {
        "release" => Check::fine("build", "release"),
        other => Check::note("build", other, "it trains many times slower than one of `cargo build --release`"),
    };
    let features = match this_build::FEATURES {
        "none" => Check::note("features", "none", "without `wgpu` and `cuda` it trains on the CPU alone"),
        features => Check::fine("features", features),
    };
    vec![Check::fine("version", this_build::VERSION), build, features, executable]
}
