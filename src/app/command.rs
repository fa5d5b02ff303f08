//! Everything the window can do, once: text, tooltip, shortcut and when it is possible.
//!
//! Menus, the toolbar, the palette and the keyboard are all made from [`Command`], so they cannot disagree.

use std::borrow::Cow;

use eframe::egui;
use egui::{Key, KeyboardShortcut, Modifiers};

use super::dock::{Arrangement, Step};
use super::panels::view::View;

/// Something the user can ask for, without further details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Command {
    NewProject,
    OpenDemo,
    OpenLongUpdates,
    OpenProject,
    OpenPath,
    SaveProject,
    Pack,
    Locate,
    CloseProject,
    Quit,
    Undo,
    Redo,
    UndoRuns,
    AddExperiment,
    SweepOptions,
    Estimate,
    RunAll,
    RunSelected,
    Pause,
    Resume,
    Stop,
    ExportChart,
    CopyChartData,
    CopyChartImage,
    PinChart,
    Present,
    Report,
    Show(View),
    Arrange(Arrangement),
    Maximise,
    FoldViews,
    StepTab(Step),
    ThemeLight,
    ThemeDark,
    ThemeSystem,
    ZoomIn,
    ZoomOut,
    ZoomReset,
    Palette,
    Tour,
    Shortcuts,
    Settings,
    About,
}

/// A menu of the menu bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Menu {
    File,
    Edit,
    Run,
    View,
    Help,
}

impl Menu {
    pub(crate) const ALL: [Self; 5] = [Self::File, Self::Edit, Self::Run, Self::View, Self::Help];

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::File => "File",
            Self::Edit => "Edit",
            Self::Run => "Run",
            Self::View => "View",
            Self::Help => "Help",
        }
    }

    /// Its commands, in groups that a line separates.
    pub(crate) fn groups(self) -> Vec<Vec<Command>> {
        use Command as C;
        match self {
            Self::File => vec![
                vec![C::NewProject],
                vec![C::OpenDemo, C::OpenLongUpdates, C::OpenProject, C::OpenPath],
                vec![C::SaveProject, C::CloseProject],
                vec![C::Pack, C::Locate],
                vec![C::PinChart, C::ExportChart, C::CopyChartData, C::CopyChartImage],
                vec![C::Report],
                vec![C::Quit],
            ],
            Self::Edit => {
                vec![
                    vec![C::Undo, C::Redo],
                    vec![C::UndoRuns],
                    vec![C::AddExperiment, C::SweepOptions],
                    vec![C::Settings],
                ]
            }
            Self::Run => vec![vec![C::Estimate], vec![C::RunAll, C::RunSelected], vec![C::Pause, C::Resume, C::Stop]],
            Self::View => vec![
                View::all().map(C::Show).collect(),
                vec![C::Present],
                vec![C::Maximise, C::FoldViews, C::StepTab(Step::Next), C::StepTab(Step::Previous)],
                Arrangement::ALL.map(C::Arrange).to_vec(),
                vec![C::ThemeLight, C::ThemeDark, C::ThemeSystem],
                vec![C::ZoomIn, C::ZoomOut, C::ZoomReset],
            ],
            Self::Help => vec![vec![C::Palette, C::Tour, C::Shortcuts], vec![C::About]],
        }
    }
}

impl Menu {
    /// The submenu that a group (by its index) stands in: a long menu does not fit a small window.
    pub(crate) const fn submenu(self, group: usize) -> Option<&'static str> {
        match (self, group) {
            (Self::View, 0) => Some("Views"),
            (Self::View, 4) => Some("Theme"),
            (Self::View, 5) => Some("Zoom"),
            _ => None,
        }
    }
}

