//! What the word that is being typed into the filter may become.

use std::collections::BTreeSet;

/// Suggestions at once.
const MOST: usize = 8;

/// What may be typed: the keys, and for some of them the values.
#[derive(Debug, Default)]
pub(super) struct Vocabulary {
    pub(super) keys: BTreeSet<String>,
    /// By key, the words that rows have for it.
    pub(super) values: Vec<(&'static str, BTreeSet<String>)>,
}

/// A word for the end of the filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Completion {
    /// What is suggested: `method:`, `paper`.
    pub(super) word: String,
    /// The filter with it.
    pub(super) text: String,
}

/// What the last word of a filter may become; nothing after a space.
pub(super) fn completions(text: &str, vocabulary: &Vocabulary) -> Vec<Completion> {
    let begins =
        text.rfind(|letter: char| letter.is_whitespace() || matches!(letter, '(' | '"')).map_or(0, |at| at + 1);
    let begins = begins + usize::from(text[begins..].starts_with('-'));
    let (before, word) = text.split_at(begins);
    if word.is_empty() {
        return Vec::new();
    }
    let word = word.to_lowercase();
    let suggestions: Vec<(String, String)> = match word.split_once(':') {
        None => {
            let keys = vocabulary.keys.iter().filter(|key| key.starts_with(&word));
            keys.map(|key| (format!("{key}:"), String::new())).collect()
        }
        Some((key, begun)) => {
            let values = vocabulary.values.iter().filter(|(of, _)| *of == key).flat_map(|(_, values)| values);
            let fits = values.filter(|value| value.to_lowercase().starts_with(begun) && value.to_lowercase() != begun);
            fits.map(|value| (quoted(value), format!("{key}:"))).collect()
        }
    };
    let complete = |(word, key): (String, String)| Completion { text: format!("{before}{key}{word}"), word };
    suggestions.into_iter().take(MOST).map(complete).collect()
}

fn quoted(value: &str) -> String {
    let plain = !value.contains(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '(' | ')' | ':' | '='));
    if plain { value.to_owned() } else { format!("\"{value}\"") }
}

/// The word that is nearest to one that is none of them, if it is near enough to be meant.
pub(super) fn closest<'w>(word: &str, words: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let most = (word.chars().count() / 3).clamp(1, 3);
    words.map(|other| (edits(word, other), other)).filter(|(edits, _)| *edits <= most).min().map(|(_, other)| other)
}

/// Letters to be put in, taken out or replaced until one word is the other (Levenshtein's distance).
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, letter) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for place in 1..row.len() {
            let replaced = diagonal + usize::from(b[place - 1] != letter);
            diagonal = row[place];
            row[place] = replaced.min(diagonal + 1).min(row[place - 1] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<BTreeSet<_>>();
        let vocabulary = Vocabulary {
            keys: words(&["method", "memory", "seed", "status"]),
            values: vec![("status", words(&["Failed", "Finished"])), ("experiment", words(&["PESO", "Single LoRA"]))],
        };
        completions(text, &vocabulary).into_iter().map(|completion| completion.text).collect()
    }

    #[test]
    fn the_last_word_becomes_a_key_or_a_value() {
        assert_eq!(texts("me"), ["memory:", "method:"]);
        assert_eq!(texts("seed:1 (-me"), ["seed:1 (-memory:", "seed:1 (-method:"]);
        assert_eq!(texts("status:f"), ["status:Failed", "status:Finished"]);
        assert_eq!(texts("experiment:si"), ["experiment:\"Single LoRA\""]);
        assert_eq!(texts("seed:1 "), [""; 0]);
        assert_eq!(texts("status:failed"), [""; 0], "it is whole");
        assert_eq!(texts("zz"), [""; 0]);
    }

    #[test]
    fn a_slip_of_a_finger_is_understood() {
        let words = ["lambda", "lora", "seed"];
        assert_eq!(closest("lamda", words.into_iter()), Some("lambda"));
        assert_eq!(closest("sede", words.into_iter()), None, "two letters of four");
        assert_eq!(closest("seeds", words.into_iter()), Some("seed"));
        assert_eq!(closest("temperature", words.into_iter()), None);
    }
}
