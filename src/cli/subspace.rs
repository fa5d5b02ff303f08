//! `peso subspace`: what moved in a run's adapters.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use clap::Args;
use serde::Serialize;

use super::outcome::{Ended, print, print_json, wrong_usage};
use super::table::{self, Table};
use crate::analysis::ground_truth::{GroundTruth, ground_truth};
use crate::analysis::pull::{StagePull, pulls};
use crate::analysis::retention::{self, RetentionReport};
use crate::analysis::subspace_report::{
    ComparedModule, Comparison, Group, ModuleReport, ModuleStage, Moved, RowsReport, SidedAngles, Source,
    SubspaceReport, compare, subspace_report,
};
use crate::error::InputError;
use crate::run::{RunFolder, RunOptions};

/// Show what moved in a run's adapters: spectra, principal angles, movement by layer and module, drift of token rows
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder of a run
    run: PathBuf,
    /// The stage that is looked at, against the one before it; the last where none is named
    #[arg(long, value_name = "T")]
    stage: Option<usize>,
    /// Against another run after the same stage, instead of the stage before
    #[arg(long, value_name = "RUN")]
    with: Option<PathBuf>,
    /// On generated data: how near the model's change comes to the planted drift, against random subspaces
    #[arg(long, conflicts_with_all = ["stage", "with"])]
    truth: bool,
    /// As JSON, with every figure: of all stages where none is named
    #[arg(long)]
    json: bool,
    /// Below the tables, what each of their columns means
    #[arg(long, conflicts_with_all = ["json", "truth"])]
    explain: bool,
}

/// What `--json` prints: the report, and beside it what is known of the proximal term.
#[derive(Serialize)]
struct Output<'r> {
    #[serde(flatten)]
    report: &'r SubspaceReport,
    pull: Vec<StagePull>,
    /// As far as `peso retention` has measured it.
    retention: Vec<RetentionReport>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let run = RunFolder::open(&arguments.run)?;
    // Nobody ends the command but by ending the process.
    let never = AtomicBool::new(false);
    if arguments.truth {
        let Some(truth) = ground_truth(&run, &RunOptions::default(), &never)? else { return Ok(Ended::Interrupted) };
        if arguments.json {
            print_json(&truth)?;
        } else {
            print(&truth_text(&truth))?;
        }
        return Ok(Ended::Done);
    }
    if let Some(other) = &arguments.with {
        let other = RunFolder::open(other)?;
        let stage = match arguments.stage {
            Some(stage) => stage,
            None => last_stage(&run, &never)?.min(last_stage(&other, &never)?),
        };
        let [one, other] = [&run, &other].map(|run| Source { run, stage });
        let Some(comparison) = compare(&one, &other, &never)? else { return Ok(Ended::Interrupted) };
        if arguments.json {
            print_json(&comparison)?;
        } else {
            let headings = COMPARED.into_iter().chain(DISTANCES);
            print(&(compared_text(&comparison) + &arguments.explained(headings)))?;
        }
        return Ok(Ended::Done);
    }
    let Some(mut report) = subspace_report(&run, &never)? else { return Ok(Ended::Interrupted) };
    if let Some(stage) = arguments.stage.filter(|stage| !report.stages.contains(stage)) {
        let there = format!("the run has adapters of stages 1 to {}", report.stages.len());
        return Err(wrong_usage(format!("there is no stage {stage}; {there}")).into());
    }
    if arguments.json {
        if let Some(stage) = arguments.stage {
            keep_stage(&mut report, stage);
        }
        let asked = |stage: usize| report.stages.contains(&stage);
        let pull = pulls(&run)?.into_iter().filter(|pull| asked(pull.stage)).collect();
        let retention = report.stages.iter().filter_map(|&stage| retention::cached(&run, stage)).collect();
        print_json(&Output { report: &report, pull, retention })?;
    } else {
        let stage = arguments.stage.or(report.stages.last().copied()).unwrap_or(1);
        let headings = MOVED.into_iter().chain(DISTANCES).chain([SINGULAR_VALUES]).chain(ROWS);
        print(&(text(&report, stage) + &arguments.explained(headings)))?;
    }
    Ok(Ended::Done)
}

