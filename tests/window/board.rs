//! The board: charts are pinned, put in order and words, followed, written, and shown to a room by keys alone.

use std::fs;
use std::path::{Path, PathBuf};

use eframe::egui;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Theme, ViewportCommand};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::run::{RunMethod, Status};

use crate::fixture::{self, Come};
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

/// The demo with finished runs of its first two experiments.
fn demo(world: &World) -> PathBuf {
    let file = world.demo();
    let project = load(&file);
    for (place, level) in [(0, 0.081), (1, 0.072)] {
        fixture::write(&project.runs_dir(None), &fixture::planned(&project, place), level, Come::FINISHED);
    }
    file
}

/// Pins the chart of each of these tabs of Compare.
fn pin(window: &mut Harness<'_, Workbench>, tabs: &[&str]) {
    click(window, "Compare");
    for (number, tab) in (1..).zip(tabs) {
        click(window, tab);
        until(window, "a chart that can be pinned", |window| {
            let mut pins = window.query_all_by_role_and_label(Role::Button, "Pin");
            pins.next().is_some_and(|pin| !pin.accesskit_node().is_disabled())
        });
        click(window, "Pin");
        until_part(window, &format!("Pinned; the board has {number} figure"));
    }
}

/// Goes to the board, with all the room for it.
fn open_board(window: &mut Harness<'_, Workbench>) {
    click(window, "Open board");
    press(window, Key::F11);
    until_label(window, "Present");
}

/// The titles of the board's cards, from top to bottom.
fn order(window: &Harness<'_, Workbench>) -> Vec<String> {
    let menus = window.query_all_by_role(Role::Button).filter_map(|button| {
        let name = button.accesskit_node().label()?.strip_prefix("More for ")?.to_owned();
        Some((button.rect().top(), name))
    });
    let ours = |(_, name): &(f32, String)| [STAGES, GAINS, TABLE].contains(&name.as_str());
    let mut menus: Vec<(f32, String)> = menus.filter(ours).collect();
    menus.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    menus.into_iter().map(|(_, name)| name).collect()
}

fn press(window: &mut Harness<'_, Workbench>, key: Key) {
    window.key_press(key);
    window.step();
    window.step();
}

fn slide(window: &mut Harness<'_, Workbench>, number: usize, of: usize) {
    until_label(window, &format!("Slide {number} of {of}"));
}

/// A key that goes down, as one frame takes it in.
const fn key_event(key: Key, modifiers: Modifiers) -> Event {
    Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers }
}

/// Whether the window was told to take, or give back, the whole screen in the last frame.
fn told_full_screen(window: &Harness<'_, Workbench>, full: bool) -> bool {
    let outputs = &window.output().viewport_output;
    outputs.values().flat_map(|output| &output.commands).any(|command| *command == ViewportCommand::Fullscreen(full))
}

const STAGES: &str = "NDCG@10 by stage";
const TABLE: &str = "Comparison";
const GAINS: &str = "Gain in NDCG@10 over Single evolving LoRA";

