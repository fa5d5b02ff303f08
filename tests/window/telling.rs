//! Who looks elsewhere is told: by the desktop, and by a command of the settings.

use std::path::Path;

use egui::Theme;
use peso_workbench::app::launcher::Ended;
use peso_workbench::project::Project;
use peso_workbench::run::RunMethod;

use crate::fixture::{self, Come};
use crate::world::{World, click, has_part, load, until, until_label, until_part};
use eframe::egui;

/// Settings that a user has written.
fn with_settings(world: &World, settings: &str) {
    let folder = world.folder.path().join("configuration");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("settings.ron"), settings).unwrap();
}

fn finished(project: &Project, place: usize) {
    fixture::write(&project.runs_dir(None), &fixture::planned(project, place), 0.08, Come::FINISHED);
}

#[test]
fn the_end_of_a_queue_is_told() {
    let world = World::new();
    with_settings(&world, "(on_finished: \"told --loud\")");
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "PESO, seed 42");
    click(&mut window, "PESO, seed 42");
    click(&mut window, "Run selected");
    let (worker, _) = world.worker(&mut window).next().unwrap().unwrap();
    finished(&load(&file), 0);
    assert!(worker.next().unwrap().is_none());
    world.endings.send(Ended { code: Some(0), last_words: String::new() }).unwrap();
    until(&mut window, "the command", |_| !world.teller.ran.lock().unwrap().is_empty());
    let (event, message) = world.teller.ran.lock().unwrap()[0].clone();
    assert!(event == "finished" && message.starts_with("1 run finished in"), "{event}: {message}");
    until(&mut window, "the notification", |_| *world.teller.notified.lock().unwrap() == [message.clone()]);
}

#[test]
fn a_failure_is_told_with_its_reason_and_so_is_that_of_the_command() {
    let world = World::new();
    with_settings(&world, "(on_finished: \"told\")");
    *world.teller.silent.lock().unwrap() = Some("no session bus".to_owned());
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "PESO, seed 42");
    click(&mut window, "PESO, seed 42");
    click(&mut window, "Run selected");
    drop(world.worker(&mut window));
    let last_words = "error: it failed: the memory is full".to_owned();
    world.endings.send(Ended { code: Some(2), last_words }).unwrap();
    until(&mut window, "the command", |_| !world.teller.ran.lock().unwrap().is_empty());
    let (event, message) = world.teller.ran.lock().unwrap()[0].clone();
    assert!(event == "failed" && message.contains("the memory is full"), "{event}: {message}");
    until_part(&mut window, "The command of the settings did not work");
    // Without a session bus nobody is bothered; the log says it.
    click(&mut window, "Log");
    until_part(&mut window, "No notification of the desktop: no session bus");
}

/// Writes the run of a counting baseline anew.
fn count(project: &Project, method: RunMethod, level: f64, started: u64) {
    let mut config = fixture::config(project, method.label(), method, 0);
    config.created_unix += started;
    let runs = project.runs_dir(None);
    let old: &Path = &runs.join(&config.run);
    if old.exists() {
        std::fs::remove_dir_all(old).unwrap();
    }
    fixture::write(&runs, &config, level, Come::FINISHED);
}

#[test]
fn a_gate_that_flips_is_told_and_the_desktop_only_where_that_is_wanted() {
    let world = World::new();
    with_settings(&world, "(on_finished: \"told\", notify: false)");
    let gates = "decision: (slice_loss: None, negative_flips: None),";
    let file = world.demo_with("seeds: [42],", &format!("seeds: [42], {gates}"));
    let project = load(&file);
    // What only counts has no seeds, so that its users decide: 30 of 100 are hit, then 12 against 30, then 72.
    count(&project, RunMethod::Popularity, 0.05, 0);
    count(&project, RunMethod::CoOccurrence, 0.02, 0);
    let mut window = world.window(Theme::Light, Some(&file));
    click(&mut window, "Decide");
    until(&mut window, "the first decision", |window| {
        crate::world::has_part(window, "Hold ") || crate::world::has_part(window, "Ship ")
    });
    assert!(world.teller.ran.lock().unwrap().is_empty(), "what is found first has not flipped");
    count(&project, RunMethod::CoOccurrence, 0.12, 5);
    until(&mut window, "the command", |_| !world.teller.ran.lock().unwrap().is_empty());
    let (event, message) = world.teller.ran.lock().unwrap()[0].clone();
    assert!(event == "decision" && message.contains(": gain ") && message.contains(" now ("), "{event}: {message}");
    assert!(world.teller.notified.lock().unwrap().is_empty());
}

#[test]
fn a_crash_is_told_of_once() {
    let world = World::new();
    let crashes = world.folder.path().join("crashes");
    std::fs::create_dir_all(&crashes).unwrap();
    let report = |moment: &str| std::fs::write(crashes.join(format!("crash-{moment}-7.txt")), "").unwrap();
    let window = world.window(Theme::Light, None);
    assert!(!has_part(&window, "crashed"), "there was none");
    drop(window);
    report("2026-11-30T05-00-00Z");
    let mut window = world.window(Theme::Light, None);
    until_part(&mut window, "The program, or a worker of it, crashed");
    until_part(&mut window, "peso doctor --bundle");
    until_part(&mut window, "crash-2026-11-30T05-00-00Z-7.txt");
    drop(window);
    let window = world.window(Theme::Light, None);
    assert!(!has_part(&window, "crashed"), "it was told");
    drop(window);
    report("2026-11-30T06-00-00Z");
    let mut window = world.window(Theme::Light, None);
    click(&mut window, "Open folder");
    until(&mut window, "the folder", |_| *world.dialogs.shown.lock().unwrap() == [crashes.clone()]);
}
