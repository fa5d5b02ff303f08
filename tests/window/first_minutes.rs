//! What a new user meets: the tour, recent projects, the palette, shortcuts and settings.

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;

use crate::fixture::{self, Come};
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

const COMMAND: Modifiers = Modifiers::COMMAND;
const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

fn settings(world: &World) -> String {
    std::fs::read_to_string(world.folder.path().join("configuration/settings.ron")).unwrap_or_default()
}

#[test]
fn who_opens_the_demo_first_is_shown_around_once() {
    let world = World::new();
    let mut window = world.window(Theme::Light, None);
    window.step();
    click(&mut window, "Open the demo…");
    click(&mut window, "Create and open");
    until_label(&mut window, "1 of 5");
    assert!(has(&window, "What is compared"));
    // By the pointer, by keys, and back.
    click(&mut window, "Next");
    until_label(&mut window, "2 of 5");
    window.key_press(Key::Enter);
    until_label(&mut window, "3 of 5");
    window.key_press(Key::ArrowLeft);
    until_label(&mut window, "2 of 5");
    window.key_press(Key::ArrowRight);
    window.step();
    window.key_press(Key::ArrowRight);
    until_label(&mut window, "4 of 5");
    window.key_press(Key::Enter);
    until_label(&mut window, "5 of 5");
    click(&mut window, "Done");
    until(&mut window, "the end of the tour", |window| !has_part(window, " of 5"));
    until(&mut window, "settings that know it", |_| settings(&world).contains("tour_seen: true"));

    // It can be taken again, and left at once.
    click(&mut window, "Help");
    click(&mut window, "Take the tour");
    until_label(&mut window, "1 of 5");
    window.key_press(Key::Escape);
    until(&mut window, "the end of the tour", |window| !has_part(window, " of 5"));
    drop(window);

    world.begin_on_the_start_page();
    let mut window = world.window(Theme::Light, None);
    window.step();
    click(&mut window, "Open the demo…");
    click(&mut window, "Create and open");
    until_label(&mut window, "Synthetic drift demo");
    assert!(!has_part(&window, " of 5"), "it does not begin by itself again");
}

#[test]
fn recent_projects_have_names_and_say_when_they_are_gone() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.08, Come::FINISHED);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 4 finished");
    // The picture of its results is drawn off the window's thread.
    let pictures = world.folder.path().join("configuration/pictures");
    until(&mut window, "a picture of each ground", |_| {
        std::fs::read_dir(&pictures).is_ok_and(|files| {
            files.flatten().filter(|file| file.file_name().to_string_lossy().ends_with(".png")).count() == 2
        })
    });
    window.key_press_modifiers(COMMAND, Key::W);
    until_label(&mut window, "Recent projects");
    until_label(&mut window, "Synthetic drift demo");
    until_label(&mut window, "Opened just now");
    let folder = file.parent().unwrap();
    assert!(has(&window, &folder.display().to_string()));
    drop(window);

    std::fs::rename(folder, folder.with_file_name("elsewhere")).unwrap();
    let mut window = world.window(Theme::Dark, None);
    until_label(&mut window, "⚠ Its folder is gone");
    let entry = window.get_by_role_and_label(Role::Button, "Synthetic drift demo");
    assert!(entry.accesskit_node().is_disabled());
    click(&mut window, "Remove Synthetic drift demo from this list");
    until_part(&mut window, "None yet");
}

/// Types into the field of a label.
fn type_into(window: &mut Harness<'_, Workbench>, label: &str, text: &str) {
    window.get_by_role_and_label(Role::TextInput, label).focus();
    window.step();
    window.get_by_role_and_label(Role::TextInput, label).type_text(text);
    window.step();
}

#[test]
fn what_a_click_opens_is_in_the_frame_of_the_click() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    (0..10).for_each(|_| window.step());
    let passes = |window: &Harness<'_, Workbench>| window.output().platform_output.num_completed_passes;
    assert_eq!(passes(&window), 1, "nothing has opened");
    let first = |window: &mut Harness<'_, Workbench>, label: &str, then: &str| {
        window.get_by_label(label).click();
        until_label(window, then);
        passes(window)
    };
    // A menu measures itself before it is seen.
    assert_eq!(first(&mut window, "File", "Pack…"), 2);
    // The click is answered when everything is drawn; then there is a dialog, which measures itself.
    assert_eq!(first(&mut window, "Pack…", "Pack the project"), 3);
}

