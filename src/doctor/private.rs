//! What must not leave the machine with a report of a bug: whose it is, where things lie, and what the data are about.

use std::path::{Path, PathBuf};

use crate::data::DatasetSource;
use crate::data::formats::options::{Columns, ItemTable, TableImport};
use crate::model::Prompt;
use crate::model::prompt::HISTORY;
use crate::project::Project;
use crate::run::host;
use crate::user_folders;

/// Puts other words in the place of folders and of the machine's name.
pub(super) struct Redaction {
    /// The longest first, so that a folder in another is found.
    words: Vec<(String, &'static str)>,
}

/// Shorter texts, such as a home folder `/`, stand in too many places.
const SHORTEST: usize = 2;

impl Redaction {
    /// Of this user and machine, of the folder of a project, and of what a project that could be opened names.
    pub(super) fn here(folder: Option<&Path>, project: Option<&Project>) -> Self {
        let folders = [(folder.map(Path::to_path_buf), "PROJECT"), (user_folders::home(), "~")];
        let mut words: Vec<(String, &'static str)> = Vec::new();
        for (folder, word) in folders {
            let whole = folder.iter().filter_map(|folder| std::path::absolute(folder).ok());
            let real = folder.iter().filter_map(|folder| std::fs::canonicalize(folder).ok());
            words.extend(whole.chain(real).map(|folder| (folder.display().to_string(), word)));
        }
        let named = project.iter().flat_map(|project| project.paths()).map(|named| named.path.display().to_string());
        // A folder that is called `data` is nobody's secret, and a word of many sentences.
        let named = named.filter(|path| path.contains(|letter: char| !letter.is_alphabetic()));
        words.extend(named.map(|path| (path, "DATA")));
        words.push((host(), "HOST"));
        Self::of(words)
    }

    fn of(mut words: Vec<(String, &'static str)>) -> Self {
        words.retain(|(text, _)| text.len() >= SHORTEST);
        words.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self { words }
    }

    pub(super) fn apply(&self, text: &str) -> String {
        self.words.iter().fold(text.to_owned(), |text, (secret, word)| replace_words(&text, secret, word))
    }
}

/// Replaces what stands for itself: `/home/anna` is not in `/home/annabel`.
fn replace_words(text: &str, secret: &str, word: &str) -> String {
    let (mut replaced, mut rest) = (String::with_capacity(text.len()), text);
    let belongs = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '-';
    while let Some(at) = rest.find(secret) {
        let (before, found) = rest.split_at(at);
        let after = &found[secret.len()..];
        replaced.push_str(before);
        let alone = !after.starts_with(belongs) && !replaced.ends_with(belongs);
        replaced.push_str(if alone { word } else { secret });
        rest = after;
    }
    replaced + rest
}

/// A line of a log without what it names: what stands in quotes, and what follows the words user and item.
pub(super) fn without_names(line: &str) -> String {
    const ORDINARY: [&str; 16] =
        ["is", "are", "was", "has", "have", "had", "and", "or", "of", "in", "to", "at", "by", "that", "with", "can"];
    let quoted = without_quotes(line);
    let mut words: Vec<String> = Vec::new();
    let mut names = false;
    for word in quoted.split(' ') {
        let plain = word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
        let is_ordinary = plain.is_empty() || ORDINARY.contains(&plain.as_str());
        words.push(if names && !is_ordinary { "…".to_owned() } else { word.to_owned() });
        names = ["user", "users", "item", "items", "title"].contains(&plain.as_str());
    }
    words.join(" ")
}

fn without_quotes(line: &str) -> String {
    let parts: Vec<&str> = line.split('"').collect();
    let inside = |at: usize| at % 2 == 1;
    let kept = parts.iter().enumerate().map(|(at, part)| if inside(at) { "…" } else { part });
    kept.collect::<Vec<_>>().join("\"")
}

/// A project's settings without what names its data, and without what was written about it.
pub(super) fn settings(project: Project) -> Project {
    let mut bare = project.with_paths(&|path| {
        PathBuf::from(match path.extension() {
            Some(ending) => format!("left-out.{}", ending.to_string_lossy()),
            None => "left-out".to_owned(),
        })
    });
    bare.name = "left out".to_owned();
    bare.notes = String::new();
    bare.tags = Vec::new();
    bare.board = Vec::new();
    if let Prompt::Custom(_) = bare.prompt {
        bare.prompt = Prompt::Custom(HISTORY.to_owned());
    }
    match &mut bare.dataset {
        DatasetSource::Table(table) => name_columns(table),
        source => {
            let events = source.import_mut().and_then(|import| import.events.as_mut());
            for (number, event) in events.into_iter().flatten().enumerate() {
                *event = format!("event {}", number + 1);
            }
        }
    }
    bare
}

/// Calls columns by what they are.
fn name_columns(table: &mut TableImport) {
    let Columns { user, item, time, clock, rating } = &mut table.columns;
    (*user, *item) = ("user".to_owned(), "item".to_owned());
    for (column, name) in [(time, "time"), (clock, "clock"), (rating, "rating")] {
        column.iter_mut().for_each(|column| *column = name.to_owned());
    }
    if let Some(ItemTable { id, title, description, categories, .. }) = &mut table.items {
        *id = "item".to_owned();
        for (column, name) in [(title, "title"), (description, "description"), (categories, "categories")] {
            column.iter_mut().for_each(|column| *column = name.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_the_machine_are_called_by_other_words() {
        let words = [("/home/anna", "~"), ("/home/anna/film/secret", "PROJECT"), ("node-7", "HOST"), ("/", "ROOT")];
        let redaction = Redaction::of(words.map(|(text, word)| (text.to_owned(), word)).into());
        for (text, told) in [
            ("/home/anna/film/secret/data.csv", "PROJECT/data.csv"),
            ("cannot read (/home/anna/x)", "cannot read (~/x)"),
            ("/home/annabel/x", "/home/annabel/x"),
            ("process 7 on node-7, since", "process 7 on HOST, since"),
            ("node-77", "node-77"),
            ("/home/anna", "~"),
        ] {
            assert_eq!(redaction.apply(text), told);
        }
    }

    #[test]
    fn what_a_log_names_is_left_out() {
        for (line, told) in [
            ("no experiment is named \"Anna's\"", "no experiment is named \"…\""),
            ("not sound at user 17", "not sound at user …"),
            ("item tt0111161, after 3 s", "item … after 3 s"),
            ("the loss of user is no number", "the loss of user is no number"),
            ("users of stage 2", "users of stage 2"),
            ("stage 2: 14 epochs of 20", "stage 2: 14 epochs of 20"),
        ] {
            assert_eq!(without_names(line), told);
        }
    }
}
