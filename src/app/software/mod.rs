//! Drawing by the processor: what the window leaves out or draws otherwise where no graphics device draws.

mod areas;
mod drafts;
mod fill;

use eframe::egui;
use eframe::wgpu::DeviceType;

/// Leaves out what would only be more frames, and draws large areas the short way, where the processor draws: there each frame and
/// each pixel costs time that an answer then takes longer.
pub(super) fn lighten(context: &eframe::CreationContext<'_>) {
    let Some(state) = &context.wgpu_render_state else { return };
    if state.adapter.get_info().device_type == DeviceType::Cpu {
        without_fading_and_shadows(&context.egui_ctx);
        context.egui_ctx.add_plugin(drafts::Drafts::default());
        if fill::prepare(state) {
            context.egui_ctx.add_plugin(areas::Areas);
        }
    }
}

/// Menus, dialogs and switches are at once as they will be, and the soft shadow of a dialog is not drawn over all that it covers.
fn without_fading_and_shadows(ctx: &egui::Context) {
    ctx.all_styles_mut(|style| {
        style.animation_time = 0.0;
        style.visuals.popup_shadow = egui::Shadow::NONE;
        style.visuals.window_shadow = egui::Shadow::NONE;
    });
}
