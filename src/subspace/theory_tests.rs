//! Curvature, retention and meaning on exact toy problems: each stage's minimum is found as a linear system, and compared with
//! what the directions say. `tests/fixtures/subspace/theory.json` has the same from NumPy and SciPy: `eigh` of dense matrices on a basis
//! of the range of `H`, `solve` and `lstsq` for the minima, `pearsonr`, `spearmanr` and `cov(aweights)` for correlations, `svd`.

use faer::Mat;
use faer::linalg::solvers::Solve;
use proptest::prelude::*;
use serde::Deserialize;

use super::curvature::{Constants, Directions, Gradients, Group, Metric, directions};
use super::meaning::{code_scores, extremes, item_scores, singular_directions};
use super::retention::{
    Correlations, Retained, Retention, Rise, States, interpolated, pearson, predicted, ranks, retention,
};

#[derive(Deserialize)]
struct Fixture {
    gradients: Vec<Vec<f32>>,
    previous: Vec<f64>,
    optimum: Vec<f64>,
    lam: f64,
    temperature: f64,
    groups: Vec<(usize, usize, usize, f64)>,
    rho_identity: Vec<f64>,
    rho_held: Vec<f64>,
    rho_free: Vec<f64>,
    solution_identity: Vec<f64>,
    solution_softmax: Vec<f64>,
    correlations: ExpectedCorrelations,
    meaning: ExpectedMeaning,
}

#[derive(Deserialize)]
struct ExpectedCorrelations {
    x: Vec<f64>,
    y: Vec<f64>,
    weights: Vec<f64>,
    pearson: f64,
    spearman: f64,
    weighted_pearson: f64,
    weighted_spearman: f64,
}

#[derive(Deserialize)]
struct ExpectedMeaning {
    a: Vec<Vec<f64>>,
    b: Vec<Vec<f64>>,
    scale: f64,
    values: Vec<f64>,
    left: Vec<Vec<f64>>,
    right: Vec<Vec<f64>>,
    head: Vec<Vec<f32>>,
    norm: Vec<f32>,
    levels: Vec<u8>,
    codes: Vec<f64>,
    items: Vec<Vec<u32>>,
    item_scores: Vec<f64>,
}

fn fixture() -> Fixture {
    serde_json::from_str(include_str!("../../tests/fixtures/subspace/theory.json")).unwrap()
}

impl Fixture {
    fn gradients(&self) -> Gradients {
        of_rows(&self.gradients)
    }

    fn softmax(&self) -> Metric {
        let group = |&(first, stride, count, weight): &(usize, usize, usize, f64)| {
            Group::softmax_kl((first, stride, count), weight, self.temperature, &self.previous)
        };
        Metric { groups: self.groups.iter().map(group).collect() }
    }
}

fn of_rows(rows: &[Vec<f32>]) -> Gradients {
    let mut gradients = Gradients::new(rows[0].len());
    rows.iter().for_each(|row| gradients.push(row));
    gradients
}

fn identity(parameters: usize) -> Metric {
    Metric { groups: vec![Group::identity(0, parameters, 1.0)] }
}

/// `Σ`, formed, as nothing outside tests does.
fn curvature(gradients: &Gradients) -> Mat<f64> {
    let rows: Vec<&[f32]> = gradients.rows().collect();
    Mat::from_fn(gradients.parameters(), gradients.parameters(), |i, j| {
        rows.iter().map(|g| f64::from(g[i]) * f64::from(g[j])).sum::<f64>() / rows.len() as f64
    })
}

fn dense(metric: &Metric, parameters: usize) -> Mat<f64> {
    let unit = |i: usize| -> Vec<f64> { (0..parameters).map(|j| f64::from(u8::from(i == j))).collect() };
    Mat::from_fn(parameters, parameters, |i, j| metric.inner(&unit(i), &unit(j)))
}

fn column(values: &[f64]) -> Mat<f64> {
    Mat::from_fn(values.len(), 1, |i, _| values[i])
}

fn values(column: &Mat<f64>) -> Vec<f64> {
    (0..column.nrows()).map(|i| column[(i, 0)]).collect()
}

