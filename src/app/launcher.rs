//! Starting worker processes. The window never trains: `peso run` does, and goes on through the queue when the window is
//! closed.

mod priority;

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use self::priority::spawn_behind;
use crate::budget::estimate::Estimate;
use crate::error::InputError;
use crate::run::queue;

/// How a worker ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Its exit status; `None` when a signal ended it.
    pub code: Option<i32>,
    /// The last lines that it wrote to its standard error.
    pub last_words: String,
}

/// Starts workers. Called on a background thread; [`Launcher::run`] blocks until the worker has ended.
pub trait Launcher: Send + Sync {
    /// Runs one worker to its end, through everything in the queue of a project (its file).
    ///
    /// # Errors
    /// The worker cannot be started, or its log cannot be written.
    fn run(&self, project: &Path) -> Result<Ended, InputError>;

    /// Has a process estimate the time and memory of runs. Nothing where it was cancelled.
    ///
    /// # Errors
    /// The process cannot be started, or says why it cannot estimate.
    fn estimate(&self, request: &EstimateRequest) -> Result<Option<Estimate>, InputError>;

    /// Runs the workbench's program with other arguments to its end, or until nobody waits any more.
    ///
    /// # Errors
    /// It cannot be started.
    fn compute(&self, arguments: &[OsString], job: &JobHandle) -> Result<Ended, InputError>;

    /// Runs the workbench's program with other arguments to its end, hands it a line for each order and `hear` a line for each
    /// of its answers. Its input is closed when nobody can order any more, which ends it; where nobody waits, it is ended.
    ///
    /// # Errors
    /// It cannot be started.
    fn converse(
        &self,
        arguments: &[OsString],
        orders: Receiver<String>,
        job: &JobHandle,
        hear: &(dyn Fn(String) + Sync),
    ) -> Result<Ended, InputError>;
}

/// What is to be estimated.
#[derive(Debug, Clone)]
pub struct EstimateRequest {
    /// The project's file.
    pub project: PathBuf,
    /// Ids of the runs; all of the project where there is none.
    pub runs: Vec<String>,
    /// Raised when nobody wants the answer any more.
    pub cancelled: Arc<AtomicBool>,
}

/// What a job and those who wait for it tell each other.
#[derive(Debug, Default)]
pub struct JobHandle {
    cancelled: AtomicBool,
    progress: Mutex<JobProgress>,
}

/// What a job says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct JobProgress {
    /// How far it is; nothing as long as it has not said so.
    pub words: String,
    /// The share that is done, from 0 to 1, where the job knows it.
    pub share: Option<f32>,
}

impl JobHandle {
    /// Nobody waits any more.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Raised when nobody waits any more.
    pub const fn cancelled(&self) -> &AtomicBool {
        &self.cancelled
    }