/// What is open and selected, as far as commands depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Situation {
    pub(crate) project_open: bool,
    pub(crate) unsaved: bool,
    /// What undo takes back and redo makes again, in words; none where there is nothing.
    pub(crate) undo: Option<String>,
    pub(crate) redo: Option<String>,
    /// Folders of runs are still being read.
    pub(crate) reading: bool,
    /// A change of runs can be taken back.
    pub(crate) can_undo_runs: bool,
    /// Some selected run of the project, or any where none is selected, is not finished.
    pub(crate) something_unfinished: bool,
    /// Some run of the project is neither finished nor under way.
    pub(crate) something_to_run: bool,
    /// Some selected run is neither finished nor under way.
    pub(crate) selection_to_run: bool,
    pub(crate) can_pause: bool,
    pub(crate) can_resume: bool,
    pub(crate) can_stop: bool,
    /// A chart is on screen.
    pub(crate) chart_shown: bool,
    /// It can be made anew from runs, so that it can stand on the board.
    pub(crate) chart_pinnable: bool,
    /// Something is on the board.
    pub(crate) board_filled: bool,
    /// It is a bundle of results: nothing can be changed or trained.
    pub(crate) read_only: bool,
    /// Data or models that the project names are not there.
    pub(crate) something_missing: bool,
    /// Some run has begun.
    pub(crate) something_measured: bool,
}

