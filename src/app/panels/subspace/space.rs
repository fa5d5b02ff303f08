//! The leading directions of a module as arrows in space; two runs in one space with one camera.

use std::sync::Arc;

use eframe::egui;
use egui::Ui;

use super::super::{Context, answered, run_label};
use super::player::Player;
use super::{Pictured, Reported, SubspacePanel, pictures};
use crate::app::queries::RunStamp;
use crate::app::queries::subspace::LeadingDirections;
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::figures::adapters::module_words;
use crate::figures::space::{Scenes, scenes};
use crate::render::{ArrowView, Camera, Scene, arrows_picture};
use crate::subspace::Side;

/// State of the arrows.
#[derive(Debug, Default)]
pub(super) struct Space {
    /// One a run that is shown.
    views: [ArrowView; 2],
    /// Keys of the arrows under the pointer in each view, which stand out in the other one too.
    pointed: [Option<u64>; 2],
    /// From where both are seen.
    camera: Option<Camera>,
    player: Player,
    /// The scenes, and the directions that they were made of.
    made: Option<(LeadingDirections, Scenes)>,
}

impl SubspacePanel {
    pub(super) fn spaces(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        runs: &[&Arc<RunView>],
        (one, second): (Reported<'_>, Option<Reported<'_>>),
    ) {
        let module = self.module(one.report).to_owned();
        let shown: Vec<Reported<'_>> = [Some(one), second].into_iter().flatten().collect();
        let of: Vec<(RunStamp, usize)> = shown
            .iter()
            .flat_map(|shown| shown.report.stages.iter().map(|&stage| (RunStamp::of(shown.run), stage)))
            .collect();
        let side = if self.side == Side::Right { Side::Right } else { Side::Left };
        let query = LeadingDirections { of, module: module.clone(), side };
        let Some(directions) = answered(ui, context, &query, "Placing the directions in space") else { return };
        let names: Vec<String> = shown.iter().map(|shown| run_label(shown.run, runs)).collect();
        let Space { views, pointed, camera, player, made } = &mut self.space;
        if made.as_ref().is_none_or(|(made, _)| *made != query) {
            let stages: Vec<&[usize]> = shown.iter().map(|shown| shown.report.stages.as_slice()).collect();
            *made = Some((query, scenes(directions, &names, &stages)));
            *camera = None;
        }
        let Some((_, made)) = made else { return };
        let visible = 100.0 * directions.explained.iter().sum::<f64>();
        ui.horizontal_wrapped(|ui| {
            player.ui(ui, &made.stages);
            widgets::remark(ui, format!("{visible:.0} % of their squared length is visible")).on_hover_text(BASIS);
        });
        let scenes = player.stage(&made.stages).map_or(&made.all, |index| &made.by_stage[index]);
        let words = one.report.modules.iter().find(|found| found.name == module).map(module_words).unwrap_or_default();
        let (before, pointed_before) = (*camera, *pointed);
        let selected = views[0].selected;
        let drawn = |scene: &Arc<Scene>| arrows_picture(Arc::clone(scene), before.unwrap_or_else(|| scene.home()));
        let pictured = Pictured {
            title: format!("Directions: {words}"),
            caption: format!("{BASIS}. {visible:.0} % of it is visible"),
            pictures: names.iter().cloned().zip(scenes.iter().map(drawn)).collect(),
            corner: self.corner,
        };
        pictures(ui, context, pictured, |ui, index, at| {
            let (scene, view) = (&scenes[index], &mut views[index]);
            view.camera = before;
            view.pointed = if scenes.len() > 1 { pointed_before[1 - index] } else { None };
            let what = format!("Directions of {}, {words}", names[index]);
            let shown = view.show(ui, at, &what, scene, |ui, arrow| {
                ui.label(&scene.arrows[arrow].name);
            });
            pointed[index] = shown.hovered.map(|arrow| scene.arrows[arrow].key);
            // What is turned on one side turns on the other.
            if view.camera != before {
                *camera = view.camera;
            }
        });
        // What is selected on one side is so on the other.
        if let Some(changed) = views.iter().map(|view| view.selected).find(|now| *now != selected) {
            views.iter_mut().for_each(|view| view.selected = changed);
        }
        if *pointed != pointed_before {
            ui.request_repaint();
        }
    }
}

/// How the axes are chosen.
const BASIS: &str = "The axes are the three orthogonal directions that hold most of the squared length of all arrows, of all stages and both runs, with the share that each holds; what lies across them is not seen";
