//! What moved: drift, single users and subspaces, as they are used and what they look like.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use eframe::egui;
use egui::accesskit::{Role, Toggled};
use egui::{Key, Theme};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotResults};
use peso_workbench::app::Workbench;
use peso_workbench::run::{RunMethod, Status};

use crate::fixture::{self, Come};
use crate::looks::THEMES;
use crate::snapshot::{Part, picture, text};
use crate::world::{World, choose, click, has, has_part, load, until, until_label, until_part};
use crate::{analyses, comparing};

/// The demo with two finished methods with adapters, and a non-learned baseline.
pub fn with_adapters(world: &World) -> PathBuf {
    let file = world.demo();
    let project = load(&file);
    let runs = project.runs_dir(None);
    for (place, level) in [(0, 0.081), (1, 0.072)] {
        let run = fixture::write(&runs, &fixture::planned(&project, place), level, Come::FINISHED);
        fixture::adapters(&run, 3, 24);
        if place == 0 {
            analyses::retention(&run);
            let written = ["self_attn.o_proj", "mlp.down_proj"];
            let modules = (0..3).flat_map(|layer| written.map(|name| format!("model.layers.{layer}.{name}")));
            modules.for_each(|module| analyses::meaning(&run, &module));
        }
    }
    let counted = fixture::config(&project, "Popularity", RunMethod::Popularity, 42);
    fixture::write(&runs, &counted, 0.031, Come::FINISHED);
    file
}

/// A window on it that shows a view.
fn opened(world: &World, theme: Theme, view: &str) -> Harness<'static, Workbench> {
    let file = with_adapters(world);
    let mut window = world.window(theme, Some(&file));
    until_part(&mut window, "2 of 4 finished");
    click(&mut window, view);
    window
}

#[test]
fn drift_has_data_and_predictions_on_one_axis_and_says_who_is_affected() {
    let world = World::new();
    let mut window = opened(&world, Theme::Light, "Drift");
    until_part(&mut window, "of PESO, Single evolving LoRA, Popularity, Data: items by popularity");
    click(&mut window, "Data drift");
    until(&mut window, "the data's lines to go", |window| !has_part(window, "Data: items"));
    click(&mut window, "Adapter moves");
    until_part(&mut window, "PESO: move of ΔW");
    choose(&mut window, "Measure", "New items of the top 10");
    click(&mut window, "Who is affected");
    until_part(&mut window, "User new");
    assert!(has_part(&window, "Who is affected: PESO"));
    choose(&mut window, "Run", "Single evolving LoRA");
    until_part(&mut window, "Who is affected: Single evolving LoRA");
}

#[test]
fn a_user_is_found_and_what_changed_is_said() {
    let world = World::new();
    let mut window = opened(&world, Theme::Dark, "Users");
    until_label(&mut window, "100 of 100 users");
    // The user whose list changed most stands first and is shown.
    assert!(has(&window, "Left since the last stage") && has(&window, "Went for"));
    choose(&mut window, "Slice", "Cold");
    until_label(&mut window, "25 of 100 users");
    let before = window.query_all_by_label_contains("User ").count();
    window.get_by_role_and_label(Role::TextInput, "Filter users").focus();
    window.step();
    window.get_by_role_and_label(Role::TextInput, "Filter users").type_text("no such user");
    until_label(&mut window, "No user fits filter and slice");
    assert!(before > 1);
    click(&mut window, "Stage 1");
    until(&mut window, "no earlier model", |window| !has(window, "Left since the last stage"));
}

