//! Drift as charts: how far data and predictions change from stage to stage, and which users see the change.

use super::comparison::metric_label;
use crate::data;
use crate::data::drift::DataDrift;
use crate::measure::churn::SliceChurn;
use crate::plot::{Axis, Body, Chart, Lines, Point, Series, SeriesStyle, scale};
use crate::results::churn::{ChurnReport, StageChurn};

/// How the change of a list is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
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

/// What is drawn beside predictions.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Beside {
    /// Measures of the data.
    pub data: Vec<StageDrift>,
    /// Moves of adapters, with the looks of their lines.
    pub adapters: Vec<(StageDrift, SeriesStyle)>,
}

/// Data drift, the move of adapters, and the churn of each run's predictions on one axis of stages.
pub fn over_stages(
    runs: &[(&ChurnReport, SeriesStyle)],
    measure: ChurnMeasure,
    beside: &Beside,
    synthetic: bool,
) -> Chart {
    let title = "Drift by stage";
    let churn = |(report, look): &(&ChurnReport, SeriesStyle)| Series {
        name: series_name(report, runs),
        points: report.stages.iter().map(|stage| Point::new(stage.stage as f64, measure.of(stage))).collect(),
        look: *look,
    };
    let points = |drift: &StageDrift| {
        drift.stages.iter().map(|&(stage, value)| Point::new(stage as f64, value)).collect::<Vec<_>>()
    };
    let adapters = beside.adapters.iter().map(|(drift, look)| (drift.name.clone(), points(drift), *look));
    let data = beside.data.iter().enumerate();
    let data = data.map(|(slot, drift)| (format!("Data: {}", drift.name), points(drift), SeriesStyle::data(slot)));
    let others = adapters.chain(data).map(|(name, points, look)| Series { name, points, look });
    let series: Vec<Series> = runs.iter().map(churn).chain(others).filter(|series| !series.points.is_empty()).collect();
    if series.is_empty() {
        let missing = "Nothing is measured twice yet: churn appears when the second stage of a run is tested";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let lines = Lines { x: Axis::whole("Stage"), y: Axis::new("Change, 0 to 1"), series, boundaries: Vec::new() };
    let moves =
        if beside.adapters.is_empty() { "" } else { ". Move of ΔW: as a part of what it was, over all modules" };
    let caption = format!(
        "Predictions: {}, of the same tests asked of the newest model that may answer them and of the one before it, mean over test users{moves}",
        lower_first(measure.label())
    );
    let subtitle = Some("How far each stage moves what users see, beside how far the data moved".to_owned());
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, Body::Lines(lines)) }.synthetic(synthetic)
}

/// The experiment's name, with its seed where several of its seeds are shown.
fn series_name(report: &ChurnReport, runs: &[(&ChurnReport, SeriesStyle)]) -> String {
    let several = runs.iter().filter(|(other, _)| other.experiment == report.experiment).count() > 1;
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

/// Churn against gain, a point a slice: who sees other lists, and whether they are better ones.
pub fn by_slice(report: &ChurnReport, synthetic: bool) -> Chart {
    let title = format!("Who is affected: {}", report.experiment);
    let enough: Vec<&SliceChurn> = report.slices.iter().filter(|slice| !slice.churn.too_few).collect();
    if enough.is_empty() {
        let missing = if report.slices.is_empty() {
            "No slices yet: they appear when the second stage of the run is tested"
        } else {
            "Every slice has fewer than 20 tests, too few to say anything of"
        };
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let point = |(slot, slice): (usize, &&SliceChurn)| {
        let spread = slice.gain.interval.map(|interval| [interval.low, interval.high]);
        Series {
            name: format!("{} {}", dimension_words(slice), slice.churn.slice.key()),
            points: vec![Point { x: slice.churn.mean, y: slice.gain.mean, spread }],
            look: SeriesStyle::method(slot),
        }
    };
    let series = enough.iter().enumerate().map(point).collect();
    let y = Axis::new(format!("Gain in {}", metric_label(&report.metric)));
    let lines = Lines { x: Axis::new(ChurnMeasure::Ranked.label()), y, series, boundaries: Vec::new() };
    let few = report.slices.len() - enough.len();
    let left_out = if few > 0 {
        format!(". {} with fewer than 20 tests left out", scale::plural(few, "slice"))
    } else {
        String::new()
    };
    let caption = format!(
        "Right: lists changed more. Up: they are better than those of the model before. All stages from 2 on, 95 % bootstrap intervals over test users{left_out}"
    );
    let subtitle = Some("Change of the lists against what it brought, by kind of user and target".to_owned());
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, Body::Scatter(lines)) }.synthetic(synthetic)
}

fn dimension_words(slice: &SliceChurn) -> &'static str {
    use crate::measure::slices::Dimension;
    match slice.churn.dimension {
        Dimension::User => "User",
        Dimension::Target => "Target",
        Dimension::Popularity => "Popularity",
        Dimension::History => "History",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Slice;
    use crate::measure::churn::Churn;
    use crate::measure::slice_means::SliceMean;
    use crate::measure::slices::Dimension;

    fn report() -> ChurnReport {
        let stage =
            |stage, agreement| StageChurn { stage, churn: Churn { tests: 40, overlap: 0.5, agreement, gain: 0.01 } };
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

    #[test]
    fn churn_and_data_drift_share_the_axis_of_stages() {
        let report = report();
        let drift = |name: &str, stages| StageDrift { name: name.to_owned(), stages };
        let beside = Beside {
            data: vec![drift("new items", vec![(2, 0.1), (3, 0.2)])],
            adapters: vec![(drift("PESO: move of ΔW", vec![(2, 0.3), (3, 0.4)]), SeriesStyle::curve(0))],
        };
        let chart = over_stages(&[(&report, SeriesStyle::method(0))], ChurnMeasure::Ranked, &beside, true);
        let Body::Lines(lines) = &chart.body else { panic!("no lines") };
        let found: Vec<_> = lines.series.iter().map(|series| (series.name.as_str(), series.points[1])).collect();
        let expected = [("PESO", 0.5), ("PESO: move of ΔW", 0.4), ("Data: new items", 0.2)];
        assert_eq!(found, expected.map(|(name, y)| (name, Point::new(3.0, y))));
        let top_ten = over_stages(&[(&report, SeriesStyle::method(0))], ChurnMeasure::TopTen, &Beside::default(), true);
        let Body::Lines(lines) = &top_ten.body else { panic!("no lines") };
        assert_eq!(lines.series[0].points[0], Point::new(2.0, 0.5));
        assert!(matches!(over_stages(&[], ChurnMeasure::Ranked, &Beside::default(), false).body, Body::Empty(_)));
    }

    #[test]
    fn slices_of_few_tests_are_left_out_and_counted() {
        let chart = by_slice(&report(), false);
        let Body::Scatter(points) = &chart.body else { panic!("no points") };
        assert_eq!(points.series.len(), 1);
        assert_eq!((points.series[0].name.as_str(), points.series[0].points[0].y), ("User new", -0.02));
        assert!(chart.caption.unwrap().contains("1 slice with fewer than 20 tests left out"));
        let none = ChurnReport { slices: Vec::new(), ..report() };
        assert!(matches!(by_slice(&none, false).body, Body::Empty(_)));
    }
}
