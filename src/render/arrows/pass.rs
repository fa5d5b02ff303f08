//! Draws a [`Scene`] on the device.

use bytemuck::{Pod, Zeroable};
use eframe::egui_wgpu::wgpu;
use glam::Vec3;
use wgpu::util::DeviceExt as _;

use super::super::camera::Camera;
use super::super::offscreen::{DEPTH, FORMAT, Gpu, Ground, Part, Pass, SAMPLES, Target};
use super::super::pipeline::{PipelineParts, Uniform, bind_group, bind_group_layout, pipeline, shader};
use super::super::{colour, light};
use super::{Scene, Trail, mesh};
use crate::plot::series_style::{Rgb, Theme};

/// Which arrows stand out, by their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Emphasis {
    /// Is brighter and thicker.
    pub pointed: Option<u64>,
    /// Makes all others fade.
    pub selected: Option<u64>,
}

/// A scene on the device, seen by a camera.
#[derive(Debug)]
pub struct ArrowPass {
    pipelines: Pipelines,
    uniform: Uniform<CameraUniform>,
    bindings: wgpu::BindGroup,
    mesh: Instances,
    triangles: (wgpu::Buffer, u32),
    arrows: Instances,
    segments: Instances,
    reach: f32,
    camera: Camera,
    theme: Theme,
    ground: Rgb,
    scale: f32,
}

/// A buffer with as many things in it.
#[derive(Debug)]
struct Instances {
    buffer: wgpu::Buffer,
    count: u32,
}

#[derive(Debug)]
struct Pipelines {
    arrows: wgpu::RenderPipeline,
    crowds: wgpu::RenderPipeline,
    halos: wgpu::RenderPipeline,
    shadows: wgpu::RenderPipeline,
    floor: wgpu::RenderPipeline,
    segments: wgpu::RenderPipeline,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct CameraUniform {
    view_projection: [[f32; 4]; 4],
    part: [f32; 4],
    position: [f32; 4],
    across: [f32; 4],
    up: [f32; 4],
    towards: [f32; 4],
    dots: [f32; 4],
    haze: [f32; 4],
    ground: [f32; 4],
    grid: [f32; 4],
    shadow: [f32; 4],
}

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct ArrowInstance {
    from: [f32; 3],
    radius: f32,
    vector: [f32; 3],
    faded: f32,
    colour: [f32; 4],
}

#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct Segment {
    from: [f32; 3],
    radius: f32,
    to: [f32; 3],
    /// Half of the width at least, in logical pixels.
    min: f32,
    from_colour: [f32; 4],
    to_colour: [f32; 4],
}

/// With more arrows than this, rims and shadows cost more than they show: without a GPU, frames would fall below 30 a second.
pub const MAX_WITH_RIMS: u32 = 30;
/// With more arrows than this, they are drawn flat, for the same reason.
pub const MAX_ROUND: u32 = 85;
/// Corners of a round arrow's cross-section.
const SIDES: u16 = 12;
/// Straight pieces between two points of a trail at most, and of all trails together.
const PIECES: usize = 12;
const ALL_PIECES: usize = 2400;

impl ArrowPass {
    pub fn new(device: &wgpu::Device) -> Self {
        let uniform = Uniform::new(device, "camera");
        let stages = wgpu::ShaderStages::VERTEX_FRAGMENT;
        let layout = bind_group_layout(device, "camera", stages, &[Uniform::<CameraUniform>::BINDING]);
        let bindings = bind_group(device, "camera", &layout, [uniform.resource()]);
        let scene = Scene::default();
        let (mesh, triangles) = mesh_buffers(device, false);
        Self {
            pipelines: Pipelines::new(device, &layout),
            uniform,
            bindings,
            mesh,
            triangles,
            arrows: Instances::new::<ArrowInstance>(device, &[]),
            segments: Instances::new::<Segment>(device, &[]),
            reach: 1.0,
            camera: scene.home(),
            theme: Theme::Light,
            ground: Theme::Light.ground(),
            scale: 1.0,
        }
    }

    /// Takes what is to be drawn.
    pub fn set_scene(&mut self, device: &wgpu::Device, scene: &Scene, emphasis: Emphasis, theme: Theme) {
        let instances = arrow_instances(scene, emphasis, theme);
        let before = self.crowded();
        self.arrows = Instances::new(device, &instances);
        if self.crowded() != before {
            (self.mesh, self.triangles) = mesh_buffers(device, self.crowded());
        }
        self.segments = Instances::new(device, &segments(scene, theme));
        self.reach = scene.reach;
        self.theme = theme;
    }

