//! The queue, the runs, and which of them are selected.

use std::path::PathBuf;
use std::sync::Arc;

use super::super::launcher::Ended;
use super::super::session::{Row, RowState};
use super::super::widgets::{Notice, Weight, sentence};
use super::super::workbench::Workbench;
use crate::app::dock;
use crate::app::message::Message;
use crate::app::panels::view::View;
use crate::app::panels::{PanelEvent, runs};
use crate::error::InputError;
use crate::run::observer::Control;
use crate::run::on_finished::Occasion;
use crate::run::queue::{Entries, RunKey};
use crate::run::{RunFolder, Status};

impl Workbench {
    pub(super) fn enqueue(&mut self, wanted: impl Fn(&Row) -> bool) {
        let Some(session) = &mut self.session else { return };
        for row in session.rows.iter().filter(|row| wanted(row) && row.can_run()) {
            session.last_words.remove(&row.key);
            session.adding.push(row.key.clone());
        }
        session.arrange_rows();
    }

    /// Puts what was asked for into the queue, once the project is saved: workers read its file.
    pub(super) fn move_queue(&mut self) {
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
        // A worker that is on its way must find what was put there for it.
        let first = !session.working && !session.launching;
        session.launching |= first;
        session.arrange_rows();
        let (number, queue) = (session.number, session.queue_file());
        self.spawn("queue", move || {
            let dropped = if first { queue.drop_left_behind() } else { Ok(()) };
            let result = dropped.and_then(|()| queue.add(&runs)).map(|()| queue.needs_worker());
            Message::Queued { session: number, result }
        });
    }

    /// Starts a worker where the queue needs one, unless one is on its way.
    pub(super) fn queued(&mut self, number: u64, result: Result<bool, InputError>) {
        let Some(session) = self.session_numbered(number) else { return };
        match result {
            Ok(needs_worker) if session.working || !needs_worker => {}
            Ok(_) => {
                session.working = true;
                let (file, launcher) = (session.file.clone(), Arc::clone(&self.services.launcher));
                self.spawn("worker", move || Message::WorkerEnded { session: number, result: launcher.run(&file) });
            }
            Err(error) => {
                (session.queue, session.launching) = (Entries::default(), false);
                session.arrange_rows();
                self.notices.push(Notice::error("The run cannot be queued", &error));
            }
        }
    }

    pub(super) fn worker_ended(&mut self, number: u64, result: Result<Ended, InputError>) {
        let Some(session) = self.session_numbered(number) else { return };
        (session.working, session.launching) = (false, false);
        if let Some(watcher) = &session.watcher {
            watcher.look();
        }
        let entries = std::mem::take(&mut session.queue);
        let run = entries.current.or_else(|| entries.waiting.first().cloned());
        let title = run.as_ref().map_or("The worker was cut off".to_owned(), did_not_finish);
        let queue = session.queue_file();
        let (mut goes_on, mut failed) = (true, None);
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
                failed = Some(format!("{title}: {words}"));
                self.notices.push(Notice::new(Weight::Problem, title).details(words));
            }
            Err(error) => {
                goes_on = false;
                if let Some(run) = run {
                    session.last_words.insert(run, error.to_string());
                }
                failed = Some(format!("{title}: {error}"));
                self.notices.push(Notice::error(&title, &error));
            }
        }
        if let Some(session) = &mut self.session {
            session.arrange_rows();
        }
        if let Some(message) = failed {
            self.tell(Occasion::Failed, &message);
        }
        if goes_on {
            // Something may have been added while the worker was on its way out.
            self.spawn("queue", move || Message::Queued { session: number, result: Ok(queue.needs_worker()) });
        }
    }

    /// Says what the queue came to, once it has ended.
    pub(super) fn tell_queue_end(&mut self) {
        let now = (self.services.clock)();
        if let Some(end) = self.session.as_mut().and_then(|session| session.queue_end(now)) {
            let failures = self.session.as_mut().map(|session| std::mem::take(&mut session.failures));
            let (weight, occasion) = match end.has_failures() {
                true => (Weight::Problem, Occasion::Failed),
                false => (Weight::Awaited, Occasion::Finished),
            };
            let reason = failures.iter().flatten().next().filter(|_| end.has_failures());
            let message = reason.map_or_else(|| end.words(), |reason| format!("{}. {reason}", end.words()));
            self.notices.push(Notice::new(weight, end.words()));
            self.tell(occasion, &message);
        }
    }

    /// Says what cannot be read of the runs, once.
    pub(super) fn tell_unreadable(&mut self, number: u64, errors: &[InputError]) {
        let Some(session) = self.session_numbered(number) else { return };
        let new: Vec<InputError> = errors.iter().filter(|error| !session.unreadable.contains(error)).cloned().collect();
        for error in &new {
            self.notices.push(Notice::error("A file of the runs cannot be read", error));
        }
    }

    /// Looks at the queues of the recent projects, but for the open one.
    pub(in crate::app) fn watch_others(&self) {
        if let Some(watcher) = &self.others {
            let open = self.session.as_ref().map(|session| &session.file);
            watcher.watch(self.settings.recent.iter().filter(|file| Some(*file) != open).cloned().collect());
        }
    }

    /// Tells the workers of runs what the user wants.
    pub(super) fn control(&mut self, wanted: Control, concerned: impl Fn(&Row) -> bool) {
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

    pub(super) fn resume(&mut self, concerned: impl Fn(&Row) -> bool) {
        let paused = |row: &Row| row.state == RowState::Run(Status::Paused);
        self.control(Control::Run, |row| concerned(row) && paused(row));
        self.enqueue(|row| concerned(row) && row.can_resume() && !paused(row));
    }

    pub(super) fn stop(&mut self, concerned: impl Fn(&Row) -> bool) {
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
        self.control(Control::Stop, |row| concerned(row) && row.can_stop());
        if let Some(session) = &mut self.session {
            session.arrange_rows();
        }
    }

    pub(super) fn select(&mut self, id: String, keep: bool) {
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

    pub(super) fn select_these(&mut self, ids: Vec<String>) {
        if let Some(session) = &mut self.session {
            session.selected = ids.into_iter().collect();
            session.follow_curves();
        }
    }

    /// Brings the runs table to the front, with the runs of these experiments alone.
    pub(super) fn filter_runs(&mut self, experiments: Vec<String>) {
        let Some(session) = &mut self.session else { return };
        dock::show(&mut session.layout, View::of(&runs::VIEW));
        self.panels.receive(&PanelEvent::FilterRuns(experiments));
    }

    pub(super) fn select_none(&mut self) {
        if let Some(session) = &mut self.session {
            session.selected.clear();
            session.follow_curves();
        }
    }
}

pub(super) fn did_not_finish(run: &RunKey) -> String {
    format!("{}, seed {} did not finish", run.experiment, run.seed)
}
