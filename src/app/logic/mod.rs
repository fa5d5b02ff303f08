//! What the window does: messages from background jobs come in, actions are carried out, the queue moves on.

mod board;
mod drafts;
mod dropped;
mod estimates;
mod files;
mod layouts;
mod marks;
mod model;
mod packing;
mod presenting;
mod project;
mod recent;
mod report;
mod reveal;
mod runs;
mod steering;
mod telling;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui;

use self::reveal::Direction;
use self::runs::did_not_finish;

use super::action::{Action, SweepOf};
use super::command::{Command, READ_ONLY};
use super::dialogs::about::AboutDialog;
use super::dialogs::desktop::FileDialog;
use super::dialogs::dialog::{DialogAction, Leaving, MethodPurpose, PathPurpose};
use super::dialogs::method_picker::MethodPicker;
use super::dialogs::modal::Dialog;
use super::dialogs::outside::OutsideDialog;
use super::dialogs::palette::Palette;
use super::dialogs::settings::SettingsDialog;
use super::dialogs::shortcuts::ShortcutsDialog;
use super::dialogs::sweep_editor::SweepEditor;
use super::dock;
use super::message::Message;
use super::queries::{Job, Queries};
use super::session::Session;
use super::settings::ThemeChoice;
use super::widgets::{Notice, Weight, sentence};
use super::workbench::Workbench;
use crate::error::{InputError, io_words};
use crate::method::MethodOptions;
use crate::plot::screen;
use crate::project::edits::change::Place;
use crate::project::edits::{experiments, sweeps};
use crate::project::file::Demo;
use crate::run::observer::Control;
use crate::run::queue::RunKey;

/// Time a frame may spend on messages.
const PATIENCE: Duration = Duration::from_millis(10);
const ZOOM_STEP: f32 = 1.1;

