//! A ranking metric that is asked for by its name.

use std::fmt;
use std::str::FromStr;

use super::ranking::{UserOutcome, hit, hit_corrected, ndcg, ndcg_corrected};

/// A metric of one user: `hit@10` and `ndcg@10` by the released count, the same with `_corrected` tie-corrected. Ordinary
/// tables, charts and comparisons take the [default](Self::default).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserMetric {
    pub gain: Gain,
    /// The cut-off.
    pub k: usize,
    /// Whether the target's place among items of the same id is taken by expectation.
    pub corrected: bool,
}

/// What a place in the list is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gain {
    Hit,
    Ndcg,
}

impl Default for UserMetric {
    /// NDCG@10, tie-corrected.
    fn default() -> Self {
        Self::ndcg(10)
    }
}

impl UserMetric {
    /// Hit@k, tie-corrected.
    pub const fn hit(k: usize) -> Self {
        Self { gain: Gain::Hit, k, corrected: true }
    }

    /// NDCG@k, tie-corrected.
    pub const fn ndcg(k: usize) -> Self {
        Self { gain: Gain::Ndcg, k, corrected: true }
    }

    /// The same by the released count.
    #[must_use]
    pub const fn released(self) -> Self {
        Self { corrected: false, ..self }
    }

    /// The metric of one outcome.
    pub fn of(self, outcome: &UserOutcome) -> f64 {
        match (self.gain, self.corrected) {
            (Gain::Hit, false) => hit(outcome.rank, self.k),
            (Gain::Hit, true) => hit_corrected(outcome, self.k),
            (Gain::Ndcg, false) => ndcg(outcome.rank, self.k),
            (Gain::Ndcg, true) => ndcg_corrected(outcome, self.k),
        }
    }

    /// Whether every user has 0 or 1.
    pub fn is_binary(self) -> bool {
        self.gain == Gain::Hit && !self.corrected
    }
}

impl FromStr for UserMetric {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let unknown =
            || format!("\"{text}\" is no metric; expected hit@K or ndcg@K, as in hit@10 or ndcg@10_corrected");
        let (plain, corrected) = text.strip_suffix("_corrected").map_or((text, false), |plain| (plain, true));
        let (gain, k) = plain.split_once('@').ok_or_else(unknown)?;
        let gain = match gain {
            "hit" => Gain::Hit,
            "ndcg" => Gain::Ndcg,
            _ => return Err(unknown()),
        };
        let k = k.parse().ok().filter(|&k| k > 0).ok_or_else(unknown)?;
        Ok(Self { gain, k, corrected })
    }
}

impl fmt::Display for UserMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gain = match self.gain {
            Gain::Hit => "hit",
            Gain::Ndcg => "ndcg",
        };
        write!(f, "{gain}@{}{}", self.k, if self.corrected { "_corrected" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_and_written() {
        for text in ["hit@10", "ndcg@5", "hit@1_corrected", "ndcg@20_corrected"] {
            assert_eq!(text.parse::<UserMetric>().unwrap().to_string(), text);
        }
        for text in ["hit", "hit@", "hit@0", "mrr@10", "hit@10_", "hit@-1"] {
            assert!(text.parse::<UserMetric>().unwrap_err().contains("ndcg@10"), "{text}");
        }
    }

    #[test]
    fn the_metric_of_a_user_is_that_of_the_table() {
        let outcome = UserOutcome { user: 0, target: 0, rank: 2, before: 1, sharing: 2, top: Vec::new() };
        let of = |text: &str| text.parse::<UserMetric>().unwrap().of(&outcome);
        assert_eq!(of("hit@1"), 0.0);
        assert_eq!(of("hit@2"), 1.0);
        assert_eq!(of("hit@2_corrected"), 0.5);
        assert!((of("ndcg@10") - 1.0 / 3f64.log2()).abs() < 1e-12);
    }
}
