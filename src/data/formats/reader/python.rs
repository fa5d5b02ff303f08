//! Python literals, which the metadata of Amazon 2014 are written in, as JSON.

/// Rewrites one Python literal (dicts, lists, tuples, strings, numbers, `True`, `False`, `None`) as JSON. What is wrong in
/// it is still wrong in the JSON, whose reader tells; none where a string does not end or has an unknown escape.
pub fn to_json(literal: &[u8]) -> Option<Vec<u8>> {
    let mut json = Vec::with_capacity(literal.len() + literal.len() / 8);
    let mut rest = literal;
    while let Some((&first, after)) = rest.split_first() {
        match first {
            b'\'' | b'"' => {
                rest = string(first, after, &mut json)?;
                continue;
            }
            // The mark of a Unicode string
            b'u' | b'U' if matches!(after.first(), Some(b'\'' | b'"')) => {}
            b'(' => json.push(b'['),
            b')' => close(&mut json, b']'),
            b']' | b'}' => close(&mut json, first),
            letter if letter.is_ascii_alphabetic() => {
                let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                let (word, after) = rest.split_at(length);
                json.extend_from_slice(match word {
                    b"True" => b"true",
                    b"False" => b"false",
                    // JSON has no such numbers
                    b"None" | b"nan" | b"inf" => b"null",
                    other => other,
                });
                rest = after;
                continue;
            }
            other => json.push(other),
        }
        rest = after;
    }
    Some(json)
}

/// Closes a list or dict; Python allows a comma before.
fn close(json: &mut Vec<u8>, bracket: u8) {
    let end = json.trim_ascii_end().len();
    if json[..end].ends_with(b",") {
        json.truncate(end - 1);
    }
    json.push(bracket);
}

/// Rewrites a string whose opening quote has been read; what follows it.
fn string<'l>(quote: u8, literal: &'l [u8], json: &mut Vec<u8>) -> Option<&'l [u8]> {
    json.push(b'"');
    let mut rest = literal;
    loop {
        let (&first, after) = rest.split_first()?;
        rest = after;
        match first {
            b'\\' => rest = escape(after, json)?,
            end if end == quote => break,
            b'"' => json.extend_from_slice(b"\\\""),
            control if control < 0x20 => json.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
            other => json.push(other),
        }
    }
    json.push(b'"');
    Some(rest)
}

/// Rewrites an escape whose backslash has been read; what follows it.
fn escape<'l>(literal: &'l [u8], json: &mut Vec<u8>) -> Option<&'l [u8]> {
    let (&kind, after) = literal.split_first()?;
    let digits = |count: usize| {
        let digits = after.get(..count).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
        let number = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        Some((number, &after[count..]))
    };
    let (number, after) = match kind {
        b'\'' => {
            json.push(b'\'');
            return Some(after);
        }
        b'"' | b'\\' | b'n' | b'r' | b't' | b'b' | b'f' => {
            json.extend_from_slice(&[b'\\', kind]);
            return Some(after);
        }
        b'0' => (0, after),
        b'a' => (7, after),
        b'v' => (11, after),
        b'x' => digits(2)?,
        b'u' => digits(4)?,
        b'U' => digits(8)?,
        _ => return None,
    };
    // Halves of surrogate pairs come as they are: `\ud83d\ude00` is one character to JSON as well.
    if number > 0xffff {
        let mut units = [0; 2];
        for unit in char::from_u32(number)?.encode_utf16(&mut units) {
            json.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
        }
    } else {
        json.extend_from_slice(format!("\\u{number:04x}").as_bytes());
    }
    Some(after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(literal: &str) -> Option<Value> {
        serde_json::from_slice(&to_json(literal.as_bytes())?).ok()
    }

    #[test]
    fn literals_are_read_as_python_reads_them() {
        // `ast.literal_eval(text)` gives these values.
        for (text, value) in [
            (r#"{'a': "it's", 'b': 'say "x"', 'c': None}"#, json!({"a": "it's", "b": "say \"x\"", "c": null})),
            (r"{'price': 6.99, 'ok': True, 'no': False}", json!({"price": 6.99, "ok": true, "no": false})),
            (r"[('a', u'b',), ['c', ], ()]", json!([["a", "b"], ["c"], []])),
            (r"'it\'s \x41\u00e9\t\\n \U0001f600'", json!("it's Aé\t\\n 😀")),
            ("'True, None and (u\"x\")'", json!("True, None and (u\"x\")")),
            ("{'tab': 'a\tb'}", json!({"tab": "a\tb"})),
        ] {
            assert_eq!(read(text), Some(value), "{text}");
        }
        for text in ["{'a': 'b", r"'\q'", "{'a'}", "{'a': bad}", r"'\x4'", "'a' 'b'"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        /// Against another reader of the same language.
        #[test]
        fn strings_are_read_as_py_literal_reads_them(text in "[ -~éλ]{0,40}", key in "[a-z]{1,5}") {
            let literal = py_literal::Value::Dict(vec![
                (py_literal::Value::String(key.clone()), py_literal::Value::String(text.clone())),
            ]);
            prop_assert_eq!(read(&literal.to_string()), Some(json!({ key: text })));
        }
    }
}
