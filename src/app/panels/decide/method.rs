//! What was decided on one method, gate by gate.

use eframe::egui;
use egui::{CollapsingHeader, Color32, Grid, RichText, Ui};

use super::harmed::Listed;
use super::interval;
use crate::app::theme::{self, Tokens, space};
use crate::app::widgets;
use crate::results::decision::{ArrangedGates, Gate, GateResult, MethodDecision, Outcome, State};

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
        let ArrangedGates { shown, other_slices: rest } = method.arranged();
        let id = ("gates of", method.name.as_str());
        wanted = grid(ui, id, method, &shown, listed);
        if !rest.is_empty() {
            let count = |state| rest.iter().filter(|gate| gate.state == state).count();
            let parts = [State::Failed, State::Open, State::Passed].map(|state| (count(state), state));
            let parts =
                parts.iter().filter(|(number, _)| *number > 0).map(|(number, state)| format!("{number} {state}"));
            let title = format!(
                "The other {}: {}",
                widgets::counted(rest.len(), "slice"),
                parts.collect::<Vec<_>>().join(", ")
            );
            let others = CollapsingHeader::new(RichText::new(title).small()).id_salt(("slices of", &method.name));
            others.show_unindented(ui, |ui| {
                wanted = wanted.or(grid(ui, ("other gates of", method.name.as_str()), method, &rest, listed));
            });
        }
    });
    wanted
}

/// Width from which the interval stands in numbers too.
const WIDE: f32 = 620.0;

/// Gates as rows; the one whose harmed users are asked for.
fn grid(
    ui: &mut Ui,
    id: (&str, &str),
    method: &MethodDecision,
    gates: &[&GateResult],
    listed: Option<&Listed>,
) -> Option<Gate> {
    let tokens = theme::tokens(ui);
    let wide = ui.available_width() >= WIDE;
    let mut wanted = None;
    Grid::new(id).num_columns(6).spacing([space::M, space::XS]).min_col_width(64.0).show(ui, |ui| {
        let numbers = if wide { "95 % or more" } else { "" };
        for heading in ["Gate", "Value", "Interval and bound", numbers, "Must be", "State"] {
            ui.label(RichText::new(heading).small().color(tokens.muted));
        }
        ui.end_row();
        for gate in gates {
            if row(ui, method, gate, wide, listed) {
                wanted = Some(gate.gate);
            }
            ui.end_row();
        }
    });
    wanted
}

/// One gate; whether its harmed users are asked for.
fn row(ui: &mut Ui, method: &MethodDecision, gate: &GateResult, wide: bool, listed: Option<&Listed>) -> bool {
    let tokens = theme::tokens(ui);
    let (mark, colour) = state_look(gate.state, tokens);
    let harmed = method.harmed.iter().filter(|harmed| harmed.concerns(gate.gate)).count();
    let mut clicked = false;
    ui.horizontal(|ui| {
        ui.label(RichText::new(mark).color(colour));
        let name = widgets::sentence(&gate.gate.to_string());
        if harmed > 0 {
            let on = listed.is_some_and(|listed| listed.method == method.name && listed.gate == gate.gate);
            let name = RichText::new(name);
            let link = ui.link(if on { name.family(theme::semi_bold()) } else { name });
            let words = format!("{} the worse for {}: list them", widgets::counted(harmed, "test"), method.name);
            widgets::named(ui, &link, &format!("{} of {}", gate.gate, method.name));
            clicked = link.on_hover_text(words).clicked();
        } else {
            ui.label(name);
        }
    });
    ui.label(gate.value_words());
    interval::ui(ui, gate, colour);
    let numbers = if wide { gate.interval_words() } else { String::new() };
    ui.label(RichText::new(numbers).small().color(tokens.muted));
    ui.label(gate.bound_words());
    let needs = gate.more.map_or_else(String::new, |more| format!(", needs {more}"));
    let state = ui.label(RichText::new(format!("{}{needs}", widgets::sentence(&gate.state.to_string()))).color(colour));
    state.on_hover_text(widgets::sentence(&gate.state_words()));
    clicked
}
