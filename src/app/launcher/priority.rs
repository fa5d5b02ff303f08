//! Workers give way to the window: it answers while they train on every core.

use std::process::{Child, Command};

/// How far behind the window a worker stands on Unix, from 0 (alike) to 19.
#[cfg(unix)]
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
    if let Some(id) = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw) {
        let _ = rustix::process::setpriority_process(Some(id), NICE);
    }
    Ok(child)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::{ExecutableLauncher, JobHandle, Launcher};
    use super::*;

    #[test]
    fn what_is_started_gives_way_to_the_window() {
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("worker.sh");
        // It waits for what is set right after its start, at most ten seconds, and says what it then has.
        let wait = "for look in $(seq 200); do [ \"$(nice)\" -ge 10 ] && break; sleep 0.05; done; nice >&2";
        std::fs::write(&executable, format!("#!/bin/sh\n{wait}\n")).unwrap();
        std::fs::set_permissions(&executable, std::fs::Permissions::from_mode(0o755)).unwrap();
        let launcher = ExecutableLauncher { executable, device: "cpu".to_owned() };
        let behind = |words: &str| words.parse::<i32>().unwrap() >= NICE;
        let worker = launcher.run(&folder.path().join("project.ron")).unwrap();
        assert!(behind(&worker.last_words), "a worker of the queue has {}", worker.last_words);
        let computed = launcher.compute(&[], &JobHandle::default()).unwrap();
        assert!(behind(&computed.last_words), "a computation has {}", computed.last_words);
    }
}
