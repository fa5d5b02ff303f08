//! What opens is seen at once, in a draft.

use std::collections::HashSet;

use eframe::egui;
use egui::{LayerId, Order, Ui, ViewportIdMap};

/// Draws the frame in which a menu or a dialog opens without soft edges, and the same again with them.
///
/// Soft edges are most of a frame's triangles, and a third of the time until what opens can be seen. Without them for good
/// slanting lines would be jagged.
#[derive(Default)]
pub(super) struct Drafts(ViewportIdMap<Open>);

/// What is open in a viewport.
#[derive(Default)]
struct Open {
    /// The frame that is drawn, in one pass or several.
    frame: u64,
    before: HashSet<LayerId>,
    now: HashSet<LayerId>,
}

impl egui::Plugin for Drafts {
    fn debug_name(&self) -> &'static str {
        "drafts"
    }

    fn on_end_pass(&mut self, ui: &mut Ui) {
        let ctx = ui.ctx();
        let open = self.0.entry(ctx.viewport_id()).or_default();
        let frame = ctx.cumulative_frame_nr();
        if frame != open.frame {
            open.before = std::mem::take(&mut open.now);
            open.frame = frame;
        }
        let visible = ctx.memory(|memory| memory.areas().visible_layer_ids());
        // Nobody waits for a tooltip.
        open.now = visible.into_iter().filter(|layer| layer.order != Order::Tooltip).collect();
        let draft = !open.now.is_subset(&open.before);
        ctx.tessellation_options_mut(|options| options.feathering = !draft);
        if draft {
            ctx.request_repaint();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_is_drawn_without_soft_edges_and_then_with_them() {
        let ctx = egui::Context::default();
        ctx.add_plugin(Drafts::default());
        // Whether edges are soft in a frame of two passes, as they are where something has opened.
        let frame = |open: bool| {
            let mut passes = 0;
            let mut output = ctx.run_ui(egui::RawInput::default(), |ui| {
                if open {
                    egui::Area::new(egui::Id::unique("menu")).show(ui.ctx(), |ui| ui.label("Export…"));
                }
                passes += 1;
                if passes == 1 {
                    ui.ctx().request_discard("as where something has opened");
                }
            });
            // Textures that nobody draws with.
            output.textures_delta.clear();
            assert_eq!(passes, 2);
            ctx.tessellation_options(|options| options.feathering)
        };
        for number in 0..3 {
            frame(false);
            assert!(frame(false), "nothing opens");
            assert!(!frame(true), "the menu opens for the time {number}");
            assert!(ctx.has_requested_repaint());
            assert!(frame(true), "it is open");
            frame(false);
        }
    }
}
