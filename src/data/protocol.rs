//! Which interaction of a user in a stage is tested, and after which stages' training.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Example, Sequence, Stage};

/// How a stage is tested. Training targets are the same under both, so one trained model serves both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// Leave-one-out within each stage, the paper's: the test is the user's last interaction in the stage.
    #[default]
    SameBlock,
    /// The order of deployment: the test is the user's first interaction in the stage, asked of models that were trained
    /// on earlier stages alone.
    NextBlock,
    /// The strict order of time: the tests of [`Self::SameBlock`], asked of models that were trained on earlier stages alone, so
    /// that nothing they have learned from, of any user, lies after a test. It needs no measuring of its own: its cells are
    /// those of same-block above the diagonal.
    GlobalTime,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SameBlock, Self::NextBlock, Self::GlobalTime];
    /// Those that are measured; what they measured serves the others too.
    pub const MEASURED: [Self; 2] = [Self::SameBlock, Self::NextBlock];

    /// The protocol under which its cells are measured and recorded.
    pub const fn recorded_as(self) -> Self {
        match self {
            Self::SameBlock | Self::GlobalTime => Self::SameBlock,
            Self::NextBlock => Self::NextBlock,
        }
    }

    /// The word on the command line and in results.
    pub fn key(self) -> &'static str {
        match self {
            Self::SameBlock => "same-block",
            Self::NextBlock => "next-block",
            Self::GlobalTime => "global-time",
        }
    }

    /// Whether `R[trained, tested]` (stages from 1) is asked: under next-block a model that was trained on the tested stage, or on
    /// a later one, has seen the answer; under global-time it has seen what came after the test.
    pub fn measures(self, trained: usize, tested: usize) -> bool {
        match self {
            Self::SameBlock => true,
            Self::NextBlock | Self::GlobalTime => trained < tested,
        }
    }

    /// The newest model that may be asked the tests of a stage (stages from 1): the stage's own under same-block, the one
    /// before it under the others. The means of the tables are over these cells.
    pub fn newest(self, tested: usize) -> usize {
        match self {
            Self::SameBlock => tested,
            Self::NextBlock | Self::GlobalTime => tested.saturating_sub(1),
        }
    }

    /// The test of a user in a stage, where the user has one.
    pub fn test(self, sequence: &Sequence) -> Option<Example<'_>> {
        match self {
            Self::SameBlock | Self::GlobalTime => sequence.test(),
            Self::NextBlock => sequence.next_block_test(),
        }
    }

    /// The tests of a stage, in file order.
    pub fn tests(self, stage: &Stage) -> impl Iterator<Item = Example<'_>> {
        stage.sequences.iter().filter_map(move |sequence| self.test(sequence))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Protocol {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|protocol| protocol.key() == text);
        known.ok_or_else(|| format!("\"{text}\" is no protocol; expected same-block, next-block or global-time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_never_asked_what_it_was_trained_on() {
        for tested in 1..5 {
            assert!(Protocol::SameBlock.measures(tested, tested));
            for trained in 1..5 {
                assert_eq!(Protocol::NextBlock.measures(trained, tested), trained < tested);
                assert_eq!(Protocol::GlobalTime.measures(trained, tested), trained < tested);
            }
        }
        assert_eq!(Protocol::SameBlock.newest(3), 3);
        assert_eq!([Protocol::NextBlock, Protocol::GlobalTime].map(|protocol| protocol.newest(3)), [2, 2]);
    }

    #[test]
    fn names_are_those_of_the_command_line() {
        for protocol in Protocol::ALL {
            assert_eq!(serde_json::to_string(&protocol).unwrap(), format!("\"{}\"", protocol.key()));
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
        }
        assert!("both".parse::<Protocol>().unwrap_err().contains("expected same-block, next-block or global-time"));
    }
}
