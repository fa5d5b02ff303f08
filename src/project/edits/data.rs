//! Edits of a project's data, their preparation and semantic ids, and of how runs are tested.

use std::path::{Path, PathBuf};

use super::changed;
use crate::data::DatasetSource;
use crate::data::formats::options::{Import, ItemTable};
use crate::data::prepare::{Prepare, StageCuts};
use crate::project::{Evaluation, Project, SemanticIds};

/// The project with another dataset, as it is.
pub(crate) fn with_source(project: &Project, source: DatasetSource) -> Project {
    changed(project, |project| project.dataset = source)
}

/// The project with the files at a path, whose format their content tells; the preparation stays.
pub(crate) fn with_detected(project: &Project, path: &Path) -> Project {
    let prepare = project.dataset.prepare().cloned().unwrap_or_default();
    with_source(project, DatasetSource::Detect(Import { prepare, ..Import::at(path) }))
}

/// The project with other cuts between stages.
pub(crate) fn with_stages(project: &Project, stages: StageCuts) -> Project {
    with_source(project, project.dataset.clone().with_stages(stages))
}

/// The project with other kinds of events that are interactions; the usual ones where none are named.
pub(crate) fn with_events(project: &Project, events: Option<Vec<String>>) -> Project {
    changed(project, |project| {
        if let Some(import) = project.dataset.import_mut() {
            import.events = events;
        }
    })
}

/// The project with other steps of preparation, where its data are prepared, and other tests.
pub(crate) fn with_preparation(project: &Project, prepare: Option<Prepare>, evaluation: Evaluation) -> Project {
    changed(project, |project| {
        if let (Some(steps), Some(prepare)) = (project.dataset.prepare_mut(), prepare) {
            *steps = prepare;
        }
        project.evaluation = evaluation;
    })
}

/// The project with another file of items, or none. One below the project's folder is named from there. A table without the
/// file loses what its columns were.
pub(crate) fn with_items(project: &Project, path: Option<PathBuf>) -> Project {
    let path = path.map(|path| path.strip_prefix(&project.folder).map(Path::to_path_buf).unwrap_or(path));
    changed(project, |project| match (&mut project.dataset, path) {
        (DatasetSource::Table(table), None) => table.items = None,
        (source, path) => {
            if let Some(import) = source.import_mut() {
                import.items = path;
            }
        }
    })
}

/// The project whose table of interactions has this table of items.
pub(crate) fn with_item_table(project: &Project, items: ItemTable) -> Project {
    changed(project, |project| {
        if let DatasetSource::Table(table) = &mut project.dataset {
            table.items = Some(items);
        }
    })
}

/// The project with semantic ids from elsewhere.
pub(crate) fn with_semantic_ids(project: &Project, ids: SemanticIds) -> Project {
    changed(project, |project| project.semantic_ids = ids)
}

/// The project with other cut-offs of Hit and NDCG.
pub(crate) fn with_cut_offs(project: &Project, cut_offs: Vec<usize>) -> Project {
    changed(project, |project| project.evaluation.k = cut_offs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Protocols;
    use crate::project::file::DEMO;

    fn project() -> Project {
        Project::parse(DEMO, Path::new("/projects/demo/project.ron")).unwrap()
    }

    #[test]
    fn other_files_keep_the_preparation() {
        let first = with_detected(&project(), Path::new("a.csv"));
        let prepare = Prepare { core: 2, ..Prepare::default() };
        let evaluation = Evaluation { protocol: Protocols::Both, known_items: true, ..first.evaluation.clone() };
        let prepared = with_preparation(&first, Some(prepare.clone()), evaluation.clone());
        assert_eq!(prepared.evaluation, evaluation);
        let second = with_detected(&prepared, Path::new("b.csv"));
        assert_eq!(second.dataset.path(), Some(Path::new("b.csv")));
        assert_eq!(second.dataset.prepare(), Some(&prepare));
    }

    #[test]
    fn generated_data_have_nothing_to_prepare_and_no_items() {
        let project = project();
        assert_eq!(with_preparation(&project, Some(Prepare::default()), project.evaluation.clone()), project);
        assert_eq!(with_items(&project, Some("items.csv".into())), project);
    }

    #[test]
    fn items_below_the_project_are_named_from_there() {
        let files = with_detected(&project(), Path::new("a.csv"));
        let items = |path: &str| with_items(&files, Some(path.into())).dataset.import().unwrap().items.clone();
        assert_eq!(items("/projects/demo/items.csv"), Some("items.csv".into()));
        assert_eq!(items("/elsewhere/items.csv"), Some("/elsewhere/items.csv".into()));
        let none = with_items(&with_items(&files, Some("items.csv".into())), None);
        assert_eq!(none, files);
    }
}
