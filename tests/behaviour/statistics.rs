//! The statistics of a comparison: coverage and errors in simulated experiments, symmetries.

use peso_workbench::measure::statistics::{
    Aim, Bootstrap, Comparison, Evidence, Paired, SeedMean, Uncertainty, Verdict,
};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Differences of hits: +1 with chance `gained`, -1 with chance `lost`.
fn hit_differences(users: usize, gained: f64, lost: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
    let difference = |u: f64| if u < gained { 1.0 } else { -f64::from(i8::from(u < gained + lost)) };
    (0..users).map(|_| difference(random.random())).collect()
}

#[test]
fn the_intervals_over_users_hold_the_gain_as_often_as_they_say() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let experiments = 1000;
    let [mut resampled, mut computed, mut rejected] = [0; 3];
    for seed in 0..experiments {
        let bootstrap = Bootstrap { resamples: 1000, ..Bootstrap::new(seed) };
        let better = vec![hit_differences(1000, 0.05, 0.03, &mut random)];
        let paired = Paired::of_one_stage(&better, &[vec![0.0; 1000]]).unwrap();
        resampled += u64::from(bootstrap.of(&paired).unwrap().interval.contains(0.02));
        computed += u64::from(Uncertainty::of(&paired).interval(paired.gain(), 0.95).contains(0.02));
        let same = vec![hit_differences(1000, 0.08, 0.08, &mut random)];
        let paired = Paired::of_one_stage(&same, &[vec![0.0; 1000]]).unwrap();
        rejected += u64::from(Uncertainty::of(&paired).p_value(paired.gain()) <= 0.05);
    }
    assert!((930..=970).contains(&resampled), "{resampled} of {experiments}");
    assert!((930..=970).contains(&computed), "{computed} of {experiments}");
    assert!((30..=70).contains(&rejected), "{rejected} of {experiments}");
}

/// What a gain is made of in a simulated experiment, as variances of one user under one seed.
#[derive(Clone, Copy, Debug)]
struct Chance {
    seeds: f64,
    users: f64,
    rest: f64,
}

/// Of `experiments` with a true gain of 0.3: the share whose interval of 95 % holds it, and the share whose p-value does not
/// contradict it.
fn covered(seeds: usize, chance: Chance, experiments: usize, random: &mut ChaCha8Rng) -> [f64; 2] {
    const USERS: [usize; 2] = [30, 50];
    const GAIN: f64 = 0.3;
    let [mut held, mut disagree] = [0, 0];
    for experiment in 0..experiments {
        let mut noise = |variance: f64| {
            let noise: f64 = StandardNormal.sample(&mut *random);
            variance.sqrt() * noise
        };
        let users = USERS.map(|users| (0..users).map(|_| noise(chance.users)).collect::<Vec<f64>>());
        let of_seed = |_| {
            let model = GAIN + noise(chance.seeds);
            users.each_ref().map(|users| users.iter().map(|user| model + user + noise(chance.rest)).collect()).to_vec()
        };
        let better: Vec<Vec<Vec<f64>>> = (0..seeds).map(of_seed).collect();
        let paired = Paired::of(&better, &vec![USERS.map(|users| vec![0.0; users]).to_vec(); seeds]).unwrap();
        let (found, gain) = (Uncertainty::of(&paired), paired.gain());
        let interval = found.interval(gain, 0.95);
        held += usize::from(interval.contains(GAIN));
        // p-values take a while; some do.
        disagree += usize::from(experiment % 20 == 0 && (found.p_value(gain) > 0.05) != interval.contains(0.0));
    }
    [held, experiments - disagree].map(|count| count as f64 / experiments as f64)
}

/// The percentile bootstrap over three seeds holds the gain in 75 % of experiments in which seeds have most of the variance.
#[test]
fn the_interval_over_users_and_seeds_holds_the_gain_as_often_as_it_says() {
    let mut random = ChaCha8Rng::seed_from_u64(14);
    // Of the variance of a mean over some 75 users, the seeds have 0, 6, 20, 60, 91 and 100 %.
    let of_seeds = [(0.0, 2.0), (0.0017, 2.0), (0.0068, 2.0), (0.04, 2.0), (0.27, 2.0), (1.0, 0.0)];
    for seeds in [2, 3, 5, 10] {
        for (of_seeds, users) in of_seeds {
            let chance = Chance { seeds: seeds as f64 * of_seeds, users, rest: 0.5 };
            let [held, agree] = covered(seeds, chance, 2000, &mut random);
            assert!((0.93..=0.97).contains(&held), "{held} with {seeds} seeds and {chance:?}");
            assert_eq!(agree, 1.0, "{seeds} seeds and {chance:?}");
        }
    }
}

#[test]
fn the_interval_over_seeds_holds_the_mean_as_often_as_it_says() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for seeds in [2, 3, 5] {
        let experiments = 4000;
        let covered = (0..experiments).filter(|_| {
            let noise = StandardNormal.sample_iter(&mut random).map(|noise: f64| 0.02 + 0.001 * noise);
            SeedMean::of(&noise.take(seeds).collect::<Vec<_>>(), 0.95).unwrap().interval.contains(0.02)
        });
        let share = covered.count() as f64 / f64::from(experiments);
        assert!((0.94..=0.96).contains(&share), "{share} with {seeds} seeds");
    }
}

