//! In which number type the weights that are not trained lie on the device.

use burn::tensor::FloatDType;

use crate::model::adapter::Matrix;
use crate::model::options::{Storage, VocabularyMode};

/// Number types of a decoder's matrices on the device. Norms and biases, which are small, are float32; so is what is trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    /// The projections of every layer, those of experts among them.
    projections: FloatDType,
    /// Rows of embedding and head that the base model came with.
    rows: FloatDType,
}

impl Stored {
    /// Everything in float32.
    pub const FLOAT32: Self = Self { projections: FloatDType::F32, rows: FloatDType::F32 };

    /// What a device is to store; `own` is the half type of the base model's files, where they have one. That comes first, as
    /// nothing is lost by it; then float16, whose numbers have more digits; then bfloat16. None where the device `supports`
    /// neither.
    pub fn choose(
        storage: Storage,
        vocabulary: VocabularyMode,
        own: Option<FloatDType>,
        supports: impl Fn(FloatDType) -> bool,
    ) -> Option<Self> {
        let half = match storage {
            Storage::Float32 => return Some(Self::FLOAT32),
            Storage::Half => own.into_iter().chain([FloatDType::F16, FloatDType::BF16]).find(|&kind| supports(kind))?,
        };
        let rows = if vocabulary == VocabularyMode::Full { FloatDType::F32 } else { half };
        Some(Self { projections: half, rows })
    }

    /// The type of a tensor by Hugging Face's name.
    pub fn of(&self, name: &str) -> FloatDType {
        if name.ends_with("_proj.weight") {
            self.projections
        } else if name == "model.embed_tokens.weight" || name == "lm_head.weight" {
            self.rows
        } else {
            FloatDType::F32
        }
    }

    /// The half type in words; none where everything is float32.
    pub fn half(&self) -> Option<&'static str> {
        match self.projections {
            FloatDType::BF16 => Some("bfloat16"),
            FloatDType::F16 => Some("float16"),
            _ => None,
        }
    }
}

/// Whether a type can hold the numbers of a matrix: float16 ends at 65,504.
pub(super) fn holds(kind: FloatDType, matrix: &Matrix) -> bool {
    kind != FloatDType::F16 || matrix.values.iter().all(|value| value.abs() <= f32::from(half::f16::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(storage: Storage, vocabulary: VocabularyMode, own: Option<FloatDType>) -> Stored {
        Stored::choose(storage, vocabulary, own, |_| true).expect("the device has both")
    }

    #[test]
    fn the_type_of_the_files_comes_first() {
        let new = VocabularyMode::NewTokens;
        assert_eq!(choose(Storage::Float32, new, Some(FloatDType::BF16)), Stored::FLOAT32);
        assert_eq!(choose(Storage::Half, new, Some(FloatDType::BF16)).half(), Some("bfloat16"));
        assert_eq!(choose(Storage::Half, new, None).half(), Some("float16"));
        let on = |kinds: &[FloatDType]| {
            let stored = Stored::choose(Storage::Half, new, Some(FloatDType::BF16), |kind| kinds.contains(&kind));
            stored.map(|stored| stored.half())
        };
        assert_eq!(on(&[FloatDType::F16]), Some(Some("float16")), "a device without bfloat16");
        assert_eq!(on(&[]), None, "a device without either");
        assert_eq!(Stored::choose(Storage::Float32, new, None, |_| false), Some(Stored::FLOAT32));
    }

    #[test]
    fn what_is_trained_and_what_is_small_is_float32() {
        let stored = choose(Storage::Half, VocabularyMode::NewTokens, None);
        assert_eq!(stored.of("model.layers.3.mlp.up_proj.weight"), FloatDType::F16);
        assert_eq!(stored.of("lm_head.weight"), FloatDType::F16);
        for small in
            ["model.norm.weight", "model.layers.0.self_attn.q_proj.bias", "model.layers.0.self_attn.q_norm.weight"]
        {
            assert_eq!(stored.of(small), FloatDType::F32, "{small}");
        }
        let full = choose(Storage::Half, VocabularyMode::Full, None);
        assert_eq!(full.of("model.embed_tokens.weight"), FloatDType::F32);
        assert_eq!(full.of("model.layers.0.self_attn.o_proj.weight"), FloatDType::F16);
    }

    #[test]
    fn numbers_that_float16_does_not_have_are_found() {
        let matrix = |value| Matrix { rows: 1, columns: 2, values: vec![0.5, value] };
        assert!(holds(FloatDType::F16, &matrix(-65_504.0)));
        assert!(!holds(FloatDType::F16, &matrix(65_520.0)));
        assert!(holds(FloatDType::BF16, &matrix(1e30)));
    }
}
