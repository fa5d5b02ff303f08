//! `peso export`: figures as files.

mod moved;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::outcome::{Ended, say, warn};
use crate::error::InputError;
use crate::figures::comparison::{self, ComparisonOptions};
use crate::figures::cost::{self, Cost};
use crate::figures::live::{self, CurvePoint, RunCurves};
use crate::figures::{matrix, parallel};
use crate::files;
use crate::plot::{self, Chart, SeriesStyle, Style};
use crate::project::Project;
use crate::results::Results;
use crate::results::comparison::Line;
use crate::results::config_diff::differences;
use crate::run::RunFolder;
use crate::run::observer::Phase;

/// Write figures as PNG, SVG, PDF, CSV or LaTeX
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Which figure
    #[arg(long, value_enum)]
    figure: Figure,
    /// File to write (.png, .svg, .pdf, .csv, .tex); several figures get their names before the ending, and a folder
    /// gets every format
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// This run alone, by its id or its experiment, of figures that are one a run
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    /// Module of rivers, spectra and angles, as `layers.0.mlp.down_proj`; the one with the largest update where none is given
    #[arg(long, value_name = "NAME")]
    module: Option<String>,
    /// Metric of the comparison and the matrices
    #[arg(long, default_value = "ndcg@10")]
    metric: String,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Dots an inch of a PNG
    #[arg(long, value_name = "N")]
    dpi: Option<u32>,
    /// Ground of the figure
    #[arg(long, value_enum, default_value_t = Theme::Light)]
    theme: Theme,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Figure {
    /// The metric over the stages, a line an experiment
    Comparison,
    /// `R[i, j]` of every run
    Matrix,
    /// The metric against training time, trainable parameters and peak memory
    Cost,
    /// The settings that differ and what came of them, on axes side by side
    Parallel,
    /// Training loss by step
    Loss,
    /// The methods' penalty by step
    Penalty,
    /// The penalty's pull against the loss's, by step
    PullRatio,
    /// How far each stage moves predictions and data
    Churn,
    /// Which users and targets see other recommendations, of every run
    Affected,
    /// How directions of a module go on from stage to stage, of every run with adapters
    River,
    /// Where the last stage moved the adapter, layer by module, of every run with adapters
    DriftMap,
    /// Singular values of a module's update in every stage, of every run with adapters
    Spectra,
    /// Principal angles of a module's update to the stage before, of every run with adapters
    Angles,
    /// How far the subspaces of all runs turned by stage
    Distances,
    /// Predicted against measured retention, as far as `peso retention` has measured it
    Retention,
    /// All of them
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Theme {
    Light,
    Dark,
}

/// What a folder gets of every figure.
const ENDINGS: [&str; 5] = ["png", "svg", "pdf", "csv", "tex"];

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    let runs_dir = project.runs_dir(arguments.out.as_deref());
    let (results, unusable) = Results::read(&project, &runs_dir, project.evaluation.protocol.first());
    warn(&unusable);
    if results.runs.is_empty() {
        return Err(InputError::new(runs_dir, "there are no runs to draw").advice("`peso run` makes them").into());
    }
    let curves = match arguments.figure {
        Figure::Loss | Figure::Penalty | Figure::PullRatio | Figure::All => curves(&project, &runs_dir)?,
        _ => Vec::new(),
    };
    let mut charts = charts(arguments, (&results, &runs_dir), &curves, project.is_synthetic());
    charts.extend(moved::charts(arguments, &project, (&results, &runs_dir))?);
    let style = style(arguments);
    for (path, chart) in destinations(&arguments.to, &charts)? {
        plot::export(chart, &path, &style)?;
        say(&format!("Wrote {}", path.display()));
    }
    Ok(Ended::Done)
}

fn style(arguments: &Arguments) -> Style {
    let theme = match arguments.theme {
        Theme::Light => plot::Theme::Light,
        Theme::Dark => plot::Theme::Dark,
    };
    let usual = Style::default();
    Style { theme, dpi: arguments.dpi.unwrap_or(usual.dpi), ..usual }
}

