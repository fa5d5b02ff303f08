//! Composing experiments and holding them against each other.

use std::path::PathBuf;

use eframe::egui;
use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::run::RunMethod;

use crate::fixture::{self, Come};
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

const COMMAND: Modifiers = Modifiers::COMMAND;

#[test]
fn a_method_is_found_by_typing_and_added_and_taken_back() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Add experiment…");
    until_label(&mut window, "Search methods");
    assert!(has(&window, "Regularised") && has(&window, "Memory"), "methods stand in groups");
    window.get_by_role_and_label(Role::TextInput, "Search methods").type_text("fisher");
    until(&mut window, "the other methods to go", |window| !has(window, "Replay"));
    click(&mut window, "EWC");
    until(&mut window, "the dialog to close", |window| !has(window, "Search methods"));
    until_label(&mut window, "More for EWC");
    window.key_press_modifiers(COMMAND, Key::Z);
    until(&mut window, "the experiment to go", |window| !has(window, "More for EWC"));
}

#[test]
fn the_method_of_an_experiment_is_changed_and_experiments_are_put_in_order() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Dark, Some(&file));
    window.set_size([1280.0, 1600.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "More for Frozen");
    click(&mut window, "Change method…");
    until_label(&mut window, "Search methods");
    window.get_by_role_and_label(Role::TextInput, "Search methods").type_text("without forgetting");
    until(&mut window, "the other methods to go", |window| !has(window, "Replay"));
    click(&mut window, "LwF");
    until_label(&mut window, "More for LwF");
    assert!(!has(&window, "More for Frozen"), "a name that was the method's own goes with it");
    click(&mut window, "More for PESO");
    click(&mut window, "Move down");
    until(&mut window, "PESO below the second", |window| {
        let top = |label: &str| window.get_by_label(label).rect().top();
        top("More for PESO") > top("More for Single evolving LoRA")
    });
    window.key_press_modifiers(COMMAND, Key::S);
    until(&mut window, "the saved order", |_| load(&file).experiments[1].name == "PESO");
    assert_eq!(load(&file).experiments[3].method.card().key, "lwf");
}

#[test]
fn an_option_is_edited_marked_reset_and_taken_back() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1600.0].into());
    until_label(&mut window, "Synthetic drift demo");
    let on = |window: &Harness<'_, Workbench>| {
        let node = window.get_by_role_and_label(Role::CheckBox, "Inherit");
        node.accesskit_node().toggled() == Some(Toggled::True)
    };
    let before = on(&window);
    let marked = has(&window, "Reset Inherit");
    window.get_by_role_and_label(Role::CheckBox, "Inherit").click();
    until(&mut window, "the other value", |window| on(window) != before);
    until(&mut window, "the way back to the default", |window| has(window, "Reset Inherit") != marked);
    window.key_press_modifiers(COMMAND, Key::Z);
    until(&mut window, "the value before", |window| on(window) == before);
    if !marked {
        window.get_by_role_and_label(Role::CheckBox, "Inherit").click();
        window.step();
    }
    click(&mut window, "Reset Inherit");
    until(&mut window, "the default", |window| !has(window, "Reset Inherit"));
}

#[test]
fn a_line_stands_out_on_parallel_axes_and_in_the_table() {
    let world = World::new();
    let mut window = table(&world);
    click(&mut window, "Parallel");
    until_label(&mut window, "Axis λ");
    assert_eq!(order(&window).len(), 5);
    // The upper half of the axis of the metric has the better lines alone.
    let at = window.get_by_label("Axis NDCG@10").rect();
    let (middle, top) = (at.center(), egui::pos2(at.center().x, at.top() + 4.0));
    window.drag_at(middle);
    window.step();
    window.hover_at(top);
    window.step();
    window.drop_at(top);
    until(&mut window, "fewer lines", |window| !order(window).contains(&"Frozen".to_owned()));
    assert_eq!(order(&window), ["PESO", "PESO strong", "Single evolving LoRA"]);
    window.get_by_label("Axis NDCG@10").click();
    until(&mut window, "all lines", |window| order(window).len() == 5);
}

