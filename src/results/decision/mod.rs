//! Ship or hold: what the gates of a project say of each method against the baseline.
//!
//! A gate is passed where the whole interval of its value lies on the right side of its bound, failed where it lies on the wrong
//! side, and open otherwise. The gain is judged as [`verdicts`] judge it, with Holm's correction
//! over the lines; slices and flips are one more family over lines, slices and flips. As one-sided claims, of which each family
//! makes a false one with a chance of at most half of [`ALPHA`](crate::measure::statistics::ALPHA), both together keep it at
//! [`ALPHA`](crate::measure::statistics::ALPHA).

mod candidates;
mod judging;
mod needs;
#[cfg(test)]
mod simulation;
mod words;

use std::path::Path;

use serde::Serialize;

pub use self::candidates::{Candidate, Candidates, Cost, Test};
use self::judging::Judgement;
pub use self::needs::More;
use super::comparison::{Judged, verdicts};
use super::paired_scores::UserScores;
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::statistics::Interval;
use crate::measure::{Slice, Slices};
use crate::project::Project;
use crate::project::decision::Gates;
use crate::project::slug::slug;

/// A decision on every method of a project.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decision {
    pub project: String,
    pub protocol: Protocol,
    /// What holds now, and what each method is held against.
    pub baseline: String,
    pub gates: Gates,
    /// Whether the project has no gates, so that the usual ones hold.
    pub default_gates: bool,
    /// How many of the runs were started before the day on which the gates were set.
    pub runs_before_gates: usize,
    pub synthetic: bool,
    /// Test cases, and the seeds that all lines are over.
    pub tests: usize,
    pub seeds: Vec<u64>,
    /// Baselines that only count and have no finished run.
    pub missing: Vec<String>,
    /// Slices that have too few tests to be judged.
    pub small_slices: Vec<Slice>,
    pub methods: Vec<MethodDecision>,
}

/// What is decided on one method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MethodDecision {
    pub name: String,
    /// A baseline that only counts.
    pub counted: bool,
    pub outcome: Outcome,
    /// In one sentence.
    pub sentence: String,
    /// In the order of gain, slices, flips, cost; nothing of one that cannot be compared.
    pub gates: Vec<GateResult>,
    /// The tests that lose by it, those that lose most first.
    #[serde(skip)]
    pub harmed: Vec<Harmed>,
}

/// The gates of a method in the order in which they are read.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrangedGates<'m> {
    /// What decides on top (the gates that failed, then those that are open), and of the slices the worst.
    pub shown: Vec<&'m GateResult>,
    /// The other slices, the worse first.
    pub other_slices: Vec<&'m GateResult>,
}

impl MethodDecision {
    /// What people look at first, and what can be folded away.
    pub fn arranged(&self) -> ArrangedGates<'_> {
        let order = |gate: &&GateResult| match gate.state {
            State::Failed => 0,
            State::Open => 1,
            State::Passed => 2,
        };
        let room = |gate: &GateResult| gate.interval.map_or(f64::INFINITY, |interval| interval.low - gate.bound);
        let (mut slices, mut shown): (Vec<_>, Vec<_>) =
            self.gates.iter().partition(|gate| matches!(gate.gate, Gate::Slice(_)));
        slices.sort_by(|a, b| order(a).cmp(&order(b)).then(room(a).total_cmp(&room(b))));
        shown.extend(slices.first().copied());
        shown.sort_by_key(order);
        ArrangedGates { shown, other_slices: slices.into_iter().skip(1).collect() }
    }
}

/// Ship or hold.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It passes every gate.
    Ship,
    /// It fails one.
    Hold,
    /// It fails none, and some cannot be told yet.
    NeedsMore(More),
    /// Why it cannot be compared with the baseline.
    NotCompared(String),
}

/// What is held against a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Gain of the metric over the baseline.
    Gain,
    /// The same over the tests of a slice.
    Slice(Slice),
    /// All slices, where none of them can be judged.
    Slices,
    /// Share of the tests that the baseline gets right and the method does not.
    NegativeFlips,
    /// As a multiple of the baseline's.
    TrainingTime,
    Memory,
}

/// One gate of one method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateResult {
    pub gate: Gate,
    /// Absent where it could not be measured.
    pub value: Option<f64>,
    /// With the correction for all that is judged beside it; absent of costs, which are measured and not estimated.
    pub interval: Option<Interval>,
    pub bound: f64,
    /// Tests that it is over; none of costs.
    pub tests: usize,
    pub state: State,
    /// What would tell, where that is open and more can tell.
    pub more: Option<More>,
    /// Why it is as it is, where that is not the interval.
    pub note: Option<String>,
}

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Passed,
    Failed,
    /// Cannot be told yet.
    Open,
}