impl Command {
    /// Every command, in menu order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Menu::ALL.into_iter().flat_map(|menu| menu.groups().into_iter().flatten())
    }

    /// What the menu and the palette say.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::NewProject => "New project from data…",
            Self::OpenDemo => "Open the demo…",
            Self::OpenLongUpdates => "Open the demo of long updates…",
            Self::OpenProject => "Open a project…",
            Self::OpenPath => "Open a typed path…",
            Self::SaveProject => "Save project",
            Self::Pack => "Pack…",
            Self::Locate => "Locate missing files…",
            Self::CloseProject => "Close project",
            Self::Quit => "Quit",
            Self::Undo => "Undo",
            Self::Redo => "Redo",
            Self::UndoRuns => "Undo change of runs",
            Self::AddExperiment => "Add experiment…",
            Self::SweepOptions => "Sweep options…",
            Self::Estimate => "Estimate time and memory…",
            Self::RunAll => "Run all",
            Self::RunSelected => "Run selected",
            Self::Pause => "Pause",
            Self::Resume => "Resume",
            Self::Stop => "Stop",
            Self::ExportChart => "Export chart…",
            Self::CopyChartData => "Copy chart data",
            Self::CopyChartImage => "Copy chart as image",
            Self::PinChart => "Pin chart to the board",
            Self::Present => "Present the board",
            Self::Report => "Report…",
            Self::Show(view) => view.spec().command,
            Self::Arrange(arrangement) => arrangement.text(),
            Self::Maximise => "Maximise view",
            Self::FoldViews => "Fold views",
            Self::StepTab(Step::Next) => "Next tab",
            Self::StepTab(Step::Previous) => "Previous tab",
            Self::ThemeLight => "Light theme",
            Self::ThemeDark => "Dark theme",
            Self::ThemeSystem => "Theme of the system",
            Self::ZoomIn => "Zoom in",
            Self::ZoomOut => "Zoom out",
            Self::ZoomReset => "Reset zoom",
            Self::Palette => "Command palette…",
            Self::Tour => "Take the tour",
            Self::Shortcuts => "Keyboard shortcuts…",
            Self::Settings => "Settings…",
            Self::About => "About PESO Workbench",
        }
    }

    /// The same, with what it is about now: `Undo lambda of PESO`.
    pub(crate) fn words(self, now: &Situation) -> Cow<'static, str> {
        let about = match self {
            Self::Undo => now.undo.as_ref(),
            Self::Redo => now.redo.as_ref(),
            _ => None,
        };
        about.map_or(Cow::Borrowed(self.text()), |about| Cow::Owned(format!("{} {about}", self.text())))
    }

    /// What it does, in one sentence.
    pub(crate) const fn tooltip(self) -> &'static str {
        match self {
            Self::NewProject => "Choose a file or folder of interactions and write a project that trains on it",
            Self::OpenDemo => "Write a small synthetic project to a folder and open it",
            Self::OpenLongUpdates => "Write a small synthetic project in which PESO's pull helps, and open it",
            Self::OpenProject => "Choose a project file with the desktop's file dialog",
            Self::OpenPath => "Type or paste the path of a project file or its folder",
            Self::SaveProject => "Write the changes to the project file",
            Self::Pack => "Write the project, or its results alone, as one zip for somebody else",
            Self::Locate => "Say where data and models are that the project names and that are not there",
            Self::CloseProject => "Go back to the start page; runs go on",
            Self::Quit => "Close the window; runs go on",
            Self::Undo => "Take back the last change of the project",
            Self::Redo => "Make the change again that was taken back",
            Self::UndoRuns => "Take back the last deleting, archiving, pinning, tagging or noting of runs",
            Self::AddExperiment => "Add another method to the comparison",
            Self::SweepOptions => "Run an experiment again with other values of its options",
            Self::Estimate => "What the selected runs (all, if none is selected) will take, before they are started",
            Self::RunAll => "Run every experiment with every seed that is not finished yet",
            Self::RunSelected => "Run, or resume, the selected rows of the runs table",
            Self::Pause => "Let the selected runs (all, if none is selected) save their state and wait",
            Self::Resume => "Let the selected runs (all, if none is selected) go on",
            Self::Stop => {
                "End the selected runs (all, if none is selected) with their state saved, and empty the queue"
            }
            Self::ExportChart => "Write the chart on screen as PNG, SVG, PDF, CSV or LaTeX",
            Self::CopyChartImage => {
                "Put the chart on screen on the clipboard as a picture, as the last one was exported"
            }
            Self::CopyChartData => "Put the numbers of the chart on screen on the clipboard as CSV",
            Self::PinChart => "Put the chart on screen, with its settings, on the board of figures to be shown",
            Self::Present => "Show the figures of the board full screen, one after the other",
            Self::Report => "Write what was compared and what came of it as a web page, PDF or Markdown",
            Self::Show(view) => view.spec().tooltip,
            Self::Arrange(arrangement) => arrangement.tooltip(),
            Self::Maximise => "Give the view that was last clicked all the room, or give it back",
            Self::FoldViews => {
                "Fold the group of the view that was last clicked to a strip; a click there brings it back"
            }
            Self::StepTab(Step::Next) => "Bring the tab on the right of the current one to the front",
            Self::StepTab(Step::Previous) => "Bring the tab on the left of the current one to the front",
            Self::ThemeLight => "Dark text on light ground",
            Self::ThemeDark => "Light text on dark ground",
            Self::ThemeSystem => "Light or dark as the desktop says",
            Self::ZoomIn => "Make everything larger",
            Self::ZoomOut => "Make everything smaller",
            Self::ZoomReset => "Make everything its normal size",
            Self::Palette => "Find any command, setting, tab, experiment or run by typing a part of its name",
            Self::Tour => "Five steps through the window, from the experiments to what they found",
            Self::Shortcuts => "Every command that has keys, with its keys",
            Self::Settings => "How the window looks, what it asks, and where projects are kept",
            Self::About => "Version and licence, and how to report a bug: peso doctor",
        }
    }

    /// The keys that ask for it.
    pub(crate) const fn shortcut(self) -> Option<KeyboardShortcut> {
        const COMMAND: Modifiers = Modifiers::COMMAND;
        const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };
        let (modifiers, key) = match self {
            Self::NewProject => (COMMAND, Key::I),
            Self::OpenDemo => (COMMAND_SHIFT, Key::D),
            Self::OpenProject => (COMMAND, Key::O),
            Self::OpenPath => (COMMAND_SHIFT, Key::O),
            Self::SaveProject => (COMMAND, Key::S),
            Self::CloseProject => (COMMAND, Key::W),
            Self::Quit => (COMMAND, Key::Q),
            Self::Undo => (COMMAND, Key::Z),
            Self::Redo => (COMMAND_SHIFT, Key::Z),
            Self::AddExperiment => (COMMAND, Key::N),
            Self::SweepOptions => (COMMAND_SHIFT, Key::N),
            Self::Estimate => (COMMAND, Key::F5),
            Self::RunAll => (Modifiers::NONE, Key::F5),
            Self::RunSelected => (COMMAND, Key::R),
            Self::Pause => (Modifiers::NONE, Key::F6),
            Self::Resume => (Modifiers::NONE, Key::F7),
            Self::Stop => (Modifiers::NONE, Key::F8),
            Self::ExportChart => (COMMAND, Key::E),
            // With the C key the system takes it for an ordinary copy.
            Self::CopyChartData => (COMMAND_SHIFT, Key::E),
            Self::CopyChartImage => (COMMAND_SHIFT, Key::I),
            Self::PinChart => (COMMAND, Key::B),
            Self::Present => (Modifiers::SHIFT, Key::F5),
            Self::Show(view) => return view.spec().shortcut,
            Self::ZoomIn => (COMMAND, Key::Plus),
            Self::ZoomOut => (COMMAND, Key::Minus),
            Self::ZoomReset => (COMMAND, Key::Num0),
            Self::Palette => (COMMAND_SHIFT, Key::P),
            Self::Shortcuts => (COMMAND, Key::Slash),
            Self::Settings => (COMMAND, Key::Comma),
            Self::About => (Modifiers::NONE, Key::F1),
            Self::Maximise => (Modifiers::NONE, Key::F11),
            Self::StepTab(Step::Next) => (COMMAND, Key::PageDown),
            Self::StepTab(Step::Previous) => (COMMAND, Key::PageUp),
            Self::Report => (COMMAND_SHIFT, Key::R),
            Self::Tour
            | Self::OpenLongUpdates
            | Self::Pack
            | Self::Locate
            | Self::UndoRuns
            | Self::Arrange(_)
            | Self::FoldViews
            | Self::ThemeLight
            | Self::ThemeDark
            | Self::ThemeSystem => return None,
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// Why it is not possible now; `None` when it is.
    pub(crate) const fn obstacle(self, now: &Situation) -> Option<&'static str> {
        let (possible, obstacle) = match self {
            Self::Pack if now.read_only => (false, "Read-only: hand on the file that it came as"),
            Self::Pack => (!now.unsaved, "Save the project first"),
            Self::Locate => (now.something_missing, "Nothing is missing"),
            changing if now.read_only && changing.changes_project() => (false, READ_ONLY),
            Self::SaveProject => (now.unsaved, "There is nothing to save"),
            Self::Undo => (now.undo.is_some(), "There is nothing to undo"),
            Self::Redo => (now.redo.is_some(), "There is nothing to redo"),
            Self::UndoRuns => (now.can_undo_runs, "No run was deleted, archived, pinned, tagged or noted yet"),
            Self::RunAll if now.reading => (now.something_to_run, READING),
            Self::RunSelected if now.reading => (now.selection_to_run, READING),
            Self::Estimate if now.reading => (now.something_unfinished, READING),
            Self::Estimate => (now.something_unfinished, "Every run is finished"),
            Self::RunAll => (now.something_to_run, "Every run is finished or under way"),
            Self::RunSelected => (now.selection_to_run, "Select runs that are neither finished nor under way"),
            Self::Pause => (now.can_pause, "Nothing is running"),
            Self::Resume => (now.can_resume, "Nothing is paused or stopped"),
            Self::Stop => (now.can_stop, "Nothing is running or queued"),
            Self::ExportChart | Self::CopyChartData | Self::CopyChartImage => {
                (now.chart_shown, "Open a view with a chart first")
            }
            Self::PinChart => (now.chart_pinnable, "Open a view with a chart that can be pinned first"),
            Self::Present => (now.board_filled, "Pin a figure to the board first"),
            Self::Report => (now.something_measured, "Nothing is measured yet: start a run first"),
            Self::CloseProject | Self::AddExperiment | Self::SweepOptions | Self::Show(_) | Self::Tour => (true, ""),
            Self::Arrange(_) | Self::Maximise | Self::FoldViews | Self::StepTab(_) => (true, ""),
            _ => return None,
        };
        if !now.project_open {
            Some("Open a project first")
        } else if possible {
            None
        } else {
            Some(obstacle)
        }
    }

    /// Whether it changes the project or its runs, or trains.
    const fn changes_project(self) -> bool {
        matches!(
            self,
            Self::SaveProject
                | Self::Undo
                | Self::Redo
                | Self::UndoRuns
                | Self::AddExperiment
                | Self::SweepOptions
                | Self::Estimate
                | Self::RunAll
                | Self::RunSelected
                | Self::Pause
                | Self::Resume
                | Self::Stop
                | Self::PinChart
        )
    }

    /// Whether typing in a text field comes before it: undo and redo there belong to the text.
    const fn yields_to_text(self) -> bool {
        matches!(self, Self::Undo | Self::Redo)
    }
}

