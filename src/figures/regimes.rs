//! The map of regimes: what a method gains over another, by two swept options.

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::words::metric_label;
use crate::data::Protocol;
use crate::error::InputError;
use crate::plot::gain_map::{GainCell, GainMap};
use crate::plot::{Axis, Band, Body, Chart, HeatMap};
use crate::project::Project;
use crate::project::board::FigureOptions;
use crate::results::regimes::{Found, RegimeCell, RegimeMap, RegimeQuestion, SweptOption};
use crate::schema::Setting;
use crate::text::counted;

pub static SPEC: FigureSpec = FigureSpec {
    name: "regimes",
    aliases: &["regime-map"],
    label: "Regimes",
    title: "Map of regimes",
    summary: "What a method gains over another at every point of two swept options, and how sure that is",
    tooltip: "Where a method pays: its gain over another by two swept options",
    options: &[FigureOption::Metric, FigureOption::Baseline, FigureOption::Regime],
    alone: false,
    make: Make::Project(|context, options| {
        let question = question(options, context.results.protocol)?;
        let map = RegimeMap::of(context.project(), context.runs_dir(), &question)?;
        let named = |map| NamedChart::new(SPEC.name, regimes(context.project(), &map));
        Ok(map.map(named).into_iter().collect())
    }),
};

/// What the options of a figure ask.
///
/// # Errors
/// The metric is none of single users.
pub fn question(options: &FigureOptions, protocol: Protocol) -> Result<RegimeQuestion, InputError> {
    let metric = options.metric.parse().map_err(|_| {
        InputError::new(
            "--metric",
            format!("{} is not a metric of single users, so that no test pairs them", options.metric),
        )
        .advice("choose Hit or NDCG")
    })?;
    let FigureOptions { method, baseline, x, y, at, .. } = options.clone();
    Ok(RegimeQuestion { method, baseline, x, y, at, metric, protocol })
}

/// The map as a chart.
pub fn regimes(project: &Project, map: &RegimeMap) -> Chart {
    let axes = &map.axes;
    let metric = metric_label(&map.metric.to_string());
    let seeds = match map.seeds() {
        None => "no seeds yet".to_owned(),
        Some([least, most]) if least == most => counted(least, "seed"),
        Some([least, most]) => format!("{least} to {most} seeds"),
    };
    let title = format!("Gain in {metric} of {} over {} ({seeds})", axes.method, axes.baseline);
    let names = |option: &SweptOption| option.values.iter().map(Setting::to_string).collect::<Vec<_>>();
    let value = |cell: &RegimeCell| match &cell.found {
        Found::Gain(verdict) => Some(verdict.comparison.gain),
        Found::NotEnoughRuns(_) => None,
    };
    // Values rise upwards, as on an axis.
    let rows = || map.cells.iter().rev();
    let gains = GainMap {
        map: HeatMap {
            row_label: axes.y.label.clone(),
            rows: names(&axes.y).into_iter().rev().collect(),
            column_label: axes.x.label.clone(),
            columns: names(&axes.x),
            value: Axis::new(format!("Gain in {metric}")),
            values: rows().map(|row| row.iter().map(value).collect()).collect(),
        },
        cells: rows().map(|row| row.iter().map(certainty).collect()).collect(),
    };
    let chart = Chart::new(title, Body::GainMap(gains));
    Chart { subtitle: further(map), caption: Some(how(map)), band: Some(Band::Interval95), ..chart }
        .of("method", axes.method.clone())
        .of("baseline", axes.baseline.clone())
        .synthetic(project.is_synthetic())
        .under(map.protocol)
}

/// The cell of a map at a place of its chart, whose rows stand the other way round.
pub fn cell_at(map: &RegimeMap, [row, column]: [usize; 2]) -> Option<&RegimeCell> {
    map.cells.iter().rev().nth(row)?.get(column)
}

fn certainty(cell: &RegimeCell) -> GainCell {
    match &cell.found {
        Found::Gain(verdict) => {
            let interval = verdict.interval();
            let comparison = &verdict.comparison;
            let relative = comparison.relative.map_or_else(String::new, |share| format!(" ({:+.1} %)", 100.0 * share));
            let words = format!(
                "{:.4} against {:.4}{}; {}, {}",
                comparison.value,
                comparison.baseline,
                relative.replace('-', "−"),
                counted(comparison.seeds, "seed"),
                counted(comparison.users, "test case")
            );
            GainCell { interval: Some([interval.low, interval.high]), words }
        }
        Found::NotEnoughRuns(missing) => GainCell { interval: None, words: missing.clone() },
    }
}

