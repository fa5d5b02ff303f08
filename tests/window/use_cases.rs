//! What people do with the window.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::dialogs::desktop::FileDialog;
use peso_workbench::app::launcher::Ended;
use peso_workbench::run::observer::{Control, Observer as _};
use peso_workbench::run::queue::Queue;
use peso_workbench::run::{RunFolder, Status};

use crate::fixture::{self, Come};
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

const COMMAND: Modifiers = Modifiers::COMMAND;
const COMMAND_SHIFT: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

#[test]
fn the_demo_is_opened_run_watched_compared_and_exported() {
    let world = World::new();
    let mut window = world.window(Theme::Light, None);
    window.step();

    // The desktop's dialog chooses the folder.
    let folder = world.folder.path().join("my demo");
    world.dialogs.answers.lock().unwrap().push(folder.clone());
    click(&mut window, "Open the demo…");
    click(&mut window, "Browse…");
    let typed = folder.display().to_string();
    until(&mut window, "the chosen folder", |window| {
        window.query_all_by_role(Role::TextInput).any(|field| field.value().as_deref() == Some(typed.as_str()))
    });
    click(&mut window, "Create and open");
    until_label(&mut window, "Synthetic drift demo");
    let file = folder.join("project.ron");
    assert!(file.is_file());

    // All four runs are queued, and one worker is started for them.
    click(&mut window, "Run all");
    until(&mut window, "four runs in the queue", |window| has_part(window, "4 queued"));
    let (worker, run) = world.worker(&mut window).next().unwrap().unwrap();
    assert_eq!((run.experiment.as_str(), run.seed), ("PESO", 42));
    until_part(&mut window, "3 queued");

    // The worker writes its folder; the window follows.
    let project = load(&file);
    let config = fixture::planned(&project, 0);
    let run = RunFolder::create(&project.runs_dir(None), &config).unwrap();
    let lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    writer.set_status(Status::Running, None).unwrap();
    writer.progress(&fixture::progress(1, 30)).unwrap();
    writer.flush().unwrap();
    until_part(&mut window, "PESO, seed 42: Stage 1 of 5, training");
    until_label(&mut window, "▶ Running");
    (1..=5).for_each(|stage| fixture::write_stage(&mut writer, &config, stage, 0.08));
    writer.set_status(Status::Finished, None).unwrap();
    drop((writer, lock));
    until_part(&mut window, "1 of 4 finished");

    // The worker goes on by itself; the rest is taken out of the queue again.
    let (worker, run) = worker.next().unwrap().unwrap();
    assert_eq!(run.experiment, "Single evolving LoRA");
    click(&mut window, "Stop");
    let queue = Queue::new(&project.runs_dir(None));
    until(&mut window, "an empty queue", |window| !has_part(window, "queued") && queue.entries().waiting.is_empty());
    assert!(worker.next().unwrap().is_none(), "nothing is left for the worker");
    world.endings.send(Ended { code: Some(0), last_words: String::new() }).unwrap();
    until_part(&mut window, "Ready");
    assert!(world.started.try_recv().is_err(), "no other worker is started");

    // The comparison is written to a file.
    click(&mut window, "Compare");
    until_label(&mut window, "By stage");
    click(&mut window, "Export…");
    click(&mut window, "Export");
    until_label(&mut window, "The chart was written");
    let png = std::fs::read(folder.join("charts/ndcg-10-by-stage.png")).unwrap();
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    assert_eq!(world.dialogs.asked.lock().unwrap().len(), 1, "only the folder of the demo was asked for");
}

