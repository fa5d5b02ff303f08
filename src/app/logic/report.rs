//! Reports: which file they go to, and the writing of them.

use std::path::{Path, PathBuf};

use crate::app::action::Action;
use crate::app::dialogs::modal::Dialog;
use crate::app::dialogs::report::ReportDialog;
use crate::app::message::{Message, WrittenReport};
use crate::app::widgets::{Notice, Weight};
use crate::app::workbench::Workbench;
use crate::error::InputError;
use crate::files;
use crate::report;
use crate::run::Status;

impl Workbench {
    pub(super) fn ask_report(&mut self) {
        let Some(session) = &self.session else { return };
        let folder = session.file.parent().unwrap_or(Path::new("."));
        let unfinished = session.runs.iter().filter(|run| run.status != Status::Finished);
        let unfinished = unfinished.map(|run| run.config.run.clone()).collect();
        let dialog = ReportDialog::new(folder, session.project().board.len(), unfinished);
        self.dialog = Some(Dialog::Report(dialog));
    }

    /// Writes the report of the project as it is in the window.
    pub(super) fn write_report(&mut self, path: PathBuf) {
        let Some(project) = self.session.as_ref().map(|session| session.project().clone()) else { return };
        self.notices.push(Notice::new(Weight::Hint, "The report is being written").path(path.clone()));
        self.spawn("write report", move || {
            let written = || {
                if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
                    files::create_folder(folder)?;
                }
                let reported = report::document(&project, &project.runs_dir(None))?;
                report::write(&reported.document, &path)?;
                let missing = reported.document.missing_letters();
                Ok(WrittenReport { path: path.clone(), left_out: reported.left_out, missing })
            };
            Message::Reported(written())
        });
    }

    pub(super) fn reported(&mut self, written: Result<WrittenReport, InputError>) {
        let WrittenReport { path, left_out, missing } = match written {
            Ok(written) => written,
            Err(error) => return self.give_back("The report cannot be written", error),
        };
        self.asked = None;
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let notice = Notice::new(Weight::Done, "The report was written").path(path);
        self.notices.push(notice.offer("Open folder", Action::ShowFolder(folder)));
        for problem in &left_out {
            self.notices.push(Notice::error("The report is written without a part", problem));
        }
        if let Some(missing) = missing {
            self.notices.push(Notice::new(Weight::Problem, missing));
        }
    }
}