/// The demo with runs of two configurations of PESO, of two other methods and of a non-learned baseline.
fn several(world: &World) -> PathBuf {
    let file = world.demo();
    let text = std::fs::read_to_string(&file).unwrap();
    let second = "(name: \"PESO strong\", method: Peso(lambda: 8.0)),";
    std::fs::write(&file, text.replace("(name: \"Single", &format!("{second} (name: \"Single"))).unwrap();
    let project = load(&file);
    let runs = project.runs_dir(None);
    for (place, level) in [(0, 0.081), (1, 0.074), (2, 0.072), (4, 0.050)] {
        fixture::write(&runs, &fixture::planned(&project, place), level, Come::FINISHED);
    }
    let counted = fixture::config(&project, "Popularity", RunMethod::Popularity, 0);
    fixture::write(&runs, &counted, 0.031, Come::FINISHED);
    file
}

fn table<'w>(world: &World) -> Harness<'w, Workbench> {
    let file = several(world);
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1600.0, 1600.0].into());
    until_part(&mut window, "4 of 5 finished");
    click(&mut window, "Compare");
    click(&mut window, "Table");
    until_part(&mut window, "on the same test users");
    window
}

/// The lines of the table from top to bottom.
fn order(window: &Harness<'_, Workbench>) -> Vec<String> {
    let mut rows: Vec<(f32, String)> = window
        .query_all_by_label_contains("Line ")
        .map(|node| (node.rect().top(), node.accesskit_node().label().unwrap_or_default()))
        .filter_map(|(top, label)| Some((top, label.strip_prefix("Line ")?.to_owned())))
        .collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    rows.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn the_table_is_sorted_by_any_column() {
    let world = World::new();
    let mut window = table(&world);
    assert_eq!(order(&window), ["PESO", "PESO strong", "Single evolving LoRA", "Frozen", "Popularity"], "best first");
    click(&mut window, "Method");
    assert_eq!(order(&window), ["Frozen", "PESO", "PESO strong", "Popularity", "Single evolving LoRA"]);
    click(&mut window, "Method");
    assert_eq!(order(&window).first().map(String::as_str), Some("Single evolving LoRA"));
    click(&mut window, "Validation");
    assert_eq!(order(&window).last().map(String::as_str), Some("Popularity"), "what has no number is last");
    // One seed is not enough for any verdict, and nothing is called better.
    assert!(has(&window, "not enough seeds (1)") && !has_part(&window, "▲ significant"));
    assert!(has(&window, "non-learned"));
}

#[test]
fn the_baseline_can_be_changed() {
    let world = World::new();
    let mut window = table(&world);
    assert!(has_part(&window, "Gains over Single evolving LoRA"));
    let combo = window.query_all_by_label("Baseline").find(|node| node.accesskit_node().role() == Role::ComboBox);
    combo.unwrap().click();
    window.step();
    window.step();
    window.get_by_role_and_label(Role::Button, "Popularity").click();
    until_part(&mut window, "Gains over Popularity");
    assert!(has(&window, "baseline"));
}

#[test]
fn one_line_a_method_is_the_one_that_validation_chooses() {
    let world = World::new();
    let mut window = table(&world);
    assert!(has_part(&window, "chosen by validation"));
    click(&mut window, "One line per method, chosen by validation");
    assert_eq!(order(&window), ["PESO", "Single evolving LoRA", "Frozen", "Popularity"]);
    click(&mut window, "One line per method, chosen by validation");
    assert_eq!(order(&window).len(), 5);
}

#[test]
fn lines_are_held_against_each_other_by_their_settings() {
    let world = World::new();
    let mut window = table(&world);
    click(&mut window, "Line PESO");
    click(&mut window, "Line PESO strong");
    click(&mut window, "Settings");
    until_label(&mut window, "λ");
    assert!(has(&window, "8") && has(&window, "2"));
    assert!(!has(&window, "Learning rate"), "what does not differ is not listed");
}

/// The demo under both protocols, with finished runs of three methods and a non-learned baseline.
pub fn both_protocols(world: &World) -> PathBuf {
    let file = world.demo_with("protocol: SameBlock,", "protocol: Both,");
    let project = load(&file);
    let runs = project.runs_dir(None);
    for (place, level) in [(0, 0.081), (1, 0.072), (3, 0.050)] {
        fixture::write(&runs, &fixture::planned(&project, place), level, Come::FINISHED);
    }
    let counted = fixture::config(&project, "Popularity", RunMethod::Popularity, 0);
    fixture::write(&runs, &counted, 0.031, Come::FINISHED);
    file
}

#[test]
fn every_view_of_the_comparison_follows_the_protocol() {
    let world = World::new();
    let file = both_protocols(&world);
    let mut window = world.window(Theme::Dark, Some(&file));
    window.set_size([1600.0, 1200.0].into());
    until_part(&mut window, "3 of 4 finished");
    click(&mut window, "Compare");
    until_part(&mut window, "NDCG@10 by stage (Synthetic data)");
    let other = |window: &Harness<'_, Workbench>| {
        window.query_all_by_label_contains("not comparable").next().is_none()
            && has_part(window, "each asked of the model before it")
    };
    click(&mut window, "Next-block");
    until_part(&mut window, "NDCG@10 by stage, next-block");
    click(&mut window, "Table");
    until(&mut window, "the verdicts of next-block", other);
    until_label(&mut window, "not enough seeds (1)");
    // R[j - 1, j] of PESO at 0.7 of its level: 0.081 · 0.7 · 0.88 · (1 + 0.03 · 3.5), tie-corrected · 0.97.
    assert!(has(&window, "0.0535"), "the mean over stages 2 to 5");
    click(&mut window, "Cost");
    until_part(&mut window, "NDCG@10 against training time of a stage, next-block");
    click(&mut window, "Matrix");
    until_part(&mut window, "on every stage, next-block");
    click(&mut window, "Slices");
    until_part(&mut window, "NDCG@10 by slice, next-block");
    click(&mut window, "Same-block");
    click(&mut window, "Table");
    until_label(&mut window, "0.0868");
    assert!(!has_part(&window, "next-block"));
}

