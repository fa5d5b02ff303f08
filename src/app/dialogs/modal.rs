//! The window's own dialogs: a typed path, the export of a chart, unsaved changes, and what this program is.

use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui;
use egui::{Button, ComboBox, DragValue, Frame, Grid, Id, Key, Margin, Modifiers, TextEdit, Ui};

use super::desktop;
use super::estimate::EstimateDialog;
use super::method_picker::{self, MethodPicker, Purpose};
use super::new_project::NewProjectDialog;
use super::sweep_editor::{self, SweepEditor};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::method::MethodOptions;
use crate::plot::{Chart, Style};
use crate::project::new_project::NewProject;
use crate::project::sweep::Sweep;

/// The dialog that is open.
#[derive(Debug)]
pub(crate) enum Dialog {
    Path(PathDialog),
    New(NewProjectDialog),
    Export(ExportDialog),
    Method(MethodPicker),
    Sweep(Box<SweepEditor>),
    Estimate(EstimateDialog),
    Unsaved(Leaving),
    About,
}

/// What the user was about to do when changes were not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leaving {
    Close,
    Quit,
    Open(PathBuf),
    Demo(PathBuf),
    /// Write a project for data, and open it.
    New(NewProject),
}

/// What a dialog asks for.
#[derive(Debug, Clone)]
pub(crate) enum Wish {
    /// Close the dialog.
    Cancel,
    /// Ask the desktop for a path to put into the dialog.
    Browse,
    /// The path is final.
    Path(PathPurpose, PathBuf),
    /// Ask the desktop for a path of the dialog on a new project.
    BrowseFor(desktop::Question),
    New(NewProject),
    Export(Box<Export>),
    Method(Purpose, MethodOptions),
    /// A new sweep, or another one for the place of one.
    Sweep(Option<usize>, Box<Sweep>),
    /// Save, then estimate.
    SaveAndEstimate,
    /// Save, then go on.
    SaveAnd(Leaving),
    /// Go on without saving.
    DiscardAnd(Leaving),
}

/// A chart to write, and how.
#[derive(Debug, Clone)]
pub(crate) struct Export {
    pub(crate) chart: Arc<Chart>,
    pub(crate) path: PathBuf,
    pub(crate) style: Style,
}

/// What a typed path is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PathPurpose {
    OpenProject,
    DemoFolder,
}

/// Asks for a path, by typing or through the desktop.
#[derive(Debug)]
pub(crate) struct PathDialog {
    pub(crate) purpose: PathPurpose,
    pub(crate) text: String,
    /// Why the desktop's dialog was of no use.
    pub(crate) hint: Option<&'static str>,
    /// Whether the field has had the keyboard.
    pub(crate) focused: bool,
}

/// Said when the desktop answered at once that nothing was chosen.
pub(crate) const NO_PORTAL: &str =
    "No file dialog appeared: this desktop has none to offer. Type or paste the path instead";

impl PathDialog {
    fn ui(&mut self, ui: &mut Ui) -> Option<Wish> {
        let (title, advice, go) = match self.purpose {
            PathPurpose::OpenProject => {
                ("Open a project", "A project file (.ron), or the folder that holds project.ron", "Open")
            }
            PathPurpose::DemoFolder => (
                "Open the demo",
                "Folder to write the demo project and its runs into; an existing demo there is opened as it is",
                "Create and open",
            ),
        };
        ui.heading(title);
        let label = ui.label(advice);
        let response = ui.add(TextEdit::singleline(&mut self.text).desired_width(f32::INFINITY)).labelled_by(label.id);
        if !std::mem::replace(&mut self.focused, true) {
            response.request_focus();
        }
        if let Some(hint) = self.hint {
            ui.colored_label(theme::tokens(ui).warning, hint);
        }
        ui.add_space(space::M);
        let typed = self.text.trim();
        let entered = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let mut wish = None;
        ui.horizontal(|ui| {
            if ui.button("Browse…").on_hover_text("Choose with the desktop's file dialog").clicked() {
                wish = Some(Wish::Browse);
            }
            right_buttons(ui, go, !typed.is_empty(), &mut wish, || Wish::Path(self.purpose, expand_home(typed)));
        });
        if entered && !typed.is_empty() {
            wish = Some(Wish::Path(self.purpose, expand_home(typed)));
        }
        wish
    }
}

