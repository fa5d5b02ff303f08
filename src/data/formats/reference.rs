//! The reference of the formats, for those who prepare files, made of what each format says of itself.

use super::reading;
use super::spec::{Format, SourceFields};
use crate::data::prepare;
use crate::data::term::Term;

/// What holds for all formats.
const INTRODUCTION: &str = "\
`dataset: Detect(path: \"…\")` reads a file or folder whose content tells its format; a name from the list in place of `Detect` reads \
it as that format. `peso inspect PATH` says what a path is taken for and why, and the line of a project file.

- Files of interactions and items may be plain, gzip (`.gz`) or Zstandard (`.zst`), which their first bytes tell; Parquet, semantic \
ids and the release are read as they are.
- Text in columns is UTF-8 or UTF-16; what is neither is read as ISO-8859-1, counted and said.
- Ids are texts of at most 1,000 bytes. `NA`, `NULL`, `nan` and the other markers of pandas are no ids.
- Times are seconds, milliseconds, microseconds or nanoseconds since 1970, of which a column has one, or dates: `2014-07-23 10:15:00`, \
`2014-07-23T10:15:00+02:00`, `07/23/2014 10:15 PM`, `23.07.2014`, `Jul 23, 2014`, `Wed Aug 27 13:08:45 +0000 2008`, `20140723`. A date \
without a zone is UTC. Where nothing tells whether `07/08/2014` is in July or in August, the file is not read until the project says it.
- A line that has more or fewer columns than the others is rejected. A quote that nothing closes costs its line alone.
- A missing rating does not cost its interaction, unless there is a `least_rating`.
- A record that cannot be read is skipped, counted and shown with its line; a file of which more records are skipped than read is \
refused.
- Items that nobody interacted with are left out; an item without a title is known by its id.

";

/// What holds for how values are read.
const READING: &str = "Fields of `reading`, none of which is needed: the values of a column tell, and `peso inspect` and Data › Source say \
                       what was taken for granted, a line each, with what to write where it is wrong.";

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
    text.push_str(&format!("\n## Reading\n\n{READING}\n\n{}", list(reading::TERMS)));
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
    use crate::data::formats::reading::Reading;
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
        let import =
            json!({"path": "a", "items": "b", "reading": {"times": "Seconds"}, "events": ["c"], "prepare": read});
        let import: Import = serde_json::from_value(import).unwrap();
        assert_eq!(
            sorted(names(SourceFields::Interactions.terms())),
            sorted(keys(serde_json::to_value(&import).unwrap()))
        );
        let table = json!({
            "path": "a", "columns": {"user": "u", "item": "i"}, "header": false, "separator": ";",
            "items": {"path": "b", "id": "i"}, "reading": {"ids": "AsWritten"}, "prepare": read,
        });
        let table: TableImport = serde_json::from_value(table).unwrap();
        let reading = json!({"times": "Dates", "ids": "AsWritten", "encoding": "Utf8", "escape": "Doubled"});
        let reading: Reading = serde_json::from_value(reading).unwrap();
        assert_eq!(sorted(names(reading::TERMS)), sorted(keys(serde_json::to_value(reading).unwrap())));
        assert_eq!(sorted(names(SourceFields::Table.terms())), sorted(keys(serde_json::to_value(&table).unwrap())));
    }
}
