//! `peso inspect`: what a dataset, model, adapter, project or run is, and whether it is sound.

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use super::inspect_data;
use super::outcome::{Ended, print, print_json};
use super::table::Table;
use super::words;
use crate::data::formats::{self, Detected};
use crate::data::{Dataset, DatasetSource, Summary};
use crate::error::Unusable;
use crate::experiment::Project;
use crate::experiment::project_file::FILE_NAME;
use crate::experiment::results::RunResult;
use crate::experiment::run_folder::RunFolder;
use crate::model::inspect::{AdapterSummary, ModelSummary};

/// Show what a dataset, model, adapter, project or run is, and check it
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A dataset's file or folder, or the folder of a Hugging Face model, a PEFT adapter, a project (or its file) or a run
    path: PathBuf,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What was found at a path.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Inspected {
    Dataset(Summary),
    Interactions(Box<inspect_data::Inspected>),
    Project(Box<Project>),
    Run(RunResult),
    Model(ModelSummary),
    Adapter(AdapterSummary),
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let inspected = inspect(&arguments.path)?;
    if arguments.json {
        print_json(&inspected)?;
    } else {
        print(&match &inspected {
            Inspected::Dataset(summary) => dataset_text(summary),
            Inspected::Interactions(interactions) => interactions.to_text(),
            Inspected::Project(project) => project_text(project),
            Inspected::Run(run) => run_text(run),
            Inspected::Model(model) => model_text(model),
            Inspected::Adapter(adapter) => adapter_text(adapter),
        })?;
    }
    Ok(Ended::Done)
}

/// Reads what is at `path`, which its files tell.
fn inspect(path: &Path) -> Result<Inspected, Unusable> {
    if !path.exists() {
        return Err(Unusable::new(path, "there is no such file or folder"));
    }
    if path.is_file() {
        return match path.extension().and_then(|ending| ending.to_str()) {
            Some("ron") => Ok(Inspected::Project(Box::new(Project::load(path)?))),
            _ => dataset(path),
        };
    }
    if path.join("run.ron").is_file() {
        let run = RunFolder::open(path)?;
        let protocol = run.config().project.evaluation.protocol.first();
        return Ok(Inspected::Run(run.reader()?.result(protocol)?));
    }
    if path.join(FILE_NAME).is_file() {
        return Ok(Inspected::Project(Box::new(Project::load(path)?)));
    }
    if path.join("adapter_config.json").is_file() {
        return Ok(Inspected::Adapter(AdapterSummary::read(path)?));
    }
    if path.join("config.json").is_file() {
        return Ok(Inspected::Model(ModelSummary::read(path)?));
    }
    dataset(path)
}

/// Reads what is at `path` as a dataset.
fn dataset(path: &Path) -> Result<Inspected, Unusable> {
    let detected = formats::detect(path)?.ok_or_else(|| unknown(path))?;
    let source = detected.source();
    Ok(match detected {
        Detected::Release(_) => Inspected::Dataset(Dataset::load(&source, None, Path::new(""))?.summary()),
        Detected::Interactions(plan) => {
            Inspected::Interactions(Box::new(inspect_data::Inspected::read(&plan, &source, path)?))
        }
    })
}

fn unknown(path: &Path) -> Unusable {
    Unusable::new(path, "neither a dataset, a model, an adapter, a project nor a run").advice(
        "a dataset is a folder with `<name>.all.block_<k>.json` files, or interactions of LC-Rec, Amazon (2014, 2018, 2023), \
         RecBole, MovieLens, Yelp or a table; a model's folder has `config.json`, an adapter's `adapter_config.json`; a project \
         is a `.ron` file or a folder with `project.ron`, a run's folder has `run.ron`",
    )
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

fn project_text(project: &Project) -> String {
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
        text.push_str(&format!("  {}: {:?}\n", experiment.name, experiment.method));
    }
    text
}

fn model_text(model: &ModelSummary) -> String {
    let llama = &model.architecture;
    let types: Vec<&str> = model.types.iter().map(String::as_str).collect();
    let mut text = format!(
        "Llama model: {} parameters, {} MiB as {}\n{} layers of width {}, {} heads ({} for keys and values) of width {}, \
         feed-forward {}, vocabulary {}, {} head\n",
        words::count(model.parameters),
        words::count(model.bytes >> 20),
        types.join(", "),
        llama.layers,
        llama.width,
        llama.heads,
        llama.kv_heads,
        llama.head_width,
        llama.ffn,
        words::count(llama.vocabulary as u64),
        if llama.tied { "tied" } else { "untied" },
    );
    if !model.unused.is_empty() {
        text.push_str(&format!("Not used: {}\n", model.unused.join(", ")));
    }
    text
}

fn adapter_text(adapter: &AdapterSummary) -> String {
    let modules: Vec<String> = adapter.modules.iter().map(|(name, count)| format!("{name} x {count}")).collect();
    format!(
        "LoRA adapter: rank {}, alpha {}, {} parameters\nModules: {}\n",
        adapter.rank,
        adapter.alpha,
        words::count(adapter.parameters),
        modules.join(", "),
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
    let heading = ["Stage", "Examples", "Test users", "Train", "Evaluate", "Memory", "Loss", "Hit@10", "NDCG@10"];
    let mut table = Table::new(0, heading);
    for stage in &run.stages {
        let metric = |name| stage.metrics.get(name).map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        table.row([
            stage.stage.to_string(),
            words::count(stage.train_examples),
            words::count(stage.test_users),
            words::duration(stage.train_seconds),
            words::duration(stage.eval_seconds),
            words::bytes(stage.peak_memory_bytes),
            format!("{:.4}", stage.final_loss),
            metric("hit@10"),
            metric("ndcg@10"),
        ]);
    }
    text + &table.to_text()
}
