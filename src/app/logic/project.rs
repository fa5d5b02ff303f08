//! Opening, saving and leaving projects.

use std::path::{Path, PathBuf};

use eframe::egui;

use super::super::autosave;
use super::super::dock::{self, Arrangement};
use super::super::session::Session;
use super::super::tour::Tour;
use super::super::watch::Watcher;
use super::super::widgets::{Notice, Weight, counted, sentence};
use super::super::workbench::Workbench;
use crate::app::dialogs::dialog::Leaving;
use crate::app::dialogs::modal::Dialog;
use crate::app::dialogs::outside::OutsideDialog;
use crate::app::dialogs::unsaved::UnsavedDialog;
use crate::app::message::{Message, Opened};
use crate::app::panels::selection::Selection;
use crate::app::panels::view::View;
use crate::app::panels::{PanelEvent, Panels, data};
use crate::error::{InputError, io_words};
use crate::project::file::{Demo, FILE_NAME};
use crate::project::{Project, check, sweep_edit};
use crate::{files, pack};

/// Where the arrangement of the views is kept, in the project's folder.
const LAYOUT: &str = ".peso-layout.ron";
/// Largest layout file that is read.
const LARGEST_LAYOUT: u64 = 1 << 20;

impl Workbench {
    /// Does something that ends the session, asking first where changes would be lost.
    pub(super) fn leave(&mut self, leaving: Leaving) {
        if self.session.as_ref().is_some_and(Session::unsaved) {
            self.dialog = Some(Dialog::Unsaved(UnsavedDialog(leaving)));
        } else {
            self.left(leaving);
        }
    }

    pub(super) fn left(&mut self, leaving: Leaving) {
        match leaving {
            Leaving::Close => {
                self.tour = None;
                self.close_session();
                self.settings.last = None;
                self.save_settings();
            }
            Leaving::Quit => self.quit = true,
            Leaving::Open(path) => self.open_project(path),
            Leaving::New(new) => {
                self.opening = Some(new.folder.clone());
                self.spawn("write project", move || Message::NewWritten(new.write()));
            }
            Leaving::Demo(demo, folder) => {
                self.opening = Some(folder.clone());
                self.spawn("write demo", move || Message::DemoWritten(write_demo(demo, &folder)));
            }
        }
    }

    pub(super) fn close_requested(&mut self, ctx: &egui::Context) {
        if !self.may_close && self.session.as_ref().is_some_and(Session::unsaved) {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.dialog = Some(Dialog::Unsaved(UnsavedDialog(Leaving::Quit)));
        }
    }

    pub(super) fn close_session(&mut self) {
        if let Some(session) = self.session.take() {
            // All is saved or discarded by now.
            if let Err(error) = session.autosave.file().end() {
                self.notices.push(Notice::error("The copy of discarded edits cannot be removed", &error));
            }
            let (file, layout) = (layout_file(&session.file), dock::to_text(&session.layout));
            self.spawn("save layout", move || saved_layout(&file, layout.as_deref()));
        }
        self.panels = Panels::default();
        self.selection = Selection::default();
        self.chart = None;
        self.recent = Default::default();
        self.watch_others();
    }

    /// Writes the layout before the process ends; nothing is left to run a job then.
    pub(in crate::app) fn save_layout_now(&self) {
        if let Some(session) = &self.session {
            // The window is gone: a layout that cannot be saved has no reader left, and costs nothing but the arrangement
            let _ = saved_layout(&layout_file(&session.file), dock::to_text(&session.layout).as_deref());
        }
    }

    /// Reads a project in the background; it replaces the open one when it is read.
    pub(in crate::app) fn open_project(&mut self, path: PathBuf) {
        self.open(path, false);
    }

    /// The same for a project that was just written, with its data in front.
    pub(super) fn open_new_project(&mut self, path: PathBuf) {
        self.open(path, true);
    }

    /// The same for the demo; who sees it for the first time is shown around.
    pub(super) fn open_demo(&mut self, path: PathBuf) {
        if !self.settings.tour_seen {
            self.tour = Some(Tour::default());
        }
        self.open(path, false);
    }

    pub(super) fn start_tour(&mut self) {
        self.tour = Some(Tour::default());
    }

    /// Ends the tour, taken or skipped; it does not begin by itself again.
    pub(in crate::app) fn end_tour(&mut self) {
        self.tour = None;
        if !self.settings.tour_seen {
            self.settings.tour_seen = true;
            self.save_settings();
        }
    }

    fn open(&mut self, path: PathBuf, new: bool) {
        if path.is_file() && path.extension().is_some_and(|ending| ending == pack::ENDING) {
            return self.ask_unpack(path);
        }
        self.opening = Some(path.clone());
        self.spawn("open project", move || {
            Message::Opened(read_project(&path).map(|opened| Box::new(Opened { new, ..opened })))
        });
    }

    /// Opens a project that was read. One that names files outside its folder, and that was not opened with them here, may come
    /// from anybody: the user sees them first.
    pub(super) fn open_if_known(&mut self, opened: Box<Opened>) {
        let accepted = self.settings.known(&opened.file).map_or(&[][..], |known| &known.accepted);
        if opened.new || opened.outside.iter().all(|(named, _)| accepted.contains(&named.path)) {
            self.opened(*opened);
        } else {
            self.opening = None;
            self.asked = None;
            self.dialog = Some(Dialog::Outside(OutsideDialog { opened }));
        }
    }

