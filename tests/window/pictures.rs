//! Pictures of arrows and matrices in the window: what they look like, and what can be done with them.

use std::sync::Arc;

use eframe::egui::{
    self, Event, Key, Modifiers, MouseWheelSource, MouseWheelUnit, PointerButton, Pos2, Theme, TouchPhase, Vec2,
};
use eframe::egui_wgpu::RendererOptions;
use egui_kittest::kittest::Queryable as _;
use egui_kittest::wgpu::{WgpuTestRenderer, create_render_state, default_wgpu_setup};
use egui_kittest::{Harness, SnapshotResults};
use peso_workbench::plot::picture::Entry;
use peso_workbench::plot::series_style::Tone;
use peso_workbench::plot::{self, Body, Chart};
use peso_workbench::render::{
    Arrow, ArrowView, Camera, Cell, Field, HeatMapView, Matrix, Scene, Trail, Window, arrows_picture, heat_map_picture,
    screen,
};

use crate::snapshot;

/// What a test shows and what came of it.
struct Shown {
    arrows: ArrowView,
    heat_map: HeatMapView,
    scene: Arc<Scene>,
    matrix: Arc<Matrix>,
    what: What,
    charts: [Chart; 2],
    /// Of the last frame.
    hovered_arrow: Option<usize>,
    clicked_arrow: Option<usize>,
    hovered_cell: Option<Cell>,
    at: egui::Rect,
}

#[derive(Clone, Copy)]
enum What {
    Arrows,
    HeatMap,
    /// Both as bodies of charts, one below the other.
    Charts,
}

const SIZE: Vec2 = Vec2::new(560.0, 380.0);
const ROWS: usize = 48;
const COLUMNS: usize = 32;
const ARROWS: &str = "Directions by stage";
const HEAT_MAP: &str = "The change of a weight";

/// Four directions that turn over `stages` stages, with their trails.
fn scene(stages: usize) -> Scene {
    let to = |direction: usize, stage: usize| {
        let [around, up] = [direction as f32 * 1.7 + stage as f32 * 0.22, [0.25, -0.45, 0.6, -0.2][direction]];
        let length = 1.0 / (1.0 + 0.35 * direction as f32);
        [around.cos() * length, (up + 0.05 * stage as f32) * length, around.sin() * length]
    };
    let arrow = |direction: usize, stage: usize| Arrow {
        key: (direction * 10 + stage) as u64,
        name: format!("Direction {} of stage {}", direction + 1, stage + 1),
        from: [0.0; 3],
        to: to(direction, stage),
        tone: Tone::of(stage, 4),
        width: 1.0,
        label: String::new(),
        faint: false,
        group: stage,
        place: 0,
        series: 0,
    };
    let trail = |direction: usize| Trail {
        key: direction as u64,
        points: (0..stages).map(|stage| to(direction, stage)).collect(),
        tones: (0..stages).map(|stage| Tone::of(stage, 4)).collect(),
        width: 1.0,
    };
    let pairs = (0..4).flat_map(|direction| (0..stages).map(move |stage| (direction, stage)));
    let scene = Scene {
        arrows: pairs.map(|(direction, stage)| arrow(direction, stage)).collect(),
        trails: (0..4).map(trail).collect(),
        axes: ["First direction", "Second direction", "Third direction"].map(str::to_owned),
        reach: 1.0,
        legend: (0..4).map(|stage| Entry { name: format!("Stage {}", stage + 1), tone: Tone::of(stage, 4) }).collect(),
    };
    scene.fitted()
}

fn matrix() -> Matrix {
    let value = |row: usize, column: usize| {
        let smooth = (row as f32 * 0.17).sin() * (column as f32 * 0.19).cos();
        let rough = ((row * 37 + column * 101) % 23) as f32 / 22.0 - 0.5;
        // A block that was not measured.
        if (12..18).contains(&row) && (8..12).contains(&column) { f32::NAN } else { 0.01 * smooth + 0.004 * rough }
    };
    let values = (0..ROWS * COLUMNS).map(|place| value(place / COLUMNS, place % COLUMNS)).collect();
    let matrix = Matrix::around_zero(Arc::new(Field::new(ROWS, COLUMNS, values).unwrap()), "ΔW");
    Matrix { row_label: "Output".to_owned(), column_label: "Input".to_owned(), ..matrix }
}

