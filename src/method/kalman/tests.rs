//! The filter on quadratic toys whose optimum is known, and against SciPy: `tests/fixtures/methods/kalman.json` has steady states
//! from `solve_discrete_are`, and choices from dense covariances with `brentq` and `minimize_scalar`.

use std::ops::Range;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::Deserialize;

use super::*;
use crate::subspace::curvature::{Gradients, Group, Metric};

#[derive(Deserialize)]
struct Fixture {
    steady: Vec<Steady>,
    held: Vec<Choice>,
}

#[derive(Deserialize)]
struct Steady {
    movement: f64,
    noise: f64,
    prior: f64,
    gain: f64,
}

#[derive(Deserialize)]
struct Choice {
    curvature: Vec<f64>,
    noise: Vec<f64>,
    observations: f64,
    past: Vec<(f64, f64, f64)>,
    movement: Option<f64>,
    prior: f64,
    lambda: f64,
    gain: f64,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../../tests/fixtures/methods/kalman.json")).unwrap()
}

fn close(value: f64, expected: f64, tolerance: f64) -> bool {
    (value - expected).abs() <= tolerance * expected.abs().max(1e-9)
}

fn directions(curvature: &[f64], noise: &[f64]) -> Vec<Direction> {
    curvature.iter().zip(noise).map(|(&curvature, &noise)| Direction { curvature, noise }).collect()
}

#[test]
fn choices_are_those_of_dense_covariances() {
    for expected in fixture().held {
        let directions = directions(&expected.curvature, &expected.noise);
        let past: Vec<PastStage> = expected
            .past
            .iter()
            .map(|&(lambda, observations, moved)| PastStage { lambda, observations, moved })
            .collect();
        let held = held(&directions, expected.observations, &past).unwrap();
        assert_eq!(held.movement.is_some(), expected.movement.is_some());
        let movement = (held.movement.unwrap_or(0.0), expected.movement.unwrap_or(0.0));
        assert!((movement.0 - movement.1).abs() < 1e-6, "{movement:?}");
        assert!(close(held.prior, expected.prior, 1e-6), "{} is not {}", held.prior, expected.prior);
        assert!(close(held.lambda, expected.lambda, 1e-5), "{} is not {}", held.lambda, expected.lambda);
        assert!(close(held.gain, expected.gain, 1e-5), "{} is not {}", held.gain, expected.gain);
    }
}

/// With a known movement the gain settles where the algebraic Riccati equation has it.
#[test]
fn the_gain_settles_at_the_riccati_equations() {
    for Steady { movement, noise, prior, gain } in fixture().steady {
        let direction = Direction { curvature: 3.0, noise };
        let mut past = Vec::new();
        for _ in 0..200 {
            let priors = History::of(&[direction], 1.0, &past).priors(movement);
            past.push(PastStage { lambda: least_risk(&[direction], &priors), observations: 1.0, moved: 0.0 });
        }
        let settled = History::of(&[direction], 1.0, &past).priors(movement)[0];
        assert!(close(settled, prior, 1e-9), "{settled} is not {prior}");
        let at = direction.gain(least_risk(&[direction], &[settled]));
        assert!(close(at, gain, 1e-6), "{at} is not {gain}");
    }
}

/// Where noise is that of a likelihood, `1 / (N ρ)`, one lambda is the best filter of all directions at once.
#[test]
fn one_lambda_gives_every_direction_its_own_kalman_gain() {
    let (observations, prior) = (40.0, 0.05);
    let curvature = [30.0, 2.0, 0.1];
    let directions = directions(&curvature, &curvature.map(|rho| 1.0 / (observations * rho)));
    let lambda = least_risk(&directions, &[prior; 3]);
    assert!(close(lambda, 1.0 / (observations * prior), 1e-6), "{lambda}");
    for direction in directions {
        assert!(close(direction.gain(lambda), prior / (prior + direction.noise), 1e-6));
    }
}

#[test]
fn nothing_is_said_of_what_no_example_moves() {
    assert_eq!(held(&[], 10.0, &[]), None);
    let mut gradients = Gradients::new(2);
    [[0.0, 1.0], [0.0, 3.0], [0.0, 5.0]].iter().for_each(|row| gradients.push(row));
    let metric = |first| Metric { groups: vec![Group::identity(first, 1, 0.5)] };
    assert!(supported(&centred(&gradients), &metric(0), 30.0).is_empty());
    let found = supported(&centred(&gradients), &metric(1), 30.0);
    // The variance of 1, 3, 5 is 4; a metric of half the identity makes it twice as much.
    assert!(found.len() == 1 && close(found[0].curvature, 8.0, 1e-12) && close(found[0].noise, 1.0 / 240.0, 1e-12));
}

