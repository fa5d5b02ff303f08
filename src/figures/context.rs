//! What figures are made of: a project's runs and what is measured on them, each read once, when a figure asks for it.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::adapters::{AdapterRun, leading_module};
use super::curves::{CurvePoint, RunCurves};
use super::styles::{Styled, curve_styles, run_styles};
use crate::analysis::subspace_report::{ModuleReport, SubspaceReport, subspace_report};
use crate::data::{DataDrift, Dataset};
use crate::error::InputError;
use crate::id_training::words;
use crate::measure::UserMetric;
use crate::plot::SeriesStyle;
use crate::project::Project;
use crate::project::board::FigureOptions;
use crate::results::churn::{ChurnReport, churn};
use crate::results::comparison::{ComparisonLine, Judged, judge, lines};
use crate::results::seeds::{SeedBasis, SeedChoice};
use crate::results::{Results, RunResult, ShownRuns};
use crate::run::observer::Phase;
use crate::run::{RunConfig, RunFolder};

/// A project with its runs, as figures read it.
#[derive(Debug)]
pub struct FigureContext<'p> {
    pub results: Results,
    project: &'p Project,
    seeds: SeedChoice,
    compared: OnceCell<(Results, SeedBasis)>,
    runs_dir: PathBuf,
    folders: OnceCell<Vec<RunFolder>>,
    runs: OnceCell<Vec<FigureRun>>,
    lines: OnceCell<Vec<ComparisonLine>>,
    curves: OnceCell<Vec<RunCurves>>,
    data_drift: OnceCell<DataDrift>,
    problems: RefCell<Vec<InputError>>,
}

/// A run of the results.
#[derive(Debug)]
pub struct FigureRun {
    pub folder: RunFolder,
    /// The style of its line in every chart.
    pub style: SeriesStyle,
    /// `PESO`; with the seed where other runs have the same experiment.
    pub name: String,
    adapters: OnceCell<Option<SubspaceReport>>,
    churn: OnceCell<ChurnReport>,
}

impl FigureRun {
    /// The run's id.
    pub fn id(&self) -> &str {
        &self.folder.config().run
    }
}

impl<'p> FigureContext<'p> {
    /// The runs in `runs_dir`, of which `results` are; comparisons are over the seeds that `seeds` says.
    pub fn new(project: &'p Project, runs_dir: &Path, results: Results, seeds: SeedChoice) -> Self {
        Self {
            results,
            project,
            seeds,
            compared: OnceCell::new(),
            runs_dir: runs_dir.to_path_buf(),
            folders: OnceCell::new(),
            runs: OnceCell::new(),
            lines: OnceCell::new(),
            curves: OnceCell::new(),
            data_drift: OnceCell::new(),
            problems: RefCell::default(),
        }
    }

    /// What the runs are of.
    pub const fn project(&self) -> &Project {
        self.project
    }

    /// The results as comparisons have them, over the seeds that lines share, and what seeds these are.
    pub fn compared(&self) -> (&Results, &SeedBasis) {
        let (results, basis) = self.compared.get_or_init(|| self.results.clone().over_seeds(self.project, self.seeds));
        (results, basis)
    }

    /// Whether the project's data are generated.
    pub fn is_synthetic(&self) -> bool {
        self.project.is_synthetic()
    }

    /// Why some runs are left out of figures, as far as they were read.
    pub fn problems(&self) -> Vec<InputError> {
        self.problems.borrow().clone()
    }

    /// The runs of the results, or those that `options` name.
    ///
    /// # Errors
    /// [`InputError`] where no run is of that name.
    pub fn runs(&self, options: &FigureOptions) -> Result<Vec<&FigureRun>, InputError> {
        let all = self.runs.get_or_init(|| self.read_runs());
        let Some(name) = &options.run else { return Ok(all.iter().collect()) };
        let named = |run: &&FigureRun| run.id() == name || run.folder.config().experiment == *name;
        let runs: Vec<&FigureRun> = all.iter().filter(named).collect();
        if runs.is_empty() {
            return Err(InputError::new(&self.runs_dir, format!("there is no run \"{name}\""))
                .advice("name a run's folder or an experiment; `peso status` lists both"));
        }
        Ok(runs)
    }

    fn read_runs(&self) -> Vec<FigureRun> {
        let styles = run_styles(self.project, &self.results);
        let run = |folder: &RunFolder| {
            let config = folder.config();
            let style = *styles.get(&config.run)?;
            let same = self.results.runs.iter().filter(|run| run.experiment == config.experiment).count();
            let name = if config.method.is_learned() && same > 1 {
                format!("{}, seed {}", config.experiment, config.seed)
            } else {
                config.experiment.clone()
            };
            let (adapters, churn) = (OnceCell::new(), OnceCell::new());
            Some(FigureRun { folder: folder.clone(), style, name, adapters, churn })
        };
        self.folders().iter().filter_map(run).collect()
    }

    fn folders(&self) -> &[RunFolder] {
        self.folders.get_or_init(|| ShownRuns::read(&self.runs_dir).folders)
    }

