//! Charts in the window: the same layout as in a file, over an egui_plot that gives them panning and zooming.
//!
//! Drag pans, a drag with the right button or the wheel with Ctrl zooms, a double click shows everything again.

pub mod bars;
mod canvas;
mod forest;
pub mod gain_map;
mod legend;
pub mod parallel;
pub mod river;

use std::borrow::Cow;

use eframe::egui::accesskit::Role;
use eframe::egui::{self, AsIdSalt, Color32, Id, PopupAnchor, Pos2, Response, Sense, Tooltip, Ui, Vec2, WidgetInfo};
use egui_plot::{Plot, PlotMemory};

use self::canvas::{Canvas, colour};
use self::gain_map::ClickedCell;
pub use self::legend::as_seen;
use super::picture::{Caption, Frame};
use super::scale::{self, Range, value_label};
use super::scene::legend as legend_scene;
use super::scene::lines::{self, PlotArea};
use super::scene::{
    Rect, Scene, Words, bars as bar_scene, dots, heat_map, listing, marks, parallel as parallel_scene, picture,
    scatter, size,
};
use super::series_style::{Rgb, SeriesStyle, Theme, text_on};
use super::{BarsArea, Body, Chart, HeatMap, Highlight, Lines, Picture, Point, Series, Ticks};

/// Draws `chart` in `size` at the place where `ui` stands.
///
/// `id` tells this chart from others in the window; its zoom is kept under it. Hovering shows the series and values of
/// the nearest point, or the cell. The response's accessible name is [`Chart::description`].
pub fn show(ui: &mut Ui, chart: &Chart, id: impl AsIdSalt, size: Vec2) -> Response {
    show_highlighted(ui, chart, id, size, &mut Highlight::default())
}

/// As [`show`], with what the user has marked and pointed at, here or on a chart beside this one.
pub fn show_highlighted(
    ui: &mut Ui,
    chart: &Chart,
    id: impl AsIdSalt,
    size: Vec2,
    highlight: &mut Highlight,
) -> Response {
    let id = ui.make_persistent_id(id);
    highlight.hidden = legend::hidden(ui, id);
    let hidden = highlight.hidden.clone();
    let mut draw = |ui: &mut Ui, scene: &mut Scene, room: Rect, canvas: &Canvas<'_>| match &chart.body {
        Body::Lines(lines) => {
            let room = legend_scene::draw(scene, &lines.series, room);
            let lines = &*legend::shown(lines, &scene.hidden);
            let whole = [scale::x_range(lines), scale::y_range(lines)];
            show_lines(ui, scene, lines, LinesDrawing { room, whole, draw: lines::data }, canvas, id)
        }
        Body::Scatter(points) => {
            let drawing = LinesDrawing { room, whole: scatter::ranges(points), draw: scatter::data };
            show_lines(ui, scene, points, drawing, canvas, id)
        }
        Body::Dots(dots) => {
            let room = legend_scene::draw(scene, &dots.series, room);
            let dots = &*legend::shown(dots, &scene.hidden);
            let whole = [scale::x_range(dots), scale::y_range(dots)];
            show_lines(ui, scene, dots, LinesDrawing { room, whole, draw: dots::data }, canvas, id)
        }
        Body::Forest(plot) => forest::show(ui, scene, plot, room, canvas, id),
        Body::Bars(bars) => bars::show(ui, scene, bars, room, canvas, id).0,
        Body::GainMap(gains) => gain_map::show(ui, scene, gains, room, canvas, id).0,
        Body::HeatMap(map) => show_heat_maps(ui, scene, &[("", map)], room, canvas, id),
        Body::HeatMaps(panels) => show_heat_maps(ui, scene, &heat_map::named(panels), room, canvas, id),
        Body::Parallel(parallel) => parallel::show(ui, scene, parallel, room, canvas, id, highlight),
        Body::River(river) => river::show(ui, scene, river, room, canvas, id, highlight),
        Body::Picture(_) | Body::Pictures(_) => show_pictures(ui, scene, &chart.body.pictures(), room, canvas, id),
        Body::Listing(rows) => {
            listing::draw(scene, rows, room);
            canvas.paint(&scene.shapes);
            ui.interact(egui::Rect::from_min_size(canvas.origin, size), id, Sense::hover())
        }
        Body::Empty(missing) => {
            scene.empty(missing, room);
            canvas.paint(&scene.shapes);
            ui.interact(egui::Rect::from_min_size(canvas.origin, size), id, Sense::hover())
        }
    };
    let drawn = |ui: &mut Ui, scene: &mut Scene, room: Rect, canvas: &Canvas<'_>| {
        scene.hidden = hidden;
        let response = draw(ui, scene, room, canvas);
        (response, legend::show(ui, chart, scene, canvas, id))
    };
    laid_out(ui, chart, size, drawn).0
}

