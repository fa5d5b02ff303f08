//! What the views look like, in both themes, with fixed data. What changes from run to run (paths) is masked.

use std::path::PathBuf;

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, SnapshotOptions, SnapshotResults, try_image_snapshot_options};
use peso_workbench::app::Workbench;
use peso_workbench::run::{RunMethod, Status};

use crate::fixture::{self, Come};
use crate::world::{World, click, has, load, until, until_label, until_part};
use crate::{comparing, sweeping};

/// The demo with two finished methods, one that failed, one that was not run, and the counting baselines.
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

/// Levels a channel that pictures are kept with: enough to see any change, few enough to keep the files small.
const LEVELS: u16 = 15;
/// A pixel may be one level off, which is a squared YIQ distance of about 146.
const ONE_LEVEL: f32 = 200.0;
/// Pixels that may be further off: edges of glyphs, which another version of the driver may round otherwise.
const GLYPH_EDGES: usize = 60;

/// Compares what the window shows with its picture; `changing` is left out.
pub fn picture(
    pictures: &mut SnapshotResults,
    window: &mut Harness<'_, Workbench>,
    name: &str,
    theme: Theme,
    changing: Option<egui::Rect>,
) {
    masked_picture(pictures, window, name, theme, changing.as_slice());
}

/// The same with several places that are left out.
pub fn masked_picture(
    pictures: &mut SnapshotResults,
    window: &mut Harness<'_, Workbench>,
    name: &str,
    theme: Theme,
    masks: &[egui::Rect],
) {
    window.remove_cursor();
    window.run();
    masks.iter().for_each(|rect| window.mask(*rect));
    let mut image = window.render().unwrap();
    for value in image.iter_mut() {
        let level = (u16::from(*value) * LEVELS + 127) / 255;
        *value = (level * 255 / LEVELS) as u8;
    }
    let theme = if theme == Theme::Dark { "dark" } else { "light" };
    let options = SnapshotOptions::new()
        .output_path("tests/window/snapshots")
        .threshold(ONE_LEVEL)
        .max_failed_pixels(GLYPH_EDGES);
    pictures.add(try_image_snapshot_options(&image, format!("{name}_{theme}"), &options));
}

pub const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

#[test]
fn start_page() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let mut window = world.window(theme, None);
        picture(&mut pictures, &mut window, "start", theme, None);
    }
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
        picture(&mut pictures, &mut window, "live", theme, None);
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
        picture(&mut pictures, &mut window, "compare", theme, None);
        click(&mut window, "Table");
        until_part(&mut window, "95 % bootstrap intervals");
        picture(&mut pictures, &mut window, "table", theme, None);
        let others =
            [("Cost", "cost"), ("Parallel", "parallel"), ("Matrix R[i,j]", "matrix"), ("Settings", "settings")];
        for (view, name) in others.into_iter().filter(|_| theme == Theme::Dark) {
            click(&mut window, view);
            picture(&mut pictures, &mut window, name, theme, None);
        }
    }
}

#[test]
fn sweep_editor_and_sweeps() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let sweeps = "sweeps: [(experiment: \"PESO\", options: [
            (option: \"lambda\", values: [0.5, 2, 8]), (option: \"anchor\", values: [\"Latest\", \"All\"])])], seeds: [42, 43, 44],";
        let file = world.demo_with("seeds: [42],", sweeps);
        let mut window = world.window(theme, Some(&file));
        until_label(&mut window, "Sweep, 6 points");
        if theme == Theme::Light {
            picture(&mut pictures, &mut window, "sweeps", theme, None);
        }
        click(&mut window, "Edit sweep 1 of PESO");
        until_label(&mut window, "Edit sweep");
        picture(&mut pictures, &mut window, "sweep_editor", theme, None);
    }
}

#[test]
fn estimate() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let file = with_runs(&world);
        let mut window = world.window(theme, Some(&file));
        until_part(&mut window, "2 of 4 finished");
        click(&mut window, "Estimate…");
        world.asked(&mut window);
        let found = sweeping::estimate(&load(&file), &["PESO", "Single evolving LoRA"]);
        world.estimates.send(found).unwrap();
        until_part(&mut window, "It fits the memory");
        picture(&mut pictures, &mut window, "estimate", theme, None);
    }
}

#[test]
fn slices_and_next_block() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let file = comparing::both_protocols(&world);
        let mut window = world.window(theme, Some(&file));
        window.set_size([1600.0, 1000.0].into());
        until_part(&mut window, "3 of 4 finished");
        click(&mut window, "Compare");
        click(&mut window, "Slices");
        until_part(&mut window, "Slice of PESO");
        picture(&mut pictures, &mut window, "slices", theme, None);
        if theme == Theme::Light {
            click(&mut window, "As table");
            picture(&mut pictures, &mut window, "slices_table", theme, None);
            click(&mut window, "Next-block");
            click(&mut window, "Table");
            until_part(&mut window, "each asked of the model before it");
            picture(&mut pictures, &mut window, "next_block", theme, None);
        }
    }
}

#[test]
fn method_picker() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let file = world.demo();
        let mut window = world.window(theme, Some(&file));
        until_label(&mut window, "Synthetic drift demo");
        click(&mut window, "Add experiment…");
        until_label(&mut window, "Search methods");
        picture(&mut pictures, &mut window, "methods", theme, None);
    }
}

#[test]
fn data_view() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let file = world.demo();
        let mut window = world.window(theme, Some(&file));
        until_label(&mut window, "Synthetic drift demo");
        click(&mut window, "Data");
        until_label(&mut window, "interactions");
        picture(&mut pictures, &mut window, "data", theme, None);
    }
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
    picture(&mut pictures, &mut window, "palette", Theme::Light, None);
    window.key_press(Key::Escape);
    window.run();
    click(&mut window, "Compare");
    until_label(&mut window, "By stage");
    click(&mut window, "Export…");
    until_label(&mut window, "Export the chart");
    // The file's name begins with a temporary folder.
    window.run();
    let field = window.get_by_role_and_label(Role::TextInput, "File").rect();
    picture(&mut pictures, &mut window, "export", Theme::Light, Some(field));
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
