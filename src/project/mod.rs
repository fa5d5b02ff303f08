//! The project file (RON, `format: 1`): what to train on, from what, with which methods.
//!
//! Defaults are the paper's. [`self::file`] reads, checks and writes it.

pub mod board;
pub mod check;
pub mod decision;
pub(crate) mod edits;
pub mod evaluation_fields;
pub mod file;
pub mod new_project;
pub mod paths;
pub mod ron_source;
pub mod settings;
pub mod slug;
pub mod styles;
pub mod sweep;
pub mod sweep_edit;
pub mod training_fields;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::board::PinnedFigure;
use self::decision::Gates;
use self::styles::ExperimentStyle;
use self::sweep::Sweep;
use crate::data::{DatasetSource, Protocol};
use crate::error::InputError;
use crate::id_training::TrainIds;
use crate::measure::UserMetric;
use crate::method::MethodOptions;
use crate::model::tokenizer::Tokenizer;
use crate::model::weights::Pretrained;
use crate::model::{
    BaseModel, Decoding, LlamaConfig, LoraShape, Prompt, Softmax, Start, Storage, Vocabulary, VocabularyMode,
};
use crate::semantic_id::SemanticIndex;

/// A project: one dataset, one base model, the experiments to compare.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Version of this file's layout; always 1.
    pub format: u32,
    pub name: String,
    pub dataset: DatasetSource,
    pub base_model: BaseModel,
    #[serde(default)]
    pub semantic_ids: SemanticIds,
    #[serde(default)]
    pub prompt: Prompt,
    #[serde(default)]
    pub training: Training,
    #[serde(default)]
    pub evaluation: Evaluation,
    pub experiments: Vec<Experiment>,
    /// Experiments again, with other values of their options.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sweeps: Vec<Sweep>,
    #[serde(default = "default_seeds")]
    pub seeds: Vec<u64>,
    /// What experiments are drawn with, by name, as far as that was written down; see [`Self::style_slots`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub styles: BTreeMap<String, ExperimentStyle>,
    /// Figures to be shown to others, in the order of the telling.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub board: Vec<PinnedFigure>,
    /// What a method must reach before it takes the place of another, where that was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Gates>,
    #[serde(default)]
    pub notes: String,
    #[serde(default)]
    pub tags: Vec<String>,
    /// Whether this is a bundle of results, without the data and models that training needs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// The folder that relative paths start from: the project file's. Not part of the file.
    #[serde(skip)]
    pub folder: PathBuf,
}

fn default_seeds() -> Vec<u64> {
    vec![42]
}

/// Where semantic ids come from.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum SemanticIds {
    /// The index that belongs to the dataset (the release's `<name>.index.*.json`, or the generator's own).
    #[default]
    Dataset,
    /// An index file in the released format.
    Index(PathBuf),
    /// Made of what is known of the items, once, and kept beside the project file.
    Train(TrainIds),
}

impl SemanticIds {
    /// What ids that are trained know of the future, for wherever a result is shown; none where they come from elsewhere.
    pub const fn note(&self) -> Option<&'static str> {
        match self {
            Self::Train(options) => Some(options.on.note()),
            Self::Dataset | Self::Index(_) => None,
        }
    }
}

