//! What can train here, and the drivers that it is reached by.

use super::Check;
use super::machine::first_line;
use crate::device::{self, DeviceReport};

pub(super) fn checks() -> Vec<Check> {
    let survey = device::survey();
    let mut checks: Vec<Check> = survey.found.iter().map(check).collect();
    if let Some(driver) = first_line("/proc/driver/nvidia/version") {
        checks.push(Check::fine("NVIDIA driver", driver));
    }
    checks.push(Check::fine("auto", format!("takes {} ({}): {}", survey.chosen, survey.name, survey.reason)));
    checks
}

fn check(found: &DeviceReport) -> Check {
    let DeviceReport { kind, name, detail, software, usable, broken } = found;
    let words = format!("{name} ({detail})");
    match (usable, software) {
        (true, false) => Check::fine(kind, words),
        (true, true) => Check::fine(kind, format!("{words}, in software: `auto` leaves it out")),
        (false, _) if *broken => {
            Check::note(kind, words, "install or update the driver of the device, or train with `--device cpu`")
        }
        // A machine without such a device lacks nothing, nor does a build that is not meant for it.
        (false, _) => Check::fine(kind, detail),
    }
}
