//! Which device trains, and why.
//!
//! One binary holds wgpu, CUDA and the CPU. `auto` takes a real GPU through wgpu, else CUDA, else the CPU; an adapter
//! that emulates a GPU in software is never chosen by itself, since the CPU backend is many times faster.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "cuda")]
use burn::backend::cuda::CudaDevice;
#[cfg(feature = "wgpu")]
use burn::backend::wgpu::WgpuDevice;
use serde::Serialize;

use crate::error::RunError;

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "wgpu")]
mod wgpu_adapters;

/// Without the feature there is no adapter to train on.
#[cfg(not(feature = "wgpu"))]
mod wgpu_adapters {
    pub(super) fn find() -> Vec<super::Found> {
        Vec::new()
    }
}

/// Without the feature CUDA is never tried.
#[cfg(not(feature = "cuda"))]
mod cuda {
    pub(super) fn find() -> Result<(super::Device, i32), super::Lack> {
        Err(super::Lack::none("this build is without the feature `cuda`"))
    }
}

/// What the user asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceChoice {
    #[default]
    Auto,
    Wgpu,
    Cuda,
    Cpu,
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "wgpu" => Ok(Self::Wgpu),
            "cuda" => Ok(Self::Cuda),
            "cpu" => Ok(Self::Cpu),
            other => Err(format!("unknown device \"{other}\"; expected auto, wgpu, cuda or cpu")),
        }
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Wgpu => "wgpu",
            Self::Cuda => "cuda",
            Self::Cpu => "cpu",
        })
    }
}

/// The device that a worker uses.
#[derive(Debug, Clone, PartialEq)]
pub enum Device {
    #[cfg(feature = "wgpu")]
    Wgpu(WgpuDevice),
    #[cfg(feature = "cuda")]
    Cuda(CudaDevice),
    Cpu,
}

/// One device that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceReport {
    /// `wgpu`, `cuda` or `cpu`.
    pub kind: String,
    pub name: String,
    /// Driver, graphics interface, or why it cannot be used.
    pub detail: String,
    /// Emulates a GPU in software.
    pub software: bool,
    pub usable: bool,
    /// It cannot be used though a part of it is there: something is to be mended.
    #[serde(skip)]
    pub broken: bool,
}

/// What was found, what was chosen and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Survey {
    pub found: Vec<DeviceReport>,
    /// Kind of the chosen device.
    pub chosen: String,
    /// Name of the chosen device.
    pub name: String,
    pub reason: String,
}

/// A device that was looked for, and the device itself where it can be used.
struct Found {
    report: DeviceReport,
    device: Option<Device>,
}

/// Why there is no CUDA device to train on.
struct Lack {
    reason: String,
    /// The driver is there and does not work.
    broken: bool,
}

impl Lack {
    fn none(reason: &str) -> Self {
        Self { reason: reason.to_owned(), broken: false }
    }
}

/// Looks at all devices and chooses one.
///
/// # Errors
/// In words: the device that was asked for is not there, and what to do.
pub fn choose(choice: DeviceChoice) -> Result<(Device, Survey), String> {
    let adapters = wgpu_adapters::find();
    let (cuda, cpu) = (find_cuda(), cpu());
    let gpu = adapters.iter().find(|found| !found.report.software);
    let (taken, reason) = match choice {
        DeviceChoice::Cpu => (&cpu, "asked for"),
        DeviceChoice::Wgpu => (gpu.or_else(|| adapters.first()).ok_or_else(no_adapter)?, "asked for"),
        DeviceChoice::Cuda => (&cuda, "asked for"),
        DeviceChoice::Auto => match gpu {
            Some(gpu) => (gpu, "a GPU that wgpu can use"),
            None if cuda.device.is_some() => (&cuda, "no GPU through wgpu, but a CUDA driver"),
            None => (&cpu, why_the_cpu(!adapters.is_empty())),
        },
    };
    let Some(device) = taken.device.clone() else {
        return Err(format!("CUDA cannot be used: {}; use --device auto or --device cpu", taken.report.detail));
    };
    let (chosen, name) = (taken.report.kind.clone(), taken.report.name.clone());
    let found = adapters.into_iter().chain([cuda, cpu]).map(|found| found.report).collect();
    Ok((device, Survey { found, chosen, name, reason: reason.to_owned() }))
}

