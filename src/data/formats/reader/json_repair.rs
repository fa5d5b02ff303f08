//! JSON lines that others write and JSON does not allow: `NaN` and `Infinity`, and halves of surrogate pairs.

/// A line with its faults mended.
pub struct Repaired {
    pub json: Vec<u8>,
    /// Whether a half of a surrogate pair became U+FFFD.
    pub replaced: bool,
}

/// The line with `null` for `NaN`, `Infinity` and `-Infinity`, and with U+FFFD for every half of a surrogate pair that
/// stands alone; none where it has neither.
pub fn repair(json: &[u8]) -> Option<Repaired> {
    let mut repaired = Repaired { json: Vec::with_capacity(json.len()), replaced: false };
    let mut changed = false;
    let mut in_text = false;
    let mut rest = json;
    while let Some((&first, after)) = rest.split_first() {
        if in_text {
            if first == b'\\' {
                let (length, alone) = escape(rest);
                changed |= alone;
                repaired.replaced |= alone;
                repaired.json.extend_from_slice(if alone { b"\\ufffd" } else { &rest[..length] });
                rest = &rest[length..];
                continue;
            }
            in_text = first != b'"';
        } else if first == b'"' {
            in_text = true;
        } else if let Some(word) =
            [&b"NaN"[..], b"Infinity", b"-Infinity"].into_iter().find(|word| rest.starts_with(word))
        {
            changed = true;
            repaired.json.extend_from_slice(b"null");
            rest = &rest[word.len()..];
            continue;
        }
        repaired.json.push(first);
        rest = after;
    }
    changed.then_some(repaired)
}

/// Bytes of the escape that a text begins with (of both halves, where they are a pair), and whether it is a half alone.
fn escape(text: &[u8]) -> (usize, bool) {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match unit(0) {
        Some(0xd800..=0xdbff) if matches!(unit(6), Some(0xdc00..=0xdfff)) => (12, false),
        Some(0xd800..=0xdfff) => (6, true),
        Some(_) => (6, false),
        None => (text.len().min(2), false),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_json_does_not_allow_is_mended() {
        let read = |text: &str| {
            let repaired = repair(text.as_bytes())?;
            Some((serde_json::from_slice::<Value>(&repaired.json).unwrap(), repaired.replaced))
        };
        // `json.loads` of Python reads all of these; its lone surrogates are U+FFFD here.
        for (text, value, replaced) in [
            (r#"{"price": NaN, "a": [Infinity, -Infinity]}"#, json!({"price": null, "a": [null, null]}), false),
            (r#"{"t": "a\ud83d b"}"#, json!({"t": "a\u{fffd} b"}), true),
            (r#"{"t": "\ude00\ud83d\ude00\ud83d"}"#, json!({"t": "\u{fffd}😀\u{fffd}"}), true),
            (r#"{"t": "\ud83d\ud83d\ude00"}"#, json!({"t": "\u{fffd}😀"}), true),
            (r#"{"NaN \" NaN": NaN}"#, json!({"NaN \" NaN": null}), false),
        ] {
            assert_eq!(read(text), Some((value, replaced)), "{text}");
        }
        for sound in [r#"{"a": "NaN \\"}"#, r#"{"a": "\ud83d\ude00"}"#, r#"{"a": "\u00e9\n"}"#, "", "\"\\"] {
            assert!(repair(sound.as_bytes()).is_none(), "{sound}");
        }
    }
}
