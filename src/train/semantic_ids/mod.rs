//! Semantic ids that a project trains: where they lie, and making them.

mod append;
mod id_files;
mod keeper;
mod modalities;
mod publish;
mod updates;
mod vectors;

use std::ops::ControlFlow;
use std::time::Duration;

pub use self::append::{Growth, SideErrors};
pub use self::id_files::{IdFiles, IdsState};
use self::keeper::Keeper;
use self::publish::{Group, Publication};
pub use self::updates::IdUpdates;
use self::vectors::{Catalogue, Fitted, Order, Wanted, rows};
use crate::data::formats::{ImportError, Progress};
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::files;
use crate::id_training::append::Appending;
use crate::id_training::checkpoint::Checkpoint;
use crate::id_training::kept::Kept;
use crate::id_training::observer::{Observer as _, Step};
use crate::id_training::{Quality, TrainIds, TrainedOn, log};
use crate::project::{Project, SemanticIds};
use crate::run::CHECKPOINT_EVERY;
use crate::semantic_id::Manifest;
use crate::semantic_id::manifest::{How, next};

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

    /// What whoever has them made should know.
    fn remark(&mut self, _words: &str) {}

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
        id_files.remove_left_behind();
        Manifest::finish(&id_files.index)?;
        // Whoever had the lock before may have made them.
        if let Some(quality) = known(making.fresh)? {
            return Ok(Some(quality));
        }
        if making.fresh {
            id_files.remove_checkpoint()?;
        } else {
            self.look_before_replacing(&id_files, watcher)?;
        }
        id_files.allow()?;
        self.train_ids(options, &catalogue, &mut Keeper::new(&id_files, &made_of, making, watcher))
    }

    /// Says that ids of other data are about to be replaced, and refuses it where someone appended to them.
    fn look_before_replacing(&self, id_files: &IdFiles, watcher: &mut dyn Watcher) -> Result<(), InputError> {
        let Some(manifest) = Manifest::of(&id_files.index)? else { return Ok(()) };
        if manifest.is_published() {
            let problem = "the data have changed since items were last appended to these ids";
            return Err(InputError::new(&id_files.index, problem).advice(
                "`peso semantic-ids PROJECT --append` gives new items ids and moves none; `--fresh` makes all ids anew",
            ));
        }
        watcher.remark(
            "the data have changed since these ids were made, and all are made anew; `--append`, before that, keeps those that are there",
        );
        Ok(())
    }

    fn train_ids(
        &self,
        options: &TrainIds,
        catalogue: &Catalogue,
        keeper: &mut Keeper<'_>,
    ) -> Result<Option<Quality>, RunError> {
        let Order { trained, later } = catalogue.order(options.on);
        if trained.is_empty() {
            return Err(InputError::new(&self.folder, "no item occurs in stage 1, which the ids are trained on").into());
        }
        let Fitted { vectors, statistics } =
            catalogue.fit(self, options, &trained, &mut keeper.reading())?.ok_or(RunError::Stopped)?;
        // Vectors may take long, and are made while nothing else can be lost yet.
        let row_of = rows(&trained, catalogue.items.len());
        let mut groups = Vec::with_capacity(later.len());
        for (stage, items) in later {
            let wanted = Wanted { items: &items, on: options.on, row_of: &|item| row_of[item] };
            let vectors = catalogue.vectors(self, (&options.source, &statistics), &wanted, &mut keeper.reading())?;
            groups.push((stage, vectors.ok_or(RunError::Stopped)?, items));
        }
        let (id_files, made_of) = (keeper.files, keeper.made_of);
        let from = Checkpoint::load(&id_files.checkpoint, made_of)?;
        log::cut(&id_files.log, from.as_ref().map_or(0, |state| state.epoch))?;
        let categories = catalogue.categories(&trained);
        let ids = options.train(&vectors, &categories, from.as_ref(), keeper)?.ok_or(RunError::Stopped)?;
        let mut publication = Publication::of(ids.nearest, ids.numbers, ids.quality, options.levels);
        let error = ids.quantiser.errors(&vectors, &publication.ids).last().copied();
        let stage = (options.on == TrainedOn::Stage1).then_some(1);
        publication.trained(catalogue.ids(&trained), categories, stage, error)?;
        let published = publication.ids.clone();
        let mut appending = Appending::beside(&ids.quantiser, &published);
        for (stage, vectors, items) in groups {
            let appended = appending.append(&vectors, &mut || keeper.stopped()).ok_or(RunError::Stopped)?;
            let group = Group {
                items: catalogue.ids(&items),
                categories: catalogue.categories(&items),
                stage,
                how: How::Later,
            };
            publication.add(group, &appended)?;
        }
        Kept { statistics, quantiser: ids.quantiser }.save(&next(&id_files.codebooks))?;
        let quality = publication.quality.clone();
        publication.publish(id_files, made_of, options, catalogue.sources(self, options)?)?;
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
