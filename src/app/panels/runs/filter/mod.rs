//! The language of the runs table's filter: `method:peso ndcg@10>0.02 tag:paper -status:failed or seed:42`.
//!
//! Terms stand beside each other and must all hold; `or` between them starts another set of terms, and parentheses group. A
//! term is a word that occurs in the row, or a key, a comparison and a value. Nothing here knows the window: a row is a
//! [`Subject`].

mod reader;

use std::borrow::Cow;
use std::collections::BTreeSet;

use self::reader::Reader;

/// What a filter says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Filter {
    /// All hold; of none: whatever.
    All(Vec<Filter>),
    /// Some holds.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// Occurs in the row's words.
    Word(String),
    /// A value of the row compares so with one of these.
    Compare {
        key: String,
        comparison: Comparison,
        values: Vec<String>,
    },
}

/// How a value of a row is held against one of the filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// Equal numbers, or a text that occurs in the other.
    Has,
    /// Equal numbers or texts.
    Is,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Comparison {
    const fn sign(self) -> &'static str {
        match self {
            Self::Has => ":",
            Self::Is => "=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
        }
    }

    const fn is_of_numbers(self) -> bool {
        !matches!(self, Self::Has | Self::Is)
    }
}

/// A value that a row has for a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Value<'a> {
    pub(super) text: Cow<'a, str>,
    /// Where it is a number.
    pub(super) number: Option<f64>,
}

impl<'a> Value<'a> {
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: text.into(), number: None }
    }

    pub(super) fn number(number: f64) -> Self {
        Self { text: number.to_string().into(), number: Some(number) }
    }
}

/// What a filter is asked of.
pub(super) trait Subject {
    /// What it has for a key; nothing where it has none.
    fn values(&self, key: &str) -> Vec<Value<'_>>;
    /// All that can be read of it, in small letters.
    fn words(&self) -> String;
}

impl Filter {
    /// Whether a row is wanted.
    pub(super) fn accepts(&self, subject: &impl Subject) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.accepts(subject)),
            Self::Any(parts) => parts.iter().any(|part| part.accepts(subject)),
            Self::Not(part) => !part.accepts(subject),
            Self::Word(word) => subject.words().contains(word),
            Self::Compare { key, comparison, values } => {
                let found = subject.values(key);
                values.iter().any(|wanted| found.iter().any(|value| holds(*comparison, value, wanted)))
            }
        }
    }

    /// Whether some term asks for this value of this key: `is:archived`.
    pub(super) fn mentions(&self, asked: &str, value: &str) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.mentions(asked, value)),
            Self::Not(part) => part.mentions(asked, value),
            Self::Word(_) => false,
            Self::Compare { key, values, .. } => key == asked && values.iter().any(|other| other == value),
        }
    }
}

fn holds(comparison: Comparison, value: &Value<'_>, wanted: &str) -> bool {
    let both = value.number.zip(wanted.parse::<f64>().ok());
    match (comparison, both) {
        (Comparison::Has | Comparison::Is, Some((value, wanted))) => same(value, wanted),
        (Comparison::Has, None) => value.text.to_lowercase().contains(wanted),
        (Comparison::Is, None) => value.text.to_lowercase() == wanted,
        (Comparison::Less, Some((value, wanted))) => value < wanted,
        (Comparison::AtMost, Some((value, wanted))) => value <= wanted || same(value, wanted),
        (Comparison::More, Some((value, wanted))) => value > wanted,
        (Comparison::AtLeast, Some((value, wanted))) => value >= wanted || same(value, wanted),
        (_, None) => false,
    }
}

/// Whether two numbers are one as people write them.
fn same(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
}

/// What cannot be understood: which word, and what is possible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Misunderstanding(pub(super) String);

