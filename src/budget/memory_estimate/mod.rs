//! How much memory training takes, from the shapes alone, before anything is loaded; and what to change where it is too much.
//!
//! All sizes are float32 numbers of four bytes, but for weights that are stored in half precision. With `L` layers of width `w`, `q` and `k` numbers a token of all query heads
//! and of all key heads, feed-forward width `f`, LoRA's rank `r`, `V` tokens, and a step's largest piece of `T` tokens of which
//! `S` are scored:
//!
//! | part | numbers |
//! |---|---|
//! | weights | parameters of the base model, with the rows of added tokens; with `storage: Half` projections and the base model's rows count half, and the largest piece that is widened at once, `w` times `f` or 8192, is added |
//! | adapters | `P`: what is trained, LoRA and token rows; as much again for what it was before the stage |
//! | optimiser | `4 P`: gradients, both moments, the best epoch |
//! | activations | a layer keeps `T (4 w + 2 q + 2 k + 3 f + 7 r)`; the last one `T (2 w + 2 k + 2 r) + S (3 w + 2 q + 3 f + 5 r)`; layers that are computed again keep `T w` but for one of them |
//! | backward | `T (3 f + 2 w)` while a layer's gradient is computed |
//! | logits | `2 S V + 2 S w`, and their gradients by the rows |
//! | search | `L 2 k (2 T' + 9 U b) + 3 U b V + T' (2 w + 3 f)`: keys and values of `U` users' `T'` tokens and of `b` beams each |
//!
//! Gemma's layers keep `2 w` more of each of their tokens, which its norms of outputs read, and its logits `S V` more while they are capped.
//! Methods that ask a teacher, train two adapters or are trained by clients take more than this.
//!
//! Activations are at their largest with the logits beside them, or with a layer's backward pass. A compact base model is trained
//! before the adapters, with all its parameters in the optimiser, on stage 1 alone; searching users comes after training. So
//! the most of the three counts, and the parts are those of the phase of training that takes more. On a GPU the plain operations keep more: each norm and each activation its
//! parts, and attention its weights over rows padded to the longest.

mod advice;

use serde::{Deserialize, Serialize};

use crate::data::Protocol;
use crate::method::plan::Data;
use crate::model::llama::ROWS_AT_ONCE;
use crate::model::packing::Sequence;
use crate::model::{BaseModel, LlamaConfig, Storage, VocabularyMode};
use crate::peak_memory;
use crate::project::{Project, Training};
use crate::train::evaluate::{USERS_A_BATCH, tests};
use crate::train::stage_data::{StageData, writer};
use crate::train::{Task, batches};

pub use self::advice::{Advice, Change};

/// Bytes of a number.
const NUMBER: u64 = 4;

/// The program without data: its code, the allocator's pools, the run folder's database.
const PROGRAM: u64 = 26 << 20;

/// Bytes of a dataset for each interaction of each stage: histories are kept with every stage.
const INTERACTION: u64 = 48;

/// What memory is expected to be taken, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryEstimate {
    /// `cpu`, or the kind of a GPU.
    pub device: String,
    /// Whether the formula was held against measurements on this kind of device.
    pub measured: bool,
    pub parts: Parts,
    /// The most at any moment.
    pub peak_bytes: u64,
    /// What the device has left, where it tells.
    pub available_bytes: Option<u64>,
    /// Changes that lower the peak, the gentlest first. Empty where it fits.
    pub advice: Vec<Advice>,
}

/// Bytes by what takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Parts {
    /// The program and the dataset; none on a GPU.
    pub program: u64,
    pub weights: u64,
    pub adapters: u64,
    pub optimizer: u64,
    pub activations: u64,
    pub logits: u64,
    /// Recommending to a batch of users, after training.
    pub search: u64,
}

impl MemoryEstimate {
    /// Whether it fits; not known where the device does not tell.
    pub fn fits(&self) -> Option<bool> {
        self.available_bytes.map(|available| self.peak_bytes <= available)
    }
}

