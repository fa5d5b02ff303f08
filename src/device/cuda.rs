//! Whether CUDA can be used.

use burn::backend::cuda::CudaDevice;

use super::{Device, Lack};

/// The first device and how many there are. The driver library is probed before anything touches CUDA, which panics without it.
pub(super) fn find() -> Result<(Device, i32), Lack> {
    let names: &[&str] = if cfg!(windows) { &["nvcuda.dll"] } else { &["libcuda.so.1", "libcuda.so"] };
    match names.iter().find_map(|name| probe(name)) {
        None => Err(Lack::none("no CUDA driver library was found")),
        Some(Err(reason)) => Err(Lack { reason, broken: true }),
        Some(Ok(devices)) => Ok((Device::Cuda(CudaDevice::default()), devices)),
    }
}

/// Number of CUDA devices that a driver library sees; none where there is no such library.
#[allow(unsafe_code, reason = "the CUDA driver is a C library; see SAFETY")]
fn probe(library: &str) -> Option<Result<i32, String>> {
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
