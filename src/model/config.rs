//! The architecture of a decoder of the Llama family, from a Hugging Face `config.json` or from a compact model's
//! description.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kernels::Heads;
use super::options::Compact;
use crate::error::InputError;
use crate::files;

/// Which of the supported architectures a decoder has. They differ in biases and norms inside attention alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Llama, SmolLM2, TinyLlama.
    Llama,
    /// Biases on queries, keys and values.
    Qwen2,
    /// Queries and keys are normalised, head by head, before they are rotated.
    Qwen3,
}

impl Family {
    /// The name in `config.json` and in GGUF files.
    pub fn key(self) -> &'static str {
        match self {
            Self::Llama => "llama",
            Self::Qwen2 => "qwen2",
            Self::Qwen3 => "qwen3",
        }
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "Llama",
            Self::Qwen2 => "Qwen2",
            Self::Qwen3 => "Qwen3",
        }
    }

    /// The family of a name.
    pub fn of(key: &str) -> Option<Self> {
        [Self::Llama, Self::Qwen2, Self::Qwen3].into_iter().find(|family| family.key() == key)
    }

    /// The class that Transformers makes of it.
    fn class(self) -> &'static str {
        match self {
            Self::Llama => "LlamaForCausalLM",
            Self::Qwen2 => "Qwen2ForCausalLM",
            Self::Qwen3 => "Qwen3ForCausalLM",
        }
    }
}

/// Which projections of attention have a bias.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttentionBias {
    #[default]
    None,
    /// Queries, keys and values.
    Inputs,
    /// The output too.
    All,
}

