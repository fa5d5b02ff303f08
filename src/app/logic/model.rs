//! The base model and the adapter that a project begins with: chosen in a dialog, or dropped onto the window.

use std::path::{Path, PathBuf};

use super::super::dialogs::Question;
use super::super::dock::{self, View};
use super::super::modal::Leaving;
use super::super::panels::model::edits;
use super::super::session::Session;
use super::super::window::Workbench;
use super::Message;
use crate::experiment::Project;
use crate::experiment::project_file::FILE_NAME;
use crate::model::weights::gguf::Gguf;
use crate::model::{BaseModel, Start};

/// What was dropped onto the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dropped {
    ModelFolder,
    ModelFile,
    Adapter,
    /// A project, or what cannot be told, which is opened like one and refused with the reason.
    Project,
}

impl Dropped {
    /// Looks at a file or folder.
    fn at(path: &Path) -> Self {
        if path.is_file() {
            return if Gguf::is_one(path) { Self::ModelFile } else { Self::Project };
        }
        let has = |name: &str| path.join(name).is_file();
        match () {
            () if has(FILE_NAME) => Self::Project,
            () if has("adapter_config.json") => Self::Adapter,
            () if has("config.json") => Self::ModelFolder,
            () => Self::Project,
        }
    }
}

impl Workbench {
    /// Finds out in the background what was dropped.
    pub(super) fn look_at_dropped(&mut self, path: PathBuf) {
        let Some(session) = self.session.as_ref().map(|session| session.number) else { return };
        self.spawn("look at what was dropped", move || {
            let what = Dropped::at(&path);
            Message::Dropped { session, path, what }
        });
    }

    pub(super) fn dropped(&mut self, session: u64, path: PathBuf, what: Dropped) {
        if self.session_numbered(session).is_none() {
            return;
        }
        match what {
            Dropped::Project => self.leave(Leaving::Open(path)),
            Dropped::ModelFolder => self.use_base(BaseModel::HuggingFace(path)),
            Dropped::ModelFile => self.use_base(BaseModel::Gguf(path)),
            Dropped::Adapter => self.use_start(Start::Adapter(path)),
        }
    }

    /// Takes what was chosen in a dialog into the project.
    pub(super) fn use_answer(&mut self, question: &Question, path: PathBuf) {
        match question {
            Question::ModelFolder { .. } => self.use_base(BaseModel::HuggingFace(path)),
            Question::ModelFile { .. } => self.use_base(BaseModel::Gguf(path)),
            Question::AdapterFolder { .. } => self.use_start(Start::Adapter(path)),
            _ => {}
        }
    }

    fn use_base(&mut self, base: BaseModel) {
        self.change_model(|project| edits::with_base(project, base));
    }

    fn use_start(&mut self, start: Start) {
        self.change_model(|project| edits::with_start(project, start));
    }

    /// Changes the project, and shows what came of it.
    fn change_model(&mut self, change: impl FnOnce(&Project) -> Project) {
        let Some(project) = self.session.as_ref().map(Session::project).map(change) else { return };
        self.edit(project, None);
        if let Some(session) = &mut self.session {
            dock::show(&mut session.layout, View::Model);
        }
    }
}
