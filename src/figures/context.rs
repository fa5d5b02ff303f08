//! What figures are made of: a project's runs and what is measured on them, each read once, when a figure asks for it.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::adapters::{AdapterRun, AdapterStage, leading_module};
use super::curves::{CurvePoint, RunCurves};
use super::styles::{Styled, curve_styles, run_styles};
use crate::analysis::subspace_report::{ModuleReport, SubspaceReport, subspace_report};
use crate::data::bundle::DataBundle;
use crate::data::formats::ImportError;
use crate::data::prepare::PrepareReport;
use crate::data::{DataDrift, Dataset, Grouping, Loaded, UserGroups};
use crate::error::InputError;
use crate::id_training::words;
use crate::measure::UserMetric;
use crate::measure::statistics::Claim;
use crate::plot::SeriesStyle;
use crate::project::Project;
use crate::project::board::FigureOptions;
use crate::results::alarm::{AlarmSettings, DriftAlarm};
use crate::results::certificate::{Certificate, CertificateRequest, USUAL_CLAIM};
use crate::results::churn::{ChurnReport, StageTests, churn, stage_tests};
use crate::results::comparison::{ComparisonLine, Judged, judge, lines};
use crate::results::decision::Decision;
use crate::results::fairness::{Fairness, fairness};
use crate::results::seeds::{SeedBasis, SeedChoice};
use crate::results::slices::{Sliced, sliced_runs};
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
    data: OnceCell<Loaded>,
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

    /// Whether a name is its id or its experiment's.
    fn is_called(&self, name: &str) -> bool {
        self.id() == name || self.folder.config().experiment == name
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
            data: OnceCell::new(),
            data_drift: OnceCell::new(),
            problems: RefCell::default(),
        }
    }

    /// What the runs are of.
    pub const fn project(&self) -> &Project {
        self.project
    }

    /// The folder of the runs.
    pub fn runs_dir(&self) -> &Path {
        &self.runs_dir
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
        let chosen = |run: &&FigureRun| options.runs.is_empty() || options.runs.contains(run.id());
        let Some(name) = &options.run else { return Ok(all.iter().filter(chosen).collect()) };
        let runs: Vec<&FigureRun> = all.iter().filter(|run| run.is_called(name)).collect();
        if runs.is_empty() {
            return Err(InputError::new(&self.runs_dir, format!("there is no run \"{name}\""))
                .advice("name a run's folder or an experiment; `peso status` lists both"));
        }
        Ok(runs)
    }

    /// The run that `options` put beside the first; none where it is not there.
    pub fn beside(&self, options: &FigureOptions) -> Option<&FigureRun> {
        let name = options.beside.as_ref()?;
        self.runs.get_or_init(|| self.read_runs()).iter().find(|run| run.is_called(name))
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

    /// In the order of the project's experiments, as the window has them; what it does not ask for comes last.
    fn folders(&self) -> &[RunFolder] {
        self.folders.get_or_init(|| {
            let mut folders = ShownRuns::read(&self.runs_dir).folders;
            // Of sweeps that cannot be used no point is run either.
            let variants = self.project.variants().unwrap_or_default();
            let names: Vec<&str> = variants.iter().map(|variant| variant.experiment.name.as_str()).collect();
            let place = |name: &str| names.iter().position(|known| *known == name).unwrap_or(names.len());
            folders.sort_by_cached_key(|folder| (place(&folder.config().experiment), folder.config().seed));
            folders
        })
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
        let metric = self.user_metric(metric)?;
        judge(&self.runs_dir, &self.names_and_runs(), baseline, metric, self.results.protocol)
    }

    fn user_metric(&self, metric: &str) -> Result<UserMetric, InputError> {
        metric.parse().map_err(|_| {
            InputError::new(
                &self.runs_dir,
                format!("{metric} is not a metric of single users, so that no test pairs them"),
            )
            .advice("choose Hit or NDCG")
        })
    }

    /// The lines by name, each with the ids of its runs.
    fn names_and_runs(&self) -> Vec<(String, Vec<String>)> {
        self.lines().iter().map(|line| (line.item.name.clone(), line.item.runs.clone())).collect()
    }

    /// What the project's gates say of every method against the line of a name.
    ///
    /// # Errors
    /// As [`Decision::of_project`].
    pub fn decision(&self, baseline: &str) -> Result<Decision, InputError> {
        Decision::of_project(self.project, &self.runs_dir, self.results.protocol, baseline)
    }

    /// Which values of lambda keep the loss that `options` allow.
    ///
    /// # Errors
    /// As [`Certificate::of_project`].
    pub fn certificate(&self, options: &FigureOptions) -> Result<Certificate, InputError> {
        let request = CertificateRequest {
            slice: options.slice,
            claim: Claim {
                loss: options.loss.unwrap_or(USUAL_CLAIM.loss),
                confidence: options.confidence.unwrap_or(USUAL_CLAIM.confidence),
            },
            metric: self.user_metric(&options.metric)?,
            protocol: self.results.protocol,
            baseline: options.baseline.clone(),
            experiment: options.run.clone(),
        };
        Ok(Certificate::of_project(self.project, &self.runs_dir, &request)?)
    }

    /// Since when the model of stage 1 of a run serves users worse.
    ///
    /// # Errors
    /// As [`DriftAlarm::of_run`], or the dataset cannot be read.
    pub fn alarm(&self, run: &FigureRun, options: &FigureOptions) -> Result<DriftAlarm, InputError> {
        let usual = AlarmSettings::default();
        let settings = AlarmSettings {
            confidence: options.confidence.unwrap_or(usual.confidence),
            reference: options.reference.unwrap_or(usual.reference),
        };
        DriftAlarm::of_run(&run.folder, self.results.protocol, self.dataset()?, settings)
    }

    /// What the runs of a line were run with; none where none of them is there any more.
    pub fn configuration(&self, line: &ComparisonLine) -> Option<&RunConfig> {
        self.folders().iter().map(RunFolder::config).find(|config| line.runs.contains(&config.run))
    }

    /// The training curves of the project's learned runs, or of those that `options` name; every experiment keeps its colour over
    /// its seeds.
    ///
    /// # Errors
    /// [`InputError`] where a run cannot be read.
    pub fn curves(&self, options: &FigureOptions) -> Result<Cow<'_, [RunCurves]>, InputError> {
        let all = once(&self.curves, || self.read_curves())?;
        if options.runs.is_empty() {
            return Ok(Cow::Borrowed(all));
        }
        Ok(Cow::Owned(all.iter().filter(|curves| options.runs.contains(&curves.run)).cloned().collect()))
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
            curves.push(RunCurves { run: run.config().run.clone(), name, style, points: points.collect() });
        }
        Ok(curves)
    }

    /// The drift of the project's data.
    ///
    /// # Errors
    /// [`InputError`] where the dataset cannot be read.
    pub fn data_drift(&self) -> Result<&DataDrift, InputError> {
        once(&self.data_drift, || match self.project.read_only {
            true => Ok(DataBundle::read(&self.project.folder)?.drift),
            false => Ok(words::data_drift(self.dataset()?)),
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

    /// The stages of a run's adapters that `options` ask for: one beside the same of another run or beside another stage, one alone,
    /// else all. None where the run has no adapters.
    pub fn adapter_stages<'r>(&'r self, run: &'r FigureRun, options: &FigureOptions) -> Vec<AdapterStage<'r>> {
        let Some(one) = self.adapters(run) else { return Vec::new() };
        let stage = options.stage.or(one.report.stages.last().copied()).unwrap_or(1);
        let second = self.beside(options).and_then(|second| self.adapters(second));
        match (second, options.beside_stage) {
            (Some(second), _) => vec![one.at(stage), second.at(stage)],
            (None, Some(other)) => vec![one.at(stage), one.at(other)],
            (None, None) if options.stage.is_some() => vec![one.at(stage)],
            (None, None) => one.stages(),
        }
    }

    /// The dataset of the project.
    ///
    /// # Errors
    /// [`InputError`] where it cannot be read.
    pub fn dataset(&self) -> Result<&Dataset, InputError> {
        Ok(&self.data()?.dataset)
    }

    /// What became of imported interactions on the way into stages; none of data that come in stages.
    ///
    /// # Errors
    /// [`InputError`] where the dataset cannot be read.
    pub fn prepared(&self) -> Result<Option<&PrepareReport>, InputError> {
        Ok(self.data()?.import.as_ref().map(|(_, prepared)| prepared))
    }

    fn data(&self) -> Result<&Loaded, InputError> {
        let project = self.project;
        once(&self.data, || {
            if project.read_only {
                let dataset = DataBundle::read(&project.folder)?.dataset();
                return Ok(Loaded { dataset, import: None, texts: Vec::new(), missing_ids: None });
            }
            let index = project.index_path();
            let mut on_progress = |_| ControlFlow::Continue(());
            Dataset::load_with_progress(&project.dataset, index.as_deref(), &project.folder, &mut on_progress)
                .map_err(ImportError::into_input_error)
        })
    }

    /// The lines of the comparison on slices of users and targets.
    ///
    /// # Errors
    /// [`InputError`] where the metric is not one of single users, or no line has slices.
    pub fn sliced(&self, metric: &str) -> Result<Sliced, InputError> {
        let lines = self.names_and_runs();
        sliced_runs(&self.runs_dir, &lines, self.user_metric(metric)?, self.results.protocol)
    }

    /// The lines of the comparison by group of users, and those that are left out with the reason.
    ///
    /// # Errors
    /// [`InputError`] where the metric is not one of single users, the dataset or a table of users cannot be read, or no line can.
    pub fn fairness(
        &self,
        metric: &str,
        baseline: &str,
        grouping: &Grouping,
    ) -> Result<(Fairness, Vec<(String, String)>), InputError> {
        let (metric, protocol) = (self.user_metric(metric)?, self.results.protocol);
        let groups = UserGroups::of(self.dataset()?, protocol, grouping, &self.project.folder)?;
        fairness(&self.runs_dir, &self.names_and_runs(), Some(baseline), metric, protocol, &groups)
    }

    /// What runs answered to the tests of a stage, of the data that the first of them has; runs of other data speak of other users.
    ///
    /// # Errors
    /// [`InputError`] where a run cannot be read.
    pub fn stage_tests(&self, stage: usize) -> Result<StageTests, InputError> {
        let runs = self.runs.get_or_init(|| self.read_runs());
        let data = |run: &FigureRun| run.folder.config().data_hash.clone();
        let first = runs.first().map(data);
        let same = runs.iter().filter(|run| Some(data(run)) == first).map(|run| run.folder.clone());
        stage_tests(&same.collect::<Vec<_>>(), self.results.protocol, stage)
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