/// Reads a filter; `keys` are those that some row has.
///
/// # Errors
/// A key is not among them, a value is missing or no number, a quote or parenthesis stays open.
pub(super) fn parse(text: &str, keys: &BTreeSet<String>) -> Result<Filter, Misunderstanding> {
    Reader::new(text, keys).whole()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of PESO with seed 42 and lambda 20, tagged `paper`.
    struct Peso;

    impl Subject for Peso {
        fn values(&self, key: &str) -> Vec<Value<'_>> {
            match key {
                "method" => vec![Value::text("peso"), Value::text("PESO")],
                "seed" => vec![Value::number(42.0)],
                "status" => vec![Value::text("Finished")],
                "tag" => vec![Value::text("paper"), Value::text("Best")],
                "ndcg@10" => vec![Value::number(0.0234)],
                "lambda" => vec![Value::number(20.0)],
                "experiment" => vec![Value::text("PESO, lambda 20")],
                _ => Vec::new(),
            }
        }

        fn words(&self) -> String {
            "peso, lambda 20 finished 42 a note on drift".to_owned()
        }
    }

    fn keys() -> BTreeSet<String> {
        ["method", "seed", "status", "tag", "ndcg@10", "lambda", "experiment", "device"].map(str::to_owned).into()
    }

    fn accepts(text: &str) -> bool {
        parse(text, &keys()).unwrap().accepts(&Peso)
    }

    fn problem(text: &str) -> String {
        parse(text, &keys()).unwrap_err().0
    }

    #[test]
    fn all_terms_hold() {
        assert!(accepts("method:peso ndcg@10>0.02 tag:paper seed:42 status:finished lambda>=20 -status:failed"));
        assert!(!accepts("method:peso ndcg@10>0.0234"));
        assert!(accepts("ndcg@10>=0.0234 ndcg@10<=0.0234 ndcg@10<1"));
        assert!(accepts("lambda >= 20"), "with spaces");
        assert!(accepts(""), "nothing is asked");
    }

    #[test]
    fn words_occur_anywhere_and_quotes_hold_them_together() {
        assert!(accepts("DRIFT peso"));
        assert!(accepts("\"note on drift\""));
        assert!(!accepts("\"drift on\""));
        assert!(!accepts("-drift"));
        assert!(accepts("experiment:\"lambda 20\" -\"lambda 2 \""));
        assert!(!accepts("\"or\""), "in quotes it is a word like others");
    }

    #[test]
    fn texts_are_contained_equal_or_not() {
        assert!(accepts("tag:pap tag=best tag!=other"));
        assert!(!accepts("tag=pap"));
        assert!(!accepts("tag!=paper"));
        assert!(accepts("seed:1,42") && !accepts("seed:1,2"));
        assert!(!accepts("seed:4"), "a number is not a part of another");
        assert!(!accepts("device:cpu") && accepts("-device:cpu"), "who has no value has none of these");
    }

    #[test]
    fn or_and_parentheses_group() {
        assert!(accepts("seed:1 or seed:42"));
        assert!(accepts("seed:1 tag:paper or method:peso"));
        assert!(!accepts("method:peso (seed:1 or seed:2)"));
        assert!(accepts("method:peso -(seed:1 or seed:2)"));
        assert!(accepts("((tag:paper))"));
    }

    #[test]
    fn what_is_not_understood_is_named_with_what_is_possible() {
        assert_eq!(problem("lamda>2"), "No run has \"lamda\"; did you mean lambda?");
        assert!(problem("zzz:2").contains("possible are method, experiment"));
        assert_eq!(problem("lambda>=many"), "\"many\" is no number; >= compares numbers, as in lambda>=20");
        assert_eq!(problem("seed:"), "\"seed:\" lacks its value");
        assert!(problem("\"open").contains("stays open"));
        assert!(problem("(seed:1").contains("stays open"));
        assert!(problem("seed:1)").contains("closes nothing"));
        assert!(problem("or seed:1").contains("between two terms"));
        assert!(problem(">2").contains("lacks its key"));
    }

    #[test]
    fn a_filter_tells_whether_it_asks_for_something() {
        let keys = BTreeSet::from(["is".to_owned()]);
        assert!(parse("a -(b or is:archived)", &keys).unwrap().mentions("is", "archived"));
        assert!(!parse("archived is:pinned", &keys).unwrap().mentions("is", "archived"));
    }
}
