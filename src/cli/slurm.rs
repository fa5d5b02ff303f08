//! `peso run --slurm`: runs as jobs of a cluster.

use std::num::NonZero;
use std::path::Path;

use clap::Args;
use serde_json::json;

use super::outcome::{Ended, print, print_json, say};
use crate::budget::estimate;
use crate::device::DeviceChoice;
use crate::error::InputError;
use crate::project::Project;
use crate::run::{RunOptions, RunSelection};
use crate::slurm::{Job, Setup, plan, submit};
use crate::text::counted;

/// What is asked of Slurm.
#[derive(Debug, Args)]
#[command(next_help_heading = "Slurm")]
pub(super) struct Wishes {
    /// Submit the runs to Slurm as job arrays instead of training here; with `--dry-run` print the scripts
    #[arg(long, conflicts_with_all = ["queue", "serve", "workers", "shared", "worker", "on_finished"])]
    pub slurm: bool,
    /// Partition of the jobs
    #[arg(long, value_name = "NAME", requires = "slurm")]
    partition: Option<String>,
    /// Account that pays for them
    #[arg(long, value_name = "NAME", requires = "slurm")]
    account: Option<String>,
    /// GPUs a task, as `sbatch --gpus` reads it: `1`, `a100:1`; none: the CPU trains
    #[arg(long, value_name = "GPUS", requires = "slurm")]
    gpus: Option<String>,
    /// Cores a task
    #[arg(long, value_name = "N", default_value = "4", requires = "slurm")]
    cores: NonZero<u16>,
    /// Time a task, as `sbatch --time` reads it; from the estimate where it is not given, and none on a GPU. A task whose time is over
    /// goes on from where it was
    #[arg(long, value_name = "TIME", requires = "slurm")]
    time: Option<String>,
    /// Memory a task, as `sbatch --mem` reads it; from the estimate where it is not given
    #[arg(long, value_name = "SIZE", requires = "slurm")]
    memory: Option<String>,
    /// Tasks of an array at once
    #[arg(long, value_name = "N", requires = "slurm")]
    at_once: Option<NonZero<u16>>,
    /// Another option of `sbatch`, such as `--sbatch=--qos=low` (may be given several times)
    #[arg(long, value_name = "OPTION", requires = "slurm", allow_hyphen_values = true)]
    sbatch: Vec<String>,
}

/// Submits the runs of a project, or shows the scripts that would be.
pub(super) fn run(
    wishes: &Wishes,
    project: &Project,
    file: &Path,
    selection: &RunSelection,
    options: &RunOptions,
    show: Option<Format>,
) -> anyhow::Result<Ended> {
    let device = match options.device {
        DeviceChoice::Auto if wishes.gpus.is_none() => DeviceChoice::Cpu,
        chosen => chosen,
    };
    let setup = Setup {
        peso: std::env::current_exe()?,
        project: absolute(file)?,
        folder: absolute(&project.folder)?,
        runs_dir: absolute(&project.runs_dir(options.out.as_deref()))?,
        device,
        fresh: options.fresh,
        partition: one_line("--partition", &wishes.partition)?,
        account: one_line("--account", &wishes.account)?,
        gpus: one_line("--gpus", &wishes.gpus)?,
        cores: usize::from(wishes.cores.get()),
        time: one_line("--time", &wishes.time)?,
        memory: one_line("--memory", &wishes.memory)?,
        at_once: wishes.at_once.map(|tasks| usize::from(tasks.get())),
        options: wishes.sbatch.iter().map(|option| one_line_of("--sbatch", option)).collect::<Result<_, _>>()?,
    };
    let is_known = wishes.memory.is_some() && (wishes.time.is_some() || wishes.gpus.is_some());
    let estimate = if is_known {
        None
    } else if project.lacks_semantic_ids() {
        say("the semantic ids are to be trained first, so that what is not given is not asked for: --time, --memory");
        None
    } else {
        // Of this machine, which may have no GPU at all.
        let here = RunOptions { device: DeviceChoice::Cpu, ..options.clone() };
        Some(estimate::estimate(project, selection, &here, setup.cores)?)
    };
    let jobs = plan(project, selection, options, estimate.as_ref())?;
    if jobs.is_empty() {
        say("every run is finished; there is nothing to submit");
        return Ok(Ended::Done);
    }
    match show {
        Some(format) => shown(&setup, &jobs, format)?,
        None => {
            for job in submit(&setup, &jobs)? {
                print(&format!("{}  {}  {}\n", job.id, job.name, counted(job.tasks, "task")))?;
            }
            let folder = setup.scripts();
            say(&format!(
                "Scripts and logs: {}\n`squeue --me` shows the jobs, and `peso status {file}` or the window how far the runs are",
                folder.display(),
                file = file.display()
            ));
        }
    }
    Ok(Ended::Done)
}

/// How scripts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Json,
}

fn shown(setup: &Setup, jobs: &[Job], format: Format) -> anyhow::Result<()> {
    if format == Format::Json {
        let jobs = jobs.iter().map(|job| json!({ "name": job.name, "runs": job.runs, "script": setup.script(job) }));
        return print_json(&jobs.collect::<Vec<_>>());
    }
    for (number, job) in (1..).zip(jobs) {
        let after = if number > 1 { ", when the one before has ended" } else { "" };
        print(&format!("# {number} of {}: {}{after}\n{}\n", jobs.len(), job.name, setup.script(job)))?;
    }
    Ok(())
}

fn absolute(path: &Path) -> Result<std::path::PathBuf, InputError> {
    std::path::absolute(path).map_err(|error| InputError::io(path, "find the folder", &error))
}

/// A value that ends up in a line of a script.
fn one_line(option: &str, value: &Option<String>) -> Result<Option<String>, InputError> {
    value.as_deref().map(|value| one_line_of(option, value)).transpose()
}

fn one_line_of(option: &str, value: &str) -> Result<String, InputError> {
    let is_one = !value.trim().is_empty() && !value.chars().any(char::is_control);
    if is_one { Ok(value.to_owned()) } else { Err(InputError::new(option, "expected a value in one line")) }
}
