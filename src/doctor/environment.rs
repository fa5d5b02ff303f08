//! Variables of the environment that change what this program does.

use super::Check;

/// What reads them stands in the comments of a group.
const VARIABLES: [&str; 24] = [
    // Threads
    "RAYON_NUM_THREADS",
    // Adapters of Vulkan, and which of them is taken
    "VK_ICD_FILENAMES",
    "VK_DRIVER_FILES",
    "VK_ADD_DRIVER_FILES",
    "VK_LOADER_DRIVERS_DISABLE",
    "MESA_VK_DEVICE_SELECT",
    "WGPU_BACKEND",
    "WGPU_ADAPTER_NAME",
    "WGPU_POWER_PREF",
    "DRI_PRIME",
    "LIBGL_ALWAYS_SOFTWARE",
    // CUDA
    "CUDA_VISIBLE_DEVICES",
    "CUDA_PATH",
    "CUDA_HOME",
    "LD_LIBRARY_PATH",
    // The window
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "WINIT_UNIX_BACKEND",
    "DBUS_SESSION_BUS_ADDRESS",
    // Folders
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
    "TMPDIR",
    // What a crash says
    "RUST_BACKTRACE",
    "RUST_LOG",
];

pub(super) fn checks() -> Vec<Check> {
    let set = VARIABLES.iter().filter_map(|name| Some((*name, std::env::var_os(name)?)));
    let checks: Vec<Check> = set.map(|(name, value)| check(name, &value.to_string_lossy())).collect();
    if checks.is_empty() {
        vec![Check::fine("variables", "none is set that this program or its drivers read")]
    } else {
        checks
    }
}

fn check(name: &str, value: &str) -> Check {
    let lists_files = ["VK_ICD_FILENAMES", "VK_DRIVER_FILES", "VK_ADD_DRIVER_FILES"].contains(&name);
    let gone = std::env::split_paths(value).find(|path| lists_files && !path.exists());
    if let Some(gone) = gone {
        let advice = format!("unset {name}, or name a driver's file that is there: Vulkan finds no device by this one");
        return Check::note(name, format!("{value}; there is no {}", gone.display()), advice);
    }
    if name == "RAYON_NUM_THREADS" && value.parse::<usize>().is_err() {
        return Check::note(name, format!("{value} is no number"), "unset it: all cores compute then");
    }
    Check::fine(name, value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;

    #[test]
    fn a_variable_that_leads_nowhere_is_noted() {
        assert_eq!(check("RAYON_NUM_THREADS", "2").state, State::Fine);
        assert_eq!(check("RAYON_NUM_THREADS", "all").state, State::Note);
        let here = std::env::temp_dir().display().to_string();
        assert_eq!(check("VK_ICD_FILENAMES", &here).state, State::Fine);
        let gone = check("VK_ICD_FILENAMES", &format!("{here}:/nowhere/lvp.json"));
        assert!(gone.state == State::Note && gone.found.ends_with("there is no /nowhere/lvp.json"), "{gone:?}");
        assert_eq!(check("CUDA_VISIBLE_DEVICES", "").state, State::Fine);
    }
}
