//! Paths that people choose, charts that are exported, settings that are kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;

use crate::app::dialogs::desktop::FileDialog;

use super::super::settings::{Settings, ThemeChoice, ZOOM};
use super::super::widgets::{Notice, Weight, sentence};
use super::super::workbench::Workbench;
use crate::app::dialogs::chart_file::{PreviewOf, Previewed};
use crate::app::dialogs::desktop::NO_PORTAL;
use crate::app::dialogs::dialog::{Export, Leaving, PathPurpose};
use crate::app::dialogs::export::ExportDialog;
use crate::app::dialogs::modal::Dialog;
use crate::app::dialogs::new_project::NewProjectDialog;
use crate::app::dialogs::path::PathDialog;
use crate::app::message::Message;
use crate::app::panels::PanelEvent;
use crate::figures::measures::defined;
use crate::files;
use crate::plot;
use crate::plot::{Bitmap, Chart, Style, screen, table};

/// A person cannot close a dialog faster than this: an answer that comes earlier came from no dialog.
const FASTEST_PERSON: Duration = Duration::from_millis(300);

impl Workbench {
    /// Where projects are suggested.
    fn projects_folder(&self) -> PathBuf {
        self.settings.projects_folder.clone().unwrap_or_else(|| self.services.documents_folder.clone())
    }

    pub(super) fn ask_path(&mut self, purpose: PathPurpose, hint: Option<&'static str>) {
        let text = match purpose {
            PathPurpose::OpenProject => String::new(),
            PathPurpose::DemoFolder(demo) => self.projects_folder().join(demo.folder()).display().to_string(),
            PathPurpose::BoardFolder(_) => self.board_folder().display().to_string(),
            PathPurpose::SteeredAdapter => self.steered_folder().display().to_string(),
        };
        let dialog = PathDialog { purpose, suggested: text.clone(), text, problem: None, hint, focused: false };
        self.dialog = Some(Dialog::Path(dialog));
    }

    pub(super) fn ask_desktop(&mut self, asked: FileDialog) {
        let dialogs = Arc::clone(&self.services.dialogs);
        self.spawn("file dialog", move || {
            let start = Instant::now();
            let path = dialogs.ask(&asked);
            Message::PathChosen { asked, path, took: start.elapsed() }
        });
    }

    /// Asks the desktop for the path that the open dialog is about.
    pub(super) fn browse(&mut self) {
        let asked = match &self.dialog {
            Some(Dialog::Path(dialog)) => match dialog.purpose {
                PathPurpose::OpenProject => FileDialog::OpenProject,
                PathPurpose::DemoFolder(_) => FileDialog::DemoFolder { suggested: PathBuf::from(&dialog.text) },
                PathPurpose::BoardFolder(_) => FileDialog::BoardFolder { suggested: PathBuf::from(&dialog.text) },
                PathPurpose::SteeredAdapter => FileDialog::SteeredFolder { suggested: PathBuf::from(&dialog.text) },
            },
            Some(Dialog::Export(dialog)) => {
                FileDialog::SaveChart { suggested: PathBuf::from(&dialog.path), extension: dialog.extension() }
            }
            Some(Dialog::Pack(dialog)) => FileDialog::SavePack { suggested: PathBuf::from(&dialog.path) },
            Some(Dialog::Unpack(dialog)) => FileDialog::UnpackFolder { suggested: PathBuf::from(&dialog.folder) },
            Some(Dialog::Locate(dialog)) => {
                let several = dialog.missing.first().and_then(|missing| missing.expected.as_ref());
                let folder = several.is_some_and(|expected| expected.files.len() > 1);
                if folder { FileDialog::MissingFolder } else { FileDialog::MissingFile }
            }
            Some(Dialog::Report(dialog)) => {
                FileDialog::SaveReport { suggested: PathBuf::from(&dialog.path), extension: dialog.ending() }
            }
            _ => return,
        };
        self.ask_desktop(asked);
    }