fn window(theme: Theme, pixels: f32, what: What) -> Harness<'static, Shown> {
    let state = create_render_state(default_wgpu_setup(), RendererOptions::PREDICTABLE);
    let (scene, matrix) = (Arc::new(scene(4)), Arc::new(matrix()));
    let pictures = [
        arrows_picture(Arc::clone(&scene), scene.home()),
        heat_map_picture(Arc::clone(&matrix), Window::whole(&matrix.field)),
    ];
    let shown = Shown {
        arrows: ArrowView::default(),
        heat_map: HeatMapView::default(),
        scene,
        matrix,
        what,
        charts: pictures.map(|picture| Chart::new("Directions", Body::Picture(picture))),
        hovered_arrow: None,
        clicked_arrow: None,
        hovered_cell: None,
        at: egui::Rect::NOTHING,
    };
    let renderer = WgpuTestRenderer::from_render_state(state.clone());
    let mut harness = Harness::builder()
        .with_size(SIZE)
        .with_pixels_per_point(pixels)
        .with_theme(theme)
        .with_max_steps(64)
        .renderer(renderer)
        .build_ui_state(
            move |ui, shown: &mut Shown| {
                screen::install(ui.ctx(), &state);
                let at = ui.max_rect();
                ui.allocate_rect(at, egui::Sense::hover());
                shown.show(ui, at);
            },
            shown,
        );
    harness.run();
    harness
}

impl Shown {
    fn show(&mut self, ui: &mut egui::Ui, at: egui::Rect) {
        match self.what {
            What::Arrows => {
                let names = Arc::clone(&self.scene);
                let tooltip = |ui: &mut egui::Ui, place: usize| {
                    ui.label(&names.arrows[place].name);
                };
                let came = self.arrows.show(ui, at, ARROWS, &self.scene, tooltip);
                self.hovered_arrow = came.hovered;
                self.clicked_arrow = came.clicked.or(self.clicked_arrow);
                self.at = came.response.rect;
            }
            What::Charts => {
                let size = Vec2::new(at.width(), at.height() / 2.0);
                let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(at));
                for (place, chart) in self.charts.iter().enumerate() {
                    let response = plot::screen::show(&mut inside, chart, place, size);
                    self.at = response.rect;
                }
            }
            What::HeatMap => {
                let came = self.heat_map.show(ui, at, HEAT_MAP, &self.matrix, |_, _| ());
                self.hovered_cell = came.hovered;
                self.at = came.response.rect;
            }
        }
    }

    fn camera(&self) -> Camera {
        self.arrows.camera.unwrap()
    }

    /// Where in the window a point of the scene is.
    fn place(&self, point: [f32; 3]) -> Pos2 {
        let at = self.camera().project(point, self.at.size().into()).unwrap().at;
        self.at.min + Vec2::from(at)
    }
}

/// Pixels that may be further off than one level: edges, which another version of the driver may round otherwise.
const EDGES: usize = 120;

#[test]
fn looks() {
    let mut pictures = SnapshotResults::new();
    for (what, name) in [(What::Arrows, "arrows"), (What::HeatMap, "matrix_picture")] {
        for (theme, theme_name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            let mut window = window(theme, 1.0, what);
            snapshot::compare(&mut pictures, &mut window, &format!("{name}_{theme_name}"), EDGES);
        }
    }
    // With two pixels a point.
    let mut window = window(Theme::Light, 2.0, What::Arrows);
    snapshot::compare(&mut pictures, &mut window, "arrows_light_2x", EDGES);
}

fn drag(window: &mut Harness<'_, Shown>, from: Pos2, by: Vec2, button: PointerButton) {
    let press = |pos, pressed| Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE };
    window.event(Event::PointerMoved(from));
    window.event(press(from, true));
    window.step();
    for part in [0.5, 1.0] {
        window.event(Event::PointerMoved(from + by * part));
        window.step();
    }
    window.event(press(from + by, false));
    window.run();
}

fn click(window: &mut Harness<'_, Shown>, at: Pos2) {
    drag(window, at, Vec2::ZERO, PointerButton::Primary);
    // The next click shall not make a double one of this.
    window.event(Event::PointerMoved(at));
    (0..8).for_each(|_| window.step());
}

fn wheel(window: &mut Harness<'_, Shown>, at: Pos2, up: f32) {
    window.event(Event::PointerMoved(at));
    window.step();
    window.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta: Vec2::new(0.0, up),
        phase: TouchPhase::Move,
        source: MouseWheelSource::Wheel,
        modifiers: Modifiers::NONE,
    });
    window.run();
}

