//! The runs that a project asks for.

use super::{RunConfig, RunMethod, RunSelection};
use crate::data::DatasetSource;
use crate::error::InputError;
use crate::project::sweep::Variant;
use crate::project::{Project, Training};

/// A run that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedRun {
    /// Name of the experiment.
    pub experiment: String,
    pub method: RunMethod,
    /// 0 for a non-learned baseline, which draws nothing.
    pub seed: u64,
    pub training: Training,
    /// Other than the project's own where a sweep varies generated data.
    pub dataset: DatasetSource,
}

impl PlannedRun {
    /// The project with this run's training settings and data.
    pub fn project(&self, project: &Project) -> Project {
        Project { training: self.training.clone(), dataset: self.dataset.clone(), ..project.clone() }
    }

    /// Whether a run is one of those that this is made of.
    pub fn is_made_of(&self, other: &Self) -> bool {
        other.seed == self.seed && self.method.parts().contains(&other.experiment.as_str())
    }

    /// The run's id.
    ///
    /// # Errors
    /// As [`RunConfig::hash_of`].
    pub fn id(&self, project: &Project) -> Result<String, InputError> {
        let hash = RunConfig::hash_of(&self.project(project), &self.method)?;
        Ok(RunConfig::id_of(&self.experiment, &self.method, self.seed, &hash))
    }
}

/// The runs of a project in order: the non-learned baselines, then by seed the experiments with the points of their sweeps,
/// those that are selected.
///
/// # Errors
/// There is no experiment or point of a chosen name, no run of a chosen id, or a sweep cannot be used.
pub fn planned(project: &Project, selection: &RunSelection) -> Result<Vec<PlannedRun>, InputError> {
    let mut variants = project.variants()?;
    if !selection.experiments.is_empty() {
        let chosen = selection.experiments.iter().map(|name| {
            variants.iter().find(|variant| variant.experiment.name == *name).cloned().ok_or_else(|| {
                let known: Vec<&str> = variants.iter().map(|variant| variant.experiment.name.as_str()).collect();
                InputError::new(&project.folder, format!("no experiment is named \"{name}\""))
                    .advice(format!("the project has {}", known.join(", ")))
            })
        });
        variants = chosen.collect::<Result<_, _>>()?;
    }
    // What is made of finished runs comes after them.
    variants.sort_by_key(|variant| !variant.experiment.method.method().parts().is_empty());
    let counted = [RunMethod::Popularity, RunMethod::CoOccurrence].map(|method| PlannedRun {
        experiment: method.label().to_owned(),
        method,
        seed: 0,
        training: project.training.clone(),
        dataset: project.dataset.clone(),
    });
    let seeds_of = |variant: &'_ Variant| match selection.seeds.as_slice() {
        [] => project.seeds_of(&variant.experiment).to_vec(),
        chosen => chosen.to_vec(),
    };
    let mut seeds: Vec<u64> = Vec::new();
    for seed in project.seeds.iter().copied().chain(variants.iter().flat_map(seeds_of)) {
        if !seeds.contains(&seed) {
            seeds.push(seed);
        }
    }
    let learned = seeds.iter().flat_map(|&seed| {
        let with_seed = variants.iter().filter(move |variant| seeds_of(variant).contains(&seed));
        with_seed.map(move |variant| PlannedRun {
            experiment: variant.experiment.name.clone(),
            method: RunMethod::Learned(variant.experiment.method.clone()),
            seed,
            training: variant.training.clone(),
            dataset: variant.dataset.clone(),
        })
    });
    chosen(project, counted.into_iter().chain(learned).collect(), &selection.runs)
}

/// Those of the runs that have one of these ids; all where no id is given.
fn chosen(project: &Project, runs: Vec<PlannedRun>, ids: &[String]) -> Result<Vec<PlannedRun>, InputError> {
    if ids.is_empty() {
        return Ok(runs);
    }
    let runs = runs.into_iter().map(|run| Ok((run.id(project)?, run))).collect::<Result<Vec<_>, InputError>>()?;
    match ids.iter().find(|id| runs.iter().all(|(other, _)| other != *id)) {
        Some(id) => Err(InputError::new(&project.folder, format!("the project asks for no run \"{id}\""))
            .advice("`peso run --dry-run` lists the runs; an id changes with the settings of its experiment")),
        None => Ok(runs.into_iter().filter(|(id, _)| ids.contains(id)).map(|(_, run)| run).collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::DEMO;

    #[test]
    fn an_experiment_is_run_with_seeds_of_its_own_and_its_points_with_them() {
        let text = DEMO.replace(
            "seeds: [42],",
            "seeds: [1, 2], sweeps: [(experiment: \"PESO\", options: [(option: \"lambda\", values: [8])])],",
        );
        let mut project = Project::parse(&text, Path::new("demo/project.ron")).unwrap();
        project.experiments[0].seeds = Some(vec![2, 7]);
        let seeds = |selection: &RunSelection, name: &str| -> Vec<u64> {
            let runs = planned(&project, selection).unwrap();
            runs.into_iter().filter(|run| run.experiment == name).map(|run| run.seed).collect()
        };
        let all = RunSelection::default();
        assert_eq!([seeds(&all, "PESO"), seeds(&all, "PESO (lambda 8)")], [[2, 7], [2, 7]]);
        assert_eq!(seeds(&all, "Frozen"), [1, 2]);
        let chosen = RunSelection { seeds: vec![5], ..RunSelection::default() };
        assert_eq!([seeds(&chosen, "PESO"), seeds(&chosen, "Frozen")], [[5], [5]]);
        let own = Project { experiments: vec![project.experiments[0].clone()], ..project.clone() };
        let hash = |project: &Project| {
            let method = RunMethod::Learned(project.experiments[0].method.clone());
            RunConfig::hash_of(project, &method).unwrap()
        };
        assert_eq!(hash(&own), hash(&Project { seeds: vec![9], styles: Default::default(), ..own.clone() }));
    }
}
