//! A trained project is packed, opened elsewhere, asked about a history, and looked at as a bundle of results.

use std::ops::ControlFlow;

use eframe::egui::accesskit::Role;
use eframe::egui::{Key, Modifiers, Theme};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::pack::{self, Contents, ReadOnlyOptions};

use crate::fixture::TINY;
use crate::world::{World, click, has, has_part, until_label, until_part};

const READ_ONLY: &str = "Read-only: results without data and models, nothing of which can be changed or trained";

#[test]
fn a_project_goes_from_window_to_window_and_answers_a_typed_history() {
    let world = World::with_real_workers();
    let home = world.folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    let file = home.join("project.ron");
    std::fs::write(&file, TINY).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "0 of 2 finished");
    click(&mut window, "Run all");
    until_part(&mut window, "2 of 2 finished");
    click(&mut window, "File");
    click(&mut window, "Pack…");
    until_part(&mut window, "before it is compressed");
    click(&mut window, "Pack");
    until_part(&mut window, "Written: ");
    click(&mut window, "Close");
    let zip = world.folder.path().join("home.zip");
    assert!(zip.is_file());
    // The next zip has a name of its own, and one that is there is not replaced without a word.
    click(&mut window, "File");
    click(&mut window, "Pack…");
    until_part(&mut window, "before it is compressed");
    let field = |window: &Harness<'_, Workbench>| window.get_by_role_and_label(Role::TextInput, "File").value();
    assert!(field(&window).is_some_and(|path| path.ends_with("home-2.zip")));
    assert!(!has_part(&window, "it is replaced") && has(&window, "Pack"));
    window.get_by_role_and_label(Role::TextInput, "File").focus();
    window.run();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.get_by_role_and_label(Role::TextInput, "File").type_text(&zip.display().to_string());
    until_part(&mut window, "There is a file of this name already; it is replaced");
    assert!(has(&window, "Replace") && !has(&window, "Pack"));
    drop(window);

    // The suggested folder is a new one beside the zip: the first is taken.
    let mut window = world.window(Theme::Light, Some(&zip));
    until_label(&mut window, "Open a packed project");
    until_part(&mut window, "Packed ");
    click(&mut window, "Unpack and open");
    until_part(&mut window, "2 of 2 finished");
    assert!(world.folder.path().join("home-2/project.ron").is_file());

    click(&mut window, "Users");
    until_label(&mut window, "Own history");
    click(&mut window, "Own history");
    until_label(&mut window, "Search items");
    window.get_by_label("Search items").focus();
    window.run();
    window.get_by_label("Search items").type_text("1");
    window.run();
    window.key_press(Key::Enter);
    window.run();
    until_label(&mut window, "Recommend");
    assert!(window.query_all_by_label_contains("Remove ").count() == 1, "the best match was added");
    click(&mut window, "Recommend");
    until_part(&mut window, "Left since the stage before");
    for run in ["Pulled", "Free"] {
        assert!(window.query_all_by_label_contains(run).count() > 0, "{run}");
    }

    // Pinned, the answers are on the board, which asks nobody again.
    click(&mut window, "Pin");
    until_part(&mut window, "Pinned");
    click(&mut window, "Board");
    until_part(&mut window, "Recommendations to a history, after stage");
}

#[test]
fn a_bundle_of_results_says_what_it_is_and_offers_no_change() {
    let world = World::with_real_workers();
    let home = world.folder.path().join("home");
    std::fs::create_dir(&home).unwrap();
    std::fs::write(home.join("project.ron"), TINY).unwrap();
    let trained = std::process::Command::new(env!("CARGO_BIN_EXE_peso"))
        .args(["run", ".", "--device", "cpu"])
        .current_dir(&home)
        .output()
        .unwrap();
    assert!(trained.status.success());
    let zip = world.folder.path().join("results.zip");
    let contents = Contents::read_only(&home, ReadOnlyOptions::default()).unwrap();
    pack::pack(&contents, &zip, &mut |_| ControlFlow::Continue(())).unwrap();
    let bundle = world.folder.path().join("bundle");
    let file = pack::unpack(&zip, &bundle, &mut |_| ControlFlow::Continue(())).unwrap();
    let mut window = world.window(Theme::Dark, Some(&file));
    until_part(&mut window, "2 of 2 finished");
    until_label(&mut window, READ_ONLY);
    for command in ["Run all", "Stop"] {
        assert!(window.get_by_label(command).accesskit_node().is_disabled(), "{command}");
    }
    window.key_press(Key::F5);
    until_label(&mut window, &format!("Run all: {READ_ONLY}"));
    click(&mut window, "Compare");
    until_part(&mut window, "of Pulled, Free, Co-occurrence, Popularity");
    click(&mut window, "Users");
    until_part(&mut window, "User P");
    assert!(window.get_by_label("Own history").accesskit_node().is_disabled());
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("read_only: true"), "nothing was saved over it");
}

#[test]
fn a_project_that_reads_elsewhere_waits_until_its_user_has_seen_what() {
    let world = World::new();
    let (home, data) = (world.folder.path().join("home"), world.folder.path().join("elsewhere.csv"));
    std::fs::create_dir(&home).unwrap();
    let rows: String = (0..40).map(|row| format!("u{},i{},{row}\n", row % 5, row % 8)).collect();
    std::fs::write(&data, format!("user,item,time\n{rows}")).unwrap();
    let file = home.join("project.ron");
    let text = format!(
        "(format: 1, name: \"From afar\", dataset: Table(path: {data:?}, columns: (user: \"user\", item: \"item\", time: \"time\")), \
         base_model: Compact(), experiments: [(name: \"Single\", method: Single)])"
    );
    std::fs::write(&file, &text).unwrap();
    let question = "The project reads files outside its folder";

    // Refused: nothing is open, and it is asked again.
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, question);
    let place = std::fs::canonicalize(&data).unwrap();
    assert!(has(&window, place.to_str().unwrap()) && has(&window, "Named by `dataset`"));
    click(&mut window, "Cancel");
    window.run();
    assert!(!has(&window, question) && !has(&window, "Run all"));
    drop(window);

    let mut window = world.window(Theme::Dark, Some(&file));
    until_label(&mut window, question);
    click(&mut window, "Read them and open");
    until_part(&mut window, "0 of 1 finished");
    drop(window);

    // Known, until it names another place.
    std::fs::create_dir(world.folder.path().join("model")).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "0 of 1 finished");
    assert!(!has(&window, question));
    drop(window);
    std::fs::write(&file, text.replace("base_model: Compact()", "base_model: HuggingFace(\"../model\")")).unwrap();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, question);
    assert!(has(&window, "Named by `base_model`"));
}
