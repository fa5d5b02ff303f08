//! What the views look like and say, with fixed data. The most drawn ones are looked at in both themes, each other in one.

use std::path::PathBuf;

use eframe::egui;
use egui::{Key, Modifiers, Theme};
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::Queryable as _;
use peso_workbench::run::{RunMethod, Status};

use crate::fixture::{self, Come};
use crate::snapshot::{Part, picture, text};
use crate::world::{World, click, has, load, until, until_label, until_part};
use crate::{comparing, sweeping};

/// The demo with two finished methods, one that failed, one that was not run, and the non-learned baselines.
fn with_runs(world: &World) -> PathBuf {
    let file = world.demo();
    let project = load(&file);
    let runs = project.runs_dir(None);
    let reason = "the loss became NaN in stage 3, step 17; lower the learning rate or the penalty's weight";
    let failed = Come { stages: 2, status: Status::Failed, reason: Some(reason) };
    fixture::write(&runs, &fixture::planned(&project, 0), 0.081, Come::FINISHED);
    fixture::write(&runs, &fixture::planned(&project, 1), 0.072, Come::FINISHED);
    fixture::write(&runs, &fixture::planned(&project, 2), 0.069, failed);
    fixture::write(&runs, &fixture::config(&project, "Popularity", RunMethod::Popularity, 42), 0.031, Come::FINISHED);
    fixture::write(
        &runs,
        &fixture::config(&project, "Co-occurrence", RunMethod::CoOccurrence, 42),
        0.058,
        Come::FINISHED,
    );
    file
}

pub const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

#[test]
fn start_page() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let mut window = world.window(Theme::Light, None);
    picture(&mut pictures, &mut window, "start", Theme::Light, Part::Window);
    text(&mut window, "start", Part::Window);
}

#[test]
fn live_view() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let file = with_runs(&world);
        let mut window = world.window(theme, Some(&file));
        until_part(&mut window, "2 of 4 finished");
        click(&mut window, "PESO, seed 42");
        until_part(&mut window, "PESO, seed 42, with penalty");
        picture(&mut pictures, &mut window, "live", theme, Part::Window);
        if theme == Theme::Light {
            text(&mut window, "live", Part::Window);
        }
    }
}

#[test]
fn compare_view() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let file = with_runs(&world);
        let mut window = world.window(theme, Some(&file));
        until_part(&mut window, "2 of 4 finished");
        click(&mut window, "Compare");
        until_label(&mut window, "By stage");
        picture(&mut pictures, &mut window, "compare", theme, Part::Window);
        if theme == Theme::Light {
            text(&mut window, "compare", Part::View);
            click(&mut window, "Table");
            until_part(&mut window, "on the same test users");
            picture(&mut pictures, &mut window, "table", theme, Part::View);
            text(&mut window, "table", Part::View);
            click(&mut window, "Settings");
            text(&mut window, "settings", Part::View);
        } else {
            let last = ["NDCG@10 against training time", "not enough seeds", "on every stage"];
            let views = [("Cost", "cost"), ("Parallel", "parallel"), ("Matrix", "matrix")];
            for ((view, name), last) in views.into_iter().zip(last) {
                click(&mut window, view);
                until_part(&mut window, last);
                picture(&mut pictures, &mut window, name, theme, Part::View);
                text(&mut window, name, Part::View);
            }
        }
    }
}

#[test]
fn sweep_editor_and_sweeps() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let sweeps = "sweeps: [(experiment: \"PESO\", options: [
        (option: \"lambda\", values: [0.5, 2, 8]), (option: \"anchor\", values: [\"Latest\", \"All\"])])], seeds: [42, 43, 44],";
    let file = world.demo_with("seeds: [42],", sweeps);
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Sweep, 6 points");
    text(&mut window, "sweeps", Part::Window);
    click(&mut window, "Edit sweep 1 of PESO");
    until_label(&mut window, "Edit sweep");
    picture(&mut pictures, &mut window, "sweep_editor", Theme::Light, Part::Dialog);
    text(&mut window, "sweep_editor", Part::Dialog);
}

