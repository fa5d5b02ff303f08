//! The sources of a project's item vectors beside each other, kept beside its ids. No id is changed.

use serde::{Deserialize, Serialize};

use super::updates::Listener;
use super::vectors::Reading;
use super::{IdFiles, Watcher};
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::files;
use crate::id_training::VectorSource;
use crate::id_training::modalities::{Modalities, Modality, compare};
use crate::project::{Project, SemanticIds};

/// Version of the file's layout.
const FORMAT: u32 = 1;
/// The most bytes of the file.
const LARGEST: u64 = 1 << 28;

/// What is kept, with a hash of what it was made of.
#[derive(Serialize, Deserialize)]
struct Kept {
    format: u32,
    made_of: String,
    modalities: Modalities,
}

impl IdFiles {
    /// How the sources of vectors agreed when that was last looked at; none where it was not.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn kept_modalities(&self) -> Result<Option<Modalities>, InputError> {
        Ok(self.modalities_of(None)?.map(|kept| kept.modalities))
    }

    fn modalities_of(&self, made_of: Option<&str>) -> Result<Option<Kept>, InputError> {
        if !self.modalities.is_file() {
            return Ok(None);
        }
        let kept: Kept = serde_json::from_str(&files::read_text(&self.modalities, LARGEST)?).map_err(|error| {
            InputError::new(&self.modalities, error.to_string())
                .advice("remove it; `peso semantic-ids PROJECT --modalities` makes it again")
        })?;
        Ok((kept.format == FORMAT && made_of.is_none_or(|made_of| made_of == kept.made_of)).then_some(kept))
    }
}

impl Project {
    /// Compares the sources that the project's item vectors are put together of, over the items that its codebooks are trained on, and
    /// keeps what it found; what is kept of the same data is not made again. None where the project takes ids from elsewhere.
    ///
    /// # Errors
    /// There is one source alone; the data or vectors cannot be used; [`RunError::Stopped`] where `watcher` wanted that.
    pub fn compare_modalities(
        &self,
        device: DeviceChoice,
        watcher: &mut dyn Watcher,
    ) -> Result<Option<Modalities>, RunError> {
        let (SemanticIds::Train(options), Some(id_files)) = (&self.semantic_ids, IdFiles::of(self)) else {
            return Ok(None);
        };
        if !matches!(&options.source, VectorSource::Concat(parts) if parts.len() > 1) {
            return Err(InputError::new(&self.folder, "the item vectors have one source, which agrees with itself")
                .at("semantic_ids.source")
                .advice("name several, as `Concat([(source: Text()), (source: Vectors(\"image.npy\"))])`")
                .into());
        }
        let catalogue = self.catalogue(watcher)?;
        let made_of = catalogue.made_of(self, options)?;
        let named_alike = |found: &Modalities| found.parts.iter().map(|part| &part.name).eq(&options.source.names());
        if let Some(kept) = id_files.modalities_of(Some(&made_of))?.filter(|kept| named_alike(&kept.modalities)) {
            return Ok(Some(kept.modalities));
        }
        let trained = catalogue.order(options.on).trained;
        let mut listener = Listener(watcher);
        let reading = &mut Reading { device, observer: &mut listener };
        let fitted = catalogue.fit_parts(self, (&options.source, options.on), &trained, reading)?;
        let parts: Vec<Modality> = fitted.ok_or(RunError::Stopped)?.into_iter().map(|part| part.modality).collect();
        let items: Vec<(&str, Option<&str>)> = trained
            .iter()
            .map(|&item| (catalogue.items[item].id.as_str(), catalogue.items[item].title.as_deref()))
            .collect();
        let modalities = compare(options, &parts, &items, &mut listener)?.ok_or(RunError::Stopped)?;
        let kept = Kept { format: FORMAT, made_of, modalities };
        let bytes = serde_json::to_vec(&kept)
            .map_err(|error| InputError::new(&id_files.modalities, format!("cannot be written: {error}")))?;
        files::create_folder(&id_files.folder)?;
        files::write_atomically(&id_files.modalities, &bytes)?;
        Ok(Some(kept.modalities))
    }
}
