//! A dataset from wherever the project file says.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::formats::plan::Plan;
use super::formats::{self, ImportError, ImportReport, OnProgress, peso_release};
use super::interactions::ItemText;
use super::prepare::{self, PrepareReport, Prepared};
use super::{Dataset, DatasetSource, Item, cache, synthetic};
use crate::error::InputError;
use crate::semantic_id::index::IndexFile;
use crate::semantic_id::{Manifest, SemanticIndex};

/// A dataset, and for imported interactions what became of them on the way.
#[derive(Debug)]
pub struct Loaded {
    pub dataset: Dataset,
    pub import: Option<(ImportReport, PrepareReport)>,
    /// What is written about the items, by item; empty for a dataset that comes in stages.
    pub texts: Vec<ItemText>,
    /// Why the items have no semantic ids, or not those that are asked for, of a dataset that is only shown. They then have
    /// those of the dataset, and if it has none, each stands as a code of its own.
    pub missing_ids: Option<InputError>,
}

/// Imported interactions in stages, before their items have semantic ids: what ids are trained from.
#[derive(Debug)]
pub struct Imported {
    pub prepared: Prepared,
    pub report: ImportReport,
    /// The index that lies beside the interactions, where the format has one.
    pub own_index: Option<PathBuf>,
}

impl Dataset {
    /// Reads or generates a dataset. Relative paths start from `folder`; `index` is a semantic-id index in the released
    /// format that takes the place of the dataset's own.
    ///
    /// # Errors
    /// Names the file and the place of what cannot be used, or the option that has no meaning.
    pub fn load(source: &DatasetSource, index: Option<&Path>, folder: &Path) -> Result<Self, InputError> {
        let loaded = Self::load_with_progress(source, index, folder, &mut |_| ControlFlow::Continue(()));
        loaded.map(|loaded| loaded.dataset).map_err(ImportError::into_input_error)
    }

    /// The same with the report of an import, whose progress goes to `on_progress`, which may end it.
    ///
    /// # Errors
    /// As [`Dataset::load`], or `on_progress` ended the import.
    pub fn load_with_progress(
        source: &DatasetSource,
        index: Option<&Path>,
        folder: &Path,
        on_progress: OnProgress<'_>,
    ) -> Result<Loaded, ImportError> {
        let index = index.map(|path| folder.join(path));
        let dataset = match source {
            DatasetSource::PesoRelease { path } => peso_release::load(&folder.join(path), index.as_deref())?,
            DatasetSource::Synthetic(options) => {
                let (generated, _) = synthetic::generate(options).map_err(|error| {
                    InputError::new(folder, error.problem).at(format!("`dataset: Synthetic`, field `{}`", error.field))
                })?;
                match index {
                    Some(path) => generated.with_index(&path)?,
                    None => generated,
                }
            }
            imported => {
                let loaded = load_imported(imported, index, folder, on_progress)?;
                return match loaded.missing_ids {
                    Some(error) => Err(error.into()),
                    None => Ok(loaded),
                };
            }
        };
        Ok(Loaded { dataset, import: None, texts: Vec::new(), missing_ids: None })
    }

    /// The same where the data are only shown: items may lack semantic ids, or the index may not be usable.
    ///
    /// # Errors
    /// As [`Dataset::load_with_progress`], but for what is wrong with the ids.
    pub fn load_for_display(
        source: &DatasetSource,
        index: Option<&Path>,
        folder: &Path,
        on_progress: OnProgress<'_>,
    ) -> Result<Loaded, ImportError> {
        if source.prepare().is_some() {
            return load_imported(source, index.map(|path| folder.join(path)), folder, on_progress);
        }
        match (index, Self::load_with_progress(source, index, folder, on_progress)) {
            (Some(_), Err(ImportError::Input(error))) => {
                let loaded = Self::load_with_progress(source, None, folder, on_progress)?;
                Ok(Loaded { missing_ids: Some(error), ..loaded })
            }
            (_, loaded) => loaded,
        }
    }

    /// The same data under other semantic ids.
    fn with_index(mut self, path: &Path) -> Result<Self, InputError> {
        self.index = index_of(&self.items, path)?;
        self.hash = self.content_hash();
        Ok(self)
    }
}

