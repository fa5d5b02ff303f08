//! What runs will take: asked in a dialog, measured by another process that reads the project's file.

use std::sync::Arc;

use super::super::launcher::EstimateRequest;
use super::super::workbench::Workbench;
use crate::app::dialogs::estimate::{EstimateDialog, State};
use crate::app::dialogs::modal::Dialog;
use crate::app::message::Message;
use crate::budget::estimate::Estimate;
use crate::error::InputError;

impl Workbench {
    /// Asks what the runs will take that are not done, of those that are selected or of all.
    pub(super) fn ask_estimate(&mut self) {
        let Some(session) = &self.session else { return };
        // Without ids the other process takes all runs, which is shorter to say.
        let runs = match session.selected.is_empty() {
            true => Vec::new(),
            false => session.unfinished().map(|row| row.id.clone()).collect(),
        };
        let state = if session.unsaved() { State::Unsaved } else { State::Saving };
        self.estimates += 1;
        self.dialog = Some(Dialog::Estimate(EstimateDialog::new(self.estimates, runs, state)));
    }

    pub(super) fn save_and_estimate(&mut self) {
        if let Some(Dialog::Estimate(dialog)) = &mut self.dialog {
            dialog.state = State::Saving;
            self.save_project(None);
        }
    }

    /// Starts the measurement once the project is saved.
    pub(super) fn move_estimate(&mut self) {
        let (Some(Dialog::Estimate(dialog)), Some(session)) = (&mut self.dialog, &self.session) else { return };
        if !matches!(dialog.state, State::Saving) || session.saving {
            return;
        }
        if session.unsaved() {
            // The message on what went wrong is on screen already.
            dialog.state = State::Failed(InputError::new(&session.file, "the project was not saved"));
            return;
        }
        dialog.state = State::Pending;
        let (number, cancelled) = (dialog.number, Arc::clone(&dialog.cancelled));
        let request = EstimateRequest { project: session.file.clone(), runs: dialog.runs.clone(), cancelled };
        let launcher = Arc::clone(&self.services.launcher);
        self.spawn("estimate", move || Message::Estimated { number, result: launcher.estimate(&request) });
    }

    pub(super) fn estimated(&mut self, number: u64, result: Result<Option<Estimate>, InputError>) {
        let Some(Dialog::Estimate(dialog)) = &mut self.dialog else { return };
        if dialog.number == number {
            match result {
                Ok(Some(estimate)) => dialog.state = State::Ready(estimate),
                Ok(None) => self.dialog = None,
                Err(error) => dialog.state = State::Failed(error),
            }
        }
    }
}
