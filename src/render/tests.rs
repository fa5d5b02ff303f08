//! What the device draws, held against what it should: at places that can be worked out, and against itself in parts.

use std::sync::Arc;

use super::arrows::picking::pick;
use super::arrows::{Arrow, ArrowPass, Emphasis, Scene, Trail};
use super::camera::Camera;
use super::heat_map::pass::gap;
use super::heat_map::{Field, HeatMapPass, Matrix, Window};
use super::offscreen::{Gpu, Pass, image, image_in_parts};
use crate::plot::picture::Image;
use crate::plot::series_style::{ColourMap, Rgb, Theme, Tone};

fn dot(image: &Image, [x, y]: [u32; 2]) -> Rgb {
    let index = (y * image.size[0] + x) as usize * 4;
    [image.dots[index], image.dots[index + 1], image.dots[index + 2]]
}

/// The largest difference of a channel.
fn apart(a: Rgb, b: Rgb) -> i32 {
    a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(b)).abs()).max().unwrap()
}

fn heat_map(gpu: &Gpu, matrix: &Matrix, window: Window, theme: Theme) -> HeatMapPass {
    let mut pass = HeatMapPass::new(&gpu.device);
    pass.set_matrix(gpu, matrix, theme);
    pass.set_view(window, theme.ground(), 1.0);
    pass
}

fn matrix(rows: usize, columns: usize, value: impl Fn(usize, usize) -> f32) -> Matrix {
    let values = (0..rows * columns).map(|index| value(index / columns, index % columns)).collect();
    Matrix { range: [-1.0, 1.0], ..Matrix::around_zero(Arc::new(Field::new(rows, columns, values).unwrap()), "ΔW") }
}

fn arrows(gpu: &Gpu, scene: &Scene, camera: Camera, theme: Theme) -> ArrowPass {
    let mut pass = ArrowPass::new(&gpu.device);
    pass.set_scene(&gpu.device, scene, Emphasis::default(), theme);
    pass.set_view(camera, theme.ground(), 1.0);
    pass
}

fn arrow(key: u64, from: [f32; 3], to: [f32; 3], order: f32) -> Arrow {
    Arrow {
        key,
        name: format!("{key}"),
        from,
        to,
        tone: Tone::Ordered(order),
        width: 1.0,
        label: String::new(),
        faint: false,
        group: 0,
        place: 0,
        series: 0,
    }
}

/// Arrows to all sides with a trail between their points.
fn star() -> Scene {
    let to = |index: u16| {
        let angle = f32::from(index) * 1.3;
        [0.9 * angle.cos(), f32::from(index) * 0.15 - 0.6, 0.9 * angle.sin()]
    };
    let trail = Trail {
        key: 1,
        points: (0..8).map(to).collect(),
        tones: (0..8).map(|index| Tone::of(index, 8)).collect(),
        width: 1.0,
    };
    Scene {
        arrows: (0..8_u16).map(|index| arrow(u64::from(index), [0.0; 3], to(index), f32::from(index) / 7.0)).collect(),
        trails: vec![trail],
        axes: ["x", "y", "z"].map(str::to_owned),
        reach: 1.0,
        legend: Vec::new(),
    }
}

#[test]
fn cells_have_the_colours_of_their_values() {
    let gpu = Gpu::headless().unwrap();
    let values = [-1.0, -0.5, 0.0, 0.5, 1.0, 7.0, f32::NAN, f32::INFINITY];
    let matrix = matrix(2, 8, |row, column| if row == 0 { values[column] } else { 0.0 });
    for theme in [Theme::Light, Theme::Dark] {
        let window = Window { right: 9.0, ..Window::whole(&matrix.field) };
        let image = image(&gpu, [72, 16], &heat_map(&gpu, &matrix, window, theme)).unwrap();
        for (column, part) in [0.0, 0.25, 0.5, 0.75, 1.0, 1.0].into_iter().enumerate() {
            let drawn = dot(&image, [column as u32 * 8 + 4, 3]);
            let colour = ColourMap::Diverging.rgb(part, theme);
            assert!(apart(drawn, colour) <= 3, "{drawn:?} instead of {colour:?} at {column} on {theme:?}");
        }
        for column in [6, 7] {
            assert!(apart(dot(&image, [column * 8 + 4, 3]), gap(theme)) <= 1, "a gap at {column}");
        }
        assert!(apart(dot(&image, [68, 3]), theme.ground()) <= 1, "beyond the matrix is the ground");
    }
}