impl Workbench {
    /// Takes in what arrived since the last frame and lets the queue move on.
    pub(super) fn take_in(&mut self, ctx: &egui::Context) {
        let start = Instant::now();
        while let Some(message) = self.background.next() {
            self.handle(ctx, message);
            if start.elapsed() >= PATIENCE {
                ctx.request_repaint();
                break;
            }
        }
        self.move_queue();
        self.tell_queue_end();
        self.watch_gates();
        self.move_estimate();
        self.move_autosave(ctx);
        self.look_at_recent();
        if let Some(missing) = self.fonts.news() {
            self.notices.push(Notice::new(Weight::Hint, missing));
        }
        if ctx.input(|input| input.viewport().close_requested()) {
            self.close_requested(ctx);
        }
        if std::mem::take(&mut self.quit) {
            self.may_close = true;
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    fn handle(&mut self, ctx: &egui::Context, message: Message) {
        match message {
            Message::Opened(Ok(opened)) => self.open_if_known(opened),
            Message::Opened(Err(error)) => self.refused("The project cannot be opened", error),
            Message::DemoWritten(Ok(file)) => self.open_demo(file),
            Message::DemoWritten(Err(error)) => self.refused("The demo cannot be written", error),
            Message::NewWritten(Ok(file)) => self.open_new_project(file),
            Message::NewWritten(Err(error)) => self.refused("The project cannot be written", error),
            Message::Dropped { path, what } => self.dropped(path, what),
            Message::Saved { session, project, result, then } => self.saved(session, *project, result, then),
            Message::Autosaved { session, result } => self.autosaved(session, result),
            Message::RecentSeen(looks) => self.recent.seen(looks),
            Message::Pictured => self.thumbnail.done(),
            Message::PathChosen { asked, path, took } => self.path_chosen(&asked, path, took),
            Message::PackLooked { number, kind, result } => self.pack_looked(number, kind, result),
            Message::Packed { number, to, result } => self.packed(number, to, result),
            Message::ManifestRead { number, result } => self.manifest_read(number, result),
            Message::Unpacked { number, result } => self.unpacked(number, result),
            Message::Located { number, found, result } => self.located(number, found, result),
            Message::Exported(Ok(path)) => {
                self.asked = None;
                let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
                let notice = Notice::new(Weight::Done, "The chart was written").path(path);
                self.notices.push(notice.offer("Open folder", Action::ShowFolder(folder)));
            }
            Message::Exported(Err(error)) => self.give_back("The chart cannot be written", error),
            Message::BoardExported(result) => self.board_exported(result),
            Message::Reported(written) => self.reported(written),
            Message::Previewed(made) => self.previewed(ctx, made),
            Message::ChartDrawn(drawn) => self.chart_drawn(ctx, drawn),
            Message::Failed { doing, error } => self.notices.push(Notice::error(doing, &error)),
            Message::Done => {}
            Message::Said { session, text } => self.said(session, text),
            Message::Runs { session, snapshot } => {
                self.tell_unreadable(session, &snapshot.unreadable);
                let failed = self.session_numbered(session).map(|open| open.take(snapshot)).unwrap_or_default();
                self.draw_thumbnail();
                for run in failed {
                    let key = RunKey { experiment: run.config.experiment.clone(), seed: run.config.seed };
                    let reason = sentence(run.reason.as_deref().unwrap_or("No reason was recorded"));
                    if let Some(open) = self.session_numbered(session) {
                        open.failures.push(format!("{}: {reason}", did_not_finish(&key)));
                    }
                    self.notices.push(Notice::new(Weight::Problem, did_not_finish(&key)).details(reason));
                }
            }
            Message::OtherQueues(queues) => self.other_queues = queues,
            Message::Marked { session, change, result } => self.marked(session, &change, result),
            Message::Deleted { session, deleted, failed } => self.deleted(session, deleted, &failed),
            Message::RunsRestored { session, result } => self.runs_restored(session, result),
            Message::Estimated { number, result } => self.estimated(number, result),
            Message::Computed { session, job, outcome } => {
                if let Some(open) = self.session_numbered(session) {
                    open.queries.finish(job, outcome);
                }
            }
            Message::Queued { session, result } => self.queued(session, result),
            Message::WorkerEnded { session, result } => self.worker_ended(session, result),
            Message::Steered { session, number, line } => self.steered(session, number, &line),
            Message::SteeringEnded { session, number, result } => self.steering_ended(session, number, result),
            Message::SteeredExported(result) => self.steered_exported(result),
        }
    }

    /// The open session, if it is still the one that a message is for.
    fn session_numbered(&mut self, number: u64) -> Option<&mut Session> {
        self.session.as_mut().filter(|session| session.number == number)
    }

    /// Runs a job in the background; that this fails is rare enough for one message.
    fn spawn(&mut self, name: &str, job: impl FnOnce() -> Message + Send + 'static) {
        if let Err(error) = self.background.spawn(name, job) {
            let text = format!("The system refuses to start another thread: {}", io_words(&error));
            self.notices.push(Notice::new(Weight::Problem, text).details("Close other programs and try again"));
        }
    }

    /// Carries out what a panel asked for.
    pub(super) fn perform(&mut self, ctx: &egui::Context, action: Action) {
        if action.changes_project() && self.session.as_ref().is_some_and(|session| session.project().read_only) {
            self.notices.push(Notice::new(Weight::Hint, READ_ONLY));
            return;
        }
        match action {
            Action::Command(command) => self.command(ctx, command),
            Action::Open(path) => self.leave(Leaving::Open(path)),
            Action::Browse(question) => self.ask_desktop(question),
            Action::Drop(path) => self.look_at_dropped(path),
            Action::Forget(path) => {
                self.settings.forget(&path);
                self.save_settings();
            }
            Action::Pin(chart, figure) => self.pin(ctx, &chart, *figure),
            Action::ExportBoard(format) => self.ask_path(PathPurpose::BoardFolder(format), None),
            Action::Present(from) => self.start_presentation(ctx, from),
            Action::Export(chart) => self.ask_export(ctx, &chart),
            Action::ShowFolder(folder) => self.show_folder(folder),
            Action::CopyData(chart) => self.copy_data(ctx, &screen::as_seen(ctx, &chart)),
            Action::NamedLayout(action) => self.named_layout(action),
            Action::Compute(request) => self.start_job(|queries| queries.begin(&request)),
            Action::Renew(request) => self.start_job(|queries| queries.renew(&request)),
            Action::Retry(request) => self.start_job(|queries| {
                queries.retry(&request);
                queries.begin(&request)
            }),
            Action::Cancel(request) => {
                if let Some(session) = &self.session {
                    session.queries.cancel(&request);
                }
            }
            Action::Steer(action) => self.steer(action),
            Action::Run(ids) => self.enqueue(|row| ids.contains(&row.id)),
            Action::Pause(ids) => self.control(Control::Pause, |row| ids.contains(&row.id) && row.can_pause()),
            Action::Resume(ids) => self.resume(|row| ids.contains(&row.id)),
            Action::Stop(ids) => self.stop(|row| ids.contains(&row.id)),
            Action::Select { id, keep } => self.select(id, keep),
            Action::SelectNone => self.select_none(),
            Action::SelectThese(ids) => self.select_these(ids),
            Action::FilterRuns(experiments) => self.filter_runs(experiments),
            Action::Mark(change, ids) => self.mark_runs(change, ids),
            Action::EditMarks(ids) => self.ask_marks(ids),
            Action::DeleteRuns(ids) => self.delete_runs(&ids),
            Action::ShowArchived(shown) => self.show_archived(shown),
            Action::ChooseColumns(columns) => {
                self.settings.run_columns = columns;
                self.save_settings();
            }
            Action::PickMethod(purpose) => self.pick_method(purpose),
            Action::EditSweep(which) => self.edit_sweep(which),
            Action::Edit { project, key } => self.edit(*project, key),
            Action::ShowTab(view, title) => {
                self.panels.show_tab(view, title);
                self.command(ctx, Command::Show(view));
            }
            Action::Reveal(place) => self.reveal(ctx, place, None),
            Action::EditDone => {
                if let Some(session) = &mut self.session {
                    session.history.close();
                }
            }
        }
    }

    fn command(&mut self, ctx: &egui::Context, command: Command) {
        if let Some(obstacle) = command.obstacle(&self.situation()) {
            // A key that does nothing says why.
            self.notices.push(Notice::new(Weight::Hint, format!("{}: {obstacle}", command.text())));
            return;
        }
        match command {
            Command::NewProject => self.ask_new_project(None),
            Command::OpenDemo => self.ask_path(PathPurpose::DemoFolder(Demo::Drift), None),
            Command::OpenLongUpdates => self.ask_path(PathPurpose::DemoFolder(Demo::LongUpdates), None),
            Command::OpenProject => self.ask_desktop(FileDialog::OpenProject),
            Command::OpenPath => self.ask_path(PathPurpose::OpenProject, None),
            Command::SaveProject => self.save_project(None),
            Command::Pack => self.ask_pack(),
            Command::Locate => self.ask_locate(),
            Command::CloseProject => self.leave(Leaving::Close),
            Command::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Command::Undo => self.travel(ctx, Direction::Undo),
            Command::Redo => self.travel(ctx, Direction::Redo),
            Command::UndoRuns => self.undo_runs(),
            Command::AddExperiment => self.pick_method(MethodPurpose::Add),
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
                    self.ask_export(ctx, &chart);
                }
            }
            Command::PinChart => {
                if let Some((chart, figure)) = self.pinnable_chart().cloned() {
                    self.pin(ctx, &chart, figure);
                }
            }
            Command::Present => self.start_presentation(ctx, None),
            Command::Report => self.ask_report(),
            Command::CopyChartImage => self.copy_shown_image(ctx),
            Command::CopyChartData => {
                if let Some(chart) = self.chart.clone() {
                    self.perform(ctx, Action::CopyData(chart));
                }
            }
            Command::Show(view) => {
                self.rearrange(|layout| dock::show(layout, view));
                dock::enter(ctx, view);
            }
            Command::Arrange(arrangement) => self.rearrange(|layout| *layout = arrangement.layout()),
            Command::Maximise => self.rearrange(dock::toggle_maximised),
            Command::FoldViews => self.rearrange(dock::fold),
            Command::StepTab(step) => {
                self.rearrange(|layout| dock::step(layout, step));
                let shown = self.session.as_ref().and_then(|session| dock::current(&session.layout));
                shown.iter().for_each(|view| dock::enter(ctx, *view));
            }
            Command::ThemeLight => self.set_theme(ctx, ThemeChoice::Light),
            Command::ThemeDark => self.set_theme(ctx, ThemeChoice::Dark),
            Command::ThemeSystem => self.set_theme(ctx, ThemeChoice::System),
            Command::ZoomIn => self.set_zoom(ctx, self.settings.zoom * ZOOM_STEP),
            Command::ZoomOut => self.set_zoom(ctx, self.settings.zoom / ZOOM_STEP),
            Command::ZoomReset => self.set_zoom(ctx, 1.0),
            Command::Palette => {
                let (tabs, layouts) = (self.panels.tabs(), &self.settings.layouts);
                self.palette = Some(Palette::new(ctx, &self.situation(), self.session.as_ref(), &tabs, layouts));
            }
            Command::Tour => self.start_tour(),
            Command::Shortcuts => self.dialog = Some(Dialog::Shortcuts(ShortcutsDialog::default())),
            Command::Settings => {
                let documents = self.services.documents_folder.clone();
                self.dialog = Some(Dialog::Settings(Box::new(SettingsDialog::new(self.settings.clone(), documents))));
            }
            Command::About => self.dialog = Some(Dialog::About(AboutDialog)),
        }
    }

