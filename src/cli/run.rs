//! `peso run`: train and evaluate.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::interruption::interruption;
use super::outcome::{Ended, say};
use super::progress::Bars;
use super::workers::{self, Crew};
use super::{dry_run, semantic_ids, slurm};
use crate::budget::estimate;
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::project::Project;
use crate::project::slug::slug;
use crate::run::on_finished::{Occasion, OnFinished};
use crate::run::planned::planned;
use crate::run::{CHECKPOINT_EVERY, RunOptions, RunOutcome, RunSelection, Status};
use crate::text::counted;
use crate::train::preflight::preflight;
use crate::train::recorder::Watcher as _;
use crate::train::{Task, worker};

/// Train and evaluate a project's experiments; what is unfinished is resumed
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Run this experiment alone (may be given several times)
    #[arg(long = "experiment", value_name = "NAME")]
    experiments: Vec<String>,
    /// Run the points of this experiment's sweeps (may be given several times)
    #[arg(long = "sweep", value_name = "NAME")]
    sweeps: Vec<String>,
    /// Run this seed instead of the project's (may be given several times)
    #[arg(long = "seed", value_name = "N")]
    seeds: Vec<u64>,
    /// Run this run alone, by the id that `--dry-run` and `peso status` show (may be given several times)
    #[arg(long = "run", value_name = "ID", conflicts_with_all = ["experiments", "sweeps", "seeds"])]
    runs: Vec<String>,
    /// Run what the window has put into the project's queue, until it is empty
    #[arg(long, conflicts_with_all = ["experiments", "sweeps", "seeds", "runs", "fresh"])]
    queue: bool,
    /// Where to train: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Runs at once, each in a process of its own; `auto`: as many as cores and memory allow
    #[arg(long, value_name = "N|auto", default_value = "1", conflicts_with = "queue")]
    workers: Workers,
    /// Be one of several workers, on this machine or on others that see the same folder: wait for runs that another one has, and take
    /// over those that it leaves
    #[arg(long, conflicts_with_all = ["queue", "workers", "dry_run"])]
    worker: bool,
    /// Make only what the chosen runs share
    #[arg(long, value_name = "PART", conflicts_with_all = ["queue", "workers", "dry_run", "fresh"])]
    shared: Option<Shared>,
    /// Show the runs with the time and memory that each is expected to take, and start none
    #[arg(long, conflicts_with_all = ["queue", "serve"])]
    dry_run: bool,
    /// The dry run as JSON
    #[arg(long, requires = "dry_run")]
    json: bool,
    /// Do the runs that are ordered on standard input
    #[arg(long, hide = true)]
    serve: bool,
    /// A program with its arguments, run without a shell when the runs have ended or failed, with PESO_PROJECT, PESO_EVENT
    /// (finished or failed) and PESO_MESSAGE in its environment
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["dry_run", "serve"])]
    on_finished: Option<OnFinished>,
    /// Start over instead of resuming
    #[arg(long)]
    fresh: bool,
    /// Seconds between two checkpoints
    #[arg(long, value_name = "SECONDS", default_value_t = CHECKPOINT_EVERY.as_secs())]
    checkpoint_every: u64,
    #[command(flatten)]
    slurm: slurm::Wishes,
}

