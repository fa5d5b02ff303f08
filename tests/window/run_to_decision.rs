//! From an empty folder to a project that somebody else opens: run, compare, decide, pin, present, report, hand over. Once with the
//! pointer, once by keys alone.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;

use crate::fixture::TINY;
use crate::world::{World, click, load, until, until_label, until_part};

/// The figures that are pinned: tabs of Compare with a part of what they show.
const PINNED: [(&str, &str); 4] =
    [("By stage", "by stage"), ("Gains", "Gain in"), ("Table", "not enough seeds"), ("Cost", "Cost")];

fn project(world: &World) -> PathBuf {
    let folder = world.folder.path().join("home");
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("project.ron");
    std::fs::write(&file, TINY).unwrap();
    file
}

/// Waits until the chart on screen can be pinned.
fn until_pinnable(window: &mut Harness<'_, Workbench>) {
    until(window, "a chart that can be pinned", |window| {
        let mut pins = window.query_all_by_role_and_label(Role::Button, "Pin");
        pins.next().is_some_and(|pin| !pin.accesskit_node().is_disabled())
    });
}

/// What everybody who has been through the tour has in the end.
fn told(world: &World, file: &Path) {
    let project = load(file);
    assert_eq!(project.board.iter().map(|pinned| pinned.figure.as_str()).collect::<Vec<_>>().len(), PINNED.len());
    assert!(project.decision.is_some(), "the gates have their day");
    let reports = std::fs::read_dir(file.parent().unwrap()).unwrap().flatten().map(|entry| entry.path());
    let html = reports.into_iter().find(|path| path.extension().is_some_and(|ending| ending == "html"));
    let html = std::fs::read_to_string(html.expect("the report")).unwrap();
    assert!(html.matches("<svg").count() >= PINNED.len(), "every figure of the board is in the report");
    let elsewhere = world.folder.path().join("home-2/project.ron");
    assert_eq!(load(&elsewhere).board, project.board, "the board goes with the project");
}

#[test]
fn a_finished_run_becomes_a_decision_that_somebody_else_opens() {
    let world = World::with_real_workers();
    let file = project(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "0 of 2 finished");
    click(&mut window, "Decide");
    click(&mut window, "Set these gates");
    click(&mut window, "Run all");
    until_part(&mut window, "2 of 2 finished");
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
    until(&mut window, "the saved board", |_| load(&file).board.len() == PINNED.len());
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
    let mut window = world.window(Theme::Light, Some(&world.folder.path().join("home.zip")));
    until_label(&mut window, "Open a packed project");
    until_part(&mut window, "Packed ");
    click(&mut window, "Unpack and open");
    until_part(&mut window, "2 of 2 finished");
    told(&world, &file);
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
    let file = project(&world);
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "0 of 2 finished");
    command(&mut window, "show decision");
    press_button(&mut window, "Set these gates");
    press(&mut window, Modifiers::NONE, Key::F5);
    until_part(&mut window, "2 of 2 finished");
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
    until(&mut window, "the saved board", |_| load(&file).board.len() == PINNED.len());
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
    type_text(&mut window, &world.folder.path().join("home.zip").display().to_string());
    press(&mut window, Modifiers::NONE, Key::Enter);
    until_label(&mut window, "Open a packed project");
    until_part(&mut window, "Packed ");
    press_button(&mut window, "Unpack and open");
    until_part(&mut window, "home-2/project.ron");
    until_part(&mut window, "2 of 2 finished");
    told(&world, &file);
}
