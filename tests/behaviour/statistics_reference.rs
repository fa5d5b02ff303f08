//! The statistics of a comparison against the numbers of scipy and statsmodels.

use std::fs;
use std::path::Path;

use peso_workbench::measure::statistics::{
    Aim, Bootstrap, Bootstrapped, Interval, McNemar, McNemarTest, Paired, PairedT, SeedMean, holm,
};
use serde_json::Value;

fn reference(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/statistics").join(name);
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn cases<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap()
}

fn number(value: &Value, name: &str) -> f64 {
    value[name].as_f64().unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// `[seed][stage][user]`
fn staged(value: &Value) -> Vec<Vec<Vec<f64>>> {
    let stages = |seed: &Value| seed.as_array().unwrap().iter().map(numbers).collect();
    value.as_array().unwrap().iter().map(stages).collect()
}

fn assert_close(found: f64, expected: f64, tolerance: f64, what: &Value) {
    assert!((found - expected).abs() <= tolerance, "{found}, not {expected}: {what}");
}

#[test]
fn mcnemar_is_that_of_statsmodels() {
    for case in cases(&reference("mcnemar.json"), "cases") {
        let [only_a, only_b] = ["only_a", "only_b"].map(|name| case[name].as_u64().unwrap());
        let of = |pair: (bool, bool), count: u64| std::iter::repeat_n(pair, count as usize);
        let found = McNemar::of(of((true, false), only_a).chain(of((false, true), only_b)).chain(of((true, true), 7)));
        assert_eq!((found.only_a, found.only_b, found.both), (only_a, only_b, 7));
        match found.test {
            McNemarTest::Exact => assert!(case["exact"].as_bool().unwrap(), "{case}"),
            McNemarTest::ChiSquare { statistic } => assert_close(statistic, number(case, "statistic"), 1e-12, case),
        }
        assert_close(found.p_value, number(case, "p_value"), 1e-9, case);
    }
}

#[test]
fn holm_is_that_of_statsmodels() {
    for family in cases(&reference("holm.json"), "families") {
        let corrected = holm(&numbers(&family["p"]));
        for (found, expected) in corrected.into_iter().zip(numbers(&family["corrected"])) {
            assert_close(found, expected, 1e-12, family);
        }
    }
}

#[test]
fn means_over_seeds_are_those_of_scipy() {
    let reference = reference("student_t.json");
    for case in cases(&reference, "means") {
        let found = SeedMean::of(&numbers(&case["values"]), number(case, "level")).unwrap();
        assert_close(found.mean, number(case, "mean"), 1e-15, case);
        assert_close(found.standard_deviation, number(case, "standard_deviation"), 1e-15, case);
        assert_close(found.interval.low, number(case, "low"), 1e-11, case);
        assert_close(found.interval.high, number(case, "high"), 1e-11, case);
    }
    for case in cases(&reference, "paired") {
        let gains: Vec<f64> = numbers(&case["a"]).iter().zip(numbers(&case["b"])).map(|(a, b)| a - b).collect();
        let found = PairedT::of(&gains, 0.95).unwrap();
        assert_close(found.statistic.unwrap(), number(case, "statistic"), 1e-9, case);
        assert_close(found.p_value.unwrap(), number(case, "p_value"), 1e-9, case);
        assert_close(found.gain.interval.low, number(case, "low"), 1e-11, case);
        assert_close(found.gain.interval.high, number(case, "high"), 1e-11, case);
    }
}

#[test]
fn needed_users_and_seeds_are_those_of_statsmodels() {
    let reference = reference("power.json");
    for case in cases(&reference, "t_solutions") {
        // Three seeds with a mean of the effect and a standard deviation of 1
        let effect = number(case, "effect");
        let gain = SeedMean::of(&[effect - 1.0, effect, effect + 1.0], 0.95).unwrap();
        let aim = Aim::new(number(case, "alpha"), number(case, "power")).unwrap();
        assert_eq!(aim.seeds(&gain), Some(number(case, "seeds").ceil() as u64), "{case}");
    }
    for case in cases(&reference, "users") {
        let [up, down, users] = ["up", "down", "users"].map(|name| case[name].as_u64().unwrap() as usize);
        let hits =
            |first: usize, end: usize| (0..users).map(|u| f64::from(u8::from((first..end).contains(&u)))).collect();
        let paired = Paired::of_one_stage(&[hits(0, up)], &[hits(up, up + down)]).unwrap();
        let found = Aim::new(number(case, "alpha"), number(case, "power")).unwrap().users(&paired).unwrap();
        // The far tail, which is left out here, is worth a millionth.
        let needed = number(case, "needed").ceil();
        assert_close(found as f64, needed, 1.0_f64.min(1e-5 * needed), case);
        assert_eq!(paired.total(), up as f64 - down as f64);
    }
}

/// Compares with other software's bootstrap, within five standard errors of the quantiles' and shares' own Monte-Carlo
/// error and one step of a quantile that falls between two possible gains.
fn assert_resampled(found: &Bootstrapped, interval: Interval, expected: &Value, name: &str, step: f64) {
    let spread = number(expected, "standard_error");
    let draws = found.resamples as f64;
    // A normal quantile at 2.5 % has the standard error sqrt(p (1 - p)) / φ(1.96) = 2.67 spreads by the root of the draws.
    let tolerance = 5.0 * 2.67 * (1.0 / draws + 1.0 / number(expected, "resamples")).sqrt() * spread + step;
    let ends = numbers(&expected[name]);
    assert_close(interval.low, ends[0], tolerance, &expected["name"]);
    assert_close(interval.high, ends[1], tolerance, &expected["name"]);
    assert_close(found.gain, number(expected, "gain"), 1e-12, &expected["name"]);
    assert_close(found.standard_error / spread, 1.0, 0.015, &expected["name"]);
}

#[test]
fn the_bootstrap_over_users_is_that_of_scipy() {
    let reference = reference("bootstrap_users.json");
    for case in cases(&reference, "cases") {
        let mut expected = case.clone();
        expected["resamples"] = reference["resamples"].clone();
        let paired = Paired::of(&staged(&case["a"]), &staged(&case["b"])).unwrap();
        let step = if case["name"] == "hits of one stage" { 1.0 / paired.users() as f64 } else { 0.0 };
        let bootstrap = Bootstrap { resamples: 100_000, ..Bootstrap::new(11) };
        let found = bootstrap.of(&paired).unwrap();
        assert_resampled(&found, found.interval, &expected, "percentile", step);
        assert_resampled(&found, found.bias_corrected.unwrap(), &expected, "bca", step);
        // What the resampled means vary by is known
        let stages = staged(&case["a"])[0].len() as f64;
        assert!(
            stages > 1.0 || {
                let users = paired.users() as f64;
                let exact = (paired.variance_over_users() * (users - 1.0) / users).sqrt();
                (found.standard_error / exact - 1.0).abs() < 0.01
            }
        );
    }
}
