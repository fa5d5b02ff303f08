//! A report as PDF: pages of A4 with text as text, figures as vectors, contents with page numbers and bookmarks.
//!
//! A page's text is written as SVG, so that it is set as the charts' is: letters of any script, from right to left as well.

mod layout;
mod words;

use std::fmt::{self, Write};

use krilla::annotation::{Annotation, LinkAnnotation, Target};
use krilla::destination::XyzDestination;
use krilla::geom::{Point, Rect, Size, Transform};
use krilla::metadata::Metadata;
use krilla::outline::{Outline, OutlineNode};
use krilla::page::{Page, PageSettings};
use krilla::surface::Surface;
use krilla_svg::{SurfaceExt, SvgSettings};

use self::layout::{MARGIN, Mark, PAGE, Placed, ROOM, Tone, pages};
use super::document::Document;
use super::drawn;
use crate::plot::font::{FAMILY, Weight};
use crate::plot::{Theme, Undrawable, file};
use crate::text::Markup;

/// The document as PDF.
///
/// # Errors
/// [`Undrawable`] where a page cannot be written.
pub(super) fn write(document: &Document) -> Result<Vec<u8>, Undrawable> {
    let pages = pages(document);
    let places = places(document, &pages);
    let mut pdf = krilla::Document::new();
    let description = document.warnings.join(". ");
    let metadata = Metadata::new().title(document.title.clone()).language("en".to_owned());
    pdf.set_metadata(if description.is_empty() { metadata } else { metadata.description(description) });
    for (index, placed) in pages.iter().enumerate() {
        let settings = PageSettings::from_wh(PAGE[0], PAGE[1]).ok_or_else(|| unwritable("the size of a page"))?;
        let mut page = pdf.start_page_with(settings);
        let foot = format!("{} of {}", index + 1, pages.len());
        draw(&mut page, placed, &Foot { title: &document.title, number: &foot }, &places)?;
        page.finish();
    }
    let mut outline = Outline::new();
    for (section, place) in document.sections.iter().zip(&places) {
        outline.push_child(OutlineNode::new(section.title.to_owned(), place.destination()));
    }
    pdf.set_outline(outline);
    pdf.finish().map_err(|error| Undrawable::Writer(format!("{error:?}")))
}

fn unwritable(what: &str) -> Undrawable {
    Undrawable::Writer(what.to_owned())
}

/// Where a section begins.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// From 0.
    page: usize,
    top: f32,
}

impl Place {
    fn destination(self) -> XyzDestination {
        XyzDestination::new(self.page, Point::from_xy(MARGIN, self.top))
    }
}

/// By section.
fn places(document: &Document, pages: &[Vec<Placed<'_>>]) -> Vec<Place> {
    let mut places = vec![Place { page: 0, top: MARGIN }; document.sections.len()];
    for (page, placed) in pages.iter().enumerate() {
        for Placed { top, piece } in placed {
            if let Some(place) = piece.section.and_then(|section| places.get_mut(section)) {
                *place = Place { page, top: *top };
            }
        }
    }
    places
}

/// What stands at the end of every page.
struct Foot<'a> {
    title: &'a str,
    number: &'a str,
}

fn draw(page: &mut Page<'_>, placed: &[Placed<'_>], foot: &Foot<'_>, places: &[Place]) -> Result<(), Undrawable> {
    let figures: Vec<Pictured> = figures(placed).collect();
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = page_as_svg(&mut svg, placed, &figures, foot, places);
    let mut surface = page.surface();
    draw_svg(&mut surface, &svg, [0.0, 0.0, PAGE[0], PAGE[1]])?;
    for Pictured { at, svg } in &figures {
        // What cannot be drawn is said in its place.
        if let Ok(svg) = svg {
            draw_svg(&mut surface, svg, *at)?;
        }
    }
    surface.finish();
    for (top, section) in links(placed) {
        let (Some(place), Some(at)) = (places.get(section), Rect::from_xywh(MARGIN, top, ROOM, 14.0)) else { continue };
        let link = LinkAnnotation::new(at, Target::Destination(place.destination().into()));
        page.add_annotation(Annotation::new_link(link, None));
    }
    Ok(())
}

/// Draws an SVG document into a rectangle: left, top, width, height.
fn draw_svg(surface: &mut Surface<'_>, svg: &str, [left, top, width, height]: [f32; 4]) -> Result<(), Undrawable> {
    let size = Size::from_wh(width, height).ok_or_else(|| unwritable("the size of a part of a page"))?;
    let tree = file::parsed(svg)?;
    surface.push_transform(&Transform::from_translate(left, top));
    let drawn = surface.draw_svg(&tree, size, SvgSettings::default());
    surface.pop();
    drawn.ok_or_else(|| unwritable("a part of a page"))
}

/// A figure in its place on a page.
struct Pictured {
    /// Left, top, width, height.
    at: [f32; 4],
    /// Why it is left out, where it cannot be drawn.
    svg: Result<String, String>,
}