impl Arguments {
    /// What the columns mean, where that is asked for.
    fn explained(&self, headings: impl Iterator<Item = &'static str>) -> String {
        if self.explain { table::explained(headings) } else { String::new() }
    }
}

fn last_stage(run: &RunFolder, never: &AtomicBool) -> Result<usize, InputError> {
    let report = subspace_report(run, never)?;
    Ok(report.and_then(|report| report.stages.last().copied()).unwrap_or(1))
}

/// Leaves one stage in the report, and the pairs that end in it.
fn keep_stage(report: &mut SubspaceReport, stage: usize) {
    report.stages.retain(|there| *there == stage);
    for module in &mut report.modules {
        module.stages.retain(|there| there.stage == stage);
        module.pairs.retain(|pair| pair.to == stage);
    }
    for group in report.layers.iter_mut().chain(&mut report.projections).chain([&mut report.whole]) {
        group.stages.retain(|there| there.stage == stage);
    }
    report.rows.iter_mut().for_each(|rows| rows.stages.retain(|there| there.stage == stage));
}

fn text(report: &SubspaceReport, stage: usize) -> String {
    let synthetic = if report.synthetic { " · synthetic data" } else { "" };
    let mut text =
        format!("Run {}\n{}, seed {}, rank {}{synthetic}\n", report.run, report.experiment, report.seed, report.rank);
    if let Some(note) = &report.note {
        text.push_str(&format!("{note}\n"));
    }
    text.push_str(&format!("\nAll {} modules, stage by stage\n{}", report.modules.len(), stages(&report.whole)));
    let moved = report.whole.stages.iter().any(|there| there.stage == stage && there.moved.is_some());
    let order = if moved { "most moved" } else { "largest" };
    text.push_str(&format!("\nLayers in stage {stage}, {order} first\n{}", groups("Layer", &report.layers, stage)));
    let projections = groups("Projection", &report.projections, stage);
    text.push_str(&format!("\nProjections in stage {stage}, {order} first\n{projections}"));
    for projection in &report.projections {
        let members = report.modules.iter().filter(|module| module.projection == projection.key);
        let table = modules(members.collect(), stage);
        text.push_str(&format!("\n{} in stage {stage}, {order} layers first\n{table}", projection.key));
    }
    if !report.rows.is_empty() {
        text.push_str(&format!("\nToken rows, stage by stage\n{}", rows(&report.rows)));
    }
    text
}

/// Columns of what moved.
const MOVED: [&str; 7] =
    ["‖ΔW‖", "Moved", "of ‖ΔW‖ before", "Adapter", "Inside left", "Inside right", "Effective rank"];

fn moved_cells(norm: f64, effective_rank: f64, moved: Option<&Moved>, before: Option<f64>) -> Vec<String> {
    let with_chance = |share: f64, chance: f64| format!("{share:.3} ({chance:.3})");
    let of_move = moved.map_or_else(
        || ["–"; 5].map(str::to_owned),
        |moved| {
            [
                format!("{:.4}", moved.norm),
                share_of(moved.norm, before),
                format!("{:.4}", moved.parameters),
                with_chance(moved.inside_left, moved.chance_left),
                with_chance(moved.inside_right, moved.chance_right),
            ]
        },
    );
    [format!("{norm:.4}")].into_iter().chain(of_move).chain([format!("{effective_rank:.2}")]).collect()
}

/// A move as a share of what was there; a dash where there was nothing.
fn share_of(moved: f64, before: Option<f64>) -> String {
    let share = before.filter(|before| *before > 0.0).map(|before| format!("{:.1} %", 100.0 * moved / before));
    share.unwrap_or_else(|| "–".to_owned())
}

/// The norm of the stage before, by a group's or a module's stages.
fn norm_before(stages: impl Iterator<Item = (usize, f64)>, stage: usize) -> Option<f64> {
    stages.filter(|(earlier, _)| *earlier < stage).max_by_key(|(earlier, _)| *earlier).map(|(_, norm)| norm)
}

fn group_norm_before(group: &Group, stage: usize) -> Option<f64> {
    norm_before(group.stages.iter().map(|there| (there.stage, there.norm)), stage)
}

