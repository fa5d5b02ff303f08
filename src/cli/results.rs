//! `peso results`: what was measured.

mod csv;
mod latex;
mod metrics;
mod slices;
mod text;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::outcome::{Ended, print, print_json, say_archived, warn};
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::UserMetric;
use crate::project::Project;
use crate::results::churn::{ChurnReport, churn};
use crate::results::seeds::SeedChoice;
use crate::results::slices::{SlicedLine, sliced};
use crate::results::{Results, RunResult, not_measured};
use crate::run::{RunFolder, Status};

/// Show what was measured: means over the later stages, stage by stage, with their spread over seeds; what was kept and
/// forgotten; what it cost
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// As JSON, with every run, stage and the matrix `R[i, j]`
    #[arg(long, conflicts_with_all = ["csv", "latex"])]
    json: bool,
    /// As CSV, one row a run and stage
    #[arg(long, conflicts_with = "latex")]
    csv: bool,
    /// As LaTeX tables (booktabs)
    #[arg(long)]
    latex: bool,
    /// same-block (leave-one-out within each stage), next-block (each stage's first interactions, asked of earlier models) or
    /// global-time (the tests of same-block, asked of earlier models); the first that the project measures
    #[arg(long)]
    protocol: Option<Protocol>,
    /// Each line over its own seeds, instead of all over those that they share; the JSON and the CSV list every run anyway
    #[arg(long)]
    all_seeds: bool,
    /// By kinds of users and targets; with --csv and --latex instead of the other tables
    #[arg(long)]
    slices: bool,
    /// In the JSON, how far each stage moved the lists: rank-biased overlap, new items of the top 10 and gain, by stage and slice
    #[arg(long, requires = "json")]
    churn: bool,
    /// Below the tables, what each of their columns means
    #[arg(long, conflicts_with_all = ["json", "csv", "latex"])]
    explain: bool,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Report<'r> {
    #[serde(flatten)]
    results: &'r Results,
    /// What the semantic ids know of the future, where the project trains them.
    #[serde(skip_serializing_if = "Option::is_none")]
    semantic_ids: Option<&'static str>,
    /// The seeds that all lines have, over which the tables are; empty where there is none.
    shared_seeds: Vec<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    slices: Option<&'r [SlicedLine]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    churn: Option<Vec<ChurnReport>>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    let protocol = arguments.protocol.unwrap_or(project.evaluation.protocol.first());
    let runs_dir = project.runs_dir(arguments.out.as_deref());
    let (mut results, mut unreadable) = Results::read(&project, &runs_dir, protocol);
    unreadable.extend(without_protocol(&mut results, &arguments.project, &runs_dir)?);
    warn(&unreadable);
    say_archived(&runs_dir);
    let choice = SeedChoice::of(arguments.all_seeds);
    let slices = if arguments.slices {
        Some(sliced(&project, &runs_dir, protocol, &slices::metrics(&project.evaluation), choice)?)
    } else {
        None
    };
    match (&slices, arguments.json, arguments.csv, arguments.latex) {
        (slices, true, _, _) => {
            let churn = if arguments.churn { Some(all_churn(&results, &runs_dir)?) } else { None };
            let shared_seeds = results.clone().over_seeds(&project, SeedChoice::Shared).1.shared;
            let semantic_ids = project.semantic_ids.note();
            print_json(&Report { results: &results, semantic_ids, shared_seeds, slices: slices.as_deref(), churn })?;
        }
        (None, _, true, _) => print(&csv::as_csv(&results))?,
        (Some(slices), _, true, _) => print(&slices::as_csv(slices))?,
        (None, _, _, true) => {
            let (results, basis) = results.side_by_side().over_seeds(&project, choice);
            print(&latex::as_latex(&results, &basis))?;
        }
        (Some(slices), _, _, true) => print(&slices::as_latex(&results.project, slices))?,
        (slices, ..) => {
            let (results, basis) = results.side_by_side().over_seeds(&project, choice);
            let text = text::as_text(&results, &basis, project.is_synthetic());
            let ids = project.semantic_ids.note().map(|note| format!("\n{note}\n")).unwrap_or_default();
            let sliced = slices.as_deref().map(slices::as_text).unwrap_or_default();
            let explained = arguments.explain.then(|| text::explained(&results, slices.as_deref()));
            print(&(text + &ids + &sliced + &explained.unwrap_or_default()))?;
        }
    }
    Ok(Ended::Done)
}

/// The churn of every run that has two models which were asked the same tests.
fn all_churn(results: &Results, runs_dir: &Path) -> Result<Vec<ChurnReport>, InputError> {
    let read = |run: &RunResult| {
        let folder = RunFolder::open(&RunFolder::path_of(runs_dir, &run.run))?;
        churn(&folder, results.protocol, UserMetric::default())
    };
    let reports = results.runs.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(reports.into_iter().filter(|report| !report.stages.is_empty()).collect())
}

/// Takes out the runs that came to their end without the protocol, and says which.
///
/// # Errors
/// No run is left.
fn without_protocol(results: &mut Results, project: &Path, runs_dir: &Path) -> Result<Vec<InputError>, InputError> {
    let protocol = results.protocol;
    let lacks = |run: &RunResult| run.status == Status::Finished && !run.protocols.contains(&protocol);
    let (lacking, kept): (Vec<RunResult>, _) = std::mem::take(&mut results.runs).into_iter().partition(lacks);
    results.runs = kept;
    if !lacking.is_empty() && results.runs.is_empty() {
        return Err(not_measured(project, protocol));
    }
    Ok(lacking.iter().map(|run| not_measured(&RunFolder::path_of(runs_dir, &run.run), protocol)).collect())
}

/// What the means of a protocol are over.
fn means_over(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::SameBlock => "mean over the stages from 2 on",
        Protocol::GlobalTime => {
            "mean over the stages from 2 on, each stage's last interactions asked of the model after the stage before it"
        }
        Protocol::NextBlock => {
            "mean over the stages from 2 on, each stage's first interactions asked of the model after the stage before it"
        }
    }
}
