//! Whom a method serves worst: a metric by group of users, how far the groups lie apart, and how that gap moves from stage to
//! stage.
//!
//! A test's value is its mean over the seeds; the tests are the sample, the seeds are as they are. The *gap* is the mean of the
//! group that is served best less that of the one that is served worst. Of small groups it is large by chance alone, so it has
//! three companions: an interval (percentiles of a bootstrap over the tests of each group), the p-value of no difference between
//! the groups (their names shuffled over the tests of each stage), and the p-value of no change against the baseline (method
//! and baseline exchanged, test by test). p-values are corrected by Holm over the lines.

use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

use super::paired_scores::{Tests, UserScores, scores_of_runs};
use crate::data::{Protocol, UserGroups};
use crate::error::InputError;
use crate::measure::UserMetric;
use crate::measure::slice_means::{FEW, mean_of};
use crate::measure::statistics::{Interval, LEVEL, Uncertainty, holm};
use crate::run::RunFolder;
use crate::seeds;

/// A metric by group of users, of several lines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fairness {
    /// Names of the groups that have a test, in their order.
    pub groups: Vec<String>,
    /// Tests of each group.
    pub tests: Vec<usize>,
    /// Tests of users of whom nothing is known, which are left out.
    pub unknown: usize,
    /// Name of the line that gains are over.
    pub baseline: Option<String>,
    pub lines: Vec<FairLine>,
}

/// One line by group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FairLine {
    pub experiment: String,
    /// 0 of a non-learned baseline, which has none.
    pub seeds: usize,
    /// In the order of [`Fairness::groups`].
    pub groups: Vec<GroupMean>,
    /// Over all tests from stage 2 on; absent where fewer than two groups have enough tests.
    pub gap: Option<Gap>,
    /// How much wider the gap is than the baseline's; absent of the baseline.
    pub change: Option<Change>,
    /// By stage from 2 on, where at least two groups have enough tests.
    pub stages: Vec<StageGap>,
}

/// A line on one group.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GroupMean {
    pub mean: f64,
    pub interval: Option<Interval>,
    /// Whether the group has fewer tests than say much.
    pub too_few: bool,
    /// Over the baseline; absent of the baseline.
    pub gain: Option<Change>,
}

/// How far the group that is served best lies above the one that is served worst.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// Indices in [`Fairness::groups`].
    pub best: usize,
    pub worst: usize,
    pub gap: f64,
    pub interval: Interval,
    /// Of no difference between groups, corrected over the lines (and over its stages, of a stage).
    pub p_corrected: f64,
}

/// The gap of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StageGap {
    /// From 2.
    pub stage: usize,
    pub gap: Gap,
}

/// A difference to the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Change {
    pub difference: f64,
    pub interval: Interval,
    /// Of no difference, corrected over the lines (and their groups, of gains).
    pub p_corrected: f64,
}

/// Resamples and shuffles: enough for ends of an interval, and for p-values down to a thousandth.
const RESAMPLES: usize = 2000;

/// The lines (name and run ids) of a project by group. All are held to the tests of the first that can be read; lines that
/// cannot are left out with the reason.
///
/// # Errors
/// No line can be read, or no test has a group.
pub fn fairness(
    runs_dir: &Path,
    lines: &[(String, Vec<String>)],
    baseline: Option<&str>,
    metric: UserMetric,
    protocol: Protocol,
    groups: &UserGroups,
) -> Result<(Fairness, Vec<(String, String)>), InputError> {
    let (mut tests, mut scores, mut left_out, mut first_problem) = (Tests::default(), Vec::new(), Vec::new(), None);
    for (name, runs) in lines {
        let paths: Vec<PathBuf> = runs.iter().map(|run| RunFolder::path_of(runs_dir, run)).collect();
        match scores_of_runs(name, &paths, metric, protocol, &mut tests) {
            Ok(line) if line.values.is_empty() => {}
            Ok(line) => scores.push(line),
            Err(error) => {
                left_out.push((name.clone(), error.to_string()));
                first_problem.get_or_insert(error);
            }
        }
    }
    if let (true, Some(problem)) = (scores.is_empty(), first_problem) {
        return Err(problem);
    }
    let cases = tests.cases();
    let of_stage = |(stage, tests): (usize, &Vec<(u32, u32)>)| {
        tests.iter().map(|(user, _)| groups.group(stage + 2, *user)).collect::<Vec<_>>()
    };
    let of_tests: Vec<Vec<Option<usize>>> = cases.iter().enumerate().map(of_stage).collect();
    if of_tests.iter().flatten().all(Option::is_none) {
        return Err(InputError::new(runs_dir, "no test has a group")
            .advice("group by something that is known of the users that are tested"));
    }
    let baseline = baseline.and_then(|name| scores.iter().position(|line| line.name == name));
    Ok((of_scores(&scores, baseline, &of_tests, &groups.names), left_out))
}

