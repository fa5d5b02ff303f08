//! The river of directions: what an update does in each stage, and how much of each direction goes on into the next.

use super::series_style::SeriesStyle;
use super::{Axis, Body, Chart};

/// Directions of an update by stage, joined by how far they point the same way.
#[derive(Debug, Clone, PartialEq)]
pub struct River {
    /// From left to right.
    pub stages: Vec<RiverStage>,
    pub flows: Vec<Flow>,
    /// What a direction's height is.
    pub value: Axis,
    /// The sum of values that takes the whole height.
    pub whole: f64,
}

/// One stage of the river.
#[derive(Debug, Clone, PartialEq)]
pub struct RiverStage {
    /// `Stage 3`.
    pub name: String,
    /// From top to bottom.
    pub directions: Vec<Direction>,
}

/// One direction in one stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Direction {
    /// Its singular value.
    pub value: f64,
    /// The colour of the direction that it continues, or one of its own.
    pub look: SeriesStyle,
    /// Where what it continues begins, or itself: places of a stage and of a direction in it, from 0.
    pub begins: [usize; 2],
}

/// How a direction goes on as one of the next stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flow {
    /// Place of the stage that it leaves, from 0.
    pub stage: usize,
    /// Places of the directions, from 0.
    pub from: usize,
    pub to: usize,
    /// Between both, without its sign. Its square is the share of one that lies along the other, so that the shares of a
    /// direction never add up to more than 1.
    pub cosine: f64,
}

impl Flow {
    /// Share of either direction that lies along the other.
    pub fn share(&self) -> f64 {
        self.cosine * self.cosine
    }

    /// The angle between both, in degrees.
    pub fn degrees(&self) -> f64 {
        self.cosine.min(1.0).acos().to_degrees()
    }
}

/// A stage as the river is made of it.
#[derive(Debug, Clone, PartialEq)]
pub struct StageDirections {
    /// The stage, from 1.
    pub stage: usize,
    /// Singular values, largest first.
    pub values: Vec<f64>,
    /// `[direction of the stage before][direction]`: cosines; empty for the first stage.
    pub cosines: Vec<Vec<f64>>,
    /// The direction of the stage before that each continues, where one does.
    pub continues: Vec<Option<usize>>,
}

/// Below this share a flow is thinner than a line, and no direction continues another.
const LEAST_SHARE: f64 = 0.02;
/// A direction keeps the colour of the one that it continues where they are less than 60 degrees apart.
const SAME: f64 = 0.5;

/// The river of one module's directions, titled by it.
pub fn river(module: &str, run: &str, stages: &[StageDirections], synthetic: bool) -> Chart {
    let title = format!("Direction river: {module}");
    let widest = stages.iter().flat_map(|stage| &stage.values).copied().fold(0.0, f64::max);
    if stages.len() < 2 || widest <= 0.0 {
        let missing = "A river needs the adapters of two stages: it appears when the second stage is trained";
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let mut slots = 0;
    let mut directions: Vec<Vec<Direction>> = Vec::new();
    let mut flows = Vec::new();
    for (place, stage) in stages.iter().enumerate() {
        let cosine = |from: usize, to: usize| {
            stage.cosines.get(from).and_then(|row| row.get(to)).map_or(0.0, |cosine| cosine.abs().min(1.0))
        };
        let before: &[Direction] = directions.last().map_or(&[], Vec::as_slice);
        let direction = |(to, &value): (usize, &f64)| {
            let from = stage.continues.get(to).copied().flatten().filter(|&from| cosine(from, to) >= SAME);
            match from.and_then(|from| before.get(from)) {
                Some(from) => Direction { value, ..*from },
                None => {
                    slots += 1;
                    Direction { value, look: SeriesStyle::curve(slots - 1), begins: [place, to] }
                }
            }
        };
        let now: Vec<Direction> = stage.values.iter().enumerate().map(direction).collect();
        let before = before.len();
        directions.push(now);
        let Some(earlier) = place.checked_sub(1) else { continue };
        for from in 0..before {
            let strong = (0..stage.values.len()).map(|to| Flow { stage: earlier, from, to, cosine: cosine(from, to) });
            flows.extend(strong.filter(|flow| flow.share() >= LEAST_SHARE));
        }
    }
    let named = |(stage, directions): (&StageDirections, Vec<Direction>)| RiverStage {
        name: format!("Stage {}", stage.stage),
        directions,
    };
    let stages = stages.iter().zip(directions).map(named).collect();
    let mut river = River { stages, flows, value: Axis::new("Singular value"), whole: 0.0 };
    river.whole = river.greatest();
    let caption = "Height of a bar: singular value of ΔW along the direction. Width of a ribbon: the share of the direction, cos², that goes on in the other; what fades out or in is lost or new".to_owned();
    let subtitle = Some(format!("{run}: how the directions that the adapter writes go on from stage to stage"));
    Chart { subtitle, caption: Some(caption), ..Chart::new(title, Body::River(river)) }.synthetic(synthetic)
}

impl River {
    /// The greatest sum of a stage's values.
    fn greatest(&self) -> f64 {
        let sum = |stage: &RiverStage| stage.directions.iter().map(|direction| direction.value.max(0.0)).sum();
        self.stages.iter().map(sum).fold(0.0, f64::max)
    }
}

/// Gives all rivers among `charts` one scale, so that equal heights are equal values.
pub fn in_one_scale(charts: &mut [Chart]) {
    let rivers =
        || charts.iter().filter_map(|chart| if let Body::River(river) = &chart.body { Some(river) } else { None });
    let whole = rivers().map(River::greatest).fold(0.0, f64::max);
    for chart in charts {
        if let Body::River(river) = &mut chart.body {
            river.whole = whole;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let chart = river("layer 0, q", "PESO", &stages(), false);
        let Body::River(river) = &chart.body else { panic!("no river") };
        let flows: Vec<_> = river.flows.iter().map(|flow| (flow.from, flow.to, flow.degrees().round())).collect();
        assert_eq!(flows, [(0, 0, 45.0), (0, 1, 45.0)], "a trace of 1 % is no flow");
        assert!((river.flows.iter().map(Flow::share).sum::<f64>() - 1.0).abs() < 1e-12);
        let look = |stage: usize, place: usize| river.stages[stage].directions[place].look;
        assert_eq!(look(1, 0), look(0, 0));
        assert_ne!(look(1, 1), look(0, 0));
        assert_ne!(look(1, 2), look(0, 1), "what is 90 degrees apart is another direction");
        let begins: Vec<[usize; 2]> = river.stages[1].directions.iter().map(|direction| direction.begins).collect();
        assert_eq!(begins, [[0, 0], [1, 1], [1, 2]]);
    }

    #[test]
    fn rivers_side_by_side_have_one_scale() {
        let larger: Vec<StageDirections> = stages()
            .into_iter()
            .map(|stage| StageDirections { values: stage.values.iter().map(|value| 2.0 * value).collect(), ..stage })
            .collect();
        let mut charts =
            vec![river("q", "a", &stages(), false), river("q", "b", &larger, false), Chart::empty("c", "d")];
        in_one_scale(&mut charts);
        let whole = |chart: &Chart| if let Body::River(river) = &chart.body { river.whole } else { 0.0 };
        assert_eq!(charts.iter().map(whole).collect::<Vec<_>>(), [9.0, 9.0, 0.0]);
    }

    #[test]
    fn a_single_stage_is_no_river() {
        assert!(matches!(river("q", "PESO", &stages()[..1], false).body, Body::Empty(_)));
        assert!(matches!(river("q", "PESO", &[], true).body, Body::Empty(_)));
    }
}
