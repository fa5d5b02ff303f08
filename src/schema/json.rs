//! Options as JSON: their values by path.

use serde_json::{Map, Value};

/// The options inside an enum's variant (`{"Peso": {..}}`), or the options themselves.
pub(crate) fn content(value: &Value) -> &Value {
    match value.as_object() {
        Some(variant) if variant.len() == 1 && is_variant(variant) => variant.values().next().unwrap_or(value),
        _ => value,
    }
}

/// Variants are capitalised, options are not.
fn is_variant(object: &Map<String, Value>) -> bool {
    object.keys().all(|key| key.starts_with(char::is_uppercase))
}

/// The value at a path of the options.
pub(crate) fn at<'v>(whole: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(whole, |value, step| content(value).get(step))
}

/// See [`at`].
pub(crate) fn at_mut<'v>(whole: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.').try_fold(whole, |value, step| {
        let is_variant = value.as_object().is_some_and(|object| object.len() == 1 && is_variant(object));
        let options = if is_variant { value.as_object_mut()?.values_mut().next()? } else { value };
        options.get_mut(step)
    })
}
