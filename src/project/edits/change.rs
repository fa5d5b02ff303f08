//! What an edit changed, in words and by its place: told from the project before and the project after it, so that no caller
//! names its edits.

use std::mem::discriminant;

use crate::data::DatasetSource;
use crate::method::MethodOptions;
use crate::project::board::PinnedFigure;
use crate::project::settings::{self, GROUPS};
use crate::project::{Experiment, Project};
use crate::schema::{Field, FieldSetting};

/// Something of a project that a user can go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// The experiment of a name.
    Experiment(String),
    /// An option of an experiment's method.
    MethodOption {
        experiment: String,
        option: String,
    },
    /// A setting of training or tests, by its path.
    Setting(String),
    CutOffs,
    Seeds,
    Data,
    Preparation,
    Stages,
    SemanticIds,
    BaseModel,
    Prompt,
    /// The adapter that stage 1 begins with.
    Start,
    /// Name, notes and tags.
    Project,
    /// A figure of the board, by its place.
    Board(usize),
}

/// One edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// As it reads after "undo": `lambda of PESO`, `removing Frozen`.
    pub(crate) words: String,
    pub(crate) place: Place,
}

impl Change {
    fn new(words: impl Into<String>, place: Place) -> Self {
        Self { words: words.into(), place }
    }

    /// What leads from one project to another; none where they are the same.
    pub(crate) fn between(before: &Project, after: &Project) -> Option<Self> {
        let mut changes = experiments(before, after);
        changes.extend(sweeps(before, after));
        changes.extend(model(before, after));
        changes.extend(training(before, after));
        changes.extend(data(before, after));
        changes.extend(board(&before.board, &after.board));
        if before.seeds != after.seeds {
            changes.push(Self::new("the seeds", Place::Seeds));
        }
        let about = |project: &Project| (project.name.clone(), project.notes.clone(), project.tags.clone());
        if about(before) != about(after) {
            changes.push(Self::new("the project's name and notes", Place::Project));
        }
        // What has no words of its own can be taken back all the same.
        if changes.is_empty() && before != after {
            changes.push(Self::new("the project", Place::Project));
        }
        let more = changes.len().saturating_sub(1);
        let first = changes.into_iter().next()?;
        Some(match more {
            0 => first,
            1 => Self { words: format!("{} and one more change", first.words), ..first },
            _ => Self { words: format!("{} and {more} more changes", first.words), ..first },
        })
    }
}

fn experiments(before: &Project, after: &Project) -> Vec<Change> {
    let (old, new) = (&before.experiments, &after.experiments);
    let is_in = |list: &[Experiment], name: &str| list.iter().any(|experiment| experiment.name == name);
    let added: Vec<&Experiment> = new.iter().filter(|experiment| !is_in(old, &experiment.name)).collect();
    let removed: Vec<&Experiment> = old.iter().filter(|experiment| !is_in(new, &experiment.name)).collect();
    let place = |experiment: &Experiment| Place::Experiment(experiment.name.clone());
    if let ([added], [removed]) = (added.as_slice(), removed.as_slice()) {
        let words = if added.method == removed.method {
            format!("renaming {} to {}", removed.name, added.name)
        } else {
            format!("the method of {}", removed.name)
        };
        return vec![Change::new(words, place(added))];
    }
    let mut changes: Vec<Change> = Vec::new();
    changes.extend(added.iter().map(|added| Change::new(format!("adding {}", added.name), place(added))));
    changes.extend(removed.iter().map(|removed| Change::new(format!("removing {}", removed.name), place(removed))));
    let names = |list: &[Experiment]| list.iter().map(|experiment| experiment.name.clone()).collect::<Vec<_>>();
    if changes.is_empty() && names(old) != names(new) {
        let moved = new.iter().zip(old).find(|(new, old)| new.name != old.name).map(|(new, _)| new);
        changes.extend(moved.map(|moved| Change::new(format!("moving {}", moved.name), place(moved))));
    }
    // What each is drawn with is dear to tell in a long sweep, and a drag of a number does not change it.
    let slots = (before.styles != after.styles).then(|| [before, after].map(Project::style_slots));
    for new in new {
        let Some(old) = old.iter().find(|old| old.name == new.name) else { continue };
        changes.extend(method(&new.name, &old.method, &new.method));
        if old.seeds != new.seeds {
            changes.push(Change::new(format!("the seeds of {}", new.name), place(new)));
        }
        let drawn = slots.as_ref().map(|slots| slots.each_ref().map(|slots| slots.of(&new.name)));
        if drawn.is_some_and(|[before, after]| before != after) {
            changes.push(Change::new(format!("colour and marker of {}", new.name), place(new)));
        }
    }
    changes
}