/// Why nothing of a bundle of results can be changed.
pub(crate) const READ_ONLY: &str =
    "Read-only: results without data and models, nothing of which can be changed or trained";

/// Why what is not read yet cannot be started: it may be finished.
const READING: &str = "The folders of the runs are still being read";

/// The commands whose keys were pressed since the last frame; the keys are taken from the input.
pub(crate) fn pressed(ctx: &egui::Context) -> Vec<Command> {
    let typing = ctx.text_edit_focused();
    let mut commands: Vec<(Command, KeyboardShortcut)> = Command::all()
        .filter(|command| !(typing && command.yields_to_text()))
        .filter_map(|command| Some((command, command.shortcut()?)))
        .collect();
    // Ctrl+O would swallow Ctrl+Shift+O if it were asked first.
    commands.sort_by_key(|(_, shortcut)| std::cmp::Reverse(shortcut.modifiers.shift));
    ctx.input_mut(|input| {
        commands.retain(|(command, shortcut)| {
            input.consume_shortcut(shortcut)
                // On many layouts the plus is the shifted equals key.
                || (*command == Command::ZoomIn && input.consume_key(Modifiers::COMMAND, Key::Equals))
        });
    });
    commands.into_iter().map(|(command, _)| command).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::super::fuzzy::fuzzy_score;
    use super::*;

    #[test]
    fn no_two_commands_share_keys_or_words() {
        let mut keys = HashMap::new();
        let mut texts = HashMap::new();
        for command in Command::all() {
            if let Some(shortcut) = command.shortcut() {
                assert_eq!(keys.insert(format!("{shortcut:?}"), command), None, "{command:?}");
            }
            assert_eq!(texts.insert(command.text(), command), None, "{command:?}");
            for words in [command.text(), command.tooltip()] {
                assert!(!words.is_empty() && !words.ends_with('.'), "{command:?}: {words}");
            }
        }
    }

    #[test]
    fn without_a_project_only_what_needs_none_is_possible() {
        let nothing = Situation::default();
        for command in [
            Command::NewProject,
            Command::OpenDemo,
            Command::OpenLongUpdates,
            Command::OpenProject,
            Command::Palette,
            Command::Quit,
            Command::ThemeDark,
        ] {
            assert_eq!(command.obstacle(&nothing), None, "{command:?}");
        }
        for command in [Command::RunAll, Command::SaveProject, Command::ExportChart, Command::Maximise] {
            assert_eq!(command.obstacle(&nothing), Some("Open a project first"), "{command:?}");
        }
        let open = Situation { project_open: true, something_to_run: true, ..nothing };
        assert_eq!(Command::RunAll.obstacle(&open), None);
        assert_eq!(Command::Stop.obstacle(&open), Some("Nothing is running or queued"));
    }

    #[test]
    fn undo_says_what_it_takes_back() {
        let now = Situation { project_open: true, undo: Some("lambda of PESO".to_owned()), ..Situation::default() };
        assert_eq!(Command::Undo.words(&now), "Undo lambda of PESO");
        assert_eq!((Command::Undo.obstacle(&now), Command::Redo.words(&now)), (None, Cow::Borrowed("Redo")));
    }

    #[test]
    fn fuzzy_search_finds_commands_by_initials_and_parts() {
        let best = |query: &str| {
            Command::all()
                .filter_map(|command| Some((fuzzy_score(query, command.text())?, command)))
                .max_by_key(|(score, _)| *score)
                .map(|(_, command)| command)
        };
        assert_eq!(best("ra"), Some(Command::RunAll));
        assert_eq!(best("dark"), Some(Command::ThemeDark));
        assert_eq!(best("exch"), Some(Command::ExportChart));
        assert_eq!(best("otd"), Some(Command::OpenDemo));
        assert_eq!(best("qqq"), None);
    }
}
