//! A document as pieces that are not parted, and pieces as pages.

use super::words::{lines, shared};
use crate::plot::font::{Weight, width};
use crate::report::document::{Block, Document, Figure, Section, Table, Term};

/// A4, in points.
pub(super) const PAGE: [f32; 2] = [595.28, 841.89];
pub(super) const MARGIN: f32 = 54.0;
/// Room for the number of the page.
const FOOT: f32 = 24.0;
/// Width of the text.
pub(super) const ROOM: f32 = PAGE[0] - 2.0 * MARGIN;
const BOTTOM: f32 = PAGE[1] - MARGIN - FOOT;

const BODY: f32 = 10.0;
const SMALL: f32 = 8.0;
const LEADING: f32 = 1.42;
const CELL_GAP: f32 = 8.0;

/// Something on a page, placed from its piece's left upper corner.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mark<'d> {
    /// A line of text on its base line.
    Text {
        at: [f32; 2],
        text: String,
        size: f32,
        weight: Weight,
        tone: Tone,
        ends: bool,
    },
    /// A rectangle: left, top, width, height.
    Box {
        at: [f32; 4],
        tone: Tone,
    },
    Figure {
        at: [f32; 4],
        figure: &'d Figure,
    },
    /// The number of the page that the section of this index begins on, set to end at a place.
    PageOf {
        at: [f32; 2],
        section: usize,
    },
}

/// What is a colour on paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Ink,
    Quiet,
    Rule,
    Shade,
    Warning,
}

/// What is not parted by the end of a page.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Piece<'d> {
    pub height: f32,
    /// Above it, except at the top of a page.
    pub space: f32,
    /// Whether the next piece stands on the same page.
    pub keeps_next: bool,
    pub marks: Vec<Mark<'d>>,
    /// The heading of the table that it is a row of, drawn again where a page begins with it.
    pub repeats: Option<Box<Piece<'d>>>,
    /// The section that begins with it.
    pub section: Option<usize>,
}

/// A piece in its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Placed<'d> {
    pub top: f32,
    pub piece: Piece<'d>,
}

/// The pieces of pages, from the first page on.
pub(super) fn pages<'d>(document: &'d Document) -> Vec<Vec<Placed<'d>>> {
    let mut pages: Vec<Vec<Placed<'d>>> = vec![Vec::new()];
    let mut top = MARGIN;
    let pieces = pieces(document);
    for (index, piece) in pieces.iter().enumerate() {
        let fresh = top <= MARGIN;
        let space = if fresh { 0.0 } else { piece.space };
        if !fresh && top + space + kept(&pieces[index..]) > BOTTOM {
            pages.push(Vec::new());
            top = MARGIN;
            if let Some(heading) = &piece.repeats {
                place(&mut pages, &mut top, 0.0, heading);
            }
            place(&mut pages, &mut top, 0.0, piece);
        } else {
            place(&mut pages, &mut top, space, piece);
        }
    }
    pages
}

fn place<'d>(pages: &mut [Vec<Placed<'d>>], top: &mut f32, space: f32, piece: &Piece<'d>) {
    if let Some(page) = pages.last_mut() {
        page.push(Placed { top: *top + space, piece: piece.clone() });
    }
    *top += space + piece.height;
}

/// Height of the first piece with those that stand on its page; at most a page's, since more cannot be kept.
fn kept(pieces: &[Piece<'_>]) -> f32 {
    let mut height = 0.0;
    for (index, piece) in pieces.iter().enumerate() {
        height += piece.height + if index == 0 { 0.0 } else { piece.space };
        if !piece.keeps_next {
            break;
        }
    }
    height.min(BOTTOM - MARGIN)
}

/// The whole document.
fn pieces(document: &Document) -> Vec<Piece<'_>> {
    let mut pieces = text(&document.title, Look { size: 22.0, weight: Weight::SemiBold, ..Look::BODY }, 0.0);
    for line in &document.lines {
        pieces.extend(text(line, Look { tone: Tone::Quiet, ..Look::BODY }, 2.0));
    }
    for warning in &document.warnings {
        pieces.push(shaded(warning, Tone::Warning, Weight::SemiBold));
    }
    pieces.extend(contents(document));
    for (index, section) in document.sections.iter().enumerate() {
        let look = Look { size: 15.0, weight: Weight::SemiBold, ..Look::BODY };
        let mut heading = keeping(text(section.title, look, 24.0));
        if let Some(first) = heading.first_mut() {
            first.section = Some(index);
        }
        pieces.extend(heading);
        pieces.extend(section.blocks.iter().flat_map(block));
    }
    pieces
}

