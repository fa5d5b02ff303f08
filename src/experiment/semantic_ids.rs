//! Semantic ids that a project trains: where they lie, and making them.

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::project::{Project, SemanticIds};
use super::run_folder::without_folder;
use crate::data::formats::{ImportError, Watch};
use crate::data::interactions::ItemText;
use crate::data::{Dataset, DatasetSource, Item, load};
use crate::error::Unusable;
use crate::files;
use crate::semantic_id::train::{Step, VectorSource};
use crate::semantic_id::{Quality, SemanticIndex, TrainIds, npy, words};

/// The folder beside the project file that trained ids lie in.
const FOLDER: &str = "semantic_ids";
/// The most bytes of a file of figures.
const LARGEST_QUALITY: u64 = 1 << 20;

impl Project {
    /// The index that the project names instead of the dataset's own, as a path from the project's folder. Ids that
    /// are trained have a name made of the data's options and theirs, so that other options are other files.
    pub fn index_path(&self) -> Option<PathBuf> {
        match &self.semantic_ids {
            SemanticIds::Dataset => None,
            SemanticIds::Index(path) => Some(path.clone()),
            SemanticIds::Train(options) => {
                let dataset = self.dataset.clone().with_paths(without_folder);
                // Ids of another version of the program, which may print options in another way, are made again.
                let digest = Sha256::digest(format!("{dataset:?} {options:?}"));
                let short: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                Some(PathBuf::from(FOLDER).join(format!("{short}.index.json")))
            }
        }
    }

    /// Trains the semantic ids of a project that wants that, unless they are there already, and says how good they are; none
    /// where the project takes ids from elsewhere. The index is written when it is whole; whoever ends this before begins
    /// anew. `watch` hears of an import, `told` how far training is.
    ///
    /// # Errors
    /// The data or the vectors cannot be used, `watch` ended the import, or the index cannot be written.
    pub fn ensure_semantic_ids(
        &self,
        fresh: bool,
        watch: Watch<'_>,
        told: &mut dyn FnMut(Step),
    ) -> Result<Option<Quality>, ImportError> {
        let (SemanticIds::Train(options), Some(index)) = (&self.semantic_ids, self.index_path()) else {
            return Ok(None);
        };
        let path = self.folder.join(index);
        let figures = path.with_extension("quality.json");
        if path.is_file() && figures.is_file() && !fresh {
            let text = files::read_text(&figures, LARGEST_QUALITY)?;
            let quality = serde_json::from_str(&text).map_err(|error| {
                Unusable::new(&figures, error.to_string()).advice("`peso semantic-ids --fresh` makes it again")
            })?;
            return Ok(Some(quality));
        }
        let (items, texts) = items_of(&self.dataset, &self.folder, watch)?;
        if items.is_empty() {
            return Err(Unusable::new(&self.folder, "no item is left to train semantic ids of").into());
        }
        let vectors = self.item_vectors(options, &texts)?;
        let categories: Vec<Option<&str>> =
            texts.iter().map(|text| text.categories.first().map(String::as_str)).collect();
        let (numbers, quality) = options.train(&vectors, &categories, told);
        let json = serde_json::to_vec_pretty(&quality)
            .map_err(|error| Unusable::new(&figures, format!("cannot be written: {error}")))?;
        files::create_folder(&self.folder.join(FOLDER))?;
        files::write_atomically(&figures, &json)?;
        // The index comes last: where it is, all is there.
        let index = SemanticIndex::from_numbers(options.levels, &numbers);
        files::write_pieces_atomically(&path, |writer| index.write(items.iter().map(|item| item.id.as_str()), writer))?;
        Ok(Some(quality))
    }

    fn item_vectors(&self, options: &TrainIds, texts: &[ItemText]) -> Result<Vec<Vec<f64>>, Unusable> {
        match &options.source {
            VectorSource::Vectors(path) => npy::read(&self.folder.join(path), texts.len()),
            VectorSource::Words(width) => {
                let joined: Vec<String> = texts.iter().map(ItemText::joined).collect();
                if joined.iter().all(String::is_empty) {
                    return Err(Unusable::new(&self.folder, "no item has a text to make semantic ids of")
                        .advice("name a file of item vectors with `source: Vectors(\"…\")`"));
                }
                Ok(words::vectors(&joined, *width))
            }
        }
    }
}

/// The items of a dataset and what is written about them. Data that come in stages have titles alone.
fn items_of(
    source: &DatasetSource,
    folder: &std::path::Path,
    watch: Watch<'_>,
) -> Result<(Vec<Item>, Vec<ItemText>), ImportError> {
    if matches!(source, DatasetSource::PesoRelease { .. } | DatasetSource::Synthetic(_)) {
        let items = Dataset::load(source, None, folder)?.items;
        let texts = items.iter().map(|item| ItemText { title: item.title.clone(), ..ItemText::default() }).collect();
        return Ok((items, texts));
    }
    let catalogue = load::import(source, folder, watch)?.prepared.catalogue;
    Ok((catalogue.items, catalogue.texts))
}
