//! The run folder: everything one run is, readable while it grows.
//!
//! `<runs dir>/<run id>/` holds `run.ron` (the frozen configuration), `run.sqlite` (what was measured), `control` (what
//! the user wants), `worker.lock` (held while a worker runs), `log.txt`, `adapters/stage_<t>/` and `checkpoint/`.

use std::fs;
use std::path::{Path, PathBuf};

use super::config::RunConfig;
use super::layout::{CONFIG, CONTROL, DATABASE, adapter_folder, read_control};
use super::observer::Control;
use super::reader::RunReader;
use super::worker_lock::{self, WorkerLock};
use super::writer::RunWriter;
use super::{Status, database};
use crate::error::InputError;
use crate::files;
use crate::project::file::{from_ron, to_ron};
use crate::project::slug::SHARED_PREFIX;

/// A frozen configuration is a project file and a little more.
const LARGEST_CONFIG: u64 = 8 << 20;

/// One run's folder.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFolder {
    path: PathBuf,
    config: RunConfig,
}

impl RunFolder {
    /// Makes the folder of a run, or opens the one that is there so that the run can be resumed.
    ///
    /// # Errors
    /// The folder cannot be written, or the one that is there was made from another configuration, other data or
    /// another base model.
    pub fn create(runs_dir: &Path, config: &RunConfig) -> Result<Self, InputError> {
        let path = Self::path_of(runs_dir, &config.run);
        if path.exists() {
            let there = Self::open(&path)?;
            there.check_same(config)?;
            return Ok(there);
        }
        let made = files::write_folder(&path, |unfinished| {
            files::write_atomically(&unfinished.join(CONFIG), to_ron(config, &path)?.as_bytes())?;
            database::create(&unfinished.join(DATABASE))
        });
        // Another worker may have made it in the meantime.
        if let Err(error) = made.map_err(|error| InputError { path: path.clone(), ..error })
            && !path.exists()
        {
            return Err(error);
        }
        let there = Self::open(&path)?;
        there.check_same(config)?;
        Ok(there)
    }

