//! What the runs said, newest last.

use eframe::egui;
use egui::{KeyboardShortcut, Modifiers, RichText, ScrollArea, TextEdit, Ui};

use super::view::{Home, ViewSpec};
use super::{Context, Panel};
use crate::app::theme::{self, space};
use crate::app::widgets;
use crate::run::Event;
use crate::run::observer::Level;

/// The view.
pub(crate) static VIEW: ViewSpec = ViewSpec {
    key: "Log",
    title: "Log",
    command: "Show log",
    tooltip: "What the runs and the window said",
    shortcut: Some(KeyboardShortcut::new(Modifiers::COMMAND, egui::Key::Num6)),
    home: Home::Charts,
};

/// State of the panel.
#[derive(Debug, Default)]
pub(crate) struct LogPanel {
    filter: String,
    only_problems: bool,
}

impl Panel for LogPanel {
    fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>) {
        ui.horizontal(|ui| {
            let field = TextEdit::singleline(&mut self.filter).hint_text("Filter the log").desired_width(220.0);
            let field = ui.add(field);
            widgets::named(ui, &field, "Filter the log");
            ui.checkbox(&mut self.only_problems, "Warnings and errors only");
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| widgets::remark(ui, "Times are UTC"));
        });
        let lines = self.lines(context);
        if lines.is_empty() {
            let title = if context.session.runs.is_empty() {
                "No run has said anything yet"
            } else {
                "Nothing fits the filter"
            };
            widgets::empty_state(
                ui,
                title,
                "What runs say while they work appears here, with the time at which they said it",
            );
            return;
        }
        ui.add_space(space::XS);
        theme::panel_frame(ui).show(ui, |ui| {
            let height = ui.text_style_height(&egui::TextStyle::Body);
            ui.spacing_mut().item_spacing.y = 3.0;
            ScrollArea::both().auto_shrink(false).stick_to_bottom(true).show_rows(
                ui,
                height,
                lines.len(),
                |ui, rows| {
                    for (run, event) in &lines[rows] {
                        line(ui, run, event);
                    }
                },
            );
        });
    }
}

impl LogPanel {
    /// The lines of the selected runs (all, if none is selected) that fit, by time.
    fn lines<'a>(&self, context: &Context<'a>) -> Vec<(&'a str, &'a Event)> {
        let wanted = self.filter.trim().to_lowercase();
        let runs = context.session.concerned().filter_map(|row| row.run.as_deref());
        let mut lines: Vec<(&str, &Event)> = runs
            .flat_map(|run| run.events.iter().map(move |event| (run.id.as_str(), event)))
            .filter(|(_, event)| !self.only_problems || event.level != Level::Info)
            .filter(|(run, event)| {
                wanted.is_empty() || run.contains(&wanted) || event.text.to_lowercase().contains(&wanted)
            })
            .collect();
        let fits = |event: &&Event| wanted.is_empty() || event.text.to_lowercase().contains(&wanted);
        lines.extend(context.session.said.iter().filter(fits).map(|event| ("window", event)));
        lines.sort_by_key(|(_, event)| event.unix);
        lines
    }
}

fn line(ui: &mut Ui, run: &str, event: &Event) {
    let tokens = theme::tokens(ui);
    let (icon, colour) = match event.level {
        Level::Info => (" ", tokens.text),
        Level::Warning => ("⚠", tokens.warning),
        Level::Error => ("×", tokens.error),
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = 0.0;
        ui.label(RichText::new(clock(event.unix)).monospace().color(tokens.muted));
        ui.label(RichText::new(run).color(tokens.muted));
        ui.label(RichText::new(format!("{icon} {}", widgets::sentence(&event.text))).color(colour));
    });
}

/// The time of day in UTC: `14:03:59`.
fn clock(unix: u64) -> String {
    let seconds = unix % 86_400;
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_show_the_time_of_day() {
        assert_eq!(clock(0), "00:00:00");
        assert_eq!(clock(1_000_000_000), "01:46:40");
    }
}