/// The minimum of `½ (v - v*)ᵀ Σ (v - v*) + ½ λ ‖v - v'‖²_H`, from `(Σ + λ H) v = Σ v* + λ H v'`.
fn minimum(gradients: &Gradients, metric: &Metric, lambda: f64, previous: &[f64], optimum: &[f64]) -> Vec<f64> {
    let (sigma, h) = (curvature(gradients), dense(metric, previous.len()));
    let h = Mat::from_fn(h.nrows(), h.ncols(), |i, j| lambda * h[(i, j)]);
    let right = &sigma * column(optimum) + &h * column(previous);
    values(&(&sigma + &h).partial_piv_lu().solve(right))
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?} {expected:?}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= tolerance * (1.0 + expected.abs()), "{found} is not {expected}");
    }
}

fn assert_as_predicted(retention: &Retention, tolerance: f64) {
    for direction in &retention.directions {
        let measured = direction.measured.expect("the toy moves along every direction");
        assert!((measured - direction.predicted).abs() < tolerance, "{direction:?}");
    }
}

#[test]
fn eigenvalues_are_scipys() {
    let fixture = fixture();
    let (gradients, softmax) = (fixture.gradients(), fixture.softmax());
    let all = identity(gradients.parameters());
    assert_near(&directions(&gradients, &all, Constants::Free).rho, &fixture.rho_identity, 1e-10);
    assert_near(&directions(&gradients, &all, Constants::Held).rho, &fixture.rho_identity, 1e-10);
    assert_near(&directions(&gradients, &softmax, Constants::Held).rho, &fixture.rho_held, 1e-10);
    assert_near(&directions(&gradients, &softmax, Constants::Free).rho, &fixture.rho_free, 1e-10);
}

#[test]
fn the_interpolation_formula_gives_scipys_minima() {
    let fixture = fixture();
    let gradients = fixture.gradients();
    let cases = [
        (identity(gradients.parameters()), &fixture.solution_identity, 7),
        (fixture.softmax(), &fixture.solution_softmax, 4),
    ];
    for (metric, solution, count) in cases {
        let found = directions(&gradients, &metric, Constants::Free);
        assert_eq!(found.len(), count);
        let along = |v: &[f64]| found.coordinates(&gradients, &metric, v);
        let (previous, optimum) = (along(&fixture.previous), along(&fixture.optimum));
        let expected: Vec<f64> =
            (0..found.len()).map(|k| interpolated(found.rho[k], fixture.lam, optimum[k], previous[k])).collect();
        assert_near(&along(solution), &expected, 1e-8);
        let states = States { previous: &fixture.previous, optimum: &fixture.optimum, current: solution };
        let told = retention(&gradients, &metric, &found, fixture.lam, states);
        assert_as_predicted(&told, 1e-6);
        // 11 parameters, 3 constants: the other directions have no curvature, and stay.
        assert!((told.outside.measured.unwrap() - 1.0).abs() < 1e-6, "{:?}", told.outside);
        let weights = told.outside.weight + told.directions.iter().map(|d| d.weight).sum::<f64>();
        assert!((weights - 1.0).abs() < 1e-9);
        assert!(told.correlations.pearson.unwrap() > 1.0 - 1e-9 && told.correlations.spearman.unwrap() > 1.0 - 1e-9);
    }
}

