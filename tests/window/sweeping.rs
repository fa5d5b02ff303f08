//! Sweeps, what runs will take, and edits that must not cost a project its file.

use std::sync::atomic::Ordering;

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::budget::estimate::{Basis, Estimate, RunEstimate};
use peso_workbench::project::Project;
use peso_workbench::project::sweep::{Axis, Combine, Sweep};
use peso_workbench::run::planned::planned;
use peso_workbench::run::{RunSelection, Status};
use peso_workbench::schema::Setting;
use peso_workbench::train::preflight::Preflight;

use crate::fixture::{self, Come};
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

const COMMAND: Modifiers = Modifiers::COMMAND;

/// Types into a text field in place of what stands there.
fn retype(window: &mut Harness<'_, Workbench>, field: &str, text: &str) {
    window.get_by_role_and_label(Role::TextInput, field).focus();
    window.step();
    window.key_press_modifiers(COMMAND, Key::A);
    window.step();
    window.get_by_role_and_label(Role::TextInput, field).type_text(text);
    window.step();
    window.step();
}

fn value(window: &Harness<'_, Workbench>, field: &str) -> String {
    window.get_by_role_and_label(Role::TextInput, field).value().unwrap_or_default()
}

/// Opens the editor of a new sweep of PESO over λ with these values.
fn sweep_lambda(window: &mut Harness<'_, Workbench>, values: &str) {
    click(window, "Sweep PESO…");
    until_label(window, "Sweep options");
    click(window, "Add option…");
    click(window, "λ");
    until_label(window, "Values of λ");
    retype(window, "Values of λ", values);
}

fn numbers(values: &[f64]) -> Vec<Setting> {
    values.iter().copied().map(Setting::Number).collect()
}

#[test]
fn a_sweep_is_made_counted_run_edited_and_taken_back() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "0 of 4 finished");
    // λ 2 is the experiment itself.
    sweep_lambda(&mut window, "0.5, 2, 8");
    until_label(&mut window, "3 points, 2 new: with 1 seed 2 runs more");
    click(&mut window, "Add option…");
    click(&mut window, "Learning rate");
    retype(&mut window, "Values of Learning rate", "1e-3; 2e-3");
    // The demo's learning rate is 0.002.
    until_label(&mut window, "6 points, 5 new: with 1 seed 5 runs more");
    click(&mut window, "Values in turn");
    until_part(&mut window, "each needs as many");
    click(&mut window, "Every combination");
    until_label(&mut window, "6 points, 5 new: with 1 seed 5 runs more");
    click(&mut window, "Add sweep");
    until_label(&mut window, "Sweep, 6 points");
    until_part(&mut window, "0 of 9 finished");
    window.key_press_modifiers(COMMAND, Key::S);
    until(&mut window, "the saved sweep", |_| !load(&file).sweeps.is_empty());
    let axis = |option: &str, values: &[f64]| Axis { option: option.to_owned(), values: numbers(values) };
    let options = vec![axis("lambda", &[0.5, 2.0, 8.0]), axis("training.learning_rate", &[0.001, 0.002])];
    assert_eq!(load(&file).sweeps, [Sweep { experiment: "PESO".to_owned(), options, combine: Combine::Grid }]);

    click(&mut window, "Edit sweep 1 of PESO");
    until_label(&mut window, "Edit sweep");
    assert_eq!(value(&window, "Values of λ"), "0.5, 2, 8");
    click(&mut window, "Do not sweep Learning rate");
    click(&mut window, "Fill in values of λ");
    // About the λ of the experiment: from a tenth of it to ten times as much.
    until(&mut window, "five values", |window| value(window, "Values of λ") == "0.2, 0.6325, 2, 6.325, 20");
    click(&mut window, "Save sweep");
    until_label(&mut window, "Sweep, 5 points");
    until_part(&mut window, "0 of 8 finished");

    window.key_press_modifiers(COMMAND, Key::Z);
    until_label(&mut window, "Sweep, 6 points");
    click(&mut window, "Remove sweep 1 of PESO");
    until_part(&mut window, "0 of 4 finished");
    window.key_press_modifiers(COMMAND, Key::Z);
    until_label(&mut window, "Sweep, 6 points");
}