    fn crowded(&self) -> bool {
        self.arrows.count > MAX_ROUND
    }

    /// Sets from where it is seen, on which ground, and how many dots a logical pixel has.
    pub fn set_view(&mut self, camera: Camera, ground: Rgb, scale: f32) {
        (self.camera, self.ground, self.scale) = (camera, ground, scale);
    }

    fn camera_uniform(&self, part: &Part) -> CameraUniform {
        let [width, height] = part.whole.map(|length| length as f32);
        let [across, up, towards] = self.camera.axes();
        let position = self.camera.position();
        let [part_width, part_height] = part.size.map(|length| length as f32);
        let [left, top] = part.origin.map(|dots| dots as f32);
        let [wider, higher] = [width / part_width, height / part_height];
        let reach = self.reach;
        let distance = self.camera.distance;
        let (haze, shadow) = match self.theme {
            Theme::Light => (0.5, 0.055),
            Theme::Dark => (0.55, 0.16),
        };
        CameraUniform {
            view_projection: self.camera.view_projection(width / height).to_cols_array_2d(),
            part: [wider, higher, wider - 2.0 * left / part_width - 1.0, 1.0 - higher + 2.0 * top / part_height],
            position: position.extend(self.camera.nearest()).to_array(),
            across: across.extend(0.0).to_array(),
            up: up.extend(0.0).to_array(),
            towards: towards.extend(0.0).to_array(),
            dots: [width, height, self.scale, 1.0 / self.camera.pixel(1.0, height)],
            haze: [(distance - 0.6 * reach).max(0.0), distance + 2.2 * reach, haze, reach],
            ground: light(self.ground, 1.0),
            grid: colour(self.theme.axis(), 0.42),
            shadow: [0.0, 0.0, 0.0, shadow],
        }
    }
}

impl Pass for ArrowPass {
    fn ground(&self) -> Ground {
        Ground::Space
    }

    fn draw(&self, gpu: &Gpu, encoder: &mut wgpu::CommandEncoder, part: &Part, target: &Target) {
        self.uniform.write(gpu, &self.camera_uniform(part));
        let mut pass = target.begin(encoder, colour(self.ground, 1.0));
        pass.set_bind_group(0, &self.bindings, &[]);
        let draw_arrows = |pass: &mut wgpu::RenderPass<'_>, pipeline: &wgpu::RenderPipeline| {
            pass.set_pipeline(pipeline);
            pass.set_vertex_buffer(0, self.mesh.buffer.slice(..));
            pass.set_vertex_buffer(1, self.arrows.buffer.slice(..));
            pass.set_index_buffer(self.triangles.0.slice(..), wgpu::IndexFormat::Uint16);
            pass.draw_indexed(0..self.triangles.1, 0, 0..self.arrows.count);
        };
        pass.set_pipeline(&self.pipelines.floor);
        pass.draw(0..4, 0..1);
        let few = self.arrows.count <= MAX_WITH_RIMS;
        if few {
            draw_arrows(&mut pass, &self.pipelines.shadows);
        }
        let arrows = if self.crowded() { &self.pipelines.crowds } else { &self.pipelines.arrows };
        draw_arrows(&mut pass, arrows);
        pass.set_pipeline(&self.pipelines.segments);
        pass.set_vertex_buffer(0, self.segments.buffer.slice(..));
        pass.draw(0..4, 0..self.segments.count);
        if few {
            draw_arrows(&mut pass, &self.pipelines.halos);
        }
    }
}

impl Instances {
    /// A buffer holds one thing at least: an empty one cannot be bound.
    fn new<T: Pod>(device: &wgpu::Device, things: &[T]) -> Self {
        let nothing = T::zeroed();
        let content = if things.is_empty() { std::slice::from_ref(&nothing) } else { things };
        let buffer = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: Some("instances"),
            contents: bytemuck::cast_slice(content),
            usage: wgpu::BufferUsages::VERTEX,
        });
        Self { buffer, count: things.len() as u32 }
    }
}

fn mesh_buffers(device: &wgpu::Device, crowded: bool) -> (Instances, (wgpu::Buffer, u32)) {
    let mesh::Mesh { vertices, triangles } = if crowded { mesh::flat() } else { mesh::arrow(SIDES) };
    let buffer = device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
        label: Some("triangles"),
        contents: bytemuck::cast_slice(&triangles),
        usage: wgpu::BufferUsages::INDEX,
    });
    (Instances::new(device, &vertices), (buffer, triangles.len() as u32))
}

