//! `peso semantic-ids`: train the semantic ids of a project, append to them, and show how good they are.

mod growth;
mod modalities;
mod updates;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use serde::Serialize;

use super::interruption::interruption;
use super::outcome::{Ended, print, print_json, say};
use super::table::{self, Table};
use super::words;
use crate::data::formats::Progress;
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::files;
use crate::id_training::Quality;
use crate::id_training::observer::Step;
use crate::id_training::quality::Collisions;
use crate::project::{Project, SemanticIds};
use crate::run::CHECKPOINT_EVERY;
use crate::semantic_id::Manifest;
use crate::semantic_id::manifest::Version;
use crate::train::semantic_ids::{IdFiles, Making, Watcher};

/// Train a project's semantic ids, unless they are there already, and show how good they are; what is unfinished is resumed. With
/// `--append` items that came with new data get ids, and no id that is there is moved. With `--compare-updates` ways to update ids are
/// compared over the stages, with `--modalities` the sources of vectors
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Train them again
    #[arg(long)]
    fresh: bool,
    /// Give items without an id the nearest free ones under the codebooks that were kept, and move none
    #[arg(long, conflicts_with_all = ["fresh", "items"])]
    append: bool,
    /// Compare ways to update the tokenizer over the stages: how many ids move, how well they describe the items, and what a model that
    /// knows the old ones loses. No id of the project is changed
    #[arg(long, conflicts_with_all = ["fresh", "append", "items"])]
    compare_updates: bool,
    /// Compare the sources that vectors are put together of (`Concat`), text and image for example: how far they agree on which items are
    /// alike, and which items change codes when one is left out. It is kept beside the ids for the figure `modalities`; no id of the
    /// project is changed
    #[arg(long, conflicts_with_all = ["fresh", "append", "compare_updates", "items"])]
    modalities: bool,
    /// Write the items' ids into a file, a line an item, and train nothing: the order of rows of a `.npy` file of item vectors
    #[arg(long, value_name = "FILE", conflicts_with_all = ["fresh", "json"])]
    items: Option<PathBuf>,
    /// Where a language model reads the items' texts: auto, wgpu, cuda or cpu
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    device: DeviceChoice,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// Below the figures, what each of them means
    #[arg(long, conflicts_with_all = ["json", "items"])]
    explain: bool,
    /// Seconds between two checkpoints
    #[arg(long, value_name = "SECONDS", default_value_t = CHECKPOINT_EVERY.as_secs())]
    checkpoint_every: u64,
}

/// Columns of levels, and what the sentences below them count.
const LEVELS: [&str; 6] =
    ["Level", "Codes used", "Dead codes", "Perplexity", "Squared error", "Category predictability"];
const COLLISIONS: [&str; 4] = ["Distinct ids", "As trained", "At last", "The most frequent category"];

/// What was made, and where it lies.
#[derive(Serialize)]
struct Trained {
    index: PathBuf,
    /// Which items codebooks were trained on, and what that means.
    on: &'static str,
    note: &'static str,
    /// What was published, oldest first; empty for ids that an earlier version of the program made.
    versions: Vec<Version>,
    #[serde(flatten)]
    quality: Quality,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    project.check_trainable()?;
    let interrupted = interruption("\nsaving the state; once more to end at once")?;
    let mut lines = Lines::new(interrupted);
    if let Some(file) = &arguments.items {
        let ids = project.item_ids(&mut lines)?;
        write_ids(file, &ids)?;
        say(&format!("{} items are in {}", words::count(ids.len() as u64), file.display()));
        return Ok(Ended::Done);
    }
    let making = Making {
        fresh: arguments.fresh,
        device: arguments.device,
        checkpoint_every: Duration::from_secs(arguments.checkpoint_every),
    };
    let elsewhere = || {
        InputError::new(&arguments.project, "the project takes its semantic ids from elsewhere")
            .advice("`semantic_ids: Train()` in the project file trains them")
    };
    if arguments.compare_updates {
        return match project.compare_id_updates(arguments.device, &mut lines) {
            Err(RunError::Stopped) => Ok(Ended::Interrupted),
            Err(error) => Err(error.into()),
            Ok(found) => updates::show(&found.ok_or_else(elsewhere)?, arguments),
        };
    }
    if arguments.modalities {
        return match project.compare_modalities(arguments.device, &mut lines) {
            Err(RunError::Stopped) => Ok(Ended::Interrupted),
            Err(error) => Err(error.into()),
            Ok(found) => modalities::show(&found.ok_or_else(elsewhere)?, arguments),
        };
    }
    let (SemanticIds::Train(options), Some(id_files)) = (&project.semantic_ids, IdFiles::of(&project)) else {
        return Err(elsewhere().into());
    };
    if arguments.append {
        return match project.append_semantic_ids(making, &mut lines) {
            Err(RunError::Stopped) => {
                say("stopped; no id was given, and the same command begins again");
                Ok(Ended::Interrupted)
            }
            Err(error) => Err(error.into()),
            Ok(growth) => growth::show(&growth.ok_or_else(elsewhere)?, options.on, &id_files, arguments.json),
        };
    }
    let quality = match project.ensure_semantic_ids(making, &mut lines) {
        Err(RunError::Stopped) => {
            say("stopped; what is done is kept, and the same command goes on");
            return Ok(Ended::Interrupted);
        }
        ended => ended?.ok_or_else(elsewhere)?,
    };
    let versions = Manifest::of(&id_files.index)?.map(|manifest| manifest.versions).unwrap_or_default();
    let (on, note) = (options.on.name(), options.on.note());
    let trained = Trained { index: id_files.index, on, note, versions, quality };
    if arguments.json {
        print_json(&trained)?;
    } else {
        let explained =
            if arguments.explain { table::explained(LEVELS.into_iter().chain(COLLISIONS)) } else { String::new() };
        print(&(text(&trained) + &explained))?;
    }
    Ok(Ended::Done)
}

