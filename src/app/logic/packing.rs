//! Packing the open project, opening packed ones, and locating what these lack.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::super::launcher::JobHandle;
use super::super::widgets::{Notice, Weight};
use super::super::workbench::Workbench;
use crate::app::action::Action;
use crate::app::command::Command;
use crate::app::dialogs::destination::free_path;
use crate::app::dialogs::dialog::{Leaving, PackKind};
use crate::app::dialogs::locate::{LocateDialog, LocateState};
use crate::app::dialogs::modal::Dialog;
use crate::app::dialogs::pack::{Look, PackDialog, PackState};
use crate::app::dialogs::unpack::{UnpackDialog, UnpackState};
use crate::app::message::Message;
use crate::error::InputError;
use crate::pack::{self, Agreement, Contents, Manifest, PackError, PackOptions, Packed, Progress, ReadOnlyOptions};

/// Tells a job how far the work is, and ends the work when nobody waits.
fn watching(job: &JobHandle) -> impl FnMut(Progress) -> ControlFlow<()> {
    |Progress { done, total }| {
        job.say_share("", done as f32 / total.max(1) as f32);
        if job.is_cancelled() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn contents_of(file: &Path, kind: PackKind) -> Result<Look, InputError> {
    let contents = match kind {
        PackKind::Whole => Contents::whole(file, PackOptions { with_data: false }),
        PackKind::WithData => Contents::whole(file, PackOptions { with_data: true }),
        PackKind::ReadOnly => Contents::read_only(file, ReadOnlyOptions { without_titles: false }),
        PackKind::ReadOnlyWithoutTitles => Contents::read_only(file, ReadOnlyOptions { without_titles: true }),
    };
    contents.map(|contents| Look { contents: Arc::new(contents) })
}

impl Workbench {
    /// Asks where to, and what of the project.
    pub(super) fn ask_pack(&mut self) {
        let Some(session) = &self.session else { return };
        let folder = session.file.parent().unwrap_or(Path::new("."));
        let name = folder.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned());
        // Beside the project's folder: in it, the next pack would be asked to hold this one.
        let beside = folder.parent().unwrap_or(folder);
        let path = free_path(beside, &name, &format!(".{}", pack::ENDING));
        self.jobs += 1;
        self.dialog = Some(Dialog::Pack(PackDialog::new(self.jobs, path.display().to_string())));
        self.look_at_pack(PackKind::Whole);
    }

    pub(super) fn look_at_pack(&mut self, kind: PackKind) {
        let (Some(Dialog::Pack(dialog)), Some(session)) = (&self.dialog, &self.session) else { return };
        let (number, file) = (dialog.number, session.file.clone());
        self.spawn("look at what is packed", move || Message::PackLooked {
            number,
            kind,
            result: contents_of(&file, kind),
        });
    }

    pub(super) fn pack_looked(&mut self, number: u64, kind: PackKind, result: Result<Look, InputError>) {
        let Some(Dialog::Pack(dialog)) = &mut self.dialog else { return };
        if (dialog.number, dialog.kind) == (number, kind) {
            dialog.state = result.map_or_else(PackState::Failed, PackState::Ready);
        }
    }

    pub(super) fn pack(&mut self, contents: Arc<Contents>, to: PathBuf) {
        let Some(Dialog::Pack(dialog)) = &mut self.dialog else { return };
        dialog.state = PackState::Packing;
        let (number, job) = (dialog.number, Arc::clone(&dialog.job));
        self.spawn("pack project", move || {
            let result = pack::pack(&contents, &to, &mut watching(&job));
            Message::Packed { number, to, result }
        });
    }

    pub(super) fn packed(&mut self, number: u64, to: PathBuf, result: Result<Packed, PackError>) {
        let Some(Dialog::Pack(dialog)) = &mut self.dialog else { return };
        if dialog.number == number {
            match result {
                Ok(packed) => dialog.state = PackState::Done(to, packed.bytes),
                Err(PackError::Input(error)) => dialog.state = PackState::Failed(error),
                Err(PackError::Cancelled) => self.dialog = None,
            }
        }
    }

    /// Asks where a packed project is to be unpacked.
    pub(super) fn ask_unpack(&mut self, file: PathBuf) {
        self.opening = None;
        let name = file.file_stem().unwrap_or_default().to_string_lossy();
        let folder = free_path(file.parent().unwrap_or(Path::new("")), &name, "");
        self.jobs += 1;
        let number = self.jobs;
        let dialog = UnpackDialog::new(number, file.clone(), folder.display().to_string());
        self.dialog = Some(Dialog::Unpack(dialog));
        self.spawn("read manifest", move || Message::ManifestRead {
            number,
            result: pack::read_manifest(&file).map(Box::new),
        });
    }

    pub(super) fn manifest_read(&mut self, number: u64, result: Result<Box<Manifest>, InputError>) {
        let Some(Dialog::Unpack(dialog)) = &mut self.dialog else { return };
        if dialog.number == number {
            dialog.state = result.map_or_else(UnpackState::Unusable, UnpackState::Ready);
        }
    }

    pub(super) fn unpack(&mut self, to: PathBuf) {
        let Some(Dialog::Unpack(dialog)) = &mut self.dialog else { return };
        let state = std::mem::replace(&mut dialog.state, UnpackState::Reading);
        dialog.state = match state {
            UnpackState::Ready(manifest) => UnpackState::Unpacking(manifest),
            other => other,
        };
        let (number, job, file) = (dialog.number, Arc::clone(&dialog.job), dialog.file.clone());
        self.spawn("unpack project", move || {
            let result = pack::unpack(&file, &to, &mut watching(&job));
            Message::Unpacked { number, result }
        });
    }

    pub(super) fn unpacked(&mut self, number: u64, result: Result<PathBuf, PackError>) {
        let Some(Dialog::Unpack(dialog)) = &mut self.dialog else { return };
        if dialog.number != number {
            return;
        }
        match result {
            Ok(file) => {
                self.dialog = None;
                self.leave(Leaving::Open(file));
            }
            Err(PackError::Cancelled) => self.dialog = None,
            Err(PackError::Input(error)) => {
                let state = std::mem::replace(&mut dialog.state, UnpackState::Reading);
                dialog.state = match state {
                    UnpackState::Unpacking(manifest) => UnpackState::Ready(manifest),
                    other => other,
                };
                dialog.problem = Some(error);
            }
        }
    }

    /// Tells of data and models that the project names and that are not there.
    pub(super) fn tell_missing(&mut self) {
        let Some(session) = &self.session else { return };
        if session.missing.is_empty() {
            return;
        }
        let names: Vec<String> =
            session.missing.iter().map(|missing| missing.named.path.display().to_string()).collect();
        let text = match names.len() {
            1 => "A file or folder that the project names is not there".to_owned(),
            several => format!("{several} files or folders that the project names are not there"),
        };
        // It stays: what is missing is still missing when the user has looked around.
        let notice = Notice::new(Weight::Problem, text)
            .details(format!("{}. Results can be looked at without", names.join(", ")));
        self.notices.push(notice.offer("Locate…", Action::Command(Command::Locate)));
    }

    pub(super) fn ask_locate(&mut self) {
        let Some(session) = &self.session else { return };
        self.jobs += 1;
        self.dialog = Some(Dialog::Locate(LocateDialog::new(self.jobs, session.missing.clone())));
    }

    pub(super) fn compare_located(&mut self, found: PathBuf) {
        let (Some(Dialog::Locate(dialog)), Some(session)) = (&mut self.dialog, &self.session) else { return };
        let Some(missing) = dialog.missing.first().cloned() else { return };
        dialog.state = LocateState::Comparing;
        let (number, job, project) = (dialog.number, Arc::clone(&dialog.job), session.project().clone());
        self.spawn("compare files", move || {
            let result = pack::locate(&project, &missing, &found, &mut watching(&job));
            Message::Located { number, found, result }
        });
    }

    pub(super) fn located(&mut self, number: u64, found: PathBuf, result: Result<Agreement, PackError>) {
        let Some(Dialog::Locate(dialog)) = &mut self.dialog else { return };
        if dialog.number != number {
            return;
        }
        match result {
            Ok(Agreement::Same) => self.use_located(found),
            Ok(agreement) => dialog.state = LocateState::Compared(found, agreement),
            Err(PackError::Input(error)) => dialog.state = LocateState::Failed(error),
            Err(PackError::Cancelled) => self.dialog = None,
        }
    }

    /// Lets the project, and its runs, name a path instead of the first that is missing, and asks for the next.
    pub(super) fn use_located(&mut self, found: PathBuf) {
        let (Some(Dialog::Locate(dialog)), Some(session)) = (&mut self.dialog, &mut self.session) else { return };
        let Some(missing) = (!dialog.missing.is_empty()).then(|| dialog.missing.remove(0)) else { return };
        (dialog.path, dialog.state) = (String::new(), LocateState::Asking);
        let done = dialog.missing.is_empty();
        let was = missing.named.path.clone();
        session.missing.retain(|other| *other != missing);
        let to = |path: &Path| if path == was { found.clone() } else { path.to_path_buf() };
        let project = session.project().clone().with_paths(&to);
        let before = session.project().clone();
        self.edit(project, None);
        if done {
            self.dialog = None;
        }
        self.save_project(None);
        self.spawn("let runs name it", move || match pack::relocate_runs(&before, &was, &found) {
            Ok(()) => Message::Done,
            Err(error) => Message::Failed { doing: "The runs still name the old place", error },
        });
    }
}
