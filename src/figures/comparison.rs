//! Methods against each other: a metric over the stages.

use std::collections::{BTreeMap, BTreeSet};

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::styles::{Group, groups};
use super::words::{better, is_baseline, metric_label, without_released};
use crate::plot::{Axis, Band, Body, Chart, Lines, Point, Series, scale};
use crate::project::Project;
use crate::results::{Results, RunResult};
use crate::run::Status;
use crate::text::counted;

pub static SPEC: FigureSpec = FigureSpec {
    name: "comparison",
    aliases: &[],
    label: "By stage",
    title: "Metric by stage",
    summary: "The metric over the stages, a line an experiment",
    tooltip: "Every method over the stages, tested on the stage it was just trained on",
    options: &[FigureOption::Metric],
    alone: false,
    make: Make::Project(|context, options| {
        let (results, basis) = context.compared();
        let shown = ComparisonOptions { synthetic: context.is_synthetic(), ..Default::default() };
        let chart = over_stages(context.project(), results, &options.metric, &shown);
        Ok(vec![NamedChart::new("comparison", chart.over(basis).under(results.protocol))])
    }),
};

/// What [`over_stages`] shows and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ComparisonOptions {
    /// Experiments to show, by name; all where there are none. Each keeps its colour whatever else is shown.
    pub experiments: BTreeSet<String>,
    pub spread: Spread,
    /// Whether the data are generated; the chart says so then.
    pub synthetic: bool,
}

/// What the band around the mean over seeds is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Spread {
    /// From the least seed to the greatest.
    #[default]
    Range,
    /// One sample standard deviation (over n - 1) to either side.
    Deviation,
}

/// `metric` (`hit@10_corrected`, `ndcg@5`, `invalid_rate`) over the stages, one line an experiment.
///
/// A line is the mean over the experiment's finished seeds. Where none is finished it is over those under way, in each stage
/// over those that have finished it, with hollow marks and a name that says so. Runs of one experiment with different
/// settings or data stay apart, each under its configuration's hash. Non-learned baselines come last, in grey.
pub fn over_stages(project: &Project, results: &Results, metric: &str, options: &ComparisonOptions) -> Chart {
    let title = format!("{} by stage", metric_label(metric));
    let groups = groups(project, results);
    let shown =
        |group: &&Group<'_>| options.experiments.is_empty() || options.experiments.contains(&group.runs[0].experiment);
    let drawn: Vec<Drawn> =
        groups.iter().filter(shown).filter_map(|group| Drawn::of(group, metric, options.spread)).collect();
    if drawn.is_empty() {
        return nothing_measured(title, metric, results).synthetic(options.synthetic);
    }
    let seeds: BTreeSet<(usize, usize)> = drawn.iter().filter_map(|drawn| drawn.seeds).collect();
    let beside: usize = drawn.iter().map(|drawn| drawn.beside).sum();
    let y = Axis { better: Some(better(metric)), ..Axis::new(metric_label(metric)) };
    let series = drawn.into_iter().map(|drawn| drawn.series).collect();
    let lines = Lines { x: Axis::whole("Stage"), y, series, boundaries: Vec::new() };
    let seeds = (!seeds.is_empty()).then(|| caption(&seeds, options.spread));
    let beside = (beside > 0).then(|| format!("{} not in the means", counted(beside, "unfinished run")));
    let cut = (scale::y_range(&lines).low > 0.0).then(|| "The axis does not start at 0".to_owned());
    let parts = [seeds, beside, cut, without_released(results, metric)];
    let caption: Vec<String> = parts.into_iter().flatten().collect();
    let caption = (!caption.is_empty()).then(|| caption.join(". "));
    let band = Some(match options.spread {
        Spread::Range => Band::SeedRange,
        Spread::Deviation => Band::SeedDeviation,
    });
    Chart { caption, band, ..Chart::new(title, Body::Lines(lines)) }.synthetic(options.synthetic)
}

/// One line, with what is said of it.
struct Drawn {
    series: Series,
    /// The least and the greatest number of seeds that a stage stands on; none of a non-learned baseline.
    seeds: Option<(usize, usize)>,
    /// Unfinished runs that stand beside finished ones, and are not in the mean.
    beside: usize,
}