fn contents(document: &Document) -> Vec<Piece<'_>> {
    let mut pieces = keeping(text("Contents", Look { weight: Weight::SemiBold, ..Look::BODY }, 16.0));
    for (index, Section { title, .. }) in document.sections.iter().enumerate() {
        let mut line = text(title, Look::BODY, 1.0);
        if let Some(piece) = line.first_mut() {
            piece.marks.push(Mark::PageOf { at: [ROOM, BODY * 1.05], section: index });
        }
        pieces.extend(line);
    }
    pieces
}

/// How text looks.
#[derive(Debug, Clone, Copy)]
struct Look {
    size: f32,
    weight: Weight,
    tone: Tone,
    /// From the left edge of the text.
    indent: f32,
}

impl Look {
    const BODY: Self = Self { size: BODY, weight: Weight::Regular, tone: Tone::Ink, indent: 0.0 };
}

/// Lines of text, a piece a line; the first two and the last two are not parted.
fn text<'d>(words: &str, look: Look, space: f32) -> Vec<Piece<'d>> {
    let Look { size, weight, tone, indent } = look;
    let lines = lines(words, size, weight, ROOM - indent);
    let count = lines.len();
    let piece = |(index, line): (usize, String)| Piece {
        height: size * LEADING,
        space: if index == 0 { space } else { 0.0 },
        keeps_next: count > 1 && (index == 0 || index + 2 == count),
        marks: vec![Mark::Text { at: [indent, size * 1.05], text: line, size, weight, tone, ends: false }],
        ..Piece::default()
    };
    lines.into_iter().enumerate().map(piece).collect()
}

/// Pieces that stand together with what follows them.
fn keeping(mut pieces: Vec<Piece<'_>>) -> Vec<Piece<'_>> {
    pieces.iter_mut().for_each(|piece| piece.keeps_next = true);
    pieces
}

/// Text on a shaded ground.
fn shaded<'d>(words: &str, tone: Tone, weight: Weight) -> Piece<'d> {
    let inside = 8.0;
    let lines = lines(words, BODY, weight, ROOM - 2.0 * inside);
    let height = lines.len() as f32 * BODY * LEADING + 2.0 * inside;
    let mut marks = vec![Mark::Box { at: [0.0, 0.0, ROOM, height], tone: Tone::Shade }];
    if tone == Tone::Warning {
        marks.push(Mark::Box { at: [0.0, 0.0, 3.0, height], tone });
    }
    for (index, line) in lines.into_iter().enumerate() {
        let y = inside + BODY * 1.05 + index as f32 * BODY * LEADING;
        marks.push(Mark::Text { at: [inside, y], text: line, size: BODY, weight, tone: Tone::Ink, ends: false });
    }
    Piece { height, space: 10.0, marks, ..Piece::default() }
}

fn block(block: &Block) -> Vec<Piece<'_>> {
    match block {
        Block::Heading(words) => {
            keeping(text(words, Look { size: 11.5, weight: Weight::SemiBold, ..Look::BODY }, 14.0))
        }
        Block::Paragraph(words) => text(words, Look::BODY, 7.0),
        Block::Formula(words) => vec![shaded(words, Tone::Ink, Weight::Regular)],
        Block::List(items) => items.iter().flat_map(|item| listed(item)).collect(),
        Block::Terms(terms) => terms.iter().flat_map(term).collect(),
        Block::Table(table) => rows(table),
        Block::Figure(figure) => pictured(figure),
    }
}

