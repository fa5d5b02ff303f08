//! The statistics of a comparison: coverage and errors in simulated experiments, symmetries.

use peso_workbench::measure::statistics::{Aim, Bootstrap, Comparison, Paired, Resampling, SeedMean};
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
fn the_interval_over_users_holds_the_gain_as_often_as_it_says() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let experiments = 1000;
    let [mut covered, mut rejected] = [0, 0];
    for seed in 0..experiments {
        let bootstrap = Bootstrap { resamples: 1000, ..Bootstrap::new(seed) };
        let better = vec![hit_differences(1000, 0.05, 0.03, &mut random)];
        let paired = Paired::of_one_stage(&better, &[vec![0.0; 1000]]).unwrap();
        covered += u64::from(bootstrap.of(&paired, Resampling::Users).unwrap().interval.contains(0.02));
        let same = vec![hit_differences(1000, 0.08, 0.08, &mut random)];
        let paired = Paired::of_one_stage(&same, &[vec![0.0; 1000]]).unwrap();
        rejected += u64::from(bootstrap.of(&paired, Resampling::Users).unwrap().p_value <= 0.05);
    }
    assert!((930..=970).contains(&covered), "{covered} of {experiments}");
    assert!((30..=70).contains(&rejected), "{rejected} of {experiments}");
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

#[test]
fn a_few_seeds_that_differ_much_are_not_taken_for_certain() {
    let mut random = ChaCha8Rng::seed_from_u64(13);
    let (experiments, users) = (400, 50);
    let [mut resampled, mut compared] = [0, 0];
    for seed in 0..experiments {
        let mut noise = || -> f64 { StandardNormal.sample(&mut random) };
        let of_seed = |_| {
            let of_model = 0.5 * noise();
            (0..users).map(|_| of_model + noise()).collect()
        };
        let paired =
            Paired::of_one_stage(&(0..3).map(of_seed).collect::<Vec<_>>(), &vec![vec![0.0; users]; 3]).unwrap();
        let bootstrap = Bootstrap { resamples: 500, ..Bootstrap::new(seed) };
        resampled += u32::from(bootstrap.of(&paired, Resampling::UsersAndSeeds).unwrap().p_value <= 0.05);
        compared += u32::from(Comparison::of(&paired, &bootstrap, &Aim::default()).unwrap().p_value <= 0.05);
    }
    assert!(resampled > 40, "the bootstrap alone is wrong in more than one of ten: {resampled} of {experiments}");
    assert!(compared <= 30, "{compared} of {experiments}");
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
        for resampling in [Resampling::Users, Resampling::UsersAndSeeds] {
            let [x, y] = [&forth, &back].map(|paired| bootstrap.of(paired, resampling).unwrap());
            prop_assert_eq!(x.p_value, y.p_value);
            prop_assert!((x.interval.low + y.interval.high).abs() < 1e-12);
            prop_assert!((x.interval.high + y.interval.low).abs() < 1e-12);
            if let (Some(x), Some(y)) = (x.bias_corrected, y.bias_corrected) {
                prop_assert!((x.low + y.high).abs() < 1e-9 && (x.high + y.low).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn a_gain_that_all_users_have_is_certain(gain in -1.0..1.0f64, users in 2usize..50) {
        let paired = Paired::of_one_stage(&vec![vec![gain; users]; 2], &vec![vec![0.0; users]; 2]).unwrap();
        for resampling in [Resampling::Users, Resampling::UsersAndSeeds] {
            let found = Bootstrap { resamples: 99, ..Bootstrap::new(6) }.of(&paired, resampling).unwrap();
            prop_assert!((found.interval.low - gain).abs() < 1e-12 && (found.interval.high - gain).abs() < 1e-12);
            prop_assert!(found.standard_error < 1e-12);
            prop_assert_eq!(found.bias_corrected, None);
            prop_assert_eq!(found.p_value, if gain == 0.0 { 1.0 } else { 0.01 });
        }
    }

    #[test]
    fn p_values_lie_between_one_resample_and_one([a, b] in outcomes(2)) {
        let paired = Paired::of(&a, &b).unwrap();
        let found = Bootstrap { resamples: 99, ..Bootstrap::new(7) }.of(&paired, Resampling::UsersAndSeeds).unwrap();
        prop_assert!((0.01..=1.0).contains(&found.p_value));
        prop_assert!(found.interval.low <= found.interval.high);
        let none = Bootstrap { resamples: 99, ..Bootstrap::new(7) }.of(&Paired::of(&a, &a).unwrap(), Resampling::Users);
        prop_assert_eq!(none.unwrap().p_value, 1.0);
    }
}

#[test]
fn the_draws_do_not_depend_on_the_threads() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let differences = hit_differences(500, 0.1, 0.1, &mut random);
    let paired = Paired::of_one_stage(&[differences], &[vec![0.0; 500]]).unwrap();
    let with = |threads: usize, seed: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Bootstrap::new(seed).of(&paired, Resampling::Users).unwrap())
    };
    assert_eq!(with(1, 9), with(3, 9));
    assert_ne!(with(1, 9).standard_error, with(1, 10).standard_error);
}

#[test]
fn what_cannot_be_resampled_is_said() {
    let paired = Paired::of_one_stage(&[vec![1.0, 0.0]], &[vec![0.0, 0.0]]).unwrap();
    let says = |bootstrap: Bootstrap, resampling| bootstrap.of(&paired, resampling).unwrap_err().to_string();
    assert_eq!(says(Bootstrap::new(1), Resampling::UsersAndSeeds), "not enough seeds (1 of at least 2)");
    let none = Bootstrap { resamples: 0, ..Bootstrap::new(1) };
    assert_eq!(says(none, Resampling::Users), "at least 1 resample is needed");
    let percent = Bootstrap { level: 95.0, ..Bootstrap::new(1) };
    assert_eq!(says(percent, Resampling::Users), "a level or power lies between 0 and 1: 95");
    assert!(Aim::new(0.05, 80.0).is_err());
}
