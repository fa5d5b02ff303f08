//! The gates of a decision: what a method must reach, and may cost, before it takes the place of the baseline. They are set before
//! the runs that they judge, and the file keeps the day.

use serde::{Deserialize, Serialize};

use super::Project;
use crate::calendar;
use crate::measure::UserMetric;

/// What a method is held to. Where a project has none, the [default](Self::default) holds, and whoever shows it says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gates {
    /// The UTC day on which they were set: `2026-05-01`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set_on: Option<String>,
    /// The metric of gain and slices, one of single users: `ndcg@10_corrected`. Negative flips are of Hit at its cut-off.
    pub metric: String,
    /// The gain must be larger.
    pub least_gain: Amount,
    /// No slice of the tests may lose more.
    pub slice_loss: Option<Amount>,
    /// Share of the tests that the baseline gets right and the method does not, from 0 to 1: at most this.
    pub negative_flips: Option<f64>,
    /// Training time of a stage, as a multiple of the baseline's: at most this.
    pub training_time: Option<f64>,
    /// Peak memory, as a multiple of the baseline's: at most this.
    pub memory: Option<f64>,
}

/// A difference of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Amount {
    /// A share of the baseline's value over all tests. It is so for slices too: where the baseline has next to nothing, a share
    /// of that would be a hair's breadth that no number of tests can measure.
    Relative(f64),
    /// In the metric's own unit.
    Absolute(f64),
}

impl Amount {
    /// In the metric's unit, where the baseline has `value` over all tests.
    pub fn of(self, value: f64) -> f64 {
        match self {
            Self::Relative(share) => share * value,
            Self::Absolute(amount) => amount,
        }
    }

    /// The number as it is written.
    pub const fn number(self) -> f64 {
        match self {
            Self::Relative(number) | Self::Absolute(number) => number,
        }
    }
}

impl Default for Gates {
    /// Any gain, no slice that loses more than a tenth, at most one test in twenty flipped; cost does not count.
    fn default() -> Self {
        Self {
            set_on: None,
            metric: UserMetric::default().to_string(),
            least_gain: Amount::Relative(0.0),
            slice_loss: Some(Amount::Relative(0.1)),
            negative_flips: Some(0.05),
            training_time: None,
            memory: None,
        }
    }
}

impl Gates {
    /// The start of the day on which they were set, in seconds since 1970.
    pub fn set_on_unix(&self) -> Option<u64> {
        let day = calendar::parse(self.set_on.as_deref()?)?;
        u64::try_from(day.div_euclid(1000)).ok()
    }

    /// What is wrong with them: the field, the problem, and what to write instead.
    ///
    /// # Errors
    /// The first field whose value cannot be used.
    pub fn check(&self) -> Result<(), (&'static str, String, &'static str)> {
        let number = |field: &'static str, value: f64, most: f64, advice: &'static str| {
            let usable = value.is_finite() && (0.0..=most).contains(&value);
            if usable { Ok(()) } else { Err((field, format!("{value} cannot be a bound"), advice)) }
        };
        if let Err(problem) = self.metric.parse::<UserMetric>() {
            return Err(("metric", problem, "use the default, ndcg@10_corrected"));
        }
        if let Some(day) = self.set_on.as_ref().filter(|_| self.set_on_unix().is_none()) {
            return Err(("set_on", format!("\"{day}\" is no day"), "write it as 2026-05-01"));
        }
        let amount = "a share as `Relative(0.02)`, or a difference as `Absolute(0.005)`, from 0 on";
        number("least_gain", self.least_gain.number(), f64::MAX, amount)?;
        self.slice_loss.map_or(Ok(()), |loss| number("slice_loss", loss.number(), f64::MAX, amount))?;
        let share = "a share from 0 to 1, for example 0.05";
        self.negative_flips.map_or(Ok(()), |flips| number("negative_flips", flips, 1.0, share))?;
        let multiple = "a multiple of the baseline's, for example 2.0";
        self.training_time.map_or(Ok(()), |time| number("training_time", time, f64::MAX, multiple))?;
        self.memory.map_or(Ok(()), |memory| number("memory", memory, f64::MAX, multiple))
    }

