//! Lays out a river: bars of directions in columns of stages, ribbons between them, and the scale of their heights.

use super::{Anchor, Rect, Scene, Shape, Stroke, size};
use crate::plot::Ticks;
use crate::plot::font::{self, Weight};
use crate::plot::river::River;
use crate::plot::scale::{self, Range, tick_label};
use crate::plot::series_style::text_on;

/// Where everything of a river is.
pub struct RiverLayout {
    /// By stage and direction.
    pub bars: Vec<Vec<Rect>>,
    /// One a flow.
    pub ribbons: Vec<Ribbon>,
    /// What ends on the right of a bar, and what begins on its left.
    tails: Vec<(usize, usize, Ribbon)>,
    /// Where bars may be.
    at: Rect,
    /// Height of a singular value of 1.
    unit: f32,
}

/// What lies between two lines with the same x values.
pub struct Ribbon {
    pub upper: Vec<[f32; 2]>,
    pub lower: Vec<[f32; 2]>,
}

/// What stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiverPart {
    Direction { stage: usize, index: usize },
    Flow(usize),
}

const BAR: f32 = 22.0;
const GAP: f32 = 7.0;
const STEPS: usize = 24;
/// How much of a ribbon's colour covers what is below it: most of them, and one that stands out.
const OPACITY: f32 = 0.42;
const STRONG: f32 = 0.8;
const FAINT: f32 = 0.16;
/// Length of what ends or begins, as a part of the way to the next stage.
const TAIL: f32 = 0.2;

/// Draws `river` into `room`.
pub fn draw(scene: &mut Scene, river: &River, room: Rect) {
    let layout = layout(scene, river, room);
    frame(scene, river, &layout, room);
    data(scene, river, &layout, None);
}

/// Lays `river` out in `room`.
pub fn layout(scene: &Scene, river: &River, room: Rect) -> RiverLayout {
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let at = Rect {
        left: room.left + label * size::LEADING + tick * 3.2 + gap,
        top: room.top + gap,
        right: room.right - gap,
        bottom: room.bottom - tick * size::LEADING - gap,
    };
    let between = scene.scaled(GAP);
    let sums = river.stages.iter().map(|stage| stage.directions.iter().map(|d| d.value.max(0.0)).sum::<f64>());
    let gaps = river.stages.iter().map(|stage| stage.directions.len().saturating_sub(1)).max().unwrap_or(0);
    let between = between.min(0.35 * at.height() / gaps.max(1) as f32);
    let unit = if river.whole > 0.0 { (at.height() - gaps as f32 * between) / river.whole as f32 } else { 0.0 };
    let bar = scene.scaled(BAR);
    let step = (at.width() - bar) / river.stages.len().saturating_sub(1).max(1) as f32;
    let column = |(index, (stage, sum)): (usize, (&crate::plot::river::RiverStage, f64))| {
        let height = sum as f32 * unit + stage.directions.len().saturating_sub(1) as f32 * between;
        let mut top = at.top + (at.height() - height) / 2.0;
        let left = at.left + index as f32 * step;
        let bar_of = |direction: &crate::plot::river::Direction| {
            let bottom = top + direction.value.max(0.0) as f32 * unit;
            let rect = Rect { left, top, right: left + bar, bottom };
            top = bottom + between;
            rect
        };
        stage.directions.iter().map(bar_of).collect::<Vec<Rect>>()
    };
    let bars: Vec<Vec<Rect>> = river.stages.iter().zip(sums).enumerate().map(column).collect();
    let (ribbons, tails) = ribbons(river, &bars, step - bar);
    RiverLayout { bars, ribbons, tails, at, unit }
}

