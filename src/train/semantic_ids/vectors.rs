//! What is known of a project's items, and the vectors that are made of it.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::canonical;
use crate::data::formats::{ImportError, OnProgress};
use crate::data::interactions::ItemText;
use crate::data::{Dataset, DatasetSource, Item, Prepared, Stage, cache, load};
use crate::device::{self, DeviceChoice};
use crate::error::{InputError, RunError};
use crate::id_training::embeddings::{self, Reader, add_file};
use crate::id_training::interactions::Map;
use crate::id_training::modalities::Modality;
use crate::id_training::observer::{Observer, Step};
use crate::id_training::source::{Centring, Part, Text, VectorSource};
use crate::id_training::statistics::Statistics;
use crate::id_training::words::Rarity;
use crate::id_training::{TrainIds, TrainedOn, npy};
use crate::project::Project;
use crate::semantic_id::manifest::SourceHash;

/// The items of a dataset and what is written about them, in the order of the codes.
pub(super) struct Catalogue {
    pub items: Vec<Item>,
    texts: Vec<ItemText>,
    pub stages: Vec<Stage>,
    /// By item: the stage (from 0) in which it first occurs; none for one that occurs in none.
    pub first_stage: Vec<Option<usize>>,
}

/// Vectors of the items that codebooks are trained on, and what those of later ones are made with.
pub(super) struct Fitted {
    pub vectors: Vec<Vec<f64>>,
    pub statistics: Statistics,
}

/// One of several sources, with what vectors of others are made with.
pub(super) struct FittedPart {
    pub modality: Modality,
    pub statistics: Statistics,
}

/// Where texts are read by a language model, and who hears of it.
pub(super) struct Reading<'a> {
    pub device: DeviceChoice,
    pub observer: &'a mut dyn Observer,
}

/// Items in the order in which they are given ids.
pub(super) struct Order {
    /// Those that codebooks are trained on.
    pub trained: Vec<usize>,
    /// Those that are appended, by the stage (from 0) in which they first occur; last those of none.
    pub later: Vec<(Option<usize>, Vec<usize>)>,
}

impl Catalogue {
    /// Reads it. Data that come in stages have titles alone.
    pub fn read(source: &DatasetSource, folder: &Path, watch: OnProgress<'_>) -> Result<Self, ImportError> {
        if matches!(source, DatasetSource::PesoRelease { .. } | DatasetSource::Synthetic(_)) {
            let Dataset { items, stages, .. } = Dataset::load(source, None, folder)?;
            let texts = items.iter().map(|item| ItemText { title: item.title.clone(), ..ItemText::default() });
            return Ok(Self::new(texts.collect(), items, stages));
        }
        let Prepared { catalogue, stages, .. } = load::import(source, folder, watch)?.prepared;
        Ok(Self::new(catalogue.texts, catalogue.items, stages))
    }

    fn new(texts: Vec<ItemText>, items: Vec<Item>, stages: Vec<Stage>) -> Self {
        let mut first_stage = vec![None; items.len()];
        for (number, stage) in stages.iter().enumerate() {
            for item in stage.sequences.iter().flat_map(|sequence| &sequence.items[sequence.current_from..]) {
                first_stage[*item as usize].get_or_insert(number);
            }
        }
        Self { items, texts, stages, first_stage }
    }

    /// What was known when a stage (from 0) was over: all that was done until then, as of one stage.
    pub fn until(&self, stage: usize) -> Self {
        let sequences = self.stages.iter().take(stage + 1).flat_map(|stage| &stage.sequences).cloned().collect();
        let first_stage =
            self.first_stage.iter().map(|first| first.filter(|first| *first <= stage).map(|_| 0)).collect();
        Self { items: self.items.clone(), texts: self.texts.clone(), stages: vec![Stage { sequences }], first_stage }
    }

    /// The first category of each of these items.
    pub fn categories(&self, items: &[usize]) -> Vec<Option<&str>> {
        items.iter().map(|&item| self.texts[item].categories.first().map(String::as_str)).collect()
    }

    /// The ids of these items in the files.
    pub fn ids(&self, items: &[usize]) -> Vec<&str> {
        items.iter().map(|&item| self.items[item].id.as_str()).collect()
    }

