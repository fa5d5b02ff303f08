//! Interactions over time with the stages that they are cut into, and by stage where there are no times.

use super::context::FigureContext;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use crate::data::activity::ByStage;
use crate::data::prepare::PrepareReport;
use crate::data::{Timeline, UserGroup};
use crate::error::InputError;
use crate::plot::bars::{Band, Bar, Bars, Part};
use crate::plot::scale::grouped;
use crate::plot::series_style::{Ink, Tone};
use crate::plot::{Axis, Body, Chart, Ticks};

pub static SPEC: FigureSpec = FigureSpec {
    name: "timeline",
    aliases: &["stages"],
    label: "Timeline",
    title: "Interactions over time and by stage",
    summary: "How many interactions there are over time with the cuts between stages, or in each stage where there are no times",
    tooltip: "The interactions, and how they are cut into stages",
    options: &[],
    alone: false,
    make: Make::Data(|context| match context.project().read_only {
        true => Ok(Vec::new()),
        false => Ok(vec![NamedChart::new("timeline", timeline(context)?)]),
    }),
};

/// As the data view has it.
fn timeline(context: &FigureContext<'_>) -> Result<Chart, InputError> {
    let dataset = context.dataset()?;
    let prepared = context.prepared()?;
    let stages = context.project().dataset.prepare().map(|prepare| &prepare.stages);
    if let (Some(prepared), Some(stages)) = (prepared, stages.filter(|stages| stages.are_in_time()))
        && let Some(timeline) = Timeline::of(prepared)
    {
        let cuts = timeline.cuts(stages, prepared);
        let words = StageWords::of(&timeline, &cuts, Some(prepared));
        return Ok(over_time(&dataset.name, &timeline, &cuts, &words));
    }
    Ok(by_stage(&dataset.name, &ByStage::of_users(dataset).by_group(), dataset.synthetic))
}

/// What is written above a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StageWords {
    /// As it was counted.
    Counted { interactions: u64, users: u64, participants: u64 },
    /// While its cuts are moved: interactions of the parts of the timeline, of all.
    Near { interactions: u64, all: u64 },
}

impl StageWords {
    /// Of every stage: as counted, or from the parts of the timeline.
    pub fn of(timeline: &Timeline, cuts: &[i64], counted: Option<&PrepareReport>) -> Vec<Self> {
        match counted {
            Some(report) => report
                .stages
                .iter()
                .map(|stage| Self::Counted {
                    interactions: stage.interactions,
                    users: stage.users,
                    participants: stage.participants,
                })
                .collect(),
            None => {
                let all = timeline.bins().iter().sum();
                timeline.counts(cuts).into_iter().map(|interactions| Self::Near { interactions, all }).collect()
            }
        }
    }

    fn lines(self, stage: usize) -> Vec<Vec<String>> {
        let name = vec![format!("Stage {stage}"), stage.to_string()];
        let number = |value: u64| grouped(value as f64, 0);
        match self {
            Self::Counted { interactions, users, participants } => {
                let (interactions, users) = (number(interactions), number(users));
                let take_part = format!("{users} users, {} take part", number(participants));
                vec![
                    name,
                    vec![format!("{interactions} interactions"), interactions],
                    vec![take_part, format!("{users} users"), users],
                ]
            }
            Self::Near { interactions, all } => {
                let share = 100.0 * interactions as f64 / all.max(1) as f64;
                let near = format!("≈{}", number(interactions));
                vec![
                    name,
                    vec![format!("{near} interactions"), near],
                    vec![format!("{share:.0} % of all"), format!("{share:.0} %")],
                ]
            }
        }
    }
}

/// How many interactions there are over time, coloured by stage; as many words as stages.
pub fn over_time(name: &str, timeline: &Timeline, cuts: &[i64], words: &[StageWords]) -> Chart {
    let stages = cuts.len() + 1;
    let tone = |stage: usize| Tone::of(stage, stages);
    let bar = |(bin, &count): (usize, &u64)| {
        let [from, to] = [bin, bin + 1].map(|bin| timeline.start(bin));
        // What lies across a cut has the colour of its middle.
        let stage = cuts.partition_point(|&cut| cut <= from + (to - from) / 2);
        let heights = (0..stages).map(|part| if part == stage { count as f64 } else { 0.0 }).collect();
        Bar { from: from as f64, to: to as f64, heights }
    };
    let (first, last) = timeline.period();
    let edge = |index: usize| cuts.get(index).copied().unwrap_or(last + 1) as f64;
    let band = |(index, words): (usize, &StageWords)| Band {
        from: index.checked_sub(1).map_or(first as f64, edge),
        to: edge(index),
        tone: tone(index),
        lines: words.lines(index + 1),
    };
    let bars = Bars {
        x: Axis { ticks: Ticks::Dates, unit: Some("UTC".to_owned()), ..Axis::new("Time") },
        y: Axis::whole("Interactions"),
        parts: (0..stages).map(|stage| Part { name: format!("Stage {}", stage + 1), tone: tone(stage) }).collect(),
        bars: timeline.bins().iter().enumerate().map(bar).collect(),
        bands: words.iter().enumerate().map(band).collect(),
    };
    let count = timeline.bins().len();
    let caption = format!(
        "Interactions in {count} equal parts of the period. Take part: users with at least 3 interactions in the stage"
    );
    Chart { caption: Some(caption), ..Chart::new(format!("{name}: interactions over time"), Body::Bars(bars)) }
}

