//! What panels ask of the window. They never change the project or start anything themselves.

use std::path::PathBuf;
use std::sync::Arc;

use super::command::Command;
use super::dialogs::desktop;
use super::dialogs::method_picker::Purpose;
use super::queries::Question;
use super::queries::answers::Subject;
use super::queries::judgements::Inquiry;
use crate::plot::Chart;
use crate::project::Project;

/// A wish that a panel hands up.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Command(Command),
    /// Open the project at a path, a file or its folder.
    Open(PathBuf),
    /// Ask the desktop for a part of the project: its data, a base model, or an adapter to begin with.
    Browse(desktop::Question),
    /// Take what was dropped onto the window: a project, data, a base model or an adapter, which its files tell.
    Drop(PathBuf),
    /// Forget a recent project.
    Forget(PathBuf),
    /// Put the runs of these rows into the queue.
    Run(Vec<String>),
    Pause(Vec<String>),
    Resume(Vec<String>),
    /// End the runs of these rows, or take them out of the queue.
    Stop(Vec<String>),
    /// Select a row by its id; `keep` adds it to the selection or takes it out.
    Select {
        id: String,
        keep: bool,
    },
    SelectNone,
    /// Offer the methods to choose from.
    PickMethod(Purpose),
    /// Make the project this; changes with one key are one step of undo until [`Action::EditDone`].
    Edit {
        project: Box<Project>,
        key: Option<u64>,
    },
    /// Edit the sweep at a place of the project, or make a new one of an experiment.
    EditSweep(SweepOf),
    /// What was being dragged is let go.
    EditDone,
    /// Show what was recommended to a user (a place in the dataset) in the tests of a stage.
    ShowUser {
        user: u32,
        stage: usize,
    },
    /// Ask where and how to write a chart.
    Export(Arc<Chart>),
    /// Put a chart's numbers on the clipboard.
    CopyData(Arc<Chart>),
    /// Compare lines with one of them, in the background.
    Judge(Arc<Inquiry>),
    /// Put the tests of lines into slices, in the background.
    Slice(Arc<Subject>),
    /// Find something out in the background, unless it is known or being looked into.
    Ask(Arc<Question>),
    /// Find out again what may have changed; the old answer stays until then.
    Renew(Arc<Question>),
    /// No longer wait for an answer.
    Cancel(Arc<Question>),
    /// Ask again what could not be found out, or was cancelled.
    Retry(Arc<Question>),
}

/// Which sweep is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SweepOf {
    /// A new one of the experiment of this name.
    Experiment(String),
    /// The one at this place.
    Place(usize),
}
