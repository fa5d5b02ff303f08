//! Charts as files and in the window.

use std::fs;
use std::path::Path;

use eframe::egui;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use peso_workbench::calendar;
use peso_workbench::data::Timeline;
use peso_workbench::data::prepare::{PrepareReport, StageCount};
use peso_workbench::figures::Provenance as _;
use peso_workbench::figures::stages::{self, StageWords};
use peso_workbench::files::write_atomically;
use peso_workbench::plot::{
    Axis, Body, Chart, HeatMap, Lines, Point, Series, SeriesStyle, Style, Theme, export, file, screen,
};

fn comparison() -> Chart {
    let series = |name: &str, slot: usize, level: f64| Series {
        name: name.to_owned(),
        points: (1..=4)
            .map(|stage| {
                let y = level - 0.01 * f64::from(stage);
                Point { x: f64::from(stage), y, spread: Some([y - 0.01, y + 0.01]) }
            })
            .collect(),
        style: SeriesStyle::method(slot),
    };
    let popularity =
        Series { name: "Popularity".to_owned(), points: vec![Point::new(1.0, 0.05)], style: SeriesStyle::baseline(0) };
    let lines = Lines {
        x: Axis::whole("Stage"),
        y: Axis::new("Hit@10"),
        series: vec![series("PESO <λ = 2> & more", 0, 0.3), series("Single", 1, 0.2), popularity],
        boundaries: Vec::new(),
    };
    let caption = Some("Mean over seeds (n = 3)".to_owned());
    Chart { caption, ..Chart::new("Hit@10 by stage", Body::Lines(lines)) }.synthetic(true)
}

fn matrix() -> Chart {
    let map = HeatMap {
        row_label: "After training stage".to_owned(),
        rows: vec!["1".to_owned(), "2".to_owned()],
        column_label: "Tested on stage".to_owned(),
        columns: vec!["1".to_owned(), "2".to_owned()],
        value: Axis::new("Hit@10"),
        values: vec![vec![Some(0.31), None], vec![Some(0.22), Some(0.43)]],
    };
    Chart::new("Hit@10 on every stage", Body::HeatMap(map))
}

#[test]
fn svg_has_every_text_and_series_and_is_the_same_every_time() {
    let svg = file::svg(&comparison(), &Style::default()).unwrap();
    assert_eq!(svg, file::svg(&comparison(), &Style::default()).unwrap());
    let document = resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> =
        document.descendants().filter(|node| node.has_tag_name("text")).filter_map(|node| node.text()).collect();
    for expected in
        ["Hit@10 by stage", "Synthetic data", "PESO <λ = 2> & more", "Single", "Popularity", "Stage", "1", "4", "0.30"]
    {
        assert!(texts.contains(&expected), "{expected:?} is not in {texts:?}");
    }
    let with = |name: &str| document.descendants().filter(|node| node.attribute(name).is_some()).count();
    // A band for each method, and a broken line for all but the first, in the plot and in the legend.
    assert_eq!(with("fill-opacity"), 2);
    assert_eq!(with("stroke-dasharray"), 3);
    // Whoever has wider letters alone makes them fit.
    assert_eq!(with("textLength"), texts.len());
    insta::assert_snapshot!(
        "matrix",
        file::svg(&matrix(), &Style { width: 480, height: 300, ..Style::default() }).unwrap()
    );
}

