//! How a `config.json` says that positions are rotated.

use serde_json::{Map, Value};

use super::defaults::Defaults;
use super::{Reader, beginning};
use crate::error::InputError;
use crate::model::config::Family;
use crate::model::config::fields::is_off;
use crate::model::config::rope::{Llama3Scaling, Rope, Scaling, Yarn};
use crate::model::config::sliding::{FULL, SLIDING};

/// Fields in braces, with the name of the field that they stand in.
type Named<'a> = (&'static str, &'a Map<String, Value>);

/// The base of Gemma 3's rotations in layers with a window, where nothing is said.
const LOCAL_THETA: f64 = 10_000.0;

impl<'a> Reader<'a> {
    /// Transformers 5 has `rope_parameters`, which a newer configuration may have for each kind of layer; 4 has `rope_theta`
    /// beside `rope_scaling`, which comes first where both are there.
    pub(super) fn rope(&self, defaults: &Defaults) -> Result<Rope, InputError> {
        if self.family == Family::Gemma3 {
            return self.rope_of(FULL, defaults);
        }
        let found = self.object("rope_scaling")?.or(self.object("rope_parameters")?);
        let nothing = Map::new();
        let parameters = match found {
            None => &nothing,
            Some((field, parameters)) => self.of_full_attention(field, parameters)?,
        };
        self.rotations(parameters, ("rope_theta", defaults.theta), defaults)
    }

    /// Of Gemma 3, whose layers with a window turn otherwise than the others: those of one kind of layers.
    pub(super) fn rope_of(&self, kind: &str, defaults: &Defaults) -> Result<Rope, InputError> {
        let nested = match self.object("rope_parameters")? {
            None => &Map::new(),
            Some((_, nested)) if nested.values().all(|value| value.is_object() || value.is_null()) => nested,
            Some((field, _)) => {
                let problem = format!("expected rotations of {FULL} and of {SLIDING}");
                return Err(self.error(field, &problem));
            }
        };
        let mut parameters = nested.get(kind).and_then(Value::as_object).cloned().unwrap_or_default();
        if kind == SLIDING {
            return self.rotations(&parameters, ("rope_local_base_freq", LOCAL_THETA), defaults);
        }
        // Stretching counts for layers that see everything alone.
        if let Some((_, scaling)) = self.object("rope_scaling")? {
            parameters.extend(scaling.clone());
        }
        self.rotations(&parameters, ("rope_theta", defaults.theta), defaults)
    }

    /// Fields in braces; none where there are none.
    fn object(&self, field: &'static str) -> Result<Option<Named<'a>>, InputError> {
        match self.get(field).filter(|value| !is_off(value)) {
            None => Ok(None),
            Some(Value::Object(parameters)) => Ok(Some((field, parameters))),
            Some(_) => Err(self.error(field, "expected fields in braces, or null")),
        }
    }

    /// Rotations by their parameters; the base may stand outside these, in the field of a name, or be taken for granted.
    fn rotations(
        &self,
        parameters: &Map<String, Value>,
        (outside, usual): (&str, f64),
        defaults: &Defaults,
    ) -> Result<Rope, InputError> {
        let theta = match (parameters.contains_key("rope_theta"), self.fields.contains_key(outside)) {
            (true, _) => self.number(parameters, "rope_theta")?,
            (false, true) => self.number(self.fields, outside)?,
            (false, false) => usual,
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
        parameters.get(FULL).and_then(Value::as_object).ok_or_else(|| {
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
