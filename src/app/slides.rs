//! The figures of the open project's board as the window shows them: asked for in the background, and what changed of them.

use std::sync::Arc;

use super::action::Action;
use super::queries::board::{PinnedCharts, ShownRun};
use super::queries::{Answer, RunStamp};
use super::session::Session;
use crate::error::InputError;
use crate::figures::{self, board};
use crate::plot::Chart;
use crate::project::Project;
use crate::project::board::PinnedFigure;
use crate::run::Status;

/// What charts of the board are asked for with, kept from frame to frame.
#[derive(Debug, Default)]
pub(crate) struct Slides {
    /// The project without what is told of it, with the session and the revision of its history that it is of.
    project: Option<(u64, u64, Arc<Project>)>,
    /// What asks for the charts of each pinned figure, with what that depends on.
    queries: Option<(Basis, Arc<[PinnedCharts]>)>,
}

/// A session with the revisions of its project, its results and its runs.
type Basis = [u64; 4];

/// Where the charts of a pinned figure stand.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Drawn<'s> {
    Pending,
    /// None where no run has what it shows.
    Charts(&'s [Arc<Chart>]),
    Failed(&'s InputError),
}

impl Slides {
    /// What asks for the charts of the board's figures, made anew where something has changed.
    pub(crate) fn queries(&mut self, session: &Session) -> Arc<[PinnedCharts]> {
        let basis = [session.number, session.history.revision(), session.results_revision, session.rows_revision];
        if let Some((of, queries)) = &self.queries
            && *of == basis
        {
            return Arc::clone(queries);
        }
        let queries: Arc<[PinnedCharts]> =
            session.project().board.iter().map(|pinned| self.query(session, pinned)).collect();
        self.queries = Some((basis, Arc::clone(&queries)));
        queries
    }

    fn query(&mut self, session: &Session, pinned: &PinnedFigure) -> PinnedCharts {
        let shown = board::seen(pinned, session.results(pinned.protocol));
        let runs = session.runs.iter().filter(|run| shown.contains_key(&run.id));
        let runs = runs.map(|run| ShownRun { run: RunStamp::of(run), finished: run.status == Status::Finished });
        let bare = PinnedFigure::new(pinned.figure.clone(), pinned.options.clone(), pinned.protocol);
        PinnedCharts { project: self.project(session), pinned: bare, runs: runs.collect() }
    }

    fn project(&mut self, session: &Session) -> Arc<Project> {
        let now = (session.number, session.history.revision());
        if let Some((number, revision, project)) = &self.project
            && (*number, *revision) == now
        {
            return Arc::clone(project);
        }
        let bare = Project { board: Vec::new(), notes: String::new(), tags: Vec::new(), ..session.project().clone() };
        // An edit of words is no other project.
        let before = self.project.take().map(|(.., project)| project).filter(|project| **project == bare);
        let project = before.unwrap_or_else(|| Arc::new(bare));
        self.project = Some((now.0, now.1, Arc::clone(&project)));
        project
    }
}

/// The charts that a query asks for, which is computed where they are not there yet; those of before stay until then.
pub(crate) fn drawn<'s>(session: &'s Session, query: &PinnedCharts, actions: &mut Vec<Action>) -> Drawn<'s> {
    if session.reading.is_some() {
        // What it shows is not known yet.
        return Drawn::Pending;
    }
    match session.queries.get(query) {
        Answer::Ready(charts) => Drawn::Charts(charts),
        Answer::Failed(error) => Drawn::Failed(error),
        Answer::Pending | Answer::Cancelled => {
            actions.push(Action::compute(query));
            session.queries.earlier(query).map_or(Drawn::Pending, |charts| Drawn::Charts(charts))
        }
    }
}

/// What a pinned figure is called: the title that it was given, that of its only chart, or that of the figure.
pub(crate) fn title(pinned: &PinnedFigure, charts: &[Arc<Chart>]) -> String {
    match (&pinned.title, charts) {
        (Some(title), _) => title.clone(),
        (None, [only]) => only.title.clone(),
        _ => figures::find(&pinned.figure).map_or_else(|| pinned.figure.clone(), |spec| spec.title.to_owned()),
    }
}

/// What the runs of a pinned figure did since someone last looked, in a sentence.
pub(crate) fn changes(session: &Session, pinned: &PinnedFigure) -> Option<String> {
    // While folders are read, no run is gone that is not there yet.
    let known = session.reading.is_none();
    known.then(|| board::changed(pinned, session.results(pinned.protocol)).words()).flatten()
}