/// Two methods with `seeds` seeds and stages of the given users; most values are 0, as those of hits and NDCG are.
fn outcomes(seeds: usize) -> impl Strategy<Value = [Vec<Vec<Vec<f64>>>; 2]> {
    let value = || prop_oneof![3 => Just(0.0), 1 => Just(1.0), 1 => 0.0..1.0f64];
    proptest::collection::vec(2usize..12, 1..4).prop_flat_map(move |users| {
        let method = || {
            let of_seed: Vec<_> = users.iter().map(|&users| proptest::collection::vec(value(), users)).collect();
            vec![of_seed; seeds]
        };
        [method(), method()]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_methods_exchanged_give_the_negative([a, b] in outcomes(3)) {
        let bootstrap = Bootstrap { resamples: 300, ..Bootstrap::new(5) };
        let (forth, back) = (Paired::of(&a, &b).unwrap(), Paired::of(&b, &a).unwrap());
        prop_assert_eq!(forth.gain(), -back.gain());
        prop_assert_eq!(forth.means(), (back.means().1, back.means().0));
        let [x, y] = [&forth, &back].map(|paired| Comparison::of(paired, &bootstrap, &Aim::default()).unwrap());
        prop_assert_eq!(x.p_value, y.p_value);
        for (x, y) in [(x.interval, y.interval), (x.bootstrap, y.bootstrap)] {
            prop_assert!((x.low + y.high).abs() < 1e-12 && (x.high + y.low).abs() < 1e-12);
        }
        let [x, y] = [&forth, &back].map(|paired| bootstrap.of(paired).unwrap().bias_corrected);
        if let (Some(x), Some(y)) = (x, y) {
            prop_assert!((x.low + y.high).abs() < 1e-9 && (x.high + y.low).abs() < 1e-9);
        }
    }

    #[test]
    fn a_gain_that_all_users_have_is_certain(gain in -1.0..1.0f64, users in 2usize..50) {
        let paired = Paired::of_one_stage(&vec![vec![gain; users]; 2], &vec![vec![0.0; users]; 2]).unwrap();
        let found = Bootstrap { resamples: 99, ..Bootstrap::new(6) }.of(&paired).unwrap();
        prop_assert!((found.interval.low - gain).abs() < 1e-12 && (found.interval.high - gain).abs() < 1e-12);
        prop_assert!(found.standard_error < 1e-12);
        prop_assert_eq!(found.bias_corrected, None);
        prop_assert!(Uncertainty::of(&paired).standard_error() < 1e-8);
    }

    /// Whatever the values are, the interval beside a verdict leaves 0 out exactly where the verdict is a gain or a loss.
    #[test]
    fn interval_p_value_and_verdict_agree(families in proptest::collection::vec(outcomes(3), 1..6)) {
        let bootstrap = Bootstrap { resamples: 9, ..Bootstrap::new(7) };
        let compared = |[a, b]: &[Vec<Vec<Vec<f64>>>; 2]| {
            Comparison::of(&Paired::of(a, b).unwrap(), &bootstrap, &Aim::default()).unwrap()
        };
        let comparisons: Vec<Comparison> = families.iter().map(compared).collect();
        for verdict in Verdict::of_family(&comparisons, 0.05) {
            let Comparison { p_value, interval, gain, .. } = verdict.comparison;
            prop_assert!((0.0..=1.0).contains(&p_value));
            prop_assert!(interval.low <= gain && gain <= interval.high);
            prop_assert_eq!(p_value > 0.05, interval.contains(0.0), "p {}, {:?}", p_value, interval);
            if let (Some(p), Some(interval)) = (verdict.p_corrected, verdict.interval_corrected) {
                prop_assert_eq!(p > 0.05, interval.contains(0.0), "p {}, {:?}", p, interval);
                prop_assert_eq!(verdict.evidence == Evidence::Significant, p <= 0.05);
            }
        }
    }
}

#[test]
fn the_draws_do_not_depend_on_the_threads() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let differences = hit_differences(500, 0.1, 0.1, &mut random);
    let paired = Paired::of_one_stage(&[differences], &[vec![0.0; 500]]).unwrap();
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Bootstrap::new(seed).of(&paired).unwrap())
    };
    assert_eq!(with(1, 9), with(3, 9));
    assert_ne!(with(1, 9).standard_error, with(1, 10).standard_error);
}

#[test]
fn what_cannot_be_resampled_is_said() {
    let paired = Paired::of_one_stage(&[vec![1.0, 0.0]], &[vec![0.0, 0.0]]).unwrap();
    let says = |bootstrap: Bootstrap| bootstrap.of(&paired).unwrap_err().to_string();
    assert_eq!(says(Bootstrap { resamples: 0, ..Bootstrap::new(1) }), "at least 1 resample is needed");
    assert_eq!(says(Bootstrap { level: 95.0, ..Bootstrap::new(1) }), "a level or power lies between 0 and 1: 95");
    assert!(Aim::new(0.05, 80.0).is_err());
}
