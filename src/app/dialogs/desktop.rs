//! What the window asks the desktop for: files and folders.

use std::path::{Path, PathBuf};

use crate::error::InputError;

/// One of the desktop's dialogs, by what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileDialog {
    /// Which project file to open.
    OpenProject,
    /// Which folder to write the demo into.
    DemoFolder {
        /// The folder that is offered.
        suggested: PathBuf,
    },
    /// Which folder to write the figures of the board into.
    BoardFolder {
        /// The folder that is offered.
        suggested: PathBuf,
    },
    /// Which folder to write a steered adapter into.
    SteeredFolder {
        /// The folder that is offered.
        suggested: PathBuf,
    },
    /// Which Hugging Face folder to take as the base model.
    ModelFolder {
        /// The project's folder.
        near: PathBuf,
    },
    /// Which GGUF file to take as the base model.
    ModelFile {
        /// The project's folder.
        near: PathBuf,
    },
    /// Which PEFT adapter stage 1 begins with.
    AdapterFolder {
        /// The project's folder.
        near: PathBuf,
    },
    /// Which file of interactions to read.
    DataFile,
    /// Which folder of interactions to read.
    DataFolder,
    /// Which file tells of the items.
    ItemFile,
    /// Which folder to write a new project into.
    ProjectFolder {
        /// The folder that is offered.
        suggested: PathBuf,
    },
    /// Where to write a packed project.
    SavePack {
        /// The file that is offered.
        suggested: PathBuf,
    },
    /// Which folder to unpack a project into.
    UnpackFolder {
        /// The folder that is offered.
        suggested: PathBuf,
    },
    /// Where a file is that is missing.
    MissingFile,
    /// Where a folder is that is missing.
    MissingFolder,
    /// Where to write a chart.
    SaveChart {
        /// The file that is offered.
        suggested: PathBuf,
        /// Ending of the chosen format: `png`.
        extension: &'static str,
    },
    /// Where to write a report.
    SaveReport {
        /// The file that is offered.
        suggested: PathBuf,
        /// Ending of the chosen format: `html`.
        extension: &'static str,
    },
}

impl FileDialog {
    /// Whether the answer becomes a part of the open project.
    pub(crate) const fn is_of_project(&self) -> bool {
        matches!(self, Self::ModelFolder { .. } | Self::ModelFile { .. } | Self::AdapterFolder { .. })
    }
}

/// Said when the desktop answered at once that nothing was chosen.
pub(crate) const NO_PORTAL: &str =
    "No file dialog appeared: this desktop has none to offer. Type or paste the path instead";

/// The desktop's file dialogs, and its file manager. Called on a background thread and blocks until answered.
pub trait FileDialogs: Send + Sync {
    /// The chosen path; `None` when it was cancelled, or when the desktop has no dialogs.
    fn ask(&self, dialog: &FileDialog) -> Option<PathBuf>;

    /// Shows a folder in the desktop's file manager.
    ///
    /// # Errors
    /// The desktop has none, or it does not start.
    fn show_folder(&self, folder: &Path) -> Result<(), InputError>;
}

/// The dialogs of the desktop's portal. Without a portal every answer is `None` at once.
#[derive(Debug, Default, Clone, Copy)]
pub struct PortalDialogs;

impl FileDialogs for PortalDialogs {
    fn ask(&self, dialog: &FileDialog) -> Option<PathBuf> {
        match dialog {
            FileDialog::OpenProject => rfd::FileDialog::new()
                .set_title("Open a project")
                .add_filter("PESO project", &["ron", "zip"])
                .add_filter("All files", &["*"])
                .pick_file(),
            FileDialog::DemoFolder { suggested } => {
                in_folder(rfd::FileDialog::new(), suggested).set_title("Folder for the demo project").pick_folder()
            }
            FileDialog::BoardFolder { suggested } => {
                in_folder(rfd::FileDialog::new(), suggested).set_title("Folder for the figures").pick_folder()
            }
            FileDialog::SteeredFolder { suggested } => {
                in_folder(rfd::FileDialog::new(), suggested).set_title("New folder for the adapter").pick_folder()
            }
            FileDialog::ModelFolder { near } => {
                rfd::FileDialog::new().set_directory(near).set_title("Folder of a Hugging Face model").pick_folder()
            }
            FileDialog::ModelFile { near } => rfd::FileDialog::new()
                .set_directory(near)
                .set_title("A GGUF model")
                .add_filter("GGUF model", &["gguf"])
                .add_filter("All files", &["*"])
                .pick_file(),
            FileDialog::AdapterFolder { near } => {
                rfd::FileDialog::new().set_directory(near).set_title("Folder of a PEFT adapter").pick_folder()
            }
            FileDialog::DataFile => rfd::FileDialog::new().set_title("Choose a file of interactions").pick_file(),
            FileDialog::DataFolder => rfd::FileDialog::new().set_title("Choose a folder of interactions").pick_folder(),
            FileDialog::ItemFile => rfd::FileDialog::new().set_title("Choose a file of items").pick_file(),
            FileDialog::ProjectFolder { suggested } => {
                in_folder(rfd::FileDialog::new(), suggested).set_title("Folder for the new project").pick_folder()
            }
            FileDialog::SavePack { suggested } => save("Pack the project", suggested, "zip"),
            FileDialog::UnpackFolder { suggested } => {
                in_folder(rfd::FileDialog::new(), suggested).set_title("New folder for the project").pick_folder()
            }
            FileDialog::MissingFile => rfd::FileDialog::new().set_title("The missing file").pick_file(),
            FileDialog::MissingFolder => rfd::FileDialog::new().set_title("The missing folder").pick_folder(),
            FileDialog::SaveChart { suggested, extension } => save("Export the chart", suggested, extension),
            FileDialog::SaveReport { suggested, extension } => save("Write a report", suggested, extension),
        }
    }

    fn show_folder(&self, folder: &Path) -> Result<(), InputError> {
        open::that_detached(folder).map_err(|_| no_file_manager(folder))
    }
}

/// Asks where to write a file of one ending.
fn save(title: &str, suggested: &Path, extension: &'static str) -> Option<PathBuf> {
    let name = suggested.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    in_folder(rfd::FileDialog::new(), suggested)
        .set_title(title)
        .set_file_name(name)
        .add_filter(extension.to_uppercase(), &[extension])
        .save_file()
}

fn no_file_manager(folder: &Path) -> InputError {
    InputError::new(folder, "this desktop has no file manager that shows the folder").advice("open it by its path")
}

fn in_folder(dialog: rfd::FileDialog, path: &Path) -> rfd::FileDialog {
    match path.ancestors().skip(1).find(|folder| folder.is_dir()) {
        Some(folder) => dialog.set_directory(folder),
        None => dialog,
    }
}
