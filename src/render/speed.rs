//! How fast this machine draws pictures: frames of a large matrix that is moved and zoomed, and of many arrows that turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use eframe::egui_wgpu::wgpu;
use serde::Serialize;

use super::arrows::pass::{MAX_ROUND, MAX_WITH_RIMS};
use super::arrows::{Arrow, ArrowPass, Emphasis, Scene, Trail};
use super::heat_map::{Field, HeatMapPass, Matrix, Window};
use super::offscreen::{Gpu, Part, Pass, Target};
use crate::plot::Undrawable;
use crate::plot::series_style::{Theme, Tone};

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Speed {
    /// The device, as its driver names it.
    pub device: String,
    /// Width and height of the pictures in dots.
    pub picture: [u32; 2],
    /// Rows and columns of the matrix.
    pub matrix: [usize; 2],
    /// Seconds from its values to the levels that are drawn.
    pub matrix_levels_seconds: f64,
    /// Seconds of its first frame, with the copy to the device.
    pub matrix_first_frame_seconds: f64,
    /// Moved while all of it is shown.
    pub matrix_whole_frames_per_second: f64,
    /// Zoomed from all of it to a few cells and back, moving on the way.
    pub matrix_zoom_frames_per_second: f64,
    /// The slowest of these frames.
    pub matrix_slowest_frame_seconds: f64,
    /// Scenes of the most arrows that are drawn with rims, that are drawn round, and of many.
    pub scenes: Vec<Turned>,
}

/// Arrows that turned about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Turned {
    pub arrows: usize,
    pub frames_per_second: f64,
    pub slowest_frame_seconds: f64,
}

const PICTURE: [u32; 2] = [1280, 800];
const MATRIX: [usize; 2] = [8192, 2048];
/// Sizes of scenes: the largest of each way that arrows are drawn in, and a crowd.
const SCENES: [usize; 3] = [MAX_WITH_RIMS as usize, MAX_ROUND as usize, 2000];
/// How long each kind of frames is drawn.
const TIME: Duration = Duration::from_secs(2);

/// Draws without a window and takes the time.
///
/// # Errors
/// [`Undrawable::Device`] where there is no graphics device.
pub fn measure() -> Result<Speed, Undrawable> {
    let gpu = Gpu::headless()?;
    let start = Instant::now();
    let field = Arc::new(field()?);
    let matrix_levels_seconds = start.elapsed().as_secs_f64();
    let matrix = Matrix::around_zero(Arc::clone(&field), "ΔW");
    let mut pass = HeatMapPass::new(&gpu.device);
    let ground = Theme::Light.ground();
    let whole = Window::whole(&field);
    let start = Instant::now();
    pass.set_matrix(&gpu, &matrix, Theme::Light);
    pass.set_view(whole, ground, 1.0);
    let target = Target::new(&gpu.device, PICTURE, pass.ground());
    frame(&gpu, &pass, &target)?;
    let matrix_first_frame_seconds = start.elapsed().as_secs_f64();
    let moved = frames(&gpu, &mut pass, &target, |pass, part| {
        let aside = 0.2 * (part * 20.0).sin() * whole.width();
        let window = Window { left: aside, right: whole.width() + aside, ..whole };
        pass.set_view(window, ground, 1.0);
    })?;
    let zoomed = frames(&gpu, &mut pass, &target, |pass, part| {
        let closer = 500_f64.powf(0.5 - 0.5 * (part * std::f64::consts::TAU).cos());
        pass.set_view(whole.zoomed(closer, [0.3 + 0.4 * part, 0.6], &field), ground, 1.0);
    })?;
    let scenes = SCENES.iter().map(|&arrows| turned(&gpu, arrows)).collect::<Result<_, _>>()?;
    Ok(Speed {
        device: gpu.name,
        picture: PICTURE,
        matrix: MATRIX,
        matrix_levels_seconds,
        matrix_first_frame_seconds,
        matrix_whole_frames_per_second: moved.per_second,
        matrix_zoom_frames_per_second: zoomed.per_second,
        matrix_slowest_frame_seconds: moved.slowest.max(zoomed.slowest),
        scenes,
    })
}