/// Tokens that are computed together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Batch {
    pub sequences: u64,
    pub tokens: u64,
    /// Those whose logits are computed.
    pub scored: u64,
}

impl Batch {
    /// Of packed sequences.
    fn of<'a>(sequences: impl IntoIterator<Item = &'a Sequence>) -> Self {
        let mut batch = Self::default();
        for sequence in sequences {
            let scored: u64 = sequence.branches.iter().map(|branch| branch.tokens.len() as u64).sum();
            batch.sequences += 1;
            batch.tokens += sequence.prefix.len() as u64 + scored;
            batch.scored += scored;
        }
        batch
    }
}

/// The sizes that memory depends on.
#[derive(Debug, Clone)]
pub struct Sizes {
    pub llama: LlamaConfig,
    /// Tokens that are added to the base model's.
    pub added: usize,
    pub training: Training,
    /// Whether all parameters are trained first: a compact base model.
    pub trains_base: bool,
    /// The sequences of the step with the most tokens, of stage 1 and of all stages.
    pub first_step: Vec<Sequence>,
    pub largest_step: Vec<Sequence>,
    /// A batch of users to recommend to, and the beams of each.
    pub search: Batch,
    pub beams: u64,
    /// The dataset and a stage's examples.
    pub data_bytes: u64,
}

impl Sizes {
    /// The sizes of a project, from its data: every stage's steps as the first seed orders them.
    pub fn of(task: &Task<'_>) -> Self {
        let training = &task.project.training;
        let seed = task.project.seeds.first().copied().unwrap_or_default();
        let (mut first_step, mut largest_step, mut examples) = (Vec::new(), Vec::new(), 0);
        for index in 0..task.dataset.stages.len() {
            let data = StageData::new(task, index, Data::Stage, seed);
            let bytes = data.sequences.iter().chain(&data.validation).map(sequence_bytes).sum();
            examples = u64::max(examples, bytes);
            let steps = batches::epoch(&data.sequences, training.batch, seed, "memory", 0);
            let tokens = |step: &Vec<usize>| Batch::of(step.iter().map(|&place| &data.sequences[place])).tokens;
            if let Some(step) = steps.iter().max_by_key(|step| tokens(step)) {
                let step: Vec<Sequence> = step.iter().map(|&place| data.sequences[place].clone()).collect();
                if Batch::of(&step).tokens > Batch::of(&largest_step).tokens {
                    largest_step = step;
                }
            }
            if index == 0 {
                first_step.clone_from(&largest_step);
            }
        }
        let evaluation = &task.project.evaluation;
        let writer = writer(task);
        let questions = (0..task.dataset.stages.len()).map(|stage| {
            let users = tests(&task.dataset, Protocol::SameBlock, stage, evaluation.users);
            let questions: Vec<Sequence> = users.iter().map(|user| writer.question(user.history)).collect();
            questions.chunks(USERS_A_BATCH).map(Batch::of).max_by_key(|batch| batch.tokens).unwrap_or_default()
        });
        let interactions: u64 =
            task.dataset.stages.iter().flat_map(|s| &s.sequences).map(|u| u.items.len() as u64).sum();
        Self {
            llama: task.llama.clone(),
            added: task.vocabulary.added,
            training: training.clone(),
            trains_base: matches!(task.project.base_model, BaseModel::Compact(_)),
            first_step,
            largest_step,
            search: questions.max_by_key(|batch| batch.tokens).unwrap_or_default(),
            beams: evaluation.beams as u64,
            data_bytes: INTERACTION * interactions + examples,
        }
    }

    /// The same data under a project's settings that change neither what is read nor how it is cut into steps: LoRA, the
    /// vocabulary mode, accumulation and checkpointing, and the shape of a compact model.
    #[must_use]
    pub fn under(&self, project: &Project) -> Self {
        let training = Training { batch: self.training.batch, ..project.training.clone() };
        let mut sizes = Self { training, ..self.clone() };
        if let BaseModel::Compact(shape) = &project.base_model {
            sizes.llama = LlamaConfig::compact(shape);
        }
        sizes
    }