/// As [`show`] for bars, and where they are, for what is laid over them; the response senses clicks. None of other charts,
/// which are not drawn.
pub fn show_bars(ui: &mut Ui, chart: &Chart, id: impl AsIdSalt, size: Vec2) -> Option<(Response, BarsArea)> {
    let Body::Bars(bars) = &chart.body else { return None };
    let id = ui.make_persistent_id(id);
    Some(laid_out(ui, chart, size, |ui, scene, room, canvas| bars::show(ui, scene, bars, room, canvas, id)))
}

/// As [`show`] for a map of gains, and the cell that is clicked. None of other charts, which are not drawn.
pub fn show_gain_map(ui: &mut Ui, chart: &Chart, id: impl AsIdSalt, size: Vec2) -> Option<(Response, ClickedCell)> {
    let Body::GainMap(gains) = &chart.body else { return None };
    let id = ui.make_persistent_id(id);
    Some(laid_out(ui, chart, size, |ui, scene, room, canvas| gain_map::show(ui, scene, gains, room, canvas, id)))
}

/// Lays out what every chart has around it, lets `draw` draw the chart into the room that is left, and names it.
fn laid_out<T>(
    ui: &mut Ui,
    chart: &Chart,
    size: Vec2,
    draw: impl FnOnce(&mut Ui, &mut Scene, Rect, &Canvas<'_>) -> (Response, T),
) -> (Response, T) {
    let (at, _) = ui.allocate_exact_size(size, Sense::hover());
    let mut scene = scene_for(ui, size);
    scene.least_plot = Some(LEAST_PLOT * size.y);
    let words = words_with_room(&mut scene, chart);
    let room = scene.frame(chart, words);
    let painter = ui.painter_at(at);
    let canvas = Canvas { painter: &painter, origin: at.min };
    given_up(ui, chart, words, canvas.rect(Rect { left: 0.0, top: 0.0, right: size.x, bottom: room.top }));
    let drawn = draw(ui, &mut scene, room, &canvas);
    let description = chart.description();
    drawn.0.widget_info(|| WidgetInfo::labeled(Role::Image, true, &description));
    drawn
}

/// The part of a chart's height that its plot keeps, as long as there are words to give up for it.
const LEAST_PLOT: f32 = 0.6;

/// The words around a chart that leave its plot room: first the caption is given up, then legend rows, then the subtitle.
fn words_with_room(scene: &mut Scene, chart: &Chart) -> Words {
    let entries: Cow<'_, [Series]> = match &chart.body {
        Body::Lines(lines) | Body::Dots(lines) => Cow::Borrowed(&lines.series),
        Body::Bars(bars) => Cow::Owned(bar_scene::entries(bars)),
        Body::Parallel(parallel) => Cow::Owned(parallel_scene::entries(parallel)),
        Body::Empty(_) => return Words::ALL,
        _ => Cow::Borrowed(&[]),
    };
    let mut leaves_room = |words: Words| {
        let room = scene.frame(chart, words);
        scene.shapes.clear();
        let [whole, least] = legend_scene::heights(scene, &entries, room);
        let legend = if words.caption { whole } else { least };
        room.height() - scene.axes_height() - legend >= scene.least_plot.unwrap_or_default()
    };
    let ways = [Words::ALL, Words { caption: false, ..Words::ALL }];
    ways.into_iter().find(|words| leaves_room(*words)).unwrap_or(Words { subtitle: false, caption: false })
}

