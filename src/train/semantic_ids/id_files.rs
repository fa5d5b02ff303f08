//! Where trained ids lie, with all that belongs to them: beside the project file, under a name made of the options.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::canonical;
use crate::error::InputError;
use crate::files;
use crate::id_training::observer::Epoch;
use crate::id_training::{Quality, log};
use crate::project::{Project, SemanticIds};
use crate::run::config::without_folder;
use crate::semantic_id::Manifest;

/// The folder beside the project file that trained ids lie in.
const FOLDER: &str = "semantic_ids";
/// The most bytes of a file of figures.
const LARGEST_QUALITY: u64 = 1 << 20;
/// What the control file says for training to end.
const STOP: &str = "stop";

/// The files of a project's trained ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdFiles {
    pub folder: PathBuf,
    /// The ids, in the released format.
    pub index: PathBuf,
    /// Their figures, and a hash of what they were made of.
    pub quality: PathBuf,
    /// What items that come later get ids with.
    pub codebooks: PathBuf,
    /// How several sources of vectors agree, where that was asked for.
    pub modalities: PathBuf,
    /// What belongs together, and which version added which items.
    pub manifest: PathBuf,
    /// The figures of each epoch, while and after they are made.
    pub log: PathBuf,
    /// Where training is; there is none before and after.
    pub checkpoint: PathBuf,
    /// Held by whoever makes them.
    pub lock: PathBuf,
    /// What the user wants of whoever makes them.
    control: PathBuf,
}

/// Figures with a hash of what ids were made of.
#[derive(Serialize, Deserialize)]
pub(super) struct Made {
    #[serde(default)]
    pub made_of: String,
    pub quality: Quality,
}

/// What there is of a project's trained ids at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct IdsState {
    /// Figures of the ids that are there.
    pub quality: Option<Quality>,
    /// What was published; none of ids that another version of the program made.
    pub manifest: Option<Manifest>,
    /// The epochs so far; those of the last training where none is under way.
    pub epochs: Vec<Epoch>,
    /// Whether training was ended and can go on.
    pub halted: bool,
    /// Whether some process makes them now.
    pub training: bool,
}

impl Project {
    /// The index that the project names instead of the dataset's own, as a path from the project's folder. Ids that
    /// are trained have a name made of the data's options and theirs, so that other options are other files.
    pub fn index_path(&self) -> Option<PathBuf> {
        match &self.semantic_ids {
            SemanticIds::Dataset => None,
            SemanticIds::Index(path) => Some(path.clone()),
            SemanticIds::Train(options) => {
                let dataset = self.dataset.clone().with_paths(without_folder);
                let base_model = self.base_model.path().filter(|_| options.source.needs_base_model());
                // A project that was read can be written; what could not would share one name, and the ids in it be made anew.
                let dataset = canonical::settings(&dataset).unwrap_or_default();
                let options = canonical::settings(&options.unnamed()).unwrap_or_default();
                let made_of = json!({"dataset": dataset, "options": options, "base_model": base_model});
                let hash = canonical::hash("semantic ids 2", &made_of);
                Some(PathBuf::from(FOLDER).join(format!("{}.index.json", &hash[..8])))
            }
        }
    }

    /// Whether the project's semantic ids are to be trained, and were not.
    pub fn lacks_semantic_ids(&self) -> bool {
        IdFiles::of(self).is_some_and(|files| !files.index.exists())
    }
}

impl IdFiles {
    /// Where the ids of a project lie that trains them.
    pub fn of(project: &Project) -> Option<Self> {
        let SemanticIds::Train(_) = &project.semantic_ids else { return None };
        let index = project.folder.join(project.index_path()?);
        // `<name>.index` and the like, in place of `<name>.index.json`.
        let beside = |ending: &str| index.with_extension("").with_extension(ending);
        Some(Self {
            folder: project.folder.join(FOLDER),
            quality: beside("quality.json"),
            codebooks: beside("codebooks.safetensors"),
            modalities: beside("modalities.json"),
            manifest: Manifest::path_of(&index),
            log: beside("log.jsonl"),
            checkpoint: beside("checkpoint.safetensors"),
            lock: beside("lock"),
            control: beside("control"),
            index,
        })
    }

    /// The figures of ids that are there and were made of this; none where there are no such.
    ///
    /// # Errors
    /// The file of figures is damaged, or a file is not the one that the manifest names.
    pub(super) fn quality_of(&self, made_of: &str) -> Result<Option<Quality>, InputError> {
        let made = self.made()?.filter(|made| made.made_of == made_of);
        if made.is_some() {
            Manifest::of(&self.index)?;
        }
        Ok(made.map(|made| made.quality))
    }

    pub(super) fn made(&self) -> Result<Option<Made>, InputError> {
        if !(self.index.is_file() && self.quality.is_file()) {
            return Ok(None);
        }
        let text = files::read_text(&self.quality, LARGEST_QUALITY)?;
        let made = serde_json::from_str(&text).map_err(|error| {
            InputError::new(&self.quality, error.to_string()).advice("`peso semantic-ids --fresh` makes it again")
        })?;
        Ok(Some(made))
    }

    /// Removes what killed makers of these ids left half written; nobody else may be making them.
    pub(super) fn remove_left_behind(&self) {
        files::remove_left_behind_of(&self.index.with_extension("").with_extension(""));
    }

    pub(super) fn remove_checkpoint(&self) -> Result<(), InputError> {
        files::remove(&self.checkpoint)
    }

    /// Asks whoever makes the ids to keep what is done and to end.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn ask_to_stop(&self) -> Result<(), InputError> {
        files::write_atomically(&self.control, STOP.as_bytes())
    }

    /// Takes back what was asked of those who made the ids before.
    pub(super) fn allow(&self) -> Result<(), InputError> {
        files::remove(&self.control)
    }

    pub(super) fn asked_to_stop(&self) -> bool {
        files::read_text(&self.control, 64).is_ok_and(|word| word.trim() == STOP)
    }
}

impl IdsState {
    /// Looks at what there is.
    ///
    /// # Errors
    /// The file of figures is damaged, or a file is not the one that the manifest names.
    pub fn read(id_files: &IdFiles) -> Result<Self, InputError> {
        let training = files::is_locked(&id_files.lock);
        Ok(Self {
            quality: id_files.made()?.map(|made| made.quality),
            manifest: Manifest::of(&id_files.index)?,
            epochs: log::read(&id_files.log),
            halted: !training && id_files.checkpoint.is_file(),
            training,
        })
    }
}
