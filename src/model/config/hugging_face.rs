//! Reads a `config.json` as Transformers 4 or 5 does: the same defaults for what is missing or null, and everything that
//! changes the numbers either computed or refused by its name.

use std::path::Path;

use serde_json::{Map, Value};

use super::fields::{changing_field, is_off, unused};
use super::rope::{Llama3Scaling, Rope, Scaling, Yarn};
use super::{Activation, AttentionBias, Family, LARGEST, LlamaConfig, Part};
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
        Reader::new(path, &fields)?.described()
    }
}

/// Reads fields with errors that name them.
struct Reader<'a> {
    path: &'a Path,
    fields: &'a Map<String, Value>,
    family: Family,
}

/// What Transformers' class of a family takes where a field is missing.
struct Defaults {
    vocabulary: usize,
    ffn: usize,
    kv_heads: Option<usize>,
    head_width: Option<usize>,
    context: usize,
    window: Option<usize>,
}

impl Family {
    fn defaults(self) -> Defaults {
        let qwen = Defaults {
            vocabulary: 151_936,
            ffn: 22_016,
            kv_heads: Some(32),
            head_width: None,
            context: 32_768,
            window: Some(4096),
        };
        match self {
            Self::Llama => Defaults {
                vocabulary: 32_000,
                ffn: 11_008,
                kv_heads: None,
                head_width: None,
                context: 2048,
                window: None,
            },
            Self::Qwen2 => qwen,
            Self::Qwen3 => Defaults { head_width: Some(128), ..qwen },
            Self::Mistral => Defaults {
                vocabulary: 32_000,
                ffn: 14_336,
                kv_heads: Some(8),
                head_width: None,
                context: 4096 * 32,
                window: Some(4096),
            },
        }
    }
}