    /// Whether nobody waits any more.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Relaxed)
    }

    /// Says how far the job is.
    pub fn say(&self, progress: &str) {
        self.tell(progress, None);
    }

    /// Says how far the job is, and which share of it is done.
    pub fn say_share(&self, progress: &str, share: f32) {
        self.tell(progress, Some(share));
    }

    fn tell(&self, words: &str, share: Option<f32>) {
        let words = words.to_owned();
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = JobProgress { words, share };
    }

    /// How far the job is.
    pub fn progress(&self) -> JobProgress {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Starts an executable of the workbench as `peso run PROJECT --queue --device auto`.
#[derive(Debug, Clone)]
pub struct ExecutableLauncher {
    /// The workbench's program, `peso`.
    pub executable: PathBuf,
    /// What `--device` gets.
    pub device: String,
}

impl ExecutableLauncher {
    /// Starts the executable that this process runs.
    ///
    /// # Errors
    /// The operating system cannot tell which file that is.
    pub fn current() -> std::io::Result<Self> {
        Ok(Self { executable: std::env::current_exe()?, device: "auto".to_owned() })
    }
}

/// Bytes of a worker's standard error that are shown when it fails.
const LAST_WORDS: u64 = 4096;
/// Lines of them.
const LAST_LINES: usize = 12;

impl Launcher for ExecutableLauncher {
    fn run(&self, project: &Path) -> Result<Ended, InputError> {
        // A file, because a pipe would break when the window closes and take the worker with it.
        let folder = project.parent().unwrap_or(Path::new(".")).join("runs");
        std::fs::create_dir_all(&folder).map_err(|error| InputError::io(&folder, "make the folder", &error))?;
        let log = folder.join(queue::LOG);
        // Written at its end, wherever that is: the worker shortens it when it grows long.
        let fresh = File::create(&log).and_then(|_| File::options().append(true).open(&log));
        let stderr = fresh.map_err(|error| InputError::io(&log, "write the worker's messages", &error))?;
        let mut command = Command::new(&self.executable);
        command
            .arg("run")
            .arg(project)
            .args(["--queue", "--device", &self.device])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr);
        // Its own process group: Ctrl+C in the terminal that the window was started from does not reach it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let status = spawn_behind(&mut command).and_then(|mut worker| worker.wait());
        let status = status.map_err(|error| InputError::io(&self.executable, "start the worker", &error))?;
        Ok(Ended { code: status.code(), last_words: last_words(&log) })
    }

    fn estimate(&self, request: &EstimateRequest) -> Result<Option<Estimate>, InputError> {
        let mut command = Command::new(&self.executable);
        command.arg("run").arg(&request.project).args(["--dry-run", "--json", "--device", &self.device]);
        request.runs.iter().for_each(|run| _ = command.args(["--run", run]));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn_behind(&mut command)
            .map_err(|error| InputError::io(&self.executable, "start the estimate", &error))?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (ended, answer, words) = thread::scope(|scope| {
            // Both are read while the process writes: it would wait for room in a pipe that is full.
            let answer = scope.spawn(|| read(stdout));
            let words = scope.spawn(|| read(stderr));
            let ended = wait(&mut child, &request.cancelled);
            (ended, answer.join().unwrap_or_default(), words.join().unwrap_or_default())
        });
        match ended.map_err(|error| InputError::io(&self.executable, "wait for the estimate", &error))? {
            None => Ok(None),
            Some(true) => serde_json::from_slice(&answer).map(Some).map_err(|error| {
                InputError::new(&request.project, format!("the estimate cannot be read: {error}"))
                    .advice("`peso run --dry-run` makes the same one on the command line")
            }),
            Some(false) => {
                let words = last_lines(&words);
                let words = words.trim_start_matches("error: ");
                let words = if words.is_empty() { "its process was ended" } else { words };
                Err(InputError::new(&request.project, words))
            }
        }
    }

    fn compute(&self, arguments: &[OsString], job: &JobHandle) -> Result<Ended, InputError> {
        let mut command = Command::new(&self.executable);
        command.args(arguments).args(["--device", &self.device]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let child =
            spawn_behind(&mut command).map_err(|error| InputError::io(&self.executable, "start the worker", &error))?;
        attended(child, job).map_err(|error| InputError::io(&self.executable, "wait for the worker", &error))
    }

    fn converse(
        &self,
        arguments: &[OsString],
        orders: Receiver<String>,
        job: &JobHandle,
        hear: &(dyn Fn(String) + Sync),
    ) -> Result<Ended, InputError> {
        let mut command = Command::new(&self.executable);
        command.args(arguments).args(["--device", &self.device]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Somebody drags a slider and waits for it: it does not stand behind the window.
        let mut child =
            command.spawn().map_err(|error| InputError::io(&self.executable, "start the worker", &error))?;
        let (input, output) = (child.stdin.take(), child.stdout.take());
        // It ends by itself when whoever orders is gone, or by a pipe that is closed when the process is.
        thread::spawn(move || {
            let Some(mut input) = input else { return };
            while let Ok(order) = orders.recv() {
                if writeln!(input, "{order}").and_then(|()| input.flush()).is_err() {
                    return;
                }
            }
        });
        let ended = thread::scope(|scope| {
            scope.spawn(|| {
                let lines = output.into_iter().flat_map(|output| BufReader::new(output).lines());
                lines.map_while(Result::ok).for_each(hear);
            });
            attended(child, job)
        });
        ended.map_err(|error| InputError::io(&self.executable, "wait for the worker", &error))
    }
}

/// Between two looks at whether the estimate is done, or wanted any more.
const LOOK: Duration = Duration::from_millis(40);
/// No estimate is nearly as long.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Waits for a process: whether it succeeded; none where it was cancelled and ended for it.
fn wait(child: &mut Child, cancelled: &AtomicBool) -> std::io::Result<Option<bool>> {
    loop {
        if cancelled.load(Ordering::SeqCst) {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        thread::sleep(LOOK);
    }
}

/// All that a process writes; less where it is cut off, which its status tells.
fn read(pipe: Option<impl Read>) -> Vec<u8> {
    let mut all = Vec::new();
    if let Some(pipe) = pipe {
        let _ = pipe.take(LONGEST_ANSWER).read_to_end(&mut all);
    }
    all
}

/// Between two looks at a process that computes.
const GLANCE: Duration = Duration::from_millis(50);

/// Waits until a process ends, tells its last line as its progress, and ends it when nobody waits any more.
fn attended(mut child: Child, job: &JobHandle) -> std::io::Result<Ended> {
    let mut said = Vec::new();
    let stderr = child.stderr.take();
    let status = thread::scope(|scope| {
        scope.spawn(|| {
            for line in stderr.into_iter().flat_map(|stderr| BufReader::new(stderr).split(b'\n')).map_while(Result::ok)
            {
                let line = without_escapes(&String::from_utf8_lossy(&line)).trim().to_owned();
                job.say(&line);
                said.push(line);
                let surplus = said.len().saturating_sub(LAST_LINES);
                said.drain(..surplus);
            }
        });
        loop {
            if job.is_cancelled() {
                // It may have ended by itself meanwhile.
                let _ = child.kill();
            }
            if let Some(status) = child.try_wait()? {
                return Ok::<_, std::io::Error>(status);
            }
            thread::sleep(GLANCE);
        }
    })?;
    Ok(Ended { code: status.code(), last_words: said.join("\n") })
}

/// The last lines of a log, without the carriage returns and escapes that a progress bar leaves behind.
fn last_words(log: &Path) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(log)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS)))?;
        let mut tail = Vec::new();
        file.take(LAST_WORDS).read_to_end(&mut tail)?;
        Ok(tail)
    };
    // The log is a courtesy: without it the exit status still tells that the worker failed.
    last_lines(&read().unwrap_or_default())
}

