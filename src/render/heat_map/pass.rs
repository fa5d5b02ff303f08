//! Draws a [`Matrix`] on the device.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use eframe::egui_wgpu::wgpu;

use super::super::colour;
use super::super::offscreen::{FORMAT, Gpu, Ground, Part, Pass, Target, extent};
use super::super::pipeline::{PipelineParts, Uniform, bind_group, bind_group_layout, pipeline, shader};
use super::{Field, Level, Matrix, Window};
use crate::plot::series_style::{ColourMap, Rgb, Theme};

/// A matrix on the device, and the part of it that is shown.
#[derive(Debug)]
pub struct HeatMapPass {
    pipeline: wgpu::RenderPipeline,
    uniform: Uniform<View>,
    layout: wgpu::BindGroupLayout,
    loaded: Option<Loaded>,
    window: Window,
    range: [f32; 2],
    ground: Rgb,
    theme: Theme,
    scale: f32,
}

/// What lies on the device.
#[derive(Debug)]
struct Loaded {
    field: Arc<Field>,
    /// One a level of the field.
    levels: Vec<wgpu::TextureView>,
    map: ColourMap,
    theme: Theme,
    /// One a level.
    bindings: Vec<wgpu::BindGroup>,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct View {
    corner_and_step: [f32; 4],
    part: [f32; 4],
    range: [f32; 4],
    ground: [f32; 4],
    gap: [f32; 4],
    line: [f32; 4],
    level: [i32; 4],
}

/// Width and height of the layers that a level is cut into: every device can hold one. The shader knows it too.
const LAYER: usize = 2048;
/// Colours of a map on the device.
const COLOURS: u32 = 256;
/// From this width on, in logical pixels, cells are parted by lines.
const LINES_FROM: f32 = 9.0;

impl HeatMapPass {
    pub fn new(device: &wgpu::Device) -> Self {
        let module = shader(device, "heat map", include_str!("../../../shaders/heat_map.wgsl"));
        let texture = |view_dimension| wgpu::BindingType::Texture {
            sample_type: wgpu::TextureSampleType::Float { filterable: false },
            view_dimension,
            multisampled: false,
        };
        let bindings = [
            Uniform::<View>::BINDING,
            texture(wgpu::TextureViewDimension::D2),
            texture(wgpu::TextureViewDimension::D2Array),
        ];
        let layout = bind_group_layout(device, "heat map", wgpu::ShaderStages::FRAGMENT, &bindings);
        let parts = PipelineParts {
            label: "heat map",
            bindings: &layout,
            module: &module,
            vertex: "corner",
            fragment: "heat",
            buffers: &[],
            colours: FORMAT.into(),
            primitive: wgpu::PrimitiveState::default(),
            depth: None,
            samples: 1,
        };
        let (pipeline, uniform) = (pipeline(device, parts), Uniform::new(device, "heat map"));
        let window = Window { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };
        let theme = Theme::Light;
        let (ground, range, scale) = (theme.ground(), [0.0, 1.0], 1.0);
        Self { pipeline, uniform, layout, loaded: None, window, range, ground, theme, scale }
    }

    /// Takes what is to be drawn; values that lie on the device already are not copied again.
    pub fn set_matrix(&mut self, gpu: &Gpu, matrix: &Matrix, theme: Theme) {
        (self.range, self.theme) = (matrix.range, theme);
        let levels = match self.loaded.take() {
            Some(loaded) if Arc::ptr_eq(&loaded.field, &matrix.field) => {
                if loaded.map == matrix.map && loaded.theme == theme {
                    self.loaded = Some(loaded);
                    return;
                }
                loaded.levels
            }
            _ => matrix.field.levels().iter().map(|level| load(gpu, level)).collect(),
        };
        let colours = load_colours(gpu, matrix.map, theme);
        let bindings = levels.iter().map(|level| self.bind(gpu, &colours, level)).collect();
        let field = Arc::clone(&matrix.field);
        self.loaded = Some(Loaded { field, levels, map: matrix.map, theme, bindings });
    }

    fn bind(&self, gpu: &Gpu, colours: &wgpu::TextureView, level: &wgpu::TextureView) -> wgpu::BindGroup {
        let texture = wgpu::BindingResource::TextureView;
        let resources = [self.uniform.resource(), texture(colours), texture(level)];
        bind_group(&gpu.device, "heat map", &self.layout, resources)
    }

    /// Sets which part is shown, on which ground, and how many dots a logical pixel has.
    pub fn set_view(&mut self, window: Window, ground: Rgb, scale: f32) {
        (self.window, self.ground, self.scale) = (window, ground, scale);
    }

