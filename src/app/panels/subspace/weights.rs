//! The whole update of a module as a heat map; two runs beside each other in one range of colours, panned and zoomed together.

use std::sync::Arc;

use eframe::egui;
use egui::Ui;

use super::super::{Context, answered, run_label};
use super::{ComparedWith, Pictured, Reported, SubspacePanel, pictures};
use crate::app::queries::RunStamp;
use crate::app::queries::subspace::WeightUpdate;
use crate::app::watch::RunView;
use crate::figures::weights::{CAPTION, matrices};
use crate::render::{Field, HeatMapView, Matrix, Window, heat_map_picture};

/// State of the heat maps.
#[derive(Debug, Default)]
pub(super) struct Weights {
    views: [HeatMapView; 2],
    /// What both show.
    window: Option<Window>,
    /// The matrices of the fields that they were made of.
    matrices: Vec<Arc<Matrix>>,
}

impl SubspacePanel {
    pub(super) fn weights(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        runs: &[&Arc<RunView>],
        (one, second): (Reported<'_>, Option<Reported<'_>>),
    ) {
        let module = one.module.to_owned();
        let stage = one.stage;
        let since = match self.beside {
            ComparedWith::Stage(other) if other != stage => Some(other),
            _ => None,
        };
        let mut shown: Vec<(String, &Arc<Field>)> = Vec::new();
        for reported in [Some(one), second].into_iter().flatten() {
            let name = run_label(reported.run, runs);
            let query =
                WeightUpdate { run: RunStamp::until(reported.run, stage), module: module.clone(), stage, since };
            let what = format!("Multiplying out the update of {name}");
            if let Some(field) = answered(ui, context, &query, &what) {
                let since = since.map(|since| format!(" less stage {since}")).unwrap_or_default();
                shown.push((format!("{name}, stage {stage}{since}"), field));
            }
        }
        if shown.is_empty() {
            return;
        }
        let same = self.weights.matrices.len() == shown.len()
            && self.weights.matrices.iter().zip(&shown).all(|(matrix, (_, field))| Arc::ptr_eq(&matrix.field, field));
        if !same {
            self.weights.matrices = matrices(shown.iter().map(|(_, field)| Arc::clone(field)).collect());
            self.weights.window = None;
        }
        let (words, figure) = (one.module_words(), self.pinned(one));
        let Weights { views, window, matrices } = &mut self.weights;
        let before = *window;
        let drawn = |matrix: &Arc<Matrix>| {
            heat_map_picture(Arc::clone(matrix), before.unwrap_or_else(|| Window::whole(&matrix.field)))
        };
        let pictured = Pictured {
            title: format!("ΔW: {words}"),
            caption: CAPTION.to_owned(),
            pictures: shown.iter().map(|(name, _)| name.clone()).zip(matrices.iter().map(drawn)).collect(),
            figure,
            corner: self.corner,
        };
        pictures(ui, context, pictured, |ui, index, at| {
            let (matrix, view) = (&matrices[index], &mut views[index]);
            view.window = before;
            view.show(ui, at, &format!("ΔW of {}, {words}", shown[index].0), matrix, |_, _| ());
            // What is panned and zoomed on one side is so on the other.
            if before.is_none_or(|before| view.window != Some(before)) {
                *window = view.window;
            }
        });
    }
}
