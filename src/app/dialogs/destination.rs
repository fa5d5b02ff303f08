//! The file that a dialog is about to write: whether there is one of that name already.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::{RichText, Ui};

use crate::app::{theme, widgets};

/// Whether a file of the name that is typed is there.
#[derive(Debug, Default)]
pub(super) struct Destination {
    /// The path that was looked at, and whether a file was there: the disk is asked once a name, not once a frame.
    looked: Option<(PathBuf, bool)>,
}

impl Destination {
    /// Warns of a file that would be replaced, on a line that keeps its place, and names the button that writes: `go`, or what
    /// it then does.
    pub(super) fn ui(&mut self, ui: &mut Ui, path: &Path, go: &'static str) -> &'static str {
        let there = self.is_there(path);
        let warning = theme::tokens(ui).warning;
        let words = "⚠ There is a file of this name already; it is replaced";
        widgets::message_line(ui, there.then(|| RichText::new(words).color(warning)));
        if there { "Replace" } else { go }
    }

    fn is_there(&mut self, path: &Path) -> bool {
        match &self.looked {
            Some((looked, there)) if looked == path => *there,
            _ => {
                let there = path.is_file();
                self.looked = Some((path.to_path_buf(), there));
                there
            }
        }
    }
}

/// A path of this name in a folder, with a number behind the name where something is there already.
pub(crate) fn free_path(folder: &Path, name: &str, ending: &str) -> PathBuf {
    let numbered = (2..).map(|number| folder.join(format!("{name}-{number}{ending}")));
    let mut paths = std::iter::once(folder.join(format!("{name}{ending}"))).chain(numbered);
    paths.find(|path| !path.exists()).expect("numbers do not run out")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let folder = tempfile::tempdir().unwrap();
        let free = || free_path(folder.path(), "v1.2", ".zip");
        for name in ["v1.2.zip", "v1.2-2.zip", "v1.2-3.zip"] {
            assert_eq!(free(), folder.path().join(name));
            std::fs::write(free(), "").unwrap();
        }
    }

    #[test]
    fn the_disk_is_asked_anew_for_another_name_alone() {
        let folder = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| folder.path().join(name));
        let mut destination = Destination::default();
        assert!(!destination.is_there(&one));
        std::fs::write(&one, "").unwrap();
        assert!(!destination.is_there(&one));
        assert!(!destination.is_there(&other));
        assert!(destination.is_there(&one));
    }
}
