//! `peso run`: train and evaluate.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args;

use super::outcome::{Ended, INTERRUPTED, say};
use super::progress::Bars;
use crate::device::DeviceChoice;
use crate::error::Unusable;
use crate::experiment::Project;
use crate::experiment::queue;
use crate::experiment::results::Status;
use crate::experiment::run_folder::slug;
use crate::experiment::worker::{self, RunOptions, RunOutcome};

/// Train and evaluate a project's experiments; what is unfinished is resumed
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Run this experiment alone (may be given several times)
    #[arg(long = "experiment", value_name = "NAME")]
    experiments: Vec<String>,
    /// Run this seed instead of the project's (may be given several times)
    #[arg(long = "seed", value_name = "N")]
    seeds: Vec<u64>,
    /// Run what the window has put into the project's queue, until it is empty
    #[arg(long, conflicts_with_all = ["experiments", "seeds", "fresh"])]
    queue: bool,
    /// Where to train: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Start over instead of resuming
    #[arg(long)]
    fresh: bool,
    /// Seconds between two checkpoints
    #[arg(long, value_name = "SECONDS", default_value_t = worker::CHECKPOINT_EVERY.as_secs())]
    checkpoint_every: u64,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    let options = RunOptions {
        experiments: named(&project, &arguments.experiments, &arguments.project)?,
        seeds: arguments.seeds.clone(),
        device: arguments.device,
        out: arguments.out.clone(),
        fresh: arguments.fresh,
        checkpoint_every: Duration::from_secs(arguments.checkpoint_every),
    };
    let mut bars = Bars::new(interruption()?);
    let outcomes = if arguments.queue {
        queue::run(&arguments.project, &options, &mut bars)
    } else {
        worker::run(&project, &options, &mut bars)
    };
    bars.finish();
    let ended = tell(&outcomes?);
    if ended == Ended::Done {
        say(&format!("`peso results {}` shows what was measured", arguments.project.display()));
    }
    Ok(ended)
}

/// The experiments of these names, which may be written as in run ids (`peso` for `PESO`).
fn named(project: &Project, names: &[String], path: &std::path::Path) -> Result<Vec<String>, Unusable> {
    let known = || project.experiments.iter().map(|experiment| &experiment.name);
    let find = |name: &String| {
        let found = known().find(|known| *known == name).or_else(|| known().find(|known| slug(known) == *name));
        found.cloned().ok_or_else(|| {
            let names = known().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
            Unusable::new(path, format!("there is no experiment \"{name}\"")).advice(format!("the project has {names}"))
        })
    };
    names.iter().map(find).collect()
}

/// A flag that Ctrl-C, or the request to end, raises; the second time ends at once.
fn interruption() -> anyhow::Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    let raised = Arc::clone(&flag);
    #[allow(clippy::exit, reason = "the user insists; the last checkpoint is whole whenever the process ends")]
    ctrlc::set_handler(move || {
        if raised.swap(true, Ordering::SeqCst) {
            std::process::exit(INTERRUPTED.into());
        }
        say("\nsaving the state; once more to end at once");
    })?;
    Ok(flag)
}

/// Tells how the runs ended that did not finish.
fn tell(outcomes: &[RunOutcome]) -> Ended {
    for outcome in outcomes.iter().filter(|outcome| outcome.status == Status::Failed) {
        let reason = outcome.reason.as_deref().unwrap_or("no reason was recorded");
        say(&format!("error: {} failed: {reason}", outcome.run));
    }
    let any = |status| outcomes.iter().any(|outcome| outcome.status == status);
    if any(Status::Failed) {
        Ended::RunFailed
    } else if any(Status::Stopped) {
        say("stopped; the state is saved and `peso run` resumes it");
        Ended::Interrupted
    } else {
        Ended::Done
    }
}
