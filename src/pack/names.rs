//! Names of files in a zip that somebody else may have made.

use std::collections::BTreeMap;

/// Longer paths are refused: some systems cannot write them.
const LONGEST: usize = 1024;
/// Names that mean devices on Windows, with any ending.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Says what is wrong with a name, if it is one that must not be written: it would leave the folder, or cannot be written on
/// every system.
pub(super) fn problem_of(name: &str) -> Option<&'static str> {
    if name.is_empty() || name.len() > LONGEST {
        return Some("is empty or too long");
    }
    if name.starts_with('/') || name.contains([':', '\\']) {
        return Some("is absolute, or has a drive or a backslash");
    }
    if name.chars().any(char::is_control) {
        return Some("has control characters");
    }
    for part in name.split('/') {
        let stem = part.split('.').next().unwrap_or_default().to_lowercase();
        let device = DEVICES.contains(&stem.as_str())
            || (stem.len() == 4
                && (stem.starts_with("com") || stem.starts_with("lpt"))
                && stem.ends_with(|c: char| c.is_ascii_digit()));
        match part {
            ".." | "." => return Some("leads out of the folder"),
            "" => return Some("has an empty part"),
            _ if device || part.ends_with([' ', '.']) => return Some("is none on every system"),
            _ => {}
        }
    }
    None
}

/// Names that were taken, as a file system sees them that does not tell large letters from small ones.
#[derive(Default)]
pub(super) struct Taken {
    /// Files, and the folders above them, in small letters.
    names: BTreeMap<String, Kind>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    File,
    Folder,
}

impl Taken {
    /// Takes a name; whether it was free: nothing else has it, and no file stands where it needs a folder.
    pub(super) fn take(&mut self, name: &str) -> bool {
        let small = name.to_lowercase();
        for (end, _) in small.match_indices('/') {
            if *self.names.entry(small[..end].to_owned()).or_insert(Kind::Folder) == Kind::File {
                return false;
            }
        }
        self.names.insert(small, Kind::File).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_below_the_folder_are_taken() {
        for good in [
            "project.ron",
            "runs/peso-s42-0a/run.sqlite",
            "data/ünïcode 名.csv",
            "runs/.marks.ron",
            "a/..b",
            "common/x",
        ] {
            assert_eq!(problem_of(good), None, "{good}");
        }
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../../x",
            "a/./b",
            "a//b",
            "a/",
            "C:x",
            "a\\b",
            "a\nb",
            "a/nul.txt",
            "COM1",
            "x ",
            "x.",
        ] {
            assert!(problem_of(bad).is_some(), "{bad:?}");
        }
        assert!(problem_of(&"a".repeat(LONGEST + 1)).is_some());
    }

    #[test]
    fn names_that_collide_anywhere_are_not_free() {
        let mut taken = Taken::default();
        assert!(taken.take("a/b") && taken.take("a/c") && taken.take("d"));
        assert!(!taken.take("A/B"), "one file system has one of both");
        assert!(!taken.take("d/e"), "d is a file");
        assert!(!taken.take("a"), "a is a folder");
    }
}