    /// Does what the open dialog asks for.
    pub(super) fn perform_dialog(&mut self, ctx: &egui::Context, action: DialogAction) {
        match action {
            DialogAction::Browse => self.browse(),
            DialogAction::Cancel => {
                // A form that waited behind the question about changes comes back.
                let question = matches!(self.dialog, Some(Dialog::Unsaved(_)));
                self.dialog = if question { self.asked.take() } else { None };
            }
            DialogAction::Path(PathPurpose::OpenProject, path) => self.ask_to_leave(Leaving::Open(path)),
            DialogAction::Path(PathPurpose::DemoFolder(demo), path) => self.ask_to_leave(Leaving::Demo(demo, path)),
            DialogAction::Path(PathPurpose::BoardFolder(format), path) => {
                self.asked = self.dialog.take();
                self.export_board(ctx, &path, format);
            }
            DialogAction::Path(PathPurpose::SteeredAdapter, path) => {
                self.asked = self.dialog.take();
                self.export_steered(path);
            }
            DialogAction::BrowseFor(question) => self.ask_desktop(question),
            DialogAction::New(new) => self.ask_to_leave(Leaving::New(new)),
            DialogAction::Restore(project) => {
                self.dialog = None;
                self.restore(*project);
            }
            DialogAction::DiscardLeft => {
                self.dialog = None;
                self.discard_left();
            }
            DialogAction::Settings(settings) => {
                self.dialog = None;
                self.change_settings(ctx, |now| *now = *settings);
            }
            DialogAction::Export(export) => {
                self.asked = self.dialog.take();
                self.export(ctx, *export);
            }
            DialogAction::Report(path) => {
                self.asked = self.dialog.take();
                self.write_report(path);
            }
            DialogAction::CopyImage(export) => {
                self.dialog = None;
                self.draw_for_clipboard(ctx, *export);
            }
            DialogAction::Preview(of) => self.preview(*of),
            DialogAction::Method(purpose, method) => {
                self.dialog = None;
                self.use_method(ctx, purpose, method);
            }
            DialogAction::Sweep(place, sweep) => {
                self.dialog = None;
                let with = |session: &Session| sweeps::with_sweep(session.project(), place, *sweep);
                if let Some(project) = self.session.as_ref().map(with) {
                    self.edit(project, None);
                }
            }
            DialogAction::Mark(ids, change) => {
                self.dialog = None;
                self.mark_runs(change, ids);
            }
            DialogAction::LookAtPack(kind) => self.look_at_pack(kind),
            DialogAction::Pack(contents, to) => self.pack(contents, to),
            DialogAction::Unpack(to) => self.unpack(to),
            DialogAction::Compare(found) => self.compare_located(found),
            DialogAction::Located(found) => self.use_located(found),
            DialogAction::ReadOutside => {
                if let Some(Dialog::Outside(OutsideDialog { opened })) = self.dialog.take() {
                    self.opened(*opened);
                }
            }
            DialogAction::ShowFolder(folder) => {
                self.dialog = None;
                self.show_folder(folder);
            }
            DialogAction::SaveAndEstimate => self.save_and_estimate(),
            DialogAction::SaveAnd(leaving) => {
                self.dialog = None;
                self.save_project(Some(leaving));
            }
            DialogAction::DiscardAnd(leaving) => {
                self.dialog = None;
                match leaving {
                    Leaving::Quit => self.discard_for_good(),
                    _ => self.discard_left(),
                }
                self.left(leaving);
            }
        }
    }

