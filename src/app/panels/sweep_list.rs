//! The sweeps of an experiment on its card: what is swept, over how many points, and the ways to change that.

use eframe::egui;
use egui::{Align, Frame, Layout, Margin, RichText, Ui};

use super::Context;
use super::method_card::words;
use crate::app::action::{Action, SweepOf};
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted};
use crate::data::synthetic;
use crate::project::edits::sweeps::without_sweep;
use crate::project::sweep::{Axis, Combine, DATASET, EVERY, Sweep, TRAINING};
use crate::project::{Experiment, Project, settings};
use crate::schema::{Field, Setting};

/// Draws the sweeps of an experiment.
pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, experiment: &Experiment) {
    let project = context.session.project();
    for (index, sweep) in project.sweeps.iter().enumerate().filter(|(_, sweep)| sweep.is_of(experiment)) {
        let tokens = theme::tokens(ui);
        ui.add_space(space::XS / 2.0);
        let frame = Frame::new().fill(tokens.raised).stroke((1.0, tokens.border)).corner_radius(theme::RADIUS);
        frame.inner_margin(Margin::symmetric(10, 6)).show(ui, |ui| {
            ui.set_width(ui.available_width());
            let size = egui::Vec2::new(ui.available_width(), ui.spacing().interact_size.y);
            ui.allocate_ui_with_layout(size, Layout::right_to_left(Align::Center), |ui| {
                buttons(ui, context, index, &experiment.name);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    let text = RichText::new(heading(sweep)).family(theme::semi_bold());
                    let label = ui.add(egui::Label::new(text).truncate());
                    if sweep.experiment == EVERY {
                        label.on_hover_text("Of every experiment: an edit changes the points of all");
                    }
                });
            });
            for axis in &sweep.options {
                let field = field_of(project, experiment, &axis.option);
                let label = field.map_or(axis.option.as_str(), |field| field.label);
                let text = RichText::new(format!("{label}: {}", values(axis, field))).small().color(tokens.muted);
                ui.add(egui::Label::new(text).wrap()).on_hover_text(&axis.option);
            }
        });
    }
}

fn buttons(ui: &mut Ui, context: &mut Context<'_>, index: usize, experiment: &str) {
    let named = |response: egui::Response, name: String| {
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
        response
    };
    let number = context.session.project().sweeps.iter().take(index).filter(|s| s.experiment == experiment).count() + 1;
    let remove = named(ui.small_button("Remove"), format!("Remove sweep {number} of {experiment}"));
    if remove.on_hover_text("Runs of its points are kept, as runs of earlier settings").clicked() {
        let project = Box::new(without_sweep(context.session.project(), index));
        context.actions.push(Action::Edit { project, key: None });
    }
    if named(ui.small_button("Edit…"), format!("Edit sweep {number} of {experiment}")).clicked() {
        context.actions.push(Action::EditSweep(SweepOf::Index(index)));
    }
}

/// `Sweep, 6 points`, `Sweep of all, 6 points`.
fn heading(sweep: &Sweep) -> String {
    let lengths = sweep.options.iter().map(|axis| axis.values.len());
    let (number, how) = match sweep.combine {
        Combine::Grid => (lengths.product(), ""),
        Combine::List => (lengths.max().unwrap_or(0), " in turn"),
    };
    let of = if sweep.experiment == EVERY { "Sweep of all" } else { "Sweep" };
    format!("{of}, {}{how}", counted(number, "point"))
}

/// The option's description, where the experiment has it as it is.
fn field_of(project: &Project, experiment: &Experiment, option: &str) -> Option<&'static Field> {
    if option.starts_with(TRAINING) {
        return settings::field(option);
    }
    if let Some(path) = option.strip_prefix(DATASET) {
        return synthetic::FIELDS.iter().find(|field| field.path == path);
    }
    let of = project.method_of(&experiment.name)?.fields();
    of.into_iter().find(|field| field.path == option).map(|field| field.field)
}

/// As many values as are read at a glance, by their labels.
fn values(axis: &Axis, field: Option<&Field>) -> String {
    const SHOWN: usize = 8;
    let word = |setting: &Setting| field.map_or_else(|| setting.to_string(), |field| words(field.kind, setting));
    let shown: Vec<String> = axis.values.iter().take(SHOWN).map(word).collect();
    let more = axis.values.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {} more", widgets::grouped(more as u64)) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_reads_as_what_it_is() {
        let axis = |values: usize| Axis {
            option: "lambda".to_owned(),
            values: (0..values).map(|value| Setting::Number(value as f64)).collect(),
        };
        let sweep = |options, combine| Sweep { experiment: "PESO".to_owned(), options, combine };
        assert_eq!(heading(&sweep(vec![axis(1)], Combine::Grid)), "Sweep, 1 point");
        assert_eq!(heading(&sweep(vec![axis(2), axis(3)], Combine::Grid)), "Sweep, 6 points");
        assert_eq!(heading(&sweep(vec![axis(3), axis(3)], Combine::List)), "Sweep, 3 points in turn");
        assert_eq!(values(&axis(3), None), "0, 1, 2");
        assert!(values(&axis(10), None).ends_with("7 and 2 more"));
    }
}