#[test]
fn subspaces_are_shown_tab_by_tab_and_side_by_side() {
    let world = World::new();
    let mut window = opened(&world, Theme::Light, "Subspace");
    until_part(&mut window, "Direction river");
    choose(&mut window, "Beside", "Single evolving LoRA");
    until(&mut window, "two rivers", |window| window.query_all_by_label_contains("Direction river").count() == 2);
    click(&mut window, "Drift map");
    until_part(&mut window, "of PESO, stage 5, Single evolving LoRA, stage 5");
    choose(&mut window, "Beside", "Stage 3");
    until_part(&mut window, "of PESO, stage 5, PESO, stage 3");
    click(&mut window, "Spectra");
    until_part(&mut window, "Singular value by Direction");
    click(&mut window, "Angles");
    until_part(&mut window, "stage 4 to 5");
    choose(&mut window, "Against", "Stage 1");
    until_part(&mut window, "stage 1 to 5");
    click(&mut window, "Distances");
    until_part(&mut window, "Grassmann distance by Stage of PESO, Single evolving LoRA");
}

/// The bars of a river are reached by the pointer alone; what their click does, choosing stage and direction do too.
#[test]
fn a_click_on_a_bar_of_the_river_shows_what_it_means() {
    let world = World::new();
    let mut window = opened(&world, Theme::Light, "Subspace");
    until_part(&mut window, "Direction river");
    let river = window.query_all_by_label_contains("Direction river").next().unwrap().rect();
    let bar = (1..60_u8)
        .map(|step| river.min + egui::Vec2::new(river.width() - 18.0, 0.017 * f32::from(step) * river.height()));
    let second = { bar }.find(|at| {
        window.hover_at(*at);
        window.run();
        has(&window, "Stage 5, direction 2")
    });
    let second = second.expect("the second bar of the last stage");
    window.drag_at(second);
    window.step();
    window.drop_at(second);
    window.step();
    until_label(&mut window, "What it writes");
    let direction = window.get_by_role_and_label(Role::ComboBox, "Direction").accesskit_node().value();
    assert!(direction.is_some_and(|value| value.starts_with("2: 19 %")), "the second direction");
    click(&mut window, "River");
    until_part(&mut window, "Direction river");
}

#[test]
fn what_is_looked_at_is_shared_and_stays_while_stages_come() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let come = Come { stages: 3, status: Status::Running, reason: None };
    let run = fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.081, come);
    fixture::adapters(&run, 3, 24);
    let _worker = run.lock().unwrap();
    let later = world.folder.path().join("later");
    let adapters = run.adapter(4).parent().unwrap().to_owned();
    for stage in [4, 5] {
        fs::create_dir_all(&later).unwrap();
        fs::rename(run.adapter(stage), later.join(format!("stage_{stage}"))).unwrap();
    }
    let mut window = world.window(Theme::Light, Some(&file));
    click(&mut window, "Subspace");
    click(&mut window, "Drift map");
    until_part(&mut window, "Drift map: layer by module");
    choose(&mut window, "Stage", "2");
    let stage = |window: &Harness<'_, Workbench>| {
        window.query_by_role_and_label(Role::ComboBox, "Stage").and_then(|combo| combo.accesskit_node().value())
    };
    until(&mut window, "stage 2", |window| stage(window).as_deref() == Some("2"));
    click(&mut window, "Users");
    let selected = |window: &Harness<'_, Workbench>, label: &str| {
        window
            .query_by_role_and_label(Role::Button, label)
            .is_some_and(|node| node.accesskit_node().toggled() == Some(Toggled::True))
    };
    until(&mut window, "users of stage 2", |window| selected(window, "Stage 2"));
    let shown = |window: &Harness<'_, Workbench>| {
        let users =
            window.query_all_by_label_contains("User ").map(|node| node.accesskit_node().label().unwrap_or_default());
        users.filter(|label| selected(window, label)).collect::<Vec<_>>()
    };
    until(&mut window, "a user", |window| shown(window).len() == 1);
    let user = shown(&window);
    let mut writer = run.writer().unwrap();
    fs::rename(later.join("stage_4"), adapters.join("stage_4")).unwrap();
    fixture::write_stage(&mut writer, run.config(), 4, 0.081);
    writer.flush().unwrap();
    until_label(&mut window, "Stage 4");
    assert!(selected(&window, "Stage 2") && !selected(&window, "Stage 4"), "the stage that is read stays");
    assert_eq!(shown(&window), user);
    click(&mut window, "Subspace");
    until(&mut window, "stage 2 again", |window| stage(window).as_deref() == Some("2"));
    // What was measured before the stage came is shown until there is more, and leads no further.
    let newest = |window: &Harness<'_, Workbench>| {
        let button = window.query_by_role_and_label(Role::Button, "Newest");
        button.is_some_and(|button| !button.accesskit_node().is_disabled())
    };
    let start = Instant::now();
    while stage(&window).as_deref() != Some("4") {
        assert!(start.elapsed() < Duration::from_secs(60), "the newest stage is never offered");
        if newest(&window) {
            click(&mut window, "Newest");
        }
        window.step();
    }
}

