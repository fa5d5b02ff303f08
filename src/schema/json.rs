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

/// The value at a path of the options. What a variant carries that is no options (`{"PullRatio": 0.1}`) stands under the
/// variant's name; a step into a list is a number from 0.
pub(crate) fn at<'v>(whole: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').try_fold(whole, |value, step| match options(value) {
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        options => options.get(step),
    })
}

/// What has the options of a value by their names.
fn options(value: &Value) -> &Value {
    let inside = content(value);
    if inside.is_object() { inside } else { value }
}

/// See [`at`].
pub(crate) fn at_mut<'v>(whole: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    path.split('.').try_fold(whole, |value, step| {
        let inside = !std::ptr::eq(options(value), value);
        match if inside { value.as_object_mut()?.values_mut().next()? } else { value } {
            Value::Array(list) => list.get_mut(step.parse::<usize>().ok()?),
            options => options.get_mut(step),
        }
    })
}
