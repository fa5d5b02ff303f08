//! A project's trained semantic ids, and training them by a process that keeps what is done when it is stopped.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Query, QueryContext};
use crate::app::launcher::JobHandle;
use crate::error::InputError;
use crate::id_training::modalities::Modalities;
use crate::train::semantic_ids::{IdFiles, IdsState};

/// How long a process that trains ids has to keep what is done, and how often it is asked to.
const GRACE: Duration = Duration::from_secs(30);
const ASK_EVERY: Duration = Duration::from_millis(200);

/// What there is of a project's trained semantic ids.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainedIds {
    pub(crate) files: IdFiles,
}

impl Query for TrainedIds {
    type Answer = IdsState;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<IdsState>, InputError> {
        IdsState::read(&self.files).map(Some)
    }
}

/// How the sources of a project's item vectors agree, where that was looked at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptModalities {
    pub(crate) files: IdFiles,
}

impl Query for KeptModalities {
    type Answer = Option<Modalities>;

    fn answer(&self, _: &QueryContext<'_>) -> Result<Option<Option<Modalities>>, InputError> {
        self.files.kept_modalities().map(Some)
    }
}

/// What a process is to do with a project's semantic ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdsWork {
    /// Train them, or go on where that was stopped.
    Train,
    /// Train them from the beginning.
    Fresh,
    /// Give items without an id one, and move none.
    Append,
    /// Compare the sources of their vectors, and change none.
    Modalities,
}

impl IdsWork {
    const fn flag(self) -> Option<&'static str> {
        match self {
            Self::Train => None,
            Self::Fresh => Some("--fresh"),
            Self::Append => Some("--append"),
            Self::Modalities => Some("--modalities"),
        }
    }

    /// Whether something of it is kept when it is stopped.
    const fn keeps(self) -> bool {
        !matches!(self, Self::Modalities)
    }
}

/// Has a process train the semantic ids of a project's file. Cancelled, it keeps what is done and ends; then there is no
/// answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrainIds {
    pub(crate) file: PathBuf,
    pub(crate) files: IdFiles,
    pub(crate) making: IdsWork,
    /// Tells one training of the same ids from the next.
    pub(crate) attempt: usize,
}

impl Query for TrainIds {
    type Answer = IdsState;

    fn answer(&self, context: &QueryContext<'_>) -> Result<Option<IdsState>, InputError> {
        let mut arguments: Vec<OsString> = vec!["semantic-ids".into(), (&self.file).into()];
        arguments.extend(self.making.flag().map(OsString::from));
        let (process, over) = (JobHandle::default(), AtomicBool::new(false));
        let ended = std::thread::scope(|scope| {
            scope.spawn(|| self.attend(context.job, &process, &over));
            let ended = context.launcher.compute(&arguments, &process);
            over.store(true, Ordering::Relaxed);
            ended
        })?;
        if context.job.is_cancelled() {
            return Ok(None);
        }
        match ended.code {
            Some(0) => IdsState::read(&self.files).map(Some),
            _ if ended.last_words.is_empty() => {
                Err(InputError::new(&self.file, "the process was ended before it was done"))
            }
            _ => Err(InputError::new(&self.file, ended.last_words.trim_start_matches("error: "))),
        }
    }
}

impl TrainIds {
    /// Passes the process's progress on until it is over, and asks it to stop when nobody waits any more.
    fn attend(&self, job: &JobHandle, process: &JobHandle, over: &AtomicBool) {
        let mut stopping: Option<Instant> = None;
        while !over.load(Ordering::Relaxed) {
            job.say(&process.progress().words);
            if job.is_cancelled() {
                if !self.making.keeps() {
                    process.cancel();
                    return;
                }
                let since = *stopping.get_or_insert_with(Instant::now);
                // It takes back what was asked before it began, so it is asked again; one that cannot be asked is ended.
                if self.files.ask_to_stop().is_err() || since.elapsed() > GRACE {
                    process.cancel();
                }
            }
            std::thread::sleep(ASK_EVERY);
        }
    }
}
