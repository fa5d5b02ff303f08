//! `peso run --workers`: several workers at once, each a process of its own that is handed one run after the other.
//!
//! Orders go to a worker's standard input and messages come from its standard output, a line of JSON each. A worker whose
//! input is closed stops and saves its state, so that it never outlives the process that it works for.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use indicatif::MultiProgress;
use serde::{Deserialize, Serialize};

use super::outcome::{BAD_INPUT, Ended, print};
use super::progress::{Bars, name_of};
use crate::data::formats;
use crate::error::{InputError, RunError};
use crate::project::Project;
use crate::run::observer::{Level, Progress};
use crate::run::planned::{PlannedRun, planned};
use crate::run::schedule::Schedule;
use crate::run::{RunConfig, RunOptions, RunOutcome, RunSelection, Status};
use crate::train::Task;
use crate::train::preflight::preflight;
use crate::train::recorder::Watcher;
use crate::train::worker::{RunNumber, run_planned};

/// A run by its place in the plan, which both processes make; its name and seed tell whether they made the same.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    index: usize,
    experiment: String,
    seed: u64,
}

/// What a worker says.
#[derive(Debug, Serialize, Deserialize)]
enum Message {
    /// How far the import of the data is, in bytes.
    Importing {
        done: u64,
        total: u64,
    },
    /// Data and model are loaded.
    Ready,
    Started {
        name: String,
        line: String,
    },
    Progress(Progress),
    Event(Level, String),
    Ended(RunOutcome),
}

/// Does the runs that are ordered on standard input.
///
/// # Errors
/// Data, model or device cannot be used.
pub(super) fn serve(
    project: &Project,
    selection: &RunSelection,
    options: &RunOptions,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<Ended> {
    let runs = planned(project, selection)?;
    // From now on a closed input ends what is going on, an import as well.
    let orders = orders(Arc::clone(stop));
    let mut reporter = Reporter { stop: Arc::clone(stop) };
    let task = match Task::load_watched(project, options, &mut |progress| reporter.import_progress(progress)) {
        Err(RunError::Stopped) => return Ok(Ended::Interrupted),
        loaded => loaded?,
    };
    // Whoever gives the orders tells the warnings.
    preflight(&task, &runs)?;
    crate::files::create_folder(&task.runs_dir)?;
    tell(&Message::Ready);
    for order in orders {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        tell(&Message::Ended(carried_out(&task, &runs, &order, &mut reporter)));
    }
    Ok(Ended::Done)
}

fn carried_out(task: &Task<'_>, runs: &[PlannedRun], order: &Order, reporter: &mut Reporter) -> RunOutcome {
    let run = runs.get(order.index).filter(|run| (&run.experiment, run.seed) == (&order.experiment, order.seed));
    let number = RunNumber { number: order.index + 1, of: runs.len() };
    let Some(run) = run else {
        let reason = "the project file was changed while its runs were started; start them again".to_owned();
        return RunOutcome::without_worker(&order.experiment, order.seed, reason);
    };
    let outcome = run_planned(task, run, number, reporter);
    outcome.unwrap_or_else(|failure| RunOutcome::not_started(&order.experiment, order.seed, &failure))
}

/// Reads orders until standard input is closed, which raises `stop`.
fn orders(stop: Arc<AtomicBool>) -> Receiver<Order> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let lines = io::stdin().lines().map_while(Result::ok);
        for order in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
            if sender.send(order).is_err() {
                break;
            }
        }
        stop.store(true, Ordering::SeqCst);
    });
    receiver
}

fn tell(message: &Message) {
    // Where nobody listens any more, standard input is closed as well, which ends the worker.
    if let Ok(line) = serde_json::to_string(message) {
        let _ = print(&(line + "\n"));
    }
}

/// Tells the process that the worker works for.
struct Reporter {
    stop: Arc<AtomicBool>,
}

impl Watcher for Reporter {
    fn importing(&mut self, progress: formats::Progress) {
        tell(&Message::Importing { done: progress.done, total: progress.total });
    }

