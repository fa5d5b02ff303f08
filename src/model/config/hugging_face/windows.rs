//! Which layers a `config.json` holds to a window.

use serde_json::Value;

use super::defaults::Defaults;
use super::{Reader, beginning};
use crate::error::InputError;
use crate::model::config::fields::is_off;
use crate::model::config::sliding::{FULL, SLIDING};
use crate::model::config::{Family, MAX_LAYERS, Sliding};

/// From which layer on Qwen's slide, and every which of Gemma 3's does not, where nothing is said.
const FIRST_SLIDING: usize = 28;
const FULL_EVERY: usize = 6;

impl Reader<'_> {
    /// The layers that are held to a window; none where no layer is, or where the window is as wide as the context.
    pub(super) fn sliding(&self, defaults: &Defaults, layers: usize) -> Result<Option<Sliding>, InputError> {
        // What is no model is refused elsewhere, before anything is made of it.
        if layers > MAX_LAYERS {
            return Ok(None);
        }
        let listed = self.listed_layers(layers)?;
        let first_or = |missing: usize| match self.get("max_window_layers") {
            None | Some(Value::Null) => Ok(missing),
            Some(first) => first
                .as_u64()
                .map(|first| first as usize)
                .ok_or_else(|| self.error("max_window_layers", "expected a whole number")),
        };
        let slides = match self.family {
            Family::Llama => match listed {
                Some(listed) if listed.contains(&true) => {
                    return Err(self.error("layer_types", &format!("layers of {SLIDING} are not supported in a Llama")));
                }
                _ => return Ok(None),
            },
            // Transformers' classes of this family differ in what a window is.
            Family::Qwen3Moe => {
                if self.flag("use_sliding_window")? {
                    return Err(self.error("use_sliding_window", "windows of attention are not supported in Qwen3-MoE"));
                }
                if listed.is_some_and(|listed| listed.contains(&true)) {
                    let problem = format!("layers of {SLIDING} are not supported in Qwen3-MoE");
                    return Err(self.error("layer_types", &problem));
                }
                return Ok(None);
            }
            // Transformers' Mistral knows no layers that are unlike others.
            Family::Mistral => vec![true; layers],
            Family::Qwen2 | Family::Qwen3 => match (listed, self.flag("use_sliding_window")?) {
                (Some(listed), false) if listed.contains(&true) => {
                    return Err(self
                        .error("layer_types", &format!("layers of {SLIDING} without a window"))
                        .advice("expected `use_sliding_window` to be true, and a `sliding_window`"));
                }
                (_, false) => return Ok(None),
                (Some(listed), true) => listed,
                (None, true) => {
                    let first = first_or(FIRST_SLIDING)?;
                    (0..layers).map(|layer| layer >= first).collect()
                }
            },
            Family::Gemma2 => listed.unwrap_or_else(|| (0..layers).map(|layer| layer % 2 == 0).collect()),
            Family::Gemma3 => {
                let every = match self.optional_size("sliding_window_pattern")? {
                    None => self.optional_size("_sliding_window_pattern")?.unwrap_or(FULL_EVERY),
                    Some(every) => every,
                };
                listed.unwrap_or_else(|| (0..layers).map(|layer| (layer + 1) % every != 0).collect())
            }
        };
        let window = match self.get("sliding_window") {
            None => defaults.window,
            Some(_) => self.optional_size("sliding_window")?,
        };
        let context = self.optional_size("max_position_embeddings")?.unwrap_or(defaults.context);
        if !slides.contains(&true) {
            return Ok(None);
        }
        let Some(window) = window else {
            return if self.family.is_gemma() {
                Err(self.error("sliding_window", &format!("layers of {SLIDING} without a window")))
            } else {
                Ok(None)
            };
        };
        let rope = if self.family == Family::Gemma3 { Some(self.rope_of(SLIDING, defaults)?) } else { None };
        // Gemma 3's have rotations of their own, whatever the window is.
        Ok((window < context || self.family.is_gemma()).then_some(Sliding { window, layers: slides, rope }))
    }

    /// Which layers `layer_types` says slide.
    fn listed_layers(&self, layers: usize) -> Result<Option<Vec<bool>>, InputError> {
        let Some(kinds) = self.get("layer_types").filter(|kinds| !is_off(kinds)) else { return Ok(None) };
        let kinds = kinds.as_array().ok_or_else(|| self.error("layer_types", "expected a list"))?;
        let slides = |kind: &Value| match kind.as_str() {
            Some(FULL) => Ok(false),
            Some(SLIDING) => Ok(true),
            _ => {
                let kind = beginning(&kind.to_string());
                Err(self.error("layer_types", &format!("layers of {kind} are not supported")))
            }
        };
        let listed = kinds.iter().map(slides).collect::<Result<Vec<bool>, _>>()?;
        // A list in which no layer is unlike the others says nothing, however long it is.
        if listed.contains(&true) && listed.len() != layers {
            let problem = format!("expected {layers} kinds, one a layer, got {}", listed.len());
            return Err(self.error("layer_types", &problem));
        }
        Ok(Some(listed))
    }
}