fn distances(distances: Option<[f64; 2]>) -> [String; 2] {
    distances.map_or_else(|| ["–"; 2].map(str::to_owned), |both| both.map(|distance| format!("{distance:.3}")))
}

const DISTANCES: [&str; 2] = ["Distance left", "Distance right"];
const SINGULAR_VALUES: &str = "Singular values";
/// Columns of token rows.
const ROWS: [&str; 9] =
    ["Rows", "Stage", "Count", "Norm", "Moved", "of norm before", "Mean row", "Largest row", "Since stage 1"];
/// Columns of two runs side by side.
const COMPARED: [&str; 7] = ["Module", "‖ΔW‖", "‖ΔW′‖", "‖ΔW−ΔW′‖", "Cosine", "Overlap left", "Overlap right"];

fn stages(group: &Group) -> String {
    let mut table = Table::new(1, ["Stage"].into_iter().chain(MOVED).chain(DISTANCES));
    for stage in &group.stages {
        let before = group_norm_before(group, stage.stage);
        let figures = moved_cells(stage.norm, stage.effective_rank, stage.moved.as_ref(), before);
        table.row([stage.stage.to_string()].into_iter().chain(figures).chain(distances(stage.grassmann)));
    }
    table.to_text()
}

fn groups(kind: &str, groups: &[Group], stage: usize) -> String {
    let found = |group: &Group| group.stages.iter().find(|there| there.stage == stage).cloned();
    let mut lines: Vec<_> = groups.iter().filter_map(|group| Some((group, found(group)?))).collect();
    lines.sort_by(|(_, one), (_, other)| {
        size(other.moved.as_ref(), other.norm).total_cmp(&size(one.moved.as_ref(), one.norm))
    });
    let mut table = Table::new(1, [kind].into_iter().chain(MOVED).chain(DISTANCES));
    for (group, stage) in lines {
        let before = group_norm_before(group, stage.stage);
        let figures = moved_cells(stage.norm, stage.effective_rank, stage.moved.as_ref(), before);
        // Layers count from 1, as stages do; projections have names.
        let name = group.key.parse::<usize>().map_or_else(|_| group.key.clone(), |layer| (layer + 1).to_string());
        table.row([name].into_iter().chain(figures).chain(distances(stage.grassmann)));
    }
    table.to_text()
}

/// What lines are sorted by: the move, and in the first stage, which has none, the update itself.
fn size(moved: Option<&Moved>, norm: f64) -> f64 {
    moved.map_or(norm, |moved| moved.norm)
}

fn modules(members: Vec<&ModuleReport>, stage: usize) -> String {
    let found = |module: &ModuleReport| module.stages.iter().find(|there| there.stage == stage).cloned();
    let mut lines: Vec<(&ModuleReport, ModuleStage)> =
        members.into_iter().filter_map(|module| Some((module, found(module)?))).collect();
    lines.sort_by(|(_, one), (_, other)| {
        size(other.moved.as_ref(), other.norm).total_cmp(&size(one.moved.as_ref(), one.norm))
    });
    let heading = ["Layer", "Shape"].into_iter().chain(MOVED).chain(DISTANCES).chain([SINGULAR_VALUES]);
    let mut table = Table::new(2, heading);
    for (module, there) in lines {
        let before = module.pairs.iter().filter(|pair| pair.to == stage).max_by_key(|pair| pair.from);
        let old = norm_before(module.stages.iter().map(|there| (there.stage, there.norm)), stage);
        let values: Vec<String> = there.singular_values.iter().take(4).map(|value| format!("{value:.3}")).collect();
        let more = if there.singular_values.len() > 4 { " …" } else { "" };
        table.row(
            [(module.layer + 1).to_string(), format!("{} x {}", module.output, module.input)]
                .into_iter()
                .chain(moved_cells(there.norm, there.effective_rank, there.moved.as_ref(), old))
                .chain(distances(before.map(|pair| [pair.left.grassmann, pair.right.grassmann])))
                .chain([values.join(" ") + more]),
        );
    }
    table.to_text()
}

