//! Semantic ids that a project trains: where they lie, and making them.

mod id_files;
mod keeper;
mod vectors;

use std::ops::ControlFlow;
use std::time::Duration;

pub use self::id_files::{IdFiles, IdsState};
use self::keeper::Keeper;
use self::vectors::Catalogue;
use crate::data::formats::{ImportError, Progress};
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::files;
use crate::id_training::checkpoint::Checkpoint;
use crate::id_training::observer::Step;
use crate::id_training::{Quality, TrainIds, log};
use crate::project::{Project, SemanticIds};
use crate::run::CHECKPOINT_EVERY;
use crate::semantic_id::SemanticIndex;

/// How ids are made.
#[derive(Debug, Clone, Copy)]
pub struct Making {
    /// Whether those that are there, or half made, are made again.
    pub fresh: bool,
    /// Where texts are read by a language model.
    pub device: DeviceChoice,
    /// Time between two checkpoints of the autoencoder: what a killed process loses at most, beside an epoch.
    pub checkpoint_every: Duration,
}

impl Default for Making {
    fn default() -> Self {
        Self { fresh: false, device: DeviceChoice::Auto, checkpoint_every: CHECKPOINT_EVERY }
    }
}

/// Whoever has a project's ids made.
pub trait Watcher {
    /// How far the data are read.
    fn reading(&mut self, progress: Progress);

    /// Another process makes the same ids, and is waited for.
    fn waiting(&mut self);

    fn step(&mut self, step: &Step);

    /// Whether the user wants to end; what is done is kept then.
    fn interrupted(&mut self) -> bool;
}

/// Between two looks at whether the user still waits for another process.
const PATIENCE: Duration = Duration::from_millis(500);

impl Project {
    /// Makes the semantic ids of a project that trains them, and says how good they are; none where the project takes ids from
    /// elsewhere. Ids that are there and were made of the same items, texts, vectors and model stay as they are; others are
    /// made anew. Where training was ended before, it goes on.
    ///
    /// # Errors
    /// The data, the vectors or the model cannot be used; [`RunError::Stopped`] where `watcher` or the file `control` wanted
    /// that; the ids cannot be written.
    pub fn ensure_semantic_ids(&self, making: Making, watcher: &mut dyn Watcher) -> Result<Option<Quality>, RunError> {
        let (SemanticIds::Train(options), Some(id_files)) = (&self.semantic_ids, IdFiles::of(self)) else {
            return Ok(None);
        };
        let catalogue = self.catalogue(watcher)?;
        if catalogue.items.is_empty() {
            return Err(InputError::new(&self.folder, "no item is left to train semantic ids of").into());
        }
        let made_of = catalogue.made_of(self, options)?;
        let known = |fresh: bool| if fresh { Ok(None) } else { id_files.quality_of(&made_of) };
        if let Some(quality) = known(making.fresh)? {
            return Ok(Some(quality));
        }
        files::create_folder(&id_files.folder)?;
        let _lock = lock(&id_files, watcher)?;
        // Whoever had the lock before may have made them.
        if let Some(quality) = known(making.fresh)? {
            return Ok(Some(quality));
        }
        if making.fresh {
            id_files.remove_checkpoint()?;
        }
        id_files.allow()?;
        self.train_ids(options, &catalogue, &mut Keeper::new(&id_files, &made_of, making, watcher))
    }

    fn train_ids(
        &self,
        options: &TrainIds,
        catalogue: &Catalogue,
        keeper: &mut Keeper<'_>,
    ) -> Result<Option<Quality>, RunError> {
        let vectors = catalogue.vectors(self, &options.source, keeper)?.ok_or(RunError::Stopped)?;
        let (id_files, made_of) = (keeper.files, keeper.made_of);
        let from = Checkpoint::load(&id_files.checkpoint, made_of)?;
        log::cut(&id_files.log, from.as_ref().map_or(0, |state| state.epoch))?;
        let trained = options.train(&vectors, &catalogue.categories(), from.as_ref(), keeper)?;
        let (numbers, quality) = trained.ok_or(RunError::Stopped)?;
        let index = SemanticIndex::from_numbers(options.levels, &numbers);
        let ids = catalogue.items.iter().map(|item| item.id.as_str());
        files::write_pieces_atomically(&id_files.index, |writer| index.write(ids, writer))?;
        // The figures come last: where they name what the ids are made of, the index is that one.
        id_files.write_quality(made_of, &quality)?;
        id_files.remove_checkpoint()?;
        Ok(Some(quality))
    }

    /// The ids of the items in the catalogue's order, which is that of the rows of a matrix of item vectors.
    ///
    /// # Errors
    /// The data cannot be used, or the watcher ended the import.
    pub fn item_ids(&self, watcher: &mut dyn Watcher) -> Result<Vec<String>, RunError> {
        Ok(self.catalogue(watcher)?.items.into_iter().map(|item| item.id).collect())
    }

    fn catalogue(&self, watcher: &mut dyn Watcher) -> Result<Catalogue, RunError> {
        let read = Catalogue::read(&self.dataset, &self.folder, &mut |progress| {
            watcher.reading(progress);
            if watcher.interrupted() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        read.map_err(|error| match error {
            ImportError::Cancelled => RunError::Stopped,
            ImportError::Input(error) => error.into(),
        })
    }
}

/// The right to make the ids, waited for as long as another process has it.
fn lock(id_files: &IdFiles, watcher: &mut dyn Watcher) -> Result<std::fs::File, RunError> {
    let mut reported = false;
    loop {
        if let Some(lock) = files::lock(&id_files.lock, PATIENCE)? {
            return Ok(lock);
        }
        if watcher.interrupted() {
            return Err(RunError::Stopped);
        }
        if !std::mem::replace(&mut reported, true) {
            watcher.waiting();
        }
    }
}
