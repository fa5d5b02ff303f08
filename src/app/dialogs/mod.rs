//! Dialogs: those of the desktop behind a trait, and the window's own, one file each; `modal` says which one is open.

pub mod desktop;
pub(crate) mod estimate;
pub(crate) mod method_picker;
pub(crate) mod modal;
pub(crate) mod new_project;
pub(crate) mod palette;
pub(crate) mod sweep_editor;
