//! `peso inspect`: what a dataset, model, tokenizer, adapter, project or run is, and whether it is sound.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use serde::Serialize;

use super::dry_run::{memory_text, preflight_text};
use super::inspect_model::{adapter_text, index_text, model_text, tensors_text, tokenizer_text};
use super::outcome::{Ended, print, print_json, say};
use super::table::Table;
use super::{inspect_data, words};
use crate::budget::memory_estimate::{MemoryEstimate, memory_estimates};
use crate::data::formats::{self, Detected, Spool};
use crate::data::{DataDrift, Dataset, DatasetSource, Summary};
use crate::error::{InputError, RunError};
use crate::figures::words::{metric_label, shown_key};
use crate::id_training::quality::IndexSummary;
use crate::id_training::words::data_drift;
use crate::measure::UserMetric;
use crate::model::foreign;
use crate::model::inspect::{AdapterSummary, ModelSummary, TensorsSummary};
use crate::model::prompt::Preview;
use crate::model::tokenizer::{Tokenizer, TokenizerSummary};
use crate::model::weights::gguf::Gguf;
use crate::project::Project;
use crate::project::file::FILE_NAME;
use crate::results::RunResult;
use crate::run::planned::planned;
use crate::run::{RunFolder, RunOptions, RunSelection};
use crate::train::Task;
use crate::train::preflight::{Preflight, preflight};
use crate::train::prompt_preview::prompt_preview;

