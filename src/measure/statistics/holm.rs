//! Correction for looking at several comparisons.

/// p-values of one family (the methods of one table against its baseline), corrected by Holm's step-down procedure (Holm
/// 1979), in the order given. A corrected p-value at most alpha keeps the chance of any false claim in the family at
/// alpha, whatever the dependence between the tests.
///
/// A p-value that is not a number stands for a comparison that could not be made: it stays so and does not count as a
/// member of the family.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).filter(|&i| !p_values[i].is_nan()).collect();
    order.sort_by(|&i, &j| p_values[i].total_cmp(&p_values[j]));
    let mut corrected = vec![f64::NAN; p_values.len()];
    let mut largest = 0f64;
    for (step, &i) in order.iter().enumerate() {
        // What has a larger p-value must not come out with a smaller one.
        largest = largest.max((order.len() - step) as f64 * p_values[i]).min(1.0);
        corrected[i] = largest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_not_tested_is_no_member() {
        let corrected = holm(&[0.04, f64::NAN, 0.01, 0.03]);
        assert!(corrected[1].is_nan());
        assert_eq!([corrected[0], corrected[2], corrected[3]], [0.06, 0.03, 0.06]);
        assert!(holm(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn the_correction_never_lowers_and_keeps_the_order(p in proptest::collection::vec(0.0..=1.0f64, 1..12)) {
            let corrected = holm(&p);
            for i in 0..p.len() {
                prop_assert!(corrected[i] >= p[i] && corrected[i] <= 1.0);
                prop_assert!(corrected[i] <= p.len() as f64 * p[i] + 1e-15, "no more than Bonferroni");
                for j in 0..p.len() {
                    prop_assert!(p[i] > p[j] || corrected[i] <= corrected[j]);
                }
            }
        }

        #[test]
        fn the_order_of_the_family_does_not_matter(mut p in proptest::collection::vec(0.0..=1.0f64, 1..12)) {
            let mut corrected = holm(&p);
            p.reverse();
            corrected.reverse();
            prop_assert_eq!(holm(&p), corrected);
        }
    }
}