#[test]
fn estimate() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = with_runs(&world);
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "2 of 4 finished");
    click(&mut window, "Estimate…");
    world.asked(&mut window);
    let found = sweeping::estimate(&load(&file), &["PESO", "Single evolving LoRA"]);
    world.estimates.send(found).unwrap();
    until_part(&mut window, "It fits the memory");
    picture(&mut pictures, &mut window, "estimate", Theme::Dark, Part::Dialog);
    text(&mut window, "estimate", Part::Dialog);
}

#[test]
fn slices_and_next_block() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = comparing::both_protocols(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1600.0, 1000.0].into());
    until_part(&mut window, "3 of 4 finished");
    click(&mut window, "Compare");
    click(&mut window, "Slices");
    until_part(&mut window, "Slice of PESO");
    picture(&mut pictures, &mut window, "slices", Theme::Light, Part::Window);
    text(&mut window, "slices", Part::View);
    click(&mut window, "As table");
    text(&mut window, "slices_table", Part::View);
    click(&mut window, "Next-block");
    click(&mut window, "Table");
    until_part(&mut window, "each asked of the model before it");
    text(&mut window, "next_block", Part::View);
}

#[test]
fn method_picker() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Dark, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Add experiment…");
    until_label(&mut window, "Search methods");
    picture(&mut pictures, &mut window, "methods", Theme::Dark, Part::Dialog);
    text(&mut window, "methods", Part::Dialog);
}

#[test]
fn data_view() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Data");
    until_label(&mut window, "interactions");
    picture(&mut pictures, &mut window, "data", Theme::Light, Part::View);
    text(&mut window, "data", Part::View);
}

#[test]
fn log_view() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = with_runs(&world);
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "2 of 4 finished");
    // Of one run, whose lines have an order even within a second.
    click(&mut window, "PESO, seed 42");
    click(&mut window, "Log");
    until_part(&mut window, "Stage 5 of 5 is finished");
    picture(&mut pictures, &mut window, "log", Theme::Dark, Part::View);
    text(&mut window, "log", Part::View);
}

#[test]
fn palette_and_export() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = with_runs(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "2 of 4 finished");
    until(&mut window, "the curves", |window| has(window, "Export…"));
    window.key_press_modifiers(Modifiers { shift: true, ..Modifiers::COMMAND }, Key::P);
    window.run();
    picture(&mut pictures, &mut window, "palette", Theme::Light, Part::Dialog);
    text(&mut window, "palette", Part::Dialog);
    window.key_press(Key::Escape);
    window.run();
    click(&mut window, "Compare");
    until_label(&mut window, "By stage");
    click(&mut window, "Export…");
    until_label(&mut window, "Preview of the file");
    picture(&mut pictures, &mut window, "export", Theme::Light, Part::Dialog);
    text(&mut window, "export", Part::Dialog);
}

/// Nothing reaches beyond its place at the least size and at a large one with two pixels a point.
#[test]
fn every_view_fits_small_and_large_windows() {
    let world = World::new();
    let file = with_runs(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "2 of 4 finished");
    for (size, pixels) in [([960.0, 600.0], 1.0), ([2560.0, 1440.0], 1.0), ([1280.0, 720.0], 2.0)] {
        window.set_size(size.into()).set_pixels_per_point(pixels);
        for view in ["Live", "Compare", "Data", "Model", "Log"] {
            click(&mut window, view);
            window.run_ok();
            for label in ["Run all", "Stop", "Commands…", "Filter runs", view] {
                for node in window.query_all_by_label(label) {
                    let rect = node.rect();
                    let inside = rect.min.x >= 0.0 && rect.max.x <= size[0] && rect.max.y <= size[1];
                    assert!(inside, "{label} at {rect:?} in {size:?} at {pixels}");
                }
            }
        }
    }
}