fn figures<'p>(placed: &'p [Placed<'p>]) -> impl Iterator<Item = Pictured> + 'p {
    placed.iter().flat_map(|Placed { top, piece }| {
        piece.marks.iter().filter_map(move |mark| match mark {
            Mark::Figure { at, figure } => {
                let at = [MARGIN + at[0], top + at[1], at[2], at[3]];
                Some(Pictured { at, svg: drawn(figure, Theme::Light, "") })
            }
            _ => None,
        })
    })
}

/// The entries of the contents on a page: their tops, and the sections that they lead to.
fn links<'p>(placed: &'p [Placed<'p>]) -> impl Iterator<Item = (f32, usize)> {
    placed.iter().flat_map(|Placed { top, piece }| {
        piece.marks.iter().filter_map(move |mark| match mark {
            Mark::PageOf { section, .. } => Some((*top, *section)),
            _ => None,
        })
    })
}

/// Everything on a page but its figures.
fn page_as_svg(
    svg: &mut String,
    placed: &[Placed<'_>],
    figures: &[Pictured],
    foot: &Foot<'_>,
    places: &[Place],
) -> fmt::Result {
    let [width, height] = PAGE;
    write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" font-family="{FAMILY}">"#
    )?;
    for Placed { top, piece } in placed {
        for mark in &piece.marks {
            write_mark(svg, *top, mark, places)?;
        }
    }
    for Pictured { at: [x, y, ..], svg: left_out } in figures {
        let lines = left_out.as_ref().err().map(|problem| words::lines(problem, 9.0, Weight::Regular, ROOM));
        for (index, line) in lines.unwrap_or_default().iter().enumerate() {
            let at = [*x, y + 12.0 + 13.0 * index as f32];
            let (weight, tone) = (Weight::Regular, Tone::Quiet);
            write_words(svg, &Words { at, text: line, size: 9.0, weight, tone, ends: false })?;
        }
    }
    let foot_line = height - MARGIN + 8.0;
    let title = words::lines(foot.title, 8.0, Weight::Regular, ROOM * 0.75);
    let quiet = |at, text, ends| Words { at, text, size: 8.0, weight: Weight::Regular, tone: Tone::Quiet, ends };
    write_words(svg, &quiet([MARGIN, foot_line], title.first().map_or("", String::as_str), false))?;
    write_words(svg, &quiet([MARGIN + ROOM, foot_line], foot.number, true))?;
    svg.write_str("</svg>")
}

fn write_mark(svg: &mut String, top: f32, mark: &Mark<'_>, places: &[Place]) -> fmt::Result {
    match mark {
        Mark::Text { at: [x, y], text, size, weight, tone, ends } => {
            let at = [MARGIN + x, top + y];
            write_words(svg, &Words { at, text, size: *size, weight: *weight, tone: *tone, ends: *ends })
        }
        Mark::Box { at: [x, y, width, height], tone } => {
            let (x, y, tone) = (MARGIN + x, top + y, colour(*tone));
            write!(svg, r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{tone}"/>"#)
        }
        Mark::PageOf { at: [x, y], section } => {
            let number = places.get(*section).map_or(0, |place| place.page + 1).to_string();
            let at = [MARGIN + x, top + y];
            let weight = Weight::Regular;
            write_words(svg, &Words { at, text: &number, size: 10.0, weight, tone: Tone::Quiet, ends: true })
        }
        Mark::Figure { .. } => Ok(()),
    }
}

/// A line of text on a page.
struct Words<'a> {
    at: [f32; 2],
    text: &'a str,
    size: f32,
    weight: Weight,
    tone: Tone,
    /// Whether it ends at its place instead of beginning there.
    ends: bool,
}

fn write_words(svg: &mut String, words: &Words<'_>) -> fmt::Result {
    let Words { at: [x, y], text, size, weight, tone, ends } = words;
    let anchor = if *ends { "end" } else { "start" };
    write!(
        svg,
        r#"<text x="{x}" y="{y}" font-size="{size}" font-weight="{}" fill="{}" text-anchor="{anchor}">{}</text>"#,
        weight.css(),
        colour(*tone),
        Markup(text)
    )
}

fn colour(tone: Tone) -> &'static str {
    match tone {
        Tone::Ink => "#1b1f24",
        Tone::Quiet => "#57606a",
        Tone::Rule => "#c4cad1",
        Tone::Shade => "#f4f6f8",
        Tone::Warning => "#b86200",
    }
}

/// The lines of text of every page, without figures.
#[cfg(test)]
pub(super) fn words_of_pages(document: &Document) -> Vec<Vec<String>> {
    let words = |mark: &Mark<'_>| if let Mark::Text { text, .. } = mark { Some(text.clone()) } else { None };
    let page =
        |page: &Vec<Placed<'_>>| page.iter().flat_map(|placed| placed.piece.marks.iter().filter_map(words)).collect();
    pages(document).iter().map(page).collect()
}
