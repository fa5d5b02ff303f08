//! The hybrid of a language model and two towers: late fusion of their lists.
//!
//! Dual modelling still carries collaborative signal that the language model lacks (arXiv 2510.25093). For a user, the items
//! of both top lists are scored by both; each side's scores are brought to `[0, 1]` over these items; an item that the
//! language model does not list has 0 there. The fused score is `w · language model + (1 - w) · towers`, and `w` is the
//! multiple of 0.1 with the best NDCG on the stage's validation users.

use serde::{Deserialize, Serialize};

use super::{Card, Family, Method};
use crate::schema::{Field, Kind};

pub const CARD: Card = Card {
    key: "hybrid",
    name: "Hybrid",
    sentence: "The lists of an adapted language model and of another recommender, fused; the weight is chosen by validation",
    formula: "w·s(language model) + (1−w)·s(towers), each in 0…1 over both lists",
    source: "Late fusion; the paper's finding that two towers carry signal of their own, arXiv 2510.25093",
    family: Family::OtherRecommender,
    fields: &[
        Field {
            path: "adapter",
            label: "Language model",
            help: "The experiment whose adapted language model takes part; its run is finished first",
            kind: Kind::Experiment,
        },
        Field {
            path: "towers",
            label: "Towers",
            help: "The experiment whose two towers (or SASRec) take part; its run is finished first",
            kind: Kind::Experiment,
        },
    ],
};

/// Options of the hybrid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hybrid {
    /// The experiment of the language model.
    pub adapter: String,
    /// The experiment of the two towers.
    pub towers: String,
}

impl Default for Hybrid {
    fn default() -> Self {
        Self { adapter: "PESO".to_owned(), towers: "Two towers".to_owned() }
    }
}

impl Method for Hybrid {
    fn card(&self) -> &'static Card {
        &CARD
    }

    fn parts(&self) -> Vec<&str> {
        vec![&self.adapter, &self.towers]
    }

    fn fusion(&self) -> Option<&Hybrid> {
        Some(self)
    }
}

/// One side's scores brought to `[0, 1]`; all 0 where they are equal.
pub fn normalised(scores: &[f64]) -> Vec<f64> {
    let min = scores.iter().copied().fold(f64::INFINITY, f64::min);
    let max = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = max - min;
    scores.iter().map(|score| if range > 0.0 { (score - min) / range } else { 0.0 }).collect()
}

/// Candidates of one user with both sides' normalised scores.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidates {
    pub items: Vec<u32>,
    pub language_model: Vec<f64>,
    pub towers: Vec<f64>,
}

impl Candidates {
    /// The items by their fused score, best first; equal ones in catalogue order.
    pub fn ranked(&self, weight: f64) -> Vec<u32> {
        let fused = |index: usize| weight * self.language_model[index] + (1.0 - weight) * self.towers[index];
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        order.sort_by(|&one, &other| fused(other).total_cmp(&fused(one)).then(self.items[one].cmp(&self.items[other])));
        order.into_iter().map(|index| self.items[index]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_goes_from_one_list_to_the_other() {
        let candidates = Candidates {
            items: vec![7, 8, 9],
            language_model: normalised(&[-1.0, -2.0, -3.0]),
            towers: normalised(&[0.0, 5.0, 10.0]),
        };
        assert_eq!(candidates.ranked(1.0), [7, 8, 9]);
        assert_eq!(candidates.ranked(0.0), [9, 8, 7]);
        assert_eq!(candidates.ranked(0.5), [7, 8, 9], "all equal: catalogue order");
        assert_eq!(candidates.ranked(0.4), [9, 8, 7]);
        assert_eq!(normalised(&[2.0, 2.0]), [0.0, 0.0]);
    }
}