/// Every pair solves `Σ (q + C z) = ρ H q`, where `C z` are the constants at which `Cᵀ Σ (q + C z) = 0`.
#[test]
fn directions_are_generalised_eigenvectors() {
    let fixture = fixture();
    let (gradients, metric) = (fixture.gradients(), fixture.softmax());
    let parameters = gradients.parameters();
    let (sigma, h) = (curvature(&gradients), dense(&metric, parameters));
    let constants = Mat::from_fn(parameters, metric.groups.len(), |i, k| {
        let (first, stride, count, _) = fixture.groups[k];
        f64::from(u8::from(i >= first && (i - first).is_multiple_of(stride) && (i - first) / stride < count))
    });
    let found = directions(&gradients, &metric, Constants::Free);
    let vectors: Vec<Vec<f64>> = (0..found.len()).map(|k| found.vector(&gradients, &metric, k)).collect();
    for (k, q) in vectors.iter().enumerate() {
        for (j, other) in vectors.iter().enumerate() {
            assert!((metric.inner(q, other) - f64::from(u8::from(j == k))).abs() < 1e-10, "orthonormal in H");
        }
        let q = column(q);
        let held = constants.transpose() * &sigma * &constants;
        let z = held.partial_piv_lu().solve(constants.transpose() * &sigma * &q);
        let left = values(&(&sigma * (&q - &constants * z)));
        let right: Vec<f64> = values(&(&h * &q)).iter().map(|x| found.rho[k] * x).collect();
        assert_near(&left, &right, 1e-9);
        // What is asked of a state without forming the direction is what the direction says.
        let asked = found.coordinates(&gradients, &metric, &fixture.optimum)[k];
        assert!((asked - metric.inner(&fixture.optimum, &vectors[k])).abs() < 1e-10);
    }
}

/// Where the gradients do not couple constants with the rest, both readings of the constants agree.
#[test]
fn a_constant_moves_freely_and_a_direction_without_curvature_stays() {
    let root = 0.5_f32;
    // In a group of four: the constant direction, two of the three others, and none along the last.
    let (constant, first, second) = ([1.0; 4], [1.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]);
    let gradients = of_rows(&[
        constant.map(|x: f32| 3.0 * root * x).to_vec(),
        first.to_vec(),
        second.map(|x: f32| 2.0 * x).to_vec(),
    ]);
    let (previous, optimum) = ([0.1, 0.1, 0.1, 0.1], [1.0, 0.2, -0.4, 0.6]);
    let metric = Metric { groups: vec![Group::softmax_kl((0, 1, 4), 1.0, 1.0, &previous)] };
    let lambda = 0.3;
    let solution = minimum(&gradients, &metric, lambda, &previous, &optimum);
    let sum = |v: &[f64]| v.iter().sum::<f64>();
    assert!((sum(&solution) - sum(&optimum)).abs() < 1e-9, "the constant goes all the way to the optimum");
    let still = [1.0, 1.0, -1.0, -1.0];
    assert!(
        (metric.inner(&solution, &still) - metric.inner(&previous, &still)).abs() < 1e-9,
        "no curvature, no movement"
    );
    for constants in [Constants::Free, Constants::Held] {
        let found = directions(&gradients, &metric, constants);
        // p = 1/4, so H = 1/4 on the range; Σ is 2/3 along the first and 8/3 along the second.
        assert_near(&found.rho, &[4.0 * 8.0 / 3.0, 4.0 * 2.0 / 3.0], 1e-12);
        let states = States { previous: &previous, optimum: &optimum, current: &solution };
        let told = retention(&gradients, &metric, &found, lambda, states);
        assert_as_predicted(&told, 1e-9);
        assert!((told.outside.measured.unwrap() - 1.0).abs() < 1e-9, "{:?}", told.outside);
        // A constant more or less in any state changes nothing.
        let shifted = solution.iter().map(|v| v + 7.0).collect::<Vec<_>>();
        let again = retention(&gradients, &metric, &found, lambda, States { current: &shifted, ..states });
        assert_near(
            &again.directions.iter().filter_map(|d| d.measured).collect::<Vec<_>>(),
            &told.directions.iter().filter_map(|d| d.measured).collect::<Vec<_>>(),
            1e-9,
        );
    }
}

