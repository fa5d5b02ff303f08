//! `peso export`: figures as files.

use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use super::outcome::{Ended, say, say_archived, warn};
use super::words;
use crate::error::InputError;
use crate::figures::words::{shown_key, usual_metric};
use crate::figures::{self, FIGURES, FigureContext, FigureOption, FigureOptions, FigureSpec, Make, NamedChart};
use crate::files;
use crate::measure::{Slice, UserMetric};
use crate::plot::{self, Chart, Style};
use crate::project::Project;
use crate::results::Results;
use crate::results::alarm::{USUAL_CONFIDENCE, USUAL_REFERENCE};
use crate::results::certificate::USUAL_CLAIM;
use crate::results::seeds::SeedChoice;
use crate::results::tensorboard::write_events;
use crate::run::RunFolder;

/// Write figures as PNG, SVG, PDF, CSV or LaTeX, or runs as TensorBoard reads them
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// Which figure
    #[arg(long, value_parser = figure_parser())]
    figure: Wanted,
    /// File to write (.png, .svg, .pdf, .csv, .tex); several figures get their names before the ending, and a folder
    /// gets every format. Event files: a folder
    #[arg(long, value_name = "PATH")]
    to: PathBuf,
    /// This run alone, by its id or its experiment, of figures that are one a run
    #[arg(long, value_name = "NAME")]
    run: Option<String>,
    #[arg(long, value_name = "NAME", help = module_help())]
    module: Option<String>,
    #[arg(long, value_name = "T", help = stage_help())]
    stage: Option<usize>,
    #[arg(long, value_name = "NAME", help = user_help())]
    user: Option<String>,
    #[arg(long, value_name = "ITEM", help = history_help())]
    history: Vec<String>,
    /// Lists for this history of items alone that the last N stages up to the stage brought, as `peso recommend` was asked
    #[arg(long, value_name = "N", requires = "history", value_parser = words::stages)]
    new_items: Option<usize>,
    #[arg(long, value_name = "N", help = direction_help())]
    direction: Option<usize>,
    #[arg(long, value_name = "NAME", help = baseline_help())]
    baseline: Option<String>,
    #[arg(long, value_name = "NAME", help = method_help())]
    method: Option<String>,
    /// Path of the swept option across a map of regimes, as `dataset.drift`; the first one of the sweeps where none is given
    #[arg(long, value_name = "OPTION")]
    x: Option<String>,
    /// Path of the swept option down a map of regimes
    #[arg(long, value_name = "OPTION")]
    y: Option<String>,
    /// Value at which a map of regimes holds a further swept option, which it else averages over (may be given several times)
    #[arg(long, value_name = "OPTION=VALUE", value_parser = held)]
    at: Vec<(String, String)>,
    #[arg(long, value_name = "METRIC", help = metric_help())]
    metric: Option<String>,
    #[arg(long, value_name = "NAME", help = slice_help())]
    slice: Option<Slice>,
    #[arg(long, value_name = "GROUPING", help = group_help())]
    group: Option<String>,
    #[arg(long, value_name = "ALPHA", value_parser = words::loss, allow_negative_numbers = true, help = loss_help())]
    loss: Option<f64>,
    #[arg(long, value_name = "SHARE", value_parser = words::share, help = confidence_help())]
    confidence: Option<f64>,
    #[arg(long, value_name = "T", value_parser = words::stage, help = reference_help())]
    reference: Option<usize>,
    /// Each line over its own seeds, instead of all over those that they share
    #[arg(long)]
    all_seeds: bool,
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

/// What is meant.
#[derive(Debug, Clone)]
enum Wanted {
    /// One figure, or all.
    Figures(Vec<&'static FigureSpec>),
    /// The event file of every run, in a folder each.
    Events,
}

/// Name of what is no figure.
const EVENTS: &str = "events";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Theme {
    Light,
    Dark,
}

/// What a folder gets of every figure.
pub(super) const ENDINGS: [&str; 5] = ["png", "svg", "pdf", "csv", "tex"];

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    let runs_dir = project.runs_dir(arguments.out.as_deref());
    let figures = match &arguments.figure {
        Wanted::Figures(figures) => figures,
        Wanted::Events => return arguments.events(&project, &runs_dir),
    };
    let (results, unusable) = Results::read(&project, &runs_dir, project.evaluation.protocol.first());
    warn(&unusable);
    say_archived(&runs_dir);
    let of_runs = |figure: &&'static FigureSpec| !matches!(figure.make, Make::Data(_));
    if results.runs.is_empty() && figures.iter().any(of_runs) {
        return Err(InputError::new(runs_dir, "there are no runs to draw").advice("`peso run` makes them").into());
    }
    let context = FigureContext::new(&project, &runs_dir, results.side_by_side(), SeedChoice::of(arguments.all_seeds));
    let charts = arguments.charts(&context, figures);
    warn(&context.problems());
    let charts = charts?;
    if charts.is_empty() {
        let advice = "`peso retention RUN` measures retention, and `peso semantic-ids PROJECT --modalities` compares sources of ids; adapters are there once a stage is trained";
        return Err(InputError::new(runs_dir, "no run has what this figure shows").advice(advice).into());
    }
    let style = arguments.style();
    for (path, chart) in destinations(&arguments.to, &charts)? {
        plot::export(chart, &path, &style)?;
        say(&format!("Wrote {}", path.display()));
    }
    let names: Vec<&str> = charts.iter().flat_map(|named| named.chart.names()).collect();
    if let Some(missing) = plot::missing_letters(&names) {
        say(&format!("warning: {missing}"));
    }
    Ok(Ended::Done)
}

