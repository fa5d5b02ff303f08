//! The architecture of a Llama decoder, from a Hugging Face `config.json` or from a compact model's description.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kernels::Heads;
use super::options::Compact;
use crate::error::Unusable;

/// Shape of a Llama decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LlamaConfig {
    pub vocabulary: usize,
    pub width: usize,
    pub layers: usize,
    pub heads: usize,
    pub kv_heads: usize,
    /// Width of a head; `heads * head_width` need not be `width`.
    pub head_width: usize,
    /// Width between the two halves of the feed-forward part.
    pub ffn: usize,
    pub norm_epsilon: f64,
    pub rope: Rope,
    /// Whether the head is the embedding.
    pub tied: bool,
    pub bos: Option<u32>,
    pub eos: Option<u32>,
}

/// Rotary position embedding.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rope {
    pub theta: f64,
    pub scaling: Option<Llama3Scaling>,
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

impl Rope {
    /// Radians a position for each of the `head_width / 2` pairs (Transformers' `default` and `llama3`).
    pub fn frequencies(&self, head_width: usize) -> Vec<f64> {
        let plain = (0..head_width / 2).map(|i| self.theta.powf(-2.0 * i as f64 / head_width as f64));
        match self.scaling {
            None => plain.collect(),
            Some(s) => plain.map(|f| s.stretch(f)).collect(),
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

/// The largest model that is believed: sizes beyond these are a damaged file, not a model.
const LARGEST: usize = 1 << 24;

impl LlamaConfig {
    /// The architecture of a compact model; its vocabulary is all new tokens, counted elsewhere.
    pub fn compact(compact: &Compact) -> Self {
        Self {
            vocabulary: 0,
            width: compact.width,
            layers: compact.layers,
            heads: compact.heads,
            kv_heads: compact.kv_heads,
            head_width: compact.width / compact.heads,
            ffn: compact.ffn,
            norm_epsilon: 1e-5,
            rope: Rope { theta: 10_000.0, scaling: None },
            tied: compact.tied,
            bos: None,
            eos: None,
        }
    }

    /// The `config.json` of a model with this architecture and `vocabulary` tokens, of which 0 and 1 are BOS and EOS.
    pub fn hugging_face(&self, vocabulary: usize) -> Value {
        serde_json::json!({
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "vocab_size": vocabulary,
            "hidden_size": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.head_width,
            "intermediate_size": self.ffn,
            "hidden_act": "silu",
            "rms_norm_eps": self.norm_epsilon,
            "rope_theta": self.rope.theta,
            "max_position_embeddings": 4096,
            "tie_word_embeddings": self.tied,
            "attention_bias": false,
            "mlp_bias": false,
            "bos_token_id": 0,
            "eos_token_id": 1,
            "torch_dtype": "float32",
        })
    }

    /// Heads for the attention kernel.
    pub fn attention_heads(&self) -> Heads {
        Heads { query: self.heads, key_value: self.kv_heads, width: self.head_width }
    }

    /// Output and input width of a projection.
    pub fn projection(&self, name: &str) -> (usize, usize) {
        let (query, key_value) = (self.heads * self.head_width, self.kv_heads * self.head_width);
        match name {
            "self_attn.q_proj" => (query, self.width),
            "self_attn.k_proj" | "self_attn.v_proj" => (key_value, self.width),
            "self_attn.o_proj" => (self.width, query),
            "mlp.down_proj" => (self.width, self.ffn),
            _ => (self.ffn, self.width),
        }
    }

    /// Reads a `config.json` as Transformers 4 or 5 writes it.
    ///
    /// # Errors
    /// Names the field that is missing, of the wrong type, or not supported.
    pub fn read(path: &Path) -> Result<Self, Unusable> {
        let text =
            std::fs::read_to_string(path).map_err(|e| Unusable::io(path, "read the model's configuration", &e))?;
        let json: Value = serde_json::from_str(&text).map_err(|e| {
            Unusable::new(path, "not valid JSON")
                .at(format!("line {}, column {}", e.line(), e.column()))
                .advice("expected a Hugging Face config.json")
        })?;
        Reader { path, json: &json }.config()
    }
}

/// Reads fields of a `config.json` with errors that name them.
struct Reader<'a> {
    path: &'a Path,
    json: &'a Value,
}

impl Reader<'_> {
    fn error(&self, field: &str, problem: &str) -> Unusable {
        Unusable::new(self.path, problem).at(format!("field `{field}`"))
    }

    fn size(&self, field: &str) -> Result<usize, Unusable> {
        match self.json.get(field) {
            None => Err(self.error(field, "field is missing")),
            Some(value) => match value.as_u64() {
                Some(n) if n > 0 && (n as usize) < LARGEST => Ok(n as usize),
                _ => Err(self.error(field, "expected a positive whole number")),
            },
        }
    }

    fn number(&self, from: &Value, field: &str) -> Result<f64, Unusable> {
        from.get(field)
            .and_then(Value::as_f64)
            .filter(|n| n.is_finite() && *n > 0.0)
            .ok_or_else(|| self.error(field, "expected a positive number"))
    }

    fn config(&self) -> Result<LlamaConfig, Unusable> {
        let kind = self.json.get("model_type").and_then(Value::as_str).unwrap_or("");
        if kind != "llama" {
            return Err(self
                .error("model_type", &format!("model type \"{kind}\" is not supported"))
                .advice("expected \"llama\" (Llama, SmolLM2, TinyLlama)"));
        }
        for field in ["attention_bias", "mlp_bias"] {
            if self.json.get(field).and_then(Value::as_bool) == Some(true) {
                return Err(self.error(field, "biases are not supported"));
            }
        }
        let (width, heads) = (self.size("hidden_size")?, self.size("num_attention_heads")?);
        let kv_heads =
            if self.json.get("num_key_value_heads").is_some() { self.size("num_key_value_heads")? } else { heads };
        let head_width = match self.json.get("head_dim") {
            None | Some(Value::Null) => width / heads,
            Some(_) => self.size("head_dim")?,
        };
        if heads % kv_heads != 0 {
            return Err(self.error("num_key_value_heads", "does not divide num_attention_heads"));
        }
        if head_width % 2 != 0 {
            return Err(self.error("head_dim", "rotary heads need an even width"));
        }
        Ok(LlamaConfig {
            vocabulary: self.size("vocab_size")?,
            width,
            layers: self.size("num_hidden_layers")?,
            heads,
            kv_heads,
            head_width,
            ffn: self.size("intermediate_size")?,
            norm_epsilon: self.number(self.json, "rms_norm_eps")?,
            rope: self.rope()?,
            tied: self.json.get("tie_word_embeddings").and_then(Value::as_bool).unwrap_or(false),
            bos: self.token("bos_token_id"),
            eos: self.token("eos_token_id"),
        })
    }

    /// A special token; where there are several (Llama 3's ends), the first.
    fn token(&self, field: &str) -> Option<u32> {
        let value = self.json.get(field)?;
        let value = value.as_array().and_then(|a| a.first()).unwrap_or(value);
        value.as_u64().and_then(|t| u32::try_from(t).ok())
    }

    /// Transformers 5 has `rope_parameters`; 4 has `rope_theta` beside `rope_scaling`.
    fn rope(&self) -> Result<Rope, Unusable> {
        let object = |field: &str| self.json.get(field).filter(|v| v.is_object());
        let scaling = object("rope_parameters").or_else(|| object("rope_scaling"));
        let theta = match (scaling.filter(|s| s.get("rope_theta").is_some()), self.json.get("rope_theta")) {
            (Some(s), _) => self.number(s, "rope_theta")?,
            (None, Some(_)) => self.number(self.json, "rope_theta")?,
            (None, None) => 10_000.0,
        };
        let Some(scaling) = scaling else { return Ok(Rope { theta, scaling: None }) };
        let kind =
            scaling.get("rope_type").or_else(|| scaling.get("type")).and_then(Value::as_str).unwrap_or("default");
        match kind {
            "default" => Ok(Rope { theta, scaling: None }),
            "llama3" => Ok(Rope {
                theta,
                scaling: Some(Llama3Scaling {
                    factor: self.number(scaling, "factor")?,
                    low_frequency_factor: self.number(scaling, "low_freq_factor")?,
                    high_frequency_factor: self.number(scaling, "high_freq_factor")?,
                    original_context: self.number(scaling, "original_max_position_embeddings")?,
                }),
            }),
            other => Err(self
                .error("rope_type", &format!("rotary embedding \"{other}\" is not supported"))
                .advice("expected \"default\" or \"llama3\"")),
        }
    }
}