/// Imports interactions, prepares them, and looks up their items' ids.
fn load_imported(
    source: &DatasetSource,
    index: Option<PathBuf>,
    folder: &Path,
    on_progress: OnProgress<'_>,
) -> Result<Loaded, ImportError> {
    let Imported { mut prepared, report, own_index } = import(source, folder, on_progress)?;
    let items = &prepared.catalogue.items;
    let path = index.or(own_index).ok_or_else(|| no_ids_error(source));
    let (ids, missing_ids) = match path.and_then(|path| index_of(items, &path)) {
        Ok(ids) => (ids, None),
        Err(error) => {
            let numbers: Vec<u32> = (0..items.len() as u32).collect();
            (SemanticIndex::from_numbers(1, &numbers), Some(error))
        }
    };
    let import = Some((report, prepared.report.clone()));
    let texts = std::mem::take(&mut prepared.catalogue.texts);
    Ok(Loaded { dataset: prepared.with_ids(ids), import, texts, missing_ids })
}

/// Imports interactions and prepares them; relative paths start from `folder`, where what was read is cached.
///
/// # Errors
/// A file cannot be used, an option has no meaning for it, `on_progress` ended the import, or the source is none of imported
/// interactions.
pub fn import(source: &DatasetSource, folder: &Path, on_progress: OnProgress<'_>) -> Result<Imported, ImportError> {
    let source = source.clone().with_paths(|path| folder.join(path));
    let path = source.path().unwrap_or(folder);
    let (Some(options), Some(plan)) = (source.prepare(), plan(&source)?) else {
        return Err(InputError::new(path, "this dataset comes in stages")
            .advice("only interactions are imported")
            .into());
    };
    // Options that have no meaning are told before a long import, not after.
    let invalid = |error: prepare::InvalidPrepare| {
        let field = format!("`dataset`, field `prepare.{}`", error.field);
        InputError::new(path, error.problem).at(field).advice(error.advice)
    };
    options.check().map_err(invalid)?;
    let (interactions, report) = cache::import(&plan, &folder.join(cache::FOLDER), on_progress)?;
    let prepared = prepare::prepare(&interactions, options).map_err(invalid)?;
    Ok(Imported { prepared, report, own_index: plan.index })
}

/// How a source's files are read; none for a source that comes in stages.
///
/// # Errors
/// The files are not of the format.
pub fn plan(source: &DatasetSource) -> Result<Option<Plan>, InputError> {
    match source {
        DatasetSource::Table(table) => formats::plan_of_table(table).map(Some),
        other => other.import().map(|import| formats::plan_of(other.format(), import)).transpose(),
    }
}

fn no_ids_error(source: &DatasetSource) -> InputError {
    let path = source.path().unwrap_or(Path::new(""));
    InputError::new(path, "the items have no semantic ids").advice(
        "the format has none: `semantic_ids: Train()` makes them of the items' words; or name an index with `semantic_ids: Index(\"…\")`, a JSON file that maps each item to its codes, \
         like {\"B00005N7P0\": [\"<a_12>\", \"<b_3>\", \"<c_250>\", \"<d_0>\"], …}",
    )
}

/// The codes of items from an index file, which must have all of them.
fn index_of(items: &[Item], path: &Path) -> Result<SemanticIndex, InputError> {
    if !path.exists() {
        return Err(InputError::new(path, "there is no such index of semantic ids")
            .advice("`peso semantic-ids PROJECT` makes it for a project that trains its ids"));
    }
    // What was trained and published must still be what its manifest names.
    Manifest::of(path)?;
    let file = IndexFile::read(path)?;
    let rows: HashMap<&str, usize> = file.items.iter().map(String::as_str).zip(0..).collect();
    let missing: Vec<&Item> = items.iter().filter(|item| !rows.contains_key(item.id.as_str())).collect();
    if let Some(first) = missing.first() {
        let known = file.items.first().map_or("", String::as_str);
        let problem = match missing.len() {
            1 => format!("item `{}` has no semantic id", first.id),
            count => format!("{count} of {} items have no semantic id, the first `{}`", items.len(), first.id),
        };
        return Err(InputError::new(path, problem).advice(format!(
            "the index, whose items are like `{known}`, must have every item of the dataset; for one that a project trains `peso semantic-ids PROJECT --append` gives new items ids and moves none, and without `--append` all are made anew"
        )));
    }
    let numbers: Vec<u32> = items.iter().flat_map(|item| file.row(rows[item.id.as_str()])).copied().collect();
    Ok(SemanticIndex::from_numbers(file.levels, &numbers))
}
