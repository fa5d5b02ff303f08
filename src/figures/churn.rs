//! How far data and predictions change from stage to stage.

use serde::{Deserialize, Serialize};

use super::adapters::{AdapterRun, relative};
use super::options::variant;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::styles::Styled;
use crate::data;
use crate::data::drift::DataDrift;
use crate::plot::series_style::Dash;
use crate::plot::{Axis, Body, Chart, Lines, Point, Series, SeriesStyle};
use crate::results::churn::{ChurnReport, StageChurn};

pub static SPEC: FigureSpec = FigureSpec {
    name: "churn",
    aliases: &[],
    label: "Over stages",
    title: "Drift by stage",
    summary: "How far each stage moves predictions and data",
    tooltip: "How far the data and each method's recommendations move with every stage",
    options: &[],
    alone: false,
    make: Make::Project(|context, options| {
        let runs = context.runs(options)?;
        let mut reports = Vec::new();
        for run in &runs {
            reports.push(Styled { item: context.churn(run)?, style: run.style });
        }
        let moved = runs.iter().filter(|_| options.adapter_moves).filter_map(|run| context.adapters(run));
        let others =
            OtherDrift { data: data_drift(context.data_drift()?), adapters: moved.map(adapter_drift).collect() };
        let chart = over_stages(&reports, variant(options), &others, context.is_synthetic());
        Ok(vec![NamedChart::new("churn", chart.under(context.results.protocol))])
    }),
};

/// How the change of a list is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChurnMeasure {
    /// One less the rank-biased overlap: places at the top weigh more.
    #[default]
    Ranked,
    /// The part of the first ten items that are new.
    TopTen,
}

impl ChurnMeasure {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Ranked, Self::TopTen];

    /// How it reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ranked => "1 − rank-biased overlap",
            Self::TopTen => "New items of the top 10",
        }
    }

    fn of(self, stage: &StageChurn) -> f64 {
        match self {
            Self::Ranked => 1.0 - stage.churn.agreement,
            Self::TopTen => 1.0 - stage.churn.overlap,
        }
    }
}

/// A measure of how far each stage lies from the one before it, from 0 (not at all) to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct StageDrift {
    /// `Items by popularity`.
    pub name: String,
    /// Stage from 2 on, and the measure.
    pub stages: Vec<(usize, f64)>,
}

impl StageDrift {
    /// The name of its line, where it is of the data.
    pub fn data_name(&self) -> String {
        format!("Data: {}", self.name)
    }
}

/// The drift that is drawn beside that of predictions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OtherDrift {
    /// Measures of the data.
    pub data: Vec<StageDrift>,
    /// Moves of adapters.
    pub adapters: Vec<AdapterDrift>,
}

/// The move of the adapters of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterDrift {
    pub drift: StageDrift,
    /// The colour of the run's line, in another rhythm.
    pub style: SeriesStyle,
}

/// Data drift, the move of adapters, and the churn of each run's predictions on one axis of stages.
pub fn over_stages(
    runs: &[Styled<'_, ChurnReport>],
    measure: ChurnMeasure,
    others: &OtherDrift,
    synthetic: bool,
) -> Chart {
    let title = SPEC.title;
    let churn = |&Styled { item: report, style }: &Styled<'_, ChurnReport>| Series {
        name: style.legend_name(&series_name(report, runs)),
        points: report.stages.iter().map(|stage| Point::new(stage.stage as f64, measure.of(stage))).collect(),
        style,
    };
    let points = |drift: &StageDrift| {
        drift.stages.iter().map(|&(stage, value)| Point::new(stage as f64, value)).collect::<Vec<_>>()
    };
    let adapters = others.adapters.iter().map(|AdapterDrift { drift, style }| Series {
        name: drift.name.clone(),
        points: points(drift),
        style: *style,
    });
    let data = others.data.iter().enumerate().map(|(slot, drift)| Series {
        name: drift.data_name(),
        points: points(drift),
        style: SeriesStyle::data(slot),
    });
    let series: Vec<Series> =
        runs.iter().map(churn).chain(adapters).chain(data).filter(|series| !series.points.is_empty()).collect();
    if series.is_empty() {
        let missing = "Nothing is measured twice yet: churn appears when the second stage of a run is tested";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let lines = Lines { x: Axis::whole("Stage"), y: Axis::new("Change, 0 to 1"), series, boundaries: Vec::new() };
    let moves =
        if others.adapters.is_empty() { "" } else { ". Move of ΔW: as a part of what it was, over all modules" };
    let caption = format!(
        "Predictions: {}, of the same tests asked of the newest model that may answer them and of the one before it, mean over test users{moves}",
        lower_first(measure.label())
    );
    let subtitle = Some("How far each stage moves what users see, beside how far the data moved".to_owned());
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, Body::Lines(lines)) }.synthetic(synthetic)
}

