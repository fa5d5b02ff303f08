//! Figures of what moved: drift, and the subspaces of adapters.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::super::outcome::warn;
use super::{Arguments, Figure};
use crate::analysis::retention;
use crate::analysis::subspace_report::{ModuleReport, SubspaceReport, module_directions, subspace_report};
use crate::data::{DataDrift, Dataset, Protocol};
use crate::error::InputError;
use crate::figures::churn::{self, Beside, ChurnMeasure};
use crate::figures::retention::Movers;
use crate::figures::subspace::{self, Against, Mapped, Shown, module_words};
use crate::figures::{comparison, retention as charts_of};
use crate::plot::{Chart, SeriesStyle};
use crate::project::Project;
use crate::results::Results;
use crate::results::churn::{ChurnReport, churn as churn_of};
use crate::results::paired_scores::{Gain, UserMetric};
use crate::run::RunFolder;
use crate::subspace::Side;

/// Whether one of some figures is asked for.
type Wants<'w> = &'w dyn Fn(&[Figure]) -> bool;

/// A run with the look that it has in every chart, and what is known of its adapters.
struct Run {
    folder: RunFolder,
    look: SeriesStyle,
    /// `PESO, seed 42`.
    name: String,
    report: Option<SubspaceReport>,
}

/// The figures that were asked for, each with its name in file names.
pub(super) fn charts(
    arguments: &Arguments,
    project: &Project,
    (results, runs_dir): (&Results, &Path),
) -> Result<Vec<(String, Chart)>, InputError> {
    let wants = |figures: &[Figure]| arguments.figure == Figure::All || figures.contains(&arguments.figure);
    let of_adapters = [Figure::River, Figure::DriftMap, Figure::Spectra, Figure::Angles, Figure::Distances];
    let of_runs = [Figure::Churn, Figure::Affected, Figure::Retention];
    if !wants(&of_adapters) && !wants(&of_runs) {
        return Ok(Vec::new());
    }
    let runs = runs(arguments, (results, runs_dir), wants(&of_adapters))?;
    let synthetic = project.is_synthetic();
    let mut charts = Vec::new();
    if wants(&[Figure::Churn, Figure::Affected]) {
        charts.extend(drift(&runs, project, &wants)?);
    }
    for run in &runs {
        if let Some(report) = &run.report {
            charts.extend(of_one(arguments, run, report, (&wants, synthetic))?);
        }
        if wants(&[Figure::Retention]) {
            let measured = (2..=run.folder.config().stages).filter_map(|stage| retention::cached(&run.folder, stage));
            let id = &run.folder.config().run;
            charts.extend(measured.map(|report| {
                (
                    format!("retention-{id}-stage-{}", report.stage),
                    charts_of::retention(&report, &run.name, Movers::All),
                )
            }));
        }
    }
    if wants(&[Figure::Distances]) {
        let lines: Vec<_> =
            runs.iter().filter_map(|run| Some((run.report.as_ref()?, run.name.clone(), run.look))).collect();
        charts.push(("distances".to_owned(), subspace::distances(&lines, (Side::Left, Against::Previous), synthetic)));
    }
    if charts.is_empty() {
        let advice = "`peso retention RUN` measures retention; adapters are there once a stage is trained";
        return Err(InputError::new(runs_dir, "no run has what this figure shows").advice(advice));
    }
    Ok(charts)
}

/// The runs of the results, as far as they are asked for.
fn runs(
    arguments: &Arguments,
    (results, runs_dir): (&Results, &Path),
    with_adapters: bool,
) -> Result<Vec<Run>, InputError> {
    let looks = comparison::looks(results);
    let mut runs = Vec::new();
    for folder in RunFolder::list(runs_dir) {
        let config = folder.config();
        let Some(&look) = looks.get(&config.run) else { continue };
        if arguments.run.as_ref().is_some_and(|wanted| *wanted != config.run && *wanted != config.experiment) {
            continue;
        }
        let has_adapters = config.method.adapter_method().is_some();
        let report = if with_adapters && has_adapters {
            let found = subspace_report(&folder, &AtomicBool::new(false));
            // A run without a trained stage has none; the others are drawn.
            found.unwrap_or_else(|error| {
                warn(&[error]);
                None
            })
        } else {
            None
        };
        let name = match config.method.is_learned() {
            true if results.runs.iter().filter(|run| run.experiment == config.experiment).count() > 1 => {
                format!("{}, seed {}", config.experiment, config.seed)
            }
            _ => config.experiment.clone(),
        };
        runs.push(Run { look, name, report, folder });
    }
    if runs.is_empty() {
        let wanted = arguments.run.as_deref().unwrap_or_default();
        return Err(InputError::new(runs_dir, format!("there is no run \"{wanted}\""))
            .advice("name a run's folder or an experiment; `peso status` lists both"));
    }
    Ok(runs)
}