fn palette(window: &mut Harness<'_, Workbench>, query: &str) {
    window.key_press_modifiers(COMMAND_SHIFT, Key::P);
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Type a command").type_text(query);
    window.run();
}

#[test]
fn the_palette_leads_to_settings_experiments_and_runs_and_keeps_its_height() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    palette(&mut window, "warm-up");
    window.key_press(Key::Enter);
    until(&mut window, "the setting", |window| window.query_by_role_and_label(Role::SpinButton, "Warm-up").is_some());

    palette(&mut window, "frozen, seed");
    window.key_press(Key::Enter);
    until_label(&mut window, "1 selected");

    palette(&mut window, "data timeline");
    window.key_press(Key::Enter);
    until_part(&mut window, "Generated data come in stages");

    palette(&mut window, "semantic ids");
    window.key_press(Key::Enter);
    until_part(&mut window, "A semantic id is a short sequence");

    // However few fit, nothing moves under the pointer.
    let height = |window: &Harness<'_, Workbench>| {
        let id = egui::Id::unique("command palette");
        window.ctx.memory(|memory| memory.area_rect(id)).unwrap().height()
    };
    palette(&mut window, "e");
    let many = height(&window);
    window.get_by_role_and_label(Role::TextInput, "Type a command").type_text("qqqq");
    window.run();
    until_label(&mut window, "Nothing has these letters in its name");
    assert_eq!(height(&window), many);
}

#[test]
fn all_shortcuts_are_shown_and_found() {
    let world = World::new();
    let mut window = world.window(Theme::Light, None);
    window.step();
    window.key_press_modifiers(COMMAND, Key::Slash);
    until_label(&mut window, "Keyboard shortcuts");
    assert!(has(&window, "Run selected") && has(&window, "Ctrl+R"));
    type_into(&mut window, "Search shortcuts", "zoom in");
    until(&mut window, "one command", |window| !has(window, "Run selected"));
    assert!(has(&window, "Zoom in"));
    click(&mut window, "Close");
    until(&mut window, "the dialog to go", |window| !has(window, "Keyboard shortcuts"));
}

#[test]
fn settings_are_applied_and_kept() {
    let world = World::new();
    let mut window = world.window(Theme::Light, None);
    window.step();
    window.key_press_modifiers(COMMAND, Key::Comma);
    until_label(&mut window, "Settings are this computer's; a project takes none of them with it");
    // It has its size, and stays where it is.
    window.run();
    window.get_by_role_and_label(Role::RadioButton, "Dark").click();
    window.step();
    let folder = world.folder.path().join("projects");
    type_into(&mut window, "Folder of projects", &folder.display().to_string());
    click(&mut window, "Ask before a form that is filled in is closed");
    click(&mut window, "Apply");
    until(&mut window, "settings on disk", |_| settings(&world).contains("confirm_forms: false"));
    assert!(settings(&world).contains("theme: Dark"), "{}", settings(&world));
    until(&mut window, "the dark theme", |window| window.ctx.global_style().visuals.dark_mode);

    // The demo is suggested where projects are kept, and a form closes unasked.
    click(&mut window, "Open the demo…");
    let suggested = folder.join("peso-demo").display().to_string();
    until(&mut window, "the folder", |window| {
        window.query_all_by_role(Role::TextInput).any(|field| field.value().as_deref() == Some(suggested.as_str()))
    });
    window.key_press(Key::Escape);
    until(&mut window, "the form to go", |window| !has(window, "Create and open"));
    drop(window);

    // A window on a project, and then one on nothing, which begins with the same project.
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    until(&mut window, "settings that know it", |_| settings(&world).contains("Synthetic drift demo"));
    drop(window);
    let mut window = world.window(Theme::Light, None);
    until_label(&mut window, "demo/project.ron");
}
