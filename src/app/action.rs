//! What panels ask of the window. They never change the project or start anything themselves.

use std::path::PathBuf;
use std::sync::Arc;

use super::command::Command;
use super::dialogs::chart_file::Format;
use super::dialogs::desktop;
use super::dialogs::dialog::MethodPurpose;
use super::dock::NamedLayoutAction;
use super::panels::view::View;
use super::queries::{Query, Request};
use super::steering::SteerAction;
use crate::plot::Chart;
use crate::project::Project;
use crate::project::board::PinnedFigure;
use crate::project::edits::change::Place;
use crate::run::marks::MarkChange;

/// What a panel hands up, to be carried out at the end of the frame.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Command(Command),
    /// Open the project at a path, a file or its folder.
    Open(PathBuf),
    /// Ask the desktop for a part of the project: its data, a base model, or an adapter to begin with.
    Browse(desktop::FileDialog),
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
    /// Select these rows, and no others.
    SelectThese(Vec<String>),
    /// Bring the runs table to the front with the runs of these experiments and points alone.
    FilterRuns(Vec<String>),
    /// Change what is said of runs, by their ids.
    Mark(MarkChange, Vec<String>),
    /// Ask for tags and a note of runs, by their ids.
    EditMarks(Vec<String>),
    /// Move runs into the trash, by their ids.
    DeleteRuns(Vec<String>),
    /// Take archived runs into table, comparisons and charts, or leave them out.
    ShowArchived(bool),
    /// Remember these columns of the runs table, by their keys.
    ChooseColumns(Vec<String>),
    /// Offer the methods to choose from.
    PickMethod(MethodPurpose),
    /// Make the project this; changes with one key are one step of undo until [`Action::EditDone`].
    Edit {
        project: Box<Project>,
        key: Option<u64>,
    },
    /// Edit the sweep at a place of the project, or make a new one of an experiment.
    EditSweep(SweepOf),
    /// Bring a tab within a view to the front, by its title.
    ShowTab(View, &'static str),
    /// Bring a place of the project into view, where it is edited.
    Reveal(Place),
    /// What was being dragged is let go.
    EditDone,
    /// Put a chart of the window on the board.
    Pin(Arc<Chart>, Box<PinnedFigure>),
    /// Write the figures of the board into a folder that is asked for.
    ExportBoard(Format),
    /// Show the board to a room, from a figure on; from its title where there is none.
    Present(Option<usize>),
    /// Ask where and how to write a chart.
    Export(Arc<Chart>),
    /// Show a folder in the desktop's file manager.
    ShowFolder(PathBuf),
    /// Put a chart's numbers on the clipboard.
    CopyData(Arc<Chart>),
    /// Use, keep or forget a layout with a name.
    NamedLayout(NamedLayoutAction),
    /// Compute the answer to a query in the background, unless it is known or being computed.
    Compute(Request),
    /// Compute again what may have changed; the old answer stays until then.
    Renew(Request),
    /// Take a stage's step in part, or what follows from that.
    Steer(SteerAction),
    /// No longer wait for an answer.
    Cancel(Request),
    /// Compute again what failed or was cancelled.
    Retry(Request),
}

impl Action {
    /// Whether it changes the project or its runs, or trains.
    pub(crate) const fn changes_project(&self) -> bool {
        matches!(
            self,
            Self::Browse(_)
                | Self::Run(_)
                | Self::Pause(_)
                | Self::Resume(_)
                | Self::Stop(_)
                | Self::Mark(..)
                | Self::EditMarks(_)
                | Self::DeleteRuns(_)
                | Self::PickMethod(_)
                | Self::Edit { .. }
                | Self::Pin(..)
                | Self::EditSweep(_)
        )
    }

    pub(crate) fn compute(query: &impl Query) -> Self {
        Self::Compute(Request::new(query))
    }

    pub(crate) fn renew(query: &impl Query) -> Self {
        Self::Renew(Request::new(query))
    }

    pub(crate) fn cancel(query: &impl Query) -> Self {
        Self::Cancel(Request::new(query))
    }

    pub(crate) fn retry(query: &impl Query) -> Self {
        Self::Retry(Request::new(query))
    }
}

/// Which sweep is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SweepOf {
    /// A new one of the experiment of this name.
    Experiment(String),
    /// The one at this index.
    Index(usize),
}
