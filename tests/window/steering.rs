//! Steering by hand: sliders that a process answers, marks that are found, a position that is kept.

use std::process::Command;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;

use crate::fixture::TINY;
use crate::world::{World, click, has, has_part, until, until_label, until_part};

/// The only label with a part.
fn label(window: &Harness<'_, Workbench>, part: &str) -> String {
    let found = window.query_all_by_label_contains(part).next().unwrap();
    let node = found.accesskit_node();
    node.label().or_else(|| node.value()).unwrap()
}

/// Where a slider stands.
fn stands(window: &Harness<'_, Workbench>, name: &str) -> f64 {
    window.get_by_role_and_label(Role::Slider, name).accesskit_node().numeric_value().unwrap()
}

#[test]
fn sliders_move_a_step_and_the_answers_follow() {
    let world = World::with_real_workers();
    let file = world.folder.path().join("tiny.ron");
    std::fs::write(&file, TINY).unwrap();
    let trained = Command::new(env!("CARGO_BIN_EXE_peso")).arg("run").arg(&file).args(["--device", "cpu"]).output();
    assert!(trained.unwrap().status.success());
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "2 of 2 finished");
    click(&mut window, "Subspace");
    click(&mut window, "Steer");
    until_part(&mut window, "Before the stage ");
    until_part(&mut window, " ms");
    assert_eq!(stands(&window, "Whole step"), 1.0);
    assert_eq!(stands(&window, "Direction 1"), 1.0, "it goes with the whole step");
    let ends = label(&window, "Before the stage ");
    let (before, after) = ends.trim_start_matches("Before the stage ").split_once(", after it ").unwrap();
    until_label(&mut window, after);

    // At the state before, the sample is hit as it was before, and the list is the one of before.
    click(&mut window, "Before 0.00");
    until_label(&mut window, before);
    assert_eq!((stands(&window, "Whole step"), stands(&window, "Direction 1")), (0.0, 0.0));
    until(&mut window, "the list before the stage", |window| !has(window, "1 new") && !has_part(window, "▲1"));

    // A direction by the keyboard goes alone.
    window.get_by_role_and_label(Role::Slider, "Direction 1").focus();
    window.step();
    window.key_press(Key::ArrowRight);
    until(&mut window, "the direction to move", |window| stands(window, "Direction 1") > 0.0);
    assert_eq!((stands(&window, "Whole step"), stands(&window, "Direction 2")), (0.0, 0.0));
    click(&mut window, "After 1.00");
    assert_eq!(stands(&window, "Direction 1"), 1.0, "a mark takes all along");

    click(&mut window, "Find the best on validation");
    until_part(&mut window, "Best on validation ");
    until_part(&mut window, "Perturb-and-Merge ");
    assert!(has_part(&window, "Free "), "the other method's mark: both began in the same state");
    click(&mut window, "Before 0.00");
    click(&mut window, "Keep as an experiment");
    until_part(&mut window, "Kept under Experiments as “Pulled, stage 2 at 0.00”");
    until_part(&mut window, "2 of 3 finished");
    click(&mut window, "Export as PEFT…");
    click(&mut window, "Export");
    until_label(&mut window, "The steered adapter was written");
    assert!(world.folder.path().join("steered-adapter-stage-2/adapter_config.json").is_file());
}