#[test]
fn directions_and_weights_are_pictures_that_move_together() {
    let world = World::new();
    let mut window = opened(&world, Theme::Dark, "Subspace");
    click(&mut window, "Directions");
    until_part(&mut window, "Directions of PESO, Layer");
    choose(&mut window, "Beside", "Single evolving LoRA");
    until_part(&mut window, "Directions of Single evolving LoRA, Layer");
    click(&mut window, "ΔW");
    until_part(&mut window, "ΔW of Single evolving LoRA, stage 5");
    choose(&mut window, "Beside", "Stage 2");
    until_part(&mut window, "ΔW of PESO, stage 5 less stage 2");
}

#[test]
fn stages_play_and_are_chosen_with_keys() {
    let world = World::new();
    let mut window = opened(&world, Theme::Light, "Subspace");
    click(&mut window, "Directions");
    until_part(&mut window, "Directions of PESO, Layer");
    let shown = |window: &Harness<'_, Workbench>| {
        window.get_by_role_and_label(Role::Slider, "Stage shown").accesskit_node().numeric_value()
    };
    assert_eq!(shown(&window), Some(0.0), "all at once");
    click(&mut window, "Play");
    until_label(&mut window, "Pause");
    until(&mut window, "stage 3", |window| shown(window) == Some(3.0));
    click(&mut window, "Pause");
    until_label(&mut window, "Play");
    let paused = shown(&window);
    (0..20).for_each(|_| window.step());
    assert_eq!(shown(&window), paused, "it waits");
    click(&mut window, "Play");
    until(&mut window, "the last stage", |window| shown(window) == Some(5.0) && has(window, "Play"));
    window.get_by_role_and_label(Role::Slider, "Stage shown").focus();
    window.step();
    window.key_press(Key::ArrowLeft);
    until(&mut window, "the stage before", |window| shown(window) == Some(4.0));
}

/// The part of the window's picture that lies in a rectangle.
fn part(window: &mut Harness<'_, Workbench>, at: egui::Rect) -> Vec<u8> {
    let image = window.render().unwrap();
    let [left, top, right, bottom] = [at.min.x, at.min.y, at.max.x, at.max.y].map(|edge| edge as u32);
    let inside = |x: &u32, y: &u32| (left..right).contains(x) && (top..bottom).contains(y);
    let dots = image.enumerate_pixels().filter(|(x, y, _)| inside(x, y));
    dots.flat_map(|(_, _, dot)| dot.0).collect()
}

#[test]
fn what_is_pointed_at_on_one_side_stands_out_on_the_other() {
    let world = World::new();
    let mut window = opened(&world, Theme::Dark, "Subspace");
    window.set_size([1600.0, 1000.0].into());
    until_part(&mut window, "Direction river");
    choose(&mut window, "Beside", "Single evolving LoRA");
    until(&mut window, "two rivers", |window| window.query_all_by_label_contains("Direction river").count() == 2);
    for (tab, name) in [("River", "Direction river"), ("Directions", "Directions of")] {
        click(&mut window, tab);
        until(&mut window, "both sides", |window| window.query_all_by_label_contains(name).count() == 2);
        window.remove_cursor();
        window.run();
        let [one, other]: [egui::Rect; 2] =
            window.query_all_by_label_contains(name).map(|node| node.rect()).collect::<Vec<_>>().try_into().unwrap();
        // The tooltip on the left does not reach the middle of the right side.
        let middle = egui::Rect::from_center_size(other.center(), other.size() * egui::Vec2::new(0.3, 0.9));
        let before = part(&mut window, middle);
        // Bars of the last stage stand at the right edge of a river, and arrows begin in the middle.
        let x = if tab == "River" { one.left() + 0.92 * one.width() } else { one.center().x };
        let stands_out = (-10..=10_i8).map(|step| one.center().y + 0.04 * f32::from(step) * one.height()).any(|y| {
            window.hover_at(egui::Pos2::new(x, y));
            window.run();
            part(&mut window, middle) != before
        });
        assert!(stands_out, "{tab}");
    }
}

