//! Stages one after the other: a button that plays them, and a slider.

use std::time::Duration;

use eframe::egui;
use egui::{Slider, Ui};

/// Which stage is shown, and when the next one comes.
#[derive(Debug, Default)]
pub(super) struct Player {
    /// The stage's number among those there are, from 1; 0 shows all at once.
    at: usize,
    /// While it plays: when the next stage comes, in seconds of the window's clock.
    next: Option<f64>,
    /// Whether the stage that is shown was come to by playing.
    played: bool,
}

/// Seconds that each stage is shown, the way to it included.
const SHOWN: f64 = 1.4;

impl Player {
    /// The place of the stage that is shown alone; none where all are.
    pub(super) fn stage(&self, stages: &[usize]) -> Option<usize> {
        self.at.min(stages.len()).checked_sub(1)
    }

    /// Whether the stage that is shown was come to by playing, the last one too.
    pub(super) const fn played(&self) -> bool {
        self.played
    }

    pub(super) fn ui(&mut self, ui: &mut Ui, stages: &[usize]) {
        self.at = self.at.min(stages.len());
        self.advance(ui, stages.len());
        let text = if self.next.is_some() { "Pause" } else { "Play" };
        let play = ui.add_enabled(stages.len() > 1, egui::Button::new(text));
        if play.on_hover_text("Turn the arrows from stage to stage").clicked() {
            self.next = match self.next {
                Some(_) => None,
                None => {
                    // From the beginning, where the end was reached or all were shown.
                    self.at = if self.at == stages.len() { 1 } else { self.at.max(1) };
                    Some(ui.input(|input| input.time) + SHOWN)
                }
            };
            self.played = self.next.is_some();
        }
        let words = |number: f64| match (number.round() as usize).checked_sub(1).and_then(|index| stages.get(index)) {
            Some(stage) => stage.to_string(),
            None => "all".to_owned(),
        };
        let named = |text: &str| {
            let stage = text.trim().parse::<usize>().ok();
            Some(stage.and_then(|stage| stages.iter().position(|known| *known == stage)).map_or(0, |index| index + 1)
                as f64)
        };
        let slider = Slider::new(&mut self.at, 0..=stages.len()).text("Stage shown");
        let slider = ui.add(slider.custom_formatter(|number, _| words(number)).custom_parser(named));
        if slider.on_hover_text("One stage alone, with the way that led to it; at the left end all at once").changed() {
            (self.next, self.played) = (None, false);
        }
    }

    fn advance(&mut self, ui: &Ui, stages: usize) {
        let Some(next) = self.next else { return };
        let now = ui.input(|input| input.time);
        if now < next {
            ui.request_repaint_after(Duration::from_secs_f64(next - now));
            return;
        }
        self.at += 1;
        self.next = (self.at < stages).then_some(now + SHOWN);
        self.at = self.at.min(stages);
        ui.request_repaint();
    }
}
