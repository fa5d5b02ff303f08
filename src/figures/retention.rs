//! Predicted against measured retention, a point a direction.

use serde::{Deserialize, Serialize};

use super::options::variant;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use crate::analysis::retention::{RetentionReport, cached};
use crate::measure::statistics::quantile;
use crate::plot::{Axis, Body, Chart, Lines, Point, Series, SeriesStyle, scale};
use crate::subspace::retention::{Correlations, Retained};

pub static SPEC: FigureSpec = FigureSpec {
    name: "retention",
    aliases: &[],
    label: "Retention",
    title: "Retention",
    summary: "Predicted against measured retention, as far as `peso retention` has measured it",
    tooltip: "How much of the past is kept in each direction, as theory predicts and as measured",
    options: &[],
    alone: false,
    make: Make::Stage(|_, run, stage, options| {
        let measured = cached(&run.folder, stage);
        Ok(measured.map(|report| retention(&report, &run.name, variant(options))))
    }),
};

/// Which directions are drawn, by how far training without the pull moved along them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Movers {
    /// All that moved far enough to tell what was kept.
    #[default]
    All,
    /// Those that moved at least 10 % as far as the furthest.
    Tenth,
    /// Those that moved at least 30 % as far.
    Third,
}

impl Movers {
    /// All choices.
    pub const ALL: [Self; 3] = [Self::All, Self::Tenth, Self::Third];

    /// How it reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Tenth => "Moved 10 % of the furthest",
            Self::Third => "Moved 30 % of the furthest",
        }
    }

    const fn min_share(self) -> f64 {
        match self {
            Self::All => 0.0,
            Self::Tenth => 0.1,
            Self::Third => 0.3,
        }
    }

    /// The directions that are meant, of those with a measurement. A weight is a share of the squared movement.
    fn of(self, directions: &[Retained]) -> Vec<Retained> {
        let told = || directions.iter().filter(|direction| direction.measured.is_some());
        let furthest = told().map(|direction| direction.weight).fold(0.0, f64::max).sqrt();
        told().filter(|direction| direction.weight.sqrt() >= self.min_share() * furthest).copied().collect()
    }

    /// `All 240 directions`, `The 31 that moved at least 10 % as far as the furthest`.
    fn words(self, count: usize) -> String {
        match self {
            Self::All => format!("All {}", scale::plural(count, "direction")),
            _ => format!("The {count} that moved at least {:.0} % as far as the furthest", 100.0 * self.min_share()),
        }
    }
}

/// Predicted against measured retention, with the line on which both agree. The caption says how both go together over all
/// directions, and over those that moved far.
pub fn retention(report: &RetentionReport, run: &str, movers: Movers) -> Chart {
    let title = format!("{} in stage {}", SPEC.title, report.stage);
    let directions = movers.of(&report.directions);
    let points = |wanted: &dyn Fn(&Retained) -> bool| {
        let wanted = directions.iter().filter(|direction| wanted(direction));
        let mut points: Vec<Point> =
            wanted.filter_map(|direction| Some(Point::new(direction.predicted, direction.measured?))).collect();
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        points
    };
    let all = points(&|_| true);
    let Some(predicted) = scale::Range::of(all.iter().map(|point| point.x)) else {
        let missing = "In no direction did training move far enough to tell what was kept";
        return Chart::empty(title, missing).synthetic(report.synthetic);
    };
    // Directions that carry more of the movement than they would if all carried the same.
    let fair = directions.iter().map(|direction| direction.weight).sum::<f64>() / directions.len() as f64;
    let on_the_line = [predicted.low, predicted.high].map(|value| Point::new(value, value));
    let series = [
        ("Directions that move much", points(&|direction| direction.weight >= fair), SeriesStyle::points(0)),
        ("Directions that move little", points(&|direction| direction.weight < fair), SeriesStyle::points(1)),
        ("As predicted", on_the_line.to_vec(), SeriesStyle::baseline(0)),
    ];
    let series = series.into_iter().filter(|(_, points, _)| !points.is_empty());
    let series = series.map(|(name, points, style)| Series { name: name.to_owned(), points, style }).collect();
    let limits = limits(&all, predicted);
    let y = Axis { limits, ..Axis::new("Measured") };
    let lines = Lines { x: Axis::new("Predicted, λ / (ρ + λ)"), y, series, boundaries: Vec::new() };
    let other = if movers == Movers::All { Movers::Tenth } else { Movers::All };
    let said = [movers, other].map(|movers| correlations(report, movers)).join(". ");
    let beyond = all.iter().filter(|point| limits.is_some_and(|[low, high]| point.y < low || point.y > high)).count();
    let beyond = if beyond == 0 {
        String::new()
    } else {
        format!(". {} beyond the axis, at its ends as triangles", scale::plural(beyond, "direction"))
    };
    let caption = format!("{said}{beyond}. Gradients of {} of {} examples", report.examples, report.of);
    let subtitle = Some(format!("{run}: share of the past that is kept along each direction, λ {}", report.lambda));
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, Body::Lines(lines)) }.synthetic(report.synthetic)
}

