//! The board shown to a room: full screen, a figure a slide, led by keys alone.

mod keys;
mod notes;
mod slide;
mod speaker;

use eframe::egui;
use egui::{CentralPanel, CursorIcon, Frame, Id, LayerId, Order, Theme, Ui};

use self::keys::Key;
use self::slide::Slide;
use self::speaker::Speaker;
use super::action::Action;
use super::session::Session;
use super::slides::{self, Drawn, Slides};
use super::theme;
use crate::plot::Chart;
use crate::project::board::PinnedFigure;

/// State of the presentation.
#[derive(Debug)]
pub(crate) struct Presentation {
    at: Place,
    dark: bool,
    /// What is shown beside the slide.
    notes: bool,
    help: bool,
    /// Notes have a window of their own.
    speaker: bool,
    /// Instead of it.
    black: bool,
    /// A large dot follows the mouse.
    pointer: bool,
    /// When the timer began, in seconds of the window's clock.
    since: f64,
    /// Whether the window was so before.
    was_full_screen: bool,
    slides: Slides,
}

/// A slide by what it shows, which stays the same while others come and go before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Place {
    /// Place on the board; the title where there is none.
    figure: Option<usize>,
    /// Among the figure's charts.
    chart: usize,
}

/// A figure of the board with its charts as they are now.
struct Shown<'s> {
    pinned: &'s PinnedFigure,
    drawn: Drawn<'s>,
}

impl Shown<'_> {
    /// Slides that it takes: one a chart, and one to say that there is none.
    fn slides(&self) -> usize {
        match self.drawn {
            Drawn::Charts(charts) => charts.len().max(1),
            Drawn::Pending | Drawn::Failed(_) => 1,
        }
    }
}

/// Size of a slide that text is set for, in points; on larger ones it grows.
const DESIGNED: [f32; 2] = [1280.0, 720.0];

impl Presentation {
    /// Begins at a figure of the board, or at its title.
    pub(crate) fn new(ctx: &egui::Context, from: Option<usize>) -> Self {
        let dark = ctx.global_style().visuals.dark_mode;
        let (since, was_full_screen) = ctx.input(|input| (input.time, input.viewport().fullscreen.unwrap_or(false)));
        Self {
            at: Place { figure: from, chart: 0 },
            dark,
            notes: false,
            help: false,
            speaker: false,
            black: false,
            pointer: false,
            since,
            was_full_screen,
            slides: Slides::default(),
        }
    }

    /// Whether the window had the whole screen before.
    pub(crate) const fn was_full_screen(&self) -> bool {
        self.was_full_screen
    }

    /// Draws a frame; whether it goes on.
    pub(crate) fn ui(&mut self, ui: &mut Ui, session: &Session, actions: &mut Vec<Action>) -> bool {
        let mut shown = Vec::new();
        let queries = self.slides.queries(session);
        for (pinned, query) in session.project().board.iter().zip(queries.iter()) {
            shown.push(Shown { pinned, drawn: slides::drawn(session, query, actions) });
        }
        let places = places(&shown);
        let mut now = self.place_among(&places);
        let mut pressed = keys::pressed(ui.ctx());
        if self.speaker {
            let said = self.speak(ui, session, &shown, &places, now);
            pressed.extend(said.keys);
            self.speaker = !said.closed;
        }
        for key in pressed {
            match key {
                Key::Leave => return false,
                key => self.press(ui, key, &mut now, places.len()),
            }
        }
        self.at = places[now];
        ui.ctx().set_theme(if self.dark { Theme::Dark } else { Theme::Light });
        let scale = (ui.available_width() / DESIGNED[0]).min(ui.available_height() / DESIGNED[1]).max(0.6);
        if self.notes && !self.black {
            notes::ui(ui, &self.told(ui, session, &shown, &places, now), scale);
        }
        if self.notes || self.speaker {
            // The timer goes on by itself.
            ui.ctx().request_repaint_after_secs(0.5);
        }
        let ground = if self.black { theme::of(Theme::Dark).background } else { theme::tokens(ui).surface };
        let mut turned = None;
        CentralPanel::default().frame(Frame::new().fill(ground)).show(ui, |ui| {
            if self.black {
                return;
            }
            ui.visuals_mut().panel_fill = ground;
            let slide = Slide { session, number: now + 1, count: places.len(), scale };
            turned = match self.at.figure {
                None => slide.title(ui),
                Some(figure) => slide.figure(ui, &shown[figure], self.at.chart),
            };
        });
        if let Some(key) = turned {
            self.press(ui, key, &mut now, places.len());
            self.at = places[now];
            ui.ctx().request_repaint();
        }
        if self.help {
            keys::help(ui, scale);
        }
        if self.pointer && !self.black {
            pointer(ui, scale);
        }
        true
    }