    /// The order of the ids of a first training.
    pub fn order(&self, on: TrainedOn) -> Order {
        let all = || 0..self.items.len();
        match on {
            TrainedOn::All => Order { trained: all().collect(), later: Vec::new() },
            TrainedOn::Stage1 => {
                let (trained, later): (Vec<usize>, Vec<usize>) =
                    all().partition(|&item| self.first_stage[item] == Some(0));
                Order { trained, later: self.by_stage(later) }
            }
        }
    }

    /// Items by the stage in which they first occur, last those of none.
    pub fn by_stage(&self, items: Vec<usize>) -> Vec<(Option<usize>, Vec<usize>)> {
        let mut groups = std::collections::BTreeMap::<_, Vec<usize>>::new();
        for item in items {
            let stage = self.first_stage[item];
            groups.entry((stage.is_none(), stage)).or_default().push(item);
        }
        groups.into_iter().map(|((_, stage), items)| (stage, items)).collect()
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
            self.add_source(&mut hash, project, source)?;
        }
        if options.on == TrainedOn::Stage1 {
            for stage in &self.first_stage {
                hash.update(stage.map_or(u64::MAX, |stage| stage as u64).to_le_bytes());
            }
        }
        Ok(canonical::hex(hash.finalize()))
    }

    /// Adds what vectors are made of beside texts.
    fn add_source(&self, hash: &mut Sha256, project: &Project, source: &VectorSource) -> Result<(), InputError> {
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
                add_file(hash, &path)?;
                let ids = npy::ids_path(&path);
                if ids.is_file() {
                    add_file(hash, &ids)?;
                }
            }
        }
        Ok(())
    }

    /// What vectors are made of, with the hash of what is not among the items' texts.
    pub fn sources(&self, project: &Project, options: &TrainIds) -> Result<Vec<SourceHash>, InputError> {
        let hashed = |source: &VectorSource| -> Result<SourceHash, InputError> {
            let mut hash = Sha256::new();
            self.add_source(&mut hash, project, source)?;
            let words = match source {
                VectorSource::Words(width) => {
                    return Ok(SourceHash { name: None, source: format!("Words({width})"), sha256: None });
                }
                VectorSource::Interactions(width) => format!("Interactions({width})"),
                VectorSource::Text(text) => {
                    let model = model_path(project, text)?;
                    format!("Text of {}", model.file_name().unwrap_or_default().display())
                }
                VectorSource::Vectors(path) => format!("Vectors of {}", path.file_name().unwrap_or_default().display()),
                VectorSource::Concat(_) => "Concat".to_owned(),
            };
            Ok(SourceHash { name: None, source: words, sha256: Some(canonical::hex(hash.finalize())) })
        };
        match &options.source {
            VectorSource::Concat(parts) => {
                let named = |part: &Part| Ok(SourceHash { name: part.name.clone(), ..hashed(&part.source)? });
                parts.iter().map(named).collect()
            }
            alone => Ok(vec![hashed(alone)?]),
        }
    }

    /// The vectors of the items that codebooks are trained on, with what those of others are made with; none where the user ended
    /// it.
    pub fn fit(
        &self,
        project: &Project,
        options: &TrainIds,
        trained: &[usize],
        reading: &mut Reading<'_>,
    ) -> Result<Option<Fitted>, RunError> {
        self.fit_source(project, (&options.source, options.on), trained, reading)
    }

    fn fit_source(
        &self,
        project: &Project,
        (source, on): (&VectorSource, TrainedOn),
        trained: &[usize],
        reading: &mut Reading<'_>,
    ) -> Result<Option<Fitted>, RunError> {
        let statistics = match source {
            VectorSource::Vectors(_) | VectorSource::Text(_) => Statistics::None,
            VectorSource::Words(_) => {
                let texts = self.texts_of_items(project)?;
                let texts: Vec<&str> = trained.iter().map(|&item| texts[item].as_str()).collect();
                Statistics::Words(Rarity::of(&texts))
            }
            VectorSource::Interactions(width) => {
                Statistics::Interactions(Map::of(&self.first_stage_of(trained), trained.len(), *width))
            }
            VectorSource::Concat(_) => {
                let Some(parts) = self.fit_parts(project, (source, on), trained, reading)? else { return Ok(None) };
                let vectors = self.joined(project, trained, parts.iter().map(|part| &part.modality))?;
                let fitted = parts.into_iter().map(|part| (part.statistics, part.modality.centring)).collect();
                return Ok(Some(Fitted { vectors, statistics: Statistics::Several(fitted) }));
            }
        };
        let rows: Vec<Option<usize>> = rows(trained, self.items.len());
        let wanted = Wanted { items: trained, on, row_of: &|item| rows[item] };
        let Some(vectors) = self.vectors(project, (source, &statistics), &wanted, reading)? else { return Ok(None) };
        if matches!(source, VectorSource::Interactions(_)) && vectors.iter().flatten().all(|value| *value == 0.0) {
            return Err(InputError::new(&project.folder, "no two items are training targets of one user")
                .advice("ids of interactions need users with at least four interactions in a stage")
                .into());
        }
        Ok(Some(Fitted { vectors, statistics }))
    }

    /// The sources of several apart, or the only one; none where the user ended it. An item may have no vector in some.
    pub fn fit_parts(
        &self,
        project: &Project,
        (source, on): (&VectorSource, TrainedOn),
        trained: &[usize],
        reading: &mut Reading<'_>,
    ) -> Result<Option<Vec<FittedPart>>, RunError> {
        let alone = [Part::of(source.clone())];
        let parts = if let VectorSource::Concat(parts) = source { parts.as_slice() } else { &alone };
        let mut fitted = Vec::with_capacity(parts.len());
        for (part, name) in parts.iter().zip(source.names()) {
            let (vectors, statistics) = if let (VectorSource::Vectors(path), 2..) = (&part.source, parts.len()) {
                (self.some_rows(project, path, trained, (&name, reading))?, Statistics::None)
            } else {
                let Some(found) = self.fit_source(project, (&part.source, on), trained, reading)? else {
                    return Ok(None);
                };
                (found.vectors.into_iter().map(Some).collect(), found.statistics)
            };
            let centring = Centring::of(&vectors, part.weight);
            let modality = Modality { name, weight: part.weight, vectors, centring };
            fitted.push(FittedPart { modality, statistics });
        }
        Ok(Some(fitted))
    }

    /// The rows of a file that is one of several sources, in which items may lack theirs; whoever looks on is told of them.
    fn some_rows(
        &self,
        project: &Project,
        path: &Path,
        items: &[usize],
        (name, reading): (&str, &mut Reading<'_>),
    ) -> Result<Vec<Option<Vec<f64>>>, InputError> {
        let ids: Vec<&str> = self.items.iter().map(|item| item.id.as_str()).collect();
        let all = npy::read_some(&project.folder.join(path), &ids)?;
        let rows: Vec<Option<Vec<f64>>> = items.iter().map(|&item| all[item].clone()).collect();
        let lacking = rows.iter().filter(|row| row.is_none()).count();
        if lacking > 0 {
            reading.observer.hear(&Step::Lacking { source: name.to_owned(), items: lacking, of: items.len() });
        }
        Ok(rows)
    }

    /// The vectors of several sources one after the other, each where its centring puts it.
    ///
    /// # Errors
    /// An item has a vector in none of them.
    fn joined<'m>(
        &self,
        project: &Project,
        items: &[usize],
        parts: impl Iterator<Item = &'m Modality> + Clone,
    ) -> Result<Vec<Vec<f64>>, InputError> {
        let nowhere = |row: &usize| parts.clone().all(|part| part.vectors[*row].is_none());
        if let Some(row) = (0..items.len()).find(nowhere) {
            let problem = format!("item `{}` has a vector in none of the sources", self.items[items[row]].id);
            return Err(InputError::new(&project.folder, problem).at("semantic_ids.source").advice(
                "an item may lack all sources but one; a source of words or interactions has a vector of every item",
            ));
        }
        Ok(Modality::joined(parts, items.len()))
    }

    /// The vectors of items, made with what was found of those that codebooks were trained on; none where the user ended it.
    pub fn vectors(
        &self,
        project: &Project,
        (source, statistics): (&VectorSource, &Statistics),
        wanted: &Wanted<'_>,
        reading: &mut Reading<'_>,
    ) -> Result<Option<Vec<Vec<f64>>>, RunError> {
        let of_items = |all: Vec<Vec<f64>>| wanted.items.iter().map(|&item| all[item].clone()).collect();
        match (source, statistics) {
            (VectorSource::Vectors(path), _) => {
                let ids: Vec<&str> = self.items.iter().map(|item| item.id.as_str()).collect();
                Ok(Some(of_items(npy::read(&project.folder.join(path), &ids)?)))
            }
            (VectorSource::Words(width), Statistics::Words(rarity)) => {
                let texts = self.texts_of_items(project)?;
                Ok(Some(wanted.items.iter().map(|&item| rarity.vector(&texts[item], *width)).collect()))
            }
            (VectorSource::Interactions(_), Statistics::Interactions(map)) => {
                // Without the future an item is placed by the stage that it comes in, even if it is in no pair there.
                let counts = |stage, item: usize| wanted.on == TrainedOn::All || self.first_stage[item] == Some(stage);
                Ok(Some(of_items(map.placed(&self.stages, self.items.len(), wanted.row_of, &counts))))
            }
            (VectorSource::Text(text), _) => {
                let (device, _) = device::required(reading.device)?;
                let model = model_path(project, text)?;
                let reader = Reader {
                    content: &embeddings::content_hash(&model)?,
                    model: &model,
                    tokens: text.tokens,
                    device: &device,
                    cache: &project.folder.join(cache::FOLDER),
                };
                let texts = self.texts_of_items(project)?;
                let texts: Vec<String> = wanted.items.iter().map(|&item| texts[item].clone()).collect();
                Ok(reader.vectors(&texts, reading.observer)?)
            }
            (VectorSource::Concat(parts), Statistics::Several(fitted)) => {
                let mut found = Vec::with_capacity(parts.len());
                for ((part, name), (statistics, centring)) in parts.iter().zip(source.names()).zip(fitted) {
                    let vectors = if let (VectorSource::Vectors(path), 2..) = (&part.source, parts.len()) {
                        self.some_rows(project, path, wanted.items, (&name, reading))?
                    } else {
                        let Some(vectors) = self.vectors(project, (&part.source, statistics), wanted, reading)? else {
                            return Ok(None);
                        };
                        vectors.into_iter().map(Some).collect()
                    };
                    found.push(Modality { name, weight: part.weight, vectors, centring: centring.clone() });
                }
                Ok(Some(self.joined(project, wanted.items, found.iter())?))
            }
            _ => Err(InputError::new(&project.folder, "the kept statistics are of another source of vectors").into()),
        }
    }

    /// Stage 1 with its items, which are all among these, by their places in the list: so how many items come later, and where they
    /// stand in the catalogue, changes nothing.
    fn first_stage_of(&self, trained: &[usize]) -> Stage {
        let rows = rows(trained, self.items.len());
        let mut first = self.stages.first().cloned().unwrap_or_default();
        for item in first.sequences.iter_mut().flat_map(|sequence| &mut sequence.items) {
            *item = rows[*item as usize].map_or(*item, |row| row as u32);
        }
        first
    }

    /// The text of each item.
    fn texts_of_items(&self, project: &Project) -> Result<Vec<String>, InputError> {
        let joined: Vec<String> = self.texts.iter().map(ItemText::joined).collect();
        if joined.iter().all(String::is_empty) {
            return Err(InputError::new(&project.folder, "no item has a text to make semantic ids of")
                .advice("choose interactions as the source of the ids, `source: Interactions(64)`, or name a file of item vectors with `source: Vectors(\"…\")`"));
        }
        Ok(joined)
    }
}

/// Items whose vectors are wanted.
pub(super) struct Wanted<'a> {
    pub items: &'a [usize],
    pub on: TrainedOn,
    /// Which row an item has among those that codebooks were trained on.
    pub row_of: &'a dyn Fn(usize) -> Option<usize>,
}

/// By item: its place in a list of items.
pub(super) fn rows(list: &[usize], items: usize) -> Vec<Option<usize>> {
    let mut rows = vec![None; items];
    list.iter().enumerate().for_each(|(row, &item)| rows[item] = Some(row));
    rows
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