#[test]
fn a_worker_that_fails_says_why() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Dark, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    window.key_press_modifiers(Modifiers::NONE, Key::F5);
    window.step();
    let (worker, _) = world.worker(&mut window).next().unwrap().unwrap();
    let project = load(&file);
    let run = RunFolder::create(&project.runs_dir(None), &fixture::planned(&project, 0)).unwrap();
    let lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    writer.set_status(Status::Running, None).unwrap();
    until_label(&mut window, "▶ Running");
    writer.set_status(Status::Failed, Some("the device ran out of memory")).unwrap();
    drop((writer, lock));
    until_label(&mut window, "PESO, seed 42 did not finish");
    until(&mut window, "the reason in the message and below the table", |window| {
        window.query_all_by_label_contains("The device ran out of memory").count() >= 2
    });

    // A worker that is killed says nothing itself; what waits behind its run goes on with another.
    let (worker, run) = worker.next().unwrap().unwrap();
    assert_eq!(run.experiment, "Single evolving LoRA");
    until(&mut window, "the next run", |window| has_part(window, "2 queued"));
    drop(worker);
    let last_words = "memory allocation of 4096 bytes failed".to_owned();
    world.endings.send(Ended { code: None, last_words }).unwrap();
    until_label(&mut window, "Single evolving LoRA, seed 42 did not finish");
    assert_eq!(world.worker(&mut window).next().unwrap().unwrap().1.experiment, "SumLoRA latest + inherit");
    let before = window.query_all_by_label("Dismiss").count();
    click(&mut window, "Dismiss");
    window.step();
    assert_eq!(window.query_all_by_label("Dismiss").count(), before - 1);
}

#[test]
fn a_run_from_elsewhere_is_paused_resumed_and_stopped_through_its_folder() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let config = fixture::planned(&project, 0);
    let run = RunFolder::create(&project.runs_dir(None), &config).unwrap();
    let _lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    writer.set_status(Status::Running, None).unwrap();
    writer.progress(&fixture::progress(2, 20)).unwrap();
    let mut window = world.window(Theme::Dark, Some(&file));
    until_label(&mut window, "▶ Running");

    click(&mut window, "Pause");
    until(&mut window, "the wish to pause", |_| run.control() == Control::Pause);
    writer.set_status(Status::Paused, None).unwrap();
    until_label(&mut window, "‖ Paused");
    click(&mut window, "Resume");
    until(&mut window, "the wish to run", |_| run.control() == Control::Run);
    click(&mut window, "Stop");
    until(&mut window, "the wish to stop", |_| run.control() == Control::Stop);
    assert!(world.started.try_recv().is_err(), "nothing was started for it");
}

#[test]
fn without_a_file_dialog_the_page_says_so_and_a_typed_path_works() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, None);
    window.step();
    click(&mut window, "Open a project…");
    until_part(&mut window, "No file dialog appeared");
    assert_eq!(*world.dialogs.asked.lock().unwrap(), [FileDialog::OpenProject]);

    let field = "Or type the path of a project file or its folder";
    window.get_by_role_and_label(Role::TextInput, field).focus();
    window.step();
    window.get_by_role_and_label(Role::TextInput, field).type_text(&file.parent().unwrap().display().to_string());
    window.step();
    window.key_press(Key::Enter);
    until_label(&mut window, "Synthetic drift demo");

    // It is remembered.
    window.key_press_modifiers(COMMAND, Key::W);
    until_label(&mut window, "Recent projects");
    until(&mut window, "the recent project", |window| has(window, "Opened just now"));
    drop(window);
    let mut again = world.window(Theme::Light, None);
    until_label(&mut again, "Synthetic drift demo");
    again.get_by_role_and_label(Role::Button, "Synthetic drift demo").click();
    until_label(&mut again, "demo/project.ron");
}

#[test]
fn a_project_that_is_dropped_onto_the_window_is_opened() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Dark, None);
    window.step();
    let dropped = file.parent().unwrap().to_path_buf();
    window.input_mut().hovered_files = vec![egui::HoveredFile { path: Some(dropped.clone()), ..Default::default() }];
    window.step();
    window.input_mut().hovered_files.clear();
    window.input_mut().dropped_files = vec![Arc::new(Dropped(dropped))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_label(&mut window, "Synthetic drift demo");
}

/// A folder that was let go over the window.
#[derive(Debug)]
pub struct Dropped(pub PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window reads projects by their path".to_owned())
    }
}

