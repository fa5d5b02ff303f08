//! From the device that was chosen to the type that computes on it, once, at a worker's start.

use burn::backend::{Autodiff, Flex};
#[cfg(all(feature = "gpu", not(test)))]
use burn::backend::{Cuda, Wgpu};
use burn::tensor::backend::AutodiffBackend;

use super::kernels::Kernels;
use crate::device::Device;

/// A backend that trains, and whose inner backend evaluates.
pub trait TrainingBackend: AutodiffBackend<InnerBackend: Kernels> + Kernels {}

impl<B: AutodiffBackend<InnerBackend: Kernels> + Kernels> TrainingBackend for B {}

/// Work that is the same on every device.
pub trait OnDevice {
    type Output;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output;
}

/// Runs work on a device.
pub fn run_on<W: OnDevice>(device: &Device, work: W) -> W::Output {
    match device {
        #[cfg(all(feature = "gpu", not(test)))]
        Device::Wgpu(device) => work.run::<Autodiff<Wgpu>>(device),
        #[cfg(all(feature = "gpu", not(test)))]
        Device::Cuda(device) => work.run::<Autodiff<Cuda>>(device),
        // Unit tests compute on the CPU. Without the two arms above they are built in a minute instead of five; the tests of
        // whole runs are held against the library that has them.
        #[cfg(all(feature = "gpu", test))]
        Device::Wgpu(_) | Device::Cuda(_) => unreachable!("unit tests compute on the CPU"),
        Device::Cpu => work.run::<Autodiff<Flex>>(&Default::default()),
    }
}
