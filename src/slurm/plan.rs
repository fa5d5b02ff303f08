//! Which jobs a project's runs are.

use crate::budget::estimate::{Estimate, RunEstimate};
use crate::error::InputError;
use crate::project::Project;
use crate::project::slug::short;
use crate::run::planned::{PlannedRun, planned};
use crate::run::shared_part::{self, BASE, FIRST, SharedPart};
use crate::run::{RunFolder, RunOptions, RunSelection, Status};

/// What the tasks of a job do, in the order in which jobs come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Trains the project's semantic ids.
    Ids,
    /// Trains the base models that several runs share.
    Base,
    /// Trains the adapters of stage 1 that several runs share.
    FirstStage,
    /// Trains runs.
    Runs,
    /// Makes runs of runs: hybrids.
    Combined,
}

impl Layer {
    /// The end of the jobs' names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ids => "ids",
            Self::Base => "base",
            Self::FirstStage => "stage1",
            Self::Runs => "runs",
            Self::Combined => "hybrids",
        }
    }
}

/// A job array.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    pub layer: Layer,
    pub name: String,
    /// Ids of the runs, a task each; none of [`Layer::Ids`], which is one task.
    pub runs: Vec<String>,
    /// Most that a task is expected to take, where it is known.
    pub seconds: Option<f64>,
    pub peak_memory_bytes: Option<u64>,
}

impl Job {
    /// How many tasks there are.
    pub fn tasks(&self) -> usize {
        self.runs.len().max(1)
    }
}

/// The jobs that are left to do of the selected runs, in order; none where all are finished. Without an estimate they ask for no
/// time and no memory.
///
/// # Errors
/// As [`planned`].
pub fn plan(
    project: &Project,
    selection: &RunSelection,
    options: &RunOptions,
    estimate: Option<&Estimate>,
) -> Result<Vec<Job>, InputError> {
    let runs_dir = project.runs_dir(options.out.as_deref());
    let mut runs = Vec::new();
    for run in planned(project, selection)? {
        let folder = RunFolder::path_of(&runs_dir, &run.id(project)?);
        let is_done = !options.fresh
            && folder.is_dir()
            && RunFolder::open(&folder).is_ok_and(|folder| folder.status() == Status::Finished);
        if !is_done {
            runs.push(run);
        }
    }
    let of_runs = |layer, runs: &[&PlannedRun]| -> Result<Option<Job>, InputError> {
        let ids = runs.iter().map(|run| run.id(project)).collect::<Result<Vec<_>, _>>()?;
        Ok((!ids.is_empty()).then(|| job(project, layer, ids, estimate)))
    };
    let shared_by_several = |name| shared(project, &runs, name, &runs_dir);
    let (base, first) = (shared_by_several(BASE)?, shared_by_several(FIRST)?);
    let (combined, single): (Vec<_>, Vec<_>) = runs.iter().partition(|run| !run.method.parts().is_empty());
    let ids =
        (!runs.is_empty() && project.lacks_semantic_ids()).then(|| job(project, Layer::Ids, Vec::new(), estimate));
    let layers = [
        ids,
        of_runs(Layer::Base, &base.iter().collect::<Vec<_>>())?,
        of_runs(Layer::FirstStage, &first.iter().collect::<Vec<_>>())?,
        of_runs(Layer::Runs, &single)?,
        of_runs(Layer::Combined, &combined)?,
    ];
    Ok(layers.into_iter().flatten().collect())
}

