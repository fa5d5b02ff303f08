//! Editing where things are shown, taking edits back by their names, and edits that outlive the window.

use std::path::Path;

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::project::Project;

use crate::fixture::{self, Come};
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

const COMMAND: Modifiers = Modifiers::COMMAND;

/// A window on the demo, tall enough that every setting is on screen.
fn open(world: &World, file: &Path) -> Harness<'static, Workbench> {
    let mut window = world.window(Theme::Light, Some(file));
    window.set_size([1280.0, 2600.0].into());
    until_label(&mut window, "Synthetic drift demo");
    window
}

/// Types a number into the field of a label, in place of what stands there.
#[track_caller]
fn set_number(window: &mut Harness<'_, Workbench>, label: &str, text: &str) {
    window.get_by_role_and_label(Role::SpinButton, label).focus();
    window.step();
    window.step();
    window.key_press_modifiers(COMMAND, Key::A);
    window.step();
    window.event(egui::Event::Text(text.to_owned()));
    window.step();
    window.key_press(Key::Enter);
    window.step();
    window.step();
}

/// Types into the field of a label, in place of what stands there.
#[track_caller]
fn set_text(window: &mut Harness<'_, Workbench>, label: &str, text: &str) {
    window.get_by_role_and_label(Role::TextInput, label).focus();
    window.step();
    window.key_press_modifiers(COMMAND, Key::A);
    window.step();
    window.get_by_role_and_label(Role::TextInput, label).type_text(text);
    window.step();
}

fn value_of(window: &Harness<'_, Workbench>, label: &str) -> Option<String> {
    window.get_by_role_and_label(Role::TextInput, label).accesskit_node().value()
}

/// The project after it was saved.
fn saved(window: &mut Harness<'_, Workbench>, file: &Path) -> Project {
    window.key_press_modifiers(COMMAND, Key::S);
    window.step();
    until(window, "a saved project", |window| !has(window, "Unsaved changes"));
    load(file)
}

#[test]
fn training_and_tests_are_set_where_they_are_summed_up() {
    let world = World::new();
    let file = world.demo();
    let before = load(&file);
    let mut window = open(&world, &file);
    until_part(&mut window, &format!("learning rate {}", before.training.learning_rate));
    click(&mut window, "Training and tests");
    until(&mut window, "the form", |window| window.query_by_role_and_label(Role::SpinButton, "Epochs").is_some());
    set_number(&mut window, "Epochs", "2");
    set_number(&mut window, "Learning rate", "0.0005");
    set_number(&mut window, "History", "7");
    window.get_by_role_and_label(Role::CheckBox, "Known items").click();
    window.step();
    let after = saved(&mut window, &file);
    assert_eq!((after.training.epochs, after.training.learning_rate, after.training.max_history), (2, 0.0005, 7));
    assert!(after.evaluation.known_items);

    // What need not have a number of its own gets one and loses it; what was changed goes back to its default.
    click(&mut window, "Later-stage epochs");
    assert_eq!(saved(&mut window, &file).training.later_stage_epochs, Some(2));
    click(&mut window, "Reset Later-stage epochs");
    click(&mut window, "Reset Epochs");
    let reset = saved(&mut window, &file);
    assert_eq!((reset.training.later_stage_epochs, reset.training.epochs), (None, 4));

    // Cut-offs that cannot be read stay, with the reason below them.
    set_text(&mut window, "Cut-offs", "5, ten");
    window.key_press(Key::Enter);
    until_label(&mut window, "“ten” is not a whole number");
    assert_eq!(value_of(&window, "Cut-offs").as_deref(), Some("5, ten"));
    set_text(&mut window, "Cut-offs", "5, 10");
    window.key_press(Key::Enter);
    window.step();
    window.step();
    assert_eq!(saved(&mut window, &file).evaluation.k, [5, 10]);
}

#[test]
fn the_projects_facts_lead_to_where_they_are_edited() {
    let world = World::new();
    let file = world.demo();
    let mut window = open(&world, &file);
    let follow = |window: &mut Harness<'_, Workbench>, label: &str| {
        window.get_by_role_and_label(Role::Link, label).click();
        window.step();
        window.step();
    };
    assert!(!has(&window, "Shape of the compact model"));
    follow(&mut window, "Base model");
    until_label(&mut window, "Shape of the compact model");
    follow(&mut window, "Data");
    until_label(&mut window, "Generated");
    assert!(!has(&window, "Rank of each adapter"));
    follow(&mut window, "LoRA");
    until(&mut window, "the form", |window| window.query_by_role_and_label(Role::SpinButton, "LoRA rank").is_some());
}

