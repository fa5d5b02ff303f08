//! The command line: one file a subcommand.
//!
//! Standard output carries what was asked for and nothing else; progress, hints and errors go to standard error.

mod adapter;
mod alarm;
mod bench;
mod certify;
mod compare;
mod completions;
mod decide;
mod demo;
mod devices;
mod doctor;
mod dry_run;
mod export;
mod growth;
mod inspect;
mod inspect_data;
mod inspect_model;
mod interpret;
mod interruption;
mod measured;
mod methods;
mod outcome;
mod pack;
mod progress;
mod recommend;
mod reference;
mod report;
mod results;
mod retention;
mod run;
mod score;
mod semantic_ids;
mod share_files;
mod slurm;
mod status;
mod steer;
mod subspace;
mod table;
mod unpack;
mod words;
mod workers;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use self::outcome::Ended;
pub use self::reference::reference;
use crate::crash;
use crate::error::InputError;

/// Continual LoRA adaptation of language-model recommenders
#[derive(Debug, Parser)]
#[command(name = "peso", version, args_conflicts_with_subcommands = true, after_help = AFTER_HELP)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// Open the window on this project (a `.ron` file, a folder with `project.ron`, or a zip that `peso pack` made); without it,
    /// on the start page
    project: Option<PathBuf>,
}

const AFTER_HELP: &str = "\
Exit status: 0 done, 1 a run failed and can be resumed (`peso doctor`: a problem was found), 2 wrong usage or unusable input, 130 interrupted and saved

To start: `peso demo`, then `peso run peso-demo`, then `peso results peso-demo`";

#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Arguments>),
    Status(status::Arguments),
    Results(results::Arguments),
    Compare(compare::Arguments),
    Decide(decide::Arguments),
    Certify(certify::Arguments),
    Alarm(alarm::Arguments),
    Export(Box<export::Arguments>),
    Report(report::Arguments),
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
    Doctor(doctor::Arguments),
    Bench(bench::Arguments),
    Demo(demo::Arguments),
    Pack(pack::Arguments),
    Recommend(recommend::Arguments),
    Unpack(unpack::Arguments),
    Steer(steer::Arguments),
    Completions(completions::Arguments),
    #[command(hide = true)]
    ShareFiles(share_files::Arguments),
    #[command(hide = true)]
    SteerServer(steer::ServerArguments),
}

/// The command line as clap knows it: every command with its arguments.
pub fn command() -> clap::Command {
    Cli::command()
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// A command, which has ended.
    Ended(ExitCode),
    /// The window, on a project or on the start page.
    Window(Option<PathBuf>),
}

/// Carries out the command line of this process, except for opening the window.
pub fn main() -> Invocation {
    let ended = |status: u8| Invocation::Ended(ExitCode::from(status));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; where they cannot be printed there is nobody to tell.
            let _ = error.print();
            return ended(u8::try_from(error.exit_code()).unwrap_or(outcome::BAD_INPUT));
        }
    };
    crash::running(&doing(cli.command.is_some()));
    let Some(command) = cli.command else {
        return match cli.project {
            Some(missing) if !missing.exists() => {
                let unusable = InputError::new(missing, "there is no such project or command");
                ended(outcome::report(&unusable.advice("`peso --help` lists the commands").into()))
            }
            project => Invocation::Window(project),
        };
    };
    ended(match run(command) {
        Ok(Ended::Done) => outcome::DONE,
        Ok(Ended::RunFailed | Ended::ProblemFound) => outcome::FAILED,
        Ok(Ended::BadInput) => outcome::BAD_INPUT,
        Ok(Ended::Interrupted) => outcome::INTERRUPTED,
        Err(error) => outcome::report(&error),
    })
}

/// Tells on standard error that what was asked for cannot be done here, and gives the exit status of that.
pub fn unusable(error: impl std::fmt::Display) -> ExitCode {
    outcome::say(&format!("error: {error}"));
    ExitCode::from(outcome::BAD_INPUT)
}

fn run(command: Command) -> anyhow::Result<Ended> {
    match command {
        Command::Run(arguments) => {
            compute_here();
            run::run(&arguments)
        }
        Command::Status(arguments) => status::run(&arguments),
        Command::Results(arguments) => results::run(&arguments),
        Command::Compare(arguments) => compare::run(&arguments),
        Command::Decide(arguments) => decide::run(&arguments),
        Command::Certify(arguments) => certify::run(&arguments),
        Command::Alarm(arguments) => alarm::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Report(arguments) => report::run(&arguments),
        Command::Methods(arguments) => methods::run(&arguments),
        Command::Subspace(arguments) => subspace::run(&arguments),
        Command::Inspect(arguments) => inspect::run(&arguments),
        Command::SemanticIds(arguments) => semantic_ids::run(&arguments),
        Command::Score(arguments) => score::run(&arguments),
        Command::Adapter(arguments) => adapter::run(arguments),
        Command::Devices(arguments) => devices::run(&arguments),
        Command::Doctor(arguments) => {
            compute_here();
            doctor::run(&arguments)
        }
        Command::Bench(arguments) => {
            compute_here();
            bench::run(arguments)
        }
        Command::Retention(arguments) => {
            compute_here();
            retention::run(&arguments)
        }
        Command::Interpret(arguments) => {
            compute_here();
            interpret::run(&arguments)
        }
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Recommend(arguments) => {
            compute_here();
            recommend::run(&arguments)
        }
        Command::Completions(arguments) => completions::run(&arguments),
        Command::ShareFiles(arguments) => share_files::run(&arguments),
        Command::Pack(arguments) => pack::run(&arguments),
        Command::Unpack(arguments) => unpack::run(&arguments),
        Command::Steer(arguments) => {
            compute_here();
            steer::run(arguments)
        }
        Command::SteerServer(arguments) => {
            compute_here();
            steer::serve(&arguments)
        }
    }
}

/// What a crash report calls it: the command's name, which is the first argument, and nothing that it was given.
fn doing(is_command: bool) -> String {
    let name = std::env::args().nth(1).filter(|_| is_command);
    name.unwrap_or_else(|| "the window".to_owned())
}

/// Makes this thread one of those that compute in parallel. A step has a hundred short parallel loops, and a thread that
/// is not one of them falls asleep and is woken again for each.
fn compute_here() {
    // A pool that is there already computes as well, only slower.
    let _ = rayon::ThreadPoolBuilder::new().use_current_thread().build_global();
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_sound() {
        super::command().debug_assert();
    }
}
