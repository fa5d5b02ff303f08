//! Room: charts give up words for their picture, views are maximised, folded and arranged, and nothing lies outside.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, Vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use peso_workbench::app::Workbench;
use peso_workbench::plot::{Axis, Body, Chart, Highlight, Lines, Point, Series, SeriesStyle, screen};

use crate::looks::THEMES;
use crate::moved::with_adapters;
use crate::world::{World, click, has, until, until_label, until_part};

/// A chart of this many lines with every word around it.
fn chart(lines: usize) -> Chart {
    let line = |slot: usize| Series {
        name: format!("Line {slot} of many"),
        points: (0..5).map(|x| Point::new(f64::from(x), f64::from(x) * slot as f64)).collect(),
        style: SeriesStyle::method(slot),
    };
    let y = Axis { unit: Some("radians".to_owned()), ..Axis::new("Grassmann distance") };
    let lines = Lines { x: Axis::whole("Stage"), y, series: (0..lines).map(line).collect(), boundaries: Vec::new() };
    let mut chart = Chart::new("What changed", Body::Lines(lines));
    chart.subtitle = Some("By stage".to_owned());
    chart.caption = Some("Three seeds. ".repeat(30));
    chart
}

struct Shown {
    chart: Arc<Chart>,
    size: Vec2,
    highlight: Highlight,
    seen: Arc<Chart>,
}

fn shown(lines: usize, size: Vec2) -> Harness<'static, Shown> {
    let chart = Arc::new(chart(lines));
    let shown = Shown { seen: Arc::clone(&chart), chart, size, highlight: Highlight::default() };
    Harness::builder().with_size(size + Vec2::splat(20.0)).build_ui_state(
        |ui, shown: &mut Shown| {
            screen::show_highlighted(ui, &shown.chart, "chart", shown.size, &mut shown.highlight);
            shown.seen = screen::as_seen(ui.ctx(), &shown.chart);
        },
        shown,
    )
}

#[test]
fn a_chart_gives_up_caption_legend_and_subtitle_before_its_plot() {
    for (lines, size) in [(9, [420.0, 400.0]), (25, [900.0, 260.0]), (12, [500.0, 500.0])] {
        let mut window = shown(lines, size.into());
        window.run();
        let plot = window.get_by_label_contains("What changed").rect();
        // The axes take their share of the 60 %; a row of the legend is always there.
        assert!(plot.height() >= 0.45 * size[1], "{plot:?} of {size:?} with {lines} lines");
    }
    let mut window = shown(25, [900.0, 260.0].into());
    window.run();
    assert_eq!(window.query_all_by_label_contains(" more: ").count(), 1, "what has no room is counted");
}