fn write_ids(file: &std::path::Path, ids: &[String]) -> Result<(), InputError> {
    if let Some(id) = ids.iter().find(|id| id.contains(['\n', '\r'])) {
        return Err(InputError::new(file, format!("the item {id:?} has a line break in its id"))
            .advice("a line of the file is an id; give such items other ids"));
    }
    let text: String = ids.iter().flat_map(|id| [id.as_str(), "\n"]).collect();
    files::write_atomically(file, text.as_bytes())
}

/// Trains the ids that a project wants and does not have yet, with progress on standard error.
pub(super) fn ensure(
    project: &Project,
    device: DeviceChoice,
    interrupted: &Arc<AtomicBool>,
) -> Result<Option<Quality>, RunError> {
    let making = Making { device, ..Making::default() };
    project.ensure_semantic_ids(making, &mut Lines::new(Arc::clone(interrupted)))
}

/// Between two lines of one kind.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Progress as lines on standard error: the first and the last of each kind, and one every few seconds between.
struct Lines {
    interrupted: Arc<AtomicBool>,
    last: Option<Instant>,
}

impl Lines {
    fn new(interrupted: Arc<AtomicBool>) -> Self {
        Self { interrupted, last: None }
    }

    fn line(&mut self, is_last: bool, words: impl FnOnce() -> String) {
        if is_last || self.last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
            self.last = (!is_last).then(Instant::now);
            say(&format!("semantic ids: {}", words()));
        }
    }
}

impl Watcher for Lines {
    fn reading(&mut self, Progress { done, total }: Progress) {
        // Small files are read without a word.
        self.line(false, || format!("{} % of the data are read", done * 100 / total.max(1)));
    }

    fn waiting(&mut self) {
        say("semantic ids: another process makes the same ones, and is waited for");
    }

    fn remark(&mut self, words: &str) {
        say(&format!("semantic ids: {words}"));
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Embedded { done, of } => self.line(done == of, || format!("{done} of {of} texts are read")),
            Step::Lacking { source, items, of } => {
                say(&format!("semantic ids: {items} of {of} items have no vector in {source}, and get the mean of the others there"));
            }
            Step::Compared { done, of } => self.line(done == of, || format!("{done} of {of} trainings are compared")),
            Step::Epoch(epoch) => self.line(epoch.epoch == epoch.of, || {
                let used: Vec<String> = epoch.used.iter().map(usize::to_string).collect();
                format!(
                    "epoch {} of {}, loss {:.4} (reconstruction {:.4}, quantisation {:.4}), {} codes used, {:.1} % of the items share an id",
                    epoch.epoch,
                    epoch.of,
                    epoch.loss,
                    epoch.reconstruction,
                    epoch.quantisation,
                    used.join(" + "),
                    100.0 * epoch.collisions,
                )
            }),
            Step::Level { level, error } => {
                say(&format!("semantic ids: level {} is done, mean squared error {error:.4e}", level + 1));
            }
        }
    }

    fn interrupted(&mut self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

fn text(trained: &Trained) -> String {
    let Trained { index, note, versions, quality, .. } = trained;
    let percent = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
    let mut table = Table::new(0, LEVELS);
    for (level, figures) in quality.levels.iter().enumerate() {
        table.row([
            (level + 1).to_string(),
            figures.used.to_string(),
            figures.dead.to_string(),
            format!("{:.1}", figures.perplexity),
            format!("{:.4e}", figures.error),
            percent(figures.category),
        ]);
    }
    let count = |number: usize| words::count(number as u64);
    let collisions = |which: &str, collisions: Collisions| {
        format!(
            "{which}: {} distinct ids, {} items share one, at most {}\n",
            count(collisions.distinct_ids),
            count(collisions.items),
            count(collisions.largest),
        )
    };
    let spread = quality.spread.map_or_else(String::new, |spread| {
        collisions(&format!("After spreading them in {} of 20 rounds", spread.rounds), spread.after)
    });
    let baseline = quality.category_baseline.map_or_else(String::new, |share| {
        format!("The most frequent category is that of {} of the items\n", percent(Some(share)))
    });
    format!(
        "{} items, {} codes a level, in {}\n{note}\n\n{}\n{}{spread}{}{} items were given the nearest free code\n{baseline}{}",
        count(quality.items),
        quality.codes,
        index.display(),
        table.to_text(),
        collisions("As trained", quality.before),
        collisions("At last", quality.after),
        count(quality.reassigned),
        growth::versions_table(versions),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::measures::definition;

    #[test]
    fn every_figure_is_defined() {
        for measure in LEVELS.into_iter().skip(1).chain(COLLISIONS).chain(updates::MEASURES).chain(modalities::MEASURES)
        {
            assert!(definition(measure).is_some(), "{measure}");
        }
    }
}