    /// The results of a run.
    pub fn result(&self, run: &FigureRun) -> Option<&RunResult> {
        self.results.runs.iter().find(|result| result.run == run.id())
    }

    /// The lines of a comparison of the finished runs, in the styles that they have in every chart.
    pub fn lines(&self) -> Vec<Styled<'_, ComparisonLine>> {
        let styles = run_styles(self.project, &self.results);
        let lines = self.lines.get_or_init(|| lines(self.compared().0, &BTreeMap::new()));
        let style = |line: &ComparisonLine| line.runs.first().and_then(|run| styles.get(run)).copied();
        let styled = |item| Styled { item, style: style(item).unwrap_or(SeriesStyle::baseline(0)) };
        lines.iter().map(styled).collect()
    }

    /// What can be said of each of the [`lines`](Self::lines) against the one at `baseline`.
    ///
    /// # Errors
    /// [`InputError`] where the metric is not one of single users, or the baseline's runs cannot be read.
    pub fn judged(&self, metric: &str, baseline: usize) -> Result<Vec<Judged>, InputError> {
        let metric: UserMetric = metric.parse().map_err(|_| {
            InputError::new(
                &self.runs_dir,
                format!("{metric} is not a metric of single users, so that no test pairs them"),
            )
            .advice("choose Hit or NDCG")
        })?;
        let lines: Vec<(String, Vec<String>)> =
            self.lines().iter().map(|line| (line.item.name.clone(), line.item.runs.clone())).collect();
        judge(&self.runs_dir, &lines, baseline, metric, self.results.protocol)
    }

    /// What the runs of a line were run with; none where none of them is there any more.
    pub fn configuration(&self, line: &ComparisonLine) -> Option<&RunConfig> {
        self.folders().iter().map(RunFolder::config).find(|config| line.runs.contains(&config.run))
    }

    /// The training curves of the project's learned runs; every experiment keeps its colour over its seeds.
    ///
    /// # Errors
    /// [`InputError`] where a run cannot be read.
    pub fn curves(&self) -> Result<&[RunCurves], InputError> {
        once(&self.curves, || self.read_curves()).map(Vec::as_slice)
    }

    fn read_curves(&self) -> Result<Vec<RunCurves>, InputError> {
        let styles = curve_styles(self.project, &self.results);
        let mut curves = Vec::new();
        for run in self.folders() {
            let config = run.config();
            if !config.method.is_learned() || !config.belongs_to(self.project) {
                continue;
            }
            let Some(&style) = styles.get(&config.run) else { continue };
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
            curves.push(RunCurves { name, style, points: points.collect() });
        }
        Ok(curves)
    }

    /// The drift of the project's data.
    ///
    /// # Errors
    /// [`InputError`] where the dataset cannot be read.
    pub fn data_drift(&self) -> Result<&DataDrift, InputError> {
        once(&self.data_drift, || {
            let project = self.project;
            let dataset = Dataset::load(&project.dataset, project.index_path().as_deref(), &project.folder)?;
            Ok(words::data_drift(&dataset))
        })
    }

    /// How far each stage of a run moves its predictions.
    ///
    /// # Errors
    /// [`InputError`] where the run cannot be read.
    pub fn churn<'r>(&self, run: &'r FigureRun) -> Result<&'r ChurnReport, InputError> {
        let metric = UserMetric::default();
        once(&run.churn, || churn(&run.folder, self.results.protocol, metric))
    }

    /// What moved in a run's adapters; none where it has none yet, or they cannot be read: then the other runs are drawn, and
    /// [`problems`](Self::problems) says why.
    pub fn adapters<'r>(&self, run: &'r FigureRun) -> Option<AdapterRun<'r>> {
        let read = || {
            run.folder.config().method.adapter_method()?;
            let report = subspace_report(&run.folder, &AtomicBool::new(false));
            report.unwrap_or_else(|error| {
                self.problems.borrow_mut().push(error);
                None
            })
        };
        let report = run.adapters.get_or_init(read).as_ref()?;
        Some(AdapterRun { report, name: &run.name, style: run.style })
    }

    /// The module of a run's adapters that `options` name by the end of its name, else the [leading one](leading_module).
    ///
    /// # Errors
    /// [`InputError`] where there is no such module.
    pub fn module<'r>(
        &self,
        run: &FigureRun,
        report: &'r SubspaceReport,
        options: &FigureOptions,
    ) -> Result<&'r ModuleReport, InputError> {
        let found = match &options.module {
            Some(name) => report.modules.iter().find(|module| module.name.ends_with(name.as_str())),
            None => leading_module(report),
        };
        found.ok_or_else(|| {
            let names: Vec<&str> = report.modules.iter().map(|module| module.name.as_str()).collect();
            let wanted = options.module.as_deref().unwrap_or_default();
            InputError::new(run.folder.path(), format!("the adapter has no module \"{wanted}\""))
                .advice(format!("it has {}", names.join(", ")))
        })
    }
}

/// What is in `cell`, read where it is not there yet.
fn once<T>(cell: &OnceCell<T>, read: impl FnOnce() -> Result<T, InputError>) -> Result<&T, InputError> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let found = read()?;
    Ok(cell.get_or_init(|| found))
}
