//! A run that needs the user: why it ended, and what can be done.

use eframe::egui;
use egui::{Align, Layout, RichText, Ui};

use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::session::{Origin, Row, RowState};
use crate::app::watch::RunView;
use crate::app::{theme, widgets};
use crate::run::Status;

/// A run that needs the user: why it ended, and what can be done.
pub(super) struct Concern {
    id: String,
    title: String,
    reason: String,
}

/// What a row needs, if it needs anything.
pub(super) fn concern(row: &Row, context: &Context<'_>) -> Option<Concern> {
    let failed = |run: &RunView| run.status == Status::Failed;
    let words = context.session.last_words.get(&row.key);
    let wanted = context.session.selected.is_empty() || context.session.selected.contains(&row.id);
    if !wanted || row.origin == Origin::Earlier || matches!(row.state, RowState::Queued | RowState::Starting) {
        return None;
    }
    let reason: String = match &row.run {
        Some(run) if failed(run) => run.reason.clone().or_else(|| words.cloned()),
        Some(run) if run.status == Status::Stopped => words.cloned(),
        Some(_) => None,
        None => words.cloned(),
    }?;
    Some(Concern {
        id: row.id.clone(),
        title: format!("{}, seed {} did not finish", row.key.experiment, row.key.seed),
        reason: widgets::sentence(&reason),
    })
}

impl Concern {
    /// Draws it below the table.
    pub(super) fn ui(&self, ui: &mut Ui, context: &mut Context<'_>) {
        let tokens = theme::tokens(ui);
        egui::Frame::new()
            .fill(tokens.error.gamma_multiply(0.08))
            .stroke((1.0, tokens.error.gamma_multiply(0.5)))
            .corner_radius(theme::RADIUS)
            .inner_margin(egui::Margin::symmetric(10, 6))
            .show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.colored_label(tokens.error, "⚠");
                    ui.label(RichText::new(&self.title).family(theme::semi_bold()));
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        if ui.button("Run again").on_hover_text("Goes on from the last saved state").clicked() {
                            context.actions.push(Action::Run(vec![self.id.clone()]));
                        }
                    });
                });
                let last: Vec<&str> = self.reason.lines().rev().take(2).collect();
                let text = last.into_iter().rev().collect::<Vec<_>>().join("\n");
                ui.add(egui::Label::new(RichText::new(text).color(tokens.muted)).truncate())
                    .on_hover_text(&self.reason);
            });
    }
}
