//! `peso status`: where a project's runs stand.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::outcome::{Ended, print, print_json, warn};
use super::table::Table;
use super::words;
use crate::error::InputError;
use crate::project::Project;
use crate::run::observer::Progress;
use crate::run::trash;
use crate::run::{RunFolder, Status};

/// Show a project's runs and where they stand
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Remove the runs for good that were deleted in the window, before anything is shown
    #[arg(long)]
    empty_trash: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ProjectStatus {
    project: String,
    runs: Vec<RunStatus>,
    /// Runs in the trash, where there are any.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<usize>,
}

#[derive(Serialize)]
struct RunStatus {
    run: String,
    experiment: String,
    method: &'static str,
    seed: u64,
    status: Status,
    reason: Option<String>,
    device: String,
    stages: usize,
    stages_finished: usize,
    progress: Option<Progress>,
    path: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    let runs_dir = project.runs_dir(arguments.out.as_deref());
    if arguments.empty_trash {
        trash::empty(&runs_dir)?;
    }
    let (folders, mut unreadable) = RunFolder::list_all(&runs_dir);
    let mut runs = Vec::new();
    for folder in folders.iter().filter(|folder| folder.config().belongs_to(&project)) {
        match status_of(folder) {
            Ok(run) => runs.push(run),
            Err(error) => unreadable.push(error),
        }
    }
    warn(&unreadable);
    let deleted = Some(trash::list(&runs_dir).len()).filter(|deleted| *deleted > 0);
    let status = ProjectStatus { project: project.name, runs, deleted };
    if arguments.json {
        print_json(&status)?;
    } else {
        print(&as_text(&status))?;
    }
    Ok(Ended::Done)
}

fn status_of(folder: &RunFolder) -> Result<RunStatus, InputError> {
    let config = folder.config();
    let reader = folder.reader()?;
    let status = reader.status()?;
    Ok(RunStatus {
        run: config.run.clone(),
        experiment: config.experiment.clone(),
        method: config.method.key(),
        seed: config.seed,
        status,
        reason: reader.reason()?,
        device: config.device.clone(),
        stages: config.stages,
        stages_finished: reader.stages()?.iter().filter(|stage| stage.finished).count(),
        progress: if status == Status::Running { reader.progress()? } else { None },
        path: folder.path().to_path_buf(),
    })
}

fn as_text(status: &ProjectStatus) -> String {
    if status.runs.is_empty() {
        return format!("{}: no runs yet; `peso run` starts them\n", status.project);
    }
    let mut table = Table::new(6, ["Run", "Experiment", "Seed", "Status", "Stages", "ETA"]);
    for run in &status.runs {
        let eta = run.progress.as_ref().and_then(|progress| progress.eta_seconds);
        table.row([
            run.run.clone(),
            run.experiment.clone(),
            run.seed.to_string(),
            run.status.key().to_owned(),
            format!("{}/{}", run.stages_finished, run.stages),
            eta.map(words::duration).unwrap_or_default(),
        ]);
    }
    let reasons = status.runs.iter().filter_map(|run| Some(format!("{}: {}\n", run.run, run.reason.as_ref()?)));
    let trash = status.deleted.map(|deleted| {
        format!(
            "{deleted} deleted, in the trash; `peso status PROJECT --empty-trash` removes what lies there for good\n"
        )
    });
    table.to_text() + &reasons.collect::<String>() + &trash.unwrap_or_default()
}
