//! A project for data that somebody brings: a compact model, PESO beside what it is compared with, and ids where the format
//! has none.

use std::path::{Path, PathBuf};

use super::file::{FILE_NAME, to_ron};
use super::{Project, SemanticIds};
use crate::data::preview::{self, Proposal};
use crate::error::InputError;
use crate::files;
use crate::id_training::TrainIds;
use crate::id_training::source::VectorSource;

/// The settings of a new project: those that suit a small model which is trained from scratch.
const SETTINGS: &str = r#"
    // A small Llama, trained from scratch on stage 1 (all parameters), then frozen.
    base_model: Compact(
        width: 64,
        layers: 2,
        heads: 4,
        kv_heads: 2,
        ffn: 192,
        epochs: 10,
        learning_rate: 0.002,
        dropout: 0.2,
    ),
    training: (
        epochs: 1,
        later_stage_epochs: 4,
        batch: 64,               // training targets an optimiser step
        learning_rate: 0.001,
        later_stage_factor: 1.0, // times the learning rate from stage 2 on
        temperature: 1.0,
        softmax: ExistingItems,
        dropout: 0.1,
        lora: (rank: 8, alpha: 16.0),
        validation_users: Sample(2000),
    ),
    evaluation: (
        beams: 10,
        k: [1, 5, 10],       // cut-offs of Hit and NDCG
        protocol: Both,
        users: Sample(2000), // test users a stage and protocol
    ),
    experiments: [
        (name: "PESO", method: Peso(lambda: 2.0)),
        (name: "Single evolving LoRA", method: Single),
        (name: "Frozen", method: Frozen),
    ],
    seeds: [42],
)
"#;

/// What a new project is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProject {
    /// The file or folder of interactions.
    pub data: PathBuf,
    pub name: String,
    /// Where the project file and its runs go.
    pub folder: PathBuf,
}

impl NewProject {
    /// Writes the project file, and gives its path. Nothing that is there is overwritten.
    ///
    /// # Errors
    /// The data are of no known format, a project is there already, or the folder cannot be written.
    pub fn write(&self) -> Result<PathBuf, InputError> {
        let file = self.folder.join(FILE_NAME);
        if file.exists() {
            return Err(there_already(&file));
        }
        let proposal = preview::propose(&self.data, None, &self.folder)?;
        let ids = ids_of(&proposal);
        let text = format!(
            "(\n    format: 1,\n    name: {},\n    dataset: {},\n    semantic_ids: {},\n{SETTINGS}",
            ron_of(&self.name, &file)?,
            ron_of(&proposal.source, &file)?,
            ron_of(&ids, &file)?,
        );
        Project::parse(&text, &file)?;
        files::create_folder(&self.folder)?;
        match files::write_new(&file, text.as_bytes())? {
            true => Ok(file),
            false => Err(there_already(&file)),
        }
    }
}

fn there_already(file: &Path) -> InputError {
    InputError::new(file, "a project is there already").advice("choose another folder, or open that project")
}

/// Ids of the format's own, or those that are made of the items' words, or of who goes for what where there are no words.
fn ids_of(proposal: &Proposal) -> SemanticIds {
    if proposal.own_ids {
        SemanticIds::Dataset
    } else if proposal.texts {
        SemanticIds::Train(TrainIds::default())
    } else {
        SemanticIds::Train(TrainIds { source: VectorSource::Interactions(64), ..TrainIds::default() })
    }
}

/// A value as a part of the project file, indented as one.
fn ron_of(value: &impl serde::Serialize, file: &Path) -> Result<String, InputError> {
    Ok(to_ron(value, file)?.trim_end().replace('\n', "\n    "))
}

/// A project with other data. The preparation stays, with cuts that the data can have; ids of the data's own are trained where
/// the new data have none.
#[must_use]
pub fn with_data(project: &Project, proposal: &Proposal) -> Project {
    let mut project = project.clone();
    let mut source = proposal.source.clone();
    if let (Some(new), Some(old)) = (source.prepare_mut(), project.dataset.prepare()) {
        *new = old.clone().fitted(proposal.timed);
    }
    project.dataset = source;
    if project.semantic_ids == SemanticIds::Dataset {
        project.semantic_ids = ids_of(proposal);
    }
    project
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::Format;
    use crate::data::{DatasetSource, StageCuts};

    fn fixture(path: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data").join(path)
    }

    fn written(data: PathBuf) -> Project {
        let folder = tempfile::tempdir().unwrap();
        let new = NewProject { data, name: "Say \"hello\" {SETTINGS}".to_owned(), folder: folder.path().join("a/b") };
        let file = new.write().unwrap();
        let project = Project::load(&file).unwrap();
        assert_eq!(project.name, "Say \"hello\" {SETTINGS}");
        let again = new.write().unwrap_err();
        assert_eq!(again.problem, "a project is there already");
        assert_eq!(std::fs::read_dir(folder.path().join("a/b")).unwrap().count(), 1, "nothing else is left behind");
        project
    }

    #[test]
    fn a_project_is_written_for_data_of_every_kind_and_never_twice() {
        let project = written(fixture("recbole"));
        assert!(project.dataset.format() == Format::of_key("RecBole") && project.index_path().is_some());
        let project = written(fixture("lc_rec"));
        assert_eq!(project.semantic_ids, SemanticIds::Dataset);
        assert!(matches!(project.dataset.prepare().unwrap().stages, StageCuts::ByOrder { .. }), "there are no times");
        assert!(matches!(written(fixture("tiny_release")).dataset, DatasetSource::PesoRelease { .. }));
        let DatasetSource::Table(table) = written(fixture("table/named.csv")).dataset else { panic!("a table") };
        let columns = (table.columns.user.as_str(), table.columns.item.as_str(), table.columns.time.as_deref());
        assert_eq!((columns, table.header), (("who", "what", Some("when")), true));
        let folder = tempfile::tempdir().unwrap();
        let new = NewProject { data: fixture("table"), name: "x".into(), folder: folder.path().join("new") };
        assert!(new.write().unwrap_err().problem.contains("several files"));
        assert!(!folder.path().join("new").exists());
    }

    #[test]
    fn data_in_the_projects_folder_are_named_from_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::copy(fixture("table/plain.tsv"), folder.path().join("data/plain.tsv")).unwrap();
        let data = folder.path().join("data/plain.tsv");
        let file = NewProject { data, name: "x".into(), folder: folder.path().into() }.write().unwrap();
        assert_eq!(Project::load(&file).unwrap().dataset.path(), Some(Path::new("data/plain.tsv")));
    }
}