/// Runs that make the parts of a name which at least two runs need and nobody has made.
fn shared(
    project: &Project,
    runs: &[PlannedRun],
    name: &str,
    runs_dir: &std::path::Path,
) -> Result<Vec<PlannedRun>, InputError> {
    let ready: Vec<SharedPart> = shared_part::folders(runs_dir)
        .into_iter()
        .filter(|folder| folder.status() == Status::Finished)
        .map(|folder| SharedPart::of(folder.config()))
        .collect();
    let needs = runs.iter().map(|run| shared_part::needed(project, run)).collect::<Result<Vec<_>, _>>()?;
    let mut makers = Vec::new();
    for maker in shared_part::makers(project, runs, name)? {
        let own = shared_part::needed(project, &maker)?;
        let Some(part) = own.iter().find(|part| part.name() == name) else { continue };
        if !ready.contains(part) && needs.iter().filter(|needs| needs.contains(part)).count() > 1 {
            makers.push(maker);
        }
    }
    Ok(makers)
}

fn job(project: &Project, layer: Layer, runs: Vec<String>, estimate: Option<&Estimate>) -> Job {
    let known: Vec<&RunEstimate> = estimate.map_or_else(Vec::new, |estimate| estimate.runs.iter().collect());
    let seconds = known.iter().filter_map(|run| {
        let work = run.work?;
        Some(match layer {
            Layer::Base | Layer::FirstStage => work.shared_seconds,
            // Whoever comes first may have to make a part that nobody else needs.
            _ => work.seconds(),
        })
    });
    Job {
        layer,
        name: format!("peso-{}-{}", short(&project.name), layer.name()),
        seconds: seconds.reduce(f64::max),
        peak_memory_bytes: known.iter().filter_map(|run| run.peak_memory_bytes).max(),
        runs,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::Project;

    const PROJECT: &str = r#"(
        format: 1,
        name: "On a cluster",
        dataset: Synthetic(users: 60),
        base_model: Compact(width: 32, heads: 4),
        experiments: [
            (name: "Single", method: Single),
            (name: "PESO", method: Peso()),
            (name: "Towers", method: TwoTower()),
            (name: "Both", method: Hybrid(adapter: "Single", towers: "Towers")),
        ],
        sweeps: [(experiment: "Single", options: [(option: "training.learning_rate", values: [0.1])])],
        seeds: [1, 2],
    )"#;

    fn layers(project: &Project, selection: &RunSelection) -> Vec<(Layer, Vec<String>)> {
        let options = RunOptions { out: Some("nowhere".into()), ..RunOptions::default() };
        let jobs = plan(project, selection, &options, None).unwrap();
        let short = |id: &String| id.rsplit_once('-').unwrap().0.to_owned();
        jobs.into_iter().map(|job| (job.layer, job.runs.iter().map(short).collect())).collect()
    }

    #[test]
    fn what_runs_share_comes_before_them_and_what_is_made_of_them_after() {
        let project = Project::parse(PROJECT, Path::new("somewhere/project.ron")).unwrap();
        let jobs = layers(&project, &RunSelection::default());
        let of = |layer: Layer| &jobs.iter().find(|job| job.0 == layer).unwrap().1;
        assert_eq!(
            jobs.iter().map(|job| job.0).collect::<Vec<_>>(),
            [Layer::Base, Layer::FirstStage, Layer::Runs, Layer::Combined]
        );
        assert_eq!(*of(Layer::Base), ["single-s1", "single-s2"], "the point of the sweep has the same base model");
        assert_eq!(*of(Layer::FirstStage), ["single-s1", "single-s2"], "nobody shares the stage 1 of the point");
        assert_eq!(of(Layer::Runs).len(), 2 + 2 * 4, "{:?}", of(Layer::Runs));
        assert_eq!(*of(Layer::Combined), ["both-s1", "both-s2"]);
    }

    #[test]
    fn what_one_run_alone_needs_it_makes_by_itself() {
        let project = Project::parse(PROJECT, Path::new("somewhere/project.ron")).unwrap();
        let selection =
            RunSelection { experiments: vec!["PESO".to_owned()], seeds: vec![1], ..RunSelection::default() };
        let jobs = layers(&project, &selection);
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].0, Layer::Runs);
        assert!(jobs[0].1.contains(&"peso-s1".to_owned()), "{jobs:?}");
    }
}