/// Two years of interactions in five stages, the last of which is short.
fn timeline() -> Chart {
    let day = |date: &str| calendar::parse(date).unwrap();
    let cuts = ["2015-06-01", "2015-11-01", "2016-03-01", "2016-12-20"].map(day);
    let starts = [day("2015-01-01")].into_iter().chain(cuts);
    let ends = cuts.iter().copied().chain([day("2017-01-01")]);
    let stage = |(from, to): (i64, i64)| StageCount {
        interactions: 12_345,
        users: 678,
        participants: 567,
        period: Some((from, to - 1)),
        leak: None,
    };
    let stages: Vec<StageCount> = starts.zip(ends).map(stage).collect();
    let bins = (0..200u64).map(|bin| 20 + bin * bin % 37).collect();
    let report = PrepareReport { steps: Vec::new(), core_rounds: 0, stages, timeline: bins };
    let timeline = Timeline::of(&report).unwrap();
    let words = [StageWords::Counted { interactions: 12_345, users: 678, participants: 567 }; 5];
    stages::over_time("shop", &timeline, &cuts, &words)
}

#[test]
fn no_text_leaves_the_picture_or_covers_another() {
    for ((width, height), chart) in [(960, 600), (480, 300), (600, 900), (1600, 500)]
        .into_iter()
        .flat_map(|size| [(size, comparison()), (size, timeline())])
    {
        let style = Style { width, height, ..Style::default() };
        let svg = file::svg(&chart, &style).unwrap();
        let mut options = resvg::usvg::Options::default();
        options.fontdb_mut().load_font_data(include_bytes!("../../assets/fonts/Inter-Regular.otf").to_vec());
        options.fontdb_mut().load_font_data(include_bytes!("../../assets/fonts/Inter-SemiBold.otf").to_vec());
        let tree = resvg::usvg::Tree::from_str(&svg, &options).unwrap();
        let mut texts = Vec::new();
        for node in tree.root().children() {
            collect_texts(node, &mut texts);
        }
        assert!(texts.len() > 12, "{} texts at {width} x {height}", texts.len());
        for at in &texts {
            let inside =
                at.left() >= 0.0 && at.top() >= 0.0 && at.right() <= width as f32 && at.bottom() <= height as f32;
            assert!(inside, "{at:?} leaves {width} x {height}");
            let covered = texts.iter().filter(|other| {
                let apart = at.right() <= other.left()
                    || other.right() <= at.left()
                    || at.bottom() <= other.top()
                    || other.bottom() <= at.top();
                !apart
            });
            assert_eq!(covered.count(), 1, "{at:?} covers another text at {width} x {height}");
        }
    }
}

fn collect_texts(node: &resvg::usvg::Node, texts: &mut Vec<resvg::usvg::Rect>) {
    match node {
        resvg::usvg::Node::Group(group) => group.children().iter().for_each(|node| collect_texts(node, texts)),
        resvg::usvg::Node::Text(text) => texts.push(text.abs_bounding_box()),
        _ => {}
    }
}

#[test]
fn png_has_the_size_and_dots_an_inch_asked_for_and_shows_text() {
    let style = Style { theme: Theme::Dark, width: 400, height: 300, dpi: 144 };
    let bytes = file::png(&comparison(), &style).unwrap();
    assert_eq!(bytes, file::png(&comparison(), &style).unwrap());
    let (info, dots) = decoded(&bytes);
    assert_eq!((info.width, info.height), (600, 450));
    let pixels = info.pixel_dims.unwrap();
    assert_eq!((pixels.xppu, pixels.unit), (5669, png::Unit::Meter));
    assert_eq!(dots[..3], Theme::Dark.ground());

    let mut nameless = comparison();
    nameless.title = String::new();
    let (_, without) = decoded(&file::png(&nameless, &style).unwrap());
    let differing = dots.chunks(3).zip(without.chunks(3)).filter(|(a, b)| a != b).count();
    assert!(differing > 200, "the title changes {differing} dots alone");
}

fn decoded(bytes: &[u8]) -> (png::Info<'static>, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut dots).unwrap();
    (reader.info().clone(), dots)
}

#[test]
fn pdf_is_one_page_of_the_size_with_its_fonts_inside() {
    let bytes = file::pdf(&comparison(), &Style::default()).unwrap();
    assert_eq!(bytes, file::pdf(&comparison(), &Style::default()).unwrap());
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("%PDF-"));
    assert!(text.contains("Inter-Regular") && text.contains("/ToUnicode"));
    assert!(text.contains("/MediaBox[0 0 720 450]") || text.contains("/MediaBox [0 0 720 450]"));
    assert!(!text.contains("/CreationDate"));
}

