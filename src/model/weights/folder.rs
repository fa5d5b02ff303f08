//! The tensors of a Hugging Face folder, and how it names them.

use std::path::Path;

use super::Weights;
use crate::error::InputError;
use crate::model::adapter::Matrix;
use crate::model::config::LlamaConfig;

/// The tensors of a Hugging Face folder.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) weights: Weights,
    pub(super) names: Names,
    /// Whether all experts of a layer lie in one tensor.
    fused: bool,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, InputError> {
        let weights = Weights::open(path)?;
        let names = Names::ALL.into_iter().find(|names| weights.has(&names.of(EMBEDDING))).unwrap_or(Names::Whole);
        let fused = weights.names().any(|name| name.ends_with(GATE_AND_UP));
        Ok(Self { weights, names, fused })
    }

    /// What it calls a tensor; of experts that lie in one, that.
    pub(super) fn file_name(&self, name: &str) -> String {
        match Expert::of(name).filter(|_| self.fused) {
            None => self.names.of(name),
            Some(expert) => self.names.of(&format!("{}{}", expert.layer, expert.fused())),
        }
    }

    /// The shape of the tensor that a tensor lies in.
    pub(super) fn stored_shape(&self, name: &str, [rows, columns]: [usize; 2], config: &LlamaConfig) -> Vec<usize> {
        match Expert::of(name).filter(|_| self.fused) {
            None => vec![rows, columns],
            Some(expert) => {
                let count = config.experts.as_ref().map_or(0, |experts| experts.count);
                vec![count, expert.halves() * rows, columns]
            }
        }
    }

    /// A tensor in float32, and lets go of its place in the file.
    pub(super) fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<Matrix, InputError> {
        let file_name = self.file_name(name);
        let matrix = match Expert::of(name).filter(|_| self.fused) {
            None => self.weights.matrix(&file_name, Some(shape))?,
            Some(expert) => self.weights.slice(&file_name, expert.place(), shape)?,
        };
        self.weights.release(&file_name);
        Ok(matrix)
    }

    /// How its files are taken, in sentences.
    pub(super) fn notes(&self, path: &Path) -> Vec<String> {
        let mut notes = Vec::new();
        if Weights::stale_index(path) {
            notes.push("model.safetensors is read, and its list of shards is not, as in Transformers".to_owned());
        }
        match self.names {
            Names::Whole => {}
            Names::Bare => {
                notes.push("its tensors are those of the decoder alone (their names lack `model.`)".to_owned());
            }
            Names::BesidePictures | Names::WithPictures => {
                notes.push("it reads pictures too: its decoder alone is used".to_owned());
            }
        }
        notes
    }

    /// Whether there is a head beside the embedding with other numbers.
    pub(super) fn has_another_head(&self) -> bool {
        let (head, embedding) = (self.names.of(HEAD), self.names.of(EMBEDDING));
        self.weights.has(&head) && self.weights.has(&embedding) && !self.weights.are_equal(&head, &embedding)
    }
}

/// How a folder names the tensors of its decoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Names {
    /// As those of a whole decoder: all but the head begin with `model.`.
    Whole,
    /// As those of a decoder without its head, such as an embedding model's.
    Bare,
    /// As Transformers 4 has a decoder beside a part that reads pictures.
    BesidePictures,
    /// The same as Transformers 5 has it.
    WithPictures,
}

impl Names {
    const ALL: [Self; 4] = [Self::Whole, Self::Bare, Self::BesidePictures, Self::WithPictures];

    pub(super) fn of(self, name: &str) -> String {
        let inner = name.strip_prefix("model.");
        match (self, inner) {
            (Self::Whole, _) | (Self::WithPictures, None) => name.to_owned(),
            (Self::Bare, _) => inner.unwrap_or(name).to_owned(),
            (Self::BesidePictures, _) => format!("language_model.{name}"),
            (Self::WithPictures, Some(inner)) => format!("model.language_model.{inner}"),
        }
    }

    /// Whether a tensor is of the part that reads pictures.
    pub(super) fn is_of_pictures(self, name: &str) -> bool {
        let own = name.strip_prefix("model.").unwrap_or(name);
        matches!(self, Self::BesidePictures | Self::WithPictures)
            && ["vision_tower.", "multi_modal_projector."].iter().any(|part| own.starts_with(part))
    }
}

/// What Hugging Face calls the embedding and the head.
pub(super) const EMBEDDING: &str = "model.embed_tokens.weight";
pub(super) const HEAD: &str = "lm_head.weight";

/// All experts' gate and up projections of a layer in one tensor `[experts, 2 inner, width]`, and their down projections
/// `[experts, width, inner]`, as Transformers 5 computes with them.
const GATE_AND_UP: &str = "mlp.experts.gate_up_proj";
const DOWN: &str = "mlp.experts.down_proj";

/// A projection of one expert.
struct Expert<'a> {
    /// What stands before `mlp.`.
    layer: &'a str,
    number: usize,
    part: &'a str,
}

impl<'a> Expert<'a> {
    /// The expert that a tensor is of, where it is of one.
    fn of(name: &'a str) -> Option<Self> {
        let at = name.find("mlp.experts.")?;
        let (number, part) = name[at..].strip_prefix("mlp.experts.")?.strip_suffix(".weight")?.split_once('.')?;
        Some(Self { layer: &name[..at], number: number.parse().ok()?, part })
    }

    fn fused(&self) -> &'static str {
        if self.part == "down_proj" { DOWN } else { GATE_AND_UP }
    }

    /// Matrices of its size that an expert has in the tensor of all.
    fn halves(&self) -> usize {
        if self.part == "down_proj" { 1 } else { 2 }
    }

    /// Matrices of its size before it in the tensor of all.
    fn place(&self) -> usize {
        self.halves() * self.number + usize::from(self.part == "up_proj")
    }
}
