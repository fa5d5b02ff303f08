//! Where things are on screen that a tour points at.

use eframe::egui;
use egui::{Id, Rect, Ui};

use super::panels::view::View;

/// Something that can be pointed at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Anchor {
    View(View),
    /// Run, pause and stop, at the top of the window.
    Toolbar,
}

/// Notes where something is; whoever draws it does so in every frame.
pub(crate) fn note(ui: &Ui, anchor: Anchor, rect: Rect) {
    let frame = ui.ctx().cumulative_frame_nr();
    ui.ctx().data_mut(|data| data.insert_temp(Id::unique(("anchor", anchor)), (frame, rect)));
}

/// Where it is now; none where it is not on screen.
pub(crate) fn found(ui: &Ui, anchor: Anchor) -> Option<Rect> {
    let frame = ui.ctx().cumulative_frame_nr();
    let noted: Option<(u64, Rect)> = ui.ctx().data(|data| data.get_temp(Id::unique(("anchor", anchor))));
    noted.filter(|(noted, _)| frame.saturating_sub(*noted) <= 1).map(|(_, rect)| rect)
}
