//! The leading directions of a module as arrows in space; two runs in one space with one camera.

use std::sync::Arc;

use eframe::egui;
use egui::Ui;
use glam::Vec3;

use super::super::{Context, answered, run_label};
use super::naming::{Naming, known_meanings};
use super::pinning::seen;
use super::player::Player;
use super::{Pictured, Reported, SubspacePanel, pictures};
use crate::analysis::subspace_report::Arrow as Direction;
use crate::app::queries::RunStamp;
use crate::app::queries::subspace::LeadingDirections;
use crate::app::watch::RunView;
use crate::app::widgets;
use crate::figures::directions::BASIS;
use crate::figures::meaning::meant;
use crate::figures::space::{Scenes, scenes};
use crate::render::arrows::motion::eased;
use crate::render::{Arrow, ArrowView, Camera, Scene, arrows_picture};

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
    naming: Naming,
    guide: Guide,
    /// The scenes, with the directions and the number of meanings that they were made of.
    made: Option<(LeadingDirections, usize, Scenes)>,
}

/// Leads the camera while stages play, so that the turn of the leading direction lies in the picture's plane.
#[derive(Debug, Default)]
struct Guide {
    /// Index of the stage that it was led to last.
    stage: Option<usize>,
    /// From where to where, since when in seconds of the window's clock.
    way: Option<(Camera, Camera, f64)>,
}

/// Seconds of a way of the camera.
const WAY: f64 = 0.9;

impl Guide {
    /// The camera now, where it is led.
    fn lead(&mut self, ui: &Ui, scenes: &Scenes, stage: Option<usize>, now: Camera) -> Option<Camera> {
        let time = ui.input(|input| input.time);
        if self.stage != stage {
            self.stage = stage;
            let turn = stage.and_then(|stage| leading_turn(scenes, stage));
            self.way = turn.map(|axis| (now, now.facing(axis), time));
        }
        let (from, to, started) = self.way?;
        let part = ((time - started) / WAY).min(1.0);
        if part >= 1.0 {
            self.way = None;
        } else {
            ui.request_repaint();
        }
        Some(Camera::between(&from, &to, eased(part as f32)))
    }
}

/// The axis about which the leading direction of the first run turned on its way to a stage (an index).
fn leading_turn(scenes: &Scenes, stage: usize) -> Option<Vec3> {
    let [before, now] = [stage.checked_sub(1)?, stage].map(|index| scenes.by_stage.get(index)?.first());
    let (before, now) = (before?, now?);
    let vector = |arrow: &Arrow| Vec3::from(arrow.to) - Vec3::from(arrow.from);
    let length = |arrow: &&Arrow| vector(arrow).length();
    let leading = now.arrows.iter().filter(|arrow| !arrow.faint).max_by(|a, b| length(a).total_cmp(&length(b)))?;
    let earlier = before.arrows.iter().find(|arrow| arrow.key == leading.key)?;
    Some(vector(earlier).cross(vector(leading)))
}

impl SubspacePanel {
    pub(super) fn spaces(
        &mut self,
        ui: &mut Ui,
        context: &mut Context<'_>,
        runs: &[&Arc<RunView>],
        (one, second): (Reported<'_>, Option<Reported<'_>>),
    ) {
        let module = one.module.to_owned();
        let shown: Vec<Reported<'_>> = [Some(one), second].into_iter().flatten().collect();
        let of: Vec<(RunStamp, usize)> = shown
            .iter()
            .flat_map(|shown| shown.report.stages.iter().map(|&stage| (RunStamp::until(shown.run, stage), stage)))
            .collect();
        let query = LeadingDirections { of, module: module.clone(), side: one.side };
        let Some(directions) = answered(ui, context, &query, "Placing the directions in space") else { return };
        let names: Vec<String> = shown.iter().map(|shown| run_label(shown.run, runs)).collect();
        let figure = self.pinned(one);
        let Space { views, pointed, camera, player, naming, guide, made } = &mut self.space;
        let known = known_meanings(context.session, &shown);
        let meanings = known.iter().flatten().filter(|(_, report)| report.is_some()).count();
        if made.as_ref().is_none_or(|(of, count, _)| (of, *count) != (&query, meanings)) {
            let stages: Vec<&[usize]> = shown.iter().map(|shown| shown.report.stages.as_slice()).collect();
            let meaning = |run: usize, stage: usize, arrow: &Direction| {
                let report = known.get(run)?.iter().find(|(known, _)| *known == stage)?.1?;
                meant(report, arrow.index, one.side, arrow.reversed)
            };
            if made.as_ref().is_none_or(|(of, ..)| *of != query) {
                *camera = None;
            }
            *made = Some((query, meanings, scenes(directions, &names, &stages, &meaning)));
            ui.request_repaint();
        }
        let Some((.., made)) = made else { return };
        let visible = 100.0 * directions.explained.iter().sum::<f64>();
        ui.horizontal_wrapped(|ui| {
            player.ui(ui, &made.stages);
            naming.ui(ui, context, &shown, &known);
            widgets::remark(ui, format!("{visible:.0} % visible")).on_hover_text(BASIS);
        });
        let scenes = player.stage(&made.stages).map_or(&made.all, |index| &made.by_stage[index]);
        let words = one.module_words();
        let home = || scenes.first().map_or_else(Camera::default, |scene| scene.home());
        if player.played()
            && let Some(led) = guide.lead(ui, made, player.stage(&made.stages), camera.unwrap_or_else(home))
        {
            *camera = Some(led);
        }
        let (before, pointed_before) = (*camera, *pointed);
        let selected = views[0].selected;
        let drawn = |scene: &Arc<Scene>| arrows_picture(Arc::clone(scene), before.unwrap_or_else(|| scene.home()));
        let pictured = Pictured {
            title: format!("Directions: {words}"),
            caption: format!("{BASIS}. {visible:.0} % of it is visible"),
            pictures: names.iter().cloned().zip(scenes.iter().map(drawn)).collect(),
            figure: seen(figure, player.stage(&made.stages).map(|index| made.stages[index]), before),
            corner: self.corner,
        };
        let mut clicked = None;
        pictures(ui, context, pictured, |ui, index, at| {
            let (scene, view) = (&scenes[index], &mut views[index]);
            view.camera = before;
            view.pointed = if scenes.len() > 1 { pointed_before[1 - index] } else { None };
            let what = format!("Directions of {}, {words}", names[index]);
            let seen = view.show(ui, at, &what, scene, |ui, arrow| {
                ui.label(&scene.arrows[arrow].name);
            });
            pointed[index] = seen.hovered.map(|arrow| scene.arrows[arrow].key);
            if let Some(arrow) = seen.clicked.map(|arrow| &scene.arrows[arrow]) {
                clicked = Some((index, arrow.group, arrow.place));
            }
            // What is turned on one side turns on the other.
            if view.camera != before {
                *camera = view.camera;
            }
        });
        if let Some((run, group, place)) = clicked
            && let Some(of) = shown.get(run)
        {
            context.selection.stage = of.report.stages.get(group).copied();
            context.selection.direction = place;
        }
        // What is selected on one side is so on the other.
        if let Some(changed) = views.iter().map(|view| view.selected).find(|now| *now != selected) {
            views.iter_mut().for_each(|view| view.selected = changed);
        }
        if *pointed != pointed_before {
            ui.request_repaint();
        }
    }
}
