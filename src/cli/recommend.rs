//! `peso recommend`: what every method shows to a history.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::outcome::{Ended, print, print_json, say, warn};
use super::table::Table;
use super::words;
use crate::analysis::recommend::{self, Question, RecommendReport};
use crate::data::Dataset;
use crate::device::DeviceChoice;
use crate::error::InputError;
use crate::files;
use crate::project::Project;
use crate::run::{RunFolder, RunOptions};

/// Show every method's ten recommendations to a history, after a stage and after the one before
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Ids of items, or titles that only one item has, oldest first, with commas between or each behind an option of its own
    #[arg(long, value_name = "ITEM,…", required = true)]
    history: Vec<String>,
    /// The models after this stage; the newest that every run has where none is given
    #[arg(long, value_name = "T")]
    stage: Option<usize>,
    /// Only items that the last N stages up to this one brought, which were in none before
    #[arg(long, value_name = "N", value_parser = words::stages)]
    new_items: Option<usize>,
    /// Whose history it is, for methods that know users
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// These runs alone, by id or experiment
    #[arg(long, value_name = "NAME")]
    run: Vec<String>,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Where to compute: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// File to write the JSON to
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    project.check_trainable()?;
    let runs = arguments.runs(&project)?;
    say("Reading the data");
    let index = project.index_path();
    let dataset = Arc::new(Dataset::load(&project.dataset, index.as_deref(), &project.folder)?);
    let question = Question {
        user: arguments.user.as_deref().map(|name| user_of(&project, &dataset, name)).transpose()?,
        history: recommend::items_of(&project, &dataset, &arguments.history)?,
        stage: arguments.stage(&dataset, &runs)?,
        new_items: arguments.new_items,
    };
    let options = RunOptions { device: arguments.device, out: arguments.out.clone(), ..RunOptions::default() };
    let report = recommend::ask(&dataset, &runs, &question, &options, &mut |place, run| {
        let config = run.config();
        say(&format!("Asking {} with seed {} ({} of {})", config.experiment, config.seed, place + 1, runs.len()));
    })?;
    if let Some(to) = &arguments.to {
        files::write_atomically(to, &serde_json::to_vec(&report)?)?;
    }
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&text(&report))?;
    }
    Ok(Ended::Done)
}

impl Arguments {
    fn runs(&self, project: &Project) -> Result<Vec<RunFolder>, InputError> {
        let runs_dir = project.runs_dir(self.out.as_deref());
        let (mut runs, unusable) = RunFolder::list_all(&runs_dir);
        warn(&unusable);
        runs.retain(|run| {
            let config = run.config();
            let named = self.run.iter().any(|name| *name == config.run || *name == config.experiment);
            config.belongs_to(project) && (self.run.is_empty() || named)
        });
        // In the order that was asked for.
        runs.sort_by_key(|run| {
            self.run.iter().position(|name| *name == run.config().run || *name == run.config().experiment)
        });
        if runs.is_empty() {
            return Err(InputError::new(runs_dir, "there are no such runs").advice("`peso status PROJECT` lists them"));
        }
        Ok(runs)
    }

    fn stage(&self, dataset: &Dataset, runs: &[RunFolder]) -> Result<usize, InputError> {
        let stages = dataset.stages.len();
        if let Some(stage) = self.stage {
            let unknown = || InputError::new(&self.project, format!("there is no stage {stage}")).at("`--stage`");
            return if (1..=stages).contains(&stage) {
                Ok(stage)
            } else {
                Err(unknown().advice(format!("there are {stages}")))
            };
        }
        let mut newest = stages;
        for run in runs {
            let finished = run.reader()?.stages()?.into_iter().filter(|record| record.finished).count();
            newest = newest.min(finished);
        }
        Ok(newest.max(1))
    }
}

fn user_of(project: &Project, dataset: &Dataset, name: &str) -> Result<u32, InputError> {
    let place = dataset.users.iter().position(|user| user == name).map(|place| place as u32);
    place.ok_or_else(|| InputError::new(&project.folder, format!("no user is named \"{name}\"")).at("`--user`"))
}

fn text(report: &RecommendReport) -> String {
    let synthetic = if report.synthetic { " · synthetic data" } else { "" };
    let history: Vec<&str> =
        report.history.iter().map(|item| item.title.as_ref().unwrap_or(&item.id).as_str()).collect();
    let mut text = format!("After stage {}{synthetic}\nHistory: {}\n", report.stage, history.join(" · "));
    if let Some(stages) = report.new_items {
        let brought = recommend::stages_words(report.stage, stages);
        text.push_str(&format!("Only items that {brought} brought\n"));
    }
    for answer in &report.answers {
        text.push_str(&format!("\n{}, seed {}\n", answer.experiment, answer.seed));
        if let Some(problem) = &answer.problem {
            text.push_str(&format!("{problem}\n"));
            continue;
        }
        let mut table = Table::new(4, ["", "Item", "Id", ""]);
        for (item, place) in answer.items.iter().zip(1..) {
            let new = if answer.is_new(item) { "new" } else { "" };
            table.row([place.to_string(), item.title.clone().unwrap_or_default(), item.id.clone(), new.to_owned()]);
        }
        text.push_str(&table.to_text());
    }
    text
}
