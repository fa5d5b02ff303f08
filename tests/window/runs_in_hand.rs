//! Many runs in hand: filtered, grouped, marked, archived, deleted and taken back, and a queue that goes on meanwhile.

use std::path::{Path, PathBuf};
use std::time::Duration;

use eframe::egui;
use egui::accesskit::{Role, Toggled};
use egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::app::launcher::Ended;
use peso_workbench::project::Project;
use peso_workbench::run::observer::Observer as _;
use peso_workbench::run::queue::{Queue, RunKey};
use peso_workbench::run::{RunFolder, RunMethod, Status};

use crate::fixture::{self, Come};
use crate::world::{World, choose, click, has, load, until, until_label, until_part};

/// The demo with these seeds.
fn with_seeds(world: &World, seeds: &str) -> PathBuf {
    world.demo_with("seeds: [42]", &format!("seeds: [{seeds}]"))
}

/// Writes a finished run of an experiment.
fn finished(project: &Project, experiment: &str, seed: u64, level: f64) -> RunFolder {
    let options = project.experiments.iter().find(|one| one.name == experiment).unwrap().method.clone();
    let config = fixture::config(project, experiment, RunMethod::Learned(options), seed);
    fixture::write(&project.runs_dir(None), &config, level, Come::FINISHED)
}

fn type_filter(window: &mut Harness<'_, Workbench>, text: &str) {
    window.get_by_role_and_label(Role::TextInput, "Filter runs").focus();
    window.step();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_role_and_label(Role::TextInput, "Filter runs").type_text(text);
    window.step();
    window.step();
}

/// Opens the menu of a row by the keyboard.
fn open_menu(window: &mut Harness<'_, Workbench>, row: &str) {
    window.get_by_role_and_label(Role::Button, row).focus();
    window.step();
    window.key_press(Key::Menu);
    window.step();
    window.step();
}

fn copied(window: &Harness<'_, Workbench>) -> Option<String> {
    window.output().platform_output.commands.iter().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}

#[test]
fn shorter_lists_are_shown_at_their_own_cut_off() {
    let world = World::new();
    let file = world.demo_with("beams: 20,", "beams: 5,");
    finished(&load(&file), "PESO", 42, 0.08);
    let mut window = world.window(Theme::Light, Some(&file));
    for heading in ["Hit@5", "NDCG@5"] {
        until_label(&mut window, heading);
    }
    assert!(!has(&window, "Hit@10"), "lists of five items cannot have it");
    // 1.3 and 0.9 times the level, 3 % more a stage: 0.08 · 1.105 on average over stages 2 to 5.
    for value in ["0.1149", "0.0796"] {
        until_label(&mut window, value);
    }
}

#[test]
fn runs_are_found_by_what_they_are_and_what_they_measured() {
    let world = World::new();
    let file = with_seeds(&world, "1, 2");
    let project = load(&file);
    finished(&project, "PESO", 1, 0.08);
    finished(&project, "Single evolving LoRA", 1, 0.02);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "2 of 8 finished");

    type_filter(&mut window, "method:peso ndcg@10>0.05");
    assert!(
        has(&window, "PESO, seed 1") && !has(&window, "PESO, seed 2") && !has(&window, "Single evolving LoRA, seed 1")
    );
    type_filter(&mut window, "lambda>=2 -status:finished");
    assert!(
        has(&window, "PESO, seed 2") && !has(&window, "PESO, seed 1"),
        "a run that was not started has its options"
    );

    // What cannot be understood is said, and the rows stay as they were.
    type_filter(&mut window, "lamda>=2");
    assert!(has(&window, "No run has \"lamda\"; did you mean lambda?"));
    assert!(has(&window, "PESO, seed 2") && !has(&window, "PESO, seed 1"));

    // A key is completed as it is typed.
    type_filter(&mut window, "exper");
    until_label(&mut window, "experiment:");
    window.key_press(Key::Tab);
    window.step();
    window.step();
    let field = window.get_by_role_and_label(Role::TextInput, "Filter runs");
    assert_eq!(field.value().as_deref(), Some("experiment:"));
    click(&mut window, "Help on the filter");
    until_label(&mut window, "What the filter understands");
}