impl<'a> Reader<'a> {
    fn new(path: &'a Path, fields: &'a Map<String, Value>) -> Result<Self, InputError> {
        let kind = fields.get("model_type").and_then(Value::as_str).unwrap_or("");
        let family = Family::of(kind).ok_or_else(|| {
            InputError::new(path, format!("model type \"{kind}\" is not supported"))
                .at("field `model_type`")
                .advice("expected \"llama\" (Llama, SmolLM2, TinyLlama), \"qwen2\", \"qwen3\" or \"mistral\"")
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
        match self.get(field) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(_) => Err(self.error(field, "expected true or false")),
        }
    }

    fn described(&self) -> Result<Described, InputError> {
        if let Some(error) = foreign::quantised(self.path, self.fields) {
            return Err(error);
        }
        if let Some((field, problem)) = changing_field(self.fields, self.family == Family::Qwen3) {
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
        let (width, heads) = (self.size("hidden_size", 4096)?, self.size("num_attention_heads", 32)?);
        let kv_heads = match self.get("num_key_value_heads") {
            None => defaults.kv_heads.unwrap_or(heads),
            Some(_) => self.optional_size("num_key_value_heads")?.unwrap_or(heads),
        };
        let head_width = self.optional_size("head_dim")?.or(defaults.head_width);
        let layers = self.size("num_hidden_layers", 32)?;
        let config = LlamaConfig {
            family: self.family,
            vocabulary: self.size("vocab_size", defaults.vocabulary)?,
            width,
            layers,
            heads,
            kv_heads,
            head_width: head_width.unwrap_or(width / heads),
            ffn: self.size("intermediate_size", defaults.ffn)?,
            activation: self.activation()?,
            norm_epsilon: match self.get("rms_norm_eps") {
                None => 1e-6,
                Some(_) => self.number(self.fields, "rms_norm_eps")?,
            },
            rope: self.rope(&defaults)?,
            attention_bias: match self.family {
                Family::Qwen2 => AttentionBias::Inputs,
                Family::Llama | Family::Qwen3 if self.flag("attention_bias")? => AttentionBias::All,
                _ => AttentionBias::None,
            },
            // Of Transformers' four, Llama alone has these.
            ffn_bias: self.family == Family::Llama && self.flag("mlp_bias")?,
            head_norms: self.family == Family::Qwen3,
            context: self.optional_size("max_position_embeddings")?,
            tied: self.flag("tie_word_embeddings")?,
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
        if let Some(Scaling::Factors(factors)) = &config.rope.scaling
            && factors.len() != config.head_width / 2
        {
            let problem = format!("expected {} factors, got {}", config.head_width / 2, factors.len());
            return Err(self.error("short_factor", &problem));
        }
        self.check_window(&defaults, layers)?;
        Ok(config)
    }

    fn activation(&self) -> Result<Activation, InputError> {
        match self.get("hidden_act") {
            None => Ok(Activation::default()),
            Some(Value::String(name)) => Activation::of(name).ok_or_else(|| {
                self.error("hidden_act", &format!("activation \"{}\" is not supported", beginning(name)))
                    .advice(format!("expected one of {}", Activation::known()))
            }),
            Some(_) => Err(self.error("hidden_act", "expected the name of an activation")),
        }
    }

    /// Attention that sees a window alone is not computed: the field that asks for it is refused, unless no layer has it
    /// or it is as wide as the context.
    fn check_window(&self, defaults: &Defaults, layers: usize) -> Result<(), InputError> {
        let slides = |kind: &Value| kind.as_str() != Some("full_attention");
        if let Some(kinds) = self.get("layer_types").filter(|kinds| !is_off(kinds)) {
            let kinds = kinds.as_array().ok_or_else(|| self.error("layer_types", "expected a list"))?;
            return match kinds.iter().find(|kind| slides(kind)) {
                None => Ok(()),
                Some(kind) => Err(self.error("layer_types", &format!("layers of {kind} are not supported"))),
            };
        }
        let field = match self.family {
            Family::Llama => return Ok(()),
            Family::Mistral => "sliding_window",
            // From this layer on.
            Family::Qwen2 | Family::Qwen3 => match self.get("max_window_layers").map(Value::as_u64) {
                _ if !self.flag("use_sliding_window")? => return Ok(()),
                None if layers <= 28 => return Ok(()),
                Some(Some(first)) if first >= layers as u64 => return Ok(()),
                _ => "use_sliding_window",
            },
        };
        let window = match self.get("sliding_window") {
            None => defaults.window,
            Some(_) => self.optional_size("sliding_window")?,
        };
        let context = self.optional_size("max_position_embeddings")?.unwrap_or(defaults.context);
        let Some(window) = window.filter(|&window| window < context) else { return Ok(()) };
        Err(self.error(field, "sliding windows are not supported").advice(format!(
            "prompts of up to {window} tokens are read alike without it: for these, set `sliding_window` to null in \
             config.json"
        )))
    }

    /// A special token; where there are several (Llama 3's ends), the first.
    fn token(&self, field: &str) -> Option<u32> {
        let value = self.get(field)?;
        let value = value.as_array().and_then(|a| a.first()).unwrap_or(value);
        value.as_u64().and_then(|t| u32::try_from(t).ok())
    }

    /// Transformers 5 has `rope_parameters`, which a newer configuration may have for each kind of layer; 4 has `rope_theta`
    /// beside `rope_scaling`, which comes first where both are there.
    fn rope(&self, defaults: &Defaults) -> Result<Rope, InputError> {
        let object = |field: &'static str| match self.get(field).filter(|value| !is_off(value)) {
            None => Ok(None),
            Some(Value::Object(parameters)) => Ok(Some((field, parameters))),
            Some(_) => Err(self.error(field, "expected fields in braces, or null")),
        };
        let found = object("rope_scaling")?.or(object("rope_parameters")?);
        let nothing = Map::new();
        let parameters = match found {
            None => &nothing,
            Some((field, parameters)) => self.of_full_attention(field, parameters)?,
        };
        let theta = if parameters.contains_key("rope_theta") { parameters } else { self.fields };
        let theta = match theta.get("rope_theta") {
            None => 10_000.0,
            Some(_) => self.number(theta, "rope_theta")?,
        };
        let part = parameters.get("partial_rotary_factor").filter(|part| !is_off(part) && part.as_f64() != Some(1.0));
        if part.is_some() {
            return Err(self.error("partial_rotary_factor", "rotations of a part of each head are not supported"));
        }
        Ok(Rope { theta, scaling: self.scaling(parameters, theta, defaults)? })
    }

    /// The parameters of layers that see everything, where each kind of layer has its own.
    fn of_full_attention(
        &self,
        field: &str,
        parameters: &'a Map<String, Value>,
    ) -> Result<&'a Map<String, Value>, InputError> {
        if !parameters.values().all(|value| value.is_object() || value.is_null()) {
            return Ok(parameters);
        }
        parameters.get("full_attention").and_then(Value::as_object).ok_or_else(|| {
            let kinds: Vec<&str> = parameters.keys().map(String::as_str).collect();
            self.error(field, &format!("rotations of layers of {} are not supported", beginning(&kinds.join(", "))))
                .advice("expected those of \"full_attention\"")
        })
    }

    fn scaling(
        &self,
        parameters: &Map<String, Value>,
        theta: f64,
        defaults: &Defaults,
    ) -> Result<Option<Scaling>, InputError> {
        let number = |field: &str| self.number(parameters, field);
        let context = || self.number_or(self.fields, "max_position_embeddings", defaults.context as f64);
        let original = || {
            let outside = self.get("original_max_position_embeddings").is_some_and(|value| !value.is_null());
            let from = if outside { self.fields } else { parameters };
            self.number_or(from, "original_max_position_embeddings", context()?)
        };
        let kind = parameters.get("rope_type").or_else(|| parameters.get("type"));
        let kind = match kind {
            None | Some(Value::Null) => "default",
            Some(kind) => kind.as_str().ok_or_else(|| self.error("rope_type", "expected the name of a kind"))?,
        };
        Ok(match kind {
            "default" => None,
            "linear" => Some(Scaling::Linear(number("factor")?)),
            "llama3" => {
                let scaling = Llama3Scaling {
                    factor: number("factor")?,
                    low_frequency_factor: number("low_freq_factor")?,
                    high_frequency_factor: number("high_freq_factor")?,
                    original_context: original()?,
                };
                if scaling.high_frequency_factor <= scaling.low_frequency_factor {
                    return Err(self.error("high_freq_factor", "expected more than `low_freq_factor`"));
                }
                Some(Scaling::Llama3(scaling))
            }
            "yarn" => Some(Scaling::Yarn(self.yarn(parameters, theta, context()?, original()?)?)),
            "longrope" | "su" => Some(self.factors(kind, parameters)?),
            other => return Err(self.unknown_rotation(other, context()?)),
        })
    }

    fn unknown_rotation(&self, kind: &str, context: f64) -> InputError {
        let error = self.error("rope_type", &format!("rotary embedding \"{}\" is not supported", beginning(kind)));
        match kind {
            "dynamic" => error.advice(format!(
                "prompts of up to {context} tokens are read alike without it: for these, set `rope_scaling` to null in \
                 config.json"
            )),
            _ => error.advice("expected \"default\", \"linear\", \"llama3\" or \"yarn\""),
        }
    }

    fn yarn(
        &self,
        parameters: &Map<String, Value>,
        theta: f64,
        context: f64,
        original_context: f64,
    ) -> Result<Yarn, InputError> {
        let optional = |field: &str| match parameters.get(field) {
            Some(value) if !is_off(value) => self.number(parameters, field).map(Some),
            _ => Ok(None),
        };
        let factor = match parameters.get("factor") {
            Some(Value::Null) => context / original_context,
            _ => self.number(parameters, "factor")?,
        };
        if theta == 1.0 {
            return Err(self.error("rope_theta", "expected more than 1"));
        }
        let derived = match (optional("mscale")?, optional("mscale_all_dim")?) {
            (Some(one), Some(all)) => Yarn::magnitude_of(factor, one) / Yarn::magnitude_of(factor, all),
            _ => Yarn::magnitude_of(factor, 1.0),
        };
        Ok(Yarn {
            factor,
            fast: optional("beta_fast")?.unwrap_or(32.0),
            slow: optional("beta_slow")?.unwrap_or(1.0),
            original_context,
            magnitude: self.number_or(parameters, "attention_factor", derived)?,
            truncate: parameters.get("truncate").is_none_or(|truncate| !is_off(truncate)),
        })
    }

    /// LongRoPE whose factors are the same for every length, and whose attention has no factor of its own.
    fn factors(&self, kind: &str, parameters: &Map<String, Value>) -> Result<Scaling, InputError> {
        let list = |field: &str| -> Option<Vec<f64>> {
            let factors = parameters.get(field)?.as_array()?.iter().map(Value::as_f64);
            factors.map(|factor| factor.filter(|f| f.is_finite() && *f > 0.0)).collect()
        };
        // Where the attention has no factor of its own, it is made of this one.
        let own = parameters.get("attention_factor").filter(|value| !value.is_null());
        let is_one = own.or_else(|| parameters.get("factor")).and_then(Value::as_f64) == Some(1.0);
        match (list("short_factor"), list("long_factor")) {
            (Some(short), Some(long)) if short == long && is_one => Ok(Scaling::Factors(short)),
            _ => Err(self.error(
                "rope_type",
                &format!("rotary embedding \"{kind}\" is not supported where its factors hang on the length"),
            )),
        }
    }
}

/// The beginning of a text that may be of any length.
fn beginning(text: &str) -> String {
    text.chars().take(80).collect()
}
