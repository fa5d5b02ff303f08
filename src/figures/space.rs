//! Directions in space as scenes: all stages at once, and each stage alone with the way that led to it.

use std::sync::Arc;

use crate::analysis::subspace_report::Directions;
use crate::plot::picture::Entry;
use crate::plot::scale::value_label;
use crate::plot::series_style::Tone;
use crate::render::{Arrow, Scene, Trail};

/// Scenes of runs in one space and one scale, in which what has the same key began as the same direction.
#[derive(Debug)]
pub struct Scenes {
    /// The stages of all runs, ascending.
    pub stages: Vec<usize>,
    /// One a run.
    pub all: Vec<Arc<Scene>>,
    /// By index in `stages`, one a run. A run that ends earlier stays as it was.
    pub by_stage: Vec<Vec<Arc<Scene>>>,
}

/// Directions joined to chains from stage to stage, with the runs that they are of. Sources are the stages of the runs, one run after the other.
struct Chains<'a> {
    directions: &'a Directions,
    /// The arrow that the chain of each arrow begins with, over all runs and within its own.
    roots: Vec<[usize; 2]>,
    /// 1 or -1 an axis, so that most of what is strong points to where the camera is.
    signs: [f64; 3],
    names: &'a [String],
    stages: &'a [&'a [usize]],
}

/// Makes scenes of the directions of runs with these names and stages.
pub fn scenes(directions: &Directions, names: &[String], stages: &[&[usize]]) -> Scenes {
    let mut roots: Vec<[usize; 2]> = Vec::new();
    for (index, arrow) in directions.arrows.iter().enumerate() {
        let [any, own] = arrow.continues.map_or([index; 2], |before| {
            let [any, own] = roots[before.arrow];
            [any, if before.same_run { own } else { index }]
        });
        roots.push([any, own]);
    }
    let signs = [0, 1, 2].map(|axis| {
        let along = directions.arrows.iter().map(|arrow| arrow.singular_value * arrow.tip[axis]).sum::<f64>();
        if along < 0.0 { -1.0 } else { 1.0 }
    });
    let chains = Chains { directions, roots, signs, names, stages };
    let runs = 0..names.len().min(stages.len());
    // One scale for all of them, so that equal lengths are equal values.
    let whole: Vec<Scene> = runs.clone().map(|run| chains.scene(run, None).fitted()).collect();
    let reach = whole.iter().map(|scene| scene.reach).fold(0.0, f32::max);
    let scaled = |scene: Scene| Arc::new(Scene { reach, ..scene });
    let mut known: Vec<usize> = stages.iter().flat_map(|stages| stages.iter().copied()).collect();
    known.sort_unstable();
    known.dedup();
    let at = |stage: &usize| runs.clone().map(|run| scaled(chains.scene(run, Some(*stage)))).collect();
    Scenes { by_stage: known.iter().map(at).collect(), stages: known, all: whole.into_iter().map(scaled).collect() }
}

