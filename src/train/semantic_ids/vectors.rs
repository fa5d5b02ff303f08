//! What is known of a project's items, and the vectors that are made of it.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::keeper::Keeper;
use crate::data::formats::{ImportError, OnProgress};
use crate::data::interactions::ItemText;
use crate::data::{Dataset, DatasetSource, Item, Prepared, Stage, cache, load};
use crate::device;
use crate::error::{InputError, RunError};
use crate::id_training::embeddings::{self, Reader, add_file};
use crate::id_training::source::{Part, Text, VectorSource, concatenated};
use crate::id_training::{TrainIds, interactions, npy, words};
use crate::project::Project;

/// The items of a dataset and what is written about them, in the order of the codes.
pub(super) struct Catalogue {
    pub items: Vec<Item>,
    texts: Vec<ItemText>,
    stages: Vec<Stage>,
}

impl Catalogue {
    /// Reads it. Data that come in stages have titles alone.
    pub fn read(source: &DatasetSource, folder: &Path, watch: OnProgress<'_>) -> Result<Self, ImportError> {
        if matches!(source, DatasetSource::PesoRelease { .. } | DatasetSource::Synthetic(_)) {
            let Dataset { items, stages, .. } = Dataset::load(source, None, folder)?;
            let texts = items.iter().map(|item| ItemText { title: item.title.clone(), ..ItemText::default() });
            return Ok(Self { texts: texts.collect(), items, stages });
        }
        let Prepared { catalogue, stages, .. } = load::import(source, folder, watch)?.prepared;
        Ok(Self { items: catalogue.items, texts: catalogue.texts, stages })
    }

    /// The first category of each item.
    pub fn categories(&self) -> Vec<Option<&str>> {
        self.texts.iter().map(|text| text.categories.first().map(String::as_str)).collect()
    }

    /// SHA-256 (hex) over all that ids are made of beside the options: the items with their texts, the interactions where vectors
    /// are made of them, the content of files of vectors, and of models that read texts.
    pub fn made_of(&self, project: &Project, options: &TrainIds) -> Result<String, InputError> {
        let mut hash = Sha256::new();
        hash.update("semantic ids 1");
        for (item, text) in self.items.iter().zip(&self.texts) {
            let categories = text.categories.first().map_or("", String::as_str);
            for part in [item.id.as_str(), &text.joined(), categories] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        for source in options.source.each() {
            match source {
                VectorSource::Words(_) | VectorSource::Concat(_) => {}
                VectorSource::Interactions(_) => {
                    for sequence in self.stages.iter().flat_map(|stage| &stage.sequences) {
                        let targets = &sequence.items[sequence.training_targets()];
                        hash.update((targets.len() as u64).to_le_bytes());
                        targets.iter().for_each(|target| hash.update(target.to_le_bytes()));
                    }
                }
                VectorSource::Text(text) => hash.update(embeddings::content_hash(&model_path(project, text)?)?),
                VectorSource::Vectors(path) => {
                    let path = project.folder.join(path);
                    add_file(&mut hash, &path)?;
                    let ids = npy::ids_path(&path);
                    if ids.is_file() {
                        add_file(&mut hash, &ids)?;
                    }
                }
            }
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The vectors that a source makes; none where the user ended it.
    pub fn vectors(
        &self,
        project: &Project,
        source: &VectorSource,
        keeper: &mut Keeper<'_>,
    ) -> Result<Option<Vec<Vec<f64>>>, RunError> {
        match source {
            VectorSource::Vectors(path) => {
                let ids: Vec<&str> = self.items.iter().map(|item| item.id.as_str()).collect();
                Ok(Some(npy::read(&project.folder.join(path), &ids)?))
            }
            VectorSource::Words(width) => Ok(Some(words::vectors(&self.joined(project)?, *width))),
            VectorSource::Interactions(width) => {
                let made = interactions::vectors(&self.stages, self.items.len(), *width);
                if made.iter().flatten().all(|value| *value == 0.0) {
                    return Err(InputError::new(&project.folder, "no two items are training targets of one user")
                        .advice("ids of interactions need users with at least four interactions in a stage")
                        .into());
                }
                Ok(Some(made))
            }
            VectorSource::Text(text) => {
                let device = device::choose(keeper.device).map(|(device, _)| device);
                let device = device.map_err(|message| RunError::Device {
                    device: keeper.device.to_string(),
                    message,
                    next: "cpu".to_owned(),
                })?;
                let model = model_path(project, text)?;
                let reader = Reader {
                    content: &embeddings::content_hash(&model)?,
                    model: &model,
                    tokens: text.tokens,
                    device: &device,
                    cache: &project.folder.join(cache::FOLDER),
                };
                Ok(reader.vectors(&self.joined(project)?, keeper)?)
            }
            VectorSource::Concat(parts) => {
                let mut made = Vec::with_capacity(parts.len());
                for Part { source, weight } in parts {
                    let Some(vectors) = self.vectors(project, source, keeper)? else { return Ok(None) };
                    made.push((vectors, *weight));
                }
                Ok(Some(concatenated(&made)))
            }
        }
    }

    /// The text of each item.
    fn joined(&self, project: &Project) -> Result<Vec<String>, InputError> {
        let joined: Vec<String> = self.texts.iter().map(ItemText::joined).collect();
        if joined.iter().all(String::is_empty) {
            return Err(InputError::new(&project.folder, "no item has a text to make semantic ids of")
                .advice("choose interactions as the source of the ids, `source: Interactions(64)`, or name a file of item vectors with `source: Vectors(\"…\")`"));
        }
        Ok(joined)
    }
}

/// The model that reads texts: its own, or the project's base model.
fn model_path(project: &Project, text: &Text) -> Result<PathBuf, InputError> {
    let path = text.model.as_deref().or(project.base_model.path());
    let path = path.ok_or_else(|| {
        InputError::new(&project.folder, "a compact base model reads no text")
            .advice("name a model with `Text(model: \"…\")`")
    })?;
    Ok(project.folder.join(path))
}
