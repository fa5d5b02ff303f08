//! What moved in adapters, as charts: where (layer by module), in how many directions (spectra), and how far the subspaces
//! turned (angles).

use std::collections::BTreeMap;

use super::churn::StageDrift;
use crate::analysis::subspace_report::{
    Between, ModuleDirections, ModuleReport, ModuleStage, Moved, SidedAngles, SubspaceReport,
};
use crate::plot::series_style::Dash;
use crate::plot::{Axis, Body, Chart, HeatMap, Lines, Panel, Point, Series, SeriesStyle, river, scale};
use crate::subspace::Side;

/// One run, or one stage of it, as charts name it.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub report: &'a SubspaceReport,
    /// `PESO`, `PESO, seed 3`.
    pub run: &'a str,
    /// From 1.
    pub stage: usize,
}

/// What the cells of a drift map are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mapped {
    /// `‖ΔW_t − ΔW_{t−1}‖` as a part of `‖ΔW_{t−1}‖`.
    #[default]
    Relative,
    /// `‖ΔW_t − ΔW_{t−1}‖`.
    Absolute,
    /// `‖v_t − v_{t−1}‖` of the adapter's own parameters.
    Parameters,
    /// Share of the move outside of what the update wrote before.
    Outside,
    /// Grassmann distance of the column spaces.
    Turn,
    EffectiveRank,
}

impl Mapped {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Relative, Self::Absolute, Self::Parameters, Self::Outside, Self::Turn, Self::EffectiveRank];

    /// How it reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Relative => "Move of ΔW, relative",
            Self::Absolute => "Move of ΔW",
            Self::Parameters => "Move of A and B",
            Self::Outside => "Move outside the subspace",
            Self::Turn => "Grassmann distance",
            Self::EffectiveRank => "Effective rank",
        }
    }

    /// What it says, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Relative => {
                "‖ΔW now − ΔW before‖ as a part of ‖ΔW before‖ the stage: 1 is a move as long as the update itself was"
            }
            Self::Absolute => "‖ΔW now − ΔW before‖ (Frobenius): how far the update of the weight moved in the stage",
            Self::Parameters => {
                "‖v now − v before‖ of the adapter's A and B: how far what is trained moved in the stage"
            }
            Self::Outside => {
                "Share of the move's energy outside of the directions that the update wrote before the stage"
            }
            Self::Turn => {
                "√Σθ² over the principal angles between the column spaces before and after the stage, in radians"
            }
            Self::EffectiveRank => {
                "e to the entropy of the singular values' shares: how many directions the update uses"
            }
        }
    }

    fn of(self, module: &ModuleReport, place: usize) -> Option<f64> {
        let stage = module.stages.get(place)?;
        let before = place.checked_sub(1).and_then(|before| module.stages.get(before));
        match self {
            Self::EffectiveRank => Some(stage.effective_rank),
            Self::Relative => relative(stage.moved.as_ref()?, before?.norm),
            Self::Absolute => Some(stage.moved?.norm),
            Self::Parameters => Some(stage.moved?.parameters),
            Self::Outside => stage.moved.filter(|moved| moved.norm > 0.0).map(|moved| 1.0 - moved.inside_left),
            Self::Turn => between(module, before?.stage, stage.stage).map(|pair| pair.left.grassmann),
        }
    }
}

/// A move as a part of what was there; none where there was nothing.
fn relative(moved: &Moved, before: f64) -> Option<f64> {
    (before > 0.0).then(|| moved.norm / before)
}

fn between(module: &ModuleReport, from: usize, to: usize) -> Option<&Between> {
    module.pairs.iter().find(|pair| (pair.from, pair.to) == (from, to))
}

