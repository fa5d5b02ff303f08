//! Whether scores in time order still come from where they came from at first: a conformal test martingale (Vovk, Gammerman and
//! Shafer, *Algorithmic Learning in a Random World*, 2nd ed., chapter 8).
//!
//! Every score gets a p-value: the share of the scores so far that are as large or larger. As long as the order of the scores means
//! nothing, these are independent and uniform, so that no bet on them wins on average; the capital of a gambler who bets on small
//! ones (scores that grow) ever reaches 1/δ with a chance of at most δ (Ville). It grows where scores do.

use rand::Rng;

use super::bounded_mean::log_mean_exp;

/// Stakes s of the bets `1 + s (1/2 - p)`: the largest win fast where scores grow a lot, the smallest slowly where they grow a
/// little.
const STAKES: [f64; 4] = [0.25, 0.5, 1.0, 2.0];

/// Smoothed conformal p-values of scores in time order: of each the share of the scores up to it, itself among them, that are
/// larger, and of those that are equal a part drawn with `ties`. They are independent and uniform over 0..1 where the scores are
/// exchangeable.
pub fn conformal_p_values(scores: &[f64], ties: &mut impl Rng) -> Vec<f64> {
    let mut distinct = scores.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup_by(|a, b| a.total_cmp(b).is_eq());
    let mut seen = Counts::new(distinct.len());
    let p_value = |(before, score): (usize, &f64)| {
        let index = distinct.partition_point(|other| other.total_cmp(score).is_lt());
        seen.add(index);
        let [smaller, up_to] = [seen.before(index), seen.before(index + 1)];
        let (larger, equal) = (before + 1 - up_to, up_to - smaller);
        (larger as f64 + ties.random::<f64>() * equal as f64) / (before + 1) as f64
    };
    scores.iter().enumerate().map(p_value).collect()
}

/// How many of each of some ordered things were seen (a Fenwick tree).
struct Counts(Vec<usize>);

impl Counts {
    fn new(things: usize) -> Self {
        Self(vec![0; things + 1])
    }

    fn add(&mut self, thing: usize) {
        let mut at = thing + 1;
        while at < self.0.len() {
            self.0[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    /// Seen of those before `thing`.
    fn before(&self, thing: usize) -> usize {
        let (mut at, mut sum) = (thing, 0);
        while at > 0 {
            sum += self.0[at];
            at &= at - 1;
        }
        sum
    }
}

/// A gambler's capital over p-values.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Martingale {
    /// Natural logarithm of the capital, of 1 at first, after each p-value.
    pub log_capital: Vec<f64>,
    /// The part of the capital that was set aside for each start, in the same way.
    by_start: Vec<Vec<f64>>,
}

/// Where a martingale crossed its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crossing {
    /// Index of the p-value with which it did.
    pub at: usize,
    /// Index among the starts of the one from which betting had won most: where the change most likely began.
    pub began: usize,
}

impl Martingale {
    /// Bets on small p-values. An equal part of the capital is set aside for each of `starts` (indices of p-values, rising) and lies idle
    /// until then: a change that begins there is not paid for with what was lost before it. Within a part the capital is
    /// spread over fixed stakes.
    pub fn of(p_values: &[f64], starts: &[usize]) -> Self {
        let of_start = |&start: &usize| {
            let mut logs = [0.0; STAKES.len()];
            let capital = |(index, p): (usize, &f64)| {
                if index >= start {
                    logs.iter_mut().zip(STAKES).for_each(|(log, stake)| *log += (stake * (0.5 - p)).ln_1p());
                }
                log_mean_exp(&logs)
            };
            p_values.iter().enumerate().map(capital).collect::<Vec<f64>>()
        };
        let by_start: Vec<Vec<f64>> = starts.iter().map(of_start).collect();
        let at = |index: usize| by_start.iter().map(|part| part[index]).collect::<Vec<f64>>();
        let whole = |index| if starts.is_empty() { 0.0 } else { log_mean_exp(&at(index)) };
        Self { log_capital: (0..p_values.len()).map(whole).collect(), by_start }
    }

