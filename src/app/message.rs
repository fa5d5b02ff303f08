//! What background jobs tell the window.

use std::path::PathBuf;
use std::time::Duration;

use super::autosave::Left;
use super::board_export::Exported;
use super::dialogs::chart_file::Previewed;
use super::dialogs::desktop::FileDialog;
use super::dialogs::dialog::{Leaving, PackKind};
use super::dialogs::pack::Look;
use super::dock::Layout;
use super::launcher::Ended;
use super::queries::AnyAnswer;
use super::recent::RecentLook;
use super::watch::{OtherQueue, Snapshot};
use crate::budget::estimate::Estimate;
use crate::error::InputError;
use crate::pack::{Agreement, Manifest, MissingPath, PackError, Packed};
use crate::plot::Bitmap;
use crate::project::Project;
use crate::project::paths::NamedPath;
use crate::run::marks::{Mark, MarkChange};
use crate::run::trash::Deleted;

/// A report on disk.
pub(crate) struct WrittenReport {
    pub(crate) path: PathBuf,
    /// Runs and figures that it is without.
    pub(crate) left_out: Vec<InputError>,
    /// What must be told of letters that no font has.
    pub(crate) missing: Option<String>,
}

/// What background jobs tell the window.
pub(crate) enum Message {
    Opened(Result<Box<Opened>, InputError>),
    DemoWritten(Result<PathBuf, InputError>),
    NewWritten(Result<PathBuf, InputError>),
    /// What was dropped onto the window.
    Dropped {
        path: PathBuf,
        what: Dropped,
    },
    Saved {
        session: u64,
        project: Box<Project>,
        result: Result<(), InputError>,
        then: Option<Leaving>,
    },
    /// The copy of the edited project was written or removed.
    Autosaved {
        session: u64,
        result: Result<(), InputError>,
    },
    /// What there is of the recent projects.
    RecentSeen(Vec<RecentLook>),
    /// A picture of a project was drawn, or there was nothing to draw.
    Pictured,
    /// What a dialog of the desktop chose, and how long it took.
    PathChosen {
        asked: FileDialog,
        path: Option<PathBuf>,
        took: Duration,
    },
    Runs {
        session: u64,
        snapshot: Snapshot,
    },
    /// The queues of other projects that are being emptied.
    OtherQueues(Vec<OtherQueue>),
    /// What runs will take; nothing where the dialog was closed.
    Estimated {
        number: u64,
        result: Result<Option<Estimate>, InputError>,
    },
    /// The answer to a query, by the number of its job.
    Computed {
        session: u64,
        job: u64,
        outcome: Result<Option<AnyAnswer>, InputError>,
    },
    /// Whether what waits needs a worker.
    Queued {
        session: u64,
        result: Result<bool, InputError>,
    },
    WorkerEnded {
        session: u64,
        result: Result<Ended, InputError>,
    },
    /// What is said of runs was changed; what was said before.
    Marked {
        session: u64,
        change: MarkChange,
        result: Result<Vec<(String, Mark)>, InputError>,
    },
    /// Runs were moved into the trash; what could not be.
    Deleted {
        session: u64,
        deleted: Vec<Deleted>,
        failed: Vec<InputError>,
    },
    /// A change of runs was taken back.
    RunsRestored {
        session: u64,
        result: Result<(), InputError>,
    },
    /// What a zip of the project would hold.
    PackLooked {
        number: u64,
        kind: PackKind,
        result: Result<Look, InputError>,
    },
    Packed {
        number: u64,
        to: PathBuf,
        result: Result<Packed, PackError>,
    },
    /// What a zip says of itself.
    ManifestRead {
        number: u64,
        result: Result<Box<Manifest>, InputError>,
    },
    /// The project file of what was unpacked.
    Unpacked {
        number: u64,
        result: Result<PathBuf, PackError>,
    },
    /// How what was found compares with what is missing.
    Located {
        number: u64,
        found: PathBuf,
        result: Result<Agreement, PackError>,
    },
    Exported(Result<PathBuf, InputError>),
    /// The figures of the board were written into a folder.
    BoardExported(Result<Exported, InputError>),
    /// A report was written.
    Reported(Result<WrittenReport, InputError>),
    /// What the open export dialog shows of its file.
    Previewed(Previewed),
    /// A chart for the clipboard.
    ChartDrawn(Result<Bitmap, String>),
    /// Something small that mattered did not work.
    Failed {
        doing: &'static str,
        error: InputError,
    },
    /// A line of the process that scores what the sliders say, by its number.
    Steered {
        session: u64,
        number: u64,
        line: String,
    },
    SteeringEnded {
        session: u64,
        number: u64,
        result: Result<(), InputError>,
    },
    /// A steered adapter was written.
    SteeredExported(Result<PathBuf, InputError>),
    /// What the window has to say in the log.
    Said {
        session: u64,
        text: String,
    },
    /// Something small was done; nobody needs to know.
    Done,
}

/// A project that was read.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: PathBuf,
    pub(crate) project: Project,
    pub(crate) layout: Option<Layout>,
    /// Whether it was just written for data, which the user then looks at first.
    pub(crate) new: bool,
    /// Edits that an earlier window did not save.
    pub(crate) left: Option<Left>,
    /// Data and models that it names and that are not there.
    pub(crate) missing: Vec<MissingPath>,
    /// Data and models that it names and that lie outside its folder, with where they lie.
    pub(crate) outside: Vec<(NamedPath, PathBuf)>,
}

/// What was dropped onto the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    Project,
    ModelFolder,
    ModelFile,
    Adapter,
    /// Whatever is none of the others: its format is told, or why it has none, when it is read.
    Data,
}