impl Drawn {
    /// None where no stage has measured the metric.
    fn of(group: &Group<'_>, metric: &str, spread: Spread) -> Option<Self> {
        let finished = |run: &&&RunResult| run.status == Status::Finished;
        let runs: Vec<&RunResult> = group.runs.iter().filter(finished).copied().collect();
        let (runs, style, beside) = if runs.is_empty() {
            (group.runs.clone(), group.style.unfinished(), 0)
        } else {
            let beside = group.runs.len() - runs.len();
            (runs, group.style, beside)
        };
        let name = style.legend_name(&group.name);
        let points = means(&runs, metric, spread);
        let seeds = (!is_baseline(runs[0])).then(|| seeds_measured(&runs, metric));
        (!points.is_empty()).then_some(Self { series: Series { name, points, style }, seeds, beside })
    }
}

/// The values of a metric in each stage, one a seed.
fn by_stage(runs: &[&RunResult], metric: &str) -> BTreeMap<usize, Vec<f64>> {
    let mut stages: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for stage in runs.iter().flat_map(|run| &run.stages) {
        if let Some(&value) = stage.metrics.get(metric).filter(|value| value.is_finite()) {
            stages.entry(stage.stage).or_default().push(value);
        }
    }
    stages
}

fn means(runs: &[&RunResult], metric: &str, spread: Spread) -> Vec<Point> {
    by_stage(runs, metric)
        .into_iter()
        .map(|(stage, values)| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            let spread = (values.len() > 1).then(|| match spread {
                Spread::Range => [
                    values.iter().copied().fold(f64::INFINITY, f64::min),
                    values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
                ],
                Spread::Deviation => {
                    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
                    let deviation = (squares / (values.len() - 1) as f64).sqrt();
                    [mean - deviation, mean + deviation]
                }
            });
            Point { x: stage as f64, y: mean, spread }
        })
        .collect()
}

/// The least and the greatest number of seeds that a stage of the line stands on.
fn seeds_measured(runs: &[&RunResult], metric: &str) -> (usize, usize) {
    let counts: Vec<usize> = by_stage(runs, metric).values().map(Vec::len).collect();
    (counts.iter().copied().min().unwrap_or(0), counts.iter().copied().max().unwrap_or(0))
}

/// Says what the lines and bands are. `seeds`: least and greatest number of each line that has any.
fn caption(seeds: &BTreeSet<(usize, usize)>, spread: Spread) -> String {
    let min = seeds.iter().map(|&(min, _)| min).min().unwrap_or(1);
    let max = seeds.iter().map(|&(_, max)| max).max().unwrap_or(1);
    if max < 2 {
        return "One seed each (n = 1): differences may be chance".to_owned();
    }
    let band = match spread {
        Spread::Range => "bands reach from the lowest seed to the highest",
        Spread::Deviation => "bands ± 1 standard deviation",
    };
    format!("Mean over seeds (n = {}), {band}", range(min, max))
}

fn range(min: usize, max: usize) -> String {
    if min == max { min.to_string() } else { format!("{min}–{max}") }
}

