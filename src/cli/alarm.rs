//! `peso alarm`: from when on a model that is no longer trained serves its users worse.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::outcome::{Ended, print, print_json};
use super::table::Table;
use super::words;
use crate::data::bundle::DataBundle;
use crate::data::{Dataset, Protocol};
use crate::error::InputError;
use crate::plot::scale::grouped;
use crate::project::Project;
use crate::results::ShownRuns;
use crate::results::alarm::{AlarmSettings, DriftAlarm, Raised, USUAL_CONFIDENCE, USUAL_REFERENCE, Watch, usual_run};
use crate::run::RunFolder;

/// Raise the drift alarm: from when on the model of stage 1 serves its users worse, so that an update would pay
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of a run, or a project, of which the first run of Frozen is taken
    path: PathBuf,
    /// One less the chance of a false alarm: above 0 and below 1
    #[arg(long, value_name = "SHARE", default_value_t = USUAL_CONFIDENCE, value_parser = words::share)]
    confidence: f64,
    /// The stage that later ones are held against. In stage 1 the model does better than later whatever drifts, as it has
    /// learned from these users
    #[arg(long, value_name = "T", default_value_t = USUAL_REFERENCE, value_parser = words::stage)]
    reference: usize,
    /// Folder of the runs of a project, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// same-block, next-block or global-time; the first that the project measures
    #[arg(long)]
    protocol: Option<Protocol>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    alarm: &'a DriftAlarm,
    sentence: String,
    remarks: Vec<String>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let (folder, project) = run_of(&arguments.path, arguments.out.as_deref())?;
    let protocol = arguments.protocol.unwrap_or(project.evaluation.protocol.first());
    let dataset = dataset_of(&project)?;
    let settings = AlarmSettings { confidence: arguments.confidence, reference: arguments.reference };
    let alarm = DriftAlarm::of_run(&folder, protocol, &dataset, settings)?;
    if arguments.json {
        print_json(&Report { alarm: &alarm, sentence: alarm.sentence(), remarks: alarm.remarks() })?;
    } else {
        print(&as_text(&alarm))?;
    }
    Ok(Ended::Done)
}

/// The run that a path names, and its project.
fn run_of(path: &Path, out: Option<&Path>) -> Result<(RunFolder, Project), InputError> {
    if path.join("run.ron").is_file() {
        let folder = RunFolder::open(path)?;
        let project = folder.config().project.clone();
        return Ok((folder, project));
    }
    let project = Project::load(path)?;
    let runs_dir = project.runs_dir(out);
    let mut folders = ShownRuns::read(&runs_dir).folders;
    folders.retain(|folder| folder.config().belongs_to(&project));
    let Some(folder) = usual_run(&folders) else {
        return Err(InputError::new(runs_dir, "no run that adapts the language model is finished")
            .advice("`peso run --experiment Frozen` trains the model of stage 1 and tests it on every stage"));
    };
    Ok((folder.clone(), project))
}

fn dataset_of(project: &Project) -> Result<Dataset, InputError> {
    if project.read_only {
        return Ok(DataBundle::read(&project.folder)?.dataset());
    }
    Dataset::load(&project.dataset, project.index_path().as_deref(), &project.folder)
}

fn as_text(alarm: &DriftAlarm) -> String {
    let note = if alarm.synthetic { " · synthetic data" } else { "" };
    let mut text = format!("{} · model of stage 1{note}\n\n", alarm.run);
    let mut stages = Table::new(1, ["Stage", "Tests", "Target in list"]);
    for stage in &alarm.stages {
        stages.row([
            stage.stage.to_string(),
            stage.tests.to_string(),
            format!("{} %", grouped(100.0 * stage.listed, 1)),
        ]);
    }
    text.push_str(&stages.to_text());
    text.push('\n');
    let mut bets = Table::new(1, ["Tests of", "Tests", "Largest capital", "Line", "Alarm", "Since", "Delay"]);
    bets.row(cells("all users".to_owned(), &alarm.overall));
    for group in &alarm.groups {
        bets.row(cells(group.group.name.clone(), &group.watch));
    }
    text.push_str(&bets.to_text());
    text.push('\n');
    text.extend(std::iter::once(alarm.sentence()).chain(alarm.remarks()).map(|line| format!("{line}.\n")));
    text
}

fn cells(name: String, watch: &Watch) -> [String; 7] {
    let raised = |of: fn(&Raised) -> String| watch.alarm.as_ref().map_or_else(|| "–".to_owned(), of);
    [
        name,
        watch.tests.to_string(),
        capital(watch.largest),
        grouped(watch.line, 0),
        raised(|alarm| format!("stage {}", alarm.stage)),
        raised(|alarm| format!("stage {}", alarm.began)),
        raised(|alarm| format!("{} tests", alarm.delay)),
    ]
}

/// A capital, of its common logarithm.
fn capital(log: f64) -> String {
    if log < 6.0 { grouped(10f64.powf(log), 1) } else { format!("10^{}", grouped(log, 0)) }
}
