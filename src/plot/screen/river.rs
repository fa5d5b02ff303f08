//! A river in the window: what is under the pointer stands out with all that it joins.

use eframe::egui::{self, Response, Sense, Ui};

use super::parallel::Highlight;
use super::{Canvas, tooltip};
use crate::plot::river::River;
use crate::plot::scale::value_label;
use crate::plot::scene::river;
use crate::plot::scene::river::RiverPart;
use crate::plot::scene::{Rect, Scene};

/// Draws `river` and says what is under the pointer; else what is pointed at elsewhere stands out.
pub(super) fn show(
    ui: &Ui,
    scene: &mut Scene,
    river: &River,
    room: Rect,
    canvas: &Canvas<'_>,
    id: egui::Id,
    highlight: &mut Highlight,
) -> Response {
    let layout = river::layout(scene, river, room);
    let response = ui.interact(canvas.rect(room), id, Sense::click());
    let part = response.hover_pos().and_then(|pointer| layout.part(canvas.scene_position(pointer)));
    river::frame(scene, river, &layout, room);
    let elsewhere = highlight.pointed.take().and_then(|name| RiverPart::named(river, &name));
    river::data(scene, river, &layout, part.or(elsewhere));
    highlight.clicked = match part {
        Some(RiverPart::Direction { stage, index }) if response.clicked() => Some([stage, index]),
        _ => None,
    };
    if let Some(place) = highlight.framed {
        river::outline(scene, &layout, place);
    }
    highlight.pointed = part.map(|part| part.name(river));
    canvas.paint(&scene.shapes);
    match part {
        Some(RiverPart::Direction { stage, index }) => {
            let shares = |ends: &dyn Fn(&crate::plot::river::Flow) -> bool| -> f64 {
                river.flows.iter().filter(|flow| ends(flow)).map(crate::plot::river::Flow::share).sum()
            };
            tooltip(ui, &response, |ui| {
                let at = &river.stages[stage];
                ui.strong(format!("{}, direction {}", at.name, index + 1));
                ui.label(format!("{} {}", river.value.label, value_label(at.directions[index].value)));
                if highlight.framed.is_some() {
                    ui.label("Click to see what it means");
                }
                if stage > 0 {
                    let from = shares(&|flow| (flow.stage + 1, flow.to) == (stage, index));
                    ui.label(format!("{:.0} % of it was there in the stage before", 100.0 * from.min(1.0)));
                }
                if stage + 1 < river.stages.len() {
                    let on = shares(&|flow| (flow.stage, flow.from) == (stage, index));
                    ui.label(format!("{:.0} % of it goes on in the next stage", 100.0 * on.min(1.0)));
                }
            });
        }
        Some(RiverPart::Flow(number)) => {
            let flow = &river.flows[number];
            tooltip(ui, &response, |ui| {
                let [from, to] = [flow.stage, flow.stage + 1].map(|stage| &river.stages[stage].name);
                ui.strong(format!("{from}, direction {} to {to}, direction {}", flow.from + 1, flow.to + 1));
                ui.label(format!("Cosine {:.3}, {:.0}° apart", flow.cosine, flow.degrees()));
            });
        }
        None => {}
    }
    response
}
