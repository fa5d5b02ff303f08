//! What interactions of others are: counts, first rows, columns, skipped lines, and the line of a project file.

use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::table::Table;
use super::words;
use crate::calendar;
use crate::data::DatasetSource;
use crate::data::formats::plan::Plan;
use crate::data::formats::{self, FirstRows, ImportError, ImportReport, SkippedLine};
use crate::data::prepare::{self, Prepare, PrepareReport};
use crate::error::InputError;
use crate::project::file::to_ron;

/// Rows that are shown.
const ROWS: usize = 5;
/// Rejected lines that are shown of each problem.
const EXAMPLES: usize = 3;

/// Interactions in figures.
#[derive(Serialize)]
pub(super) struct Inspected {
    import: ImportReport,
    preview: FirstRows,
    /// The line of a project file.
    dataset: String,
    /// Why the files are taken for their format.
    reason: String,
    /// What the default preparation leaves.
    prepared: Option<PrepareReport>,
    /// Why it leaves nothing.
    not_prepared: Option<String>,
}

impl Inspected {
    /// Reads everything that a plan names.
    pub(super) fn read(plan: &Plan, source: &DatasetSource, path: &Path) -> Result<Self, InputError> {
        let preview = FirstRows::of(plan, ROWS)?;
        let bar = bar();
        let imported = formats::import(plan, &mut |progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.done);
            ControlFlow::Continue(())
        });
        bar.finish_and_clear();
        let (interactions, import) = imported.map_err(ImportError::into_input_error)?;
        let prepared = prepare::prepare(&interactions, &Prepare::default());
        let (prepared, not_prepared) = match prepared {
            Ok(prepared) => (Some(prepared.report), None),
            Err(error) => (None, Some(error.to_string())),
        };
        let dataset = format!("dataset: {},", to_ron(source, path)?.trim_end());
        Ok(Self { import, preview, dataset, reason: plan.reason(), prepared, not_prepared })
    }

    /// For people.
    pub(super) fn to_text(&self) -> String {
        let import = &self.import;
        let mut text = format!(
            "Interactions {} · {} ({})\n{} interactions, {} users, {} items ({} with a title)\n",
            import.name,
            import.format.label,
            self.reason,
            words::count(import.interactions),
            words::count(import.users),
            words::count(import.items),
            words::count(import.titles),
        );
        if let Some((first, last)) = import.period {
            text.push_str(&format!("From {} to {}\n", calendar::date(first), calendar::date(last)));
        }
        for file in &import.files {
            text.push_str(&format!("Read: {} ({}, {})\n", file.path.display(), file.role, words::bytes(file.bytes)));
        }
        for assumption in &import.assumptions {
            text.push_str(&format!("{assumption}\n"));
        }
        text.push_str(&self.columns_text());
        text.push_str(&self.skipped_text());
        match (&self.prepared, &self.not_prepared) {
            (Some(report), _) => text.push_str(&prepared_text(report)),
            (None, Some(problem)) => text.push_str(&format!("\nThe default preparation cannot be used: {problem}\n")),
            (None, None) => {}
        }
        text.push_str(&format!("\nIn a project file:\n{}\n", self.dataset));
        text
    }

    fn columns_text(&self) -> String {
        let mapping: Vec<String> =
            self.preview.mapping.iter().map(|(role, column)| format!("{role} is {column}")).collect();
        let mut table = Table::new(self.preview.columns.len(), self.preview.columns.iter().map(String::as_str));
        self.preview.rows.iter().for_each(|row| table.row(row.iter().map(String::as_str)));
        format!("\nColumns: {}\n\n{}", mapping.join(", "), table.to_text())
    }

    fn skipped_text(&self) -> String {
        let skipped = &self.import.skipped;
        if skipped.lines == 0 {
            return "\nNo line was skipped\n".to_owned();
        }
        let mut text = format!("\n{} lines were skipped\n", words::count(skipped.lines));
        for problem in &skipped.problems {
            text.push_str(&format!("  {}: {}\n", words::count(problem.lines), problem.kind));
            for example in skipped.examples_of(problem).take(EXAMPLES) {
                let SkippedLine { path, line, problem } = example;
                text.push_str(&format!("    {}, line {line}: {problem}\n", path.display()));
            }
        }
        text
    }
}

fn prepared_text(report: &PrepareReport) -> String {
    let mut steps = Table::new(1, ["Step", "Interactions", "Users", "Items"]);
    for step in &report.steps {
        let words = match step.step.as_str() {
            "read" => "Read",
            "deduplicated" => "First of each user and item",
            "rated" => "With a rating",
            "rating" => "With the least rating",
            _ => "5-core",
        };
        let counts = [step.interactions, step.users, step.items].map(words::count);
        steps.row([words.to_owned()].into_iter().chain(counts));
    }
    let mut stages = Table::new(1, ["Stage", "Interactions", "Users", "Take part", "From", "To"]);
    for (number, stage) in (1..).zip(&report.stages) {
        let counts = [stage.interactions, stage.users, stage.participants].map(words::count);
        let period = stage
            .period
            .map_or(["–".to_owned(), "–".to_owned()], |(first, last)| [first, last].map(calendar::date));
        stages.row([number.to_string()].into_iter().chain(counts).chain(period));
    }
    let leak = report.leak_warning().map(|warning| format!("\n{warning}\n")).unwrap_or_default();
    format!("\nWith the default preparation:\n{}\n{}{leak}", steps.to_text(), stages.to_text())
}

/// A bar on standard error, where that is a terminal, for what takes longer than a moment.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("Reading {bar:20} {percent} % · {eta} left")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style.progress_chars("━━┄"));
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}
