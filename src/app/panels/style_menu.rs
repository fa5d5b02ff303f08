//! The colour and the marker of an experiment: a button that shows them, and a menu in which they are chosen.

use eframe::egui;
use egui::accesskit::Role;
use egui::{Button, Response, Ui, Vec2, WidgetInfo};

use super::Context;
use crate::app::action::Action;
use crate::app::theme::space;
use crate::app::widgets;
use crate::plot::{SeriesStyle, screen};
use crate::project::Experiment;
use crate::project::edits::experiments::with_style;
use crate::project::styles::{Colour, ExperimentStyle, Marker};

/// Side of the button, and of a choice's mark.
const SIDE: f32 = 22.0;
const MARK: f32 = 5.5;

/// Draws the button.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, experiment: &Experiment) {
    let project = context.session.project();
    let now = ExperimentStyle::at(context.session.style_slots.of(&experiment.name));
    let button = Button::new("").frame_when_inactive(false).min_size(Vec2::splat(SIDE));
    let (menu, _) = egui::containers::menu::MenuButton::from_button(button).ui(ui, |ui| {
        if let Some(chosen) = choices(ui, now) {
            let edited = with_style(project, &experiment.name, chosen);
            context.actions.push(Action::Edit { project: Box::new(edited), key: None });
        }
    });
    let menu = menu.on_hover_text("Colour and marker in every chart");
    menu.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Colour and marker of {}", experiment.name)));
    mark(ui, &menu, now);
}

/// The style that was chosen now.
fn choices(ui: &mut Ui, now: ExperimentStyle) -> Option<ExperimentStyle> {
    let mut chosen = None;
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            widgets::section(ui, "Colour");
            for (colour, name) in Colour::ALL.into_iter().zip(COLOURS) {
                let style = ExperimentStyle { colour, ..now };
                if choice(ui, name, style, colour == now.colour).clicked() {
                    chosen = Some(style);
                }
            }
        });
        ui.add_space(space::M);
        ui.vertical(|ui| {
            widgets::section(ui, "Marker");
            for (marker, name) in Marker::ALL.into_iter().zip(MARKERS) {
                let style = ExperimentStyle { marker, ..now };
                if choice(ui, name, style, marker == now.marker).clicked() {
                    chosen = Some(style);
                }
            }
        });
    });
    chosen
}

/// In the order of [`Colour::ALL`].
const COLOURS: [&str; 7] = ["Blue", "Orange", "Green", "Pink", "Amber", "Sky", "Black or white"];
/// In the order of [`Marker::ALL`].
const MARKERS: [&str; 5] = ["Circle", "Square", "Triangle up", "Diamond", "Triangle down"];

/// One choice: its mark, then its name.
fn choice(ui: &mut Ui, name: &str, style: ExperimentStyle, selected: bool) -> Response {
    // The mark stands where the name leaves room for it.
    let response = ui.selectable_label(selected, format!("      {name}"));
    response.widget_info(|| WidgetInfo::selected(Role::MenuItemRadio, true, selected, name));
    mark(ui, &response, style);
    response
}

fn mark(ui: &Ui, response: &Response, style: ExperimentStyle) {
    let centre = response.rect.left_center() + Vec2::new(SIDE / 2.0, 0.0);
    screen::mark(ui, SeriesStyle::method(style.slot()), centre, MARK);
}