fn rows(rows: &[RowsReport]) -> String {
    let mut table = Table::new(1, ROWS);
    for matrix in rows {
        for stage in &matrix.stages {
            table.row([
                matrix.name.clone(),
                stage.stage.to_string(),
                matrix.rows.to_string(),
                format!("{:.4}", stage.norm),
                format!("{:.4}", stage.moved),
                share_of(
                    stage.moved,
                    norm_before(matrix.stages.iter().map(|there| (there.stage, there.norm)), stage.stage),
                ),
                format!("{:.4}", stage.mean_row),
                format!("{:.4}", stage.largest_row),
                format!("{:.4}", stage.moved_since_first),
            ]);
        }
    }
    table.to_text()
}

fn compared_text(comparison: &Comparison) -> String {
    let ((one, stage), (other, _)) = (&comparison.one, &comparison.other);
    let mut lines: Vec<&ComparedModule> = comparison.modules.iter().collect();
    lines.sort_by(|one, other| other.distance.total_cmp(&one.distance));
    let mut table = Table::new(1, COMPARED.into_iter().chain(DISTANCES));
    for module in lines {
        let overlap = |angles: &SidedAngles, width: usize| {
            // The smaller space has the mean; the larger one makes it.
            let chance = module.ranks.iter().copied().max().unwrap_or(0) as f64 / width.max(1) as f64;
            angles.overlap.map_or_else(|| "–".to_owned(), |overlap| format!("{overlap:.3} ({chance:.3})"))
        };
        table.row(
            [
                format!("{} {}", module.layer + 1, module.projection),
                format!("{:.4}", module.norms[0]),
                format!("{:.4}", module.norms[1]),
                format!("{:.4}", module.distance),
                format!("{:+.3}", module.cosine),
                overlap(&module.left, module.output),
                overlap(&module.right, module.input),
            ]
            .into_iter()
            .chain(distances(Some([module.left.grassmann, module.right.grassmann]))),
        );
    }
    format!("{one} against {other} after stage {stage}, most different modules first\n{}", table.to_text())
}

fn truth_text(truth: &GroundTruth) -> String {
    let degrees = |angle: f64| format!("{:.0}°", angle.to_degrees());
    let heading = ["Stage", "Angle", "Random turns", "5 % below", "Distance left", "Distance right", "Angles left"];
    let mut table = Table::new(1, heading);
    for stage in &truth.stages {
        let angles: Vec<String> = stage.left.radians.iter().copied().map(degrees).collect();
        table.row([
            stage.stage.to_string(),
            degrees(stage.angle),
            degrees(stage.random_angle.mean),
            degrees(stage.random_angle.fifth),
            format!("{:.3}", stage.left.grassmann),
            format!("{:.3}", stage.right.grassmann),
            angles.join(" "),
        ]);
    }
    format!(
        "{} · synthetic data\n\nThe planted drift turns {} of {} latent dimensions. For {} drifting users and {} items, the change of the \
         model since stage 1 as an operator on preferences, against the planted one\n\n{}\nAngle: between both operators as \
         vectors; of the same turn in random planes the mean, and what 5 % stay below\nDistance: Grassmann, in radians, between \
         the planes and what is preferred otherwise (left), and whose preferences change (right); random subspaces have {:.3} on \
         average, and 5 % of them less than {:.3}\n",
        truth.run,
        truth.planted,
        truth.latent,
        truth.users,
        truth.items,
        table.to_text(),
        truth.random_distance.mean,
        truth.random_distance.fifth,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::subspace_report::GroupStage;
    use crate::figures::adapters::fixture::report;
    use crate::figures::measures::definition;

    #[test]
    fn every_column_of_numbers_is_defined() {
        let words = ["Stage", "Count", "Module"];
        for column in MOVED.into_iter().chain(DISTANCES).chain([SINGULAR_VALUES]).chain(ROWS).chain(COMPARED) {
            assert_ne!(definition(column).is_some(), words.contains(&column), "{column}");
        }
    }

    #[test]
    fn a_move_is_a_share_of_the_norm_before() {
        // It moves by 0.5.
        let moved = report().modules[0].stages[1].moved;
        let stage = |stage, norm, moved| GroupStage { stage, norm, moved, ..report().whole.stages[0].clone() };
        let group = Group { stages: vec![stage(1, 2.0, None), stage(2, 10.0, moved)], ..report().whole };
        let text = stages(&group);
        assert!(text.contains("25.0 %"), "{text}");
    }
}
