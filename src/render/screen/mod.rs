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
use super::pipeline::{PipelineParts, bind_group, bind_group_layout, pipeline, shader};
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

/// What a view shows in a frame. Two are equal where the device would draw the same.
trait ViewState: std::fmt::Debug + Clone + PartialEq + Send + Sync + 'static {
    type Pass: Pass + std::fmt::Debug + Send + 'static;

    fn pass(device: &wgpu::Device) -> Self::Pass;

    /// Gives the pass what is to be drawn.
    fn set(&self, pass: &mut Self::Pass, gpu: &Gpu, surface: Surface);
}

/// What a picture is drawn on in the window.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Surface {
    theme: Theme,
    ground: Rgb,
    /// Dots a logical pixel.
    scale: f32,
}

/// What a view has on the device, for as long as there is the view.
#[derive(Debug)]
struct OnDevice<S: ViewState>(Arc<Mutex<Option<Held<S>>>>);

#[derive(Debug)]
struct Held<S: ViewState> {
    pass: S::Pass,
    target: Target,
    bindings: wgpu::BindGroup,
    /// What was drawn last: it is drawn again only when that changes.
    drawn: Option<(S, Surface, [u32; 2])>,
}

impl<S: ViewState> OnDevice<S> {
    /// Draws `state` at `place`.
    fn paint(&self, ui: &egui::Ui, place: egui::Rect, state: S) {
        let theme = if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light };
        let [red, green, blue, _] = ui.visuals().panel_fill.to_array();
        let surface = Surface { theme, ground: [red, green, blue], scale: ui.pixels_per_point() };
        let callback = Callback { held: Self(Arc::clone(&self.0)), state, surface, size: place.size() };
        ui.painter_at(place).add(egui_wgpu::Callback::new_paint_callback(place, callback));
    }
}

impl<S: ViewState> Default for OnDevice<S> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// Draws a pass at a place in the window.
struct Callback<S: ViewState> {
    held: OnDevice<S>,
    state: S,
    surface: Surface,
    size: egui::Vec2,
}

impl<S: ViewState> egui_wgpu::CallbackTrait for Callback<S> {
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
        let held = held.get_or_insert_with(|| Held::new(device, blit, size));
        if held.target.size != size {
            held.target = Target::new(device, size, held.pass.ground());
            held.bindings = blit.bindings(device, &held.target);
        }
        let surface = Surface { scale: screen.pixels_per_point, ..self.surface };
        let wanted = (self.state.clone(), surface, size);
        if held.drawn.as_ref() != Some(&wanted) {
            self.state.set(&mut held.pass, &gpu, surface);
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

impl<S: ViewState> Held<S> {
    fn new(device: &wgpu::Device, blit: &Blit, size: [u32; 2]) -> Self {
        let pass = S::pass(device);
        let target = Target::new(device, size, pass.ground());
        let bindings = blit.bindings(device, &target);
        Self { pass, target, bindings, drawn: None }
    }
}

impl Blit {
    fn new(device: &wgpu::Device, format: wgpu::TextureFormat) -> Self {
        let module = shader(device, "blit", include_str!("../../../shaders/blit.wgsl"));
        let texture = wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: true },
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        };
        let sampler = wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering);
        let layout = bind_group_layout(device, "blit", wgpu::ShaderStages::FRAGMENT, &[texture, sampler]);
        // A target that encodes by itself must be given light.
        let fragment = if format.is_srgb() { "decoded" } else { "plain" };
        let parts = PipelineParts {
            label: "blit",
            bindings: &layout,
            module: &module,
            vertex: "corner",
            fragment,
            buffers: &[],
            colours: format.into(),
            primitive: wgpu::PrimitiveState::default(),
            depth: None,
            samples: 1,
        };
        let pipeline = pipeline(device, parts);
        Self { pipeline, layout }
    }

    fn bindings(&self, device: &wgpu::Device, target: &Target) -> wgpu::BindGroup {
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..wgpu::SamplerDescriptor::default()
        });
        let resources = [wgpu::BindingResource::TextureView(&target.dots), wgpu::BindingResource::Sampler(&sampler)];
        bind_group(device, "blit", &self.layout, resources)
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
