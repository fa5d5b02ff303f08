//! The recent projects on the start page, and the picture of the open one.

use std::sync::Arc;
use std::time::Instant;

use super::super::recent::{self, RecentLook};
use super::super::workbench::Workbench;
use crate::app::message::Message;

impl Workbench {
    /// Looks at the recent projects while the start page shows them.
    pub(super) fn look_at_recent(&mut self) {
        if self.session.is_some() || self.opening.is_some() {
            return;
        }
        let Some(files) = self.recent.ask(&self.settings.recent) else { return };
        let configuration = self.services.configuration_folder.clone();
        self.spawn("look at recent projects", move || {
            let look = |file| RecentLook::at(file, configuration.as_deref());
            Message::RecentSeen(files.into_iter().map(look).collect())
        });
    }

    /// Draws the picture of the open project where its results are new.
    pub(super) fn draw_thumbnail(&mut self) {
        let (Some(session), Some(configuration)) = (&self.session, &self.services.configuration_folder) else { return };
        let results = Arc::clone(session.results(session.project().evaluation.protocol.first()));
        if results.runs.is_empty() || !self.thumbnail.is_due(session.results_revision, Instant::now()) {
            return;
        }
        let (project, file, configuration) = (session.project().clone(), session.file.clone(), configuration.clone());
        self.spawn("draw a picture of the project", move || {
            // A start page without the picture has a plain place for it
            let _ = recent::draw(&project, &results, &file, &configuration);
            Message::Pictured
        });
    }
}