    /// Whether both hold a method to the same, on whatever day they were set.
    fn same_as(&self, other: &Self) -> bool {
        *self == Self { set_on: self.set_on.clone(), ..other.clone() }
    }
}

impl Project {
    /// The gates of the project, or those that hold where it has none.
    pub fn gates(&self) -> Gates {
        self.decision.clone().unwrap_or_else(|| self.usual_gates())
    }

    /// The gates that hold where a project has none, of the cut-off that its lists have.
    pub fn usual_gates(&self) -> Gates {
        Gates { metric: UserMetric::ndcg(self.evaluation.usual_cut_off()).to_string(), ..Gates::default() }
    }
}

/// The project with other gates, set `today` (milliseconds since 1970); with its own, and their day, where they are the same.
pub fn with_gates(project: &Project, gates: Gates, today: i64) -> Project {
    if project.decision.as_ref().is_some_and(|own| own.same_as(&gates)) {
        return project.clone();
    }
    let gates = Gates { set_on: Some(calendar::date(today)), ..gates };
    Project { decision: Some(gates), ..project.clone() }
}

/// The project without gates of its own.
pub fn without_gates(project: &Project) -> Project {
    Project { decision: None, ..project.clone() }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::{DEMO, to_ron};

    const MAY: i64 = 1_777_593_600_000;

    fn project() -> Project {
        Project::parse(DEMO, Path::new("demo/project.ron")).unwrap()
    }

    #[test]
    fn other_gates_are_of_another_day_and_the_same_ones_keep_theirs() {
        let strict = || Gates { negative_flips: Some(0.01), ..Gates::default() };
        let set = with_gates(&project(), strict(), MAY);
        assert_eq!(set.gates().set_on.as_deref(), Some("2026-05-01"));
        assert_eq!(set.gates().set_on_unix(), Some(1_777_593_600));
        assert_eq!(with_gates(&set, strict(), MAY + 3 * calendar::DAY), set, "nothing but the day would change");
        let loose = with_gates(&set, Gates { negative_flips: None, ..set.gates() }, MAY + 3 * calendar::DAY);
        assert_eq!(loose.gates().set_on.as_deref(), Some("2026-05-04"));
        assert_eq!(without_gates(&loose), project());
    }

    #[test]
    fn the_usual_gates_are_of_a_cut_off_that_lists_have() {
        for (beams, k, cut_off) in [(20, vec![1, 5, 10, 20], 10), (5, vec![1, 5, 10], 5), (50, vec![20, 50], 20)] {
            let mut project = project();
            (project.evaluation.beams, project.evaluation.k) = (beams, k);
            assert_eq!(project.gates().metric, format!("ndcg@{cut_off}_corrected"));
        }
    }

    #[test]
    fn gates_are_written_and_read() {
        let project = project();
        let set = with_gates(&project, Gates { least_gain: Amount::Absolute(0.01), ..Gates::default() }, MAY);
        let text = to_ron(&set, Path::new("project.ron")).unwrap();
        assert!(text.contains("least_gain: Absolute(0.01)"), "{text}");
        assert_eq!(Project::parse(&text, Path::new("demo/project.ron")).unwrap().decision, set.decision);
    }

    #[test]
    fn what_cannot_be_a_gate_is_refused_by_its_field() {
        let field = |gates: Gates| gates.check().unwrap_err().0;
        assert_eq!(field(Gates { metric: "recall".to_owned(), ..Gates::default() }), "metric");
        assert_eq!(field(Gates { set_on: Some("May".to_owned()), ..Gates::default() }), "set_on");
        assert_eq!(field(Gates { least_gain: Amount::Relative(-0.1), ..Gates::default() }), "least_gain");
        assert_eq!(field(Gates { negative_flips: Some(1.5), ..Gates::default() }), "negative_flips");
        assert_eq!(field(Gates { memory: Some(f64::NAN), ..Gates::default() }), "memory");
        assert_eq!(Gates::default().check(), Ok(()));
    }
}
