//! Messages to the user: short-lived toasts, and errors that stay until they are dismissed.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::{Align2, Area, Button, Frame, Id, Margin, RichText, Ui, Vec2};

use super::sentence;
use crate::app::action::Action;
use crate::app::theme::{self, space};
use crate::error::InputError;

/// Seconds that a toast stays.
const STAY: f64 = 6.0;
/// Messages on screen at once; older ones are still in the log.
const MOST: usize = 4;

/// How much a message weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Something is done; goes away by itself.
    Done,
    /// Why what was asked for is not possible now; goes away by itself.
    Hint,
    /// What was waited for has come; stays until dismissed, since the user may be elsewhere.
    Awaited,
    /// Something went wrong; stays until dismissed.
    Problem,
}

/// A button of a message, and what it does.
#[derive(Debug, Clone)]
struct Offer {
    text: &'static str,
    action: Action,
}

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) weight: Weight,
    /// What happened.
    pub(crate) text: String,
    /// What to do about it, or what the worker said.
    pub(crate) details: Option<String>,
    /// The file or folder concerned.
    pub(crate) path: Option<PathBuf>,
    /// What can be done now, on a button.
    offer: Option<Offer>,
    /// When it goes away, in seconds of the window's clock; set when it is first drawn.
    until: Option<f64>,
}

impl Notice {
    pub(crate) fn new(weight: Weight, text: impl Into<String>) -> Self {
        Self { weight, text: text.into(), details: None, path: None, offer: None, until: None }
    }

    #[must_use]
    pub(crate) fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into()).filter(|details: &String| !details.is_empty());
        self
    }

    #[must_use]
    pub(crate) fn path(mut self, path: impl AsRef<Path>) -> Self {
        self.path = Some(path.as_ref().to_path_buf());
        self
    }

    /// A button that does something about it.
    #[must_use]
    pub(crate) fn offer(mut self, text: &'static str, action: Action) -> Self {
        self.offer = Some(Offer { text, action });
        self
    }

    /// An error about an input, prefixed by what was attempted.
    pub(crate) fn error(doing: &str, error: &InputError) -> Self {
        let place = error.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
        Self::new(Weight::Problem, format!("{doing}: {}{place}", error.problem))
            .details(sentence(error.advice.as_deref().unwrap_or_default()))
            .path(&error.path)
    }
}

/// The messages on screen.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    shown: Vec<Notice>,
}

impl Notices {
    /// Shows a message; the same message twice is shown once.
    pub(crate) fn push(&mut self, notice: Notice) {
        self.shown.retain(|shown| (&shown.text, &shown.path) != (&notice.text, &notice.path));
        self.shown.push(notice);
        if self.shown.len() > MOST {
            self.shown.remove(0);
        }
    }

    /// Draws the messages in the lower right corner, the newest below; gives what a button of theirs asks for.
    pub(crate) fn ui(&mut self, ui: &Ui) -> Option<Action> {
        let now = ui.input(|input| input.time);
        for notice in self.shown.iter_mut().filter(|notice| matches!(notice.weight, Weight::Done | Weight::Hint)) {
            notice.until.get_or_insert(now + STAY);
        }
        self.shown.retain(|notice| notice.until.is_none_or(|until| now < until));
        if let Some(first) = self.shown.iter().filter_map(|notice| notice.until).reduce(f64::min) {
            ui.ctx().request_repaint_after_secs((first - now).max(0.0) as f32);
        }
        if self.shown.is_empty() {
            return None;
        }
        let (mut dismissed, mut action) = (None, None);
        Area::new(Id::unique("notices"))
            .order(egui::Order::Foreground)
            .anchor(Align2::RIGHT_BOTTOM, Vec2::new(-space::L, -space::XXL))
            .show(ui.ctx(), |ui| {
                ui.set_width(440.0);
                for (place, notice) in self.shown.iter().enumerate() {
                    let Answer { done, asked } = notice_ui(ui, notice);
                    if done {
                        dismissed = Some(place);
                    }
                    action = asked.or(action.take());
                }
            });
        if let Some(place) = dismissed {
            self.shown.remove(place);
        }
        action
    }
}

/// What the user did with a message.
#[derive(Default)]
struct Answer {
    /// Whether it goes away.
    done: bool,
    asked: Option<Action>,
}

fn notice_ui(ui: &mut Ui, notice: &Notice) -> Answer {
    let tokens = theme::tokens(ui);
    let (icon, colour) = match notice.weight {
        Weight::Done | Weight::Awaited => ("✓", tokens.success),
        Weight::Hint => ("•", tokens.muted),
        Weight::Problem => ("⚠", tokens.error),
    };
    Frame::popup(ui.style())
        .fill(tokens.surface)
        .stroke((1.0, colour))
        .inner_margin(Margin::symmetric(14, 10))
        .show(ui, |ui| {
            let mut answer = Answer::default();
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(icon).color(colour));
                ui.vertical(|ui| {
                    ui.set_width(350.0);
                    ui.label(RichText::new(&notice.text).family(theme::semi_bold()));
                    if let Some(details) = &notice.details {
                        ui.label(RichText::new(details).color(tokens.muted));
                    }
                    if let Some(path) = &notice.path {
                        ui.label(RichText::new(path.display().to_string()).small().color(tokens.muted));
                    }
                    if let Some(offer) = &notice.offer
                        && ui.button(offer.text).clicked()
                    {
                        answer = Answer { done: true, asked: Some(offer.action.clone()) };
                    }
                });
                ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
                    let button = ui.add(Button::new("×").frame(false)).on_hover_text("Dismiss");
                    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Dismiss"));
                    answer.done |= button.clicked();
                });
            });
            answer
        })
        .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unusable_file_says_what_where_and_what_to_do() {
        let error =
            InputError::new("/p/project.ron", "unknown field \"lamda\"").at("line 3").advice("did you mean lambda?");
        let notice = Notice::error("The project cannot be opened", &error);
        assert_eq!(notice.text, "The project cannot be opened: unknown field \"lamda\" at line 3");
        assert_eq!(notice.details.as_deref(), Some("Did you mean lambda?"));
        assert_eq!(notice.path.as_deref(), Some(Path::new("/p/project.ron")));
    }

    #[test]
    fn the_same_message_is_shown_once_and_old_ones_make_room() {
        let mut notices = Notices::default();
        for text in ["a", "b", "a", "c", "d", "e"] {
            notices.push(Notice::new(Weight::Problem, text));
        }
        let texts: Vec<&str> = notices.shown.iter().map(|notice| notice.text.as_str()).collect();
        assert_eq!(texts, ["a", "c", "d", "e"]);
    }
}
