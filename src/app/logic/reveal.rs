//! Leading the user to a place of the project, on request or after an undo.

use eframe::egui;

use super::super::dock;
use super::super::session::Spotlight;
use super::super::workbench::Workbench;
use crate::app::panels::view::View;
use crate::app::panels::{PanelEvent, board, data, experiments, model};
use crate::app::window::SPOTLIGHT_WORDS;
use crate::project::edits::change::Place;

/// The view in which a place is edited.
fn view_of(place: &Place) -> View {
    match place {
        Place::Experiment(_)
        | Place::MethodOption { .. }
        | Place::Setting(_)
        | Place::CutOffs
        | Place::Seeds
        | Place::Project => View::of(&experiments::VIEW),
        Place::Data | Place::Preparation | Place::Stages | Place::SemanticIds => View::of(&data::VIEW),
        Place::Board(_) => View::of(&board::VIEW),
        Place::BaseModel | Place::Prompt | Place::Start => View::of(&model::VIEW),
    }
}

/// Which way a step of the history goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    Undo,
    Redo,
}

impl Workbench {
    /// Brings a place into view; the status says `words` meanwhile.
    pub(super) fn reveal(&mut self, ctx: &egui::Context, place: Place, words: Option<String>) {
        let Some(session) = &mut self.session else { return };
        dock::show(&mut session.layout, view_of(&place));
        self.panels.receive(&PanelEvent::Reveal(place.clone()));
        let since = ctx.input(|input| input.time);
        session.spotlight = Some(Spotlight { place, words, since });
        ctx.request_repaint();
        // The status goes back to what happens.
        ctx.request_repaint_after_secs(SPOTLIGHT_WORDS as f32);
    }

    /// Takes an edit back or makes it again, and shows where it was.
    pub(super) fn travel(&mut self, ctx: &egui::Context, direction: Direction) {
        let Some(session) = &mut self.session else { return };
        let (change, done) = match direction {
            Direction::Undo => (session.undo.take(), "Undone"),
            Direction::Redo => (session.redo.take(), "Redone"),
        };
        match direction {
            Direction::Undo => session.history.undo(),
            Direction::Redo => session.history.redo(),
        }
        session.arrange_rows();
        if let Some(change) = change {
            let words = format!("{done}: {}", change.words);
            self.reveal(ctx, change.place, Some(words));
        }
    }
}
