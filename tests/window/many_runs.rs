//! A project of many runs: what is said while they are read, and how fast that is.

use std::path::Path;
use std::time::{Duration, Instant};

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::project::Project;
use peso_workbench::run::{RunFolder, RunMethod, Status};

use crate::fixture::{self, Come};
use crate::world::{World, has_part, load, until, until_label, until_part};

#[test]
fn runs_that_are_not_read_yet_say_so_and_cannot_be_started() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let runs = project.runs_dir(None);
    let written: Vec<RunFolder> = (0..project.experiments.len())
        .map(|place| fixture::write(&runs, &fixture::planned(&project, place), 0.08, Come::FINISHED))
        .collect();
    // Whoever reads this run waits.
    let held = rusqlite::Connection::open(written[1].path().join("run.sqlite")).unwrap();
    held.execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM events;").unwrap();

    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "… Reading");
    assert!(!has_part(&window, "Not run"), "what is not read may be finished");
    let run_all = window.get_by_role_and_label(Role::Button, "Run all");
    assert!(run_all.accesskit_node().is_disabled());
    window.key_press_modifiers(Modifiers::NONE, Key::F5);
    window.step();
    window.step();
    assert!(!has_part(&window, "queued"), "nothing is started meanwhile");

    drop(held);
    until_part(&mut window, "4 of 4 finished");
    assert!(!has_part(&window, "… Reading"));
    assert!(world.started.try_recv().is_err(), "no worker was started");
}

/// Runs of the benchmark: each experiment of the demo with this many seeds.
const SEEDS: usize = 250;
/// Steps of each of its five stages.
const STEPS: usize = 10_000;

/// 1,000 runs x 5 stages x 10,000 steps: takes some minutes and 6 GB of a temporary folder, and wants the machine for itself.
/// The bounds hold for an optimised build:
///
/// ```text
/// cargo nextest run --release --test window a_thousand_runs --run-ignored only --no-capture
/// ```
#[test]
#[ignore = "a benchmark of minutes"]
fn a_thousand_runs_are_read_and_scrolled_without_waiting() {
    let world = World::new();
    let seeds: Vec<String> = (1..=SEEDS).map(|seed| seed.to_string()).collect();
    let file = world.demo_with("seeds: [42]", &format!("seeds: [{}]", seeds.join(", ")));
    write_runs(&load(&file));
    let before = memory_kib("VmRSS");

    let began = Instant::now();
    let mut window = world.window(Theme::Light, Some(&file));
    until(&mut window, "the first picture", |window| has_part(window, "PESO"));
    let first = began.elapsed();
    until_part(&mut window, "1\u{2009}000 of 1\u{2009}000 finished");
    let all = began.elapsed();
    // The first curve and its chart.
    (0..50).for_each(|_| {
        window.step();
        std::thread::sleep(Duration::from_millis(20));
    });
    let scrolling = percentile(&mut frames(&mut window, "Experiment", Modifiers::NONE));
    let zooming = percentile(&mut frames(&mut window, "Live", Modifiers::COMMAND));
    let memory = memory_kib("VmHWM").saturating_sub(before) / 1024;
    println!(
        "first picture {first:.2?}, all read {all:.2?}, frame at the 99th percentile: scrolling {scrolling:.2?}, zooming {zooming:.2?}, {memory} MiB"
    );
    if !cfg!(debug_assertions) {
        assert!(first < Duration::from_secs(1) && all < Duration::from_secs(5), "{first:?} {all:?}");
        assert!(scrolling.max(zooming) < Duration::from_millis(8), "{scrolling:?} {zooming:?}");
        assert!(memory < 500, "{memory} MiB");
    }
}

/// Draws frames while the wheel turns below something with this label; the time that each takes of its thread.
fn frames(window: &mut Harness<'_, Workbench>, label: &str, modifiers: Modifiers) -> Vec<Duration> {
    let place = window.get_all_by_label(label).next().unwrap().rect().center() + Vec2::new(60.0, 140.0);
    window.event(egui::Event::PointerMoved(place));
    window.step();
    let frame = |number: usize| {
        let delta = Vec2::new(0.0, if number % 100 < 50 { -60.0 } else { 60.0 });
        let (unit, phase) = (egui::MouseWheelUnit::Point, egui::TouchPhase::Move);
        let source = egui::MouseWheelSource::Wheel;
        window.event(egui::Event::MouseWheel { unit, source, delta, phase, modifiers });
        let began = own_time();
        window.step();
        own_time() - began
    };
    (0..400).map(frame).collect()
}

/// Time that this thread has had a processor, whatever else runs on the machine.
fn own_time() -> Duration {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(statistics.split_whitespace().next().and_then(|time| time.parse().ok()).unwrap_or(0))
}

fn percentile(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

/// One run an experiment is written step by step; those of other seeds are copies of its records.
fn write_runs(project: &Project) {
    let runs = project.runs_dir(None);
    for (place, experiment) in project.experiments.iter().enumerate() {
        let method = RunMethod::Learned(experiment.method.clone());
        let config = |seed| fixture::config(project, &experiment.name, method.clone(), seed);
        let first = RunFolder::create(&runs, &config(project.seeds[0])).unwrap();
        let mut writer = first.writer().unwrap();
        for stage in 1..=5 {
            fixture::write_stage_of(&mut writer, first.config(), stage, 0.06 + 0.01 * place as f64, STEPS);
        }
        writer.set_status(Status::Finished, None).unwrap();
        drop(writer);
        for &seed in &project.seeds[1..] {
            let copy = RunFolder::create(&runs, &config(seed)).unwrap();
            copy_records(first.path(), copy.path());
        }
    }
}

fn copy_records(from: &Path, to: &Path) {
    std::fs::copy(from.join("run.sqlite"), to.join("run.sqlite")).unwrap();
}

/// A line of what the system says of this process's memory.
fn memory_kib(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}
