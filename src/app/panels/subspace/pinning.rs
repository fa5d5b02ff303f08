//! What makes the charts of the view anew, so that they can stand on the board.

use std::sync::Arc;

use super::tabs::Tab;
use super::{ComparedWith, Reported, SubspacePanel};
use crate::app::watch::RunView;
use crate::data::Protocol;
use crate::figures::options::variant_name;
use crate::figures::{self, FigureOptions};
use crate::project::board::{CameraView, PinnedFigure};
use crate::render::Camera;
use crate::subspace::Side;

impl SubspacePanel {
    /// The figure of the tab with what is chosen, of a run that is looked at.
    pub(super) fn pinned(&self, one: Reported<'_>) -> PinnedFigure {
        let mut options = FigureOptions { run: Some(one.run.id.clone()), ..FigureOptions::default() };
        if self.tab.of_a_module() {
            options.module = Some(one.module.to_owned());
        }
        if self.tab.of_a_side() {
            options.side = Some(one.side);
        }
        let of_a_stage =
            [Tab::Map, Tab::Weights, Tab::Clients, Tab::Retention, Tab::Conflicts, Tab::Meaning].contains(&self.tab);
        if of_a_stage {
            options.stage = Some(one.stage);
        }
        // Those have a choice of what stands beside, in one chart.
        if matches!(self.tab, Tab::Map | Tab::Weights | Tab::Spectra | Tab::Angles | Tab::Space) {
            match &self.beside {
                ComparedWith::Nothing => {}
                ComparedWith::Stage(_) if self.tab == Tab::Space => {}
                ComparedWith::Stage(other) => (options.stage, options.beside_stage) = (Some(one.stage), Some(*other)),
                ComparedWith::Run(id) => (options.stage, options.beside) = (Some(one.stage), Some(id.clone())),
            }
        }
        options.variant = match self.tab {
            Tab::Map => variant_name(self.mapped),
            Tab::Angles => variant_name(self.against),
            Tab::Retention => variant_name(self.movers),
            _ => None,
        };
        let name = self.tab.figure().map_or("", |figure| figure.name);
        PinnedFigure::new(name, options, Protocol::default())
    }

    /// The chart of the rounds that is chosen, of all runs.
    pub(super) fn pinned_rounds(&self) -> PinnedFigure {
        let options = FigureOptions { chart: Some(self.charted.name().to_owned()), ..FigureOptions::default() };
        PinnedFigure::new(figures::rounds::SPEC.name, options, Protocol::default())
    }

    /// The distances of these runs, of so many that there are.
    pub(super) fn pinned_distances(&self, shown: &[&Arc<RunView>], of: usize, side: Side) -> PinnedFigure {
        let (side, variant) = (Some(side), variant_name(self.against));
        let mut options = FigureOptions { side, variant, ..FigureOptions::default() };
        if shown.len() < of {
            options.runs = shown.iter().map(|run| run.id.clone()).collect();
        }
        PinnedFigure::new(figures::distances::SPEC.name, options, Protocol::default())
    }
}

/// A figure of directions as they are seen now: a stage of those that play, and the camera where it was moved.
pub(super) fn seen(mut figure: PinnedFigure, stage: Option<usize>, camera: Option<Camera>) -> PinnedFigure {
    figure.options.stage = stage;
    figure.options.camera = camera.map(|camera| {
        let Camera { yaw, pitch, distance, target, .. } = camera;
        CameraView { yaw, pitch, distance, target }
    });
    figure
}
