//! What every pass sets up on the device: shaders, what is bound to them, and pipelines.

use std::marker::PhantomData;

use bytemuck::Pod;
use eframe::egui_wgpu::wgpu;

use super::offscreen::Gpu;

/// One value for shaders on the device.
#[derive(Debug)]
pub(super) struct Uniform<T> {
    buffer: wgpu::Buffer,
    value: PhantomData<T>,
}

impl<T: Pod> Uniform<T> {
    /// How it is bound.
    pub(super) const BINDING: wgpu::BindingType = wgpu::BindingType::Buffer {
        ty: wgpu::BufferBindingType::Uniform,
        has_dynamic_offset: false,
        min_binding_size: None,
    };

    pub(super) fn new(device: &wgpu::Device, label: &str) -> Self {
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: size_of::<T>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Self { buffer, value: PhantomData }
    }

    pub(super) fn write(&self, gpu: &Gpu, value: &T) {
        gpu.queue.write_buffer(&self.buffer, 0, bytemuck::bytes_of(value));
    }

    pub(super) fn resource(&self) -> wgpu::BindingResource<'_> {
        self.buffer.as_entire_binding()
    }
}

/// What shaders are given, by rising number of the binding from 0.
pub(super) fn bind_group_layout(
    device: &wgpu::Device,
    label: &str,
    visibility: wgpu::ShaderStages,
    bindings: &[wgpu::BindingType],
) -> wgpu::BindGroupLayout {
    let entry = |(binding, &ty)| wgpu::BindGroupLayoutEntry { binding, visibility, ty, count: None };
    let entries: Vec<_> = (0..).zip(bindings).map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries })
}

/// Binds `resources` in the order of the layout.
pub(super) fn bind_group<const N: usize>(
    device: &wgpu::Device,
    label: &str,
    layout: &wgpu::BindGroupLayout,
    resources: [wgpu::BindingResource<'_>; N],
) -> wgpu::BindGroup {
    let entries: Vec<_> =
        (0..).zip(resources).map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource }).collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor { label: Some(label), layout, entries: &entries })
}

/// A compiled shader.
pub(super) fn shader(device: &wgpu::Device, label: &str, source: &'static str) -> wgpu::ShaderModule {
    let source = wgpu::ShaderSource::Wgsl(source.into());
    device.create_shader_module(wgpu::ShaderModuleDescriptor { label: Some(label), source })
}

/// What pipelines differ in.
pub(super) struct PipelineParts<'a> {
    pub(super) label: &'a str,
    pub(super) bindings: &'a wgpu::BindGroupLayout,
    pub(super) module: &'a wgpu::ShaderModule,
    /// Entry point of the shader of corners.
    pub(super) vertex: &'a str,
    /// Entry point of the shader of dots.
    pub(super) fragment: &'a str,
    pub(super) buffers: &'a [Option<wgpu::VertexBufferLayout<'a>>],
    pub(super) colours: wgpu::ColorTargetState,
    pub(super) primitive: wgpu::PrimitiveState,
    pub(super) depth: Option<wgpu::DepthStencilState>,
    /// Samples a dot.
    pub(super) samples: u32,
}

pub(super) fn pipeline(device: &wgpu::Device, parts: PipelineParts<'_>) -> wgpu::RenderPipeline {
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(parts.label),
        bind_group_layouts: &[Some(parts.bindings)],
        immediate_size: 0,
    });
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(parts.label),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module: parts.module,
            entry_point: Some(parts.vertex),
            buffers: parts.buffers,
            compilation_options: wgpu::PipelineCompilationOptions::default(),
        },
        fragment: Some(wgpu::FragmentState {
            module: parts.module,
            entry_point: Some(parts.fragment),
            targets: &[Some(parts.colours)],
            compilation_options: wgpu::PipelineCompilationOptions::default(),
        }),
        primitive: parts.primitive,
        depth_stencil: parts.depth,
        multisample: wgpu::MultisampleState { count: parts.samples, ..wgpu::MultisampleState::default() },
        multiview_mask: None,
        cache: None,
    })
}