    /// Computes a query in the background, where there is one to begin now.
    fn start_job(&mut self, begin: impl FnOnce(&mut Queries) -> Option<Job>) {
        let Some(session) = &mut self.session else { return };
        if let Some(job) = begin(&mut session.queries) {
            let (number, launcher) = (session.number, Arc::clone(&self.services.launcher));
            self.spawn("query", move || {
                let outcome = job.compute(launcher.as_ref());
                Message::Computed { session: number, job: job.number(), outcome }
            });
        }
    }

    fn edit_sweep(&mut self, which: SweepOf) {
        let Some(project) = self.session.as_ref().map(|session| session.project().clone()) else { return };
        let editor = match which {
            SweepOf::Experiment(name) => Some(SweepEditor::new(project, name)),
            SweepOf::Index(index) => SweepEditor::of(project, index),
        };
        self.dialog = editor.map(|editor| Dialog::Sweep(Box::new(editor)));
    }

    fn pick_method(&mut self, purpose: MethodPurpose) {
        self.dialog = Some(Dialog::Method(MethodPicker::new(purpose)));
    }

    fn use_method(&mut self, ctx: &egui::Context, purpose: MethodPurpose, method: MethodOptions) {
        let Some(session) = &self.session else { return };
        let project = match purpose {
            MethodPurpose::Add => experiments::with_experiment(session.project(), method),
            MethodPurpose::Change(place) => experiments::with_method(session.project(), place, method),
        };
        let added = project.experiments.last().filter(|_| matches!(purpose, MethodPurpose::Add));
        let added = added.map(|experiment| Place::Experiment(experiment.name.clone()));
        self.edit(project, None);
        if let Some(place) = added {
            self.reveal(ctx, place, None);
        }
    }

    /// Does what the open form asks for; it comes back if that cannot be done.
    fn ask_to_leave(&mut self, leaving: Leaving) {
        self.asked = self.dialog.take();
        self.leave(leaving);
    }

    /// Says why something could not be opened or written: in the form that asked for it, with all that was typed, else in a
    /// message.
    fn refused(&mut self, doing: &'static str, error: InputError) {
        (self.opening, self.tour) = (None, None);
        if self.session.is_none() && self.start.is_asking() {
            self.start.refuse(error);
        } else {
            self.give_back(doing, error);
        }
    }

    /// Gives the form back whose request failed, with the reason; where there is none, a message says it.
    fn give_back(&mut self, doing: &'static str, error: InputError) {
        match self.asked.take() {
            Some(mut form) if self.dialog.is_none() => {
                form.refuse(error);
                self.dialog = Some(form);
            }
            _ => self.notices.push(Notice::error(doing, &error)),
        }
    }
}