/// Groups that have no test are left out, and so are tests without a group.
fn of_scores(
    scores: &[UserScores],
    baseline: Option<usize>,
    groups: &[Vec<Option<usize>>],
    names: &[String],
) -> Fairness {
    let has_test: Vec<usize> =
        (0..names.len()).filter(|group| groups.iter().flatten().any(|of_test| *of_test == Some(*group))).collect();
    let sample = Sample::new(groups, &has_test);
    let values: Vec<Vec<f64>> = scores.iter().map(|line| sample.values(line)).collect();
    let all = |line: usize| sample.gap(&values[line], 0..sample.groups.len());
    let gaps: Vec<Option<Gap>> = (0..scores.len()).map(all).collect();
    let changes: Vec<Option<Change>> = (0..scores.len())
        .map(|line| Some(sample.change(&values[line], &values[baseline.filter(|other| *other != line)?])))
        .map(|change| change.filter(|_| gaps.iter().all(Option::is_some)))
        .collect();
    let mut lines: Vec<FairLine> = scores
        .iter()
        .enumerate()
        .map(|(at, line)| {
            let other = baseline.filter(|other| *other != at).map(|other| &scores[other]);
            let of_group = |group| sample.group_mean(line, other, groups, has_test[group], group);
            let stages = sample.stages.iter().enumerate().filter_map(|(stage, range)| {
                Some(StageGap { stage: stage + 2, gap: sample.gap(&values[at], range.clone())? })
            });
            FairLine {
                experiment: line.name.clone(),
                seeds: line.seeds.len(),
                groups: (0..has_test.len()).map(of_group).collect(),
                gap: gaps[at],
                change: changes[at],
                stages: stages.collect(),
            }
        })
        .collect();
    correct(lines.iter_mut().filter_map(|line| line.gap.as_mut()).map(|gap| &mut gap.p_corrected));
    correct(lines.iter_mut().filter_map(|line| line.change.as_mut()).map(|change| &mut change.p_corrected));
    correct(lines.iter_mut().flat_map(|line| &mut line.stages).map(|stage| &mut stage.gap.p_corrected));
    let gains = lines.iter_mut().flat_map(|line| &mut line.groups).filter_map(|group| group.gain.as_mut());
    correct(gains.map(|gain| &mut gain.p_corrected));
    Fairness {
        groups: has_test.iter().map(|group| names[*group].clone()).collect(),
        tests: sample.counts(0..sample.groups.len()),
        unknown: groups.iter().flatten().filter(|group| group.is_none()).count(),
        baseline: baseline.map(|at| scores[at].name.clone()),
        lines,
    }
}

/// Holm's correction in place, of one family.
fn correct<'a>(p_values: impl Iterator<Item = &'a mut f64>) {
    let places: Vec<&mut f64> = p_values.collect();
    let corrected = holm(&places.iter().map(|p| **p).collect::<Vec<_>>());
    places.into_iter().zip(corrected).for_each(|(place, p)| *place = p);
}

/// The tests that have a group, stage after stage.
struct Sample {
    /// By test.
    groups: Vec<usize>,
    of: usize,
    /// The tests of each stage.
    stages: Vec<std::ops::Range<usize>>,
    /// Places of the tests among all of their stage.
    kept: Vec<Vec<usize>>,
}