/// Pictures are drawn anew for a file, with their axes, legend and colour bar as text.
#[test]
fn pictures_are_exported_through_the_panel() {
    let world = World::new();
    let mut window = opened(&world, Theme::Light, "Subspace");
    let charts = world.folder.path().join("demo/charts");
    for (tab, shown, words) in [
        ("Directions", "Directions of PESO, Layer", ["Axis 1 (", "Stage 5", "squared length"]),
        ("ΔW", "ΔW of PESO, stage 5", ["Output", "Input", "entry of the update"]),
        ("Beside", "ΔW of Single evolving LoRA, stage 5", ["PESO, stage 5", "Single evolving LoRA, stage 5", "ΔW"]),
    ] {
        if tab == "Beside" {
            choose(&mut window, "Beside", "Single evolving LoRA");
        } else {
            click(&mut window, tab);
        }
        until_part(&mut window, shown);
        for (ending, format) in [("png", "PNG image"), ("svg", "SVG drawing"), ("pdf", "PDF")] {
            click(&mut window, "Export…");
            until_label(&mut window, "Export the chart");
            let file = charts.join(format!("{tab}.{ending}"));
            choose(&mut window, "Format", format);
            window.get_by_role_and_label(Role::TextInput, "File").focus();
            window.step();
            window.key_press_modifiers(egui::Modifiers::COMMAND, Key::A);
            window.step();
            window.get_by_role_and_label(Role::TextInput, "File").type_text(file.to_str().unwrap());
            window.step();
            click(&mut window, "Export");
            until(&mut window, "the file", |_| file.exists());
            until(&mut window, "the dialog to close", |window| !has(window, "Export the chart"));
            let bytes = std::fs::read(&file).unwrap();
            match ending {
                "png" => assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n"),
                "pdf" => assert_eq!(bytes[..5], *b"%PDF-"),
                _ => {
                    let text = String::from_utf8(bytes).unwrap();
                    assert!(words.iter().all(|word| text.contains(word)), "{words:?}");
                    assert_eq!(text.matches("data:image/png;base64").count(), if tab == "Beside" { 2 } else { 1 });
                    assert!(text.contains("Synthetic data"));
                }
            }
        }
    }
}

