//! Semantic ids as they are trained, stopped, resumed and looked at.

use std::path::PathBuf;

use eframe::egui;
use egui::Theme;
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotResults};
use peso_workbench::app::Workbench;
use peso_workbench::data::formats::Progress;
use peso_workbench::id_training::observer::Step;
use peso_workbench::id_training::train::Quantizer;
use peso_workbench::project::SemanticIds;
use peso_workbench::train::semantic_ids::{IdFiles, IdsState, Making, Watcher};

use crate::snapshot::{Part, picture, text};
use crate::world::{World, choose, click, has, load, until, until_label, until_part};

/// The demo with ids that an autoencoder makes in so many epochs.
fn demo(world: &World, epochs: usize) -> PathBuf {
    let ids = format!(
        "semantic_ids: Train(method: RqVae(epochs: {epochs}, learning_rate: 0.003), source: Words(64)), seeds: [42],"
    );
    world.demo_with("seeds: [42],", &ids)
}

struct Nobody;

impl Watcher for Nobody {
    fn reading(&mut self, _: Progress) {}

    fn waiting(&mut self) {}

    fn step(&mut self, _: &Step) {}

    fn interrupted(&mut self) -> bool {
        false
    }
}

/// Scrolls until what has this label is in sight.
fn scroll_to(window: &mut Harness<'_, Workbench>, label: &str) {
    window.get_by_label_contains(label).scroll_to_me();
    window.run_ok();
}

#[test]
fn ids_are_shown_with_their_figures_and_curves() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = demo(&world, 40);
    load(&file).ensure_semantic_ids(Making::default(), &mut Nobody).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1300.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Data");
    click(&mut window, "Semantic ids");
    until_part(&mut window, "Training loss");
    scroll_to(&mut window, "Training loss");
    text(&mut window, "semantic_ids_as_opened", Part::View);
    click(&mut window, "By level");
    until_part(&mut window, "Codes by level");
    click(&mut window, "Codes in use");
    until_part(&mut window, "Codes and collisions");
    picture(&mut pictures, &mut window, "semantic_ids", Theme::Light, Part::View);
    text(&mut window, "semantic_ids", Part::View);
    click(&mut window, "Pin");
    until_part(&mut window, "Pinned; the board has 1 figure");
    click(&mut window, "Open board");
    until_part(&mut window, "More for Codes and collisions");
    until_part(&mut window, "Share by Epoch of Codes used, level 1");
}

#[test]
fn training_is_stopped_resumed_and_another_method_chosen() {
    let world = World::with_real_workers();
    let file = demo(&world, 100_000);
    let place = IdFiles::of(&load(&file)).unwrap();
    let look = || IdsState::read(&place).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1180.0, 1240.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Data");
    // The data are there without the ids that are still to be made.
    until_part(&mut window, "Semantic ids are not trained yet");
    click(&mut window, "Semantic ids");
    click(&mut window, "Train ids");
    until_part(&mut window, "Training loss");
    assert!(look().training && has(&window, "Stop training"));
    click(&mut window, "Stop training");
    until_label(&mut window, "Resume training");
    let stopped = look();
    assert!(stopped.halted && stopped.quality.is_none());
    click(&mut window, "Resume training");
    until(&mut window, "more epochs", |_| look().epochs.len() > stopped.epochs.len());
    click(&mut window, "Stop training");
    until_label(&mut window, "Start over");
    assert!(look().epochs.starts_with(&stopped.epochs));

    // Clusters are made in a moment. The edit can be undone, and is saved before training.
    window.get_by_role_and_label(egui::accesskit::Role::ComboBox, "Method").click();
    window.step();
    window.step();
    click(&mut window, "Residual k-means");
    click(&mut window, "Train ids");
    until_part(&mut window, "Codes by level");
    let SemanticIds::Train(options) = load(&file).semantic_ids else { panic!("ids are trained") };
    assert_eq!(options.method, Quantizer::ResidualKMeans);
    until_label(&mut window, "Train again");
    click(&mut window, "Overview");
    until_label(&mut window, "distinct semantic ids");
}

/// Interactions of two months with so many items each, and a project that trains its ids on the first.
fn growing(world: &World, items: [usize; 2]) -> PathBuf {
    use std::fmt::Write as _;
    let folder = world.folder.path().join("growing");
    std::fs::create_dir_all(folder.join("data")).unwrap();
    let mut interactions = "user_id:token\titem_id:token\ttimestamp:float\n".to_owned();
    let mut texts = "item_id:token\ttitle:token_seq\n".to_owned();
    // 2020-01-01 and 2020-02-01.
    for (begin, items) in [(1_577_836_800, 0..items[0]), (1_580_515_200, items[0]..items[0] + items[1])] {
        for item in items {
            (0..3).for_each(|user| writeln!(interactions, "u{user}\ti{item}\t{}", begin + 60 * item).unwrap());
            writeln!(texts, "i{item}\t{} lamp number {item}", ["red", "blue", "old"][item % 3]).unwrap();
        }
    }
    std::fs::write(folder.join("data/log.inter"), interactions).unwrap();
    std::fs::write(folder.join("data/log.item"), texts).unwrap();
    let file = folder.join("project.ron");
    let project = r#"(
    format: 1,
    name: "Growing data",
    dataset: RecBole(path: "data", prepare: (core: 1, stages: Dates(["2020-02-01"]))),
    semantic_ids: Train(on: Stage1, source: Words(32), levels: 3),
    base_model: Compact(width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    experiments: [(name: "Single", method: Single)],
)"#;
    std::fs::write(&file, project).unwrap();
    file
}

#[test]
fn new_items_are_appended_and_versions_are_shown() {
    let mut pictures = SnapshotResults::new();
    let world = World::with_real_workers();
    let file = growing(&world, [12, 4]);
    load(&file).ensure_semantic_ids(Making::default(), &mut Nobody).unwrap();
    growing(&world, [12, 7]);
    let place = IdFiles::of(&load(&file)).unwrap();
    let before = std::fs::read_to_string(&place.index).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1100.0].into());
    until_label(&mut window, "Growing data");
    click(&mut window, "Data");
    until_part(&mut window, "have no semantic id");
    until_part(&mut window, "Ids were trained on the items of stage 1 alone");
    click(&mut window, "Semantic ids");
    until_part(&mut window, "New items have no id yet");
    assert!(has(&window, "appended at training") && !has(&window, "appended afterwards"));
    click(&mut window, "Append");
    until_label(&mut window, "appended afterwards");
    until(&mut window, "nothing left to append", |window| !has(window, "Append"));
    let after = std::fs::read_to_string(&place.index).unwrap();
    assert!(after.starts_with(&before[..before.len() - 1]) && after.len() > before.len());
    let manifest = IdsState::read(&place).unwrap().manifest.unwrap();
    assert_eq!(manifest.versions.iter().map(|version| version.added).collect::<Vec<_>>(), [12, 4, 3]);
    until_part(&mut window, "Codes by level");
    picture(&mut pictures, &mut window, "semantic_ids_appended", Theme::Light, Part::View);

    // As the paper has it, and back.
    choose(&mut window, "Trained on", "Items of all stages");
    until_part(&mut window, "items of all stages, later ones too, as in the paper");
    until_label(&mut window, "Train ids");
}