    pub(super) fn path_chosen(&mut self, asked: &FileDialog, path: Option<PathBuf>, took: Duration) {
        let hint = (path.is_none() && took < FASTEST_PERSON).then_some(NO_PORTAL);
        if asked.is_of_project() {
            return match (path, hint) {
                (Some(path), _) => self.use_answer(asked, path),
                (None, Some(hint)) => self.notices.push(Notice::new(Weight::Problem, hint)),
                (None, None) => {}
            };
        }
        match (&mut self.dialog, path) {
            (Some(Dialog::New(dialog)), Some(path)) => dialog.chosen(asked, &path),
            (Some(Dialog::New(dialog)), None) => dialog.no_dialog(hint),
            (Some(Dialog::Path(dialog)), Some(path)) => dialog.text = path.display().to_string(),
            (Some(Dialog::Path(dialog)), None) => dialog.hint = hint,
            (Some(Dialog::Export(dialog)), Some(path)) => dialog.path = path.display().to_string(),
            (Some(Dialog::Export(dialog)), None) => dialog.hint = hint,
            (Some(Dialog::Pack(dialog)), Some(path)) => dialog.path = path.display().to_string(),
            (Some(Dialog::Unpack(dialog)), Some(path)) => dialog.folder = path.display().to_string(),
            (Some(Dialog::Locate(dialog)), Some(path)) => dialog.path = path.display().to_string(),
            (Some(Dialog::Report(dialog)), Some(path)) => dialog.path = path.display().to_string(),
            (Some(Dialog::Report(dialog)), None) => dialog.hint = hint,
            (_, path) if matches!(asked, FileDialog::DataFile | FileDialog::DataFolder | FileDialog::ItemFile) => {
                self.panels.receive(&PanelEvent::DataFileChosen { dialog: asked.clone(), path, hint });
            }
            (_, Some(path)) if *asked == FileDialog::OpenProject => self.leave(Leaving::Open(path)),
            (_, None) if hint.is_some() && self.session.is_none() => self.start.hint = hint,
            (_, None) if hint.is_some() => self.ask_path(PathPurpose::OpenProject, hint),
            _ => {}
        }
    }

    /// Asks which data a new project is for.
    pub(super) fn ask_new_project(&mut self, data: Option<&Path>) {
        let documents = self.projects_folder();
        self.dialog = Some(Dialog::New(NewProjectDialog::new(data, documents)));
    }

    /// Opens the export dialog on a chart of this frame.
    pub(super) fn ask_export(&mut self, ctx: &egui::Context, chart: &Arc<Chart>) {
        let place = self.shown.iter().find(|(_, shown)| Arc::ptr_eq(shown, chart)).map(|(place, _)| *place);
        let folder = self.session.as_ref().and_then(|session| session.file.parent()).unwrap_or(Path::new("."));
        let path = folder.join("charts").join(file_name(&chart.title));
        let dark = ctx.global_style().visuals.dark_mode;
        let chart = Arc::new(defined(Arc::unwrap_or_clone(screen::as_seen(ctx, chart))));
        let dialog = ExportDialog::new((place, chart), self.settings.export, dark, &path);
        self.dialog = Some(Dialog::Export(Box::new(dialog)));
    }

    /// Lets the export dialog have its chart as the window shows it now.
    pub(in crate::app) fn follow_exported_chart(&mut self, ctx: &egui::Context) {
        let (Some(Dialog::Export(dialog)), Some(session)) = (&mut self.dialog, &self.session) else { return };
        let now = self.shown.iter().find(|(place, _)| Some(*place) == dialog.place);
        let now = now.map(|(_, chart)| screen::as_seen(ctx, chart));
        dialog.follow(now.as_ref(), |chart| session.unfinished_in(chart));
    }

