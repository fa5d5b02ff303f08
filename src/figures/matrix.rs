//! `R[i,j]` as a heat map: what a model keeps of earlier stages and already knows of later ones.

use serde::{Deserialize, Serialize};

use super::context::{FigureContext, FigureRun};
use super::options::{FigureOption, variant};
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart, of_run};
use super::words::{better, experiment_label, is_baseline, metric_label};
use crate::plot::{Axis, Body, Chart, HeatMap, Panel};
use crate::results::RunResult;
use crate::run::Status;

pub static SPEC: FigureSpec = FigureSpec {
    name: "matrix",
    aliases: &[],
    label: "Matrix",
    title: "R[i,j]",
    summary: "`R[i, j]` of every run",
    tooltip: "A method tested on every stage after every stage: what it keeps and what it forgets",
    options: &[FigureOption::Metric],
    alone: false,
    make: Make::Project(|context, options| {
        let sourced = |chart: Chart| chart.synthetic(context.is_synthetic()).under(context.results.protocol);
        if variant::<Seeds>(options) == Seeds::Mean {
            let lines: Vec<_> =
                [&options.run, &options.beside].into_iter().flatten().map(|name| line(context, name)).collect();
            return Ok(vec![NamedChart::new("matrix-mean", sourced(matrices(&lines, &options.metric)))]);
        }
        let chart = |run: &FigureRun| {
            let chart = sourced(matrix(context.result(run)?, &options.metric));
            Some(NamedChart::new(format!("matrix-{}", run.id()), of_run(chart, run)))
        };
        Ok(context.runs(options)?.into_iter().filter_map(chart).collect())
    }),
};

/// What becomes of a line's seeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Seeds {
    /// Each run has a matrix of its own.
    #[default]
    Apart,
    /// A matrix is the mean over the runs of a line.
    Mean,
}

/// The results of a run, or of the runs of an experiment, under their name.
fn line<'r>(context: &'r FigureContext<'_>, name: &str) -> (String, Vec<&'r RunResult>) {
    let runs: Vec<&RunResult> =
        context.results.runs.iter().filter(|run| run.run == name || run.experiment == name).collect();
    (runs.first().map_or_else(|| name.to_owned(), |run| experiment_label(run)), runs)
}

/// `R[i,j]` of one run: `metric` on the test set of stage j (columns) after training stage i (rows).
pub fn matrix(run: &RunResult, metric: &str) -> Chart {
    let title = format!("{} of {} on every stage", metric_label(metric), experiment_label(run));
    let Some(map) = heat_map(&[run], metric) else { return nothing(title, metric) };
    let unfinished = if run.status == Status::Finished { "" } else { ", unfinished" };
    let subtitle = Some(format!("Seed {}{unfinished}", run.seed)).filter(|_| !is_baseline(run));
    Chart { subtitle, ..Chart::new(title, Body::HeatMap(map)) }
}

/// `R[i,j]` of lines of a comparison, each a name with its runs: the mean over their seeds, side by side in common colours.
pub fn matrices(lines: &[(String, Vec<&RunResult>)], metric: &str) -> Chart {
    let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
    let title = format!("{} of {} on every stage", metric_label(metric), names.join(" and "));
    let mut panels: Vec<Panel> = lines
        .iter()
        .filter_map(|(name, runs)| Some(Panel { name: name.clone(), map: heat_map(runs, metric)? }))
        .collect();
    let seeds = lines.iter().filter(|(_, runs)| !runs.iter().all(|run| is_baseline(run))).map(|(_, runs)| runs.len());
    let seeds: Vec<String> = seeds.map(|count| count.to_string()).collect();
    let subtitle = (!seeds.is_empty()).then(|| format!("Mean over seeds (n = {})", seeds.join(" and ")));
    let body = match panels.len() {
        0 => return nothing(title, metric),
        1 => Body::HeatMap(panels.remove(0).map),
        _ => Body::HeatMaps(panels),
    };
    Chart { subtitle, ..Chart::new(title, body) }
}

fn nothing(title: String, metric: &str) -> Chart {
    Chart::empty(title, format!("No stage of this run has a measured {} yet", metric_label(metric)))
}

/// The mean of each cell over `runs`; a cell that some run has not measured stays open. None where nothing is measured.
fn heat_map(runs: &[&RunResult], metric: &str) -> Option<HeatMap> {
    let matrices: Vec<&[Vec<f64>]> =
        runs.iter().map(|run| run.matrix.get(metric).map(Vec::as_slice).unwrap_or_default()).collect();
    let rows = matrices.iter().map(|rows| rows.len()).max()?;
    let columns = matrices.iter().flat_map(|rows| rows.iter().map(Vec::len)).max().filter(|&columns| columns > 0)?;
    let cell = |row: usize, column: usize| {
        let values = matrices.iter().map(|rows| rows.get(row)?.get(column).copied().filter(|value| value.is_finite()));
        let values: Option<Vec<f64>> = values.collect();
        values.map(|values| values.iter().sum::<f64>() / values.len() as f64)
    };
    Some(HeatMap {
        row_label: "After training stage".to_owned(),
        rows: (1..=rows).map(|stage| stage.to_string()).collect(),
        column_label: "Tested on stage".to_owned(),
        columns: (1..=columns).map(|stage| stage.to_string()).collect(),
        value: Axis { better: Some(better(metric)), ..Axis::new(metric_label(metric)) },
        values: (0..rows).map(|row| (0..columns).map(|column| cell(row, column)).collect()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::run::Status;

    fn run(seed: u64, matrix: Vec<Vec<f64>>) -> RunResult {
        RunResult {
            run: format!("a-s{seed}"),
            experiment: "a".to_owned(),
            method: "peso".to_owned(),
            seed,
            status: Status::Finished,
            matrix: BTreeMap::from([("hit@10".to_owned(), matrix)]),
            ..RunResult::default()
        }
    }

    #[test]
    fn a_matrix_keeps_what_was_not_measured_open() {
        let chart = matrix(&run(3, vec![vec![0.3], vec![0.2, f64::NAN]]), "hit@10");
        let Body::HeatMap(map) = &chart.body else { panic!("no heat map") };
        assert_eq!(map.values, [[Some(0.3), None], [Some(0.2), None]]);
        assert_eq!(map.columns, ["1", "2"]);
        assert_eq!(chart.subtitle.as_deref(), Some("Seed 3"));
        assert!(matches!(matrix(&run(3, Vec::new()), "hit@10").body, Body::Empty(_)));
    }

    #[test]
    fn lines_stand_side_by_side_as_means_over_their_seeds() {
        let (one, other) = (run(1, vec![vec![0.2, 0.4]]), run(2, vec![vec![0.4, f64::NAN]]));
        let lines = [("both".to_owned(), vec![&one, &other]), ("one".to_owned(), vec![&one])];
        let chart = matrices(&lines, "hit@10");
        let Body::HeatMaps(panels) = &chart.body else { panic!("no heat maps") };
        assert_eq!(panels.iter().map(|panel| panel.name.as_str()).collect::<Vec<_>>(), ["both", "one"]);
        let value = panels[0].map.values[0][0].unwrap();
        assert!((value - 0.3).abs() < 1e-12 && panels[0].map.values[0][1].is_none());
        assert_eq!(panels[1].map.values, [[Some(0.2), Some(0.4)]]);
        assert_eq!(chart.subtitle.as_deref(), Some("Mean over seeds (n = 2 and 1)"));
        assert!(matches!(matrices(&lines[1..], "hit@10").body, Body::HeatMap(_)));
    }
}
