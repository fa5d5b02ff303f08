//! All keys at a glance, made from the commands themselves.

use eframe::egui;
use egui::{Grid, RichText, ScrollArea, TextEdit, Ui};

use super::dialog::{DialogAction, DialogContents, right_row};
use crate::app::command::{Command, Menu};
use crate::app::theme::{self, space};
use crate::app::widgets;

/// State of the dialog.
#[derive(Debug, Default)]
pub(crate) struct ShortcutsDialog {
    query: String,
}

const HEIGHT: f32 = 460.0;

impl DialogContents for ShortcutsDialog {
    fn width(&self) -> f32 {
        620.0
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Keyboard shortcuts");
        let field = ui.add(TextEdit::singleline(&mut self.query).hint_text("Search").desired_width(f32::INFINITY));
        widgets::named(ui, &field, "Search shortcuts");
        ui.add_space(space::XS);
        let height = (ui.ctx().content_rect().height() - 230.0).clamp(140.0, HEIGHT);
        let list = ScrollArea::vertical().max_height(height).min_scrolled_height(height).auto_shrink(false);
        list.show(ui, |ui| {
            for menu in Menu::ALL {
                let found = fitting(menu, &self.query);
                if !found.is_empty() {
                    section(ui, menu, &found);
                }
            }
        });
        ui.add_space(space::S);
        let close = |ui: &mut Ui| widgets::primary_button(ui, "Close").clicked().then_some(DialogAction::Cancel);
        right_row(ui, close)
    }
}

/// The commands of a menu that have keys, and whose text has every word that was typed.
fn fitting(menu: Menu, query: &str) -> Vec<Command> {
    let query = query.to_lowercase();
    let fits = |command: &Command| {
        let text = command.text().to_lowercase();
        command.shortcut().is_some() && query.split_whitespace().all(|word| text.contains(word))
    };
    menu.groups().into_iter().flatten().filter(fits).collect()
}

fn section(ui: &mut Ui, menu: Menu, commands: &[Command]) {
    let tokens = theme::tokens(ui);
    ui.label(RichText::new(menu.text()).family(theme::semi_bold()));
    Grid::new(menu.text()).num_columns(2).min_col_width(150.0).spacing([space::L, 2.0]).show(ui, |ui| {
        for command in commands {
            let keys = command.shortcut().map(|keys| ui.ctx().format_shortcut(&keys)).unwrap_or_default();
            ui.label(RichText::new(keys).monospace());
            ui.label(RichText::new(command.text().trim_end_matches('…')).color(tokens.text))
                .on_hover_text(command.tooltip());
            ui.end_row();
        }
    });
    ui.add_space(space::S);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_with_keys_is_listed_and_can_be_found() {
        let all: Vec<Command> = Menu::ALL.into_iter().flat_map(|menu| fitting(menu, "")).collect();
        let with_keys = Command::all().filter(|command| command.shortcut().is_some());
        assert_eq!(all, with_keys.collect::<Vec<_>>());
        let found: Vec<Command> = Menu::ALL.into_iter().flat_map(|menu| fitting(menu, "RUN sel")).collect();
        assert_eq!(found, [Command::RunSelected]);
    }
}