#[test]
fn what_cannot_be_swept_is_said_at_the_field() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "0 of 4 finished");
    let disabled = |window: &Harness<'_, Workbench>| {
        window.get_by_role_and_label(Role::Button, "Add sweep").accesskit_node().is_disabled()
    };
    sweep_lambda(&mut window, "2, much");
    until_label(&mut window, "\"much\" is no number");
    assert!(disabled(&window));
    for (text, problem) in
        [("-1", "it must be a number from 0"), ("3, 3.0", "stands there twice"), ("", "at least one value")]
    {
        retype(&mut window, "Values of λ", text);
        if text.is_empty() {
            window.key_press(Key::Delete);
        }
        until_part(&mut window, problem);
        assert!(disabled(&window), "{text}");
    }
    retype(&mut window, "Values of λ", "3");
    until_part(&mut window, "1 point, 1 new");

    // What another option takes away is said at the option that has lost it.
    click(&mut window, "Add option…");
    assert!(has_part(&window, "The epoch that is kept is chosen on them"), "why validation users cannot be swept");
    click(&mut window, "Temperature");
    until_label(&mut window, "Do not sweep Temperature");
    retype(&mut window, "Values of Temperature", "0.5");
    click(&mut window, "Add option…");
    click(&mut window, "Distance");
    until_label(&mut window, "Do not sweep Distance");
    click(&mut window, "L2");
    until_part(&mut window, "PESO has no such option");
    assert!(disabled(&window));
    click(&mut window, "Do not sweep Distance");
    until(&mut window, "a usable sweep", |window| !disabled(window));
    click(&mut window, "Cancel");
    until(&mut window, "the dialog to close", |window| !has(window, "Sweep options"));
    assert!(!has(&window, "Unsaved changes"));
}

#[test]
fn an_edit_leaves_no_sweep_that_would_cost_the_project_its_file() {
    let world = World::new();
    let sweeps = "sweeps: [(experiment: \"PESO\", options: [(option: \"distance.temperature\", values: [0.5, 2])])], seeds: [42],";
    let file = world.demo_with("seeds: [42],", sweeps);
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1600.0].into());
    until_label(&mut window, "Sweep, 2 points");
    // The L2 distance has no temperature.
    let combo = window.query_all_by_label("Distance").find(|node| node.accesskit_node().role() == Role::ComboBox);
    combo.unwrap().click();
    window.step();
    window.step();
    click(&mut window, "L2");
    until_part(&mut window, "he sweep of PESO over distance.temperature is gone");
    assert!(!has(&window, "Sweep, 2 points"));
    window.key_press_modifiers(COMMAND, Key::S);
    until(&mut window, "the saved edit", |_| load(&file).sweeps.is_empty());
    window.key_press_modifiers(COMMAND, Key::Z);
    until_label(&mut window, "Sweep, 2 points");

    // With another name the sweep goes along; a name that a run folder could not tell apart is refused.
    rename(&mut window, "PESO", "Pulled");
    until_label(&mut window, "More for Pulled");
    assert!(has(&window, "Sweep, 2 points"));
    rename(&mut window, "Pulled", "frozen");
    until_part(&mut window, "would share the names of their run folders");
    assert!(has(&window, "Name of the experiment"), "what was typed stays to be mended");
    window.get_by_role_and_label(Role::TextInput, "Name of the experiment").focus();
    window.step();
    window.key_press(Key::Escape);
    until(&mut window, "the name of before", |window| !has(window, "Name of the experiment"));
    until_label(&mut window, "More for Pulled");
    window.key_press_modifiers(COMMAND, Key::S);
    until(&mut window, "the saved name", |_| load(&file).sweeps.iter().any(|sweep| sweep.experiment == "Pulled"));
}

