//! The data as analysts look through them: cuts that are moved and taken back, drift, items by their codes, histories.

use std::path::{Path, PathBuf};

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme, Vec2};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotResults};
use peso_workbench::app::Workbench;
use peso_workbench::data::{Dataset, StageCuts};

use crate::fixture::{self, Come};
use crate::snapshot::{Part, picture, text};
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

/// Real interactions with times, in a format that has no semantic ids.
const IMPORTED: &str = r#"(
    format: 1,
    name: "Imported",
    dataset: RecBole((path: "data", prepare: (core: 1, stages: Fractions(base: 0.6, later: 2)))),
    semantic_ids: Train((levels: 2)),
    base_model: Compact((width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1)),
    training: (epochs: 1),
    experiments: [(name: "Free", method: Single)],
)"#;

fn imported(world: &World) -> PathBuf {
    let folder = world.folder.path().join("imported");
    std::fs::create_dir_all(folder.join("data")).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data/recbole");
    for name in ["tiny.inter", "tiny.item"] {
        std::fs::copy(fixtures.join(name), folder.join("data").join(name)).unwrap();
    }
    let file = folder.join("project.ron");
    std::fs::write(&file, IMPORTED).unwrap();
    file
}

/// A window on a project that shows a tab of the data view.
fn opened(world: &World, theme: Theme, project: &Path, tab: &str) -> Harness<'static, Workbench> {
    let mut window = world.window(theme, Some(project));
    click(&mut window, "Data");
    until_label(&mut window, "interactions");
    click(&mut window, tab);
    window
}

const FIRST: &str = "Cut between stages 1 and 2";

fn date(window: &Harness<'_, Workbench>) -> String {
    window.get_by_role_and_label(Role::Slider, FIRST).value().unwrap()
}

/// What the project says of its stages, after it was saved.
fn saved(window: &mut Harness<'_, Workbench>, file: &Path) -> StageCuts {
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    until(window, "a saved project", |window| !has_part(window, "Unsaved"));
    load(file).dataset.prepare().unwrap().stages.clone()
}

fn undo(window: &mut Harness<'_, Workbench>) {
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.step();
    window.step();
}

fn counted(window: &Harness<'_, Workbench>) -> bool {
    !has_part(window, "Reading the")
}

#[test]
fn a_dragged_cut_changes_the_project_in_one_step() {
    let world = World::new();
    let file = imported(&world);
    let mut window = opened(&world, Theme::Light, &file, "Timeline");
    until_label(&mut window, FIRST);
    let before = date(&window);
    let from = window.get_by_label(FIRST).rect().center();
    window.drag_at(from);
    window.step();
    for step in 1..4 {
        window.hover_at(from - Vec2::new(30.0 * step as f32, 0.0));
        window.step();
    }
    // What a widget says of itself is that of the frame before.
    window.step();
    let moved = date(&window);
    assert!(moved < before, "{moved} is not before {before}");
    window.drop_at(from - Vec2::new(90.0, 0.0));
    window.step();
    window.step();
    let StageCuts::Dates(dates) = saved(&mut window, &file) else { panic!("the cuts are no dates") };
    assert_eq!((dates.len(), &dates[0]), (2, &moved));
    until(&mut window, "the stages to be counted", counted);
    assert_eq!(date(&window), moved);
    undo(&mut window);
    assert_eq!(saved(&mut window, &file), StageCuts::Fractions { base: 0.6, later: 2 });
    until(&mut window, "the stages to be counted", |window| counted(window) && date(window) == before);
}

#[test]
fn keys_move_a_cut_add_one_and_take_it_away() {
    let world = World::new();
    let file = imported(&world);
    let mut window = opened(&world, Theme::Dark, &file, "Timeline");
    until_label(&mut window, FIRST);
    let before = date(&window);
    window.get_by_label(FIRST).focus();
    window.step();
    window.step();
    let mut last = before.clone();
    for _ in 0..2 {
        window.key_press(Key::ArrowRight);
        let from = last.clone();
        until(&mut window, "the cut to be moved and settled", |window| date(window) > from && counted(window));
        last = date(&window);
        // After a moment without a key the project has it.
        window.run_steps(6);
    }
    let StageCuts::Dates(dates) = saved(&mut window, &file) else { panic!("the cuts are no dates") };
    assert_eq!(dates[0], last);
    undo(&mut window);
    let fractions = StageCuts::Fractions { base: 0.6, later: 2 };
    assert_eq!(saved(&mut window, &file), fractions, "moves with keys are one step");
    until(&mut window, "the stages to be counted", counted);

    let cuts = |window: &Harness<'_, Workbench>| window.query_all_by_label_contains("Cut between").count();
    click(&mut window, "Add cut");
    until(&mut window, "three cuts", |window| cuts(window) == 3 && counted(window));
    window.get_by_label(FIRST).focus();
    window.step();
    window.step();
    window.key_press(Key::Delete);
    until(&mut window, "two cuts", |window| cuts(window) == 2 && counted(window));
    click(&mut window, "Equal stages");
    assert_eq!(saved(&mut window, &file), StageCuts::Equal(3));
    click(&mut window, "60 % + 4");
    assert_eq!(saved(&mut window, &file), StageCuts::Fractions { base: 0.6, later: 4 });
    until(&mut window, "four cuts", |window| cuts(window) == 4);
}

