//! Asking where and how to write a chart.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use egui::{ComboBox, DragValue, Grid, TextEdit, Ui};

use super::dialog::{DialogAction, DialogContents, Export, right_buttons};
use super::path::expand_home;
use crate::app::theme::{self, space};
use crate::plot::{Chart, Style};

/// What a chart can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Png,
    Svg,
    Pdf,
    Csv,
    Latex,
}

impl Format {
    const ALL: [Self; 5] = [Self::Png, Self::Svg, Self::Pdf, Self::Csv, Self::Latex];

    const fn text(self) -> &'static str {
        match self {
            Self::Png => "PNG image",
            Self::Svg => "SVG drawing",
            Self::Pdf => "PDF",
            Self::Csv => "CSV table",
            Self::Latex => "LaTeX table",
        }
    }

    /// The ending of its files.
    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Csv => "csv",
            Self::Latex => "tex",
        }
    }

    const fn is_picture(self) -> bool {
        matches!(self, Self::Png | Self::Svg | Self::Pdf)
    }
}

/// Asks where and how to write a chart.
#[derive(Debug)]
pub(crate) struct ExportDialog {
    pub(crate) chart: Arc<Chart>,
    pub(crate) format: Format,
    pub(crate) style: Style,
    pub(crate) path: String,
    pub(crate) hint: Option<&'static str>,
}

impl DialogContents for ExportDialog {
    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Export the chart");
        ui.label(&self.chart.title);
        ui.add_space(space::S);
        Grid::new("export options").num_columns(2).spacing([space::L, space::S]).show(ui, |ui| {
            let before = self.format;
            let label = ui.label("Format");
            ComboBox::from_id_salt("format")
                .selected_text(self.format.text())
                .width(180.0)
                .show_ui(ui, |ui| {
                    for format in Format::ALL {
                        ui.selectable_value(&mut self.format, format, format.text());
                    }
                })
                .response
                .labelled_by(label.id);
            ui.end_row();
            if self.format != before {
                self.rename();
            }
            if self.format.is_picture() {
                self.picture_options(ui);
            }
            let label = ui.label("File");
            ui.add(TextEdit::singleline(&mut self.path).desired_width(380.0)).labelled_by(label.id);
            ui.end_row();
        });
        if let Some(hint) = self.hint {
            ui.colored_label(theme::tokens(ui).warning, hint);
        }
        ui.add_space(space::M);
        let mut action = None;
        ui.horizontal(|ui| {
            if ui.button("Browse…").on_hover_text("Choose with the desktop's file dialog").clicked() {
                action = Some(DialogAction::Browse);
            }
            let named = !self.path.trim().is_empty();
            right_buttons(ui, "Export", named, &mut action, || DialogAction::Export(Box::new(self.export())));
        });
        action
    }
}

impl ExportDialog {
    fn picture_options(&mut self, ui: &mut Ui) {
        let label = ui.label("Ground");
        ui.horizontal(|ui| {
            ui.radio_value(&mut self.style.theme, crate::plot::Theme::Light, "Light").labelled_by(label.id);
            ui.radio_value(&mut self.style.theme, crate::plot::Theme::Dark, "Dark").labelled_by(label.id);
        });
        ui.end_row();
        let label = ui.label("Size");
        ui.horizontal(|ui| {
            for (value, name) in [(&mut self.style.width, "Width"), (&mut self.style.height, "Height")] {
                let field = ui.add(DragValue::new(value).range(200..=4000).speed(5).prefix(format!("{name} ")));
                field.labelled_by(label.id);
            }
        });
        ui.end_row();
        if self.format == Format::Png {
            let label = ui.label("Resolution");
            ui.add(DragValue::new(&mut self.style.dpi).range(72..=600).suffix(" dpi")).labelled_by(label.id);
            ui.end_row();
        }
    }

    /// Gives the file the ending of the format.
    fn rename(&mut self) {
        self.path = PathBuf::from(&self.path).with_extension(self.format.extension()).display().to_string();
    }

    fn export(&self) -> Export {
        let mut path = expand_home(self.path.trim());
        if path.extension().is_none_or(|ending| !ending.eq_ignore_ascii_case(self.format.extension())) {
            // A name with a dot in it keeps all of it: `hit@10 v1.2` becomes `hit@10 v1.2.png`.
            path.as_mut_os_string().push(format!(".{}", self.format.extension()));
        }
        Export { chart: Arc::clone(&self.chart), path, style: self.style }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialog(path: &str, format: Format) -> ExportDialog {
        ExportDialog {
            chart: Arc::new(Chart::empty("Hit@10", "Nothing yet")),
            format,
            style: Style::default(),
            path: path.to_owned(),
            hint: None,
        }
    }

    #[test]
    fn the_file_gets_the_ending_of_its_format() {
        assert_eq!(dialog("/tmp/a.png", Format::Png).export().path, PathBuf::from("/tmp/a.png"));
        assert_eq!(dialog("/tmp/v1.2", Format::Pdf).export().path, PathBuf::from("/tmp/v1.2.pdf"));
        let mut renamed = dialog("/tmp/a.png", Format::Svg);
        renamed.rename();
        assert_eq!(renamed.path, "/tmp/a.svg");
    }
}