#[test]
fn groups_have_mean_and_spread_and_columns_are_remembered() {
    let world = World::new();
    let file = with_seeds(&world, "1, 2, 3");
    let project = load(&file);
    for (seed, level) in [(1, 0.04), (2, 0.06), (3, 0.08)] {
        finished(&project, "PESO", seed, level);
    }
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "3 of 12 finished");
    click(&mut window, "Columns");
    click(&mut window, "Time");
    until(&mut window, "the time of a run", |window| has(window, "1 min 10 s"));
    window.key_press(Key::Escape);
    window.step();

    window.get_by_value("No groups").click();
    window.step();
    window.step();
    click(&mut window, "Experiment");
    until_label(&mut window, "PESO, 3 runs");
    assert!(!has(&window, "PESO, seed 1"), "a group is folded at first");
    assert!(has(&window, "3 of 3 runs finished"));
    // Mean and sample standard deviation of the three levels' Hit@10 and NDCG@10: the deviation is a third of the mean.
    let cell = |window: &Harness<'_, Workbench>| {
        let labels = window.query_all_by_label_contains(" ±.");
        labels.filter_map(|node| node.accesskit_node().label().or_else(|| node.accesskit_node().value())).next()
    };
    let text = cell(&window).unwrap();
    let (mean, deviation) = text.split_once(" ±").unwrap();
    let (mean, deviation): (f64, f64) = (mean.parse().unwrap(), format!("0{deviation}").parse().unwrap());
    assert!((deviation - mean / 3.0).abs() < 0.001, "{text}");
    click(&mut window, "PESO, 3 runs");
    until_label(&mut window, "PESO, seed 1");
    drop(window);

    let mut again = world.window(Theme::Dark, Some(&file));
    until(&mut again, "the column that was chosen", |window| has(window, "1 min 10 s"));
}

#[test]
fn an_archived_run_is_hidden_and_a_deleted_one_comes_back() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let run = finished(&project, "PESO", 42, 0.08);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 4 finished");

    open_menu(&mut window, "PESO, seed 42");
    click(&mut window, "Tags and note…");
    until_label(&mut window, "Tags");
    window.get_by_role_and_label(Role::TextInput, "Tags").type_text("paper");
    window.step();
    click(&mut window, "Save");
    until_label(&mut window, "paper");
    type_filter(&mut window, "tag:paper");
    assert!(has(&window, "PESO, seed 42") && !has(&window, "Single evolving LoRA, seed 42"));

    open_menu(&mut window, "PESO, seed 42");
    click(&mut window, "Archive");
    until_label(&mut window, "1 run archived");
    until_label(&mut window, "Nothing fits the filter");
    type_filter(&mut window, "is:archived");
    until_label(&mut window, "PESO, seed 42");
    type_filter(&mut window, " ");
    assert!(!has(&window, "PESO, seed 42"));
    click(&mut window, "Undo");
    until_label(&mut window, "PESO, seed 42");

    open_menu(&mut window, "PESO, seed 42");
    click(&mut window, "Delete");
    until_label(&mut window, "1 run deleted");
    until_part(&mut window, "0 of 4 finished");
    assert!(!run.path().exists() && project.runs_dir(None).join(".trash").is_dir());
    click(&mut window, "Edit");
    click(&mut window, "Undo change of runs");
    until_part(&mut window, "1 of 4 finished");
    until_label(&mut window, "paper");
    assert!(run.path().is_dir());
}

#[test]
fn damaged_marks_are_told_and_kept() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    finished(&project, "PESO", 42, 0.08);
    let marks = project.runs_dir(None).join(".marks.ron");
    std::fs::write(&marks, "(runs: {\"peso\": (tags: [\"paper\"").unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "A file of the runs cannot be read");
    until_part(&mut window, "1 of 4 finished");
    open_menu(&mut window, "PESO, seed 42");
    click(&mut window, "Archive");
    until_part(&mut window, "The runs cannot be marked");
    assert_eq!(std::fs::read_to_string(&marks).unwrap(), "(runs: {\"peso\": (tags: [\"paper\"");
}