/// A path with a leading `~` replaced by the home folder, as people type it.
pub(crate) fn expand_home(text: &str) -> PathBuf {
    match (text.strip_prefix('~'), std::env::var_os("HOME")) {
        (Some(""), Some(home)) => PathBuf::from(home),
        (Some(rest), Some(home)) if rest.starts_with('/') => PathBuf::from(home).join(rest.trim_start_matches('/')),
        _ => PathBuf::from(text),
    }
}

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

impl ExportDialog {
    fn ui(&mut self, ui: &mut Ui) -> Option<Wish> {
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
        let mut wish = None;
        ui.horizontal(|ui| {
            if ui.button("Browse…").on_hover_text("Choose with the desktop's file dialog").clicked() {
                wish = Some(Wish::Browse);
            }
            let named = !self.path.trim().is_empty();
            right_buttons(ui, "Export", named, &mut wish, || Wish::Export(Box::new(self.export())));
        });
        wish
    }

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

/// A row of a dialog that is filled from the right.
pub(crate) fn right_row<R>(ui: &mut Ui, contents: impl FnOnce(&mut Ui) -> R) -> R {
    let row = |ui: &mut Ui| ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), contents).inner;
    ui.horizontal(row).inner
}

/// Cancel and the button that goes on, on the right.
pub(crate) fn right_buttons(
    ui: &mut Ui,
    go: &str,
    possible: bool,
    wish: &mut Option<Wish>,
    gone: impl FnOnce() -> Wish,
) {
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if ui.add_enabled_ui(possible, |ui| widgets::primary_button(ui, go)).inner.clicked() {
            *wish = Some(gone());
        }
        if ui.button("Cancel").clicked() {
            *wish = Some(Wish::Cancel);
        }
    });
}

fn unsaved_ui(ui: &mut Ui, leaving: &Leaving) -> Option<Wish> {
    ui.heading("Save the changes of the project?");
    ui.label("Without saving, the changes since the last save are lost. Runs are kept either way and go on");
    ui.add_space(space::M);
    let mut wish = None;
    ui.horizontal(|ui| {
        if ui.add(Button::new("Discard changes")).clicked() {
            wish = Some(Wish::DiscardAnd(leaving.clone()));
        }
        right_buttons(ui, "Save", true, &mut wish, || Wish::SaveAnd(leaving.clone()));
    });
    wish
}

fn about_ui(ui: &mut Ui) -> Option<Wish> {
    ui.heading("PESO Workbench");
    ui.label(format!("Version {}", env!("CARGO_PKG_VERSION")));
    ui.add_space(space::S);
    ui.label("Continual LoRA adaptation of language-model recommenders: train stage by stage, see what moves, compare methods honestly, export what you found");
    ui.add_space(space::S);
    widgets::remark(ui, "Text is set in Inter, under the SIL Open Font License 1.1");
    ui.add_space(space::M);
    let mut wish = None;
    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        if widgets::primary_button(ui, "Close").clicked() {
            wish = Some(Wish::Cancel);
        }
    });
    wish
}

impl Dialog {
    /// Draws the dialog.
    pub(crate) fn ui(&mut self, ui: &Ui) -> Option<Wish> {
        let tokens = theme::tokens(ui);
        let frame = Frame::popup(ui.style()).fill(tokens.surface).inner_margin(Margin::same(20));
        let wanted = match self {
            Self::Method(_) => method_picker::WIDTH,
            Self::Sweep(_) => sweep_editor::WIDTH,
            Self::Estimate(_) => 620.0,
            _ => 520.0,
        };
        let width = wanted.min(ui.ctx().content_rect().width() - 80.0);
        let modal =
            egui::Modal::new(Id::unique("dialog")).backdrop_color(tokens.scrim).frame(frame).show(ui.ctx(), |ui| {
                ui.set_width(width);
                match self {
                    Self::Path(dialog) => dialog.ui(ui),
                    Self::New(dialog) => dialog.ui(ui),
                    Self::Export(dialog) => dialog.ui(ui),
                    Self::Method(dialog) => dialog.ui(ui),
                    Self::Sweep(dialog) => dialog.ui(ui),
                    Self::Estimate(dialog) => dialog.ui(ui),
                    Self::Unsaved(leaving) => unsaved_ui(ui, leaving),
                    Self::About => about_ui(ui),
                }
            });
        let escaped = ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape));
        modal.inner.or((escaped || modal.backdrop_response.clicked()).then_some(Wish::Cancel))
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
