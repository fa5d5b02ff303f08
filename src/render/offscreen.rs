//! Drawing into textures: a device without a window, targets, and pictures of any size, in parts that a device can hold.

use eframe::egui_wgpu::wgpu;

use crate::plot::Undrawable;
use crate::plot::picture::Image;

/// How a target's dots are kept: encoded for the screen, as the window's are.
pub const FORMAT: wgpu::TextureFormat = wgpu::TextureFormat::Rgba8Unorm;
pub(super) const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;
/// Places in a dot that are looked at for smooth edges.
pub(super) const SAMPLES: u32 = 4;
/// Width and height of a part at most: with depth and samples it takes 150 MB.
const PART: u32 = 2048;

/// A device that draws without a window.
#[derive(Debug)]
pub struct Gpu {
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    /// As the driver has it.
    pub name: String,
}

/// Which part of a picture is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Width and height of the picture.
    pub whole: [u32; 2],
    /// Where the part begins, from the picture's upper left corner.
    pub origin: [u32; 2],
    /// Its own width and height.
    pub size: [u32; 2],
}

/// What a part is drawn into.
#[derive(Debug)]
pub struct Target {
    pub size: [u32; 2],
    texture: wgpu::Texture,
    pub(super) dots: wgpu::TextureView,
    space: Option<Space>,
}

/// What drawing in space needs beside the dots.
#[derive(Debug)]
struct Space {
    samples: wgpu::TextureView,
    depth: wgpu::TextureView,
}

/// What a pass draws on: a plane, or space with things in front of each other and smooth edges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    Plane,
    Space,
}

/// Something that draws parts of a picture.
pub trait Pass {
    fn ground(&self) -> Ground;

    /// Adds to `encoder` what draws `part` into `target`.
    fn draw(&self, gpu: &Gpu, encoder: &mut wgpu::CommandEncoder, part: &Part, target: &Target);
}

impl Gpu {
    /// A device of its own, a hardware one where there is one.
    ///
    /// # Errors
    /// [`Undrawable::Device`] where no driver offers one.
    pub fn headless() -> Result<Self, Undrawable> {
        let problem = |error: &dyn std::error::Error| Undrawable::Device(error.to_string());
        // OpenGL needs a display on some systems, and says so on standard error: it comes last.
        let [first, last] = [wgpu::Backends::PRIMARY, wgpu::Backends::SECONDARY];
        let adapter = adapter(first).or_else(|_| adapter(last)).map_err(|error| problem(&error))?;
        let limits = wgpu::Limits { max_texture_dimension_2d: PART, ..wgpu::Limits::downlevel_defaults() };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("pictures"),
            required_limits: limits.using_alignment(adapter.limits()),
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|error| problem(&error))?;
        Ok(Self { device, queue, name: adapter.get_info().name })
    }
}

fn adapter(backends: wgpu::Backends) -> Result<wgpu::Adapter, wgpu::RequestAdapterError> {
    let instance = wgpu::InstanceDescriptor { backends, ..wgpu::InstanceDescriptor::new_without_display_handle() };
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..wgpu::RequestAdapterOptions::default()
    };
    pollster::block_on(wgpu::Instance::new(instance).request_adapter(&options))
}

impl Part {
    /// The whole of a picture.
    pub fn whole(size: [u32; 2]) -> Self {
        Self { whole: size, origin: [0, 0], size }
    }

    /// Parts of at most `edge` by `edge` that make up a picture.
    pub fn split(whole: [u32; 2], edge: u32) -> impl Iterator<Item = Self> {
        let starts = move |length: u32| (0..length).step_by(edge.max(1) as usize);
        starts(whole[1]).flat_map(move |y| starts(whole[0]).map(move |x| [x, y])).map(move |origin| Self {
            whole,
            origin,
            size: [0, 1].map(|axis| edge.min(whole[axis] - origin[axis])),
        })
    }
}

impl Target {
    pub fn new(device: &wgpu::Device, size: [u32; 2], ground: Ground) -> Self {
        let texture = |format, sample_count, usage| {
            device.create_texture(&wgpu::TextureDescriptor {
                label: Some("picture"),
                size: extent(size),
                mip_level_count: 1,
                sample_count,
                dimension: wgpu::TextureDimension::D2,
                format,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT | usage,
                view_formats: &[],
            })
        };
        let view = |texture: &wgpu::Texture| texture.create_view(&wgpu::TextureViewDescriptor::default());
        let dots = texture(FORMAT, 1, wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_SRC);
        let space = (ground == Ground::Space).then(|| Space {
            samples: view(&texture(FORMAT, SAMPLES, wgpu::TextureUsages::empty())),
            depth: view(&texture(DEPTH, SAMPLES, wgpu::TextureUsages::empty())),
        });
        Self { size, dots: view(&dots), texture: dots, space }
    }

