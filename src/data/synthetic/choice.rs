//! Users and what they choose.

use rand::Rng;
use rand::seq::index;

use super::catalogue::{Catalogue, any_word};
use super::cycle::Cycle;
use super::options::{Recurring, SyntheticOptions};
use super::rotation::Rotation;
use super::streams::{poisson, stream};
use super::vectors::{add_scaled, dot, random, unit};
use super::{arrival, present};

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
    /// How the user's preferences turn from stage to stage.
    pub turns: Turns,
    /// When the user acts, where that is only every so many stages.
    pub recurs: Option<Cycle>,
    /// The stage (0-based) in which the user first acts.
    arrives: usize,
}

/// How a user's preferences turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turns {
    Not,
    WithDrift,
    AgainstDrift,
}

impl User {
    /// Whether the user acts in a stage: surely when new; later by chance, or in the stages of the user's cycle.
    pub fn is_active(&self, stage: usize, return_chance: f64, source: &mut impl Rng) -> bool {
        match self.recurs {
            Some(cycle) => cycle.is_on(self.arrives, stage),
            None => stage == self.arrives || stage > self.arrives && source.random_bool(return_chance),
        }
    }
}

/// All users in order of arrival.
pub fn users(options: &SyntheticOptions, catalogue: &Catalogue) -> Vec<User> {
    let [_, places, kinds] = &catalogue.words;
    let user = |number: usize| {
        let mut source = stream(options.seed, &format!("taste of user {number}"));
        let mut taste = random(options.latent, &mut source);
        let personal = PERSONAL / (options.latent as f64).sqrt();
        taste.iter_mut().for_each(|value| *value *= personal);
        add_scaled(&mut taste, 1.0, any_word(kinds, &mut source));
        add_scaled(&mut taste, 0.8, any_word(places, &mut source));
        let drifts = source.random_bool(options.drifting_share);
        let recurs = match options.recurring {
            Recurring::Users { share, every } => {
                Cycle::of_share(share, every, options.seed, &format!("return of user {number}"))
            }
            Recurring::None | Recurring::Tastes { .. } => None,
        };
        let against = || stream(options.seed, &format!("side of user {number}")).random_bool(options.contradictory);
        let turns = match drifts && recurs.is_none() {
            false => Turns::Not,
            true if against() => Turns::AgainstDrift,
            true => Turns::WithDrift,
        };
        User { taste: unit(taste), turns, recurs, arrives: arrival(number, options.users, options) }
    };
    (0..options.users).map(user).collect()
}

/// When each dimension of taste counts, where that is only every so many stages.
pub fn tastes(options: &SyntheticOptions) -> Vec<Option<Cycle>> {
    let mut cycles = vec![None; options.latent];
    if let Recurring::Tastes { share, every } = options.recurring {
        let mut source = stream(options.seed, "recurring tastes");
        let count = (share * options.latent as f64).round() as usize;
        for dimension in index::sample(&mut source, options.latent, count) {
            cycles[dimension] = Some(Cycle::draw(every, &mut source));
        }
    }
    cycles
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
    /// By dimension of taste: when it counts, where that is not always.
    pub tastes: &'g [Option<Cycle>],
}

impl Preferences<'_> {
    /// Lets a user act through one stage (0-based): appends to the history.
    pub fn act(&self, user: &User, stage: usize, history: &mut Vec<u32>, source: &mut impl Rng) {
        let (first, later) = self.options.interactions;
        let mean = if stage == 0 { first } else { later };
        for _ in 0..LEAST as usize + poisson(mean - LEAST, source) {
            let preference = self.preference(user, stage, history);
            history.extend(self.choose(&preference, stage, history, source));
        }
    }

    /// What the user wants next, of length 1: of the taste and the newest items what counts in the stage, turned as the user
    /// turns.
    fn preference(&self, user: &User, stage: usize, history: &[u32]) -> Vec<f64> {
        let mut preference = unturned(&user.taste, history, &self.catalogue.vectors);
        for (value, cycle) in preference.iter_mut().zip(self.tastes) {
            if cycle.is_some_and(|cycle| !cycle.is_on(0, stage)) {
                *value = 0.0;
            }
        }
        let angle = self.rotation.angles[stage];
        unit(match user.turns {
            Turns::Not => preference,
            Turns::WithDrift => self.rotation.turn_by(&preference, angle),
            Turns::AgainstDrift => self.rotation.turn_by(&preference, -angle),
        })
    }

    /// A draw from the softmax over likeness and popularity of items that are there and that the user has not had, or from all of
    /// them alike where the choice is made at random; none where all are used up.
    fn choose(&self, preference: &[f64], stage: usize, history: &[u32], source: &mut impl Rng) -> Option<u32> {
        let available = present(self.options.items, self.options.arrivals, self.options.stages, stage);
        let looked_at = index::sample(source, available, LOOKED_AT.min(available));
        // Without noise nothing is drawn for it, so that the choices are those of before there was any.
        let at_random = self.options.choice_noise > 0.0 && source.random_bool(self.options.choice_noise);
        let weight = |item: usize| match at_random {
            true => 1.0,
            false => {
                (SHARPNESS * dot(preference, &self.catalogue.vectors[item]) + self.catalogue.popularity[item]).exp()
            }
        };
        let candidates: Vec<(u32, f64)> = looked_at
            .iter()
            .filter(|&item| self.is_there(item, stage) && !history.contains(&(item as u32)))
            .map(|item| (item as u32, weight(item)))
            .collect();
        let mut left = source.random::<f64>() * candidates.iter().map(|(_, weight)| weight).sum::<f64>();
        let chosen = candidates.iter().find(|(_, weight)| {
            left -= weight;
            left < 0.0
        });
        chosen.or(candidates.last()).map(|&(item, _)| item)
    }

    /// Whether an item that has arrived is there in a stage.
    fn is_there(&self, item: usize, stage: usize) -> bool {
        self.catalogue.seasons[item]
            .is_none_or(|cycle| cycle.is_on(arrival(item, self.options.items, self.options), stage))
    }
}
