//! One stage's training: choices with negatives, the pulls, Adam.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::TwoTower;
use super::loss::{Choice, Pull, Towers, contrastive, sampled_softmax};
use crate::baseline::epochs::{Learner, Losses};
use crate::data::Stage;
use crate::seeds;

/// Negatives of a validation target: enough for a steady loss.
const VALIDATION_NEGATIVES: usize = 100;

/// Draws for one negative; a user who knows almost every item gets fewer negatives.
const DRAWS: usize = 32;

/// PyTorch's defaults of Adam.
const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f32 = 1e-8;

/// What holds users back in a stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Pulls {
    pub pulls: Vec<Pull>,
    /// Users that are pulled.
    pub users: BTreeSet<u32>,
    pub weight: f64,
    pub temperature: f64,
}

/// A training target, and everything that its user has chosen up to the last target of the stage.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    user: u32,
    item: u32,
    known: &'a [u32],
}

/// Trains embeddings on one stage.
pub(super) struct StageTraining<'a> {
    options: &'a TwoTower,
    towers: &'a mut Towers,
    pulls: Pulls,
    targets: Vec<Target<'a>>,
    validation: Vec<Choice>,
    gradient: Towers,
    first: Towers,
    second: Towers,
    /// Of the stage.
    seed: u64,
}

impl<'a> StageTraining<'a> {
    /// The training of a stage, whose seed is `seed`.
    pub fn new(options: &'a TwoTower, seed: u64, towers: &'a mut Towers, stage: &'a Stage, pulls: Pulls) -> Self {
        let zeros = towers.zeros_like();
        let targets = stage.participants().flat_map(|user| {
            let targets = user.training_targets();
            let known = &user.items[..targets.end];
            user.items[targets].iter().map(|&item| Target { user: user.user, item, known })
        });
        let targets = targets.collect();
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(seed, &["validation"]));
        let validated = stage.participants().filter_map(|user| {
            let example = user.validation()?;
            Some(Target { user: user.user, item: example.target, known: example.history })
        });
        let draw = |target| choice(target, VALIDATION_NEGATIVES, towers.items.rows, &mut random);
        let validation = validated.map(draw).collect();
        let (first, second) = (zeros.clone(), zeros.clone());
        Self { options, towers, pulls, targets, validation, gradient: zeros, first, second, seed }
    }

    /// Whether the stage has nothing to train on.
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty()
    }

    /// The weighted penalty of a step's users; adds its gradient.
    fn pull(&mut self, choices: &[Choice]) -> f64 {
        let Pulls { pulls, users, weight, temperature } = &self.pulls;
        let distinct: BTreeSet<u32> = choices.iter().map(|choice| choice.user).filter(|u| users.contains(u)).collect();
        let among: Vec<u32> = distinct.into_iter().collect();
        let gradient = &mut self.gradient.users;
        pulls.iter().map(|pull| contrastive(&self.towers.users, &among, pull, *temperature, *weight, gradient)).sum()
    }

    fn adam(&mut self, number: usize) {
        let rate = self.options.learning_rate as f32;
        adam(
            &mut self.towers.users.values,
            &self.gradient.users.values,
            &mut self.first.users.values,
            &mut self.second.users.values,
            rate,
            number,
        );
        adam(
            &mut self.towers.items.values,
            &self.gradient.items.values,
            &mut self.first.items.values,
            &mut self.second.items.values,
            rate,
            number,
        );
    }
}

impl Learner for StageTraining<'_> {
    type Step = Vec<Choice>;
    type Kept = Towers;

    fn steps(&self, epoch: usize) -> Vec<Self::Step> {
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(self.seed, &["order", &epoch.to_string()]));
        let mut targets = self.targets.clone();
        targets.shuffle(&mut random);
        let mut draw =
            |&target: &Target<'_>| choice(target, self.options.negatives, self.towers.items.rows, &mut random);
        targets.chunks(self.options.batch).map(|step| step.iter().map(&mut draw).collect()).collect()
    }

    fn step(&mut self, choices: &Self::Step, number: usize) -> Losses {
        self.gradient.users.values.fill(0.0);
        self.gradient.items.values.fill(0.0);
        let loss = sampled_softmax(self.towers, choices, &mut self.gradient);
        let penalty = self.pull(choices);
        self.adam(number);
        Losses { loss, penalty, examples: choices.len() }
    }

    fn validation_loss(&self) -> f64 {
        sampled_softmax(self.towers, &self.validation, &mut self.towers.zeros_like())
    }

    fn keep(&self) -> Self::Kept {
        self.towers.clone()
    }

    fn put_back(&mut self, kept: Self::Kept) {
        *self.towers = kept;
    }
}

/// The target with negatives that its user does not know, each uniform over the catalogue.
fn choice(target: Target<'_>, negatives: usize, items: usize, random: &mut impl Rng) -> Choice {
    let mut negative = || {
        let mut draws = (0..DRAWS).map(|_| random.random_range(0..items as u32));
        draws.find(|item| *item != target.item && !target.known.contains(item))
    };
    let drawn: Vec<u32> = (0..negatives).filter_map(|_| negative()).collect();
    Choice { user: target.user, items: std::iter::once(target.item).chain(drawn).collect() }
}

/// One step of Adam (Kingma and Ba 2015), the `number`-th (from 1).
fn adam(values: &mut [f32], gradient: &[f32], first: &mut [f32], second: &mut [f32], rate: f32, number: usize) {
    let correction = |beta: f64| (1.0 - beta.powf(number as f64)) as f32;
    let (correction1, correction2) = (correction(BETA1), correction(BETA2));
    let (beta1, beta2) = (BETA1 as f32, BETA2 as f32);
    let moments = first.par_iter_mut().zip(second);
    values.par_iter_mut().zip(gradient).zip(moments).with_min_len(4096).for_each(
        |((value, gradient), (first, second))| {
            *first = beta1 * *first + (1.0 - beta1) * gradient;
            *second = beta2 * *second + (1.0 - beta2) * gradient * gradient;
            *value -= rate * (*first / correction1) / ((*second / correction2).sqrt() + EPSILON);
        },
    );
}
