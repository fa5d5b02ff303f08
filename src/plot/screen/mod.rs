//! Charts in the window: the same layout as in a file, over an egui_plot that gives them panning and zooming.
//!
//! Drag pans, a drag with the right button or the wheel with Ctrl zooms, a double click shows everything again.

pub mod bars;
mod forest;
pub mod parallel;
pub mod river;

use eframe::egui::accesskit::Role;
use eframe::egui::epaint::{Mesh, PathStroke, TextShape};
use eframe::egui::{
    self, AsIdSalt, Color32, FontId, Id, Painter, PopupAnchor, Pos2, Response, Sense, Tooltip, Ui, Vec2, WidgetInfo,
};
use egui_plot::{Plot, PlotMemory};

use super::picture::{Caption, Frame};
use super::scale::{self, Range, value_label};
use super::scene::lines::{self, PlotArea};
use super::scene::{Anchor, Rect, Scene, Shape, Stroke, Text, dots, heat_map, listing, picture, scatter, size};
use super::series_style::{ColourMap, Rgb, SeriesStyle, Theme, text_on};
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
    let mut draw = |ui: &mut Ui, scene: &mut Scene, room: Rect, canvas: &Canvas<'_>| match &chart.body {
        Body::Lines(lines) => {
            let whole = [scale::x_range(lines), scale::y_range(lines)];
            let room = lines::legend(scene, &lines.series, room);
            show_lines(ui, scene, lines, LinesDrawing { room, whole, draw: lines::data }, canvas, id)
        }
        Body::Scatter(points) => {
            let drawing = LinesDrawing { room, whole: scatter::ranges(points), draw: scatter::data };
            show_lines(ui, scene, points, drawing, canvas, id)
        }
        Body::Dots(dots) => {
            let whole = [scale::x_range(dots), scale::y_range(dots)];
            let room = lines::legend(scene, &dots.series, room);
            show_lines(ui, scene, dots, LinesDrawing { room, whole, draw: dots::data }, canvas, id)
        }
        Body::Forest(plot) => forest::show(ui, scene, plot, room, canvas, id),
        Body::Bars(bars) => bars::show(ui, scene, bars, room, canvas, id).0,
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
    laid_out(ui, chart, size, |ui, scene, room, canvas| (draw(ui, scene, room, canvas), ())).0
}

/// As [`show`] for bars, and where they are, for what is laid over them; the response senses clicks. None of other charts,
/// which are not drawn.
pub fn show_bars(ui: &mut Ui, chart: &Chart, id: impl AsIdSalt, size: Vec2) -> Option<(Response, BarsArea)> {
    let Body::Bars(bars) = &chart.body else { return None };
    let id = ui.make_persistent_id(id);
    Some(laid_out(ui, chart, size, |ui, scene, room, canvas| bars::show(ui, scene, bars, room, canvas, id)))
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
    let room = scene.frame(chart);
    let painter = ui.painter_at(at);
    let drawn = draw(ui, &mut scene, room, &Canvas { painter: &painter, origin: at.min });
    let description = chart.description();
    drawn.0.widget_info(|| WidgetInfo::labeled(Role::Image, true, &description));
    drawn
}

/// Draws the mark of a line on its own, as on the chart: what a row of a table is about.
pub fn mark(ui: &Ui, style: SeriesStyle, centre: Pos2, radius: f32) {
    let mut scene = scene_for(ui, Vec2::splat(1000.0));
    scene.scale = radius / lines::MARK;
    lines::mark(&mut scene, style, style.marker.unwrap_or(style.ink.lone_mark()), [0.0, 0.0]);
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
    Scene { width: chart_size.x, height: chart_size.y, theme, ground, scale, images: Vec::new(), shapes: Vec::new() }
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
            None => value_label(value),
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

/// Where a scene is painted.
pub(super) struct Canvas<'a> {
    painter: &'a Painter,
    /// Where the scene's origin is.
    origin: Pos2,
}

