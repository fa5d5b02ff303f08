//! Draws a [`Matrix`] on the device.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use eframe::egui_wgpu::wgpu;

use super::super::colour;
use super::super::offscreen::{FORMAT, Gpu, Ground, Part, Pass, Target, extent};
use super::{Field, Level, Matrix, Window};
use crate::chart::look::{ColourMap, Rgb, Theme};

/// A matrix on the device, and the part of it that is shown.
#[derive(Debug)]
pub struct HeatMapPass {
    pipeline: wgpu::RenderPipeline,
    uniform: wgpu::Buffer,
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
    values: wgpu::TextureView,
    layers: Layers,
    map: ColourMap,
    theme: Theme,
    bindings: wgpu::BindGroup,
}

/// How a matrix is cut into the square layers of a texture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Layers {
    /// Power of two of a layer's width and height.
    edge: u32,
    across: u32,
    down: u32,
    /// Levels that a layer can hold.
    levels: u32,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct View {
    place: [f32; 4],
    part: [f32; 4],
    range: [f32; 4],
    ground: [f32; 4],
    gap: [f32; 4],
    line: [f32; 4],
    level: [u32; 4],
}

/// Power of two of the largest layer: every device can hold one, and few layers make up the largest matrix.
const LARGEST_LAYER: u32 = 10;
/// Colours of a map on the device.
const COLOURS: u32 = 256;
/// Cells of a level that a dot reads along the longer side: more would be slow, fewer would be coarse along the other.
const MOST_READ: f64 = 4.0;
/// From this width on, in logical pixels, cells are parted by lines.
const LINES_FROM: f32 = 9.0;

impl HeatMapPass {
    pub fn new(device: &wgpu::Device) -> Self {
        let source = wgpu::ShaderSource::Wgsl(include_str!("../../../shaders/heat_map.wgsl").into());
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some("heat map"), source });
        let layout = bind_group_layout(device);
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("heat map"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("heat map"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &module,
                entry_point: Some("corner"),
                buffers: &[],
                compilation_options: wgpu::PipelineCompilationOptions::default(),
            },
            fragment: Some(wgpu::FragmentState {
                module: &module,
                entry_point: Some("heat"),
                targets: &[Some(FORMAT.into())],
                compilation_options: wgpu::PipelineCompilationOptions::default(),
            }),
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            multiview_mask: None,
            cache: None,
        });
        let uniform = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("heat map"),
            size: size_of::<View>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let window = Window { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0 };
        let theme = Theme::Light;
        let (ground, range, scale) = (theme.ground(), [0.0, 1.0], 1.0);
        Self { pipeline, uniform, layout, loaded: None, window, range, ground, theme, scale }
    }

    /// Takes what is to be drawn; values that lie on the device already are not copied again.
    pub fn set_matrix(&mut self, gpu: &Gpu, matrix: &Matrix, theme: Theme) {
        (self.range, self.theme) = (matrix.range, theme);
        let (values, layers) = match self.loaded.take() {
            Some(loaded) if Arc::ptr_eq(&loaded.field, &matrix.field) => {
                if loaded.map == matrix.map && loaded.theme == theme {
                    self.loaded = Some(loaded);
                    return;
                }
                (loaded.values, loaded.layers)
            }
            _ => load(gpu, &matrix.field),
        };
        let colours = load_colours(gpu, matrix.map, theme);
        let bindings = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("heat map"),
            layout: &self.layout,
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: self.uniform.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: wgpu::BindingResource::TextureView(&values) },
                wgpu::BindGroupEntry { binding: 2, resource: wgpu::BindingResource::TextureView(&colours) },
            ],
        });
        let field = Arc::clone(&matrix.field);
        self.loaded = Some(Loaded { field, values, layers, map: matrix.map, theme, bindings });
    }

    /// Sets which part is shown, on which ground, and how many dots a logical pixel has.
    pub fn set_view(&mut self, window: Window, ground: Rgb, scale: f32) {
        (self.window, self.ground, self.scale) = (window, ground, scale);
    }

    fn view(&self, loaded: &Loaded, part: &Part) -> View {
        let [across, down] =
            [self.window.width() / f64::from(part.whole[0]), self.window.height() / f64::from(part.whole[1])];
        let [low, high] = self.range;
        let [left, top] = part.origin.map(|place| place as f32);
        let dots = (1.0 / across.max(down)) as f32 / self.scale;
        let lines = ((dots - LINES_FROM) / LINES_FROM).clamp(0.0, 1.0) * 0.8;
        View {
            place: [self.window.left, self.window.top, across, down].map(|value| value as f32),
            part: [left, top, loaded.field.columns() as f32, loaded.field.rows() as f32],
            range: [low, 1.0 / (high - low).max(f32::MIN_POSITIVE), lines, self.scale],
            ground: colour(self.ground, 1.0),
            gap: colour(gap(self.theme), 1.0),
            line: colour(self.ground, 1.0),
            level: [loaded.layers.level(across, down), loaded.layers.edge, loaded.layers.across, 0],
        }
    }
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
        gpu.queue.write_buffer(&self.uniform, 0, bytemuck::bytes_of(&self.view(loaded, part)));
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &loaded.bindings, &[]);
        pass.draw(0..3, 0..1);
    }
}

