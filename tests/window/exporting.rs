//! Charts as files: what is written is what is seen, and what follows from it.

use std::fs;

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, OutputCommand, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::run::Status;

use crate::fixture::{self, Come};
use crate::world::{World, choose, click, has, has_part, load, until, until_label, until_part};

/// Replaces the words of a field.
fn write(window: &mut Harness<'_, Workbench>, field: &str, words: &str) {
    window.get_by_role_and_label(Role::TextInput, field).focus();
    window.step();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.get_by_role_and_label(Role::TextInput, field).type_text(words);
    window.step();
}

#[test]
fn a_file_has_what_the_window_shows_when_it_is_written() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let come = Come { stages: 3, status: Status::Running, reason: None };
    let run = fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.081, come);
    let _worker = run.lock().unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    click(&mut window, "Compare");
    until_part(&mut window, "NDCG@10 by stage");
    click(&mut window, "Export…");
    until_label(&mut window, "Preview of the file");
    until_part(&mut window, "Not finished, and shown as far as measured: PESO, seed 42, 3 of 5 stages");
    choose(&mut window, "Format", "CSV table");
    write(&mut window, "Title", "What we ship");
    // While the dialog is open the run goes on.
    let mut writer = run.writer().unwrap();
    fixture::write_stage(&mut writer, run.config(), 4, 0.081);
    writer.flush().unwrap();
    until_part(&mut window, "PESO, seed 42, 4 of 5 stages");
    click(&mut window, "Export");
    until_label(&mut window, "The chart was written");
    let written = world.folder.path().join("demo/charts/ndcg-10-by-stage.csv");
    let csv = fs::read_to_string(&written).unwrap();
    let stages = csv.lines().skip(1).filter(|line| line.contains("PESO")).count();
    assert_eq!(stages, 4, "the stage that came while the dialog was open is in the file:\n{csv}");
    click(&mut window, "Open folder");
    until(&mut window, "the file manager", |_| !world.dialogs.shown.lock().unwrap().is_empty());
    assert_eq!(*world.dialogs.shown.lock().unwrap(), [written.parent().unwrap()]);
}

#[test]
fn choices_are_remembered_and_a_picture_goes_to_the_clipboard() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.081, Come::FINISHED);
    let mut window = world.window(Theme::Light, Some(&file));
    click(&mut window, "Compare");
    until_part(&mut window, "NDCG@10 by stage");
    click(&mut window, "Export…");
    until_label(&mut window, "Preview of the file");
    assert!(!has_part(&window, "Not finished"), "everything that is shown is finished");
    choose(&mut window, "Size", "Slide, 16:9");
    until_label(&mut window, "Preview of the file");
    click(&mut window, "Copy image");
    let mut copied = None;
    until(&mut window, "the picture", |window| {
        window.output().platform_output.commands.iter().any(|command| matches!(command, OutputCommand::CopyImage(_)))
    });
    for command in &window.output().platform_output.commands {
        if let OutputCommand::CopyImage(image) = command {
            copied = Some(image.size);
        }
    }
    // 1280 x 720 logical pixels at 192 dots an inch.
    assert_eq!(copied, Some([2560, 1440]));
    click(&mut window, "Export…");
    until_label(&mut window, "Preview of the file");
    let size = window.get_by_role_and_label(Role::ComboBox, "Size").accesskit_node().value();
    assert_eq!(size.as_deref(), Some("Slide, 16:9"), "the size of the last one is offered");
}

#[test]
fn a_shortcut_that_does_nothing_says_why() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    window.key_press_modifiers(Modifiers::NONE, Key::F8);
    until_label(&mut window, "Stop: Nothing is running or queued");
    assert!(!has(&window, "Export the chart"));
    window.key_press_modifiers(Modifiers::COMMAND, Key::E);
    until_label(&mut window, "Export chart…: Open a view with a chart first");
}

#[test]
fn a_report_is_written_from_the_window_and_its_folder_is_offered() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::R);
    until_label(&mut window, "Report…: Nothing is measured yet: start a run first");
    fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.081, Come::FINISHED);
    fixture::write(&project.runs_dir(None), &fixture::planned(&project, 1), 0.071, Come::FINISHED);
    let come = Come { stages: 3, status: Status::Stopped, reason: None };
    let open = fixture::write(&project.runs_dir(None), &fixture::planned(&project, 2), 0.061, come);
    until(&mut window, "the runs", |window| has_part(window, "stopped") || has_part(window, "Stopped"));
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::R);
    until_label(&mut window, "Write a report");
    until_part(&mut window, "Not finished, and said so at the top");
    write(&mut window, "File", &world.folder.path().join("told/for the board").display().to_string());
    click(&mut window, "Write");
    until_label(&mut window, "The report was written");
    let written = world.folder.path().join("told/for the board.html");
    let html = fs::read_to_string(&written).unwrap();
    assert!(html.contains("<h1>Synthetic drift demo</h1>"));
    assert!(html.contains(&open.config().run) && html.contains("Not finished, and shown only as far as measured"));
    for section in ["The answer", "Figures", "All lines side by side", "What could be chance", "Methods", "Settings"] {
        assert!(html.contains(&format!("<h2>{section}</h2>")), "{section}");
    }
    assert!(html.contains("L(t) = CE(t) + λ Σ D(v(t), v(t−1))"), "PESO's formula");
    click(&mut window, "Open folder");
    until(&mut window, "the file manager", |_| !world.dialogs.shown.lock().unwrap().is_empty());
    assert_eq!(*world.dialogs.shown.lock().unwrap(), [written.parent().unwrap()]);
}
