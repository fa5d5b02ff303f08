//! `peso semantic-ids --append`: what it came to, as text and JSON.

use serde::Serialize;

use crate::cli::outcome::{Ended, print, print_json};
use crate::cli::table::Table;
use crate::cli::words;
use crate::id_training::TrainedOn;
use crate::id_training::quality::Quality;
use crate::semantic_id::manifest::Version;
use crate::train::semantic_ids::{Growth, IdFiles};

/// What is printed as JSON.
#[derive(Serialize)]
struct Report<'g> {
    index: &'g std::path::Path,
    manifest: &'g std::path::Path,
    on: &'static str,
    note: &'static str,
    added: usize,
    #[serde(flatten)]
    growth: &'g Growth,
}

pub(super) fn show(growth: &Growth, on: TrainedOn, id_files: &IdFiles, json: bool) -> anyhow::Result<Ended> {
    if json {
        let IdFiles { index, manifest, .. } = id_files;
        let (added, note) = (growth.added(), on.note());
        print_json(&Report { index, manifest, on: on.name(), note, added, growth })?;
    } else {
        print(&text(growth, on, id_files))?;
    }
    Ok(Ended::Done)
}

fn text(growth: &Growth, on: TrainedOn, id_files: &IdFiles) -> String {
    let count = |number: usize| words::count(number as u64);
    let Growth { before, after, errors, versions } = growth;
    let index = id_files.index.display();
    if versions.is_empty() {
        return format!("Every item of the data has an id: nothing was appended to {index}\n{}\n", on.note());
    }
    let used = |quality: &Quality| {
        let used: Vec<String> = quality.levels.iter().map(|level| level.used.to_string()).collect();
        format!("{} of {} on each level", used.join(" + "), quality.codes)
    };
    let shared = |quality: &Quality| {
        format!(
            "{} ids of {} items, at most {} share one",
            count(quality.after.distinct_ids),
            count(quality.items),
            quality.after.largest
        )
    };
    let error = |error: Option<f64>| error.map_or_else(|| "–".to_owned(), |error| format!("{error:.4e}"));
    let mut table = Table::new(1, ["", "Before", "After"]);
    table.row(["Items".to_owned(), count(before.items), count(after.items)]);
    table.row(["Ids".to_owned(), shared(before), shared(after)]);
    table.row(["Codes used".to_owned(), used(before), used(after)]);
    let without: usize = versions.iter().map(|version| version.shared).sum();
    let full = if without == 0 {
        String::new()
    } else {
        format!(
            "No id was free for {} of them, which share the id of their nearest codes: more `codes` or `levels` make room, with all ids made anew\n",
            count(without)
        )
    };
    format!(
        "{} items were given an id in {index}, and none was moved\n{}\n\n{}\nMean squared error: {} of the items that were there, {} of those that were added\n{full}{}",
        count(growth.added()),
        on.note(),
        table.to_text(),
        error(errors.published),
        error(errors.added),
        versions_table(versions),
    )
}

/// A row a version; nothing where there are none.
pub(super) fn versions_table(versions: &[Version]) -> String {
    if versions.is_empty() {
        return String::new();
    }
    let mut table =
        Table::new(2, ["Version", "How", "Stage", "Added", "Items", "Other than nearest", "Shared", "Squared error"]);
    for version in versions {
        table.row([
            version.version.to_string(),
            version.how.words().to_owned(),
            version.stage.map_or_else(|| "–".to_owned(), |stage| stage.to_string()),
            words::count(version.added as u64),
            words::count(version.items as u64),
            words::count(version.moved as u64),
            words::count(version.shared as u64),
            version.error.map_or_else(|| "–".to_owned(), |error| format!("{error:.4e}")),
        ]);
    }
    format!("\n{}", table.to_text())
}
