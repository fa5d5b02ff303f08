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
use crate::world::{World, click, has, load, until, until_label, until_part};

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
    until_part(&mut window, "no such index of semantic ids");
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
