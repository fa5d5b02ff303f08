//! The window: state, commands, panels. It never trains; it starts workers, follows run folders and draws them.
//!
//! [`Workbench`] owns everything. Each frame `logic` takes in what background jobs sent, then the panels draw
//! the `session::Session` and hand back `action::Action`s, which are carried out at the end of the frame.

mod action;
mod anchor;
mod autosave;
mod background;
mod board_export;
mod command;
pub mod dialogs;
mod dock;
mod fonts;
mod fuzzy;
mod gate_watch;
mod history;
mod icon;
pub mod launcher;
mod logic;
mod message;
mod panels;
mod place;
mod presentation;
mod queries;
mod queue_time;
mod recent;
mod reference;
mod rows;
mod services;
mod session;
mod settings;
mod slides;
mod software;
mod steering;
pub mod telling;
mod theme;
mod top_bar;
mod tour;
mod watch;
mod widgets;
mod window;
mod workbench;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::reference::reference;
pub use self::services::Services;
pub use self::workbench::Workbench;

use eframe::egui;

use self::settings::{Settings, WindowPlace};
use crate::user_folders;

/// Why there is no window, and what works without one.
#[derive(Debug, thiserror::Error)]
#[error(
    "no window can be opened: {reason}\nWithout one, `peso run {project}` trains and `peso results {project}` shows what came out; `peso help` has the rest"
)]
pub struct NoWindow {
    reason: String,
    /// As it is written in a shell.
    project: String,
}

impl NoWindow {
    fn new(reason: impl Into<String>, project: Option<&Path>) -> Self {
        let named = |path: &Path| shell_words::quote(&path.to_string_lossy()).into_owned();
        Self { reason: reason.into(), project: project.map_or_else(|| "PROJECT".to_owned(), named) }
    }
}

/// Whether the session says of no display; the window's library would say so in its own terms.
fn is_without_display() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(target_os = "linux") && !["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"].into_iter().any(is_set)
}

/// Opens the window where it was, on a project, the one that was open last or the start page, and returns when it is closed.
///
/// # Errors
/// There is no display, or no graphics adapter that can draw on it.
pub fn open(project: Option<PathBuf>) -> Result<(), NoWindow> {
    if is_without_display() {
        return Err(NoWindow::new(
            "there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)",
            project.as_deref(),
        ));
    }
    let asked = project.clone();
    show(project).map_err(|error| {
        let reason = match error {
            eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => "the display does not answer".to_owned(),
            other => other.to_string(),
        };
        NoWindow::new(reason, asked.as_deref())
    })
}

fn show(project: Option<PathBuf>) -> Result<(), eframe::Error> {
    // The same settings that the window reads: where it was is needed before it is there.
    let settings = user_folders::configuration().map(|folder| Settings::load(&folder)).unwrap_or_default();
    let place = settings.window.unwrap_or(WindowPlace::AT_FIRST);
    let viewport = egui::ViewportBuilder::default()
        .with_app_id("peso-workbench")
        .with_title(workbench::TITLE)
        .with_icon(Arc::new(icon::icon()))
        .with_inner_size(place.size)
        .with_min_inner_size(WindowPlace::LEAST)
        .with_maximized(place.maximised)
        .with_drag_and_drop(true);
    let viewport = match place.position {
        Some(position) => viewport.with_position(position),
        None => viewport,
    };
    let centered = place.position.is_none();
    // What is drawn has flat colours, and software renderers pay for every pixel of dithering.
    let options = eframe::NativeOptions {
        viewport,
        centered,
        system_font_fallback: false,
        dithering: false,
        ..Default::default()
    };
    let create: eframe::AppCreator<'_> = Box::new(move |context| {
        let workbench = Workbench::new(&context.egui_ctx, Services::native()?, project);
        software::lighten(context);
        theme::clear_with_ground(&context.egui_ctx);
        Ok(Box::new(workbench))
    });
    eframe::run_native("peso-workbench", options, create)
}
