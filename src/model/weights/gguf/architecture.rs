//! A decoder's architecture from the metadata and the tensors of a GGUF file.

use super::header::Gguf;
use super::metadata::{changing_key, unused};
use super::value::Value;
use crate::error::InputError;
use crate::model::config::{
    Activation, AttentionBias, Described, Family, Gemma, LARGEST, LlamaConfig, MAX_LAYERS, Part, Rope, Scaling, Sliding,
};

/// Reads the architecture.
///
/// # Errors
/// Names the metadata that is missing, out of range or not supported.
pub fn describe(file: &Gguf) -> Result<Described, InputError> {
    let family = family(file)?;
    let reader = Reader { file, family };
    if let Some((key, problem)) = changing_key(file, family) {
        return Err(reader.error(key, &problem));
    }
    Ok(Described { config: reader.config()?, unused: unused(file, family.gguf_key()) })
}

fn family(file: &Gguf) -> Result<Family, InputError> {
    const KEY: &str = "general.architecture";
    let name = file.text(KEY).ok_or_else(|| error(file, KEY, "metadata is missing"))?;
    Family::of_gguf(name).ok_or_else(|| {
        let name: String = name.chars().take(80).collect();
        error(file, KEY, &format!("architecture \"{name}\" is not supported"))
            .advice("expected llama, qwen2, qwen3, gemma2 or gemma3")
    })
}

fn error(file: &Gguf, key: &str, problem: &str) -> InputError {
    InputError::new(file.path(), problem).at(format!("metadata `{key}`"))
}

struct Reader<'a> {
    file: &'a Gguf,
    family: Family,
}

