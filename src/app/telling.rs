//! Telling a user who looks elsewhere: a notification of the desktop, and a command of the user's.

use std::path::Path;

use crate::error::InputError;
use crate::run::on_finished::{Occasion, OnFinished};

/// Tells what happened. Called on background threads.
pub trait Teller: Send + Sync {
    /// Shows a notification of the desktop.
    ///
    /// # Errors
    /// Why there is none, in words.
    fn notify(&self, title: &str, message: &str) -> Result<(), String>;

    /// Runs the user's command to its end.
    ///
    /// # Errors
    /// It cannot be started, or fails.
    fn run(&self, command: &OnFinished, project: &Path, occasion: Occasion, message: &str) -> Result<(), InputError>;
}

/// The desktop that this program runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DesktopTeller;

impl Teller for DesktopTeller {
    fn notify(&self, title: &str, message: &str) -> Result<(), String> {
        notify(title, message)
    }

    fn run(&self, command: &OnFinished, project: &Path, occasion: Occasion, message: &str) -> Result<(), InputError> {
        command.run(project, occasion, message)
    }
}

/// Asks the session bus for it (Desktop Notifications Specification 1.2).
#[cfg(target_os = "linux")]
fn notify(title: &str, message: &str) -> Result<(), String> {
    use std::collections::HashMap;

    use zbus::zvariant::Value;

    let told = || -> zbus::Result<()> {
        const SERVICE: &str = "org.freedesktop.Notifications";
        let (replaces, icon, actions, hints) = (0u32, "", Vec::<&str>::new(), HashMap::<&str, Value<'_>>::new());
        // -1: for as long as the desktop shows such things. Servers read some markup in the text.
        let message = message.replace('&', "&amp;").replace('<', "&lt;");
        let body = ("PESO Workbench", replaces, icon, title, message.as_str(), actions, hints, -1i32);
        let bus = zbus::blocking::Connection::session()?;
        bus.call_method(Some(SERVICE), "/org/freedesktop/Notifications", Some(SERVICE), "Notify", &body)?;
        Ok(())
    };
    told().map_err(|error| error.to_string())
}

#[cfg(not(target_os = "linux"))]
fn notify(_: &str, _: &str) -> Result<(), String> {
    Err("this program knows no notifications of this system".to_owned())
}