impl Canvas<'_> {
    fn position(&self, [x, y]: [f32; 2]) -> Pos2 {
        self.origin + Vec2::new(x, y)
    }

    pub(super) fn scene_position(&self, position: Pos2) -> [f32; 2] {
        (position - self.origin).into()
    }

    pub(super) fn rect(&self, at: Rect) -> egui::Rect {
        egui::Rect::from_min_max(self.position([at.left, at.top]), self.position([at.right, at.bottom]))
    }

    pub(super) fn paint(&self, shapes: &[Shape]) {
        for shape in shapes {
            self.paint_shape(shape);
        }
    }

    fn paint_shape(&self, shape: &Shape) {
        match shape {
            Shape::Rect { at, fill, radius } => {
                self.painter.rect_filled(self.rect(*at), *radius, colour(*fill));
            }
            Shape::Frame { at, stroke } => {
                self.painter.rect_stroke(self.rect(*at), 0.0, pen(stroke), egui::StrokeKind::Inside);
            }
            Shape::Line { points, stroke } => self.line(points, stroke),
            Shape::Band { upper, lower, fill, opacity } => self.band([upper, lower], *fill, *opacity),
            Shape::Mark { points, fill, edge } => {
                let points = points.iter().map(|point| self.position(*point)).collect();
                let edge: PathStroke = pen(edge).into();
                self.painter.add(egui::Shape::convex_polygon(points, colour(*fill), edge));
            }
            Shape::Circle { centre, radius, fill, edge } => {
                self.painter.circle(self.position(*centre), *radius, colour(*fill), pen(edge));
            }
            Shape::Heat { at, map, theme } => self.heat(*at, *map, *theme),
            Shape::Text(text) => self.text(text),
        }
    }

    fn line(&self, points: &[[f32; 2]], stroke: &Stroke) {
        let points: Vec<Pos2> = points.iter().map(|point| self.position(*point)).collect();
        if stroke.dashes.is_empty() {
            self.painter.add(egui::Shape::line(points, pen(stroke)));
            return;
        }
        let [dashes, gaps] =
            [0, 1].map(|first| stroke.dashes.iter().skip(first).step_by(2).copied().collect::<Vec<_>>());
        self.painter.extend(egui::Shape::dashed_line_with_offset(&points, pen(stroke), &dashes, &gaps, 0.0));
    }

    /// A strip of triangles: a band need not be convex.
    fn band(&self, [upper, lower]: [&[[f32; 2]]; 2], fill: Rgb, opacity: f32) {
        let colour = colour(fill).gamma_multiply(opacity);
        let mut mesh = Mesh::default();
        for (upper, lower) in upper.iter().zip(lower) {
            mesh.colored_vertex(self.position(*upper), colour);
            mesh.colored_vertex(self.position(*lower), colour);
        }
        for first in (2..mesh.vertices.len() as u32).step_by(2) {
            mesh.add_triangle(first - 2, first - 1, first);
            mesh.add_triangle(first - 1, first, first + 1);
        }
        self.painter.add(egui::Shape::mesh(mesh));
    }

    fn heat(&self, at: Rect, map: ColourMap, theme: Theme) {
        const STEPS: u8 = 40;
        let mut mesh = Mesh::default();
        for step in 0..=STEPS {
            let part = f32::from(step) / f32::from(STEPS);
            let y = at.bottom - part * at.height();
            let colour = colour(map.rgb(f64::from(part), theme));
            mesh.colored_vertex(self.position([at.left, y]), colour);
            mesh.colored_vertex(self.position([at.right, y]), colour);
        }
        for first in (2..mesh.vertices.len() as u32).step_by(2) {
            mesh.add_triangle(first - 2, first - 1, first);
            mesh.add_triangle(first - 1, first, first + 1);
        }
        self.painter.add(egui::Shape::mesh(mesh));
    }

    fn text(&self, text: &Text) {
        let galley =
            self.painter.layout_no_wrap(text.text.clone(), FontId::proportional(text.size), colour(text.colour));
        let size = galley.size();
        let along = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => 0.5,
            Anchor::End => 1.0,
        } * size.x;
        // The middle of a line's capitals is about a third of its size above the baseline.
        let middle = 0.35 * text.size;
        let at = self.position(text.at);
        let shape = if text.upwards {
            let corner = Pos2::new(at.x - middle - size.y / 2.0, at.y + along);
            TextShape::new(corner, galley, colour(text.colour)).with_angle(-std::f32::consts::FRAC_PI_2)
        } else {
            let corner = Pos2::new(at.x - along, at.y - middle - size.y / 2.0);
            TextShape::new(corner, galley, colour(text.colour))
        };
        self.painter.add(shape);
    }
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

#[allow(clippy::disallowed_methods, reason = "a chart's colours are its own, not the theme's")]
fn colour([red, green, blue]: Rgb) -> Color32 {
    Color32::from_rgb(red, green, blue)
}

fn pen(stroke: &Stroke) -> egui::Stroke {
    egui::Stroke::new(stroke.width, colour(stroke.colour))
}
