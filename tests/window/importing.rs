//! Data come into the window: a new project for a CSV, columns, preparation, broken lines, and generated data.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers, Theme};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotResults};
use peso_workbench::app::Workbench;
use peso_workbench::app::dialogs::desktop::FileDialog;
use peso_workbench::data::formats::reading::{Ids, Reading, TimesAs};
use peso_workbench::data::synthetic::Onset;
use peso_workbench::data::{DatasetSource, StageCuts};
use peso_workbench::project::Project;

use crate::snapshot::{Part, picture, text};
use crate::world::{World, click, has, has_part, load, until, until_label, until_part};

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/data").join(path)
}

/// Ratings under names that say nothing to a program, with two lines that cannot be read.
fn odd_csv(folder: &Path) -> PathBuf {
    let ratings = fs::read_to_string(fixture("table/headless.csv")).unwrap();
    let mut lines: Vec<String> = vec!["who,what,stars given,moment".to_owned()];
    lines.extend(ratings.lines().map(str::to_owned));
    lines.insert(7, "40,,2,880010800".to_owned());
    lines.insert(20, "40,21,2,yesterday".to_owned());
    let path = folder.join("web_shop.csv");
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    path
}

/// Moves a widget of this role and label into view and clicks it.
#[track_caller]
fn reach(window: &mut Harness<'_, Workbench>, role: Role, label: &str) {
    let there = |window: &Harness<'_, Workbench>| {
        window.query_all_by_label(label).any(|node| node.accesskit_node().role() == role)
    };
    until(window, label, there);
    let node = |window: &Harness<'_, Workbench>, act: &dyn Fn(&egui_kittest::Node<'_>)| {
        window
            .query_all_by_label(label)
            .filter(|node| node.accesskit_node().role() == role)
            .take(1)
            .for_each(|node| act(&node));
    };
    node(window, &|node| node.scroll_to_me());
    (0..20).for_each(|_| window.step());
    node(window, &|node| node.click());
    window.step();
    window.step();
}

/// Chooses from a list.
#[track_caller]
fn choose(window: &mut Harness<'_, Workbench>, combo: &str, option: &str) {
    reach(window, Role::ComboBox, combo);
    click(window, option);
    window.step();
}

/// What the window holds, saved and read back.
fn saved(window: &mut Harness<'_, Workbench>, file: &Path) -> Project {
    window.key_press_modifiers(Modifiers::COMMAND, Key::S);
    window.step();
    until(window, "the project to be saved", |window| !has(window, "Unsaved changes"));
    load(file)
}

#[test]
fn a_csv_becomes_a_project_with_prepared_stages_and_its_broken_lines_are_seen() {
    let world = World::new();
    let data = odd_csv(world.folder.path());
    let mut window = world.window(Theme::Light, None);
    window.set_size([1280.0, 1500.0].into());
    window.step();
    world.dialogs.answers.lock().unwrap().push(data.clone());
    click(&mut window, "New from data…");
    click(&mut window, "File…");
    until(&mut window, "a name of the data", |window| {
        window.query_all_by_role(Role::TextInput).any(|field| field.value().as_deref() == Some("Web shop"))
    });
    click(&mut window, "Create and open");
    // The new project is open at its source.
    until_label(&mut window, "First rows");
    let file = world.folder.path().join("documents/web-shop/project.ron");
    assert!(file.is_file());
    assert_eq!(*world.dialogs.asked.lock().unwrap(), [FileDialog::DataFile]);
    until_part(&mut window, "Times are seconds; in these rows 1997-11-20 …");
    for role in ["User", "Item", "Time"] {
        assert!(has(&window, role), "{role}");
    }
    let called = |window: &Harness<'_, Workbench>| window.query_all_by_label("Rating").count();
    let before = called(&window);
    choose(&mut window, "Rating", "stars given");
    until(&mut window, "the column to be marked", |window| called(window) > before);

    // The preparation's counts follow its form.
    until_label(&mut window, "k-core");
    until_part(&mut window, "The core took ");
    until_label(&mut window, "Read");
    assert!(has(&window, "81"), "interactions that were read");

    // Lines that could not be read, by problem; one of them in its file.
    until_label(&mut window, "2 lines were skipped");
    until_part(&mut window, "1 line · The item is missing");
    reach(&mut window, Role::Button, "web_shop.csv, line 8");
    until_part(&mut window, "▶  8  40,,2,880010800");
    assert!(has_part(&window, "  7  "), "the line before it");

    let project = saved(&mut window, &file);
    let DatasetSource::Table(table) = &project.dataset else { panic!("{:?}", project.dataset) };
    assert_eq!((table.columns.user.as_str(), table.columns.item.as_str()), ("who", "what"));
    assert_eq!((table.columns.time.as_deref(), table.columns.rating.as_deref()), (Some("moment"), Some("stars given")));
    // Stages are there.
    click(&mut window, "Overview");
    until_part(&mut window, "Darker: users of no stage before");
}

