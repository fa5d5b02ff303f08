//! Workers give way to the window: it answers while they train on every core.

use std::process::{Child, Command};

/// How far behind the window a worker stands on Unix where only a rank can be given, from 0 (alike) to 19.
#[cfg(all(unix, not(target_os = "linux")))]
const NICE: i32 = 10;

/// Starts a process that gives way to the window wherever both want the processor.
pub(super) fn spawn_behind(command: &mut Command) -> std::io::Result<Child> {
    #[cfg(windows)]
    {
        const BELOW_NORMAL_PRIORITY_CLASS: u32 = 0x4000;
        std::os::windows::process::CommandExt::creation_flags(command, BELOW_NORMAL_PRIORITY_CLASS);
    }
    let child = command.spawn()?;
    // Its threads are not there yet and inherit this. Where the system refuses, the worker computes all the same.
    #[cfg(unix)]
    stand_behind(&child);
    Ok(child)
}

/// A window that wakes up has the processor at once: a rank would only let it wait for less than its share.
///
/// Other programs hardly slow a worker down by this: Linux first divides the processor among sessions or control groups, and
/// only within that of the window does the worker stand behind all.
#[cfg(target_os = "linux")]
#[allow(unsafe_code, reason = "the standard library has no scheduling; see SAFETY")]
fn stand_behind(child: &Child) {
    let Ok(id) = libc::pid_t::try_from(child.id()) else { return };
    let priority = libc::sched_param { sched_priority: 0 };
    // SAFETY: the call reads one structure, which outlives it.
    let _ = unsafe { libc::sched_setscheduler(id, libc::SCHED_IDLE, &raw const priority) };
}

#[cfg(all(unix, not(target_os = "linux")))]
fn stand_behind(child: &Child) {
    if let Some(id) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::setpriority_process(Some(id), NICE);
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::{ExecutableLauncher, JobHandle, Launcher};

    /// Whether a worker stands behind the window, said by `LOOK` in a number.
    #[cfg(target_os = "linux")]
    const LOOK: &str = "cut -d ' ' -f 41 /proc/self/stat";
    #[cfg(target_os = "linux")]
    const BEHIND: i32 = libc::SCHED_IDLE;
    #[cfg(not(target_os = "linux"))]
    const LOOK: &str = "nice";
    #[cfg(not(target_os = "linux"))]
    const BEHIND: i32 = super::NICE;

    #[test]
    fn what_is_started_gives_way_to_the_window() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("worker.sh");
        // It waits for what is set right after its start, at most ten seconds, and says what it then has.
        let wait =
            format!("for look in $(seq 200); do [ \"$({LOOK})\" -ge {BEHIND} ] && break; sleep 0.05; done; {LOOK} >&2");
        std::fs::write(&executable, format!("#!/bin/sh\n{wait}\n")).unwrap();
        std::fs::set_permissions(&executable, std::fs::Permissions::from_mode(0o755)).unwrap();
        let launcher = ExecutableLauncher { executable, device: "cpu".to_owned() };
        let behind = |words: &str| words.trim().parse::<i32>().unwrap() >= BEHIND;
        let worker = launcher.run(&folder.path().join("project.ron")).unwrap();
        assert!(behind(&worker.last_words), "a worker of the queue has {}", worker.last_words);
        let computed = launcher.compute(&[], &JobHandle::default()).unwrap();
        assert!(behind(&computed.last_words), "a computation has {}", computed.last_words);
    }
}
