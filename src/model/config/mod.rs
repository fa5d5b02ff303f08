//! The architecture of a decoder of the Llama family, from a Hugging Face `config.json` or from a compact model's
//! description.

mod activation;
mod experts;
mod family;
mod fields;
mod gemma;
mod hugging_face;
mod rope;
mod sliding;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kernels::Heads;
use super::options::Compact;

pub use self::activation::Activation;
pub use self::experts::{Experts, MAX_EXPERTS};
pub use self::family::Family;
pub use self::gemma::Gemma;
pub use self::hugging_face::Described;
pub use self::rope::{Llama3Scaling, Rope, Scaling, Yarn};
pub use self::sliding::Sliding;

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
    /// The function on the gate of the feed-forward part.
    #[serde(default, skip_serializing_if = "Activation::is_usual")]
    pub activation: Activation,
    pub norm_epsilon: f64,
    pub rope: Rope,
    pub attention_bias: AttentionBias,
    /// Whether the three projections of the feed-forward part have biases.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ffn_bias: bool,
    /// Whether queries and keys are normalised, head by head.
    pub head_norms: bool,
    /// Layers whose attention sees the last tokens alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sliding: Option<Sliding>,
    /// Of Gemma's families, what they compute otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gemma: Option<Gemma>,
    /// Layers whose feed-forward part is a mixture of experts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub experts: Option<Experts>,
    /// Tokens that the model was trained to read at once, where it says so.
    pub context: Option<usize>,
    /// Whether the head is the embedding.
    pub tied: bool,
    pub bos: Option<u32>,
    pub eos: Option<u32>,
}

/// The largest model that is believed: sizes beyond these are a damaged file, not a model.
pub const LARGEST: usize = 1 << 24;

