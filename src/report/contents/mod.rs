//! What a report says, made of a project's results and figures.

mod answer;
mod comparison;
mod data;
mod figures;
mod how;
mod methods;
mod settings;

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::document::{Document, Section};
use crate::calendar;
use crate::data::Dataset;
use crate::error::InputError;
use crate::figures::FigureContext;
use crate::figures::board::Contexts;
use crate::figures::gains::usual_baseline;
use crate::figures::provenance::SYNTHETIC;
use crate::figures::words::usual_metric;
use crate::measure::statistics::Verdict;
use crate::project::Project;
use crate::results::RunResult;
use crate::results::comparison::{ComparisonLine, Judged};
use crate::run::{RunConfig, RunFolder, Status};

/// A report, and why parts of it are missing.
#[derive(Debug)]
pub struct Reported {
    pub document: Document,
    /// Runs and figures that could not be read.
    pub left_out: Vec<InputError>,
}

/// What all sections are made of, each thing read once.
struct Source<'a> {
    project: &'a Project,
    /// Of figures, by what they ask for.
    contexts: &'a Contexts<'a>,
    /// Of the protocol that the project measures first.
    context: &'a FigureContext<'a>,
    dataset: Result<Dataset, InputError>,
    /// The key of the metric that decides: NDCG@10.
    metric: String,
    lines: Vec<&'a ComparisonLine>,
    /// By line: against the one at [`baseline`](Self::baseline).
    judged: Vec<Judged>,
    baseline: usize,
    /// The [leader](Self::leader) against the [best that only counts](Self::best_counted), where there are both.
    against_counted: Option<Judged>,
    /// Of the runs that results are of, in their order.
    configurations: Vec<RunConfig>,
}

impl Source<'_> {
    /// The name of the line that the others are held against; none where no run is finished.
    fn baseline(&self) -> Option<&str> {
        self.lines.get(self.baseline).map(|line| line.name.as_str())
    }

    /// The mean of the deciding metric.
    fn value(&self, line: &ComparisonLine) -> Option<f64> {
        line.metrics.get(&self.metric).map(|estimate| estimate.mean)
    }

    /// Verdicts with their lines; the baseline and what cannot be compared have none.
    fn verdicts(&self) -> impl Iterator<Item = (&ComparisonLine, &Verdict)> {
        self.lines.iter().zip(&self.judged).filter_map(|(line, judged)| match judged {
            Judged::Verdict(verdict) => Some((*line, verdict.as_ref())),
            Judged::Baseline | Judged::Incomparable(_) => None,
        })
    }

    /// The trained line with the best mean; none where no trained run is finished.
    fn leader(&self) -> Option<&ComparisonLine> {
        self.best(false).map(|index| self.lines[index])
    }

    /// The line that only counts with the best mean.
    fn best_counted(&self) -> Option<&ComparisonLine> {
        self.best(true).map(|index| self.lines[index])
    }

    /// The place of the line with the best mean, of those that only count or of those that are trained.
    fn best(&self, counted: bool) -> Option<usize> {
        let rank = |index: &usize| self.value(self.lines[*index]).unwrap_or(f64::NEG_INFINITY);
        let of_kind = (0..self.lines.len()).filter(|index| self.lines[*index].counted == counted);
        of_kind.max_by(|a, b| rank(a).total_cmp(&rank(b)))
    }

    /// Holds the leader against the best that only counts.
    fn judge_against_counted(&mut self) {
        if let (Some(leader), Some(counted)) = (self.best(false), self.best(true)) {
            // Why it cannot be read was told of the first comparison.
            let judged = self.context.judged(&self.metric, counted).unwrap_or_default();
            self.against_counted = judged.into_iter().nth(leader);
        }
    }

    fn unfinished(&self) -> impl Iterator<Item = &RunResult> {
        self.context.results.runs.iter().filter(|run| run.status != Status::Finished)
    }

    fn configuration(&self, run: &str) -> Option<&RunConfig> {
        self.configurations.iter().find(|config| config.run == run)
    }
}

/// The report of a project whose runs are in `runs_dir`.
///
/// This reads every user's outcome and the dataset: it takes from a second to minutes.
///
/// # Errors
/// [`InputError`] where no run has begun.
pub fn document(project: &Project, runs_dir: &Path) -> Result<Reported, InputError> {
    let contexts = Contexts::new(project, runs_dir);
    let context = contexts.of(&figures::usual("comparison", project.evaluation.protocol.first()));
    if context.results.runs.is_empty() {
        return Err(InputError::new(runs_dir, "there are no runs to report on").advice("`peso run` makes them"));
    }
    let lines: Vec<&ComparisonLine> = context.lines().iter().map(|line| line.item).collect();
    let metric = deciding(&lines);
    let baseline = usual_baseline(lines.iter().copied());
    let (folders, mut left_out) = RunFolder::list_all(runs_dir);
    let judged = if lines.is_empty() { Ok(Vec::new()) } else { context.judged(&metric, baseline) };
    // Without its verdicts a report still says what was measured.
    let judged = judged.unwrap_or_else(|problem| {
        left_out.push(problem.clone());
        let open = |index| if index == baseline { Judged::Baseline } else { Judged::Incomparable(problem.to_string()) };
        (0..lines.len()).map(open).collect()
    });
    let known = |config: &&RunConfig| context.results.runs.iter().any(|run| run.run == config.run);
    let mut source = Source {
        project,
        contexts: &contexts,
        context,
        dataset: Dataset::load(&project.dataset, project.index_path().as_deref(), &project.folder),
        metric,
        judged,
        baseline,
        against_counted: None,
        configurations: folders.iter().map(RunFolder::config).filter(known).cloned().collect(),
        lines,
    };
    source.judge_against_counted();
    let (figures, problems) = figures::sections(&source);
    let mut sections = vec![answer::section(&source)];
    sections.extend(figures);
    sections.push(comparison::section(&source));
    sections.push(answer::chance(&source));
    sections.push(answer::limits(&source));
    sections.push(methods::section(&source));
    sections.push(settings::section(&source));
    sections.push(data::section(&source));
    sections.push(how::section(&source));
    let document = Document {
        title: project.name.clone(),
        lines: vec![format!("Made on {} with PESO Workbench {}", today(), env!("CARGO_PKG_VERSION"))],
        warnings: warnings(&source),
        sections: sections.into_iter().filter(|section: &Section| !section.blocks.is_empty()).collect(),
    };
    left_out.extend(problems);
    left_out.extend(context.problems());
    Ok(Reported { document, left_out })
}

/// The key of the metric that decides.
fn deciding(lines: &[&ComparisonLine]) -> String {
    usual_metric(lines.iter().flat_map(|line| line.metrics.keys()).map(String::as_str))
}

/// What must not be overlooked.
fn warnings(source: &Source<'_>) -> Vec<String> {
    let mut warnings = Vec::new();
    if source.context.is_synthetic() {
        warnings.push(format!("{SYNTHETIC}: users and items are generated, so nothing here is about people"));
    }
    let unfinished: Vec<String> =
        source.unfinished().map(|run| format!("{} ({})", run.run, run.status.key())).collect();
    if !unfinished.is_empty() {
        warnings.push(format!(
            "Not finished, and shown only as far as measured: {}. Comparisons are of finished runs alone",
            unfinished.join(", ")
        ));
    }
    warnings
}

/// The date in UTC: `2026-11-29`.
fn today() -> String {
    // A clock before 1970 is no date that a report could have.
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    calendar::date(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}