    /// Begins to draw on `colour`.
    pub(super) fn begin<'e>(&self, encoder: &'e mut wgpu::CommandEncoder, colour: [f32; 4]) -> wgpu::RenderPass<'e> {
        let [r, g, b, a] = colour.map(f64::from);
        let load = wgpu::LoadOp::Clear(wgpu::Color { r, g, b, a });
        let (view, resolve_target, store) = match &self.space {
            Some(space) => (&space.samples, Some(&self.dots), wgpu::StoreOp::Discard),
            None => (&self.dots, None, wgpu::StoreOp::Store),
        };
        let attachment = wgpu::RenderPassColorAttachment {
            view,
            depth_slice: None,
            resolve_target,
            ops: wgpu::Operations { load, store },
        };
        let depth = self.space.as_ref().map(|space| wgpu::RenderPassDepthStencilAttachment {
            view: &space.depth,
            depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(1.0), store: wgpu::StoreOp::Discard }),
            stencil_ops: None,
        });
        encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
            label: Some("picture"),
            color_attachments: &[Some(attachment)],
            depth_stencil_attachment: depth,
            ..wgpu::RenderPassDescriptor::default()
        })
    }
}

/// Draws a picture of `size` dots and reads it back, in parts where it is large.
///
/// # Errors
/// [`Undrawable::Device`] where the device fails.
pub fn image(gpu: &Gpu, size: [u32; 2], pass: &impl Pass) -> Result<Image, Undrawable> {
    image_in_parts(gpu, size, pass, PART)
}

pub(super) fn image_in_parts(gpu: &Gpu, size: [u32; 2], pass: &impl Pass, edge: u32) -> Result<Image, Undrawable> {
    let [width, height] = size.map(|length| length as usize);
    let mut dots = vec![0; width * height * DOT];
    let largest = size.map(|length| length.min(edge));
    let target = Target::new(&gpu.device, largest, pass.ground());
    let buffer = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("dots"),
        size: row_bytes(largest[0]) as u64 * u64::from(largest[1]),
        usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        mapped_at_creation: false,
    });
    for part in Part::split(size, edge) {
        // One target serves all parts: what those at the edges draw beyond the picture is left behind.
        let full = Part { size: largest, ..part };
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("picture") });
        pass.draw(gpu, &mut encoder, &full, &target);
        target.copy_to(&mut encoder, &buffer);
        gpu.queue.submit([encoder.finish()]);
        let rows = read(gpu, &buffer)?;
        let [left, top] = part.origin.map(|place| place as usize);
        let length = part.size[0] as usize * DOT;
        for row in 0..part.size[1] as usize {
            let to = ((top + row) * width + left) * DOT;
            dots[to..to + length].copy_from_slice(&rows[row * row_bytes(largest[0])..][..length]);
        }
    }
    Ok(Image { size, dots })
}

impl Target {
    fn copy_to(&self, encoder: &mut wgpu::CommandEncoder, buffer: &wgpu::Buffer) {
        let layout = wgpu::TexelCopyBufferLayout {
            offset: 0,
            bytes_per_row: Some(row_bytes(self.size[0]) as u32),
            rows_per_image: None,
        };
        encoder.copy_texture_to_buffer(
            self.texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo { buffer, layout },
            extent(self.size),
        );
    }
}

/// The content of a buffer that the device has been asked to fill.
fn read(gpu: &Gpu, buffer: &wgpu::Buffer) -> Result<Vec<u8>, Undrawable> {
    let (answer, answered) = std::sync::mpsc::channel();
    buffer.slice(..).map_async(wgpu::MapMode::Read, move |result| {
        // Whoever asked has given up: nobody is left to tell.
        let _ = answer.send(result);
    });
    let failed = |problem: String| Undrawable::Device(problem);
    gpu.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| failed(error.to_string()))?;
    let mapped = answered.recv().map_err(|error| failed(error.to_string()))?;
    mapped.map_err(|error| failed(error.to_string()))?;
    let bytes = buffer.slice(..).get_mapped_range().map_err(|error| failed(error.to_string()))?.to_vec();
    buffer.unmap();
    Ok(bytes)
}

/// Bytes of a dot.
const DOT: usize = 4;

/// Bytes of a row of `width` dots as a device copies it.
fn row_bytes(width: u32) -> usize {
    (width as usize * DOT).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT as usize)
}

pub(super) fn extent([width, height]: [u32; 2]) -> wgpu::Extent3d {
    wgpu::Extent3d { width, height, depth_or_array_layers: 1 }
}
