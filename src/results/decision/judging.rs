//! Each gate of each line, with the corrections that belong to looking at so many.

use super::needs::Basis;
use super::{Candidate, Candidates, Gate, GateResult, More, State};
use crate::measure::statistics::{ALPHA, Corrected, Evidence, Held, Interval, LEVEL, Paired, Uncertainty, Verdict};
use crate::project::decision::Gates;
use crate::results::comparison::Judged;

/// What the gates of a line say, or why it cannot be compared.
type LineGates = Result<Judgement, String>;

/// The gates of a line.
pub(super) struct Judgement {
    pub gates: Vec<GateResult>,
    /// Why nothing can be told of other seeds, where that is so.
    pub note: Option<&'static str>,
}

/// On which side of its bound a value has to lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    AtLeast,
    AtMost,
}

/// A mean over tests that is going to be judged beside those of all lines.
struct Estimate {
    gate: Gate,
    side: Side,
    held: Held,
    basis: Basis,
    /// Whether no test differs at all, from which no spread follows.
    unseen: bool,
}

/// A line that is compared.
struct Line<'a> {
    candidate: &'a Candidate,
    verdict: &'a Verdict,
    /// Slices and flips.
    estimates: Vec<Estimate>,
}

impl Line<'_> {
    /// Why nothing can be told of other seeds.
    fn open(&self) -> Option<(&'static str, Option<More>)> {
        match self.verdict.evidence {
            Evidence::NotEnoughSeeds { seeds } => {
                Some(("one seed tells nothing of others", Some(More::of_few_seeds(seeds))))
            }
            Evidence::IdenticalSeeds => Some(("all seeds give the same difference, as copies of one run do", None)),
            Evidence::Significant | Evidence::NotSignificant => None,
        }
    }
}

/// The gates of every line but the baseline, which has none.
pub(super) fn judge(
    gates: &Gates,
    candidates: &Candidates,
    baseline: usize,
    judged: &[Judged],
) -> Vec<Option<LineGates>> {
    let against = &candidates.lines[baseline];
    let line = |(candidate, judged)| match judged {
        &Judged::Baseline => None,
        Judged::Incomparable(reason) => Some(Err(reason.clone())),
        Judged::Verdict(verdict) => {
            let estimates = estimates(gates, candidates, candidate, against);
            Some(estimates.map(|estimates| Line { candidate, verdict, estimates }))
        }
    };
    let lines: Vec<Option<Result<Line<'_>, String>>> = candidates.lines.iter().zip(judged).map(line).collect();
    let closed = || lines.iter().flatten().flatten().filter(|line| line.open().is_none());
    let gain = |line: &Line<'_>| line.verdict.comparison.held(gates.least_gain.of(line.verdict.comparison.baseline));
    let gains: Vec<Held> = closed().map(gain).collect();
    let others = || closed().flat_map(|line| &line.estimates);
    let spread: Vec<Held> = others().filter(|estimate| !estimate.unseen).map(|estimate| estimate.held).collect();
    // Where no test differs there is no p-value to put in order: each of those has its share of alpha, and the others the rest.
    let alone = ALPHA / others().count().max(1) as f64;
    let mut gains = Held::corrected(&gains, ALPHA).into_iter();
    let mut spread = Held::corrected(&spread, alone * spread.len() as f64).into_iter();
    let mut gates_of = |line: &Line<'_>| {
        let open = line.open();
        let held = gain(line);
        let found = if open.is_some() { None } else { gains.next() };
        let mut results = vec![gain_gate(line, &held, found, candidates.tests.len())];
        if let Some(missing) = slices_missing(gates, candidates) {
            results.push(missing);
        }
        for estimate in &line.estimates {
            let interval = match (open, estimate.unseen) {
                (Some(_), _) => estimate.held.uncertainty.interval(estimate.held.value, LEVEL),
                (None, true) => estimate.unseen_interval(alone),
                // There is one for each estimate with a spread, in their order
                (None, false) => spread.next().map_or_else(
                    || estimate.held.uncertainty.interval(estimate.held.value, 1.0 - alone),
                    |found| found.interval,
                ),
            };
            results.push(estimate.result(interval, open, alone));
        }
        results.extend(costs(gates, line.candidate, against));
        Judgement { gates: results, note: open.map(|(note, _)| note) }
    };
    let judged = |line: &Option<Result<Line<'_>, String>>| {
        Some(line.as_ref()?.as_ref().map(&mut gates_of).map_err(Clone::clone))
    };
    lines.iter().map(judged).collect()
}