/// How prediction and measurement go together over some directions, in words.
fn correlations(report: &RetentionReport, movers: Movers) -> String {
    let found = Correlations::of(&movers.of(&report.directions));
    let number = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| scale::grouped(value, 2));
    format!(
        "{}: Pearson {}, Spearman {}, weighted by movement {} and {}",
        movers.words(found.directions),
        number(found.pearson),
        number(found.spearman),
        number(found.weighted_pearson),
        number(found.weighted_spearman),
    )
}

/// The range of measurements that is drawn where a few lie so far out that the others would be one line: along a direction that
/// hardly moved, a little noise is many times its movement. None where all fit.
fn limits(points: &[Point], predicted: scale::Range) -> Option<[f64; 2]> {
    let mut measured: Vec<f64> = points.iter().map(|point| point.y).collect();
    measured.sort_by(f64::total_cmp);
    let [low, high] = [0.05, 0.95].map(|part| quantile(&measured, part));
    let room = 0.5 * (high - low);
    let inside = |value: &f64| (low - room..=high + room).contains(value);
    if measured.iter().all(inside) {
        return None;
    }
    let kept = measured.iter().copied().filter(inside).chain([predicted.low, predicted.high]);
    let range = scale::Range::of(kept)?.padded(0.06);
    Some([range.low, range.high])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Directions that move much lie near the prediction; two that hardly move lie far out.
    fn report() -> RetentionReport {
        let direction = |index: usize| {
            let predicted = 0.02 * (index + 1) as f64;
            let (measured, weight) = match index {
                3 => (40.0, 1e-7),
                9 => (-25.0, 2e-7),
                _ => (predicted + 0.01 * f64::from(u8::from(index.is_multiple_of(2))), 0.05),
            };
            json!({ "rho": 1.0 / predicted, "predicted": predicted, "measured": measured, "weight": weight })
        };
        let untold = json!({ "rho": 1.0, "predicted": 0.5, "measured": null, "weight": 0.0 });
        let directions: Vec<_> = (0..20).map(direction).chain([untold]).collect();
        let found = json!({
            "run": "peso-s1", "experiment": "PESO", "synthetic": true, "stage": 2, "lambda": 2.0,
            "distance": crate::method::Distance::SoftmaxKl { temperature: 1.0 },
            "aggregation": crate::method::Aggregation::Sum,
            "options": { "examples": 20, "at": "twin" }, "examples": 20, "of": 100, "directions": directions,
            "outside": { "measured": 0.9, "weight": 0.1 },
            "correlations": {
                "directions": 20, "pearson": null, "spearman": null, "weighted_pearson": null, "weighted_spearman": null
            },
            "groups": [], "pull_ratio": null, "movement": { "twin": 1.0, "run": 1.0, "apart": 0.5 },
            "quadratic": {
                "loss_twin": 1.0, "loss_previous": 1.1, "loss_before_stage": 1.2, "previous_token_rows": true,
                "slope": 0.04, "slope_measured": 0.04, "curvature": 0.06, "predicted_rise": 0.1
            },
            "twin": { "best_epoch": 1, "validation_losses": [1.0] }, "best_epoch": 1,
        });
        serde_json::from_value(found).unwrap()
    }

    fn lines(chart: &Chart) -> &Lines {
        match &chart.body {
            Body::Lines(lines) => lines,
            other => panic!("no lines: {other:?}"),
        }
    }

    #[test]
    fn directions_that_hardly_move_do_not_stretch_the_axis_and_are_counted() {
        let chart = retention(&report(), "PESO", Movers::All);
        let [low, high] = lines(&chart).y.limits.unwrap();
        assert!(low > -0.2 && low < 0.02 && high > 0.4 && high < 0.6, "{low} {high}");
        assert_eq!(scale::y_range(lines(&chart)), scale::Range { low, high });
        let points: usize = lines(&chart).series.iter().map(|series| series.points.len()).sum();
        assert_eq!(
            points,
            20 + 2,
            "all that have a measurement are there with their values, and both ends of the line"
        );
        let furthest = lines(&chart).series.iter().flat_map(|series| &series.points).map(|point| point.y);
        assert_eq!(furthest.fold(0.0, f64::max), 40.0);
        let caption = chart.caption.unwrap();
        assert!(caption.contains("2 directions beyond the axis"), "{caption}");
        assert!(
            caption.starts_with("All 20 directions: Pearson") && caption.contains("The 18 that moved at least 10 %")
        );
    }

    #[test]
    fn directions_that_moved_less_are_left_out_when_the_user_wants_that() {
        let chart = retention(&report(), "PESO", Movers::Tenth);
        let lines = lines(&chart);
        assert_eq!((lines.y.limits, lines.series[0].points.len()), (None, 18));
        let caption = chart.caption.unwrap();
        assert!(!caption.contains("beyond the axis"));
        // What is left lies on a line; with the two others it does not.
        let number = |after: &str| {
            let rest = caption.split(after).nth(1).unwrap().split("Pearson ").nth(1).unwrap();
            rest.split(',').next().unwrap().replace('−', "-").parse::<f64>().unwrap()
        };
        assert!(number("The 18 that moved") > 0.9 && number("All 20 directions") < 0.5, "{caption}");
    }
}
