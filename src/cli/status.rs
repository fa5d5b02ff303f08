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
use crate::run::{RunFolder, Status};

/// Show a project's runs and where they stand
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct ProjectStatus {
    project: String,
    runs: Vec<RunStatus>,
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
    let (folders, mut unreadable) = RunFolder::list_all(&project.runs_dir(arguments.out.as_deref()));
    let mut runs = Vec::new();
    for folder in folders.iter().filter(|folder| folder.config().belongs_to(&project)) {
        match status_of(folder) {
            Ok(run) => runs.push(run),
            Err(error) => unreadable.push(error),
        }
    }
    warn(&unreadable);
    let status = ProjectStatus { project: project.name, runs };
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
    table.to_text() + &reasons.collect::<String>()
}