impl Sample {
    fn new(groups: &[Vec<Option<usize>>], has_test: &[usize]) -> Self {
        let (mut flat, mut stages, mut kept) = (Vec::new(), Vec::new(), Vec::new());
        for of_stage in groups {
            let from = flat.len();
            let known = of_stage.iter().enumerate().filter_map(|(place, group)| Some((place, (*group)?)));
            let (places, own): (Vec<usize>, Vec<usize>) = known.unzip();
            flat.extend(own.iter().filter_map(|group| has_test.binary_search(group).ok()));
            stages.push(from..flat.len());
            kept.push(places);
        }
        Self { groups: flat, of: has_test.len(), stages, kept }
    }

    /// The value of every test, as a mean over the seeds.
    fn values(&self, line: &UserScores) -> Vec<f64> {
        let seeds = line.values.len() as f64;
        let of_stage = |(stage, kept): (usize, &Vec<usize>)| {
            let of_test = |&place: &usize| line.values.iter().map(|seed| seed[stage][place]).sum::<f64>() / seeds;
            kept.iter().map(of_test).collect::<Vec<_>>()
        };
        self.kept.iter().enumerate().flat_map(of_stage).collect()
    }

    fn counts(&self, tests: std::ops::Range<usize>) -> Vec<usize> {
        let mut counts = vec![0; self.of];
        self.groups[tests].iter().for_each(|group| counts[*group] += 1);
        counts
    }

    /// The mean of each group; not a number of one without tests.
    fn means(&self, values: &[f64], groups: &[usize]) -> Vec<f64> {
        let (mut sums, mut counts) = (vec![0.0; self.of], vec![0usize; self.of]);
        for (value, group) in values.iter().zip(groups) {
            sums[*group] += value;
            counts[*group] += 1;
        }
        sums.into_iter().zip(counts).map(|(sum, count)| sum / count as f64).collect()
    }

    /// The gap of some tests, with p-values that are not corrected yet.
    fn gap(&self, values: &[f64], tests: std::ops::Range<usize>) -> Option<Gap> {
        let enough: Vec<bool> = self.counts(tests.clone()).into_iter().map(|count| count >= FEW).collect();
        if enough.iter().filter(|enough| **enough).count() < 2 {
            return None;
        }
        let (own, groups) = (&values[tests.clone()], &self.groups[tests.clone()]);
        let (gap, best, worst) = widest(&self.means(own, groups), &enough);
        let members: Vec<Vec<usize>> =
            (0..self.of).map(|group| (0..groups.len()).filter(|test| groups[*test] == group).collect()).collect();
        let resampled = drawn("gaps", |random| {
            let of_group = |members: &Vec<usize>| {
                let sum: f64 = members.iter().map(|_| own[members[random.random_range(0..members.len())]]).sum();
                sum / members.len() as f64
            };
            widest(&members.iter().map(of_group).collect::<Vec<_>>(), &enough).0
        });
        // Stages differ in how hard their tests are, so that names are shuffled within each.
        let within: Vec<std::ops::Range<usize>> = self
            .stages
            .iter()
            .filter(|stage| tests.start <= stage.start && stage.end <= tests.end)
            .map(|stage| stage.start - tests.start..stage.end - tests.start)
            .collect();
        let shuffled = drawn("names of groups", |random| {
            let mut groups = groups.to_vec();
            within.iter().for_each(|stage| groups[stage.clone()].shuffle(random));
            widest(&self.means(own, &groups), &enough).0
        });
        Some(Gap { best, worst, gap, interval: percentiles(&resampled), p_corrected: p_value(&shuffled, gap) })
    }