/// What further options are; nothing where there is none.
fn further(map: &RegimeMap) -> Option<String> {
    let words = |(option, at): &(SweptOption, Option<Setting>)| match at {
        Some(value) => format!("{} {value}", option.label),
        None => format!("mean over {} of {}", counted(option.values.len(), "value"), option.label.to_lowercase()),
    };
    let words: Vec<String> = map.axes.further.iter().map(words).collect();
    (!words.is_empty()).then(|| words.join(", "))
}

/// What the intervals are.
fn how(map: &RegimeMap) -> String {
    let judged = map.verdicts().filter(|verdict| verdict.p_corrected.is_some()).count();
    let corrected =
        if judged > 1 { format!(", corrected by Holm over {}", counted(judged, "cell")) } else { String::new() };
    format!(
        "Below each gain stands its 95 % interval over test users and seeds{corrected}. Where it holds 0 the sign may be chance"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::measure::statistics::{Aim, Bootstrap, Comparison, Paired, Verdict};
    use crate::project::file::DEMO;
    use crate::results::regimes::RegimeAxes;

    #[test]
    fn a_map_names_metric_methods_seeds_and_what_it_is_the_mean_over() {
        let project = Project::parse(DEMO, Path::new("demo/project.ron")).unwrap();
        let option = |path: &str, label: &str, values: &[f64]| SweptOption {
            path: path.to_owned(),
            label: label.to_owned(),
            values: values.iter().copied().map(Setting::Number).collect(),
        };
        let of = |gain: f64| (0..400).map(|user| if user % 10 == 0 { gain } else { 0.0 }).collect::<Vec<f64>>();
        let a: Vec<Vec<f64>> = [1.0, 0.9, 0.8].map(of).to_vec();
        let paired = Paired::of_one_stage(&a, &vec![of(0.0); 3]).unwrap();
        let bootstrap = Bootstrap { resamples: 10, ..Bootstrap::new(1) };
        let comparison = Comparison::of(&paired, &bootstrap, &Aim::default()).unwrap();
        let verdict = Verdict::of_family(&[comparison], 0.05)[0];
        let cell = |found| RegimeCell { found, experiments: vec!["PESO".to_owned()] };
        let missing = || cell(Found::NotEnoughRuns("PESO has 1 finished seed".to_owned()));
        let map = RegimeMap {
            axes: RegimeAxes {
                method: "PESO".to_owned(),
                baseline: "Single".to_owned(),
                x: option("dataset.drift", "Drift", &[0.2, 0.6]),
                y: option("dataset.interactions.1", "Later interactions", &[3.2, 8.0]),
                further: vec![(option("dataset.seed", "Seed", &[1.0, 2.0]), None)],
            },
            metric: "ndcg@10_corrected".parse().unwrap(),
            protocol: Protocol::SameBlock,
            cells: vec![vec![cell(Found::Gain(Box::new(verdict))), missing()], vec![missing(), missing()]],
        };
        let chart = regimes(&project, &map);
        assert_eq!(chart.title, "Gain in NDCG@10 of PESO over Single (3 seeds)");
        assert_eq!(chart.subtitle.as_deref(), Some("mean over 2 values of seed"));
        let Body::GainMap(gains) = &chart.body else { panic!("no map") };
        assert_eq!(gains.map.rows, ["8", "3.2"], "values rise upwards");
        assert!((gains.map.values[1][0].unwrap() - 0.09).abs() < 1e-12);
        assert_eq!((gains.map.values[0][0], gains.cells[0][0].words.as_str()), (None, "PESO has 1 finished seed"));
        assert_eq!(cell_at(&map, [1, 0]), Some(&map.cells[0][0]));
        let options = FigureOptions { metric: "invalid_rate".to_owned(), ..FigureOptions::default() };
        assert!(question(&options, Protocol::SameBlock).is_err());
        let options =
            FigureOptions { at: BTreeMap::from([("a".to_owned(), "1".to_owned())]), ..FigureOptions::default() };
        assert_eq!(question(&options, Protocol::SameBlock).unwrap().at, options.at);
    }
}