fn last_lines(output: &[u8]) -> String {
    let text = without_escapes(&String::from_utf8_lossy(output));
    let lines: Vec<&str> = text
        .split('\n')
        .map(|line| line.rsplit('\r').find(|part| !part.trim().is_empty()).unwrap_or_default().trim_end())
        .filter(|line| !line.is_empty())
        .collect();
    lines[lines.len().saturating_sub(LAST_LINES)..].join("\n")
}

/// The text without ANSI control sequences (`ESC [ … letter`).
fn without_escapes(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            plain.push(character);
        } else if characters.next() == Some('[') {
            characters.by_ref().find(char::is_ascii_alphabetic);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_words_are_the_last_lines_without_progress_bars() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("worker.log");
        std::fs::write(&log, "one\n\u{1b}[2K10 %\r\u{1b}[32m20 %\u{1b}[0m\nerror: no such experiment\n").unwrap();
        assert_eq!(last_words(&log), "one\n20 %\nerror: no such experiment");
        std::fs::write(&log, (0..5000).map(|line| format!("line {line}\n")).collect::<String>()).unwrap();
        let words = last_words(&log);
        assert_eq!(words.lines().count(), LAST_LINES);
        assert!(words.ends_with("line 4999"), "{words}");
        assert_eq!(last_words(&folder.path().join("missing")), "");
    }

    #[cfg(unix)]
    #[test]
    fn a_failed_worker_hands_back_its_status_and_last_words() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let executable = folder.path().join("worker.sh");
        std::fs::write(&executable, "#!/bin/sh\necho \"$@\" >&2\nexit 2\n").unwrap();
        std::fs::set_permissions(&executable, std::fs::Permissions::from_mode(0o755)).unwrap();
        let project = folder.path().join("project.ron");
        let launcher = ExecutableLauncher { executable, device: "auto".to_owned() };
        let ended = launcher.run(&project).unwrap();
        assert_eq!(ended.code, Some(2));
        assert_eq!(ended.last_words, format!("run {} --queue --device auto", project.display()));
    }

    #[cfg(unix)]
    fn estimator(folder: &Path, script: &str) -> (ExecutableLauncher, EstimateRequest) {
        use std::os::unix::fs::PermissionsExt;
        let executable = folder.join("estimate.sh");
        std::fs::write(&executable, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&executable, std::fs::Permissions::from_mode(0o755)).unwrap();
        let cancelled = Arc::new(AtomicBool::new(false));
        let request =
            EstimateRequest { project: folder.join("project.ron"), runs: vec!["peso-s1".to_owned()], cancelled };
        (ExecutableLauncher { executable, device: "cpu".to_owned() }, request)
    }

    #[cfg(unix)]
    #[test]
    fn an_estimate_that_fails_or_says_nonsense_is_an_error_in_words() {
        let folder = tempfile::tempdir().unwrap();
        let (launcher, request) = estimator(folder.path(), "echo \"error: no data for $*\" >&2; exit 2");
        let error = launcher.estimate(&request).unwrap_err();
        let asked = format!("run {} --dry-run --json --device cpu --run peso-s1", request.project.display());
        assert_eq!(error.problem, format!("no data for {asked}"));
        let (launcher, request) = estimator(folder.path(), "echo '{}'");
        assert!(launcher.estimate(&request).unwrap_err().problem.contains("cannot be read"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_computed_tells_its_progress_its_status_and_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let script = "printf 'one\\n\\033[32mtwo\\033[0m of %s\\n' \"$*\" >&2; exit 3";
        let (launcher, _) = estimator(folder.path(), script);
        let job = JobHandle::default();
        let ended = launcher.compute(&["interpret".into(), "a run".into()], &job).unwrap();
        assert_eq!(ended.code, Some(3));
        assert_eq!(ended.last_words, "one\ntwo of interpret a run --device cpu");
        assert_eq!(job.progress().words, "two of interpret a run --device cpu", "the last line is the progress");
        let nowhere = ExecutableLauncher { executable: folder.path().join("none"), ..launcher };
        assert!(nowhere.compute(&[], &job).unwrap_err().to_string().contains("start the worker"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_computed_ends_when_nobody_waits_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let (launcher, _) = estimator(folder.path(), "echo begun >&2; exec sleep 600");
        let (began, job) = (std::time::Instant::now(), JobHandle::default());
        let ended = thread::scope(|scope| {
            let computed = scope.spawn(|| launcher.compute(&[], &job).unwrap());
            while job.progress().words != "begun" {
                thread::sleep(Duration::from_millis(5));
            }
            job.cancel();
            computed.join().unwrap()
        });
        assert_eq!(ended.code, None, "a signal ended it");
        assert!(began.elapsed() < Duration::from_secs(60), "the process was waited for");
    }

    #[cfg(unix)]
    #[test]
    fn an_estimate_that_is_cancelled_ends_its_process() {
        let folder = tempfile::tempdir().unwrap();
        let (launcher, request) = estimator(folder.path(), "exec sleep 600");
        let began = std::time::Instant::now();
        let cancelled = Arc::clone(&request.cancelled);
        let canceller = std::thread::spawn(move || {
            thread::sleep(Duration::from_millis(200));
            cancelled.store(true, Ordering::SeqCst);
        });
        assert!(launcher.estimate(&request).unwrap().is_none());
        assert!(began.elapsed() < Duration::from_secs(60), "the process was waited for");
        canceller.join().unwrap();
    }
}
