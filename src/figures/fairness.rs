//! Whom every method serves worst: a metric by group of users, the gap between groups over the stages, and what each group gains.

use super::gains::baseline_of;
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::styles::Styled;
use super::words::{better, metric_label};
use crate::data::Grouping;
use crate::error::InputError;
use crate::measure::statistics::p_value_text;
use crate::plot::forest::{Forest, ForestRow};
use crate::plot::{Axis, Band, Better, Body, Chart, Lines, Point, Series, SeriesStyle};
use crate::results::fairness::{Change, FairLine, Fairness};

pub static SPEC: FigureSpec = FigureSpec {
    name: "fairness",
    aliases: &["groups"],
    label: "Fairness",
    title: "Fairness over groups of users",
    summary: "The metric by group of users, the gap between the groups over the stages, and what each group gains",
    tooltip: "Whom every method serves worst, how the gap between groups of users moves, and who gains",
    options: &[FigureOption::Metric, FigureOption::Baseline, FigureOption::Grouping],
    alone: false,
    make: Make::Project(|context, options| {
        let lines = context.lines();
        let grouping = grouping(options.grouping.as_deref())?;
        let Some(baseline) = baseline_of(&lines, options.baseline.as_deref())? else { return Ok(Vec::new()) };
        let (fairness, _) = context.fairness(&options.metric, &lines[baseline].item.name, &grouping)?;
        let shown = styled(&fairness, lines.iter().map(|line| (line.item.name.as_str(), line.style)));
        let (results, basis) = context.compared();
        let report =
            FairnessReport { fairness: &fairness, lines: &shown, metric: &options.metric, grouping: &grouping };
        let charts = report.charts(context.is_synthetic()).into_iter();
        Ok(charts.map(|(name, chart)| NamedChart::new(name, chart.over(basis).under(results.protocol))).collect())
    }),
};

/// The grouping that options name, or the usual one.
///
/// # Errors
/// There is no such grouping.
pub fn grouping(text: Option<&str>) -> Result<Grouping, InputError> {
    let Some(text) = text else { return Ok(Grouping::default()) };
    text.parse().map_err(|problem: String| InputError::new("--group", problem))
}

/// The lines of a report in the styles of lines of the same names.
pub fn styled<'f, 'n>(
    fairness: &'f Fairness,
    styles: impl Iterator<Item = (&'n str, SeriesStyle)>,
) -> Vec<Styled<'f, FairLine>> {
    let line = |(name, style): (&str, SeriesStyle)| {
        let item = fairness.lines.iter().find(|line| line.experiment == name)?;
        Some(Styled { item, style })
    };
    styles.filter_map(line).collect()
}

/// What the charts are made of.
#[derive(Debug, Clone, Copy)]
pub struct FairnessReport<'a> {
    pub fairness: &'a Fairness,
    /// Those that are shown.
    pub lines: &'a [Styled<'a, FairLine>],
    pub metric: &'a str,
    pub grouping: &'a Grouping,
}

/// One of the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FairnessChart {
    #[default]
    Groups,
    Gap,
    Gains,
}

impl FairnessChart {
    pub const ALL: [Self; 3] = [Self::Groups, Self::Gap, Self::Gains];

    /// As a choice.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Groups => "By group",
            Self::Gap => "Gap by stage",
            Self::Gains => "Gains by group",
        }
    }

    /// Among files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Groups => "fairness",
            Self::Gap => "fairness-gap",
            Self::Gains => "fairness-gains",
        }
    }
}

