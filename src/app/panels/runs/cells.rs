//! The cells of the runs table.

use eframe::egui;
use egui::{ProgressBar, Ui};

use super::columns::{Column, Measured, device, measured, memory_bytes, seconds, share_done, tags};
use super::usual;
use crate::app::panels::Context;
use crate::app::session::{Origin, Row};
use crate::app::{theme, widgets};
use crate::figures::words::metric_label;
use crate::run::Status;

/// Room for the words beside a progress bar.
const PROGRESS_WORDS: f32 = 180.0;
const SHORTEST_BAR: f32 = 36.0;

/// Draws the cell of a row in a column; `columns` are all that the table has.
pub(super) fn ui(ui: &mut Ui, column: &Column, row: &Row, columns: &[Column], context: &Context<'_>) {
    let tokens = theme::tokens(ui);
    let mark = context.session.marks.of(&row.id);
    match column {
        Column::Status => {
            let look = widgets::status_look(row.state, tokens);
            ui.colored_label(look.colour, format!("{} {}", look.icon, look.word));
        }
        Column::Experiment => {
            if mark.pinned {
                ui.colored_label(tokens.accent, "★").on_hover_text("Pinned to the top");
            }
            experiment_cell(ui, row);
            if mark.archived {
                widgets::remark(ui, "archived");
            }
            if !mark.tags.is_empty() && !columns.contains(&Column::Tags) {
                widgets::remark(ui, tags(mark)).on_hover_text("Tags");
            }
        }
        Column::Method => text_cell(ui, row.method.label()),
        Column::Seed if row.origin == Origin::Baseline => {
            ui.weak("–").on_hover_text("Counting needs no seed");
        }
        Column::Seed => {
            ui.label(row.key.seed.to_string());
        }
        Column::Progress => progress_cell(ui, row),
        Column::Metric(metric) => metric_cell(ui, measured(metric, row, usual(context.session))),
        Column::Time => optional(ui, seconds(row).map(widgets::duration_words)),
        Column::Memory => optional(ui, memory_bytes(row).map(widgets::memory_words)),
        Column::Device => {
            let label = ui.label(device(row));
            if let Some(run) = &row.run {
                label.on_hover_text(&run.config.device);
            }
        }
        Column::Started => {
            if let Some(run) = &row.run {
                ui.weak(ago(context.now_unix, run.config.created_unix));
            }
        }
        Column::Tags => text_cell(ui, &tags(mark)),
        Column::Note => text_cell(ui, &mark.note),
        Column::Setting(name) => optional(ui, row.settings.get(name).map(|value| value.text.clone())),
    }
}

fn text_cell(ui: &mut Ui, text: &str) {
    let first = text.lines().next().unwrap_or_default();
    let label = ui.add(egui::Label::new(first).truncate().selectable(false));
    if !text.is_empty() {
        label.on_hover_text(text);
    }
}

fn optional(ui: &mut Ui, text: Option<String>) {
    match text {
        Some(text) => text_cell(ui, &text),
        None => _ = ui.weak("–"),
    }
}

fn experiment_cell(ui: &mut Ui, row: &Row) {
    let label = ui.add(egui::Label::new(&row.key.experiment).truncate().selectable(false));
    match row.origin {
        Origin::Planned => {}
        Origin::Baseline => {
            widgets::remark(ui, "non-learned");
        }
        Origin::Earlier => {
            let why = "The experiment, the data or the training settings were changed since this run was made";
            widgets::remark(ui, "earlier settings").on_hover_text(why);
        }
    }
    label.on_hover_text(&row.id);
}

fn metric_cell(ui: &mut Ui, value: Option<Measured>) {
    match value {
        Some(Measured { mean, metric }) => ui.label(format!("{mean:.4}")).on_hover_text(metric_label(&metric)),
        None => ui.weak("–"),
    };
}

fn progress_cell(ui: &mut Ui, row: &Row) {
    let tokens = theme::tokens(ui);
    let Some(run) = &row.run else { return };
    match (&run.progress, run.status) {
        (_, Status::Finished) => {
            ui.weak(format!(
                "{} in {}",
                widgets::counted(run.config.stages, "stage"),
                widgets::duration_words(run.seconds())
            ));
        }
        (Some(progress), status) => {
            let mut words = format!("Stage {} of {}", progress.stage, progress.stages);
            if status == Status::Running
                && let Some(seconds) = progress.eta_seconds
            {
                words.push_str(&format!(", {} left", widgets::brief_duration(seconds)));
            }
            // Where there is no room for both, the words say it all.
            let width = (ui.available_width() - PROGRESS_WORDS).min(640.0);
            if width >= SHORTEST_BAR {
                let bar = ProgressBar::new(share_done(row) as f32).desired_width(width).desired_height(6.0);
                let colour = if status == Status::Running { tokens.accent } else { tokens.border_strong };
                ui.add(bar.fill(colour)).on_hover_text(widgets::phase_words(progress));
            }
            ui.weak(words).on_hover_text(widgets::phase_words(progress));
        }
        (None, _) => {}
    }
}

/// When something was: roughly how long ago, or its date where that is long.
fn ago(now: u64, unix: u64) -> String {
    let seconds = now.saturating_sub(unix);
    match seconds {
        0..60 => "just now".to_owned(),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        86_400..172_800 => "yesterday".to_owned(),
        172_800..2_592_000 => format!("{} days ago", seconds / 86_400),
        _ => date(unix),
    }
}

/// A day in UTC as `2025-03-01`, from seconds since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
pub(super) fn date(unix: u64) -> String {
    let days = unix / 86_400 + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + 400 * era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_say_them() {
        let since = |seconds: u64| ago(1_700_000_000, 1_700_000_000 - seconds);
        assert_eq!(since(5), "just now");
        assert_eq!(since(3599), "59 min ago");
        assert_eq!(since(86_399), "23 h ago");
        assert_eq!(since(90_000), "yesterday");
        assert_eq!(since(864_000), "10 days ago");
        assert_eq!(since(8_640_000), "2023-08-06");
        assert_eq!(date(951_782_400), "2000-02-29");
        assert_eq!(date(0), "1970-01-01");
    }
}
