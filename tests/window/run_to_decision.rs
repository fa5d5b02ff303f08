//! From an empty folder to a project that somebody else opens: run, compare, decide, pin, present, report, hand over. Once with the
//! pointer, once by keys alone.

use std::path::PathBuf;
use std::time::Duration;

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;

use crate::fixture::TINY;
use crate::world::{PATIENCE, World, click, has_part, load, until, until_label, until_part, until_within};

/// The figures that are pinned: tabs of Compare with a part of what they show.
const PINNED: [(&str, &str); 4] =
    [("By stage", "by stage"), ("Gains", "Gain in"), ("Table", "not enough seeds"), ("Cost", "Cost")];

/// A project on the way through the tour.
struct Tour {
    file: PathBuf,
    runs: usize,
    /// How long training may take.
    patience: Duration,
}

impl Tour {
    /// A project that trains in seconds.
    fn tiny(world: &World) -> Self {
        let folder = world.folder.path().join("home");
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("project.ron");
        std::fs::write(&file, TINY).unwrap();
        Self { file, runs: 2, patience: PATIENCE }
    }

    /// The demo, where the start page suggests to put it.
    fn demo(world: &World) -> Self {
        let file = world.folder.path().join("documents/peso-demo/project.ron");
        Self { file, runs: 4, patience: Duration::from_secs(3600) }
    }

    fn finished(&self) -> String {
        format!("{0} of {0} finished", self.runs)
    }

    fn until_finished(&self, window: &mut Harness<'_, Workbench>) {
        let finished = self.finished();
        until_within(window, self.patience, &finished, |window| has_part(window, &finished));
    }

    /// Where the zip of the project is written.
    fn zip(&self) -> PathBuf {
        self.file.parent().unwrap().with_extension("zip")
    }

    /// What everybody who has been through the tour has in the end.
    fn check(&self) {
        let project = load(&self.file);
        assert_eq!(project.board.len(), PINNED.len());
        assert!(project.decision.is_some(), "the gates have their day");
        let folder = self.file.parent().unwrap();
        let reports = std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
        let html = reports.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "html"));
        let html = std::fs::read_to_string(html.expect("the report")).unwrap();
        assert!(html.matches("<svg").count() >= PINNED.len(), "every figure of the board is in the report");
        let name = folder.file_name().unwrap().to_str().unwrap();
        let elsewhere = folder.with_file_name(format!("{name}-2")).join("project.ron");
        assert_eq!(load(&elsewhere).board, project.board, "the board goes with the project");
    }
}

/// Waits until the chart on screen can be pinned.
fn until_pinnable(window: &mut Harness<'_, Workbench>) {
    until(window, "a chart that can be pinned", |window| {
        let mut pins = window.query_all_by_role_and_label(Role::Button, "Pin");
        pins.next().is_some_and(|pin| !pin.accesskit_node().is_disabled())
    });
}

#[test]
fn a_finished_run_becomes_a_decision_that_somebody_else_opens() {
    let world = World::with_real_workers();
    let tour = Tour::tiny(&world);
    let window = world.window(Theme::Light, Some(&tour.file));
    by_pointer(&world, window, &tour);
}

/// ```text
/// cargo nextest run --release --no-default-features --test window the_demo_becomes --run-ignored only
/// ```
#[test]
#[ignore = "trains the demo twice: minutes where the build is optimised"]
fn the_demo_becomes_a_decision_that_somebody_else_opens() {
    let world = World::with_real_workers();
    let mut window = world.window(Theme::Light, None);
    click(&mut window, "Open the demo…");
    click(&mut window, "Create and open");
    click(&mut window, "Skip the tour");
    by_pointer(&world, window, &Tour::demo(&world));

    let world = World::with_real_workers();
    let mut window = world.window(Theme::Dark, None);
    window.step();
    command(&mut window, "open the demo");
    press_button(&mut window, "Create and open");
    until_label(&mut window, "1 of 5");
    press(&mut window, Modifiers::NONE, Key::Escape);
    by_keys(window, &Tour::demo(&world));
}

