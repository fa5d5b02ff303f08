//! The files at a path: itself, those of a folder, or those whose names fit a pattern.

use std::fs;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};

use super::file_names::in_order;
use crate::error::InputError;

/// Files that a pattern or folder gives, at most.
const MAX_FILES: usize = 10_000;

/// Whether a path is a pattern: nothing has this name, and the name has `*`, `?` or `[`.
pub fn is_pattern(path: &Path) -> bool {
    !path.exists() && path.to_string_lossy().contains(['*', '?', '['])
}

/// The files that fit a pattern, in the order of their names; of folders that fit, their files.
///
/// # Errors
/// The pattern cannot be understood, or no file fits it.
pub fn matching(pattern: &Path) -> Result<Vec<PathBuf>, InputError> {
    let text = escaped(pattern);
    let options =
        MatchOptions { require_literal_separator: true, require_literal_leading_dot: true, ..MatchOptions::new() };
    let paths = glob::glob_with(&text, options).map_err(|error| {
        InputError::new(pattern, format!("not a pattern of file names: {}", error.msg))
            .advice("`*` is any text, `?` any letter, `[0-9]` one of these")
    })?;
    let mut files = Vec::new();
    for path in paths.filter_map(Result::ok) {
        if path.is_dir() {
            files.extend(of_folder(&path)?);
        } else if is_data(&path) {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(InputError::new(pattern, "no file has a name of this pattern"));
    }
    sorted(pattern, files)
}

/// The files of a folder in the order of their names, without hidden ones and the marks that others leave (`_SUCCESS`).
///
/// # Errors
/// The folder cannot be listed, or has too many files.
pub fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, InputError> {
    let unreadable = |error| InputError::io(folder, "list", &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_file() && is_data(&path) {
            files.push(path);
        }
    }
    sorted(folder, files)
}

fn sorted(at: &Path, mut files: Vec<PathBuf>) -> Result<Vec<PathBuf>, InputError> {
    if files.len() > MAX_FILES {
        let problem = format!("{} files, of which {MAX_FILES} are read at most", files.len());
        return Err(InputError::new(at, problem).advice("a pattern names some of them: `part-000*.csv`"));
    }
    files.sort_by(|one, other| in_order(one, other));
    Ok(files)
}

/// Whether a name is neither hidden nor a mark of the program that wrote the folder.
fn is_data(path: &Path) -> bool {
    let mark = |name: &[u8]| name.starts_with(b".") || name.starts_with(b"_") || name.ends_with(b".crc");
    path.file_name().is_some_and(|name| !mark(name.as_encoded_bytes()))
}

/// The pattern with what is there already taken by its letters: a folder may have brackets in its name.
fn escaped(pattern: &Path) -> String {
    let there = pattern.ancestors().skip(1).find(|folder| folder.is_dir()).unwrap_or(Path::new(""));
    let rest = pattern.strip_prefix(there).unwrap_or(pattern);
    let prefix: PathBuf = there
        .components()
        .map(|part| match part {
            Component::Normal(name) => PathBuf::from(Pattern::escape(&name.to_string_lossy())),
            other => PathBuf::from(other.as_os_str()),
        })
        .collect();
    prefix.join(rest).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_find_files_in_order_and_pass_over_marks() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("a [x]");
        for name in ["p/part-10.csv", "p/part-2.csv", "p/_SUCCESS", "p/.part-2.csv.crc", "q/part-1.csv", "p/note.txt"] {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let names = |pattern: &str| {
            let found = matching(&root.join(pattern)).unwrap();
            found.iter().map(|path| path.strip_prefix(&root).unwrap().display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(names("p/*.csv"), ["p/part-2.csv", "p/part-10.csv"]);
        assert_eq!(names("*/part-[0-9].csv"), ["p/part-2.csv", "q/part-1.csv"]);
        assert_eq!(names("q*"), ["q/part-1.csv"]);
        assert_eq!(names("p/*"), ["p/note.txt", "p/part-2.csv", "p/part-10.csv"]);
        assert!(is_pattern(&root.join("*.csv")) && !is_pattern(&root) && !is_pattern(Path::new("nothing.csv")));
        let error = matching(&root.join("*.tsv")).unwrap_err();
        assert_eq!(error.problem, "no file has a name of this pattern");
        assert!(matching(&root.join("[z-a")).unwrap_err().problem.starts_with("not a pattern"));
    }
}
