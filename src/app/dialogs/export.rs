//! Asking where and how to write a chart, with a preview of the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui;
use egui::{ComboBox, DragValue, Grid, TextEdit, Ui};

use super::chart_file::{ExportChoices, Format, Preview, PreviewOf, Previewed, Size};
use super::destination::Destination;
use super::dialog::{DialogAction, DialogContents, Export, OnEscape, right_buttons};
use super::path::expand_home;
use crate::app::panels::view::View;
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::error::InputError;
use crate::plot::Chart;

/// Where a chart stands in the window: it is followed there while the dialog is open, so that what is written is what is
/// seen at that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChartPlace {
    pub(crate) view: View,
    /// Among the view's charts.
    pub(crate) number: usize,
}

/// Asks where and how to write a chart.
#[derive(Debug)]
pub(crate) struct ExportDialog {
    /// As the window shows it now.
    chart: Arc<Chart>,
    pub(crate) place: Option<ChartPlace>,
    /// What the user wrote instead of its title and caption.
    title: Option<String>,
    caption: Option<String>,
    choices: ExportChoices,
    /// Whether the window is dark, which pictures are too until the user chooses.
    dark_window: bool,
    pub(crate) path: String,
    destination: Destination,
    /// Why the file cannot be written, until another is named.
    pub(crate) problem: Option<InputError>,
    pub(crate) hint: Option<&'static str>,
    /// Runs that the chart shows and that are not finished, in words.
    unfinished: Vec<String>,
    preview: Preview,
}

impl ExportDialog {
    /// A dialog on a chart; `path` is the file that is suggested, without its ending.
    pub(crate) fn new(
        (place, chart): (Option<ChartPlace>, Arc<Chart>),
        choices: ExportChoices,
        dark_window: bool,
        path: &Path,
    ) -> Self {
        let path = path.with_extension(choices.format.extension()).display().to_string();
        Self {
            chart,
            place,
            title: None,
            caption: None,
            choices,
            dark_window,
            path,
            destination: Destination::default(),
            problem: None,
            hint: None,
            unfinished: Vec::new(),
            preview: Preview::default(),
        }
    }

    /// Ending of the chosen format's files.
    pub(crate) fn extension(&self) -> &'static str {
        self.choices.format.extension()
    }

    /// Takes over what the window shows now.
    pub(crate) fn follow(&mut self, chart: Option<&Arc<Chart>>, unfinished: impl FnOnce(&Chart) -> Vec<String>) {
        if let Some(chart) = chart.filter(|chart| !Arc::ptr_eq(chart, &self.chart)) {
            self.chart = Arc::clone(chart);
        }
        self.unfinished = unfinished(&self.chart);
    }

    /// Takes what was made to be previewed.
    pub(crate) fn previewed(&mut self, ctx: &egui::Context, made: Previewed) {
        self.preview.take(ctx, made);
    }

    /// The chart with the words that the user gave it.
    fn worded(&self) -> Arc<Chart> {
        let Some(chart) = (self.title.is_some() || self.caption.is_some()).then(|| (*self.chart).clone()) else {
            return Arc::clone(&self.chart);
        };
        let title = self.title.clone().unwrap_or_else(|| chart.title.clone());
        let caption = match &self.caption {
            Some(caption) => Some(caption.trim().to_owned()).filter(|caption| !caption.is_empty()),
            None => chart.caption.clone(),
        };
        Arc::new(Chart { title, caption, ..chart })
    }

    fn preview_of(&self) -> PreviewOf {
        PreviewOf { chart: self.worded(), style: self.choices.style(self.dark_window), format: self.choices.format }
    }

    fn export(&self) -> Export {
        let (chart, style) = (self.worded(), self.choices.style(self.dark_window));
        Export { chart, path: self.file(), style, choices: self.choices }
    }

    /// The file that is named, with the ending of the chosen format.
    fn file(&self) -> PathBuf {
        let mut path = expand_home(self.path.trim());
        let wanted = self.extension();
        if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case(wanted)) {
            // A name with a dot in it keeps all of it: `hit@10 v1.2` becomes `hit@10 v1.2.png`.
            path.as_mut_os_string().push(format!(".{wanted}"));
        }
        path
    }
}

