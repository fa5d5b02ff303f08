//! Reports of crashes: what a panic leaves behind for whoever mends the program, with nothing of the user's data in it.
//!
//! The hook neither panics nor waits for long: a thread of its own makes the report and writes it, so that a disk that
//! hangs, or a fault in here, holds nobody up.

mod message;
pub mod reports;
#[cfg(test)]
mod tests;
mod trace;

use std::backtrace::Backtrace;
use std::cell::Cell;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::{calendar, this_build};

/// How long a thread that panicked waits for its report.
const PATIENCE: Duration = Duration::from_secs(5);
/// Reports of one process: what goes wrong again and again is told by the first, and must not push out those of others.
const MOST_OF_ONE_PROCESS: usize = 5;

/// Whether a report is being written: what goes wrong meanwhile is left alone.
static WRITING: AtomicBool = AtomicBool::new(false);
static WRITTEN: AtomicUsize = AtomicUsize::new(0);
static COMMAND: OnceLock<String> = OnceLock::new();

thread_local! {
    /// Whether this thread does what may panic and is caught.
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// From now on a panic of any thread leaves a report, beside what Rust says of it on standard error.
pub fn install() {
    install_in(reports::folder());
}

fn install_in(folder: Option<PathBuf>) {
    let (began, usual) = (Instant::now(), panic::take_hook());
    panic::set_hook(Box::new(move |info| {
        usual(info);
        if let Some(folder) = folder.as_deref().filter(|_| !CONTAINED.get()) {
            report(folder, info, began.elapsed());
        }
    }));
}

/// Says what the process does: a command's name, never what it was given.
pub fn running(command: &str) {
    // Who says it first knows best.
    let _ = COMMAND.set(command.to_owned());
}

/// Does work that panics on bad inputs, and gives back its panic: a library's way to refuse a file is no crash of the
/// program.
///
/// # Errors
/// The work panicked.
pub fn contained<R>(work: impl FnOnce() -> R) -> thread::Result<R> {
    let outer = CONTAINED.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    CONTAINED.set(outer);
    result
}

/// Whether a panic of this thread would be caught by [`contained`].
pub fn is_contained() -> bool {
    CONTAINED.get()
}

fn report(folder: &Path, info: &PanicHookInfo<'_>, uptime: Duration) {
    if WRITING.swap(true, Ordering::SeqCst) {
        return;
    }
    if WRITTEN.fetch_add(1, Ordering::SeqCst) < MOST_OF_ONE_PROCESS
        && let Some(path) = written(folder, Crash::of(info, uptime))
    {
        // Where standard error is closed there is nobody to tell.
        let _ = writeln!(
            io::stderr().lock(),
            "A report without your data was written to {}; please read it, and send it with `peso doctor --bundle \
             report.zip`",
            path.display()
        );
    }
    WRITING.store(false, Ordering::SeqCst);
}

/// Has a thread of its own write the report; nothing where it cannot, or takes too long.
fn written(folder: &Path, crash: Crash) -> Option<PathBuf> {
    let (tell, told) = mpsc::sync_channel(1);
    let folder = folder.to_path_buf();
    let write = move || {
        let written = reports::write(&folder, crash.unix, &crash.text());
        let _ = tell.send(written.ok().flatten());
    };
    thread::Builder::new().name("crash report".to_owned()).spawn(write).ok()?;
    told.recv_timeout(PATIENCE).ok().flatten()
}

/// What is known of a panic, as far as it may be told.
struct Crash {
    unix: u64,
    uptime: Duration,
    thread: String,
    place: String,
    message: String,
    backtrace: Backtrace,
}

impl Crash {
    fn of(info: &PanicHookInfo<'_>, uptime: Duration) -> Self {
        let place = info.location().map(|at| format!("{}:{}:{}", trace::source(at.file()), at.line(), at.column()));
        Self {
            unix: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            uptime,
            thread: thread::current().name().unwrap_or("without a name").to_owned(),
            place: place.unwrap_or_else(|| "unknown".to_owned()),
            message: message::without_data(info.payload()),
            backtrace: Backtrace::force_capture(),
        }
    }

    fn text(&self) -> String {
        let Self { unix, uptime, thread, place, message, backtrace } = self;
        let (version, features, profile) = (this_build::VERSION, this_build::FEATURES, this_build::PROFILE);
        let (os, architecture) = (std::env::consts::OS, std::env::consts::ARCH);
        let command = COMMAND.get().map_or("starting", String::as_str);
        let (when, uptime) = (calendar::to_the_second(*unix), uptime.as_secs_f64());
        let frames = trace::frames(&backtrace.to_string());
        format!(
            "PESO Workbench crashed. This report has nothing of your data; please read it before you send it.\n\n\
             program  {version}, features: {features}, {profile} build\n\
             system   {os}, {architecture}\n\
             command  {command}\n\
             when     {when}, {uptime:.1} s after the start\n\
             thread   {thread}\n\
             place    {place}\n\
             message  {message}\n\n\
             {frames}"
        )
    }
}
