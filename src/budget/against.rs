//! A measurement of speed held against an earlier one of the same work.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::error::InputError;
use crate::files;

/// Larger than any report of `peso bench`.
const LARGEST: u64 = 1 << 20;

/// Both measurements.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Against {
    /// What was measured both times.
    pub measured: Vec<Ratio>,
    /// What is not the same, though it would be if the same were done on the same machine.
    pub differs: Vec<String>,
}

/// A figure then and now.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ratio {
    /// `train_examples_per_s`, `step_seconds.clip and AdamW`.
    pub name: String,
    pub before: f64,
    pub now: f64,
    /// `now / before`; none where it was 0.
    pub ratio: Option<f64>,
}

/// Holds a report against the one in a file, which `peso bench --json` printed.
///
/// # Errors
/// The file cannot be read, or has nothing that was measured now too.
pub fn against(report: &impl Serialize, earlier: &Path) -> Result<Against, InputError> {
    let refused = |problem: String| {
        InputError::new(earlier, problem)
            .advice("give a file with what `peso bench --json` printed, with the same options")
    };
    let text = files::read_text(earlier, LARGEST)?;
    let before: Value = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
    let now = serde_json::to_value(report).map_err(|error| refused(error.to_string()))?;
    let mut both = Against { measured: Vec::new(), differs: Vec::new() };
    both.hold("", &before, &now);
    if both.measured.is_empty() {
        return Err(refused("it has nothing of what was measured now".to_owned()));
    }
    Ok(both)
}

impl Against {
    fn hold(&mut self, name: &str, before: &Value, now: &Value) {
        let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
        match (before, now) {
            (Value::Object(before), Value::Object(now)) => {
                for (key, now) in now {
                    self.hold(&below(key), before.get(key).unwrap_or(&Value::Null), now);
                }
            }
            (Value::Array(before), Value::Array(now)) if !is_measured(name) && before.len() == now.len() => {
                for (place, (before, now)) in before.iter().zip(now).enumerate() {
                    self.hold(&below(&(place + 1).to_string()), before, now);
                }
            }
            (Value::Number(before), Value::Number(now)) if is_measured(name) => {
                let [before, now] = [before, now].map(|number| number.as_f64().unwrap_or(f64::NAN));
                let ratio = (before > 0.0).then(|| now / before);
                self.measured.push(Ratio { name: name.to_owned(), before, now, ratio });
            }
            _ if before == now => {}
            (Value::Null, _) => self.differs.push(format!("{name} was not measured then")),
            _ => self.differs.push(format!("{name} was {before}, is {now}")),
        }
    }
}

/// Whether a figure is one that time, memory and load decide, and not what was done.
fn is_measured(name: &str) -> bool {
    let parts = ["seconds", "_per_s", "_per_second", "memory_bytes"];
    parts.iter().any(|part| name.contains(part)) || name.ends_with("ratio")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn held(before: &str, now: &Value) -> Result<Against, InputError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), before).unwrap();
        against(now, file.path())
    }

    #[test]
    fn figures_are_ratios_and_what_was_done_must_be_the_same() {
        let before =
            json!({"device": "cpu", "examples": 10, "train_examples_per_s": 50.0, "step_seconds": {"adam": 0.5}});
        let now = json!({
            "device": "cpu", "examples": 20, "train_examples_per_s": 75.0, "step_seconds": {"adam": 0.25, "pack": 0.1},
        });
        let both = held(&before.to_string(), &now).unwrap();
        let ratios: Vec<_> = both.measured.iter().map(|ratio| (ratio.name.as_str(), ratio.ratio)).collect();
        assert_eq!(ratios, [("step_seconds.adam", Some(0.5)), ("train_examples_per_s", Some(1.5))]);
        assert_eq!(both.differs, ["examples was 10, is 20", "step_seconds.pack was not measured then"]);
        assert!(held(&now.to_string(), &now).unwrap().differs.is_empty());
    }

    #[test]
    fn a_file_of_something_else_is_refused() {
        let now = json!({"seconds": 1.0});
        for before in ["{\"device\": \"cpu\"}", "[]", "{", ""] {
            let problem = held(before, &now).unwrap_err();
            assert!(problem.to_string().contains("peso bench --json"), "{before}: {problem}");
        }
    }
}
