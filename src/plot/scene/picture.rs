//! Lays out what stands around a picture: a legend of colours, axes at two edges, and the colour bar.

use super::{Anchor, Rect, Scene, Shape, Stroke, Text, heat_map, size};
use crate::plot::Ticks;
use crate::plot::apart;
use crate::plot::bitmap::{LOGICAL_DPI, encoded};
use crate::plot::font::{self, Weight};
use crate::plot::picture::{Bar, Canvas, Caption, Edge, Entry, Frame, Picture};
use crate::plot::scale::{self, Range, tick_label};
use crate::plot::undrawable::Undrawable;

/// Draws pictures side by side into `room`, each with its name and what stands around it, `dots` a logical pixel.
///
/// # Errors
/// [`Undrawable`] where the graphics device cannot draw one.
pub fn draw(scene: &mut Scene, pictures: &[(&str, &Picture)], room: Rect, dots: f32) -> Result<(), Undrawable> {
    for ((name, picture), mut own) in pictures.iter().zip(beside(scene, pictures.len(), room)) {
        own.top += heat_map::heading(scene, name, own);
        draw_one(scene, picture, own, dots)?;
    }
    Ok(())
}

/// Places of one width beside each other.
pub fn beside(scene: &Scene, count: usize, room: Rect) -> Vec<Rect> {
    let gap = scene.scaled(20.0);
    let width = (room.width() - gap * count.saturating_sub(1) as f32) / count.max(1) as f32;
    let column = |index: usize| {
        let left = room.left + index as f32 * (width + gap);
        Rect { left, right: left + width, ..room }
    };
    (0..count).map(column).collect()
}

fn draw_one(scene: &mut Scene, picture: &Picture, room: Rect, dots: f32) -> Result<(), Undrawable> {
    // The picture begins and ends with a dot, so that its dots are those of the file.
    let whole = |length: f32| (length * dots).round() / dots;
    let Rect { left, top, right, bottom } = frame(scene, &picture.frame(), room);
    let at = Rect { left: whole(left), top: whole(top), right: whole(right), bottom: whole(bottom) };
    let size = [at.width(), at.height()].map(|length| (length * dots).round().max(1.0) as u32);
    let canvas = Canvas { theme: scene.theme, ground: scene.ground, size, scale: dots * scene.scale };
    let image = picture.paint(&canvas)?;
    let dpi = (f64::from(dots) * LOGICAL_DPI).round() as u32;
    scene.images.push((at, encoded(image.size, &image.dots, dpi, None)?));
    captions(scene, &picture.captions([at.width(), at.height()]), at);
    Ok(())
}

/// Draws what stands around a picture into `room`; returns the place of the picture.
pub fn frame(scene: &mut Scene, frame: &Frame, room: Rect) -> Rect {
    let mut at = legend(scene, &frame.legend, room);
    if let Some(bar) = &frame.bar {
        at.right -= bar_width(scene, bar);
    }
    if let Some(edges) = &frame.axes {
        at = axes(scene, edges, at);
    }
    if let Some(bar) = &frame.bar {
        draw_bar(scene, bar, at);
    }
    at
}

/// Draws the words on a picture; those that would cover others, or do not fit, are left out.
pub fn captions(scene: &mut Scene, captions: &[Caption], at: Rect) {
    let size = scene.scaled(size::CAPTION);
    let mut taken: Vec<Rect> = Vec::new();
    for caption in captions {
        let half = font::width(&caption.text, size, Weight::SemiBold) / 2.0;
        let room = (at.left + half)..=(at.right - half);
        if room.is_empty() {
            continue;
        }
        let [right, down] = caption.towards;
        let x = (at.left + caption.at[0] + right * half).clamp(*room.start(), *room.end());
        let y = (at.top + caption.at[1] + down * size * 0.6).clamp(at.top + size, at.bottom - size * 0.4);
        let place = Rect { left: x - half, top: y - size * 0.6, right: x + half, bottom: y + size * 0.6 };
        if taken.iter().any(|other| place.meets(*other)) {
            continue;
        }
        taken.push(place);
        let colour = if caption.strong { scene.theme.text() } else { scene.theme.quiet_text() };
        scene.shapes.push(Shape::Text(Text {
            at: [x, y + size * 0.35],
            text: caption.text.clone(),
            size,
            weight: Weight::SemiBold,
            colour,
            anchor: Anchor::Middle,
            upwards: false,
        }));
    }
}

/// A row of coloured dots with their names above the picture, broken where it is full.
fn legend(scene: &mut Scene, entries: &[Entry], room: Rect) -> Rect {
    if entries.is_empty() {
        return room;
    }
    let text = scene.scaled(size::LEGEND * 0.9);
    let [radius, gap, apart] = [text * 0.38, text * 0.45, text * 1.3];
    let line = text * size::LEADING * 1.1;
    let colour = scene.theme.text();
    let [mut x, mut y] = [room.left, room.top];
    let names = entries.iter().map(|entry| entry.name.as_str());
    let names = apart::fitted(names, text, Weight::Regular, room.width() - 2.0 * radius - gap);
    for (entry, name) in entries.iter().zip(names) {
        let width = 2.0 * radius + gap + font::width(&name, text, Weight::Regular);
        if x > room.left && x + width > room.right {
            [x, y] = [room.left, y + line];
        }
        let fill = entry.tone.rgb(scene.theme);
        let edge = Stroke::solid(fill, 0.0);
        scene.shapes.push(Shape::Circle { centre: [x + radius, y + text * 0.66], radius, fill, edge });
        scene.text([x + 2.0 * radius + gap, y + text], name, text, colour, Anchor::Start);
        x += width + apart;
    }
    Rect { top: y + line + scene.scaled(4.0), ..room }
}