/// A test that a method answers worse than the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Harmed {
    pub test: Test,
    /// Of the metric, negative, as a mean over seeds.
    pub gain: f64,
    /// Share of the seeds under which the baseline gets it right and the method does not.
    pub flipped: f64,
}

impl Harmed {
    /// Whether the gate is about this test.
    pub fn concerns(&self, gate: Gate) -> bool {
        match gate {
            Gate::Gain => self.gain < 0.0,
            Gate::Slice(slice) => self.gain < 0.0 && self.test.slices.is_some_and(|all: Slices| all.contains(&slice)),
            Gate::NegativeFlips => self.flipped > 0.0,
            Gate::Slices | Gate::TrainingTime | Gate::Memory => false,
        }
    }
}

impl Decision {
    /// Reads the runs of a project and judges them against the line of a name.
    ///
    /// This reads every user's outcome twice and resamples them: it takes from a part of a second to many.
    ///
    /// # Errors
    /// Those of [`user_scores`](super::paired_scores::user_scores); or no finished run has that name.
    pub fn of_project(
        project: &Project,
        runs_dir: &Path,
        protocol: Protocol,
        baseline: &str,
    ) -> Result<Self, InputError> {
        let gates = project.gates();
        let candidates = Candidates::read(project, runs_dir, &gates, protocol)?;
        let baseline = candidates.named(baseline, runs_dir)?;
        let gains: Vec<&UserScores> = candidates.lines.iter().map(|line| &line.gains).collect();
        let judged = verdicts(&gains, baseline);
        let methods = decide(&gates, &candidates, baseline, &judged);
        let before = gates.set_on_unix();
        Ok(Self {
            project: project.name.clone(),
            protocol,
            baseline: candidates.lines[baseline].name().to_owned(),
            default_gates: project.decision.is_none(),
            runs_before_gates: candidates.started_unix.iter().filter(|&&at| before.is_some_and(|day| at < day)).count(),
            synthetic: project.is_synthetic(),
            tests: candidates.tests.len(),
            seeds: candidates.seeds.clone(),
            missing: candidates.missing(),
            small_slices: candidates.small_slices(),
            gates,
            methods,
        })
    }

    /// What a reader has to know beside the outcomes, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        words::remarks(self)
    }
}

/// Judges every line but the baseline, gate by gate. `judged` has the verdict on each line, as
/// [`verdicts`] finds it.
pub fn decide(gates: &Gates, candidates: &Candidates, baseline: usize, judged: &[Judged]) -> Vec<MethodDecision> {
    let found = judging::judge(gates, candidates, baseline, judged);
    let against = &candidates.lines[baseline];
    let method = |(line, found): (&Candidate, Option<Result<Judgement, String>>)| {
        let (gates, outcome, note) = match found? {
            Ok(Judgement { gates, note }) => {
                let outcome = Outcome::of(&gates);
                (gates, outcome, note)
            }
            Err(reason) => (Vec::new(), Outcome::NotCompared(reason), None),
        };
        let harmed = if gates.is_empty() { Vec::new() } else { candidates.harmed(line, against) };
        let sentence =
            words::sentence(&words::Subject { name: line.name(), baseline: against.name(), note }, &outcome, &gates);
        Some(MethodDecision {
            name: line.name().to_owned(),
            counted: line.is_counted(),
            outcome,
            sentence,
            gates,
            harmed,
        })
    };
    candidates.lines.iter().zip(found).filter_map(method).collect()
}

impl Outcome {
    /// What the gates come to.
    fn of(gates: &[GateResult]) -> Self {
        if gates.iter().any(|gate| gate.state == State::Failed) {
            return Self::Hold;
        }
        let open: Vec<&GateResult> = gates.iter().filter(|gate| gate.state == State::Open).collect();
        if open.is_empty() {
            return Self::Ship;
        }
        // Where one of them would stay open whatever comes, what the others need is no promise.
        let all_can_be_told = open.iter().all(|gate| gate.more.is_some());
        let more = open.iter().filter_map(|gate| gate.more).fold(More::default(), More::or);
        Self::NeedsMore(if all_can_be_told { more } else { More::default() })
    }
}

/// The candidate's place by a name, which may be written as in run ids.
fn place(names: &[&str], name: &str) -> Option<usize> {
    let exact = names.iter().position(|own| *own == name);
    exact.or_else(|| names.iter().position(|own| slug(own) == slug(name)))
}
