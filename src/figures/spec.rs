//! What a figure says of itself, and how it is made.

use super::context::{FigureContext, FigureRun};
use super::curves::RunCurves;
use super::measures::defined;
use super::options::FigureOption;
use super::provenance::Provenance as _;
use crate::error::InputError;
use crate::plot::Chart;
use crate::project::board::FigureOptions;

/// A figure: its names, its words, and the way from runs to charts.
#[derive(Debug)]
pub struct FigureSpec {
    /// As after `--figure`, and as file names begin: `drift-map`.
    pub name: &'static str,
    /// Other names that `--figure` takes.
    pub aliases: &'static [&'static str],
    /// On a tab of the window: `Drift map`.
    pub label: &'static str,
    /// What it is called in full; charts have it as their title as far as their data do not say more.
    pub title: &'static str,
    /// What it shows, in a line of help.
    pub summary: &'static str,
    /// What it shows, for a person who points at its tab.
    pub tooltip: &'static str,
    /// Which of the [`FigureOptions`] it takes, beside the choice of a run that every figure of runs takes.
    pub options: &'static [FigureOption],
    /// Whether it is written only where it is asked for by its name: it is of one thing that somebody chooses, or it takes a graphics
    /// device.
    pub alone: bool,
    pub make: Make,
}

/// How many charts a figure is, and how one is made.
#[derive(Debug, Clone, Copy)]
pub enum Make {
    /// As many as it names, of all runs together.
    Project(fn(&FigureContext<'_>, &FigureOptions) -> Result<Vec<NamedChart>, InputError>),
    /// As many as it names, of the data alone: runs change nothing of it.
    Data(fn(&FigureContext<'_>) -> Result<Vec<NamedChart>, InputError>),
    /// One of the training curves of all runs; the window draws it while they train.
    Curves(fn(&[RunCurves]) -> Chart),
    /// One a run; none where the run does not have what it shows.
    Run(fn(&FigureContext<'_>, &FigureRun, &FigureOptions) -> Result<Option<Chart>, InputError>),
    /// One a stage of a run, from 1; none where the stage does not have what it shows.
    Stage(OfStage),
}

/// Makes the chart of a stage (from 1) of a run.
pub type OfStage = fn(&FigureContext<'_>, &FigureRun, usize, &FigureOptions) -> Result<Option<Chart>, InputError>;

/// A chart with its name among files.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedChart {
    pub name: String,
    pub chart: Chart,
}

impl NamedChart {
    pub fn new(name: impl Into<String>, chart: Chart) -> Self {
        Self { name: name.into(), chart }
    }
}

impl FigureSpec {
    /// Its charts with the definitions of what they show, each with a name that begins with the figure's: `matrix-peso-s1`.
    ///
    /// # Errors
    /// [`InputError`] where no run is of the name that `options` give, the module is not there, or a run's folder or the dataset
    /// cannot be read.
    pub fn make(&self, context: &FigureContext<'_>, options: &FigureOptions) -> Result<Vec<NamedChart>, InputError> {
        let name = self.name;
        let mut charts = Vec::new();
        match self.make {
            Make::Project(make) => charts = make(context, options)?,
            Make::Data(make) => charts = make(context)?,
            Make::Curves(draw) => {
                let chart = draw(&context.curves(options)?).synthetic(context.is_synthetic());
                charts.push(NamedChart::new(name, chart));
            }
            Make::Run(make) => {
                for run in context.runs(options)? {
                    let chart = make(context, run, options)?.map(|chart| of_run(chart, run));
                    charts.extend(chart.map(|chart| NamedChart::new(format!("{name}-{}", run.id()), chart)));
                }
            }
            Make::Stage(make) => {
                for run in context.runs(options)? {
                    let asked = |stage: &usize| options.stage.is_none_or(|asked| asked == *stage);
                    for stage in (1..=run.folder.config().stages).filter(asked) {
                        let named = |chart| NamedChart::new(format!("{name}-{}-stage-{stage}", run.id()), chart);
                        let chart = make(context, run, stage, options)?.map(|chart| of_run(chart, run));
                        charts.extend(chart.map(|chart| chart.of("stage", stage.to_string())).map(named));
                    }
                }
            }
        }
        charts.retain(|chart| options.chart.as_ref().is_none_or(|asked| *asked == chart.name));
        Ok(charts.into_iter().map(|NamedChart { name, chart }| NamedChart { name, chart: defined(chart) }).collect())
    }
}

/// The chart with the run that it is of.
pub(super) fn of_run(chart: Chart, run: &FigureRun) -> Chart {
    let config = run.folder.config();
    let chart = chart.of("run", config.run.clone()).of("experiment", config.experiment.clone());
    if config.method.is_learned() { chart.of("seed", config.seed.to_string()) } else { chart }
}
