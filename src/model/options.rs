//! What the project file says of the model.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The language model that LoRA adapts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum BaseModel {
    /// A small Llama, trained from scratch on stage 1 (all parameters), then frozen.
    Compact(Compact),
    /// A Hugging Face folder: `config.json`, `model.safetensors` or its shards, `tokenizer.json`.
    HuggingFace(PathBuf),
    /// A GGUF file, which has its tokenizer inside.
    Gguf(PathBuf),
}

impl BaseModel {
    /// Where a model that others trained lies; none for a compact one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Compact(_) => None,
            Self::HuggingFace(path) | Self::Gguf(path) => Some(path),
        }
    }
}

/// Shape and training of the compact base model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Compact {
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    pub ffn: usize,
    pub tied: bool,
    /// Passes over stage 1 in which all parameters are trained, before LoRA starts.
    pub epochs: usize,
    pub learning_rate: f64,
    /// Dropout on the embedded tokens and on what attention and feed-forward add to them, while all parameters are
    /// trained.
    pub dropout: f64,
}

impl Default for Compact {
    fn default() -> Self {
        Self {
            width: 128,
            layers: 4,
            heads: 4,
            kv_heads: 2,
            ffn: 384,
            tied: false,
            epochs: 8,
            learning_rate: 2e-3,
            dropout: 0.0,
        }
    }
}

/// How a history is written for the model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Prompt {
    /// BOS, the history's codes, a separator, all with rows of their own; then the response. Needs no tokenizer.
    #[default]
    Compact,
    /// The instruction of the released code; see [`super::prompt::INSTRUCTION`].
    Instruction,
    /// As the paper states the task: the model reads the codes of the history and goes on with those of the next item.
    Paper,
    /// A text with `{history}` in it, where the items stand, joined by commas.
    Custom(String),
}

/// Rank and scale of the adapters, on q, k, v, o, gate, up and down of every layer; or how a rank is found for each of them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LoraShape {
    /// The rank of every module, or the largest one where ranks are found.
    pub rank: usize,
    /// The update is scaled by `alpha / rank`, also where a module has a smaller rank.
    pub alpha: f64,
    /// How each module gets a rank of its own.
    pub search: RankSearch,
    /// The smallest rank above 0 that a search tries.
    pub smallest_rank: usize,
    /// The largest share of the parameters of an adapter of rank `rank` that the found one may have.
    pub budget: f64,
    /// Adapters whose validation loss a search measures.
    pub candidates: usize,
}

/// How each module gets a rank of its own, which may be 0: none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum RankSearch {
    /// All have the same.
    #[default]
    Off,
    /// From the base model's weights alone, before training.
    Spectrum,
    /// By the validation loss of parts of one adapter, taking ranks away where that costs least.
    Greedy,
    /// By the validation loss of parts of one adapter, with an evolutionary search.
    Evolution,
}

impl RankSearch {
    /// Whether stage 1 trains one adapter of whose parts the search chooses.
    pub fn is_measured(self) -> bool {
        matches!(self, Self::Greedy | Self::Evolution)
    }
}

impl LoraShape {
    /// The same rank everywhere.
    pub const fn of(rank: usize, alpha: f64) -> Self {
        Self { rank, alpha, search: RankSearch::Off, smallest_rank: 2, budget: 0.5, candidates: 200 }
    }

    /// The factor on the update, `alpha / rank`.
    pub fn scale(&self) -> f64 {
        self.alpha / self.rank as f64
    }
}

impl Default for LoraShape {
    fn default() -> Self {
        Self::of(8, 16.0)
    }
}

/// Which rows of the embedding and the head are trained beside the adapters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum VocabularyMode {
    /// Rows of the tokens that the workbench added (all rows of a compact model).
    NewTokens,
    /// Every row, as released.
    Full,
    /// None.
    Frozen,
}

/// How the weights of a base model that are not trained lie on the device. What is trained, and all that is computed, is
/// float32 either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Storage {
    /// Float32.
    #[default]
    Float32,
    /// Half precision, about half the memory: in the type of the model's files where they and the device have one, which
    /// changes no weight, else float16 or bfloat16, whichever the device has, which rounds them.
    Half,
}

/// What stage 1 begins with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Start {
    /// A fresh adapter, which adds nothing yet.
    #[default]
    Fresh,
    /// An adapter folder that Hugging Face PEFT wrote; stage 1 trains it further.
    Adapter(PathBuf),
    /// An adapter folder that Hugging Face PEFT wrote, as what stage 1 left: nothing is trained in stage 1, only measured.
    Stage1(PathBuf),
}

impl Start {
    /// The adapter's folder.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Fresh => None,
            Self::Adapter(path) | Self::Stage1(path) => Some(path),
        }
    }

    /// The same with another folder.
    pub fn map(self, f: impl FnOnce(&Path) -> PathBuf) -> Self {
        match self {
            Self::Fresh => Self::Fresh,
            Self::Adapter(path) => Self::Adapter(f(&path)),
            Self::Stage1(path) => Self::Stage1(f(&path)),
        }
    }

    /// Whether stage 1 is trained.
    pub fn trains(&self) -> bool {
        !matches!(self, Self::Stage1(_))
    }
}

/// What the probability of a code is normalised over, in the loss and in beam search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Softmax {
    /// The whole vocabulary, as in the paper: the model must also learn which code sequences exist.
    AllTokens,
    /// The codes that continue an existing item, so that the probabilities of all items add up to 1. A small model
    /// trained from scratch has neither the capacity nor the data to learn the catalogue by heart.
    ExistingItems,
}

/// What beam search may generate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decoding {
    /// Only items that exist.
    Trie,
    /// Any code that occurs at the level, as released; ids of no item count as invalid.
    PerPosition,
}