#[test]
fn a_project_of_one_protocol_offers_it_and_its_strict_reading() {
    let world = World::new();
    let window = table(&world);
    assert!(has(&window, "Same-block") && has(&window, "Global-time") && !has(&window, "Next-block"));
}

#[test]
fn groups_of_users_are_chosen_and_shown_with_their_gaps_and_gains() {
    let world = World::new();
    let file = both_protocols(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([2000.0, 1200.0].into());
    until_part(&mut window, "3 of 4 finished");
    click(&mut window, "Compare");
    click(&mut window, "Fairness");
    until_part(&mut window, "Group of PESO, Single evolving LoRA, Frozen, Popularity");
    assert!(has_part(&window, "NDCG@10 by activity"));
    let choose = |window: &mut Harness<'_, Workbench>, combo: &str, choice: &str| {
        let combo = window.query_all_by_label(combo).find(|node| node.accesskit_node().role() == Role::ComboBox);
        combo.unwrap().click();
        window.step();
        window.step();
        click(window, choice);
    };
    choose(&mut window, "Show", "Gap by stage");
    until_part(&mut window, "Gap in NDCG@10 between groups by activity");
    choose(&mut window, "Show", "Gains by group");
    until_part(&mut window, "Gain in NDCG@10 over Single evolving LoRA by activity");
    choose(&mut window, "Groups by", "tenure");
    until_part(&mut window, "over Single evolving LoRA by tenure");
}

#[test]
fn slices_are_shown_with_their_tests_and_how_far_they_lie_apart() {
    let world = World::new();
    let file = both_protocols(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([2000.0, 1200.0].into());
    until_part(&mut window, "3 of 4 finished");
    click(&mut window, "Compare");
    click(&mut window, "Slices");
    until_part(&mut window, "Slice of PESO, Single evolving LoRA, Frozen, Popularity");
    // 100 users in each of stages 2 to 5.
    for label in ["n = 228", "n = 160", "n = 12 *", "n = 300", "n = 100"] {
        assert!(has(&window, label), "{label}");
    }
    assert!(has_part(&window, "*: fewer than 20 tests"));
    assert_eq!(window.query_all_by_label("Apart").count(), 4, "each kind has slices that count");

    let combo = window.query_all_by_label("Slices of").find(|node| node.accesskit_node().role() == Role::ComboBox);
    combo.unwrap().click();
    window.step();
    window.step();
    click(&mut window, "Targets");
    until_part(&mut window, "NDCG@10 by slice of targets");
    assert!(has(&window, "n = 300") && !has(&window, "n = 228"));
    click(&mut window, "Export…");
    click(&mut window, "Export");
    until_label(&mut window, "The chart was written");
    assert!(file.with_file_name("charts").join("ndcg-10-by-slice-of-targets.png").is_file());
}
