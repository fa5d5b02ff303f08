//! Pictures in the window: widgets that draw a pass into a target of their own and show that, since the window's own
//! pass has neither depth nor smooth edges.

mod arrow_view;
mod heat_map_view;
mod navigation;

use std::sync::{Arc, Mutex};

use eframe::egui;
use eframe::egui::accesskit::Role;
use eframe::egui::emath::GuiRounding as _;
use eframe::egui_wgpu::{self, wgpu};

pub use arrow_view::{ArrowResponse, ArrowView};
pub(super) use heat_map_view::frame as frame_of;
pub use heat_map_view::{HeatMapResponse, HeatMapView};

use self::navigation::{Wishes, wishes};
use super::offscreen::{Gpu, Part, Pass, Target};
use crate::plot::picture::Frame;
use crate::plot::screen;
use crate::plot::series_style::{Rgb, Theme};

/// Prepares the window's renderer for pictures; without it their places stay empty. May be called at every frame.
pub fn install(ctx: &egui::Context, state: &egui_wgpu::RenderState) {
    let id = egui::Id::unique("pictures are installed");
    if ctx.data(|data| data.get_temp::<bool>(id)).is_some() {
        return;
    }
    let blit = Blit::new(&state.device, state.target_format);
    state.renderer.write().callback_resources.insert(blit);
    ctx.data_mut(|data| data.insert_temp(id, true));
}

/// Copies a target to its place in the window.
struct Blit {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
}

/// What a view has on the device, for as long as there is the view.
#[derive(Debug)]
struct OnDevice<P>(Arc<Mutex<Option<Held<P>>>>);

#[derive(Debug)]
struct Held<P> {
    pass: P,
    target: Target,
    bindings: wgpu::BindGroup,
    /// What was drawn last: it is drawn again only when that changes.
    drawn: Option<Drawn>,
}

/// What a picture depends on beside the pass' own data, which counts its changes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Drawn {
    theme: Theme,
    ground: Rgb,
    size: [u32; 2],
    version: u64,
}

impl<P> OnDevice<P> {
    /// The same, for a callback of the view's.
    fn shared(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<P> Default for OnDevice<P> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// Draws a pass at a place in the window.
struct Callback<P, S> {
    held: OnDevice<P>,
    theme: Theme,
    ground: Rgb,
    size: egui::Vec2,
    version: u64,
    new: fn(&wgpu::Device) -> P,
    /// Gives the pass what is to be drawn, with dots a logical pixel.
    set: S,
}

impl<P, S> egui_wgpu::CallbackTrait for Callback<P, S>
where
    P: Pass + Send + 'static,
    S: Fn(&mut P, &Gpu, f32) + Send + Sync,
{
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        screen: &egui_wgpu::ScreenDescriptor,
        encoder: &mut wgpu::CommandEncoder,
        resources: &mut egui_wgpu::CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        let Some(blit) = resources.get::<Blit>() else { return Vec::new() };
        let Ok(mut held) = self.held.0.lock() else { return Vec::new() };
        let longest = device.limits().max_texture_dimension_2d as f32;
        let size: [f32; 2] = (self.size * screen.pixels_per_point).into();
        let size = size.map(|length| length.round().clamp(1.0, longest) as u32);
        let gpu = Gpu { device: device.clone(), queue: queue.clone(), name: String::new() };
        let held = held.get_or_insert_with(|| Held::new(device, blit, size, (self.new)(device)));
        if held.target.size != size {
            held.target = Target::new(device, size, held.pass.ground());
            held.bindings = blit.bindings(device, &held.target);
        }
        let wanted = Drawn { theme: self.theme, ground: self.ground, size, version: self.version };
        if held.drawn != Some(wanted) {
            (self.set)(&mut held.pass, &gpu, screen.pixels_per_point);
            held.pass.draw(&gpu, encoder, &Part::whole(size), &held.target);
            held.drawn = Some(wanted);
        }
        Vec::new()
    }

    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &egui_wgpu::CallbackResources,
    ) {
        let (Some(blit), Ok(held)) = (resources.get::<Blit>(), self.held.0.lock()) else { return };
        let Some(held) = &*held else { return };
        pass.set_pipeline(&blit.pipeline);
        pass.set_bind_group(0, &held.bindings, &[]);
        pass.draw(0..3, 0..1);
    }
}

impl<P: Pass> Held<P> {
    fn new(device: &wgpu::Device, blit: &Blit, size: [u32; 2], pass: P) -> Self {
        let target = Target::new(device, size, pass.ground());
        let bindings = blit.bindings(device, &target);
        Self { pass, target, bindings, drawn: None }
    }
}

impl Blit {
    fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let source = wgpu::ShaderSource::Wgsl(include_str!("../../../shaders/blit.wgsl").into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("blit"), source });
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("blit"),
            entries: &[
                wgpu::BindGroupLayoutEntry {
                    binding: 0,
                    visibility: wgpu::ShaderStages::FRAGMENT,
                    ty: wgpu::BindingType::Texture {
                        sample_type: wgpu::TextureSampleType::Float { filterable: true },
                        view_dimension: wgpu::TextureViewDimension::D2,
                        multisampled: false,
                    },
                    count: None,
                },
                wgpu::BindGroupLayoutEntry {
                    binding: 1,
                    visibility: wgpu::ShaderStages::FRAGMENT,
                    ty: wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
                    count: None,
                },
            ],
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("blit"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        // A target that encodes by itself must be given light.
        let entry_point = if format.is_srgb() { "decoded" } else { "plain" };
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("blit"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                buffers: &[],
                compilation_options: wgpu::PipelineCompilationOptions::default(),
            },
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some(entry_point),
                targets: &[Some(format.into())],
                compilation_options: wgpu::PipelineCompilationOptions::default(),
            }),
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            multiview_mask: None,
            cache: None,
        });
        Self { pipeline, layout }
    }

    fn bindings(&self, device: &wgpu::Device, target: &Target) -> wgpu::BindGroup {
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..wgpu::SamplerDescriptor::default()
        });
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("blit"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: wgpu::BindingResource::TextureView(&target.dots) },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::Sampler(&sampler) },
            ],
        })
    }
}

/// A picture's place in the window, and what is wanted of it there.
struct Placed {
    place: egui::Rect,
    response: egui::Response,
    wishes: Wishes,
}

/// Draws what stands around a picture at `at`, and reads what is wanted of it. `name` says what it is to those who cannot
/// see it.
fn placed(ui: &mut egui::Ui, at: egui::Rect, frame: &Frame, name: &str) -> Placed {
    let place = screen::framed(ui, at, frame).round_to_pixels(ui.pixels_per_point());
    let id = ui.next_auto_id();
    ui.skip_ahead_auto_ids(1);
    let response = ui.interact(place, id, egui::Sense::click_and_drag());
    response.widget_info(|| egui::WidgetInfo::labeled(Role::Image, ui.is_enabled(), name));
    let wishes = wishes(ui, &response);
    Placed { place, response, wishes }
}

/// The theme that `ui` is drawn in, and the ground behind a chart in it.
fn look(ui: &egui::Ui) -> (Theme, Rgb) {
    let theme = if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light };
    let [red, green, blue, _] = ui.visuals().panel_fill.to_array();
    (theme, [red, green, blue])
}