/// The ribbons of all flows, and what is left of every bar on both sides.
fn ribbons(river: &River, bars: &[Vec<Rect>], apart: f32) -> (Vec<Ribbon>, Vec<(usize, usize, Ribbon)>) {
    // How far down each bar the next ribbon begins, on the right and on the left of it.
    let tops = || bars.iter().map(|stage| stage.iter().map(|bar| bar.top).collect::<Vec<f32>>()).collect::<Vec<_>>();
    let (mut right, mut left) = (tops(), tops());
    let ribbon = |flow: &crate::plot::river::Flow| {
        let (from, to) = (bars[flow.stage][flow.from], bars[flow.stage + 1][flow.to]);
        let share = flow.share() as f32;
        let start = &mut right[flow.stage][flow.from];
        let end = &mut left[flow.stage + 1][flow.to];
        let edges = [[*start, *start + share * from.height()], [*end, *end + share * to.height()]];
        (*start, *end) = (edges[0][1], edges[1][1]);
        bent([from.right, to.left], edges)
    };
    let ribbons: Vec<Ribbon> = river.flows.iter().map(ribbon).collect();
    let mut tails = Vec::new();
    let last = bars.len().saturating_sub(1);
    for (stage, of_stage) in bars.iter().enumerate() {
        for (index, bar) in of_stage.iter().enumerate() {
            let length = TAIL * apart;
            let tail = |from: f32, top: f32, to: f32| {
                let middle = (top + bar.bottom) / 2.0;
                let ends = [[top, bar.bottom], [middle, middle]];
                bent([from, to], ends)
            };
            if stage < last && bar.bottom - right[stage][index] > 0.5 {
                tails.push((stage, index, tail(bar.right, right[stage][index], bar.right + length)));
            }
            if stage > 0 && bar.bottom - left[stage][index] > 0.5 {
                tails.push((stage, index, tail(bar.left, left[stage][index], bar.left - length)));
            }
        }
    }
    (ribbons, tails)
}

/// A ribbon from one edge (top and bottom at the first x) to another, level at both.
fn bent([from, to]: [f32; 2], [start, end]: [[f32; 2]; 2]) -> Ribbon {
    let point = |step: usize, edge: usize| {
        let part = step as f32 / STEPS as f32;
        let smooth = part * part * (3.0 - 2.0 * part);
        [from + part * (to - from), start[edge] + smooth * (end[edge] - start[edge])]
    };
    let line = |edge: usize| (0..=STEPS).map(|step| point(step, edge)).collect();
    Ribbon { upper: line(0), lower: line(1) }
}

/// Draws the names of the stages and the scale of heights.
pub fn frame(scene: &mut Scene, river: &River, layout: &RiverLayout, room: Rect) {
    let [tick, label, gap] = [size::TICK, size::LABEL, size::GAP].map(|size| scene.scaled(size));
    let [quiet, text] = [scene.theme.quiet_text(), scene.theme.text()];
    let columns = layout.bars.iter().filter_map(|bars| bars.first());
    let apart = layout.at.width() / river.stages.len().max(1) as f32;
    // Where names would touch each other, their last words say enough: the stages' numbers.
    let touches = |name: &str| font::width(name, tick, Weight::Regular) + 2.0 * gap > apart;
    let short = river.stages.iter().any(|stage| touches(&stage.name));
    for (stage, bar) in river.stages.iter().zip(columns) {
        let name = if short { stage.name.rsplit(' ').next().unwrap_or_default() } else { &stage.name };
        let name = font::fitted(name, tick, Weight::Regular, apart);
        let half = font::width(&name, tick, Weight::Regular) / 2.0;
        // Names of the first and the last column stay within the picture.
        let x = bar.centre()[0].clamp(layout.at.left + half * 0.6, room.right - half);
        scene.text([x, room.bottom - tick * 0.3], name, tick, text, Anchor::Middle);
    }
    // A piece of the scale: as long as a round value that takes about a third of the height.
    let whole = f64::from(layout.at.height() / layout.unit.max(f32::MIN_POSITIVE));
    let value = scale::step(Range { low: 0.0, high: whole }, 3, Ticks::Real);
    let length = value as f32 * layout.unit;
    let x = layout.at.left - gap * 1.5;
    let middle = layout.at.centre()[1];
    let [top, bottom] = [middle - length / 2.0, middle + length / 2.0];
    let stroke = Stroke::solid(scene.theme.axis(), scene.scaled(1.25));
    let cap = scene.scaled(4.0);
    for points in
        [vec![[x, top], [x, bottom]], vec![[x - cap, top], [x + cap, top]], vec![[x - cap, bottom], [x + cap, bottom]]]
    {
        scene.shapes.push(Shape::Line { points, stroke: stroke.clone() });
    }
    scene.text([x - gap, middle + tick * 0.35], tick_label(value, value), tick, quiet, Anchor::End);
    scene.heading_upwards([room.left + label * 0.8, middle], &river.value.heading(), layout.at.height());
}