/// Training of the stages (LoRA). Defaults are the paper's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    pub epochs: usize,
    /// Epochs from stage 2 on, where they differ: a base model that was itself trained on stage 1 has little left to
    /// learn there, and later stages are small.
    pub later_stage_epochs: Option<usize>,
    /// Targets an optimiser step; a user's targets stay together, so a step has about this many.
    pub batch: usize,
    /// Pieces that a step is computed in, one after the other: the memory of one piece, and the result of the whole step up
    /// to rounding (and to dropout, which draws other masks).
    pub accumulation: usize,
    /// Whether layers are computed again in the backward pass instead of kept: less memory, a step of a third more
    /// time, and the same gradients.
    pub checkpointing: bool,
    /// How the base model's weights lie on the device where they are not trained.
    pub storage: Storage,
    pub learning_rate: f64,
    /// Factor on the learning rate from stage 2 on.
    pub later_stage_factor: f64,
    pub schedule: Schedule,
    /// Share of a stage's steps in which the learning rate rises from 0.
    pub warm_up: f64,
    pub weight_decay: f64,
    /// Largest norm of the gradient; 0 turns clipping off.
    pub clip: f64,
    /// Newest items of a history that the model reads.
    pub max_history: usize,
    /// Logits are divided by this in the loss.
    pub temperature: f64,
    pub softmax: Softmax,
    /// Dropout on the input of the adapters.
    pub dropout: f64,
    pub vocabulary: VocabularyMode,
    pub lora: LoraShape,
    pub start: Start,
    /// Which epoch's adapter a stage leaves.
    pub keep: Keep,
    /// Validation users a stage whose loss chooses the epoch that is kept.
    pub validation_users: UsersPerStage,
    /// Whether stages are trained as the released code does where it differs: see the page "As released".
    pub release_compatible: bool,
}

impl Training {
    /// Epochs of a stage (index from 0).
    pub fn epochs_of(&self, stage: usize) -> usize {
        if stage == 0 { self.epochs } else { self.later_stage_epochs.unwrap_or(self.epochs) }
    }
}

impl Default for Training {
    fn default() -> Self {
        Self {
            epochs: 4,
            later_stage_epochs: None,
            batch: 32,
            accumulation: 1,
            checkpointing: false,
            storage: Storage::Float32,
            learning_rate: 2e-4,
            later_stage_factor: 0.1,
            schedule: Schedule::Cosine,
            warm_up: 0.01,
            weight_decay: 0.01,
            clip: 1.0,
            max_history: 20,
            temperature: 0.8,
            softmax: Softmax::AllTokens,
            dropout: 0.05,
            vocabulary: VocabularyMode::NewTokens,
            lora: LoraShape::default(),
            start: Start::Fresh,
            keep: Keep::BestEpoch,
            validation_users: UsersPerStage::All,
            release_compatible: false,
        }
    }
}

/// The learning rate after warm-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Schedule {
    /// Half a cosine to 0 over the stage.
    Cosine,
    Constant,
}

/// Which epoch's adapter and token rows a stage leaves to the tests and to the next stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Keep {
    /// The one with the lowest loss on validation users, as in the paper.
    BestEpoch,
    /// The last one, whatever its validation loss: nothing but the method itself holds a stage back.
    LastEpoch,
}

/// How methods are tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Evaluation {
    pub beams: usize,
    pub decoding: Decoding,
    pub protocol: Protocols,
    /// Cut-offs of Hit and NDCG; those above `beams` are left out.
    pub k: Vec<usize>,
    pub users: UsersPerStage,
    /// Whether every cell is measured a second time, with lists that hold only items known by the tested stage
    /// ([`crate::data::KnownItems`]). Training is the same, so that a trained run that lacks them is only measured.
    pub known_items: bool,
}

impl Default for Evaluation {
    fn default() -> Self {
        Self {
            beams: 10,
            decoding: Decoding::Trie,
            protocol: Protocols::SameBlock,
            k: vec![1, 5, 10, 20],
            users: UsersPerStage::All,
            known_items: false,
        }
    }
}

impl Evaluation {
    /// The cut-off that is shown where nobody asks for one: 10, or the largest below it that the project has and lists are
    /// long enough for, or else the smallest.
    pub fn usual_cut_off(&self) -> usize {
        let usual = UserMetric::default().k;
        let measured = || self.k.iter().copied().filter(|&k| k <= self.beams);
        let at_most = measured().filter(|&k| k <= usual).max();
        at_most.or_else(|| measured().min()).unwrap_or(usual)
    }
}

