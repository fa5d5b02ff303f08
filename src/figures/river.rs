//! How the directions of a module's update go on from stage to stage.

use super::adapters::module_words;
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make};
use crate::analysis::subspace_report::{ModuleDirections, module_directions};
use crate::plot::river::{Direction, Flow, River, RiverStage};
use crate::plot::{Axis, Body, Chart, SeriesStyle};
use crate::subspace::Side;

pub static SPEC: FigureSpec = FigureSpec {
    name: "river",
    aliases: &["alluvial"],
    label: "River",
    title: "Direction river (alluvial)",
    summary: "Direction river (alluvial): how directions of a module go on from stage to stage, of every run with adapters",
    tooltip: "How the directions of a module go on, split and join from stage to stage",
    options: &[FigureOption::Module],
    alone: false,
    make: Make::Run(|context, run, options| {
        let Some(adapters) = context.adapters(run) else { return Ok(None) };
        let module = context.module(run, adapters.report, options)?;
        let directions = module_directions(&run.folder, &module.name)?;
        let of = RiverOf { module: &module_words(module), run: &run.name };
        Ok(Some(direction_river(&directions, &of, options.side.unwrap_or(Side::Left), context.is_synthetic())))
    }),
};

/// What a river is of, in words.
#[derive(Debug, Clone, Copy)]
pub struct RiverOf<'a> {
    /// `Layer 3, q`.
    pub module: &'a str,
    /// `PESO, seed 3`.
    pub run: &'a str,
}

/// How a module's directions go on, on one side of its update.
pub fn direction_river(directions: &ModuleDirections, of: &RiverOf<'_>, side: Side, synthetic: bool) -> Chart {
    let stages: Vec<StageDirections> = directions
        .stages
        .iter()
        .map(|stage| {
            let now = if side == Side::Right { &stage.right } else { &stage.left };
            let before = now.first().map_or(0, Vec::len);
            let cosines = (0..before).map(|from| now.iter().map(|row| row[from]).collect()).collect();
            StageDirections {
                stage: stage.stage,
                values: stage.singular_values.clone(),
                cosines,
                continues: stage.matches.iter().map(|found| found.map(|found| found.previous)).collect(),
            }
        })
        .collect();
    river(of, &stages, synthetic).of("series", of.run).of("module", of.module).of("side", side.key())
}

/// A stage as the river is made of it.
#[derive(Debug, Clone, PartialEq)]
struct StageDirections {
    /// The stage, from 1.
    stage: usize,
    /// Singular values, largest first.
    values: Vec<f64>,
    /// `[direction of the stage before][direction]`: cosines; empty for the first stage.
    cosines: Vec<Vec<f64>>,
    /// The direction of the stage before that each continues, where one does.
    continues: Vec<Option<usize>>,
}

/// Below this share a flow is thinner than a line, and no direction continues another.
const MIN_SHARE: f64 = 0.02;
/// A direction keeps the colour of the one that it continues where they are less than 60 degrees apart.
const SAME_COLOUR: f64 = 0.5;

