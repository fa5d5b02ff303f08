//! A decision in words.

use std::fmt;

use super::{Decision, Gate, GateResult, Outcome, State};
use crate::measure::slice_means::FEW;
use crate::measure::statistics::{ALPHA, Interval};
use crate::text::counted;

/// What a sentence is about.
pub(super) struct Subject<'a> {
    pub name: &'a str,
    pub baseline: &'a str,
    /// Why nothing can be told of other seeds, where that is so.
    pub note: Option<&'a str>,
}

/// What was decided on a method, and why, in one sentence.
pub(super) fn sentence(subject: &Subject<'_>, outcome: &Outcome, gates: &[GateResult]) -> String {
    let Subject { name, baseline, note } = *subject;
    match outcome {
        Outcome::Ship => format!("Ship {name}: it passes every gate against {baseline}"),
        Outcome::Hold => match gates.iter().find(|gate| gate.state == State::Failed) {
            Some(gate) => format!("Hold {name}: {}", gate.failure()),
            None => format!("Hold {name}"),
        },
        Outcome::NeedsMore(more) => {
            let of_gate = || gates.iter().find_map(|gate| gate.note.as_deref().filter(|_| gate.state == State::Open));
            let why = match note.or_else(of_gate) {
                Some(note) if !more.is_known() => {
                    format!("no number of users or seeds settles {}: {note}", open(gates))
                }
                None if !more.is_known() => format!("no number of users or seeds settles {}", open(gates)),
                Some(note) => note.to_owned(),
                None => format!("{} cannot be told yet", open(gates)),
            };
            let needs = if more.is_known() { format!("needs {more}") } else { "cannot be told yet".to_owned() };
            format!("{name} {needs}: {why}")
        }
        Outcome::NotCompared(reason) => format!("{name} cannot be compared with {baseline}: {reason}"),
    }
}

/// The gates that cannot be told yet: `gain, slice cold and 2 more`.
fn open(gates: &[GateResult]) -> String {
    let gates: Vec<&GateResult> = gates.iter().filter(|gate| gate.state == State::Open).collect();
    let shown: Vec<String> = gates.iter().take(3).map(|gate| gate.gate.to_string()).collect();
    let more = gates.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}

/// What gates hold and since when, what is left out, and how sure the whole is.
pub(super) fn remarks(decision: &Decision) -> Vec<String> {
    let mut remarks = Vec::new();
    remarks.push(match (&decision.gates.set_on, decision.default_gates) {
        (_, true) => {
            "The project has no gates: these are the usual ones, and nobody set them before the runs".to_owned()
        }
        (Some(day), false) => format!("The gates were set on {day}"),
        (None, false) => "The project does not say on which day its gates were set".to_owned(),
    });
    if decision.runs_before_gates > 0 {
        let runs = counted(decision.runs_before_gates, "run");
        remarks.push(format!(
            "Gates were set after these runs: {runs} started before that day, and their results could be known"
        ));
    }
    if !decision.missing.is_empty() {
        let missing = decision.missing.join(" and ");
        remarks.push(format!(
            "{missing} without a finished run: what only counts belongs among the candidates, and `peso run` counts it"
        ));
    }
    if decision.gates.slice_loss.is_some() && !decision.small_slices.is_empty() {
        let slices: Vec<&str> = decision.small_slices.iter().map(|slice| slice.key()).collect();
        remarks.push(format!("Not judged, with fewer than {FEW} tests: {}", slices.join(", ")));
    }
    remarks.push(format!(
        "Over {} and {}. Intervals are corrected for all that is judged, so that the chance of any gate passed or failed in error is at most {:.0} %",
        counted(decision.tests, "test case"),
        counted(decision.seeds.len(), "seed"),
        100.0 * ALPHA
    ));
    remarks
}

impl GateResult {
    /// `gain -0.0120, not above 0`, with the interval where there is one.
    fn failure(&self) -> String {
        let (gate, bound) = (self.gate, self.bound_words());
        let Some(value) = self.value else {
            return format!("{gate}: {}", self.note.as_deref().unwrap_or("not measured"));
        };
        let interval =
            self.interval.map_or_else(String::new, |interval| format!(" ({})", self.gate.interval(interval)));
        format!("{gate} is {}{interval}, and must be {bound}", gate.number(value))
    }

    /// `above 0`, `at least -0.0050`, `at most 5 %`.
    pub fn bound_words(&self) -> String {
        let bound = self.gate.number(self.bound);
        match self.gate {
            Gate::Gain if self.bound == 0.0 => "above 0".to_owned(),
            Gate::Gain => format!("above {bound}"),
            Gate::Slice(_) | Gate::Slices => format!("at least {bound}"),
            Gate::NegativeFlips | Gate::TrainingTime | Gate::Memory => format!("at most {bound}"),
        }
    }

    /// The value as people read it; a dash where it could not be measured.
    pub fn value_words(&self) -> String {
        self.value.map_or_else(|| "–".to_owned(), |value| self.gate.number(value))
    }

    /// The interval as people read it; a dash where there is none.
    pub fn interval_words(&self) -> String {
        self.interval.map_or_else(|| "–".to_owned(), |interval| self.gate.interval(interval))
    }

    /// `passed`, `failed`, `needs about 120 more users`, with why where that is not the interval.
    pub fn state_words(&self) -> String {
        match (self.state, &self.note, self.more) {
            (State::Open, Some(note), _) => format!("{}: {note}", self.state),
            (State::Open, None, Some(more)) => format!("{}: needs {more}", self.state),
            (State::Failed, Some(note), _) => format!("{}: {note}", self.state),
            _ => self.state.to_string(),
        }
    }
}

impl Gate {
    /// A value of it.
    pub fn number(self, value: f64) -> String {
        match self {
            Self::Gain | Self::Slice(_) | Self::Slices => format!("{value:+.4}"),
            Self::NegativeFlips => format!("{:.1} %", 100.0 * value),
            Self::TrainingTime | Self::Memory => format!("{value:.2}x"),
        }
    }

    fn interval(self, Interval { low, high, .. }: Interval) -> String {
        format!("{} … {}", self.number(low), self.number(high))
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gain => f.write_str("gain"),
            Self::Slice(slice) => write!(f, "slice {slice}"),
            Self::Slices => f.write_str("slices"),
            Self::NegativeFlips => f.write_str("negative flips"),
            Self::TrainingTime => f.write_str("training time"),
            Self::Memory => f.write_str("memory"),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Open => "cannot be told",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ship => f.write_str("Ship"),
            Self::Hold => f.write_str("Hold"),
            Self::NeedsMore(more) => write!(f, "Needs {more}"),
            Self::NotCompared(_) => f.write_str("Not compared"),
        }
    }
}
