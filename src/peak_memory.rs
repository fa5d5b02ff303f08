//! How much memory the process has used.

/// Largest resident size of this process so far in bytes; 0 where the system does not tell.
pub fn peak_bytes() -> u64 {
    entry("/proc/self/status", "VmHWM:").unwrap_or(0)
}

/// Lets [`peak_bytes`] count anew, where the system can.
pub fn forget_peak() {
    // Where it cannot, the peak stays that of the whole process, which is too high rather than too low.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

/// Memory in bytes that new processes can have without swapping; none where the system does not tell.
pub fn available_bytes() -> Option<u64> {
    entry("/proc/meminfo", "MemAvailable:")
}

/// Memory of this machine in bytes; none where the system does not tell.
pub fn total_bytes() -> Option<u64> {
    entry("/proc/meminfo", "MemTotal:")
}

/// The line `name  12 kB` of one of the system's files, in bytes.
fn entry(file: &str, name: &str) -> Option<u64> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib * 1024)
}