#[test]
fn charts_are_pinned_ordered_told_and_still_there_when_the_project_is_opened_again() {
    let world = World::new();
    let file = demo(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    click(&mut window, "Board");
    until_label(&mut window, "Nothing is pinned yet");
    pin(&mut window, &["By stage", "Gains"]);
    open_board(&mut window);
    until(&mut window, "two cards", |window| order(window) == [STAGES, GAINS]);
    click(&mut window, &format!("Move {GAINS} up"));
    until(&mut window, "the other order", |window| order(window) == [GAINS, STAGES]);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    until(&mut window, "the order of before", |window| order(window) == [STAGES, GAINS]);
    until_part(&mut window, "Undone: the order of the board");

    // The thumbnail of the second is dragged above the first.
    let at = |window: &Harness<'_, Workbench>, title: &str| {
        let mut charts = window
            .query_all_by_role(Role::Image)
            .filter(|chart| chart.accesskit_node().label().is_some_and(|label| label.starts_with(title)));
        charts.next_back().unwrap().rect()
    };
    let (from, to) = (at(&window, GAINS).center(), at(&window, STAGES).left_top() + egui::vec2(20.0, 5.0));
    let button = |pos, pressed| Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    for event in [
        Event::PointerMoved(from),
        button(from, true),
        Event::PointerMoved(to),
        Event::PointerMoved(to),
        button(to, false),
    ] {
        window.event(event);
        window.step();
    }
    until(&mut window, "what was dragged", |window| order(window) == [GAINS, STAGES]);

    let field = window.query_all_by_role_and_label(Role::TextInput, "Title").next().unwrap();
    field.focus();
    window.step();
    window.query_all_by_role_and_label(Role::TextInput, "Title").next().unwrap().type_text("PESO wins");
    window.step();
    until_label(&mut window, "More for PESO wins");
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    until(&mut window, "the saved board", |_| load(&file).board.len() == 2 && load(&file).board[0].title.is_some());
    let board = load(&file).board;
    assert_eq!((board[0].figure.as_str(), board[0].title.as_deref()), ("gains", Some("PESO wins")));
    assert_eq!(board[0].seen.len(), 2, "both runs are known: {:?}", board[0].seen);

    let mut again = world.window(Theme::Dark, Some(&file));
    click(&mut again, "Board");
    press(&mut again, Key::F11);
    // Nothing moves any more once both charts are there.
    until_part(&mut again, "PESO wins (Synthetic data)");
    until_part(&mut again, &format!("{STAGES} (Synthetic data)"));
    again.run_ok();
    click(&mut again, "More for PESO wins");
    click(&mut again, "Duplicate");
    until_part(&mut again, "3 figures");
    click(&mut again, &format!("More for {STAGES}"));
    click(&mut again, "Remove from the board");
    until(&mut again, "two copies", |window| window.query_all_by_label("More for PESO wins").count() == 2);
    assert!(!has(&again, &format!("More for {STAGES}")));
}

#[test]
fn a_pinned_figure_follows_its_runs_and_says_what_changed_until_it_is_taken_as_seen() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let runs = project.runs_dir(None);
    let come = Come { stages: 2, status: Status::Running, reason: None };
    let run = fixture::write(&runs, &fixture::planned(&project, 0), 0.081, come);
    let _worker = run.lock().unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    pin(&mut window, &["By stage"]);
    open_board(&mut window);
    until_label(&mut window, &format!("More for {STAGES}"));
    assert!(!has(&window, "Take as seen"), "nothing has changed yet");
    let mut writer = run.writer().unwrap();
    fixture::write_stage(&mut writer, run.config(), 3, 0.081);
    writer.flush().unwrap();
    until_part(&mut window, "1 run has gone on since this was pinned");
    let method = RunMethod::Learned(project.experiments[0].method.clone());
    fixture::write(&runs, &fixture::config(&project, "PESO", method, 43), 0.08, Come::FINISHED);
    until_part(&mut window, "1 run has gone on since this was pinned; PESO, seed 43 is new");
    click(&mut window, "Take as seen");
    until(&mut window, "nothing more to say", |window| !has_part(window, "since this was pinned"));
}

