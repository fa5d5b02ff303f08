//! Drawing by the processor: what the window leaves out where no graphics device draws.

use eframe::egui;
use eframe::wgpu::DeviceType;

/// Leaves out what would only be more frames, where the processor draws: there each costs time that an answer then takes longer.
pub(super) fn lighten(context: &eframe::CreationContext<'_>) {
    let draws = context.wgpu_render_state.as_ref().map(|state| state.adapter.get_info().device_type);
    if draws == Some(DeviceType::Cpu) {
        without_fading(&context.egui_ctx);
    }
}

/// Menus, dialogs and switches are at once as they will be.
fn without_fading(ctx: &egui::Context) {
    ctx.all_styles_mut(|style| style.animation_time = 0.0);
}