/// Says what had no room to who points at the chart's title.
fn given_up(ui: &Ui, chart: &Chart, words: Words, title: egui::Rect) {
    let subtitle = chart.subtitle.as_deref().filter(|_| !words.subtitle);
    let caption = chart.caption.as_deref().filter(|_| !words.caption);
    if subtitle.is_some() || caption.is_some() {
        let response = ui.interact(title, ui.scope_id().with(("words", title.min.x as i32)), Sense::hover());
        response.on_hover_ui(|ui| [subtitle, caption].into_iter().flatten().for_each(|words| _ = ui.label(words)));
    }
}

/// Draws the mark of a line on its own, as on the chart: what a row of a table is about.
pub fn mark(ui: &Ui, style: SeriesStyle, centre: Pos2, radius: f32) {
    let mut scene = scene_for(ui, Vec2::splat(1000.0));
    scene.scale = radius / marks::MARK;
    marks::mark(&mut scene, style, style.marker.unwrap_or(style.ink.lone_mark()), [0.0, 0.0]);
    Canvas { painter: ui.painter(), origin: centre }.paint(&scene.shapes);
}

/// Draws what stands around a picture at `at`; returns the place of the picture.
pub(crate) fn framed(ui: &Ui, at: egui::Rect, frame: &Frame) -> egui::Rect {
    let mut scene = scene_for(ui, at.size());
    let room = Rect { left: 0.0, top: 0.0, right: at.width(), bottom: at.height() };
    let area = picture::frame(&mut scene, frame, room);
    let painter = ui.painter_at(at);
    let canvas = Canvas { painter: &painter, origin: at.min };
    canvas.paint(&scene.shapes);
    canvas.rect(area)
}

/// Draws the words on a picture that is at `at`.
pub(crate) fn captions(ui: &Ui, at: egui::Rect, captions: &[Caption]) {
    let mut scene = scene_for(ui, at.size());
    // In a small picture words stay as large as others of the window.
    scene.scale = scene.scale.max(0.88);
    let room = Rect { left: 0.0, top: 0.0, right: at.width(), bottom: at.height() };
    picture::captions(&mut scene, captions, room);
    let painter = ui.painter_at(at);
    Canvas { painter: &painter, origin: at.min }.paint(&scene.shapes);
}

/// An empty scene that is set in the window's own text size, smaller where it would not fit.
fn scene_for(ui: &Ui, chart_size: Vec2) -> Scene {
    let body = egui::TextStyle::Body.resolve(ui.style()).size;
    let scale = (body / size::TICK).min(chart_size.x / 420.0).min(chart_size.y / 240.0).max(0.3);
    let theme = if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light };
    let [red, green, blue, _] = ui.visuals().panel_fill.to_array();
    let ground = [red, green, blue];
    Scene { ground, ..Scene::empty_of(chart_size.x, chart_size.y, theme, scale) }
}

/// How lines or points are drawn.
#[derive(Clone, Copy)]
struct LinesDrawing {
    /// What is left for axes and data.
    room: Rect,
    /// The ranges of the axes that show everything.
    whole: [Range; 2],
    /// Draws what lies between the axes.
    draw: fn(&mut Scene, &Lines, &PlotArea),
}

