//! Pictures as parts of charts: exported at any size, with words as text, and their numbers as tables.

use std::fs;
use std::sync::Arc;

use peso_workbench::figures::Provenance as _;
use peso_workbench::plot::picture::Entry;
use peso_workbench::plot::series_style::Tone;
use peso_workbench::plot::{Body, Chart, Style, Theme, export, file, table};
use peso_workbench::render::{Arrow, Field, Matrix, Scene, Window, arrows_picture, heat_map_picture};

fn arrows() -> Chart {
    let arrow = |stage: usize, to: [f32; 3]| Arrow {
        key: stage as u64,
        name: format!("Stage {stage}, direction 1"),
        from: [0.0; 3],
        to,
        tone: Tone::of(stage - 1, 2),
        width: 1.0,
        label: String::new(),
        faint: false,
        group: stage,
        place: 0,
        series: 0,
    };
    let scene = Scene {
        arrows: vec![arrow(1, [1.0, 0.25, 0.0]), arrow(2, [0.5, 0.5, -0.5])],
        axes: ["First <axis>", "Second", "Third"].map(str::to_owned),
        legend: (0..2).map(|stage| Entry { name: format!("Stage {}", stage + 1), tone: Tone::of(stage, 2) }).collect(),
        ..Scene::default()
    };
    let scene = Arc::new(scene.fitted());
    let camera = scene.home();
    Chart::new("Directions", Body::Picture(arrows_picture(scene, camera))).synthetic(true)
}

fn matrix(rows: usize, columns: usize) -> (Arc<Matrix>, Window) {
    let values = (0..rows * columns).map(|place| if place == 1 { f32::NAN } else { place as f32 * 0.25 - 1.0 });
    let field = Arc::new(Field::new(rows, columns, values.collect()).unwrap());
    let window = Window::whole(&field);
    (Arc::new(Matrix::around_zero(field, "ΔW")), window)
}

fn matrix_chart((matrix, window): (Arc<Matrix>, Window)) -> Chart {
    Chart::new("The change of a weight", Body::Picture(heat_map_picture(matrix, window)))
}

const SMALL: Style = Style { theme: Theme::Light, width: 480, height: 300, dpi: 96 };

#[test]
fn an_svg_has_the_picture_as_an_image_and_words_as_text() {
    let svg = file::svg(&arrows(), &SMALL).unwrap();
    assert_eq!(svg, file::svg(&arrows(), &SMALL).unwrap(), "the same chart gives the same bytes");
    let document = resvg::usvg::roxmltree::Document::parse(&svg).unwrap();
    let texts: Vec<&str> =
        document.descendants().filter(|node| node.has_tag_name("text")).filter_map(|node| node.text()).collect();
    for expected in ["Directions", "Synthetic data", "Stage 1", "Stage 2", "First <axis>", "Second", "Third"] {
        assert!(texts.contains(&expected), "{expected:?} is not in {texts:?}");
    }
    let images: Vec<_> = document.descendants().filter(|node| node.has_tag_name("image")).collect();
    assert_eq!(images.len(), 1);
    assert!(images[0].attribute("href").unwrap().starts_with("data:image/png;base64,iVBORw0KGgo"));
    let svg = file::svg(&matrix_chart(matrix(4, 8)), &SMALL).unwrap();
    for expected in [">ΔW<", ">Row<", ">Column<", ">0<", ">8<"] {
        assert!(svg.contains(expected), "{expected} is missing");
    }
}

/// The colours of a PNG file by rows, with its width.
fn decoded(png: &[u8]) -> (usize, Vec<[u8; 3]>) {
    let decoder = png::Decoder::new(std::io::Cursor::new(png));
    let mut reader = decoder.read_info().unwrap();
    let mut dots = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut dots).unwrap();
    (info.width as usize, dots.chunks_exact(3).map(|dot| [dot[0], dot[1], dot[2]]).collect())
}

#[test]
fn a_png_has_the_picture_at_the_size_that_is_asked_for() {
    // The lower right cell is the greatest: the darkest red of the map, at any size and in both themes.
    for (dpi, theme) in [(96, Theme::Light), (192, Theme::Light), (300, Theme::Dark)] {
        let style = Style { theme, dpi, ..SMALL };
        let (width, dots) = decoded(&file::png(&matrix_chart(matrix(4, 8)), &style).unwrap());
        assert_eq!(width, 480 * dpi as usize / 96);
        let greatest = peso_workbench::plot::series_style::ColourMap::Diverging.rgb(1.0, theme);
        let close = |dot: &&[u8; 3]| dot.iter().zip(greatest).all(|(a, b)| a.abs_diff(b) <= 3);
        let area = dots.iter().filter(close).count() as f64 / dots.len() as f64;
        // A cell of 32 in a picture that takes most of the chart, and the upper end of the colour bar.
        assert!((0.008..0.06).contains(&area), "{area} of the chart at {dpi} dots an inch");
    }
}

#[test]
fn a_pdf_holds_the_picture_and_text() {
    let pdf = file::pdf(&arrows(), &SMALL).unwrap();
    let holds = |word: &[u8]| pdf.windows(word.len()).any(|part| part == word);
    assert!(pdf.starts_with(b"%PDF-") && holds(b"/Image") && holds(b"/Font"));
}

#[test]
fn numbers_of_pictures_are_tables() {
    let csv = table::csv(&arrows());
    let expected = "name,group,series,from x,from y,from z,to x,to y,to z,note\n\
        \"Stage 1, direction 1\",1,0,0,0,0,1,0.25,0,Synthetic data\n\
        \"Stage 2, direction 1\",2,0,0,0,0,0.5,0.5,-0.5,Synthetic data\n";
    assert_eq!(csv, expected);
    assert!(table::latex(&arrows()).contains("Stage 2, direction 1 & 2 & 0 & 0 & 0 & 0 & 0.5 & 0.5 & -0.5 \\\\"));
    // The part that is shown.
    let (matrix, _) = matrix(4, 8);
    let window = Window { left: 0.0, top: 0.0, right: 1.5, bottom: 2.0 };
    let csv = table::csv(&matrix_chart((matrix, window)));
    assert_eq!(csv, "Row,Column,ΔW,note\n0,0,-1,\n0,1,,\n1,0,1,\n1,1,1.25,\n");
}

#[test]
fn too_many_cells_for_a_table_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let chart = matrix_chart(matrix(700, 600));
    for ending in ["csv", "tex"] {
        let path = folder.path().join("matrix").with_extension(ending);
        let problem = export(&chart, &path, &SMALL).unwrap_err().to_string();
        assert!(problem.contains("420\u{202f}000 cells are too many for a table"), "{problem}");
        assert!(problem.contains("zoom in"), "{problem}");
    }
    assert!(table::csv(&chart).contains("too many"));
    export(&chart, &folder.path().join("matrix.png"), &SMALL).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left of what was refused");
}