#[test]
fn a_run_is_copied_as_its_command_and_as_its_configuration() {
    let world = World::new();
    let file = world.demo();
    finished(&load(&file), "PESO", 42, 0.08);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 4 finished");
    for (entry, part) in
        [("Copy command line", "project.ron --experiment=PESO --seed 42"), ("Copy as RON", "experiment: \"PESO\"")]
    {
        open_menu(&mut window, "PESO, seed 42");
        until_label(&mut window, entry);
        window.get_by_label(entry).click();
        until(&mut window, "the text on the clipboard", |window| {
            copied(window).is_some_and(|text| text.contains(part))
        });
    }
}

#[test]
fn a_queue_says_how_long_it_takes_and_when_it_has_ended() {
    let world = World::new();
    let file = with_seeds(&world, "1, 2, 3");
    let project = load(&file);
    finished(&project, "PESO", 1, 0.08);
    finished(&project, "PESO", 2, 0.08);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "2 of 12 finished");
    // In the middle of a long table; the filter brings it into sight.
    type_filter(&mut window, "method:peso seed:3");
    click(&mut window, "PESO, seed 3");
    click(&mut window, "Run selected");
    // Each finished one took 5 stages of 11 s of training and 3 s of tests.
    until_part(&mut window, "1 queued, about 1 min left");

    let (worker, _) = world.worker(&mut window).next().unwrap().unwrap();
    finished(&project, "PESO", 3, 0.08);
    assert!(worker.next().unwrap().is_none());
    world.endings.send(Ended { code: Some(0), last_words: String::new() }).unwrap();
    until_part(&mut window, "1 run finished in");
}

#[test]
fn the_queue_of_another_project_is_seen() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    let other = world.folder.path().join("other");
    std::fs::create_dir_all(&other).unwrap();
    let text = std::fs::read_to_string(&file).unwrap().replace("Synthetic drift demo", "The other");
    std::fs::write(other.join("project.ron"), text).unwrap();
    drop(window);

    let queue = Queue::new(&load(&file).runs_dir(None));
    let key = |seed| RunKey { experiment: "PESO".to_owned(), seed };
    queue.add(&[key(1), key(2)]).unwrap();
    let (_worker, _) = queue.work().unwrap().unwrap().next().unwrap().unwrap();
    window = world.window(Theme::Light, Some(&other.join("project.ron")));
    until_label(&mut window, "The other");
    until_label(&mut window, "Synthetic drift demo: 2 runs go on");
}

#[test]
fn nothing_jumps_while_a_queue_runs() {
    let world = World::new();
    let seeds: Vec<String> = (1..=30).map(|seed| seed.to_string()).collect();
    let file = with_seeds(&world, &seeds.join(", "));
    let project = load(&file);
    (1..=15).for_each(|seed| drop(finished(&project, "PESO", seed, 0.08)));
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "15 of 120 finished");
    type_filter(&mut window, "method:peso");
    click(&mut window, "PESO, seed 5");
    let table = window.get_by_role_and_label(Role::Button, "PESO, seed 5").rect().center();
    window.event(egui::Event::PointerMoved(table));
    let (unit, phase, source) = (egui::MouseWheelUnit::Point, egui::TouchPhase::Move, egui::MouseWheelSource::Wheel);
    let delta = egui::Vec2::new(0.0, -60.0);
    window.event(egui::Event::MouseWheel { unit, source, delta, phase, modifiers: Modifiers::NONE });
    (0..30).for_each(|_| window.step());
    let place = |window: &Harness<'_, Workbench>| window.get_by_role_and_label(Role::Button, "PESO, seed 5").rect();
    let held = place(&window);
    assert!(held.center().y < table.y - 20.0, "it was scrolled: {held:?}");

    for seed in 16..=24 {
        let options = project.experiments[0].method.clone();
        let config = fixture::config(&project, "PESO", RunMethod::Learned(options), seed);
        follow_run(&mut window, &project.runs_dir(None), &config, |window| {
            assert_eq!(place(window), held, "the row stays where it is");
            let row = window.get_by_role_and_label(Role::Button, "PESO, seed 5");
            assert_eq!(row.accesskit_node().toggled(), Some(Toggled::True), "it stays selected");
            let field = window.get_by_role_and_label(Role::TextInput, "Filter runs");
            assert_eq!(field.value().as_deref(), Some("method:peso"));
        });
    }
    until_part(&mut window, "24 of 120 finished");
}

