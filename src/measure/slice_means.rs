//! What a metric is on each slice of the tests, how sure that is, and how far the slices lie apart.

use serde::{Deserialize, Serialize};

use super::slices::{Dimension, Slice, Slices};
use super::statistics::{self, Bootstrap, Interval, Paired, Resampling, Unanswerable};

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
    /// Bootstrap interval of the mean, over users and, of several seeds, over seeds; absent of a single test.
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
pub fn slice_means(
    values: &[Vec<f64>],
    slices: &[Slices],
    bootstrap: &Bootstrap,
) -> Result<Vec<SliceMean>, Unanswerable> {
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
                let (mean, interval) = mean_of(&chosen, bootstrap)?;
                means.push(SliceMean { dimension, slice, users, mean, interval, too_few: users < FEW });
            }
        }
    }
    Ok(means)
}

/// Mean of `values[seed][test]` with its interval: that of its gain over nothing.
fn mean_of(values: &[Vec<f64>], bootstrap: &Bootstrap) -> Result<(f64, Option<Interval>), Unanswerable> {
    let nothing: Vec<Vec<f64>> = values.iter().map(|of_seed| vec![0.0; of_seed.len()]).collect();
    let resampling = if values.len() > 1 { Resampling::UsersAndSeeds } else { Resampling::Users };
    match Paired::of_one_stage(values, &nothing) {
        Ok(paired) => {
            let found = bootstrap.of(&paired, resampling)?;
            Ok((found.gain, Some(found.interval)))
        }
        Err(Unanswerable::NotEnoughUsers { .. }) => {
            let single = values.iter().flatten();
            Ok((single.sum::<f64>() / values.len() as f64, None))
        }
        Err(unanswerable) => Err(unanswerable),
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

    const BOOTSTRAP: Bootstrap = Bootstrap { resamples: 500, level: 0.95, seed: 1 };

    /// 30 tests of new users, half of which hit; 10 of returning ones, all of which do; everything else the same.
    fn tests() -> (Vec<f64>, Vec<Slices>) {
        let slices = |group| [group, Slice::Warm, Slice::Head, Slice::Long];
        let new = (0..30).map(|place| (f64::from(place % 2), slices(Slice::New)));
        new.chain((0..10).map(|_| (1.0, slices(Slice::Returning)))).unzip()
    }

    #[test]
    fn each_slice_has_its_mean_its_tests_and_an_interval() {
        let (values, slices) = tests();
        let means = slice_means(&[values], &slices, &BOOTSTRAP).unwrap();
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
        // A share of a half of 30 users has a standard error of 0.0913.
        assert!((interval.low - 0.32).abs() < 0.06 && (interval.high - 0.68).abs() < 0.06, "{interval:?}");
    }

    #[test]
    fn seeds_are_averaged_and_a_single_test_has_no_interval() {
        let slices = [[Slice::New, Slice::Cold, Slice::Tail, Slice::Short]];
        let means = slice_means(&[vec![1.0], vec![0.5]], &slices, &BOOTSTRAP).unwrap();
        assert_eq!((means[0].mean, means[0].interval, means.len()), (0.75, None, 4));
        assert!(slice_means(&[vec![1.0], vec![]], &slices, &BOOTSTRAP).is_err(), "not of the same tests");
    }

    #[test]
    fn slices_with_few_tests_do_not_count_as_apart() {
        let (values, mut slices) = tests();
        let apart =
            |slices: &[Slices]| dispersion(&slice_means(std::slice::from_ref(&values), slices, &BOOTSTRAP).unwrap());
        assert!(apart(&slices).is_empty(), "10 returning users are too few");
        slices[..10].iter_mut().for_each(|slices| slices[0] = Slice::Returning);
        // 20 new users hit by half, 20 returning ones by three quarters.
        let found = apart(&slices);
        assert_eq!((found.len(), found[0].dimension, found[0].slices), (1, Dimension::User, 2));
        assert!((found[0].range - 0.25).abs() < 1e-12 && (found[0].standard_deviation - 0.125).abs() < 1e-12);
    }
}
