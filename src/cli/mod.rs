//! The command line: one file a subcommand.
//!
//! Standard output carries what was asked for and nothing else; progress, hints and errors go to standard error.

mod adapter;
mod bench;
mod compare;
mod demo;
mod devices;
mod dry_run;
mod export;
mod inspect;
mod inspect_data;
mod inspect_model;
mod interpret;
mod interruption;
mod methods;
mod outcome;
mod progress;
mod results;
mod retention;
mod run;
mod score;
mod semantic_ids;
mod status;
mod subspace;
mod table;
mod words;
mod workers;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use self::outcome::Ended;
use crate::error::InputError;

/// Continual LoRA adaptation of language-model recommenders
#[derive(Debug, Parser)]
#[command(name = "peso", version, args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Open the window on this project (a `.ron` file or a folder with `project.ron`); without it, on the start page
    project: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Exit status: 0 done, 1 a run failed and can be resumed, 2 wrong usage or unusable input, 130 interrupted and saved

To start: `peso demo`, then `peso run peso-demo`, then `peso results peso-demo`";

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Arguments),
    Status(status::Arguments),
    Results(results::Arguments),
    Compare(compare::Arguments),
    Export(export::Arguments),
    Methods(methods::Arguments),
    Subspace(subspace::Arguments),
    Inspect(inspect::Arguments),
    SemanticIds(semantic_ids::Arguments),
    Score(score::Arguments),
    Adapter(adapter::Arguments),
    Devices(devices::Arguments),
    Retention(retention::Arguments),
    #[command(alias = "meaning")]
    Interpret(interpret::Arguments),
    Bench(bench::Arguments),
    Demo(demo::Arguments),
}

/// Runs the command line of this process and says how it ended.
pub fn main() -> ExitCode {
    ExitCode::from(run_with(std::env::args_os()))
}

/// Runs a command line and returns its exit status; `arguments` begin with the program's name.
fn run_with(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; where they cannot be printed there is nobody to tell.
            let _ = error.print();
            return u8::try_from(error.exit_code()).unwrap_or(outcome::BAD_INPUT);
        }
    };
    match dispatch(cli) {
        Ok(Ended::Done) => outcome::DONE,
        Ok(Ended::RunFailed) => outcome::FAILED,
        Ok(Ended::BadInput) => outcome::BAD_INPUT,
        Ok(Ended::Interrupted) => outcome::INTERRUPTED,
        Err(error) => outcome::report(&error),
    }
}

fn dispatch(cli: Cli) -> anyhow::Result<Ended> {
    match cli.command {
        None => window(cli.project),
        Some(Command::Run(arguments)) => {
            compute_here();
            run::run(&arguments)
        }
        Some(Command::Status(arguments)) => status::run(&arguments),
        Some(Command::Results(arguments)) => results::run(&arguments),
        Some(Command::Compare(arguments)) => compare::run(&arguments),
        Some(Command::Export(arguments)) => export::run(&arguments),
        Some(Command::Methods(arguments)) => methods::run(&arguments),
        Some(Command::Subspace(arguments)) => subspace::run(&arguments),
        Some(Command::Inspect(arguments)) => inspect::run(&arguments),
        Some(Command::SemanticIds(arguments)) => semantic_ids::run(&arguments),
        Some(Command::Score(arguments)) => score::run(&arguments),
        Some(Command::Adapter(arguments)) => adapter::run(arguments),
        Some(Command::Devices(arguments)) => devices::run(&arguments),
        Some(Command::Bench(arguments)) => {
            compute_here();
            bench::run(arguments)
        }
        Some(Command::Retention(arguments)) => {
            compute_here();
            retention::run(&arguments)
        }
        Some(Command::Interpret(arguments)) => {
            compute_here();
            interpret::run(&arguments)
        }
        Some(Command::Demo(arguments)) => demo::run(&arguments),
    }
}

/// Makes this thread one of those that compute in parallel. A step has a hundred short parallel loops, and a thread that
/// is not one of them falls asleep and is woken again for each.
fn compute_here() {
    // A pool that is there already computes as well, only slower.
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
}

fn window(project: Option<PathBuf>) -> anyhow::Result<Ended> {
    if let Some(missing) = project.as_ref().filter(|path| !path.exists()) {
        let error = InputError::new(missing, "there is no such project or command");
        return Err(error.advice("`peso --help` lists the commands").into());
    }
    crate::app::open(project)?;
    Ok(Ended::Done)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