#[test]
fn a_dot_on_a_border_is_a_mixture_and_gaps_do_not_bleed() {
    let gpu = Gpu::headless().unwrap();
    let matrix = matrix(1, 3, |_, column| [1.0, 0.0, f32::NAN][column]);
    // Five dots over three cells: the second covers 0.6 to 1.2, the fourth 1.8 to 2.4.
    let pass = heat_map(&gpu, &matrix, Window::whole(&matrix.field), Theme::Light);
    let image = image(&gpu, [5, 1], &pass).unwrap();
    let mixed = ColourMap::Diverging.rgb((1.0 + 4.0 / 6.0) / 2.0, Theme::Light);
    assert!(apart(dot(&image, [1, 0]), mixed) <= 4, "{:?} and {mixed:?}", dot(&image, [1, 0]));
    let [middle, none] = [ColourMap::Diverging.rgb(0.5, Theme::Light), gap(Theme::Light)];
    let partly: Rgb = std::array::from_fn(|channel| {
        (f32::from(middle[channel]) / 3.0 + f32::from(none[channel]) * 2.0 / 3.0).round() as u8
    });
    assert!(apart(dot(&image, [3, 0]), partly) <= 4, "{:?} and {partly:?}", dot(&image, [3, 0]));
}

#[test]
fn one_strong_cell_is_seen_from_afar() {
    let gpu = Gpu::headless().unwrap();
    for [rows, columns] in [[3000, 700], [700, 3000], [1500, 1500]] {
        let [row, column] = [rows * 2 / 3, columns / 3];
        let strong = matrix(rows, columns, |y, x| if [y, x] == [row, column] { -1.0 } else { 0.01 });
        let pass = heat_map(&gpu, &strong, Window::whole(&strong.field), Theme::Light);
        let size = [160, 100];
        let image = image(&gpu, size, &pass).unwrap();
        let blue = (0..size[1]).flat_map(|y| (0..size[0]).map(move |x| [x, y])).filter(|place| {
            let [red, _, blue] = dot(&image, *place);
            i32::from(blue) - i32::from(red) > 60
        });
        let seen: Vec<[u32; 2]> = blue.collect();
        let expected = [column as u32 * size[0] / columns as u32, row as u32 * size[1] / rows as u32];
        assert!(!seen.is_empty() && seen.len() <= 9, "{rows} x {columns}: {seen:?}");
        for place in seen {
            assert!((0..2).all(|axis| place[axis].abs_diff(expected[axis]) <= 2), "{place:?} and {expected:?}");
        }
    }
}

/// A matrix that takes several layers of a texture, looked at across their border.
#[test]
fn layers_join_without_a_seam() {
    let gpu = Gpu::headless().unwrap();
    let value = |row: usize, column: usize| ((row * 7 + column * 3) % 11) as f32 / 5.0 - 1.0;
    let matrix = matrix(2100, 4200, value);
    let window = Window { left: 2040.0, top: 2040.0, right: 2056.0, bottom: 2056.0 };
    let image = image(&gpu, [64, 64], &heat_map(&gpu, &matrix, window, Theme::Light)).unwrap();
    for row in 0..16_u32 {
        for column in 0..16_u32 {
            let value = value(2040 + row as usize, 2040 + column as usize);
            let colour = ColourMap::Diverging.rgb(f64::from(value + 1.0) / 2.0, Theme::Light);
            let drawn = dot(&image, [column * 4 + 2, row * 4 + 2]);
            assert!(apart(drawn, colour) <= 3, "{drawn:?} instead of {colour:?} at {row}, {column}");
        }
    }
}

#[test]
fn a_picture_in_parts_is_the_picture() {
    let gpu = Gpu::headless().unwrap();
    let size = [331, 217];
    fn held(gpu: &Gpu, size: [u32; 2], pass: &impl Pass) {
        let whole = image(gpu, size, pass).unwrap();
        let parts = image_in_parts(gpu, size, pass, 100).unwrap();
        let differing = whole.dots.iter().zip(&parts.dots).filter(|(a, b)| a.abs_diff(**b) > 2).count();
        // Corners are rounded to a fraction of a dot from another origin, which moves an edge now and then.
        assert!(differing * 1000 <= whole.dots.len(), "{differing} of {} differ", whole.dots.len());
    }
    let scene = star();
    held(&gpu, size, &arrows(&gpu, &scene, scene.home(), Theme::Dark));
    let matrix = matrix(300, 450, |row, column| ((row * 31 + column * 17) % 101) as f32 / 50.0 - 1.0);
    held(&gpu, size, &heat_map(&gpu, &matrix, Window::whole(&matrix.field), Theme::Light));
}

