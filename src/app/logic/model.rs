//! The base model and the adapter that a project begins with.

use std::path::PathBuf;

use super::super::dock;
use super::super::session::Session;
use super::super::workbench::Workbench;
use crate::app::dialogs::desktop::FileDialog;
use crate::app::panels::model;
use crate::app::panels::view::View;
use crate::model::{BaseModel, Start};
use crate::project::Project;
use crate::project::edits::model as edits;

impl Workbench {
    /// Takes what was chosen in a dialog into the project.
    pub(super) fn use_answer(&mut self, question: &FileDialog, path: PathBuf) {
        match question {
            FileDialog::ModelFolder { .. } => self.use_base(BaseModel::HuggingFace(path)),
            FileDialog::ModelFile { .. } => self.use_base(BaseModel::Gguf(path)),
            FileDialog::AdapterFolder { .. } => self.use_start(Start::Adapter(path)),
            _ => {}
        }
    }

    pub(super) fn use_base(&mut self, base: BaseModel) {
        self.change_model(|project| edits::with_base(project, base));
    }

    pub(super) fn use_start(&mut self, start: Start) {
        self.change_model(|project| edits::with_start(project, start));
    }

    /// Changes the project, and shows what came of it.
    fn change_model(&mut self, change: impl FnOnce(&Project) -> Project) {
        let Some(project) = self.session.as_ref().map(Session::project).map(change) else { return };
        self.edit(project, None);
        if let Some(session) = &mut self.session {
            dock::show(&mut session.layout, View::of(&model::VIEW));
        }
    }
}