fn listed<'d>(item: &str) -> Vec<Piece<'d>> {
    let mut pieces = text(item, Look { indent: 14.0, ..Look::BODY }, 3.0);
    if let Some(first) = pieces.first_mut() {
        let look = Look::BODY;
        let at = [4.0, look.size * 1.05];
        first.marks.push(Mark::Text {
            at,
            text: "•".to_owned(),
            size: look.size,
            weight: look.weight,
            tone: look.tone,
            ends: false,
        });
    }
    pieces
}

/// The name in a column of its own where it is short, else above what is said of it.
fn term<'d>(term: &Term) -> Vec<Piece<'d>> {
    const COLUMN: f32 = 130.0;
    let name = Look { weight: Weight::SemiBold, ..Look::BODY };
    let mut named = text(&term.name, name, 4.0);
    let mut said = text(&term.text, Look { indent: COLUMN, ..Look::BODY }, 0.0);
    if width(&term.name, BODY, Weight::SemiBold) > COLUMN - CELL_GAP {
        named = keeping(named);
        named.extend(said);
        return named;
    }
    if let (Some(first), Some(name)) = (said.first_mut(), named.pop()) {
        first.space = name.space;
        first.marks.splice(0..0, name.marks);
    }
    said
}

fn pictured(figure: &Figure) -> Vec<Piece<'_>> {
    let [across, down] = figure.pixels();
    let wide = ROOM * figure.share_of_page();
    let high = wide * down as f32 / across as f32;
    let at = [(ROOM - wide) / 2.0, 0.0, wide, high];
    let picture = Piece {
        height: high,
        space: 14.0,
        keeps_next: true,
        marks: vec![Mark::Figure { at, figure }],
        ..Piece::default()
    };
    let words = text(&figure.words(), Look { size: 9.0, tone: Tone::Quiet, ..Look::BODY }, 4.0);
    std::iter::once(picture).chain(words).collect()
}

/// A row a piece, each with the heading.
fn rows(table: &Table) -> Vec<Piece<'_>> {
    let wanted = |(index, heading): (usize, &str)| {
        let cells = table.rows.iter().filter_map(|row| row.get(index)).map(|cell| width(cell, SMALL, Weight::Regular));
        cells.fold(width(heading, SMALL, Weight::SemiBold), f32::max) + 0.5
    };
    let wanted: Vec<f32> = table.headings().enumerate().map(wanted).collect();
    let gaps = CELL_GAP * wanted.len().saturating_sub(1) as f32;
    let widths = shared(&wanted, ROOM - gaps);
    let headings: Vec<&str> = table.headings().collect();
    let mut heading = row(table, &headings, &widths, Weight::SemiBold);
    heading.space = 10.0;
    heading.keeps_next = true;
    let mut pieces = vec![heading.clone()];
    for cells in &table.rows {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let row = row(table, &cells, &widths, Weight::Regular);
        pieces.push(Piece { repeats: Some(Box::new(heading.clone())), ..row });
    }
    pieces
}

fn row<'d>(table: &Table, cells: &[&str], widths: &[f32], weight: Weight) -> Piece<'d> {
    let mut marks = Vec::new();
    let (mut left, mut most) = (0.0, 1);
    for ((cell, column), &room) in cells.iter().zip(&table.columns).zip(widths) {
        let lines = lines(cell, SMALL, weight, room + 0.5);
        most = most.max(lines.len());
        for (index, line) in lines.into_iter().enumerate() {
            let x = if column.numbers { left + room } else { left };
            let at = [x, 3.0 + SMALL * 1.05 + index as f32 * SMALL * LEADING];
            let tone = Tone::Ink;
            marks.push(Mark::Text { at, text: line, size: SMALL, weight, tone, ends: column.numbers });
        }
        left += room + CELL_GAP;
    }
    let height = most as f32 * SMALL * LEADING + 6.0;
    marks.push(Mark::Box { at: [0.0, height - 0.5, (left - CELL_GAP).max(0.0), 0.5], tone: Tone::Rule });
    Piece { height, marks, ..Piece::default() }
}
