//! The board: charts are pinned to it, and its figures are written as files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui;

use crate::app::action::Action;
use crate::app::board_export::{BoardExport, Exported};
use crate::app::dialogs::chart_file::Format;
use crate::app::message::Message;
use crate::app::widgets::{Notice, Weight, counted, sentence};
use crate::app::workbench::Workbench;
use crate::error::InputError;
use crate::figures::board::seen;
use crate::plot::{Body, Chart, screen};
use crate::project::board::PinnedFigure;
use crate::project::edits::board::with_pinned;
use crate::project::edits::change::Place;

impl Workbench {
    /// Puts a chart on the board: `figure` makes it anew, without the lines that are hidden on the screen.
    pub(super) fn pin(&mut self, ctx: &egui::Context, chart: &Arc<Chart>, mut figure: PinnedFigure) {
        let Some(session) = &self.session else { return };
        let shown = screen::as_seen(ctx, chart);
        figure
            .options
            .hidden
            .extend(series(chart).filter(|name| series(&shown).all(|shown| shown != *name)).map(str::to_owned));
        figure.seen = seen(&figure, session.results(figure.protocol));
        let project = with_pinned(session.project(), figure);
        let (figures, place) = (counted(project.board.len(), "figure"), project.board.len() - 1);
        self.edit(project, None);
        let notice = Notice::new(Weight::Done, format!("Pinned; the board has {figures}"));
        self.notices.push(notice.offer("Open board", Action::Reveal(Place::Board(place))));
    }

    /// Where the figures of the board are suggested to be written.
    pub(super) fn board_folder(&self) -> PathBuf {
        let folder = self.session.as_ref().and_then(|session| session.file.parent()).unwrap_or(Path::new("."));
        folder.join("charts").join("board")
    }

    /// Writes the figures of the board into a folder, numbered in their order.
    pub(super) fn export_board(&mut self, ctx: &egui::Context, folder: &Path, format: Format) {
        let Some(session) = &self.session else { return };
        let export = BoardExport {
            project: session.project().clone(),
            folder: folder.to_path_buf(),
            format,
            choices: self.settings.export,
            dark: ctx.global_style().visuals.dark_mode,
        };
        self.spawn("export board", move || Message::BoardExported(export.write()));
    }

    pub(super) fn board_exported(&mut self, result: Result<Exported, InputError>) {
        let Exported { folder, written, failed } = match result {
            Ok(exported) => exported,
            Err(error) => return self.give_back("The board cannot be written", error),
        };
        self.asked = None;
        let notice = Notice::new(Weight::Done, format!("{} of the board written", counted(written, "file")));
        self.notices.push(notice.path(folder.clone()).offer("Open folder", Action::ShowFolder(folder)));
        for (name, error) in failed {
            self.notices.push(Notice::error("A figure of the board is left out", &error).details(sentence(&name)));
        }
    }
}

/// The names of a chart's lines.
fn series(chart: &Chart) -> impl Iterator<Item = &str> {
    let lines = match &chart.body {
        Body::Lines(lines) | Body::Dots(lines) => lines.series.as_slice(),
        _ => &[],
    };
    lines.iter().map(|series| series.name.as_str())
}