/// The options in which a method differs from what it was; an option that another brought is part of that change.
fn method(experiment: &str, before: &MethodOptions, after: &MethodOptions) -> Option<Change> {
    if before == after {
        return None;
    }
    let (old, new) = (before.fields(), after.fields());
    let same =
        |field: &&FieldSetting| old.iter().any(|other| other.path == field.path && other.setting == field.setting);
    let changed = new.iter().find(|field| !same(field));
    Some(match changed.filter(|_| before.card().key == after.card().key) {
        Some(FieldSetting { path, field, .. }) => Change::new(
            format!("{} of {experiment}", in_sentence(field)),
            Place::MethodOption { experiment: experiment.to_owned(), option: path.clone() },
        ),
        None => Change::new(format!("the method of {experiment}"), Place::Experiment(experiment.to_owned())),
    })
}

/// Sweeps that were changed by themselves: one that goes with its experiment, or under another name, is no change of its own.
fn sweeps(before: &Project, after: &Project) -> Option<Change> {
    let own = |project: &Project, other: &Project| {
        let of = |name: &String| other.experiments.iter().any(|experiment| experiment.name == *name);
        project.sweeps.iter().filter(|sweep| of(&sweep.experiment)).cloned().collect::<Vec<_>>()
    };
    let (old, new) = (own(before, after), own(after, before));
    let changed = new.iter().find(|sweep| !old.contains(sweep)).or(old.iter().find(|sweep| !new.contains(sweep)))?;
    let what = match new.len().cmp(&old.len()) {
        std::cmp::Ordering::Less => "removing a sweep",
        std::cmp::Ordering::Greater => "adding a sweep",
        std::cmp::Ordering::Equal => "the sweep",
    };
    let experiment = &changed.experiment;
    Some(Change::new(format!("{what} of {experiment}"), Place::Experiment(experiment.clone())))
}

/// Base model and prompt; another model may bring another prompt.
fn model(before: &Project, after: &Project) -> Option<Change> {
    if before.base_model != after.base_model {
        Some(Change::new("the base model", Place::BaseModel))
    } else if before.prompt != after.prompt {
        Some(Change::new("the prompt", Place::Prompt))
    } else {
        None
    }
}

fn training(before: &Project, after: &Project) -> Vec<Change> {
    if before.training == after.training && before.evaluation == after.evaluation {
        return Vec::new();
    }
    let mut changes = Vec::new();
    for path in GROUPS.iter().flat_map(|group| group.paths) {
        if settings::value(before, path) != settings::value(after, path)
            && let Some(field) = settings::field(path)
        {
            changes.push(Change::new(in_sentence(field), Place::Setting((*path).to_owned())));
        }
    }
    if before.evaluation.k != after.evaluation.k {
        changes.push(Change::new("the cut-offs", Place::CutOffs));
    }
    if before.training.start != after.training.start {
        changes.push(Change::new("the start of stage 1", Place::Start));
    }
    changes
}

fn data(before: &Project, after: &Project) -> Vec<Change> {
    let mut changes = Vec::new();
    if before.dataset != after.dataset {
        changes.push(dataset(&before.dataset, &after.dataset));
    }
    if before.semantic_ids != after.semantic_ids {
        changes.push(Change::new("the semantic ids", Place::SemanticIds));
    }
    changes
}

fn dataset(before: &DatasetSource, after: &DatasetSource) -> Change {
    let same_files = discriminant(before) == discriminant(after) && before.path() == after.path();
    match (before.prepare(), after.prepare()) {
        (Some(old), Some(new)) if same_files && old.stages != new.stages => {
            Change::new("the cuts between stages", Place::Stages)
        }
        (Some(old), Some(new)) if same_files && old != new => Change::new("the preparation", Place::Preparation),
        _ if same_files && before.path().is_none() => Change::new("the generated data", Place::Data),
        _ => Change::new("the data", Place::Data),
    }
}

/// What became of the figures of a board; one that goes to another place is neither removed nor pinned.
fn board(before: &[PinnedFigure], after: &[PinnedFigure]) -> Option<Change> {
    let name = |figure: &PinnedFigure| match &figure.title {
        Some(title) => title.clone(),
        None => format!("the {}", figure.figure.replace('-', " ")),
    };
    let place = before.iter().zip(after).position(|(old, new)| old != new).unwrap_or(before.len().min(after.len()));
    let words = match (before.get(place), after.get(place)) {
        (Some(old), _) if after.len() < before.len() => format!("removing {} from the board", name(old)),
        (_, Some(new)) if after.len() > before.len() => format!("pinning {} to the board", name(new)),
        (Some(old), Some(_)) if after.contains(old) => "the order of the board".to_owned(),
        (Some(_), Some(new)) => format!("the words on {} on the board", name(new)),
        _ => return None,
    };
    Some(Change::new(words, Place::Board(place)))
}

