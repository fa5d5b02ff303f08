//! What the window does: messages from background jobs come in, actions are carried out, the queue moves on.

mod dropped;
mod estimates;
mod files;
mod model;
mod project;
mod runs;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;

use self::dropped::Dropped;
use self::project::Opened;
use self::runs::did_not_finish;

use super::action::{Action, SweepOf};
use super::command::Command;
use super::dialogs::desktop::Question;
use super::dialogs::method_picker::{MethodPicker, Purpose};
use super::dialogs::modal::{Dialog, Leaving, PathPurpose, Wish};
use super::dialogs::palette::Palette;
use super::dialogs::sweep_editor::{self, SweepEditor};
use super::dock::{self, View};
use super::launcher::{Ended, Waiting};
use super::panels::experiments;
use super::queries::answers::Subject;
use super::queries::judgements::{Answer, Inquiry};
use super::queries::{Question as Asked, Report};
use super::session::Session;
use super::settings::ThemeChoice;
use super::watch::Snapshot;
use super::widgets::{Notice, Weight, sentence};
use super::window::Workbench;
use crate::budget::estimate::Estimate;
use crate::error::InputError;
use crate::method::MethodOptions;
use crate::results::slices::Sliced;
use crate::run::observer::Control;
use crate::run::queue::RunKey;

/// Time a frame may spend on messages.
const PATIENCE: Duration = Duration::from_millis(10);
const ZOOM_STEP: f32 = 1.1;

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
        revision: u64,
        result: Result<(), InputError>,
        then: Option<Leaving>,
    },
    Answered {
        question: Question,
        path: Option<PathBuf>,
        took: Duration,
    },
    Runs {
        session: u64,
        snapshot: Snapshot,
    },
    Judged {
        session: u64,
        inquiry: Arc<Inquiry>,
        answer: Answer,
    },
    Sliced {
        session: u64,
        subject: Arc<Subject>,
        answer: Result<Sliced, InputError>,
    },
    /// What runs will take; nothing where the dialog was closed.
    Estimated {
        number: u64,
        result: Result<Option<Estimate>, InputError>,
    },
    /// What a panel wanted to know.
    Reported {
        session: u64,
        question: Arc<Asked>,
        answer: Result<Option<Box<Report>>, InputError>,
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
    Exported(Result<PathBuf, InputError>),
    /// Something small that mattered did not work.
    Failed {
        doing: &'static str,
        error: InputError,
    },
    /// Something small was done; nobody needs to know.
    Done,
}

