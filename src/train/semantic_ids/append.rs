//! Items that came with new data get ids beside those that were published, of which none is moved.

use std::collections::HashMap;

use serde::Serialize;

use super::id_files::IdFiles;
use super::keeper::Keeper;
use super::publish::{Group, Publication};
use super::vectors::{Catalogue, Wanted};
use super::{Making, Watcher, lock};
use crate::canonical;
use crate::error::{InputError, RunError};
use crate::files;
use crate::id_training::append::Appending;
use crate::id_training::kept::Kept;
use crate::id_training::observer::Observer as _;
use crate::id_training::{Quality, TrainIds};
use crate::project::{Project, SemanticIds};
use crate::semantic_id::index::IndexFile;
use crate::semantic_id::manifest::{How, Manifest, Version, next};

/// What appending came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// Figures of the ids that were there, and of all.
    pub before: Quality,
    pub after: Quality,
    /// How well ids describe the items that were there, and those that were added.
    pub errors: SideErrors,
    /// The new versions; none where every item had an id.
    pub versions: Vec<Version>,
}

/// Mean squared errors of item vectors, over items and dimensions, as their ids describe them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SideErrors {
    pub published: Option<f64>,
    pub added: Option<f64>,
}

impl SideErrors {
    fn of(before: &[Version], new: &[Version]) -> Self {
        let mean = |versions: &[Version]| {
            let items: usize = versions.iter().map(|version| version.added).sum();
            let error = |version: &Version| Some(version.error? * version.added as f64);
            let sum = versions.iter().map(error).sum::<Option<f64>>();
            sum.filter(|_| items > 0).map(|sum| sum / items as f64)
        };
        Self { published: mean(before), added: mean(new) }
    }
}

impl Growth {
    /// Items that were given an id.
    pub fn added(&self) -> usize {
        self.versions.iter().map(|version| version.added).sum()
    }
}

impl Project {
    /// Gives the items that have no id yet the nearest free ones under the codebooks that were kept, stage by stage, and moves no
    /// id that is there; none where the project takes ids from elsewhere.
    ///
    /// # Errors
    /// There are no ids, or no codebooks; files do not fit together; the data or vectors cannot be used; [`RunError::Stopped`] where
    /// `watcher` wanted that, and then nothing has changed.
    pub fn append_semantic_ids(&self, making: Making, watcher: &mut dyn Watcher) -> Result<Option<Growth>, RunError> {
        let (SemanticIds::Train(options), Some(id_files)) = (&self.semantic_ids, IdFiles::of(self)) else {
            return Ok(None);
        };
        if !id_files.index.is_file() {
            return Err(InputError::new(&id_files.index, "there are no semantic ids to append to")
                .advice("`peso semantic-ids PROJECT` makes those of all items")
                .into());
        }
        let _lock = lock(&id_files, watcher)?;
        id_files.remove_left_behind();
        Manifest::finish(&id_files.index)?;
        let Some(manifest) = Manifest::of(&id_files.index)? else { return Err(without_codebooks(&id_files).into()) };
        check_options(&id_files, &manifest, options)?;
        let catalogue = self.catalogue(watcher)?;
        let made_of = catalogue.made_of(self, options)?;
        id_files.allow()?;
        let mut keeper = Keeper::new(&id_files, &made_of, making, watcher);
        self.append(options, manifest, &catalogue, &mut keeper).map(Some)
    }

