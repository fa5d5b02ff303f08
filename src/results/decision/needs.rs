//! What is missing until a gate can be told.

use std::fmt;

use serde::Serialize;

use crate::measure::statistics::{Aim, Held, Needed};
use crate::text::about;

/// Seeds with which a spread over them means something.
const FEWEST_SEEDS: usize = 3;

/// More test users or seeds than there are; of none nothing can be said to help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct More {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seeds: Option<u64>,
}

/// What a gate has been measured on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis {
    /// Tests that the gate is over, and all there are: more users come to all slices alike.
    pub tests: usize,
    pub all_tests: usize,
    pub seeds: usize,
}

impl More {
    /// Whether it says anything.
    pub const fn is_known(self) -> bool {
        self.users.is_some() || self.seeds.is_some()
    }

    /// What tells both: the more of each.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        Self { users: self.users.max(other.users), seeds: self.seeds.max(other.seeds) }
    }

    /// Enough seeds to know their spread.
    pub(super) fn of_few_seeds(seeds: usize) -> Self {
        Self { users: None, seeds: Some(FEWEST_SEEDS.saturating_sub(seeds).max(1) as u64) }
    }

    /// What would tell a mean from its bound with a chance of 80 %, if it is what it seems to be; none where it lies on the bound.
    pub(super) fn of(held: &Held, level: f64, basis: Basis) -> Option<Self> {
        let distance = held.value - held.bound;
        let aim = Aim::default();
        let needed = match held.uncertainty.seeds {
            Some(_) => aim.needed(distance, &held.uncertainty, basis.tests, level),
            None => aim.users_needed(distance, &held.uncertainty, basis.tests, level).map(Needed::Users),
        };
        let seeds = |number: u64| number.saturating_sub(basis.seeds as u64).max(1);
        Some(match needed? {
            Needed::Seeds(number) => Self { users: None, seeds: Some(seeds(number)) },
            Needed::Users(number) => Self { users: Some(basis.users(number)), seeds: None },
            // Many more seeds: as many again are the least that is.
            Needed::UsersAndSeeds(number) => {
                Self { users: Some(basis.users(number)), seeds: Some(basis.seeds.max(FEWEST_SEEDS) as u64) }
            }
        })
    }

    /// Tests of which none differs until a share as large as `distance` can be ruled out at `alpha`.
    pub(super) fn of_unseen(distance: f64, alpha: f64, basis: Basis) -> Option<Self> {
        let number = (0.5 * alpha).ln() / (-distance).ln_1p();
        (distance > 0.0 && distance < 1.0).then(|| Self { users: Some(basis.users(number.ceil() as u64)), seeds: None })
    }
}

impl Basis {
    /// So many more users in all that the gate has `needed` tests.
    fn users(self, needed: u64) -> u64 {
        let missing = needed.saturating_sub(self.tests as u64).max(1);
        (missing as f64 * self.all_tests as f64 / self.tests.max(1) as f64).ceil() as u64
    }
}

impl fmt::Display for More {
    /// `about 1200 more users and 3 more seeds`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let more = |number: u64, what: &str| {
            let plural = if number == 1 { "" } else { "s" };
            format!("{} more {what}{plural}", about(number))
        };
        match (self.users, self.seeds) {
            (None, None) => f.write_str("more than can be said"),
            (Some(users), None) => f.write_str(&more(users, "user")),
            (None, Some(seeds)) => f.write_str(&more(seeds, "seed")),
            (Some(users), Some(seeds)) => write!(f, "{} and {}", more(users, "user"), more(seeds, "seed")),
        }
    }
}
