//! Asking what becomes of edits that an earlier window did not save.

use eframe::egui;
use egui::{Button, Ui};

use super::dialog::{DialogAction, DialogContents, OnEscape};
use crate::app::theme::space;
use crate::app::widgets;
use crate::calendar;
use crate::project::Project;

/// The dialog, with the project as it was edited.
#[derive(Debug)]
pub(crate) struct RestoreDialog {
    project: Box<Project>,
    /// When the edits were copied: `14:03 UTC`.
    time: String,
    /// How long ago that is.
    ago: String,
}

impl RestoreDialog {
    /// Edits that were copied at a time and are found at another, in seconds since 1970.
    pub(crate) fn new(project: Project, copied: u64, now: u64) -> Self {
        let ago = format!("{} ago", widgets::brief_duration(now.saturating_sub(copied) as f64));
        Self { project: Box::new(project), time: time_words(copied, now), ago }
    }
}

/// `14:03 UTC`, with the date where it was another day.
fn time_words(unix: u64, now: u64) -> String {
    let of = |unix: u64| calendar::moment(unix as i64 / 60 * 60_000);
    let (moment, today) = (of(unix), calendar::date(now as i64 * 1000));
    let clock = moment.split_once(' ').map_or("00:00", |(_, clock)| clock);
    let date = calendar::date(unix as i64 * 1000);
    if date == today { format!("{clock} UTC") } else { format!("{date}, {clock} UTC") }
}

impl DialogContents for RestoreDialog {
    fn on_escape(&self) -> OnEscape {
        OnEscape::Stays
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Edits that were not saved");
        ui.label(format!(
            "This project was edited and not saved before the window ended, last at {} ({}). The file itself is as it was saved",
            self.time, self.ago
        ));
        ui.add_space(space::M);
        let mut action = None;
        ui.horizontal(|ui| {
            if ui.add(Button::new("Discard")).on_hover_text("Go on with the project as it was saved").clicked() {
                action = Some(DialogAction::DiscardLeft);
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if widgets::primary_button(ui, &format!("Restore the edits of {}", self.time)).clicked() {
                    action = Some(DialogAction::Restore(self.project.clone()));
                }
            });
        });
        action
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_names_the_day_only_where_it_is_another() {
        // 2023-11-14 22:13:20 UTC.
        assert_eq!(time_words(1_700_000_000, 1_700_000_900), "22:13 UTC");
        assert_eq!(time_words(1_700_000_000, 1_700_090_000), "2023-11-14, 22:13 UTC");
    }
}
