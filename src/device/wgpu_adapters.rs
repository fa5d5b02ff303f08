//! Adapters that wgpu finds.

use burn::backend::wgpu::WgpuDevice;
use burn::backend::wgpu::graphics::{AutoGraphicsApi, GraphicsApi};

use super::{Device, DeviceReport, Found};

/// Adapters of the graphics interface that training uses, GPUs first.
pub(super) fn find() -> Vec<Found> {
    let backend = AutoGraphicsApi::backend();
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: backend.into(),
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let mut counts = [0; 3];
    let mut next = |class: usize| {
        counts[class] += 1;
        counts[class] - 1
    };
    let mut adapters: Vec<(usize, Found)> = pollster::block_on(instance.enumerate_adapters(backend.into()))
        .iter()
        .filter_map(|adapter| {
            let info = adapter.get_info();
            let device = match info.device_type {
                wgpu::DeviceType::DiscreteGpu => WgpuDevice::DiscreteGpu(next(0)),
                wgpu::DeviceType::IntegratedGpu => WgpuDevice::IntegratedGpu(next(1)),
                wgpu::DeviceType::VirtualGpu => WgpuDevice::VirtualGpu(next(2)),
                wgpu::DeviceType::Cpu => WgpuDevice::Cpu,
                wgpu::DeviceType::Other => return None,
            };
            let software = info.device_type == wgpu::DeviceType::Cpu || is_software(&info.name);
            let detail = [format!("{:?}", info.backend), info.driver, info.driver_info];
            let detail = detail.into_iter().filter(|d| !d.is_empty()).collect::<Vec<_>>().join(", ");
            let (kind, name) = ("wgpu".to_owned(), info.name);
            let report = DeviceReport { kind, name, detail, software, usable: true, broken: false };
            let class = match device {
                WgpuDevice::DiscreteGpu(_) => 0,
                WgpuDevice::IntegratedGpu(_) => 1,
                _ => 2,
            };
            Some((class, Found { report, device: Some(Device::Wgpu(device)) }))
        })
        .collect();
    adapters.sort_by_key(|(class, found)| (found.report.software, *class));
    adapters.into_iter().map(|(_, found)| found).collect()
}

/// Names of the well-known software adapters, which some drivers report as GPUs.
fn is_software(name: &str) -> bool {
    let name = name.to_lowercase();
    ["llvmpipe", "lavapipe", "swiftshader", "basic render", "warp"].iter().any(|n| name.contains(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_adapters_are_known_by_name() {
        assert!(is_software("llvmpipe (LLVM 15.0.6, 256 bits)"));
        assert!(is_software("Microsoft Basic Render Driver"));
        assert!(!is_software("NVIDIA H200"));
    }
}