#[test]
fn seeds_that_cannot_be_read_are_explained_and_kept() {
    let world = World::new();
    let file = world.demo();
    let mut window = open(&world, &file);
    set_text(&mut window, "Seeds", "1,2,x");
    window.key_press(Key::Enter);
    until_label(&mut window, "“x” is not a whole number");
    assert_eq!(value_of(&window, "Seeds").as_deref(), Some("1,2,x"));
    assert!(!has(&window, "Unsaved changes"), "the project has the seeds of before");
    set_text(&mut window, "Seeds", "1,2,3");
    window.key_press(Key::Enter);
    until_label(&mut window, "Unsaved changes");
    assert_eq!(saved(&mut window, &file).seeds, [1, 2, 3]);
    assert!(!has_part(&window, "is not a whole number"));
}

#[test]
fn undo_says_what_it_takes_back_and_leaves_nothing_to_save() {
    let world = World::new();
    let file = world.demo();
    let mut window = open(&world, &file);
    click(&mut window, "More for Frozen");
    click(&mut window, "Remove");
    until_label(&mut window, "Unsaved changes");
    // Elsewhere, so that undo has to lead there.
    click(&mut window, "Edit");
    click(&mut window, "Undo removing Frozen Ctrl+Z");
    until_label(&mut window, "Undone: removing Frozen");
    assert!(has(&window, "More for Frozen"));
    assert!(!has(&window, "Unsaved changes"), "undone to what is saved is saved");
    click(&mut window, "Edit");
    click(&mut window, "Redo removing Frozen Ctrl+Shift+Z");
    until_label(&mut window, "Redone: removing Frozen");
    until_label(&mut window, "Unsaved changes");

    // A setting that is folded away unfolds when its edit is taken back.
    click(&mut window, "Training and tests");
    until(&mut window, "the form", |window| window.query_by_role_and_label(Role::SpinButton, "Epochs").is_some());
    set_number(&mut window, "Epochs", "9");
    click(&mut window, "Training and tests");
    until(&mut window, "a folded form", |window| window.query_by_role_and_label(Role::SpinButton, "Epochs").is_none());
    window.key_press_modifiers(COMMAND, Key::Z);
    until_label(&mut window, "Undone: epochs");
    until(&mut window, "the form", |window| window.query_by_role_and_label(Role::SpinButton, "Epochs").is_some());
}

/// Adds PESO once more, and waits for the copy of it beside the project.
fn edited_and_killed(world: &World, file: &Path) {
    let mut window = open(world, file);
    click(&mut window, "More for PESO");
    click(&mut window, "Duplicate");
    until_label(&mut window, "More for PESO 2");
    let start = std::time::Instant::now();
    let copy = file.with_file_name(".project.ron.autosave");
    until(&mut window, "a copy of the edits", |_| copy.is_file());
    assert!(start.elapsed().as_secs_f64() < 2.0, "{:?}", start.elapsed());
    // Nothing that ends in good order: the harness never tells the window that it closes.
    drop(window);
    assert!(copy.is_file());
}

#[test]
fn edits_outlive_a_window_that_is_killed() {
    let world = World::new();
    let file = world.demo();
    let copy = file.with_file_name(".project.ron.autosave");
    edited_and_killed(&world, &file);

    // The start page knows of them.
    world.begin_on_the_start_page();
    let mut window = world.window(Theme::Dark, None);
    until_part(&mut window, "with edits that were not saved");
    drop(window);

    // They are offered, never taken unasked; neither Escape nor a click beside the question decides.
    let mut window = open(&world, &file);
    until_label(&mut window, "Edits that were not saved");
    assert!(!has(&window, "More for PESO 2"));
    window.key_press(Key::Escape);
    window.step();
    window.step();
    assert!(has(&window, "Edits that were not saved") && copy.is_file());
    let restore = window.query_all_by_label_contains("Restore the edits of").next().unwrap();
    restore.click();
    until_label(&mut window, "More for PESO 2");
    until_label(&mut window, "Unsaved changes");
    assert!(saved(&mut window, &file).experiments.iter().any(|experiment| experiment.name == "PESO 2"));
    until(&mut window, "the copy to go", |_| !copy.exists());
}

#[test]
fn edits_that_were_left_can_be_discarded_and_a_damaged_copy_is_told() {
    let world = World::new();
    let file = world.demo();
    let copy = file.with_file_name(".project.ron.autosave");
    edited_and_killed(&world, &file);
    let mut window = open(&world, &file);
    until_label(&mut window, "Edits that were not saved");
    click(&mut window, "Discard");
    until(&mut window, "the question to go", |window| !has(window, "Edits that were not saved"));
    assert!(!copy.exists() && !has(&window, "More for PESO 2") && !has(&window, "Unsaved changes"));
    drop(window);

    std::fs::write(&copy, "(format: 1, na").unwrap();
    let mut window = open(&world, &file);
    until_part(&mut window, "their copy is damaged");
    assert!(!has(&window, "Edits that were not saved"));
    assert!(file.with_file_name(".project.ron.autosave.damaged").is_file() && !copy.exists());
}

