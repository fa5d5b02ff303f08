//! What the window does: messages from background jobs come in, actions are carried out, the queue moves on.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;

use super::action::Action;
use super::command::Command;
use super::dialogs::Question;
use super::dock::{self, Layout};
use super::launcher::Ended;
use super::modal::{Dialog, Export, ExportDialog, Format, Leaving, NO_PORTAL, PathDialog, PathPurpose, Wish};
use super::palette::Palette;
use super::panels::experiments;
use super::session::{Loading, Row, Session};
use super::settings::{Settings, ThemeChoice};
use super::watch::{Snapshot, Watcher};
use super::widgets::{Notice, Weight, sentence};
use super::window::Workbench;
use crate::chart::{self, Chart, Style, table};
use crate::data::{Dataset, Summary};
use crate::error::Unusable;
use crate::experiment::Project;
use crate::experiment::observer::Wanted;
use crate::experiment::project::SemanticIds;
use crate::experiment::project_file::{DEMO, FILE_NAME};
use crate::experiment::queue::{Entries, RunKey};
use crate::experiment::results::Status;
use crate::experiment::run_folder::RunFolder;
use crate::files;
use crate::method::{MethodOptions, Peso};

/// Time a frame may spend on messages.
const PATIENCE: Duration = Duration::from_millis(10);
/// A person cannot close a dialog faster than this: an answer that comes earlier came from no dialog.
const FASTEST_PERSON: Duration = Duration::from_millis(300);
/// Where the arrangement of the views is kept, in the project's folder.
const LAYOUT: &str = ".peso-layout.ron";
/// Largest layout file that is read.
const LARGEST_LAYOUT: u64 = 1 << 20;
const ZOOM_STEP: f32 = 1.1;