#[test]
fn arrows_are_turned_moved_zoomed_and_shown_whole_again() {
    let mut window = window(Theme::Light, 1.0, What::Arrows);
    window.get_by_label(ARROWS);
    let home = window.state().camera();
    let middle = window.state().at.center();
    drag(&mut window, middle, Vec2::new(60.0, 20.0), PointerButton::Primary);
    let turned = window.state().camera();
    assert!(turned.yaw != home.yaw && turned.pitch > home.pitch && turned.target == home.target, "{turned:?}");
    drag(&mut window, middle, Vec2::new(60.0, 0.0), PointerButton::Secondary);
    let moved = window.state().camera();
    assert!(moved.target != home.target && moved.yaw == turned.yaw, "{moved:?}");
    wheel(&mut window, middle, 120.0);
    let near = window.state().camera();
    assert!(near.distance < home.distance * 0.8, "{near:?}");
    window.get_by_label(ARROWS).focus();
    window.run();
    window.key_press(Key::ArrowLeft);
    window.key_press(Key::Minus);
    window.run();
    let by_keys = window.state().camera();
    assert!(by_keys.yaw != near.yaw && by_keys.distance > near.distance, "{by_keys:?}");
    window.key_press(Key::Home);
    window.run();
    assert_eq!(window.state().camera(), home);
}

#[test]
fn an_arrow_is_named_under_the_pointer_and_selected_by_a_click() {
    let mut window = window(Theme::Dark, 1.0, What::Arrows);
    let tip = window.state().scene.arrows[3].to;
    let at = window.state().place(tip.map(|along| along * 0.9));
    window.event(Event::PointerMoved(at));
    window.run();
    assert_eq!(window.state().hovered_arrow, Some(3));
    window.get_by_label("Direction 1 of stage 4");
    click(&mut window, at);
    assert_eq!(window.state().clicked_arrow, Some(3));
    assert_eq!(window.state().arrows.selected, Some(3));
    let void = window.state().at.left_top() + Vec2::splat(3.0);
    click(&mut window, void);
    assert_eq!(window.state().arrows.selected, None);
}

#[test]
fn another_scene_is_reached_on_the_way_and_then_nothing_moves() {
    let mut window = window(Theme::Light, 1.0, What::Arrows);
    let before = window.render().unwrap();
    window.state_mut().scene = Arc::new(scene(3));
    window.step();
    window.step();
    let between = window.render().unwrap();
    // `run` fails where frames are asked for without end.
    window.run();
    let after = window.render().unwrap();
    assert!(before != between && between != after && before != after);
    window.step();
    assert_eq!(after, window.render().unwrap());
}

#[test]
fn pictures_of_charts_are_shown_and_moved_each_on_its_own() {
    let mut window = window(Theme::Light, 1.0, What::Charts);
    let names = window.state().charts.each_ref().map(Chart::description);
    assert_eq!(names[0], "Directions: 16 arrows in the space of First direction, Second direction, Third direction");
    let places = names.map(|name| window.get_by_label(&name).rect());
    assert!(places[0].bottom() <= places[1].top(), "{places:?}");
    for (place, at) in places.iter().enumerate() {
        let before = window.render().unwrap();
        wheel(&mut window, at.center(), 120.0);
        window.remove_cursor();
        window.run();
        let after = window.render().unwrap();
        let differs = |at: egui::Rect| {
            let [x, y] = [at.left()..at.right(), at.top()..at.bottom()];
            before.enumerate_pixels().zip(after.pixels()).any(|((column, row, before), after)| {
                x.contains(&(column as f32)) && y.contains(&(row as f32)) && before != after
            })
        };
        assert!(differs(*at) && !differs(places[1 - place]), "{place}");
    }
}

#[test]
fn a_matrix_tells_the_cell_under_the_pointer_and_is_zoomed_about_it() {
    let mut window = window(Theme::Light, 1.0, What::HeatMap);
    window.get_by_label(HEAT_MAP);
    let at = window.state().at;
    let pointer = at.min + at.size() * Vec2::new(0.7, 0.25);
    window.event(Event::PointerMoved(pointer));
    window.run();
    let cell = window.state().hovered_cell.unwrap();
    assert_eq!([cell.row, cell.column], [(0.25 * ROWS as f32) as usize, (0.7 * COLUMNS as f32) as usize]);
    assert_eq!(cell.value, window.state().matrix.field.values()[cell.row * COLUMNS + cell.column]);
    wheel(&mut window, pointer, 240.0);
    let zoomed = window.state().heat_map.window.unwrap();
    assert!(zoomed.width() < COLUMNS as f64 * 0.6, "{zoomed:?}");
    assert_eq!(window.state().hovered_cell, Some(cell));
    drag(&mut window, pointer, Vec2::new(30.0, 0.0), PointerButton::Primary);
    let moved = window.state().heat_map.window.unwrap();
    assert!(moved.left < zoomed.left && (moved.width() - zoomed.width()).abs() < 1e-9, "{moved:?}");
    window.get_by_label(HEAT_MAP).focus();
    window.run();
    window.key_press(Key::Num0);
    window.run();
    assert_eq!(window.state().heat_map.window, Some(Window::whole(&window.state().matrix.field)));
}
