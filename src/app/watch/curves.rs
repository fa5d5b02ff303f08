//! The training curves of the runs that are looked at: of no other run a single step is read.

use std::sync::Arc;

use super::run::WatchedRun;
use super::{FollowedRun, LiveCharts};
use crate::error::InputError;
use crate::figures::curves::{CurvePoint, RunCurves};
use crate::figures::{self, Provenance as _};
use crate::run::{RunFolder, RunReader};

/// The curves that are followed, and the charts of them.
#[derive(Default)]
pub(super) struct Curves {
    /// In their order.
    followed: Vec<FollowedRun>,
    curves: Vec<RunCurves>,
    /// How far each of `curves` is read.
    cursors: Vec<Cursor>,
    charts: Option<LiveCharts>,
}

/// How far a run's steps are read.
#[derive(Default)]
struct Cursor {
    id: String,
    generation: u64,
    last_row: i64,
    /// Whether nothing can follow as long as the folder stays as it is.
    whole: bool,
    synthetic: bool,
}

impl Curves {
    /// Follows these runs from now on; what is known of those that were followed before stays.
    pub(super) fn follow(&mut self, runs: Vec<FollowedRun>) {
        if runs == self.followed {
            return;
        }
        let mut known: Vec<(Cursor, RunCurves)> = self.cursors.drain(..).zip(self.curves.drain(..)).collect();
        for FollowedRun { id, style } in &runs {
            let place = known.iter().position(|(cursor, _)| cursor.id == *id);
            let (cursor, curve) = place.map_or_else(
                || {
                    let curve = RunCurves { run: id.clone(), name: String::new(), style: *style, points: Vec::new() };
                    (Cursor { id: id.clone(), ..Cursor::default() }, curve)
                },
                |place| known.swap_remove(place),
            );
            self.cursors.push(cursor);
            self.curves.push(RunCurves { style: *style, ..curve });
        }
        self.followed = runs;
        self.charts = None;
    }

    /// Reads the steps that are new; whether the charts are others now.
    pub(super) fn read<'r>(&mut self, runs: impl Iterator<Item = &'r WatchedRun>) -> bool {
        let mut changed = self.charts.is_none();
        for run in runs {
            let Some(view) = run.view() else { continue };
            let Some(place) = self.cursors.iter().position(|cursor| cursor.id == view.id) else { continue };
            let (cursor, curve) = (&mut self.cursors[place], &mut self.curves[place]);
            if cursor.generation != run.generation {
                curve.points.clear();
                curve.name = format!("{}, seed {}", view.config.experiment, view.config.seed);
                let id = std::mem::take(&mut cursor.id);
                *cursor =
                    Cursor { id, generation: run.generation, synthetic: view.config.synthetic, ..Cursor::default() };
                changed = true;
            }
            // Steps that cannot be read now (the worker is writing) can at the next turn.
            changed |= read_steps(run, cursor, curve).unwrap_or(false);
        }
        if changed {
            self.draw();
        }
        changed
    }

    /// The charts of what was read last; none until then.
    pub(super) const fn charts(&self) -> Option<&LiveCharts> {
        self.charts.as_ref()
    }

    fn draw(&mut self) {
        let synthetic = self.cursors.iter().any(|cursor| cursor.synthetic);
        let drawn =
            figures::of_curves().map(|(figure, draw)| (figure, Arc::new(draw(&self.curves).synthetic(synthetic))));
        self.charts = Some(drawn.collect());
    }
}

/// Adds the steps that are new to a curve; whether there were any.
fn read_steps(run: &WatchedRun, cursor: &mut Cursor, curve: &mut RunCurves) -> Result<bool, InputError> {
    match (run.reader(), run.view()) {
        (Some(reader), _) => {
            cursor.whole = false;
            add_steps(reader, cursor, curve)
        }
        (None, Some(view)) if !cursor.whole => {
            let added = add_steps(&RunFolder::open(&view.folder)?.reader()?, cursor, curve)?;
            cursor.whole = true;
            Ok(added)
        }
        _ => Ok(false),
    }
}

fn add_steps(reader: &RunReader, cursor: &mut Cursor, curve: &mut RunCurves) -> Result<bool, InputError> {
    let steps = reader.steps_after(cursor.last_row)?;
    let added = !steps.is_empty();
    for (row, step) in steps {
        cursor.last_row = row;
        curve.points.push(CurvePoint {
            step: curve.points.len() as u64 + 1,
            stage: step.stage,
            loss: step.loss,
            penalty: step.penalty,
            pull_ratio: step.pull_ratio,
        });
    }
    Ok(added)
}
