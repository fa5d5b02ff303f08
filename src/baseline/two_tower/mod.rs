//! Two towers: an embedding for each user and for each item, whose inner product is the score, carried from stage to
//! stage in five ways.
//!
//! The contrastive variants follow Wang et al., "Structure Aware Incremental Learning with Personalized Imitation
//! Weights for Recommender Systems" (AAAI 2023, arXiv 2305.01204), and Yoo et al., "Embracing Plasticity: Balancing
//! Stability and Plasticity in Continual Recommender Systems" (PISA, SIGIR 2025). They are written after the papers'
//! abstracts, not their formulas, so what is computed is our reading: [`loss::contrastive`],
//! [`shift::imitation_weights`] and [`shift::plasticity`] say exactly what.

pub mod loss;
pub mod shift;
mod training;

use std::collections::{BTreeMap, BTreeSet};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::loss::{Pull, Towers, add, dot, row, row_mut};
use self::training::{Pulls, StageTraining};
use super::stage_recommender::{OnProgress, Query, StageFigures, StageRecommender};
use super::{epochs, normal_matrix};
use crate::data::{Dataset, Stage};
use crate::error::{InputError, RunError};
use crate::model::adapter::Matrix;
use crate::model::weights::Weights;
use crate::schema::{Choice, Field, Kind};
use crate::seeds;

/// Standard deviation of fresh embeddings.
const INITIAL_DEVIATION: f64 = 0.1;

/// The options as fields.
pub const FIELDS: &[Field] = &[
    field("width", "Width", "Width of the embeddings", Kind::Whole { min: 1, max: 4096 }),
    field(
        "variant",
        "Variant",
        "How the past is kept",
        Kind::Choice(&[
            Choice::plain("Frozen", "Frozen", "The embeddings of stage 1 for all stages"),
            Choice::plain("FineTune", "Fine-tune", "The ranking loss alone"),
            Choice {
                key: "Contrastive",
                label: "Contrastive",
                help: "Users are pulled to where the stage before left them, all alike",
                defaults: "{\"weight\": 0.1, \"temperature\": 0.2}",
            },
            Choice {
                key: "ContrastivePiw",
                label: "Contrastive + PIW",
                help: "Users whose interests changed are pulled less",
                defaults: "{\"weight\": 0.1, \"temperature\": 0.2, \"clusters\": 10}",
            },
            Choice {
                key: "Pisa",
                label: "PISA",
                help: "Stable users are pulled to their past, dynamic ones to where the stage takes them",
                defaults: "{\"weight\": 0.1, \"temperature\": 0.2, \"clusters\": 10}",
            },
        ]),
    ),
    field("variant.weight", "Weight", "Factor on the contrastive term", Kind::Number { min: 0.0, max: 1e6 }),
    field("variant.temperature", "Temperature", "Of the cosines", Kind::Number { min: 1e-3, max: 1e3 }),
    field(
        "variant.clusters",
        "Clusters",
        "Of items, through which a user's shift is seen",
        Kind::Whole { min: 1, max: 10_000 },
    ),
    field(
        "negatives",
        "Negatives",
        "A target; 1 is BPR, more the sampled softmax",
        Kind::Whole { min: 1, max: 100_000 },
    ),
    field(
        "epochs",
        "Epochs",
        "Passes over a stage; the one of least validation loss is kept",
        Kind::Whole { min: 1, max: 10_000 },
    ),
    field("batch", "Batch", "Targets a step", Kind::Whole { min: 1, max: 1_000_000 }),
    field("learning_rate", "Learning rate", "Of Adam, in every stage", Kind::Number { min: 1e-9, max: 10.0 }),
];

const fn field(path: &'static str, label: &'static str, help: &'static str, kind: Kind) -> Field {
    Field { path, label, help, kind }
}

/// Options of the two towers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TwoTower {
    /// Width of the embeddings.
    pub width: usize,
    /// How the past is kept.
    pub variant: Variant,
    /// Negatives a target, uniform over the items that the user does not know: 1 is BPR, more the sampled softmax.
    pub negatives: usize,
    /// Passes over a stage's training targets; the one of the least validation loss is kept.
    pub epochs: usize,
    /// Targets a step.
    pub batch: usize,
    /// Learning rate of Adam, in every stage.
    pub learning_rate: f64,
}

impl Default for TwoTower {
    fn default() -> Self {
        Self { width: 64, variant: Variant::FineTune, negatives: 1, epochs: 30, batch: 512, learning_rate: 5e-3 }
    }
}

/// How the two towers keep the past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Variant {
    /// The embeddings of stage 1 for all stages; later users are the mean of their history's items.
    Frozen,
    /// Each stage goes on from the one before, the ranking loss alone.
    FineTune,
    /// Users are pulled to where the stage before left them, all alike.
    Contrastive(Contrastive),
    /// The same with personalised imitation weights: users whose interests changed are pulled less.
    ContrastivePiw(Clustered),
    /// Stable users are pulled to where the stage before left them, dynamic ones to where fine-tuning on the stage
    /// takes them. The stage is trained twice: by fine-tuning, and then again from its start.
    Pisa(Clustered),
}

