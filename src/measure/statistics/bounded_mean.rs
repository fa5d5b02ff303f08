//! What can be claimed of the mean of bounded losses with any number of users: a test and a bound by betting.
//!
//! A gambler bets with every user that the mean loss is below a limit. Were it above, no stake would win on average, so that capital of
//! c times what the gambler began with has a chance of at most 1/c (Markov); much capital is evidence that the mean is below.
//! This is the diversified betting of Waudby-Smith and Ramdas (arXiv 2010.09686): the capital is spread over fixed stakes, so nothing
//! is tuned to the losses and their order does not matter. It sees how little losses spread, which the bounds of
//! Hoeffding and Bentkus do not: most users lose nothing.

use super::{Unanswerable, checked_finite, checked_level};

/// Parts of the capital that are staked at a time. The smallest suit many users whose losses differ, the largest few users who lose
/// alike.
const STAKES: [f64; 6] = [0.95, 0.475, 0.2375, 0.11875, 0.059375, 0.0296875];

/// Losses of independent users, each between -1 and 1. Many users share a loss, 0 above all: each is kept once.
#[derive(Debug, Clone, PartialEq)]
pub struct BoundedLosses {
    /// By rising loss.
    distinct: Vec<SharedLoss>,
}

/// Users of one loss.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SharedLoss {
    loss: f64,
    users: f64,
}

impl BoundedLosses {
    /// # Errors
    /// There is no loss, or one of them is not finite, below -1 or above 1.
    pub fn new(mut losses: Vec<f64>) -> Result<Self, Unanswerable> {
        checked_finite(&losses)?;
        if losses.is_empty() {
            return Err(Unanswerable::NoUsers);
        }
        match losses.iter().find(|loss| loss.abs() > 1.0) {
            Some(loss) => Err(Unanswerable::NotBounded { value: loss.to_string() }),
            None => {
                losses.sort_by(f64::total_cmp);
                let shared = |same: &[f64]| SharedLoss { loss: same[0], users: same.len() as f64 };
                Ok(Self { distinct: losses.chunk_by(|a, b| a == b).map(shared).collect() })
            }
        }
    }

    /// The fewest users of whom it could be shown with a confidence that their mean loss is at most `limit`, were all losses 0; none where
    /// `limit` is not above 0, or so near it that no number of users would do.
    pub fn fewest_users(limit: f64, confidence: f64) -> Option<usize> {
        let enough = |users: usize| {
            let won = |stake: f64| users as f64 * (stake * (1.0 / (1.0 - limit) - 1.0)).ln_1p();
            log_mean_exp(&STAKES.map(won)) >= -(1.0 - confidence).ln()
        };
        let reached = (0..48).map(|power| 1usize << power).find(|&users| enough(users)).filter(|_| limit > 0.0)?;
        let (mut too_few, mut users) = (reached / 2, reached);
        while users - too_few > 1 {
            let middle = too_few.midpoint(users);
            if enough(middle) { users = middle } else { too_few = middle }
        }
        Some(users)
    }

    /// How many users there are.
    pub fn users(&self) -> usize {
        self.distinct.iter().map(|shared| shared.users).sum::<f64>() as usize
    }

    /// The mean loss of these users.
    pub fn mean(&self) -> f64 {
        self.distinct.iter().map(|shared| shared.users * shared.loss).sum::<f64>() / self.users() as f64
    }

    /// p-value of the hypothesis that the mean loss of all users is above `limit`: at most p with a chance of at most p where it is,
    /// for any number of users and any distribution of losses up to 1.
    pub fn p_value(&self, limit: f64) -> f64 {
        (-self.log_capital(limit)).exp().min(1.0)
    }

    /// The least limit that the mean loss of all users stays below with this confidence, up to 1. It is at most a limit exactly where
    /// [`Self::p_value`] of that limit is at most `1 - confidence`.
    ///
    /// # Errors
    /// The confidence does not lie between 0 and 1.
    pub fn upper_bound(&self, confidence: f64) -> Result<f64, Unanswerable> {
        let wanted = -(1.0 - checked_level(confidence)?).ln();
        // No user wins more than the whole distance from the limit to -1, so that at -1 nothing can be won.
        let (mut below, mut above) = (-1.0, 1.0);
        while above - below > 1e-12 {
            let limit = 0.5 * (below + above);
            let side = if self.log_capital(limit) < wanted { &mut below } else { &mut above };
            *side = limit;
        }
        Ok(above)
    }

    /// Logarithm of what the gambler has in the end, of 1: the mean over stakes g of `Π (1 - g + g (1 - loss) / (1 - limit))`. It rises
    /// with the limit.
    fn log_capital(&self, limit: f64) -> f64 {
        if limit >= 1.0 {
            return f64::INFINITY;
        }
        log_mean_exp(&STAKES.map(|stake| self.log_product(stake, limit)))
    }

    fn log_product(&self, stake: f64, limit: f64) -> f64 {
        let log = |of: &SharedLoss| of.users * (stake * ((1.0 - of.loss) / (1.0 - limit) - 1.0)).ln_1p();
        self.distinct.iter().map(log).sum()
    }
}

