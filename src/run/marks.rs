//! What people say of runs: tags, a note, whether they are pinned or archived; kept in one file beside the runs.
//!
//! `<runs dir>/.marks.ron` holds them by the run's id, `.marks.edit` is locked around every change of it. Runs that are not
//! there keep their marks: a run that is made again, or taken out of the trash, has them at once.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use crate::error::InputError;
use crate::files;
use crate::project::file::{from_ron, to_ron};

const FILE: &str = ".marks.ron";
const EDIT: &str = ".marks.edit";

/// The file may come from anywhere, and is read whole.
const LARGEST: u64 = 4 << 20;
/// Characters of a tag and of a note at most.
const LONGEST_TAG: usize = 40;
const LONGEST_NOTE: usize = 2_000;
/// Tags of one run at most.
const MOST_TAGS: usize = 32;

/// A change takes a moment; whoever looks has the lock for less.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is said of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mark {
    /// Stands above the others.
    pub pinned: bool,
    /// Left out of tables, comparisons and charts.
    pub archived: bool,
    pub tags: BTreeSet<String>,
    pub note: String,
}

/// What is said of the runs, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Marks {
    runs: BTreeMap<String, Mark>,
}

/// Of a run that nobody has said anything of.
static UNMARKED: Mark = Mark { pinned: false, archived: false, tags: BTreeSet::new(), note: String::new() };

impl Marks {
    /// What is said of a run.
    pub fn of(&self, run: &str) -> &Mark {
        self.runs.get(run).unwrap_or(&UNMARKED)
    }

    /// Says this of a run, in place of what was said before.
    pub fn set(&mut self, run: &str, mark: Mark) {
        if mark == UNMARKED {
            self.runs.remove(run);
        } else {
            self.runs.insert(run.to_owned(), mark);
        }
    }

    /// Every tag that some run has.
    pub fn tags(&self) -> BTreeSet<&str> {
        self.runs.values().flat_map(|mark| &mark.tags).map(String::as_str).collect()
    }

    fn check(&self, file: &Path) -> Result<(), InputError> {
        for (run, mark) in &self.runs {
            let problem = mark.tags.iter().find_map(|tag| check_tag(tag).err()).or_else(|| mark.obstacle());
            if let Some(problem) = problem {
                return Err(InputError::new(file, problem).at(format!("run \"{run}\"")));
            }
        }
        Ok(())
    }
}

impl Mark {
    fn obstacle(&self) -> Option<String> {
        if self.tags.len() > MOST_TAGS {
            Some(format!("{} tags are too many; at most {MOST_TAGS}", self.tags.len()))
        } else if self.note.chars().count() > LONGEST_NOTE {
            Some(format!("the note has more than {LONGEST_NOTE} characters"))
        } else if self.note.contains(|c: char| c.is_control() && c != '\n') {
            Some("the note has control characters".to_owned())
        } else {
            None
        }
    }
}

/// What changes of what is said of runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarkChange {
    Pin(bool),
    Archive(bool),
    /// Tags and the note.
    Words {
        /// Tags that come.
        add: BTreeSet<String>,
        /// Tags that go.
        remove: BTreeSet<String>,
        /// The note; none where each run keeps its own.
        note: Option<String>,
    },
}

impl MarkChange {
    /// The mark of a run with this change.
    pub fn applied(&self, mut mark: Mark) -> Mark {
        match self {
            Self::Pin(on) => mark.pinned = *on,
            Self::Archive(on) => mark.archived = *on,
            Self::Words { add, remove, note } => {
                mark.tags.retain(|tag| !remove.contains(tag));
                mark.tags.extend(add.iter().cloned());
                mark.note = note.clone().unwrap_or(mark.note);
            }
        }
        mark
    }
}

/// Refuses what cannot be a tag: a filter takes a tag for one word.
///
/// # Errors
/// In words, why it cannot be one.
pub fn check_tag(tag: &str) -> Result<(), String> {
    let unusual = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | ',' | ':');
    if tag.is_empty() {
        Err("a tag has at least one character".to_owned())
    } else if tag.chars().count() > LONGEST_TAG {
        Err(format!("a tag has at most {LONGEST_TAG} characters"))
    } else if tag.contains(unusual) {
        Err(format!(
            "\"{}\" is no tag: a tag is one word, without spaces, commas, colons and quotes",
            tag.escape_debug()
        ))
    } else {
        Ok(())
    }
}

/// The file of the marks of the runs in one folder.
#[derive(Debug, Clone)]
pub struct MarksFile {
    folder: PathBuf,
    /// When the file that was read last was written, and its length; outer none before the first look.
    seen: Option<Option<(SystemTime, u64)>>,
}

