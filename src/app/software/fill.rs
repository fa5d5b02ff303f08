//! A rectangle of one colour, without a texture, and where it is opaque without a look at what lies behind it.

use eframe::egui::{Color32, PaintCallbackInfo, Rect, Shape};
use eframe::egui_wgpu::{Callback, CallbackResources, CallbackTrait, RenderState, wgpu};

/// What fills a viewport.
struct Filling {
    opaque: wgpu::RenderPipeline,
    translucent: wgpu::RenderPipeline,
}

/// Makes what [`rectangle`]s are drawn with; whether the window's pictures hold colours as they are written.
pub(super) fn prepare(state: &RenderState) -> bool {
    if state.target_format.is_srgb() {
        return false;
    }
    let source = wgpu::ShaderSource::Wgsl(include_str!("../../../shaders/fill.wgsl").into());
    let module = state.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("fill"), source });
    let pipeline = |blend| {
        state.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("fill"),
            layout: None,
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState {
                topology: wgpu::PrimitiveTopology::TriangleStrip,
                ..wgpu::PrimitiveState::default()
            },
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("filled"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(wgpu::ColorTargetState {
                    format: state.target_format,
                    blend,
                    write_mask: wgpu::ColorWrites::ALL,
                })],
            }),
            multiview_mask: None,
            cache: None,
        })
    };
    let filling =
        Filling { opaque: pipeline(None), translucent: pipeline(Some(wgpu::BlendState::PREMULTIPLIED_ALPHA_BLENDING)) };
    state.renderer.write().callback_resources.insert(filling);
    true
}

/// A rectangle whose edges lie between pixels.
pub(super) fn rectangle(at: Rect, colour: Color32) -> Shape {
    Callback::new_paint_callback(at, Fill { colour }).into()
}

struct Fill {
    colour: Color32,
}

impl CallbackTrait for Fill {
    fn paint(&self, _: PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, resources: &CallbackResources) {
        let Some(filling) = resources.get::<Filling>() else { return };
        let [red, green, blue, alpha] = self.colour.to_array();
        // What is not there is opaque in the shader, so that white is the number of an instance too.
        let missing = u8::MAX - alpha;
        pass.set_pipeline(if missing == 0 { &filling.opaque } else { &filling.translucent });
        // The number of the instance is the colour, so that nothing need be bound.
        let colour = u32::from_le_bytes([red, green, blue, missing]);
        pass.draw(0..4, colour..colour + 1);
    }
}