fn turned(gpu: &Gpu, arrows: usize) -> Result<Turned, Undrawable> {
    let scene = scene(arrows);
    let mut pass = ArrowPass::new(&gpu.device);
    pass.set_scene(&gpu.device, &scene, Emphasis::default(), Theme::Light);
    let target = Target::new(&gpu.device, PICTURE, pass.ground());
    let turned = frames(gpu, &mut pass, &target, |pass, part| {
        let mut camera = scene.home();
        camera.orbit(part as f32 * std::f32::consts::TAU, 0.2);
        pass.set_view(camera, Theme::Light.ground(), 1.0);
    })?;
    Ok(Turned {
        arrows: scene.arrows.len(),
        frames_per_second: turned.per_second,
        slowest_frame_seconds: turned.slowest,
    })
}

struct Frames {
    per_second: f64,
    /// In seconds.
    slowest: f64,
}

/// Draws for a while; `set` gets the part of the time that is over, from 0 to 1.
fn frames<P: Pass>(gpu: &Gpu, pass: &mut P, target: &Target, set: impl Fn(&mut P, f64)) -> Result<Frames, Undrawable> {
    // The first frame of a pipeline compiles it.
    set(pass, 0.0);
    frame(gpu, pass, target)?;
    let start = Instant::now();
    let (mut count, mut slowest) = (0_u32, 0.0_f64);
    while start.elapsed() < TIME {
        let begun = Instant::now();
        set(pass, start.elapsed().as_secs_f64() / TIME.as_secs_f64());
        frame(gpu, pass, target)?;
        slowest = slowest.max(begun.elapsed().as_secs_f64());
        count += 1;
    }
    Ok(Frames { per_second: f64::from(count) / start.elapsed().as_secs_f64(), slowest })
}

/// Draws one frame and waits until it is done.
fn frame(gpu: &Gpu, pass: &impl Pass, target: &Target) -> Result<(), Undrawable> {
    let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("frame") });
    pass.draw(gpu, &mut encoder, &Part::whole(target.size), target);
    gpu.queue.submit([encoder.finish()]);
    let waited = gpu.device.poll(wgpu::PollType::wait_indefinitely());
    waited.map(|_| ()).map_err(|error| Undrawable::Device(error.to_string()))
}

/// A matrix of rank 2 with rough and smooth parts.
fn field() -> Result<Field, Undrawable> {
    let [rows, columns] = MATRIX;
    let along = |count: usize, smooth: f32, rough: usize| -> Vec<[f32; 2]> {
        let value = |index: usize| [(index as f32 * smooth).sin(), (index * rough % 211) as f32 / 105.0 - 1.0];
        (0..count).map(value).collect()
    };
    let [left, right] = [along(rows, 0.004, 7919), along(columns, 0.011, 104_729)];
    let values =
        left.iter().flat_map(|row| right.iter().map(move |column| row[0] * column[0] + 0.4 * row[1] * column[1]));
    Field::new(rows, columns, values.collect()).map_err(|error| Undrawable::Writer(error.to_string()))
}

/// Arrows in all directions, in five groups joined by trails.
fn scene(arrows: usize) -> Scene {
    const GROUPS: usize = 5;
    let directions = arrows / GROUPS;
    let to = |direction: usize, group: usize| {
        let angle = direction as f32 * 2.4 + group as f32 * 0.08;
        let height = 1.0 - 2.0 * (direction as f32 + 0.5) / directions as f32;
        let around = (1.0 - height * height).sqrt();
        let length = 0.45 + 0.5 * ((direction * 37 % 100) as f32 / 100.0);
        [around * angle.cos(), height, around * angle.sin()].map(|part| part * length)
    };
    let arrow = |direction: usize, group: usize| Arrow {
        key: (direction * GROUPS + group) as u64,
        name: format!("Direction {direction} of group {group}"),
        from: [0.0; 3],
        to: to(direction, group),
        tone: Tone::of(group, GROUPS),
        width: 1.0,
        label: String::new(),
        faint: false,
        group,
        place: 0,
        series: 0,
    };
    let trail = |direction: usize| Trail {
        key: direction as u64,
        points: (0..GROUPS).map(|group| to(direction, group)).collect(),
        tones: (0..GROUPS).map(|group| Tone::of(group, GROUPS)).collect(),
        width: 1.0,
    };
    let pairs = (0..directions).flat_map(|direction| (0..GROUPS).map(move |group| (direction, group)));
    let scene = Scene {
        arrows: pairs.map(|(direction, group)| arrow(direction, group)).collect(),
        trails: (0..directions).map(trail).collect(),
        axes: ["First", "Second", "Third"].map(str::to_owned),
        ..Scene::default()
    };
    scene.fitted()
}