/// Interactions of each stage, stacked by what their users did before; in the order of [`UserGroup::ALL`].
pub fn by_stage(name: &str, stages: &[[u64; 3]], synthetic: bool) -> Chart {
    let bar = |(index, groups): (usize, &[u64; 3])| Bar::named(index, groups.map(|count| count as f64).to_vec());
    let bars = Bars {
        x: stage_names(stages.len()),
        y: Axis::whole("Interactions"),
        parts: group_parts(),
        bars: stages.iter().enumerate().map(bar).collect(),
        bands: Vec::new(),
    };
    Chart::new(format!("{name}: interactions by stage"), Body::Bars(bars)).synthetic(synthetic)
}

/// An axis of stages by name.
pub(super) fn stage_names(stages: usize) -> Axis {
    Axis::named("Stage", (1..=stages).map(|stage| stage.to_string()).collect())
}

/// The groups of users as parts of bars.
pub(super) fn group_parts() -> Vec<Part> {
    let part = |(slot, group): (usize, UserGroup)| Part {
        name: format!("{} users", group.label()),
        tone: Tone::Ink(Ink::Colour(slot)),
    };
    UserGroup::ALL.into_iter().enumerate().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::DAY;
    use crate::data::prepare::{PrepareReport, StageCount};
    use crate::plot::table;

    #[test]
    fn bins_have_the_colour_of_their_stage_and_bands_its_words() {
        let stage =
            |period| StageCount { interactions: 3, users: 2, participants: 1, period: Some(period), leak: None };
        let report = PrepareReport {
            steps: Vec::new(),
            core_rounds: 0,
            stages: vec![stage((0, DAY)), stage((2 * DAY, 4 * DAY - 1))],
            timeline: vec![1, 2, 1, 2],
        };
        let timeline = Timeline::of(&report).unwrap();
        let words = [
            StageWords::Counted { interactions: 3, users: 2, participants: 1 },
            StageWords::Near { interactions: 3, all: 6 },
        ];
        let chart = over_time("tiny", &timeline, &[2 * DAY], &words);
        let Body::Bars(bars) = &chart.body else { panic!("no bars") };
        let heights: Vec<_> = bars.bars.iter().map(|bar| bar.heights.clone()).collect();
        assert_eq!(heights, [[1.0, 0.0], [2.0, 0.0], [0.0, 1.0], [0.0, 2.0]]);
        let longest =
            |band: usize| -> Vec<&str> { bars.bands[band].lines.iter().map(|line| line[0].as_str()).collect() };
        assert_eq!(longest(0), ["Stage 1", "3 interactions", "2 users, 1 take part"]);
        assert_eq!(longest(1), ["Stage 2", "≈3 interactions", "50 % of all"]);
        assert_eq!((bars.bands[1].from, bars.bands[1].to), ((2 * DAY) as f64, (4 * DAY) as f64));
        let expected =
            "Time (UTC),Stage 1,Stage 2,note\n1970-01-01,1,0,\n1970-01-02,2,0,\n1970-01-03,0,1,\n1970-01-04,0,2,\n";
        assert_eq!(table::csv(&chart), expected);
        assert!(chart.description().ends_with("Interactions by Time of Stage 1, Stage 2"));
    }

    #[test]
    fn stages_without_times_are_bars_by_group() {
        let chart = by_stage("demo", &[[9, 0, 0], [2, 5, 1]], true);
        let expected = "Stage,New users,Returning users,Dormant users,note\n\
            1,9,0,0,Synthetic data\n2,2,5,1,Synthetic data\n";
        assert_eq!(table::csv(&chart), expected);
        assert!(table::latex(&chart).contains("    2 & 2 & 5 & 1 \\\\\n"), "{}", table::latex(&chart));
    }
}
