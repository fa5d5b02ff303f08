//! Ship or hold: gates that are set, and what they say of every method.

use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::Queryable as _;
use peso_workbench::run::RunMethod;

use crate::fixture::{self, Come};
use crate::snapshot::{Part, picture};
use crate::world::{World, choose, click, has, has_part, load, until, until_label, until_part};
use eframe::egui;

/// Finished runs of PESO, the single LoRA, Frozen and popularity, one seed each.
fn runs(file: &std::path::Path) {
    let project = load(file);
    let runs = project.runs_dir(None);
    for (place, level) in [(0, 0.081), (1, 0.072), (3, 0.050)] {
        fixture::write(&runs, &fixture::planned(&project, place), level, Come::FINISHED);
    }
    let popularity = fixture::config(&project, "Popularity", RunMethod::Popularity, 0);
    fixture::write(&runs, &popularity, 0.040, Come::FINISHED);
}

#[test]
fn gates_are_set_with_their_day_and_taken_back() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Decide");
    until_label(&mut window, "Nothing to decide yet");
    until_part(&mut window, "Not set: the usual ones hold");
    click(&mut window, "Set these gates");
    // The stopped clock stands at 2023-11-14.
    until_part(&mut window, "Set on 2023-11-14 (UTC)");
    click(&mut window, "Gate of memory");
    until_part(&mut window, "at most 2 times the memory");
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    until(&mut window, "the saved gates", |_| load(&file).decision.is_some());
    let gates = load(&file).decision.unwrap();
    assert_eq!((gates.set_on.as_deref(), gates.memory), (Some("2023-11-14"), Some(2.0)));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    until(&mut window, "no gate of memory", |window| !has_part(window, "times the memory"));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    until_part(&mut window, "Not set: the usual ones hold");
}

#[test]
fn without_two_lambdas_the_certificate_says_what_to_do_and_begins_it() {
    let world = World::new();
    let file = world.demo();
    runs(&file);
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Decide");
    until_label(&mut window, "Certificate");
    click(&mut window, "Certificate");
    until_label(&mut window, "There are no two values of λ yet");
    assert!(!has(&window, "Try again"), "nothing is wrong");
    click(&mut window, "Sweep λ…");
    until_label(&mut window, "Sweep options");
}

#[test]
fn a_decision_says_what_is_missing_and_leads_to_the_users_who_are_harmed() {
    let world = World::new();
    let file = world.demo();
    runs(&file);
    let mut window = world.window(Theme::Dark, Some(&file));
    window.set_size([1280.0, 3000.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Decide");
    // One seed of each: nothing can be told of others, as `peso compare` says.
    until_part(&mut window, "PESO needs 2 more seeds: one seed tells nothing of others");
    assert!(has(&window, "? Needs 2 more seeds"));
    assert!(has_part(&window, "Co-occurrence without a finished run"));
    assert!(has_part(&window, "The project has no gates"));
    // Frozen hits 30 of 100 users in each of four stages, all of them of the 43 that the baseline hits.
    click(&mut window, "negative flips of Frozen");
    until_part(&mut window, "Frozen: 52 tests the baseline hit, and it does not");
    let first = "Harmed user ";
    until_part(&mut window, first);
    window.query_all_by_label_contains(first).next().unwrap().click();
    window.step();
    until(&mut window, "the users", |window| window.query_by_role_and_label(Role::TextInput, "Filter users").is_some());
}

#[test]
fn a_gain_ships_and_a_loss_is_held() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = world.demo_with("seeds: [42],", "seeds: [1, 2, 3],");
    let project = load(&file);
    let runs = project.runs_dir(None);
    // Seeds differ a little, by method: without that they would be taken for copies of one run.
    for (name, level, by_seed) in [("PESO", 0.081, 0.02), ("Single evolving LoRA", 0.060, 0.01), ("Frozen", 0.040, 0.0)]
    {
        let method = project.experiments.iter().find(|one| one.name == name).unwrap().method.clone();
        for seed in [1, 2, 3] {
            let config = fixture::config(&project, name, RunMethod::Learned(method.clone()), seed);
            fixture::write(&runs, &config, level * (1.0 + by_seed * seed as f64), Come::FINISHED);
        }
    }
    for (name, method) in [("Popularity", RunMethod::Popularity), ("Co-occurrence", RunMethod::CoOccurrence)] {
        fixture::write(&runs, &fixture::config(&project, name, method, 0), 0.030, Come::FINISHED);
    }
    let mut window = world.window(Theme::Dark, Some(&file));
    window.set_size([1280.0, 1500.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Decide");
    choose(&mut window, "Baseline", "Single evolving LoRA");
    until_part(&mut window, "Ship PESO: it passes every gate against Single evolving LoRA");
    until_part(&mut window, "Hold Frozen: ");
    assert!(has(&window, "✓ Ship") && has(&window, "× Hold"));
    picture(&mut pictures, &mut window, "decide", Theme::Dark, Part::View);
}

#[test]
fn a_cost_above_its_gate_holds_whatever_the_gain() {
    let world = World::new();
    let file = world.demo_with("seeds: [42],", "seeds: [42], decision: (training_time: 0.5),");
    runs(&file);
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 3000.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Decide");
    until_part(&mut window, "Hold PESO: training time is 1.00x, and must be at most 0.50x");
    assert!(has(&window, "× Hold"));
    // Against another baseline, it is that one that is not among the methods.
    window.get_by_role_and_label(Role::ComboBox, "Baseline").click();
    window.step();
    window.step();
    window.get_by_role_and_label(Role::Button, "Popularity").click();
    until_part(&mut window, "Hold Single evolving LoRA: training time is");
}
