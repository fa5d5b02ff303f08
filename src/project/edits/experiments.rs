//! Edits of a project's experiments and seeds.

use super::changed;
use crate::method::MethodOptions;
use crate::project::check;
use crate::project::slug::slug;
use crate::project::styles::ExperimentStyle;
use crate::project::{Experiment, Project, sweep_edit};
use crate::schema::FieldError;

/// The project with another experiment at its end, under a name that is free.
pub(crate) fn with_experiment(project: &Project, method: MethodOptions) -> Project {
    let name = free_name(project, method.card().name);
    restructured(project, |project| project.experiments.push(Experiment::new(name, method)))
}

/// The project with a steered run of one of its experiments as another experiment, for one seed, and the name that it has.
pub(crate) fn with_steered(project: &Project, method: MethodOptions, seed: u64) -> (Project, String) {
    let name = match method.method().steered() {
        Some(steered) => format!("{}, stage {} at {:.2}", steered.of, steered.stage, steered.step),
        None => method.card().name.to_owned(),
    };
    let name = free_name(project, &name);
    let own = (project.seeds != [seed]).then(|| vec![seed]);
    let experiment = Experiment { seeds: own, ..Experiment::new(name.clone(), method) };
    (restructured(project, |project| project.experiments.push(experiment)), name)
}

/// The project with another method for the experiment at `index`; a name that was the method's own goes with it.
pub(crate) fn with_method(project: &Project, index: usize, method: MethodOptions) -> Project {
    let Some(experiment) = project.experiments.get(index) else { return project.clone() };
    let name = if experiment.name.starts_with(experiment.method.card().name) {
        free_name(project, method.card().name)
    } else {
        experiment.name.clone()
    };
    let seeds = experiment.seeds.clone();
    restructured(project, |project| project.experiments[index] = Experiment { name, method, seeds })
}

/// The project with other options of the method of the experiment at `index`.
pub(crate) fn with_options(project: &Project, index: usize, method: MethodOptions) -> Project {
    changed(project, |project| {
        if let Some(experiment) = project.experiments.get_mut(index) {
            experiment.method = method;
        }
    })
}

/// The project with the experiment at `index` once more behind it, under a name that is free.
pub(crate) fn with_duplicate(project: &Project, index: usize) -> Project {
    let Some(experiment) = project.experiments.get(index).cloned() else { return project.clone() };
    let name = free_name(project, &experiment.name);
    restructured(project, |project| project.experiments.insert(index + 1, Experiment { name, ..experiment }))
}

/// The project with the experiment at `index` before the one that stands before it.
pub(crate) fn moved_up(project: &Project, index: usize) -> Project {
    restructured(project, |project| {
        if (1..project.experiments.len()).contains(&index) {
            project.experiments.swap(index - 1, index);
        }
    })
}

/// The project with the experiment at `index` behind the one that stands behind it.
pub(crate) fn moved_down(project: &Project, index: usize) -> Project {
    moved_up(project, index + 1)
}

/// The project without the experiment at `index`, unless it is the only one.
pub(crate) fn without_experiment(project: &Project, index: usize) -> Project {
    restructured(project, |project| {
        if project.experiments.len() > 1 && index < project.experiments.len() {
            project.experiments.remove(index);
        }
    })
}

/// The project with another name for the experiment at `index`, wherever it is named.
pub(crate) fn renamed(project: &Project, index: usize, name: &str) -> Project {
    restructured(project, |project| {
        let style = project.experiments.get(index).and_then(|experiment| project.styles.remove(&experiment.name));
        project.styles.extend(style.map(|style| (name.to_owned(), style)));
        sweep_edit::rename(project, index, name);
    })
}

/// Whether the experiment at `index` can have a name.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn check_name(project: &Project, index: usize, name: &str) -> Result<(), FieldError> {
    check::check(&renamed(project, index, name))
}

/// The project with other seeds.
pub(crate) fn with_seeds(project: &Project, seeds: Vec<u64>) -> Project {
    changed(project, |project| project.seeds = seeds)
}

/// The project with seeds of its own for the experiment at `index`, or with the project's where there are none.
pub(crate) fn with_own_seeds(project: &Project, index: usize, seeds: Option<Vec<u64>>) -> Project {
    changed(project, |project| {
        if let Some(experiment) = project.experiments.get_mut(index) {
            experiment.seeds = seeds;
        }
    })
}

/// The project with another colour and marker for an experiment; what the others are drawn with stays.
pub(crate) fn with_style(project: &Project, experiment: &str, style: ExperimentStyle) -> Project {
    changed(project, |project| {
        project.keep_styles();
        project.styles.insert(experiment.to_owned(), style);
    })
}

