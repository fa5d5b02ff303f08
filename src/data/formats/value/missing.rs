//! Texts that say that a value is missing.

/// Those that `pandas.read_csv` takes for missing unless it is told otherwise, and `\N`, which MySQL and Hive write.
const MARKERS: [&str; 19] = [
    "NA", "N/A", "NULL", "NaN", "None", "\\N", "nan", "null", "n/a", "<NA>", "-nan", "-NaN", "#N/A", "#NA", "#N/A N/A",
    "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN",
];
/// What else stands where there is no rating.
const NO_NUMBER: [&str; 4] = ["-", "--", "?", "."];

/// Whether a text stands for a value that is missing; without blanks around it.
pub fn is_missing(text: &str) -> bool {
    // Nearly all ids differ from every marker in their first letters.
    let may = match text.as_bytes() {
        [] | [b'N' | b'n' | b'\\' | b'<' | b'#', ..] | [b'-', b'N' | b'n' | b'1', ..] | [b'1', b'.', ..] => {
            text.len() <= 8
        }
        _ => false,
    };
    may && (text.is_empty() || MARKERS.contains(&text))
}

/// Whether a text stands where a number is missing.
pub fn is_no_number(text: &str) -> bool {
    is_missing(text) || NO_NUMBER.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pandas_takes_for_missing_is_missing() {
        // `pandas._libs.parsers.STR_NA_VALUES`, pandas 3.1.
        for text in [
            "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A",
            "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
        ] {
            assert!(is_missing(text), "{text}");
        }
        for text in ["0", "-1", "none", "Na", "Nancy", "N", "1", "unknown", "-"] {
            assert!(!is_missing(text), "{text}");
        }
        assert!(is_no_number("-") && is_no_number("") && !is_no_number("0"));
    }
}
