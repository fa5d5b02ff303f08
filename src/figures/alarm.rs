//! The drift alarm: a gambler's capital over the tests in time order, and from where on an update would pay.

use super::options::{FigureOption, variant};
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart, of_run};
use crate::plot::{Axis, Body, Boundary, Chart, Lines, Point, Series, SeriesStyle, Span};
use crate::results::alarm::{DriftAlarm, GroupKind, Watch, usual_run};
use serde::{Deserialize, Serialize};

pub static SPEC: FigureSpec = FigureSpec {
    name: "alarm",
    aliases: &["drift-alarm"],
    label: "Alarm",
    title: "Drift alarm",
    summary: "Whether and since when the model of stage 1 serves its users worse, with a known rate of false alarms",
    tooltip: "From when on the model of stage 1 serves its users worse than at first, so that an update would pay",
    options: &[FigureOption::Confidence, FigureOption::Reference],
    alone: false,
    make: Make::Project(|context, options| {
        let runs = context.runs(options)?;
        // All runs of a seed begin with the same model: one is enough where none is named.
        let folders: Vec<_> = runs.iter().map(|run| run.folder.clone()).collect();
        let usual = usual_run(&folders).map(|folder| folder.config().run.clone());
        let Some(run) = runs.iter().find(|run| Some(run.id()) == usual.as_deref()) else {
            let missing = "No run that adapts the language model is finished: run one to watch the model of stage 1";
            let chart = Chart::empty(SPEC.title, missing).synthetic(context.is_synthetic());
            return Ok(vec![NamedChart::new("alarm", chart)]);
        };
        let chart = match context.alarm(run, options) {
            Ok(alarm) => of_run(chart(&alarm, variant(options)), run),
            // What cannot be watched is told in its place, and keeps no other figure from being made.
            Err(error) => Chart::empty(SPEC.title, error.to_string()).synthetic(context.is_synthetic()),
        };
        Ok(vec![NamedChart::new("alarm", chart)])
    }),
};

/// Whose bets are drawn beside that on all tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Beside {
    #[default]
    Nothing,
    Users,
    Items,
    Codes,
}

impl Beside {
    pub const ALL: [Self; 4] = [Self::Nothing, Self::Users, Self::Items, Self::Codes];

    /// As a choice.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Nothing => "All tests",
            Self::Users => "By users",
            Self::Items => "By items",
            Self::Codes => "By codes",
        }
    }

    const fn kind(self) -> Option<GroupKind> {
        match self {
            Self::Nothing => None,
            Self::Users => Some(GroupKind::Users),
            Self::Items => Some(GroupKind::Items),
            Self::Codes => Some(GroupKind::Codes),
        }
    }
}

/// Points a line has at most, about: more than a screen shows apart.
const MAX_POINTS: usize = 400;

/// The capital over the tests, with stages, the line of the alarm, and a green band from the alarm on.
pub fn chart(alarm: &DriftAlarm, beside: Beside) -> Chart {
    let groups: Vec<_> = alarm.groups.iter().filter(|of| Some(of.group.kind) == beside.kind()).collect();
    let style = |slot| SeriesStyle { marker: None, ..SeriesStyle::method(slot) };
    // A group's line lies higher by the number of groups: drawn as a part of that, all have the same line.
    let correction = (alarm.groups.len().max(1) as f64).log10();
    let of_group = |(slot, of): (usize, &&crate::results::alarm::GroupWatch)| Series {
        name: of.group.name.clone(),
        points: points(&of.watch, correction),
        style: style(slot),
    };
    let mut series =
        vec![Series { name: "All tests".to_owned(), points: points(&alarm.overall, 0.0), style: style(0) }];
    series.extend((1..).zip(&groups).map(of_group));
    let height = alarm.overall.line.log10();
    series.push(Series {
        name: "Alarm".to_owned(),
        points: [1.0, alarm.overall.tests as f64].map(|x| Point::new(x, height)).into(),
        style: SeriesStyle::baseline(0),
    });
    let raised = alarm.overall.alarm.map(|raised| Span {
        from: raised.test as f64,
        to: alarm.overall.tests as f64,
        label: "an update would pay".to_owned(),
    });
    let x = Axis { marked: raised.into_iter().collect(), ..Axis::whole("Test, in time order") };
    let y = Axis::new("Capital, as a power of ten");
    let mut caption = "A gambler bets that targets slip down the lists of the model of stage 1: where nothing changes no bet wins on \
                       average, so much capital means that they do"
        .to_owned();
    if !groups.is_empty() {
        caption.push_str(". Capital of groups is divided by their number");
    }
    for remark in alarm.remarks() {
        caption.push_str(". ");
        caption.push_str(&remark);
    }
    let lines = Lines { x, y, series, boundaries: boundaries(alarm) };
    Chart { subtitle: Some(alarm.sentence()), caption: Some(caption), ..Chart::new(SPEC.title, Body::Lines(lines)) }
        .of("alarm", raised_words(&alarm.overall))
        .under(alarm.protocol)
        .synthetic(alarm.synthetic)
}

