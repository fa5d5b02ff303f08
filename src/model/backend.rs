//! From the device that was chosen to the type that computes on it, once, at a worker's start.

#[cfg(all(feature = "cuda", not(test)))]
use burn::backend::Cuda;
#[cfg(all(feature = "wgpu", not(test)))]
use burn::backend::Wgpu;
use burn::backend::{Autodiff, Flex};
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
        #[cfg(all(feature = "wgpu", not(test)))]
        Device::Wgpu(device) => work.run::<Autodiff<Wgpu>>(device),
        #[cfg(all(feature = "cuda", not(test)))]
        Device::Cuda(device) => work.run::<Autodiff<Cuda>>(device),
        // Unit tests compute on the CPU. Without the two arms above they are built in a minute instead of five; the tests of
        // whole runs are held against the library that has them.
        #[cfg(all(feature = "wgpu", test))]
        Device::Wgpu(_) => unreachable!("unit tests compute on the CPU"),
        #[cfg(all(feature = "cuda", test))]
        Device::Cuda(_) => unreachable!("unit tests compute on the CPU"),
        Device::Cpu => work.run::<Autodiff<Flex>>(&Default::default()),
    }
}
