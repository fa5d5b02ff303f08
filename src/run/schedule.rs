//! Which worker does which run, where several work at once: one prepares what runs share, and the others take runs that
//! need not wait for it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Status;
use super::observer::{Phase, Progress};
use super::planned::PlannedRun;
use super::shared_part::{self, SharedPart};
use crate::error::InputError;
use crate::project::Project;

/// The runs that wait, and what those that are at work prepare.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// By run: the shared parts that it needs, in the order in which they are made; none for a non-learned baseline.
    needs: Vec<Vec<SharedPart>>,
    /// By run: the runs that it is made of, which come first.
    made_of: Vec<Vec<usize>>,
    waiting: Vec<usize>,
    ready: BTreeSet<SharedPart>,
    /// By worker: its run.
    at_work: BTreeMap<usize, usize>,
}

impl Schedule {
    /// A schedule of the runs of a project, by their places in the plan.
    ///
    /// # Errors
    /// As [`super::RunConfig::hash_of`].
    pub fn new(project: &Project, runs: &[PlannedRun], runs_dir: &Path) -> Result<Self, InputError> {
        let needs = runs.iter().map(|run| shared_part::needed(project, run));
        let ready = shared_part::folders(runs_dir).into_iter().filter(|folder| folder.status() == Status::Finished);
        let made_of = runs.iter().map(|run| (0..runs.len()).filter(|&other| run.is_made_of(&runs[other])).collect());
        Ok(Self {
            made_of: made_of.collect(),
            needs: needs.collect::<Result<_, _>>()?,
            waiting: (0..runs.len()).collect(),
            ready: ready.map(|folder| SharedPart::of(folder.config())).collect(),
            at_work: BTreeMap::new(),
        })
    }

    /// Whether every run is at work or done.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Gives a worker the next run: the first whose shared parts are there, else the first that prepares parts which
    /// nobody is at, else the first. None where all that are left are made of runs that are not done yet.
    pub fn next(&mut self, worker: usize) -> Option<usize> {
        let can_begin = |&index: &usize| self.made_of[self.waiting[index]].iter().all(|part| self.is_done(*part));
        let index = (0..self.waiting.len()).filter(can_begin).min_by_key(|&index| self.delay(self.waiting[index]))?;
        let run = self.waiting.remove(index);
        self.at_work.insert(worker, run);
        Some(run)
    }

    /// A worker's run is so far that what it shares is there.
    pub fn reached(&mut self, worker: usize, progress: &Progress) {
        let Some(&run) = self.at_work.get(&worker) else { return };
        let there = |part: &&SharedPart| match part.name() {
            shared_part::BASE => progress.phase != Phase::Base,
            _ => progress.stage > 1,
        };
        let there: Vec<_> = self.needs[run].iter().filter(there).cloned().collect();
        self.ready.extend(there);
    }

    /// A worker's run has ended, finished or not.
    pub fn ended(&mut self, worker: usize, status: Status) {
        let run = self.at_work.remove(&worker);
        if let (Some(run), Status::Finished) = (run, status) {
            self.ready.extend(self.needs[run].iter().cloned());
        }
    }

    fn is_done(&self, run: usize) -> bool {
        !self.waiting.contains(&run) && self.at_work.values().all(|&other| other != run)
    }

    /// 0: its shared parts are there; 1: it makes them; 2: it waits for another worker who makes them.
    fn delay(&self, run: usize) -> u8 {
        let missing = |run: usize| self.needs[run].iter().filter(|part| !self.ready.contains(part));
        let made = |part: &SharedPart| self.at_work.values().any(|&other| missing(other).any(|own| own == part));
        match (missing(run).next().is_none(), missing(run).any(made)) {
            (true, _) => 0,
            (false, false) => 1,
            (false, true) => 2,
        }
    }
}

/// What decides how many workers fit a machine.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    pub runs: usize,
    /// Whether training runs on the CPU.
    pub cpu: bool,
    pub cores: usize,
    /// Memory that is free, where the system tells.
    pub memory_bytes: Option<u64>,
    /// Most memory that a worker needs; 0 where it is not known.
    pub worker_bytes: u64,
}

/// Cores that a worker on the CPU makes good use of: its parallel loops are short, so that more of them wait for each
/// other more than they gain.
const CORES_A_WORKER: usize = 4;

impl Room {
    /// How many workers run at once, at least one. On a GPU it is one, since its free memory is not known here.
    pub fn workers(&self) -> usize {
        let by_cores = if self.cpu { self.cores / CORES_A_WORKER } else { 1 };
        let by_memory = match self.memory_bytes {
            Some(free) if self.worker_bytes > 0 => usize::try_from(free / self.worker_bytes).unwrap_or(usize::MAX),
            _ => usize::MAX,
        };
        self.runs.min(by_cores).min(by_memory).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::super::RunSelection;
    use super::*;

    const PROJECT: &str = r#"(
        format: 1,
        name: "Small",
        dataset: Synthetic(users: 60),
        base_model: Compact(width: 32, heads: 4),
        experiments: [(name: "A", method: Single), (name: "B", method: Peso())],
        sweeps: [(experiment: "A", options: [(option: "training.learning_rate", values: [0.1])])],
        seeds: [1, 2],
    )"#;

