//! The bar at the top: menus, what is done most, and what is open. What does not fit is folded into a menu.

use eframe::egui;
use egui::containers::menu::{MenuConfig, SubMenuButton};
use egui::{
    Align, Button, Color32, Frame, Layout, Margin, Panel, PopupCloseBehavior, RichText, TextEdit, TextStyle, Ui,
};

use super::action::Action;
use super::anchor::{self, Anchor};
use super::command::{Command, Menu, Situation};
use super::dock::{NamedLayout, NamedLayoutAction};
use super::theme;
use super::widgets;
use super::workbench::Workbench;
use crate::figures::provenance;

/// What is done most, with its icon.
const TOOLS: [(Command, &str); 5] = [
    (Command::RunAll, "▶ "),
    (Command::RunSelected, ""),
    (Command::Pause, "‖ "),
    (Command::Resume, ""),
    (Command::Stop, "■ "),
];
const PALETTE: &str = "Commands…";
const UNSAVED: &str = "Unsaved changes";
/// Width of a button that is an icon alone.
const ICON: f32 = 40.0;
/// Width below which a project's name says nothing any more.
const LEAST_NAME: f32 = 60.0;

impl Workbench {
    pub(super) fn top_bar(&mut self, ui: &mut Ui, situation: &Situation, actions: &mut Vec<Action>) {
        let tokens = theme::tokens(ui);
        let frame = Frame::new().fill(tokens.surface).inner_margin(Margin::symmetric(8, 5));
        Panel::top("top bar").frame(frame).show(ui, |ui| {
            egui::MenuBar::new().ui(ui, |ui| {
                for menu in Menu::ALL {
                    ui.menu_button(menu.text(), |ui| {
                        menu_ui(ui, menu, situation, actions);
                        if menu == Menu::View && situation.project_open {
                            ui.separator();
                            self.layouts_menu(ui, actions);
                        }
                    });
                }
                // The menu bar has its buttons without frames; these are ordinary ones.
                ui.reset_style();
                let pills = self.pills_width(ui, situation);
                let buttons = button_width(ui, PALETTE) + ICON;
                let least = if situation.project_open { button_width(ui, TOOLS[0].0.text()) + 2.0 * ICON } else { 0.0 };
                // Both are in the menus as well.
                let wide = ui.available_width() >= pills + buttons + least;
                if situation.project_open {
                    ui.separator();
                    let right = pills + if wide { buttons } else { 0.0 };
                    toolbar(ui, ui.available_width() - right, situation, actions);
                }
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if wide {
                        right_buttons(ui, situation, actions);
                    }
                    self.what_is_open(ui, situation);
                });
            });
        });
    }

    /// The names of layouts to choose and delete, and a field for another one.
    fn layouts_menu(&mut self, ui: &mut Ui, actions: &mut Vec<Action>) {
        let stays = MenuConfig::new().close_behavior(PopupCloseBehavior::CloseOnClickOutside);
        SubMenuButton::new("Named layouts").config(stays).ui(ui, |ui| {
            ui.set_min_width(240.0);
            for NamedLayout { name, .. } in &self.settings.layouts {
                ui.horizontal(|ui| {
                    if ui.button(name).on_hover_text("Put every view where it is in this layout").clicked() {
                        actions.push(Action::NamedLayout(NamedLayoutAction::Use(name.clone())));
                        ui.close();
                    }
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        let delete = ui.button("×").on_hover_text("Delete this layout");
                        widgets::named(ui, &delete, &format!("Delete layout {name}"));
                        if delete.clicked() {
                            actions.push(Action::NamedLayout(NamedLayoutAction::Delete(name.clone())));
                        }
                    });
                });
            }
            ui.horizontal(|ui| {
                let field = TextEdit::singleline(&mut self.layout_name).hint_text("Name").desired_width(150.0);
                let field = ui.add(field);
                widgets::named(ui, &field, "Name of the layout");
                let name = self.layout_name.trim().to_owned();
                let save = ui.add_enabled(!name.is_empty(), Button::new("Save layout"));
                if save.on_hover_text("Keep where every view is now under this name").clicked() {
                    self.layout_name.clear();
                    actions.push(Action::NamedLayout(NamedLayoutAction::Save(name)));
                }
            });
        });
    }

    /// Width of what [`Workbench::what_is_open`] never leaves out.
    fn pills_width(&self, ui: &Ui, situation: &Situation) -> f32 {
        let synthetic = self.session.as_ref().is_some_and(super::session::Session::synthetic);
        let pills = [(situation.unsaved, UNSAVED), (synthetic, provenance::SYNTHETIC)];
        pills.into_iter().filter(|(shown, _)| *shown).map(|(_, text)| button_width(ui, text)).sum()
    }

    fn what_is_open(&self, ui: &mut Ui, situation: &Situation) {
        let tokens = theme::tokens(ui);
        if situation.unsaved {
            widgets::pill(ui, UNSAVED, tokens.warning);
        }
        let Some(session) = &self.session else { return };
        if session.synthetic() {
            widgets::pill(ui, provenance::SYNTHETIC, tokens.warning);
        }
        if ui.available_width() >= LEAST_NAME {
            let name = RichText::new(&session.project().name).family(theme::semi_bold());
            ui.add(egui::Label::new(name).truncate()).on_hover_text(session.file.display().to_string());
        }
    }
}