    pub(super) fn opened(&mut self, opened: Opened) {
        self.close_session();
        self.opening = None;
        self.asked = None;
        self.start = Default::default();
        self.settings.remember(&opened.file, &opened.project, (self.services.clock)());
        self.settings.last = Some(opened.file.clone());
        self.save_settings();
        self.sessions += 1;
        let number = self.sessions;
        let runs_folder = opened.project.runs_dir(None);
        let name = opened.project.name.clone();
        let mut layout = opened.layout.unwrap_or_else(|| Arrangement::Explore.layout());
        if opened.new {
            dock::show(&mut layout, View::of(&data::VIEW));
            self.panels.receive(&PanelEvent::ProjectCreated);
        }
        let mut session = Session::new(number, opened.file, opened.project, layout);
        session.missing = opened.missing;
        let wrap = move |snapshot| Message::Runs { session: number, snapshot };
        match Watcher::start(name, runs_folder, self.background.outbox(), wrap) {
            Ok(watcher) => session.watcher = Some(watcher),
            Err(error) => {
                // Nobody is going to read them, so nothing is worth waiting for.
                session.reading = None;
                session.arrange_rows();
                let text = format!("The runs cannot be followed: {}", io_words(&error));
                self.notices.push(
                    Notice::new(Weight::Problem, text).details("Close other programs and open the project again"),
                );
            }
        }
        self.session = Some(session);
        self.tell_missing();
        self.watch_others();
        self.thumbnail = Default::default();
        if let Some(left) = opened.left {
            self.offer_left(left);
        }
    }

    pub(super) fn save_project(&mut self, then: Option<Leaving>) {
        let Some(session) = &mut self.session else { return };
        session.saving = true;
        let (number, project, file) = (session.number, Box::new(session.project().clone()), session.file.clone());
        self.spawn("save project", move || Message::Saved {
            session: number,
            result: project.save(&file),
            project,
            then,
        });
    }

    pub(super) fn saved(
        &mut self,
        number: u64,
        project: Project,
        result: Result<(), InputError>,
        then: Option<Leaving>,
    ) {
        let Some(session) = self.session_numbered(number) else { return };
        session.saving = false;
        match result {
            Ok(()) => {
                let file = session.file.clone();
                session.saved = project;
                let named = session.saved.paths();
                if self.settings.accept(&file, &named) {
                    self.save_settings();
                }
                if let Some(leaving) = then {
                    self.leave(leaving);
                }
            }
            Err(error) => {
                session.adding.clear();
                session.arrange_rows();
                self.notices.push(Notice::error("The project cannot be saved", &error));
            }
        }
    }

    /// Makes the project this. What its sweeps lost by the edit is taken out of them, and the user told; a project that
    /// could not be opened again is refused. So whatever is saved can be opened.
    pub(super) fn edit(&mut self, mut project: Project, key: Option<u64>) {
        let Some(session) = &mut self.session else { return };
        let mended = sweep_edit::mend(&mut project);
        match mended.and_then(|taken| check::check(&project).map(|()| taken)) {
            Ok(taken) => {
                let (seeds, started) = (all_seeds(session.project()), session.started());
                session.history.change(project, key);
                session.arrange_rows();
                let kept = started.difference(&session.started()).count();
                if kept > 0 && all_seeds(session.project()) != seeds {
                    let notice = Notice::new(Weight::Done, format!("{} kept", counted(kept, "earlier run")));
                    self.notices.push(notice.details(
                        "The project no longer asks for their seeds. They stay in the runs table, and All seeds in Compare shows them",
                    ));
                }
                if !taken.is_empty() {
                    let notice = Notice::new(Weight::Problem, sentence(&taken.join("; ")));
                    self.notices.push(notice.details("What was swept went with this change; Undo brings both back"));
                }
            }
            Err(bad) => {
                let text = format!("The change is not made: {}", bad.problem);
                self.notices.push(Notice::new(Weight::Problem, text).details(sentence(&bad.advice)));
            }
        }
    }
}

/// The seeds of the project, and of each experiment.
fn all_seeds(project: &Project) -> Vec<Vec<u64>> {
    let own = project.experiments.iter().map(|experiment| project.seeds_of(experiment).to_vec());
    std::iter::once(project.seeds.clone()).chain(own).collect()
}

/// Reads a project and the layout beside it.
fn read_project(path: &Path) -> Result<Opened, InputError> {
    let file = if path.is_dir() { path.join(FILE_NAME) } else { path.to_path_buf() };
    // Recent projects must be found again from any working folder.
    let file = std::path::absolute(&file).unwrap_or(file);
    let project = Project::load(&file)?;
    let layout = files::read_text(&layout_file(&file), LARGEST_LAYOUT).ok().and_then(|text| dock::from_text(&text));
    let left = autosave::left_beside(&file, &project);
    // Of a bundle nothing is read that is not in it.
    let own = !project.read_only;
    let missing = if own { pack::missing(&project) } else { Vec::new() };
    let mut outside = if own { project.outside() } else { Vec::new() };
    // What is missing is told otherwise.
    outside.retain(|(named, _)| missing.iter().all(|missing| missing.named != *named));
    Ok(Opened { file, project, layout, new: false, left, missing, outside })
}

/// Writes a demo project into a folder, unless one is there already, and gives the project file.
fn write_demo(demo: Demo, folder: &Path) -> Result<PathBuf, InputError> {
    let file = folder.join(FILE_NAME);
    if !file.exists() {
        files::create_folder(folder)?;
        files::write_atomically(&file, demo.text().as_bytes())?;
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