impl MarksFile {
    /// The marks of a folder of runs, which need not exist yet.
    pub fn new(runs_dir: &Path) -> Self {
        Self { folder: runs_dir.to_path_buf(), seen: None }
    }

    /// What the file says; nothing where there is none.
    ///
    /// # Errors
    /// It cannot be read, or is not what this program writes.
    pub fn read(&self) -> Result<Marks, InputError> {
        let file = self.folder.join(FILE);
        if !file.exists() {
            return Ok(Marks::default());
        }
        let read = files::read_text(&file, LARGEST).and_then(|text| from_ron(&text, &file));
        let read = read.and_then(|marks: Marks| marks.check(&file).map(|()| marks));
        read.map_err(|error| match error.advice {
            Some(_) => error,
            None => error.advice("mend the file, or move it away: tags, notes and what is archived are in it"),
        })
    }

    /// What the file says, where it is another than at the last call.
    pub fn read_if_changed(&mut self) -> Option<Result<Marks, InputError>> {
        let metadata = fs::metadata(self.folder.join(FILE)).ok();
        let stamp = metadata.and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        if self.seen == Some(stamp) {
            return None;
        }
        self.seen = Some(stamp);
        Some(self.read())
    }

    /// Changes the marks while nobody else does, and hands back what they were.
    ///
    /// # Errors
    /// The file cannot be read, in which case nothing is written over it; or it cannot be written.
    pub fn change(&self, change: impl FnOnce(&mut Marks)) -> Result<Marks, InputError> {
        files::create_folder(&self.folder)?;
        let edit = self.folder.join(EDIT);
        let _lock = files::lock(&edit, PATIENCE)?.ok_or_else(|| {
            InputError::new(&edit, "another process holds the marks of the runs").advice("end that process")
        })?;
        let before = self.read()?;
        let mut after = before.clone();
        change(&mut after);
        let file = self.folder.join(FILE);
        after.check(&file)?;
        if after != before {
            files::write_atomically(&file, to_ron(&after, &file)?.as_bytes())?;
        }
        Ok(before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(tag: &str) -> Mark {
        Mark { tags: BTreeSet::from([tag.to_owned()]), note: "one\ntwo".to_owned(), ..Mark::default() }
    }

    #[test]
    fn marks_survive_and_runs_without_any_take_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = MarksFile::new(&folder.path().join("runs"));
        assert_eq!(file.read_if_changed(), Some(Ok(Marks::default())));
        assert_eq!(file.read_if_changed(), None);
        file.change(|marks| marks.set("peso-s1-0", mark("paper"))).unwrap();
        let marks = file.read_if_changed().unwrap().unwrap();
        assert_eq!(marks.of("peso-s1-0"), &mark("paper"));
        assert_eq!(marks.of("another"), &Mark::default());
        assert_eq!(marks.tags(), BTreeSet::from(["paper"]));
        let before = file.change(|marks| marks.set("peso-s1-0", Mark::default())).unwrap();
        assert_eq!(before, marks);
        assert!(!fs::read_to_string(folder.path().join("runs").join(FILE)).unwrap().contains("peso"));
    }

    #[test]
    fn a_damaged_file_is_an_error_and_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let file = MarksFile::new(folder.path());
        let long = "x".repeat(LONGEST_TAG + 1);
        for (text, problem) in [
            ("(runs: {\"a\": (tags: [\"paper\"", ""),
            ("(runs: {\"a\": (tags: [\"two words\"])})", "is no tag"),
            (&format!("(runs: {{\"a\": (tags: [\"{long}\"])}})"), "at most 40 characters"),
            ("(runs: {\"a\": (note: \"\\u{1b}[2J\")})", "control characters"),
        ] {
            fs::write(folder.path().join(FILE), text).unwrap();
            let error = file.read().unwrap_err();
            assert!(error.problem.contains(problem) && error.advice.is_some(), "{error:?}");
            assert_eq!(file.change(|marks| marks.set("b", mark("new"))).unwrap_err(), error);
            assert_eq!(fs::read_to_string(folder.path().join(FILE)).unwrap(), text, "nothing is lost");
        }
    }

    #[test]
    fn what_could_not_be_read_again_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let file = MarksFile::new(folder.path());
        let error = file.change(|marks| marks.set("a", mark("two words"))).unwrap_err();
        assert!(error.problem.contains("one word"), "{error}");
        assert_eq!(file.read().unwrap(), Marks::default());
    }
}