/// As [`choose`], for work that ends where the device is not there.
///
/// # Errors
/// It is not; the CPU is named as the next to try.
pub fn required(choice: DeviceChoice) -> Result<(Device, Survey), RunError> {
    choose(choice).map_err(|message| RunError::Device { device: choice.to_string(), message, next: "cpu".to_owned() })
}

/// Why `auto` takes the CPU, where there are software adapters or none.
fn why_the_cpu(software: bool) -> &'static str {
    if software {
        "no GPU through wgpu and no CUDA driver; a software adapter is slower than the CPU itself"
    } else if cfg!(any(feature = "wgpu", feature = "cuda")) {
        "no GPU through wgpu and no CUDA driver"
    } else {
        "this build trains on the CPU alone"
    }
}

fn no_adapter() -> String {
    if cfg!(feature = "wgpu") {
        "no wgpu adapter was found; install a Vulkan driver, or use --device cpu".to_owned()
    } else {
        "this build is without the feature `wgpu`; build it with that, or use --device cpu".to_owned()
    }
}

/// What `auto` finds and chooses.
pub fn survey() -> Survey {
    choose(DeviceChoice::Auto).map(|(_, survey)| survey).unwrap_or_else(|reason| Survey {
        found: Vec::new(),
        chosen: "cpu".to_owned(),
        name: "CPU".to_owned(),
        reason,
    })
}

impl Device {
    /// `wgpu`, `cuda` or `cpu`.
    pub fn kind(&self) -> &'static str {
        match self {
            #[cfg(feature = "wgpu")]
            Self::Wgpu(_) => "wgpu",
            #[cfg(feature = "cuda")]
            Self::Cuda(_) => "cuda",
            Self::Cpu => "cpu",
        }
    }

    /// The device to try when this one fails: after wgpu CUDA where there is a driver, else the CPU.
    pub fn next(&self) -> &'static str {
        match self {
            #[cfg(feature = "wgpu")]
            Self::Wgpu(_) if cuda::find().is_ok() => "cuda",
            _ => "cpu",
        }
    }
}

/// CUDA, where a driver was found that sees a device.
fn find_cuda() -> Found {
    let (name, detail, broken, device) = match cuda::find() {
        Ok((device, number)) => ("CUDA device 0", format!("{number} device(s)"), false, Some(device)),
        Err(Lack { reason, broken }) => ("CUDA", reason, broken, None),
    };
    let (kind, name) = ("cuda".to_owned(), name.to_owned());
    Found { report: DeviceReport { kind, name, detail, software: false, usable: device.is_some(), broken }, device }
}

fn cpu() -> Found {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let report = DeviceReport {
        kind: "cpu".to_owned(),
        name: format!("CPU, {cores} {}", if cores == 1 { "core" } else { "cores" }),
        detail: std::env::consts::ARCH.to_owned(),
        software: false,
        usable: true,
        broken: false,
    };
    Found { report, device: Some(Device::Cpu) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_devices_round_trip() {
        for choice in [DeviceChoice::Auto, DeviceChoice::Wgpu, DeviceChoice::Cuda, DeviceChoice::Cpu] {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("gpu".parse::<DeviceChoice>().is_err_and(|e| e.contains("expected auto, wgpu, cuda or cpu")));
    }

    #[test]
    fn auto_never_trains_on_a_software_adapter() {
        let (device, survey) = choose(DeviceChoice::Auto).expect("the CPU is always there");
        let chosen = survey.found.iter().find(|f| f.kind == survey.chosen && f.name == survey.name).expect("listed");
        assert!(!chosen.software && chosen.usable, "{survey:?}");
        assert_eq!(device.kind(), survey.chosen);
    }

    #[test]
    fn cuda_that_cannot_be_used_is_a_message() {
        let found = find_cuda();
        if found.device.is_none() {
            let message = choose(DeviceChoice::Cuda).expect_err("there is no CUDA here");
            assert!(message.contains("CUDA cannot be used") && message.contains(&found.report.detail), "{message}");
        }
    }
}