#[test]
fn a_project_that_cannot_be_used_is_named_with_the_place_and_the_remedy() {
    let world = World::new();
    let file = world.demo();
    let text = std::fs::read_to_string(&file).unwrap().replace("lambda: 2.0", "lamda: 2.0");
    std::fs::write(&file, text).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "lamda");
    assert!(has_part(&window, "at line"));
    assert!(has_part(&window, "project.ron"));
    assert!(has(&window, "Open the demo…"), "the start page is there");
}

#[test]
fn the_palette_finds_commands_and_the_keyboard_gives_them() {
    let world = World::new();
    let mut window = world.window(Theme::Light, None);
    window.step();
    window.key_press_modifiers(COMMAND_SHIFT, Key::P);
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Type a command").type_text("dark");
    window.run();
    window.key_press(Key::Enter);
    window.run();
    assert!(window.ctx.global_style().visuals.dark_mode);
    assert!(has(&window, "Light theme"), "the button now offers the other theme");

    // What is not possible now cannot be chosen, and says why.
    window.key_press_modifiers(COMMAND_SHIFT, Key::P);
    window.run();
    window.get_by_role_and_label(Role::TextInput, "Type a command").type_text("run all");
    window.run();
    assert!(window.query_all_by_label_contains("Run all").all(|entry| entry.accesskit_node().is_disabled()));
    window.key_press(Key::Escape);
    window.run();
    assert!(!has(&window, "Type a command"));
}

#[test]
fn editing_the_project_can_be_undone_and_is_not_lost_unasked() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    window.key_press_modifiers(COMMAND, Key::N);
    until_label(&mut window, "Search methods");
    window.get_by_role_and_label(Role::TextInput, "Search methods").type_text("proximal");
    window.step();
    window.key_press(Key::Enter);
    until_label(&mut window, "PESO 2");
    until_label(&mut window, "Unsaved changes");
    window.key_press_modifiers(COMMAND, Key::Z);
    until(&mut window, "the experiment to go", |window| !has(window, "PESO 2"));
    window.key_press_modifiers(COMMAND_SHIFT, Key::Z);
    until_label(&mut window, "PESO 2");

    // Closing asks; cancelling keeps everything; saving writes the file and closes.
    window.key_press_modifiers(COMMAND, Key::W);
    until_label(&mut window, "Save the changes of the project?");
    click(&mut window, "Cancel");
    until_label(&mut window, "PESO 2");
    window.key_press_modifiers(COMMAND, Key::W);
    until_label(&mut window, "Save the changes of the project?");
    click(&mut window, "Save");
    until_label(&mut window, "Recent projects");
    let names: Vec<String> = load(&file).experiments.into_iter().map(|experiment| experiment.name).collect();
    assert_eq!(names.last().map(String::as_str), Some("PESO 2"));
}

#[test]
fn selecting_rows_decides_what_commands_are_about_and_the_filter_what_is_listed() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.08, Come::FINISHED);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 4 finished");

    click(&mut window, "Frozen, seed 42");
    until_label(&mut window, "1 selected");
    click(&mut window, "Run selected");
    let (worker, run) = world.worker(&mut window).next().unwrap().unwrap();
    assert_eq!(run.experiment, "Frozen");
    assert!(worker.next().unwrap().is_none());

    window.get_by_role_and_label(Role::TextInput, "Filter runs").focus();
    window.step();
    window.get_by_role_and_label(Role::TextInput, "Filter runs").type_text("finished");
    until(&mut window, "the other rows to go", |window| !has(window, "Frozen, seed 42"));
    assert!(has(&window, "PESO, seed 42"));
}

#[test]
fn an_idle_window_draws_nothing() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.08, Come::FINISHED);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 4 finished");
    std::thread::sleep(Duration::from_millis(1500));
    window.run();
    let delay = window.output().viewport_output.values().map(|output| output.repaint_delay).min();
    assert!(delay.is_none_or(|delay| delay > Duration::from_secs(3600)), "wants to draw again in {delay:?}");
    std::thread::sleep(Duration::from_millis(2500));
    assert!(!window.ctx.has_requested_repaint(), "woken by {:?}", window.ctx.repaint_causes());
}