#[test]
fn a_click_on_a_legend_entry_hides_its_line_here_and_in_what_is_exported() {
    let mut window = shown(3, [700.0, 400.0].into());
    window.run();
    window.get_by_label("Show the line of Line 1 of many").click();
    window.run();
    assert_eq!(window.state().highlight.hidden, BTreeSet::from(["Line 1 of many".to_owned()]));
    let names = |chart: &Chart| match &chart.body {
        Body::Lines(lines) => lines.series.iter().map(|series| series.name.clone()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(names(&window.state().seen), ["Line 0 of many", "Line 2 of many"]);
    window.get_by_label("Show the line of Line 1 of many").click();
    window.run();
    assert_eq!(names(&window.state().seen), names(&window.state().chart));
}

/// Every view, as it stands in the menu.
const VIEWS: [&str; 10] =
    ["Experiments", "Runs", "Live", "Compare", "Subspace", "Drift", "Users", "Data", "Model", "Log"];

/// Pictures of every view to be looked at, in the folder that `PESO_PICTURES` names.
#[test]
#[ignore = "writes pictures for people; nothing is compared"]
fn pictures_of_every_view() {
    let folder = PathBuf::from(std::env::var_os("PESO_PICTURES").expect("PESO_PICTURES names a folder"));
    std::fs::create_dir_all(&folder).unwrap();
    for theme in THEMES {
        let world = World::new();
        let file = with_adapters(&world);
        let mut window = world.window(theme, Some(&file));
        until_part(&mut window, "2 of 4 finished");
        for size in [[1024.0, 700.0], [1280.0, 800.0], [2560.0, 1440.0]] {
            window.set_size(size.into());
            for view in VIEWS {
                click(&mut window, view);
                until(&mut window, "what is computed", |window| {
                    window.query_all_by_role(Role::ProgressIndicator).next().is_none()
                });
                window.run_ok();
                let name = format!("{view}_{theme:?}_{}x{}.png", size[0], size[1]).to_lowercase();
                window.render().unwrap().save(folder.join(name)).unwrap();
            }
        }
    }
}

#[test]
fn a_view_is_maximised_and_given_back_by_its_tab_its_key_and_escape() {
    let world = World::new();
    let file = with_adapters(&world);
    let mut window = world.window(THEMES[0], Some(&file));
    until_part(&mut window, "2 of 4 finished");
    let maximised = |window: &Harness<'_, Workbench>| has(window, "Restore Compare");
    click(&mut window, "Compare");
    assert!(has(&window, "Filter runs") && !maximised(&window));
    window.key_press(Key::F11);
    window.run_ok();
    assert!(maximised(&window) && !has(&window, "Filter runs"), "one view has all the room");
    window.key_press(Key::Escape);
    window.run_ok();
    assert!(has(&window, "Filter runs") && !maximised(&window));
    click(&mut window, "Maximise Compare");
    assert!(maximised(&window));
    window.key_press_modifiers(Modifiers::COMMAND, Key::PageDown);
    window.run_ok();
    assert!(has(&window, "Restore Subspace"), "the next tab has the room then");
    window.key_press(Key::F11);
    window.run_ok();
    click(&mut window, "Fold Subspace");
    assert!(has(&window, "Filter runs") && !has(&window, "Maximise Subspace"));
    click(&mut window, "Drift");
    assert!(has(&window, "Maximise Drift"), "a folded group comes back with the view that is clicked");
}

#[test]
fn a_layout_is_kept_by_a_name_chosen_and_deleted() {
    let world = World::new();
    let file = with_adapters(&world);
    let mut window = world.window(THEMES[0], Some(&file));
    until_part(&mut window, "2 of 4 finished");
    click(&mut window, "View");
    click(&mut window, "Layout to present");
    assert!(!has(&window, "Filter runs"), "one view at a time");
    click(&mut window, "View");
    click(&mut window, "Named layouts");
    until_label(&mut window, "Name of the layout");
    window.get_by_label("Name of the layout").focus();
    window.step();
    window.get_by_label("Name of the layout").type_text("Talk");
    window.step();
    click(&mut window, "Save layout");
    until_label(&mut window, "Delete layout Talk");
    window.key_press(Key::Escape);
    window.run_ok();
    click(&mut window, "View");
    click(&mut window, "Layout to explore");
    assert!(has(&window, "Filter runs"));
    click(&mut window, "View");
    click(&mut window, "Named layouts");
    click(&mut window, "Talk");
    assert!(!has(&window, "Filter runs"));
    let settings = world.folder.path().join("configuration/settings.ron");
    until(&mut window, "the settings", |_| std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("Talk")));
    click(&mut window, "View");
    click(&mut window, "Layout to explore");
    assert!(has(&window, "Filter runs"));
    // The palette knows it too.
    window.key_press_modifiers(Modifiers::COMMAND | Modifiers::SHIFT, Key::P);
    window.run_ok();
    window.get_by_role_and_label(Role::TextInput, "Type a command").type_text("talk");
    window.run_ok();
    window.key_press(Key::Enter);
    window.run_ok();
    assert!(!has(&window, "Filter runs"));
    click(&mut window, "View");
    click(&mut window, "Named layouts");
    click(&mut window, "Delete layout Talk");
    until(&mut window, "the settings", |_| std::fs::read_to_string(&settings).is_ok_and(|text| !text.contains("Talk")));
}

#[test]
fn what_the_bar_has_no_room_for_is_in_its_menu() {
    let world = World::new();
    let file = with_adapters(&world);
    let mut window = world.window(THEMES[0], Some(&file));
    until_part(&mut window, "2 of 4 finished");
    // 1024 x 700 as it is and at 150 %.
    for size in [[1024.0, 700.0], [683.0, 467.0]] {
        window.set_size(size.into());
        window.run_ok();
        let pill = window.query_all_by_label("Synthetic data").map(|node| node.rect()).find(|at| at.top() < 40.0);
        let pill = pill.expect("what is generated is marked at any size");
        assert!(pill.right() <= size[0]);
        if has(&window, "More commands") {
            click(&mut window, "More commands");
        }
        for button in ["Run all", "Resume", "Stop"] {
            let at = window.get_by_role_and_label(Role::Button, button).rect();
            assert!(
                at.left() >= 0.0 && at.right() <= size[0] && !at.intersects(pill),
                "{button} at {at:?} in {size:?}"
            );
        }
        window.key_press(Key::Escape);
        window.run_ok();
    }
}

#[test]
fn the_window_opens_the_project_that_was_open_last() {
    let world = World::new();
    let file = with_adapters(&world);
    let mut window = world.window(THEMES[0], Some(&file));
    until_part(&mut window, "2 of 4 finished");
    let settings = world.folder.path().join("configuration/settings.ron");
    until(&mut window, "the settings", |_| std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("last")));
    drop(window);
    let mut window = world.window(THEMES[0], None);
    until_part(&mut window, "2 of 4 finished");
    window.key_press_modifiers(Modifiers::COMMAND, Key::W);
    until(&mut window, "the settings", |_| {
        std::fs::read_to_string(&settings).is_ok_and(|text| text.contains("last: None"))
    });
    drop(window);
    let mut window = world.window(THEMES[0], None);
    window.run_ok();
    assert!(has(&window, "Recent projects"), "what was closed stays closed");
}

