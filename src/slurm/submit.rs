//! Handing jobs to Slurm.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use super::plan::{Job, Layer};
use super::script::Setup;
use crate::error::InputError;
use crate::files;

/// A job that Slurm has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    pub id: String,
    pub name: String,
    pub tasks: usize,
}

/// Numbers of the jobs that were submitted last, a line each.
const JOBS: &str = "jobs";
const LARGEST_LIST: u64 = 1 << 20;

/// Writes the scripts beside the runs and submits them, each layer to begin when the one before has ended.
///
/// # Errors
/// Slurm is not there or refuses a job (those before it are cancelled again), jobs of an earlier submission are still in its
/// queue, or a script cannot be written.
pub fn submit(setup: &Setup, jobs: &[Job]) -> Result<Vec<Submitted>, InputError> {
    let folder = setup.scripts();
    let list = folder.join(JOBS);
    let there = still_queued(&list)?;
    if !there.is_empty() {
        let problem = format!("jobs of this project are in the queue already: {}", there.join(", "));
        return Err(InputError::new(&setup.project, problem)
            .advice(format!("wait for them, or take them back with `scancel {}`", there.join(" "))));
    }
    files::create_folder(&folder)?;
    let mut submitted: Vec<Submitted> = Vec::new();
    for job in jobs {
        let file = folder.join(format!("{}.sh", job.name));
        let one = files::write_atomically(&file, setup.script(job).as_bytes())
            .and_then(|()| submit_one(&file, waits_for(job.layer, submitted.last()).as_deref()));
        match one {
            Ok(id) => submitted.push(Submitted { id, name: job.name.clone(), tasks: job.tasks() }),
            Err(error) => {
                // Half of a project would wait for what never comes.
                let ids = submitted.iter().map(|job| job.id.as_str());
                let _ = slurm("scancel", &ids.collect::<Vec<_>>());
                return Err(error);
            }
        }
    }
    let ids: String = submitted.iter().map(|job| format!("{}\n", job.id)).collect();
    files::write_atomically(&list, ids.as_bytes())?;
    Ok(submitted)
}

/// What a job waits for, as an option of `sbatch`.
fn waits_for(layer: Layer, before: Option<&Submitted>) -> Option<String> {
    let before = &before?.id;
    Some(match layer {
        // A hybrid whose part has failed says so; the others need not wait for it.
        Layer::Combined => format!("--dependency=afterany:{before}"),
        // Where a base model cannot be trained, no run can be.
        _ => format!("--dependency=afterok:{before}"),
    })
}

fn submit_one(script: &Path, dependency: Option<&str>) -> Result<String, InputError> {
    let path = script.display().to_string();
    let mut arguments = vec!["--parsable", "--kill-on-invalid-dep=yes"];
    arguments.extend(dependency);
    arguments.push(&path);
    let output = slurm("sbatch", &arguments)?;
    let answer = String::from_utf8_lossy(&output.stdout);
    // `4711` or `4711;cluster`.
    let id = answer.trim().split(';').next().unwrap_or_default();
    if output.status.success() && !id.is_empty() && id.chars().all(|character| character.is_ascii_digit()) {
        return Ok(id.to_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.trim().trim_start_matches("sbatch: error: ").replace("\nsbatch: error:", ";");
    Err(InputError::new(script, format!("Slurm does not take the job: {said}"))
        .advice("`peso run --help` lists what can be asked for"))
}

/// Those of the jobs submitted last that Slurm still has.
fn still_queued(list: &Path) -> Result<Vec<String>, InputError> {
    if fs::symlink_metadata(list).is_err() {
        return Ok(Vec::new());
    }
    let text = files::read_text(list, LARGEST_LIST)?;
    let is_id = |line: &&str| !line.is_empty() && line.chars().all(|character| character.is_ascii_digit());
    let ids: Vec<&str> = text.lines().filter(is_id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    // Where it knows none of them any more it fails.
    let queued = slurm("squeue", &["--noheader", "--format=%F", "--jobs", &ids.join(",")])?;
    let queued = String::from_utf8_lossy(&queued.stdout).into_owned();
    Ok(ids.into_iter().filter(|id| queued.lines().any(|line| line.trim() == *id)).map(str::to_owned).collect())
}

fn slurm(program: &str, arguments: &[&str]) -> Result<Output, InputError> {
    Command::new(program).args(arguments).output().map_err(|error| {
        InputError::io(program, "start a command of Slurm", &error).advice(
            "this is for a machine that submits jobs to Slurm; `peso run --slurm --dry-run` only prints the scripts",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hybrids_wait_for_the_end_and_all_others_for_success() {
        let before = Submitted { id: "7".to_owned(), name: String::new(), tasks: 1 };
        assert_eq!(waits_for(Layer::Base, None), None);
        assert_eq!(waits_for(Layer::Runs, Some(&before)).unwrap(), "--dependency=afterok:7");
        assert_eq!(waits_for(Layer::Combined, Some(&before)).unwrap(), "--dependency=afterany:7");
    }
}