/// Show what a dataset, model, tokenizer, adapter, project or run is, and check it
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A dataset's file, folder or quoted pattern of files ('parts/*.csv'), or a pipe; the folder of a Hugging Face model, a PEFT adapter, a project (or its file) or a run; a GGUF
    /// or safetensors file, a `tokenizer.json` or an index of semantic ids
    path: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What was found at a path.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Inspected {
    Dataset(Box<InspectedDataset>),
    Interactions(Box<inspect_data::Inspected>),
    Project(Box<InspectedProject>),
    Run(Box<RunResult>),
    Model(Box<ModelSummary>),
    Tokenizer(TokenizerSummary),
    Adapter(AdapterSummary),
    Tensors(TensorsSummary),
    SemanticIds(IndexSummary),
}

/// A dataset in stages, and how far these lie apart.
#[derive(Serialize)]
struct InspectedDataset {
    #[serde(flatten)]
    summary: Summary,
    data_drift: DataDrift,
}

impl InspectedDataset {
    fn of(dataset: &Dataset) -> Self {
        Self { summary: dataset.summary(), data_drift: data_drift(dataset) }
    }
}

/// A project with an example as its model reads it, and the memory that it would train in.
#[derive(Serialize)]
struct InspectedProject {
    #[serde(flatten)]
    project: Project,
    /// None where data or model cannot be used; the reason is beside it.
    prompt_preview: Option<Preview>,
    prompt_problem: Option<String>,
    memory: Vec<MemoryEstimate>,
    /// How far the stages of its data lie apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    data_drift: Option<DataDrift>,
    /// Why there is no estimate: its data or base model cannot be used here.
    memory_unknown: Option<String>,
    /// What its runs will lack, what they take on the disk, and what they learn from that lies after tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    preflight: Option<Preflight>,
    #[serde(skip_serializing_if = "Option::is_none")]
    leak: Option<String>,
}

impl InspectedProject {
    fn load(path: &Path) -> Result<Inspected, InputError> {
        let project = Project::load(path)?;
        let (prompt_preview, prompt_problem) = match prompt_preview(&project) {
            Ok(preview) => (Some(preview), None),
            Err(problem) => (None, Some(problem.to_string())),
        };
        let mut inspected = Self {
            project,
            prompt_preview,
            prompt_problem,
            memory: Vec::new(),
            data_drift: None,
            memory_unknown: None,
            preflight: None,
            leak: None,
        };
        if let Err(failure) = inspected.look_at_runs() {
            inspected.memory_unknown = Some(failure.to_string());
        }
        Ok(Inspected::Project(Box::new(inspected)))
    }

    /// Reads data and model, and finds out what is to be known before the project's runs.
    fn look_at_runs(&mut self) -> Result<(), RunError> {
        let Project { dataset, folder, .. } = &self.project;
        let index = self.project.index_path();
        let mut on_progress = |_| ControlFlow::Continue(());
        let loaded = Dataset::load_with_progress(dataset, index.as_deref(), folder, &mut on_progress)?;
        self.leak = loaded.import.and_then(|(_, prepared)| prepared.leak_warning());
        let task = Task::of(&self.project, Arc::new(loaded.dataset), &RunOptions::default())?;
        self.data_drift = Some(data_drift(&task.dataset));
        self.memory = memory_estimates(&task);
        self.preflight = Some(preflight(&task, &planned(&self.project, &RunSelection::default())?)?);
        Ok(())
    }
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    // What comes through a pipe can be read only once, and is looked at more often.
    let spool = Spool::of(&arguments.path)?;
    let path = spool.as_ref().map_or(arguments.path.as_path(), Spool::path);
    let inspected = inspect(path).map_err(|error| {
        let path = if error.path == path { arguments.path.clone() } else { error.path };
        InputError { path, ..error }
    })?;
    if spool.is_some() {
        say(&format!(
            "What came through {} was read once. A project needs a file: write it to one, and name that",
            arguments.path.display()
        ));
    }
    if arguments.json {
        print_json(&inspected)?;
    } else {
        print(&match &inspected {
            Inspected::Dataset(dataset) => dataset_text(&dataset.summary),
            Inspected::Interactions(interactions) => interactions.to_text(),
            Inspected::Project(project) => project_text(project),
            Inspected::Run(run) => run_text(run),
            Inspected::Model(model) => model_text(model),
            Inspected::Tokenizer(tokenizer) => tokenizer_text(tokenizer) + "\n",
            Inspected::Adapter(adapter) => adapter_text(adapter),
            Inspected::Tensors(file) => tensors_text(file),
            Inspected::SemanticIds(index) => index_text(index),
        })?;
    }
    Ok(Ended::Done)
}

/// Reads what is at `path`, which its files tell.
fn inspect(path: &Path) -> Result<Inspected, InputError> {
    if !path.exists() && !formats::is_pattern(path) {
        return Err(InputError::new(path, "there is no such file or folder"));
    }
    if path.is_file() {
        if let Some(other) = foreign::file(path) {
            return Err(other);
        }
        return match path.extension().and_then(|ending| ending.to_str()) {
            Some("ron") => InspectedProject::load(path),
            Some("gguf") => Ok(Inspected::Model(Box::new(ModelSummary::read(path)?))),
            Some("json") if path.file_name().is_some_and(|name| name == "tokenizer.json") => {
                Ok(Inspected::Tokenizer(Tokenizer::open(path)?.summary()))
            }
            Some("json") if is_index(path) => Ok(Inspected::SemanticIds(IndexSummary::read(path)?)),
            Some("safetensors") => Ok(Inspected::Tensors(TensorsSummary::read(path)?)),
            _ if Gguf::is_one(path) => Ok(Inspected::Model(Box::new(ModelSummary::read(path)?))),
            _ => dataset(path),
        };
    }
    if path.join("run.ron").is_file() {
        let run = RunFolder::open(path)?;
        let protocol = run.config().project.evaluation.protocol.first();
        return Ok(Inspected::Run(Box::new(RunResult::read(&run.reader()?, protocol)?)));
    }
    if path.join(FILE_NAME).is_file() {
        return InspectedProject::load(path);
    }
    if path.join("adapter_config.json").is_file() {
        return Ok(Inspected::Adapter(AdapterSummary::read(path)?));
    }
    if path.join("config.json").is_file() {
        return Ok(Inspected::Model(Box::new(ModelSummary::read(path)?)));
    }
    dataset(path)
}

/// Whether a file is called as an index of semantic ids is: `<name>.index.json`, `<name>.index.<kind>.json`.
fn is_index(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(".index."))
        && !path.to_string_lossy().ends_with(".safetensors.index.json")
}

/// Reads what is at `path` as a dataset.
fn dataset(path: &Path) -> Result<Inspected, InputError> {
    let other = || {
        foreign::folder(path).or_else(|| formats::unclear_table(path)).unwrap_or_else(|| formats::unknown(path, None))
    };
    let detected = formats::detect(path)?.ok_or_else(other)?;
    let source = detected.source();
    Ok(match detected {
        Detected::Release(_) => {
            let dataset = Dataset::load(&source, None, Path::new(""))?;
            Inspected::Dataset(Box::new(InspectedDataset::of(&dataset)))
        }
        Detected::Interactions(plan) => {
            Inspected::Interactions(Box::new(inspect_data::Inspected::read(&plan, &source, path)?))
        }
    })
}

fn dataset_text(summary: &Summary) -> String {
    let synthetic = if summary.synthetic { " · synthetic data" } else { "" };
    let mut text = format!(
        "Dataset {}{synthetic}\n{} users, {} items ({} with a title)\n",
        summary.name,
        words::count(summary.users as u64),
        words::count(summary.items as u64),
        words::count(summary.titles as u64),
    );
    let codes: Vec<String> = summary.codes.iter().map(usize::to_string).collect();
    text.push_str(&format!(
        "{} distinct semantic ids of {} codes ({} on the levels), at most {} items share one\n\n",
        words::count(summary.distinct_ids as u64),
        summary.levels,
        codes.join(", "),
        summary.largest_collision,
    ));
    let heading = ["Stage", "Users", "Take part", "Interactions", "Train", "Test", "New users", "New items"];
    let mut table = Table::new(0, heading);
    for stage in &summary.stages {
        let figures = [
            stage.stage,
            stage.users,
            stage.participants,
            stage.interactions,
            stage.training_examples,
            stage.test_users,
            stage.new_users,
            stage.new_items,
        ];
        table.row(figures.map(|figure| words::count(figure as u64)));
    }
    text + &table.to_text()
}

fn project_text(inspected: &InspectedProject) -> String {
    let InspectedProject { project, prompt_preview, prompt_problem, memory, memory_unknown, preflight, leak, .. } =
        inspected;
    let dataset = match &project.dataset {
        DatasetSource::PesoRelease { path } => format!("{} (released blocks)", project.folder.join(path).display()),
        DatasetSource::Synthetic(options) => {
            format!("synthetic: {} users, {} items, {} stages", options.users, options.items, options.stages)
        }
        interactions => {
            let path = interactions.path().unwrap_or(Path::new(""));
            format!("{} (interactions)", project.folder.join(path).display())
        }
    };
    let mut text = format!("Project {}\nDataset: {dataset}\n", project.name);
    let seeds: Vec<String> = project.seeds.iter().map(u64::to_string).collect();
    text.push_str(&format!("Base model: {:?}\nSeeds: {}\nExperiments:\n", project.base_model, seeds.join(", ")));
    for experiment in &project.experiments {
        let own = experiment.seeds.as_ref().map(|seeds| format!(", seeds {seeds:?}")).unwrap_or_default();
        text.push_str(&format!("  {}: {:?}{own}\n", experiment.name, experiment.method));
    }
    match (prompt_preview, prompt_problem) {
        (Some(preview), _) => text.push_str(&preview_text(preview)),
        (None, Some(problem)) => text.push_str(&format!("Prompt: no example can be shown: {problem}\n")),
        (None, None) => {}
    }
    text.push('\n');
    if !memory.is_empty() {
        text.push_str(&memory_text(memory));
    }
    if let Some(preflight) = preflight {
        text.push_str(&format!("\n{}", preflight_text(preflight)));
    }
    if let Some(leak) = leak {
        text.push_str(&format!("\n{leak}\n"));
    }
    if let Some(reason) = memory_unknown {
        text.push_str(&format!("What its runs need is not known: {reason}\n"));
    }
    text
}

/// An example, and its tokens between bars.
fn preview_text(preview: &Preview) -> String {
    let tokens: Vec<String> = preview.tokens.iter().map(|token| format!("{:?}", token.text)).collect();
    format!(
        "An example, {} tokens and {} of the response:\n  {}\nIts tokens:\n  {}\n{}\n",
        preview.prompt_tokens,
        preview.tokens.len() - preview.prompt_tokens,
        preview.text.replace('\n', "\n  "),
        tokens.join(" "),
        preview.sharing,
    )
}

fn run_text(run: &RunResult) -> String {
    let text = format!(
        "Run {}\n{}, seed {}, {} on {}, {} trainable parameters\n\n",
        run.run,
        run.experiment,
        run.seed,
        run.status.key(),
        run.device,
        words::count(run.trainable_parameters),
    );
    let measured = |key: &str| run.stages.iter().any(|stage| stage.metrics.contains_key(key));
    let metrics = [UserMetric::hit(10), UserMetric::ndcg(10)].map(|metric| shown_key(metric, measured));
    let heading = ["Stage", "Examples", "Test users", "Train", "Evaluate", "Memory", "Loss"].map(str::to_owned);
    let mut table = Table::new(0, heading.into_iter().chain(metrics.iter().map(|key| metric_label(key))));
    for stage in &run.stages {
        let metric =
            |key: &String| stage.metrics.get(key).map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        table.row([
            stage.stage.to_string(),
            words::count(stage.train_examples),
            words::count(stage.test_users),
            words::duration(stage.train_seconds),
            words::duration(stage.eval_seconds),
            words::bytes(stage.peak_memory_bytes),
            format!("{:.4}", stage.final_loss),
            metric(&metrics[0]),
            metric(&metrics[1]),
        ]);
    }
    text + &table.to_text()
}
