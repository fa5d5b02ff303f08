//! Which device trains, and why.
//!
//! One binary holds wgpu, CUDA and the CPU. `auto` takes a real GPU through wgpu, else CUDA, else the CPU; an adapter
//! that emulates a GPU in software is never chosen by itself, since the CPU backend is many times faster.

use std::fmt;
use std::str::FromStr;

#[cfg(feature = "gpu")]
use burn::backend::{cuda::CudaDevice, wgpu::WgpuDevice};
use serde::Serialize;

#[cfg(feature = "gpu")]
mod gpu;

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
    #[cfg(feature = "gpu")]
    Wgpu(WgpuDevice),
    #[cfg(feature = "gpu")]
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

/// Looks at all devices and chooses one.
///
/// # Errors
/// In words: the device that was asked for is not there, and what to do.
pub fn choose(choice: DeviceChoice) -> Result<(Device, Survey), String> {
    gpu::choose(choice)
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
            #[cfg(feature = "gpu")]
            Self::Wgpu(_) => "wgpu",
            #[cfg(feature = "gpu")]
            Self::Cuda(_) => "cuda",
            Self::Cpu => "cpu",
        }
    }

    /// The device to try when this one fails: after wgpu CUDA where there is a driver, else the CPU.
    pub fn next(&self) -> &'static str {
        match self {
            #[cfg(feature = "gpu")]
            Self::Wgpu(_) if gpu::cuda().usable => "cuda",
            _ => "cpu",
        }
    }
}

fn cpu() -> DeviceReport {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let name = format!("CPU, {cores} {}", if cores == 1 { "core" } else { "cores" });
    DeviceReport {
        kind: "cpu".to_owned(),
        name,
        detail: std::env::consts::ARCH.to_owned(),
        software: false,
        usable: true,
    }
}

/// What a build without the `gpu` feature knows: the CPU.
#[cfg(not(feature = "gpu"))]
mod gpu {
    use super::{Device, DeviceChoice, Survey, cpu};

    pub(super) fn choose(choice: DeviceChoice) -> Result<(Device, Survey), String> {
        let reason = match choice {
            DeviceChoice::Cpu => "asked for",
            DeviceChoice::Auto => "this build trains on the CPU alone",
            DeviceChoice::Wgpu | DeviceChoice::Cuda => {
                return Err(format!(
                    "this build trains on the CPU alone; build it with the feature `gpu` for {choice}, or use --device cpu"
                ));
            }
        };
        let cpu = cpu();
        let survey =
            Survey { chosen: cpu.kind.clone(), name: cpu.name.clone(), reason: reason.to_owned(), found: vec![cpu] };
        Ok((Device::Cpu, survey))
    }
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
}