#[test]
fn generated_data_have_stages_without_cuts_and_measures_of_drift() {
    let world = World::new();
    let file = world.demo();
    let mut window = opened(&world, Theme::Light, &file, "Timeline");
    until_part(&mut window, "Interactions by Stage of New users, Returning users, Dormant users");
    assert!(has_part(&window, "Generated data come in stages") && !has(&window, "Add cut"));
    click(&mut window, "Pin");
    until_part(&mut window, "Pinned; the board has 1 figure");
    click(&mut window, "Open board");
    until_part(&mut window, "Interactions by Stage of New users, Returning users, Dormant users");
    assert!(has_part(&window, "Present"));
    click(&mut window, "Data");
    window.set_size([1280.0, 1400.0].into());
    click(&mut window, "Data drift");
    until_part(&mut window, "of Item popularity, divergence, Top 100 items in common, New users");
    click(&mut window, "Codes of level 1, divergence");
    until_part(&mut window, "of Item popularity, divergence, Codes of level 1, divergence");
    window.get_by_role_and_label(Role::ComboBox, "Chart").click();
    window.step();
    window.step();
    click(&mut window, "Warm and cold targets");
    until_part(&mut window, "Test targets by Stage of Warm targets, Cold targets");
}

#[test]
fn items_open_level_by_level_and_are_found() {
    let world = World::new();
    let file = world.demo();
    let mut window = opened(&world, Theme::Light, &file, "Items");
    // The whole card has room.
    window.set_size([1280.0, 1100.0].into());
    until_label(&mut window, "400 items");
    assert!(!has_part(&window, ", level 2"));
    let first = window.query_all_by_label_contains(", level 1").next().unwrap();
    first.click();
    until_part(&mut window, ", level 2");
    click(&mut window, "Close all");
    until(&mut window, "a closed tree", |window| !has_part(window, ", level 2"));
    let search = window.get_by_role_and_label(Role::TextInput, "Search titles and ids");
    search.focus();
    window.step();
    window.get_by_role_and_label(Role::TextInput, "Search titles and ids").type_text("17");
    until(&mut window, "found items", |window| has_part(window, " of 400 items") && has_part(window, "Item "));
    assert!(!has(&window, "400 of 400 items") && !has_part(&window, ", level 1"));
    let found = window.query_all_by_label_contains("Item ").next().unwrap();
    found.click();
    until_label(&mut window, "Show in tree");
    click(&mut window, "Show in tree");
    until(&mut window, "the item in the tree", |window| has_part(window, ", level 1") && has(window, "400 items"));
    click(&mut window, "Close");
    until(&mut window, "no card", |window| !has(window, "Show in tree"));
}

#[test]
fn items_without_ids_stand_in_a_list() {
    let world = World::new();
    let file = imported(&world);
    let mut window = opened(&world, Theme::Dark, &file, "Items");
    until_label(&mut window, "12 items");
    assert!(has_part(&window, "The items have no semantic ids yet") && !has_part(&window, ", level 1"));
    click(&mut window, "Item Paper lantern");
    until_label(&mut window, "Home");
    assert!(!has(&window, "Show in tree"));
}

#[test]
fn a_users_history_says_what_is_tested_and_leads_to_the_recommendations() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let dataset = Dataset::load(&project.dataset, None, &project.folder).unwrap();
    let mut run = fixture::planned(&project, 0);
    run.data_hash = dataset.hash.clone();
    fixture::write(&project.runs_dir(None), &run, 0.08, Come::FINISHED);
    let mut window = opened(&world, Theme::Light, &file, "Histories");
    until_part(&mut window, "of 800 users");
    let user =
        dataset.stages[4].sequences.iter().find(|sequence| sequence.user < 60 && sequence.takes_part()).unwrap().user;
    window.get_by_role_and_label(Role::TextInput, "Search users").focus();
    window.step();
    window.get_by_role_and_label(Role::TextInput, "Search users").type_text(&dataset.users[user as usize]);
    let name = format!("User {}", dataset.users[user as usize]);
    click(&mut window, &name);
    for role in ["training", "validation", "test"] {
        until_part(&mut window, role);
    }
    click(&mut window, "Show recommendations");
    until_label(&mut window, "Went for");
    assert!(has(&window, &name));
}

#[test]
fn looks_of_the_data_view() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = imported(&world);
    let mut window = opened(&world, Theme::Dark, &file, "Timeline");
    window.set_size([1280.0, 1000.0].into());
    until_label(&mut window, FIRST);
    picture(&mut pictures, &mut window, "timeline", Theme::Dark, Part::View);
    text(&mut window, "timeline", Part::View);
    let file = world.demo();
    let mut window = opened(&world, Theme::Light, &file, "Data drift");
    window.set_size([1280.0, 1000.0].into());
    until_part(&mut window, "of Item popularity, divergence");
    picture(&mut pictures, &mut window, "data_drift", Theme::Light, Part::View);
    text(&mut window, "data_drift", Part::View);
    click(&mut window, "Items");
    until_part(&mut window, ", level 1");
    window.query_all_by_label_contains(", level 1").next().unwrap().click();
    until_part(&mut window, ", level 2");
    window.query_all_by_label_contains("Item ").next().unwrap().click();
    until_label(&mut window, "Show in tree");
    picture(&mut pictures, &mut window, "items", Theme::Light, Part::View);
    text(&mut window, "items", Part::View);
    click(&mut window, "Histories");
    until_part(&mut window, "of 800 users");
    picture(&mut pictures, &mut window, "histories", Theme::Light, Part::View);
    text(&mut window, "histories", Part::View);
}