fn nothing_measured(title: String, metric: &str, results: &Results) -> Chart {
    let label = metric_label(metric);
    let missing = if results.runs.is_empty() {
        format!("No runs yet: run an experiment to see its {label} by stage")
    } else {
        format!("No run shown here has a measured {label} yet: it appears when a stage is finished")
    };
    Chart::empty(title, missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::series_style::{Dash, Ink};
    use crate::project::file::DEMO;
    use crate::results::StageResult;

    fn project() -> Project {
        Project::parse(DEMO, std::path::Path::new("demo/project.ron")).unwrap()
    }

    fn run(experiment: &str, method: &str, seed: u64, hits: &[f64]) -> RunResult {
        let stage = |(index, &hit): (usize, &f64)| StageResult {
            stage: index + 1,
            metrics: BTreeMap::from([("hit@10".to_owned(), hit)]),
            ..StageResult::default()
        };
        RunResult {
            run: format!("{experiment}-s{seed}"),
            experiment: experiment.to_owned(),
            method: method.to_owned(),
            seed,
            status: Status::Finished,
            config_hash: "0123456789".to_owned(),
            data_hash: "data".to_owned(),
            stages: hits.iter().enumerate().map(stage).collect(),
            ..RunResult::default()
        }
    }

    fn results(runs: Vec<RunResult>) -> Results {
        Results { project: "demo".to_owned(), runs, ..Results::default() }
    }

    fn lines(chart: &Chart) -> &Lines {
        match &chart.body {
            Body::Lines(lines) => lines,
            other => panic!("no lines: {other:?}"),
        }
    }

    #[test]
    fn a_line_is_the_mean_over_the_seeds_that_reached_the_stage() {
        let results =
            results(vec![run("a", "peso", 0, &[0.1, 0.2]), run("a", "peso", 1, &[0.3]), run("a", "peso", 2, &[0.5])]);
        let range = over_stages(&project(), &results, "hit@10", &ComparisonOptions::default());
        let points = &lines(&range).series[0].points;
        assert_eq!(points.len(), 2);
        assert!((points[0].y - 0.3).abs() < 1e-12);
        assert_eq!(points[0].spread, Some([0.1, 0.5]));
        assert_eq!(points[1], Point::new(2.0, 0.2));
        assert_eq!(
            range.caption.as_deref(),
            Some("Mean over seeds (n = 1–3), bands reach from the lowest seed to the highest")
        );

        let options = ComparisonOptions { spread: Spread::Deviation, ..ComparisonOptions::default() };
        let deviation = over_stages(&project(), &results, "hit@10", &options);
        let [low, high] = lines(&deviation).series[0].points[0].spread.expect("three seeds spread");
        assert!((low - 0.1).abs() < 1e-12 && (high - 0.5).abs() < 1e-12, "{low} {high}");
    }

    #[test]
    fn baselines_come_last_in_grey_and_hiding_keeps_colours() {
        let results = results(vec![
            run("popularity", "popularity", 0, &[0.1]),
            run("first", "single", 0, &[0.2]),
            run("second", "peso", 0, &[0.3]),
        ]);
        let all = over_stages(&project(), &results, "hit@10", &ComparisonOptions::default());
        let names: Vec<&str> = lines(&all).series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["first", "second", "Popularity"]);
        assert_eq!(lines(&all).series[2].style.ink, Ink::Grey(0));
        assert_ne!(lines(&all).series[2].style.dash, Dash::Solid);

        let experiments = BTreeSet::from(["second".to_owned()]);
        let one = over_stages(
            &project(),
            &results,
            "hit@10",
            &ComparisonOptions { experiments, ..ComparisonOptions::default() },
        );
        assert_eq!(lines(&one).series.len(), 1);
        assert_eq!(lines(&one).series[0].style, lines(&all).series[1].style);
    }

    #[test]
    fn runs_of_other_settings_stay_apart() {
        let mut other = run("a", "peso", 0, &[0.4]);
        other.config_hash = "fedcba9876".to_owned();
        let chart =
            over_stages(&project(), &results(vec![run("a", "peso", 0, &[0.2]), other]), "hit@10", &Default::default());
        let names: Vec<&str> = lines(&chart).series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["a (01234567)", "a (fedcba98)"]);
        assert!(lines(&chart).series.iter().all(|series| series.points[0].spread.is_none()));
    }

    #[test]
    fn what_is_not_finished_is_not_drawn_as_if_it_were() {
        let mut running = run("PESO", "peso", 1, &[0.4, 0.5]);
        running.status = Status::Running;
        let chart = over_stages(&project(), &results(vec![running.clone()]), "hit@10", &Default::default());
        let alone = &lines(&chart).series[0];
        assert_eq!((alone.name.as_str(), alone.style.open), ("PESO (unfinished)", true));

        let beside = over_stages(
            &project(),
            &results(vec![run("PESO", "peso", 0, &[0.2, 0.3, 0.1]), running]),
            "hit@10",
            &Default::default(),
        );
        let line = &lines(&beside).series[0];
        assert_eq!((line.name.as_str(), line.style.open), ("PESO", false));
        assert_eq!(line.points.iter().map(|point| point.y).collect::<Vec<_>>(), [0.2, 0.3, 0.1]);
        assert!(beside.caption.unwrap().contains("1 unfinished run not in the means"));
    }

    #[test]
    fn a_cut_axis_and_a_single_seed_are_said() {
        let chart =
            over_stages(&project(), &results(vec![run("a", "peso", 0, &[0.20, 0.21])]), "hit@10", &Default::default());
        let caption = "One seed each (n = 1): differences may be chance. The axis does not start at 0";
        assert_eq!(chart.caption.as_deref(), Some(caption));
    }

    #[test]
    fn nothing_measured_is_an_empty_chart_that_says_so() {
        let options = ComparisonOptions { synthetic: true, ..ComparisonOptions::default() };
        let chart = over_stages(&project(), &results(Vec::new()), "ndcg@10", &options);
        assert!(matches!(&chart.body, Body::Empty(missing) if missing.contains("NDCG@10")));
        assert_eq!(chart.note.as_deref(), Some("Synthetic data"));
    }
}