/// The project after a change of its list of experiments, through which each keeps what it is drawn with.
fn restructured(project: &Project, change: impl FnOnce(&mut Project)) -> Project {
    let after = changed(project, |project| {
        project.keep_styles();
        change(project);
        project.keep_styles();
    });
    if after.experiments == project.experiments { project.clone() } else { after }
}

/// `wanted`, or with the first number that makes it unlike every other name: `PESO 2`.
fn free_name(project: &Project, wanted: &str) -> String {
    // Run folders tell neither capitals nor signs apart.
    let taken = |name: &str| project.experiments.iter().any(|experiment| slug(&experiment.name) == slug(name));
    let stem = wanted.trim_end_matches(|character: char| character.is_ascii_digit()).trim_end();
    let stem = if stem.is_empty() { wanted } else { stem };
    std::iter::once(wanted.to_owned())
        .chain((2..).map(|number| format!("{stem} {number}")))
        .find(|name| !taken(name))
        .unwrap_or_else(|| wanted.to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::project::file::DEMO;

    fn project() -> Project {
        Project::parse(DEMO, Path::new("demo/project.ron")).unwrap()
    }

    fn names(project: &Project) -> Vec<&str> {
        project.experiments.iter().map(|experiment| experiment.name.as_str()).collect()
    }

    #[test]
    fn new_experiments_have_names_that_are_free() {
        let mut project = project();
        project.experiments.truncate(1);
        assert_eq!(names(&project), ["PESO"]);
        let two = with_duplicate(&project, 0);
        assert_eq!(names(&two), ["PESO", "PESO 2"]);
        let three = with_experiment(&two, project.experiments[0].method.clone());
        assert_eq!(names(&three), ["PESO", "PESO 2", "PESO 3"]);
        check::check(&three).unwrap();
    }

    #[test]
    fn a_name_that_is_the_methods_own_goes_with_it() {
        let project = project();
        let changed = with_method(&project, 0, MethodOptions::Single);
        assert_eq!(changed.experiments[0].method, MethodOptions::Single);
        assert_ne!(changed.experiments[0].name, "PESO");
        let own = with_method(&renamed(&project, 0, "Mine"), 0, MethodOptions::Single);
        assert_eq!(own.experiments[0].name, "Mine");
        assert_eq!(with_options(&project, 0, MethodOptions::Single).experiments[0].name, "PESO");
    }

    #[test]
    fn experiments_move_and_one_always_stays() {
        let project = project();
        let last = project.experiments.len() - 1;
        assert_eq!(moved_up(&project, 0), project);
        assert_eq!(moved_down(&project, last), project);
        assert_eq!(moved_up(&moved_down(&project, 0), 1).experiments, project.experiments);
        let one = (0..9).fold(project.clone(), |project, _| without_experiment(&project, 0));
        assert_eq!(one.experiments, project.experiments[last..]);
        assert_eq!(with_seeds(&project, vec![1, 2]).seeds, [1, 2]);
    }

    #[test]
    fn an_experiment_keeps_its_style_whatever_comes_and_goes() {
        let project = project();
        let of = |project: &Project| {
            let slots = project.style_slots();
            move |name: &str| slots.of(name)
        };
        let before = of(&project);
        let last = project.experiments[3].name.clone();
        let removed = without_experiment(&project, 1);
        assert_eq!([of(&removed)("PESO"), of(&removed)(&last)], [before("PESO"), before(&last)]);
        let gone = project.experiments[1].name.clone();
        assert_eq!(of(&removed)(&gone), before(&gone), "its runs stay, and look as they did");
        let added = with_experiment(&removed, MethodOptions::Single);
        assert_eq!(of(&added)(&added.experiments[3].name), before(&gone), "it is back");
        let moved = moved_down(&with_duplicate(&removed, 0), 0);
        assert_eq!([of(&moved)("PESO"), of(&moved)("PESO 2")], [before("PESO"), 4]);
        let renamed = renamed(&project, 3, "Kept as it is");
        assert_eq!(of(&renamed)("Kept as it is"), before(&last));
        let style = ExperimentStyle::at(9);
        let set = with_style(&project, "PESO", style);
        assert_eq!([of(&set)("PESO"), of(&set)(&last)], [9, before(&last)]);
    }

    #[test]
    fn a_name_that_is_taken_is_refused() {
        let project = project();
        let other = project.experiments[1].name.clone();
        assert!(check_name(&project, 0, &other).is_err() && check_name(&project, 0, "").is_err());
        check_name(&project, 0, "PESO at 5").unwrap();
    }
}