    /// The gap of a line less that of the baseline, over all tests.
    fn change(&self, line: &[f64], baseline: &[f64]) -> Change {
        let enough: Vec<bool> = self.counts(0..self.groups.len()).into_iter().map(|count| count >= FEW).collect();
        let gap = |values: &[f64], groups: &[usize]| widest(&self.means(values, groups), &enough).0;
        let difference = gap(line, &self.groups) - gap(baseline, &self.groups);
        let count = self.groups.len();
        let members: Vec<Vec<usize>> =
            (0..self.of).map(|group| (0..count).filter(|test| self.groups[*test] == group).collect()).collect();
        let resampled = drawn("changes of gaps", |random| {
            let (mut own, mut other) = (vec![0.0; self.of], vec![0.0; self.of]);
            for (group, members) in members.iter().enumerate() {
                for _ in members {
                    let test = members[random.random_range(0..members.len())];
                    own[group] += line[test] / members.len() as f64;
                    other[group] += baseline[test] / members.len() as f64;
                }
            }
            widest(&own, &enough).0 - widest(&other, &enough).0
        });
        let exchanged = drawn("exchanges with the baseline", |random| {
            let (mut own, mut other) = (line.to_vec(), baseline.to_vec());
            for test in 0..count {
                if random.random::<bool>() {
                    std::mem::swap(&mut own[test], &mut other[test]);
                }
            }
            (gap(&own, &self.groups) - gap(&other, &self.groups)).abs()
        });
        Change { difference, interval: percentiles(&resampled), p_corrected: p_value(&exchanged, difference.abs()) }
    }

    /// A line on one group, and what it gains there; over seeds too, as the table of gains has it.
    fn group_mean(
        &self,
        line: &UserScores,
        baseline: Option<&UserScores>,
        groups: &[Vec<Option<usize>>],
        named: usize,
        group: usize,
    ) -> GroupMean {
        let own = line.of_tests(groups, named);
        let values: Vec<Vec<f64>> = own.values.iter().map(|of_seed| of_seed.concat()).collect();
        let (mean, interval) = mean_of(&values).unwrap_or((f64::NAN, None));
        let gain = baseline.and_then(|other| {
            let paired = own.against(&other.of_tests(groups, named)).ok()?;
            let (difference, uncertainty) = (paired.gain(), Uncertainty::of(&paired));
            let interval = uncertainty.interval(difference, LEVEL);
            Some(Change { difference, interval, p_corrected: uncertainty.p_value(difference) })
        });
        let tests = self.groups.iter().filter(|of_test| **of_test == group).count();
        GroupMean { mean, interval, too_few: tests < FEW, gain }
    }
}

/// The widest difference between means of groups that have enough tests, the best and the worst.
fn widest(means: &[f64], enough: &[bool]) -> (f64, usize, usize) {
    let usable = || (0..means.len()).filter(|group| enough[*group] && means[*group].is_finite());
    let best = usable().max_by(|a, b| means[*a].total_cmp(&means[*b]).then(b.cmp(a))).unwrap_or(0);
    let worst = usable().min_by(|a, b| means[*a].total_cmp(&means[*b]).then(b.cmp(a))).unwrap_or(0);
    (means[best] - means[worst], best, worst)
}

/// What `of` makes of each stream of random numbers, sorted.
fn drawn(name: &str, of: impl Fn(&mut ChaCha8Rng) -> f64 + Sync) -> Vec<f64> {
    let stream = seeds::derive(0, &["fairness", name]);
    let one = |number: usize| {
        let mut random = ChaCha8Rng::seed_from_u64(stream);
        random.set_stream(number as u64);
        of(&mut random)
    };
    let mut values: Vec<f64> = (0..RESAMPLES).into_par_iter().map(one).collect();
    values.sort_unstable_by(f64::total_cmp);
    values
}

fn percentiles(sorted: &[f64]) -> Interval {
    let half = 0.5 * (1.0 - LEVEL);
    let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
    Interval { low: at(half), high: at(1.0 - half), level: LEVEL }
}

/// The share of what chance alone makes that is at least as large; the measured one is one of them.
fn p_value(sorted: &[f64], measured: f64) -> f64 {
    // Sums in another order differ in their last digits.
    let below = sorted.partition_point(|value| *value < measured - 1e-12);
    (sorted.len() - below + 1) as f64 / (sorted.len() + 1) as f64
}

