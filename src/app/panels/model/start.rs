//! What stage 1 begins with: a fresh adapter, or one that PEFT wrote.

use std::path::Path;

use eframe::egui;
use egui::{Grid, RichText, Ui};

use super::card::{FACT, millions};
use super::{edit, pending, problem};
use crate::app::action::Action;
use crate::app::dialogs::desktop;
use crate::app::panels::Context;
use crate::app::queries::Answer;
use crate::app::queries::model::AdapterFiles;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, grouped};
use crate::model::inspect::AdapterSummary;
use crate::model::{LoraShape, Start};
use crate::project::edits::model as edits;

pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>) {
    let project = context.session.project();
    widgets::section(ui, "Start of stage 1");
    ui.horizontal_wrapped(|ui| {
        let is_fresh = project.training.start == Start::Fresh;
        let fresh = ui.selectable_label(is_fresh, "Fresh adapter").on_hover_text("It adds nothing yet");
        if fresh.clicked() && !is_fresh {
            edit(context, edits::with_start(project, Start::Fresh), None);
        }
        let given = ui.selectable_label(!is_fresh, "PEFT adapter…");
        if given.on_hover_text("A folder with adapter_config.json, as Hugging Face PEFT writes it").clicked() {
            context.actions.push(Action::Browse(desktop::FileDialog::AdapterFolder { near: project.folder.clone() }));
        }
    });
    let Some(path) = project.training.start.path() else {
        widgets::remark(ui, "An adapter's folder can also be dropped onto the window");
        return;
    };
    ui.horizontal(|ui| {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        ui.add(egui::Label::new(RichText::new(name).family(theme::semi_bold())).truncate())
            .on_hover_text(path.display().to_string());
        if ui.button("Clear").on_hover_text("Begin with a fresh adapter").clicked() {
            edit(context, edits::with_start(project, Start::Fresh), None);
        }
    });
    ui.horizontal_wrapped(|ui| trains(ui, context, path));
    let query = AdapterFiles { path: project.folder.join(path) };
    match context.session.queries.get(&query) {
        Answer::Ready(adapter) => card(ui, context, adapter),
        Answer::Failed(error) => problem(ui, context, "The adapter cannot be used", error, &query),
        Answer::Pending | Answer::Cancelled => {
            context.actions.push(Action::compute(&query));
            pending(ui, "Reading the adapter");
        }
    }
}

/// Whether stage 1 trains the adapter further.
fn trains(ui: &mut Ui, context: &mut Context<'_>, path: &Path) {
    let project = context.session.project();
    let choices = [
        ("Train it further", Start::Adapter(path.into()), "Stage 1 begins with it"),
        ("Take it as stage 1's", Start::Stage1(path.into()), "Nothing is trained in stage 1, only measured"),
    ];
    for (text, start, help) in choices {
        let on = project.training.start == start;
        if ui.selectable_label(on, text).on_hover_text(help).clicked() && !on {
            edit(context, edits::with_start(project, start), None);
        }
    }
}

fn card(ui: &mut Ui, context: &mut Context<'_>, adapter: &AdapterSummary) {
    Grid::new("adapter").num_columns(2).min_row_height(FACT).spacing([space::M, space::XS]).show(ui, |ui| {
        widgets::fact(ui, "Rank", adapter.rank.to_string());
        widgets::fact(ui, "α", adapter.alpha.to_string());
        widgets::fact(ui, "Parameters", millions(adapter.parameters));
        let modules: Vec<String> = adapter.modules.iter().map(|(name, count)| format!("{name} × {count}")).collect();
        ui.label(RichText::new("Modules").color(theme::tokens(ui).muted));
        ui.add(egui::Label::new(modules.join(", ")).wrap());
        ui.end_row();
        if !adapter.rows.is_empty() {
            let rows: Vec<String> =
                adapter.rows.iter().map(|(table, rows)| format!("{} of {table}", grouped(*rows as u64))).collect();
            widgets::fact(ui, "Token rows", rows.join(", "));
        }
        if let Some(base) = &adapter.base_model {
            widgets::fact(ui, "Trained on", base.as_str());
        }
    });
    let project = context.session.project();
    let lora = project.training.lora;
    let same_scale = (adapter.scale - lora.scale()).abs() <= 1e-9 * lora.scale();
    if adapter.rank == lora.rank && same_scale {
        return;
    }
    let words = format!(
        "⚠ It has rank {} and the factor {} on its update; the project has rank {} and {}",
        adapter.rank,
        adapter.scale,
        lora.rank,
        lora.scale(),
    );
    ui.label(RichText::new(words).color(theme::tokens(ui).warning));
    if ui.button("Take its rank and α").on_hover_text("A run is refused while they differ").clicked() {
        let lora = LoraShape { rank: adapter.rank, alpha: adapter.scale * adapter.rank as f64, ..lora };
        edit(context, edits::with_lora(project, lora), None);
    }
}