impl Workbench {
    /// Takes in what arrived since the last frame and lets the queue move on.
    pub(super) fn take_in(&mut self, ctx: &egui::Context) {
        let start = Instant::now();
        while let Some(message) = self.background.next() {
            self.handle(message);
            if start.elapsed() >= PATIENCE {
                ctx.request_repaint();
                break;
            }
        }
        self.move_queue();
        self.move_estimate();
        if ctx.input(|input| input.viewport().close_requested()) {
            self.close_requested(ctx);
        }
        if std::mem::take(&mut self.quit) {
            self.may_close = true;
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn handle(&mut self, message: Message) {
        match message {
            Message::Opened(Ok(opened)) => self.opened(*opened),
            Message::Opened(Err(error)) => {
                self.opening = None;
                self.notices.push(Notice::unusable("The project cannot be opened", &error));
            }
            Message::DemoWritten(Ok(file)) => self.open_project(file),
            Message::DemoWritten(Err(error)) => {
                self.opening = None;
                self.notices.push(Notice::unusable("The demo cannot be written", &error));
            }
            Message::NewWritten(Ok(file)) => self.open_new_project(file),
            Message::NewWritten(Err(error)) => {
                self.opening = None;
                self.notices.push(Notice::unusable("The project cannot be written", &error));
            }
            Message::Dropped { path, what } => self.dropped(path, what),
            Message::Saved { session, revision, result, then } => self.saved(session, revision, result, then),
            Message::Answered { question, path, took } => self.answered(&question, path, took),
            Message::Exported(Ok(path)) => {
                self.notices.push(Notice::new(Weight::Done, "The chart was written").path(path));
            }
            Message::Exported(Err(error)) => self.notices.push(Notice::unusable("The chart cannot be written", &error)),
            Message::Failed { doing, error } => self.notices.push(Notice::unusable(doing, &error)),
            Message::Done => {}
            Message::Runs { session, snapshot } => {
                let failed = self.session_numbered(session).map(|open| open.take(snapshot)).unwrap_or_default();
                for run in failed {
                    let key = RunKey { experiment: run.config.experiment.clone(), seed: run.config.seed };
                    let reason = sentence(run.reason.as_deref().unwrap_or("No reason was recorded"));
                    self.notices.push(Notice::new(Weight::Problem, did_not_finish(&key)).details(reason));
                }
            }
            Message::Judged { session, inquiry, answer } => {
                if let Some(open) = self.session_numbered(session) {
                    open.judgements.take(inquiry, answer);
                }
            }
            Message::Sliced { session, subject, answer } => {
                if let Some(open) = self.session_numbered(session) {
                    open.slicings.take(subject, answer);
                }
            }
            Message::Estimated { number, result } => self.estimated(number, result),
            Message::Reported { session, question, answer } => {
                if let Some(open) = self.session_numbered(session) {
                    open.reports.take(question, answer.map(|report| report.map(|report| *report)));
                }
            }
            Message::Queued { session, result } => self.queued(session, result),
            Message::WorkerEnded { session, result } => self.worker_ended(session, result),
        }
    }

    /// The open session, if it is still the one that a message is for.
    fn session_numbered(&mut self, number: u64) -> Option<&mut Session> {
        self.session.as_mut().filter(|session| session.number == number)
    }

    /// Runs a job in the background; that this fails is rare enough for one message.
    fn spawn(&mut self, name: &str, job: impl FnOnce() -> Message + Send + 'static) {
        if let Err(error) = self.background.spawn(name, job) {
            let text = format!("The system refuses to start another thread: {error}");
            self.notices.push(Notice::new(Weight::Problem, text).details("Close other programs and try again"));
        }
    }

    /// Carries out what a panel asked for.
    pub(super) fn perform(&mut self, ctx: &egui::Context, action: Action) {
        match action {
            Action::Command(command) => self.command(ctx, command),
            Action::Open(path) => self.leave(Leaving::Open(path)),
            Action::Browse(question) => self.ask_desktop(question),
            Action::Drop(path) => self.look_at_dropped(path),
            Action::Forget(path) => {
                self.settings.recent.retain(|recent| *recent != path);
                self.save_settings();
            }
            Action::Export(chart) => self.ask_export(chart),
            Action::CopyData(chart) => self.copy_data(ctx, &chart),
            Action::Judge(inquiry) => self.judge(inquiry),
            Action::Slice(subject) => self.slice(subject),
            Action::Ask(question) => self.ask(question),
            Action::Renew(question) => {
                let waiting = self.session.as_mut().and_then(|session| session.reports.renew(&question));
                self.find_out(question, waiting);
            }
            Action::Cancel(question) => {
                if let Some(session) = &self.session {
                    session.reports.cancel(&question);
                }
            }
            Action::Retry(question) => {
                if let Some(session) = &mut self.session {
                    session.reports.retry(&question);
                }
                self.ask(question);
            }
            Action::Run(ids) => self.enqueue(|row| ids.contains(&row.id)),
            Action::Pause(ids) => self.control(Control::Pause, |row| ids.contains(&row.id) && row.can_pause()),
            Action::Resume(ids) => self.resume(|row| ids.contains(&row.id)),
            Action::Stop(ids) => self.stop(|row| ids.contains(&row.id)),
            Action::Select { id, keep } => self.select(id, keep),
            Action::SelectNone => self.select_none(),
            Action::PickMethod(purpose) => self.pick_method(purpose),
            Action::EditSweep(which) => self.edit_sweep(which),
            Action::Edit { project, key } => self.edit(*project, key),
            Action::ShowUser { user, stage } => {
                self.panels.users.look_at(user, stage);
                self.command(ctx, Command::Show(View::Users));
            }
            Action::EditDone => {
                if let Some(session) = &mut self.session {
                    session.history.close();
                }
            }
        }
    }

    fn command(&mut self, ctx: &egui::Context, command: Command) {
        if command.obstacle(&self.situation()).is_some() {
            return;
        }
        match command {
            Command::NewProject => self.ask_new_project(None),
            Command::OpenDemo => self.ask_path(PathPurpose::DemoFolder, None),
            Command::OpenProject => self.ask_desktop(Question::OpenProject),
            Command::OpenPath => self.ask_path(PathPurpose::OpenProject, None),
            Command::SaveProject => self.save_project(None),
            Command::CloseProject => self.leave(Leaving::Close),
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Command::Undo => self.change_history(super::history::History::undo),
            Command::Redo => self.change_history(super::history::History::redo),
            Command::AddExperiment => self.pick_method(Purpose::Add),
            Command::SweepOptions => {
                let first = |session: &Session| Some(session.project().experiments.first()?.name.clone());
                if let Some(experiment) = self.session.as_ref().and_then(first) {
                    self.edit_sweep(SweepOf::Experiment(experiment));
                }
            }
            Command::Estimate => self.ask_estimate(),
            Command::RunAll => self.enqueue(|_| true),
            Command::RunSelected => {
                let selected = self.session.as_ref().map(|session| session.selected.clone()).unwrap_or_default();
                self.enqueue(|row| selected.contains(&row.id));
            }
            Command::Pause | Command::Resume | Command::Stop => {
                let concerned: Vec<String> =
                    self.session.iter().flat_map(Session::concerned).map(|row| row.id.clone()).collect();
                self.perform(
                    ctx,
                    match command {
                        Command::Pause => Action::Pause(concerned),
                        Command::Resume => Action::Resume(concerned),
                        _ => Action::Stop(concerned),
                    },
                );
            }
            Command::ExportChart => {
                if let Some(chart) = self.chart.clone() {
                    self.ask_export(chart);
                }
            }
            Command::CopyChartData => {
                if let Some(chart) = self.chart.clone() {
                    self.copy_data(ctx, &chart);
                }
            }
            Command::Show(view) => {
                if let Some(session) = &mut self.session {
                    dock::show(&mut session.layout, view);
                }
            }
            Command::ResetLayout => {
                if let Some(session) = &mut self.session {
                    session.layout = dock::default_layout();
                }
            }
            Command::ThemeLight => self.set_theme(ctx, ThemeChoice::Light),
            Command::ThemeDark => self.set_theme(ctx, ThemeChoice::Dark),
            Command::ThemeSystem => self.set_theme(ctx, ThemeChoice::System),
            Command::ZoomIn => self.set_zoom(ctx, self.settings.zoom * ZOOM_STEP),
            Command::ZoomOut => self.set_zoom(ctx, self.settings.zoom / ZOOM_STEP),
            Command::ZoomReset => self.set_zoom(ctx, 1.0),
            Command::Palette => self.palette = Some(Palette::default()),
            Command::About => self.dialog = Some(Dialog::About),
        }
    }

    /// Gives the open dialog what it asked for.
    pub(super) fn grant(&mut self, wish: Wish) {
        match wish {
            Wish::Browse => self.browse(),
            Wish::Cancel => self.dialog = None,
            Wish::Path(PathPurpose::OpenProject, path) => self.close_dialog_and_leave(Leaving::Open(path)),
            Wish::Path(PathPurpose::DemoFolder, path) => self.close_dialog_and_leave(Leaving::Demo(path)),
            Wish::BrowseFor(question) => self.ask_desktop(question),
            Wish::New(new) => self.close_dialog_and_leave(Leaving::New(new)),
            Wish::Export(export) => {
                self.dialog = None;
                self.export(*export);
            }
            Wish::Method(purpose, method) => {
                self.dialog = None;
                self.use_method(purpose, method);
            }
            Wish::Sweep(place, sweep) => {
                self.dialog = None;
                let with = |session: &Session| sweep_editor::with_sweep(session.project(), place, *sweep);
                if let Some(project) = self.session.as_ref().map(with) {
                    self.edit(project, None);
                }
            }
            Wish::SaveAndEstimate => self.save_and_estimate(),
            Wish::SaveAnd(leaving) => {
                self.dialog = None;
                self.save_project(Some(leaving));
            }
            Wish::DiscardAnd(leaving) => {
                self.dialog = None;
                self.left(leaving);
            }
        }
    }

    /// Has a comparison made, unless one is being made.
    fn judge(&mut self, inquiry: Arc<Inquiry>) {
        let Some(session) = &mut self.session else { return };
        if session.judgements.begin(&inquiry) {
            let number = session.number;
            self.spawn("compare lines", move || {
                let answer = inquiry.answer();
                Message::Judged { session: number, inquiry, answer }
            });
        }
    }

    /// Has the tests of lines put into slices, unless that is being done.
    fn slice(&mut self, subject: Arc<Subject>) {
        let Some(session) = &mut self.session else { return };
        if session.slicings.begin(&subject) {
            let number = session.number;
            self.spawn("slice tests", move || {
                let answer = subject.sliced();
                Message::Sliced { session: number, subject, answer }
            });
        }
    }

    /// Has something found out, unless it is known or being looked into.
    fn ask(&mut self, question: Arc<Asked>) {
        let waiting = self.session.as_mut().and_then(|session| session.reports.begin(&question));
        self.find_out(question, waiting);
    }

    /// Looks into a question that was begun.
    fn find_out(&mut self, question: Arc<Asked>, waiting: Option<Arc<Waiting>>) {
        let Some(session) = &self.session else { return };
        if let Some(waiting) = waiting {
            let (number, launcher) = (session.number, Arc::clone(&self.services.launcher));
            self.spawn("find out", move || {
                let answer = question.answer(launcher.as_ref(), &waiting).map(|report| report.map(Box::new));
                Message::Reported { session: number, question, answer }
            });
        }
    }

    fn edit_sweep(&mut self, which: SweepOf) {
        let Some(project) = self.session.as_ref().map(|session| session.project().clone()) else { return };
        let editor = match which {
            SweepOf::Experiment(name) => Some(SweepEditor::new(project, name)),
            SweepOf::Place(place) => SweepEditor::of(project, place),
        };
        self.dialog = editor.map(|editor| Dialog::Sweep(Box::new(editor)));
    }

    fn pick_method(&mut self, purpose: Purpose) {
        self.dialog = Some(Dialog::Method(MethodPicker::new(purpose)));
    }

    fn use_method(&mut self, purpose: Purpose, method: MethodOptions) {
        let Some(session) = &self.session else { return };
        let project = match purpose {
            Purpose::Add => experiments::with_experiment(session.project(), method),
            Purpose::Change(place) => experiments::with_method(session.project(), place, method),
        };
        self.edit(project, None);
    }

    fn close_dialog_and_leave(&mut self, leaving: Leaving) {
        self.dialog = None;
        self.leave(leaving);
    }
}
