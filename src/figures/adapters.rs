//! The adapters of runs, as figures name and read them.

use serde::{Deserialize, Serialize};

use super::options::variant;
use crate::analysis::subspace_report::{Between, ModuleReport, ModuleStage, Moved, SidedAngles, SubspaceReport};
use crate::plot::SeriesStyle;
use crate::project::board::FigureOptions;
use crate::subspace::Side;

/// What is known of the adapters of a run.
#[derive(Debug, Clone, Copy)]
pub struct AdapterRun<'a> {
    pub report: &'a SubspaceReport,
    /// `PESO`, `PESO, seed 3`.
    pub name: &'a str,
    /// The style of the run's line in every chart.
    pub style: SeriesStyle,
}

/// The adapters of one stage of a run, as charts name them.
#[derive(Debug, Clone, Copy)]
pub struct AdapterStage<'a> {
    pub report: &'a SubspaceReport,
    /// `PESO`, `PESO, seed 3`.
    pub run: &'a str,
    /// From 1.
    pub stage: usize,
}

impl<'a> AdapterRun<'a> {
    /// One of its stages.
    pub fn at(self, stage: usize) -> AdapterStage<'a> {
        AdapterStage { report: self.report, run: self.name, stage }
    }

    /// All stages that have adapters, by rising stage.
    pub fn stages(self) -> Vec<AdapterStage<'a>> {
        self.report.stages.iter().map(|&stage| self.at(stage)).collect()
    }
}

/// `q` for `q_proj`.
pub fn projection_words(projection: &str) -> &str {
    projection.strip_suffix("_proj").unwrap_or(projection)
}

/// `Layer 3, q`: layers count from 1, as stages do.
pub fn module_words(module: &ModuleReport) -> String {
    format!("Layer {}, {}", module.layer + 1, projection_words(&module.projection))
}

/// The module that is looked at until one is chosen: the one with the largest update of those that write into the stream
/// between layers, whose directions can be read as items; of all, where none does.
pub fn leading_module(report: &SubspaceReport) -> Option<&ModuleReport> {
    let writes = |module: &&ModuleReport| matches!(module.projection.as_str(), "o_proj" | "down_proj");
    let norm = |module: &&ModuleReport| module.stages.last().map_or(0.0, |stage| stage.norm);
    let largest = |module: &&ModuleReport, other: &&ModuleReport| norm(module).total_cmp(&norm(other));
    report.modules.iter().filter(writes).max_by(largest).or_else(|| report.modules.iter().max_by(largest))
}

pub(super) fn stage_words(shown: &AdapterStage<'_>) -> String {
    format!("{}, stage {}", shown.run, shown.stage)
}

pub(super) fn find<'a>(shown: &AdapterStage<'a>, module: &str) -> Option<(&'a ModuleReport, &'a ModuleStage)> {
    let module = shown.report.modules.iter().find(|found| found.name == module)?;
    Some((module, module.stages.iter().find(|stage| stage.stage == shown.stage)?))
}

pub(super) fn subtitle(shown: &[AdapterStage<'_>], module: &str) -> Option<String> {
    let found = shown.iter().find_map(|shown| shown.report.modules.iter().find(|found| found.name == module));
    found.map(module_words)
}

/// A move as a part of what was there; none where there was nothing.
pub(super) fn relative(moved: &Moved, before: f64) -> Option<f64> {
    (before > 0.0).then(|| moved.norm / before)
}

pub(super) fn between(module: &ModuleReport, from: usize, to: usize) -> Option<&Between> {
    module.pairs.iter().find(|pair| (pair.from, pair.to) == (from, to))
}

/// The stage that a stage's subspace is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    #[default]
    Previous,
    First,
}

impl Reference {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Previous, Self::First];

    /// How it reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Previous => "The stage before",
            Self::First => "Stage 1",
        }
    }

    pub(super) fn of(self, stages: &[usize], stage: usize) -> Option<usize> {
        let earlier = stages.iter().copied().filter(|&earlier| earlier < stage);
        match self {
            Self::Previous => earlier.max(),
            Self::First => earlier.min(),
        }
    }
}

/// How the turn of a subspace is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AngleOptions {
    /// [`Side::Left`], the column space, or [`Side::Right`], the row space.
    pub side: Side,
    pub reference: Reference,
}

impl AngleOptions {
    /// As figures are asked for; subspaces have two sides, of which the column space is the usual one.
    pub fn of(options: &FigureOptions) -> Self {
        let side = options.side.filter(|side| *side != Side::Both).unwrap_or(Side::Left);
        Self { side, reference: variant(options) }
    }
}

impl Default for AngleOptions {
    /// The column space, against the stage before.
    fn default() -> Self {
        Self { side: Side::Left, reference: Reference::Previous }
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

pub(super) fn sided(pair: &Between, side: Side) -> &SidedAngles {
    match side {
        Side::Left | Side::Both => &pair.left,
        Side::Right => &pair.right,
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    use super::*;
    use crate::analysis::subspace_report::{Group, GroupStage};

    fn sides(radians: &[f64]) -> SidedAngles {
        let grassmann = radians.iter().map(|angle| angle * angle).sum::<f64>().sqrt();
        SidedAngles { radians: radians.to_vec(), grassmann, chordal: 0.0, overlap: None }
    }

    /// Two stages of two modules, which move by half between them.
    pub(crate) fn report() -> SubspaceReport {
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
}
