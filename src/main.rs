//! `peso`: the workbench's window and its command line.

use std::process::ExitCode;

use peso_workbench::app;
use peso_workbench::cli::{self, Invocation};

fn main() -> ExitCode {
    match cli::main() {
        Invocation::Ended(code) => code,
        Invocation::Window(project) => match app::open(project) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => cli::failed(error),
        },
    }
}
