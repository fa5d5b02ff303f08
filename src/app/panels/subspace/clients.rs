//! What clients did in runs that they trained: their directions against the server's, and the rounds.

use std::sync::Arc;

use eframe::egui::Ui;

use super::super::{Context, answered, run_label, styles};
use super::{Reported, SubspacePanel};
use crate::app::queries::RunStamp;
use crate::app::queries::subspace::{ClientDirections, Rounds};
use crate::app::watch::RunView;
use crate::figures::rounds::RunRounds;
use crate::figures::{Provenance as _, clients, rounds};
use crate::plot::Chart;
use crate::plot::series_style::SeriesStyle;

impl SubspacePanel {
    /// The clients of the stage's last round.
    pub(super) fn clients(&self, ui: &mut Ui, context: &mut Context<'_>, runs: &[&Arc<RunView>], one: Reported<'_>) {
        let (name, synthetic) = (run_label(one.run, runs), context.session.synthetic());
        let query = ClientDirections { run: RunStamp::until(one.run, one.stage), stage: one.stage, side: one.side };
        let what = format!("Comparing the clients of {name}");
        let Some(found) = answered(ui, context, &query, &what) else { return };
        let chart = match found {
            Some(found) => clients::clients(found, &name, one.stage, one.side, synthetic),
            None => {
                let missing = if context.session.project().read_only {
                    "A bundle of results leaves out what single clients sent".to_owned()
                } else {
                    format!("No client sent anything in the last round of stage {} of {name}", one.stage)
                };
                Chart::empty(clients::SPEC.title, missing).synthetic(synthetic)
            }
        };
        self.show(ui, context, chart, self.pinned(one));
    }

    /// The rounds of all runs that clients trained.
    pub(super) fn rounds(&self, ui: &mut Ui, context: &mut Context<'_>, runs: &[&Arc<RunView>]) {
        let styles = styles(context.session);
        let mut read = Vec::new();
        let mut asked = false;
        for run in runs {
            let query = Rounds { run: RunStamp::of(run) };
            let name = run_label(run, runs);
            if let Some(stages) = context.session.queries.get(&query).ready() {
                let style = styles.get(&run.id).copied().unwrap_or(SeriesStyle::baseline(0));
                read.push(RunRounds { name, style, stages: stages.clone() });
            } else if !asked {
                asked = true;
                answered(ui, context, &query, &format!("Reading the rounds of {name}"));
            }
        }
        let chart = rounds::rounds(&read, self.charted, context.session.synthetic());
        self.show(ui, context, chart, self.pinned_rounds());
    }
}