/// Draws ribbons, then bars with their numbers; where a part stands out, the others step back.
pub fn data(scene: &mut Scene, river: &River, layout: &RiverLayout, emphasised: Option<RiverPart>) {
    let colour =
        |scene: &Scene, stage: usize, index: usize| river.stages[stage].directions[index].style.ink.rgb(scene.theme);
    for (stage, index, ribbon) in &layout.tails {
        let fill = colour(scene, *stage, *index);
        let opacity =
            if emphasised == Some(RiverPart::Direction { stage: *stage, index: *index }) { OPACITY } else { FAINT };
        scene.shapes.push(Shape::Band { upper: ribbon.upper.clone(), lower: ribbon.lower.clone(), fill, opacity });
    }
    for (number, (flow, ribbon)) in river.flows.iter().zip(&layout.ribbons).enumerate() {
        let touches = match emphasised {
            None => None,
            Some(RiverPart::Flow(chosen)) => Some(chosen == number),
            Some(RiverPart::Direction { stage, index }) => {
                Some((flow.stage, flow.from) == (stage, index) || (flow.stage + 1, flow.to) == (stage, index))
            }
        };
        let opacity = match touches {
            None => OPACITY,
            Some(true) => STRONG,
            Some(false) => FAINT,
        };
        let fill = colour(scene, flow.stage, flow.from);
        scene.shapes.push(Shape::Band { upper: ribbon.upper.clone(), lower: ribbon.lower.clone(), fill, opacity });
    }
    let text = scene.scaled(size::CAPTION);
    for (stage, bars) in layout.bars.iter().enumerate() {
        for (index, &at) in bars.iter().enumerate() {
            let fill = colour(scene, stage, index);
            // What is next to nothing is still there.
            let at = Rect { bottom: at.bottom.max(at.top + scene.scaled(1.0)), ..at };
            scene.shapes.push(Shape::Rect { at, fill, radius: 0.0 });
            if at.height() >= text * 1.05 {
                let [x, y] = at.centre();
                scene.text([x, y + text * 0.35], (index + 1).to_string(), text, text_on(fill), Anchor::Middle);
            }
        }
    }
}

/// Draws a frame around the bar at the places of a stage and a direction, where there is one.
pub fn outline(scene: &mut Scene, layout: &RiverLayout, [stage, index]: [usize; 2]) {
    let Some(bar) = layout.bars.get(stage).and_then(|bars| bars.get(index)) else { return };
    let out = scene.scaled(2.5);
    let [left, top, right, bottom] = [bar.left - out, bar.top - out, bar.right + out, bar.bottom + out];
    let points = vec![[left, top], [right, top], [right, bottom], [left, bottom], [left, top]];
    let stroke = Stroke::solid(scene.theme.text(), scene.scaled(1.75));
    scene.shapes.push(Shape::Line { points, stroke });
}

impl RiverPart {
    /// Names a part, alike in rivers that begin with the same directions.
    pub fn name(self, river: &River) -> String {
        let direction = |stage: usize, index: usize| {
            let [from, first] = river.stages[stage].directions[index].begins;
            format!("{} of {}.{first}", river.stages[stage].name, river.stages[from].name)
        };
        match self {
            Self::Direction { stage, index } => direction(stage, index),
            Self::Flow(number) => {
                let flow = &river.flows[number];
                format!("{} to {}", direction(flow.stage, flow.from), direction(flow.stage + 1, flow.to))
            }
        }
    }

    /// The part of a river that has a name.
    pub fn named(river: &River, name: &str) -> Option<Self> {
        let directions =
            river.stages.iter().enumerate().flat_map(|(stage, found)| {
                (0..found.directions.len()).map(move |index| Self::Direction { stage, index })
            });
        directions.chain((0..river.flows.len()).map(Self::Flow)).find(|part| part.name(river) == name)
    }
}

impl RiverLayout {
    /// What is at a place, bars before ribbons.
    pub fn part(&self, [x, y]: [f32; 2]) -> Option<RiverPart> {
        let inside = |at: &Rect| x >= at.left && x <= at.right && y >= at.top - 1.0 && y <= at.bottom + 1.0;
        let bars = self.bars.iter().enumerate();
        let bar = bars.flat_map(|(stage, bars)| bars.iter().enumerate().map(move |(index, bar)| (stage, index, bar)));
        let found =
            bar.filter(|(_, _, bar)| inside(bar)).map(|(stage, index, _)| RiverPart::Direction { stage, index }).next();
        // The ribbon that is drawn last lies on top.
        let ribbons = self.ribbons.iter().enumerate().rev();
        found.or_else(|| {
            ribbons.filter(|(_, ribbon)| ribbon.holds([x, y])).map(|(number, _)| RiverPart::Flow(number)).next()
        })
    }
}

