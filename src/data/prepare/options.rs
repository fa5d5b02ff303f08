//! What a project file says of the preparation.

use serde::{Deserialize, Serialize};

use crate::calendar;
use crate::data::term::Term;

/// How interactions are prepared and cut into stages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Prepare {
    /// Whether only a user's first interaction with an item counts.
    #[serde(skip_serializing_if = "Clone::clone")]
    pub deduplicate: bool,
    /// Interactions of a lower rating are left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least_rating: Option<f64>,
    /// Interactions that every user and every item has at least, over all stages; 1 leaves nothing out.
    #[serde(skip_serializing_if = "is_usual_core")]
    pub core: usize,
    #[serde(skip_serializing_if = "StageCuts::is_default")]
    pub stages: StageCuts,
}

/// The fields of [`Prepare`].
pub(crate) const TERMS: &[Term] = &[
    Term {
        name: "deduplicate",
        meaning: "whether only a user's first interaction with an item counts; `true` unless it says otherwise",
    },
    Term { name: "least_rating", meaning: "interactions of a lower rating are left out; none are, unless it is given" },
    Term {
        name: "core",
        meaning: "interactions that every user and every item has at least, over all stages; users and items with fewer are left out \
                  until nothing changes. 5 unless it says otherwise; 1 leaves nothing out",
    },
    Term {
        name: "stages",
        meaning: "where stages begin, in time order (ties in the order of the file): `Fractions(base: 0.6, later: 4)`, the default, \
                  makes the first 60 % of the interactions stage 1 and the rest 4 equal stages; `Shares([0.5, 0.25, 0.25])` names \
                  the share of each; `Equal(5)` makes 5 equal ones; `Dates([\"2014-07-23\", \"2015-01-01\"])` begins a stage at each \
                  date (UTC), stage 1 being before the first; `ByOrder(base: 0.6, later: 4)`, for data without times, cuts each \
                  user's own sequence; `Files`, for data in several files, makes each file a stage, in the order in which they are \
                  read",
    },
];

/// Of the core that the field uses.
const USUAL_CORE: usize = 5;

fn is_usual_core(core: &usize) -> bool {
    *core == USUAL_CORE
}

impl Default for Prepare {
    fn default() -> Self {
        Self { deduplicate: true, least_rating: None, core: USUAL_CORE, stages: StageCuts::default() }
    }
}

/// Where stages begin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum StageCuts {
    /// In time order: the first share of the interactions is stage 1, and as many equal stages follow. The paper's is 0.6
    /// and 4.
    Fractions { base: f64, later: usize },
    /// In time order: the share of each stage; together they are 1.
    Shares(Vec<f64>),
    /// In time order: as many equal stages.
    Equal(usize),
    /// A stage begins at each of these dates (like `2014-07-23`, UTC), in ascending order; stage 1 is before the first.
    Dates(Vec<String>),
    /// For interactions without times: the first share of each user's own interactions is stage 1, and as many equal stages
    /// follow. Users do not share a clock, so that such stages are no stages in time.
    ByOrder { base: f64, later: usize },
    /// For data in several files: each file is a stage, in the order in which they are read (a split's train, valid and test).
    Files,
}

impl Default for StageCuts {
    fn default() -> Self {
        Self::Fractions { base: 0.6, later: 4 }
    }
}

/// An option that has no meaning, or not for the data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {problem}; {advice}")]
pub struct InvalidPrepare {
    /// The field of [`Prepare`].
    pub field: &'static str,
    pub problem: String,
    /// What a usable value is.
    pub advice: String,
}

impl InvalidPrepare {
    pub(super) fn new(field: &'static str, problem: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { field, problem: problem.into(), advice: advice.into() }
    }
}

/// Stages that are cut, at most.
pub const MAX_STAGES: usize = 100;

impl Prepare {
    /// Whether nothing is set.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The same for data with times or without: cuts that such data cannot have become the usual ones.
    #[must_use]
    pub fn fitted(mut self, timed: bool) -> Self {
        let by_order = matches!(self.stages, StageCuts::ByOrder { .. });
        if self.stages == StageCuts::Files {
            return self;
        }
        match timed {
            true if by_order => self.stages = StageCuts::default(),
            false if !by_order => self.stages = StageCuts::ByOrder { base: 0.6, later: 4 },
            _ => {}
        }
        self
    }

    /// Refuses options that have no meaning for any data.
    ///
    /// # Errors
    /// Names the field.
    pub fn check(&self) -> Result<(), InvalidPrepare> {
        let require = |holds: bool, field, problem: &str, advice: &str| {
            if holds { Ok(()) } else { Err(InvalidPrepare::new(field, problem, advice)) }
        };
        require((1..=1000).contains(&self.core), "core", "not from 1 to 1,000", "1 leaves nothing out")?;
        let rating = self.least_rating.is_none_or(f64::is_finite);
        require(rating, "least_rating", "not a number", "for example 4.0")?;
        self.stages.shares().map(drop)?;
        if let StageCuts::Dates(dates) = &self.stages {
            cut_times(dates)?;
        }
        Ok(())
    }
}

impl StageCuts {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a stage is a period of time, so that there are cuts to move.
    pub fn are_in_time(&self) -> bool {
        !matches!(self, Self::ByOrder { .. } | Self::Files)
    }

    /// The share of the interactions that each stage has; none for dates.
    pub(super) fn shares(&self) -> Result<Option<Vec<f64>>, InvalidPrepare> {
        let invalid = |problem: &str, advice: &str| Err(InvalidPrepare::new("stages", problem, advice));
        let shares = match self {
            Self::Fractions { base, later } | Self::ByOrder { base, later } => {
                if !(*base > 0.0 && *base <= 1.0) {
                    return invalid("the share of stage 1 is not above 0 and at most 1", "the paper's is 0.6");
                }
                if *later >= MAX_STAGES || (*later == 0) != (*base == 1.0) {
                    return invalid("the number of later stages does not fit the share", "the paper's are 0.6 and 4");
                }
                let rest = (1.0 - base) / (*later).max(1) as f64;
                [*base].into_iter().chain(std::iter::repeat_n(rest, *later)).collect()
            }
            Self::Shares(shares) => {
                let sound = shares.iter().all(|share| *share > 0.0) && (shares.iter().sum::<f64>() - 1.0).abs() < 1e-6;
                if !sound || shares.len() > MAX_STAGES {
                    return invalid("the shares are not above 0 or do not sum to 1", "for example [0.5, 0.25, 0.25]");
                }
                shares.clone()
            }
            Self::Equal(count) => {
                if !(1..=MAX_STAGES).contains(count) {
                    return invalid("not from 1 to 100 stages", "for example 5");
                }
                vec![1.0 / *count as f64; *count]
            }
            Self::Dates(_) | Self::Files => return Ok(None),
        };
        Ok(Some(shares))
    }
}

/// Dates in milliseconds since 1970.
pub(super) fn cut_times(dates: &[String]) -> Result<Vec<i64>, InvalidPrepare> {
    let invalid = |problem: String| InvalidPrepare::new("stages", problem, "dates like `2014-07-23`, ascending");
    let time = |date: &String| calendar::parse(date).ok_or_else(|| invalid(format!("\"{date}\" is not a date")));
    let times = dates.iter().map(time).collect::<Result<Vec<_>, _>>()?;
    if times.is_empty() || times.len() >= MAX_STAGES || !times.is_sorted_by(|one, other| one < other) {
        return Err(invalid("the dates are not ascending, or none or too many".to_owned()));
    }
    Ok(times)
}