    /// Opens a run folder.
    ///
    /// # Errors
    /// It is no run folder, or its `run.ron` or its database cannot be used.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        let file = path.join(CONFIG);
        if !file.is_file() {
            return Err(InputError::new(path, "not a run folder").advice(format!("a run folder has a `{CONFIG}`")));
        }
        let config: RunConfig = from_ron(&files::read_text(&file, LARGEST_CONFIG)?, &file)?;
        config.check(&file)?;
        let mut config = config.recognised()?;
        if !path.join(DATABASE).is_file() {
            return Err(InputError::new(path, format!("the run folder has no `{DATABASE}`")));
        }
        // `runs/` lies beside the project file unless `--out` moved it.
        let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        config.project.folder = absolute.ancestors().nth(2).unwrap_or(Path::new(".")).to_path_buf();
        Ok(Self { path: path.to_path_buf(), config })
    }

    /// Where the run of an id lies, or would lie: in the folder of its name, or in one that a program with another
    /// [identity](RunConfig::IDENTITY) named after the same settings.
    pub fn path_of(runs_dir: &Path, run: &str) -> PathBuf {
        let path = runs_dir.join(run);
        let Some((stem, _)) = run.rsplit_once('-').filter(|_| !path.exists()) else { return path };
        let of_stem = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('-'));
            name.is_some_and(|(other, _)| other == stem)
        };
        let entries = fs::read_dir(runs_dir).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut others: Vec<PathBuf> = entries.filter(of_stem).filter(|path| looks_like_run(path)).collect();
        others.sort();
        let is_it = |path: &PathBuf| Self::open(path).is_ok_and(|other| other.config.run == run);
        others.into_iter().find(is_it).unwrap_or(path)
    }

    /// The runs in a folder, sorted by id. What is no run folder, or cannot be used, is left out;
    /// [`RunFolder::list_all`] says why.
    pub fn list(runs_dir: &Path) -> Vec<Self> {
        Self::list_all(runs_dir).0
    }

    /// The runs in a folder, sorted by id, and the folders that look like runs but cannot be used.
    pub fn list_all(runs_dir: &Path) -> (Vec<Self>, Vec<InputError>) {
        let mut runs = Vec::new();
        let mut unreadable = Vec::new();
        for path in Self::paths(runs_dir) {
            match Self::open(&path) {
                Ok(run) => runs.push(run),
                Err(error) => unreadable.push(error),
            }
        }
        runs.sort_by(|a, b| a.config.run.cmp(&b.config.run));
        (runs, unreadable)
    }

    /// What looks like a run in a folder, sorted.
    pub fn paths(runs_dir: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(runs_dir).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| looks_like_run(path)).collect();
        paths.sort();
        paths
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What the run was started with.
    pub fn config(&self) -> &RunConfig {
        &self.config
    }

    /// Folder of a stage's adapter (stage from 1).
    pub fn adapter(&self, stage: usize) -> PathBuf {
        adapter_folder(&self.path, stage)
    }

    /// Folder of the newest checkpoint.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join("checkpoint")
    }

    /// Where the run stands. A run whose record says "running" while nobody holds its lock was cut off: it is stopped.
    /// A run whose database cannot be read has failed.
    pub fn status(&self) -> Status {
        self.reader().and_then(|reader| reader.status()).unwrap_or(Status::Failed)
    }

    /// Whether a worker had the run and was killed, or its machine stopped.
    pub fn was_cut_off(&self) -> bool {
        worker_lock::is_left_behind(&self.path)
    }

    /// What the user wants of the worker; a missing or foreign control file means to run.
    pub fn control(&self) -> Control {
        read_control(&self.path)
    }

    /// Tells the worker, now or when it next starts, what the user wants.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn set_control(&self, control: Control) -> Result<(), InputError> {
        let word = match control {
            Control::Run => "run",
            Control::Pause => "pause",
            Control::Stop => "stop",
        };
        files::write_atomically(&self.path.join(CONTROL), format!("{word}\n").as_bytes())
    }

    /// Takes the run for this process; only one worker at a time may write a run.
    ///
    /// # Errors
    /// Another worker has it, or the folder cannot be written.
    pub fn lock(&self) -> Result<WorkerLock, InputError> {
        self.try_lock()?.ok_or_else(|| self.busy())
    }

    /// As [`RunFolder::lock`]; none where another worker has it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn try_lock(&self) -> Result<Option<WorkerLock>, InputError> {
        let lock = worker_lock::take(&self.path)?;
        if lock.is_some() {
            self.remove_left_behind();
        }
        Ok(lock)
    }

    /// The error that names the worker who has the run.
    pub fn busy(&self) -> InputError {
        worker_lock::busy(&self.path)
    }

    /// Removes what killed workers of this run left half written, under names that nobody reads.
    fn remove_left_behind(&self) {
        for folder in ["adapters", "base", "checkpoint", "federation"] {
            files::remove_left_behind(&self.path.join(folder));
        }
        files::remove_left_behind_of(&self.path.join(CONTROL));
        files::remove_left_behind_of(&self.path);
    }

    /// The one writer of the run; hold its [`WorkerLock`] as long.
    ///
    /// # Errors
    /// The database cannot be written.
    pub fn writer(&self) -> Result<RunWriter, InputError> {
        RunWriter::open(&self.path)
    }

    /// A reader that can be polled while the run grows.
    ///
    /// # Errors
    /// The database cannot be read.
    pub fn reader(&self) -> Result<RunReader, InputError> {
        RunReader::open(&self.path, self.config.clone())
    }

    /// Removes the run with all that it holds.
    ///
    /// # Errors
    /// A worker is training it, or it cannot be removed.
    pub fn delete(self) -> Result<(), InputError> {
        let _lock = self.lock()?;
        files::remove_whole_folder(&self.path)
    }

    fn check_same(&self, wanted: &RunConfig) -> Result<(), InputError> {
        let there = &self.config;
        let differs = if there.config_hash != wanted.config_hash {
            "another configuration"
        } else if there.data_hash != wanted.data_hash {
            "other data"
        } else if there.identity == wanted.identity && there.model_hash != wanted.model_hash {
            // Hashes of models cannot be made again: of another identity the settings alone name the model.
            "another base model"
        } else {
            return Ok(());
        };
        Err(InputError::new(&self.path, format!("the run was made from {differs}"))
            .advice("start over with `--fresh`, or write elsewhere with `--out DIR`"))
    }
}

fn looks_like_run(path: &Path) -> bool {
    let hidden_or_shared = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| name.starts_with('.') || name.starts_with(SHARED_PREFIX));
    !hidden_or_shared && path.join(CONFIG).is_file()
}
