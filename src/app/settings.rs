//! What the window remembers from one start to the next: how it looks and asks, and recent projects.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::dialogs::chart_file::ExportChoices;
use super::dock::NamedLayout;
use crate::error::InputError;
use crate::project::Project;
use crate::project::paths::NamedPath;
use crate::{files, user_folders};

/// Factors on the size of everything that can be chosen.
pub(crate) const ZOOM: std::ops::RangeInclusive<f32> = 0.75..=2.0;
/// Recent projects that are kept.
const RECENT: usize = 8;
/// Columns of a table that are kept.
const COLUMNS: usize = 64;
/// Largest settings file that is read; a longer one is not ours.
const LARGEST: u64 = 1 << 20;

/// Light, dark, or as the desktop says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) enum ThemeChoice {
    Light,
    Dark,
    #[default]
    System,
}

/// The remembered settings (`settings.ron` in the configuration folder).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Settings {
    pub(crate) theme: ThemeChoice,
    /// Factor on the size of everything.
    pub(crate) zoom: f32,
    /// Seconds for which the pointer rests before a tooltip appears.
    pub(crate) tooltip_delay: f32,
    /// Whether a form that is filled in asks before it closes.
    pub(crate) confirm_forms: bool,
    /// Whether the window begins with the project that was open last.
    pub(crate) reopen_last: bool,
    /// Whether the desktop notifies when a queue ends or fails, or a gate flips.
    pub(crate) notify: bool,
    /// A program with its arguments that is run then; nothing where it is empty.
    pub(crate) on_finished: String,
    /// Where new projects are suggested; none for the user's documents.
    pub(crate) projects_folder: Option<PathBuf>,
    /// Whether the tour was taken or skipped.
    pub(crate) tour_seen: bool,
    /// Project files, last opened first.
    pub(crate) recent: Vec<PathBuf>,
    /// How the last chart was exported.
    pub(crate) export: ExportChoices,
    /// What is known of them.
    pub(crate) opened: Vec<OpenedProject>,
    /// Columns of the runs table, by their keys; those of the program where there are none.
    pub(crate) run_columns: Vec<String>,
    /// The project that was open when the window was last closed or ended.
    pub(crate) last: Option<PathBuf>,
    /// Where the window was.
    pub(crate) window: Option<WindowPlace>,
    /// Layouts that the user has given a name.
    pub(crate) layouts: Vec<NamedLayout>,
    /// Name of the newest crash report that was told of.
    pub(crate) crash_seen: String,
}

/// A recent project as it was when it was last open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct OpenedProject {
    pub(crate) file: PathBuf,
    pub(crate) name: String,
    /// When it was opened, in seconds since 1970.
    pub(crate) unix: u64,
    /// Files and folders that it named then, or was saved with: those outside its folder are not asked about again.
    #[serde(default)]
    pub(crate) accepted: Vec<PathBuf>,
}

/// Where a window is on the desktop, in points of the desktop.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct WindowPlace {
    /// Its left upper corner with its frame; none where the desktop does not tell.
    pub(crate) position: Option<[f32; 2]>,
    /// Width and height inside its frame.
    pub(crate) size: [f32; 2],
    pub(crate) maximised: bool,
}

impl WindowPlace {
    /// The least width and height of the window, and what it has at first.
    pub(crate) const LEAST: [f32; 2] = [960.0, 600.0];
    pub(crate) const AT_FIRST: Self = Self { position: None, size: [1440.0, 900.0], maximised: false };
    /// What the desktop may keep of a screen for its bars, and a window's frame.
    const MARGIN: [f32; 2] = [24.0, 88.0];

    /// The place where it can be seen whole on a screen of this size.
    pub(crate) fn on(self, screen: [f32; 2]) -> Self {
        let most = [screen[0] - Self::MARGIN[0], screen[1] - Self::MARGIN[1]];
        let fitted = |size: f32, axis: usize| size.min(most[axis]).max(Self::LEAST[axis].min(screen[axis]));
        let size = [fitted(self.size[0], 0), fitted(self.size[1], 1)];
        let clamped = |at: f32, axis: usize| at.min(screen[axis] - size[axis]).max(0.0);
        Self { position: self.position.map(|[x, y]| [clamped(x, 0), clamped(y, 1)]), size, ..self }
    }

    /// Whether all of it are numbers that a window can have.
    fn is_usable(self) -> bool {
        let position = self.position.unwrap_or_default();
        self.size.iter().all(|size| (1.0..1e5).contains(size)) && position.iter().all(|at| at.abs() < 1e5)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::System,
            zoom: 1.0,
            tooltip_delay: 0.4,
            confirm_forms: true,
            reopen_last: true,
            notify: true,
            on_finished: String::new(),
            projects_folder: None,
            tour_seen: false,
            recent: Vec::new(),
            export: ExportChoices::default(),
            opened: Vec::new(),
            run_columns: Vec::new(),
            last: None,
            window: None,
            layouts: Vec::new(),
            crash_seen: String::new(),
        }
    }
}

impl Settings {
    /// Reads the settings of a configuration folder; the defaults where there are none or they cannot be read, because
    /// a damaged settings file must not keep the window from opening.
    pub(crate) fn load(folder: &Path) -> Self {
        let settings: Option<Self> =
            files::read_text(&Self::file(folder), LARGEST).ok().and_then(|text| ron::from_str(&text).ok());
        let mut settings = settings.unwrap_or_default();
        settings.tooltip_delay =
            if settings.tooltip_delay.is_finite() { settings.tooltip_delay.clamp(0.0, 3.0) } else { 0.4 };
        settings.zoom = if settings.zoom.is_finite() { settings.zoom.clamp(*ZOOM.start(), *ZOOM.end()) } else { 1.0 };
        settings.recent.truncate(RECENT);
        settings.run_columns.truncate(COLUMNS);
        settings.window = settings.window.filter(|window| window.is_usable());
        settings
    }

