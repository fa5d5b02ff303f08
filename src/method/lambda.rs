//! λ, the weight of a term that pulls: a number, or a rule by which every stage finds its own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::schema::{Choice, Field, Kind};

/// The weight of a term that pulls, as the project file has it: `2.0`, `PullRatio(0.1)`, `Validated([0.5, 2, 8])`, `Kalman`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(expecting = "expected a number, `PullRatio(0.1)`, `Validated([0.5, 2, 8])` or `Kalman`")]
pub enum Lambda {
    /// The number at which the term has this share of the cross-entropy's gradient, measured in a stage's first steps.
    PullRatio(f64),
    /// The candidate with the lowest validation loss, each trained from the stage's start.
    Validated(Vec<f64>),
    /// A number for each group, from how far the stage's optimum moves and how uncertain it is.
    Kalman,
    /// This number, in every stage.
    #[serde(untagged)]
    Fixed(f64),
}

/// The weight of a term in one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Strength {
    One(f64),
    /// By the name of the parameter that the group is.
    PerGroup(BTreeMap<String, f64>),
}

/// What a stage's rule came to; there is none where λ is fixed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageLambda {
    /// The rule.
    pub rule: Lambda,
    /// The weight that the stage was trained with.
    pub value: Strength,
    /// Wall time that the rule took beside the training that it led to.
    pub cost_seconds: f64,
}

impl From<f64> for Lambda {
    fn from(number: f64) -> Self {
        Self::Fixed(number)
    }
}

impl Lambda {
    /// The number that a term is planned with: where a rule is to find it 1, which the rule's number then multiplies.
    pub fn planned(&self) -> f64 {
        match self {
            Self::Fixed(number) => *number,
            Self::PullRatio(_) | Self::Validated(_) | Self::Kalman => 1.0,
        }
    }

    /// The weight in every stage, where no rule has to find it.
    pub fn fixed(&self) -> Option<Strength> {
        match self {
            Self::Fixed(number) => Some(Strength::One(*number)),
            Self::PullRatio(_) | Self::Validated(_) | Self::Kalman => None,
        }
    }
}

impl Strength {
    /// The weight of a group; 0 of one that it does not know.
    pub fn of(&self, group: &str) -> f64 {
        match self {
            Self::One(number) => *number,
            Self::PerGroup(groups) => groups.get(group).copied().unwrap_or(0.0),
        }
    }

    /// The one number, where all groups share it.
    pub fn one(&self) -> Option<f64> {
        match self {
            Self::One(number) => Some(*number),
            Self::PerGroup(_) => None,
        }
    }

    /// The mean over the groups.
    pub fn mean(&self) -> f64 {
        match self {
            Self::One(number) => *number,
            Self::PerGroup(groups) => groups.values().sum::<f64>() / groups.len().max(1) as f64,
        }
    }
}

/// λ itself as an option: a number up to `max`, or a rule.
pub(super) const fn field(help: &'static str, max: f64) -> Field {
    Field { path: "lambda", label: "λ", help, kind: Kind::NumberOr { min: 0.0, max, choices: RULES } }
}

const RULES: &[Choice] = &[
    Choice {
        key: "PullRatio",
        label: "By its effect",
        help: "Each stage measures in its first steps which number gives the pull this share of the gradient, and keeps it",
        defaults: "0.1",
    },
    Choice {
        key: "Validated",
        label: "By validation",
        help: "Each stage trains every candidate, drops the worse half after each round, and goes on with the best",
        defaults: "[0.5, 2.0, 8.0]",
    },
    Choice::plain(
        "Kalman",
        "By a filter",
        "Each stage weighs how far its optimum moves against how uncertain it is, a number for each group",
    ),
];

/// The share of [`Lambda::PullRatio`] as an option.
pub(super) const RATIO: Field = Field {
    path: "lambda.PullRatio",
    label: "Pull ratio",
    help: "How large the pull's gradient is to be beside the cross-entropy's: 0.1 is a tenth",
    kind: Kind::Number { min: 1e-6, max: 1e3 },
};

/// The candidates of [`Lambda::Validated`] as an option.
pub(super) const CANDIDATES: Field = Field {
    path: "lambda.Validated",
    label: "Candidates",
    help: "The numbers that each stage tries; every halving costs about as much as one more training",
    kind: Kind::Numbers { min: 0.0, max: 1e12 },
};

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [(&str, &str); 4] = [
        ("2.0", "2.0"),
        ("PullRatio(0.1)", r#"{"PullRatio":0.1}"#),
        ("Validated([0.5,2.0,8.0])", r#"{"Validated":[0.5,2.0,8.0]}"#),
        ("Kalman", r#""Kalman""#),
    ];

    fn values() -> [Lambda; 4] {
        [Lambda::Fixed(2.0), Lambda::PullRatio(0.1), Lambda::Validated(vec![0.5, 2.0, 8.0]), Lambda::Kalman]
    }

    #[test]
    fn numbers_and_rules_are_read_and_written_in_ron_and_json_alike() {
        for (lambda, (in_ron, in_json)) in values().into_iter().zip(FORMS) {
            assert_eq!(ron::to_string(&lambda).unwrap(), in_ron);
            assert_eq!(serde_json::to_string(&lambda).unwrap(), in_json);
            assert_eq!(ron::from_str::<Lambda>(in_ron).unwrap(), lambda);
            assert_eq!(serde_json::from_str::<Lambda>(in_json).unwrap(), lambda);
        }
        assert_eq!(ron::from_str::<Lambda>("2").unwrap(), Lambda::Fixed(2.0), "a whole number");
        assert_eq!(ron::from_str::<Lambda>("Validated([1, 2.5])").unwrap(), Lambda::Validated(vec![1.0, 2.5]));
    }

    #[test]
    fn what_is_neither_is_refused_with_what_there_is() {
        for text in ["\"many\"", "PulRatio(0.1)", "Validated(2)", "[1]"] {
            let error = ron::from_str::<Lambda>(text).unwrap_err().to_string();
            assert!(error.contains("expected a number, `PullRatio(0.1)`"), "{text}: {error}");
        }
    }

    #[test]
    fn a_group_has_its_own_weight_or_the_one_of_all() {
        let groups = Strength::PerGroup([("a".to_owned(), 1.0), ("b".to_owned(), 4.0)].into());
        assert_eq!((groups.of("b"), groups.of("c"), groups.mean(), groups.one()), (4.0, 0.0, 2.5, None));
        assert_eq!((Strength::One(3.0).of("c"), Strength::One(3.0).one()), (3.0, Some(3.0)));
        let text = serde_json::to_string(&groups).unwrap();
        assert_eq!(serde_json::from_str::<Strength>(&text).unwrap(), groups);
        assert_eq!(serde_json::from_str::<Strength>("3.0").unwrap(), Strength::One(3.0));
    }
}