/// Draws lines or points in the room that is left for them, with their ranges as a whole and the way to draw them.
fn show_lines(
    ui: &mut Ui,
    scene: &mut Scene,
    lines: &Lines,
    drawing: LinesDrawing,
    canvas: &Canvas<'_>,
    id: Id,
) -> Response {
    let LinesDrawing { room, whole, draw } = drawing;
    // The room for the labels follows the zoom of the last frame, the labels themselves that of this one.
    let [x, y] = zoomed(ui, id).unwrap_or(whole);
    let mut area = lines::plot_area(scene, lines, room, x, y);
    let (response, [x, y]) = navigation(ui, canvas.rect(area.at), whole, id);
    [area.x, area.y] = [x, y];
    lines::axes(scene, lines, room, &area);
    canvas.paint(&scene.shapes);

    scene.shapes.clear();
    draw(scene, lines, &area);
    let nearest = response.hover_pos().and_then(|pointer| nearest(lines, &area, canvas.scene_position(pointer)));
    // Marks at the edge of the data reach a little beyond the plot.
    let clip = canvas.rect(area.at).expand(scene.scaled(6.0));
    let inside = canvas.painter.with_clip_rect(clip.intersect(canvas.painter.clip_rect()));
    let inside = Canvas { painter: &inside, origin: canvas.origin };
    inside.paint(&scene.shapes);
    if let Some((series, point)) = nearest {
        let centre = inside.position(area.drawn(lines, &point).0);
        let colour = colour(series.style.ink.rgb(scene.theme));
        inside.painter.circle_stroke(centre, scene.scaled(9.0), egui::Stroke::new(1.5, colour));
        tooltip(ui, &response, |ui| point_values(ui, lines, series, point));
    }
    response
}

/// What is shown of the chart when it is zoomed.
fn zoomed(ui: &Ui, id: Id) -> Option<[Range; 2]> {
    let memory = PlotMemory::load(ui.ctx(), id).filter(|memory| !memory.auto_bounds.any())?;
    Some(ranges(memory.bounds()))
}

fn ranges(bounds: &egui_plot::PlotBounds) -> [Range; 2] {
    let [[left, bottom], [right, top]] = [bounds.min(), bounds.max()];
    [Range { low: left, high: right }, Range { low: bottom, high: top }]
}

/// Lets the user pan and zoom in `at`; returns the ranges that are shown.
fn navigation(ui: &mut Ui, at: egui::Rect, [x, y]: [Range; 2], id: Id) -> (Response, [Range; 2]) {
    // A child of its own: the chart's place is taken already, and `ui` stands behind it.
    let mut inside = ui.new_child(egui::UiBuilder::new().max_rect(at));
    let plot = Plot::new(id)
        .id(id)
        .width(at.width())
        .height(at.height())
        .min_size(Vec2::splat(1.0))
        .include_x(x.low)
        .include_x(x.high)
        .include_y(y.low)
        .include_y(y.high)
        .set_margin_fraction(Vec2::ZERO)
        .show_background(false)
        .show_axes(false)
        .show_grid(false)
        .show_crosshair(false)
        .show_x(false)
        .show_y(false)
        .allow_scroll(false)
        .allow_axis_zoom_drag(false)
        .show(&mut inside, |_| ());
    (plot.response, ranges(plot.transform.bounds()))
}

/// The point nearest to `pointer`, if there is one close by.
fn nearest<'a>(lines: &'a Lines, area: &PlotArea, pointer: [f32; 2]) -> Option<(&'a Series, Point)> {
    const CLOSE: f32 = 40.0;
    let distance = |point: &Point| {
        let ([x, y], _) = area.drawn(lines, point);
        (x - pointer[0]).hypot(y - pointer[1])
    };
    let points = lines.series.iter().flat_map(|series| series.points.iter().map(move |point| (series, *point)));
    points
        .map(|(series, point)| (distance(&point), series, point))
        .filter(|(distance, ..)| *distance <= CLOSE)
        .min_by(|(a, ..), (b, ..)| a.total_cmp(b))
        .map(|(_, series, point)| (series, point))
}

pub(crate) fn tooltip<R>(ui: &Ui, response: &Response, contents: impl FnOnce(&mut Ui) -> R) {
    let tooltip = Tooltip::always_open(ui.ctx().clone(), ui.layer_id(), response.id, PopupAnchor::Pointer);
    tooltip.gap(14.0).show(contents);
}