/// The divergence itself: its minimum is that of its second order up to the square of the movement.
#[test]
fn the_softmax_divergence_keeps_what_its_second_order_predicts() {
    let fixture = fixture();
    let (gradients, metric) = (fixture.gradients(), fixture.softmax());
    let found = directions(&gradients, &metric, Constants::Free);
    let parameters = gradients.parameters();
    let (sigma, h) = (curvature(&gradients), dense(&metric, parameters));
    let system = Mat::from_fn(parameters, parameters, |i, j| sigma[(i, j)] + fixture.lam * h[(i, j)]);
    let error = |size: f64| {
        let optimum: Vec<f64> =
            fixture.previous.iter().zip(&fixture.optimum).map(|(v, w)| v + size * (w - v)).collect();
        // Newton's iteration with the metric for the Hessian.
        let mut v = optimum.clone();
        for _ in 0..60 {
            let gradient = values(&(&sigma * (column(&v) - column(&optimum))));
            let pull = divergence_gradient(&fixture, &v);
            let right = column(&gradient.iter().zip(&pull).map(|(g, p)| g + fixture.lam * p).collect::<Vec<_>>());
            let step = values(&system.partial_piv_lu().solve(right));
            v.iter_mut().zip(step).for_each(|(v, step)| *v -= step);
        }
        let states = States { previous: &fixture.previous, optimum: &optimum, current: &v };
        let told = retention(&gradients, &metric, &found, fixture.lam, states);
        told.directions.iter().map(|d| (d.measured.unwrap() - d.predicted).abs()).fold(0.0, f64::max)
    };
    assert!(error(1e-7) < 1e-6, "{}", error(1e-7));
    assert!((error(1e-3) / error(1e-4) - 10.0).abs() < 1.0, "the error falls with the movement");
}

/// The gradient of `Σ_g weight · KL(softmax(v / τ) || softmax(v' / τ))`, straight from its definition.
fn divergence_gradient(fixture: &Fixture, v: &[f64]) -> Vec<f64> {
    let mut gradient = vec![0.0; v.len()];
    for &(first, stride, count, weight) in &fixture.groups {
        let softmax = |v: &[f64]| -> Vec<f64> {
            let powers: Vec<f64> = (0..count).map(|j| (v[first + j * stride] / fixture.temperature).exp()).collect();
            let sum: f64 = powers.iter().sum();
            powers.iter().map(|power| power / sum).collect()
        };
        let (p, q) = (softmax(v), softmax(&fixture.previous));
        let ratio = |j: usize| (p[j] / q[j]).ln();
        let mean: f64 = (0..count).map(|j| p[j] * ratio(j)).sum();
        (0..count).for_each(|j| gradient[first + j * stride] = weight * p[j] * (ratio(j) - mean) / fixture.temperature);
    }
    gradient
}

#[test]
fn rounding_in_gradients_without_a_mean_takes_no_direction() {
    let rows: Vec<Vec<f32>> = (0..3_usize)
        .map(|i| (0..9_usize).map(|j| ((i * 9 + j) as f32 * (i + j) as f32 * 1.7).sin() * 1e-3).collect())
        .collect();
    let centred = rows.iter().map(|row: &Vec<f32>| {
        let mean = row.iter().sum::<f32>() / 9.0;
        row.iter().map(|g| g - mean).collect::<Vec<_>>()
    });
    let gradients = of_rows(&centred.collect::<Vec<_>>());
    let metric = Metric { groups: vec![Group::softmax_kl((0, 1, 9), 1.0, 1.0, &[0.0; 9])] };
    assert_eq!(directions(&gradients, &metric, Constants::Free).len(), 3);
}

#[test]
fn nothing_is_measured_where_nothing_moved_or_nothing_is_known() {
    let fixture = fixture();
    let (gradients, metric) = (fixture.gradients(), fixture.softmax());
    let found = directions(&gradients, &metric, Constants::Held);
    let still = States { previous: &fixture.previous, optimum: &fixture.previous, current: &fixture.previous };
    let told = retention(&gradients, &metric, &found, 1.0, still);
    assert!(told.directions.iter().all(|d| d.measured.is_none() && d.weight == 0.0));
    assert_eq!((told.outside.measured, told.correlations), (None, Correlations::default()));
    assert!(directions(&Gradients::new(11), &metric, Constants::Free).is_empty());
    assert!(directions(&of_rows(&[vec![0.0; 11]]), &metric, Constants::Free).is_empty());
    assert_eq!(
        [predicted(0.0, 0.0), predicted(0.0, 1.0), predicted(1.0, 0.0), predicted(3.0, 1.0)],
        [1.0, 1.0, 0.0, 0.25]
    );
}