fn river(of: &RiverOf<'_>, stages: &[StageDirections], synthetic: bool) -> Chart {
    let title = format!("{}: {}", SPEC.title, of.module);
    let widest = stages.iter().flat_map(|stage| &stage.values).copied().fold(0.0, f64::max);
    if stages.len() < 2 || widest <= 0.0 {
        let missing = "A river needs the adapters of two stages: it appears when the second stage is trained";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let mut slots = 0;
    let mut directions: Vec<Vec<Direction>> = Vec::new();
    let mut flows = Vec::new();
    for (index, stage) in stages.iter().enumerate() {
        let cosine = |from: usize, to: usize| {
            stage.cosines.get(from).and_then(|row| row.get(to)).map_or(0.0, |cosine| cosine.abs().min(1.0))
        };
        let before: &[Direction] = directions.last().map_or(&[], Vec::as_slice);
        let direction = |(to, &value): (usize, &f64)| {
            let from = stage.continues.get(to).copied().flatten().filter(|&from| cosine(from, to) >= SAME_COLOUR);
            match from.and_then(|from| before.get(from)) {
                Some(from) => Direction { value, ..*from },
                None => {
                    slots += 1;
                    Direction { value, style: SeriesStyle::curve(slots - 1), begins: [index, to] }
                }
            }
        };
        let now: Vec<Direction> = stage.values.iter().enumerate().map(direction).collect();
        let before = before.len();
        directions.push(now);
        let Some(earlier) = index.checked_sub(1) else { continue };
        for from in 0..before {
            let strong = (0..stage.values.len()).map(|to| Flow { stage: earlier, from, to, cosine: cosine(from, to) });
            flows.extend(strong.filter(|flow| flow.share() >= MIN_SHARE));
        }
    }
    let named = |(stage, directions): (&StageDirections, Vec<Direction>)| RiverStage {
        name: format!("Stage {}", stage.stage),
        directions,
    };
    let stages = stages.iter().zip(directions).map(named).collect();
    let mut river = River { stages, flows, value: Axis::new("Singular value"), whole: 0.0 };
    river.whole = river.max_sum();
    let caption = "Height of a bar: singular value of ΔW along the direction. Width of a ribbon: the share of the direction, cos², that goes on in the other; what fades out or in is lost or new".to_owned();
    let subtitle = Some(format!("{}: how the directions that the adapter writes go on from stage to stage", of.run));
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, Body::River(river)) }.synthetic(synthetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::river::in_one_scale;

    const PESO: RiverOf<'_> = RiverOf { module: "q", run: "PESO" };

    fn stages() -> Vec<StageDirections> {
        let half = 0.5f64.sqrt();
        vec![
            StageDirections { stage: 1, values: vec![2.0, 1.0], cosines: Vec::new(), continues: vec![None; 2] },
            StageDirections {
                stage: 2,
                values: vec![3.0, 1.0, 0.5],
                // The first splits into the first two; the second ends, but for a trace.
                cosines: vec![vec![half, -half, 0.0], vec![0.1, 0.0, 0.0]],
                continues: vec![Some(0), None, Some(1)],
            },
        ]
    }

    #[test]
    fn directions_split_by_their_cosines_and_keep_their_colour() {
        let chart = river(&RiverOf { module: "layer 0, q", run: "PESO" }, &stages(), false);
        let Body::River(river) = &chart.body else { panic!("no river") };
        let flows: Vec<_> = river.flows.iter().map(|flow| (flow.from, flow.to, flow.degrees().round())).collect();
        assert_eq!(flows, [(0, 0, 45.0), (0, 1, 45.0)], "a trace of 1 % is no flow");
        assert!((river.flows.iter().map(Flow::share).sum::<f64>() - 1.0).abs() < 1e-12);
        let style = |stage: usize, index: usize| river.stages[stage].directions[index].style;
        assert_eq!(style(1, 0), style(0, 0));
        assert_ne!(style(1, 1), style(0, 0));
        assert_ne!(style(1, 2), style(0, 1), "what is 90 degrees apart is another direction");
        let begins: Vec<[usize; 2]> = river.stages[1].directions.iter().map(|direction| direction.begins).collect();
        assert_eq!(begins, [[0, 0], [1, 1], [1, 2]]);
    }

    #[test]
    fn rivers_side_by_side_have_one_scale() {
        let larger: Vec<StageDirections> = stages()
            .into_iter()
            .map(|stage| StageDirections { values: stage.values.iter().map(|value| 2.0 * value).collect(), ..stage })
            .collect();
        let mut charts = vec![river(&PESO, &stages(), false), river(&PESO, &larger, false), Chart::empty("c", "d")];
        in_one_scale(&mut charts);
        let whole = |chart: &Chart| if let Body::River(river) = &chart.body { river.whole } else { 0.0 };
        assert_eq!(charts.iter().map(whole).collect::<Vec<_>>(), [9.0, 9.0, 0.0]);
    }

    #[test]
    fn a_single_stage_is_no_river() {
        assert!(matches!(river(&PESO, &stages()[..1], false).body, Body::Empty(_)));
        assert!(matches!(river(&PESO, &[], true).body, Body::Empty(_)));
    }
}