    /// Writes the settings into a configuration folder.
    ///
    /// # Errors
    /// The folder or the file cannot be written.
    pub(crate) fn save(&self, folder: &Path) -> Result<(), InputError> {
        let file = Self::file(folder);
        let text = ron::ser::to_string_pretty(self, ron::ser::PrettyConfig::default())
            .map_err(|error| InputError::new(&file, format!("cannot write the settings: {error}")))?;
        files::create_folder(folder)?;
        files::write_atomically(&file, text.as_bytes())
    }

    /// Puts a project in front of the recent ones.
    pub(crate) fn remember(&mut self, file: &Path, project: &Project, unix: u64) {
        self.recent.retain(|recent| recent != file);
        self.recent.insert(0, file.to_path_buf());
        self.recent.truncate(RECENT);
        self.opened.retain(|opened| opened.file != file && self.recent.contains(&opened.file));
        let accepted = project.paths().into_iter().map(|named| named.path).collect();
        let (file, name) = (file.to_path_buf(), project.name.clone());
        self.opened.push(OpenedProject { file, name, unix, accepted });
    }

    /// A recent project was saved with these paths, which the user has seen; whether anything is new.
    pub(crate) fn accept(&mut self, file: &Path, named: &[NamedPath]) -> bool {
        let Some(opened) = self.opened.iter_mut().find(|opened| opened.file == file) else { return false };
        let before = opened.accepted.len();
        for NamedPath { path, .. } in named {
            if !opened.accepted.contains(path) {
                opened.accepted.push(path.clone());
            }
        }
        opened.accepted.len() > before
    }

    /// Takes a project out of the recent ones.
    pub(crate) fn forget(&mut self, project: &Path) {
        self.recent.retain(|recent| recent != project);
        self.opened.retain(|opened| opened.file != project);
    }

    /// What is known of a recent project.
    pub(crate) fn known(&self, project: &Path) -> Option<&OpenedProject> {
        self.opened.iter().find(|opened| opened.file == project)
    }

    fn file(folder: &Path) -> PathBuf {
        folder.join("settings.ron")
    }
}

/// Where new projects are suggested: the user's documents, else the home folder, else the working folder.
pub(crate) fn documents_folder() -> PathBuf {
    match user_folders::home() {
        Some(home) if home.join("Documents").is_dir() => home.join("Documents"),
        Some(home) => home,
        None => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DatasetSource;

    #[test]
    fn settings_survive_a_round_trip_and_damage() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().join("new");
        assert_eq!(Settings::load(&folder), Settings::default());
        let mut settings = Settings {
            theme: ThemeChoice::Dark,
            zoom: 1.25,
            last: Some("/projects/5.ron".into()),
            window: Some(WindowPlace { maximised: true, ..WindowPlace::AT_FIRST }),
            layouts: vec![NamedLayout { name: "Talk".to_owned(), layout: String::new() }],
            ..Settings::default()
        };
        let mut project = Project::parse(crate::project::file::DEMO, Path::new("/projects/project.ron")).unwrap();
        for number in 0..10 {
            settings.remember(Path::new(&format!("/projects/{number}.ron")), &project, number);
        }
        project.name = "Five".to_owned();
        project.dataset = DatasetSource::PesoRelease { path: "/data".into() };
        settings.remember(Path::new("/projects/5.ron"), &project, 77);
        assert_eq!(settings.recent.len(), RECENT);
        assert_eq!(settings.recent[0], Path::new("/projects/5.ron"));
        assert_eq!(settings.recent[1], Path::new("/projects/9.ron"));
        let known = settings.known(Path::new("/projects/5.ron")).unwrap();
        assert_eq!((known.name.as_str(), known.unix), ("Five", 77));
        assert_eq!(known.accepted, [Path::new("/data")]);
        let named = [NamedPath { field: "base_model", path: "/model".into() }];
        assert!(
            settings.accept(Path::new("/projects/5.ron"), &named)
                && !settings.accept(Path::new("/projects/5.ron"), &named)
        );
        assert_eq!(settings.opened.len(), RECENT, "what is known of a project goes with it");
        settings.forget(Path::new("/projects/9.ron"));
        assert_eq!(settings.known(Path::new("/projects/9.ron")), None);
        settings.save(&folder).unwrap();
        assert_eq!(Settings::load(&folder), settings);
        std::fs::write(folder.join("settings.ron"), "(zoom: ").unwrap();
        assert_eq!(Settings::load(&folder), Settings::default());
        std::fs::write(folder.join("settings.ron"), "(zoom: 1e9)").unwrap();
        assert_eq!(Settings::load(&folder).zoom, 2.0);
        std::fs::write(
            folder.join("settings.ron"),
            "(zoom: 1.5, window: Some((position: None, size: (inf, 900.0), maximised: false)))",
        )
        .unwrap();
        assert_eq!((Settings::load(&folder).zoom, Settings::load(&folder).window), (1.5, None));
    }

    #[test]
    fn a_window_is_brought_back_onto_the_screen() {
        let kept = WindowPlace { position: Some([1900.0, -40.0]), size: [2500.0, 1400.0], maximised: false };
        let there = kept.on([1280.0, 800.0]);
        assert_eq!(there, WindowPlace { position: Some([24.0, 0.0]), size: [1256.0, 712.0], maximised: false });
        let fits = WindowPlace { position: Some([100.0, 50.0]), size: [1000.0, 700.0], maximised: true };
        assert_eq!(fits.on([1920.0, 1080.0]), fits);
        assert_eq!(WindowPlace::AT_FIRST.on([1024.0, 700.0]).size, [1000.0, 612.0]);
    }
}