/// Shape of a decoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LlamaConfig {
    pub family: Family,
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
    pub attention_bias: AttentionBias,
    /// Whether queries and keys are normalised, head by head.
    pub head_norms: bool,
    /// Tokens that the model was trained to read at once, where it says so.
    pub context: Option<usize>,
    /// Whether the head is the embedding.
    pub tied: bool,
    pub bos: Option<u32>,
    pub eos: Option<u32>,
}

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
        match &self.scaling {
            None => plain.collect(),
            Some(Scaling::Llama3(s)) => plain.map(|f| s.stretch(f)).collect(),
            Some(Scaling::Linear(factor)) => plain.map(|f| f / factor).collect(),
            Some(Scaling::Factors(factors)) => plain.zip(factors).map(|(f, factor)| f / factor).collect(),
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
pub const LARGEST: usize = 1 << 24;

/// See [`LARGEST`].
pub const MAX_LAYERS: usize = 1024;

/// The most bytes of a `config.json` that are read.
const LARGEST_FILE: u64 = 1 << 24;

impl LlamaConfig {
    /// The architecture of a compact model; its vocabulary is all new tokens, counted elsewhere.
    pub fn compact(compact: &Compact) -> Self {
        Self {
            family: Family::Llama,
            vocabulary: 0,
            width: compact.width,
            layers: compact.layers,
            heads: compact.heads,
            kv_heads: compact.kv_heads,
            head_width: compact.width / compact.heads,
            ffn: compact.ffn,
            norm_epsilon: 1e-5,
            rope: Rope { theta: 10_000.0, scaling: None },
            attention_bias: AttentionBias::None,
            head_norms: false,
            context: None,
            tied: compact.tied,
            bos: None,
            eos: None,
        }
    }

    /// The `config.json` of a model with this architecture and `vocabulary` tokens. Where it names no BOS and EOS, they
    /// are 0 and 1.
    pub fn hugging_face(&self, vocabulary: usize) -> Value {
        let mut json = serde_json::json!({
            "architectures": [self.family.class()],
            "model_type": self.family.key(),
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
            "max_position_embeddings": self.context.unwrap_or(4096),
            "tie_word_embeddings": self.tied,
            "attention_bias": self.attention_bias != AttentionBias::None,
            "mlp_bias": false,
            "bos_token_id": self.bos.unwrap_or(0),
            "eos_token_id": self.eos.unwrap_or(1),
            "torch_dtype": "float32",
        });
        if let Some(scaling) = &self.rope.scaling {
            json["rope_scaling"] = match scaling {
                Scaling::Llama3(s) => serde_json::json!({
                    "rope_type": "llama3",
                    "factor": s.factor,
                    "low_freq_factor": s.low_frequency_factor,
                    "high_freq_factor": s.high_frequency_factor,
                    "original_max_position_embeddings": s.original_context,
                }),
                Scaling::Linear(factor) => serde_json::json!({"rope_type": "linear", "factor": factor}),
                // The one form in which Transformers takes a factor for each pair; both lists are the same, so it does
                // not matter which a length asks for, and the attention's own factor is off.
                Scaling::Factors(factors) => serde_json::json!({
                    "rope_type": "longrope",
                    "long_factor": factors,
                    "short_factor": factors,
                    "factor": 1.0,
                    "attention_factor": 1.0,
                }),
            };
        }
        json
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

    /// Whether a projection has a bias.
    pub fn has_bias(&self, projection: &str) -> bool {
        match self.attention_bias {
            AttentionBias::None => false,
            AttentionBias::Inputs => matches!(projection, "self_attn.q_proj" | "self_attn.k_proj" | "self_attn.v_proj"),
            AttentionBias::All => projection.starts_with("self_attn."),
        }
    }

    /// Every tensor of the decoder by Hugging Face's name, with its shape; vectors as one row.
    pub fn tensors(&self) -> impl Iterator<Item = (String, [usize; 2])> + '_ {
        let table = [self.vocabulary, self.width];
        let head = (!self.tied).then(|| ("lm_head.weight".to_owned(), table));
        [("model.embed_tokens.weight".to_owned(), table), ("model.norm.weight".to_owned(), [1, self.width])]
            .into_iter()
            .chain(head)
            .chain((0..self.layers).flat_map(|layer| self.layer_tensors(layer)))
    }

    fn layer_tensors(&self, layer: usize) -> Vec<(String, [usize; 2])> {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        let mut tensors: Vec<_> = ["input_layernorm.weight", "post_attention_layernorm.weight"]
            .map(|norm| (name(norm), [1, self.width]))
            .into();
        if self.head_norms {
            tensors.extend(HEAD_NORMS.map(|norm| (name(&format!("{norm}.weight")), [1, self.head_width])));
        }
        for projection in PROJECTIONS {
            let (output, input) = self.projection(projection);
            tensors.push((name(&format!("{projection}.weight")), [output, input]));
            if self.has_bias(projection) {
                tensors.push((name(&format!("{projection}.bias")), [1, output]));
            }
        }
        tensors
    }

    /// Reads a `config.json` as Transformers 4 or 5 writes it.
    ///
    /// # Errors
    /// Names the field that is missing, of the wrong type, or not supported.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let text = files::read_text(path, LARGEST_FILE)?;
        let json: Value = serde_json::from_str(&text).map_err(|e| {
            InputError::new(path, "not valid JSON")
                .at(format!("line {}, column {}", e.line(), e.column()))
                .advice("expected a Hugging Face config.json")
        })?;
        Reader { path, json: &json }.config()
    }
}

/// Names of the seven projections, as Hugging Face has them.
pub const PROJECTIONS: [&str; 7] = [
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
];

/// The norms of queries and keys, as Hugging Face names them.
pub const HEAD_NORMS: [&str; 2] = ["self_attn.q_norm", "self_attn.k_norm"];

/// The part of an architecture that does not fit the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Layers,
    KeyValueHeads,
    HeadWidth,
}

impl LlamaConfig {
    /// Checks that the parts of an architecture fit each other.
    ///
    /// # Errors
    /// Which part does not, and why.
    pub fn check(&self) -> Result<(), (Part, &'static str)> {
        if self.layers > MAX_LAYERS {
            return Err((Part::Layers, "more layers than any model has"));
        }
        if !self.heads.is_multiple_of(self.kv_heads) {
            return Err((Part::KeyValueHeads, "does not divide the number of attention heads"));
        }
        if self.head_width == 0 || !self.head_width.is_multiple_of(2) {
            return Err((Part::HeadWidth, "rotary heads need an even width"));
        }
        Ok(())
    }
}

/// Reads fields of a `config.json` with errors that name them.
struct Reader<'a> {
    path: &'a Path,
    json: &'a Value,
}

