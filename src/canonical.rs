//! Canonical text, which identities are made of: hashes of settings, of models, of what was made from them.
//!
//! The same settings have the same text in every version of the program:
//! - names are those of the files, so that a field that is renamed in the program alone changes nothing;
//! - what a file may leave out to the same effect is left out, so that an option which comes with a later version changes
//!   nothing for those who do not use it;
//! - keys are sorted, and a number has one form however it is stored.
//!
//! Each hash begins with what it is of and the version of its text. A default that changes its meaning needs the next version.

use serde::Serialize;
use serde::de::{DeserializeOwned, Error};
use serde_json::{Number, Result, Value};
use sha2::{Digest, Sha256};

/// Settings as a value, without what a file may leave out to the same effect, down to the single fields.
///
/// # Errors
/// What is written cannot be read back as the same.
pub fn settings<T: Serialize + DeserializeOwned>(settings: &T) -> Result<Value> {
    let whole = serde_json::to_value(settings)?;
    let means_the_same = |shorter: &Value| {
        let read = T::deserialize(shorter).and_then(serde_json::to_value);
        read.is_ok_and(|read| read == whole)
    };
    if !means_the_same(&whole) {
        return Err(Error::custom(format!("these settings cannot be written and read back: {whole}")));
    }
    let mut short = whole.clone();
    leave_out(&mut short, "", &means_the_same);
    Ok(short)
}

/// Leaves out what can be left out of the part of `whole` that the JSON pointer `at` names.
fn leave_out(whole: &mut Value, at: &str, means_the_same: &impl Fn(&Value) -> bool) {
    let steps: Vec<String> = match whole.pointer(at) {
        Some(Value::Object(fields)) => fields.keys().cloned().collect(),
        Some(Value::Array(elements)) => (0..elements.len()).map(|index| index.to_string()).collect(),
        _ => return,
    };
    for step in steps {
        let fields = whole.pointer_mut(at).and_then(Value::as_object_mut);
        if let Some(field) = fields.and_then(|fields| fields.remove(&step)) {
            if means_the_same(whole) {
                continue;
            }
            if let Some(fields) = whole.pointer_mut(at).and_then(Value::as_object_mut) {
                fields.insert(step.clone(), field);
            }
        }
        let escaped = step.replace('~', "~0").replace('/', "~1");
        leave_out(whole, &format!("{at}/{escaped}"), means_the_same);
    }
}

/// The one text of a value.
pub fn text(value: &Value) -> String {
    match value {
        Value::Number(number) => number_text(number),
        Value::Array(elements) => format!("[{}]", elements.iter().map(text).collect::<Vec<_>>().join(",")),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let field = |(name, value): &(&String, &Value)| format!("{}:{}", Value::from(name.as_str()), text(value));
            format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(","))
        }
        Value::Null | Value::Bool(_) | Value::String(_) => value.to_string(),
    }
}

/// Whole numbers in digits, also where they are stored as fractions; others in the shortest decimal form that reads back.
fn number_text(number: &Number) -> String {
    /// Up to here every whole number has a float of its own.
    const EXACT: f64 = (1_u64 << f64::MANTISSA_DIGITS) as f64;
    match number.as_f64() {
        Some(value) if number.is_f64() && value.fract() == 0.0 && value.abs() < EXACT => (value as i64).to_string(),
        Some(value) if number.is_f64() => format!("{value:e}"),
        _ => number.to_string(),
    }
}

/// SHA-256 (hex) of a value's text. `kind` says what it is the hash of, with the version of that text: `run settings 2`.
pub fn hash(kind: &str, value: &Value) -> String {
    hex(Sha256::digest(format!("peso {kind}\n{}", text(value))))
}

/// A digest in hexadecimal digits.
pub fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    mod before {
        use super::*;

        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum Source {
            File(File),
            Generated,
        }

        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct File {
            pub path: String,
            pub rows: usize,
        }

        impl Default for File {
            fn default() -> Self {
                Self { path: String::new(), rows: 10 }
            }
        }

        #[derive(Serialize, Deserialize)]
        pub struct Settings {
            pub source: Source,
            pub rate: f32,
            pub weights: Vec<File>,
        }
    }

    /// The same settings in a later program: fields are renamed there, new ones came, and a whole number is a fraction now.
    mod after {
        use super::*;

        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub enum Source {
            #[serde(rename = "File")]
            Table(Table),
            Generated,
            Downloaded,
        }

        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Table {
            pub skip_header: bool,
            pub path: String,
            #[serde(rename = "rows")]
            pub max_rows: f64,
        }

        impl Default for Table {
            fn default() -> Self {
                Self { skip_header: true, path: String::new(), max_rows: 10.0 }
            }
        }

        #[derive(Serialize, Deserialize)]
        pub struct Settings {
            #[serde(default)]
            pub note: Option<String>,
            #[serde(rename = "rate")]
            pub learning_rate: f32,
            pub source: Source,
            pub weights: Vec<Table>,
        }
    }

    #[test]
    fn a_renamed_field_and_a_new_one_with_a_default_change_no_hash() {
        let file = |path: &str, rows| before::File { path: path.to_owned(), rows };
        let old = |source| before::Settings { source, rate: 2.0, weights: vec![file("a", 10), file("b", 11)] };
        let table = |path: &str, max_rows| after::Table { path: path.to_owned(), max_rows, ..Default::default() };
        let new = |source| after::Settings {
            source,
            learning_rate: 2.0,
            weights: vec![table("a", 10.0), table("b", 11.0)],
            note: None,
        };
        let hash_of = |settings: Result<Value>| hash("test 1", &settings.unwrap());
        for (old, new) in [
            (old(before::Source::Generated), new(after::Source::Generated)),
            (old(before::Source::File(file("c", 10))), new(after::Source::Table(table("c", 10.0)))),
            (old(before::Source::File(file("", 12))), new(after::Source::Table(table("", 12.0)))),
        ] {
            assert_eq!(hash_of(settings(&old)), hash_of(settings(&new)));
        }
        let other = after::Table { skip_header: false, ..table("c", 10.0) };
        assert_ne!(
            hash_of(settings(&new(after::Source::Table(other)))),
            hash_of(settings(&old(before::Source::File(file("c", 10))))),
            "what is not the default counts"
        );
    }

    #[test]
    fn what_a_file_may_leave_out_is_left_out() {
        let of = |path: &str, rows| settings(&before::File { path: path.to_owned(), rows }).unwrap();
        assert_eq!(of("", 10), json!({}));
        assert_eq!(of("a", 10), json!({"path": "a"}));
        let list = vec![before::File::default(), before::File { rows: 1, ..Default::default() }];
        assert_eq!(settings(&list).unwrap(), json!([{}, {"rows": 1}]));
    }

    #[test]
    fn a_value_has_one_text() {
        let value = json!({"b": [1, 1.0, -0.0, 0.1, 1e-30, 1e300, u64::MAX], "a": {"y": null, "x": "\"é\n"}, "": true});
        assert_eq!(
            text(&value),
            "{\"\":true,\"a\":{\"x\":\"\\\"é\\n\",\"y\":null},\"b\":[1,1,0,1e-1,1e-30,1e300,18446744073709551615]}"
        );
    }

    #[test]
    fn what_a_hash_is_of_is_a_part_of_it() {
        assert_ne!(hash("a 1", &json!(1)), hash("a 2", &json!(1)));
        assert_eq!(hash("a 1", &json!(1)), hash("a 1", &json!(1.0)));
    }

    #[test]
    fn settings_that_cannot_be_read_back_are_refused() {
        assert!(settings(&f64::NAN).is_err());
    }
}