/// What stands in lists is written as tables, as every chart.
#[test]
fn recommendations_and_meanings_are_exported_as_tables() {
    let world = World::new();
    let mut window = opened(&world, Theme::Light, "Users");
    until_label(&mut window, "100 of 100 users");
    let charts = world.folder.path().join("demo/charts");
    let exported = |window: &mut Harness<'_, Workbench>, begins: &str| {
        click(window, "Export…");
        until_label(window, "Export the chart");
        choose(window, "Format", "CSV table");
        click(window, "Export");
        let written = || {
            let mut files = fs::read_dir(&charts).into_iter().flatten().flatten().map(|entry| entry.path());
            files.find(|file| file.file_name().is_some_and(|name| name.to_string_lossy().starts_with(begins)))
        };
        until(window, begins, |_| written().is_some());
        until(window, "the dialog to close", |window| !has(window, "Export the chart"));
        fs::read_to_string(written().unwrap()).unwrap()
    };
    let users = exported(&mut window, "recommendations-to-user-");
    assert!(users.starts_with("protocol,user,stage,Place,PESO,Single evolving LoRA,Popularity,note\n"), "{users}");
    assert!(
        users.lines().nth(1).is_some_and(|line| line.starts_with("same-block,u") && line.contains(",5,1,")),
        "{users}"
    );
    assert_eq!(users.lines().count(), 11, "ten places");
    assert!(users.contains("(new)"), "{users}");
    click(&mut window, "Subspace");
    click(&mut window, "Meaning");
    until_label(&mut window, "What it writes");
    let meaning = exported(&mut window, "meaning-of-direction-1-");
    let heading = "run,stage,module,direction,Side,Makes likelier,Score,Makes less likely,Score,Codes raised,Score";
    assert!(meaning.starts_with(heading), "{meaning}");
    let first = meaning.lines().nth(1).unwrap();
    assert!(first.contains(",writes,Velvet market adventure,0.94,Velvet orbit farming,-0.94,<c_0>,0.4,"), "{first}");
}

#[test]
fn drift_and_users_follow_the_protocol() {
    let world = World::new();
    let file = comparing::both_protocols(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    window.set_size([1600.0, 1000.0].into());
    until_part(&mut window, "3 of 4 finished");
    click(&mut window, "Drift");
    until_part(&mut window, "Drift by stage (Synthetic data)");
    click(&mut window, "Next-block");
    until_part(&mut window, "Drift by stage, next-block (Synthetic data): Change, 0 to 1 by Stage of PESO");
    click(&mut window, "Users");
    until_label(&mut window, "100 of 100 users");
    assert!(has(&window, "Stage 1"));
    click(&mut window, "Next-block");
    until_label(&mut window, "60 of 60 users");
    assert!(!has(&window, "Stage 1"), "no model is asked before it has learned from a stage");
    assert!(has_part(&window, "as the stage began") && has(&window, "Went for"));
}

/// Retention and meaning are computed when they are asked for, say how far they are, and can be cancelled.
#[test]
fn analyses_are_offered_computed_and_cancelled() {
    let world = World::new();
    let mut window = opened(&world, Theme::Light, "Subspace");
    for (tab, button) in [("Retention", "Measure retention"), ("Meaning", "Compute the meaning")] {
        click(&mut window, tab);
        choose(&mut window, "Stage", "3");
        until_label(&mut window, "Not computed yet");
        click(&mut window, button);
        until_part(&mut window, "train 40 %");
        click(&mut window, "Cancel");
        until_label(&mut window, "Cancelled");
    }
    choose(&mut window, "Run", "Single evolving LoRA");
    click(&mut window, "Retention");
    until_label(&mut window, "Nothing pulls toward the past here");
}

#[test]
fn views_without_runs_say_what_to_do() {
    let world = World::new();
    let file = world.demo();
    let mut window = world.window(Theme::Light, Some(&file));
    until_label(&mut window, "Synthetic drift demo");
    for (view, title) in [
        ("Subspace", "No adapter to look at yet"),
        ("Drift", "No stage to compare with another yet"),
        ("Users", "Nothing was recommended yet"),
    ] {
        click(&mut window, view);
        until_label(&mut window, title);
        assert!(has_part(&window, "Press Run all to start"), "{view}");
    }
}

/// A report of large adapters takes seconds; the frame that opens the view does not wait for it, and it can be cancelled.
#[test]
fn opening_the_view_does_not_wait_for_the_report() {
    let world = World::new();
    let file = world.demo();
    let project = load(&file);
    let run = fixture::write(&project.runs_dir(None), &fixture::planned(&project, 0), 0.08, Come::FINISHED);
    fixture::adapters(&run, 16, 512);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "1 of 4 finished");
    window.get_by_label("Subspace").click();
    let start = Instant::now();
    (0..3).for_each(|_| window.step());
    assert!(start.elapsed() < Duration::from_secs(1), "three frames took {:?}", start.elapsed());
    assert!(has_part(&window, "Measuring the adapters of PESO"), "the report is still on its way");
    click(&mut window, "Cancel");
    until_label(&mut window, "Cancelled");
    click(&mut window, "Compute");
    until_part(&mut window, "Direction river (alluvial): Layer");
}

