//! Rotary position embedding: how fast each pair of a head turns, and how that is stretched to longer contexts.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Rotary position embedding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rope {
    pub theta: f64,
    pub scaling: Option<Scaling>,
}

/// How rotations are stretched to longer contexts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    Llama3(Llama3Scaling),
    /// All rotations are divided by a factor.
    Linear(f64),
    /// Each pair's rotation is divided by a factor of its own, `head_width / 2` of them (GGUF files of Llama 3 have
    /// them worked out).
    Factors(Vec<f64>),
    Yarn(Yarn),
}

/// Llama 3's stretching of slow rotations to longer contexts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Llama3Scaling {
    pub factor: f64,
    pub low_frequency_factor: f64,
    pub high_frequency_factor: f64,
    /// Context length that the model was first trained on.
    pub original_context: f64,
}

/// YaRN (arXiv 2309.00071): slow rotations are divided by the factor, fast ones kept, and all of them are made larger.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Yarn {
    pub factor: f64,
    /// Pairs that turn more often than this over the original context are kept.
    pub fast: f64,
    /// Pairs that turn less often than this are divided by the whole factor.
    pub slow: f64,
    pub original_context: f64,
    /// The factor on cosine and sine.
    pub magnitude: f64,
    /// Whether the bounds between fast and slow pairs are whole pairs.
    pub truncate: bool,
}

impl Rope {
    /// Radians a position for each of the `head_width / 2` pairs (Transformers' `default`, `linear`, `llama3`, `yarn`).
    pub fn frequencies(&self, head_width: usize) -> Vec<f64> {
        let plain = (0..head_width / 2).map(|i| self.theta.powf(-2.0 * i as f64 / head_width as f64));
        match &self.scaling {
            None => plain.collect(),
            Some(Scaling::Llama3(s)) => plain.map(|f| s.stretch(f)).collect(),
            Some(Scaling::Linear(factor)) => plain.map(|f| f / factor).collect(),
            Some(Scaling::Factors(factors)) => plain.zip(factors).map(|(f, factor)| f / factor).collect(),
            Some(Scaling::Yarn(yarn)) => {
                let kept = yarn.kept(self.theta, head_width);
                plain.zip(kept).map(|(f, kept)| f * kept + f / yarn.factor * (1.0 - kept)).collect()
            }
        }
    }

    /// The factor on cosine and sine.
    pub fn magnitude(&self) -> f64 {
        match &self.scaling {
            Some(Scaling::Yarn(yarn)) => yarn.magnitude,
            _ => 1.0,
        }
    }

    /// Transformers' `rope_parameters` of one kind of layers.
    pub(super) fn hugging_face(&self) -> Value {
        let scaling = self.scaling.as_ref();
        let mut parameters = scaling.map_or_else(|| json!({"rope_type": "default"}), Scaling::hugging_face);
        parameters["rope_theta"] = self.theta.into();
        parameters
    }

    /// How rotations are stretched, in words; none where they are not.
    pub fn stretched(&self) -> Option<String> {
        Some(match self.scaling.as_ref()? {
            Scaling::Llama3(scaling) => format!("stretched by {} as Llama 3", scaling.factor),
            Scaling::Linear(factor) => format!("stretched by {factor}"),
            Scaling::Factors(_) => "stretched pair by pair".to_owned(),
            Scaling::Yarn(yarn) => format!("stretched by {} as YaRN", yarn.factor),
        })
    }
}

impl Scaling {
    /// Transformers' `rope_scaling`.
    pub(super) fn hugging_face(&self) -> Value {
        match self {
            Self::Llama3(s) => json!({
                "rope_type": "llama3",
                "factor": s.factor,
                "low_freq_factor": s.low_frequency_factor,
                "high_freq_factor": s.high_frequency_factor,
                "original_max_position_embeddings": s.original_context,
            }),
            Self::Linear(factor) => json!({"rope_type": "linear", "factor": factor}),
            // The one form in which Transformers takes a factor for each pair; both lists are the same, so it does not
            // matter which a length asks for, and the attention's own factor is off.
            Self::Factors(factors) => json!({
                "rope_type": "longrope",
                "long_factor": factors,
                "short_factor": factors,
                "factor": 1.0,
                "attention_factor": 1.0,
            }),
            Self::Yarn(yarn) => json!({
                "rope_type": "yarn",
                "factor": yarn.factor,
                "beta_fast": yarn.fast,
                "beta_slow": yarn.slow,
                "original_max_position_embeddings": yarn.original_context,
                "attention_factor": yarn.magnitude,
                "truncate": yarn.truncate,
            }),
        }
    }
}

impl Llama3Scaling {
    /// Slow rotations are divided by the factor, fast ones kept, those between interpolated.
    fn stretch(&self, frequency: f64) -> f64 {
        let wavelength = std::f64::consts::TAU / frequency;
        let turns = self.original_context / wavelength;
        if turns < self.low_frequency_factor {
            frequency / self.factor
        } else if turns > self.high_frequency_factor {
            frequency
        } else {
            let smooth = (turns - self.low_frequency_factor) / (self.high_frequency_factor - self.low_frequency_factor);
            (1.0 - smooth) * frequency / self.factor + smooth * frequency
        }
    }
}

impl Yarn {
    /// What YaRN's paper makes of a factor (its equation 22), times `scale`.
    pub(super) fn magnitude_of(factor: f64, scale: f64) -> f64 {
        if factor <= 1.0 { 1.0 } else { 0.1 * scale * factor.ln() + 1.0 }
    }

    /// How much of each pair's own rotation is kept, from 0 to 1.
    fn kept(&self, theta: f64, head_width: usize) -> impl Iterator<Item = f64> {
        let width = head_width as f64;
        // The pair that turns so often over the original context.
        let pair =
            |turns: f64| width * (self.original_context / (turns * std::f64::consts::TAU)).ln() / (2.0 * theta.ln());
        let (first, last) = (pair(self.fast), pair(self.slow));
        let (first, last) = if self.truncate { (first.floor(), last.ceil()) } else { (first, last) };
        let (first, last) = (first.max(0.0), last.min(width - 1.0));
        let span = if first == last { 0.001 } else { last - first };
        (0..head_width / 2).map(move |i| 1.0 - ((i as f64 - first) / span).clamp(0.0, 1.0))
    }
}
