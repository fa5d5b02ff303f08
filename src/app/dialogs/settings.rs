//! The settings of the window: how it looks, what it asks, where projects are kept.

use std::path::PathBuf;

use eframe::egui;
use egui::{Checkbox, DragValue, Grid, TextEdit, Ui};

use super::dialog::{DialogAction, DialogContents, OnEscape, right_buttons};
use super::path::expand_home;
use crate::app::settings::{Settings, ThemeChoice};
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted};
use crate::run::on_finished::OnFinished;

/// State of the dialog.
#[derive(Debug)]
pub(crate) struct SettingsDialog {
    before: Settings,
    /// As they are being set.
    settings: Settings,
    /// The folder of projects as it is typed.
    folder: String,
    /// Where projects are suggested unless a folder is named.
    documents: PathBuf,
}

impl SettingsDialog {
    pub(crate) fn new(settings: Settings, documents: PathBuf) -> Self {
        let folder = settings.projects_folder.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        Self { before: settings.clone(), settings, folder, documents }
    }

    /// What was set.
    fn chosen(&self) -> Settings {
        let typed = self.folder.trim();
        let projects_folder = (!typed.is_empty()).then(|| expand_home(typed));
        Settings { projects_folder, ..self.settings.clone() }
    }

    /// Why what is typed is no command; nothing where it is one, or empty.
    fn command_problem(&self) -> Option<String> {
        let typed = &self.settings.on_finished;
        if typed.trim().is_empty() {
            None
        } else {
            typed.parse::<OnFinished>().err().map(|why| widgets::sentence(&why))
        }
    }

    fn appearance(&mut self, ui: &mut Ui) {
        ui.label("Theme");
        ui.horizontal(|ui| {
            for (theme, text) in
                [(ThemeChoice::Light, "Light"), (ThemeChoice::Dark, "Dark"), (ThemeChoice::System, "As the desktop")]
            {
                ui.radio_value(&mut self.settings.theme, theme, text);
            }
        });
        ui.end_row();
        let label = ui.label("Size of everything");
        let mut percent = (100.0 * self.settings.zoom).round();
        let drag = ui.add(DragValue::new(&mut percent).range(50.0..=300.0).speed(1.0).suffix(" %"));
        if drag.labelled_by(label.id).changed() {
            self.settings.zoom = percent / 100.0;
        }
        ui.end_row();
        let label = ui.label("Tooltips appear after");
        let drag = DragValue::new(&mut self.settings.tooltip_delay).range(0.0..=3.0).speed(0.02).suffix(" s");
        ui.add(drag.max_decimals(1)).labelled_by(label.id);
        ui.end_row();
    }

    fn habits(&mut self, ui: &mut Ui) {
        ui.label("Confirmations");
        let words = "Ask before a form that is filled in is closed";
        ui.add(Checkbox::new(&mut self.settings.confirm_forms, words));
        ui.end_row();
        ui.label("At start");
        ui.add(Checkbox::new(&mut self.settings.reopen_last, "Open the project that was open last"));
        ui.end_row();
        ui.label("When a queue ends");
        let words = "Notify on the desktop, also when it fails or a gate of the decision flips";
        ui.add(Checkbox::new(&mut self.settings.notify, words));
        ui.end_row();
        let label = ui.label("Command at the end");
        let help = "Run without a shell, with PESO_PROJECT, PESO_EVENT (finished, failed or decision) and PESO_MESSAGE in its environment. Only these settings can name it: projects come from strangers, and none may run a command";
        let field = TextEdit::singleline(&mut self.settings.on_finished).hint_text("A program and its arguments");
        ui.add(field.desired_width(300.0)).labelled_by(label.id).on_hover_text(help);
        ui.end_row();
        ui.label("");
        match self.command_problem() {
            Some(problem) => ui.colored_label(theme::tokens(ui).error, format!("⚠ {problem}")),
            None => widgets::remark(ui, "Set here alone: a project can never run a command"),
        };
        ui.end_row();
        let label = ui.label("Folder of projects");
        let hint = self.documents.display().to_string();
        let field = TextEdit::singleline(&mut self.folder).hint_text(hint).desired_width(300.0);
        ui.add(field).labelled_by(label.id).on_hover_text("Where new projects and the demo are suggested");
        ui.end_row();
        ui.label("Recent projects");
        ui.horizontal(|ui| {
            ui.label(counted(self.settings.recent.len(), "project"));
            let clear = ui.add_enabled(!self.settings.recent.is_empty(), egui::Button::new("Clear the list"));
            if clear.on_hover_text("The projects themselves stay").clicked() {
                self.settings.recent.clear();
                self.settings.opened.clear();
            }
        });
        ui.end_row();
    }
}

impl DialogContents for SettingsDialog {
    fn on_escape(&self) -> OnEscape {
        OnEscape::of_form(self.chosen() != self.before)
    }

    fn ui(&mut self, ui: &mut Ui) -> Option<DialogAction> {
        ui.heading("Settings");
        ui.add_space(space::S);
        Grid::new("settings").num_columns(2).spacing([space::L, space::S]).show(ui, |ui| {
            self.appearance(ui);
            self.habits(ui);
        });
        ui.add_space(space::S);
        widgets::remark(ui, "Settings are this computer's; a project takes none of them with it");
        ui.add_space(space::M);
        let mut action = None;
        let (chosen, usable) = (self.chosen(), self.command_problem().is_none());
        let applied = || DialogAction::Settings(Box::new(chosen));
        ui.horizontal(|ui| right_buttons(ui, "Apply", usable, &mut action, applied));
        action
    }
}