/// An instance an arrow; those that have no place are left out.
fn arrow_instances(scene: &Scene, emphasis: Emphasis, theme: Theme) -> Vec<ArrowInstance> {
    let instance = |arrow: &super::Arrow| {
        let [from, to] = arrow.ends()?;
        let pointed = emphasis.pointed == Some(arrow.key);
        let chosen = pointed || emphasis.selected == Some(arrow.key);
        let stands_back = !chosen && (arrow.faint || emphasis.selected.is_some());
        let [red, green, blue] = arrow.tone.rgb(theme);
        let brighter = |channel: u8| if pointed { channel + (255 - channel) / 4 } else { channel };
        Some(ArrowInstance {
            from: from.to_array(),
            radius: scene.radius(arrow.width) * if pointed { 1.4 } else { 1.0 },
            vector: (to - from).to_array(),
            faded: if stands_back { 0.78 } else { 0.0 },
            colour: light([red, green, blue].map(brighter), 1.0),
        })
    };
    scene.arrows.iter().filter_map(instance).collect()
}

/// Axes and trails.
fn segments(scene: &Scene, theme: Theme) -> Vec<Segment> {
    let axes = scene.axes.iter().enumerate().filter(|(_, name)| !name.is_empty());
    let axes = axes.flat_map(|(axis, _)| {
        [(-1.0, 0.35), (1.0, 0.95)].map(|(side, opacity)| {
            let mut to = [0.0; 3];
            to[axis] = side * scene.reach * 1.04;
            let colour = light(theme.axis(), opacity);
            Segment { from: [0.0; 3], radius: 0.0, to, min: 0.75, from_colour: colour, to_colour: colour }
        })
    });
    let spans: usize = scene.trails.iter().map(|trail| trail.points.len()).sum();
    let pieces = (ALL_PIECES / spans.max(1)).clamp(1, PIECES);
    let trails = scene.trails.iter().flat_map(|trail| trail_segments(trail, scene, theme, pieces));
    axes.chain(trails).collect()
}

/// Straight pieces of the smooth curve through a trail's points.
fn trail_segments(trail: &Trail, scene: &Scene, theme: Theme, pieces: usize) -> Vec<Segment> {
    let finite = |point: &[f32; 3]| point.iter().all(|part| part.is_finite());
    let stops = trail.points.iter().zip(&trail.tones).filter(|(point, _)| finite(point));
    let (points, colours): (Vec<Vec3>, Vec<[f32; 4]>) =
        stops.map(|(point, tone)| (Vec3::from(*point), light(tone.rgb(theme), 1.0))).unzip();
    let Some(last) = points.len().checked_sub(1).filter(|last| *last > 0) else { return Vec::new() };
    let radius = 0.55 * scene.radius(trail.width);
    let at = |span: usize, piece: usize| {
        let part = piece as f32 / pieces as f32;
        let neighbours = [span.saturating_sub(1), span, span + 1, (span + 2).min(last)].map(|index| points[index]);
        let colour = std::array::from_fn(|channel| {
            colours[span][channel] + part * (colours[span + 1][channel] - colours[span][channel])
        });
        (smooth(neighbours, part).to_array(), colour)
    };
    (0..last)
        .flat_map(|span| (0..pieces).map(move |piece| (span, piece)))
        .map(|(span, piece)| {
            let [(from, from_colour), (to, to_colour)] = [at(span, piece), at(span, piece + 1)];
            Segment { from, radius, to, min: 0.6, from_colour, to_colour }
        })
        .collect()
}

/// The curve of Catmull and Rom between the second and the third point.
fn smooth([a, b, c, d]: [Vec3; 4], part: f32) -> Vec3 {
    let [square, cube] = [part * part, part * part * part];
    0.5 * (2.0 * b + (c - a) * part + (2.0 * a - 5.0 * b + 4.0 * c - d) * square + (3.0 * (b - c) + d - a) * cube)
}

