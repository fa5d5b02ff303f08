//! Reads a `config.json` as Transformers 4 or 5 does: the same defaults for what is missing or null, and everything that
//! changes the numbers either computed or refused by its name.

mod defaults;
mod experts;
mod rotations;
mod windows;

use std::path::Path;

use serde_json::{Map, Value};

use self::defaults::Defaults;
use super::fields::{changing_field, is_off, unused};
use super::rope::Scaling;
use super::{Activation, AttentionBias, Family, Gemma, LARGEST, LlamaConfig, Part};
use crate::error::InputError;
use crate::files;
use crate::model::foreign;

/// The most bytes of a `config.json` that are read.
const LARGEST_FILE: u64 = 1 << 24;

/// An architecture, and what its description says beyond it.
#[derive(Debug, Clone, PartialEq)]
pub struct Described {
    pub config: LlamaConfig,
    /// Fields that nothing is known of and that are not used, with their values.
    pub unused: Vec<String>,
}

impl LlamaConfig {
    /// Reads a `config.json` as Transformers 4 or 5 writes it.
    ///
    /// # Errors
    /// Names the field that is missing, of the wrong type, or not supported.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        Described::read(path).map(|described| described.config)
    }
}

impl Described {
    /// As [`LlamaConfig::read`], with the fields that are not used.
    ///
    /// # Errors
    /// See there.
    pub fn read(path: &Path) -> Result<Self, InputError> {
        let text = files::read_text(path, LARGEST_FILE)?;
        let invalid = |place: String, problem: &str| {
            let invalid = InputError::new(path, problem).at(place).advice("expected a Hugging Face config.json");
            foreign::beginning_of(path, text.as_bytes()).unwrap_or(invalid)
        };
        let json: Value = serde_json::from_str(&text)
            .map_err(|e| invalid(format!("line {}, column {}", e.line(), e.column()), "not valid JSON"))?;
        let Value::Object(fields) = json else {
            return Err(invalid("line 1".to_owned(), "a list of fields in braces is missing"));
        };
        match of_text(&fields) {
            Some(text) => Reader::new(path, &text)?.described(),
            None => Reader::new(path, &fields)?.described(),
        }
    }
}