/// A group whose optimum walks at random.
struct Toy {
    curvature: Vec<f64>,
    noise: Vec<f64>,
    movement: f64,
}

/// Mean squared distances to the true optimum after a stage.
#[derive(Debug, Default)]
struct Risks {
    /// Of the filter that must find out how far the optimum moves.
    filter: f64,
    /// Of the same with the movement known.
    oracle: f64,
    /// Of a Kalman filter with a gain for each direction, both variances known.
    kalman: f64,
    /// With lambda 0.
    free: f64,
    /// With lambda infinite.
    frozen: f64,
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    StandardNormal.sample(random)
}

impl Toy {
    /// Of so many dimensions, whose stages have 20 observations; `ratio` is the movement by the median noise.
    fn of(curvature: &[f64], ratio: f64) -> Self {
        let noise: Vec<f64> = curvature.iter().map(|rho| 1.0 / (20.0 * rho)).collect();
        let mut sorted = noise.clone();
        sorted.sort_by(f64::total_cmp);
        Self { curvature: curvature.to_vec(), movement: ratio * sorted[sorted.len() / 2], noise }
    }

    fn directions(&self) -> Vec<Direction> {
        directions(&self.curvature, &self.noise)
    }

    /// Adds the risks of a walk, over the stages of a range.
    fn walk(&self, stages: &Range<usize>, seed: u64, risks: &mut Risks) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (directions, count) = (self.directions(), self.curvature.len());
        let [mut truth, mut filter, mut oracle, mut kalman] = [(); 4].map(|()| vec![0.0; count]);
        let (mut priors, mut own) = (vec![self.movement; count], vec![self.movement; count]);
        let mut past = Vec::new();
        let share = 1.0 / (stages.len() * count) as f64;
        for stage in 0..stages.end {
            let lambda = held(&directions, 20.0, &past).unwrap().lambda;
            let known = least_risk(&directions, &priors);
            let mut moved = 0.0;
            for (k, direction) in directions.iter().enumerate() {
                truth[k] += self.movement.sqrt() * normal(&mut random);
                let seen = truth[k] + direction.noise.sqrt() * normal(&mut random);
                let step = direction.gain(lambda) * (seen - filter[k]);
                moved += step * step;
                filter[k] += step;
                oracle[k] += direction.gain(known) * (seen - oracle[k]);
                priors[k] = direction.left(known, priors[k]) + self.movement;
                let gain = own[k] / (own[k] + direction.noise);
                kalman[k] += gain * (seen - kalman[k]);
                own[k] = (1.0 - gain) * own[k] + self.movement;
                let risk = |state: f64| if stages.contains(&stage) { share * (state - truth[k]).powi(2) } else { 0.0 };
                risks.filter += risk(filter[k]);
                risks.oracle += risk(oracle[k]);
                risks.kalman += risk(kalman[k]);
                risks.free += risk(seen);
                risks.frozen += risk(0.0);
            }
            past.push(PastStage { lambda, observations: 20.0, moved });
        }
    }

    /// Summed over four walks.
    fn risks(&self, stages: Range<usize>) -> Risks {
        let mut risks = Risks::default();
        (0..4).for_each(|seed| self.walk(&stages, seed, &mut risks));
        risks
    }
}

/// Stages after which the movement is known well enough: what is seen in one stage tells little.
const LEARNED: Range<usize> = 100..300;

/// Within 5 % of the oracle, which knows both variances, and no worse than a fixed end of the scale.
#[test]
fn the_filter_finds_the_movement_of_a_random_walk() {
    let even = [1.0; 6];
    let spread = [0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0];
    for curvature in [&even[..], &[0.5, 1.0, 2.0], &spread] {
        for ratio in [0.1, 1.0, 10.0] {
            let risks = Toy::of(curvature, ratio).risks(LEARNED);
            assert!(risks.filter < 1.05 * risks.oracle, "{curvature:?} {ratio}: {risks:?}");
            assert!(risks.filter < risks.free && risks.filter < risks.frozen, "{curvature:?} {ratio}: {risks:?}");
            if curvature.iter().all(|rho| *rho == 1.0) {
                assert!(risks.filter < 1.05 * risks.kalman, "one gain is every direction's: {risks:?}");
            }
            let early = Toy::of(curvature, ratio).risks(0..10);
            assert!(early.filter < early.free, "in the first ten stages: {early:?}");
        }
    }
}

