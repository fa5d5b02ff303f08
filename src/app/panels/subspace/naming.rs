//! What the arrows of a module mean, stage by stage: looked up in the runs' folders, and computed where the user wants it.

use eframe::egui;
use egui::Ui;

use super::super::Context;
use super::Reported;
use crate::analysis::meaning::MeaningReport;
use crate::app::action::Action;
use crate::app::queries::analyses::{AnalysisSource, Meaning};
use crate::app::queries::{Answer, Queries, RunStamp};
use crate::app::session::Session;
use crate::app::widgets;
use crate::subspace::Side;

/// The meanings of all stages of the shown runs, as far as they are known: by run, then stage.
pub(super) type Known<'s> = Vec<Vec<(usize, Option<&'s MeaningReport>)>>;

/// Whether the meanings are being computed, one stage after the other.
#[derive(Debug, Default)]
pub(super) struct Naming {
    computes: bool,
}

fn query(of: &Reported<'_>, stage: usize, source: AnalysisSource) -> Meaning {
    Meaning { run: RunStamp::until(of.run, stage), stage, module: of.module.to_owned(), source }
}

fn known<'q>(queries: &'q Queries, of: &Reported<'_>, stage: usize) -> Option<&'q MeaningReport> {
    let answer = |source| queries.get(&query(of, stage, source)).ready();
    answer(AnalysisSource::Computed).or_else(|| answer(AnalysisSource::Cached))
}

/// What is known of the meanings of all stages of the shown runs.
pub(super) fn known_meanings<'s>(session: &'s Session, shown: &[Reported<'_>]) -> Known<'s> {
    let of_run = |of: &Reported<'_>| {
        of.report.stages.iter().map(|&stage| (stage, known(&session.queries, of, stage))).collect::<Vec<_>>()
    };
    shown.iter().map(of_run).collect()
}

impl Naming {
    /// Has looked up what is not known, offers to compute what is not there, and says how far that is.
    pub(super) fn ui(&mut self, ui: &mut Ui, context: &mut Context<'_>, shown: &[Reported<'_>], found: &Known<'_>) {
        let queries = &context.session.queries;
        let missing: Vec<(&Reported<'_>, usize)> = shown
            .iter()
            .zip(found)
            .flat_map(|(of, stages)| {
                stages.iter().filter(|(_, known)| known.is_none()).map(move |(stage, _)| (of, *stage))
            })
            .collect();
        let looked_up = |(of, stage): &(&Reported<'_>, usize)| {
            matches!(queries.get(&query(of, *stage, AnalysisSource::Cached)), Answer::Cancelled | Answer::Failed(_))
        };
        if let Some((of, stage)) = missing.iter().find(|missing| !looked_up(missing)) {
            context.actions.push(Action::compute(&query(of, *stage, AnalysisSource::Cached)));
            return;
        }
        self.computes &= !missing.is_empty();
        // Only one side of a module can be read as items: what it writes into the stream between layers, or reads from it.
        let writes = shown.first().is_some_and(|of| of.module.ends_with("o_proj") || of.module.ends_with("down_proj"));
        let readable = shown.first().is_some_and(|of| writes == (of.side != Side::Right));
        let Some((of, stage)) = missing.first().filter(|_| readable) else { return };
        let computed = query(of, *stage, AnalysisSource::Computed);
        if !self.computes {
            let help = "Reads the directions of every stage as items and writes what the leading ones mean beside them. \
                        Takes seconds a stage for small models, and is kept";
            if ui.button("Name the arrows").on_hover_text(help).clicked() {
                self.computes = true;
                context.actions.push(Action::retry(&computed));
            }
            return;
        }
        match queries.get(&computed) {
            Answer::Failed(error) => {
                widgets::remark(ui, widgets::sentence(&error.to_string()));
                self.computes = false;
            }
            Answer::Cancelled => self.computes = false,
            Answer::Pending | Answer::Ready(_) => {
                ui.spinner();
                widgets::remark(ui, format!("Reading what stage {stage} means, {} to go", missing.len()));
                context.actions.push(Action::compute(&computed));
            }
        }
    }
}
