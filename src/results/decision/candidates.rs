//! What a decision is made of: the lines of a project with what they answered to the same tests, and what they cost.

use std::path::Path;

use serde::Serialize;

use super::{Harmed, place};
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::slice_means::FEW;
use crate::measure::{Slice, Slices, UserMetric};
use crate::project::Project;
use crate::project::decision::Gates;
use crate::results::RunResult;
use crate::results::comparison::{peak_memory_bytes, train_seconds};
use crate::results::paired_scores::{AllScores, COUNTED, Selection, UserScores, all_scores, basis_of};
use crate::results::seeds::SeedChoice;
use crate::run::{RunFolder, RunMethod};

/// The lines of a project, the baseline among them, over the same tests and seeds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Candidates {
    pub lines: Vec<Candidate>,
    /// In the order of the scores' values, stage after stage.
    pub tests: Vec<Test>,
    /// The seeds that all lines are over; empty where they differ.
    pub seeds: Vec<u64>,
    /// When each of the runs was started, in seconds since 1970.
    pub started_unix: Vec<u64>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The metric of the gain, by test.
    pub gains: UserScores,
    /// Hit at the same cut-off, tie-corrected, by test.
    pub hits: UserScores,
    pub cost: Cost,
}

/// What a line took.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Of training a stage from 2 on, as a mean.
    pub train_seconds: f64,
    pub peak_memory_bytes: u64,
}

/// A test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Test {
    /// From 2 on.
    pub stage: usize,
    /// Places in the dataset.
    pub user: u32,
    pub target: u32,
    /// Absent where they were not recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slices: Option<Slices>,
}

impl Candidate {
    /// Name of the experiment or baseline.
    pub fn name(&self) -> &str {
        &self.gains.name
    }

    /// Whether it is a baseline that only counts.
    pub fn is_counted(&self) -> bool {
        self.gains.seeds.is_empty()
    }
}

impl Candidates {
    /// The lines that `peso compare` compares.
    ///
    /// # Errors
    /// Those of [`user_scores`](crate::results::paired_scores::user_scores).
    pub fn read(project: &Project, runs_dir: &Path, gates: &Gates, protocol: Protocol) -> Result<Self, InputError> {
        let metric: UserMetric =
            gates.metric.parse().map_err(|problem: String| InputError::new(runs_dir, problem).at("decision.metric"))?;
        let seeds = SeedChoice::Shared;
        let scores = |metric| all_scores(project, runs_dir, Selection { metric, protocol, slice: None, seeds });
        let hit = UserMetric { known: metric.known, ..UserMetric::hit(metric.k) };
        let AllScores { lines: gains, slices, cases } = scores(metric)?;
        let hits = scores(hit)?.lines;
        let seeds = basis_of(&gains, SeedChoice::Shared).shared;
        let (mut lines, mut started_unix) = (Vec::new(), Vec::new());
        for (gains, hits) in gains.into_iter().zip(hits) {
            let mut runs = Vec::new();
            for run in &gains.runs {
                let folder = RunFolder::open(&RunFolder::path_of(runs_dir, run))?;
                started_unix.push(folder.config().created_unix);
                runs.push(RunResult::read(&folder.reader()?, protocol)?);
            }
            let runs: Vec<&RunResult> = runs.iter().collect();
            let cost = Cost { train_seconds: train_seconds(&runs), peak_memory_bytes: peak_memory_bytes(&runs) };
            lines.push(Candidate { gains, hits, cost });
        }
        let stages = (2..).zip(cases).flat_map(|(stage, cases)| cases.into_iter().map(move |case| (stage, case)));
        let test = |(index, (stage, (user, target)))| Test { stage, user, target, slices: slices.get(index).copied() };
        Ok(Self { lines, tests: stages.enumerate().map(test).collect(), seeds, started_unix })
    }

    /// The place of the line of a name, which may be written as in run ids.
    pub(super) fn named(&self, name: &str, runs_dir: &Path) -> Result<usize, InputError> {
        let names: Vec<&str> = self.lines.iter().map(Candidate::name).collect();
        place(&names, name).ok_or_else(|| {
            let error = InputError::new(runs_dir, format!("there is no finished run of \"{name}\""));
            match names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ") {
                none if none.is_empty() => error.advice("no run is finished; `peso run` starts them"),
                names => error.advice(format!("finished are {names}")),
            }
        })
    }

    /// The baselines that only count and have no finished run.
    pub(super) fn missing(&self) -> Vec<String> {
        let labels = COUNTED.iter().map(RunMethod::label);
        labels.filter(|label| self.lines.iter().all(|line| line.name() != *label)).map(str::to_owned).collect()
    }

    /// The slices of every test; none where they were not recorded.
    pub(super) fn slices(&self) -> Option<Vec<Slices>> {
        self.tests.iter().map(|test| test.slices).collect::<Option<Vec<_>>>().filter(|slices| !slices.is_empty())
    }

    fn in_slice(&self, slice: Slice) -> usize {
        self.tests.iter().filter(|test| test.slices.is_some_and(|all| all.contains(&slice))).count()
    }

    /// The slices with enough tests to be judged, with how many these are.
    pub(super) fn large_slices(&self) -> Vec<(Slice, usize)> {
        Slice::all().map(|slice| (slice, self.in_slice(slice))).filter(|(_, tests)| *tests >= FEW).collect()
    }

    /// The slices with some tests, and fewer than it takes to judge.
    pub(super) fn small_slices(&self) -> Vec<Slice> {
        Slice::all().filter(|slice| (1..FEW).contains(&self.in_slice(*slice))).collect()
    }

    /// The tests that `line` answers worse than `baseline`, those that lose most first.
    pub(super) fn harmed(&self, line: &Candidate, baseline: &Candidate) -> Vec<Harmed> {
        let gains = line.gains.differences(&baseline.gains, |difference| difference);
        let flips = line.hits.differences(&baseline.hits, |difference| (-difference).max(0.0));
        let all = self.tests.iter().zip(gains).zip(flips);
        let all = all.map(|((&test, gain), flipped)| Harmed { test, gain, flipped });
        let mut harmed: Vec<Harmed> = all.filter(|harmed| harmed.gain < 0.0 || harmed.flipped > 0.0).collect();
        harmed.sort_by(|a, b| a.gain.total_cmp(&b.gain));
        harmed
    }
}