/// Options of the contrastive term.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Contrastive {
    /// Factor on the term.
    pub weight: f64,
    /// Temperature of the cosines.
    pub temperature: f64,
}

impl Default for Contrastive {
    fn default() -> Self {
        Self { weight: 0.1, temperature: 0.2 }
    }
}

/// Options of the contrastive term and of the clusters through which a user's shift is seen.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Clustered {
    /// Factor on the term.
    pub weight: f64,
    /// Temperature of the cosines.
    pub temperature: f64,
    /// Clusters of items, by the embeddings of the stage before.
    pub clusters: usize,
}

impl Default for Clustered {
    fn default() -> Self {
        let Contrastive { weight, temperature } = Contrastive::default();
        Self { weight, temperature, clusters: 10 }
    }
}

impl TwoTower {
    /// Number of parameters on a dataset of so many users and items.
    pub fn parameters(&self, users: usize, items: usize) -> u64 {
        (self.width * (users + items)) as u64
    }

    /// Checks the values.
    ///
    /// # Errors
    /// In words: the field, what is wrong with it, what was expected.
    pub fn check(&self) -> Result<(), String> {
        let (weight, temperature, clusters) = match self.variant {
            Variant::Frozen | Variant::FineTune => (0.0, 1.0, 1),
            Variant::Contrastive(Contrastive { weight, temperature }) => (weight, temperature, 1),
            Variant::ContrastivePiw(c) | Variant::Pisa(c) => (c.weight, c.temperature, c.clusters),
        };
        let sizes =
            [("width", self.width), ("negatives", self.negatives), ("batch", self.batch), ("clusters", clusters)];
        if let Some((name, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(format!("`{name}` is 0; expected at least 1"));
        }
        if !(weight.is_finite() && weight >= 0.0) {
            return Err(format!("`weight` is {weight}; expected 0 or more"));
        }
        let rates = [("temperature", temperature), ("learning_rate", self.learning_rate)];
        match rates.iter().find(|(_, value)| !(value.is_finite() && *value > 0.0)) {
            Some((name, value)) => Err(format!("`{name}` is {value}; expected a number above 0")),
            None => Ok(()),
        }
    }
}

/// Two towers on a dataset's users and items.
///
/// A user or an item that a stage trains on for the first time starts from an embedding drawn from the seed. To
/// recommend, a user who was never trained on is the mean of the history's items. Adam starts anew in every stage.
#[derive(Debug, Clone)]
pub struct TwoTowerRecommender {
    options: TwoTower,
    seed: u64,
    towers: Towers,
    /// Which users and items have been trained on.
    known_users: Vec<bool>,
    known_items: Vec<bool>,
}

impl TwoTowerRecommender {
    /// A recommender with fresh embeddings.
    ///
    /// # Errors
    /// See [`TwoTower::check`].
    pub fn new(options: TwoTower, users: usize, items: usize, seed: u64) -> Result<Self, String> {
        options.check()?;
        let towers = Towers {
            users: fresh(users, options.width, seed, "users"),
            items: fresh(items, options.width, seed, "items"),
        };
        Ok(Self { options, seed, towers, known_users: vec![false; users], known_items: vec![false; items] })
    }

    /// Notes the stage's users and items; new items, which were negatives before, get their fresh embeddings. Gives the
    /// users that were known.
    fn meet(&mut self, stage: &Stage) -> BTreeSet<u32> {
        let fresh = fresh(self.towers.items.rows, self.options.width, self.seed, "items");
        let mut returning = BTreeSet::new();
        for user in stage.participants().filter(|user| !user.training_targets().is_empty()) {
            if std::mem::replace(&mut self.known_users[user.user as usize], true) {
                returning.insert(user.user);
            }
            for &item in &user.items[user.training_targets()] {
                if !std::mem::replace(&mut self.known_items[item as usize], true) {
                    row_mut(&mut self.towers.items, item).copy_from_slice(row(&fresh, item));
                }
            }
        }
        returning
    }

