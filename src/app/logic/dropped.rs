//! What is dropped onto the window is looked at, and taken for what its files say it is.

use std::path::{Path, PathBuf};

use super::super::dock;
use super::super::workbench::Workbench;
use crate::app::dialogs::dialog::Leaving;
use crate::app::message::{Dropped, Message};
use crate::app::panels::view::View;
use crate::app::panels::{PanelEvent, data};
use crate::model::weights::gguf::Gguf;
use crate::model::{BaseModel, Start};
use crate::pack;
use crate::project::file::FILE_NAME;

/// What a file or folder is.
fn kind_of(path: &Path) -> Dropped {
    let has = |name: &str| path.join(name).is_file();
    match () {
        () if path.extension().is_some_and(|ending| ending == "ron" || ending == pack::ENDING) || has(FILE_NAME) => {
            Dropped::Project
        }
        () if path.is_file() && Gguf::is_one(path) => Dropped::ModelFile,
        () if has("adapter_config.json") => Dropped::Adapter,
        () if has("config.json") => Dropped::ModelFolder,
        () => Dropped::Data,
    }
}

impl Workbench {
    /// Finds out in the background what was dropped.
    pub(super) fn look_at_dropped(&mut self, path: PathBuf) {
        self.spawn("look at what was dropped", move || {
            let what = kind_of(&path);
            Message::Dropped { path, what }
        });
    }

    pub(super) fn dropped(&mut self, path: PathBuf, what: Dropped) {
        match (what, &mut self.session) {
            (Dropped::Data, Some(session)) => {
                dock::show(&mut session.layout, View::of(&data::VIEW));
                self.panels.receive(&PanelEvent::DataDropped(path));
            }
            (Dropped::Data, None) => self.ask_new_project(Some(&path)),
            // Without a project there is nothing to use a model for; opening it like one says so.
            (Dropped::Project, _) | (_, None) => self.leave(Leaving::Open(path)),
            (Dropped::ModelFolder, _) => self.use_base(BaseModel::HuggingFace(path)),
            (Dropped::ModelFile, _) => self.use_base(BaseModel::Gguf(path)),
            (Dropped::Adapter, _) => self.use_start(Start::Adapter(path)),
        }
    }
}