/// Width of the fields of words.
const FIELD: f32 = 520.0;

impl DialogContents for ExportDialog {
    fn width(&self) -> f32 {
        620.0
    }

    fn on_escape(&self) -> OnEscape {
        OnEscape::of_form(self.title.is_some() || self.caption.is_some())
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Export the chart");
        ui.add_space(space::XS);
        self.preview.ui(ui);
        ui.add_space(space::S);
        Grid::new("export options").num_columns(2).spacing([space::L, space::XS]).show(ui, |ui| {
            self.words(ui);
            self.format_choice(ui);
            // The rows of a picture keep their place, so that nothing moves when a table is chosen.
            self.size_choice(ui);
            let label = ui.label("File");
            let field = TextEdit::singleline(&mut self.path).desired_width(FIELD);
            if ui.add(field).labelled_by(label.id).changed() {
                self.problem = None;
            }
            ui.end_row();
        });
        let file = self.file();
        let go = self.destination.ui(ui, &file, "Export");
        if let Some(problem) = &self.problem {
            widgets::problem(ui, problem);
        }
        let tokens = theme::tokens(ui);
        if !self.unfinished.is_empty() {
            let words = format!("Not finished, and shown as far as measured: {}", self.unfinished.join("; "));
            ui.colored_label(tokens.warning, words);
        }
        if let Some(hint) = self.hint {
            ui.colored_label(tokens.warning, hint);
        }
        ui.add_space(space::S);
        let mut action = None;
        ui.horizontal(|ui| {
            if ui.button("Browse…").on_hover_text("Choose with the desktop's file dialog").clicked() {
                action = Some(DialogAction::Browse);
            }
            let copy = ui.add_enabled(self.choices.format.is_picture(), egui::Button::new("Copy image"));
            if copy.on_hover_text("Put the picture on the clipboard, for slides and mails").clicked() {
                action = Some(DialogAction::CopyImage(Box::new(self.export())));
            }
            let named = !self.path.trim().is_empty();
            right_buttons(ui, go, named, &mut action, || DialogAction::Export(Box::new(self.export())));
        });
        if action.is_none() {
            let now = self.preview_of();
            action = self.preview.wanted(now).map(|of| DialogAction::Preview(Box::new(of)));
        }
        action
    }
}

impl ExportDialog {
    /// Title and caption, as the chart has them until the user writes others.
    fn words(&mut self, ui: &mut Ui) {
        let own = [self.chart.title.clone(), self.chart.caption.clone().unwrap_or_default()];
        for ((name, written), own) in [("Title", &mut self.title), ("Caption", &mut self.caption)].into_iter().zip(own)
        {
            let label = ui.label(name);
            let mut words = written.clone().unwrap_or_else(|| own.clone());
            let field = TextEdit::singleline(&mut words).hint_text("None").desired_width(FIELD);
            if ui.add(field).labelled_by(label.id).changed() {
                *written = (words != own).then_some(words);
            }
            ui.end_row();
        }
    }

    fn format_choice(&mut self, ui: &mut Ui) {
        let before = self.choices.format;
        let label = ui.label("Format");
        ui.horizontal(|ui| {
            let combo = ComboBox::from_id_salt("format").selected_text(before.text()).width(150.0);
            let combo = combo.show_ui(ui, |ui| {
                for format in Format::ALL {
                    ui.selectable_value(&mut self.choices.format, format, format.text());
                }
            });
            combo.response.labelled_by(label.id);
            ui.add_enabled_ui(self.choices.format.is_picture(), |ui| {
                let mut dark = self.choices.dark.unwrap_or(self.dark_window);
                let label = ui.label("Ground");
                let light = ui.radio_value(&mut dark, false, "Light").labelled_by(label.id);
                if light.changed() | ui.radio_value(&mut dark, true, "Dark").labelled_by(label.id).changed() {
                    self.choices.dark = Some(dark);
                }
            });
            ui.add_enabled_ui(self.choices.format == Format::Png, |ui| {
                let field = DragValue::new(&mut self.choices.dpi).range(72..=600).suffix(" dpi");
                let field = ui.add(field);
                widgets::named(ui, &field, "Resolution");
            });
        });
        ui.end_row();
        if self.choices.format != before {
            self.path = PathBuf::from(&self.path).with_extension(self.extension()).display().to_string();
        }
    }