/// Slices and flips of a line, as far as the gates ask for them.
fn estimates(
    gates: &Gates,
    candidates: &Candidates,
    line: &Candidate,
    baseline: &Candidate,
) -> Result<Vec<Estimate>, String> {
    let all_tests = candidates.tests.len();
    let estimate = |gate, side, paired: &Paired, bound| Estimate {
        gate,
        side,
        held: Held { value: paired.gain(), uncertainty: Uncertainty::of(paired), bound },
        basis: Basis { tests: paired.users(), all_tests, seeds: paired.seeds() },
        unseen: Uncertainty::of(paired).standard_error() == 0.0,
    };
    let problem = |problem: crate::measure::statistics::Unanswerable| problem.to_string();
    let whole = line.gains.against(&baseline.gains).map_err(problem)?;
    let mut found = Vec::new();
    if let (Some(loss), Some(slices)) = (gates.slice_loss, candidates.slices()) {
        let bound = -loss.of(whole.means().1);
        for (slice, _) in candidates.large_slices() {
            let [own, other] = [line, baseline].map(|line| line.gains.of_slice(slice, &slices));
            let paired = own.against(&other).map_err(problem)?;
            found.push(estimate(Gate::Slice(slice), Side::AtLeast, &paired, bound));
        }
    }
    if let Some(most) = gates.negative_flips {
        let paired = line.hits.flips_against(&baseline.hits).map_err(problem)?;
        found.push(estimate(Gate::NegativeFlips, Side::AtMost, &paired, most));
    }
    Ok(found)
}

/// The gain, which passes only where `peso compare` calls it one.
fn gain_gate(line: &Line<'_>, held: &Held, found: Option<Corrected>, all_tests: usize) -> GateResult {
    let comparison = &line.verdict.comparison;
    let interval = found.map_or(comparison.interval, |found| found.interval);
    let is_gain = line.verdict.evidence == Evidence::Significant && comparison.gain > 0.0;
    let (state, more) = match (line.open(), found) {
        (Some((_, more)), _) => (State::Open, more),
        (None, _) if is_gain && interval.low > held.bound => (State::Passed, None),
        (None, _) if interval.high < held.bound => (State::Failed, None),
        (None, _) => {
            let basis = Basis { tests: comparison.users, all_tests, seeds: comparison.seeds };
            (State::Open, More::of(held, interval.level, basis))
        }
    };
    GateResult {
        gate: Gate::Gain,
        value: Some(comparison.gain),
        interval: Some(interval),
        bound: held.bound,
        tests: comparison.users,
        state,
        more,
        note: None,
    }
}

impl Estimate {
    /// Where no test differs: with less than `alpha` chance on either side so few tests miss what as large a share of all does
    /// (`1 - (alpha / 2)^(1 / tests)`, after Clopper and Pearson), and no test can differ by more than 1.
    fn unseen_interval(&self, alpha: f64) -> Interval {
        let share = 1.0 - (0.5 * alpha).powf((self.basis.tests.max(1) as f64).recip());
        Interval { low: self.held.value - share, high: self.held.value + share, level: 1.0 - alpha }
    }

    fn result(&self, interval: Interval, open: Option<(&'static str, Option<More>)>, alone: f64) -> GateResult {
        let Held { value, bound, .. } = self.held;
        let [low, high] = match self.side {
            Side::AtLeast => [interval.low, interval.high],
            // A share has nothing below 0.
            Side::AtMost => [interval.low.max(0.0), interval.high],
        };
        let (passed, failed) = match self.side {
            Side::AtLeast => (low >= bound, high < bound),
            Side::AtMost => (high <= bound, low > bound),
        };
        let (state, more, note) = match open {
            Some((_, more)) => (State::Open, more, None),
            None if passed => (State::Passed, None, None),
            None if failed => (State::Failed, None, None),
            None if self.unseen => {
                let note = "no test differs, and there are too few of them to rule it out";
                (State::Open, More::of_unseen((value - bound).abs(), alone, self.basis), Some(note.to_owned()))
            }
            None => (State::Open, More::of(&self.held, interval.level, self.basis), None),
        };
        GateResult {
            gate: self.gate,
            value: Some(value),
            interval: Some(Interval { low, high, ..interval }),
            bound,
            tests: self.basis.tests,
            state,
            more,
            note,
        }
    }
}

/// The gate of slices where none can be judged.
fn slices_missing(gates: &Gates, candidates: &Candidates) -> Option<GateResult> {
    let loss = gates.slice_loss?;
    let note = match candidates.slices() {
        None => "the runs are older than slices: start them over with `--fresh`",
        Some(_) if candidates.large_slices().is_empty() => "every slice has fewer than 20 tests",
        Some(_) => return None,
    };
    Some(GateResult {
        gate: Gate::Slices,
        value: None,
        interval: None,
        bound: -loss.number(),
        tests: candidates.tests.len(),
        state: State::Open,
        more: None,
        note: Some(note.to_owned()),
    })
}

/// Costs, which are measured: a value decides.
fn costs(gates: &Gates, line: &Candidate, baseline: &Candidate) -> Vec<GateResult> {
    let seconds = |line: &Candidate| line.cost.train_seconds;
    let bytes = |line: &Candidate| line.cost.peak_memory_bytes as f64;
    let gate = |gate, most: Option<f64>, of: fn(&Candidate) -> f64| {
        let bound = most?;
        let (own, other) = (of(line), of(baseline));
        let value = if own == 0.0 { Some(0.0) } else { (other > 0.0).then(|| own / other) };
        let state = if value.is_some_and(|value| value <= bound) { State::Passed } else { State::Failed };
        let note = value.is_none().then(|| "the baseline takes none, so that nothing is a multiple of it".to_owned());
        Some(GateResult { gate, value, interval: None, bound, tests: 0, state, more: None, note })
    };
    let time = gate(Gate::TrainingTime, gates.training_time, seconds);
    time.into_iter().chain(gate(Gate::Memory, gates.memory, bytes)).collect()
}
