//! Devices that the `gpu` feature brings: adapters of wgpu, and CUDA.

use burn::backend::cuda::CudaDevice;
use burn::backend::wgpu::WgpuDevice;
use burn::backend::wgpu::graphics::{AutoGraphicsApi, GraphicsApi};

use super::{Device, DeviceChoice, DeviceReport, Survey, cpu};

pub(super) fn choose(choice: DeviceChoice) -> Result<(Device, Survey), String> {
    let adapters = adapters();
    let cuda = cuda();
    let cpu = cpu();
    let gpu = adapters.iter().find(|(found, _)| !found.software);
    let any = gpu.or_else(|| adapters.first());
    let (device, name, reason) = match choice {
        DeviceChoice::Cpu => (Device::Cpu, cpu.name.clone(), "asked for".to_owned()),
        DeviceChoice::Wgpu => match any {
            Some((found, device)) => (Device::Wgpu(device.clone()), found.name.clone(), "asked for".to_owned()),
            None => return Err("no wgpu adapter was found; install a Vulkan driver, or use --device cpu".to_owned()),
        },
        DeviceChoice::Cuda if cuda.usable => {
            (Device::Cuda(CudaDevice::default()), cuda.name.clone(), "asked for".to_owned())
        }
        DeviceChoice::Cuda => {
            return Err(format!("CUDA cannot be used: {}; use --device auto or --device cpu", cuda.detail));
        }
        DeviceChoice::Auto => match gpu {
            Some((found, device)) => {
                (Device::Wgpu(device.clone()), found.name.clone(), "a GPU that wgpu can use".to_owned())
            }
            None if cuda.usable => (
                Device::Cuda(CudaDevice::default()),
                cuda.name.clone(),
                "no GPU through wgpu, but a CUDA driver".to_owned(),
            ),
            None => {
                let software =
                    if adapters.is_empty() { "" } else { "; a software adapter is slower than the CPU itself" };
                (Device::Cpu, cpu.name.clone(), format!("no GPU through wgpu and no CUDA driver{software}"))
            }
        },
    };
    let chosen = device.kind().to_owned();
    let found = adapters.into_iter().map(|(found, _)| found).chain([cuda, cpu]).collect();
    Ok((device, Survey { found, chosen, name, reason }))
}

/// Adapters of the graphics interface that training uses, GPUs first.
fn adapters() -> Vec<(DeviceReport, WgpuDevice)> {
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
    let mut adapters: Vec<(DeviceReport, WgpuDevice)> = pollster::block_on(instance.enumerate_adapters(backend.into()))
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
            Some((DeviceReport { kind: "wgpu".to_owned(), name: info.name, detail, software, usable: true }, device))
        })
        .collect();
    adapters.sort_by_key(|(found, device)| {
        let class = match device {
            WgpuDevice::DiscreteGpu(_) => 0,
            WgpuDevice::IntegratedGpu(_) => 1,
            _ => 2,
        };
        (found.software, class)
    });
    adapters
}

/// Names of the well-known software adapters, which some drivers report as GPUs.
fn is_software(name: &str) -> bool {
    let name = name.to_lowercase();
    ["llvmpipe", "lavapipe", "swiftshader", "basic render", "warp"].iter().any(|n| name.contains(n))
}

/// Whether CUDA can be used. The driver library is probed before anything touches CUDA, which panics without it.
pub(super) fn cuda() -> DeviceReport {
    let names: &[&str] = if cfg!(windows) { &["nvcuda.dll"] } else { &["libcuda.so.1", "libcuda.so"] };
    let found = |name: &str, detail: String, usable| DeviceReport {
        kind: "cuda".to_owned(),
        name: name.to_owned(),
        detail,
        software: false,
        usable,
    };
    match names.iter().find_map(|name| probe_cuda(name)) {
        None => found("CUDA", "no CUDA driver library was found".to_owned(), false),
        Some(Err(problem)) => found("CUDA", problem, false),
        Some(Ok(devices)) => found("CUDA device 0", format!("{devices} device(s)"), true),
    }
}

/// Number of CUDA devices that a driver library sees; none where there is no such library.
#[allow(unsafe_code, reason = "the CUDA driver is a C library; see SAFETY")]
fn probe_cuda(library: &str) -> Option<Result<i32, String>> {
    type Init = unsafe extern "C" fn(u32) -> i32;
    type Count = unsafe extern "C" fn(*mut i32) -> i32;
    // SAFETY: loading the CUDA driver runs its initialisers, as any program that uses CUDA does; the two functions
    // have these signatures in every version of the driver's interface.
    unsafe {
        let library = libloading::Library::new(library).ok()?;
        let init = library.get::<Init>(b"cuInit\0").ok()?;
        let count = library.get::<Count>(b"cuDeviceGetCount\0").ok()?;
        let status = init(0);
        if status != 0 {
            return Some(Err(format!("the CUDA driver does not start (error {status})")));
        }
        let mut devices = 0;
        let status = count(&raw mut devices);
        Some(if status == 0 && devices > 0 { Ok(devices) } else { Err("the CUDA driver sees no device".to_owned()) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_cuda_driver_is_a_message() {
        if !cuda().usable {
            let message = choose(DeviceChoice::Cuda).expect_err("there is no CUDA here");
            assert!(message.contains("CUDA cannot be used"), "{message}");
        }
    }

    #[test]
    fn software_adapters_are_known_by_name() {
        assert!(is_software("llvmpipe (LLVM 15.0.6, 256 bits)"));
        assert!(is_software("Microsoft Basic Render Driver"));
        assert!(!is_software("NVIDIA H200"));
    }
}