#[test]
fn evenness_says_how_far_a_softmax_is_from_uniform() {
    let group = Group::softmax_kl((1, 2, 2), 1.0, 0.5, &[9.0, 0.0, 9.0, 0.5 * 3.0_f64.ln()]);
    assert_near(&[group.evenness().unwrap().0, group.evenness().unwrap().1], &[0.5, 1.5], 1e-12);
    assert_eq!(Group::identity(0, 2, 1.0).evenness(), None);
}

#[test]
fn correlations_are_scipys() {
    let ExpectedCorrelations { x, y, weights, pearson: plain, spearman, weighted_pearson, weighted_spearman } =
        fixture().correlations;
    let ones = vec![1.0; x.len()];
    assert!((pearson(&x, &y, &ones).unwrap() - plain).abs() < 1e-12);
    assert!((pearson(&ranks(&x), &ranks(&y), &ones).unwrap() - spearman).abs() < 1e-12);
    let told: Vec<Retained> = x
        .iter()
        .zip(y.iter().zip(&weights))
        .map(|(&predicted, (&y, &weight))| Retained { rho: 1.0, predicted, measured: Some(y), weight })
        .chain([Retained { rho: 1.0, predicted: 1e9, measured: None, weight: 0.0 }])
        .collect();
    let all = Correlations::of(&told);
    assert_eq!(all.directions, x.len());
    assert_near(
        &[all.pearson, all.spearman, all.weighted_pearson, all.weighted_spearman].map(Option::unwrap),
        &[plain, spearman, weighted_pearson, weighted_spearman],
        1e-12,
    );
    assert_eq!(pearson(&[0.1; 3], &[1.0, 2.0, 3.0], &[1.0; 3]), None);
}

#[test]
fn singular_directions_and_scores_are_numpys() {
    let expected = fixture().meaning;
    let matrix = |rows: &[Vec<f64>]| Mat::from_fn(rows.len(), rows[0].len(), |i, j| rows[i][j]);
    let found = singular_directions(&matrix(&expected.a), &matrix(&expected.b), expected.scale);
    assert_near(&found.iter().map(|d| d.value).collect::<Vec<_>>(), &expected.values, 1e-10);
    for (k, direction) in found.iter().enumerate() {
        assert_near(&direction.left, &expected.left[k], 1e-10);
        assert_near(&direction.right, &expected.right[k], 1e-10);
    }
    let head: Vec<f32> = expected.head.concat();
    let codes = code_scores(&head, &expected.norm, &found[0].left, &expected.levels);
    assert_near(&codes, &expected.codes, 1e-9);
    assert_near(&item_scores(&expected.items.concat(), 2, &codes), &expected.item_scores, 1e-9);
    assert_eq!(extremes(&[0.0, 3.0, -1.0, 3.0, -2.0], 2), [vec![1, 3], vec![4, 2]]);
    assert_eq!(extremes(&[1.0, 2.0, 3.0], 5), [vec![2, 1], vec![0]], "nothing is both");
    assert_eq!(extremes(&[], 2), [vec![], vec![]] as [Vec<usize>; 2]);
}

#[test]
fn an_update_of_nothing_has_no_length() {
    let (a, b) = (Mat::from_fn(2, 3, |i, j| (i + 2 * j) as f64), Mat::zeros(4, 2));
    assert!(singular_directions(&a, &b, 2.0).iter().all(|direction| direction.value == 0.0));
}

/// Examples' gradients, lengths of groups, two states, and the weight of the pull.
#[derive(Debug)]
struct Problem {
    rows: Vec<Vec<f32>>,
    groups: Vec<usize>,
    previous: Vec<f64>,
    optimum: Vec<f64>,
    lambda: f64,
}

fn problems() -> impl Strategy<Value = Problem> {
    (proptest::collection::vec(2_usize..6, 1..4), 4_usize..9).prop_flat_map(|(groups, examples)| {
        let parameters = groups.iter().sum::<usize>();
        let state = || proptest::collection::vec(-1.0_f64..1.0, parameters);
        let rows = proptest::collection::vec(proptest::collection::vec(-2.0_f32..2.0, parameters), examples);
        (rows, Just(groups), state(), state(), 0.05_f64..5.0)
            .prop_map(|(rows, groups, previous, optimum, lambda)| Problem { rows, groups, previous, optimum, lambda })
    })
}