fn by_pointer(world: &World, mut window: Harness<'_, Workbench>, tour: &Tour) {
    let file = &tour.file;
    until_part(&mut window, &format!("0 of {} finished", tour.runs));
    click(&mut window, "Decide");
    click(&mut window, "Set these gates");
    click(&mut window, "Run all");
    tour.until_finished(&mut window);
    until_part(&mut window, "? Needs ");
    click(&mut window, "Compare");
    for (number, (tab, shows)) in (1..).zip(PINNED) {
        click(&mut window, tab);
        until_part(&mut window, shows);
        until_pinnable(&mut window);
        click(&mut window, "Pin");
        until_part(&mut window, &format!("Pinned; the board has {number} figure"));
    }
    click(&mut window, "Open board");
    click(&mut window, "Present");
    for slide in 1..=PINNED.len() {
        window.key_press(Key::ArrowRight);
        until_label(&mut window, &format!("Slide {} of {}", slide + 1, PINNED.len() + 1));
    }
    window.key_press(Key::Escape);
    until_label(&mut window, "Run all");
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    until(&mut window, "the saved board", |_| load(file).board.len() == PINNED.len());
    click(&mut window, "File");
    window.get_by_role_and_label(Role::Button, "Report… Ctrl+Shift+R").click();
    until_label(&mut window, "Write a report");
    click(&mut window, "Write");
    until_label(&mut window, "The report was written");
    click(&mut window, "File");
    click(&mut window, "Pack…");
    until_part(&mut window, "before it is compressed");
    click(&mut window, "Pack");
    until_part(&mut window, "Written: ");
    drop(window);
    let mut window = world.window(Theme::Light, Some(&tour.zip()));
    until_label(&mut window, "Open a packed project");
    until_part(&mut window, "Packed ");
    click(&mut window, "Unpack and open");
    until_part(&mut window, &tour.finished());
    tour.check();
}

fn press(window: &mut Harness<'_, Workbench>, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.step();
    window.step();
}

/// Types where the keyboard is.
fn type_text(window: &mut Harness<'_, Workbench>, text: &str) {
    window.event(egui::Event::Text(text.to_owned()));
    window.step();
    window.step();
}

/// Opens the palette, and chooses what fits these words best.
fn command(window: &mut Harness<'_, Workbench>, words: &str) {
    press(window, Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    until_label(window, "Type a command");
    type_text(window, words);
    press(window, Modifiers::NONE, Key::Enter);
}

/// Goes on from field to field until a button has the keyboard, and presses it.
fn press_button(window: &mut Harness<'_, Workbench>, label: &str) {
    until_label(window, label);
    let focused = |window: &Harness<'_, Workbench>| {
        let mut buttons = window.query_all_by_role_and_label(Role::Button, label);
        buttons.any(|button| button.accesskit_node().is_focused())
    };
    for _ in 0..120 {
        if focused(window) {
            return press(window, Modifiers::NONE, Key::Enter);
        }
        press(window, Modifiers::NONE, Key::Tab);
    }
    panic!("{label} is not reached by the keyboard");
}

#[test]
fn the_same_by_keys_alone() {
    let world = World::with_real_workers();
    let tour = Tour::tiny(&world);
    let window = world.window(Theme::Dark, Some(&tour.file));
    by_keys(window, &tour);
}

fn by_keys(mut window: Harness<'_, Workbench>, tour: &Tour) {
    let file = &tour.file;
    until_part(&mut window, &format!("0 of {} finished", tour.runs));
    command(&mut window, "show decision");
    press_button(&mut window, "Set these gates");
    press(&mut window, Modifiers::NONE, Key::F5);
    tour.until_finished(&mut window);
    for (number, (tab, shows)) in (1..).zip(PINNED) {
        command(&mut window, tab);
        until_part(&mut window, shows);
        until_pinnable(&mut window);
        press(&mut window, Modifiers::COMMAND, Key::B);
        until_part(&mut window, &format!("Pinned; the board has {number} figure"));
    }
    press(&mut window, Modifiers::SHIFT, Key::F5);
    for slide in 1..=PINNED.len() {
        press(&mut window, Modifiers::NONE, Key::PageDown);
        until_label(&mut window, &format!("Slide {} of {}", slide + 1, PINNED.len() + 1));
    }
    press(&mut window, Modifiers::NONE, Key::Escape);
    until_label(&mut window, "Run all");
    press(&mut window, Modifiers::COMMAND, Key::S);
    until(&mut window, "the saved board", |_| load(file).board.len() == PINNED.len());
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::R);
    until_label(&mut window, "Write a report");
    press_button(&mut window, "Write");
    until_label(&mut window, "The report was written");
    command(&mut window, "pack");
    until_part(&mut window, "before it is compressed");
    press_button(&mut window, "Pack");
    until_part(&mut window, "Written: ");
    press_button(&mut window, "Close");
    press(&mut window, Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
    until_label(&mut window, "Open a project");
    type_text(&mut window, &tour.zip().display().to_string());
    press(&mut window, Modifiers::NONE, Key::Enter);
    until_label(&mut window, "Open a packed project");
    until_part(&mut window, "Packed ");
    press_button(&mut window, "Unpack and open");
    let name = file.parent().unwrap().file_name().unwrap().to_str().unwrap();
    until_part(&mut window, &format!("{name}-2/project.ron"));
    until_part(&mut window, &tour.finished());
    tour.check();
}
