//! Asking where and as what to write a report.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::{TextEdit, Ui};

use super::destination::Destination;
use super::dialog::{DialogAction, DialogContents, OnEscape, right_buttons};
use super::path::expand_home;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::error::InputError;
use crate::report::Format;

/// Asks where and as what to write a report.
#[derive(Debug)]
pub(crate) struct ReportDialog {
    format: Format,
    pub(crate) path: String,
    /// What stood in the field at first.
    suggested: String,
    destination: Destination,
    /// Figures on the board; without any the report chooses its own.
    pinned: usize,
    /// Runs that are not finished, in words.
    unfinished: Vec<String>,
    /// Why the file cannot be written, until another is named.
    pub(crate) problem: Option<InputError>,
    pub(crate) hint: Option<&'static str>,
}

impl ReportDialog {
    /// A dialog that suggests a file in `folder`.
    pub(crate) fn new(folder: &Path, pinned: usize, unfinished: Vec<String>) -> Self {
        let format = Format::default();
        let path = folder.join("report").with_extension(format.ending()).display().to_string();
        Self {
            format,
            suggested: path.clone(),
            destination: Destination::default(),
            path,
            pinned,
            unfinished,
            problem: None,
            hint: None,
        }
    }

    /// Ending of the chosen format's files.
    pub(crate) const fn ending(&self) -> &'static str {
        self.format.ending()
    }

    /// The file that is named, with the ending of the chosen format.
    fn file(&self) -> PathBuf {
        let mut path = expand_home(self.path.trim());
        if Format::of(&path).ok() != Some(self.format) {
            path.as_mut_os_string().push(format!(".{}", self.format.ending()));
        }
        path
    }

    fn format_choice(&mut self, ui: &mut Ui) {
        let before = self.format;
        ui.horizontal(|ui| {
            let label = ui.label("Format");
            for format in Format::ALL {
                ui.radio_value(&mut self.format, format, format.text()).labelled_by(label.id);
            }
        });
        let what = match self.format {
            Format::Html => "One file for any browser, light and dark, that needs no other file and asks no server",
            Format::Pdf => "Pages of A4 with text that can be searched and figures as vectors",
            Format::Markdown => "A text for a wiki, with its figures as SVG in a folder beside it",
        };
        ui.label(egui::RichText::new(what).color(theme::tokens(ui).muted));
        if self.format != before {
            self.path = Path::new(&self.path).with_extension(self.format.ending()).display().to_string();
            self.problem = None;
        }
    }
}

impl DialogContents for ReportDialog {
    fn width(&self) -> f32 {
        620.0
    }

    fn on_escape(&self) -> OnEscape {
        let unchanged = Path::new(&self.path).with_extension("") == Path::new(&self.suggested).with_extension("");
        OnEscape::of_form(!unchanged)
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Write a report");
        let figures = match self.pinned {
            0 => "the figures that say most, since the board is empty".to_owned(),
            1 => "the figure of the board".to_owned(),
            pinned => format!("the {pinned} figures of the board"),
        };
        ui.label(format!(
            "The answer in plain words, {figures}, tables, methods with formulas, settings, data, and what could be chance"
        ));
        ui.add_space(space::S);
        self.format_choice(ui);
        ui.add_space(space::S);
        let label = ui.label("File");
        let field = TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY);
        if ui.add(field).labelled_by(label.id).changed() {
            self.problem = None;
        }
        let file = self.file();
        let go = self.destination.ui(ui, &file, "Write");
        if let Some(problem) = &self.problem {
            widgets::problem(ui, problem);
        }
        let warning = theme::tokens(ui).warning;
        if !self.unfinished.is_empty() {
            let words = format!("Not finished, and said so at the top: {}", self.unfinished.join("; "));
            ui.colored_label(warning, words);
        }
        if let Some(hint) = self.hint {
            ui.colored_label(warning, hint);
        }
        ui.add_space(space::M);
        let mut action = None;
        ui.horizontal(|ui| {
            if ui.button("Browse…").on_hover_text("Choose with the desktop's file dialog").clicked() {
                action = Some(DialogAction::Browse);
            }
            let named = !self.path.trim().is_empty();
            right_buttons(ui, go, named, &mut action, || DialogAction::Report(file));
        });
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_has_the_ending_of_its_format() {
        let mut dialog = ReportDialog::new(Path::new("/tmp"), 0, Vec::new());
        assert_eq!(dialog.file(), Path::new("/tmp/report.html"));
        dialog.path = "/tmp/v1.2".to_owned();
        assert_eq!(dialog.file(), Path::new("/tmp/v1.2.html"));
        dialog.format = Format::Markdown;
        dialog.path = "/tmp/a.MD".to_owned();
        assert_eq!(dialog.file(), Path::new("/tmp/a.MD"));
    }
}