impl Pipelines {
    fn new(device: &wgpu::Device, camera: &wgpu::BindGroupLayout) -> Self {
        const CAMERA_AND_ARROWS: &str =
            concat!(include_str!("../../../shaders/camera.wgsl"), include_str!("../../../shaders/arrows.wgsl"));
        const CAMERA_AND_FLOOR: &str =
            concat!(include_str!("../../../shaders/camera.wgsl"), include_str!("../../../shaders/floor.wgsl"));
        const CAMERA_AND_SEGMENTS: &str =
            concat!(include_str!("../../../shaders/camera.wgsl"), include_str!("../../../shaders/segments.wgsl"));
        let arrows = shader(device, "arrows", CAMERA_AND_ARROWS);
        let floor = shader(device, "floor", CAMERA_AND_FLOOR);
        let segments = shader(device, "segments", CAMERA_AND_SEGMENTS);
        let corners = wgpu::vertex_attr_array![0 => Float32x2, 1 => Float32x2, 2 => Float32x2, 3 => Float32x2];
        let arrow = wgpu::vertex_attr_array![
            4 => Float32x3, 5 => Float32, 6 => Float32x3, 7 => Float32, 8 => Float32x4
        ];
        let segment = wgpu::vertex_attr_array![
            0 => Float32x3, 1 => Float32, 2 => Float32x3, 3 => Float32, 4 => Float32x4, 5 => Float32x4
        ];
        let buffer = |stride: usize, step_mode, attributes| {
            Some(wgpu::VertexBufferLayout { array_stride: stride as u64, step_mode, attributes })
        };
        let arrow_buffers = [
            buffer(size_of::<mesh::Vertex>(), wgpu::VertexStepMode::Vertex, corners.as_slice()),
            buffer(size_of::<ArrowInstance>(), wgpu::VertexStepMode::Instance, arrow.as_slice()),
        ];
        let segment_buffers = [buffer(size_of::<Segment>(), wgpu::VertexStepMode::Instance, segment.as_slice())];
        let made = |label, module, [vertex, fragment]: [&str; 2], buffers: &[_], kind: Kind| {
            let (colours, primitive, depth) = (kind.colours(), kind.primitive(), Some(kind.depth()));
            let (bindings, samples) = (camera, SAMPLES);
            let parts = PipelineParts {
                label,
                bindings,
                module,
                vertex,
                fragment,
                buffers,
                colours,
                primitive,
                depth,
                samples,
            };
            pipeline(device, parts)
        };
        Self {
            arrows: made("arrows", &arrows, ["arrow", "lit"], &arrow_buffers, Kind::Solid),
            crowds: made("crowds", &arrows, ["crowd", "flat_colour"], &arrow_buffers, Kind::Flat),
            halos: made("halos", &arrows, ["halo", "ground"], &arrow_buffers, Kind::Inside),
            shadows: made("shadows", &arrows, ["shadow", "shade"], &arrow_buffers, Kind::Film),
            floor: made("floor", &floor, ["floor_corner", "grid"], &[], Kind::Sheet),
            segments: made("segments", &segments, ["strip", "tube"], &segment_buffers, Kind::Strip),
        }
    }
}

/// How surfaces cover each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Seen from outside.
    Solid,
    /// Seen from both sides.
    Flat,
    /// Only the inner side is seen.
    Inside,
    /// A transparent layer that hides nothing, of one side.
    Film,
    /// The same of both sides, as a strip of triangles.
    Sheet,
    /// Seen from both sides, as a strip of triangles.
    Strip,
}

impl Kind {
    fn colours(self) -> wgpu::ColorTargetState {
        let blend = matches!(self, Self::Film | Self::Sheet | Self::Strip).then_some(wgpu::BlendState::ALPHA_BLENDING);
        wgpu::ColorTargetState { format: FORMAT, blend, write_mask: wgpu::ColorWrites::ALL }
    }

    fn primitive(self) -> wgpu::PrimitiveState {
        let strip = matches!(self, Self::Sheet | Self::Strip);
        wgpu::PrimitiveState {
            topology: if strip {
                wgpu::PrimitiveTopology::TriangleStrip
            } else {
                wgpu::PrimitiveTopology::TriangleList
            },
            cull_mode: match self {
                Self::Solid => Some(wgpu::Face::Back),
                Self::Inside => Some(wgpu::Face::Front),
                Self::Flat | Self::Film | Self::Sheet | Self::Strip => None,
            },
            ..wgpu::PrimitiveState::default()
        }
    }

    fn depth(self) -> wgpu::DepthStencilState {
        wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(!matches!(self, Self::Film | Self::Sheet)),
            depth_compare: Some(wgpu::CompareFunction::LessEqual),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }
    }
}