impl Chains<'_> {
    /// A run's scene: all stages, or the last one up to `until`, with trails from the first.
    fn scene(&self, run: usize, until: Option<usize>) -> Scene {
        let stages = self.stages[run];
        let first = self.stages[..run].iter().map(|stages| stages.len()).sum::<usize>();
        let shown = stages.iter().filter(|stage| until.is_none_or(|until| **stage <= until)).count();
        let tone = |source: usize| Tone::of(source - first, stages.len());
        let own = |from: usize| {
            let sources = first + from..first + shown;
            (0..self.roots.len()).filter(move |&index| sources.contains(&self.directions.arrows[index].source))
        };
        let arrow = |index: usize| {
            let source = self.directions.arrows[index].source;
            // A stage alone has the keys of the first, so that its arrows turn out of those of the stage before.
            let key = if until.is_some() { 0 } else { source - first };
            Arrow {
                key: (self.roots[index][0] * stages.len() + key) as u64,
                name: self.words(index, run, stages[source - first]),
                from: [0.0; 3],
                to: self.tip(index),
                tone: tone(source),
                width: 1.0,
                group: source - first,
                series: run,
            }
        };
        let trail = |root: usize| {
            let chain: Vec<usize> = own(0).filter(|&index| self.roots[index][1] == root).collect();
            (chain.len() > 1).then(|| Trail {
                key: root as u64,
                points: chain.iter().map(|&index| self.tip(index)).collect(),
                tones: chain.iter().map(|&index| tone(self.directions.arrows[index].source)).collect(),
                width: 1.0,
            })
        };
        let axis = |axis: usize| format!("Axis {} ({:.0} %)", axis + 1, 100.0 * self.directions.explained[axis]);
        let entry = |(index, stage): (usize, &usize)| Entry {
            name: format!("Stage {stage}"),
            tone: Tone::of(index, stages.len()),
        };
        let from = if until.is_some() { shown.saturating_sub(1) } else { 0 };
        Scene {
            arrows: own(from).map(arrow).collect(),
            trails: own(0).filter(|&index| self.roots[index][1] == index).filter_map(trail).collect(),
            axes: [0, 1, 2].map(axis),
            reach: 1.0,
            legend: stages.iter().enumerate().map(entry).collect(),
        }
    }

    fn tip(&self, index: usize) -> [f32; 3] {
        let found = &self.directions.arrows[index];
        [0, 1, 2].map(|axis| (self.signs[axis] * found.tip[axis] * found.singular_value) as f32)
    }

    fn words(&self, index: usize, run: usize, stage: usize) -> String {
        let found = &self.directions.arrows[index];
        let visible = found.tip.iter().map(|along| along * along).sum::<f64>().sqrt();
        let goes_on = found.continues.filter(|before| before.same_run).map_or_else(String::new, |before| {
            let number = self.directions.arrows[before.arrow].index + 1;
            format!("\nContinues direction {number} at a cosine of {:.2}", before.cosine)
        });
        format!(
            "{}, stage {stage}, direction {}\nSingular value {}\n{:.0} % of its length is visible here{goes_on}",
            self.names[run],
            found.index + 1,
            value_label(found.singular_value),
            100.0 * visible
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::subspace_report::{Arrow as Direction, Continuation};
    use crate::subspace::Side;

    fn made() -> Scenes {
        let direction = |source, singular_value, tip, continues| Direction {
            source,
            module: "q".to_owned(),
            index: 0,
            singular_value,
            tip,
            continues,
        };
        let next = |arrow, same_run| Some(Continuation { arrow, cosine: 0.9, same_run });
        let arrows = vec![
            direction(0, 2.0, [1.0, 0.0, 0.0], None),
            direction(1, 3.0, [0.0, 1.0, 0.0], next(0, true)),
            direction(2, 1.0, [0.0, 0.0, 1.0], next(0, false)),
        ];
        let directions = Directions { side: Side::Left, width: 8, explained: [0.6, 0.3, 0.1], arrows };
        scenes(&directions, &["PESO".to_owned(), "Frozen".to_owned()], &[&[1, 2], &[1]])
    }

    #[test]
    fn arrows_are_as_long_as_their_values_and_trails_join_stages_of_a_run() {
        let made = made();
        let [one, other] = &made.all[..] else { panic!("two runs") };
        assert_eq!((one.arrows.len(), one.trails.len(), other.trails.len()), (2, 1, 0));
        assert_eq!(one.arrows[1].to, [0.0, 3.0, 0.0]);
        assert_eq!(one.trails[0].points, [[2.0, 0.0, 0.0], [0.0, 3.0, 0.0]]);
        assert_eq!(one.reach, other.reach, "one scale");
        assert!(one.axes[0].contains("60 %") && other.arrows[0].name.starts_with("Frozen, stage 1"));
    }

    #[test]
    fn what_goes_on_keeps_its_key_from_stage_to_stage_and_beside() {
        let made = made();
        assert_eq!(made.stages, [1, 2]);
        let keys = |stage: usize, run: usize| {
            made.by_stage[stage][run].arrows.iter().map(|arrow| arrow.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(0, 0), keys(1, 0), "the arrow turns");
        assert_eq!(keys(0, 0), keys(0, 1), "both runs begin with it");
        assert_eq!(keys(1, 1), keys(0, 1), "a run that ends earlier stays");
        assert_eq!((made.by_stage[0][0].trails.len(), made.by_stage[1][0].trails.len()), (0, 1));
        let all: Vec<u64> = made.all[0].arrows.iter().map(|arrow| arrow.key).collect();
        assert_ne!(all[0], all[1], "both stages at once are two arrows");
    }
}
