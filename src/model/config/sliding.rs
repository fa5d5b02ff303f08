//! Layers whose attention sees the last tokens alone.

use serde::{Deserialize, Serialize};

use super::Rope;

/// Layers whose attention sees a window of the last tokens alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sliding {
    /// So many keys are seen at the most, the token's own among them (Transformers' `q - k < sliding_window`).
    pub window: usize,
    /// Whether each layer has the window; the others see everything before them.
    pub layers: Vec<bool>,
    /// The rotations of these layers, where they are not those of the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope: Option<Rope>,
}

impl Sliding {
    /// Layers with the window.
    pub fn count(&self) -> usize {
        self.layers.iter().filter(|&&slides| slides).count()
    }

    /// Which layers see how much, in words.
    pub fn words(&self) -> String {
        let (count, all) = (self.count(), self.layers.len());
        let layers = if count == all { "all layers".to_owned() } else { format!("{count} of {all} layers") };
        let turned = self.rope.as_ref().map_or_else(String::new, |rope| format!(", theta {} there", rope.theta));
        format!("the last {} tokens in {layers}{turned}", self.window)
    }

    /// Transformers' `layer_types`.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.layers.iter().map(|&slides| if slides { SLIDING } else { FULL }).collect()
    }

    /// The first layer with the window, where all after it have it too (`max_window_layers`).
    pub(super) fn first_of_the_rest(&self) -> Option<usize> {
        let first = self.layers.iter().position(|&slides| slides)?;
        self.layers[first..].iter().all(|&slides| slides).then_some(first)
    }
}

/// Transformers' names of the two kinds of layers.
pub(super) const FULL: &str = "full_attention";
pub(super) const SLIDING: &str = "sliding_attention";