impl Layers {
    fn of(field: &Field) -> Self {
        let longest = field.rows().max(field.columns()) as u32;
        let edge = longest.next_power_of_two().trailing_zeros().min(LARGEST_LAYER);
        let count = |length: usize| (length as u32).div_ceil(1 << edge);
        Self { edge, across: count(field.columns()), down: count(field.rows()), levels: edge + 1 }
    }

    /// The level that is drawn when a dot covers `across` by `down` cells: the dot reads a few of its cells, which lie as
    /// close along the shorter side as they can.
    fn level(&self, across: f64, down: f64) -> u32 {
        let [shorter, longer] = [across.min(down), across.max(down)];
        let wanted = shorter.max(longer / MOST_READ).log2().floor();
        (wanted.max(0.0) as u32).min(self.levels - 1)
    }
}

fn bind_group_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    let entry =
        |binding, ty| wgpu::BindGroupLayoutEntry { binding, visibility: wgpu::ShaderStages::FRAGMENT, ty, count: None };
    let texture = |view_dimension| wgpu::BindingType::Texture {
        sample_type: wgpu::TextureSampleType::Float { filterable: false },
        view_dimension,
        multisampled: false,
    };
    let uniform = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("heat map"),
        entries: &[
            entry(0, uniform),
            entry(1, texture(wgpu::TextureViewDimension::D2Array)),
            entry(2, texture(wgpu::TextureViewDimension::D2)),
        ],
    })
}

/// Copies all levels of a field to the device.
fn load(gpu: &Gpu, field: &Field) -> (wgpu::TextureView, Layers) {
    let layers = Layers::of(field);
    let edge = 1 << layers.edge;
    let texture = gpu.device.create_texture(&wgpu::TextureDescriptor {
        label: Some("matrix"),
        size: wgpu::Extent3d { width: edge, height: edge, depth_or_array_layers: layers.across * layers.down },
        mip_level_count: layers.levels,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::R32Float,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    });
    for (depth, level) in (0..layers.levels).zip(field.levels()) {
        for layer in 0..layers.across * layers.down {
            load_layer(gpu, &texture, layers, (depth, level), layer);
        }
    }
    let view = texture.create_view(&wgpu::TextureViewDescriptor {
        dimension: Some(wgpu::TextureViewDimension::D2Array),
        ..wgpu::TextureViewDescriptor::default()
    });
    (view, layers)
}

/// Copies what a layer has of a level.
fn load_layer(gpu: &Gpu, texture: &wgpu::Texture, layers: Layers, (depth, level): (u32, &Level), layer: u32) {
    let edge = 1_usize << (layers.edge - depth);
    let [left, top] = [layer % layers.across, layer / layers.across].map(|place| place as usize * edge);
    let [width, height] = [level.columns.saturating_sub(left), level.rows.saturating_sub(top)];
    let [width, height] = [width.min(edge), height.min(edge)];
    if width == 0 || height == 0 {
        return;
    }
    let bytes: &[u8] = bytemuck::cast_slice(&level.values[top * level.columns + left..]);
    gpu.queue.write_texture(
        wgpu::TexelCopyTextureInfo {
            texture,
            mip_level: depth,
            origin: wgpu::Origin3d { x: 0, y: 0, z: layer },
            aspect: wgpu::TextureAspect::All,
        },
        bytes,
        wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some((level.columns * size_of::<f32>()) as u32),
            rows_per_image: None,
        },
        extent([width, height].map(|length| length as u32)),
    );
}

fn load_colours(gpu: &Gpu, map: ColourMap, theme: Theme) -> wgpu::TextureView {
    let colours: Vec<u8> = (0..COLOURS)
        .flat_map(|place| {
            let [red, green, blue] = map.rgb(f64::from(place) / f64::from(COLOURS - 1), theme);
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
