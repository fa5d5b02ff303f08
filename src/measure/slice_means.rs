//! What a metric is on each slice of the tests, how sure that is, and how far the slices lie apart.

use serde::{Deserialize, Serialize};

use super::slices::{Dimension, Slice, Slices};
use super::statistics::{self, Interval, LEVEL, Paired, Unanswerable, Uncertainty};

/// Tests below which a slice's mean says little.
pub const FEW: usize = 20;

/// The mean of a metric over the tests of one slice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SliceMean {
    pub dimension: Dimension,
    pub slice: Slice,
    /// Tests of the slice: users, counted in each stage that tests them.
    pub users: usize,
    /// Over tests, then seeds.
    pub mean: f64,
    /// Interval of the mean at [`LEVEL`], over users and, of several seeds, over seeds, cut where a mean of such values cannot
    /// lie; absent where the tests do not differ (of a single one, or of 30 that nobody hits), which tells nothing of others.
    pub interval: Option<Interval>,
    /// Whether there are fewer than [`FEW`] tests.
    pub too_few: bool,
}

/// How far the means of a dimension's slices lie apart: the view on fairness.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Dispersion {
    pub dimension: Dimension,
    /// Slices that have enough tests; the others are left out.
    pub slices: usize,
    /// The largest mean less the smallest.
    pub range: f64,
    /// Of the means, with divisor n: the slices are all there are.
    pub standard_deviation: f64,
}

/// Means of `values[seed][test]` over the slices of the tests; slices without a test are left out.
///
/// # Errors
/// Values and slices are not of the same tests, or a value is not finite.
pub fn slice_means(values: &[Vec<f64>], slices: &[Slices]) -> Result<Vec<SliceMean>, Unanswerable> {
    if let Some(other) = values.iter().find(|of_seed| of_seed.len() != slices.len()) {
        let what = "test users".to_owned();
        return Err(Unanswerable::NotPaired { what, found: other.len(), expected: slices.len() });
    }
    let mut means = Vec::new();
    for (index, dimension) in Dimension::ALL.into_iter().enumerate() {
        for &slice in dimension.slices() {
            let chosen = |of_seed: &Vec<f64>| {
                let tests = of_seed.iter().zip(slices).filter(|(_, slices)| slices[index] == slice);
                tests.map(|(&value, _)| value).collect::<Vec<_>>()
            };
            let chosen: Vec<Vec<f64>> = values.iter().map(chosen).collect();
            let users = chosen.first().map_or(0, Vec::len);
            if users > 0 {
                let (mean, interval) = mean_of(&chosen)?;
                means.push(SliceMean { dimension, slice, users, mean, interval, too_few: users < FEW });
            }
        }
    }
    Ok(means)
}

/// Mean of `values[seed][test]` with its interval: that of its gain over nothing, as a [`SliceMean`] has it.
///
/// # Errors
/// Those of [`Paired::of`], but for a single test.
pub fn mean_of(values: &[Vec<f64>]) -> Result<(f64, Option<Interval>), Unanswerable> {
    let nothing: Vec<Vec<f64>> = values.iter().map(|of_seed| vec![0.0; of_seed.len()]).collect();
    match Paired::of_one_stage(values, &nothing) {
        Ok(paired) => {
            let (mean, uncertainty) = (paired.gain(), Uncertainty::of(&paired));
            let differ = uncertainty.standard_error() > 0.0;
            Ok((mean, differ.then(|| cut(uncertainty.interval(mean, LEVEL), values))))
        }
        Err(Unanswerable::NotEnoughUsers { .. }) => {
            let single = values.iter().flatten();
            Ok((single.sum::<f64>() / values.len() as f64, None))
        }
        Err(unanswerable) => Err(unanswerable),
    }
}