#[test]
fn another_format_a_file_that_is_no_data_and_undo() {
    let world = World::new();
    let file = world.demo();
    fs::create_dir(file.with_file_name("data")).unwrap();
    for name in ["tiny.inter", "tiny.item"] {
        fs::copy(fixture("recbole").join(name), file.with_file_name("data").join(name)).unwrap();
    }
    let mut window = world.window(Theme::Dark, Some(&file));
    window.set_size([1280.0, 1500.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Data");
    click(&mut window, "Source");
    click(&mut window, "Files");
    // A typed path, relative to the project.
    window.get_by_role_and_label(Role::TextInput, "Path").focus();
    window.step();
    window.get_by_role_and_label(Role::TextInput, "Path").type_text("data");
    window.step();
    window.key_press(Key::Enter);
    until_label(&mut window, "RecBole: The names of the columns have types, like user_id:token");
    until_part(&mut window, "Files: tiny.inter (interactions, ");
    assert!(has_part(&window, "tiny.item (items, "));
    let project = saved(&mut window, &file);
    assert_eq!(project.dataset.path(), Some(Path::new("data/tiny.inter")), "relative, since it lies inside");

    // Another format that the file is not.
    choose(&mut window, "Format", "Yelp");
    until_part(&mut window, "it looks like RecBole");
    click(&mut window, "Leave the data as they are");
    // As a table the columns are to be chosen.
    choose(&mut window, "Format", "Table (CSV, TSV, Parquet, JSON)");
    until_label(&mut window, "Columns");
    choose(&mut window, "User", "item_id:token");
    until(&mut window, "both parts on one column", |window| has(window, "User, item"));
    // Steps back: the column, the format, the path.
    for _ in 0..3 {
        window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
        window.step();
    }
    until_label(&mut window, "Onset");

    // What is dropped is looked at; what is no data says so.
    let text = world.folder.path().join("notes.md");
    fs::write(&text, "# Nothing here\n\nbut words\n").unwrap();
    window.input_mut().dropped_files = vec![Arc::new(Dropped(text))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_part(&mut window, "The format is not known");
    click(&mut window, "Leave the data as they are");
}

/// A file that was let go over the window.
#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("the window reads data by their path".to_owned())
    }
}

#[test]
fn data_without_times_are_cut_by_order_and_the_core_can_be_changed() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1500.0].into());
    until_label(&mut window, "Synthetic drift demo");
    window.input_mut().dropped_files = vec![Arc::new(Dropped(fixture("lc_rec")))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_label(&mut window, "LC-Rec / LETTER: Each user has a list of items");
    until_label(&mut window, "There are no times: stages are cut from each user's own order");
    until_part(&mut window, "The core took ");
    reach(&mut window, Role::SpinButton, "k-core");
    window.event(egui::Event::Text("1".to_owned()));
    window.step();
    window.key_press(Key::Enter);
    until_part(&mut window, "There is no core to find");
    choose(&mut window, "Tests", "Next block");
    let project = saved(&mut window, &file);
    let prepare = project.dataset.prepare().unwrap();
    assert!(matches!(prepare.stages, StageCuts::ByOrder { .. }));
    assert_eq!((prepare.core, project.evaluation.protocol.each().len()), (1, 1));
}

#[test]
fn generated_data_have_a_form() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1200.0].into());
    until_label(&mut window, "Synthetic drift demo");
    click(&mut window, "Data");
    click(&mut window, "Source");
    choose(&mut window, "Onset", "Abrupt");
    until_label(&mut window, "Stage before which preferences turn");
    let DatasetSource::Synthetic(options) = saved(&mut window, &file).dataset else { panic!("not generated") };
    assert_eq!(options.onset, Onset::Abrupt(3));
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    until(&mut window, "the gradual onset", |window| !has(window, "Stage before which preferences turn"));
}