impl FairnessReport<'_> {
    /// All charts with their names; gains only where something has some.
    fn charts(&self, synthetic: bool) -> Vec<(&'static str, Chart)> {
        let kinds = FairnessChart::ALL.into_iter().filter(|kind| {
            *kind != FairnessChart::Gains
                || self.lines.iter().any(|line| line.item.groups.iter().any(|group| group.gain.is_some()))
        });
        kinds.map(|kind| (kind.name(), self.chart(kind, synthetic))).collect()
    }

    /// One chart.
    pub fn chart(&self, kind: FairnessChart, synthetic: bool) -> Chart {
        let chart = match kind {
            FairnessChart::Groups => self.by_group(),
            FairnessChart::Gap => self.gap_by_stage(),
            FairnessChart::Gains => self.gains(),
        };
        chart.of("grouping", self.grouping.to_string()).synthetic(synthetic)
    }

    fn by_group(&self) -> Chart {
        let title = format!("{} by {}", metric_label(self.metric), self.grouping.label());
        let width = (0.7 / self.lines.len().max(1) as f64).min(0.16);
        let series = self.lines.iter().enumerate().map(|(index, &Styled { item: line, style })| {
            let beside = width * (index as f64 - (self.lines.len() - 1) as f64 / 2.0);
            let points = line.groups.iter().enumerate().map(|(at, group)| {
                let spread = group.interval.map(|interval| [interval.low, interval.high]);
                Point { x: at as f64 + beside, y: group.mean, spread }
            });
            let style = SeriesStyle { marker: style.marker.or(Some(style.ink.lone_mark())), ..style };
            Series { name: line.experiment.clone(), points: points.collect(), style }
        });
        let few = |at: usize| self.lines.first().is_some_and(|line| line.item.groups[at].too_few);
        let names = self.fairness.groups.iter().zip(&self.fairness.tests).enumerate().map(|(at, (name, tests))| {
            format!("{name}\nn = {}{}", crate::plot::scale::grouped(*tests as f64, 0), if few(at) { " *" } else { "" })
        });
        let x = Axis::named("Group", names.collect());
        let y = Axis { better: Some(better(self.metric)), ..Axis::new(metric_label(self.metric)) };
        let body = Body::Dots(Lines { x, y, series: series.collect(), boundaries: Vec::new() });
        let mut caption = format!("{}; 95 % intervals", self.grouping.explanation());
        if (0..self.fairness.groups.len()).any(few) {
            caption.push_str(". *: too few tests to say much");
        }
        if self.fairness.unknown > 0 {
            caption.push_str(&format!(". {} tests of users without a group are left out", self.fairness.unknown));
        }
        let chart = Chart { caption: Some(caption), band: Some(Band::Interval95), ..Chart::new(title, body) };
        Chart { subtitle: self.served_worst(), ..chart }
    }

    /// Whom the lines serve worst, in words.
    fn served_worst(&self) -> Option<String> {
        let gaps = || self.lines.iter().filter_map(|line| line.item.gap);
        let sure: Vec<_> = gaps().filter(|gap| gap.p_corrected <= 0.05).collect();
        let lines = gaps().count();
        if lines == 0 {
            return None;
        }
        let Some(first) = sure.first() else {
            return Some("No line serves one group worse than another by more than chance makes".to_owned());
        };
        let same = sure.iter().filter(|gap| gap.worst == first.worst).count();
        Some(format!(
            "“{}” is served worst by {same} of {lines} lines, by more than chance makes",
            self.fairness.groups[first.worst]
        ))
    }

    fn gap_by_stage(&self) -> Chart {
        let title = format!("Gap in {} between groups by {}", metric_label(self.metric), self.grouping.label());
        let series = self.lines.iter().map(|&Styled { item: line, style }| {
            let point = |stage: &crate::results::fairness::StageGap| {
                let interval = stage.gap.interval;
                Point { x: stage.stage as f64, y: stage.gap.gap, spread: Some([interval.low, interval.high]) }
            };
            Series { name: line.experiment.clone(), points: line.stages.iter().map(point).collect(), style }
        });
        let series: Vec<Series> = series.filter(|series| !series.points.is_empty()).collect();
        if series.is_empty() {
            return Chart::empty(title, "No stage has two groups with 20 tests or more");
        }
        let y = Axis { better: Some(Better::Lower), ..Axis::new("Gap between groups") };
        let body = Body::Lines(Lines { x: Axis::whole("Stage"), y, series, boundaries: Vec::new() });
        let wide = |change: &Change| change.p_corrected <= 0.05;
        let changed: Vec<String> = self
            .lines
            .iter()
            .filter_map(|line| Some((line.item, line.item.change.filter(wide)?)))
            .map(|(line, change)| {
                let word = if change.difference > 0.0 { "wider" } else { "narrower" };
                let p = p_value_text(change.p_corrected);
                format!("{} by {:.4} {word} (p {p})", line.experiment, change.difference.abs())
            })
            .collect();
        let against = self.fairness.baseline.as_deref().map(|baseline| match changed.as_slice() {
            [] => format!("no gap over all stages differs from that of {baseline} by more than chance makes"),
            changed => format!("over all stages, against {baseline}: {}", changed.join(", ")),
        });
        let caption =
            ["Bands are 95 % intervals over the test users, whom chance alone sets apart a little", "0 is equal"];
        let caption = caption.map(str::to_owned).into_iter().chain(against.map(|words| capital(&words)));
        let caption = caption.collect::<Vec<_>>().join(". ");
        Chart { caption: Some(caption), band: Some(Band::Interval95), ..Chart::new(title, body) }
    }

    fn gains(&self) -> Chart {
        let baseline = self.fairness.baseline.clone().unwrap_or_default();
        let title = format!("Gain in {} over {baseline} by {}", metric_label(self.metric), self.grouping.label());
        let rows = self.lines.iter().flat_map(|&Styled { item: line, style }| {
            let of_group = move |(group, name): (&crate::results::fairness::GroupMean, &String)| {
                let gain = group.gain?;
                let sure = gain.p_corrected <= 0.05;
                let mark = match (sure, gain.difference > 0.0) {
                    (true, true) => " ▲",
                    (true, false) => " ▼",
                    _ => "",
                };
                let does = if gain.difference >= 0.0 { "gains" } else { "loses" };
                let p = p_value_text(gain.p_corrected);
                Some(ForestRow {
                    name: format!("{}: {name}", line.experiment),
                    style,
                    value: Some(gain.difference),
                    interval: Some([gain.interval.low, gain.interval.high]),
                    words: format!("{:+.4}{mark}", gain.difference).replace('-', "−"),
                    sentence: format!(
                        "“{name}” {does} {:.4} with {} (corrected p {p})",
                        gain.difference.abs(),
                        line.experiment
                    ),
                })
            };
            line.groups.iter().zip(&self.fairness.groups).filter_map(of_group)
        });
        let rows: Vec<ForestRow> = rows.collect();
        if rows.is_empty() {
            return Chart::empty(title, format!("Only {baseline} is shown: a gain needs a second method"));
        }
        let single = self.lines.iter().any(|line| line.item.seeds == 1);
        let alone =
            if single { ". Of a single seed they are over users alone, and say nothing of other seeds" } else { "" };
        let caption = format!(
            "Bars are 95 % intervals over test users and seeds; ▲ or ▼ where the p-value, corrected by Holm over {} gains, is at most .05{alone}",
            rows.len()
        );
        let x = Axis::new(format!("Gain in {}", metric_label(self.metric)));
        let chart = Chart::new(title, Body::Forest(Forest { x, rows }));
        Chart { caption: Some(caption), band: Some(Band::Interval95), ..chart }.of("baseline", baseline)
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::statistics::Interval;
    use crate::plot::table;
    use crate::results::fairness::{Gap, GroupMean, StageGap};

    fn interval(middle: f64) -> Interval {
        Interval { low: middle - 0.01, high: middle + 0.01, level: 0.95 }
    }

    fn line(name: &str, means: [f64; 2], gain: Option<f64>) -> FairLine {
        let group = |mean: f64| GroupMean {
            mean,
            interval: Some(interval(mean)),
            too_few: false,
            gain: gain.map(|difference| Change { difference, interval: interval(difference), p_corrected: 0.01 }),
        };
        let gap = Gap { best: 0, worst: 1, gap: means[0] - means[1], interval: interval(0.1), p_corrected: 0.02 };
        FairLine {
            experiment: name.to_owned(),
            seeds: 1,
            groups: means.map(group).to_vec(),
            gap: Some(gap),
            change: gain.map(|difference| Change { difference, interval: interval(difference), p_corrected: 0.03 }),
            stages: vec![StageGap { stage: 2, gap }],
        }
    }

    #[test]
    fn the_charts_say_whom_who_and_by_how_much() {
        let fairness = Fairness {
            groups: vec!["mainstream".to_owned(), "niche".to_owned()],
            tests: vec![1200, 30],
            unknown: 3,
            baseline: Some("Single".to_owned()),
            lines: vec![line("Single", [0.3, 0.2], None), line("PESO", [0.3, 0.25], Some(-0.05))],
        };
        let styles = ["Single", "PESO"].map(|name| (name, SeriesStyle::method(0)));
        let shown = styled(&fairness, styles.into_iter());
        let report =
            FairnessReport { fairness: &fairness, lines: &shown, metric: "hit@10", grouping: &Grouping::Taste };
        let chart = |kind| report.chart(kind, false);
        let groups = chart(FairnessChart::Groups);
        assert_eq!(
            groups.subtitle.as_deref(),
            Some("“niche” is served worst by 2 of 2 lines, by more than chance makes")
        );
        assert!(groups.caption.unwrap().contains("3 tests of users without a group are left out"));
        let Body::Dots(dots) = &groups.body else { panic!() };
        assert_eq!(dots.x.names, ["mainstream\nn = 1200", "niche\nn = 30"]);
        let gap = chart(FairnessChart::Gap);
        assert!(
            gap.caption
                .clone()
                .unwrap()
                .ends_with("Over all stages, against Single: PESO by 0.0500 narrower (p 0.0300)"),
            "{gap:?}"
        );
        let csv = table::csv(&chart(FairnessChart::Gains));
        assert!(csv.contains("“niche” loses 0.0500 with PESO"), "{csv}");
        assert!(csv.lines().nth(1).unwrap().contains("taste"), "{csv}");
        assert_eq!(report.charts(false).len(), 3);
        assert!(grouping(Some("nothing")).is_err());
    }
}
