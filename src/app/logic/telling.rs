//! Telling a user who looks elsewhere that a queue has ended or failed, or that a gate of the decision has flipped.

use std::sync::Arc;

use super::super::workbench::Workbench;
use crate::app::action::Action;
use crate::app::gate_watch::Asked;
use crate::app::message::Message;
use crate::app::queries::Request;
use crate::app::queries::decision::{Decided, baselines};
use crate::app::session::Session;
use crate::app::widgets::{Notice, Weight};
use crate::crash::reports;
use crate::run::Event;
use crate::run::observer::Level;
use crate::run::on_finished::{Occasion, OnFinished};

impl Workbench {
    /// Tells it by the ways that the user has set.
    pub(super) fn tell(&mut self, occasion: Occasion, message: &str) {
        let Some(session) = &self.session else { return };
        let (number, file, title) = (session.number, session.file.clone(), session.project().name.clone());
        if self.settings.notify {
            let (teller, message) = (Arc::clone(&self.services.teller), message.to_owned());
            self.spawn("notify", move || match teller.notify(&title, &message) {
                Ok(()) => Message::Done,
                Err(why) => Message::Said { session: number, text: format!("no notification of the desktop: {why}") },
            });
        }
        // What is no command was refused where it was typed.
        let Ok(command) = self.settings.on_finished.parse::<OnFinished>() else { return };
        let (teller, message) = (Arc::clone(&self.services.teller), message.to_owned());
        self.spawn("on_finished", move || match teller.run(&command, &file, occasion, &message) {
            Ok(()) => Message::Done,
            Err(error) => Message::Failed { doing: "The command of the settings did not work", error },
        });
    }

    /// Says once that the program crashed, where there is a report that is newer than the last one that was told of.
    pub(in crate::app) fn tell_crash(&mut self) {
        let reports = self.services.crash_folder.as_deref().map(reports::list).unwrap_or_default();
        let Some(newest) = reports.last() else { return };
        let name = newest.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // The moment stands first in their names.
        if name <= self.settings.crash_seen {
            return;
        }
        self.settings.crash_seen = name;
        self.save_settings();
        let words = "A report without your data says where. `peso doctor --bundle report.zip` packs it to be sent";
        let mut notice =
            Notice::new(Weight::Problem, "The program, or a worker of it, crashed").details(words).path(newest);
        if let Some(folder) = newest.parent() {
            notice = notice.offer("Open folder", Action::ShowFolder(folder.to_path_buf()));
        }
        self.notices.push(notice);
    }

    /// Writes a line of the window's own into the log.
    pub(super) fn said(&mut self, number: u64, text: String) {
        let unix = (self.services.clock)();
        if let Some(session) = self.session_numbered(number) {
            session.said.push(Event { unix, level: Level::Warning, text });
        }
    }

    /// Looks at the gates that the user has set whenever the runs have changed, and tells what flipped.
    pub(super) fn watch_gates(&mut self) {
        let Some(session) = &mut self.session else { return };
        let Some(query) = wanted(session, self.selection.baseline.as_deref()) else { return };
        match session.queries.get(&query).ready() {
            None if session.queries.was_requested(&query) => {}
            None => self.start_job(|queries| queries.begin(&Request::new(&query))),
            Some(_) if session.gates.known.as_ref().is_some_and(|(of, _)| *of == query) => {}
            Some(decision) => {
                if let Some(message) = session.gates.look(&query, decision) {
                    self.tell(Occasion::Decision, &message);
                }
            }
        }
    }
}

/// The decision that the project's gates ask for now; none while it has no gates, or runs are under way.
fn wanted(session: &mut Session, chosen: Option<&str>) -> Option<Decided> {
    if session.project().decision.is_none() || session.reading.is_some() || session.is_busy() {
        return None;
    }
    let revisions = [session.history.revision(), session.results_revision, session.rows_revision];
    if let Some((asked, query)) = &session.gates.asked
        && asked.revisions == revisions
        && chosen.is_none_or(|chosen| chosen == asked.baseline)
    {
        return Some(query.clone());
    }
    let names = baselines(&session.rows, session.project());
    let baseline = names.iter().find(|name| Some(name.as_str()) == chosen).or(names.first())?.clone();
    if names.len() < 2 {
        return None;
    }
    let (usual, measured) = (session.project().evaluation.protocol.first(), session.protocols());
    let protocol = if measured.contains(&usual) { usual } else { *measured.first()? };
    let query = Decided::of(&session.rows, Arc::new(session.project().clone()), baseline.clone(), protocol);
    session.gates.asked = Some((Asked { revisions, baseline }, query.clone()));
    Some(query)
}