/// See [`LARGEST`].
pub const MAX_LAYERS: usize = 1024;

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
            activation: Activation::Silu,
            norm_epsilon: 1e-5,
            rope: Rope { theta: 10_000.0, scaling: None },
            attention_bias: AttentionBias::None,
            ffn_bias: false,
            head_norms: false,
            sliding: None,
            gemma: None,
            experts: None,
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
            "hidden_act": self.activation.key(),
            "rms_norm_eps": self.norm_epsilon,
            "rope_theta": self.rope.theta,
            "max_position_embeddings": self.context.unwrap_or(4096),
            "tie_word_embeddings": self.tied,
            "attention_bias": self.attention_bias != AttentionBias::None,
            "mlp_bias": self.ffn_bias,
            "bos_token_id": self.bos.unwrap_or(0),
            "eos_token_id": self.eos.unwrap_or(1),
            "torch_dtype": "float32",
        });
        if let Some(experts) = &self.experts {
            experts.write(&mut json);
        }
        if let Some(scaling) = &self.rope.scaling {
            json["rope_scaling"] = scaling.hugging_face();
        }
        self.write_windows(&mut json);
        if let Some(gemma) = &self.gemma {
            json["hidden_activation"] = self.activation.key().into();
            json["query_pre_attn_scalar"] = gemma.query_scalar.into();
            json["attn_logit_softcapping"] = gemma.attention_cap.into();
            json["final_logit_softcapping"] = gemma.logit_cap.into();
        }
        json
    }

    /// Says which layers slide, where that is not what is taken of a family that says nothing.
    fn write_windows(&self, json: &mut Value) {
        let Some(sliding) = &self.sliding else {
            match self.family {
                // Left out, it would be 4096.
                Family::Mistral => json["sliding_window"] = Value::Null,
                Family::Gemma2 | Family::Gemma3 => json["layer_types"] = vec![sliding::FULL; self.layers].into(),
                Family::Llama | Family::Qwen2 | Family::Qwen3 | Family::Qwen3Moe => {}
            }
            return;
        };
        json["sliding_window"] = sliding.window.into();
        if self.family == Family::Mistral {
            return;
        }
        json["layer_types"] = sliding.kinds().into();
        if matches!(self.family, Family::Qwen2 | Family::Qwen3) {
            json["use_sliding_window"] = true.into();
            // What Transformers had before it had `layer_types`.
            json["max_window_layers"] = sliding.first_of_the_rest().unwrap_or(self.layers).into();
        }
        if let Some(rope) = &sliding.rope {
            json["rope_local_base_freq"] = rope.theta.into();
            if rope.scaling.is_some() {
                json["rope_parameters"] = serde_json::json!({
                    sliding::FULL: self.rope.hugging_face(),
                    sliding::SLIDING: rope.hugging_face(),
                });
                json.as_object_mut().and_then(|fields| fields.remove("rope_scaling"));
            }
        }
    }

    /// Heads for the attention kernel.
    pub fn attention_heads(&self) -> Heads {
        Heads {
            query: self.heads,
            key_value: self.kv_heads,
            width: self.head_width,
            scalar: self.gemma.map_or(self.head_width as f64, |gemma| gemma.query_scalar),
            cap: self.gemma.and_then(|gemma| gemma.attention_cap),
        }
    }

    /// Whether a layer's attention sees the last tokens alone.
    pub fn slides(&self, layer: usize) -> bool {
        self.sliding.as_ref().is_some_and(|sliding| sliding.layers.get(layer) == Some(&true))
    }

    /// The norm before the feed-forward part, as Hugging Face names it.
    pub fn ffn_norm(&self) -> &'static str {
        if self.gemma.is_some() { "pre_feedforward_layernorm" } else { "post_attention_layernorm" }
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
        if projection.starts_with("mlp.") {
            return self.ffn_bias;
        }
        match self.attention_bias {
            AttentionBias::None => false,
            AttentionBias::Inputs => projection != "self_attn.o_proj",
            AttentionBias::All => true,
        }
    }

    /// Whether the feed-forward part of a layer is a mixture of experts.
    pub fn has_experts(&self, layer: usize) -> bool {
        self.experts.as_ref().is_some_and(|experts| experts.layers.get(layer) == Some(&true))
    }

    /// The projections of a layer that can have an adapter: those of attention alone where it has experts.
    pub fn projections(&self, layer: usize) -> &'static [&'static str] {
        if self.has_experts(layer) { &PROJECTIONS[..ATTENTION] } else { &PROJECTIONS }
    }

    /// Every module that can have an adapter (`model.layers.0.self_attn.q_proj`), by layer and in the order of [`PROJECTIONS`],
    /// with its output and input width.
    pub fn modules(&self) -> impl Iterator<Item = (String, (usize, usize))> + '_ {
        let of = |layer: usize, name: &str| (format!("model.layers.{layer}.{name}"), self.projection(name));
        (0..self.layers).flat_map(move |layer| self.projections(layer).iter().map(move |name| of(layer, name)))
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

    fn layer_tensors(&self, layer: usize) -> impl Iterator<Item = (String, [usize; 2])> + '_ {
        let name = move |part: &str| format!("model.layers.{layer}.{part}");
        let norms = ["input_layernorm", self.ffn_norm()].into_iter();
        let norms = norms.chain(self.gemma.iter().flat_map(|_| OUTPUT_NORMS));
        let mut tensors: Vec<_> = norms.map(|norm| (name(&format!("{norm}.weight")), [1, self.width])).collect();
        if self.head_norms {
            tensors.extend(HEAD_NORMS.map(|norm| (name(&format!("{norm}.weight")), [1, self.head_width])));
        }
        for projection in self.projections(layer) {
            let (output, input) = self.projection(projection);
            tensors.push((name(&format!("{projection}.weight")), [output, input]));
            if self.has_bias(projection) {
                tensors.push((name(&format!("{projection}.bias")), [1, output]));
            }
        }
        let experts = self.experts.as_ref().filter(|_| self.has_experts(layer));
        // One after the other: a configuration may claim more than its files hold.
        let experts = experts.into_iter().flat_map(|experts| experts.tensors(self.width));
        tensors.into_iter().chain(experts.map(move |(part, shape)| (name(&part), shape)))
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

/// How many of these are attention's, which come first.
const ATTENTION: usize = 4;

/// The norms of queries and keys, as Hugging Face names them.
pub const HEAD_NORMS: [&str; 2] = ["self_attn.q_norm", "self_attn.k_norm"];

/// Gemma's norms of what attention and feed-forward give, as Hugging Face names them.
pub const OUTPUT_NORMS: [&str; 2] = ["post_attention_layernorm", "post_feedforward_layernorm"];

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
