//! `peso`: the workbench's window and its command line.

use std::process::ExitCode;

use peso_workbench::app;
use peso_workbench::cli::{self, Invocation};

fn main() -> ExitCode {
    quiet_libraries();
    match cli::main() {
        Invocation::Ended(code) => code,
        Invocation::Window(project) => match app::open(project) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cli::unusable(error),
        },
    }
}

/// Mesa asks Wayland's library for a display before it lists adapters, and that complains on standard error where there is no
/// session. A folder that is not there is as good as none, and it is quiet about it.
#[cfg(target_os = "linux")]
fn quiet_libraries() {
    const FOLDER: &str = "XDG_RUNTIME_DIR";
    if std::env::var_os(FOLDER).is_none() {
        #[allow(unsafe_code, reason = "nothing else runs yet that could read the environment at the same time")]
        // SAFETY: this is the first thing that `main` does, and no thread has been started.
        unsafe {
            std::env::set_var(FOLDER, "/nonexistent");
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn quiet_libraries() {}
