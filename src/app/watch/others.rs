//! The queues of other projects: those that were opened lately are looked at every few seconds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, SystemTime};

use crate::app::background::Outbox;
use crate::project::Project;
use crate::run::queue::Queue;

/// Between two looks.
const EVERY: Duration = Duration::from_secs(3);

/// A project, not the open one, whose queue a worker is emptying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OtherQueue {
    /// Name of the project.
    pub(crate) project: String,
    /// Runs under way and waiting.
    pub(crate) runs: usize,
}

impl OtherQueue {
    /// `demo: 9 runs go on`.
    pub(crate) fn words(&self) -> String {
        match self.runs {
            1 => format!("{}: 1 run goes on", self.project),
            runs => format!("{}: {runs} runs go on", self.project),
        }
    }
}

/// The thread that looks at them; ends when this is dropped.
#[derive(Debug)]
pub(crate) struct OthersWatcher {
    projects: mpsc::Sender<Vec<PathBuf>>,
}

impl OthersWatcher {
    /// Starts to look; `wrap` makes the window's message of what was found, whenever that changes.
    ///
    /// # Errors
    /// The operating system refuses another thread.
    pub(crate) fn start<M: Send + 'static>(
        outbox: Outbox<M>,
        wrap: impl Fn(Vec<OtherQueue>) -> M + Send + 'static,
    ) -> std::io::Result<Self> {
        let (projects, inbox) = mpsc::channel::<Vec<PathBuf>>();
        std::thread::Builder::new().name("watch other projects".to_owned()).spawn(move || {
            let (mut files, mut told, mut known) = (Vec::new(), Vec::new(), BTreeMap::new());
            loop {
                match inbox.recv_timeout(EVERY) {
                    Ok(others) => files = others,
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return,
                }
                let found: Vec<OtherQueue> = files.iter().filter_map(|file| look(file, &mut known)).collect();
                if found != told {
                    told.clone_from(&found);
                    if !outbox.send(wrap(found)) {
                        return;
                    }
                }
            }
        })?;
        Ok(Self { projects })
    }

    /// Looks at the projects of these files from now on.
    pub(crate) fn watch(&self, files: Vec<PathBuf>) {
        // The thread is gone only when the window is.
        let _ = self.projects.send(files);
    }
}

/// What is kept of a project file, until it is written again.
struct Known {
    written: Option<SystemTime>,
    /// None where it cannot be read: it is not this window's to complain about.
    project: Option<(String, Queue)>,
}

fn look(file: &Path, known: &mut BTreeMap<PathBuf, Known>) -> Option<OtherQueue> {
    let written = std::fs::metadata(file).and_then(|metadata| metadata.modified()).ok();
    if known.get(file).is_none_or(|known| known.written != written) {
        let project = Project::load(file).ok().map(|project| {
            let queue = Queue::new(&project.runs_dir(None));
            (project.name, queue)
        });
        known.insert(file.to_path_buf(), Known { written, project });
    }
    let (project, queue) = known.get(file)?.project.as_ref()?;
    let entries = queue.entries();
    let runs = entries.waiting.len() + usize::from(entries.current.is_some());
    (runs > 0).then(|| OtherQueue { project: project.clone(), runs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::file::DEMO;
    use crate::run::queue::RunKey;

    #[test]
    fn a_queue_is_seen_while_its_worker_lives() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("project.ron");
        let mut known = BTreeMap::new();
        assert_eq!(look(&file, &mut known), None, "there is no such project");
        std::fs::write(&file, DEMO).unwrap();
        let queue = Queue::new(&Project::load(&file).unwrap().runs_dir(None));
        let key = |seed| RunKey { experiment: "PESO".to_owned(), seed };
        queue.add(&[key(1), key(2)]).unwrap();
        assert_eq!(look(&file, &mut known), None, "nobody works on it");
        let (worker, _) = queue.work().unwrap().unwrap().next().unwrap().unwrap();
        let other = look(&file, &mut known).unwrap();
        assert_eq!(other.words(), "Synthetic drift demo: 2 runs go on");
        let (worker, _) = worker.next().unwrap().unwrap();
        assert_eq!(look(&file, &mut known).unwrap().words(), "Synthetic drift demo: 1 run goes on");
        drop(worker);
        assert_eq!(look(&file, &mut known), None);
    }
}