impl Ribbon {
    fn holds(&self, [x, y]: [f32; 2]) -> bool {
        let pieces = self.upper.windows(2).zip(self.lower.windows(2));
        pieces.filter(|(upper, _)| x >= upper[0][0] && x < upper[1][0]).any(|(upper, lower)| {
            let part = (x - upper[0][0]) / (upper[1][0] - upper[0][0]);
            let at = |edge: &[[f32; 2]]| edge[0][1] + part * (edge[1][1] - edge[0][1]);
            y >= at(upper) && y <= at(lower)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::scene;
    use super::*;
    use crate::plot::Body;
    use crate::plot::river::{Direction, Flow, RiverStage};
    use crate::plot::series_style::Theme;
    use crate::plot::{Axis, Chart, SeriesStyle};

    /// Two directions that turn by the same angle, and one of which grows.
    fn chart() -> Chart {
        let stage = |stage: usize, values: [f64; 2]| {
            let direction =
                |(slot, &value): (usize, &f64)| Direction { value, style: SeriesStyle::curve(slot), begins: [0, slot] };
            let directions = values.iter().enumerate().map(direction).collect();
            RiverStage { name: format!("Stage {stage}"), directions }
        };
        let flow = |(from, to, cosine)| Flow { stage: 0, from, to, cosine };
        let flows = [(0, 0, 0.8), (0, 1, 0.6), (1, 0, 0.6), (1, 1, 0.8)].map(flow).to_vec();
        let stages = vec![stage(1, [2.0, 1.0]), stage(2, [2.0, 2.0])];
        let river = River { stages, flows, value: Axis::new("Singular value"), whole: 4.0 };
        Chart::new("Direction river: layer 0, q", Body::River(river))
    }

    #[test]
    fn bars_are_as_high_as_their_values_and_ribbons_fill_them() {
        let chart = chart();
        let Body::River(river) = &chart.body else { panic!("no river") };
        let scene = scene(&chart, Theme::Light, [960.0, 600.0], 1.0).unwrap();
        let layout = layout(&scene, river, Rect { left: 20.0, top: 60.0, right: 940.0, bottom: 560.0 });
        let height = |stage: usize, index: usize| layout.bars[stage][index].height();
        assert!((height(0, 0) / height(0, 1) - 2.0).abs() < 1e-4);
        assert!((height(1, 0) - height(0, 0)).abs() < 1e-3, "one unit for all stages");
        for bar in layout.bars.iter().flatten() {
            assert!(bar.top >= 60.0 && bar.bottom <= 560.0 && bar.left >= 20.0 && bar.right <= 940.0);
        }
        // cos² of 0.8 and 0.6 add up to 1: the ribbons of a bar take all of it, and nothing ends.
        let first = &layout.ribbons[0];
        let [top, bottom] = [first.upper[0][1], first.lower[0][1]];
        assert!(((bottom - top) / height(0, 0) - 0.64).abs() < 1e-4);
        assert!((layout.ribbons[1].lower[0][1] - layout.bars[0][0].bottom).abs() < 1e-2);
        assert!((layout.ribbons[2].lower[STEPS][1] - layout.bars[1][0].bottom).abs() < 1e-2);
        assert!(layout.tails.is_empty());
    }

    #[test]
    fn what_is_under_the_pointer_is_found() {
        let chart = chart();
        let Body::River(river) = &chart.body else { panic!("no river") };
        let scene = scene(&chart, Theme::Light, [960.0, 600.0], 1.0).unwrap();
        let layout = layout(&scene, river, Rect { left: 20.0, top: 60.0, right: 940.0, bottom: 560.0 });
        assert_eq!(layout.part(layout.bars[1][0].centre()), Some(RiverPart::Direction { stage: 1, index: 0 }));
        let ribbon = &layout.ribbons[0];
        let middle = [ribbon.upper[1][0], (ribbon.upper[1][1] + ribbon.lower[1][1]) / 2.0];
        assert_eq!(layout.part(middle), Some(RiverPart::Flow(0)));
        assert_eq!(layout.part([0.0, 0.0]), None);
        for part in [RiverPart::Direction { stage: 1, index: 0 }, RiverPart::Flow(2)] {
            assert_eq!(RiverPart::named(river, &part.name(river)), Some(part), "found again by its name");
        }
    }
}