/// The figures that were asked for, each with its name in file names.
fn charts(
    arguments: &Arguments,
    (results, runs_dir): (&Results, &Path),
    curves: &[RunCurves],
    synthetic: bool,
) -> Vec<(String, Chart)> {
    let wants = |figure| arguments.figure == figure || arguments.figure == Figure::All;
    let mut charts = Vec::new();
    if wants(Figure::Comparison) {
        let options = ComparisonOptions { synthetic, ..ComparisonOptions::default() };
        charts.push(("comparison".to_owned(), comparison::over_stages(results, &arguments.metric, &options)));
    }
    if wants(Figure::Matrix) {
        let matrix = |run| matrix::matrix(run, &arguments.metric).synthetic(synthetic);
        charts.extend(results.runs.iter().map(|run| (format!("matrix-{}", run.run), matrix(run))));
    }
    if wants(Figure::Cost) {
        charts.extend(cost_charts(results, &arguments.metric, synthetic));
    }
    if wants(Figure::Parallel) {
        charts.push(("parallel".to_owned(), parallel_chart(results, runs_dir, &arguments.metric, synthetic)));
    }
    type Draw = fn(&[RunCurves]) -> Chart;
    let live: [(Figure, &str, Draw); 3] = [
        (Figure::Loss, "loss", live::loss),
        (Figure::Penalty, "penalty", live::penalty),
        (Figure::PullRatio, "pull-ratio", live::pull_ratio),
    ];
    for (figure, name, draw) in live {
        if wants(figure) {
            charts.push((name.to_owned(), draw(curves).synthetic(synthetic)));
        }
    }
    charts
}

/// The metric against every cost.
fn cost_charts(results: &Results, metric: &str, synthetic: bool) -> Vec<(String, Chart)> {
    let lines = crate::results::comparison::lines(results, &BTreeMap::new());
    let lines = with_looks(results, &lines);
    let named = [(Cost::TrainTime, "cost-time"), (Cost::Parameters, "cost-parameters"), (Cost::Memory, "cost-memory")];
    let chart = |(cost, name): (Cost, &str)| (name.to_owned(), cost::against_quality(&lines, metric, cost, synthetic));
    named.map(chart).to_vec()
}

/// The learned lines across the settings in which they differ.
fn parallel_chart(results: &Results, runs_dir: &Path, metric: &str, synthetic: bool) -> Chart {
    let folders = RunFolder::list(runs_dir);
    let lines = crate::results::comparison::lines(results, &BTreeMap::new());
    let configuration =
        |line: &Line| folders.iter().map(RunFolder::config).find(|config| line.runs.contains(&config.run));
    let learned = with_looks(results, &lines).into_iter().filter(|(line, _)| !line.counted);
    let learned = learned.filter_map(|(line, look)| Some(((line, look), configuration(line)?)));
    let (lines, configurations): (Vec<_>, Vec<_>) = learned.unzip();
    parallel::across(&lines, &differences(&configurations), &[metric.to_owned()], synthetic)
}

/// The lines with the looks that they have in other charts.
fn with_looks<'l>(results: &Results, lines: &'l [Line]) -> Vec<(&'l Line, SeriesStyle)> {
    let looks = comparison::looks(results);
    let look =
        |line: &Line| line.runs.first().and_then(|run| looks.get(run)).copied().unwrap_or(SeriesStyle::baseline(0));
    lines.iter().map(|line| (line, look(line))).collect()
}

/// Where every figure goes: one to `to` itself; several beside it, by name; into a folder in every format.
fn destinations<'a>(to: &Path, charts: &'a [(String, Chart)]) -> Result<Vec<(PathBuf, &'a Chart)>, InputError> {
    let Some(ending) = to.extension().filter(|_| !to.is_dir()) else {
        files::create_folder(to)?;
        let in_folder =
            |(name, chart): &'a (String, Chart)| ENDINGS.map(|ending| (to.join(format!("{name}.{ending}")), chart));
        return Ok(charts.iter().flat_map(in_folder).collect());
    };
    if let [(_, chart)] = charts {
        return Ok(vec![(to.to_path_buf(), chart)]);
    }
    let stem = to.file_stem().unwrap_or_default().to_string_lossy();
    let ending = ending.to_string_lossy();
    let beside = |(name, chart): &'a (String, Chart)| (to.with_file_name(format!("{stem}-{name}.{ending}")), chart);
    Ok(charts.iter().map(beside).collect())
}

/// The training curves of the project's learned runs; every experiment keeps its colour over its seeds.
fn curves(project: &Project, runs_dir: &Path) -> Result<Vec<RunCurves>, InputError> {
    let runs = RunFolder::list(runs_dir);
    let mut experiments: Vec<&str> = Vec::new();
    let mut curves = Vec::new();
    for run in &runs {
        let config = run.config();
        if !config.method.is_learned() || !config.belongs_to(project) {
            continue;
        }
        let slot = experiments.iter().position(|name| *name == config.experiment).unwrap_or_else(|| {
            experiments.push(&config.experiment);
            experiments.len() - 1
        });
        let steps = run.reader()?.steps_after(0)?;
        let trained = steps.into_iter().map(|(_, step)| step).filter(|step| step.phase == Phase::Train);
        let points = (1..).zip(trained).map(|(number, step)| CurvePoint {
            step: number,
            stage: step.stage,
            loss: step.loss,
            penalty: step.penalty,
            pull_ratio: step.pull_ratio,
        });
        let name = format!("{}, seed {}", config.experiment, config.seed);
        curves.push(RunCurves { name, slot, points: points.collect() });
    }
    Ok(curves)
}
