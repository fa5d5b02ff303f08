//! The drift of the data alone: how far each stage lies from those before it, who its users are, and what it is tested on.

use super::measures;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::stages::{group_parts, stage_names};
use crate::data::Protocol;
use crate::data::drift::{self, CentroidShift, DataDrift, StageDrift, Targets, UserGroups};
use crate::plot::bars::{Bar, Bars, Part};
use crate::plot::series_style::{Ink, SeriesStyle, Tone};
use crate::plot::{Axis, Body, Chart, Lines, Point, Series};

pub static SPEC: FigureSpec = FigureSpec {
    name: "data-drift",
    aliases: &[],
    label: "Data drift",
    title: "Drift of the data by stage",
    summary: "How far each stage of the data lies from the one before, who its users are, and what is tested",
    tooltip: "How far each stage of the data lies from the one before",
    options: &[],
    alone: false,
    make: Make::Data(|context| {
        let (drift, name) = (context.data_drift()?, context.project().name.as_str());
        let synthetic = context.is_synthetic();
        let tested = |protocol: Protocol| {
            NamedChart::new(format!("data-drift-{}", protocol.key()), targets(name, drift, protocol, synthetic))
        };
        let mut charts = vec![
            NamedChart::new("data-drift-measures", measures(name, drift, &DriftMeasure::of(drift), synthetic)),
            NamedChart::new("data-drift-users", users(name, drift, synthetic)),
        ];
        charts.extend(Protocol::MEASURED.map(tested));
        Ok(charts)
    }),
};

/// A number that says how far a stage lies from those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DriftMeasure {
    /// Divergence of the popularity of items.
    Items,
    /// Divergence of the codes of a level, from 0.
    Codes(usize),
    /// Most popular items in common.
    TopItems,
    NewUsers,
    NewItems,
    /// Interactions with new items.
    NewItemInteractions,
    /// How far users' centroids move: distance, one minus the cosine, and what all have in common.
    Centroids,
    CentroidAngles,
    CommonShift,
}

impl DriftMeasure {
    /// All that a dataset's drift has values of, in the order of tables.
    pub fn of(drift: &DataDrift) -> Vec<Self> {
        let levels = drift.stages.iter().filter_map(|stage| Some(stage.from_previous.as_ref()?.code_divergence.len()));
        let codes = (0..levels.max().unwrap_or(0)).map(Self::Codes);
        let all = [Self::Items].into_iter().chain(codes).chain([
            Self::TopItems,
            Self::NewUsers,
            Self::NewItems,
            Self::NewItemInteractions,
            Self::Centroids,
            Self::CentroidAngles,
            Self::CommonShift,
        ]);
        all.filter(|measure| drift.stages.iter().any(|stage| measure.value(stage).is_some())).collect()
    }

    /// How it reads.
    pub fn label(self) -> String {
        match self {
            Self::Items => "Item popularity, divergence".to_owned(),
            Self::Codes(level) => format!("Codes of level {}, divergence", level + 1),
            Self::TopItems => format!("Top {} items in common", drift::TOP_ITEMS),
            Self::NewUsers => "New users".to_owned(),
            Self::NewItems => "New items".to_owned(),
            Self::NewItemInteractions => "Interactions with new items".to_owned(),
            Self::Centroids => "Users' move, distance".to_owned(),
            Self::CentroidAngles => "Users' move, 1 − cosine".to_owned(),
            Self::CommonShift => "Users' common move".to_owned(),
        }
    }

    /// What it is, in words.
    pub fn explanation(self) -> String {
        measures::text(&self.label())
    }

    /// Its value in a stage; shares of stage 1, in which everything is new, say nothing.
    pub fn value(self, stage: &StageDrift) -> Option<f64> {
        let change = stage.from_previous.as_ref();
        let centroids = |value: fn(&CentroidShift) -> f64| Some(value(change?.centroids.as_ref()?));
        let later = |value: f64| (stage.stage > 1).then_some(value);
        match self {
            Self::Items => Some(change?.item_divergence),
            Self::Codes(level) => change?.code_divergence.get(level).copied(),
            Self::TopItems => Some(change?.top_overlap.share()),
            Self::NewUsers => later(stage.new_user_share),
            Self::NewItems => later(stage.new_item_share),
            Self::NewItemInteractions => later(stage.new_item_interactions),
            Self::Centroids => centroids(|shift| shift.mean_distance),
            Self::CentroidAngles => centroids(|shift| shift.mean_cosine_distance),
            Self::CommonShift => centroids(|shift| shift.common_distance),
        }
    }
}

/// Measures over the stages.
pub fn measures(name: &str, drift: &DataDrift, measures: &[DriftMeasure], synthetic: bool) -> Chart {
    let title = format!("{name}: drift of the data by stage");
    if drift.stages.len() < 2 {
        return Chart::empty(title, "Drift is between stages: the data have one alone").synthetic(synthetic);
    }
    if measures.is_empty() {
        return Chart::empty(title, "No measure is chosen: mark one in the table").synthetic(synthetic);
    }
    let every = DriftMeasure::of(drift);
    let series = |measure: &DriftMeasure| Series {
        name: measure.label(),
        points: drift
            .stages
            .iter()
            .filter_map(|stage| Some(Point::new(stage.stage as f64, measure.value(stage)?)))
            .collect(),
        // A measure keeps its style whichever others are shown.
        style: SeriesStyle::method(every.iter().position(|other| other == measure).unwrap_or(0)),
    };
    let y = if let [one] = measures { one.label() } else { "Share or divergence".to_owned() };
    let lines = Lines {
        x: Axis::whole("Stage"),
        y: Axis::new(y),
        series: measures.iter().map(series).collect(),
        boundaries: Vec::new(),
    };
    let subtitle = Some("Each stage against the one before; what is new, against all before".to_owned());
    Chart { subtitle, ..Chart::new(title, Body::Lines(lines)) }.synthetic(synthetic)
}

