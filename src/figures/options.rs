//! What figures can be asked for with.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::project::board::FigureOptions;

/// An option that a figure may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureOption {
    Metric,
    Module,
    Baseline,
    Stage,
    Slice,
    /// What users are grouped by.
    Grouping,
    Loss,
    Confidence,
    Reference,
    User,
    History,
    Direction,
    /// Method, options across and down, and values of further options of a map of regimes.
    Regime,
}

/// The name of a kind of a figure in [`FigureOptions::variant`].
pub fn variant_name(kind: impl Serialize) -> Option<String> {
    match serde_json::to_value(kind) {
        Ok(Value::String(name)) => Some(name),
        _ => None,
    }
}

/// The kind of a figure that options name, or the usual one.
pub fn variant<T: DeserializeOwned + Default>(options: &FigureOptions) -> T {
    let named = |name: &String| serde_json::from_value(Value::String(name.clone())).ok();
    options.variant.as_ref().and_then(named).unwrap_or_default()
}