/// Reads fields with errors that name them.
struct Reader<'a> {
    path: &'a Path,
    fields: &'a Map<String, Value>,
    family: Family,
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, fields: &'a Map<String, Value>) -> Result<Self, InputError> {
        let kind = fields.get("model_type").and_then(Value::as_str).unwrap_or("");
        let family = Family::of(kind).ok_or_else(|| {
            InputError::new(path, format!("model type \"{kind}\" is not supported")).at("field `model_type`").advice(
                "expected \"llama\" (Llama, SmolLM2, TinyLlama), \"qwen2\", \"qwen3\", \"qwen3_moe\", \"mistral\", \"gemma2\", \
                     \"gemma3_text\" or \"gemma3\" with a `text_config`",
            )
        })?;
        Ok(Self { path, fields, family })
    }

    fn error(&self, field: &str, problem: &str) -> InputError {
        InputError::new(self.path, problem).at(format!("field `{field}`"))
    }

    fn get(&self, field: &str) -> Option<&'a Value> {
        self.fields.get(field)
    }

    /// A number of something; none where the field is missing or null.
    fn optional_size(&self, field: &str) -> Result<Option<usize>, InputError> {
        match self.get(field) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => self.size_of(field, value).map(Some),
        }
    }

    /// A number of something that cannot be null.
    fn size(&self, field: &str, default: usize) -> Result<usize, InputError> {
        self.get(field).map_or(Ok(default), |value| self.size_of(field, value))
    }

    fn size_of(&self, field: &str, value: &Value) -> Result<usize, InputError> {
        let size = value.as_u64().and_then(|n| usize::try_from(n).ok());
        size.filter(|n| (1..LARGEST).contains(n)).ok_or_else(|| self.error(field, "expected a positive whole number"))
    }

    fn number(&self, from: &Map<String, Value>, field: &str) -> Result<f64, InputError> {
        from.get(field)
            .and_then(Value::as_f64)
            .filter(|n| n.is_finite() && *n > 0.0)
            .ok_or_else(|| self.error(field, "expected a positive number"))
    }

    /// A number, or a default where it is missing or null.
    fn number_or(&self, from: &Map<String, Value>, field: &str, default: f64) -> Result<f64, InputError> {
        match from.get(field) {
            None | Some(Value::Null) => Ok(default),
            Some(_) => self.number(from, field),
        }
    }

    fn flag(&self, field: &str) -> Result<bool, InputError> {
        self.flag_or(field, false)
    }

    /// A flag, or a default where it is missing; null says no.
    fn flag_or(&self, field: &str, default: bool) -> Result<bool, InputError> {
        match self.get(field) {
            None => Ok(default),
            Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.error(field, "expected true or false")),
        }
    }

    fn described(&self) -> Result<Described, InputError> {
        if let Some(error) = foreign::quantised(self.path, self.fields) {
            return Err(error);
        }
        if let Some((field, problem)) = changing_field(self.fields, self.family) {
            return Err(self.error(field, &problem));
        }
        let config = self.config()?;
        let mut unused = unused(self.fields);
        // Transformers' Llama has no window.
        let window = self.get("sliding_window").filter(|window| self.family == Family::Llama && !is_off(window));
        unused.extend(window.map(|window| format!("sliding_window = {window}")));
        Ok(Described { config, unused })
    }

    fn config(&self) -> Result<LlamaConfig, InputError> {
        let defaults = self.family.defaults();
        let width = self.size("hidden_size", defaults.width)?;
        let heads = self.size("num_attention_heads", defaults.heads)?;
        let kv_heads = match self.get("num_key_value_heads") {
            None => defaults.kv_heads.unwrap_or(heads),
            Some(_) => self.optional_size("num_key_value_heads")?.unwrap_or(heads),
        };
        let head_width = self.optional_size("head_dim")?.or(defaults.head_width);
        let layers = self.size("num_hidden_layers", defaults.layers)?;
        let config = LlamaConfig {
            family: self.family,
            vocabulary: self.size("vocab_size", defaults.vocabulary)?,
            width,
            layers,
            heads,
            kv_heads,
            head_width: head_width.unwrap_or(width / heads),
            ffn: self.size("intermediate_size", defaults.ffn)?,
            activation: self.activation(&defaults)?,
            norm_epsilon: match self.get("rms_norm_eps") {
                None => 1e-6,
                Some(_) => self.number(self.fields, "rms_norm_eps")?,
            },
            rope: self.rope(&defaults)?,
            attention_bias: match self.family {
                Family::Qwen2 => AttentionBias::Inputs,
                Family::Llama | Family::Qwen3 | Family::Qwen3Moe | Family::Gemma2 | Family::Gemma3
                    if self.flag("attention_bias")? =>
                {
                    AttentionBias::All
                }
                _ => AttentionBias::None,
            },
            // Of Transformers' classes, Llama's alone has these.
            ffn_bias: self.family == Family::Llama && self.flag("mlp_bias")?,
            head_norms: self.family.has_head_norms(),
            sliding: self.sliding(&defaults, layers)?,
            gemma: self.gemma()?,
            experts: self.experts(layers)?,
            context: self.optional_size("max_position_embeddings")?,
            tied: self.flag_or("tie_word_embeddings", defaults.tied)?,
            bos: self.token("bos_token_id", defaults.bos),
            eos: self.token("eos_token_id", defaults.eos),
        };
        config.check().map_err(|(what, problem)| {
            let field = match what {
                Part::Layers => "num_hidden_layers",
                Part::KeyValueHeads => "num_key_value_heads",
                Part::HeadWidth => "head_dim",
            };
            self.error(field, problem)
        })?;
        let local = config.sliding.as_ref().and_then(|sliding| sliding.rope.as_ref());
        for rope in [Some(&config.rope), local].into_iter().flatten() {
            if let Some(Scaling::Factors(factors)) = &rope.scaling
                && factors.len() != config.head_width / 2
            {
                let problem = format!("expected {} factors, got {}", config.head_width / 2, factors.len());
                return Err(self.error("short_factor", &problem));
            }
        }
        Ok(config)
    }

    fn activation(&self, defaults: &Defaults) -> Result<Activation, InputError> {
        let field = if self.family.is_gemma() { "hidden_activation" } else { "hidden_act" };
        match self.get(field) {
            None => Ok(defaults.activation),
            Some(Value::String(name)) => Activation::of(name).ok_or_else(|| {
                self.error(field, &format!("activation \"{}\" is not supported", beginning(name)))
                    .advice(format!("expected one of {}", Activation::known()))
            }),
            Some(_) => Err(self.error(field, "expected the name of an activation")),
        }
    }

    /// What Gemma's families compute otherwise.
    fn gemma(&self) -> Result<Option<Gemma>, InputError> {
        const SCALAR: f64 = 256.0;
        const ATTENTION_CAP: f64 = 50.0;
        const LOGIT_CAP: f64 = 30.0;
        let number = |field: &str, default: Option<f64>| match self.get(field) {
            None => Ok(default),
            Some(Value::Null) => Ok(None),
            Some(_) => self.number(self.fields, field).map(Some),
        };
        let has_caps = self.family == Family::Gemma2;
        let cap = |field: &str, usual: f64| number(field, has_caps.then_some(usual));
        if !self.family.is_gemma() {
            return Ok(None);
        }
        Ok(Some(Gemma {
            query_scalar: number("query_pre_attn_scalar", Some(SCALAR))?
                .ok_or_else(|| self.error("query_pre_attn_scalar", "expected a positive number"))?,
            // Transformers' Gemma 3 caps no scores, whatever the field says; a value is refused before.
            attention_cap: if has_caps { cap("attn_logit_softcapping", ATTENTION_CAP)? } else { None },
            logit_cap: cap("final_logit_softcapping", LOGIT_CAP)?,
        }))
    }

    /// A special token; where there are several (Llama 3's ends), the first.
    fn token(&self, field: &str, default: Option<u32>) -> Option<u32> {
        let Some(value) = self.get(field) else { return default };
        let value = value.as_array().and_then(|a| a.first()).unwrap_or(value);
        value.as_u64().and_then(|t| u32::try_from(t).ok())
    }
}

/// The beginning of a text that may be of any length.
fn beginning(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The fields of the decoder of a model that sees pictures too: those of its `text_config`, with what stands beside it of the
/// whole model. None where it is a decoder.
fn of_text(fields: &Map<String, Value>) -> Option<Map<String, Value>> {
    if fields.get("model_type")?.as_str()? != "gemma3" {
        return None;
    }
    let mut text = fields.get("text_config")?.as_object()?.clone();
    text.insert("model_type".to_owned(), Family::Gemma3.key().into());
    for field in ["bos_token_id", "eos_token_id", "tie_word_embeddings", "quantization_config"] {
        if let (false, Some(value)) = (text.contains_key(field), fields.get(field)) {
            text.insert(field.to_owned(), value.clone());
        }
    }
    Some(text)
}