    /// The estimate for a device of a kind (`cpu`, `wgpu`, `cuda`), with advice where there is not enough.
    pub fn on(&self, device: &str, available_bytes: Option<u64>) -> MemoryEstimate {
        let parts = self.parts(device);
        let peak_bytes = parts.peak();
        let mut estimate = MemoryEstimate {
            device: device.to_owned(),
            measured: device == "cpu",
            parts,
            peak_bytes,
            available_bytes,
            advice: Vec::new(),
        };
        if estimate.fits() == Some(false) {
            estimate.advice = self.advice(device, peak_bytes, available_bytes.unwrap_or(0));
        }
        estimate
    }

    fn parts(&self, device: &str) -> Parts {
        let adapters = self.phase(device, &self.largest_step, self.trained_parameters(), 2 * self.trained_parameters());
        if !self.trains_base {
            return adapters;
        }
        let base = self.phase(device, &self.first_step, self.base_parameters(), 0);
        if base.training() > adapters.training() { base } else { adapters }
    }

    /// The parts while so many parameters are optimised, with adapters of so many numbers beside the base model.
    fn phase(&self, device: &str, step: &[Sequence], optimized: u64, adapters: u64) -> Parts {
        let Self { llama, training, .. } = self;
        let (layers, width) = (llama.layers as u64, llama.width as u64);
        let query = (llama.heads * llama.head_width) as u64;
        let key = (llama.kv_heads * llama.head_width) as u64;
        let (fed, vocabulary) = (self.fed(), (llama.vocabulary + self.added) as u64);
        let pieces = batches::pieces(step.to_vec(), training.accumulation);
        let Batch { sequences, tokens, scored } =
            pieces.iter().map(Batch::of).max_by_key(|batch| batch.tokens).unwrap_or_default();
        let gpu = device != "cpu";
        // What Gemma's norms of outputs read is kept too.
        let outputs = if llama.gemma.is_some() { 2 * width } else { 0 };
        let caps = llama.gemma.is_some_and(|gemma| gemma.logit_cap.is_some());

        let base = self.base_parameters();
        let rank = training.lora.rank as u64;
        let mut layer = tokens * (4 * width + outputs + 2 * query + 2 * key + fed + 7 * rank);
        let mut last =
            tokens * (2 * width + 2 * key + 2 * rank) + scored * (3 * width + outputs + 2 * query + fed + 5 * rank);
        if gpu {
            let longest = tokens.div_ceil(sequences.max(1));
            let attention = 3 * sequences * (llama.heads as u64) * longest * longest;
            layer += attention + tokens * (6 * width + 2 * query + 2 * key + fed);
            last += attention + tokens * 3 * width;
        }
        let backward = tokens * (fed + 2 * width);
        let logits = scored * (2 * vocabulary + 2 * width)
            + if gpu { 2 * scored * vocabulary } else { 0 }
            + if caps { scored * vocabulary } else { 0 };
        let (kept, beside) = if training.checkpointing {
            (layers * tokens * width, u64::max(layer + backward, last))
        } else {
            ((layers - 1) * layer + last, backward.saturating_sub(last))
        };
        // The backward pass of layers begins when that of the logits has ended.
        let activations = kept + beside.saturating_sub(logits);
        let Batch { tokens: read, sequences: users, .. } = self.search;
        let beams = users * self.beams;
        let search = layers * 2 * key * (2 * read + 9 * beams)
            + 3 * beams * vocabulary
            + u64::max(read, beams) * (2 * width + fed);
        Parts {
            program: if gpu { 0 } else { PROGRAM + self.data_bytes },
            weights: NUMBER * base - self.saved_by_half(),
            adapters: NUMBER * adapters,
            optimizer: NUMBER * 4 * optimized,
            activations: NUMBER * activations,
            logits: NUMBER * logits,
            search: NUMBER * search,
        }
    }