impl Arguments {
    /// Writes the runs of the project, or those that are named, as TensorBoard reads them.
    fn events(&self, project: &Project, runs_dir: &Path) -> anyhow::Result<Ended> {
        let mut runs = RunFolder::list(runs_dir);
        runs.retain(|run| {
            let config = run.config();
            let named = |name: &String| *name == config.run || *name == config.experiment;
            config.belongs_to(project) && self.run.as_ref().is_none_or(named)
        });
        if runs.is_empty() {
            return Err(InputError::new(runs_dir, "there is no such run")
                .advice("`peso status` lists the runs")
                .into());
        }
        for run in &runs {
            let written = write_events(run, &self.to.join(&run.config().run))?;
            say(&format!("Wrote {}", written.display()));
        }
        Ok(Ended::Done)
    }

    fn charts(
        &self,
        context: &FigureContext<'_>,
        figures: &[&'static FigureSpec],
    ) -> Result<Vec<NamedChart>, InputError> {
        let stages = context.results.runs.iter().flat_map(|run| &run.stages);
        let measured = stages.flat_map(|stage| stage.metrics.keys()).map(String::as_str);
        let metric = match self.metric.as_deref().map(|metric| (metric, metric.parse::<UserMetric>())) {
            None => usual_metric(measured.clone()),
            Some((_, Ok(metric))) => shown_key(metric, |key| measured.clone().any(|measured| measured == key)),
            Some((other, Err(_))) => other.to_owned(),
        };
        let options = FigureOptions {
            metric,
            module: self.module.clone(),
            baseline: self.baseline.clone(),
            method: self.method.clone(),
            x: self.x.clone(),
            y: self.y.clone(),
            at: self.at.iter().cloned().collect(),
            stage: self.stage,
            run: self.run.clone(),
            user: self.user.clone(),
            history: self.history.clone(),
            new_items: self.new_items,
            direction: self.direction,
            slice: self.slice,
            grouping: self.group.clone(),
            loss: self.loss,
            confidence: self.confidence,
            reference: self.reference,
            // Among other figures of adapters they are read anyway.
            adapter_moves: figures.len() > 1,
            ..FigureOptions::default()
        };
        let (mut charts, mut left_out) = (Vec::new(), Vec::new());
        for figure in figures {
            match figure.make(context, &options) {
                Ok(made) => {
                    for named in made {
                        match named.chart.body.missing() {
                            None => charts.push(named),
                            Some(missing) => {
                                let is_measured = measured.clone().any(|measured| measured == options.metric);
                                let metric = (!is_measured).then_some(options.metric.as_str());
                                left_out.push(empty(context, &named, missing, metric));
                            }
                        }
                    }
                }
                Err(error) => left_out.push(error),
            }
        }
        // One that was asked for by name is an error; among all of them it is told, and the others are written.
        match left_out.pop() {
            Some(error) if charts.is_empty() => Err(error),
            last => {
                left_out.extend(last);
                warn(&left_out);
                Ok(charts)
            }
        }
    }

    fn style(&self) -> Style {
        let theme = match self.theme {
            Theme::Light => plot::Theme::Light,
            Theme::Dark => plot::Theme::Dark,
        };
        let usual = Style::default();
        Style { theme, dpi: self.dpi.unwrap_or(usual.dpi), ..usual }
    }
}

/// The error for a figure that would show nothing; `metric` is one that nothing measured.
fn empty(context: &FigureContext<'_>, named: &NamedChart, missing: &str, metric: Option<&str>) -> InputError {
    let problem = format!("{} would show nothing: {missing}", named.name);
    let error = InputError::new(&context.project().folder, problem);
    match metric {
        Some(metric) => {
            error.advice(format!("{metric} was not measured; `--metric` takes another, which `peso results` lists"))
        }
        None => error,
    }
}

/// Takes the name of a figure, `events` or `all`.
fn figure_parser() -> impl TypedValueParser<Value = Wanted> {
    let named =
        |spec: &&FigureSpec| PossibleValue::new(spec.name).aliases(spec.aliases.iter().copied()).help(spec.summary);
    let all =
        PossibleValue::new("all").help("All of them but those that are of one user or direction, or pictures in space");
    let events = PossibleValue::new(EVENTS).help("Losses, metrics and settings of runs, for TensorBoard");
    PossibleValuesParser::new(FIGURES.iter().map(named).chain([events, all])).map(|name| match figures::find(&name) {
        Some(figure) => Wanted::Figures(vec![figure]),
        None if name == EVENTS => Wanted::Events,
        None => Wanted::Figures(FIGURES.iter().copied().filter(|spec| !spec.alone).collect()),
    })
}

fn module_help() -> String {
    format!(
        "Module of {}, as `layers.0.mlp.down_proj` (files count layers from 0); where none is given, the one with the largest update \
         of those that write into the stream between layers",
        names_with(FigureOption::Module)
    )
}

fn baseline_help() -> String {
    format!(
        "Line that the others are held against, of {}; the method without any pull where none is given",
        names_with(FigureOption::Baseline)
    )
}

fn method_help() -> String {
    format!("Experiment whose gain is shown, of {}; PESO where none is given", names_with(FigureOption::Regime))
}

/// `dataset.seed=8` as an option and its value.
fn held(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').filter(|(option, value)| !option.is_empty() && !value.is_empty());
    let (option, value) = parts.ok_or("expected an option and its value, as dataset.seed=8")?;
    Ok((option.to_owned(), value.to_owned()))
}

fn user_help() -> String {
    format!("User of {}, by the name that the data have", names_with(FigureOption::User))
}

fn history_help() -> String {
    format!("Id of an item of the history of {}; once for each item, oldest first", names_with(FigureOption::History))
}

fn direction_help() -> String {
    format!("Direction of {}, from 1; the strongest where none is given", names_with(FigureOption::Direction))
}

fn stage_help() -> String {
    format!("This stage alone, from 2, of {}; all together where none is given", names_with(FigureOption::Stage))
}

fn metric_help() -> String {
    format!(
        "Metric of {}; tie-corrected NDCG@10, or NDCG of the longest lists where these are shorter, where none is given",
        names_with(FigureOption::Metric)
    )
}

fn slice_help() -> String {
    format!("Slice of users or targets that {} is of; all where none is given", names_with(FigureOption::Slice))
}

fn group_help() -> String {
    format!(
        "What users are grouped by, of {}: activity, tenure, taste, or a table and its column as users.csv:gender, from the project's \
         folder; activity where nothing is given",
        names_with(FigureOption::Grouping)
    )
}

fn loss_help() -> String {
    format!(
        "What users may lose at most, of {}: {} where nothing is given",
        names_with(FigureOption::Loss),
        USUAL_CLAIM.loss
    )
}

fn confidence_help() -> String {
    format!(
        "Confidence of {}: {} and {USUAL_CONFIDENCE} where none is given",
        names_with(FigureOption::Confidence),
        USUAL_CLAIM.confidence
    )
}

fn reference_help() -> String {
    format!(
        "Stage that later ones are held against, of {}: {USUAL_REFERENCE} where none is given",
        names_with(FigureOption::Reference)
    )
}

/// `river, spectra and angles`: the figures that take an option.
fn names_with(option: FigureOption) -> String {
    let mut names: Vec<&str> =
        FIGURES.iter().filter(|spec| spec.options.contains(&option)).map(|spec| spec.name).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last.to_owned() } else { format!("{} and {last}", names.join(", ")) }
}

/// Where every figure goes: one to `to` itself; several beside it, by name; into a folder in every format.
fn destinations<'a>(to: &Path, charts: &'a [NamedChart]) -> Result<Vec<(PathBuf, &'a Chart)>, InputError> {
    let Some(ending) = to.extension().filter(|_| !to.is_dir()) else {
        files::create_folder(to)?;
        let in_folder = |NamedChart { name, chart }: &'a NamedChart| {
            ENDINGS.map(|ending| (to.join(format!("{name}.{ending}")), chart))
        };
        return Ok(charts.iter().flat_map(in_folder).collect());
    };
    if let [only] = charts {
        return Ok(vec![(to.to_path_buf(), &only.chart)]);
    }
    let stem = to.file_stem().unwrap_or_default().to_string_lossy();
    let ending = ending.to_string_lossy();
    let beside =
        |NamedChart { name, chart }: &'a NamedChart| (to.with_file_name(format!("{stem}-{name}.{ending}")), chart);
    Ok(charts.iter().map(beside).collect())
}
