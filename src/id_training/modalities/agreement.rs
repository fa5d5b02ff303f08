//! How many neighbours two sources have in common, and how many by chance.

use statrs::function::factorial::ln_binomial;

/// Numbers that both lists (ascending, without doubles) have.
pub(super) fn in_common(one: &[u32], other: &[u32]) -> usize {
    one.iter().filter(|number| other.binary_search(number).is_ok()).count()
}

/// Neighbours in both lists of `neighbours`, of those in either: 0 for none in common, 1 for the same.
pub fn jaccard(in_common: usize, neighbours: usize) -> f64 {
    in_common as f64 / (2 * neighbours - in_common).max(1) as f64
}

/// Chance of 0, 1, … in common where two lists of `neighbours` are drawn of `others`, each on its own: hypergeometric.
pub(super) fn by_chance(others: usize, neighbours: usize) -> Vec<f64> {
    let ln_choose = |of: usize, number: usize| ln_binomial(of as u64, number as u64);
    let chance = |common: usize| {
        let apart = neighbours - common;
        if apart > others - neighbours {
            return 0.0;
        }
        let ways = ln_choose(neighbours, common) + ln_choose(others - neighbours, apart);
        (ways - ln_choose(others, neighbours)).exp()
    };
    (0..=neighbours).map(chance).collect()
}

/// The fewest in common that chance reaches in less than 1 of 100; more than there are where it reaches all.
pub(super) fn rare(by_chance: &[f64]) -> usize {
    let mut above = 0.0;
    let often = by_chance.iter().rposition(|chance| {
        above += chance;
        above >= 0.01
    });
    often.map_or(0, |common| common + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_that_of_scipy() {
        // SciPy 1.17: `hypergeom(9, 3, 3).pmf(range(4))`, `hypergeom(399, 10, 10).pmf(range(3))`
        let small =
            [0.238_095_238_095_238_1, 0.535_714_285_714_285_7, 0.214_285_714_285_714_27, 0.011_904_761_904_761_904];
        let large = [0.773_548_057_602_489_8, 0.203_565_278_316_444_7, 0.021_638_828_797_417_343];
        for (found, expected) in [(by_chance(9, 3), &small[..]), (by_chance(399, 10), &large[..])] {
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 1e-9, "{found} {expected}");
            }
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
        // All others are neighbours: nothing else can be.
        assert_eq!(by_chance(2, 2), [0.0, 0.0, 1.0]);
        // P(3) = 0.0119, so that even all three say little; of 399, P(3 or more) = 0.0012 and P(2 or more) = 0.023.
        assert_eq!([rare(&by_chance(9, 3)), rare(&by_chance(399, 10))], [4, 3]);
    }

    #[test]
    fn agreement_is_common_of_all() {
        assert_eq!(in_common(&[1, 4, 7], &[2, 4, 7]), 2);
        assert_eq!([jaccard(0, 3), jaccard(2, 3), jaccard(3, 3)], [0.0, 0.5, 1.0]);
    }
}
