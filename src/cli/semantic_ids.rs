//! `peso semantic-ids`: train the semantic ids of a project, and show how good they are.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Args;
use serde::Serialize;

use super::outcome::{Ended, print, print_json, say};
use super::run::interruption;
use super::table::Table;
use super::words;
use crate::data::formats::Progress;
use crate::error::{Failure, Unusable};
use crate::experiment::Project;
use crate::semantic_id::Quality;
use crate::semantic_id::train::Step;

/// Train a project's semantic ids, unless they are there already, and show how good they are
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Train them again
    #[arg(long)]
    fresh: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What was made, and where it lies.
#[derive(Serialize)]
struct Trained {
    index: PathBuf,
    #[serde(flatten)]
    quality: Quality,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    let interrupted = interruption("\nending after what is under way; once more to end at once")?;
    let quality = match ensure(&project, arguments.fresh, &interrupted) {
        Err(Failure::Stopped) => {
            say("ended while the data was read; nothing was made");
            return Ok(Ended::Interrupted);
        }
        made => made?,
    };
    let (Some(quality), Some(index)) = (quality, project.index_path()) else {
        return Err(Unusable::new(&arguments.project, "the project takes its semantic ids from elsewhere")
            .advice("`semantic_ids: Train()` in the project file trains them")
            .into());
    };
    let trained = Trained { index: project.folder.join(index), quality };
    if arguments.json {
        print_json(&trained)?;
    } else {
        print(&text(&trained))?;
    }
    Ok(Ended::Done)
}

/// Trains the ids that a project wants and does not have yet, with progress on standard error. `interrupted` ends the import
/// of the data.
pub(super) fn ensure(project: &Project, fresh: bool, interrupted: &AtomicBool) -> Result<Option<Quality>, Failure> {
    let mut tenth = 0;
    let mut watch = |progress: Progress| {
        let now = progress.done * 10 / progress.total.max(1);
        if now > tenth {
            tenth = now;
            say(&format!("semantic ids: {} % of the data are read", now * 10));
        }
        if interrupted.load(Ordering::SeqCst) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let mut told = |step: Step| match step {
        Step::Level { level, error } => {
            say(&format!("semantic ids: level {} is done, mean squared error {error:.4e}", level + 1));
        }
        // Twenty lines, however many epochs there are.
        Step::Epoch { epoch, of, loss } if (epoch + 1) * 20 / of > epoch * 20 / of => {
            say(&format!("semantic ids: epoch {} of {of}, loss {loss:.4}", epoch + 1));
        }
        Step::Epoch { .. } => {}
    };
    Ok(project.ensure_semantic_ids(fresh, &mut watch, &mut told)?)
}

fn text(trained: &Trained) -> String {
    let Trained { index, quality } = trained;
    let percent = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share));
    let mut table =
        Table::new(0, ["Level", "Codes used", "Dead codes", "Perplexity", "Squared error", "Category told"]);
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
    let collisions = |which: &str, collisions: crate::semantic_id::quality::Collisions| {
        format!(
            "{which}: {} distinct ids, {} items share one, at most {}\n",
            count(collisions.distinct_ids),
            count(collisions.items),
            count(collisions.largest),
        )
    };
    let baseline = quality.category_baseline.map_or_else(String::new, |share| {
        format!("The most frequent category is that of {} of the items\n", percent(Some(share)))
    });
    format!(
        "{} items, {} codes a level, in {}\n\n{}\n{}{}{} items were given another code on the last level\n{baseline}",
        count(quality.items),
        quality.codes,
        index.display(),
        table.to_text(),
        collisions("As clustered", quality.before),
        collisions("Reassigned", quality.after),
        count(quality.reassigned),
    )
}
