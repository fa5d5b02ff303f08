//! The users whom a method harms, by the gate that is about them.

use eframe::egui;
use egui::{Button, RichText, ScrollArea, Ui};

use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::panels::view::View;
use crate::app::panels::{Context, users};
use crate::app::queries::data::ProjectData;
use crate::app::theme;
use crate::app::widgets;
use crate::results::decision::{Decision, Gate, Harmed};

/// A gate of a method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) method: String,
    pub(super) gate: Gate,
}

/// Draws the list; whether the user closes it. A click on a user leads to what every method recommended there.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, decision: Option<&Decision>, listed: &Listed) -> bool {
    let mut closed = false;
    ui.horizontal(|ui| {
        widgets::section(ui, "Harmed users");
        let close = ui.button("Close");
        widgets::named(ui, &close, "Close the harmed users");
        closed = close.clicked();
    });
    let method = decision.and_then(|decision| decision.methods.iter().find(|method| method.name == listed.method));
    let harmed: Vec<&Harmed> =
        method.iter().flat_map(|method| &method.harmed).filter(|harmed| harmed.concerns(listed.gate)).collect();
    let what = match listed.gate {
        Gate::NegativeFlips => "the baseline hit, and it does not",
        _ => "do worse by it, the worst first",
    };
    widgets::remark(ui, format!("{}: {} {what}", listed.method, widgets::counted(harmed.len(), "test")));
    let query = ProjectData::of(context.session.project());
    let session = context.session;
    let data = session.queries.get(&query).ready();
    if data.is_none() {
        context.actions.push(Action::compute(&query));
    }
    let height = ui.text_style_height(&egui::TextStyle::Button) + 2.0 * ui.spacing().button_padding.y;
    ScrollArea::vertical().id_salt("harmed").auto_shrink(false).show_rows(ui, height, harmed.len(), |ui, rows| {
        for harmed in &harmed[rows] {
            let user = harmed.test.user;
            let known = data.and_then(|data| data.dataset.users.get(user as usize)).cloned();
            let name = known.unwrap_or_else(|| format!("User {user}"));
            let change = match listed.gate {
                Gate::NegativeFlips => format!("{:.0} % of seeds", 100.0 * harmed.flipped),
                _ => format!("{:+.3}", harmed.gain),
            };
            let right = format!("stage {}  {change}", harmed.test.stage);
            let right = RichText::new(right).small().color(theme::tokens(ui).muted);
            let button = Button::selectable(false, name.as_str()).right_text(right).truncate();
            let response = ui.add_sized([ui.available_width(), height], button);
            widgets::named(ui, &response, &format!("Harmed user {name}, stage {}", harmed.test.stage));
            if response.on_hover_text("What every method recommended to this user").clicked() {
                (context.selection.user, context.selection.stage) = (Some(user), Some(harmed.test.stage));
                context.actions.push(Action::Command(Command::Show(View::of(&users::VIEW))));
            }
        }
    });
    closed
}