/// Two groups of one adapter, one that is carried along and one that stands: no single lambda serves both.
#[test]
fn unequal_groups_are_held_unequally() {
    let (moving, standing) = (Toy::of(&[1.0; 6], 10.0), Toy::of(&[5.0; 6], 0.03));
    let (fast, slow) = (moving.risks(LEARNED), standing.risks(LEARNED));
    assert!(fast.filter + slow.filter < 1.05 * (fast.oracle + slow.oracle));
    // The best lambda for both together, over a fine scale, as known afterwards.
    let settled = |toy: &Toy, lambda: f64| -> f64 {
        let of = |direction: &Direction| {
            let kept = (1.0 - direction.gain(lambda)).powi(2);
            let before = (toy.movement + direction.gain(lambda).powi(2) * direction.noise) / (1.0 - kept);
            direction.left(lambda, before)
        };
        toy.directions().iter().map(of).sum::<f64>() / toy.curvature.len() as f64
    };
    let together = |toys: [&Toy; 2], lambda: f64| toys.map(|toy| settled(toy, lambda)).iter().sum::<f64>();
    let scale = (-80..80).map(|step| (f64::from(step) * 0.1).exp());
    let best = scale.map(|lambda| together([&moving, &standing], lambda)).fold(f64::INFINITY, f64::min);
    let own = (fast.filter + slow.filter) / 4.0;
    assert!(own < 0.97 * best, "{own} {best}");
}

/// From the examples themselves: gradients of `½ (v - x)ᵀ H (v - x)` over x around a walking optimum, with the directions and
/// their noise estimated in every stage anew, before the stage, as in training.
#[test]
fn gradients_of_examples_are_enough() {
    const EXAMPLES: usize = 60;
    let root = [2.0_f64, 1.0, 0.5];
    let metric = Metric { groups: vec![Group::identity(0, 3, 0.25)] };
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let noise = root.map(|root| 1.0 / (EXAMPLES as f64 * root * root));
    let movement = 0.2 * noise[1];
    let (mut truth, mut state, mut past) = ([0.0; 3], [0.0; 3], Vec::new());
    let (mut kalman, mut own) = ([0.0; 3], [movement; 3]);
    let [mut filtered, mut ideal, mut free] = [0.0; 3];
    for _ in 0..200 {
        truth.iter_mut().for_each(|truth| *truth += movement.sqrt() * normal(&mut random));
        let mut gradients = Gradients::new(3);
        let mut optimum = [0.0; 3];
        for _ in 0..EXAMPLES {
            let x: [f64; 3] = std::array::from_fn(|k| truth[k] + normal(&mut random) / root[k]);
            gradients.push(&std::array::from_fn::<f32, 3, _>(|k| (root[k] * root[k] * (state[k] - x[k])) as f32));
            (0..3).for_each(|k| optimum[k] += x[k] / EXAMPLES as f64);
        }
        let directions = supported(&centred(&gradients), &metric, EXAMPLES as f64);
        let lambda = held(&directions, EXAMPLES as f64, &past).unwrap().lambda;
        let mut moved = 0.0;
        for k in 0..3 {
            // The stage's minimum, with its true curvature: the term's is a quarter of lambda.
            let curvature = root[k] * root[k];
            let step = curvature / (curvature + 0.25 * lambda) * (optimum[k] - state[k]);
            state[k] += step;
            moved += 0.25 * step * step;
            let gain = own[k] / (own[k] + noise[k]);
            kalman[k] += gain * (optimum[k] - kalman[k]);
            own[k] = (1.0 - gain) * own[k] + movement;
            filtered += (state[k] - truth[k]).powi(2);
            ideal += (kalman[k] - truth[k]).powi(2);
            free += (optimum[k] - truth[k]).powi(2);
        }
        past.push(PastStage { lambda, observations: EXAMPLES as f64, moved });
    }
    assert!(filtered < 1.15 * ideal && filtered < 0.7 * free, "{filtered} {ideal} {free}");
}
