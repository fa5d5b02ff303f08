//! Users and what they choose.

use rand::Rng;
use rand::seq::index;

use super::catalogue::{Catalogue, any_word};
use super::options::SyntheticOptions;
use super::rotation::Rotation;
use super::streams::{poisson, stream};
use super::vectors::{add_scaled, dot, random, unit};
use super::{RETURN_CHANCE, present};

/// How much the likeness of an item to the preference decides: the inverse temperature of the choice.
const SHARPNESS: f64 = 9.0;
/// Weight of the newest item, of the one before, and so on, against a taste of weight 1.
const RECENT: [f64; 3] = [0.9, 0.4, 0.2];
/// Size of what is personal in a taste, against the favourite kind and place.
const PERSONAL: f64 = 0.4;
/// Items that a user looks at before a choice, at most.
const LOOKED_AT: usize = 400;
/// Interactions that every active user has.
const LEAST: f64 = 2.0;

/// A user as the generator knows them.
pub struct User {
    /// The lasting taste before any turn, of length 1.
    pub taste: Vec<f64>,
    /// Whether the user's preferences turn from stage to stage.
    pub drifts: bool,
    /// The stage (0-based) in which the user first acts.
    arrives: usize,
}

impl User {
    /// Whether the user acts in a stage: surely when new, by chance later.
    pub fn is_active(&self, stage: usize, source: &mut impl Rng) -> bool {
        stage == self.arrives || stage > self.arrives && source.random_bool(RETURN_CHANCE)
    }
}

/// All users in order of arrival.
pub fn users(options: &SyntheticOptions, catalogue: &Catalogue) -> Vec<User> {
    let [_, places, kinds] = &catalogue.words;
    let known = |stage: usize| present(options.users, options.arrivals, options.stages, stage);
    let user = |number: usize| {
        let mut source = stream(options.seed, &format!("taste of user {number}"));
        let mut taste = random(options.latent, &mut source);
        let personal = PERSONAL / (options.latent as f64).sqrt();
        taste.iter_mut().for_each(|value| *value *= personal);
        add_scaled(&mut taste, 1.0, any_word(kinds, &mut source));
        add_scaled(&mut taste, 0.8, any_word(places, &mut source));
        let drifts = source.random_bool(options.drifting_share);
        let arrives = (0..options.stages).find(|&stage| number < known(stage)).unwrap_or(options.stages - 1);
        User { taste: unit(taste), drifts, arrives }
    };
    (0..options.users).map(user).collect()
}

/// The taste and the newest items, before any turn and not yet of length 1.
pub fn unturned(taste: &[f64], history: &[u32], items: &[Vec<f64>]) -> Vec<f64> {
    let mut preference = taste.to_vec();
    for (&item, weight) in history.iter().rev().zip(RECENT) {
        add_scaled(&mut preference, weight, &items[item as usize]);
    }
    preference
}

/// What all choices depend on.
pub struct Preferences<'g> {
    pub options: &'g SyntheticOptions,
    pub catalogue: &'g Catalogue,
    pub rotation: &'g Rotation,
}

impl Preferences<'_> {
    /// Lets a user act through one stage (0-based): appends to the history.
    pub fn act(&self, user: &User, stage: usize, history: &mut Vec<u32>, source: &mut impl Rng) {
        let (first, later) = self.options.interactions;
        let mean = if stage == 0 { first } else { later };
        let available = present(self.options.items, self.options.arrivals, self.options.stages, stage);
        for _ in 0..LEAST as usize + poisson(mean - LEAST, source) {
            let preference = self.preference(user, stage, history);
            history.extend(self.choose(&preference, available, history, source));
        }
    }

    /// What the user wants next, of length 1: the taste and the newest items, turned where the user drifts.
    fn preference(&self, user: &User, stage: usize, history: &[u32]) -> Vec<f64> {
        let preference = unturned(&user.taste, history, &self.catalogue.vectors);
        unit(if user.drifts { self.rotation.turn(&preference, stage) } else { preference })
    }

    /// A draw from the softmax over likeness and popularity of items that the user has not had; none where all are used up.
    fn choose(&self, preference: &[f64], available: usize, history: &[u32], source: &mut impl Rng) -> Option<u32> {
        let looked_at = index::sample(source, available, LOOKED_AT.min(available));
        let weight = |item: usize| {
            (SHARPNESS * dot(preference, &self.catalogue.vectors[item]) + self.catalogue.popularity[item]).exp()
        };
        let candidates: Vec<(u32, f64)> = looked_at
            .iter()
            .filter(|&item| !history.contains(&(item as u32)))
            .map(|item| (item as u32, weight(item)))
            .collect();
        let mut left = source.random::<f64>() * candidates.iter().map(|(_, weight)| weight).sum::<f64>();
        let chosen = candidates.iter().find(|(_, weight)| {
            left -= weight;
            left < 0.0
        });
        chosen.or(candidates.last()).map(|&(item, _)| item)
    }
}
