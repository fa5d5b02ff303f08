//! Learn-then-Test (Angelopoulos et al., arXiv 2110.01052): which settings may be claimed to keep a loss below a limit.

use super::bounded_mean::BoundedLosses;
use super::{Unanswerable, checked_level};

/// What is to be certified of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Claim {
    /// The mean loss over users is at most this, between -1 and 1.
    pub loss: f64,
    /// Chance, at least, that everything that is certified is true.
    pub confidence: f64,
}

/// Losses of a setting by user: baseline less setting, each in [-1, 1].
#[derive(Debug, Clone, PartialEq)]
pub struct SettingLosses {
    /// Of the users who decide which setting is tested first, and nothing else.
    pub ordering: BoundedLosses,
    /// Of other users, who chose nothing.
    pub certifying: BoundedLosses,
}

/// What can be said of a setting.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Certified {
    /// Of the users who certify.
    pub mean: f64,
    /// The mean loss of all users is below it with the claim's confidence, of this setting alone.
    pub upper: f64,
    /// Of the hypothesis that the mean loss is above the limit.
    pub p_value: f64,
    /// When it was tested, from 1; none where an earlier one failed, so that it was not.
    pub tested: Option<usize>,
    pub certified: bool,
}

/// Certifies settings by *split fixed sequence testing*, in their order: the ordering users sort them, the most promising (of the least
/// p-value) first, then each is tested with the certifying users at `1 - confidence`, until one fails. As no setting after a failure is
/// certified, a false claim takes a false first one: its chance is at most `1 - confidence` for all settings together, without
/// a correction for their number.
///
/// # Errors
/// The claim's confidence does not lie between 0 and 1.
pub fn certify(settings: &[SettingLosses], claim: Claim) -> Result<Vec<Certified>, Unanswerable> {
    checked_level(claim.confidence)?;
    let promise: Vec<f64> = settings.iter().map(|setting| setting.ordering.p_value(claim.loss)).collect();
    let mut order: Vec<usize> = (0..settings.len()).collect();
    order.sort_by(|&a, &b| promise[a].total_cmp(&promise[b]));
    let mut found = Vec::with_capacity(settings.len());
    for SettingLosses { certifying, .. } in settings {
        let p_value = certifying.p_value(claim.loss);
        let upper = certifying.upper_bound(claim.confidence)?;
        found.push(Certified { mean: certifying.mean(), upper, p_value, tested: None, certified: false });
    }
    for (place, index) in (1..).zip(order) {
        let setting = &mut found[index];
        setting.tested = Some(place);
        setting.certified = setting.p_value <= 1.0 - claim.confidence;
        if !setting.certified {
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const CLAIM: Claim = Claim { loss: 0.02, confidence: 0.9 };

    fn constant(loss: f64, users: usize) -> BoundedLosses {
        BoundedLosses::new(vec![loss; users]).unwrap()
    }

    fn setting(ordering: f64, certifying: f64) -> SettingLosses {
        SettingLosses { ordering: constant(ordering, 500), certifying: constant(certifying, 500) }
    }

    #[test]
    fn settings_are_tested_in_the_order_of_the_ordering_users_until_one_fails() {
        let settings = [setting(0.01, -0.1), setting(-0.1, -0.1), setting(0.0, 0.05), setting(0.05, -0.1)];
        let found = certify(&settings, CLAIM).unwrap();
        let tested: Vec<_> = found.iter().map(|setting| setting.tested).collect();
        assert_eq!(tested, [None, Some(1), Some(2), None], "the third promises more than the first, and fails");
        let certified: Vec<_> = found.iter().map(|setting| setting.certified).collect();
        assert_eq!(certified, [false, true, false, false]);
        assert!(certify(&[], CLAIM).unwrap().is_empty());
        assert!(certify(&settings, Claim { confidence: 1.0, ..CLAIM }).is_err());
    }

    /// Users who see several settings: their losses go together, as those of one user under neighbouring settings do.
    fn users(random: &mut ChaCha8Rng, users: usize, means: &[f64]) -> Vec<BoundedLosses> {
        let mut losses = vec![Vec::with_capacity(users); means.len()];
        for _ in 0..users {
            let chance: f64 = random.random();
            for (of_setting, mean) in losses.iter_mut().zip(means) {
                // 0.4 with chance 0.05 + mean / 0.4, -0.4 with chance 0.05.
                let loss = if chance < 0.05 {
                    -0.4
                } else if chance < 0.1 + mean / 0.4 {
                    0.4
                } else {
                    0.0
                };
                of_setting.push(loss);
            }
        }
        losses.into_iter().map(|losses| BoundedLosses::new(losses).unwrap()).collect()
    }

    fn simulated(random: &mut ChaCha8Rng, number: usize, means: &[f64]) -> Vec<Certified> {
        let [ordering, certifying] = [(); 2].map(|()| users(random, number, means));
        let both = ordering.into_iter().zip(certifying);
        let settings: Vec<_> = both.map(|(ordering, certifying)| SettingLosses { ordering, certifying }).collect();
        certify(&settings, CLAIM).unwrap()
    }

    #[test]
    fn any_false_certificate_is_as_rare_as_the_claim_says() {
        let simulations = 1500;
        // All settings violate, the first by a hair; and some do not, so that the sequence reaches those that do.
        for (means, seed) in [(vec![0.0201; 6], 1), (vec![0.0201, 0.0, -0.02, 0.0201, 0.0201], 2)] {
            let random = &mut ChaCha8Rng::seed_from_u64(seed);
            let violated = |_: &usize| {
                let found = simulated(random, 300, &means);
                found.iter().zip(&means).any(|(found, mean)| found.certified && *mean > CLAIM.loss)
            };
            let share = (0..simulations).filter(violated).count() as f64 / f64::from(simulations as u32);
            // Three standard errors of a share of 1,500 above 0.1.
            assert!(share <= 0.1 + 3.0 * (0.1f64 * 0.9 / 1500.0).sqrt(), "{share} of {means:?}");
        }
    }

    #[test]
    fn settings_that_lose_nothing_are_certified() {
        let random = &mut ChaCha8Rng::seed_from_u64(3);
        let means = [0.0, -0.01, 0.06];
        let found: Vec<Vec<Certified>> = (0..100).map(|_| simulated(random, 1500, &means)).collect();
        let all = |index: usize| found.iter().filter(|found| found[index].certified).count();
        assert!(all(0) >= 90 && all(1) >= 95, "{} and {} of 100", all(0), all(1));
        assert_eq!(all(2), 0);
    }
}