    /// What holds the returning users back in the stage at `index`, whose seed is `seed`.
    fn pulls(
        &self,
        index: usize,
        stage: &Stage,
        users: BTreeSet<u32>,
        seed: u64,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<Pulls, RunError> {
        if users.is_empty() {
            return Ok(Pulls::default());
        }
        let previous = || self.towers.users.clone();
        let clusters = |count| shift::item_clusters(&self.towers.items, count, seeds::derive(seed, &["clusters"]));
        let (pulls, weight, temperature) = match self.options.variant {
            Variant::Frozen | Variant::FineTune => return Ok(Pulls::default()),
            Variant::Contrastive(c) => {
                let pull = Pull { reference: previous(), weights: vec![1.0; self.known_users.len()] };
                (vec![pull], c.weight, c.temperature)
            }
            Variant::ContrastivePiw(c) => {
                let returning = stage.participants().filter(|user| users.contains(&user.user));
                let (names, choices): (Vec<u32>, Vec<_>) = returning
                    .map(|user| (user.user, (&user.items[..user.current_from], &user.items[user.training_targets()])))
                    .unzip();
                let weights = self.by_user(&names, &shift::imitation_weights(&choices, &clusters(c.clusters)));
                (vec![Pull { reference: previous(), weights }], c.weight, c.temperature)
            }
            Variant::Pisa(c) => {
                let mut tuned = self.towers.clone();
                let mut training = StageTraining::new(&self.options, seed, &mut tuned, stage, Pulls::default());
                epochs::train(&mut training, index + 1, self.options.epochs, on_progress)?;
                let names: Vec<u32> = users.iter().copied().collect();
                let dynamic = shift::plasticity(&names, &self.towers, &tuned, &clusters(c.clusters));
                let stable: Vec<f32> = dynamic.iter().map(|dynamic| 1.0 - dynamic).collect();
                let backward = Pull { reference: previous(), weights: self.by_user(&names, &stable) };
                let forward = Pull { reference: tuned.users, weights: self.by_user(&names, &dynamic) };
                (vec![backward, forward], c.weight, c.temperature)
            }
        };
        Ok(Pulls { pulls, users, weight, temperature })
    }

    /// Weights of some users at their indices, 0 elsewhere.
    fn by_user(&self, users: &[u32], weights: &[f32]) -> Vec<f32> {
        let mut by_user = vec![0.0; self.known_users.len()];
        for (&user, &weight) in users.iter().zip(weights) {
            by_user[user as usize] = weight;
        }
        by_user
    }

    /// The embedding that a query is scored with.
    fn embedding(&self, query: &Query<'_>) -> Vec<f32> {
        if self.known_users.get(query.user as usize).is_some_and(|known| *known) {
            return row(&self.towers.users, query.user).to_vec();
        }
        let mut mean = vec![0.0; self.options.width];
        for &item in query.history {
            add(&mut mean, row(&self.towers.items, item), 1.0 / query.history.len() as f32);
        }
        mean
    }
}

/// Fresh embeddings from the seed.
fn fresh(rows: usize, width: usize, seed: u64, of: &str) -> Matrix {
    normal_matrix(rows, width, INITIAL_DEVIATION, seeds::derive(seed, &["two towers", of]))
}

impl StageRecommender for TwoTowerRecommender {
    /// PISA tells its fine-tuning first, then its training proper, whose figures it returns.
    fn train_stage(
        &mut self,
        dataset: &Dataset,
        stage: usize,
        on_progress: &mut OnProgress<'_>,
    ) -> Result<StageFigures, RunError> {
        let (index, stage) = (stage, &dataset.stages[stage]);
        if self.options.variant == Variant::Frozen && index > 0 {
            return Ok(StageFigures::default());
        }
        let seed = seeds::derive(self.seed, &["two towers stage", &index.to_string()]);
        let returning = self.meet(stage);
        let pulls = self.pulls(index, stage, returning, seed, on_progress)?;
        let mut training = StageTraining::new(&self.options, seed, &mut self.towers, stage, pulls);
        if training.is_empty() {
            return Ok(StageFigures::default());
        }
        epochs::train(&mut training, index + 1, self.options.epochs, on_progress)
    }

    /// Inner products. A user who was never trained on is the mean of the history's items.
    fn scores(&self, queries: &[Query<'_>]) -> Matrix {
        let items = &self.towers.items;
        let mut scores = Matrix::zeros(queries.len(), items.rows);
        scores.values.par_chunks_mut(items.rows.max(1)).zip(queries).for_each(|(scores, query)| {
            let user = self.embedding(query);
            for (score, item) in scores.iter_mut().zip(items.values.chunks(items.columns)) {
                *score = dot(&user, item);
            }
        });
        scores
    }

    fn trainable_parameters(&self) -> u64 {
        (self.towers.users.values.len() + self.towers.items.values.len()) as u64
    }

    fn state(&self) -> BTreeMap<String, Matrix> {
        let flags = |known: &[bool]| Matrix {
            rows: 1,
            columns: known.len(),
            values: known.iter().map(|&known| f32::from(u8::from(known))).collect(),
        };
        BTreeMap::from([
            ("user_embedding.weight".to_owned(), self.towers.users.clone()),
            ("item_embedding.weight".to_owned(), self.towers.items.clone()),
            ("known_users".to_owned(), flags(&self.known_users)),
            ("known_items".to_owned(), flags(&self.known_items)),
        ])
    }

    fn restore(&mut self, state: &Weights) -> Result<(), InputError> {
        let width = self.options.width;
        let flags = |name, count| -> Result<Vec<bool>, InputError> {
            Ok(state.matrix(name, Some([1, count]))?.values.iter().map(|&known| known > 0.0).collect())
        };
        let users = state.matrix("user_embedding.weight", Some([self.known_users.len(), width]))?;
        let items = state.matrix("item_embedding.weight", Some([self.known_items.len(), width]))?;
        let (known_users, known_items) = (flags("known_users", users.rows)?, flags("known_items", items.rows)?);
        (self.known_users, self.known_items, self.towers) = (known_users, known_items, Towers { users, items });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