const SIZE: [f32; 2] = [1280.0, 1000.0];

#[test]
fn looks_of_drift() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let mut window = opened(&world, Theme::Light, "Drift");
    window.set_size(SIZE.into());
    until_part(&mut window, "Popularity, Data: items by popularity");
    picture(&mut pictures, &mut window, "drift", Theme::Light, Part::View);
    text(&mut window, "drift", Part::View);
    click(&mut window, "Who is affected");
    until_part(&mut window, "User new");
    picture(&mut pictures, &mut window, "affected", Theme::Light, Part::View);
    text(&mut window, "affected", Part::View);
}

#[test]
fn looks_of_users() {
    let mut pictures = SnapshotResults::new();
    let world = World::new();
    let mut window = opened(&world, Theme::Dark, "Users");
    window.set_size(SIZE.into());
    until_label(&mut window, "100 of 100 users");
    picture(&mut pictures, &mut window, "users", Theme::Dark, Part::View);
    text(&mut window, "users", Part::View);
}

#[test]
fn looks_of_subspaces() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let world = World::new();
        let mut window = opened(&world, theme, "Subspace");
        window.set_size(SIZE.into());
        until_part(&mut window, "Direction river");
        picture(&mut pictures, &mut window, "river", theme, Part::View);
        let tabs: &[_] = if theme == Theme::Light {
            text(&mut window, "river", Part::View);
            &[
                ("Spectra", "spectra", "Singular value by Direction"),
                // Offered once it was looked up in every stage what is known: after that no label comes.
                ("Directions", "directions", "Name the arrows"),
                ("ΔW", "weights", "ΔW of PESO, stage 5"),
                ("Retention", "retention", "Measured by Predicted"),
            ]
        } else {
            choose(&mut window, "Beside", "Single evolving LoRA");
            until(&mut window, "two rivers", |window| {
                window.query_all_by_label_contains("Direction river").count() == 2
            });
            text(&mut window, "rivers", Part::View);
            click(&mut window, "Drift map");
            until_part(&mut window, "Single evolving LoRA, stage 5");
            picture(&mut pictures, &mut window, "drift_map", theme, Part::View);
            text(&mut window, "drift_map", Part::View);
            choose(&mut window, "Beside", "Nothing");
            &[
                ("Angles", "angles", "Angle by Principal angle"),
                ("Distances", "distances", "Grassmann distance by Stage"),
                ("Meaning", "meaning", "What it writes"),
            ]
        };
        for (tab, name, part) in tabs {
            click(&mut window, tab);
            until_part(&mut window, part);
            picture(&mut pictures, &mut window, name, theme, Part::View);
            text(&mut window, name, Part::View);
        }
    }
}

/// With two pixels a point, and in the least and a large window, everything stays in its place.
#[test]
fn the_views_fit_small_and_large_windows() {
    let world = World::new();
    let file = with_adapters(&world);
    let mut window = world.window(Theme::Light, Some(&file));
    until_part(&mut window, "2 of 4 finished");
    for (size, pixels) in [([960.0, 600.0], 1.0), ([2560.0, 1440.0], 1.0), ([1280.0, 720.0], 2.0)] {
        window.set_size(size.into()).set_pixels_per_point(pixels);
        for view in ["Subspace", "Drift", "Users"] {
            click(&mut window, view);
            window.run_ok();
            for label in ["Run all", "Commands…", "Export…", "Filter users", view] {
                for node in window.query_all_by_label(label) {
                    let rect = node.rect();
                    let inside = rect.min.x >= 0.0 && rect.max.x <= size[0] && rect.max.y <= size[1];
                    assert!(inside, "{label} at {rect:?} in {size:?} at {pixels}");
                }
            }
        }
    }
}
