//! The search for a rank of each module, where stage 1 of a run had one.

use eframe::egui::Ui;

use super::{Reported, SubspacePanel};
use crate::app::panels::{Context, answered};
use crate::app::queries::RunStamp;
use crate::app::queries::subspace::RankSearchOf;
use crate::app::widgets;
use crate::figures::Provenance as _;
use crate::figures::ranks::{front, modules};

/// Which chart of the search is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum RankChart {
    #[default]
    Front,
    Modules,
}

impl RankChart {
    pub(super) const ALL: [Self; 2] = [Self::Front, Self::Modules];

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::Front => "Loss against parameters",
            Self::Modules => "Rank of each module",
        }
    }

    /// What the names of its charts among those of the figure begin with.
    const fn key(self) -> &'static str {
        match self {
            Self::Front => "ranks-front",
            Self::Modules => "ranks-modules",
        }
    }
}

impl SubspacePanel {
    pub(super) fn ranks(&self, ui: &mut Ui, context: &mut Context<'_>, one: Reported<'_>) {
        let query = RankSearchOf { run: RunStamp::of(one.run) };
        let Some(record) = answered(ui, context, &query, "Reading the search for ranks") else { return };
        let Some(record) = record else {
            let advice = "Choose a rank search in the training settings, and run the project";
            widgets::empty_state(ui, "All modules of this run have the same rank", advice);
            return;
        };
        let chart = match self.ranks {
            RankChart::Front => front(record),
            RankChart::Modules => modules(record),
        };
        let mut figure = self.pinned(one);
        figure.options.chart = Some(format!("{}-{}", self.ranks.key(), one.run.id));
        self.show(ui, context, chart.synthetic(context.session.synthetic()), figure);
    }
}
