//! Which base model it is: compact, a Hugging Face folder or a GGUF file; and beside it, how it cuts text into tokens.

use std::collections::BTreeMap;

use eframe::egui;
use egui::{Button, TextEdit, Ui};

use super::figures::Figures;
use super::{beside, card, edit, pending, problem, shape, tokens};
use crate::app::action::Action;
use crate::app::dialogs::desktop;
use crate::app::dialogs::path::expand_home;
use crate::app::panels::Context;
use crate::app::queries::Answer;
use crate::app::queries::model::ModelFiles;
use crate::app::theme::space;
use crate::app::widgets;
use crate::budget::setup::Setup;
use crate::model::{BaseModel, Compact};
use crate::project::edits::model as edits;

/// State of this part.
#[derive(Debug, Default)]
pub(super) struct BaseModelPart {
    /// The path as it is being typed.
    path: Option<String>,
    figures: Figures,
    tokens: tokens::TokensCard,
}

impl BaseModelPart {
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, setup: Option<&Setup>) {
        let session = context.session;
        let project = session.project();
        let figures = setup.map(|setup| self.figures.refresh(session, setup, &BTreeMap::new()));
        let query = project.base_model.path().map(|path| ModelFiles { path: project.folder.join(path) });
        let summary = query.as_ref().and_then(|query| session.queries.get(query).ready());
        let (path, tokens) = (&mut self.path, &mut self.tokens);
        beside(
            ui,
            context,
            |ui, context| {
                widgets::card(ui, |ui| choice(ui, context, path));
                ui.add_space(space::S);
                match (&project.base_model, &query) {
                    (BaseModel::Compact(compact), _) => shape::card(ui, context, compact, figures),
                    (_, Some(query)) => model(ui, context, query, figures),
                    (_, None) => {}
                }
            },
            |ui, context| tokens.ui(ui, context, summary, setup),
        );
    }
}

/// Which kind of model, and where it lies.
fn choice(ui: &mut Ui, context: &mut Context<'_>, typed: &mut Option<String>) {
    let project = context.session.project();
    widgets::section(ui, "Base model");
    ui.horizontal_wrapped(|ui| {
        let is_compact = matches!(project.base_model, BaseModel::Compact(_));
        let compact = ui.selectable_label(is_compact, "Compact");
        let compact =
            compact.on_hover_text("A small Llama whose only tokens are codes, trained on stage 1 before it is adapted");
        if compact.clicked() && !is_compact {
            edit(context, edits::with_base(project, BaseModel::Compact(Compact::default())), None);
        }
        let near = || project.folder.clone();
        let folder =
            ui.selectable_label(matches!(project.base_model, BaseModel::HuggingFace(_)), "Hugging Face folder…");
        if folder.on_hover_text("config.json with model.safetensors or its shards, and tokenizer.json").clicked() {
            context.actions.push(Action::Browse(desktop::FileDialog::ModelFolder { near: near() }));
        }
        let file = ui.selectable_label(matches!(project.base_model, BaseModel::Gguf(_)), "GGUF file…");
        if file.on_hover_text("One file with weights and tokenizer, as llama.cpp has them").clicked() {
            context.actions.push(Action::Browse(desktop::FileDialog::ModelFile { near: near() }));
        }
    });
    let current = project.base_model.path().map(|path| path.display().to_string()).unwrap_or_default();
    ui.horizontal(|ui| {
        let text = typed.get_or_insert_with(|| current.clone());
        let width = (ui.available_width() - 64.0).max(80.0);
        let field = TextEdit::singleline(text).hint_text("Or type a folder or a .gguf file").desired_width(width);
        let field = ui.add(field);
        widgets::named(ui, &field, "Path of the base model");
        let new = text.trim();
        let is_new = !new.is_empty() && new != current;
        let use_it = ui.add_enabled(is_new, Button::new("Use"));
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if is_new && (use_it.clicked() || entered) {
            edit(context, edits::with_base(project, edits::model_at(expand_home(new))), None);
        }
        // What was typed and not used stays until the project has another model.
        if (!is_new || use_it.clicked() || entered) && !field.has_focus() {
            *typed = None;
        }
    });
}

/// The card of a model that others trained.
fn model(ui: &mut Ui, context: &mut Context<'_>, query: &ModelFiles, figures: Option<&Figures>) {
    match context.session.queries.get(query) {
        Answer::Ready(summary) => card::ui(ui, context, summary, figures),
        Answer::Failed(error) => problem(ui, context, "The base model cannot be used", error, query),
        Answer::Pending | Answer::Cancelled => {
            context.actions.push(Action::compute(query));
            widgets::card(ui, |ui| pending(ui, "Reading the model's headers"));
        }
    }
}