#[test]
fn the_board_is_presented_by_keys_alone_and_left_by_escape() {
    let world = World::new();
    let file = demo(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    pin(&mut window, &["By stage", "Table", "Gains"]);
    open_board(&mut window);
    let note = "Say why one seed is not enough";
    let notes =
        |window: &Harness<'_, Workbench>| window.query_all_by_role_and_label(Role::MultilineTextInput, "Note").count();
    until(&mut window, "the cards", |window| notes(window) > 0);
    let field = window.query_all_by_role_and_label(Role::MultilineTextInput, "Note").next().unwrap();
    field.focus();
    window.step();
    window.query_all_by_role_and_label(Role::MultilineTextInput, "Note").next().unwrap().type_text(note);
    window.step();
    until(&mut window, "all charts", |window| order(window).len() == 3);
    window.event(key_event(Key::F5, Modifiers::SHIFT));
    window.step();
    assert!(told_full_screen(&window, true));
    slide(&mut window, 1, 4);
    assert!(has(&window, &load(&file).name), "the title is the project's name");
    assert!(!has(&window, "Present"), "nothing else is shown");
    press(&mut window, Key::ArrowRight);
    slide(&mut window, 2, 4);
    until_label(&mut window, STAGES);
    press(&mut window, Key::N);
    until_label(&mut window, note);
    until_label(&mut window, "Next: Comparison");
    until_part(&mut window, "Timer 0:0");
    press(&mut window, Key::N);
    assert!(!has(&window, note), "the room is not to see it");
    press(&mut window, Key::S);
    until_label(&mut window, note);
    until_label(&mut window, "Next: Comparison");
    press(&mut window, Key::Home);
    until_part(&mut window, "Next: ");
    assert!(!has(&window, note), "notes follow the slides");
    press(&mut window, Key::ArrowRight);
    until_label(&mut window, note);
    press(&mut window, Key::S);
    assert!(!has(&window, note), "the speaker's window is closed");
    press(&mut window, Key::Space);
    until_label(&mut window, "Comparison");
    press(&mut window, Key::End);
    slide(&mut window, 4, 4);
    press(&mut window, Key::PageDown);
    slide(&mut window, 4, 4);
    press(&mut window, Key::PageUp);
    slide(&mut window, 3, 4);
    press(&mut window, Key::Home);
    slide(&mut window, 1, 4);
    press(&mut window, Key::B);
    assert!(!has(&window, "Slide 1 of 4"), "the screen is black");
    press(&mut window, Key::B);
    press(&mut window, Key::Questionmark);
    until_label(&mut window, "Speaker's notes and timer, below the slide");
    press(&mut window, Key::L);
    assert!(window.ctx.global_style().visuals.dark_mode, "L turns it dark");
    window.event(key_event(Key::Escape, Modifiers::NONE));
    window.step();
    assert!(told_full_screen(&window, false), "the window has the size of before");
    until_label(&mut window, "Present");
    assert!(!window.ctx.global_style().visuals.dark_mode, "the window is as it was");
}

#[test]
fn the_whole_board_is_written_in_one_go() {
    let world = World::new();
    let file = demo(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    pin(&mut window, &["By stage", "Slices", "Cost", "Matrix"]);
    open_board(&mut window);
    click(&mut window, "Export all…");
    click(&mut window, "CSV table");
    until_label(&mut window, "Export the board");
    click(&mut window, "Export");
    until_part(&mut window, "4 files of the board written");
    let names = |folder: &Path| {
        let mut names: Vec<String> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    let folder = file.with_file_name("charts").join("board");
    assert_eq!(names(&folder), ["01-comparison.csv", "02-slices.csv", "03-cost-time.csv", "04-matrix-mean.csv"]);
    let csv = fs::read_to_string(folder.join("01-comparison.csv")).unwrap();
    assert!(csv.contains("PESO") && csv.contains("Single evolving LoRA"), "{csv}");
}

#[test]
fn a_user_is_pinned_with_what_every_method_recommended() {
    let world = World::new();
    let file = demo(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    click(&mut window, "Users");
    until_part(&mut window, "Went for");
    window.key_press_modifiers(Modifiers::COMMAND, Key::B);
    until_part(&mut window, "Pinned; the board has 1 figure");
    open_board(&mut window);
    until_part(&mut window, "More for Recommendations to user");
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    until(&mut window, "the saved board", |_| load(&file).board.len() == 1);
    let pinned = load(&file).board.remove(0);
    assert_eq!((pinned.figure.as_str(), pinned.options.stage), ("recommendations", Some(5)));
    assert!(pinned.options.user.is_some());
}