#[test]
fn export_goes_by_the_ending() {
    let folder = tempfile::tempdir().unwrap();
    for (ending, begins) in
        [("png", &b"\x89PNG"[..]), ("svg", b"<svg"), ("PDF", b"%PDF"), ("csv", b"series,"), ("tex", b"% needs")]
    {
        let path = folder.path().join("figure").with_extension(ending);
        export(&comparison(), &path, &Style::default()).unwrap();
        assert!(fs::read(&path).unwrap().starts_with(begins), "{ending}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 5);
}

#[test]
fn export_that_fails_says_why_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let bitmap = export(&comparison(), &folder.path().join("figure.bmp"), &Style::default()).unwrap_err();
    assert!(bitmap.problem.contains("bmp") && bitmap.advice.unwrap().contains(".svg"));
    let path = folder.path().join("figure.png");
    let huge = export(&comparison(), &path, &Style { dpi: 100_000, ..Style::default() }).unwrap_err();
    assert!(huge.problem.contains("dots"), "{huge}");
    let tiny = export(&comparison(), &path, &Style { width: 3, ..Style::default() }).unwrap_err();
    assert!(tiny.problem.contains("3 x 600"), "{tiny}");
    let nowhere = folder.path().join("missing").join("figure.csv");
    let missing = export(&comparison(), &nowhere, &Style::default()).unwrap_err();
    assert_eq!(missing.path, nowhere);
    // A folder in the file's place cannot be replaced; the temporary file goes.
    fs::create_dir(&path).unwrap();
    fs::write(path.join("inside"), b"kept").unwrap();
    assert!(export(&comparison(), &path, &Style::default()).is_err());
    assert_eq!(names(folder.path()), ["figure.png"]);
}

#[test]
fn a_written_file_replaces_the_old_one_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("numbers.csv");
    write_atomically(&path, b"a much longer old text").unwrap();
    write_atomically(&path, b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(folder.path()), ["numbers.csv"]);
}

fn names(folder: &Path) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// A window with `chart`, whose frames are short enough for a double click.
fn window(chart: Chart) -> Harness<'static> {
    let size = egui::vec2(640.0, 400.0);
    let mut harness = Harness::builder().with_size(size).with_step_dt(0.02).build_ui(move |ui| {
        screen::show(ui, &chart, "figure", egui::vec2(600.0, 360.0));
    });
    harness.run();
    harness
}

#[test]
fn the_window_names_the_chart_and_tells_the_point_under_the_pointer() {
    let mut harness = window(comparison());
    let plot = harness.get_by_label_contains("Hit@10 by stage (Synthetic data): Hit@10 by Stage of PESO").rect();
    assert!(plot.width() > 250.0 && plot.height() > 200.0, "{plot:?}");
    assert!(harness.query_by_label("Stage 4").is_none());
    // The last stage of the first series: 0.3 of a step from the right edge, 0.26 of an axis up to 0.3 * 1.06.
    let x = plot.right() - plot.width() * 0.3 / 3.6;
    let y = plot.bottom() - plot.height() * (0.26 / (0.30 * 1.06)) as f32;
    harness.hover_at(egui::pos2(x, y));
    harness.run();
    harness.get_by_label("PESO <λ = 2> & more");
    harness.get_by_label("Stage 4");
    harness.get_by_label("Hit@10 0.260");
    harness.get_by_label("from 0.250 to 0.270");
}