    /// The level to draw and what the shader is told about it.
    fn view(&self, field: &Field, part: &Part) -> (usize, View) {
        let step = [self.window.width() / f64::from(part.whole[0]), self.window.height() / f64::from(part.whole[1])];
        let index = level_for(field, step);
        let level = &field.levels()[index];
        let cell = level.shifts.map(|shift| f64::from(1_u32 << shift));
        let in_cells = |lengths: [f64; 2]| [0, 1].map(|axis| (lengths[axis] / cell[axis]) as f32);
        let [low, high] = self.range;
        let dots = (1.0 / step[0].max(step[1])) as f32 / self.scale;
        let lines = ((dots - LINES_FROM) / LINES_FROM).clamp(0.0, 1.0) * 0.8;
        let [corner, step] = [in_cells([self.window.left, self.window.top]), in_cells(step)];
        let size = in_cells([field.columns() as f64, field.rows() as f64]);
        let [left, top] = part.origin.map(|dots| dots as f32);
        let view = View {
            corner_and_step: [corner[0], corner[1], step[0], step[1]],
            part: [left, top, size[0], size[1]],
            range: [low, 1.0 / (high - low).max(f32::MIN_POSITIVE), lines, self.scale],
            ground: colour(self.ground, 1.0),
            gap: colour(gap(self.theme), 1.0),
            line: colour(self.ground, 1.0),
            level: [level.columns, level.rows, level.columns.div_ceil(LAYER), 0].map(|count| count as i32),
        };
        (index, view)
    }
}

/// The finest level of which a dot that covers `step` cells of the matrix covers one at most.
fn level_for(field: &Field, step: [f64; 2]) -> usize {
    let fits = |level: &Level| {
        let cell = level.shifts.map(|shift| f64::from(1_u32 << shift));
        // A hair's breadth more is no difference that can be seen.
        (0..2).all(|axis| step[axis] <= cell[axis] * 1.001)
    };
    field.levels().iter().position(fits).unwrap_or(field.levels().len() - 1)
}

/// The colour of a cell without a value: on no colour map, and not the ground.
pub fn gap(theme: Theme) -> Rgb {
    theme.axis()
}

impl Pass for HeatMapPass {
    fn ground(&self) -> Ground {
        Ground::Plane
    }

    fn draw(&self, gpu: &Gpu, encoder: &mut wgpu::CommandEncoder, part: &Part, target: &Target) {
        let mut pass = target.begin(encoder, colour(self.ground, 1.0));
        let Some(loaded) = &self.loaded else { return };
        let (level, view) = self.view(&loaded.field, part);
        self.uniform.write(gpu, &view);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &loaded.bindings[level], &[]);
        pass.draw(0..3, 0..1);
    }
}

/// Copies a level to the device, cut into layers.
fn load(gpu: &Gpu, level: &Level) -> wgpu::TextureView {
    let [across, down] = [level.columns, level.rows].map(|count| count.div_ceil(LAYER));
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("matrix"),
        size: wgpu::Extent3d {
            width: level.columns.min(LAYER) as u32,
            height: level.rows.min(LAYER) as u32,
            depth_or_array_layers: (across * down) as u32,
        },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    for layer in 0..across * down {
        let [left, top] = [layer % across * LAYER, layer / across * LAYER];
        let [width, height] = [level.columns - left, level.rows - top].map(|length| length.min(LAYER) as u32);
        let bytes: &[u8] = bytemuck::cast_slice(&level.values[top * level.columns + left..]);
        gpu.queue.write_texture(
            wgpu::TexelCopyTextureInfo {
                texture: &texture,
                mip_level: 0,
                origin: wgpu::Origin3d { x: 0, y: 0, z: layer as u32 },
                aspect: wgpu::TextureAspect::All,
            },
            bytes,
            wgpu::TexelCopyBufferLayout {
                offset: 0,
                bytes_per_row: Some((level.columns * size_of::<f32>()) as u32),
                rows_per_image: None,
            },
            extent([width, height]),
        );
    }
    texture.create_view(&wgpu::TextureViewDescriptor {
        dimension: Some(wgpu::TextureViewDimension::D2Array),
        ..wgpu::TextureViewDescriptor::default()
    })
}

fn load_colours(gpu: &Gpu, map: ColourMap, theme: Theme) -> wgpu::TextureView {
    let colours: Vec<u8> = (0..COLOURS)
        .flat_map(|index| {
            let [red, green, blue] = map.rgb(f64::from(index) / f64::from(COLOURS - 1), theme);
            [red, green, blue, 255]
        })
        .collect();
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("colours"),
        size: extent([COLOURS, 1]),
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(COLOURS * 4), rows_per_image: None };
    gpu.queue.write_texture(texture.as_image_copy(), &colours, layout, extent([COLOURS, 1]));
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}
