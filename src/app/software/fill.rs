//! A rectangle of one colour, without a texture and without a look at what lies behind it.

use eframe::egui::{Color32, PaintCallbackInfo, Rect, Shape};
use eframe::egui_wgpu::{Callback, CallbackResources, CallbackTrait, RenderState, wgpu};

/// The pipeline that fills a viewport.
struct Filling(wgpu::RenderPipeline);

/// Makes the pipeline, with which [`rectangle`]s are drawn; whether the window's pictures hold colours as they are written.
pub(super) fn prepare(state: &RenderState) -> bool {
    if state.target_format.is_srgb() {
        return false;
    }
    let source = wgpu::ShaderSource::Wgsl(include_str!("../../../shaders/fill.wgsl").into());
    let module = state.device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("fill"), source });
    let pipeline = state.device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
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
            targets: &[Some(state.target_format.into())],
        }),
        multiview_mask: None,
        cache: None,
    });
    state.renderer.write().callback_resources.insert(Filling(pipeline));
    true
}

/// An opaque rectangle whose edges lie between pixels.
pub(super) fn rectangle(at: Rect, colour: Color32) -> Shape {
    let [red, green, blue, _] = colour.to_array();
    let colour = u32::from_le_bytes([red, green, blue, 0]);
    Callback::new_paint_callback(at, Fill { colour }).into()
}

/// Red, green and blue from the lowest byte on.
struct Fill {
    colour: u32,
}

impl CallbackTrait for Fill {
    fn paint(&self, _: PaintCallbackInfo, pass: &mut wgpu::RenderPass<'static>, resources: &CallbackResources) {
        if let Some(Filling(pipeline)) = resources.get() {
            pass.set_pipeline(pipeline);
            // The number of the instance is the colour, so that nothing need be bound.
            pass.draw(0..4, self.colour..self.colour + 1);
        }
    }
}
