//! The tensors of a Hugging Face folder, and how it names them.

use std::path::Path;

use super::Weights;
use crate::error::InputError;

/// The tensors of a Hugging Face folder.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) weights: Weights,
    pub(super) names: Names,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, InputError> {
        let weights = Weights::open(path)?;
        let names = Names::ALL.into_iter().find(|names| weights.has(&names.of(EMBEDDING))).unwrap_or(Names::Whole);
        Ok(Self { weights, names })
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
