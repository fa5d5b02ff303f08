//! Writes a [`Scene`] as SVG. The same scene always gives the same bytes.

use std::fmt::{self, Write};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::font::{self, FAMILY};
use super::scene::{Anchor, Rect, Scene, Shape, Stroke, Text};
use super::series_style::{ColourMap, Rgb, Theme};
use crate::text::Markup;

/// Who draws a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// This program, which has the font.
    Here,
    /// Any other. It may have wider letters alone, so every text says how much room it takes.
    Elsewhere,
}

/// `scene` as an SVG document, with `title` and `description` for readers that do not see it; `names` is what the names
/// in it begin with.
pub fn write(scene: &Scene, title: &str, description: &str, names: &str, drawn: Drawn) -> String {
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = document(&mut svg, scene, title, description, names, drawn);
    svg
}

fn document(svg: &mut String, scene: &Scene, title: &str, description: &str, names: &str, drawn: Drawn) -> fmt::Result {
    let [width, height] = [Number(scene.width), Number(scene.height)];
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" font-family="{FAMILY}">"#
    )?;
    writeln!(svg, "<title>{}</title>", Markup(title))?;
    writeln!(svg, "<desc>{}</desc>", Markup(description))?;
    let (ground, others) = scene.shapes.split_at(scene.shapes.len().min(1));
    for shape in ground {
        write_shape(svg, shape, names, drawn)?;
    }
    for (at, png) in &scene.images {
        write_image(svg, *at, png)?;
    }
    for shape in others {
        write_shape(svg, shape, names, drawn)?;
    }
    svg.write_str("</svg>\n")
}

fn write_shape(svg: &mut String, shape: &Shape, names: &str, drawn: Drawn) -> fmt::Result {
    match shape {
        Shape::Rect { at, fill, radius } => {
            write_rect(svg, *at)?;
            if *radius > 0.0 {
                write!(svg, r#" rx="{}""#, Number(*radius))?;
            }
            writeln!(svg, r#" fill="{}"/>"#, Hex(*fill))
        }
        Shape::Frame { at, stroke } => {
            write_rect(svg, *at)?;
            writeln!(svg, r#" fill="none" {}/>"#, Stroked(stroke))
        }
        Shape::Line { points, stroke } => {
            writeln!(svg, r#"<path d="{}" fill="none" stroke-linejoin="round" {}/>"#, Path(points), Stroked(stroke))
        }
        Shape::Band { upper, lower, fill, opacity } => {
            let around: Vec<[f32; 2]> = upper.iter().chain(lower.iter().rev()).copied().collect();
            writeln!(svg, r#"<path d="{}Z" fill="{}" fill-opacity="{opacity}"/>"#, Path(&around), Hex(*fill))
        }
        Shape::Mark { points, fill, edge } => {
            writeln!(
                svg,
                r#"<path d="{}Z" fill="{}" stroke-linejoin="round" {}/>"#,
                Path(points),
                Hex(*fill),
                Stroked(edge)
            )
        }
        Shape::Circle { centre: [x, y], radius, fill, edge } => {
            let [x, y, radius] = [*x, *y, *radius].map(Number);
            writeln!(svg, r#"<circle cx="{x}" cy="{y}" r="{radius}" fill="{}" {}/>"#, Hex(*fill), Stroked(edge))
        }
        Shape::Heat { at, map, theme } => write_heat(svg, *at, *map, *theme, names),
        Shape::Text(text) => write_text(svg, text, drawn),
    }
}

fn write_rect(svg: &mut String, at: Rect) -> fmt::Result {
    let [x, y, width, height] = [at.left, at.top, at.width(), at.height()].map(Number);
    write!(svg, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}""#)
}

/// A scene has one heat scale at most, so that its gradient's name is unique.
fn write_heat(svg: &mut String, at: Rect, map: ColourMap, theme: Theme, names: &str) -> fmt::Result {
    write!(svg, r#"<linearGradient id="{names}heat" x1="0" y1="1" x2="0" y2="0">"#)?;
    // Among the stops are those between which the map itself is interpolated.
    let stops: u8 = match map {
        ColourMap::Sequential => 16,
        ColourMap::Diverging => 40,
    };
    for stop in 0..=stops {
        let part = f64::from(stop) / f64::from(stops);
        write!(svg, r#"<stop offset="{part}" stop-color="{}"/>"#, Hex(map.rgb(part, theme)))?;
    }
    svg.write_str("</linearGradient>\n")?;
    write_rect(svg, at)?;
    writeln!(svg, r#" fill="url(#{names}heat)"/>"#)
}

fn write_image(svg: &mut String, at: Rect, png: &[u8]) -> fmt::Result {
    let [x, y, width, height] = [at.left, at.top, at.width(), at.height()].map(Number);
    let content = BASE64_STANDARD.encode(png);
    writeln!(
        svg,
        r#"<image x="{x}" y="{y}" width="{width}" height="{height}" preserveAspectRatio="none" href="data:image/png;base64,{content}"/>"#
    )
}

fn write_text(svg: &mut String, text: &Text, drawn: Drawn) -> fmt::Result {
    let [x, y, size] = [text.at[0], text.at[1], text.size].map(Number);
    write!(svg, r#"<text x="{x}" y="{y}" font-size="{size}" fill="{}""#, Hex(text.colour))?;
    if text.weight.css() != 400 {
        write!(svg, r#" font-weight="{}""#, text.weight.css())?;
    }
    match text.anchor {
        Anchor::Start => {}
        Anchor::Middle => svg.write_str(r#" text-anchor="middle""#)?,
        Anchor::End => svg.write_str(r#" text-anchor="end""#)?,
    }
    let room = font::width(&text.text, text.size, text.weight);
    if drawn == Drawn::Elsewhere && room > 0.0 {
        write!(svg, r#" textLength="{}" lengthAdjust="spacingAndGlyphs""#, Number(room))?;
    }
    if text.upwards {
        write!(svg, r#" transform="rotate(-90 {x} {y})""#)?;
    }
    writeln!(svg, ">{}</text>", Markup(&text.text))
}

/// A number with two decimals at most.
struct Number(f32);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.2}", self.0);
        let text = text.trim_end_matches('0').trim_end_matches('.');
        f.write_str(if text == "-0" { "0" } else { text })
    }
}

struct Hex(Rgb);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

struct Stroked<'a>(&'a Stroke);

impl fmt::Display for Stroked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"stroke="{}" stroke-width="{}""#, Hex(self.0.colour), Number(self.0.width))?;
        if !self.0.dashes.is_empty() {
            let dashes: Vec<String> = self.0.dashes.iter().map(|length| Number(*length).to_string()).collect();
            write!(f, r#" stroke-dasharray="{}""#, dashes.join(" "))?;
        }
        Ok(())
    }
}

struct Path<'a>(&'a [[f32; 2]]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, [x, y]) in self.0.iter().enumerate() {
            let command = if index == 0 { 'M' } else { 'L' };
            write!(f, "{command}{} {}", Number(*x), Number(*y))?;
        }
        Ok(())
    }
}
