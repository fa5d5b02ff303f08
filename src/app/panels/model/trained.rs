//! What is trained beside the frozen weights, and what stage 1 begins with; the memory of it stands beside.

use std::collections::BTreeMap;

use eframe::egui;
use egui::Ui;

use super::card::trained_words;
use super::chips::{self, ChipKind};
use super::figures::Figures;
use super::{Key, beside, edit, memory, start};
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::panels::method_card::{Edited, value_row};
use crate::app::theme::space;
use crate::app::widgets;
use crate::budget::setup::Setup;
use crate::model::BaseModel;
use crate::project::edits::model::with_training;
use crate::project::{Training, training_fields};

/// State of this part.
#[derive(Debug, Default)]
pub(super) struct TrainingPart {
    figures: Figures,
    /// Memory in bytes of devices that do not tell theirs, by their kind.
    given: BTreeMap<String, u64>,
}

/// The settings that this part is about, by their paths.
const LORA: [&str; 2] = ["lora.rank", "lora.alpha"];
const STEP: [&str; 4] = ["vocabulary", "batch", "accumulation", "checkpointing"];

/// The modules of every layer that have an adapter.
const TARGETS: [&str; 7] = ["q", "k", "v", "o", "gate", "up", "down"];

impl TrainingPart {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, setup: Option<&Setup>) {
        let session = context.session;
        let figures = setup.map(|setup| self.figures.refresh(session, setup, &self.given));
        let given = &mut self.given;
        beside(
            ui,
            context,
            |ui, context| {
                widgets::card(ui, |ui| settings(ui, context, figures));
                ui.add_space(space::S);
                widgets::card(ui, |ui| start::ui(ui, context));
            },
            |ui, context| {
                if let Some(figures) = figures {
                    memory::ui(ui, context, figures, given);
                }
            },
        );
    }
}

fn settings(ui: &mut Ui, context: &mut Context<'_>, figures: Option<&Figures>) {
    widgets::section(ui, "What is trained");
    if let Some(figures) = figures {
        widgets::remark(ui, format!("Parameters: {}", trained_words(figures)));
    }
    fields(ui, context, &LORA);
    ui.horizontal_wrapped(|ui| {
        widgets::remark(ui, "On");
        ui.spacing_mut().item_spacing.x = 3.0;
        for target in TARGETS {
            chips::chip(ui, target, ChipKind::Text(0));
        }
        widgets::remark(ui, "of every layer");
    });
    fields(ui, context, &STEP);
    // The weights of a compact model are trained here before they are frozen.
    if !matches!(context.session.project().base_model, BaseModel::Compact(_)) {
        fields(ui, context, &["storage"]);
    }
}

/// Rows of the training settings with these paths; what the user sets is asked for as a change of the project.
pub(super) fn fields(ui: &mut Ui, context: &mut Context<'_>, paths: &[&str]) {
    let project = context.session.project();
    let (mut training, usual) = (project.training.clone(), Training::default());
    let mut edited = Edited::default();
    for path in paths {
        let field = training_fields::field(path);
        let values = (training_fields::setting(&training, path), training_fields::setting(&usual, path));
        if let (Some(field), (Some(now), Some(default))) = (field, values)
            && let Some(value) = value_row(ui, field, now, default, &mut edited)
        {
            training_fields::set(&mut training, path, &value);
        }
    }
    if edited.changed && training != project.training {
        edit(context, with_training(project, training), Some(Key::Training));
    }
    if edited.done {
        context.actions.push(Action::EditDone);
    }
}
