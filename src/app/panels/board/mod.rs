//! The board: figures that were chosen to be shown, in the order of the telling, each with its chart as it is now and the words
//! beside it.

mod card;
mod order;

use eframe::egui;
use egui::{Button, KeyboardShortcut, Modifiers, ScrollArea, Ui};

use self::card::Card;
use self::order::Order;
use super::view::{Home, ViewSpec};
use super::{Context, Panel, spotlight};
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::dialogs::chart_file::Format;
use crate::app::slides::{self, Slides};
use crate::app::theme::space;
use crate::app::widgets;
use crate::project::edits::board::with_moved;
use crate::project::edits::change::Place;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Board",
    title: "Board",
    command: "Show the board",
    tooltip: "Figures to be shown to others, with what is told of them",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND.plus(Modifiers::SHIFT), egui::Key::B)),
    home: Home::Charts,
};

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct BoardPanel {
    slides: Slides,
    order: Order,
}

/// What the board can be written as.
const FORMATS: [Format; 4] = [Format::Png, Format::Svg, Format::Pdf, Format::Csv];

impl Panel for BoardPanel {
    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        let session = context.session;
        let board = &session.project().board;
        if board.is_empty() {
            let keys = Command::PinChart.shortcut().map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
            let advice = format!(
                "Press Pin beside a chart, a table or a user's lists ({keys} pins the chart on screen). Here the figures are put in \
                 order and words, follow their runs, and are presented full screen or written as files"
            );
            widgets::empty_state(ui, "Nothing is pinned yet", &advice);
            return;
        }
        bar(ui, context, board.len());
        ui.add_space(space::XS);
        ScrollArea::vertical().id_salt("board").auto_shrink(false).show(ui, |ui| {
            self.order.begin();
            let queries = self.slides.queries(session);
            for (place, (pinned, query)) in board.iter().zip(queries.iter()).enumerate() {
                let drawn = slides::drawn(session, query, context.actions);
                let card = Card { place, count: board.len(), pinned, query, drawn };
                let at = spotlight::at(ui, session, &Place::Board(place), |ui| card.ui(ui, context, &mut self.order));
                self.order.laid_out(at);
                ui.add_space(space::S);
            }
            if let Some((from, to)) = self.order.ui(ui) {
                let project = Box::new(with_moved(session.project(), from, to));
                context.actions.push(Action::Edit { project, key: None });
            }
        });
    }
}

/// What can be done with the board as a whole.
fn bar(ui: &mut Ui, context: &mut Context<'_>, figures: usize) {
    ui.horizontal_wrapped(|ui| {
        let present = widgets::primary_button(ui, "Present");
        let keys = Command::Present.shortcut().map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
        if present.on_hover_text(format!("{} ({keys})", Command::Present.tooltip())).clicked() {
            context.actions.push(Action::Present(None));
        }
        ui.menu_button("Export all…", |ui| {
            for format in FORMATS {
                if ui.add(Button::new(format.text())).clicked() {
                    context.actions.push(Action::ExportBoard(format));
                }
            }
        })
        .response
        .on_hover_text("Write every figure of the board into a folder, numbered in this order");
        widgets::remark(ui, widgets::counted(figures, "figure"));
    });
}