/// What runs of a seed share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shared {
    /// The compact base model
    Base,
    /// That, and the adapter of stage 1
    Stage1,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    project.check_trainable()?;
    let outside: Vec<String> =
        project.outside().iter().map(|(named, place)| format!("{} ({})", place.display(), named.field)).collect();
    if !outside.is_empty() {
        say(&format!("reads outside the project's folder: {}", outside.join(", ")));
    }
    let selection = RunSelection {
        experiments: chosen(&project, arguments)?,
        seeds: arguments.seeds.clone(),
        runs: arguments.runs.clone(),
    };
    let options = RunOptions {
        device: arguments.device,
        out: arguments.out.clone(),
        fresh: arguments.fresh,
        checkpoint_every: Duration::from_secs(arguments.checkpoint_every),
        patient: arguments.worker,
    };
    if arguments.slurm.slurm {
        let format = if arguments.json { slurm::Format::Json } else { slurm::Format::Text };
        let show = arguments.dry_run.then_some(format);
        return slurm::run(&arguments.slurm, &project, &arguments.project, &selection, &options, show);
    }
    if arguments.dry_run {
        // The runs would find them as well.
        semantic_ids::ensure(&project, arguments.device, &Arc::new(AtomicBool::new(false)))?;
        return dry_run::show(&estimate::estimate(&project, &selection, &options, cores())?, arguments.json);
    }
    let words = if arguments.serve { "" } else { "\nsaving the state; once more to end at once" };
    let interrupted = interruption(words)?;
    let ended = trained(&project, &selection, &options, arguments, &interrupted);
    if let Some(command) = &arguments.on_finished {
        tell_command(command, arguments, &ended);
    }
    match ended.map(|(ended, _)| ended) {
        // Only what comes before the first run ends so: a run keeps its state and says it.
        Err(error) if matches!(error.downcast_ref(), Some(RunError::Stopped)) => {
            say("stopped before the first run; what is done of the semantic ids is kept, and `peso run` goes on");
            Ok(Ended::Interrupted)
        }
        ended => ended,
    }
}

/// Tells the user's command how it ended; of a stop nothing, which the user asked for.
fn tell_command(command: &OnFinished, arguments: &Arguments, ended: &anyhow::Result<(Ended, String)>) {
    let told = match ended {
        Ok((Ended::Done, message)) => Some((Occasion::Finished, message.clone())),
        Ok((Ended::RunFailed | Ended::ProblemFound | Ended::BadInput, message)) => {
            Some((Occasion::Failed, message.clone()))
        }
        Ok((Ended::Interrupted, _)) => None,
        Err(error) if matches!(error.downcast_ref(), Some(RunError::Stopped)) => None,
        Err(error) => Some((Occasion::Failed, error.to_string())),
    };
    let Some((occasion, message)) = told else { return };
    if let Err(error) = command.run(&arguments.project, occasion, &message) {
        say(&format!("warning: --on-finished did not work: {error}"));
    }
}

/// Trains what semantic ids the project wants, then its runs; how that ended, and what there is to say of it.
fn trained(
    project: &Project,
    selection: &RunSelection,
    options: &RunOptions,
    arguments: &Arguments,
    interrupted: &Arc<AtomicBool>,
) -> anyhow::Result<(Ended, String)> {
    // Workers find them then.
    semantic_ids::ensure(project, arguments.device, interrupted)?;
    if arguments.serve {
        return Ok((workers::serve(project, selection, options, interrupted)?, String::new()));
    }
    if let Some(shared) = arguments.shared {
        let mut bars = Bars::new(Arc::clone(interrupted));
        let made = worker::prepare(project, selection, options, shared == Shared::Stage1, &mut bars);
        bars.finish();
        return match made {
            Err(RunError::Stopped) => Ok((Ended::Interrupted, String::new())),
            made => Ok(made.map(|()| (Ended::Done, "what the runs share is made".to_owned()))?),
        };
    }
    let workers = match arguments.workers {
        Workers::Number(number) => number.min(planned(project, selection)?.len()),
        Workers::Auto => estimate::room(project, selection, options, cores())?.workers(),
    };
    let mut bars = Bars::new(Arc::clone(interrupted));
    if workers > 1 {
        let task = Task::load_watched(project, options, &mut |progress| bars.import_progress(progress))?;
        for warning in preflight(&task, &planned(project, selection)?)?.warnings {
            say(&format!("warning: {warning}"));
        }
    }
    let outcomes = if arguments.queue {
        worker::run_queue(&arguments.project, options, &mut bars)?
    } else if workers > 1 {
        let threads = (cores() / workers).max(1);
        let crew = Crew { project, file: &arguments.project, selection, options, workers, threads };
        match workers::run(&crew, interrupted)? {
            Ok(outcomes) => outcomes,
            Err(ended) => return Ok((ended, "the workers could not go on".to_owned())),
        }
    } else {
        worker::run(project, selection, options, &mut bars)?
    };
    bars.finish();
    let ended = match tell(&outcomes) {
        Ended::Done if interrupted.load(Ordering::SeqCst) => Ended::Interrupted,
        ended => ended,
    };
    if ended == Ended::Done {
        say(&format!("`peso results {}` shows what was measured", arguments.project.display()));
    }
    Ok((ended, message(&outcomes)))
}