/// A field within a sentence: `Learning rate` begins small there, `LoRA rank` does not, and `λ` is written out.
fn in_sentence(field: &Field) -> String {
    let (label, mut letters) = (field.label, field.label.chars());
    if label.chars().count() == 1 {
        return field.path.rsplit('.').next().unwrap_or(label).replace('_', " ");
    }
    let word = label.split(' ').next().unwrap_or_default();
    match letters.next() {
        Some(first) if !word.chars().skip(1).any(char::is_uppercase) => first.to_lowercase().chain(letters).collect(),
        _ => label.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::experiments as edits;
    use super::super::{model, sweeps};
    use super::*;
    use crate::model::BaseModel;
    use crate::project::file::DEMO;
    use crate::project::styles::ExperimentStyle;
    use crate::project::sweep::{Axis, Sweep};
    use crate::schema::Setting;

    fn project() -> Project {
        Project::parse(DEMO, Path::new("demo/project.ron")).unwrap()
    }

    fn between(before: &Project, after: &Project) -> (String, Place) {
        let change = Change::between(before, after).unwrap();
        (change.words, change.place)
    }

    #[test]
    fn edits_of_experiments_are_named_after_them() {
        let project = project();
        let card = |name: &str| Place::Experiment(name.to_owned());
        let mut method = project.experiments[0].method.clone();
        method.set("lambda", &Setting::Number(20.0)).unwrap();
        let (words, place) = between(&project, &edits::with_options(&project, 0, method));
        assert_eq!(words, "lambda of PESO");
        assert_eq!(place, Place::MethodOption { experiment: "PESO".to_owned(), option: "lambda".to_owned() });
        let coloured = edits::with_style(&project, "PESO", ExperimentStyle::at(11));
        assert_eq!(between(&project, &coloured), ("colour and marker of PESO".to_owned(), card("PESO")));
        let own_seeds = edits::with_own_seeds(&project, 0, Some(vec![7]));
        assert_eq!(between(&project, &own_seeds), ("the seeds of PESO".to_owned(), card("PESO")));
        let without = edits::without_experiment(&project, 0);
        assert_eq!(between(&project, &without), ("removing PESO".to_owned(), card("PESO")));
        assert_eq!(between(&without, &project).0, "adding PESO");
        let two = edits::with_duplicate(&project, 0);
        assert_eq!(between(&project, &two), ("adding PESO 2".to_owned(), card("PESO 2")));
        assert_eq!(between(&project, &edits::renamed(&project, 0, "Mine")).0, "renaming PESO to Mine");
        assert_eq!(between(&project, &edits::with_method(&project, 0, MethodOptions::Retrain)).0, "the method of PESO");
        assert_eq!(between(&project, &edits::moved_down(&project, 0)).0, "moving Single evolving LoRA");
        assert_eq!(between(&project, &edits::with_seeds(&project, vec![1, 2])), ("the seeds".to_owned(), Place::Seeds));
        assert_eq!(Change::between(&project, &project.clone()), None);
    }

    #[test]
    fn edits_of_settings_and_data_are_named_after_what_they_set() {
        let project = project();
        let set = |path: &str, value: f64| {
            let mut project = project.clone();
            settings::set(&mut project, path, Some(&Setting::Number(value))).unwrap();
            project
        };
        let at = |path: &str| Place::Setting(path.to_owned());
        assert_eq!(between(&project, &set("training.epochs", 7.0)), ("epochs".to_owned(), at("training.epochs")));
        assert_eq!(between(&project, &set("training.lora.rank", 7.0)).0, "LoRA rank");
        let mut two = set("training.epochs", 7.0);
        two.seeds = vec![8];
        assert_eq!(between(&project, &two).0, "epochs and one more change");
        let files = super::super::data::with_detected(&project, Path::new("a.csv"));
        assert_eq!(between(&project, &files), ("the data".to_owned(), Place::Data));
        let mut core = files.clone();
        core.dataset.prepare_mut().unwrap().core = 2;
        assert_eq!(between(&files, &core), ("the preparation".to_owned(), Place::Preparation));
        let given = model::with_base(&project, BaseModel::HuggingFace("a".into()));
        assert_eq!(between(&given, &project).0, "the base model");
        let axis = Axis { option: "lambda".to_owned(), values: vec![Setting::Number(1.0)] };
        let sweep = Sweep { experiment: "PESO".to_owned(), options: vec![axis], combine: Default::default() };
        let mut none = project.clone();
        none.sweeps.clear();
        let swept = sweeps::with_sweep(&none, None, sweep);
        assert_eq!(between(&none, &swept).0, "adding a sweep of PESO");
        assert_eq!(between(&swept, &none).0, "removing a sweep of PESO");
        let gone = edits::without_experiment(&swept, 0);
        let mut gone = gone;
        gone.sweeps.clear();
        assert_eq!(between(&swept, &gone).0, "removing PESO", "its sweep goes with it");
    }
}
