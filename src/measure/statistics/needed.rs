//! What it would take to find a gain of the observed size, where both seeds and test users are samples.

use super::distribution::normal_quantile;
use super::{Aim, Uncertainty, Variance};

/// More seeds than this are as good as none.
const MAX_SEEDS: u64 = 1 << 40;

/// What would find a gain as large as the observed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needed {
    /// So many seeds, with the test users as they are.
    Seeds(u64),
    /// More seeds alone cannot: the users' part of the variance is too large. So many test cases, with the seeds as they are.
    Users(u64),
    /// Neither can alone. So many test cases, and many more seeds.
    UsersAndSeeds(u64),
}

impl Aim {
    /// What finds a gain of this size by the interval of coverage `level`, with the power of this aim; `users` test cases are
    /// there now. None where there is no gain, or a single seed leaves the seeds' variance unknown.
    ///
    /// The users' variance falls with the number of users, the seeds' with that of seeds; both are taken as they were estimated.
    pub fn needed(&self, gain: f64, uncertainty: &Uncertainty, users: usize, level: f64) -> Option<Needed> {
        let seeds = uncertainty.seeds?;
        let found = |uncertainty: &Uncertainty| self.finds(gain, uncertainty, level);
        if gain == 0.0 || !gain.is_finite() {
            return None;
        }
        let now = seeds.freedom + 1.0;
        let with_seeds = |number: u64| {
            let variance = seeds.variance * now / number as f64;
            let seeds = Variance { variance, freedom: number as f64 - 1.0 };
            Uncertainty { seeds: Some(seeds), ..*uncertainty }
        };
        let with_users = |number, seeds| Uncertainty { seeds, ..with_users(uncertainty, users, number) };
        let first = |enough: &dyn Fn(u64) -> bool| first_number(2, enough);
        first(&|number| found(&with_seeds(number)))
            .map(Needed::Seeds)
            .or_else(|| first(&|number| found(&with_users(number, Some(seeds)))).map(Needed::Users))
            .or_else(|| first(&|number| found(&with_users(number, None))).map(Needed::UsersAndSeeds))
    }

    /// The same of two in which no chance has a part, and which have no seeds: so many test cases.
    pub fn users_needed(&self, gain: f64, uncertainty: &Uncertainty, users: usize, level: f64) -> Option<u64> {
        let enough = |number| self.finds(gain, &with_users(uncertainty, users, number), level);
        if gain == 0.0 { None } else { first_number(2, &enough) }
    }

    fn finds(&self, gain: f64, uncertainty: &Uncertainty, level: f64) -> bool {
        let distance = uncertainty.critical_value(level) + normal_quantile(self.power());
        gain.abs() >= distance * uncertainty.standard_error()
    }
}

/// The uncertainty with another number of test cases than `users`.
fn with_users(uncertainty: &Uncertainty, users: usize, number: u64) -> Uncertainty {
    let variance = uncertainty.users.variance * users as f64 / number as f64;
    let freedom = uncertainty.users.freedom.max(number as f64 - 1.0);
    Uncertainty { users: Variance { variance, freedom }, ..*uncertainty }
}

/// The first number from `start` on that is enough, of a condition that stays true once it is.
fn first_number(start: u64, enough: &dyn Fn(u64) -> bool) -> Option<u64> {
    let (mut few, mut many) = (start - 1, start);
    while !enough(many) {
        (few, many) = (many, 2 * many);
        if many > MAX_SEEDS {
            return None;
        }
    }
    while many - few > 1 {
        let middle = few + (many - few) / 2;
        if enough(middle) { many = middle } else { few = middle }
    }
    Some(many)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uncertainty(users: f64, seeds: f64) -> Uncertainty {
        Uncertainty {
            users: Variance { variance: users, freedom: 1e6 },
            seeds: Some(Variance { variance: seeds, freedom: 2.0 }),
        }
    }

    fn needed(gain: f64, users: f64, seeds: f64) -> Option<Needed> {
        Aim::default().needed(gain, &uncertainty(users, seeds), 1000, 0.95)
    }

    #[test]
    fn seeds_are_counted_where_their_part_of_the_variance_is_what_hides_the_gain() {
        // Without users' variance it is the power of a paired t-test, which SciPy's noncentral t solves to these numbers.
        assert_eq!(needed(0.1, 0.0, 0.09), Some(Needed::Seeds(214)));
        assert_eq!(needed(0.02, 0.0, 0.000_04), Some(Needed::Seeds(5)));
        // Half of (0.1 / 2.8016)² is the users': twice as many seeds, by the same quantiles in SciPy.
        assert_eq!(needed(0.1, 0.5 * (0.1f64 / 2.8016).powi(2), 0.09), Some(Needed::Seeds(426)));
    }

    #[test]
    fn where_seeds_cannot_help_users_are_counted() {
        // 2.8016² · 0.01 · 1000 / 0.01 = 7849 users, where the seeds add nothing.
        assert_eq!(needed(0.1, 0.01, 0.0), Some(Needed::Users(7849)));
        assert_eq!(needed(-0.1, 0.01, 0.0), Some(Needed::Users(7849)));
        // The three seeds that are there have an error of 0.3 already, three times the gain.
        assert_eq!(needed(0.1, 0.01, 0.09), Some(Needed::UsersAndSeeds(7849)));
    }

    #[test]
    fn nothing_finds_no_gain_and_one_seed_says_nothing() {
        assert_eq!(needed(0.0, 0.1, 0.1), None);
        let single = Uncertainty { seeds: None, ..uncertainty(0.1, 0.0) };
        assert_eq!(Aim::default().needed(0.1, &single, 1000, 0.95), None);
        let counted = Uncertainty { seeds: None, ..uncertainty(0.01, 0.0) };
        assert_eq!(Aim::default().users_needed(0.1, &counted, 1000, 0.95), Some(7849));
    }
}
