//! `peso`: the workbench's window and its command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    peso_workbench::cli::main()
}
