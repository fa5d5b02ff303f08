//! What was decided on one method, gate by gate.

use eframe::egui;
use egui::{Color32, Grid, RichText, Ui};

use super::harmed::Listed;
use super::interval;
use crate::app::theme::{self, Tokens, space};
use crate::app::widgets;
use crate::results::decision::{Gate, GateResult, MethodDecision, Outcome, State};

/// A mark and a colour, so that colour is not all that says it.
fn look(outcome: &Outcome, tokens: &Tokens) -> (&'static str, Color32) {
    match outcome {
        Outcome::Ship => ("✓", tokens.success),
        Outcome::Hold => ("×", tokens.error),
        Outcome::NeedsMore(_) => ("?", tokens.warning),
        Outcome::NotCompared(_) => ("–", tokens.muted),
    }
}

pub(super) fn state_look(state: State, tokens: &Tokens) -> (&'static str, Color32) {
    match state {
        State::Passed => ("✓", tokens.success),
        State::Failed => ("×", tokens.error),
        State::Open => ("?", tokens.warning),
    }
}

/// Draws the card; the gate whose harmed users the user wants to see.
pub(super) fn ui(ui: &mut Ui, method: &MethodDecision, listed: Option<&Listed>) -> Option<Gate> {
    let tokens = theme::tokens(ui);
    let mut wanted = None;
    widgets::card(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            let (mark, colour) = look(&method.outcome, tokens);
            ui.label(RichText::new(&method.name).family(theme::semi_bold()));
            widgets::pill(ui, &format!("{mark} {}", method.outcome), colour);
            if method.counted {
                widgets::remark(ui, "Only counts");
            }
        });
        ui.label(&method.sentence);
        if method.gates.is_empty() {
            return;
        }
        ui.add_space(space::XS);
        // On top what decides: the gates that failed, then those that are open.
        let mut gates: Vec<&GateResult> = method.gates.iter().collect();
        gates.sort_by_key(|gate| match gate.state {
            State::Failed => 0,
            State::Open => 1,
            State::Passed => 2,
        });
        Grid::new(("gates of", &method.name)).num_columns(6).spacing([space::M, space::XS]).show(ui, |ui| {
            for heading in ["Gate", "Value", "Interval", "", "Must be", "State"] {
                ui.label(RichText::new(heading).small().color(tokens.muted));
            }
            ui.end_row();
            for gate in gates {
                if row(ui, method, gate, listed) {
                    wanted = Some(gate.gate);
                }
                ui.end_row();
            }
        });
    });
    wanted
}

/// One gate; whether its harmed users are asked for.
fn row(ui: &mut Ui, method: &MethodDecision, gate: &GateResult, listed: Option<&Listed>) -> bool {
    let tokens = theme::tokens(ui);
    let (mark, colour) = state_look(gate.state, tokens);
    let harmed = method.harmed.iter().filter(|harmed| harmed.concerns(gate.gate)).count();
    let mut clicked = false;
    ui.horizontal(|ui| {
        ui.label(RichText::new(mark).color(colour));
        let name = widgets::sentence(&gate.gate.to_string());
        if harmed > 0 {
            let on = listed.is_some_and(|listed| listed.method == method.name && listed.gate == gate.gate);
            let button = ui.selectable_label(on, name);
            let words = format!("{} of {}: list whom it harms", harmed_words(harmed), method.name);
            widgets::named(ui, &button, &format!("{} of {}", gate.gate, method.name));
            clicked = button.on_hover_text(words).clicked();
        } else {
            ui.label(name);
        }
    });
    ui.label(gate.value_words());
    interval::ui(ui, gate, colour);
    ui.label(RichText::new(gate.interval_words()).small().color(tokens.muted));
    ui.label(gate.bound_words());
    ui.add(egui::Label::new(RichText::new(widgets::sentence(&gate.state_words())).color(colour)).wrap());
    clicked
}

fn harmed_words(number: usize) -> String {
    format!("{} the worse for it", widgets::counted(number, "test"))
}
