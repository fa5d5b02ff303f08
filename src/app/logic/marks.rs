//! What is said of runs, and which are deleted: changed in the background, told, and taken back.

use std::path::PathBuf;

use super::super::action::Action;
use super::super::command::Command;
use super::super::session::{RunsChange, Session};
use super::super::widgets::{Notice, Weight, counted};
use super::super::workbench::Workbench;
use crate::app::dialogs::marks::MarksDialog;
use crate::app::dialogs::modal::Dialog;
use crate::app::message::Message;
use crate::error::InputError;
use crate::run::marks::{Mark, MarkChange, Marks, MarksFile};
use crate::run::trash::{self, Deleted};

/// Changes of runs that can be taken back.
const LIMIT: usize = 50;

impl Workbench {
    pub(super) fn ask_marks(&mut self, ids: Vec<String>) {
        if let Some(session) = &self.session {
            self.dialog = Some(Dialog::Marks(MarksDialog::new(ids, &session.marks)));
        }
    }

    pub(super) fn mark_runs(&mut self, change: MarkChange, ids: Vec<String>) {
        let Some(session) = &self.session else { return };
        let (number, file) = (session.number, MarksFile::new(&session.project().runs_dir(None)));
        self.spawn("mark runs", move || {
            let apply = |marks: &mut Marks| {
                ids.iter().for_each(|id| marks.set(id, change.applied(marks.of(id).clone())));
            };
            let result = file.change(apply).map(|before| of_runs(&before, &ids));
            Message::Marked { session: number, change, result }
        });
    }

    pub(super) fn marked(&mut self, number: u64, change: &MarkChange, result: Result<Vec<(String, Mark)>, InputError>) {
        let Some(session) = self.session_numbered(number) else { return };
        match result {
            Ok(before) => {
                let runs = counted(before.len(), "run");
                session.changed(RunsChange::Marked(before));
                // What stays in sight needs no message.
                if let MarkChange::Archive(on) = change {
                    let done = if *on { "archived" } else { "taken out of the archive" };
                    self.notices.push(
                        Notice::new(Weight::Done, format!("{runs} {done}"))
                            .offer("Undo", Action::Command(Command::UndoRuns)),
                    );
                }
            }
            Err(error) => self.notices.push(Notice::error("The runs cannot be marked", &error)),
        }
    }

    pub(super) fn delete_runs(&mut self, ids: &[String]) {
        let Some(session) = &self.session else { return };
        let rows = session.all_rows().filter(|row| ids.contains(&row.id));
        let folders: Vec<PathBuf> = rows.filter_map(|row| Some(row.run.as_ref()?.folder.clone())).collect();
        let (number, runs_dir) = (session.number, session.project().runs_dir(None));
        self.spawn("delete runs", move || {
            let (deleted, failed): (Vec<_>, Vec<_>) =
                folders.iter().map(|folder| trash::delete(&runs_dir, folder)).partition(Result::is_ok);
            Message::Deleted {
                session: number,
                deleted: deleted.into_iter().flatten().collect(),
                failed: failed.into_iter().filter_map(Result::err).collect(),
            }
        });
    }

    pub(super) fn deleted(&mut self, number: u64, deleted: Vec<Deleted>, failed: &[InputError]) {
        let Some(session) = self.session_numbered(number) else { return };
        if !deleted.is_empty() {
            let text = format!("{} deleted", counted(deleted.len(), "run"));
            session.changed(RunsChange::Deleted(deleted));
            let notice =
                Notice::new(Weight::Done, text).details("They are in the trash of the runs until it is emptied");
            self.notices.push(notice.offer("Undo", Action::Command(Command::UndoRuns)));
        }
        for error in failed {
            self.notices.push(Notice::error("A run cannot be deleted", error));
        }
    }

    /// Takes back the last change of runs.
    pub(super) fn undo_runs(&mut self) {
        let Some(session) = &mut self.session else { return };
        let Some(change) = session.changes.pop() else { return };
        let (number, file) = (session.number, MarksFile::new(&session.project().runs_dir(None)));
        self.spawn("undo change of runs", move || {
            let result = match change {
                RunsChange::Marked(before) => {
                    file.change(|marks| before.into_iter().for_each(|(run, mark)| marks.set(&run, mark))).map(drop)
                }
                RunsChange::Deleted(runs) => runs.iter().try_for_each(Deleted::restore),
            };
            Message::RunsRestored { session: number, result }
        });
    }

    pub(super) fn runs_restored(&mut self, number: u64, result: Result<(), InputError>) {
        let Some(session) = self.session_numbered(number) else { return };
        session.look();
        if let Err(error) = result {
            self.notices.push(Notice::error("The change of runs cannot be taken back", &error));
        }
    }

    pub(super) fn show_archived(&mut self, shown: bool) {
        if let Some(session) = &mut self.session {
            session.archived_shown = shown;
            if let Some(watcher) = &session.watcher {
                watcher.show_archived(shown);
            }
            session.arrange_rows();
        }
    }
}

impl Session {
    /// Remembers a change of runs, and has them looked at.
    fn changed(&mut self, change: RunsChange) {
        self.changes.push(change);
        if self.changes.len() > LIMIT {
            self.changes.remove(0);
        }
        self.look();
    }

    fn look(&self) {
        if let Some(watcher) = &self.watcher {
            watcher.look();
        }
    }
}

fn of_runs(marks: &Marks, ids: &[String]) -> Vec<(String, Mark)> {
    ids.iter().map(|id| (id.clone(), marks.of(id).clone())).collect()
}