fn raised_words(watch: &Watch) -> String {
    watch.alarm.map_or_else(|| "none".to_owned(), |raised| format!("test {} in stage {}", raised.test, raised.stage))
}

/// The path, thinned, lower by `correction`; every line begins at the first test of its reference.
fn points(watch: &Watch, correction: f64) -> Vec<Point> {
    let every = watch.path.len().div_ceil(MAX_POINTS).max(1);
    let last = watch.path.len().saturating_sub(1);
    let crossing = watch.alarm.map(|raised| raised.test);
    let kept = watch
        .path
        .iter()
        .enumerate()
        .filter(|(index, point)| index % every == 0 || *index == last || Some(point.test) == crossing);
    kept.map(|(_, point)| Point::new(point.test as f64, point.capital - correction)).collect()
}

fn boundaries(alarm: &DriftAlarm) -> Vec<Boundary> {
    let starts = alarm.stages.iter().scan(1, |next, stage| {
        let start = *next;
        *next += stage.tests;
        Some((start, stage.stage))
    });
    let label = |stage: usize| match stage == alarm.reference_stage {
        true => format!("Reference: stage {stage}"),
        false => format!("Stage {stage}"),
    };
    starts.map(|(start, stage)| Boundary { x: start as f64, label: label(stage) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Protocol;
    use crate::plot::table;
    use crate::results::alarm::{Group, GroupWatch, PathPoint, Raised, WatchedStage};

    fn watch(line: f64, path: &[f64], alarm: Option<Raised>) -> Watch {
        let path: Vec<PathPoint> = (1..).zip(path).map(|(test, &capital)| PathPoint { test, capital }).collect();
        Watch { line, reference_tests: 2, tests: path.len(), largest: 2.0, alarm, path }
    }

    fn alarm() -> DriftAlarm {
        let raised = Raised { stage: 3, test: 4, began: 3, delay: 2 };
        let group = |kind, name: &str| GroupWatch {
            group: Group { kind, name: name.to_owned() },
            watch: watch(200.0, &[0.0, 0.0, 1.0, 2.0], None),
        };
        DriftAlarm {
            run: "frozen-s1".to_owned(),
            experiment: "Frozen".to_owned(),
            seed: 1,
            protocol: Protocol::SameBlock,
            synthetic: true,
            confidence: 0.95,
            reference_stage: 2,
            stages: [2, 3].map(|stage| WatchedStage { stage, tests: 2, listed: 0.5 }).into(),
            overall: watch(20.0, &[0.0, 0.0, 1.0, 1.5], Some(raised)),
            groups: vec![group(GroupKind::Users, "known users"), group(GroupKind::Codes, "code 1")],
            small_groups: Vec::new(),
        }
    }

    #[test]
    fn the_alarm_is_a_band_to_the_end_and_groups_have_the_same_line() {
        let found = chart(&alarm(), Beside::Users);
        let Body::Lines(lines) = &found.body else { panic!("no lines") };
        let names: Vec<&str> = lines.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["All tests", "known users", "Alarm"]);
        assert_eq!(lines.series[1].points[3], Point::new(4.0, 2.0 - 2f64.log10()), "two groups");
        assert_eq!(lines.series[2].points[0].y, 20f64.log10());
        assert_eq!((lines.x.marked[0].from, lines.x.marked[0].to), (4.0, 4.0));
        let boundaries: Vec<(f64, &str)> = lines.boundaries.iter().map(|b| (b.x, b.label.as_str())).collect();
        assert_eq!(boundaries, [(1.0, "Reference: stage 2"), (3.0, "Stage 3")]);
        assert!(found.subtitle.as_deref().unwrap().starts_with("An update would pay from here: in stage 3"));
        assert!(table::csv(&found).contains("test 4 in stage 3,same-block,All tests,4,1.5,Synthetic data"));
    }

    #[test]
    fn without_an_alarm_nothing_is_marked() {
        let mut alarm = alarm();
        alarm.overall.alarm = None;
        let found = chart(&alarm, Beside::Nothing);
        let Body::Lines(lines) = &found.body else { panic!("no lines") };
        assert!(lines.x.marked.is_empty() && lines.series.len() == 2);
        assert!(found.subtitle.unwrap().starts_with("No alarm"));
    }
}
