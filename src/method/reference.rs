//! Every method as an entry of the reference, in Markdown.

use super::MethodOptions;
use crate::schema::{self, FieldReference};

/// The entries of all methods, in the order of the list: a heading, what it does, its formula, where it comes from, and its
/// options with defaults and values.
pub fn reference() -> String {
    MethodOptions::all().iter().map(MethodOptions::reference).collect::<Vec<_>>().join("\n")
}

impl MethodOptions {
    /// The method's entry of the reference; the options are those of `self` as defaults.
    pub fn reference(&self) -> String {
        let card = self.card();
        let mut entry = format!(
            "## {}\n\n{}.\n\n`{}`\n\nIn results `{}`. {}: {}.\nSource: {}.\n",
            card.name,
            card.sentence,
            card.formula,
            card.key,
            card.family.label(),
            lower_first(card.family.sentence()),
            card.source
        );
        if !card.fields.is_empty() {
            entry.push('\n');
            entry.push_str(FieldReference::HEAD);
            entry.extend(schema::reference(card.fields, &self.as_value()).iter().map(FieldReference::markdown));
        }
        entry
    }
}

fn lower_first(sentence: &str) -> String {
    let mut letters = sentence.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_and_every_option_is_in_the_reference() {
        let text = reference();
        for method in MethodOptions::all() {
            let card = method.card();
            let entry = method.reference();
            assert!(text.contains(&entry) && entry.contains(card.sentence) && entry.contains(card.formula), "{entry}");
            for field in schema::reference(card.fields, &method.as_value()) {
                let path = field.field.path;
                assert!(entry.contains(&format!("| `{path}` |")), "{} {path}", card.key);
                assert!(field.default.is_some(), "{} {path} has no default", card.key);
            }
        }
        assert!(text.starts_with("## PESO\n"), "the order is that of the list");
    }

    #[test]
    fn an_option_that_a_choice_brings_says_so() {
        let peso = MethodOptions::all().remove(0).reference();
        let line = |path: &str| peso.lines().find(|line| line.starts_with(&format!("| `{path}` |"))).unwrap();
        let temperature = line("distance.temperature");
        assert!(
            temperature.contains("| `1` |") && temperature.contains("Only with SoftmaxKl, PerRankKl"),
            "{temperature}"
        );
        let squared = line("distance.squared");
        assert!(squared.contains("| `true` | true or false |") && squared.contains("Only with L2"), "{squared}");
        assert!(!line("lambda").contains("Only with"), "it is always there");
    }
}
