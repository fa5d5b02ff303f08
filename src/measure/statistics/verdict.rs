//! What a table may say of a method against its baseline.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Aim, Bootstrap, Interval, Paired, PairedT, Resampling, Unanswerable, holm};

/// One method against the baseline, before the correction for the others of the same table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The method's mean and the baseline's.
    pub value: f64,
    pub baseline: f64,
    /// The method's gain over the baseline, absolute, and as a share of the baseline where that is not 0.
    pub gain: f64,
    pub relative: Option<f64>,
    /// Bootstrap interval of the gain: over users and seeds, and of one seed over users.
    pub interval: Interval,
    /// The bootstrap's p-value; of several seeds the larger of that and the paired t-test's. The bootstrap alone takes few
    /// seeds for more certain than they are (a nominal 5 % is 26 % with two seeds whose spread outweighs that of users),
    /// and the t-test alone does not know that the users are a sample.
    pub p_value: f64,
    /// What the seeds alone say; absent where there is one.
    pub over_seeds: Option<PairedT>,
    /// Test cases (see [`Paired::users`]) and seeds.
    pub users: usize,
    pub seeds: usize,
    /// The gain summed over test cases: of hits, how many more users are hit, as a mean over seeds.
    pub total: f64,
    /// Test cases and seeds that would reveal a gain as large as this one, each with the other as it is; absent where there
    /// is no gain, or no spread over seeds is known.
    pub users_needed: Option<u64>,
    pub seeds_needed: Option<u64>,
}

impl Comparison {
    /// Compares the first method of `paired` with the second, the baseline.
    ///
    /// # Errors
    /// Where the bootstrap's settings are not usable.
    pub fn of(paired: &Paired, bootstrap: &Bootstrap, aim: &Aim) -> Result<Self, Unanswerable> {
        let over_seeds = match PairedT::of(&paired.gain_of_seeds(), bootstrap.level) {
            Ok(test) => Some(test),
            Err(Unanswerable::NotEnoughSeeds { .. }) => None,
            Err(unanswerable) => return Err(unanswerable),
        };
        let resampling = if over_seeds.is_some() { Resampling::UsersAndSeeds } else { Resampling::Users };
        let found = bootstrap.of(paired, resampling)?;
        let of_seeds = over_seeds.and_then(|test| test.p_value).unwrap_or(0.0);
        let (value, baseline) = paired.means();
        Ok(Self {
            value,
            baseline,
            gain: found.gain,
            relative: (baseline != 0.0).then(|| found.gain / baseline),
            interval: found.interval,
            p_value: found.p_value.max(of_seeds),
            over_seeds,
            users: found.users,
            seeds: found.seeds,
            total: paired.total(),
            users_needed: aim.users(paired),
            seeds_needed: over_seeds.and_then(|test| aim.seeds(&test.gain)),
        })
    }
}

/// Whether a gain, or a loss, may be called one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Evidence {
    /// The corrected p-value is at most alpha; the sign of the gain says in whose favour.
    Significant,
    NotSignificant,
    /// A single seed: another one might give another sign, whatever the p-value over users.
    NotEnoughSeeds {
        seeds: usize,
    },
    /// All seeds give the same gain, as copies of one run do.
    IdenticalSeeds,
}

/// A comparison after the correction for its family: the only place where a gain is called significant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub comparison: Comparison,
    /// [`Comparison::p_value`] after Holm's correction over the family.
    pub p_corrected: f64,
    pub evidence: Evidence,
}

impl Verdict {
    /// The verdicts on a family of comparisons, the methods of one table against its baseline, in their order.
    pub fn of_family(comparisons: &[Comparison], alpha: f64) -> Vec<Self> {
        let p_values: Vec<f64> = comparisons.iter().map(|comparison| comparison.p_value).collect();
        let verdict = |(&comparison, p_corrected): (&Comparison, f64)| {
            let evidence = match comparison.over_seeds {
                None => Evidence::NotEnoughSeeds { seeds: comparison.seeds },
                Some(PairedT { p_value: None, .. }) => Evidence::IdenticalSeeds,
                Some(_) if p_corrected <= alpha => Evidence::Significant,
                Some(_) => Evidence::NotSignificant,
            };
            Self { comparison, p_corrected, evidence }
        };
        comparisons.iter().zip(holm(&p_values)).map(verdict).collect()
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Significant => f.write_str("significant"),
            Self::NotSignificant => f.write_str("not significant"),
            Self::NotEnoughSeeds { seeds } => write!(f, "not enough seeds ({seeds})"),
            Self::IdenticalSeeds => f.write_str("the seeds do not differ"),
        }
    }
}