/// Layer by module of one or several runs or stages, in common colours.
pub fn drift_map(shown: &[Shown<'_>], mapped: Mapped, synthetic: bool) -> Chart {
    let title = "Drift map: layer by module";
    let panels: Vec<Panel> = shown.iter().filter_map(|shown| panel(shown, mapped)).collect();
    if panels.iter().all(|panel| panel.map.values.iter().flatten().all(Option::is_none)) {
        let missing =
            "A drift map shows what moved since the stage before: it appears when the second stage is trained";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let body = match <[Panel; 1]>::try_from(panels) {
        Ok([only]) => (Some(only.name), Body::HeatMap(only.map)),
        Err(several) => (None, Body::HeatMaps(several)),
    };
    let subtitle = body.0.unwrap_or_else(|| mapped.label().to_owned());
    let caption = Some(mapped.meaning().to_owned());
    Chart { subtitle: Some(subtitle), caption, ..Chart::new(title, body.1) }.synthetic(synthetic)
}

fn panel(shown: &Shown<'_>, mapped: Mapped) -> Option<Panel> {
    let report = shown.report;
    let place = report.stages.iter().position(|stage| *stage == shown.stage)?;
    let rows: Vec<usize> = report.layers.iter().filter_map(|layer| layer.key.parse().ok()).collect();
    let columns: Vec<&str> = report.projections.iter().map(|group| group.key.as_str()).collect();
    let cells: BTreeMap<(usize, &str), Option<f64>> = report
        .modules
        .iter()
        .map(|module| ((module.layer, module.projection.as_str()), mapped.of(module, place)))
        .collect();
    let value =
        |row: usize, column: &str| cells.get(&(row, column)).copied().flatten().filter(|value| value.is_finite());
    let map = HeatMap {
        row_label: "Layer".to_owned(),
        rows: rows.iter().map(usize::to_string).collect(),
        column_label: "Module".to_owned(),
        columns: columns.iter().map(|name| projection_words(name).to_owned()).collect(),
        value: Axis::new(mapped.label()),
        values: rows.iter().map(|&row| columns.iter().map(|column| value(row, column)).collect()).collect(),
    };
    Some(Panel { name: stage_words(shown), map })
}

/// `q` for `q_proj`.
pub fn projection_words(projection: &str) -> &str {
    projection.strip_suffix("_proj").unwrap_or(projection)
}

/// `Layer 3, q`.
pub fn module_words(module: &ModuleReport) -> String {
    format!("Layer {}, {}", module.layer, projection_words(&module.projection))
}

fn stage_words(shown: &Shown<'_>) -> String {
    format!("{}, stage {}", shown.run, shown.stage)
}

/// The singular values of a module's update in each of the stages that are shown, one line each.
pub fn spectra(shown: &[Shown<'_>], module: &str, synthetic: bool) -> Chart {
    let title = "Singular values of ΔW";
    let line = |(slot, shown): (usize, &Shown<'_>)| {
        let (_, stage) = find(shown, module)?;
        let values = stage.singular_values.iter().take(stage.rank.max(1)).zip(1_u32..);
        let points = values.map(|(&value, number)| Point::new(f64::from(number), value)).collect();
        Some(Series {
            name: format!("{} (effective rank {:.1})", stage_words(shown), stage.effective_rank),
            points,
            look: SeriesStyle::method(slot),
        })
    };
    let series: Vec<Series> = shown.iter().enumerate().filter_map(line).collect();
    if series.iter().all(|series| series.points.is_empty()) {
        return Chart::empty(title, "No adapter of this module is there yet: it appears when a stage is trained")
            .synthetic(synthetic);
    }
    let lines = Lines { x: Axis::whole("Direction"), y: Axis::new("Singular value"), series, boundaries: Vec::new() };
    let caption = "The longer a line stays up, the more directions of the weight the update uses";
    Chart {
        subtitle: subtitle(shown, module),
        caption: Some(caption.to_owned()),
        ..Chart::new(title, Body::Lines(lines))
    }
    .synthetic(synthetic)
}

fn find<'a>(shown: &Shown<'a>, module: &str) -> Option<(&'a ModuleReport, &'a ModuleStage)> {
    let module = shown.report.modules.iter().find(|found| found.name == module)?;
    Some((module, module.stages.iter().find(|stage| stage.stage == shown.stage)?))
}

fn subtitle(shown: &[Shown<'_>], module: &str) -> Option<String> {
    let found = shown.iter().find_map(|shown| shown.report.modules.iter().find(|found| found.name == module));
    found.map(module_words)
}

/// The stage that a stage's subspace is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Against {
    #[default]
    Previous,
    First,
}

impl Against {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Previous, Self::First];

    /// How it reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Previous => "The stage before",
            Self::First => "Stage 1",
        }
    }

    fn of(self, stages: &[usize], stage: usize) -> Option<usize> {
        let earlier = stages.iter().copied().filter(|&earlier| earlier < stage);
        match self {
            Self::Previous => earlier.max(),
            Self::First => earlier.min(),
        }
    }
}

/// How the sides of an update read.
pub const fn side_words(side: Side) -> &'static str {
    match side {
        Side::Left => "What it writes",
        Side::Right => "What it reads",
        Side::Both => "Both",
    }
}

fn sided(pair: &Between, side: Side) -> &SidedAngles {
    match side {
        Side::Left | Side::Both => &pair.left,
        Side::Right => &pair.right,
    }
}

