//! A dataset from wherever the project file says.

use std::path::Path;

use super::formats::peso_release;
use super::{Dataset, DatasetSource, synthetic};
use crate::error::Unusable;
use crate::semantic_id::SemanticIndex;
use crate::semantic_id::index::IndexFile;

impl Dataset {
    /// Reads or generates a dataset. Relative paths start from `folder`; `index` is a semantic-id index in the released
    /// format that takes the place of the dataset's own.
    ///
    /// # Errors
    /// Names the file and the place of what cannot be used, or the option that has no meaning.
    pub fn load(source: &DatasetSource, index: Option<&Path>, folder: &Path) -> Result<Self, Unusable> {
        let index = index.map(|path| folder.join(path));
        match source {
            DatasetSource::PesoRelease { path } => peso_release::load(&folder.join(path), index.as_deref()),
            DatasetSource::Synthetic(options) => {
                let generated = synthetic::generate(options).map_err(|error| {
                    Unusable::new(folder, error.problem).at(format!("`dataset: Synthetic`, field `{}`", error.field))
                })?;
                match index {
                    Some(path) => generated.0.with_index(&path),
                    None => Ok(generated.0),
                }
            }
        }
    }

    /// The same data under other semantic ids.
    fn with_index(mut self, path: &Path) -> Result<Self, Unusable> {
        let file = IndexFile::read(path)?;
        let rows: std::collections::HashMap<&str, usize> = file.items.iter().map(String::as_str).zip(0..).collect();
        let mut numbers = Vec::with_capacity(self.items.len() * file.levels);
        for item in &self.items {
            let row = rows.get(item.id.as_str()).ok_or_else(|| {
                Unusable::new(path, format!("item `{}` has no semantic id", item.id))
                    .advice("the index must have every item of the dataset")
            })?;
            numbers.extend_from_slice(file.row(*row));
        }
        self.index = SemanticIndex::from_numbers(file.levels, &numbers);
        self.hash = self.content_hash();
        Ok(self)
    }
}
