//! The copies of edited projects that outlive the window, and the edits that an earlier window left.

use std::time::Instant;

use eframe::egui;

use super::super::autosave::{Left, Step};
use super::super::session::Session;
use super::super::widgets::{Notice, Weight, sentence};
use super::super::workbench::Workbench;
use crate::app::dialogs::modal::Dialog;
use crate::app::dialogs::restore::RestoreDialog;
use crate::app::message::Message;
use crate::error::InputError;
use crate::project::Project;

impl Workbench {
    /// Writes or removes the copy of the open project where it is time.
    pub(super) fn move_autosave(&mut self, ctx: &egui::Context) {
        // A copy that another window left stays until the user says what becomes of it.
        if matches!(self.dialog, Some(Dialog::Restore(_))) {
            return;
        }
        let Some(session) = &mut self.session else { return };
        let wanted = session.unsaved().then(|| session.history.revision());
        let (number, file) = (session.number, session.autosave.file());
        match session.autosave.step(wanted, Instant::now()) {
            Step::Nothing => {}
            Step::Wait(time) => ctx.request_repaint_after(time),
            Step::Write => {
                let project = session.project().clone();
                self.spawn("autosave", move || Message::Autosaved { session: number, result: file.write(&project) });
            }
            Step::Remove => {
                self.spawn("autosave", move || Message::Autosaved { session: number, result: file.remove() });
            }
        }
    }

    pub(super) fn autosaved(&mut self, number: u64, result: Result<(), InputError>) {
        let Some(session) = self.session_numbered(number) else { return };
        session.autosave.done();
        if let Err(error) = result {
            self.notices.push(Notice::error("Edits are not kept beside the project until it is saved", &error));
        }
    }

    /// Offers the edits that were left beside the project that was just opened, or says that they cannot be read.
    pub(super) fn offer_left(&mut self, left: Left) {
        match left {
            Left::Edits { project, unix } => {
                let now = (self.services.clock)();
                self.dialog = Some(Dialog::Restore(RestoreDialog::new(*project, unix, now)));
            }
            Left::Damaged { aside, error } => {
                let text = "Edits that were not saved were left here, but their copy is damaged";
                let details = format!("{}. It was set aside, and the project is as it was saved", error.problem);
                self.notices.push(Notice::new(Weight::Problem, text).details(sentence(&details)).path(aside));
            }
        }
    }

    /// Makes the edits that were left the present of the project; one step of undo takes all of them back.
    pub(super) fn restore(&mut self, project: Project) {
        self.edit(project, None);
        if let Some(session) = self.session.as_mut().filter(|session| session.unsaved()) {
            session.autosave.copied(session.history.revision());
        }
    }

    /// Removes the copy as the window closes, where all is saved. It stays where something ends the window unasked, and while
    /// it waits for the user's answer.
    pub(in crate::app) fn end_autosave(&self) {
        if let Some(session) = self.session.as_ref().filter(|session| !session.unsaved())
            && !matches!(self.dialog, Some(Dialog::Restore(_)))
        {
            // Nobody is left to be told; a copy of what is saved goes when the project is opened again.
            let _ = session.autosave.file().end();
        }
    }

    /// Removes the copy of edits that are discarded, those of this window or of an earlier one.
    pub(super) fn discard_left(&mut self) {
        self.told(|session| session.autosave.file().remove());
    }

    /// The same as the window closes: a copy that is on its way is not written any more.
    pub(super) fn discard_for_good(&mut self) {
        self.told(|session| session.autosave.file().end());
    }

    fn told(&mut self, remove: impl FnOnce(&Session) -> Result<(), InputError>) {
        if let Err(error) = self.session.as_ref().map_or(Ok(()), remove) {
            self.notices.push(Notice::error("The copy of the edits cannot be removed", &error));
        }
    }
}