    fn size_choice(&mut self, ui: &mut Ui) {
        let label = ui.label("Size");
        ui.add_enabled_ui(self.choices.format.is_picture(), |ui| {
            ui.horizontal(|ui| size_fields(ui, label.id, &mut self.choices.size));
        });
        ui.end_row();
    }
}

/// The sizes that have names, and the fields of another one.
fn size_fields(ui: &mut Ui, label: egui::Id, size: &mut Size) {
    let combo = ComboBox::from_id_salt("size").selected_text(size.text()).width(190.0);
    let combo = combo.show_ui(ui, |ui| {
        for named in Size::NAMED {
            ui.selectable_value(size, named, named.text());
        }
    });
    combo.response.labelled_by(label);
    let [mut width, mut height] = size.pixels();
    for (value, name) in [(&mut width, "Width"), (&mut height, "Height")] {
        let field = ui.add(DragValue::new(value).range(200..=4000).speed(5).prefix(format!("{name} ")));
        widgets::named(ui, &field, name);
    }
    if [width, height] != size.pixels() {
        *size = Size::Own { width, height };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialog(path: &str, format: Format) -> ExportDialog {
        let chart =
            Arc::new(Chart { caption: Some("Three seeds".to_owned()), ..Chart::empty("Hit@10", "Nothing yet") });
        let choices = ExportChoices { format, ..ExportChoices::default() };
        ExportDialog { path: path.to_owned(), ..ExportDialog::new((None, chart), choices, false, Path::new("chart")) }
    }

    #[test]
    fn the_file_gets_the_ending_of_its_format() {
        assert_eq!(dialog("/tmp/a.png", Format::Png).export().path, PathBuf::from("/tmp/a.png"));
        assert_eq!(dialog("/tmp/v1.2", Format::Pdf).export().path, PathBuf::from("/tmp/v1.2.pdf"));
    }

    #[test]
    fn what_is_written_is_what_the_window_shows_now_under_the_words_of_the_user() {
        let mut dialog = dialog("/tmp/a.png", Format::Png);
        dialog.title = Some("What we ship".to_owned());
        let newer = Arc::new(Chart { caption: Some("Four seeds".to_owned()), ..Chart::empty("Hit@10", "Nothing") });
        dialog.follow(Some(&newer), |_| vec!["PESO, seed 2".to_owned()]);
        let written = dialog.export().chart;
        assert_eq!((written.title.as_str(), written.caption.as_deref()), ("What we ship", Some("Four seeds")));
        dialog.caption = Some(" ".to_owned());
        assert_eq!(dialog.export().chart.caption, None);
        assert_eq!(dialog.unfinished, ["PESO, seed 2"]);
    }

    #[test]
    fn a_preview_is_made_once_for_the_same_and_again_for_another() {
        let mut dialog = dialog("/tmp/a.csv", Format::Csv);
        let first = dialog.preview_of();
        let Previewed::Text(words) = first.make() else { panic!("a table is text") };
        assert!(words.starts_with("missing\nNothing yet"), "{words}");
        assert!(dialog.preview.wanted(first.clone()).is_some());
        dialog.choices.format = Format::Svg;
        let other = dialog.preview_of();
        assert!(dialog.preview.wanted(other.clone()).is_none(), "one at a time");
        dialog.previewed(&egui::Context::default(), first.make());
        assert!(dialog.preview.wanted(other).is_some());
    }
}
