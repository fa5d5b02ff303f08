//! Directions in space as scenes: all stages at once, and each stage alone with the way that led to it.

use std::sync::Arc;

use crate::analysis::subspace_report::{Arrow as Direction, Directions};
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
    meanings: &'a Meanings<'a>,
}

/// What a direction means, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meant {
    /// In a few words: `market, adventure`.
    pub label: String,
    /// The items at both ends.
    pub details: String,
}

/// Tells what a direction means: by the place of its run, the stage, and the arrow.
pub type Meanings<'a> = dyn Fn(usize, usize, &Direction) -> Option<Meant> + 'a;

/// Thickness of arrows that stand out.
const STRONG: f32 = 1.7;
/// Directions of a stage that stand out; the others are faint.
const LEADING: usize = 3;

/// Makes scenes of the directions of runs with these names and stages; the leading ones stand out under what they mean.
pub fn scenes(directions: &Directions, names: &[String], stages: &[&[usize]], meanings: &Meanings<'_>) -> Scenes {
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
    let chains = Chains { directions, roots, signs, names, stages, meanings };
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
        let newest = first + shown.saturating_sub(1);
        let leading = self.leading(newest);
        let leads = |index: usize| leading.contains(&self.roots[index][1]);
        let arrow = |index: usize| {
            let found = &self.directions.arrows[index];
            let source = found.source;
            // A stage alone has the keys of the first, so that its arrows turn out of those of the stage before.
            let key = if until.is_some() { 0 } else { source - first };
            let stage = stages[source - first];
            let meant = (self.meanings)(run, stage, found);
            let labelled = leads(index) && source == newest;
            let label = if labelled { meant.as_ref().map(|meant| meant.label.as_str()) } else { None };
            let details = meant.as_ref().map(|meant| format!("\n{}", meant.details)).unwrap_or_default();
            Arrow {
                key: (self.roots[index][0] * stages.len() + key) as u64,
                name: self.words(index, run, stage) + &details,
                from: [0.0; 3],
                to: self.tip(index),
                tone: tone(source),
                width: if leads(index) { STRONG } else { 1.0 },
                label: label.unwrap_or_default().to_owned(),
                faint: !leads(index),
                group: source - first,
                place: found.index,
                series: run,
            }
        };
        let trail = |root: usize| {
            let chain: Vec<usize> = own(0).filter(|&index| self.roots[index][1] == root).collect();
            (chain.len() > 1).then(|| Trail {
                key: root as u64,
                points: chain.iter().map(|&index| self.tip(index)).collect(),
                tones: chain.iter().map(|&index| tone(self.directions.arrows[index].source)).collect(),
                width: if leading.contains(&root) { 1.0 } else { 0.4 },
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

    /// The chains, by the arrows that they begin with, of the longest arrows of a source.
    fn leading(&self, source: usize) -> Vec<usize> {
        let length = |index: &usize| self.tip(*index).iter().map(|part| part * part).sum::<f32>();
        let mut own: Vec<usize> =
            (0..self.roots.len()).filter(|&index| self.directions.arrows[index].source == source).collect();
        own.sort_by(|one, other| length(other).total_cmp(&length(one)));
        own.into_iter().take(LEADING).map(|index| self.roots[index][1]).collect()
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
    use crate::analysis::subspace_report::Continuation;
    use crate::subspace::Side;

    fn made() -> Scenes {
        let direction = |source, singular_value, tip, continues| Direction {
            source,
            module: "q".to_owned(),
            index: 0,
            singular_value,
            tip,
            reversed: false,
            continues,
        };
        let next = |arrow, same_run| Some(Continuation { arrow, cosine: 0.9, same_run });
        let arrows = vec![
            direction(0, 2.0, [1.0, 0.0, 0.0], None),
            direction(1, 3.0, [0.0, 1.0, 0.0], next(0, true)),
            direction(2, 1.0, [0.0, 0.0, 1.0], next(0, false)),
        ];
        let directions = Directions { side: Side::Left, width: 8, explained: [0.6, 0.3, 0.1], arrows };
        let meant = |run: usize, stage: usize, found: &Direction| {
            let label = format!("{}: run {run}", found.index + 1);
            (stage == 2).then(|| Meant { label, details: "▲ Crime".to_owned() })
        };
        scenes(&directions, &["PESO".to_owned(), "Frozen".to_owned()], &[&[1, 2], &[1]], &meant)
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
    fn what_leads_stands_out_under_what_it_means() {
        let direction = |index: usize, length: f64| Direction {
            source: 0,
            module: "q".to_owned(),
            index,
            singular_value: length,
            tip: [1.0, 0.0, 0.0],
            reversed: false,
            continues: None,
        };
        let arrows: Vec<Direction> =
            [5.0, 4.0, 3.0, 2.0].into_iter().enumerate().map(|(i, l)| direction(i, l)).collect();
        let directions = Directions { side: Side::Left, width: 8, explained: [1.0, 0.0, 0.0], arrows };
        let meant = |_: usize, _: usize, found: &Direction| {
            Some(Meant { label: format!("{}: crime", found.index + 1), details: "▲ Crime".to_owned() })
        };
        let made = scenes(&directions, &["PESO".to_owned()], &[&[1]], &meant);
        let shown: Vec<(bool, &str)> =
            made.all[0].arrows.iter().map(|arrow| (arrow.faint, arrow.label.as_str())).collect();
        assert_eq!(shown, [(false, "1: crime"), (false, "2: crime"), (false, "3: crime"), (true, "")]);
        assert!(made.all[0].arrows[3].name.ends_with("▲ Crime"), "what it means is told where one points");
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
