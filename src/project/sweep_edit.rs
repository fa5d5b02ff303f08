//! Edits of the experiments that keep the sweeps usable: a project that was edited can always be opened again.

use super::Project;
use super::sweep::{BadSweep, expand};
use crate::schema::{FieldError, Kind, Setting};

/// Takes out of the sweeps what the experiments no longer have: options that a method lost with another choice, and sweeps
/// of experiments that are gone. Says in words what was taken out.
///
/// # Errors
/// No sweep is to blame alone: an experiment has the name of a point.
pub fn mend(project: &mut Project) -> Result<Vec<String>, FieldError> {
    let mut taken = Vec::new();
    loop {
        let (index, axis) = match expand(project) {
            Ok(_) => return Ok(taken),
            Err(BadSweep { sweep: None, field, .. }) => return Err(field),
            Err(BadSweep { sweep: Some(index), axis, .. }) => (index, axis),
        };
        // Every turn takes something out, so this ends.
        let sweep = &mut project.sweeps[index];
        match axis {
            Some(axis) if sweep.options.len() > 1 => {
                let axis = sweep.options.remove(axis);
                taken.push(format!("{} is no longer swept in {}", axis.option, sweep.of_in_words()));
            }
            _ => {
                let sweep = project.sweeps.remove(index);
                let options: Vec<&str> = sweep.options.iter().map(|axis| axis.option.as_str()).collect();
                taken.push(format!("the sweep of {} over {} is gone", sweep.of_in_words(), options.join(" and ")));
            }
        }
    }
}

/// Gives the experiment at `index` another name, wherever the project names it: its sweeps, and methods that join runs.
pub fn rename(project: &mut Project, index: usize, name: &str) {
    let Some(experiment) = project.experiments.get_mut(index) else { return };
    let old = std::mem::replace(&mut experiment.name, name.to_owned());
    let (before, after) = (Setting::Choice(old.clone()), Setting::Choice(name.to_owned()));
    for sweep in &mut project.sweeps {
        if sweep.experiment == old {
            name.clone_into(&mut sweep.experiment);
        }
        let joined = project.experiments.iter().find(|experiment| experiment.name == sweep.experiment);
        let names_runs = |path: &str| {
            let fields = joined.map(|experiment| experiment.method.fields()).unwrap_or_default();
            fields.iter().any(|field| field.path == path && matches!(field.field.kind, Kind::Experiment))
        };
        for axis in sweep.options.iter_mut().filter(|axis| names_runs(&axis.option)) {
            axis.values.iter_mut().filter(|value| **value == before).for_each(|value| *value = after.clone());
        }
    }
    for experiment in &mut project.experiments {
        for field in experiment.method.fields() {
            if matches!(field.field.kind, Kind::Experiment) && field.setting == before {
                // An empty name is refused where names are typed, and then nothing is to be followed here either.
                let _ = experiment.method.set(&field.path, &after);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::check::check;
    use super::*;
    use crate::method::{Distance, MethodOptions};

    const PROJECT: &str = r#"(
        format: 1,
        name: "Swept",
        dataset: Synthetic(users: 60),
        base_model: Compact(width: 32, heads: 4),
        experiments: [
            (name: "PESO", method: Peso()),
            (name: "Towers", method: TwoTower()),
            (name: "Both", method: Hybrid(adapter: "PESO", towers: "Towers")),
        ],
        sweeps: [
            (experiment: "PESO", options: [
                (option: "lambda", values: [1, 5]), (option: "distance.temperature", values: [0.5, 1])]),
            (experiment: "PESO", options: [(option: "distance.temperature", values: [0.25])]),
            (experiment: "Both", options: [(option: "adapter", values: ["PESO", "Other"])]),
        ],
    )"#;

    fn project() -> Project {
        Project::parse(PROJECT, Path::new("folder/project.ron")).unwrap()
    }

    fn options(project: &Project) -> Vec<Vec<&str>> {
        project.sweeps.iter().map(|sweep| sweep.options.iter().map(|axis| axis.option.as_str()).collect()).collect()
    }

    #[test]
    fn what_still_fits_is_left_alone() {
        let mut same = project();
        assert!(mend(&mut same).unwrap().is_empty());
        assert_eq!(same, project());
    }

    #[test]
    fn an_option_that_went_with_a_choice_is_no_longer_swept() {
        let mut edited = project();
        let MethodOptions::Peso(peso) = &mut edited.experiments[0].method else { unreachable!() };
        peso.distance = Distance::L2 { squared: true, per_element: false };
        assert!(check(&edited).is_err(), "saved like this, the project could not be opened again");
        let taken = mend(&mut edited).unwrap();
        assert_eq!(taken.len(), 2, "{taken:?}");
        assert!(taken[0].contains("distance.temperature") && taken[1].contains("sweep of PESO"), "{taken:?}");
        assert_eq!(options(&edited), [vec!["lambda"], vec!["adapter"]]);
        check(&edited).unwrap();
    }

    #[test]
    fn sweeps_go_with_their_experiment_and_follow_its_name() {
        let mut renamed = project();
        rename(&mut renamed, 0, "Pulled");
        assert!(mend(&mut renamed).unwrap().is_empty(), "nothing is lost by another name");
        assert_eq!(renamed.sweeps[1].experiment, "Pulled");
        assert_eq!(renamed.sweeps[2].options[0].values[0], Setting::Choice("Pulled".to_owned()));
        let MethodOptions::Hybrid(hybrid) = &renamed.experiments[2].method else { unreachable!() };
        assert_eq!((hybrid.adapter.as_str(), hybrid.towers.as_str()), ("Pulled", "Towers"));

        let mut removed = project();
        removed.experiments.remove(0);
        assert_eq!(mend(&mut removed).unwrap().len(), 2);
        assert_eq!(options(&removed), [["adapter"]]);
        let mut changed = project();
        changed.experiments[0].method = MethodOptions::Single;
        assert_eq!(mend(&mut changed).unwrap().len(), 3, "an option, then the sweep that had no other, and the second");
    }

    #[test]
    fn an_experiment_with_the_name_of_a_point_is_not_mended_away() {
        let mut twice = project();
        rename(&mut twice, 1, "PESO (distance.temperature 0.25)");
        let bad = mend(&mut twice).unwrap_err();
        assert!(bad.problem.contains("both a point of a sweep and an experiment"), "{bad:?}");
        assert_eq!(twice.sweeps.len(), 3);
    }
}
