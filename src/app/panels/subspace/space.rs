//! The leading directions of a module as arrows in space, by stage; two runs in one space with one camera.

use std::sync::Arc;

use eframe::egui;
use egui::{Ui, Vec2};

use super::super::{Context, chart_actions, found, run_label};
use super::{Reported, SubspacePanel};
use crate::app::reports::{Question, Report, RunStamp};
use crate::app::theme;
use crate::app::watch::RunView;
use crate::chart::look::Tone;
use crate::chart::picture::Entry;
use crate::chart::subspace::module_words;
use crate::chart::{Body, Chart};
use crate::experiment::subspace_report::Directions;
use crate::render::{Arrow, ArrowView, Camera, Scene, Trail, arrows_picture};
use crate::subspace::Side;

/// State of the arrows.
#[derive(Debug, Default)]
pub(super) struct Space {
    /// One a run that is shown.
    views: [ArrowView; 2],
    /// From where both are seen.
    camera: Option<Camera>,
    /// The scenes of the question that they were made for.
    scenes: Option<(Arc<Question>, Vec<Arc<Scene>>)>,
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
        let question = Arc::new(Question::Space { of, module: module.clone(), side });
        let Some(directions) = found(ui, context, (&question, Report::space), "Placing the directions in space") else {
            return;
        };
        let names: Vec<String> = shown.iter().map(|shown| run_label(shown.run, runs)).collect();
        if self.space.scenes.as_ref().is_none_or(|(made, _)| *made != question) {
            let stages: Vec<&[usize]> = shown.iter().map(|shown| shown.report.stages.as_slice()).collect();
            self.space.scenes = Some((Arc::clone(&question), scenes(directions, &names, &stages)));
            self.space.camera = None;
        }
        let Some((_, scenes)) = &self.space.scenes else { return };
        let words = one.report.modules.iter().find(|found| found.name == module).map(module_words).unwrap_or_default();
        let size = ui.available_size();
        let width = (size.x - theme::space::S * (scenes.len() as f32 - 1.0)) / scenes.len() as f32;
        let (views, camera) = (&mut self.space.views, &mut self.space.camera);
        let before = *camera;
        ui.horizontal_top(|ui| {
            for ((scene, view), name) in scenes.iter().zip(views).zip(&names) {
                ui.allocate_ui(Vec2::new(width, size.y), |ui| {
                    ui.set_max_width(width);
                    ui.vertical(|ui| {
                        let seen = before.unwrap_or_else(|| scene.home());
                        let mut chart = Chart::new(
                            format!("Directions: {words}"),
                            Body::Picture(arrows_picture(Arc::clone(scene), seen)),
                        );
                        chart.subtitle = Some(name.clone());
                        let chart = Arc::new(chart.synthetic(context.session.synthetic()));
                        ui.horizontal(|ui| {
                            ui.label(egui::RichText::new(name).family(theme::semi_bold()));
                            chart_actions(ui, context, &chart);
                        });
                        view.camera = before;
                        theme::panel_frame(ui).show(ui, |ui| {
                            let (at, _) = ui.allocate_exact_size(
                                ui.available_size().max(Vec2::new(160.0, 120.0)),
                                egui::Sense::hover(),
                            );
                            let what = format!("Directions of {name}, {words}");
                            view.show(ui, at, &what, scene, |ui, arrow| {
                                ui.label(&scene.arrows[arrow].name);
                            });
                        });
                        // What is turned on one side turns on the other.
                        if view.camera != before {
                            *camera = view.camera;
                        }
                        context.charts.push(chart);
                    });
                });
            }
        });
    }
}