#[test]
fn whatever_can_be_used_has_a_name_in_every_view() {
    let world = World::new();
    let file = with_adapters(&world);
    let mut window = world.window(THEMES[0], Some(&file));
    until_part(&mut window, "2 of 4 finished");
    let mut nameless = BTreeSet::new();
    for view in VIEWS {
        click(&mut window, view);
        window.run_ok();
        for node in window.root().children_recursive() {
            let accesskit = node.accesskit_node();
            let used = [
                Role::Button,
                Role::CheckBox,
                Role::RadioButton,
                Role::ComboBox,
                Role::TextInput,
                Role::MultilineTextInput,
                Role::SpinButton,
                Role::Slider,
                Role::Link,
            ];
            let name = accesskit.label().unwrap_or_default();
            if used.contains(&accesskit.role()) && !name.chars().any(char::is_alphanumeric) {
                nameless.insert(format!("{view}: {:?} {name:?} with {:?}", accesskit.role(), accesskit.value()));
            }
        }
    }
    assert!(nameless.is_empty(), "{nameless:#?}");
}

#[test]
fn nothing_moves_when_an_option_is_changed() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(THEMES[0], Some(&file));
    window.set_size([1280.0, 2600.0].into());
    let field = |window: &Harness<'_, Workbench>| {
        window.query_all_by_role_and_label(Role::SpinButton, "Temperature").next().map(|field| field.rect().min)
    };
    until(&mut window, "the form", |window| field(window).is_some());
    window.run_ok();
    let before = field(&window);
    window.query_all_by_role_and_label(Role::SpinButton, "Temperature").next().unwrap().focus();
    window.step();
    window.step();
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.step();
    window.event(Event::Text("3".to_owned()));
    window.step();
    window.key_press(Key::Enter);
    until_label(&mut window, "1 option changed from the defaults");
    window.run_ok();
    assert_eq!(field(&window), before);
}