    fn run_started(&mut self, number: usize, of: usize, config: &RunConfig) {
        let line = format!("Run {number} of {of}: {} on {}", config.run, config.device);
        tell(&Message::Started { name: name_of(config), line });
    }

    fn progress(&mut self, progress: &Progress) {
        tell(&Message::Progress(progress.clone()));
    }

    fn event(&mut self, level: Level, text: &str) {
        tell(&Message::Event(level, text.to_owned()));
    }

    fn interrupted(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }
}

/// How workers are started.
pub(super) struct Crew<'a> {
    pub project: &'a Project,
    pub file: &'a Path,
    pub selection: &'a RunSelection,
    pub options: &'a RunOptions,
    pub workers: usize,
    /// Threads that each computes with.
    pub threads: usize,
}

/// Does the runs of a project with several workers; like one after the other, but for the order.
///
/// # Errors
/// Nothing could be started.
pub(super) fn run(crew: &Crew<'_>, interrupted: &Arc<AtomicBool>) -> anyhow::Result<Result<Vec<RunOutcome>, Ended>> {
    let runs = planned(crew.project, crew.selection)?;
    let schedule = Schedule::new(crew.project, &runs, &crew.project.runs_dir(crew.options.out.as_deref()))?;
    let (sender, receiver) = mpsc::channel();
    let bars = MultiProgress::new();
    let mut office =
        Office { crew, runs, schedule, sender, bars, workers: Vec::new(), outcomes: Vec::new(), unfit: None };
    office.hire(interrupted)?;
    while office.workers.iter().any(|worker| worker.child.is_some()) {
        match receiver.recv_timeout(Duration::from_millis(100)) {
            Ok((worker, Some(message))) => office.hear(worker, message, interrupted)?,
            Ok((worker, None)) => office.gone(worker, interrupted)?,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
        if interrupted.load(Ordering::SeqCst) || office.unfit.is_some() {
            office.workers.iter_mut().for_each(|worker| worker.orders = None);
        }
    }
    office.workers.iter().for_each(|worker| worker.bars.finish());
    Ok(office.unfit.map_or(Ok(office.outcomes), Err))
}

/// Hands out runs and hears how they go.
struct Office<'a> {
    crew: &'a Crew<'a>,
    runs: Vec<PlannedRun>,
    schedule: Schedule,
    sender: Sender<(usize, Option<Message>)>,
    bars: MultiProgress,
    workers: Vec<Worker>,
    outcomes: Vec<RunOutcome>,
    /// How a worker ended that could not load data or model: no other could.
    unfit: Option<Ended>,
}

struct Worker {
    /// None when the process has ended.
    child: Option<Child>,
    /// None when it is to end.
    orders: Option<ChildStdin>,
    ready: bool,
    /// The place of its run.
    at: Option<usize>,
    bars: Bars,
}