#[test]
fn a_file_of_broken_lines_shows_the_first_of_them() {
    let world = World::new();
    let file = world.demo();
    let broken: String =
        (0..40).map(|line| format!("{line},x,{}\n", if line < 12 { "1400000000" } else { "soon" })).collect();
    let path = world.folder.path().join("broken.csv");
    fs::write(&path, format!("user_id,item_id,timestamp\n{broken}")).unwrap();
    let mut window = world.window(Theme::Dark, Some(&file));
    window.set_size([1280.0, 1200.0].into());
    until_label(&mut window, "Synthetic drift demo");
    window.input_mut().dropped_files = vec![Arc::new(Dropped(path))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_part(&mut window, "28 of 40 records cannot be read");
    reach(&mut window, Role::Button, "Show line 14 of broken.csv");
    until_part(&mut window, "▶ 14  12,x,soon");
}

#[test]
fn dates_that_nothing_tells_apart_are_asked_for_and_the_answer_is_kept() {
    let world = World::new();
    let file = world.demo();
    let month = |at: usize| at * 7 % 12 + 1;
    let rows: String =
        (0..70).map(|at| format!("{},{},{:02}/{:02}/2014\n", at % 5, at % 7, month(at), month(at + 5))).collect();
    let path = file.with_file_name("visits.csv");
    fs::write(&path, format!("user_id,item_id,timestamp\nNULL,1,01/01/2014\n{rows}")).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1300.0].into());
    until_label(&mut window, "Synthetic drift demo");
    window.input_mut().dropped_files = vec![Arc::new(Dropped(path))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_part(&mut window, "may have the day or the month first, like `01/");
    choose(&mut window, "Times", "Dates with the day first");
    until_part(&mut window, "Times are dates with the day first, as the project says: 2014-01-");
    until_part(&mut window, "1 line · The user is missing (NULL)");
    choose(&mut window, "Ids", "As written");
    until_label(&mut window, "Every line was read");
    let reading = saved(&mut window, &file).dataset.reading().unwrap();
    assert_eq!(reading, Reading { times: Some(TimesAs::DayFirst), ids: Ids::AsWritten, ..Reading::default() });
}

#[test]
fn kinds_of_events_are_ticked() {
    let world = World::new();
    let file = world.demo();
    fs::copy(fixture("retailrocket/events.csv"), file.with_file_name("events.csv")).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1300.0].into());
    until_label(&mut window, "Synthetic drift demo");
    window.input_mut().dropped_files = vec![Arc::new(Dropped(file.with_file_name("events.csv")))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_label(&mut window, "Events that count as interactions");
    reach(&mut window, Role::CheckBox, "view (an item was looked at)");
    let events = |project: Project| project.dataset.import().unwrap().events.clone();
    let bought = ["addtocart", "transaction"].map(str::to_owned);
    assert_eq!(events(saved(&mut window, &file)), Some(bought.into()));
    // All of them are the usual ones, which a project does not name.
    reach(&mut window, Role::CheckBox, "view (an item was looked at)");
    assert_eq!(events(saved(&mut window, &file)), None);
}

#[test]
fn files_that_are_read_together_can_be_the_stages() {
    let world = World::new();
    let file = world.demo();
    let ratings = fs::read_to_string(fixture("recbole/tiny.inter")).unwrap();
    let (header, rows) = ratings.split_once('\n').unwrap();
    let rows: Vec<&str> = rows.lines().collect();
    let folder = file.with_file_name("parts");
    fs::create_dir(&folder).unwrap();
    for (part, rows) in rows.chunks(rows.len().div_ceil(2)).enumerate() {
        fs::write(folder.join(format!("tiny.part{part}.inter")), format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    }
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1280.0, 1300.0].into());
    until_label(&mut window, "Synthetic drift demo");
    window.input_mut().dropped_files = vec![Arc::new(Dropped(folder))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_part(&mut window, "The core took ");
    click(&mut window, "Timeline");
    until_label(&mut window, "A stage a file");
    click(&mut window, "A stage a file");
    until_part(&mut window, "Each file that was read is a stage");
    assert!(!has(&window, "A stage a file"));
    assert_eq!(saved(&mut window, &file).dataset.prepare().unwrap().stages, StageCuts::Files);
}

#[test]
fn source_tab() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let file = world.demo();
    fs::copy(odd_csv(world.folder.path()), file.with_file_name("web_shop.csv")).unwrap();
    let mut window = world.window(Theme::Dark, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    window.input_mut().dropped_files = vec![Arc::new(Dropped(file.with_file_name("web_shop.csv")))];
    window.step();
    window.input_mut().dropped_files.clear();
    until_part(&mut window, "The core took ");
    window.set_size([1280.0, 1300.0].into());
    reach(&mut window, Role::Button, "web_shop.csv, line 8");
    until_part(&mut window, "▶  8");
    picture(&mut pictures, &mut window, "source", Theme::Dark, Part::View);
    text(&mut window, "source", Part::View);
}
