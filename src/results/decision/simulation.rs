//! Decisions on simulated projects whose truth is known.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use rayon::prelude::*;

use super::*;
use crate::measure::statistics::Bootstrap;
use crate::measure::{Ranking, UserMetric};
use crate::project::decision::Amount;
use crate::results::comparison::verdicts_by;

const SEEDS: u64 = 3;
const STAGES: usize = 2;
const USERS: usize = 120;
/// Projects of the two claims that matter most, and of those beside them.
const PROJECTS: u64 = 1_000;
const FEWER: u64 = 200;

/// How a method does, as the chances of its hits.
#[derive(Clone, Copy)]
struct Truth {
    /// What it adds to the chance of every hit.
    gain: f64,
    /// What it takes from it in the tests of cold targets.
    cold: f64,
}

const BASELINE: Truth = Truth { gain: 0.0, cold: 0.0 };

/// A project of a baseline and methods of these truths. A test is a hit where a score of its own, the same for all methods, with
/// noise of the method's seed is high enough, so that methods agree on most tests as trained models do; and seeds move the whole.
fn project(truths: &[Truth], seed: u64) -> Candidates {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let ease: Vec<f64> = (0..STAGES * USERS).map(|_| random.random()).collect();
    let slices = |test: usize| match test % 5 {
        0 => [Slice::Returning, Slice::Cold, Slice::Tail, Slice::Medium],
        1 => [Slice::New, Slice::Warm, Slice::Head, Slice::Short],
        _ => [Slice::Returning, Slice::Warm, Slice::Head, Slice::Medium],
    };
    let tests = (0..STAGES * USERS).map(|test| Test {
        stage: 2 + test / USERS,
        user: (test % USERS) as u32,
        target: 0,
        slices: Some(slices(test)),
    });
    let of_seeds = Normal::new(0.0, 0.004).unwrap();
    let mut line = |index: usize, truth: Truth| {
        let mut of_seed = || {
            let shift = truth.gain + of_seeds.sample(&mut random);
            let mut hit = |test: usize| {
                let cold = if slices(test).contains(&Slice::Cold) { truth.cold } else { 0.0 };
                // One test in twenty-five falls by chance of its own.
                let score = if random.random_bool(0.04) { random.random() } else { ease[test] };
                f64::from(u8::from(score < 0.3 + shift - cold))
            };
            (0..STAGES).map(|stage| (0..USERS).map(|user| hit(stage * USERS + user)).collect()).collect()
        };
        let scores = UserScores {
            name: format!("Method {index}"),
            seeds: (0..SEEDS).collect(),
            left_out: 0,
            runs: Vec::new(),
            ranking: Ranking::Items,
            metric: UserMetric::hit(10),
            shared_ids: false,
            catalogue: None,
            values: (0..SEEDS).map(|_| of_seed()).collect(),
        };
        Candidate { hits: scores.clone(), gains: scores, cost: Cost { train_seconds: 1.0, peak_memory_bytes: 1 } }
    };
    let lines = std::iter::once(&BASELINE).chain(truths).enumerate().map(|(index, &truth)| line(index, truth));
    Candidates { lines: lines.collect(), tests: tests.collect(), ..Candidates::default() }
}

fn decided(candidates: &Candidates, gates: &Gates) -> Vec<MethodDecision> {
    let gains: Vec<&UserScores> = candidates.lines.iter().map(|line| &line.gains).collect();
    let judged = verdicts_by(&gains, 0, &Bootstrap { resamples: 1, ..Bootstrap::new(0) });
    decide(gates, candidates, 0, &judged)
}

/// Share of the projects in which some method comes out so.
fn share(projects: u64, truths: &[Truth], gates: &Gates, is: &Outcome) -> f64 {
    let count = |seed: &u64| decided(&project(truths, *seed), gates).iter().any(|method| method.outcome == *is);
    (0..projects).into_par_iter().filter(count).count() as f64 / projects as f64
}

fn gates() -> Gates {
    Gates { metric: "hit@10_corrected".to_owned(), slice_loss: Some(Amount::Relative(0.2)), ..Gates::default() }
}

#[test]
fn without_a_difference_hardly_any_project_is_told_to_ship_and_none_that_loses_a_slice() {
    let alone = Gates { slice_loss: None, negative_flips: None, ..gates() };
    let shipped = share(PROJECTS, &[BASELINE; 2], &alone, &Outcome::Ship);
    assert!(shipped <= 0.05, "two methods without a difference, by the gain alone: {shipped}");
    let shipped = share(FEWER, &[BASELINE; 2], &gates(), &Outcome::Ship);
    assert!(shipped <= 0.05, "two methods without a difference: {shipped}");
    let uneven = Truth { gain: 0.2, cold: 0.27 };
    let shipped = share(FEWER, &[uneven], &gates(), &Outcome::Ship);
    assert!(shipped <= 0.05, "a gain at the cost of a slice that loses more than it may: {shipped}");
}

#[test]
fn a_large_difference_ships_and_a_loss_is_held() {
    let shipped = share(PROJECTS, &[Truth { gain: 0.2, cold: 0.0 }], &gates(), &Outcome::Ship);
    assert!(shipped >= 0.8, "{shipped}");
    let held = share(FEWER, &[Truth { gain: -0.2, cold: 0.0 }], &gates(), &Outcome::Hold);
    assert!(held >= 0.8, "{held}");
    let held = share(FEWER, &[BASELINE], &gates(), &Outcome::Hold);
    assert!(held <= 0.05, "what does as well as the baseline is not told to be worse: {held}");
}