    /// What the speaker is told of a slide.
    fn told<'s>(
        &self,
        ui: &Ui,
        session: &'s Session,
        shown: &'s [Shown<'_>],
        places: &[Place],
        now: usize,
    ) -> notes::Notes<'s> {
        let told = places[now].figure.map(|figure| shown[figure].pinned.note.as_str());
        notes::Notes {
            told: told.unwrap_or(&session.project().notes),
            next: places.get(now + 1).map(|place| heading(session, shown, *place)),
            elapsed: ui.input(|input| input.time) - self.since,
        }
    }

    /// Shows the speaker's window.
    fn speak(&self, ui: &Ui, session: &Session, shown: &[Shown<'_>], places: &[Place], now: usize) -> speaker::Said {
        let next = places.get(now + 1);
        let speaker = Speaker {
            project: &session.project().name,
            heading: &heading(session, shown, places[now]),
            place: format!("Slide {} of {}", now + 1, places.len()),
            notes: self.told(ui, session, shown, places, now),
            next: next.and_then(|next| shown[next.figure?].chart(next.chart)),
        };
        speaker.show(ui.ctx())
    }

    /// Which of the slides is shown: the place of before, or the last one of its figure.
    fn place_among(&self, places: &[Place]) -> usize {
        let same = places.iter().position(|place| *place == self.at);
        let of_figure = || places.iter().rposition(|place| place.figure <= self.at.figure);
        same.or_else(of_figure).unwrap_or(0)
    }

    fn press(&mut self, ui: &Ui, key: Key, now: &mut usize, count: usize) {
        match key {
            Key::Next if self.black => self.black = false,
            Key::Next => *now = (*now + 1).min(count - 1),
            Key::Previous => *now = now.saturating_sub(1),
            Key::First => *now = 0,
            Key::Last => *now = count - 1,
            Key::Notes => self.notes = !self.notes,
            Key::Speaker => self.speaker = !self.speaker,
            Key::Pointer => self.pointer = !self.pointer,
            Key::Theme => self.dark = !self.dark,
            Key::Timer => self.since = ui.input(|input| input.time),
            Key::Black => self.black = !self.black,
            Key::Help => self.help = !self.help,
            Key::Leave => {}
        }
    }
}

/// All slides: the title, then every chart.
fn places(shown: &[Shown<'_>]) -> Vec<Place> {
    let of = |(figure, shown): (usize, &Shown<'_>)| {
        (0..shown.slides()).map(move |chart| Place { figure: Some(figure), chart })
    };
    std::iter::once(Place::default()).chain(shown.iter().enumerate().flat_map(of)).collect()
}

/// What a slide is called.
fn heading(session: &Session, shown: &[Shown<'_>], place: Place) -> String {
    let Some(figure) = place.figure else { return session.project().name.clone() };
    shown[figure].heading(place.chart)
}

impl Shown<'_> {
    /// What the slide of one of its charts is called.
    fn heading(&self, chart: usize) -> String {
        match (&self.pinned.title, self.drawn) {
            (None, Drawn::Charts(charts)) if charts.len() > 1 => charts[chart.min(charts.len() - 1)].title.clone(),
            (_, Drawn::Charts(charts)) => slides::title(self.pinned, charts),
            _ => slides::title(self.pinned, &[]),
        }
    }

    /// One of its charts.
    fn chart(&self, chart: usize) -> Option<&Chart> {
        let Drawn::Charts(charts) = self.drawn else { return None };
        charts.get(chart).map(|chart| &**chart)
    }
}

/// A large dot in the place of the mouse.
fn pointer(ui: &Ui, scale: f32) {
    if let Some(at) = ui.input(|input| input.pointer.latest_pos()) {
        ui.ctx().set_cursor_icon(CursorIcon::None);
        let colour = theme::tokens(ui).error;
        let painter = ui.ctx().layer_painter(LayerId::new(Order::Foreground, Id::unique("presentation pointer")));
        painter.circle_filled(at, 16.0 * scale, colour.gamma_multiply(0.35));
        painter.circle_filled(at, 7.0 * scale, colour);
    }
}