fn point_values(ui: &mut Ui, lines: &Lines, series: &Series, point: Point) {
    ui.strong(&series.name);
    for (axis, value) in [(&lines.x, point.x), (&lines.y, point.y)] {
        let unit = axis.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
        let value = match axis.name(value) {
            Some(name) => name,
            None if axis.ticks == Ticks::Whole => scale::grouped(value, 0),
            None => value_label(axis.number(value)),
        };
        ui.label(format!("{} {value}{unit}", axis.label));
    }
    if let Some([low, high]) = point.spread {
        ui.label(format!("from {} to {}", value_label(low), value_label(high)));
    }
}

fn show_pictures(
    ui: &mut Ui,
    scene: &mut Scene,
    pictures: &[(&str, &Picture)],
    room: Rect,
    canvas: &Canvas<'_>,
    id: Id,
) -> Response {
    let mut places = picture::beside(scene, pictures.len(), room);
    for ((name, _), area) in pictures.iter().zip(&mut places) {
        area.top += heat_map::heading(scene, name, *area);
    }
    canvas.paint(&scene.shapes);
    let shown = pictures.iter().zip(places).enumerate();
    let shown = shown.map(|(number, ((_, picture), area))| {
        let id = if number == 0 { id } else { id.with(number) };
        picture.show(ui, canvas.rect(area), id)
    });
    let responses: Vec<Response> = shown.collect();
    responses
        .into_iter()
        .reduce(|all, one| all | one)
        .unwrap_or_else(|| ui.interact(canvas.rect(room), id, Sense::hover()))
}

fn show_heat_maps(
    ui: &Ui,
    scene: &mut Scene,
    maps: &[(&str, &HeatMap)],
    room: Rect,
    canvas: &Canvas<'_>,
    id: Id,
) -> Response {
    let all = heat_map::draw(scene, maps, room);
    canvas.paint(&scene.shapes);
    let cells = all.iter().map(|cells| canvas.rect(*cells)).reduce(egui::Rect::union);
    let response = ui.interact(cells.unwrap_or_else(|| canvas.rect(room)), id, Sense::hover());
    let hovered = response.hover_pos().and_then(|pointer| {
        let pointer = canvas.scene_position(pointer);
        let mut cells = maps.iter().zip(&all);
        cells.find_map(|(&(name, map), cells)| Some((name, map, hovered_cell(map, *cells, pointer)?)))
    });
    if let Some((name, map, (row, column))) = hovered {
        let value = map.values.get(row).and_then(|values| values.get(column)).copied().flatten();
        tooltip(ui, &response, |ui| {
            if !name.is_empty() {
                ui.label(name);
            }
            ui.label(format!("{} {}", map.row_label, map.rows[row]));
            ui.label(format!("{} {}", map.column_label, map.columns[column]));
            let value = value.map_or_else(|| "not measured".to_owned(), value_label);
            ui.strong(format!("{} {value}", map.value.label));
        });
    }
    response
}

fn hovered_cell(map: &HeatMap, cells: Rect, [x, y]: [f32; 2]) -> Option<(usize, usize)> {
    if x < cells.left || y < cells.top {
        return None;
    }
    let row = ((y - cells.top) / cells.height() * map.rows.len() as f32) as usize;
    let column = ((x - cells.left) / cells.width() * map.columns.len() as f32) as usize;
    (row < map.rows.len() && column < map.columns.len()).then_some((row, column))
}

/// The colour of the series at a slot, for what the window draws beside its charts.
pub(crate) fn series_colour(slot: usize, dark: bool) -> Color32 {
    colour(series_ink(slot, dark))
}

/// The colour of text that stands on [`series_colour`].
pub(crate) fn text_on_series(slot: usize, dark: bool) -> Color32 {
    colour(text_on(series_ink(slot, dark)))
}

fn series_ink(slot: usize, dark: bool) -> Rgb {
    SeriesStyle::method(slot).ink.rgb(if dark { Theme::Dark } else { Theme::Light })
}