/// The part of an interval in which the mean of such values can lie: hits have none below 0 or above 1.
fn cut(interval: Interval, values: &[Vec<f64>]) -> Interval {
    let all_in = |range: std::ops::RangeInclusive<f64>| values.iter().flatten().all(|value| range.contains(value));
    match (all_in(0.0..=1.0), all_in(-1.0..=1.0)) {
        (true, _) => Interval { low: interval.low.max(0.0), high: interval.high.min(1.0), ..interval },
        (_, true) => Interval { low: interval.low.max(-1.0), high: interval.high.min(1.0), ..interval },
        _ => interval,
    }
}

/// How far the slices of each dimension lie apart; of dimensions with at least two slices that have enough tests.
pub fn dispersion(means: &[SliceMean]) -> Vec<Dispersion> {
    let of_dimension = |dimension: Dimension| {
        let enough = means.iter().filter(|mean| mean.dimension == dimension && !mean.too_few);
        let values: Vec<f64> = enough.map(|mean| mean.mean).collect();
        let slices = values.len();
        let mean = statistics::mean(&values);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
        (slices > 1).then(|| Dispersion {
            dimension,
            slices,
            range: largest - smallest,
            standard_deviation: (squares / slices as f64).sqrt(),
        })
    };
    Dimension::ALL.into_iter().filter_map(of_dimension).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 30 tests of new users, half of which hit; 10 of returning ones, all of which do; everything else the same.
    fn tests() -> (Vec<f64>, Vec<Slices>) {
        let slices = |group| [group, Slice::Warm, Slice::Head, Slice::Long];
        let new = (0..30).map(|place| (f64::from(place % 2), slices(Slice::New)));
        new.chain((0..10).map(|_| (1.0, slices(Slice::Returning)))).unzip()
    }

    #[test]
    fn each_slice_has_its_mean_its_tests_and_an_interval() {
        let (values, slices) = tests();
        let means = slice_means(&[values], &slices).unwrap();
        let found: Vec<_> = means.iter().map(|mean| (mean.slice.key(), mean.users, mean.mean, mean.too_few)).collect();
        let whole = 25.0 / 40.0;
        let expected = [
            ("new", 30, 0.5, false),
            ("returning", 10, 1.0, true),
            ("warm", 40, whole, false),
            ("head", 40, whole, false),
            ("long", 40, whole, false),
        ];
        assert_eq!(found, expected);
        let interval = means[0].interval.unwrap();
        // A share of a half of 30 users has a standard error of √(0.25/29) = 0.09285, and t(29) is 2.0452 at 97.5 %.
        assert!((interval.low - 0.3101).abs() < 1e-4 && (interval.high - 0.6899).abs() < 1e-4, "{interval:?}");
        assert_eq!(means[1].interval, None, "that all of 10 are hit says nothing of the spread");
    }

    #[test]
    fn seeds_are_averaged_and_a_single_test_has_no_interval() {
        let slices = [[Slice::New, Slice::Cold, Slice::Tail, Slice::Short]];
        let means = slice_means(&[vec![1.0], vec![0.5]], &slices).unwrap();
        assert_eq!((means[0].mean, means[0].interval, means.len()), (0.75, None, 4));
        assert!(slice_means(&[vec![1.0], vec![]], &slices).is_err(), "not of the same tests");
    }

    #[test]
    fn slices_with_few_tests_do_not_count_as_apart() {
        let (values, mut slices) = tests();
        let apart = |slices: &[Slices]| dispersion(&slice_means(std::slice::from_ref(&values), slices).unwrap());
        assert!(apart(&slices).is_empty(), "10 returning users are too few");
        slices[..10].iter_mut().for_each(|slices| slices[0] = Slice::Returning);
        // 20 new users hit by half, 20 returning ones by three quarters.
        let found = apart(&slices);
        assert_eq!((found.len(), found[0].dimension, found[0].slices), (1, Dimension::User, 2));
        assert!((found[0].range - 0.25).abs() < 1e-12 && (found[0].standard_deviation - 0.125).abs() < 1e-12);
    }
}