/// The principal angles of a module's subspace against that of an earlier stage, one line for each that is shown.
pub fn angles(shown: &[Shown<'_>], module: &str, (side, against): (Side, Against), synthetic: bool) -> Chart {
    let title = "Principal angles";
    let line = |(slot, shown): (usize, &Shown<'_>)| {
        let (module, _) = find(shown, module)?;
        let from = against.of(&shown.report.stages, shown.stage)?;
        let radians = &sided(between(module, from, shown.stage)?, side).radians;
        let points =
            radians.iter().zip(1_u32..).map(|(angle, number)| Point::new(f64::from(number), angle.to_degrees()));
        Some(Series {
            name: format!("{}: stage {from} to {}", shown.run, shown.stage),
            points: points.collect(),
            look: SeriesStyle::method(slot),
        })
    };
    let series: Vec<Series> = shown.iter().enumerate().filter_map(line).collect();
    if series.iter().all(|series| series.points.is_empty()) {
        let missing = "Angles are between two stages: they appear when the second stage is trained";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let y = Axis { unit: Some("°".to_owned()), ..Axis::new("Angle") };
    let lines = Lines { x: Axis::whole("Principal angle"), y, series, boundaries: Vec::new() };
    let caption = format!(
        "Smallest angle first. 0° is a direction that both subspaces have, 90° one that the other lacks ({} space)",
        if side == Side::Right { "row" } else { "column" }
    );
    Chart { subtitle: subtitle(shown, module), caption: Some(caption), ..Chart::new(title, Body::Lines(lines)) }
        .synthetic(synthetic)
}

/// How far the subspaces of each run turned by stage: Grassmann distance, mean over its modules.
pub fn distances(
    runs: &[(&SubspaceReport, String, SeriesStyle)],
    (side, against): (Side, Against),
    synthetic: bool,
) -> Chart {
    let title = "How far the subspaces turned";
    let line = |(report, name, look): &(&SubspaceReport, String, SeriesStyle)| {
        let value = |stage: &crate::analysis::subspace_report::GroupStage| {
            let both = match against {
                Against::Previous => stage.grassmann,
                Against::First => stage.grassmann_to_first,
            };
            both.map(|[left, right]| if side == Side::Right { right } else { left })
        };
        let points = report.whole.stages.iter().filter_map(|stage| Some(Point::new(stage.stage as f64, value(stage)?)));
        Series { name: name.clone(), points: points.collect(), look: *look }
    };
    let series: Vec<Series> = runs.iter().map(line).filter(|series| !series.points.is_empty()).collect();
    if series.is_empty() {
        let missing = "Distances are between two stages: they appear when the second stage is trained";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let y = Axis { unit: Some("rad".to_owned()), ..Axis::new("Grassmann distance") };
    let lines = Lines { x: Axis::whole("Stage"), y, series, boundaries: Vec::new() };
    let modules = runs.iter().map(|(report, ..)| report.whole.modules).max().unwrap_or(0);
    let cut = if scale::y_range(&lines).low > 0.0 { ". The axis does not start at 0" } else { "" };
    let caption = format!(
        "√Σθ² over the principal angles to {}, mean over {}{cut}",
        if against == Against::First { "stage 1" } else { "the stage before" },
        scale::plural(modules, "module")
    );
    let subtitle = Some(format!("{} in each stage", side_words(side)));
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, Body::Lines(lines)) }.synthetic(synthetic)
}

/// The move of a run's whole update by stage, as a part of what it was, as a line among measures of drift.
pub fn movement(report: &SubspaceReport, name: &str) -> StageDrift {
    let stages = report.whole.stages.windows(2).filter_map(|pair| {
        let moved = pair[1].moved.as_ref()?;
        Some((pair[1].stage, relative(moved, pair[0].norm)?))
    });
    StageDrift { name: format!("{name}: move of ΔW"), stages: stages.collect() }
}

/// The look of a run's update beside that of its predictions: the same colour, in another rhythm.
pub const fn update_look(of_run: SeriesStyle) -> SeriesStyle {
    SeriesStyle { dash: Dash::Dotted, marker: None, width: 1.75, ..of_run }
}

/// The river of a module's directions on one side, titled by the run.
pub fn direction_river(
    directions: &ModuleDirections,
    (module, run): (&str, &str),
    side: Side,
    synthetic: bool,
) -> Chart {
    let stages: Vec<river::StageDirections> = directions
        .stages
        .iter()
        .map(|stage| {
            let now = if side == Side::Right { &stage.right } else { &stage.left };
            let before = now.first().map_or(0, Vec::len);
            let cosines = (0..before).map(|from| now.iter().map(|row| row[from]).collect()).collect();
            river::StageDirections {
                stage: stage.stage,
                values: stage.singular_values.clone(),
                cosines,
                continues: stage.matches.iter().map(|found| found.map(|found| found.previous)).collect(),
            }
        })
        .collect();
    river::river(module, run, &stages, synthetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::subspace_report::{Group, GroupStage};

    fn sides(radians: &[f64]) -> SidedAngles {
        let grassmann = radians.iter().map(|angle| angle * angle).sum::<f64>().sqrt();
        SidedAngles { radians: radians.to_vec(), grassmann, chordal: 0.0, overlap: None }
    }

    fn report() -> SubspaceReport {
        let moved = Moved {
            norm: 0.5,
            parameters: 0.25,
            inside_left: 0.9,
            inside_right: 0.8,
            inside_both: 0.7,
            chance_left: 0.1,
            chance_right: 0.1,
        };
        let stage = |stage: usize| ModuleStage {
            stage,
            singular_values: vec![2.0, 1.0, 1e-9],
            rank: 2,
            effective_rank: 1.9,
            stable_rank: 1.25,
            norm: stage as f64,
            parameters_norm: 1.0,
            moved: (stage > 1).then_some(moved),
            matches: Vec::new(),
        };
        let module = |layer: usize| ModuleReport {
            name: format!("model.layers.{layer}.self_attn.q_proj"),
            layer,
            projection: "q_proj".to_owned(),
            output: 8,
            input: 8,
            stages: vec![stage(1), stage(2)],
            pairs: vec![Between {
                from: 1,
                to: 2,
                distance: 0.5,
                cosine: 0.9,
                left: sides(&[0.3, 0.4]),
                right: sides(&[0.1, 0.2]),
            }],
        };
        let group_stage = |stage: usize| GroupStage {
            stage,
            norm: 2.0,
            parameters_norm: 1.0,
            effective_rank: 1.9,
            moved: (stage > 1).then_some(moved),
            grassmann: (stage > 1).then_some([0.5, 0.2]),
            grassmann_to_first: (stage > 1).then_some([0.5, 0.2]),
        };
        let group = |key: &str| Group { key: key.to_owned(), modules: 2, stages: vec![group_stage(1), group_stage(2)] };
        SubspaceReport {
            run: "peso-s1".to_owned(),
            experiment: "PESO".to_owned(),
            method: "peso".to_owned(),
            seed: 1,
            synthetic: false,
            rank: 2,
            note: None,
            stages: vec![1, 2],
            modules: vec![module(0), module(1)],
            layers: vec![group("0"), group("1")],
            projections: vec![group("q_proj")],
            whole: group("all"),
            rows: Vec::new(),
        }
    }

    #[test]
    fn a_map_has_the_moves_since_the_stage_before() {
        let report = report();
        let shown = Shown { report: &report, run: "PESO", stage: 2 };
        let value = |mapped| match drift_map(&[shown], mapped, false).body {
            Body::HeatMap(map) => map.values[1][0].unwrap(),
            other => panic!("no map: {other:?}"),
        };
        assert_eq!(value(Mapped::Relative), 0.5, "0.5 of a norm of 1");
        assert_eq!((value(Mapped::Absolute), value(Mapped::Parameters)), (0.5, 0.25));
        assert!((value(Mapped::Outside) - 0.1).abs() < 1e-12);
        assert!((value(Mapped::Turn) - 0.5).abs() < 1e-12);
        let first = Shown { stage: 1, ..shown };
        assert!(matches!(drift_map(&[first], Mapped::Relative, false).body, Body::Empty(_)));
        let Body::HeatMaps(two) = drift_map(&[first, shown], Mapped::EffectiveRank, false).body else {
            panic!("two maps")
        };
        assert_eq!(two[1].name, "PESO, stage 2");
    }

    #[test]
    fn spectra_leave_rounding_out_and_angles_are_in_degrees() {
        let report = report();
        let shown = Shown { report: &report, run: "PESO", stage: 2 };
        let module = "model.layers.1.self_attn.q_proj";
        let spectra = spectra(&[shown], module, false);
        let Body::Lines(lines) = &spectra.body else { panic!("no lines") };
        assert_eq!(lines.series[0].points, [Point::new(1.0, 2.0), Point::new(2.0, 1.0)]);
        assert_eq!(spectra.subtitle.as_deref(), Some("Layer 1, q"));
        let angle = |side| match angles(&[shown], module, (side, Against::Previous), false).body {
            Body::Lines(lines) => lines.series[0].points[1].y,
            other => panic!("no lines: {other:?}"),
        };
        assert!((angle(Side::Left) - 0.4f64.to_degrees()).abs() < 1e-12);
        assert!((angle(Side::Right) - 0.2f64.to_degrees()).abs() < 1e-12);
        let first = Shown { stage: 1, ..shown };
        assert!(matches!(angles(&[first], module, (Side::Left, Against::First), false).body, Body::Empty(_)));
    }

    #[test]
    fn distances_and_movement_are_lines_over_stages() {
        let report = report();
        let runs = [(&report, "PESO".to_owned(), SeriesStyle::method(0))];
        let Body::Lines(lines) = distances(&runs, (Side::Right, Against::Previous), false).body else {
            panic!("no lines")
        };
        assert_eq!(lines.series[0].points, [Point::new(2.0, 0.2)]);
        assert_eq!(movement(&report, "PESO").stages, [(2, 0.25)], "0.5 of a norm of 2");
    }
}