/// Draws both axes; returns what is between them and the other edges.
fn axes(scene: &mut Scene, [below, beside]: &[Edge; 2], room: Rect) -> Rect {
    let [tick, label] = [size::TICK, size::LABEL].map(|size| scene.scaled(size));
    let gap = scene.scaled(size::GAP);
    let height = room.bottom - room.top - tick - gap - label * size::LEADING;
    let beside_ticks = edge_ticks(beside, (height / scene.scaled(64.0)) as usize);
    let widest = beside_ticks.iter().map(|(_, text)| font::width(text, tick, Weight::Regular)).fold(0.0, f32::max);
    let at = Rect {
        left: room.left + label * size::LEADING + widest + 1.5 * gap,
        top: room.top + tick * 0.5,
        right: room.right,
        bottom: room.top + height,
    };
    let below_ticks = edge_ticks(below, (at.width() / scene.scaled(110.0)) as usize);
    let quiet = scene.theme.quiet_text();
    let stroke = Stroke::solid(scene.theme.axis(), scene.scaled(1.0));
    for (part, text) in below_ticks {
        let x = at.left + part * at.width();
        let points = vec![[x, at.bottom], [x, at.bottom + gap * 0.6]];
        scene.shapes.push(Shape::Line { points, stroke: stroke.clone() });
        // The outermost labels stay between the edges of the picture's room.
        let half = font::width(&text, tick, Weight::Regular) / 2.0;
        let middle = x.min(room.right - half).max(room.left + half);
        scene.text([middle, at.bottom + gap + tick], text, tick, quiet, Anchor::Middle);
    }
    for (part, text) in beside_ticks {
        let y = at.top + part * at.height();
        let points = vec![[at.left - gap * 0.6, y], [at.left, y]];
        scene.shapes.push(Shape::Line { points, stroke: stroke.clone() });
        scene.text([at.left - gap, y + tick * 0.35], text, tick, quiet, Anchor::End);
    }
    scene.heading_level([at.centre()[0], room.bottom - label * 0.3], &below.label, at.width());
    scene.heading_upwards([room.left + label * 0.8, at.centre()[1]], &beside.label, at.height());
    at
}

/// Where ticks stand along an edge, by parts of its length, and what they say. Edges count whole things.
fn edge_ticks(edge: &Edge, wanted: usize) -> Vec<(f32, String)> {
    let range = Range { low: edge.range[0], high: edge.range[1] };
    if range.low >= range.high || !(range.high - range.low).is_finite() {
        return Vec::new();
    }
    let wanted = wanted.clamp(1, 8);
    let step = scale::step(range, wanted, Ticks::Whole);
    let ticks = scale::ticks(range, wanted, Ticks::Whole).into_iter();
    ticks.map(|value| (range.part(value) as f32, tick_label(value, step))).collect()
}

/// Values of the ticks of a colour bar, by parts of its height from below, with a sign where values lie beyond an end.
fn bar_ticks(bar: &Bar) -> [(f32, String); 5] {
    let [low, high] = bar.range;
    let decimals = scale::decimals(bar.range);
    let tiny = bar.range.iter().all(|end| end.abs() < 1e-4);
    [0_u8, 1, 2, 3, 4].map(|step| {
        let part = f64::from(step) / 4.0;
        let value = low + part * (high - low);
        let number = if value == 0.0 {
            "0".to_owned()
        } else if tiny {
            scale::value_label(value)
        } else {
            scale::grouped(value, decimals)
        };
        let text = match step {
            0 if bar.beyond[0] => format!("≤ {number}"),
            4 if bar.beyond[1] => format!("≥ {number}"),
            _ => number,
        };
        (part as f32, text)
    })
}

/// Width of the bar itself and of the gap at its left.
const BAR: f32 = 18.0;
const BAR_GAP: f32 = 26.0;

fn bar_width(scene: &Scene, bar: &Bar) -> f32 {
    let tick = scene.scaled(size::TICK);
    let widest = bar_ticks(bar).iter().map(|(_, text)| font::width(text, tick, Weight::Regular)).fold(0.0, f32::max);
    scene.scaled(BAR + BAR_GAP + size::GAP + 12.0) + widest + scene.scaled(size::LABEL)
}

fn draw_bar(scene: &mut Scene, bar: &Bar, picture: Rect) {
    let left = picture.right + scene.scaled(BAR_GAP);
    let at = Rect { left, right: left + scene.scaled(BAR), ..picture };
    scene.shapes.push(Shape::Heat { at, map: bar.map, theme: scene.theme });
    let tick = scene.scaled(size::TICK);
    let gap = scene.scaled(size::GAP);
    let colour = scene.theme.quiet_text();
    let mut widest = 0.0_f32;
    for (part, text) in bar_ticks(bar) {
        widest = widest.max(font::width(&text, tick, Weight::Regular));
        let y = at.bottom - part * at.height();
        scene.text([at.right + gap, y + tick * 0.35], text, tick, colour, Anchor::Start);
    }
    let label = scene.scaled(size::LABEL);
    let x = at.right + gap + widest + scene.scaled(12.0) + label * 0.7;
    scene.heading_upwards([x, at.centre()[1]], &bar.label, at.height());
}