    fn append(
        &self,
        options: &TrainIds,
        manifest: Manifest,
        catalogue: &Catalogue,
        keeper: &mut Keeper<'_>,
    ) -> Result<Growth, RunError> {
        let (id_files, made_of) = (keeper.files, keeper.made_of);
        let before = id_files.made()?.ok_or_else(|| without_codebooks(id_files))?.quality;
        let Published { file, row_of, new } = Published::read(id_files, catalogue, &manifest)?;
        let trained = manifest.versions.first().map_or(0, |version| version.items);
        let known = manifest.versions.len();
        let kept = Kept::load(&id_files.codebooks, &options.source)?;
        let categories: HashMap<&str, Option<&str>> = {
            let all: Vec<usize> = (0..catalogue.items.len()).collect();
            catalogue.ids(&all).into_iter().zip(catalogue.categories(&all)).collect()
        };
        let mut publication = Publication::of(file.numbers.clone(), file.numbers.clone(), before.clone(), file.levels);
        publication.categories = file.items.iter().map(|id| categories.get(id.as_str()).copied().flatten()).collect();
        publication.items = file.items;
        publication.versions = manifest.versions;
        let mut appending = Appending::beside(&kept.quantiser, &file.numbers);
        for (stage, items) in catalogue.by_stage(new) {
            let row_of = |item: usize| row_of[item].filter(|&row| row < trained);
            let wanted = Wanted { items: &items, on: options.on, row_of: &row_of };
            let vectors =
                catalogue.vectors(self, (&options.source, &kept.statistics), &wanted, &mut keeper.reading())?;
            let vectors = vectors.ok_or(RunError::Stopped)?;
            let width = vectors.first().map_or(0, Vec::len);
            if width != kept.quantiser.width() {
                let problem = format!("codebooks are of vectors of {} values, not of {width}", kept.quantiser.width());
                return Err(InputError::new(&id_files.codebooks, problem)
                    .advice("name the model or file of vectors that the ids were trained with")
                    .into());
            }
            let appended = appending.append(&vectors, &mut || keeper.stopped()).ok_or(RunError::Stopped)?;
            let (ids, categories) = (catalogue.ids(&items), catalogue.categories(&items));
            publication.add(Group { items: ids, categories, stage, how: How::Appended }, &appended)?;
        }
        let (after, versions) = (publication.quality.clone(), publication.versions[known..].to_vec());
        let errors = SideErrors::of(&publication.versions[..known], &versions);
        // Also without new items: the ids are those of the data as they are now.
        files::remove(&next(&id_files.codebooks))?;
        publication.publish(id_files, made_of, options, catalogue.sources(self, options)?)?;
        Ok(Growth { before, after, errors, versions })
    }
}

/// The ids that are there, and who has none.
struct Published {
    file: IndexFile,
    /// By item of the catalogue: its place in the index.
    row_of: Vec<Option<usize>>,
    /// Items without an id.
    new: Vec<usize>,
}

impl Published {
    fn read(id_files: &IdFiles, catalogue: &Catalogue, manifest: &Manifest) -> Result<Self, InputError> {
        let file = IndexFile::read(&id_files.index)?;
        if file.items.len() != manifest.items() {
            let problem = format!("the index has {} items, its manifest {}", file.items.len(), manifest.items());
            return Err(InputError::new(&id_files.index, problem).advice("bring back both as they were published"));
        }
        let rows: HashMap<&str, usize> = file.items.iter().map(String::as_str).zip(0..).collect();
        let row_of: Vec<Option<usize>> =
            catalogue.items.iter().map(|item| rows.get(item.id.as_str()).copied()).collect();
        let new = (0..row_of.len()).filter(|&item| row_of[item].is_none()).collect();
        Ok(Self { row_of, new, file })
    }
}

fn without_codebooks(id_files: &IdFiles) -> InputError {
    let problem = format!(
        "no items can be appended: {} is not there, since an earlier version of the program kept no codebooks",
        id_files.manifest.file_name().unwrap_or_default().display()
    );
    InputError::new(&id_files.index, problem).advice(
        "with the data as they were, `peso semantic-ids PROJECT --fresh` makes the same ids again and keeps the codebooks; with the new data it makes all ids anew",
    )
}

/// Refuses to go on with other options than those that the ids were trained with.
fn check_options(id_files: &IdFiles, manifest: &Manifest, options: &TrainIds) -> Result<(), InputError> {
    let own = canonical::settings(&options.unnamed())
        .map_err(|error| InputError::new(&id_files.manifest, format!("cannot be compared: {error}")))?;
    if canonical::text(&own) == canonical::text(&manifest.options) {
        return Ok(());
    }
    Err(InputError::new(&id_files.manifest, "the manifest is of ids that were trained with other options")
        .advice("set `semantic_ids` in the project file to the options that it names"))
}
