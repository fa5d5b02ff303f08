//! What is trained beside the frozen weights, and what stage 1 begins with; the memory of it stands beside.

use std::collections::BTreeMap;

use eframe::egui;
use egui::Ui;

use super::card::trained_words;
use super::chips::{self, ChipKind};
use super::figures::Figures;
use super::{beside, memory, start};
use crate::app::panels::Context;
use crate::app::panels::{settings_form, spotlight};
use crate::app::theme::space;
use crate::app::widgets;
use crate::budget::setup::Setup;
use crate::model::BaseModel;
use crate::project::edits::change::Place;

/// State of this part.
#[derive(Debug, Default)]
pub(super) struct TrainingPart {
    figures: Figures,
    /// Memory in bytes of devices that do not tell theirs, by their kind.
    given: BTreeMap<String, u64>,
}

/// The settings that this part is about, by their paths.
const LORA: [&str; 2] = ["training.lora.rank", "training.lora.alpha"];
const STEP: [&str; 4] = ["training.vocabulary", "training.batch", "training.accumulation", "training.checkpointing"];

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
                let session = context.session;
                spotlight::at(ui, session, &Place::Start, |ui| widgets::card(ui, |ui| start::ui(ui, context)));
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
    settings_form::rows(ui, context, &LORA);
    ui.horizontal_wrapped(|ui| {
        widgets::remark(ui, "On");
        ui.spacing_mut().item_spacing.x = 3.0;
        for target in TARGETS {
            chips::chip(ui, target, ChipKind::Text(0));
        }
        widgets::remark(ui, "of every layer");
    });
    settings_form::rows(ui, context, &STEP);
    // The weights of a compact model are trained here before they are frozen.
    if !matches!(context.session.project().base_model, BaseModel::Compact(_)) {
        settings_form::rows(ui, context, &["training.storage"]);
    }
}
