//! Whether a project can be used: its file, its data, its runs, and what killed workers left.

use std::collections::BTreeMap;
use std::path::Path;

use super::Check;
use crate::error::InputError;
use crate::files;
use crate::pack;
use crate::project::Project;
use crate::run::planned::planned;
use crate::run::queue::Queue;
use crate::run::{RunFolder, RunSelection, Status};
use crate::text::{counted, joined};

pub(super) fn checks(path: &Path, opened: &Result<Project, InputError>) -> Vec<Check> {
    let project = match opened {
        Ok(project) => project,
        Err(error) => {
            let place = error.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
            let advice = error.advice.clone().unwrap_or_else(|| "`peso inspect` says more of a project".to_owned());
            return vec![Check::problem("file", format!("{}{place} ({})", error.problem, path.display()), advice)];
        }
    };
    let runs_dir = project.runs_dir(None);
    let (folders, unreadable) = RunFolder::list_all(&runs_dir);
    let runs: Vec<RunFolder> = folders.into_iter().filter(|run| run.config().belongs_to(project)).collect();
    let mut checks = vec![Check::fine(
        "file",
        format!("{}, {}", counted(project.experiments.len(), "experiment"), counted(project.seeds.len(), "seed")),
    )];
    checks.extend(data(project));
    checks.push(states(&runs));
    checks.extend(unreadable.iter().map(|error| {
        let advice = "delete the folder, or move it away: `peso run` trains it again";
        Check::problem("run", error.to_string(), advice)
    }));
    checks.push(locks(&runs, &Queue::new(&runs_dir)));
    checks.push(room(project, &runs, &runs_dir));
    checks
}

/// What the project names and is not there.
fn data(project: &Project) -> Vec<Check> {
    if project.read_only {
        return vec![Check::fine("data", "none: this is a bundle of results")];
    }
    let missing = pack::missing(project);
    if missing.is_empty() {
        let named = project.paths().len();
        return vec![Check::fine(
            "data",
            if named == 0 { "generated".to_owned() } else { format!("all {named} paths are there") },
        )];
    }
    let check = |missing: &pack::MissingPath| {
        let found = format!("{}: there is no {}", missing.named.field, missing.named.path.display());
        Check::problem(
            "data",
            found,
            "put it there, or name its new place: the window asks for it when it opens the project",
        )
    };
    missing.iter().map(check).collect()
}

fn states(runs: &[RunFolder]) -> Check {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for run in runs {
        *counts.entry(run.status().key()).or_default() += 1;
    }
    let words: Vec<String> = counts.iter().map(|(status, count)| format!("{count} {status}")).collect();
    let found = if words.is_empty() { "none yet".to_owned() } else { joined(&words, "and") };
    if counts.contains_key(Status::Failed.key()) {
        Check::note("runs", found, "`peso status PROJECT` says why; `peso run PROJECT` goes on with them")
    } else {
        Check::fine("runs", found)
    }
}

/// Runs and a queue whose worker is gone.
fn locks(runs: &[RunFolder], queue: &Queue) -> Check {
    let mut left: Vec<String> =
        runs.iter().filter(|run| run.was_cut_off()).map(|run| run.config().run.clone()).collect();
    if queue.needs_worker() {
        left.push("the queue".to_owned());
    }
    if left.is_empty() {
        return Check::fine("locks", "none is left over");
    }
    let found = format!("left by a worker that was killed: {}", joined(&left, "and"));
    Check::note("locks", found, "they hold nothing up; `peso run PROJECT` goes on")
}

/// What the runs that are not finished will take, by the largest that is there.
fn room(project: &Project, runs: &[RunFolder], runs_dir: &Path) -> Check {
    let all = match planned(project, &RunSelection::default()) {
        Ok(all) => all,
        Err(error) => return Check::problem("room", error.to_string(), "mend the project's experiments and sweeps"),
    };
    let finished = runs.iter().filter(|run| run.status() == Status::Finished).count();
    let open = all.len().saturating_sub(finished);
    let largest = runs.iter().map(|run| files::tree_bytes(run.path())).max();
    let (Some(largest), Some(free)) = (largest, files::free_bytes(runs_dir)) else {
        return Check::fine(
            "room",
            format!("{} to train; `peso run PROJECT --dry-run` says what they take", counted(open, "run")),
        );
    };
    let needed = largest.saturating_mul(open as u64);
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let found = format!(
        "{} to train take about {} MiB, {} MiB are free",
        counted(open, "run"),
        mebibytes(needed),
        mebibytes(free)
    );
    if needed > free {
        Check::problem("room", found, "free some space on the disk, or write them elsewhere with `peso run --out DIR`")
    } else {
        Check::fine("room", found)
    }
}