/// Users of each stage by what they did before.
pub fn users(name: &str, drift: &DataDrift, synthetic: bool) -> Chart {
    let heights = |UserGroups { new, returning, dormant }: UserGroups| [new, returning, dormant].to_vec();
    let bars = stacked(drift, "Users", group_parts(), |stage| heights(stage.users));
    let caption = "New: in no stage before. Dormant: active in stage 1, in none since, and back".to_owned();
    let chart = Chart::new(format!("{name}: users by stage"), Body::Bars(bars));
    Chart { caption: Some(caption), ..chart }.synthetic(synthetic)
}

/// Test targets of each stage under a protocol, known from earlier stages or not.
pub fn targets(name: &str, drift: &DataDrift, protocol: Protocol, synthetic: bool) -> Chart {
    let part = |slot: usize, name: &str| Part { name: name.to_owned(), tone: Tone::Ink(Ink::Colour(slot)) };
    let of = |stage: &StageDrift| match protocol {
        Protocol::SameBlock | Protocol::GlobalTime => stage.same_block_targets,
        Protocol::NextBlock => stage.next_block_targets,
    };
    let parts = vec![part(2, "Warm targets"), part(4, "Cold targets")];
    let bars = stacked(drift, "Test targets", parts, |stage| {
        let Targets { warm, cold } = of(stage);
        vec![warm, cold]
    });
    let caption = "Warm: the item to be found is in a stage before. Cold: it is not".to_owned();
    let chart = Chart::new(format!("{name}: test targets by stage"), Body::Bars(bars)).under(protocol);
    Chart { caption: Some(caption), ..chart }.synthetic(synthetic)
}

fn stacked(drift: &DataDrift, label: &str, parts: Vec<Part>, heights: impl Fn(&StageDrift) -> Vec<usize>) -> Bars {
    let bar = |(index, stage): (usize, &StageDrift)| {
        Bar::named(index, heights(stage).into_iter().map(|count| count as f64).collect())
    };
    Bars {
        x: stage_names(drift.stages.len()),
        y: Axis::whole(label),
        parts,
        bars: drift.stages.iter().enumerate().map(bar).collect(),
        bands: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::drift::{Change, TopOverlap};
    use crate::plot::table;

    fn drift() -> DataDrift {
        let stage = |stage: usize, from_previous| StageDrift {
            stage,
            users: UserGroups { new: 5, returning: stage, dormant: 0 },
            new_user_share: 0.5,
            new_item_share: 0.25,
            new_item_interactions: 0.125,
            same_block_targets: Targets { warm: 3, cold: 1 },
            next_block_targets: Targets { warm: 2, cold: 0 },
            from_previous,
        };
        let change = Change {
            item_divergence: 0.4,
            code_divergence: vec![0.1, 0.2],
            top_overlap: TopOverlap { items: 100, shared: 58 },
            centroids: None,
        };
        DataDrift { stages: vec![stage(1, None), stage(2, Some(change))] }
    }

    #[test]
    fn only_what_was_measured_is_offered_and_stage_1_has_no_share_of_new() {
        let drift = drift();
        let found = DriftMeasure::of(&drift);
        let labels: Vec<String> = found.iter().map(|measure| measure.label()).collect();
        assert_eq!(
            labels[..3],
            ["Item popularity, divergence", "Codes of level 1, divergence", "Codes of level 2, divergence"]
        );
        assert!(!found.contains(&DriftMeasure::Centroids));
        let values =
            |stage: usize| -> Vec<_> { found.iter().map(|measure| measure.value(&drift.stages[stage])).collect() };
        assert_eq!(values(0), [None; 7]);
        assert_eq!(values(1), [0.4, 0.1, 0.2, 0.58, 0.5, 0.25, 0.125].map(Some));
    }

    #[test]
    fn every_measure_is_defined() {
        let all = [
            DriftMeasure::Items,
            DriftMeasure::Codes(2),
            DriftMeasure::TopItems,
            DriftMeasure::NewUsers,
            DriftMeasure::NewItems,
            DriftMeasure::NewItemInteractions,
            DriftMeasure::Centroids,
            DriftMeasure::CentroidAngles,
            DriftMeasure::CommonShift,
        ];
        for measure in all {
            assert!(!measure.explanation().is_empty(), "{}", measure.label());
        }
    }

    #[test]
    fn a_measure_keeps_its_style_and_stacks_have_their_counts() {
        let drift = drift();
        let style = |of: &[DriftMeasure], index: usize| match measures("tiny", &drift, of, false).body {
            Body::Lines(lines) => lines.series[index].style,
            other => panic!("{other:?}"),
        };
        let (items, users_new) = (DriftMeasure::Items, DriftMeasure::NewUsers);
        assert_eq!(style(&[users_new], 0), style(&[items, users_new], 1));
        assert!(matches!(measures("tiny", &drift, &[], false).body, Body::Empty(_)));
        let csv = table::csv(&users("tiny", &drift, false));
        assert_eq!(csv, "Stage,New users,Returning users,Dormant users,note\n1,5,1,0,\n2,5,2,0,\n");
        let next = targets("tiny", &drift, Protocol::NextBlock, true);
        assert_eq!(next.title, "tiny: test targets by stage, next-block");
        assert!(table::csv(&next).contains("2,2,0,Synthetic data"));
    }
}
