//! The files and folders that a project names, and the same project with other ones.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Project, SemanticIds};
use crate::data::Grouping;
use crate::id_training::{TrainIds, VectorSource};
use crate::method::Federated;
use crate::method::federated::Split;
use crate::model::BaseModel;

/// A file or folder that a project names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPath {
    /// The field that names it: `base_model`.
    pub field: &'static str,
    /// As the project names it; a relative one starts from the project's folder.
    pub path: PathBuf,
}

impl Project {
    /// The files and folders that the project names, in the order of its fields.
    pub fn paths(&self) -> Vec<NamedPath> {
        let mut found = Vec::new();
        let mut add = |field: &'static str, path: &Path| {
            if !found.iter().any(|named: &NamedPath| named.path == path) {
                found.push(NamedPath { field, path: path.to_path_buf() });
            }
        };
        // The source hands out what it names while it is changed to the same.
        let named = std::cell::RefCell::new(Vec::new());
        let noted = |path: &Path| {
            named.borrow_mut().push(path.to_path_buf());
            path.to_path_buf()
        };
        let _ = self.dataset.clone().with_paths(noted);
        named.take().iter().for_each(|path| add("dataset", path));
        if let Some(path) = self.base_model.path() {
            add("base_model", path);
        }
        match &self.semantic_ids {
            SemanticIds::Dataset => {}
            SemanticIds::Index(path) => add("semantic_ids", path),
            SemanticIds::Train(options) => {
                for source in options.source.each() {
                    match source {
                        VectorSource::Vectors(path) => add("semantic_ids", path),
                        VectorSource::Text(text) => {
                            if let Some(model) = &text.model {
                                add("semantic_ids", model);
                            }
                        }
                        VectorSource::Words(_) | VectorSource::Interactions(_) | VectorSource::Concat(_) => {}
                    }
                }
            }
        }
        if let Some(path) = self.training.start.path() {
            add("training.start", path);
        }
        found
    }

    /// The tables of users that methods and pinned charts name, in the project's folder, beyond which none is read.
    pub fn tables(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut add = |text: &str| {
            if let Ok(Grouping::Column { file, .. }) = text.parse() {
                found.insert(file);
            }
        };
        let swept = self.variants().unwrap_or_default().into_iter().map(|variant| variant.experiment.method);
        for method in self.experiments.iter().map(|experiment| experiment.method.clone()).chain(swept) {
            let mut within = Some(&method);
            while let Some(options) = within {
                if let Some(Federated { split: Split::Column { users }, .. }) = options.method().federated() {
                    add(users);
                }
                within = options.method().inner();
            }
        }
        let groups = self.board.iter().filter(|pinned| pinned.figure == "fairness");
        groups.filter_map(|pinned| pinned.options.variant.as_deref()).for_each(add);
        found
    }

    /// What the project names that lies outside its folder, with the place that it leads to through links and dots; of a folder
    /// inside, what is in it is not looked at.
    pub fn outside(&self) -> Vec<(NamedPath, PathBuf)> {
        // A folder that cannot be looked at has nothing in it.
        let folder = fs::canonicalize(&self.folder).ok();
        let place = |named: NamedPath| {
            let path = self.folder.join(&named.path);
            let (place, is_inside) = match fs::canonicalize(&path) {
                Ok(place) => (place.clone(), folder.as_ref().is_some_and(|folder| place.starts_with(folder))),
                // What is not there leads nowhere yet: its name counts.
                Err(_) => {
                    let plain = |part| matches!(part, Component::Normal(_) | Component::CurDir);
                    (path, named.path.components().all(plain))
                }
            };
            (!is_inside).then_some((named, place))
        };
        self.paths().into_iter().filter_map(place).collect()
    }

    /// The same with every path changed.
    #[must_use]
    pub fn with_paths(mut self, to: &dyn Fn(&Path) -> PathBuf) -> Self {
        self.dataset = self.dataset.with_paths(to);
        self.base_model = match self.base_model {
            BaseModel::Compact(compact) => BaseModel::Compact(compact),
            BaseModel::HuggingFace(path) => BaseModel::HuggingFace(to(&path)),
            BaseModel::Gguf(path) => BaseModel::Gguf(to(&path)),
        };
        self.semantic_ids = match self.semantic_ids {
            SemanticIds::Dataset => SemanticIds::Dataset,
            SemanticIds::Index(path) => SemanticIds::Index(to(&path)),
            SemanticIds::Train(options) => {
                SemanticIds::Train(TrainIds { source: options.source.with_paths(to), ..options })
            }
        };
        self.training.start = self.training.start.map(to);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::file::DEMO;

    #[cfg(unix)]
    #[test]
    fn what_lies_outside_is_found_through_links_and_dots() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("p");
        fs::create_dir_all(folder.join("own")).unwrap();
        fs::create_dir(root.path().join("p2")).unwrap();
        std::os::unix::fs::symlink(root.path().join("p2"), folder.join("link")).unwrap();
        let mut project = Project::parse(DEMO, &folder.join("project.ron")).unwrap();
        for (path, outside) in [
            ("own", false),
            ("own/../own", false),
            ("not/there", false),
            ("./own", false),
            ("link", true),
            ("link/not there", false),
            ("../p2", true),
            ("../p2/not there", true),
            ("/etc", true),
            ("/not there", true),
        ] {
            project.base_model = BaseModel::HuggingFace(path.into());
            assert_eq!(!project.outside().is_empty(), outside, "{path}");
        }
        project.base_model = BaseModel::HuggingFace("link".into());
        let outside = project.outside();
        assert_eq!(outside[0].1, fs::canonicalize(root.path().join("p2")).unwrap(), "where the link leads");
        project.base_model = BaseModel::HuggingFace(folder.join("own"));
        assert!(project.outside().is_empty(), "an absolute path into it");
    }

    #[test]
    fn tables_of_users_are_found_in_methods_sweeps_and_on_the_board() {
        let split = |users: &str| format!("Federated(method: Single, split: Column(users: \"{users}\"))");
        let text = format!(
            r#"(
                format: 1,
                name: "tables",
                dataset: Synthetic(),
                base_model: Compact(),
                experiments: [
                    (name: "A", method: {}),
                    (name: "B", method: GradientSurgery(method: Single)),
                ],
                sweeps: [(experiment: "A", options: [(option: "split.users", values: ["b.csv:city", "c/d.csv:city"])])],
                board: [
                    (figure: "fairness", options: (metric: "hit@10", variant: "e.csv:age")),
                    (figure: "fairness", options: (metric: "hit@10", variant: "taste")),
                    (figure: "churn", options: (metric: "hit@10", variant: "f.csv:age")),
                ],
            )"#,
            split("a.csv:region"),
        );
        let project = Project::parse(&text, Path::new("p/project.ron")).unwrap();
        assert_eq!(project.variants().unwrap().len(), 4, "the sweep has two points");
        let names: Vec<_> = project.tables().into_iter().map(|file| file.display().to_string()).collect();
        assert_eq!(names, ["a.csv", "b.csv", "c/d.csv", "e.csv"]);
    }

    #[test]
    fn every_named_path_is_listed_and_can_be_changed() {
        let mut project = Project::parse(DEMO, Path::new("p/project.ron")).unwrap();
        assert_eq!(project.paths(), [], "the demo names nothing");
        project.dataset = crate::data::DatasetSource::PesoRelease { path: "data".into() };
        project.base_model = BaseModel::Gguf("m.gguf".into());
        project.semantic_ids = SemanticIds::Index("ids.json".into());
        project.training.start = crate::model::Start::Adapter("start".into());
        let listed: Vec<_> = project.paths().into_iter().map(|named| (named.field, named.path)).collect();
        let expected =
            [("dataset", "data"), ("base_model", "m.gguf"), ("semantic_ids", "ids.json"), ("training.start", "start")];
        assert_eq!(listed, expected.map(|(field, path)| (field, PathBuf::from(path))));
        let moved = project.with_paths(&|path| Path::new("x").join(path));
        assert!(moved.paths().iter().all(|named| named.path.starts_with("x")), "{:?}", moved.paths());
    }
}