impl fmt::Display for Verdict {
    /// `+0.0012 (+6.2 %) [+0.0003, +0.0021], p 0.012, corrected 0.036: significant`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { gain, relative, interval, p_value, .. } = self.comparison;
        write!(f, "{gain:+.4}")?;
        if let Some(relative) = relative {
            write!(f, " ({:+.1} %)", 100.0 * relative)?;
        }
        let (low, high) = (interval.low, interval.high);
        write!(f, " [{low:+.4}, {high:+.4}], p {p_value:.4}, corrected {:.4}: {}", self.p_corrected, self.evidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A comparison of hits under `seeds` seeds: the method hits `more` of 1000 users that the baseline misses, one more
    /// under each further seed, and misses 4 others.
    fn comparison(seeds: usize, more: usize, bootstrap: &Bootstrap) -> Comparison {
        let hits = |of: &dyn Fn(usize) -> bool| (0..1000).map(|user| f64::from(u8::from(of(user)))).collect::<Vec<_>>();
        let a: Vec<Vec<f64>> = (0..seeds).map(|seed| hits(&|user| (4..40 + more + seed).contains(&user))).collect();
        let b = vec![hits(&|user| user < 40); seeds];
        let paired = Paired::of_one_stage(&a, &b).unwrap();
        Comparison::of(&paired, bootstrap, &Aim::default()).unwrap()
    }

    #[test]
    fn one_seed_is_never_significant() {
        let found = comparison(1, 60, &Bootstrap::new(1));
        let verdict = Verdict::of_family(&[found], 0.05)[0];
        assert!(verdict.p_corrected < 0.001, "sure over users: {}", verdict.p_corrected);
        assert_eq!(verdict.evidence, Evidence::NotEnoughSeeds { seeds: 1 });
        assert_eq!((found.over_seeds, found.seeds_needed), (None, None));
        assert_eq!((found.users, found.total), (1000, 56.0));
        let words = verdict.to_string();
        assert!(words.starts_with("+0.0560 (+140.0 %) [+0.04"), "{words}");
        assert!(words.ends_with("], p 0.0001, corrected 0.0001: not enough seeds (1)"), "{words}");
    }

    #[test]
    fn copies_of_one_run_are_not_seeds() {
        let users = [vec![1.0, 1.0, 1.0, 0.0], vec![1.0, 1.0, 1.0, 0.0]];
        let paired = Paired::of_one_stage(&users, &[vec![0.0; 4], vec![0.0; 4]]).unwrap();
        let found = Comparison::of(&paired, &Bootstrap::new(1), &Aim::default()).unwrap();
        assert_eq!(Verdict::of_family(&[found], 0.99)[0].evidence, Evidence::IdenticalSeeds);
        assert_eq!((found.relative, found.seeds_needed), (None, Some(2)));
    }

    #[test]
    fn significance_is_what_remains_after_the_correction() {
        let bootstrap = Bootstrap { resamples: 1000, ..Bootstrap::new(1) };
        let some = comparison(4, 40, &bootstrap);
        assert!(some.p_value < 0.05);
        assert_eq!(Verdict::of_family(&[some], 0.05)[0].evidence, Evidence::Significant);
        // Of as many like it as make the corrected p-value exceed alpha, none is
        let family = vec![some; (0.05 / some.p_value) as usize + 1];
        let verdicts = Verdict::of_family(&family, 0.05);
        assert!(verdicts.iter().all(|verdict| verdict.evidence == Evidence::NotSignificant));
    }

    #[test]
    fn seeds_that_disagree_outweigh_many_users() {
        // Nearly all users gain under one seed and lose a little less under the other.
        let a = [vec![1.0; 500], [vec![0.1; 250], vec![0.0; 250]].concat()];
        let b = [vec![0.0; 500], vec![0.9; 500]];
        let paired = Paired::of_one_stage(&a, &b).unwrap();
        let bootstrap = Bootstrap { resamples: 1000, ..Bootstrap::new(1) };
        let found = Comparison::of(&paired, &bootstrap, &Aim::default()).unwrap();
        let users = bootstrap.of(&paired, Resampling::Users).unwrap();
        assert!(users.p_value < 0.01 && found.p_value > 0.9, "{} and {}", users.p_value, found.p_value);
    }
}
