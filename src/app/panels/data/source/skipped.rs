//! What could not be read: lines by their problem, each to be seen in its file.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::{Button, CollapsingHeader, Frame, Label, Margin, RichText, ScrollArea, Ui};

use super::super::super::{Context, answered};
use crate::app::queries::Answer;
use crate::app::queries::data::{FileExcerpt, ProjectData};
use crate::app::queries::data_report::DataReport;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, grouped};
use crate::data::formats::{Excerpt, ImportReport, SkippedLine};
use crate::error::InputError;

/// The line that is looked at.
#[derive(Debug, Default)]
pub(super) struct SkippedLines {
    open: Option<(PathBuf, u64)>,
}

impl SkippedLines {
    /// Draws what a report says of lines, or of the line that made the whole file unusable.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        query: &ProjectData,
        report: Option<&DataReport>,
    ) {
        match report {
            Some(DataReport { import: Some((import, _)), .. }) => self.list(ui, context, import),
            Some(_) => {}
            None => {
                if let Answer::Failed(error) = context.session.queries.get(query) {
                    self.of_error(ui, context, error);
                }
            }
        }
    }

    fn list(&mut self, ui: &mut Ui, context: &mut Context<'_>, import: &ImportReport) {
        if !import.assumptions.is_empty() {
            ui.add_space(space::S);
            widgets::section(ui, "Taken for granted");
            for assumption in &import.assumptions {
                widgets::remark(ui, assumption.to_string());
            }
        }
        ui.add_space(space::S);
        widgets::section(ui, "Lines that could not be read");
        let skipped = &import.skipped;
        if skipped.lines == 0 {
            widgets::remark(ui, "Every line was read");
            return;
        }
        ui.label(lines_words(skipped.lines, "was skipped", "were skipped"));
        for problem in &skipped.problems {
            let words = widgets::sentence(&problem.kind);
            let title = format!("{} · {words}", lines_words(problem.lines, "", "").trim_end());
            CollapsingHeader::new(title).id_salt(&problem.kind).default_open(true).show(ui, |ui| {
                for example in skipped.examples_of(problem) {
                    self.line(ui, context, example);
                }
                let listed = skipped.examples_of(problem).count() as u64;
                if listed < problem.lines {
                    widgets::remark(ui, "Only the first of them are listed");
                }
            });
        }
    }

    fn line(&mut self, ui: &mut Ui, context: &mut Context<'_>, example: &SkippedLine) {
        let SkippedLine { path, line, problem } = example;
        let open = self.open.as_ref().is_some_and(|(file, number)| (file, number) == (path, line));
        let place = format!("{}, line {line}", file_name(path));
        ui.horizontal(|ui| {
            let button = ui.add(Button::selectable(open, place)).on_hover_text("Show this line in its file");
            if button.clicked() {
                self.open = (!open).then(|| (path.clone(), *line));
            }
            ui.add(Label::new(RichText::new(widgets::sentence(problem)).color(theme::tokens(ui).muted)).truncate());
        });
        if open {
            excerpt(ui, context, path, *line);
        }
    }

    /// A line that is the reason why nothing can be read.
    fn of_error(&mut self, ui: &mut Ui, context: &mut Context<'_>, error: &InputError) {
        let Some(line) = error.place.as_deref().and_then(line_of) else { return };
        let open = self.open.as_ref().is_some_and(|(file, number)| (file, *number) == (&error.path, line));
        let text = format!("Show line {line} of {}", file_name(&error.path));
        if ui.add(Button::selectable(open, text)).clicked() {
            self.open = (!open).then(|| (error.path.clone(), line));
        }
        if open {
            excerpt(ui, context, &error.path, line);
        }
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// `1 line was skipped`, `1 200 lines were skipped`.
fn lines_words(lines: u64, one: &str, many: &str) -> String {
    if lines == 1 { format!("1 line {one}") } else { format!("{} lines {many}", grouped(lines)) }
}

/// The number of `line 12, column 5`.
fn line_of(place: &str) -> Option<u64> {
    let digits = place.strip_prefix("line ")?;
    digits.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

/// A line among those around it.
fn excerpt(ui: &mut Ui, context: &mut Context<'_>, path: &Path, line: u64) {
    let query = FileExcerpt { path: path.to_path_buf(), line };
    let Some(excerpt) = answered(ui, context, &query, "Reading up to the line") else { return };
    let tokens = theme::tokens(ui);
    Frame::new().fill(tokens.sunken).corner_radius(theme::RADIUS).inner_margin(Margin::same(8)).show(ui, |ui| {
        ScrollArea::horizontal().id_salt((path, line)).auto_shrink([false, true]).show(ui, |ui| lines(ui, excerpt));
    });
}

fn lines(ui: &mut Ui, excerpt: &Excerpt) {
    let tokens = theme::tokens(ui);
    let width = excerpt.lines.last().map_or(1, |line| line.number.to_string().len());
    ui.spacing_mut().item_spacing.y = 1.0;
    for line in &excerpt.lines {
        let wanted = line.number == excerpt.number;
        let mark = if wanted { "▶" } else { " " };
        let end = if line.cut { " …" } else { "" };
        let text = format!("{mark} {:>width$}  {}{end}", line.number, line.text);
        let text = RichText::new(text).monospace();
        let text =
            if wanted { text.color(tokens.error).background_color(tokens.selected) } else { text.color(tokens.text) };
        ui.add(Label::new(text).extend());
    }
}

#[cfg(test)]
mod tests {
    use super::line_of;

    #[test]
    fn the_line_of_an_error_is_found() {
        assert_eq!(line_of("line 12, column 5"), Some(12));
        assert_eq!(line_of("line 7"), Some(7));
        assert_eq!(line_of("user 7"), None);
        assert_eq!(line_of("line x"), None);
    }
}
