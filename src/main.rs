//! `peso`: the workbench's window and its command line.

use std::process::ExitCode;

use peso_workbench::app;
use peso_workbench::cli::{self, Invocation};
use peso_workbench::crash;

fn main() -> ExitCode {
    crash::install();
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
        // SAFETY: `main` has only said so far what is to be done on a panic, and no thread has been started.
        unsafe {
            std::env::set_var(FOLDER, "/nonexistent");
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn quiet_libraries() {}