/// What the runs came to, in one sentence.
fn message(outcomes: &[RunOutcome]) -> String {
    let count = |status| outcomes.iter().filter(|outcome| outcome.status == status).count();
    let finished = format!("{} finished", counted(count(Status::Finished), "run"));
    match outcomes.iter().find(|outcome| outcome.status == Status::Failed) {
        Some(failed) => {
            let reason = failed.reason.as_deref().unwrap_or("no reason was recorded");
            format!("{finished}, {} failed. {}: {reason}", count(Status::Failed), failed.run)
        }
        None => finished,
    }
}

/// How many workers there are.
#[derive(Debug, Clone, Copy)]
enum Workers {
    Auto,
    Number(usize),
}

impl FromStr for Workers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            _ => match text.parse() {
                Ok(number) if number > 0 => Ok(Self::Number(number)),
                _ => Err("expected a number above 0, or auto".to_owned()),
            },
        }
    }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// The experiments and points that were asked for; names may be written as in run ids (`peso` for `PESO`).
fn chosen(project: &Project, arguments: &Arguments) -> Result<Vec<String>, InputError> {
    let variants = project.variants()?;
    let names = || variants.iter().map(|variant| &variant.experiment.name);
    let mut chosen = Vec::new();
    for wanted in &arguments.experiments {
        let mut slugs = names().filter(|name| slug(name) == *wanted);
        let found = names().find(|name| *name == wanted).or_else(|| slugs.next().filter(|_| slugs.next().is_none()));
        chosen.push(found.cloned().ok_or_else(|| {
            let names = names().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            InputError::new(&arguments.project, format!("there is no experiment \"{wanted}\""))
                .advice(format!("the project has {names}"))
        })?);
    }
    for wanted in &arguments.sweeps {
        let points =
            variants.iter().filter(|variant| variant.swept && (variant.of == *wanted || slug(&variant.of) == *wanted));
        let before = chosen.len();
        chosen.extend(points.map(|variant| variant.experiment.name.clone()));
        if chosen.len() == before {
            let advice = "`sweeps` in the project file lists experiments with options and their values";
            let problem = format!("there is no sweep of an experiment \"{wanted}\"");
            return Err(InputError::new(&arguments.project, problem).advice(advice));
        }
    }
    let mut seen = BTreeSet::new();
    chosen.retain(|name| seen.insert(name.clone()));
    Ok(chosen)
}

/// Tells how the runs ended that did not finish.
fn tell(outcomes: &[RunOutcome]) -> Ended {
    for outcome in outcomes.iter().filter(|outcome| outcome.status == Status::Failed) {
        let reason = outcome.reason.as_deref().unwrap_or("no reason was recorded");
        say(&format!("error: {} failed: {reason}", outcome.run));
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.status == Status::Running) {
        say(&format!("error: {} is left out: {}", outcome.run, outcome.reason.as_deref().unwrap_or_default()));
    }
    let any = |status| outcomes.iter().any(|outcome| outcome.status == status);
    let unusable = |outcome: &RunOutcome| outcome.unusable_input;
    if outcomes.iter().any(|outcome| outcome.status == Status::Failed && !unusable(outcome)) || any(Status::Running) {
        Ended::RunFailed
    } else if outcomes.iter().any(unusable) {
        Ended::BadInput
    } else if any(Status::Stopped) {
        say("stopped; the state is saved and `peso run` resumes it");
        Ended::Interrupted
    } else {
        Ended::Done
    }
}