/// Logarithm of the mean of the exponentials.
pub(super) fn log_mean_exp(logs: &[f64]) -> f64 {
    let max = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() {
        return max;
    }
    max + (logs.iter().map(|log| (log - max).exp()).sum::<f64>() / logs.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use serde_json::Value;

    use super::*;

    const REFERENCE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/statistics/bounded_mean.json"));

    fn losses(values: Vec<f64>) -> BoundedLosses {
        BoundedLosses::new(values).unwrap()
    }

    #[test]
    fn p_values_and_bounds_are_those_of_numpy_and_scipy() {
        let reference: Value = serde_json::from_str(REFERENCE).unwrap();
        let number = |case: &Value, name: &str| case[name].as_f64().unwrap();
        for case in reference["cases"].as_array().unwrap() {
            let values = case["losses"].as_array().unwrap().iter().map(|loss| loss.as_f64().unwrap()).collect();
            let losses = losses(values);
            let p = losses.p_value(number(case, "limit"));
            assert!((p / number(case, "p_value") - 1.0).abs() < 1e-9, "{p} for {}", case["name"]);
            let bound = losses.upper_bound(number(case, "confidence")).unwrap();
            assert!((bound - number(case, "upper_bound")).abs() < 1e-9, "{bound} for {}", case["name"]);
        }
    }

    #[test]
    fn one_user_is_worked_out_by_hand() {
        // A loss of 0 against a limit of 0.5 doubles what is staked: mean of 1 + g over the stakes.
        let mean = 1.0 + (0.95 + 0.475 + 0.2375 + 0.11875 + 0.059375 + 0.0296875) / 6.0;
        assert!((losses(vec![0.0]).p_value(0.5) - 1.0 / mean).abs() < 1e-12);
        assert_eq!(losses(vec![1.0; 50]).upper_bound(0.9).unwrap(), 1.0, "whoever loses all may lose all");
        assert_eq!(losses(vec![0.3, 0.5]).p_value(0.1), 1.0);
    }

    #[test]
    fn fewer_users_than_the_fewest_cannot_show_it() {
        let fewest = BoundedLosses::fewest_users(0.02, 0.9).unwrap();
        assert!(losses(vec![0.0; fewest]).p_value(0.02) <= 0.1 && losses(vec![0.0; fewest - 1]).p_value(0.02) > 0.1);
        // Without the spread over stakes it were ln 10 / -ln 0.98 = 114 users.
        assert!((115..=200).contains(&fewest), "{fewest}");
        assert_eq!(BoundedLosses::fewest_users(0.0, 0.9), None);
    }

    #[test]
    fn what_cannot_be_bounded_is_refused() {
        assert_eq!(BoundedLosses::new(Vec::new()), Err(Unanswerable::NoUsers));
        assert!(matches!(BoundedLosses::new(vec![0.0, 1.5]), Err(Unanswerable::NotBounded { .. })));
        assert!(matches!(BoundedLosses::new(vec![f64::NAN]), Err(Unanswerable::NotFinite { .. })));
        assert!(losses(vec![0.0]).upper_bound(1.0).is_err());
    }

    /// Losses as rankings have them: most users see the same, some lose a place in the list, few win one.
    fn rankings(random: &mut ChaCha8Rng, users: usize, lose: f64, win: f64) -> BoundedLosses {
        let draw = |chance: f64| {
            if chance < lose {
                0.4
            } else if chance < lose + win {
                -0.4
            } else {
                0.0
            }
        };
        losses((0..users).map(|_| draw(random.random())).collect())
    }

    #[test]
    fn a_false_claim_is_as_rare_as_it_says_and_a_true_one_is_found() {
        let (simulations, limit) = (2000, 0.02);
        for (users, seed) in [(60, 1), (400, 2)] {
            let random = &mut ChaCha8Rng::seed_from_u64(seed);
            // Mean loss 0.4 · (0.10 - 0.05) = 0.02: the limit itself, the hardest case.
            let p: Vec<f64> = (0..simulations).map(|_| rankings(random, users, 0.10, 0.05).p_value(limit)).collect();
            for level in [0.05, 0.1, 0.2, 0.5] {
                let share = p.iter().filter(|&&p| p <= level).count() as f64 / f64::from(simulations);
                // Three standard errors of a share of 2,000.
                let room = 3.0 * (level * (1.0 - level) / f64::from(simulations)).sqrt();
                assert!(share <= level + room, "{users} users: {share} at {level}");
            }
        }
        let random = &mut ChaCha8Rng::seed_from_u64(3);
        let found = (0..200).filter(|_| rankings(random, 1000, 0.02, 0.02).p_value(limit) <= 0.1).count();
        assert!(found >= 190, "{found} of 200 where nothing is lost");
    }

    proptest! {
        #[test]
        fn bound_and_p_value_say_the_same_and_order_says_nothing(
            mut values in proptest::collection::vec(-1.0..=1.0f64, 1..40), limit in -0.9..0.9f64,
        ) {
            let straight = losses(values.clone());
            let bound = straight.upper_bound(0.9).unwrap();
            prop_assert!(bound >= straight.mean() - 1e-9);
            if (bound - limit).abs() > 1e-9 {
                prop_assert_eq!(bound <= limit, straight.p_value(limit) <= 0.1);
            }
            values.reverse();
            prop_assert!((losses(values).p_value(limit) - straight.p_value(limit)).abs() < 1e-9);
        }
    }
}