/// Is the worker of a run from its folder to its end, with a look at the window between its steps.
fn follow_run(
    window: &mut Harness<'_, Workbench>,
    runs_dir: &Path,
    config: &peso_workbench::run::RunConfig,
    look: impl Fn(&Harness<'_, Workbench>),
) {
    let run = RunFolder::create(runs_dir, config).unwrap();
    let lock = run.lock().unwrap();
    let mut writer = run.writer().unwrap();
    writer.set_status(Status::Running, None).unwrap();
    for stage in 1..=5 {
        fixture::write_stage(&mut writer, config, stage, 0.08);
        writer.progress(&fixture::progress(stage, 10)).unwrap();
        writer.flush().unwrap();
        for _ in 0..6 {
            std::thread::sleep(Duration::from_millis(20));
            window.step();
            look(window);
        }
    }
    writer.set_status(Status::Finished, None).unwrap();
    drop((writer, lock));
}

#[test]
fn the_table_is_exported_as_it_is_shown() {
    let world = World::new();
    let file = with_seeds(&world, "1, 2");
    let project = load(&file);
    for (seed, level) in [(1, 0.08), (2, 0.09)] {
        finished(&project, "PESO", seed, level);
    }
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "2 of 8 finished");
    type_filter(&mut window, "method:peso");
    click(&mut window, "More for the table");
    click(&mut window, "Export the table…");
    until_label(&mut window, "Export the chart");
    choose(&mut window, "Format", "CSV table");
    click(&mut window, "Export");
    let written = world.folder.path().join("demo/charts/runs.csv");
    until(&mut window, "the file", |_| written.is_file());
    let data = std::fs::read_to_string(written).unwrap();
    let lines: Vec<&str> = data.lines().collect();
    assert!(lines[0].contains("Status") && lines[0].contains("NDCG@10"), "{data}");
    assert_eq!(lines.len(), 3, "the rows that fit the filter: {data}");
    assert!(lines[1].contains("Finished") && lines[1].contains("5 of 5 stages"), "{data}");
}

#[test]
fn live_stays_with_the_runs_it_is_told_to_stay_with() {
    let world = World::new();
    let file = with_seeds(&world, "1, 2");
    let project = load(&file);
    finished(&project, "PESO", 1, 0.08);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 8 finished");
    click(&mut window, "Live");
    until_part(&mut window, "PESO, seed 1");
    click(&mut window, "Follow");
    until_label(&mut window, "1 selected");
    let options = project.experiments.iter().find(|one| one.name == "Frozen").unwrap().method.clone();
    let config = fixture::config(&project, "Frozen", RunMethod::Learned(options), 1);
    let running = Come { stages: 2, status: Status::Running, reason: None };
    let run = fixture::write(&project.runs_dir(None), &config, 0.05, running);
    let _worker = run.lock().unwrap();
    until_part(&mut window, "Stage 3 of 5");
    let curves = |window: &Harness<'_, Workbench>, name: &str| {
        window
            .query_all_by_label_contains("Training loss")
            .any(|node| node.accesskit_node().label().is_some_and(|label| label.contains(name)))
    };
    assert!(curves(&window, "PESO, seed 1") && !curves(&window, "Frozen"));
    click(&mut window, "Follow");
    until(&mut window, "what trains", |window| curves(window, "Frozen, seed 1"));
}
