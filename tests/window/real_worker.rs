//! From an empty folder to an exported comparison, with workers that really train.

use std::time::{Duration, Instant};

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Theme};
use egui_kittest::kittest::Queryable as _;
use peso_workbench::run::queue::Queue;
use peso_workbench::run::{RunFolder, Status};

use crate::fixture::TINY;
use crate::world::{World, click, has_part, load, until, until_label, until_part};

#[test]
fn two_methods_are_trained_watched_compared_and_exported() {
    let world = World::with_real_workers();
    let file = world.folder.path().join("tiny.ron");
    std::fs::write(&file, TINY).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "0 of 2 finished");
    click(&mut window, "Estimate…");
    until_part(&mut window, " for 2 runs");
    until_part(&mut window, "One after another on cpu");
    assert!(!world.folder.path().join("runs").exists(), "an estimate writes nothing");
    click(&mut window, "Close");
    click(&mut window, "Run all");
    until_part(&mut window, "2 of 2 finished");
    until_label(&mut window, "Training loss (Synthetic data): Loss by Step of Free, seed 42");

    click(&mut window, "Compare");
    until_label(&mut window, "By stage");
    until_part(&mut window, "of Pulled, Free, Co-occurrence, Popularity");
    click(&mut window, "Export…");
    click(&mut window, "Export");
    until_label(&mut window, "The chart was written");
    assert!(world.folder.path().join("charts/ndcg-10-by-stage.png").is_file());
    until_label(&mut window, "Ready");
}

#[test]
fn a_closed_window_leaves_the_whole_queue_running() {
    let world = World::with_real_workers();
    let file = world.folder.path().join("tiny.ron");
    std::fs::write(&file, TINY).unwrap();
    let runs = load(&file).runs_dir(None);
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "0 of 2 finished");
    click(&mut window, "Run all");
    until(&mut window, "a worker", |_| Queue::new(&runs).has_worker());
    drop(window);
    let began = Instant::now();
    let finished = || RunFolder::list(&runs).iter().filter(|run| run.status() == Status::Finished).count();
    while finished() < 4 {
        assert!(began.elapsed() < Duration::from_secs(120), "only {} runs and baselines are finished", finished());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Wants the machine for itself, and an optimised build:
///
/// ```text
/// cargo nextest run --release --no-default-features --test window answers_while --run-ignored only --no-capture
/// ```
#[test]
#[ignore = "a benchmark; the bound holds for an optimised build"]
fn the_window_answers_while_every_core_trains() {
    const MOST: Duration = Duration::from_millis(100);
    let world = World::with_real_workers();
    let file = world.demo();
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "0 of 4 finished");
    click(&mut window, "Run all");
    until_part(&mut window, "Stage 1 of 5");
    // From the click until the picture with what it opened is drawn.
    let mut answered = |opener: &str, shown: &str| -> Vec<Duration> {
        let mut times: Vec<Duration> = (0..21)
            .map(|_| {
                window.get_by_role_and_label(Role::Button, opener).click();
                let clicked = Instant::now();
                while !has_part(&window, shown) {
                    window.step();
                    assert!(clicked.elapsed() < Duration::from_secs(5), "{opener} does not open");
                }
                window.render().unwrap();
                let time = clicked.elapsed();
                window.key_press(Key::Escape);
                until(&mut window, "it to close", |window| !has_part(window, shown));
                std::thread::sleep(Duration::from_millis(100));
                time
            })
            .collect();
        times.sort();
        times
    };
    for (opener, shown) in
        [("File", "Save project"), ("Add experiment…", "Search methods"), ("Commands…", "Type a command")]
    {
        let times = answered(opener, shown);
        println!("{opener}: median {:.0?}, slowest {:.0?}", times[times.len() / 2], times[times.len() - 1]);
        if !cfg!(debug_assertions) {
            assert!(times[times.len() * 9 / 10] < MOST, "{opener}: {times:?}");
        }
    }
    click(&mut window, "Stop");
}