/// The theme and the palette, from the right.
fn right_buttons(ui: &mut Ui, situation: &Situation, actions: &mut Vec<Action>) {
    let dark = ui.visuals().dark_mode;
    let (icon, command) = if dark { ("☀", Command::ThemeLight) } else { ("◐", Command::ThemeDark) };
    let response = widgets::explained(ui, Button::new(RichText::new(icon).size(15.0)), command, situation);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, command.text()));
    if response.clicked() {
        actions.push(Action::Command(command));
    }
    if widgets::explained(ui, Button::new(PALETTE), Command::Palette, situation).clicked() {
        actions.push(Action::Command(Command::Palette));
    }
}

/// Width of a button with its distance from the next one.
fn button_width(ui: &Ui, text: &str) -> f32 {
    let font = TextStyle::Button.resolve(ui.style());
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, Color32::PLACEHOLDER);
    let spacing = ui.spacing();
    galley.size().x + 2.0 * spacing.button_padding.x + spacing.item_spacing.x
}

/// How many things of these widths fit `room`, with one of the width `more` behind them where not all do.
fn that_fit(widths: &[f32], room: f32, more: f32) -> usize {
    let mut ends = widths.iter().scan(0.0, |end, width| {
        *end += width;
        Some(*end)
    });
    if widths.iter().sum::<f32>() <= room { widths.len() } else { ends.position(|end| end + more > room).unwrap_or(0) }
}

/// The buttons that fit `room`, and a menu of the others.
fn toolbar(ui: &mut Ui, room: f32, situation: &Situation, actions: &mut Vec<Action>) {
    let label = |(command, icon): &(Command, &str)| format!("{icon}{}", command.text());
    let widths = TOOLS.each_ref().map(|tool| button_width(ui, &label(tool)));
    let (shown, folded) = TOOLS.split_at(that_fit(&widths, room, ICON));
    let mut place = egui::Rect::NOTHING;
    let mut tool = |ui: &mut Ui, tool: &(Command, &str)| {
        let command = tool.0;
        let response = widgets::explained(ui, Button::new(label(tool)), command, situation);
        let possible = command.obstacle(situation).is_none();
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, possible, command.text()));
        if response.clicked() {
            actions.push(Action::Command(command));
        }
        response.rect
    };
    shown.iter().for_each(|shown| place |= tool(ui, shown));
    if !folded.is_empty() {
        let more = ui.menu_button("»", |ui| folded.iter().for_each(|folded| _ = tool(ui, folded))).response;
        more.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "More commands"));
        place |= more.rect;
    }
    anchor::note(ui, Anchor::Toolbar, place.expand(4.0));
}

fn menu_ui(ui: &mut Ui, menu: Menu, situation: &Situation, actions: &mut Vec<Action>) {
    ui.set_min_width(230.0);
    for (index, group) in menu.groups().into_iter().enumerate() {
        match menu.submenu(index) {
            Some(name) => {
                let own = |ui: &mut Ui| {
                    ui.set_min_width(230.0);
                    group_ui(ui, &group, situation, actions);
                };
                ui.menu_button(name, own);
            }
            None => {
                if index > 0 {
                    ui.separator();
                }
                group_ui(ui, &group, situation, actions);
            }
        }
    }
}

fn group_ui(ui: &mut Ui, group: &[Command], situation: &Situation, actions: &mut Vec<Action>) {
    for &command in group {
        let button = Button::new(command.words(situation));
        let button = match command.shortcut() {
            Some(shortcut) => button.shortcut_text(ui.ctx().format_shortcut(&shortcut)),
            None => button,
        };
        if widgets::explained(ui, button, command, situation).clicked() {
            actions.push(Action::Command(command));
        }
    }
}
