//! The reference of the formats, for those who prepare files, made of what each format says of itself.

use super::spec::{Format, SourceFields};
use crate::data::prepare;
use crate::data::term::Term;

/// What holds for all formats.
const INTRODUCTION: &str = "\
`dataset: Detect(path: \"…\")` reads a file or folder whose content tells its format; a name from the list in place of `Detect` reads \
it as that format. `peso inspect PATH` says what a path is taken for and why, and the line of a project file.

- Files of interactions and items may be plain, gzip (`.gz`) or Zstandard (`.zst`), which their first bytes tell; Parquet, semantic \
ids and the release are read as they are.
- Text in columns that is not UTF-8 is read as ISO-8859-1; JSON is UTF-8.
- Ids are texts of at most 1,000 bytes. Times are seconds, milliseconds, microseconds or nanoseconds since 1970, which their size \
tells, or dates like `2014-07-23 10:15:00`, in UTC.
- A record that cannot be read is skipped, counted and shown with its line; a file of which more records are skipped than read is \
refused.
- Items that nobody interacted with are left out; an item without a title is known by its id.

";

/// What holds for the preparation.
const PREPARATION: &str = "Fields of `prepare`, in the order in which they are applied. Users count in a stage with at least 3 \
                           interactions in it.";

/// Every format in Markdown: its files, how it is recognised, what a project file says of it, and what is easily missed.
pub fn reference() -> String {
    let mut text = INTRODUCTION.to_owned();
    text.push_str("| Format | In a project file | What it is |\n|---|---|---|\n");
    for format in Format::all() {
        text.push_str(&format!("| {} | `{}` | {} |\n", format.long_label(), format.key, format.summary));
    }
    Format::all().for_each(|format| text.push_str(&section(format)));
    for fields in [SourceFields::Interactions, SourceFields::Table, SourceFields::Stages] {
        text.push_str(&format!("\n## {}\n\n{}", fields.heading(), list(fields.terms())));
    }
    text + &format!("\n## Preparation\n\n{PREPARATION}\n\n{}", list(prepare::TERMS))
}

fn section(format: Format) -> String {
    let mut text = format!("\n## {}\n\n{}\n\nFiles:\n\n", format.long_label(), format.summary);
    text.push_str(&list(format.files));
    text.push_str(&format!("\nRecognised by: {}.", format.recognition));
    if !format.certain {
        text.push_str(" Any other format in the same folder goes before.");
    }
    let (key, fields) = (format.key, format.fields.example());
    text.push_str(&format!("\n\nIn a project file:\n\n```ron\ndataset: {key}{fields},\n```\n\nTo know:\n\n"));
    format.traps.iter().for_each(|trap| text.push_str(&format!("- {trap}\n")));
    text
}

fn list(terms: &[Term]) -> String {
    let item = |term: &Term| format!("- `{}`: {}.\n", term.name.replace(", ", "`, `"), term.meaning);
    terms.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::data::formats::options::{Import, TableImport};
    use crate::data::prepare::Prepare;

    #[test]
    fn every_format_is_explained() {
        let text = reference();
        for format in Format::all() {
            assert!(text.contains(&format!("\n## {}\n", format.long_label())), "{format:?}");
            assert!(text.contains(&format!("\ndataset: {}(", format.key)), "{format:?}");
            let words = [format.summary, format.recognition, format.expected];
            assert!(words.iter().all(|words| !words.is_empty()) && !format.files.is_empty(), "{format:?}");
            assert!(!format.traps.is_empty(), "{format:?}");
        }
    }

    #[test]
    fn every_field_is_explained() {
        let names = |terms: &[Term]| terms.iter().map(|term| term.name.to_owned()).collect::<Vec<_>>();
        let keys = |value: Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        let sorted = |mut names: Vec<String>| {
            names.sort();
            names
        };
        let prepare = json!({"deduplicate": false, "least_rating": 3.0, "core": 2, "stages": {"Equal": 2}});
        let read: Prepare = serde_json::from_value(prepare).unwrap();
        assert_eq!(sorted(names(prepare::TERMS)), sorted(keys(serde_json::to_value(&read).unwrap())));
        let import = json!({"path": "a", "items": "b", "prepare": read});
        let import: Import = serde_json::from_value(import).unwrap();
        assert_eq!(
            sorted(names(SourceFields::Interactions.terms())),
            sorted(keys(serde_json::to_value(&import).unwrap()))
        );
        let table = json!({
            "path": "a", "columns": {"user": "u", "item": "i"}, "header": false, "separator": ";",
            "items": {"path": "b", "id": "i"}, "prepare": read,
        });
        let table: TableImport = serde_json::from_value(table).unwrap();
        assert_eq!(sorted(names(SourceFields::Table.terms())), sorted(keys(serde_json::to_value(&table).unwrap())));
    }
}
