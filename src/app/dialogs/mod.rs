//! Dialogs: those of the desktop behind a trait, and the window's own, one file each. `dialog` has what these share, and
//! `modal` says which one is open.

pub(crate) mod about;
pub(crate) mod chart_file;
pub mod desktop;
pub(crate) mod destination;
pub(crate) mod dialog;
pub(crate) mod estimate;
pub(crate) mod export;
pub(crate) mod locate;
pub(crate) mod marks;
pub(crate) mod method_picker;
pub(crate) mod modal;
pub(crate) mod new_project;
pub(crate) mod outside;
pub(crate) mod pack;
pub(crate) mod palette;
pub(crate) mod path;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod settings;
pub(crate) mod shortcuts;
pub(crate) mod sweep_editor;
pub(crate) mod unpack;
pub(crate) mod unsaved;