impl Reader<'_> {
    fn error(&self, field: &str, problem: &str) -> InputError {
        InputError::new(self.path, problem).at(format!("field `{field}`"))
    }

    fn size(&self, field: &str) -> Result<usize, InputError> {
        match self.json.get(field) {
            None => Err(self.error(field, "field is missing")),
            Some(value) => match value.as_u64() {
                Some(n) if n > 0 && (n as usize) < LARGEST => Ok(n as usize),
                _ => Err(self.error(field, "expected a positive whole number")),
            },
        }
    }

    fn number(&self, from: &Value, field: &str) -> Result<f64, InputError> {
        from.get(field)
            .and_then(Value::as_f64)
            .filter(|n| n.is_finite() && *n > 0.0)
            .ok_or_else(|| self.error(field, "expected a positive number"))
    }

    fn flag(&self, field: &str) -> Option<bool> {
        self.json.get(field).and_then(Value::as_bool)
    }

    fn config(&self) -> Result<LlamaConfig, InputError> {
        let kind = self.json.get("model_type").and_then(Value::as_str).unwrap_or("");
        let family = Family::of(kind).ok_or_else(|| {
            self.error("model_type", &format!("model type \"{kind}\" is not supported"))
                .advice("expected \"llama\" (Llama, SmolLM2, TinyLlama), \"qwen2\" or \"qwen3\"")
        })?;
        if self.flag("mlp_bias") == Some(true) {
            return Err(self.error("mlp_bias", "biases of the feed-forward part are not supported"));
        }
        if self.flag("use_sliding_window") == Some(true) {
            return Err(self.error("use_sliding_window", "sliding windows are not supported"));
        }
        let (width, heads) = (self.size("hidden_size")?, self.size("num_attention_heads")?);
        let kv_heads =
            if self.json.get("num_key_value_heads").is_some() { self.size("num_key_value_heads")? } else { heads };
        let head_width = match self.json.get("head_dim") {
            // Qwen3's class has a width of its own where the file has none.
            None | Some(Value::Null) if family == Family::Qwen3 => 128,
            None | Some(Value::Null) => width / heads,
            Some(_) => self.size("head_dim")?,
        };
        let config = LlamaConfig {
            family,
            vocabulary: self.size("vocab_size")?,
            width,
            layers: self.size("num_hidden_layers")?,
            heads,
            kv_heads,
            head_width,
            ffn: self.size("intermediate_size")?,
            norm_epsilon: self.number(self.json, "rms_norm_eps")?,
            rope: self.rope()?,
            attention_bias: match family {
                Family::Qwen2 => AttentionBias::Inputs,
                _ if self.flag("attention_bias") == Some(true) => AttentionBias::All,
                _ => AttentionBias::None,
            },
            head_norms: family == Family::Qwen3,
            context: self.json.get("max_position_embeddings").and_then(Value::as_u64).map(|n| n as usize),
            tied: self.flag("tie_word_embeddings").unwrap_or(false),
            bos: self.token("bos_token_id"),
            eos: self.token("eos_token_id"),
        };
        config.check().map_err(|(what, problem)| {
            let field = match what {
                Part::Layers => "num_hidden_layers",
                Part::KeyValueHeads => "num_key_value_heads",
                Part::HeadWidth => "head_dim",
            };
            self.error(field, problem)
        })?;
        Ok(config)
    }

    /// A special token; where there are several (Llama 3's ends), the first.
    fn token(&self, field: &str) -> Option<u32> {
        let value = self.json.get(field)?;
        let value = value.as_array().and_then(|a| a.first()).unwrap_or(value);
        value.as_u64().and_then(|t| u32::try_from(t).ok())
    }

    /// Transformers 5 has `rope_parameters`; 4 has `rope_theta` beside `rope_scaling`.
    fn rope(&self) -> Result<Rope, InputError> {
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
            "linear" => Ok(Rope { theta, scaling: Some(Scaling::Linear(self.number(scaling, "factor")?)) }),
            "llama3" => Ok(Rope {
                theta,
                scaling: Some(Scaling::Llama3(Llama3Scaling {
                    factor: self.number(scaling, "factor")?,
                    low_frequency_factor: self.number(scaling, "low_freq_factor")?,
                    high_frequency_factor: self.number(scaling, "high_freq_factor")?,
                    original_context: self.number(scaling, "original_max_position_embeddings")?,
                })),
            }),
            other => Err(self
                .error("rope_type", &format!("rotary embedding \"{other}\" is not supported"))
                .advice("expected \"default\", \"linear\" or \"llama3\"")),
        }
    }
}