    pub(super) fn export(&mut self, ctx: &egui::Context, export: Export) {
        self.change_settings(ctx, |settings| settings.export = export.choices);
        self.spawn("export chart", move || {
            let folder = export.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let written = folder.map_or(Ok(()), files::create_folder);
            let chart = defined(Arc::unwrap_or_clone(export.chart));
            let written = written.and_then(|()| plot::export(&chart, &export.path, &export.style));
            Message::Exported(written.map(|()| export.path))
        });
    }

    /// Draws a chart for the clipboard.
    pub(super) fn draw_for_clipboard(&mut self, ctx: &egui::Context, export: Export) {
        self.change_settings(ctx, |settings| settings.export = export.choices);
        self.copy_image(export.chart, export.style);
    }

    /// Draws the chart on screen for the clipboard, as the last one was exported.
    pub(super) fn copy_shown_image(&mut self, ctx: &egui::Context) {
        let style = self.settings.export.style(ctx.global_style().visuals.dark_mode);
        if let Some(chart) = self.chart.clone() {
            self.copy_image(screen::as_seen(ctx, &chart), style);
        }
    }

    fn copy_image(&mut self, chart: Arc<Chart>, style: Style) {
        self.spawn("draw chart", move || {
            Message::ChartDrawn(plot::bitmap(&chart, &style).map_err(|problem| problem.to_string()))
        });
    }

    pub(super) fn chart_drawn(&mut self, ctx: &egui::Context, drawn: Result<Bitmap, String>) {
        self.notices.push(match drawn {
            Ok(Bitmap { size: [width, height], dots }) => {
                ctx.copy_image(egui::ColorImage::from_rgba_premultiplied([width as usize, height as usize], &dots));
                Notice::new(Weight::Done, "The picture is on the clipboard")
            }
            Err(problem) => Notice::new(Weight::Problem, "The chart cannot be drawn").details(sentence(&problem)),
        });
    }

    pub(super) fn preview(&mut self, of: PreviewOf) {
        self.spawn("preview chart", move || Message::Previewed(of.make()));
    }

    pub(super) fn previewed(&mut self, ctx: &egui::Context, made: Previewed) {
        if let Some(Dialog::Export(dialog)) = &mut self.dialog {
            dialog.previewed(ctx, made);
        }
    }

    pub(super) fn show_folder(&mut self, folder: PathBuf) {
        let dialogs = Arc::clone(&self.services.dialogs);
        self.spawn("show folder", move || match dialogs.show_folder(&folder) {
            Ok(()) => Message::Done,
            Err(error) => Message::Failed { doing: "The folder cannot be shown", error },
        });
    }

    pub(super) fn copy_data(&mut self, ctx: &egui::Context, chart: &Chart) {
        ctx.copy_text(table::csv(&defined(chart.clone())));
        self.notices.push(Notice::new(Weight::Done, "The chart's numbers are on the clipboard"));
    }

    pub(super) fn set_theme(&mut self, ctx: &egui::Context, theme: ThemeChoice) {
        self.change_settings(ctx, |settings| settings.theme = theme);
    }

    pub(super) fn set_zoom(&mut self, ctx: &egui::Context, zoom: f32) {
        self.change_settings(ctx, |settings| settings.zoom = zoom.clamp(*ZOOM.start(), *ZOOM.end()));
    }

    pub(super) fn change_settings(&mut self, ctx: &egui::Context, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.apply_settings(ctx);
        self.save_settings();
    }

    pub(in crate::app) fn save_settings(&mut self) {
        let Some(folder) = self.services.configuration_folder.clone() else { return };
        let settings = self.settings.clone();
        self.spawn("save settings", move || match settings.save(&folder) {
            Ok(()) => Message::Done,
            Err(error) => Message::Failed { doing: "The settings cannot be saved", error },
        });
    }
}

/// A chart's title as the name of a file: `NDCG@10 by stage` becomes `ndcg-10-by-stage`.
fn file_name(title: &str) -> String {
    let words = title.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}
