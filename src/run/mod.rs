//! Runs as files: the folder of a run, what is recorded in it, the queue, and which runs a project asks for.

pub mod checkpoint;
pub mod config;
pub mod database;
pub mod federation;
pub mod folder;
mod layout;
pub mod marks;
pub mod observer;
pub mod on_finished;
pub mod options;
pub mod outcome;
pub mod planned;
pub mod pseudonyms;
pub mod queue;
pub mod reader;
pub mod schedule;
pub mod shared_part;
pub mod stamp;
#[cfg(test)]
pub(crate) mod tests;
pub mod trash;
mod worker_lock;
pub mod writer;

pub use self::config::{RunConfig, RunMethod};
pub use self::folder::RunFolder;
pub use self::options::{CHECKPOINT_EVERY, RunOptions, RunSelection};
pub use self::outcome::{RunOutcome, Status};
pub use self::reader::{EvaluationSummary, Event, RunReader};
pub use self::stamp::FolderStamp;
pub use self::worker_lock::{WorkerLock, host};
pub use self::writer::RunWriter;
