//! What the compare view is about: the lines of the results, made anew when the results or the project change.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::app::panels::{Context, in_project_order};
use crate::app::queries::comparison::{ComparedLine, ComparedLines};
use crate::app::session::{Origin, Session};
use crate::data::Protocol;
use crate::figures::gains::usual_baseline;
use crate::measure::UserMetric;
use crate::plot::series_style::SeriesStyle;
use crate::results::comparison::{ComparisonLine, Standing, lines, standings, validation_loss};
use crate::results::seeds::{SeedBasis, SeedChoice};
use crate::results::{Results, RunResult};
use crate::run::{RunConfig, Status};

/// The lines with all that is shown of them.
#[derive(Debug)]
pub(super) struct Lines {
    key: LinesKey,
    /// The results with the project's order of experiments, which gives methods their colours.
    pub(super) results: Results,
    /// What seeds they are over.
    pub(super) basis: SeedBasis,
    /// Those with finished runs.
    pub(super) all: Vec<ComparisonLine>,
    pub(super) standings: Vec<Standing>,
    pub(super) styles: Vec<SeriesStyle>,
    /// The seeds of each, in order.
    seeds: Vec<BTreeSet<u64>>,
    /// What each was run with; none where its run is gone.
    pub(super) configurations: Vec<Option<Arc<RunConfig>>>,
    /// Whether the project has changed since a line's runs were made.
    pub(super) earlier: Vec<bool>,
    /// Number of runs that have results and are not finished.
    pub(super) unfinished: usize,
    /// Number of finished runs that have not measured the protocol.
    pub(super) lacking: usize,
    /// The metrics that there are, the usual ones first.
    pub(super) metrics: Vec<String>,
}

/// What lines are made of, to tell whether they have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinesKey {
    session: u64,
    results: u64,
    project: u64,
    protocol: Protocol,
    seeds: SeedChoice,
}

impl Lines {
    /// Makes the lines where there are none of this moment.
    pub(super) fn refresh(
        kept: &mut Option<Arc<Self>>,
        context: &Context<'_>,
        protocol: Protocol,
        seeds: SeedChoice,
    ) -> Arc<Self> {
        let session = context.session;
        let key = LinesKey {
            session: session.number,
            results: session.results_revision,
            project: session.history.revision(),
            protocol,
            seeds,
        };
        match kept {
            Some(lines) if lines.key == key => Arc::clone(lines),
            _ => Arc::clone(kept.insert(Arc::new(Self::of(session, key)))),
        }
    }

    fn of(session: &Session, key: LinesKey) -> Self {
        let results = in_project_order(session.results(key.protocol), &session.rows);
        let (results, basis) = results.over_seeds(session.project(), key.seeds);
        // Those that lack the protocol keep their colours, so that a line has one colour under both.
        let mut measured = results.clone();
        measured.runs.retain(|run| run.protocols.contains(&key.protocol));
        let losses = session.runs.iter().filter_map(|run| Some((run.id.clone(), validation_loss(&run.stages)?)));
        let all = lines(&measured, &losses.collect::<BTreeMap<String, f64>>());
        let styles = &session.styles;
        let seed_of: BTreeMap<&str, u64> = results.runs.iter().map(|run| (run.run.as_str(), run.seed)).collect();
        let first = |line: &ComparisonLine| line.runs.first().cloned().unwrap_or_default();
        let style = |line: &ComparisonLine| styles.get(&first(line)).copied().unwrap_or(SeriesStyle::baseline(0));
        let configuration = |line: &ComparisonLine| {
            session.runs.iter().find(|run| run.id == first(line)).map(|run| Arc::clone(&run.config))
        };
        let earlier = |line: &ComparisonLine| {
            session.rows.iter().any(|row| row.id == first(line) && row.origin == Origin::Earlier)
        };
        Self {
            key,
            standings: standings(&all),
            styles: all.iter().map(style).collect(),
            seeds: all
                .iter()
                .map(|line| line.runs.iter().filter_map(|id| seed_of.get(id.as_str())).copied().collect())
                .collect(),
            configurations: all.iter().map(configuration).collect(),
            earlier: all.iter().map(earlier).collect(),
            lacking: results.runs.iter().filter(|run| lacks(run, key.protocol)).count(),
            unfinished: measured.runs.iter().filter(|run| run.status != Status::Finished).count(),
            metrics: metrics_of(&results),
            results,
            basis,
            all,
        }
    }

    /// Changes whenever the lines do.
    pub(super) const fn stamp(&self) -> LinesKey {
        self.key
    }

    /// How the tests were made.
    pub(super) const fn protocol(&self) -> Protocol {
        self.key.protocol
    }

    /// The place of the line of this name.
    pub(super) fn index(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|line| line.name == name)
    }

    /// `Seeds 1, 2, 3`.
    pub(super) fn seeds_words(&self, index: usize) -> String {
        let seeds: Vec<String> = self.seeds[index].iter().map(u64::to_string).collect();
        format!("{} {}", if seeds.len() == 1 { "Seed" } else { "Seeds" }, seeds.join(", "))
    }

    /// Whether two lines are over the same seeds; what only counts has none and agrees with all.
    pub(super) fn same_seeds(&self, index: usize, other: usize) -> bool {
        self.all[index].counted || self.all[other].counted || self.seeds[index] == self.seeds[other]
    }

    /// What the others are held against until the user chooses: the method without any pull, else the first line.
    pub(super) fn usual_baseline(&self) -> usize {
        usual_baseline(self.all.iter())
    }

    /// What queries about them are of.
    pub(super) fn compared(&self, session: &Session, metric: &str) -> ComparedLines {
        let started = |id: &String| {
            let run = session.runs.iter().find(|run| run.id == *id);
            (id.clone(), run.map_or(0, |run| run.config.created_unix))
        };
        let compared = |line: &ComparisonLine| ComparedLine {
            name: line.name.clone(),
            runs: line.runs.iter().map(started).collect(),
        };
        ComparedLines {
            runs_dir: session.project().runs_dir(None),
            lines: self.all.iter().map(compared).collect(),
            metric: metric.to_owned(),
            protocol: self.key.protocol,
        }
    }
}

/// Whether a run came to its end without measuring the protocol.
fn lacks(run: &RunResult, protocol: Protocol) -> bool {
    run.status == Status::Finished && !run.protocols.contains(&protocol)
}

/// The metrics that some run has, the usual ones first: tie-corrected before released counts.
fn metrics_of(results: &Results) -> Vec<String> {
    let all: BTreeSet<&String> =
        results.runs.iter().flat_map(|run| &run.stages).flat_map(|stage| stage.metrics.keys()).collect();
    let rank = |metric: &str| {
        let (kind, cutoff) = metric.split_once('@').unwrap_or((metric, "0"));
        let (released, known) =
            metric.parse::<UserMetric>().map_or((false, false), |metric| (metric.is_released(), metric.known));
        let kind = ["ndcg", "hit"].iter().position(|gain| *gain == kind).unwrap_or(2);
        let cutoff: u32 = cutoff.split('_').next().unwrap_or_default().parse().unwrap_or(0);
        (known, released, kind, cutoff)
    };
    let mut metrics: Vec<String> = all.into_iter().cloned().collect();
    metrics.sort_by_key(|metric| rank(metric));
    metrics
}