    fn progress(phase: Phase, stage: usize) -> Progress {
        Progress { phase, stage, stages: 2, done: 1, total: 2, rate: 1.0, eta_seconds: None, memory_bytes: 0 }
    }

    #[test]
    fn workers_prefer_runs_that_need_not_wait() {
        let project = Project::parse(PROJECT, Path::new("somewhere/project.ron")).unwrap();
        let runs = super::super::planned::planned(&project, &RunSelection::default()).unwrap();
        let names: Vec<String> = runs.iter().map(|run| format!("{} {}", run.experiment, run.seed)).collect();
        let point = "A (training.learning_rate 0.1)";
        let after = [format!("{point} 1"), "B 1".to_owned(), "A 2".to_owned(), format!("{point} 2"), "B 2".to_owned()];
        assert_eq!(names[3..], after);
        let mut schedule = Schedule::new(&project, &runs, Path::new("nowhere")).unwrap();
        let next = |schedule: &mut Schedule, worker| schedule.next(worker).map(|run| names[run].as_str());
        assert_eq!(next(&mut schedule, 0), Some("Popularity 0"));
        assert_eq!(next(&mut schedule, 1), Some("Co-occurrence 0"));
        schedule.ended(0, Status::Finished);
        schedule.ended(1, Status::Finished);
        assert_eq!(next(&mut schedule, 0), Some("A 1"));
        assert_eq!(next(&mut schedule, 1), Some("A 2"), "seed 1's base model is being made");
        schedule.reached(0, &progress(Phase::Train, 1));
        assert_eq!(next(&mut schedule, 2), Some(names[3].as_str()), "the base is there, its own stage 1 nobody makes");
        schedule.reached(0, &progress(Phase::Train, 2));
        assert_eq!(next(&mut schedule, 3), Some("B 1"), "stage 1 is there");
        assert_eq!(next(&mut schedule, 4), Some(names[6].as_str()), "all that is left waits for seed 2");
        schedule.ended(1, Status::Failed);
        assert_eq!(next(&mut schedule, 1), Some("B 2"));
        assert!(schedule.is_empty() && next(&mut schedule, 1).is_none());
    }

    #[test]
    fn what_is_made_of_runs_waits_for_them_however_many_workers_are_free() {
        let text = PROJECT
            .replace(
                "method: Peso())",
                "method: SasRec()), (name: \"Both\", method: Hybrid(adapter: \"A\", towers: \"B\"))",
            )
            .replace(
                "    sweeps: [(experiment: \"A\", options: [(option: \"training.learning_rate\", values: [0.1])])],\n",
                "",
            )
            .replace("seeds: [1, 2]", "seeds: [1]");
        let project = Project::parse(&text, Path::new("somewhere/project.ron")).unwrap();
        let runs = super::super::planned::planned(&project, &RunSelection::default()).unwrap();
        let mut schedule = Schedule::new(&project, &runs, Path::new("nowhere")).unwrap();
        let mut next = |worker| schedule.next(worker).map(|run| runs[run].experiment.as_str());
        let begun: Vec<_> = (0..6).map(&mut next).collect();
        assert_eq!(begun, [Some("Popularity"), Some("Co-occurrence"), Some("B"), Some("A"), None, None]);
        assert!(!schedule.is_empty());
        schedule.ended(2, Status::Finished);
        assert_eq!(schedule.next(4), None, "one of two is there");
        schedule.ended(3, Status::Failed);
        assert_eq!(schedule.next(4).map(|run| runs[run].experiment.as_str()), Some("Both"), "it says what is missing");
        assert!(schedule.is_empty());
    }

    #[test]
    fn as_many_workers_as_runs_cores_and_memory_allow() {
        let room = Room { runs: 20, cpu: true, cores: 16, memory_bytes: Some(32 << 30), worker_bytes: 1 << 30 };
        assert_eq!(room.workers(), 4);
        assert_eq!(Room { cores: 3, ..room }.workers(), 1);
        assert_eq!(Room { runs: 2, ..room }.workers(), 2);
        assert_eq!(Room { worker_bytes: 12 << 30, ..room }.workers(), 2);
        assert_eq!(Room { worker_bytes: 64 << 30, ..room }.workers(), 1);
        assert_eq!(Room { worker_bytes: 0, ..room }.workers(), 4);
        assert_eq!(Room { cpu: false, ..room }.workers(), 1);
    }
}