#[test]
fn what_is_drawn_is_picked_and_the_rest_is_not() {
    let gpu = Gpu::headless().unwrap();
    let size = [480, 300];
    let scene = Scene { trails: Vec::new(), axes: Default::default(), ..star() };
    let empty = Scene { arrows: Vec::new(), ..scene.clone() };
    for yaw in [0.4, 2.9] {
        let camera = Camera { yaw, ..scene.home() };
        let with = image(&gpu, size, &arrows(&gpu, &scene, camera, Theme::Light)).unwrap();
        let without = image(&gpu, size, &arrows(&gpu, &empty, camera, Theme::Light)).unwrap();
        let mut drawn = 0;
        for place in (0..size[1]).flat_map(|y| (0..size[0]).map(move |x| [x, y])) {
            let picked = pick(&scene, &camera, place.map(|along| along as f32 + 0.5), size.map(|length| length as f32));
            let difference = apart(dot(&with, place), dot(&without, place));
            // Shadows on the floor differ by less.
            if difference > 110 {
                drawn += 1;
                assert!(picked.is_some(), "{place:?} is drawn and not picked, from {yaw}");
            }
            if picked.is_none() {
                assert!(difference < 110, "{place:?} is not picked and differs by {difference}");
            }
        }
        assert!(drawn > 1500, "{drawn} dots are drawn");
        for (index, arrow) in scene.arrows.iter().enumerate() {
            let middle = std::array::from_fn(|axis| f32::midpoint(arrow.from[axis], arrow.to[axis]));
            let at = camera.project(middle, size.map(|length| length as f32)).unwrap().at;
            let picked = pick(&scene, &camera, at, size.map(|length| length as f32));
            let place = at.map(|along| along as u32);
            assert!(apart(dot(&with, place), dot(&without, place)) > 60, "{index} is drawn at {place:?}");
            assert!(picked.is_some());
        }
    }
}

#[test]
fn what_is_in_front_hides_what_is_behind_in_whatever_order() {
    let gpu = Gpu::headless().unwrap();
    let camera = Camera { yaw: 0.0, pitch: 0.0, ..Camera::around(1.0) };
    let front = arrow(1, [-0.8, 0.0, 0.5], [0.8, 0.0, 0.5], 0.0);
    let behind = arrow(2, [0.0, -0.8, -0.5], [0.0, 0.8, -0.5], 1.0);
    let drawn = [vec![front.clone(), behind.clone()], vec![behind, front]].map(|arrows_in_order| {
        let scene = Scene { arrows: arrows_in_order, reach: 1.0, ..Scene::default() };
        dot(&image(&gpu, [200, 200], &arrows(&gpu, &scene, camera, Theme::Light)).unwrap(), [100, 100])
    });
    assert_eq!(drawn[0], drawn[1]);
    let [front, behind] = [0.0, 1.0].map(|order| Tone::Ordered(order).rgb(Theme::Light));
    assert!(apart(drawn[0], front) < apart(drawn[0], behind), "{drawn:?}, {front:?} is in front of {behind:?}");
}

#[test]
fn a_selected_arrow_stays_while_others_fade() {
    let gpu = Gpu::headless().unwrap();
    let scene = Scene { trails: Vec::new(), ..star() };
    let camera = scene.home();
    let size = [480, 300];
    let mut pass = arrows(&gpu, &scene, camera, Theme::Light);
    let before = image(&gpu, size, &pass).unwrap();
    pass.set_scene(&gpu.device, &scene, Emphasis { selected: Some(2), pointed: None }, Theme::Light);
    let after = image(&gpu, size, &pass).unwrap();
    let tip = |index: usize| {
        let point = scene.arrows[index].to.map(|along| along * 0.6);
        camera.project(point, size.map(|length| length as f32)).unwrap().at.map(|along| along as u32)
    };
    assert!(apart(dot(&before, tip(2)), dot(&after, tip(2))) < 12);
    let contrast = |image: &Image, place| apart(dot(image, place), Theme::Light.ground());
    assert!(contrast(&after, tip(0)) * 2 < contrast(&before, tip(0)));
}

/// Crowds are drawn in another way: its colours and places are those of single arrows.
#[test]
fn a_crowd_is_drawn_where_it_is_picked() {
    let gpu = Gpu::headless().unwrap();
    let size = [480, 300];
    let many = (0..400_u16).map(|index| {
        let [x, y] = [f32::from(index % 20) / 10.0 - 1.0, f32::from(index / 20) / 10.0 - 1.0];
        arrow(u64::from(index), [x, y, 0.0], [x + 0.08, y + 0.05, 0.0], 0.1)
    });
    let scene = Scene { arrows: many.collect(), reach: 1.0, ..Scene::default() };
    let camera = Camera { yaw: 0.0, pitch: 0.0, ..scene.home() };
    let drawn = image(&gpu, size, &arrows(&gpu, &scene, camera, Theme::Light)).unwrap();
    let seen = scene.arrows.iter().enumerate().filter(|(index, arrow)| {
        let near_tip = std::array::from_fn(|axis| arrow.from[axis] + 0.75 * (arrow.to[axis] - arrow.from[axis]));
        let at = camera.project(near_tip, size.map(|length| length as f32)).unwrap().at;
        assert_eq!(pick(&scene, &camera, at, size.map(|length| length as f32)), Some(*index));
        apart(dot(&drawn, at.map(|along| along as u32)), Theme::Light.ground()) > 60
    });
    assert!(seen.count() > 380);
}