#[test]
fn the_window_tells_the_cell_under_the_pointer() {
    let mut harness = window(matrix());
    let cells = harness.get_by_label_contains("Hit@10 on every stage").rect();
    harness.hover_at(cells.right_bottom() - egui::vec2(20.0, 20.0));
    harness.run();
    harness.get_by_label("After training stage 2");
    harness.get_by_label("Hit@10 0.430");
    harness.hover_at(cells.right_top() + egui::vec2(-20.0, 20.0));
    harness.run();
    harness.get_by_label("Hit@10 not measured");
}

#[test]
fn the_window_says_what_an_empty_chart_lacks() {
    let harness = window(Chart::empty("Loss", "No steps yet"));
    harness.get_by_label("Loss: No steps yet");
}

#[test]
fn charts_in_the_window_stand_side_by_side() {
    let mut harness = Harness::builder().with_size(egui::vec2(900.0, 400.0)).build_ui(|ui| {
        ui.horizontal(|ui| {
            screen::show(ui, &comparison(), "left", egui::vec2(400.0, 300.0));
            let right = ui.cursor().left();
            assert!(right >= 400.0, "the second chart would begin at {right}");
            screen::show(ui, &matrix(), "right", egui::vec2(400.0, 300.0));
        });
    });
    harness.run();
    let [left, right] =
        ["Hit@10 by stage", "Hit@10 on every stage"].map(|title| harness.get_by_label_contains(title).rect());
    assert!(left.right() < right.left(), "{left:?} and {right:?}");
}

#[test]
fn a_chart_follows_its_growing_data() {
    let curve = |last: u32| {
        let points = (0..=last).map(|step| Point::new(f64::from(step), f64::from(step))).collect();
        let series = vec![Series { name: "run".to_owned(), points, style: SeriesStyle::curve(0) }];
        Chart::new(
            "Growing",
            Body::Lines(Lines { x: Axis::whole("Step"), y: Axis::new("Loss"), series, boundaries: vec![] }),
        )
    };
    let size = egui::vec2(640.0, 400.0);
    let mut harness = Harness::builder().with_size(size).build_ui_state(
        move |ui, last: &mut u32| {
            screen::show(ui, &curve(*last), "growing", egui::vec2(600.0, 360.0));
        },
        100,
    );
    harness.run();
    let last_point = |harness: &mut Harness<'_, u32>, shown: f64| {
        let plot = harness.get_by_label_contains("Growing").rect();
        let part = 1.0 / 1.06;
        harness.hover_at(egui::pos2(plot.right() - 1.0, plot.bottom() - plot.height() * part));
        harness.run();
        harness.get_by_label(&format!("Step {shown}"));
    };
    last_point(&mut harness, 100.0);
    *harness.state_mut() = 200;
    harness.run();
    last_point(&mut harness, 200.0);
}

#[test]
fn dragging_pans_and_a_double_click_shows_everything_again() {
    let mut harness = window(comparison());
    let plot = harness.get_by_label_contains("Hit@10 by stage").rect();
    let last_stage = egui::pos2(
        plot.right() - plot.width() * 0.3 / 3.6,
        plot.bottom() - plot.height() * (0.26 / (0.30 * 1.06)) as f32,
    );
    let moved = egui::vec2(-120.0, 60.0);
    harness.hover_at(last_stage);
    harness.run();
    harness.drag_at(last_stage);
    harness.run();
    harness.hover_at(last_stage + moved);
    harness.run();
    harness.drop_at(last_stage + moved);
    harness.run();
    harness.hover_at(last_stage);
    harness.run();
    assert!(harness.query_by_label("Stage 4").is_none(), "the last stage is still where it was");
    harness.hover_at(last_stage + moved);
    harness.run();
    harness.get_by_label("Stage 4");
    for pressed in [true, false, true, false] {
        harness.event(egui::Event::PointerButton {
            pos: last_stage + moved,
            button: egui::PointerButton::Primary,
            pressed,
            modifiers: egui::Modifiers::NONE,
        });
        harness.step();
    }
    harness.run();
    harness.hover_at(last_stage);
    harness.run();
    harness.get_by_label("Stage 4");
}