impl Office<'_> {
    /// Starts a worker.
    fn hire(&mut self, interrupted: &Arc<AtomicBool>) -> anyhow::Result<()> {
        let number = self.workers.len();
        let mut child =
            self.command()?.spawn().map_err(|error| InputError::io(self.crew.file, "start a worker", &error))?;
        let (orders, messages) = (child.stdin.take(), child.stdout.take());
        let sender = self.sender.clone();
        thread::spawn(move || {
            let lines =
                messages.into_iter().flat_map(|messages| BufReader::new(messages).lines().map_while(Result::ok));
            for message in lines.filter_map(|line| serde_json::from_str(&line).ok()) {
                let _ = sender.send((number, Some(message)));
            }
            let _ = sender.send((number, None));
        });
        let bars = Bars::beside(Arc::clone(interrupted), &self.bars);
        self.workers.push(Worker { child: Some(child), orders, ready: false, at: None, bars });
        Ok(())
    }

    fn command(&self) -> anyhow::Result<Command> {
        let Crew { file, selection, options, threads, .. } = self.crew;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("run").arg(file).args(["--serve", "--device", &options.device.to_string()]);
        command.args(["--checkpoint-every", &options.checkpoint_every.as_secs().to_string()]);
        for experiment in &selection.experiments {
            command.args(["--experiment", experiment]);
        }
        for seed in &selection.seeds {
            command.args(["--seed", &seed.to_string()]);
        }
        for run in &selection.runs {
            command.args(["--run", run]);
        }
        if let Some(out) = &options.out {
            command.arg("--out").arg(out);
        }
        if options.fresh {
            command.arg("--fresh");
        }
        command.env("RAYON_NUM_THREADS", threads.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(command)
    }

    fn hear(&mut self, number: usize, message: Message, interrupted: &Arc<AtomicBool>) -> anyhow::Result<()> {
        match message {
            Message::Importing { done, total } => {
                self.workers[number].bars.importing(formats::Progress { done, total });
            }
            Message::Ready => {
                self.workers[number].ready = true;
                self.assign(number);
                // One after the other: where the first cannot load the data, no other can.
                let alive = self.workers.iter().filter(|worker| worker.child.is_some()).count();
                if alive < self.crew.workers && !self.schedule.is_empty() && !interrupted.load(Ordering::SeqCst) {
                    self.hire(interrupted)?;
                }
            }
            Message::Started { name, line } => self.workers[number].bars.begin(name, &line),
            Message::Progress(progress) => {
                self.schedule.reached(number, &progress);
                self.workers[number].bars.progress(&progress);
            }
            Message::Event(level, text) => self.workers[number].bars.event(level, &text),
            Message::Ended(outcome) => {
                self.workers[number].at = None;
                self.schedule.ended(number, outcome.status);
                self.outcomes.push(outcome);
                self.assign_idle();
            }
        }
        Ok(())
    }

    /// Gives work to those who have none, also to those who waited for a run that is done now.
    fn assign_idle(&mut self) {
        for number in 0..self.workers.len() {
            if self.workers[number].ready && self.workers[number].at.is_none() {
                self.assign(number);
            }
        }
    }

    /// Gives a worker its next run, or lets it end where none is left. Where all wait for others it waits as well.
    fn assign(&mut self, number: usize) {
        let worker = &mut self.workers[number];
        let Some(orders) = &mut worker.orders else { return };
        let Some(index) = self.schedule.next(number) else {
            if self.schedule.is_empty() {
                worker.orders = None;
            }
            return;
        };
        worker.at = Some(index);
        let run = &self.runs[index];
        let order = Order { index, experiment: run.experiment.clone(), seed: run.seed };
        let line = serde_json::to_string(&order).unwrap_or_default();
        // A worker that has ended meanwhile says so by itself.
        let _ = writeln!(orders, "{line}").and_then(|()| orders.flush());
    }

    /// A worker's process has ended. Its run, if it had one, has failed, and another worker takes its place.
    fn gone(&mut self, number: usize, interrupted: &Arc<AtomicBool>) -> anyhow::Result<()> {
        let worker = &mut self.workers[number];
        let status = worker.child.take().map(|mut child| child.wait()).transpose()?;
        worker.orders = None;
        if !worker.ready && !interrupted.load(Ordering::SeqCst) {
            let bad_input = status.is_some_and(|status| status.code() == Some(BAD_INPUT.into()));
            self.unfit = Some(if bad_input { Ended::BadInput } else { Ended::RunFailed });
        }
        let Some(index) = worker.at.take() else { return Ok(()) };
        self.schedule.ended(number, Status::Failed);
        let reason = match status {
            Some(status) => format!("its worker ended ({status}); `peso run` resumes it"),
            None => "its worker ended; `peso run` resumes it".to_owned(),
        };
        let run = &self.runs[index];
        self.outcomes.push(RunOutcome::without_worker(&run.experiment, run.seed, reason));
        if !self.schedule.is_empty() && self.unfit.is_none() && !interrupted.load(Ordering::SeqCst) {
            self.hire(interrupted)?;
        }
        self.assign_idle();
        Ok(())
    }
}
