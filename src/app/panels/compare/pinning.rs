//! What makes the chart of the view anew, so that it can stand on the board.

use super::lines::Lines;
use super::{ComparePanel, View};
use crate::figures::FigureOptions;
use crate::figures::matrix::Seeds;
use crate::figures::options::variant_name;
use crate::project::board::PinnedFigure;
use crate::results::comparison::Standing;

impl ComparePanel {
    /// The figure of the view with what is chosen; none where the view has no chart.
    pub(super) fn pinned(&self, lines: &Lines) -> Option<PinnedFigure> {
        let figure = self.view.figure()?;
        let mut options =
            FigureOptions { metric: self.metric.clone(), all_seeds: self.all_seeds, ..FigureOptions::default() };
        match self.view {
            View::Gains => options.baseline.clone_from(&self.baseline),
            View::Table => {
                options.baseline.clone_from(&self.baseline);
                options.more_metrics = self.metrics(lines).split_off(1);
            }
            View::Parallel => options.more_metrics = self.metrics(lines).split_off(1),
            View::Cost => options.chart = Some(self.cost.chart_name()),
            View::Slices => options.slices_of = self.slices_of,
            View::Fairness => {
                options.baseline.clone_from(&self.baseline);
                options.grouping = Some(self.fairness.grouping.to_string());
                options.chart = Some(self.fairness.chart.name().to_owned());
            }
            View::Matrix => {
                let run = |name: &Option<String>| run_of(lines, name.as_ref()?);
                [options.run, options.beside] = self.matrix_lines(lines).each_ref().map(run);
                options.variant = variant_name(Seeds::Mean);
            }
            View::Stages | View::Settings => {}
        }
        if self.table.one_a_method && !matches!(self.view, View::Stages | View::Matrix) {
            let passed = lines.all.iter().zip(&lines.standings).filter(|(_, standing)| **standing == Standing::Passed);
            options.hidden = passed.map(|(line, _)| line.name.clone()).collect();
        }
        Some(PinnedFigure::new(figure.name, options, lines.protocol()))
    }
}

/// What a line's runs are asked for by: the id of one alone, else their experiment.
fn run_of(lines: &Lines, name: &str) -> Option<String> {
    let line = &lines.all[lines.index(name)?];
    let [only] = line.runs.as_slice() else {
        let first = lines.results.runs.iter().find(|run| line.runs.contains(&run.run))?;
        return Some(first.experiment.clone());
    };
    Some(only.clone())
}
