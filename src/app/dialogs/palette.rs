//! The command palette: any command by a part of its name.

use eframe::egui;
use egui::{Align2, Area, Frame, Id, Key, Modifiers, Order, RichText, ScrollArea, TextEdit, Ui, Vec2};

use crate::app::command;
use crate::app::command::{Command, Situation};
use crate::app::theme;
use crate::app::theme::space;
use crate::app::widgets;

/// State of the open palette.
#[derive(Debug, Default)]
pub(crate) struct Palette {
    query: String,
    /// Place of the highlighted command among those that fit.
    chosen: usize,
}

/// What became of the palette in this frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Open,
    Closed,
    Chosen(Command),
}

impl Palette {
    /// Draws the palette.
    pub(crate) fn ui(&mut self, ui: &Ui, now: &Situation) -> Outcome {
        let fitting = self.fitting(now);
        let (up, down, enter, escape) = ui.input_mut(|input| {
            (
                input.consume_key(Modifiers::NONE, Key::ArrowUp),
                input.consume_key(Modifiers::NONE, Key::ArrowDown),
                input.consume_key(Modifiers::NONE, Key::Enter),
                input.consume_key(Modifiers::NONE, Key::Escape),
            )
        });
        let last = fitting.len().saturating_sub(1);
        self.chosen = if down { self.chosen + 1 } else { self.chosen.saturating_sub(usize::from(up)) }.min(last);
        if escape {
            return Outcome::Closed;
        }
        if enter
            && let Some(&command) = fitting.get(self.chosen)
            && command.obstacle(now).is_none()
        {
            return Outcome::Chosen(command);
        }
        let tokens = theme::tokens(ui);
        let modal = egui::Modal::new(Id::unique("command palette"))
            .backdrop_color(tokens.scrim)
            .area(palette_area())
            .frame(Frame::popup(ui.style()).fill(tokens.surface).inner_margin(space::M))
            .show(ui.ctx(), |ui| {
                ui.set_width(560.0);
                self.search_field(ui);
                ui.add_space(space::XS);
                self.list(ui, &fitting, now, up || down)
            });
        match modal.inner {
            Some(command) => Outcome::Chosen(command),
            None if modal.backdrop_response.clicked() => Outcome::Closed,
            None => Outcome::Open,
        }
    }

    /// The commands that fit what was typed, best first; possible ones before impossible ones.
    fn fitting(&self, now: &Situation) -> Vec<Command> {
        let mut scored: Vec<(bool, i32, Command)> = Command::all()
            .filter(|command| *command != Command::Palette)
            .filter_map(|command| {
                let score = command::fuzzy_score(&self.query, command.text())?;
                Some((command.obstacle(now).is_some(), if self.query.is_empty() { 0 } else { score }, command))
            })
            .collect();
        scored.sort_by_key(|&(impossible, score, _)| (impossible, std::cmp::Reverse(score)));
        scored.into_iter().map(|(_, _, command)| command).collect()
    }

    fn search_field(&mut self, ui: &mut Ui) {
        let field = TextEdit::singleline(&mut self.query)
            .hint_text("Type a command")
            .desired_width(f32::INFINITY)
            .font(theme::section())
            .margin(egui::Margin::symmetric(10, 8));
        let response = ui.add(field);
        widgets::named(ui, &response, "Type a command");
        if response.changed() {
            self.chosen = 0;
        }
        response.request_focus();
    }

    fn list(&self, ui: &mut Ui, fitting: &[Command], now: &Situation, moved: bool) -> Option<Command> {
        if fitting.is_empty() {
            ui.add_space(space::S);
            ui.weak("No command has these letters in its name");
            ui.add_space(space::S);
        }
        let mut clicked = None;
        ScrollArea::vertical().max_height(380.0).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 1.0;
            for (index, &command) in fitting.iter().enumerate() {
                let chosen = index == self.chosen;
                let response = entry(ui, command, chosen, now);
                if chosen && moved {
                    response.scroll_to_me(None);
                }
                if response.clicked() {
                    clicked = Some(command);
                }
            }
        });
        clicked
    }
}

fn palette_area() -> Area {
    Area::new(Id::unique("command palette"))
        .kind(egui::UiKind::Modal)
        .sense(egui::Sense::hover())
        .anchor(Align2::CENTER_TOP, Vec2::new(0.0, 96.0))
        .order(Order::Foreground)
        .interactable(true)
}

fn entry(ui: &mut Ui, command: Command, chosen: bool, now: &Situation) -> egui::Response {
    let tokens = theme::tokens(ui);
    let obstacle = command.obstacle(now);
    let keys = command.shortcut().map(|shortcut| ui.ctx().format_shortcut(&shortcut)).unwrap_or_default();
    let note = obstacle.map_or(keys, str::to_owned);
    let button = egui::Button::selectable(chosen, command.text())
        .right_text(RichText::new(note).small().color(tokens.muted))
        .min_size(Vec2::new(ui.available_width(), 30.0));
    ui.add_enabled(obstacle.is_none(), button).on_hover_text(command.tooltip())
}