impl Reader<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.family.gguf_key())
    }

    fn value(&self, key: &str) -> Option<Value<'_>> {
        self.file.value(&self.key(key))
    }

    fn error(&self, key: &str, problem: &str) -> InputError {
        error(self.file, &self.key(key), problem)
    }

    fn size(&self, key: &str) -> Result<Option<usize>, InputError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        match value.as_u64() {
            Some(n) if n > 0 && n < LARGEST as u64 => Ok(Some(n as usize)),
            _ => Err(self.error(key, "expected a positive whole number")),
        }
    }

    fn needed_size(&self, key: &str) -> Result<usize, InputError> {
        self.size(key)?.ok_or_else(|| self.error(key, "metadata is missing"))
    }

    fn number(&self, key: &str) -> Result<Option<f64>, InputError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = value.as_f64().filter(|n| n.is_finite() && *n > 0.0);
        number.map(Some).ok_or_else(|| self.error(key, "expected a positive number"))
    }

    fn config(&self) -> Result<LlamaConfig, InputError> {
        let (width, heads) = (self.needed_size("embedding_length")?, self.needed_size("attention.head_count")?);
        let head_width = self.size("attention.key_length")?.unwrap_or(width / heads);
        if self.size("attention.value_length")?.is_some_and(|n| n != head_width) {
            return Err(self.error("attention.value_length", "values as wide as keys are expected"));
        }
        if self.size("rope.dimension_count")?.is_some_and(|n| n != head_width) {
            return Err(self.error("rope.dimension_count", "only rotations of whole heads are supported"));
        }
        let layers = self.needed_size("block_count")?;
        let theta = if self.family == Family::Gemma3 { 1e6 } else { 10_000.0 };
        let config = LlamaConfig {
            family: self.family,
            vocabulary: self.vocabulary()?,
            width,
            layers,
            heads,
            kv_heads: self.size("attention.head_count_kv")?.unwrap_or(heads),
            head_width,
            ffn: self.needed_size("feed_forward_length")?,
            activation: if self.family.is_gemma() { Activation::GeluTanh } else { Activation::Silu },
            norm_epsilon: self
                .number("attention.layer_norm_rms_epsilon")?
                .ok_or_else(|| self.error("attention.layer_norm_rms_epsilon", "metadata is missing"))?,
            rope: Rope { theta: self.number("rope.freq_base")?.unwrap_or(theta), scaling: self.scaling(head_width)? },
            attention_bias: self.attention_bias(),
            ffn_bias: self.file.tensor("blk.0.ffn_up.bias").is_some(),
            head_norms: self.family.has_head_norms(),
            sliding: self.sliding(layers)?,
            gemma: self.gemma(head_width)?,
            experts: None,
            context: self.size("context_length")?,
            tied: self.file.tensor("output.weight").is_none(),
            bos: self.token("bos"),
            eos: self.token("eos"),
        };
        config.check().map_err(|(what, problem)| {
            let key = match what {
                Part::Layers => "block_count",
                Part::KeyValueHeads => "attention.head_count_kv",
                Part::HeadWidth => "attention.key_length",
            };
            self.error(key, problem)
        })?;
        Ok(config)
    }

    /// Rows of the embedding, of which a file may have more than its tokenizer has tokens.
    fn vocabulary(&self) -> Result<usize, InputError> {
        const NAME: &str = "token_embd.weight";
        let shape = self.file.tensor(NAME).map(|tensor| tensor.shape.as_slice());
        match shape {
            Some(&[rows, _]) if rows < LARGEST => Ok(rows),
            Some(shape) => {
                Err(InputError::new(self.file.path(), format!("expected a matrix, got the shape {shape:?}"))
                    .at(format!("tensor `{NAME}`")))
            }
            None => Err(InputError::new(self.file.path(), "a tensor is missing").at(format!("tensor `{NAME}`"))),
        }
    }

    fn attention_bias(&self) -> AttentionBias {
        let has = |part: &str| self.file.tensor(&format!("blk.0.{part}.bias")).is_some();
        match self.family {
            Family::Qwen2 => AttentionBias::Inputs,
            _ if has("attn_output") => AttentionBias::All,
            _ if has("attn_q") => AttentionBias::Inputs,
            _ => AttentionBias::None,
        }
    }

    /// Gemma's layers with a window, which llama.cpp knows by the family.
    fn sliding(&self, layers: usize) -> Result<Option<Sliding>, InputError> {
        const WINDOW: &str = "attention.sliding_window";
        if layers > MAX_LAYERS {
            return Ok(None);
        }
        let Some(usual) = usual_windows(self.family, layers) else { return Ok(None) };
        let window = match (self.size(WINDOW)?, self.family) {
            (Some(window), _) => window,
            (None, Family::Gemma2) => GEMMA2_WINDOW,
            (None, _) => return Err(self.error(WINDOW, "metadata is missing")),
        };
        let rope = match self.family {
            Family::Gemma3 => {
                let theta = self.number("rope.freq_base_swa")?.unwrap_or(LOCAL_THETA);
                Some(Rope { theta, scaling: None })
            }
            _ => None,
        };
        Ok(Some(Sliding { window, layers: usual, rope }))
    }

    fn gemma(&self, head_width: usize) -> Result<Option<Gemma>, InputError> {
        let cap = |key: &str, usual: f64| self.number(key).map(|cap| Some(cap.unwrap_or(usual)));
        let (attention_cap, logit_cap) = match self.family {
            Family::Gemma2 => (cap("attn_logit_softcapping", 50.0)?, cap("final_logit_softcapping", 30.0)?),
            Family::Gemma3 => (None, None),
            _ => return Ok(None),
        };
        let (layers, width) = (self.needed_size("block_count")?, self.needed_size("embedding_length")?);
        let query_scalar =
            usual_scalar(self.family, layers, width, self.needed_size("attention.head_count")?, head_width);
        Ok(Some(Gemma { query_scalar, attention_cap, logit_cap }))
    }

    fn token(&self, name: &str) -> Option<u32> {
        let value = self.file.value(&format!("tokenizer.ggml.{name}_token_id"))?;
        value.as_u64().and_then(|token| u32::try_from(token).ok())
    }

    /// Factors of each pair, or one for all: `rope.scaling.factor`, or `rope.scale_linear` in older files, 1 where it is 0. As in
    /// llama.cpp a factor counts also where no kind is named.
    fn scaling(&self, head_width: usize) -> Result<Option<Scaling>, InputError> {
        let named = |key| self.value(key).map(|value| (key, value.as_f64()));
        let factor = match named("rope.scaling.factor").or_else(|| named("rope.scale_linear")) {
            None | Some((_, Some(0.0))) => None,
            Some((key, _)) => self.number(key)?.filter(|&factor| factor != 1.0).map(|factor| (key, factor)),
        };
        let linear = match self.text("rope.scaling.type")? {
            None | Some("linear") => factor,
            Some("none") => None,
            Some(other) => {
                let other: String = other.chars().take(80).collect();
                let problem = format!("rotary embedding \"{other}\" is not supported");
                return Err(self.error("rope.scaling.type", &problem).advice("expected none or linear"));
            }
        };
        match (self.factors(head_width)?, linear) {
            (Some(_), Some((key, _))) => Err(self.error(
                key,
                &format!("rotations that are stretched by this and by `{ROPE_FACTORS}` are not supported"),
            )),
            (Some(factors), None) => Ok(Some(Scaling::Factors(factors))),
            (None, linear) => Ok(linear.map(|(_, factor)| Scaling::Linear(factor))),
        }
    }

    fn text(&self, key: &str) -> Result<Option<&str>, InputError> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(self.error(key, "expected a text")),
        }
    }

    /// A factor on each pair's rotation, where the file has them worked out.
    fn factors(&self, head_width: usize) -> Result<Option<Vec<f64>>, InputError> {
        let Some(tensor) = self.file.tensor(ROPE_FACTORS) else { return Ok(None) };
        let wrong = |problem: String| InputError::new(self.file.path(), problem).at(format!("tensor `{ROPE_FACTORS}`"));
        if tensor.shape != [head_width / 2] {
            return Err(wrong(format!("expected the shape [{}], got {:?}", head_width / 2, tensor.shape)));
        }
        let mut factors = vec![0.0f32; head_width / 2];
        tensor.kind.read_row(self.file.data(tensor), &mut factors);
        if !factors.iter().all(|factor| factor.is_finite() && *factor > 0.0) {
            return Err(wrong("expected positive numbers".to_owned()));
        }
        Ok(Some(factors.into_iter().map(f64::from).collect()))
    }
}

/// Factors on the rotations, which are no weights of the decoder.
pub const ROPE_FACTORS: &str = "rope_freqs.weight";

/// The base of Gemma 3's rotations in layers with a window.
pub(super) const LOCAL_THETA: f64 = 10_000.0;

/// The window of Gemma 2 where a file does not say it.
const GEMMA2_WINDOW: usize = 4096;

/// By the root of what llama.cpp divides Gemma's scores: a head's width, but in the models of 27B, which it knows by their layers.
pub(super) fn usual_scalar(family: Family, layers: usize, width: usize, heads: usize, head_width: usize) -> f64 {
    match (family, layers) {
        (Family::Gemma2, 46) | (Family::Gemma3, 62) => width as f64 / heads as f64,
        _ => head_width as f64,
    }
}

/// Which layers llama.cpp holds to a window; none of a family that has no such layers there.
pub(super) fn usual_windows(family: Family, layers: usize) -> Option<Vec<bool>> {
    let every = match family {
        Family::Gemma2 => 2,
        Family::Gemma3 => 6,
        Family::Llama | Family::Qwen2 | Family::Qwen3 | Family::Qwen3Moe | Family::Mistral => return None,
    };
    Some((1..=layers).map(|layer| layer % every != 0).collect())
}
