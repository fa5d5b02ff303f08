//! A ranking metric that is asked for by its name.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::ranking::{Place, UserOutcome};

/// A metric of one user: `hit@10` and `ndcg@10` by the released count, the same with `_corrected` tie-corrected; with
/// `_known` before that (`hit@10_known`, `hit@10_known_corrected`) of lists that hold only items known by the tested stage.
/// Ordinary tables, charts and comparisons take the [default](Self::default).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserMetric {
    pub gain: Gain,
    /// The cut-off.
    pub k: usize,
    /// Whether the target's place among items of the same id is taken by expectation.
    pub corrected: bool,
    /// Whether the lists hold only items known by the tested stage.
    pub known: bool,
}

/// What the places of a recommender's list are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ranking {
    /// Single items, as of counting baselines, SASRec, two towers and fused lists.
    #[default]
    Items,
    /// Semantic ids, as of language models: items that share one have one place together.
    Ids,
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
        Self { gain: Gain::Hit, k, corrected: true, known: false }
    }

    /// NDCG@k, tie-corrected.
    pub const fn ndcg(k: usize) -> Self {
        Self { gain: Gain::Ndcg, k, corrected: true, known: false }
    }

    /// The same by the released count.
    #[must_use]
    pub const fn released(self) -> Self {
        Self { corrected: false, ..self }
    }

    /// The metric of one outcome; no number where it takes a list of known items and the outcome has none.
    pub fn of(self, outcome: &UserOutcome) -> f64 {
        let of: fn(Place, usize) -> f64 = match (self.gain, self.corrected) {
            (Gain::Hit, false) => Place::hit,
            (Gain::Hit, true) => Place::hit_corrected,
            (Gain::Ndcg, false) => Place::ndcg,
            (Gain::Ndcg, true) => Place::ndcg_corrected,
        };
        let place = if self.known { outcome.known } else { Some(outcome.whole()) };
        place.map_or(f64::NAN, |place| of(place, self.k))
    }

    /// Whether it counts a whole id as one place, for recommenders that rank ids.
    pub fn is_released(self) -> bool {
        !self.corrected
    }

    /// The same metric, tie-corrected.
    #[must_use]
    pub fn tie_corrected(self) -> Self {
        Self { corrected: true, ..self }
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
        let (plain, known) = plain.strip_suffix("_known").map_or((plain, false), |plain| (plain, true));
        let (gain, k) = plain.split_once('@').ok_or_else(unknown)?;
        let gain = match gain {
            "hit" => Gain::Hit,
            "ndcg" => Gain::Ndcg,
            _ => return Err(unknown()),
        };
        let k = k.parse().ok().filter(|&k| k > 0).ok_or_else(unknown)?;
        Ok(Self { gain, k, corrected, known })
    }
}

impl fmt::Display for UserMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gain = match self.gain {
            Gain::Hit => "hit",
            Gain::Ndcg => "ndcg",
        };
        let known = if self.known { "_known" } else { "" };
        write!(f, "{gain}@{}{known}{}", self.k, if self.corrected { "_corrected" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_read_and_written() {
        for text in
            ["hit@10", "ndcg@5", "hit@1_corrected", "ndcg@20_corrected", "hit@5_known", "ndcg@10_known_corrected"]
        {
            assert_eq!(text.parse::<UserMetric>().unwrap().to_string(), text);
        }
        for text in ["hit", "hit@", "hit@0", "mrr@10", "hit@10_", "hit@-1", "hit@10_corrected_known"] {
            assert!(text.parse::<UserMetric>().unwrap_err().contains("ndcg@10"), "{text}");
        }
    }

    #[test]
    fn the_metric_of_a_user_is_that_of_the_table() {
        let outcome = UserOutcome { user: 0, target: 0, rank: 2, before: 1, sharing: 2, top: Vec::new(), known: None };
        let of = |text: &str| text.parse::<UserMetric>().unwrap().of(&outcome);
        assert_eq!(of("hit@1"), 0.0);
        assert_eq!(of("hit@2"), 1.0);
        assert_eq!(of("hit@2_corrected"), 0.5);
        assert!((of("ndcg@10") - 1.0 / 3f64.log2()).abs() < 1e-12);
        assert!(of("hit@10_known").is_nan(), "the outcome has no list of known items");
        let outcome = UserOutcome { known: Some(Place { rank: 1, before: 0, sharing: 4 }), ..outcome };
        let of = |text: &str| text.parse::<UserMetric>().unwrap().of(&outcome);
        assert_eq!((of("hit@1"), of("hit@1_known"), of("hit@1_known_corrected")), (0.0, 1.0, 0.25));
    }
}