fn metrics(groups: &[usize], previous: &[f64]) -> [Metric; 2] {
    let softmax = groups.iter().scan(0, |first, &count| {
        let group = Group::softmax_kl((*first, 1, count), 1.0, 1.0, previous);
        *first += count;
        Some(group)
    });
    [identity(previous.len()), Metric { groups: softmax.collect() }]
}

fn expected_by_formula(found: &Directions, lambda: f64, optimum: &[f64], previous: &[f64]) -> Vec<f64> {
    let pairs = optimum.iter().zip(previous);
    found.rho.iter().zip(pairs).map(|(&rho, (&o, &p))| interpolated(rho, lambda, o, p)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_minimum_is_the_interpolation_of_optimum_and_past(problem in problems()) {
        let Problem { rows, groups, previous, optimum, lambda } = problem;
        let gradients = of_rows(&rows);
        for metric in metrics(&groups, &previous) {
            let solution = minimum(&gradients, &metric, lambda, &previous, &optimum);
            let found = directions(&gradients, &metric, Constants::Free);
            let along = |v: &[f64]| found.coordinates(&gradients, &metric, v);
            let expected = expected_by_formula(&found, lambda, &along(&optimum), &along(&previous));
            assert_near(&along(&solution), &expected, 1e-6);
        }
    }

    #[test]
    fn directions_are_sorted_orthonormal_and_as_many_as_can_be(problem in problems()) {
        let gradients = of_rows(&problem.rows);
        for metric in metrics(&problem.groups, &problem.previous) {
            let seen: usize = metric.groups.iter().map(|g| g.count - usize::from(g.softmax.is_some())).sum();
            for constants in [Constants::Free, Constants::Held] {
                let found = directions(&gradients, &metric, constants);
                prop_assert!(found.len() <= seen.min(gradients.examples()));
                prop_assert!(found.rho.windows(2).all(|pair| pair[0] >= pair[1]) && found.rho.iter().all(|rho| *rho > 0.0));
                for k in 0..found.len().min(3) {
                    let q = found.vector(&gradients, &metric, k);
                    prop_assert!((metric.inner(&q, &q) - 1.0).abs() < 1e-6);
                }
            }
        }
    }
}

/// Least squares with residuals of ±1 have their Fisher information as the Hessian, whatever the mean gradient is. Tokens
/// a = (2, 1) and b = (-1, 3): `½ (x'v - y)²` each, with residuals +1 and +1 in one example, +1 and -1 in the other.
#[test]
fn the_rise_from_a_point_that_is_no_minimum_has_its_slope() {
    let (a, b) = ([2.0, 1.0], [-1.0, 3.0]);
    let step = [0.3, -0.2];
    let along = |x: [f64; 2]| x[0] * step[0] + x[1] * step[1];
    let loss = |residual: f64| 0.5 * residual * residual;
    let examples = [[(a, 1.0), (b, 1.0)], [(a, 1.0), (b, -1.0)]];
    let tokens = || examples.iter().flatten();
    let measured = tokens().map(|(x, residual)| loss(residual + along(*x)) - loss(*residual)).sum::<f64>() / 4.0;
    let row = |example: &[([f64; 2], f64); 2]| {
        let mean = |i: usize| example.iter().map(|(x, residual)| residual * x[i]).sum::<f64>() / 2.0;
        [0, 1].map(|i| (2f64.sqrt() * mean(i)) as f32).to_vec()
    };
    let rise = Rise::along(&of_rows(&examples.each_ref().map(row)), &[2, 2], &step);
    // By hand: g = a / 2, Σ = (aa' + bb') / 2, a'd = 0.4, b'd = -0.9.
    assert!((rise.slope - 0.2).abs() < 1e-6, "{rise:?}");
    assert!((rise.curvature - 0.25 * (0.16 + 0.81)).abs() < 1e-6, "{rise:?}");
    assert!((rise.sum() - measured).abs() < 1e-6, "{rise:?} for {measured}");
}