fn drift(
    runs: &[Run],
    project: &Project,
    wants: &dyn Fn(&[Figure]) -> bool,
) -> Result<Vec<(String, Chart)>, InputError> {
    let metric = UserMetric { gain: Gain::Ndcg, k: 10, corrected: false };
    let synthetic = project.is_synthetic();
    let reports: Vec<(&Run, ChurnReport)> = runs
        .iter()
        .map(|run| Ok((run, churn_of(&run.folder, Protocol::SameBlock, metric)?)))
        .collect::<Result<_, InputError>>()?;
    let mut charts = Vec::new();
    if wants(&[Figure::Churn]) {
        let dataset = Dataset::load(&project.dataset, project.index_path().as_deref(), &project.folder)?;
        let data = churn::data_drift(&DataDrift::measure(&dataset, None));
        let moves = runs.iter().filter_map(|run| {
            let moves = subspace::movement(run.report.as_ref()?, &run.name);
            Some((moves, subspace::update_look(run.look)))
        });
        let beside = Beside { data, adapters: moves.collect() };
        let lines: Vec<_> = reports.iter().map(|(run, report)| (report, run.look)).collect();
        charts.push(("churn".to_owned(), churn::over_stages(&lines, ChurnMeasure::Ranked, &beside, synthetic)));
    }
    if wants(&[Figure::Affected]) {
        let affected = |(run, report): &(&Run, ChurnReport)| {
            (format!("affected-{}", run.folder.config().run), churn::by_slice(report, synthetic))
        };
        charts.extend(reports.iter().map(affected));
    }
    Ok(charts)
}

/// The figures of one run's adapters.
fn of_one(
    arguments: &Arguments,
    run: &Run,
    report: &SubspaceReport,
    (wants, synthetic): (Wants<'_>, bool),
) -> Result<Vec<(String, Chart)>, InputError> {
    let id = &run.folder.config().run;
    let Some(&last) = report.stages.last() else { return Ok(Vec::new()) };
    let at = |stage| Shown { report, run: &run.name, stage };
    let every: Vec<Shown<'_>> = report.stages.iter().map(|&stage| at(stage)).collect();
    let mut charts = Vec::new();
    if wants(&[Figure::DriftMap]) {
        charts.push((format!("drift-map-{id}"), subspace::drift_map(&[at(last)], Mapped::Relative, synthetic)));
    }
    if !wants(&[Figure::River, Figure::Spectra, Figure::Angles]) {
        return Ok(charts);
    }
    let module = module(arguments, run, report)?;
    if wants(&[Figure::River]) {
        let directions = module_directions(&run.folder, &module.name)?;
        let names = (module_words(module), run.name.as_str());
        let chart = subspace::direction_river(&directions, (&names.0, names.1), Side::Left, synthetic);
        charts.push((format!("river-{id}"), chart));
    }
    if wants(&[Figure::Spectra]) {
        charts.push((format!("spectra-{id}"), subspace::spectra(&every, &module.name, synthetic)));
    }
    if wants(&[Figure::Angles]) {
        let chart = subspace::angles(&every, &module.name, (Side::Left, Against::Previous), synthetic);
        charts.push((format!("angles-{id}"), chart));
    }
    Ok(charts)
}

/// The module that was named, by the end of its name; else the one with the largest update.
fn module<'r>(arguments: &Arguments, run: &Run, report: &'r SubspaceReport) -> Result<&'r ModuleReport, InputError> {
    let norm = |module: &&ModuleReport| module.stages.last().map_or(0.0, |stage| stage.norm);
    let found = match &arguments.module {
        Some(name) => report.modules.iter().find(|module| module.name.ends_with(name.as_str())),
        None => report.modules.iter().max_by(|a, b| norm(a).total_cmp(&norm(b))),
    };
    found.ok_or_else(|| {
        let names: Vec<&str> = report.modules.iter().map(|module| module.name.as_str()).collect();
        let wanted = arguments.module.as_deref().unwrap_or_default();
        InputError::new(run.folder.path(), format!("the adapter has no module \"{wanted}\""))
            .advice(format!("it has {}", names.join(", ")))
    })
}