/// The experiment's name, with its seed where several of its seeds are shown.
fn series_name(report: &ChurnReport, runs: &[Styled<'_, ChurnReport>]) -> String {
    let several = runs.iter().filter(|other| other.item.experiment == report.experiment).count() > 1;
    if several { format!("{}, seed {}", report.experiment, report.seed) } else { report.experiment.clone() }
}

/// The measures of a dataset's drift that lie between 0 and 1.
pub fn data_drift(drift: &DataDrift) -> Vec<StageDrift> {
    let line = |name: &str, value: &dyn Fn(&data::drift::StageDrift) -> Option<f64>| {
        let later = drift.stages.iter().filter(|stage| stage.stage > 1);
        let stages = later.filter_map(|stage| Some((stage.stage, value(stage)?))).collect();
        StageDrift { name: name.to_owned(), stages }
    };
    vec![
        line("items by popularity", &|stage| Some(stage.from_previous.as_ref()?.item_divergence)),
        line("new items, of interactions", &|stage| Some(stage.new_item_interactions)),
        line("new users", &|stage| Some(stage.new_user_share)),
    ]
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// The move of a run's whole update by stage, as a part of what it was.
pub fn adapter_drift(run: AdapterRun<'_>) -> AdapterDrift {
    let stages = run.report.whole.stages.windows(2).filter_map(|pair| {
        let moved = pair[1].moved.as_ref()?;
        Some((pair[1].stage, relative(moved, pair[0].norm)?))
    });
    let drift = StageDrift { name: format!("{}: move of ΔW", run.name), stages: stages.collect() };
    AdapterDrift { drift, style: SeriesStyle { dash: Dash::Dotted, marker: None, width: 1.75, ..run.style } }
}

#[cfg(test)]
pub(super) mod fixture {
    use crate::measure::Slice;
    use crate::measure::churn::{Churn, SliceChurn};
    use crate::measure::slice_means::SliceMean;
    use crate::measure::slices::Dimension;
    use crate::results::churn::{ChurnReport, StageChurn};

    /// Two stages, and a slice with enough tests beside one with few.
    pub(crate) fn report() -> ChurnReport {
        let stage = |stage, agreement| StageChurn {
            stage,
            new_items: 0.5,
            churn: Churn { tests: 40, overlap: 0.5, agreement, gain: 0.01 },
            most_changed: None,
            slices: Vec::new(),
        };
        let mean = |slice, mean, users: usize| SliceMean {
            dimension: Dimension::User,
            slice,
            users,
            mean,
            interval: None,
            too_few: users < 20,
        };
        let slice = |slice, users| SliceChurn { churn: mean(slice, 0.4, users), gain: mean(slice, -0.02, users) };
        ChurnReport {
            run: "peso-s1".to_owned(),
            experiment: "PESO".to_owned(),
            seed: 1,
            metric: "ndcg@10".to_owned(),
            stages: vec![stage(2, 0.75), stage(3, 0.5)],
            slices: vec![slice(Slice::New, 60), slice(Slice::Dormant, 7)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fixture::report;
    use super::*;
    use crate::figures::adapters::fixture::report as adapters_report;

    #[test]
    fn churn_and_data_drift_share_the_axis_of_stages() {
        let report = report();
        let peso = [Styled { item: &report, style: SeriesStyle::method(0) }];
        let drift = |name: &str, stages| StageDrift { name: name.to_owned(), stages };
        let others = OtherDrift {
            data: vec![drift("new items", vec![(2, 0.1), (3, 0.2)])],
            adapters: vec![AdapterDrift {
                drift: drift("PESO: move of ΔW", vec![(2, 0.3), (3, 0.4)]),
                style: SeriesStyle::curve(0),
            }],
        };
        let chart = over_stages(&peso, ChurnMeasure::Ranked, &others, true);
        let Body::Lines(lines) = &chart.body else { panic!("no lines") };
        let found: Vec<_> = lines.series.iter().map(|series| (series.name.as_str(), series.points[1])).collect();
        let expected = [("PESO", 0.5), ("PESO: move of ΔW", 0.4), ("Data: new items", 0.2)];
        assert_eq!(found, expected.map(|(name, y)| (name, Point::new(3.0, y))));
        let top_ten = over_stages(&peso, ChurnMeasure::TopTen, &OtherDrift::default(), true);
        let Body::Lines(lines) = &top_ten.body else { panic!("no lines") };
        assert_eq!(lines.series[0].points[0], Point::new(2.0, 0.5));
        assert!(matches!(over_stages(&[], ChurnMeasure::Ranked, &OtherDrift::default(), false).body, Body::Empty(_)));
    }

    #[test]
    fn the_move_of_an_update_is_a_part_of_what_it_was() {
        let run = AdapterRun { report: &adapters_report(), name: "PESO", style: SeriesStyle::method(0) };
        assert_eq!(adapter_drift(run).drift.stages, [(2, 0.25)], "0.5 of a norm of 2");
    }
}
