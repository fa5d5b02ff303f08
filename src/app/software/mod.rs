//! Drawing by the processor: what the window leaves out or draws otherwise where no graphics device draws.

mod areas;
mod fill;

use eframe::egui;
use eframe::wgpu::DeviceType;

/// Leaves out what would only be more frames, and draws large areas the short way, where the processor draws: there each frame and
/// each pixel costs time that an answer then takes longer.
pub(super) fn lighten(context: &eframe::CreationContext<'_>) {
    let Some(state) = &context.wgpu_render_state else { return };
    if state.adapter.get_info().device_type == DeviceType::Cpu {
        without_fading(&context.egui_ctx);
        if fill::prepare(state) {
            context.egui_ctx.add_plugin(areas::Areas);
        }
    }
}

/// Menus, dialogs and switches are at once as they will be.
fn without_fading(ctx: &egui::Context) {
    ctx.all_styles_mut(|style| style.animation_time = 0.0);
}
