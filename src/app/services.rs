//! What the window takes from the world around it; tests put their own in place.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::dialogs::desktop::{FileDialogs, PortalDialogs};
use super::launcher::{ExecutableLauncher, Launcher};
use super::settings;
use super::telling::{DesktopTeller, Teller};
use crate::{crash, user_folders};

/// Dialogs, workers, folders and the clock.
#[derive(Clone)]
pub struct Services {
    /// Questions for paths.
    pub dialogs: Arc<dyn FileDialogs>,
    /// Starts workers.
    pub launcher: Arc<dyn Launcher>,
    /// Tells users who look elsewhere.
    pub teller: Arc<dyn Teller>,
    /// Where settings are kept; `None` keeps none.
    pub configuration_folder: Option<PathBuf>,
    /// Where crash reports are; `None` looks for none.
    pub crash_folder: Option<PathBuf>,
    /// Where new files are suggested.
    pub documents_folder: PathBuf,
    /// Seconds since 1970.
    pub clock: fn() -> u64,
}

impl Services {
    /// Those of this desktop.
    ///
    /// # Errors
    /// The operating system cannot tell where this program lies.
    pub fn native() -> std::io::Result<Self> {
        Ok(Self {
            dialogs: Arc::new(PortalDialogs),
            launcher: Arc::new(ExecutableLauncher::current()?),
            teller: Arc::new(DesktopTeller),
            configuration_folder: user_folders::configuration(),
            crash_folder: crash::reports::folder(),
            documents_folder: settings::documents_folder(),
            clock: || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        })
    }
}