    /// The first time that the capital reaches `line`; none where it never does, which it does not with a chance of at least
    /// `1 - 1/line` while nothing changes.
    pub fn crossing(&self, line: f64) -> Option<Crossing> {
        let at = self.log_capital.iter().position(|log| *log >= line.ln())?;
        let began = (0..self.by_start.len()).max_by(|&a, &b| self.by_start[a][at].total_cmp(&self.by_start[b][at]))?;
        Some(Crossing { at, began })
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use serde_json::Value;

    use super::*;

    const REFERENCE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/statistics/martingale.json"));

    fn numbers(value: &Value) -> Vec<f64> {
        value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
    }

    #[test]
    fn the_capital_is_that_of_numpy() {
        let reference: Value = serde_json::from_str(REFERENCE).unwrap();
        let starts: Vec<usize> = numbers(&reference["starts"]).into_iter().map(|start| start as usize).collect();
        let found = Martingale::of(&numbers(&reference["p_values"]), &starts);
        for (found, expected) in found.log_capital.iter().zip(numbers(&reference["log_capital"])) {
            assert!((found - expected).abs() < 1e-10, "{found} for {expected}");
        }
        // Distinct scores need no tie-break but for the score itself, which counts as equal to itself.
        let ranks = numbers(&reference["conformal"]["larger"]);
        let p = conformal_p_values(&numbers(&reference["conformal"]["scores"]), &mut ChaCha8Rng::seed_from_u64(1));
        for (index, (p, larger)) in p.iter().zip(ranks).enumerate() {
            let all = (index + 1) as f64;
            assert!((larger / all..=(larger + 1.0) / all).contains(p), "{p} at {index}");
        }
    }

    #[test]
    fn a_line_is_crossed_where_bets_win() {
        let mut p = vec![0.5; 40];
        p.extend([0.01; 20]);
        let found = Martingale::of(&p, &[0, 20, 40]).crossing(20.0).unwrap();
        // Stake 2 wins 1.98 a step; a twelfth of the capital grows beyond 20 within nine steps.
        assert!((46..=49).contains(&found.at), "{found:?}");
        assert_eq!(Martingale::of(&[0.9; 50], &[0]).crossing(20.0), None);
        assert_eq!(Martingale::of(&p, &[]).crossing(20.0), None, "without a start nothing is bet");
    }

    /// Places of targets in lists, as a frozen model has them: a share of targets on places 1 to 20, the others not at all.
    fn places(random: &mut ChaCha8Rng, users: usize, listed: f64) -> Vec<f64> {
        let place = |random: &mut ChaCha8Rng| {
            if random.random_bool(listed) { f64::from(random.random_range(1..=20)) } else { f64::INFINITY }
        };
        (0..users).map(|_| place(random)).collect()
    }

    fn watched(random: &mut ChaCha8Rng, listed: [f64; 5], line: f64) -> Option<Crossing> {
        let scores: Vec<f64> = listed.iter().flat_map(|&listed| places(random, 300, listed)).collect();
        let p = conformal_p_values(&scores, random);
        Martingale::of(&p, &[300, 600, 900, 1200]).crossing(line)
    }

    #[test]
    fn p_values_of_exchangeable_scores_are_uniform_though_most_scores_are_equal() {
        let random = &mut ChaCha8Rng::seed_from_u64(4);
        let scores = places(random, 20_000, 0.3);
        let p = conformal_p_values(&scores, random);
        for level in [0.05, 0.25, 0.5, 0.9] {
            let share = p.iter().filter(|&&p| p <= level).count() as f64 / 20_000.0;
            assert!((share - level).abs() < 0.012, "{share} at {level}");
        }
    }

    #[test]
    fn false_alarms_are_as_rare_as_the_line_says() {
        let random = &mut ChaCha8Rng::seed_from_u64(5);
        let (simulations, delta) = (1000, 0.1);
        let alarms = (0..simulations).filter(|_| watched(random, [0.3; 5], 1.0 / delta).is_some()).count();
        let share = alarms as f64 / f64::from(simulations as u32);
        assert!(share <= delta, "{share}");
        assert!(share > 0.0, "a line that nothing can reach is no alarm");
    }

    #[test]
    fn a_change_is_told_soon_and_where_it_began() {
        let random = &mut ChaCha8Rng::seed_from_u64(6);
        let found: Vec<Crossing> = (0..100).filter_map(|_| watched(random, [0.5, 0.5, 0.3, 0.3, 0.3], 20.0)).collect();
        let after: Vec<&Crossing> = found.iter().filter(|crossing| crossing.at >= 600).collect();
        assert!(found.len() >= 97 && after.len() >= 93, "{} alarms, {} after the change", found.len(), after.len());
        let mut delays: Vec<usize> = after.iter().map(|crossing| crossing.at - 600).collect();
        delays.sort_unstable();
        assert!(delays[delays.len() / 2] <= 200, "median delay of {} tests", delays[delays.len() / 2]);
        let told = after.iter().filter(|crossing| crossing.began == 1).count();
        assert!(told * 10 >= after.len() * 8, "{told} of {} name the stage of the change", after.len());
        // Scores that fall are no reason to update.
        assert!((0..100).filter(|_| watched(random, [0.3, 0.3, 0.5, 0.5, 0.5], 20.0).is_some()).count() <= 5);
    }
}