fn rename(window: &mut Harness<'_, Workbench>, from: &str, to: &str) {
    click(window, &format!("More for {from}"));
    click(window, "Rename");
    until_label(window, "Name of the experiment");
    retype(window, "Name of the experiment", to);
    window.key_press(Key::Enter);
    window.step();
}

/// What a process would say of the runs of a project.
pub fn estimate(project: &Project, finished: &[&str]) -> Estimate {
    let runs = planned(project, &RunSelection::default()).unwrap();
    let run = |(place, run): (usize, &peso_workbench::run::planned::PlannedRun)| {
        let done = finished.contains(&run.experiment.as_str());
        let learned = run.method.is_learned();
        RunEstimate {
            run: run.id(project).unwrap(),
            experiment: run.experiment.clone(),
            method: run.method.key().to_owned(),
            seed: run.seed,
            status: if done { Status::Finished } else { Status::Queued },
            seconds: learned.then_some(if done { 0.0 } else { 40.0 + 5.0 * place as f64 }),
            peak_memory_bytes: (learned && !done).then_some(320 << 20),
            basis: if done || !learned { Basis::None } else { [Basis::WarmUp, Basis::FinishedRuns][place % 2] },
            work: None,
        }
    };
    let runs: Vec<RunEstimate> = runs.iter().enumerate().map(run).collect();
    Estimate {
        project: project.name.clone(),
        device: "cpu (CPU, 2 cores)".to_owned(),
        seconds: runs.iter().filter_map(|run| run.seconds).sum(),
        peak_memory_bytes: 320 << 20,
        memory_free_bytes: Some(6 << 30),
        workers: 1,
        memory: Vec::new(),
        preflight: Preflight::default(),
        runs,
    }
}

#[test]
fn what_runs_will_take_is_asked_cancelled_and_shown() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    fixture::write(&project.runs_dir(None), &fixture::planned(&project, 1), 0.07, Come::FINISHED);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 4 finished");
    click(&mut window, "Estimate…");
    let request = world.asked(&mut window);
    assert_eq!((request.project.as_path(), request.runs.len()), (file.as_path(), 0));
    until_part(&mut window, "Measuring a few steps");
    click(&mut window, "Cancel");
    until(&mut window, "the end of the process", |_| request.cancelled.load(Ordering::SeqCst));
    until(&mut window, "the dialog to close", |window| !has(window, "Time and memory"));

    click(&mut window, "Estimate…");
    world.asked(&mut window);
    world.estimates.send(estimate(&project, &["Single evolving LoRA"])).unwrap();
    until_part(&mut window, "It fits the memory: at most 320 MiB at a time, 6.0 GiB are free");
    // PESO 50 s, SumLoRA 60 s, Frozen 65 s.
    assert!(has(&window, "About 2 min 55 s for 3 runs"));
    assert!(has(&window, "a few steps") && has(&window, "finished runs"));
    // The dialog has grown, and comes to rest in the middle again.
    window.run_steps(4);
    click(&mut window, "Close");
    until(&mut window, "the dialog to close", |window| !has(window, "Time and memory"));
}

#[test]
fn of_selected_runs_only_they_are_estimated_and_changes_are_saved_first() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "0 of 4 finished");
    click(&mut window, "Frozen, seed 42");
    until_label(&mut window, "1 selected");
    sweep_lambda(&mut window, "1");
    click(&mut window, "Add sweep");
    until_label(&mut window, "Unsaved changes");
    window.key_press_modifiers(COMMAND, Key::F5);
    until_label(&mut window, "Save and estimate");
    assert!(load(&file).sweeps.is_empty() && world.asked.try_recv().is_err());
    click(&mut window, "Save and estimate");
    let request = world.asked(&mut window);
    assert_eq!(request.runs, [fixture::planned(&project, 3).run]);
    assert_eq!(load(&file).sweeps.len(), 1);
}
