//! Tags and a note of runs.

use std::collections::BTreeSet;

use eframe::egui;
use egui::{TextEdit, Ui};

use super::dialog::{DialogAction, DialogContents, right_row};
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted};
use crate::run::marks::{MarkChange, Marks, check_tag};

/// Asks for the tags that all of the runs have, and for their note.
#[derive(Debug)]
pub(crate) struct MarksDialog {
    runs: Vec<String>,
    /// Those that all of them had.
    before: BTreeSet<String>,
    /// Those of other runs, to be chosen with a click.
    known: Vec<String>,
    tags: String,
    /// None where the runs have different ones, as long as nothing is typed.
    note: Option<String>,
    typed_note: String,
    /// Whether the first field has had the keyboard.
    focused: bool,
}

impl MarksDialog {
    pub(crate) fn new(runs: Vec<String>, marks: &Marks) -> Self {
        let mut all = runs.iter().map(|run| marks.of(run));
        let first = all.next().cloned().unwrap_or_default();
        let (before, same_note) = all.fold((first.tags, true), |(tags, same), mark| {
            (tags.intersection(&mark.tags).cloned().collect(), same && mark.note == first.note)
        });
        Self {
            tags: before.iter().map(String::as_str).collect::<Vec<_>>().join(" "),
            known: marks.tags().into_iter().filter(|tag| !before.contains(*tag)).map(str::to_owned).collect(),
            typed_note: if same_note { first.note.clone() } else { String::new() },
            note: same_note.then_some(first.note),
            runs,
            before,
            focused: false,
        }
    }

    /// The tags as they are typed.
    fn typed(&self) -> BTreeSet<String> {
        self.tags.split([' ', ',']).filter(|tag| !tag.is_empty()).map(str::to_owned).collect()
    }

    fn change(&self) -> MarkChange {
        let now = self.typed();
        MarkChange::Words {
            add: now.difference(&self.before).cloned().collect(),
            remove: self.before.difference(&now).cloned().collect(),
            note: Some(self.typed_note.trim().to_owned()).filter(|note| self.note.is_some() || !note.is_empty()),
        }
    }
}

impl DialogContents for MarksDialog {
    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        let several = self.runs.len() > 1;
        ui.heading(if several {
            format!("Tags and note of {}", counted(self.runs.len(), "run"))
        } else {
            "Tags and note".to_owned()
        });
        let label = ui.label(if several { "Tags that all of them have" } else { "Tags" });
        let field = TextEdit::singleline(&mut self.tags).hint_text("paper best").desired_width(f32::INFINITY);
        let field = ui.add(field).labelled_by(label.id);
        if !std::mem::replace(&mut self.focused, true) {
            field.request_focus();
        }
        let typed = self.typed();
        ui.horizontal_wrapped(|ui| {
            for tag in self.known.iter().filter(|tag| !typed.contains(*tag)) {
                if ui.small_button(tag).on_hover_text("Add this tag").clicked() {
                    self.tags = format!("{} {tag}", self.tags.trim_end()).trim_start().to_owned();
                }
            }
        });
        ui.add_space(space::S);
        let label = ui.label("Note");
        let hint = if self.note.is_some() {
            "What is to be remembered of it"
        } else {
            "Each keeps its own, unless you type one for all"
        };
        let field = TextEdit::multiline(&mut self.typed_note).hint_text(hint).desired_rows(4);
        ui.add(field.desired_width(f32::INFINITY)).labelled_by(label.id);
        // The line is there whether or not something is wrong, so that nothing moves under the pointer.
        let problem = self.typed().iter().find_map(|tag| check_tag(tag).err());
        ui.colored_label(theme::tokens(ui).error, problem.as_deref().map(widgets::sentence).unwrap_or_default());
        right_row(ui, |ui| {
            let save = ui.add_enabled_ui(problem.is_none(), |ui| widgets::primary_button(ui, "Save")).inner;
            let saved = save.clicked().then(|| DialogAction::Mark(self.runs.clone(), self.change()));
            saved.or(ui.button("Cancel").clicked().then_some(DialogAction::Cancel))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::marks::Mark;

    fn words(words: &[&str]) -> BTreeSet<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn runs_keep_what_only_some_of_them_have() {
        let mut marks = Marks::default();
        marks.set("a", Mark { tags: words(&["paper", "best"]), note: "one".to_owned(), ..Mark::default() });
        marks.set("b", Mark { tags: words(&["paper"]), note: "two".to_owned(), ..Mark::default() });
        let mut dialog = MarksDialog::new(vec!["a".to_owned(), "b".to_owned()], &marks);
        assert_eq!((dialog.tags.as_str(), dialog.typed_note.as_str()), ("paper", ""));
        dialog.tags = "new".to_owned();
        let change = dialog.change();
        assert_eq!(change, MarkChange::Words { add: words(&["new"]), remove: words(&["paper"]), note: None });
        let changed = change.applied(marks.of("a").clone());
        assert_eq!((changed.tags, changed.note.as_str()), (words(&["best", "new"]), "one"));
    }

    #[test]
    fn a_note_of_one_run_can_be_taken_away() {
        let mut marks = Marks::default();
        marks.set("a", Mark { note: "one".to_owned(), ..Mark::default() });
        let mut dialog = MarksDialog::new(vec!["a".to_owned()], &marks);
        dialog.typed_note.clear();
        assert_eq!(dialog.change().applied(marks.of("a").clone()), Mark::default());
    }
}