#[test]
fn edits_that_are_taken_back_leave_no_copy() {
    let world = World::new();
    let file = world.demo();
    let copy = file.with_file_name(".project.ron.autosave");
    let mut window = open(&world, &file);
    click(&mut window, "More for PESO");
    click(&mut window, "Duplicate");
    until(&mut window, "a copy of the edits", |_| copy.is_file());
    window.key_press_modifiers(COMMAND, Key::Z);
    until(&mut window, "the copy to go", |_| !copy.exists());
}

#[test]
fn a_path_that_cannot_be_opened_is_explained_in_the_form_that_asked_for_it() {
    let world = World::new();
    let file = world.demo();
    let mut window = open(&world, &file);
    window.key_press_modifiers(Modifiers { shift: true, ..COMMAND }, Key::O);
    let label = "A project file (.ron), or the folder that holds project.ron";
    until_label(&mut window, label);
    window.get_by_role_and_label(Role::TextInput, label).type_text("/nowhere/shop.ron");
    window.step();
    click(&mut window, "Open");
    until_label(&mut window, "⚠ There is no such project");
    assert_eq!(value_of(&window, label).as_deref(), Some("/nowhere/shop.ron"));
    assert!(has(&window, "Synthetic drift demo"), "the project stays open");

    // A click beside the form does nothing; Escape asks, and again goes on with it.
    window.drag_at(egui::pos2(20.0, 2500.0));
    window.drop_at(egui::pos2(20.0, 2500.0));
    window.step();
    window.step();
    assert!(has(&window, label));
    window.key_press(Key::Escape);
    until_label(&mut window, "What you entered is lost");
    click(&mut window, "Keep editing");
    until(&mut window, "the form alone", |window| !has(window, "What you entered is lost"));
    assert_eq!(value_of(&window, label).as_deref(), Some("/nowhere/shop.ron"));
    window.key_press(Key::Escape);
    until_label(&mut window, "What you entered is lost");
    click(&mut window, "Close without it");
    until(&mut window, "the form to go", |window| !has(window, label));
}

#[test]
fn a_path_typed_on_the_start_page_is_explained_below_it() {
    let world = World::new();
    let mut window = world.window(Theme::Dark, None);
    window.step();
    let label = "Or type the path of a project file or its folder";
    set_text(&mut window, label, "/nowhere");
    click(&mut window, "Open");
    until_label(&mut window, "⚠ There is no such project");
    assert_eq!(value_of(&window, label).as_deref(), Some("/nowhere"));
    assert!(!has(&window, "Dismiss"), "no message says it a second time");
}

#[test]
fn a_chart_that_cannot_be_written_says_so_in_its_form() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.08, Come::FINISHED);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 4 finished");
    click(&mut window, "Compare");
    until_label(&mut window, "By stage");
    click(&mut window, "Export…");
    until_label(&mut window, "Export the chart");
    // A file stands where its folder must be.
    let taken = file.with_file_name("project.ron").join("chart.png").display().to_string();
    set_text(&mut window, "File", &taken);
    click(&mut window, "Export");
    until_part(&mut window, "⚠ Cannot write");
    assert!(!has_part(&window, "os error"));
    assert_eq!(value_of(&window, "File"), Some(taken));
}

#[test]
fn ids_can_be_made_of_several_sources() {
    use peso_workbench::id_training::source::VectorSource;
    use peso_workbench::project::SemanticIds;
    let world = World::new();
    let sources =
        "semantic_ids: Train(source: Concat([(source: Words(32)), (source: Words(64), weight: 0.5)])), seeds: [42],";
    let file = world.demo_with("seeds: [42],", sources);
    let mut window = open(&world, &file);
    click(&mut window, "Data");
    click(&mut window, "Semantic ids");
    until_label(&mut window, "Remove source 2");
    click(&mut window, "Add source");
    until_label(&mut window, "Remove source 3");
    click(&mut window, "Remove source 1");
    until(&mut window, "two sources", |window| !has(window, "Remove source 3"));
    match saved(&mut window, &file).semantic_ids {
        SemanticIds::Train(options) => match options.source {
            VectorSource::Concat(parts) => {
                let found: Vec<(VectorSource, f64)> =
                    parts.into_iter().map(|part| (part.source, part.weight)).collect();
                assert_eq!(found, [(VectorSource::Words(64), 0.5), (VectorSource::Words(256), 1.0)]);
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}