#[cfg(test)]
mod tests {
    use super::super::paired_scores::tests::scores;
    use super::*;

    /// Two stages of 60 tests whose groups take turns: `high` of 4 of group 0 are hit, `low` of 4 of group 1.
    fn line(name: &str, high: usize, low: usize) -> UserScores {
        let stage = (0..120).map(|test| {
            let (group, number) = (test % 2, test / 2 % 4);
            f64::from(u8::from(number < [high, low][group]))
        });
        let stage: Vec<f64> = stage.collect();
        UserScores { name: name.to_owned(), ..scores(&[1, 2], vec![vec![stage.clone(), stage]; 2]) }
    }

    fn groups() -> Vec<Vec<Option<usize>>> {
        // Nobody is in group 1 of three; the last two tests have no group.
        let stage: Vec<Option<usize>> = (0..120).map(|test| (test < 118).then_some([0, 2][test % 2])).collect();
        vec![stage.clone(), stage]
    }

    fn names() -> Vec<String> {
        ["many", "none", "few"].map(str::to_owned).to_vec()
    }

    #[test]
    fn a_gap_between_groups_is_found_and_one_by_chance_is_not() {
        let lines = [line("Fair", 2, 2), line("Unfair", 3, 1)];
        let found = of_scores(&lines, Some(0), &groups(), &names());
        assert_eq!(found.groups, ["many", "few"]);
        assert_eq!((found.tests.clone(), found.unknown), (vec![118, 118], 4));
        let [fair, unfair] = &found.lines[..] else { panic!() };
        let gap = unfair.gap.unwrap();
        // 59 tests a stage and group: 14 rounds of four, and three more, of which the first are hit.
        assert!((gap.gap - 30.0 / 59.0).abs() < 1e-12, "{gap:?}");
        assert_eq!((found.groups[gap.best].as_str(), found.groups[gap.worst].as_str()), ("many", "few"));
        assert!(gap.interval.low > 0.3 && gap.interval.high < 0.7 && gap.interval.contains(gap.gap), "{gap:?}");
        assert!(gap.p_corrected < 0.01 && fair.gap.unwrap().p_corrected > 0.5, "{:?}", fair.gap);
        let change = unfair.change.unwrap();
        assert!(change.difference > 0.4 && change.interval.low > 0.2 && change.p_corrected < 0.01, "{change:?}");
        assert!(fair.change.is_none() && fair.groups[0].gain.is_none());
        let gains: Vec<f64> = unfair.groups.iter().map(|group| group.gain.unwrap().difference).collect();
        assert!(gains[0] > 0.2 && gains[1] < -0.2, "{gains:?}");
        assert_eq!(unfair.stages.iter().map(|stage| stage.stage).collect::<Vec<_>>(), [2, 3]);
        assert!((unfair.stages[0].gap.gap - gap.gap).abs() < 1e-12);
    }

    #[test]
    fn groups_with_few_tests_make_no_gap() {
        let few: Vec<Vec<Option<usize>>> =
            (0..2).map(|_| (0..120).map(|test| Some(usize::from(test < 5) * 2)).collect()).collect();
        let found = of_scores(&[line("Unfair", 3, 1)], None, &few, &names());
        assert!(found.lines[0].gap.is_none() && found.lines[0].stages.is_empty());
        assert!(found.lines[0].groups[1].too_few && found.baseline.is_none());
    }

    #[test]
    fn chance_alone_is_called_significant_as_rarely_as_it_should() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        let found = (0..60).filter(|_| {
            let stage: Vec<f64> = (0..120).map(|_| f64::from(u8::from(random.random_range(0..5) == 0))).collect();
            let line = scores(&[1], vec![vec![stage.clone(), stage]]);
            of_scores(&[line], None, &groups(), &names()).lines[0].gap.unwrap().p_corrected <= 0.05
        });
        // 3 are expected of 60; more than 9 come once in a thousand times.
        let found = found.count();
        assert!(found <= 9, "{found}");
    }
}