/// One scene a run, all in the space of `directions`. Its sources are the stages of the runs, one run after the other.
fn scenes(directions: &Directions, names: &[String], stages: &[&[usize]]) -> Vec<Arc<Scene>> {
    let axes = [0, 1, 2].map(|axis| format!("Axis {} ({:.0} %)", axis + 1, 100.0 * directions.explained[axis]));
    let mut first = 0;
    let mut scenes = Vec::new();
    for (series, (name, stages)) in names.iter().zip(stages).enumerate() {
        let sources = first..first + stages.len();
        first += stages.len();
        let tone = |source: usize| Tone::of(source - sources.start, stages.len());
        let tip = |arrow: usize| {
            let found = &directions.arrows[arrow];
            found.tip.map(|along| (along * found.singular_value) as f32)
        };
        let own = || (0..directions.arrows.len()).filter(|&place| sources.contains(&directions.arrows[place].source));
        let arrow = |place: usize| {
            let found = &directions.arrows[place];
            let stage = stages[found.source - sources.start];
            let visible = found.tip.iter().map(|along| along * along).sum::<f64>().sqrt();
            let goes_on = found.continues.filter(|before| before.same_run).map_or_else(String::new, |before| {
                format!(
                    "\nContinues direction {} at a cosine of {:.2}",
                    directions.arrows[before.arrow].place + 1,
                    before.cosine
                )
            });
            Arrow {
                key: place as u64,
                name: format!(
                    "{name}, stage {stage}, direction {}\nSingular value {}\n{:.0} % of its length is visible here{goes_on}",
                    found.place + 1,
                    crate::chart::scale::value_label(found.singular_value),
                    100.0 * visible
                ),
                from: [0.0; 3],
                to: tip(place),
                tone: tone(found.source),
                width: 1.0,
                group: found.source - sources.start,
                series,
            }
        };
        let trail = |place: usize| {
            let found = &directions.arrows[place];
            let before = found
                .continues
                .filter(|before| before.same_run && sources.contains(&directions.arrows[before.arrow].source))?;
            Some(Trail {
                key: place as u64,
                points: vec![tip(before.arrow), tip(place)],
                tones: vec![tone(directions.arrows[before.arrow].source), tone(found.source)],
                width: 1.0,
            })
        };
        let legend = stages.iter().enumerate();
        let legend =
            legend.map(|(place, stage)| Entry { name: format!("Stage {stage}"), tone: Tone::of(place, stages.len()) });
        scenes.push(Scene {
            arrows: own().map(arrow).collect(),
            trails: own().filter_map(trail).collect(),
            axes: axes.clone(),
            reach: 1.0,
            legend: legend.collect(),
        });
    }
    // One scale for all of them, so that equal lengths are equal values.
    let fitted: Vec<Scene> = scenes.into_iter().map(Scene::fitted).collect();
    let reach = fitted.iter().map(|scene| scene.reach).fold(0.0, f32::max);
    fitted.into_iter().map(|scene| Arc::new(Scene { reach, ..scene })).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::subspace_report::{Arrow as Direction, Continuation};

    #[test]
    fn arrows_are_as_long_as_their_values_and_trails_join_stages_of_a_run() {
        let direction = |source, singular_value, tip, continues| Direction {
            source,
            module: "q".to_owned(),
            place: 0,
            singular_value,
            tip,
            continues,
        };
        let next = |arrow, same_run| Some(Continuation { arrow, cosine: 0.9, same_run });
        let arrows = vec![
            direction(0, 2.0, [1.0, 0.0, 0.0], None),
            direction(1, 3.0, [0.0, 1.0, 0.0], next(0, true)),
            direction(2, 1.0, [0.0, 0.0, 1.0], next(1, false)),
        ];
        let directions = Directions { side: Side::Left, width: 8, explained: [0.6, 0.3, 0.1], arrows };
        let names = ["PESO".to_owned(), "Frozen".to_owned()];
        let made = scenes(&directions, &names, &[&[1, 2], &[1]]);
        assert_eq!((made[0].arrows.len(), made[0].trails.len(), made[1].trails.len()), (2, 1, 0));
        assert_eq!(made[0].arrows[1].to, [0.0, 3.0, 0.0]);
        assert_eq!(made[0].trails[0].points, [[2.0, 0.0, 0.0], [0.0, 3.0, 0.0]]);
        assert_eq!(made[0].reach, made[1].reach, "one scale");
        assert!(made[0].axes[0].contains("60 %") && made[1].arrows[0].name.starts_with("Frozen, stage 1"));
    }
}
