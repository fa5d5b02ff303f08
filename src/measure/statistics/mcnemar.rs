//! McNemar's test: two methods, the same users, hit or miss.

use serde::{Deserialize, Serialize};

use super::distribution::chi_square_upper;

/// Discordant users from which the chi-square approximation is used.
const LARGE: u64 = 25;

/// Users by which of two methods hit, and what that says (McNemar 1947). Of one seed: the hits of a user under several
/// seeds are not independent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct McNemar {
    /// Users that only the first method hits, and only the second.
    pub only_a: u64,
    pub only_b: u64,
    /// Users that both hit, and none. They have no weight in the test.
    pub both: u64,
    pub neither: u64,
    pub test: McNemarTest,
    /// Two-sided; 1 where no user is discordant.
    pub p_value: f64,
}

/// How the p-value was found.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum McNemarTest {
    /// Binomial with chance 1/2 over the discordant users: twice the smaller tail, at most 1.
    Exact,
    /// Chi-square with 1 degree of freedom and continuity correction (Edwards 1948):
    /// `max(|only_a - only_b| - 1, 0)² / (only_a + only_b)`.
    ChiSquare { statistic: f64 },
}

impl McNemar {
    /// The test on pairs (hit by the first method, hit by the second), one a user.
    pub fn of(hits: impl IntoIterator<Item = (bool, bool)>) -> Self {
        let [mut only_a, mut only_b, mut both, mut neither] = [0; 4];
        for pair in hits {
            match pair {
                (true, false) => only_a += 1,
                (false, true) => only_b += 1,
                (true, true) => both += 1,
                (false, false) => neither += 1,
            }
        }
        let (test, p_value) = if only_a + only_b < LARGE {
            (McNemarTest::Exact, exact(only_a, only_b))
        } else {
            let statistic = chi_square(only_a, only_b);
            (McNemarTest::ChiSquare { statistic }, chi_square_upper(statistic))
        };
        Self { only_a, only_b, both, neither, test, p_value }
    }
}

/// Two-sided binomial p-value of fewer than [`LARGE`] discordant users.
fn exact(only_a: u64, only_b: u64) -> f64 {
    let n = only_a + only_b;
    let (mut ways, mut tail) = (1, 0);
    for k in 0..=only_a.min(only_b) {
        tail += ways;
        ways = ways * (n - k) / (k + 1);
    }
    // Both tails hold the middle where the two counts are equal.
    (2.0 * tail as f64 / (1u64 << n) as f64).min(1.0)
}

/// The statistic with continuity correction, which takes nothing from equal counts.
fn chi_square(only_a: u64, only_b: u64) -> f64 {
    (only_a.abs_diff(only_b).saturating_sub(1) as f64).powi(2) / (only_a + only_b) as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn table(only_a: usize, only_b: usize, both: usize, neither: usize) -> McNemar {
        let cells = [((true, false), only_a), ((false, true), only_b), ((true, true), both), ((false, false), neither)];
        McNemar::of(cells.into_iter().flat_map(|(pair, count)| std::iter::repeat_n(pair, count)))
    }

    #[test]
    fn users_are_counted_by_who_hit_them() {
        let found = table(3, 1, 7, 11);
        assert_eq!((found.only_a, found.only_b, found.both, found.neither), (3, 1, 7, 11));
        // (1 + 4) / 16 in each tail
        assert_eq!((found.test, found.p_value), (McNemarTest::Exact, 0.625));
    }

    #[test]
    fn agreement_is_no_evidence() {
        assert_eq!(table(0, 0, 5, 100).p_value, 1.0);
        assert_eq!(table(12, 12, 0, 0).p_value, 1.0);
        assert_eq!(table(40, 40, 0, 0).p_value, 1.0);
    }

    #[test]
    fn the_test_changes_at_25_discordant_users() {
        assert_eq!(table(16, 8, 0, 0).test, McNemarTest::Exact);
        assert_eq!(table(17, 8, 0, 0).test, McNemarTest::ChiSquare { statistic: 64.0 / 25.0 });
    }

    proptest! {
        #[test]
        fn users_on_whom_both_agree_have_no_weight(a in 0usize..60, b in 0usize..60, both in 0usize..40) {
            prop_assert_eq!(table(a, b, both, 3).p_value, table(b, a, 0, 0).p_value);
        }
    }
}