    /// Parameters of the base model with its added rows.
    pub fn base_parameters(&self) -> u64 {
        let own: usize = self.llama.tensors().map(|(_, [rows, columns])| rows * columns).sum();
        let tables = if self.llama.tied { 1 } else { 2 };
        (own + tables * self.added * self.llama.width) as u64
    }

    /// Bytes by which weights in half precision are smaller than in float32.
    fn saved_by_half(&self) -> u64 {
        let Self { llama, training, .. } = self;
        if training.storage == Storage::Float32 {
            return 0;
        }
        let width = llama.width as u64;
        let rows = match training.vocabulary {
            VocabularyMode::Full => 0,
            VocabularyMode::NewTokens | VocabularyMode::Frozen => llama.vocabulary as u64,
        };
        let tables = if llama.tied { 1 } else { 2 };
        let halved = self.projections() + tables * rows * width;
        let widened = width * u64::max(llama.ffn as u64, rows.min(ROWS_AT_ONCE as u64));
        (NUMBER / 2 * halved).saturating_sub(NUMBER * widened)
    }

    /// Numbers a token that the feed-forward part of a layer keeps: three of its width, or of each of a token's experts these and
    /// what it gives; the more where there are layers of both kinds.
    fn fed(&self) -> u64 {
        let layers = 0..self.llama.layers;
        let dense = layers.clone().any(|layer| !self.llama.has_experts(layer)).then_some(3 * self.llama.ffn);
        let experts = self.llama.experts.as_ref().filter(|_| layers.clone().any(|layer| self.llama.has_experts(layer)));
        let mixture = experts.map(|experts| experts.routing.chosen * (3 * experts.width + self.llama.width));
        dense.max(mixture).unwrap_or(0) as u64
    }

    /// Parameters of the projections of all layers, those of experts among them.
    fn projections(&self) -> u64 {
        let all = self.llama.tensors().filter(|(name, _)| name.ends_with("_proj.weight"));
        all.map(|(_, [output, input])| (output * input) as u64).sum()
    }

    /// Parameters of the adapter and the trained rows.
    pub fn trained_parameters(&self) -> u64 {
        let Self { llama, added, training, .. } = self;
        let widths = llama.modules().map(|(_, (output, input))| (output + input) as u64);
        let lora = training.lora.rank as u64 * widths.sum::<u64>();
        let rows = match training.vocabulary {
            VocabularyMode::Frozen => 0,
            VocabularyMode::NewTokens => *added,
            VocabularyMode::Full => llama.vocabulary + added,
        };
        let tables = if llama.tied { 1 } else { 2 };
        lora + (tables * rows * llama.width) as u64
    }
}

impl Parts {
    /// The most at any moment.
    pub fn peak(&self) -> u64 {
        self.program + self.weights + u64::max(self.training(), self.search)
    }

    fn training(&self) -> u64 {
        self.adapters + self.optimizer + self.activations + self.logits
    }
}

/// What a sequence takes on the host.
fn sequence_bytes(sequence: &Sequence) -> u64 {
    let branches = sequence.branches.iter().map(|branch| {
        size_of_val(branch)
            + 4 * (branch.tokens.len() + branch.targets.len())
            + size_of_val(branch.candidates.as_slice())
    });
    (size_of_val(sequence) + 4 * sequence.prefix.len() + branches.sum::<usize>()) as u64
}

/// The estimates of a project for the CPU and, where there is one, for the device that it would train on.
pub fn memory_estimates(task: &Task<'_>) -> Vec<MemoryEstimate> {
    let sizes = Sizes::of(task);
    let mut estimates = vec![sizes.on("cpu", peak_memory::available_bytes())];
    if task.device.kind() != "cpu" {
        // Neither wgpu nor CUDA through it tells how much memory is free.
        estimates.push(sizes.on(task.device.kind(), None));
    }
    estimates
}

#[cfg(test)]
mod tests;