/// Which protocols are measured. Training is the same under all of them, so that a trained run that lacks one is only
/// measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocols {
    /// [`Protocol::SameBlock`], the paper's.
    SameBlock,
    /// [`Protocol::NextBlock`], the order of deployment.
    NextBlock,
    Both,
}

impl Protocols {
    /// Them, in the order in which they are measured and shown.
    pub fn each(self) -> &'static [Protocol] {
        match self {
            Self::SameBlock => &[Protocol::SameBlock],
            Self::NextBlock => &[Protocol::NextBlock],
            Self::Both => &Protocol::MEASURED,
        }
    }

    /// The one that is shown where none is named.
    pub fn first(self) -> Protocol {
        match self {
            Self::SameBlock | Self::Both => Protocol::SameBlock,
            Self::NextBlock => Protocol::NextBlock,
        }
    }
}

/// How many test users a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum UsersPerStage {
    All,
    Sample(usize),
}

/// One line of the comparison: a method with its options, under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    pub name: String,
    pub method: MethodOptions,
    /// Its own seeds, where they are others than the project's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seeds: Option<Vec<u64>>,
}

impl Experiment {
    /// A method under a name, with the project's seeds.
    pub fn new(name: impl Into<String>, method: MethodOptions) -> Self {
        Self { name: name.into(), method, seeds: None }
    }
}

impl Project {
    /// The folder of this project's runs: `out` where the user named one, else `runs` beside the project file.
    pub fn runs_dir(&self, out: Option<&Path>) -> PathBuf {
        out.map_or_else(|| self.folder.join("runs"), Path::to_path_buf)
    }

    /// Refuses what needs more than a bundle of results has.
    ///
    /// # Errors
    /// The project is such a bundle.
    pub fn check_trainable(&self) -> Result<(), InputError> {
        let error = || InputError::new(&self.folder, "the project is read-only: it has results, and no data or models");
        if self.read_only { Err(error().advice("ask for the whole project, which `peso pack` writes")) } else { Ok(()) }
    }

    /// The seeds that an experiment is run with.
    pub fn seeds_of<'p>(&'p self, experiment: &'p Experiment) -> &'p [u64] {
        experiment.seeds.as_deref().unwrap_or(&self.seeds)
    }

    /// The method of an experiment.
    pub fn method_of(&self, experiment: &str) -> Option<&MethodOptions> {
        self.experiments.iter().find(|e| e.name == experiment).map(|e| &e.method)
    }

    /// The architecture of the base model. One that others trained is looked at, and checked, without being loaded.
    ///
    /// # Errors
    /// Its files cannot be used.
    pub fn architecture(&self) -> Result<LlamaConfig, InputError> {
        match &self.base_model {
            BaseModel::Compact(compact) => Ok(LlamaConfig::compact(compact)),
            BaseModel::HuggingFace(path) | BaseModel::Gguf(path) => {
                Ok(Pretrained::open(&self.folder.join(path))?.config)
            }
        }
    }

    /// The tokenizer of the base model.
    ///
    /// # Errors
    /// It has none, or one that cannot be used.
    pub fn tokenizer(&self) -> Result<Tokenizer, InputError> {
        match self.base_model.path() {
            Some(path) => Tokenizer::open(&self.folder.join(path)),
            None => Err(InputError::new(&self.folder, "a compact base model has no tokenizer")),
        }
    }

    /// What the prompt makes of a base model's tokens and an index.
    ///
    /// # Errors
    /// See [`Vocabulary::of_prompt`].
    pub fn vocabulary(&self, llama: &LlamaConfig, index: &SemanticIndex) -> Result<Vocabulary, InputError> {
        Vocabulary::of_prompt(&self.prompt, llama, || self.tokenizer(), index)
    }

    /// Whether the data is generated; whatever shows it says so.
    pub fn is_synthetic(&self) -> bool {
        matches!(self.dataset, DatasetSource::Synthetic(_))
    }
}
