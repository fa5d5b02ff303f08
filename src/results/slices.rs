//! Results by slice: means of the lines of a project on kinds of users and targets, and how far these lie apart.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::paired_scores::{AllScores, Selection, Tests, UserScores, all_scores, scores_of_runs, slices_of};
use super::seeds::SeedChoice;
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::Slices;
use crate::measure::UserMetric;
use crate::measure::slice_means::{Dispersion, SliceMean, dispersion, slice_means};
use crate::project::Project;
use crate::run::RunFolder;

/// One line of a project by slice, over the tests of the stages from 2 on, each of which weighs the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlicedLine {
    /// Name of the experiment or non-learned baseline.
    pub experiment: String,
    pub metric: String,
    /// By dimension; slices without a test are left out.
    pub slices: Vec<SliceMean>,
    pub dispersion: Vec<Dispersion>,
}

/// The lines of a project as it is now that have a finished run, by slice, for each metric.
///
/// # Errors
/// Those of `user_scores`; or the runs have no slices recorded.
pub fn sliced(
    project: &Project,
    runs_dir: &Path,
    protocol: Protocol,
    metrics: &[UserMetric],
    seeds: SeedChoice,
) -> Result<Vec<SlicedLine>, InputError> {
    let mut found = Vec::new();
    for &metric in metrics {
        let selection = Selection { metric, protocol, slice: None, seeds };
        let AllScores { lines, slices, .. } = all_scores(project, runs_dir, selection)?;
        for line in lines {
            found.push(by_slice(line, metric, &slices).map_err(|(name, problem)| cannot(runs_dir, &name, &problem))?);
        }
    }
    Ok(found)
}

/// Lines by slice, and those that have none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sliced {
    pub lines: Vec<SlicedLine>,
    /// Name, and why.
    pub left_out: Vec<(String, String)>,
}

/// The `lines` (name and run ids) by slice. All are held to the test users of the first that can be read.
///
/// This reads every user's outcome: it takes from a part of a second to many.
///
/// # Errors
/// No line can be read, or their runs have no slices recorded.
pub fn sliced_runs(
    runs_dir: &Path,
    lines: &[(String, Vec<String>)],
    metric: UserMetric,
    protocol: Protocol,
) -> Result<Sliced, InputError> {
    let mut tests = Tests::default();
    let mut found = Sliced::default();
    let mut slices: Option<Vec<Slices>> = None;
    let mut first_problem = None;
    for (name, runs) in lines {
        let paths: Vec<PathBuf> = runs.iter().map(|run| RunFolder::path_of(runs_dir, run)).collect();
        let scores = match scores_of_runs(name, &paths, metric, protocol, &mut tests) {
            Ok(scores) if scores.values.is_empty() => continue,
            Ok(scores) => scores,
            Err(error) => {
                found.left_out.push((name.clone(), error.to_string()));
                first_problem.get_or_insert(error);
                continue;
            }
        };
        let known = match (&slices, paths.first()) {
            (Some(known), _) => known.clone(),
            (None, Some(path)) => slices.insert(slices_of(&RunFolder::open(path)?, protocol)?).clone(),
            (None, None) => continue,
        };
        match by_slice(scores, metric, &known) {
            Ok(line) => found.lines.push(line),
            Err((name, problem)) => {
                first_problem.get_or_insert_with(|| cannot(runs_dir, &name, &problem));
                found.left_out.push((name, problem));
            }
        }
    }
    match first_problem {
        Some(problem) if found.lines.is_empty() => Err(problem),
        _ => Ok(found),
    }
}

/// A line by slice, or its name and what is wrong.
fn by_slice(line: UserScores, metric: UserMetric, slices: &[Slices]) -> Result<SlicedLine, (String, String)> {
    let values: Vec<Vec<f64>> = line.values.iter().map(|of_seed| of_seed.concat()).collect();
    match slice_means(&values, slices) {
        Ok(means) => {
            let metric = metric.to_string();
            Ok(SlicedLine { experiment: line.name, metric, dispersion: dispersion(&means), slices: means })
        }
        Err(_) if slices.is_empty() => {
            Err((line.name, "its tests have no slices: it is older than they are".to_owned()))
        }
        Err(problem) => Err((line.name, problem.to_string())),
    }
}

fn cannot(runs_dir: &Path, name: &str, problem: &str) -> InputError {
    InputError::new(runs_dir, format!("{name} cannot be sliced: {problem}"))
        .advice("start the runs over with `--fresh`")
}
