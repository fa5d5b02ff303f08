//! What a table may say of a method against its baseline.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Aim, Bootstrap, Held, Interval, Paired, PairedT, Unanswerable, Uncertainty};

/// One method against the baseline, before the correction for the others of the same table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The method's mean and the baseline's.
    pub value: f64,
    pub baseline: f64,
    /// The method's gain over the baseline, absolute, and as a share of the baseline where that is not 0.
    pub gain: f64,
    pub relative: Option<f64>,
    /// The gain's [interval](Uncertainty::interval) and [p-value](Uncertainty::p_value), by which it holds 0 exactly where
    /// the p-value exceeds one less its coverage. Of a single seed they are over users alone.
    pub interval: Interval,
    pub p_value: f64,
    /// What both are made of.
    pub uncertainty: Uncertainty,
    /// A second opinion on the users' part: the percentile interval of a [`Bootstrap`] over users, seeds as they are.
    pub bootstrap: Interval,
    /// What the seeds alone say; absent where there is one.
    pub over_seeds: Option<PairedT>,
    /// Test cases (see [`Paired::users`]).
    pub users: usize,
    /// Seeds that both have; 0 where neither has any, as of two baselines that count.
    pub seeds: usize,
    /// Whether the seeds are copies of one run: they have the same difference for every user.
    pub copies: bool,
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
        let (gain, (value, baseline)) = (paired.gain(), paired.means());
        let uncertainty = Uncertainty::of(paired);
        Ok(Self {
            value,
            baseline,
            gain,
            relative: (baseline != 0.0).then(|| gain / baseline),
            interval: uncertainty.interval(gain, bootstrap.level),
            p_value: uncertainty.p_value(gain),
            uncertainty,
            bootstrap: bootstrap.of(paired)?.interval,
            over_seeds,
            users: paired.users(),
            seeds: if paired.has_seeds() { paired.seeds() } else { 0 },
            copies: paired.seeds_are_copies(),
            total: paired.total(),
            users_needed: aim.users(paired),
            seeds_needed: over_seeds.and_then(|test| aim.seeds(&test.gain)),
        })
    }

    /// The gain, to be held against a bound.
    pub const fn held(&self, bound: f64) -> Held {
        Held { value: self.gain, uncertainty: self.uncertainty, bound }
    }

    /// Why no gain may be told from chance, whatever the p-value; nothing where it may be.
    fn open(&self) -> Option<Evidence> {
        match self.seeds {
            1 => Some(Evidence::NotEnoughSeeds { seeds: 1 }),
            _ if self.copies => Some(Evidence::IdenticalSeeds),
            _ => None,
        }
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
    /// All seeds give every user the same gain, as copies of one run do.
    IdenticalSeeds,
}

/// A comparison after the correction for its family: the only place where a gain is called significant.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    pub comparison: Comparison,
    /// [`Comparison::p_value`] after Holm's correction over the family; absent where nothing can be said of other seeds, which
    /// is no member of the family.
    pub p_corrected: Option<f64>,
    /// [`Comparison::interval`] with the same correction: it leaves 0 out exactly where the gain is significant.
    pub interval_corrected: Option<Interval>,
    pub evidence: Evidence,
}

impl Verdict {
    /// The verdicts on a family of comparisons, the methods of one table against its baseline, in their order.
    pub fn of_family(comparisons: &[Comparison], alpha: f64) -> Vec<Self> {
        let member = |comparison: &Comparison| comparison.open().is_none().then(|| comparison.held(0.0));
        let members: Vec<Held> = comparisons.iter().filter_map(member).collect();
        let mut corrected = Held::corrected(&members, alpha).into_iter();
        let verdict = |&comparison: &Comparison| {
            let open = comparison.open();
            // There is one for each member, in their order
            let found = if open.is_some() { None } else { corrected.next() };
            let significant = found.is_some_and(|found| found.p_value <= alpha);
            let evidence = if significant { Evidence::Significant } else { Evidence::NotSignificant };
            Self {
                comparison,
                p_corrected: found.map(|found| found.p_value),
                interval_corrected: found.map(|found| found.interval),
                evidence: open.unwrap_or(evidence),
            }
        };
        comparisons.iter().map(verdict).collect()
    }

    /// The interval that goes with the verdict: corrected, or over the users of one seed where no verdict can be given.
    pub fn interval(&self) -> Interval {
        self.interval_corrected.unwrap_or(self.comparison.interval)
    }
}

/// A p-value as tables have it: four digits, `<0.0001` below that.
pub fn p_value_text(p: f64) -> String {
    if p < 0.0001 { "<0.0001".to_owned() } else { format!("{p:.4}") }
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
    /// `+0.0012 (+6.2 %) [+0.0003, +0.0021], p 0.036: significant`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { gain, relative, .. } = self.comparison;
        write!(f, "{gain:+.4}")?;
        if let Some(relative) = relative {
            write!(f, " ({:+.1} %)", 100.0 * relative)?;
        }
        let Interval { low, high, .. } = self.interval();
        write!(f, " [{low:+.4}, {high:+.4}]")?;
        match self.p_corrected {
            Some(p) => write!(f, ", p {}: {}", p_value_text(p), self.evidence),
            None => write!(f, " over users alone: {}", self.evidence),
        }
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
        assert!(found.p_value < 1e-6, "sure over users: {}", found.p_value);
        assert_eq!((verdict.p_corrected, verdict.interval_corrected), (None, None));
        assert_eq!(verdict.evidence, Evidence::NotEnoughSeeds { seeds: 1 });
        assert_eq!((found.over_seeds, found.seeds_needed), (None, None));
        assert_eq!((found.users, found.total), (1000, 56.0));
        let words = verdict.to_string();
        assert!(words.starts_with("+0.0560 (+140.0 %) [+0.04"), "{words}");
        assert!(words.ends_with("] over users alone: not enough seeds (1)"), "{words}");
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
        let some = comparison(4, 14, &bootstrap);
        assert!((0.001..0.05).contains(&some.p_value), "{}", some.p_value);
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
        assert!(found.bootstrap.low > 0.0, "sure over users: {:?}", found.bootstrap);
        assert!(found.p_value > 0.9 && found.interval.contains(0.0), "{}", found.p_value);
    }

    #[test]
    fn lines_without_seeds_are_judged_by_their_users() {
        let hits = |end: usize| vec![(0..1000).map(|user| f64::from(u8::from(user < end))).collect::<Vec<_>>()];
        let paired = Paired::of_one_stage(&hits(80), &hits(40)).unwrap().without_seeds();
        let found = Comparison::of(&paired, &Bootstrap::new(1), &Aim::default()).unwrap();
        assert_eq!(found.seeds, 0);
        assert_eq!(Verdict::of_family(&[found], 0.05)[0].evidence, Evidence::Significant);
    }

    #[test]
    fn what_cannot_be_judged_is_no_member_of_the_family() {
        let bootstrap = Bootstrap { resamples: 100, ..Bootstrap::new(1) };
        let judged = comparison(4, 40, &bootstrap);
        let verdicts = Verdict::of_family(&[comparison(1, 60, &bootstrap), judged], 0.05);
        assert_eq!(verdicts[1].p_corrected, Some(judged.p_value));
        assert_eq!(verdicts[1].interval_corrected, Some(judged.interval));
    }
}
