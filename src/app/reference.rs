//! What the window can do, as Markdown, for the reference pages.

use eframe::egui::ModifierNames;

use super::command::{Command, Menu};

/// Every command of the menus with its keys and what it does: a section of level 2 a menu.
pub fn reference() -> String {
    Menu::ALL.iter().map(|menu| section(*menu)).collect::<Vec<_>>().join("\n")
}

fn section(menu: Menu) -> String {
    let rows: String = menu.groups().into_iter().flatten().map(row).collect();
    format!("## {}\n\n| command | keys | what it does |\n|---|---|---|\n{rows}", menu.text())
}

fn row(command: Command) -> String {
    format!("| {} | {} | {} |\n", command.text(), keys(command), command.tooltip())
}

/// The keys with the names that they have outside of macOS; empty where a command has none.
fn keys(command: Command) -> String {
    command.shortcut().map(|shortcut| shortcut.format(&ModifierNames::NAMES, false)).unwrap_or_default()
}
