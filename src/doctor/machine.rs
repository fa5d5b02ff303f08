//! System, processor and memory.

use super::Check;
use crate::peak_memory;

/// Memory that a small compact model with its data takes.
const LITTLE: u64 = 1 << 30;

pub(super) fn checks() -> Vec<Check> {
    vec![system(), processor(), cores(), memory()]
}

fn system() -> Check {
    let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
    let kernel =
        first_line("/proc/sys/kernel/osrelease").map_or_else(String::new, |kernel| format!(", kernel {kernel}"));
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME=")).map(|name| name.trim_matches('"'));
    Check::fine("system", format!("{}{kernel}, {architecture}", name.unwrap_or(os)))
}

/// What the kernels look for when they start: without it they are right and slower.
fn processor() -> Check {
    let features = vector_features();
    let had: Vec<&str> = features.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
    let lacks = features.iter().any(|(name, has)| !has && *name != WIDEST);
    let model = first_entry("/proc/cpuinfo", "model name").map_or_else(String::new, |model| format!("{model}; "));
    let found = format!("{model}{}", if had.is_empty() { "no vectors".to_owned() } else { had.join(", ") });
    if lacks {
        Check::note(
            "processor",
            found,
            "training is right but slow here: a processor since about 2015 has AVX2 and FMA",
        )
    } else {
        Check::fine("processor", found)
    }
}

/// Good to have, and lacking on many processors.
const WIDEST: &str = "avx512f";

#[cfg(target_arch = "x86_64")]
fn vector_features() -> Vec<(&'static str, bool)> {
    use std::arch::is_x86_feature_detected as has;
    vec![("avx2", has!("avx2")), ("fma", has!("fma")), ("f16c", has!("f16c")), (WIDEST, has!("avx512f"))]
}

#[cfg(not(target_arch = "x86_64"))]
fn vector_features() -> Vec<(&'static str, bool)> {
    // Vectors belong to the instruction set itself there.
    if cfg!(target_arch = "aarch64") { vec![("neon", true)] } else { Vec::new() }
}

fn cores() -> Check {
    let usable = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Check::fine("cores", format!("{usable} usable, {} threads compute", rayon::current_num_threads()))
}

fn memory() -> Check {
    let Some(free) = peak_memory::available_bytes() else {
        return Check::fine("memory", "this system does not tell");
    };
    let mebibytes = |bytes: u64| bytes >> 20;
    let total = peak_memory::total_bytes().map_or_else(String::new, |total| format!(" of {} MiB", mebibytes(total)));
    let found = format!("{} MiB{total} are free", mebibytes(free));
    if free < LITTLE {
        Check::note("memory", found, "close other programs; `peso run PROJECT --dry-run` says what a run takes")
    } else {
        Check::fine("memory", found)
    }
}

/// The first line of one of the system's files.
pub(super) fn first_line(file: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().next().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// What stands behind the colon of the first line of this name.
fn first_entry(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.split_once(':').map(|(_, value)| value.trim().to_owned())
}
