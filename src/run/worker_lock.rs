//! Who trains a run: the lock of a file, which the system lets go of however its holder ends, and in the file who that is.
//!
//! On one machine the lock alone decides. Nothing depends on the number of a process, which another process may have by now;
//! it is written down for people. Some network folders do not pass locks on to other machines, so a holder also renews the
//! file every few seconds, and a machine that was heard of lately is believed although its lock cannot be seen.

use std::fs::{self, File};
use std::io::{Seek, Write};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::layout::LOCK;
use crate::error::InputError;
use crate::{calendar, files};

/// Between two signs of life.
const RENEWED_EVERY: Duration = Duration::from_secs(10);
/// A holder on another machine that was silent for so long is gone.
const SILENCE: Duration = Duration::from_secs(60);
const LARGEST: u64 = 1 << 12;

/// Held by the worker of a run.
#[derive(Debug)]
pub struct WorkerLock {
    /// Dropped when the lock is to be let go of.
    held: Option<Sender<()>>,
    renewal: Option<JoinHandle<()>>,
}

/// Who holds a lock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Holder {
    process: u32,
    host: String,
    /// The machine since it was started: no other machine has it, nor this one after a restart.
    machine: String,
    since_unix: u64,
}

/// Takes a run for this process; none where another worker has it.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn take(run: &Path) -> Result<Option<WorkerLock>, InputError> {
    let path = run.join(LOCK);
    let file = files::lock(&path, Duration::from_millis(500))?;
    Ok(file.filter(|_| elsewhere(&path).is_none()).map(WorkerLock::hold))
}

/// The error for a run that another worker has.
pub(super) fn busy(run: &Path) -> InputError {
    let who = Holder::read(&run.join(LOCK)).map_or_else(String::new, |holder| format!(": {}", holder.words()));
    InputError::new(run, format!("another worker is training this run{who}")).advice("wait for it, or stop it first")
}

/// Whether a worker holds a run now.
pub(super) fn is_held(run: &Path) -> bool {
    let path = run.join(LOCK);
    files::is_locked(&path) || elsewhere(&path).is_some()
}

/// Whether a worker had a run and ended without letting go of it: it was killed, or its machine stopped.
pub(super) fn is_left_behind(run: &Path) -> bool {
    let path = run.join(LOCK);
    fs::metadata(&path).is_ok_and(|file| file.len() > 0) && !is_held(run)
}

/// The holder on another machine, where there is one that was heard of lately.
fn elsewhere(path: &Path) -> Option<Holder> {
    let holder = Holder::read(path).filter(|holder| holder.machine != machine())?;
    // A clock that is behind makes the last sign come from the future.
    let is_recent = fs::metadata(path).ok()?.modified().ok()?.elapsed().map_or(true, |silent| silent < SILENCE);
    is_recent.then_some(holder)
}

impl WorkerLock {
    fn hold(mut file: File) -> Self {
        let holder = Holder::here();
        holder.write(&mut file);
        let (held, let_go) = mpsc::channel::<()>();
        let renewal = thread::spawn(move || {
            while let Err(RecvTimeoutError::Timeout) = let_go.recv_timeout(RENEWED_EVERY) {
                holder.write(&mut file);
            }
            // Nobody holds it from now on; one that still has a name in it is free too, only later for other machines.
            let _ = file.set_len(0);
        });
        Self { held: Some(held), renewal: Some(renewal) }
    }
}

impl Drop for WorkerLock {
    fn drop(&mut self) {
        self.held = None;
        if let Some(renewal) = self.renewal.take() {
            // It cannot panic, and the lock is gone with it either way.
            let _ = renewal.join();
        }
    }
}

impl Holder {
    fn here() -> Self {
        let since_unix = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        Self { process: std::process::id(), host: host(), machine: machine(), since_unix }
    }

    fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&files::read_text(path, LARGEST).ok()?).ok()
    }

    /// Says who holds it; a lock that cannot say so is a lock all the same.
    fn write(&self, file: &mut File) {
        if let Ok(text) = serde_json::to_string(self) {
            let text = text + "\n";
            let written = file.rewind().and_then(|()| file.write_all(text.as_bytes()));
            let _ = written.and_then(|()| file.set_len(text.len() as u64));
        }
    }

    fn words(&self) -> String {
        let since = calendar::moment(i64::try_from(self.since_unix).unwrap_or(i64::MAX / 1000).saturating_mul(1000));
        format!("process {} on {}, since {since}", self.process, self.host)
    }
}

/// What this machine is called.
pub fn host() -> String {
    let of_kernel = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let of_environment = || ["COMPUTERNAME", "HOSTNAME"].iter().find_map(|name| std::env::var(name).ok());
    let name = of_kernel.or_else(of_environment).map(|name| name.trim().to_owned());
    name.filter(|name| !name.is_empty()).unwrap_or_else(|| "an unnamed machine".to_owned())
}

fn machine() -> String {
    fs::read_to_string("/proc/sys/kernel/random/boot_id").map_or_else(|_| host(), |id| id.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(folder: &Path, machine: &str, silent: Duration) {
        // The number of a process that lives, as after a restart another may have it.
        let holder = Holder { machine: machine.to_owned(), host: "node-7".to_owned(), ..Holder::here() };
        let path = folder.join(LOCK);
        fs::write(&path, serde_json::to_string(&holder).unwrap()).unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - silent).unwrap();
    }

    #[test]
    fn a_lock_names_its_holder_and_is_let_go_of_with_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_held(folder.path()));
        let lock = take(folder.path()).unwrap().unwrap();
        assert!(is_held(folder.path()) && take(folder.path()).unwrap().is_none());
        let refused = busy(folder.path()).to_string();
        assert!(refused.contains(&format!("process {} on {}", std::process::id(), host())), "{refused}");
        assert!(!is_left_behind(folder.path()));
        drop(lock);
        assert!(!is_held(folder.path()) && !is_left_behind(folder.path()));
        assert_eq!(fs::read(folder.path().join(LOCK)).unwrap(), b"");
        assert!(take(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_dead_worker_holds_nothing_whoever_has_its_number_now() {
        let folder = tempfile::tempdir().unwrap();
        // Of this machine, killed a moment ago; and of the machine before it was restarted.
        claimed(folder.path(), &machine(), Duration::ZERO);
        assert!(!is_held(folder.path()) && is_left_behind(folder.path()));
        assert!(take(folder.path()).unwrap().is_some());
        claimed(folder.path(), "before", SILENCE * 2);
        assert!(!is_held(folder.path()));
        assert!(take(folder.path()).unwrap().is_some());
    }

    #[test]
    fn a_worker_of_another_machine_is_believed_as_long_as_it_is_heard_of() {
        let folder = tempfile::tempdir().unwrap();
        claimed(folder.path(), "another", SILENCE / 2);
        assert!(is_held(folder.path()) && take(folder.path()).unwrap().is_none());
        let refused = busy(folder.path()).to_string();
        assert!(refused.contains("on node-7"), "{refused}");
        assert!(is_held(folder.path()), "whoever is refused leaves it as it is");
        for damaged in ["", "{", "held"] {
            fs::write(folder.path().join(LOCK), damaged).unwrap();
            assert!(!is_held(folder.path()));
        }
    }
}