/// What background jobs tell the window.
pub(crate) enum Message {
    Opened(Result<Box<Opened>, Unusable>),
    DemoWritten(Result<PathBuf, Unusable>),
    Saved {
        session: u64,
        revision: u64,
        result: Result<(), Unusable>,
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
    Data {
        session: u64,
        result: Result<Box<Summary>, Unusable>,
    },
    Queued {
        session: u64,
        result: Result<(), Unusable>,
    },
    WorkerEnded {
        session: u64,
        result: Result<Ended, Unusable>,
    },
    Exported(Result<PathBuf, Unusable>),
    /// Something small that mattered did not work.
    Failed {
        doing: &'static str,
        error: Unusable,
    },
    /// Something small was done; nobody needs to know.
    Done,
}

/// A project that was read.
pub(crate) struct Opened {
    file: PathBuf,
    project: Project,
    layout: Option<Layout>,
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
            Message::Data { session, result } => {
                if let Some(open) = self.session_numbered(session) {
                    open.data = match result {
                        Ok(summary) => Loading::Ready(*summary),
                        Err(error) => Loading::Failed(error),
                    };
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
            Action::Forget(path) => {
                self.settings.recent.retain(|recent| *recent != path);
                self.save_settings();
            }
            Action::Export(chart) => self.ask_export(chart),
            Action::CopyData(chart) => self.copy_data(ctx, &chart),
            Action::LoadData => self.load_data(),
            Action::Run(ids) => self.enqueue(|row| ids.contains(&row.id)),
            Action::Pause(ids) => self.control(Wanted::Pause, |row| ids.contains(&row.id) && row.can_pause()),
            Action::Resume(ids) => self.resume(|row| ids.contains(&row.id)),
            Action::Stop(ids) => self.stop(|row| ids.contains(&row.id)),
            Action::Select { id, keep } => self.select(id, keep),
            Action::SelectNone => self.select_none(),
            Action::Edit { project, key } => self.edit(*project, key),
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
            Command::OpenDemo => self.ask_path(PathPurpose::DemoFolder, None),
            Command::OpenProject => self.ask_desktop(Question::OpenProject),
            Command::OpenPath => self.ask_path(PathPurpose::OpenProject, None),
            Command::SaveProject => self.save_project(None),
            Command::CloseProject => self.leave(Leaving::Close),
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Command::Undo => self.change_history(super::history::History::undo),
            Command::Redo => self.change_history(super::history::History::redo),
            Command::AddExperiment => {
                if let Some(session) = &self.session {
                    let method = MethodOptions::Peso(Peso::default());
                    let project = experiments::with_experiment(session.project(), method);
                    self.edit(project, None);
                }
            }
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
            Wish::Export(export) => {
                self.dialog = None;
                self.export(*export);
            }
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

    fn close_dialog_and_leave(&mut self, leaving: Leaving) {
        self.dialog = None;
        self.leave(leaving);
    }
}

/// Opening, saving and leaving projects.
impl Workbench {
    /// Does something that ends the session, asking first where changes would be lost.
    fn leave(&mut self, leaving: Leaving) {
        if self.session.as_ref().is_some_and(Session::unsaved) {
            self.dialog = Some(Dialog::Unsaved(leaving));
        } else {
            self.left(leaving);
        }
    }

    fn left(&mut self, leaving: Leaving) {
        match leaving {
            Leaving::Close => self.close_session(),
            Leaving::Quit => self.quit = true,
            Leaving::Open(path) => self.open_project(path),
            Leaving::Demo(folder) => {
                self.opening = Some(folder.clone());
                self.spawn("write demo", move || Message::DemoWritten(write_demo(&folder)));
            }
        }
    }

    fn close_requested(&mut self, ctx: &egui::Context) {
        if !self.may_close && self.session.as_ref().is_some_and(Session::unsaved) {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.dialog = Some(Dialog::Unsaved(Leaving::Quit));
        }
    }

    fn close_session(&mut self) {
        if let Some(session) = self.session.take() {
            let (file, layout) = (layout_file(&session.file), dock::to_text(&session.layout));
            self.spawn("save layout", move || saved_layout(&file, layout.as_deref()));
        }
        self.panels = super::panels::Panels::default();
        self.chart = None;
    }

    /// Writes the layout before the process ends; nothing is left to run a job then.
    pub(super) fn save_layout_now(&self) {
        if let Some(session) = &self.session {
            // The window is gone: a layout that cannot be saved has no reader left, and costs nothing but the arrangement
            let _ = saved_layout(&layout_file(&session.file), dock::to_text(&session.layout).as_deref());
        }
    }

    /// Reads a project in the background; it replaces the open one when it is read.
    pub(super) fn open_project(&mut self, path: PathBuf) {
        self.opening = Some(path.clone());
        self.spawn("open project", move || Message::Opened(read_project(&path).map(Box::new)));
    }

    fn opened(&mut self, opened: Opened) {
        self.close_session();
        self.opening = None;
        self.start = Default::default();
        self.settings.remember(&opened.file);
        self.save_settings();
        self.sessions += 1;
        let number = self.sessions;
        let runs_folder = opened.project.runs_dir(None);
        let name = opened.project.name.clone();
        let layout = opened.layout.unwrap_or_else(dock::default_layout);
        let mut session = Session::new(number, opened.file, opened.project, layout);
        let wrap = move |snapshot| Message::Runs { session: number, snapshot };
        match Watcher::start(name, runs_folder, self.background.outbox(), wrap) {
            Ok(watcher) => session.watcher = Some(watcher),
            Err(error) => {
                let text = format!("The runs cannot be followed: {error}");
                self.notices.push(
                    Notice::new(Weight::Problem, text).details("Close other programs and open the project again"),
                );
            }
        }
        self.session = Some(session);
    }

    fn save_project(&mut self, then: Option<Leaving>) {
        let Some(session) = &mut self.session else { return };
        session.saving = true;
        let (number, revision) = (session.number, session.history.revision());
        let (project, file) = (session.project().clone(), session.file.clone());
        self.spawn("save project", move || Message::Saved {
            session: number,
            revision,
            result: project.save(&file),
            then,
        });
    }

    fn saved(&mut self, number: u64, revision: u64, result: Result<(), Unusable>, then: Option<Leaving>) {
        let Some(session) = self.session_numbered(number) else { return };
        session.saving = false;
        match result {
            Ok(()) => {
                session.saved = revision;
                if let Some(leaving) = then {
                    self.leave(leaving);
                }
            }
            Err(error) => {
                session.adding.clear();
                session.arrange_rows();
                self.notices.push(Notice::unusable("The project cannot be saved", &error));
            }
        }
    }

    fn edit(&mut self, project: Project, key: Option<u64>) {
        if let Some(session) = &mut self.session {
            session.history.change(project, key);
            session.arrange_rows();
        }
    }

    fn change_history(&mut self, change: impl FnOnce(&mut super::history::History<Project>)) {
        if let Some(session) = &mut self.session {
            change(&mut session.history);
            session.arrange_rows();
        }
    }

    fn load_data(&mut self) {
        let Some(session) = &mut self.session else { return };
        session.data = Loading::Pending;
        let (number, project) = (session.number, session.project().clone());
        self.spawn("read dataset", move || {
            let index = match &project.semantic_ids {
                SemanticIds::Dataset => None,
                SemanticIds::Index(path) => Some(path.as_path()),
            };
            let result = Dataset::load(&project.dataset, index, &project.folder);
            Message::Data { session: number, result: result.map(|dataset| Box::new(dataset.summary())) }
        });
    }
}

/// The queue and the runs.
impl Workbench {
    fn enqueue(&mut self, wanted: impl Fn(&Row) -> bool) {
        let Some(session) = &mut self.session else { return };
        for row in session.rows.iter().filter(|row| wanted(row) && row.can_run()) {
            session.last_words.remove(&row.key);
            session.adding.push(row.key.clone());
        }
        session.arrange_rows();
    }

    /// Puts what was asked for into the queue, once the project is saved: workers read its file.
    fn move_queue(&mut self) {
        let Some(session) = &mut self.session else { return };
        if session.adding.is_empty() || session.saving {
            return;
        }
        if session.unsaved() {
            self.save_project(None);
            return;
        }
        let runs = std::mem::take(&mut session.adding);
        session.queue.waiting.extend(runs.iter().cloned());
        session.launching |= !session.working;
        session.arrange_rows();
        let (number, queue) = (session.number, session.queue_file());
        self.spawn("queue", move || Message::Queued { session: number, result: queue.add(&runs) });
    }

    /// The queue has runs that wait: a worker is started unless there is one.
    fn queued(&mut self, number: u64, result: Result<(), Unusable>) {
        let Some(session) = self.session_numbered(number) else { return };
        match result {
            Ok(()) if session.working => {}
            Ok(()) => {
                session.working = true;
                let (file, launcher) = (session.file.clone(), Arc::clone(&self.services.launcher));
                self.spawn("worker", move || Message::WorkerEnded { session: number, result: launcher.run(&file) });
            }
            Err(error) => {
                session.queue = Entries::default();
                session.arrange_rows();
                self.notices.push(Notice::unusable("The run cannot be queued", &error));
            }
        }
    }

    fn worker_ended(&mut self, number: u64, result: Result<Ended, Unusable>) {
        let Some(session) = self.session_numbered(number) else { return };
        (session.working, session.launching) = (false, false);
        if let Some(watcher) = &session.watcher {
            watcher.look();
        }
        let entries = std::mem::take(&mut session.queue);
        let run = entries.current.or_else(|| entries.waiting.first().cloned());
        let title = run.as_ref().map_or("The worker was cut off".to_owned(), did_not_finish);
        let queue = session.queue_file();
        let mut goes_on = true;
        match result {
            // 1: the runs that failed say so themselves. 130: the user stopped them; the state is saved.
            Ok(Ended { code: Some(0 | 1 | 130), .. }) => {}
            Ok(ended) => {
                // Without a status a signal ended it, for lack of memory perhaps: the next run may fare better.
                goes_on = ended.code.is_none();
                let how = ended.code.map_or("its process was ended".to_owned(), |code| format!("exit status {code}"));
                let words = ended.last_words.trim_start_matches("error: ");
                let words = if words.is_empty() { how } else { sentence(words) };
                if let Some(run) = run {
                    session.last_words.insert(run, words.clone());
                }
                self.notices.push(Notice::new(Weight::Problem, title).details(words));
            }
            Err(error) => {
                goes_on = false;
                if let Some(run) = run {
                    session.last_words.insert(run, error.to_string());
                }
                self.notices.push(Notice::unusable(&title, &error));
            }
        }
        if let Some(session) = &mut self.session {
            session.arrange_rows();
        }
        if goes_on {
            // Something may have been added while the worker was on its way out.
            self.spawn("queue", move || {
                let waiting = queue.has_waiting();
                if waiting { Message::Queued { session: number, result: Ok(()) } } else { Message::Done }
            });
        }
    }

    /// Tells the workers of runs what the user wants.
    fn control(&mut self, wanted: Wanted, concerned: impl Fn(&Row) -> bool) {
        let folders: Vec<PathBuf> = self
            .session
            .iter()
            .flat_map(|session| &session.rows)
            .filter(|row| concerned(row))
            .filter_map(|row| Some(row.run.as_ref()?.folder.clone()))
            .collect();
        for folder in folders {
            self.spawn("control run", move || match RunFolder::open(&folder).and_then(|run| run.set_control(wanted)) {
                Ok(()) => Message::Done,
                Err(error) => Message::Failed { doing: "The run cannot be told", error },
            });
        }
    }

    fn resume(&mut self, concerned: impl Fn(&Row) -> bool) {
        use super::session::RowState;
        let paused = |row: &Row| row.state == RowState::Run(Status::Paused);
        self.control(Wanted::Run, |row| concerned(row) && paused(row));
        self.enqueue(|row| concerned(row) && row.can_resume() && !paused(row));
    }

    fn stop(&mut self, concerned: impl Fn(&Row) -> bool) {
        if let Some(session) = &mut self.session {
            let ended: Vec<RunKey> =
                session.rows.iter().filter(|row| concerned(row)).map(|row| row.key.clone()).collect();
            session.adding.retain(|key| !ended.contains(key));
            session.queue.waiting.retain(|key| !ended.contains(key));
            let queue = session.queue_file();
            self.spawn("queue", move || match queue.remove(&ended) {
                Ok(()) => Message::Done,
                Err(error) => Message::Failed { doing: "The runs cannot be taken out of the queue", error },
            });
        }
        self.control(Wanted::Stop, |row| concerned(row) && row.can_stop());
        if let Some(session) = &mut self.session {
            session.arrange_rows();
        }
    }

    fn select(&mut self, id: String, keep: bool) {
        let Some(session) = &mut self.session else { return };
        let was_only = session.selected.len() == 1 && session.selected.contains(&id);
        let was_selected = session.selected.contains(&id);
        if !keep {
            session.selected.clear();
        }
        if (keep && was_selected) || was_only {
            session.selected.remove(&id);
        } else {
            session.selected.insert(id);
        }
        session.follow_curves();
    }

    fn select_none(&mut self) {
        if let Some(session) = &mut self.session {
            session.selected.clear();
            session.follow_curves();
        }
    }
}

/// Paths, charts and settings.
impl Workbench {
    fn ask_path(&mut self, purpose: PathPurpose, hint: Option<&'static str>) {
        let text = match purpose {
            PathPurpose::OpenProject => String::new(),
            PathPurpose::DemoFolder => self.services.documents_folder.join("peso-demo").display().to_string(),
        };
        self.dialog = Some(Dialog::Path(PathDialog { purpose, text, hint, focused: false }));
    }

    fn ask_desktop(&mut self, question: Question) {
        let dialogs = Arc::clone(&self.services.dialogs);
        self.spawn("file dialog", move || {
            let start = Instant::now();
            let path = dialogs.ask(&question);
            Message::Answered { question, path, took: start.elapsed() }
        });
    }

    /// Asks the desktop for the path that the open dialog is about.
    fn browse(&mut self) {
        let question = match &self.dialog {
            Some(Dialog::Path(dialog)) => match dialog.purpose {
                PathPurpose::OpenProject => Question::OpenProject,
                PathPurpose::DemoFolder => Question::DemoFolder { suggested: PathBuf::from(&dialog.text) },
            },
            Some(Dialog::Export(dialog)) => {
                Question::SaveChart { suggested: PathBuf::from(&dialog.path), extension: dialog.format.extension() }
            }
            _ => return,
        };
        self.ask_desktop(question);
    }

    fn answered(&mut self, question: &Question, path: Option<PathBuf>, took: Duration) {
        let hint = (path.is_none() && took < FASTEST_PERSON).then_some(NO_PORTAL);
        match (&mut self.dialog, path) {
            (Some(Dialog::Path(dialog)), Some(path)) => dialog.text = path.display().to_string(),
            (Some(Dialog::Path(dialog)), None) => dialog.hint = hint,
            (Some(Dialog::Export(dialog)), Some(path)) => dialog.path = path.display().to_string(),
            (Some(Dialog::Export(dialog)), None) => dialog.hint = hint,
            (_, Some(path)) if *question == Question::OpenProject => self.leave(Leaving::Open(path)),
            (_, None) if hint.is_some() && self.session.is_none() => self.start.hint = hint,
            (_, None) if hint.is_some() => self.ask_path(PathPurpose::OpenProject, hint),
            _ => {}
        }
    }

    fn ask_export(&mut self, chart: Arc<Chart>) {
        let dark = self.settings.theme == ThemeChoice::Dark;
        let style = Style { theme: if dark { chart::Theme::Dark } else { chart::Theme::Light }, ..Style::default() };
        let folder = self.session.as_ref().and_then(|session| session.file.parent()).unwrap_or(Path::new("."));
        let path = folder.join("charts").join(file_name(&chart.title)).with_extension("png").display().to_string();
        self.dialog = Some(Dialog::Export(ExportDialog { chart, format: Format::Png, style, path, hint: None }));
    }

    fn export(&mut self, export: Export) {
        self.spawn("export chart", move || {
            let folder = export.path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let written = folder.map_or(Ok(()), files::create_folder);
            let written = written.and_then(|()| chart::export(&export.chart, &export.path, &export.style));
            Message::Exported(written.map(|()| export.path))
        });
    }

    fn copy_data(&mut self, ctx: &egui::Context, chart: &Chart) {
        ctx.copy_text(table::csv(chart));
        self.notices.push(Notice::new(Weight::Done, "The chart's numbers are on the clipboard"));
    }

    fn set_theme(&mut self, ctx: &egui::Context, theme: ThemeChoice) {
        self.change_settings(ctx, |settings| settings.theme = theme);
    }

    fn set_zoom(&mut self, ctx: &egui::Context, zoom: f32) {
        self.change_settings(ctx, |settings| settings.zoom = zoom.clamp(0.5, 3.0));
    }

    fn change_settings(&mut self, ctx: &egui::Context, change: impl FnOnce(&mut Settings)) {
        change(&mut self.settings);
        self.apply_settings(ctx);
        self.save_settings();
    }

    fn save_settings(&mut self) {
        let Some(folder) = self.services.configuration_folder.clone() else { return };
        let settings = self.settings.clone();
        self.spawn("save settings", move || match settings.save(&folder) {
            Ok(()) => Message::Done,
            Err(error) => Message::Failed { doing: "The settings cannot be saved", error },
        });
    }
}

fn did_not_finish(run: &RunKey) -> String {
    format!("{}, seed {} did not finish", run.experiment, run.seed)
}

/// Reads a project and the layout beside it.
fn read_project(path: &Path) -> Result<Opened, Unusable> {
    let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
    // Recent projects must be found again from any working folder.
    let file = std::path::absolute(&file).unwrap_or(file);
    let project = Project::load(&file)?;
    let layout = files::read_text(&layout_file(&file), LARGEST_LAYOUT).ok().and_then(|text| dock::from_text(&text));
    Ok(Opened { file, project, layout })
}

/// Writes the demo project into a folder, unless one is there already, and gives the project file.
fn write_demo(folder: &Path) -> Result<PathBuf, Unusable> {
    let file = folder.join(FILE_NAME);
    if !file.exists() {
        files::create_folder(folder)?;
        files::write_atomically(&file, DEMO.as_bytes())?;
    }
    Ok(file)
}

fn layout_file(project: &Path) -> PathBuf {
    project.with_file_name(LAYOUT)
}

/// Writes a layout; a folder that cannot be written keeps the old one.
fn saved_layout(file: &Path, layout: Option<&str>) -> Message {
    match layout.map_or(Ok(()), |text| files::write_atomically(file, text.as_bytes())) {
        Ok(()) => Message::Done,
        Err(error) => Message::Failed { doing: "The layout cannot be saved", error },
    }
}

/// A chart's title as the name of a file: `NDCG@10 by stage` becomes `ndcg-10-by-stage`.
fn file_name(title: &str) -> String {
    let words = title.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-").to_lowercase()
}
