//! Lays out a table: headings over a line, rows below, words to the left and numbers to the right.

use super::{Anchor, Rect, Scene, Shape, Stroke, Text, size};
use crate::plot::font::{self, Weight};
use crate::plot::listing::Listing;

/// Height of a row, in the size of its text; and between two columns.
const ROW: f32 = 1.6;
const BETWEEN: f32 = 1.2;
/// The smallest text, as a part of the usual one; where more rows than fit in it, the last line says how many are missing.
const LEAST: f32 = 0.62;

/// Draws `listing` into `room`.
pub fn draw(scene: &mut Scene, listing: &Listing, room: Rect) {
    let usual = scene.scaled(size::TICK);
    let lines = listing.rows.len() + 1;
    let text = usual.min(room.height() / (lines as f32 * ROW)).max(usual * LEAST);
    let natural = widths(listing, text);
    // Tables that are too wide shrink a little before their cells are cut.
    let text = (text * (room.width() / total(&natural, text)).min(1.0)).max(usual * LEAST);
    let widths = cut_to(&widths(listing, text), room.width() - BETWEEN * text * gaps(listing) as f32);
    let height = text * ROW;
    let fits = ((room.height() / height) as usize).saturating_sub(1);
    let cut = listing.rows.len() > fits;
    let shown = if cut { fits.saturating_sub(1) } else { listing.rows.len() };
    let [quiet, colour] = [scene.theme.quiet_text(), scene.theme.text()];
    let headings: Vec<&str> = listing.headings().collect();
    row(scene, &headings, &Placed { listing, widths: &widths, text, top: room.top, left: room.left }, quiet);
    let rule = room.top + height * 0.98;
    let right = room.left + widths.iter().sum::<f32>() + BETWEEN * text * gaps(listing) as f32;
    let stroke = Stroke::solid(scene.theme.axis(), scene.scaled(1.25));
    scene.shapes.push(Shape::Line { points: vec![[room.left, rule], [right, rule]], stroke });
    for (index, cells) in listing.rows.iter().take(shown).enumerate() {
        let top = room.top + (index + 1) as f32 * height;
        let words: Vec<&str> = cells.iter().map(|cell| cell.shown.as_str()).collect();
        row(scene, &words, &Placed { listing, widths: &widths, text, top, left: room.left }, colour);
    }
    if cut {
        let more = format!("{} rows more, which a CSV file has", listing.rows.len() - shown);
        let y = room.top + (shown as f32 + 1.0) * height + text * 1.1;
        scene.text([room.left, y], more, text, quiet, Anchor::Start);
    }
}

/// Where a row stands.
struct Placed<'a> {
    listing: &'a Listing,
    widths: &'a [f32],
    text: f32,
    top: f32,
    left: f32,
}

fn row(scene: &mut Scene, words: &[&str], placed: &Placed<'_>, colour: super::Rgb) {
    let Placed { listing, widths, text, top, left } = placed;
    let mut x = *left;
    for ((word, column), width) in words.iter().zip(&listing.columns).zip(*widths) {
        let (at, anchor) = if column.numbers { (x + width, Anchor::End) } else { (x, Anchor::Start) };
        let weight = Weight::Regular;
        let word = font::fitted(word, *text, weight, *width + 0.5);
        let at = [at, top + text * 1.1];
        scene.shapes.push(Shape::Text(Text { at, text: word, size: *text, weight, colour, anchor, upwards: false }));
        x += width + BETWEEN * text;
    }
}

fn gaps(listing: &Listing) -> usize {
    listing.columns.len().saturating_sub(1)
}

/// The widths that cells and headings would have.
fn widths(listing: &Listing, text: f32) -> Vec<f32> {
    let widest = |(place, heading): (usize, &str)| {
        let cells = listing.rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.shown.as_str());
        cells.chain([heading]).map(|word| font::width(word, text, Weight::Regular)).fold(0.0, f32::max)
    };
    listing.headings().enumerate().map(widest).collect()
}

fn total(widths: &[f32], text: f32) -> f32 {
    widths.iter().sum::<f32>() + BETWEEN * text * widths.len().saturating_sub(1) as f32
}

/// The widths cut so that their sum is at most `room`: the widest columns give way, all to one width.
fn cut_to(widths: &[f32], room: f32) -> Vec<f32> {
    let mut rising = widths.to_vec();
    rising.sort_by(f32::total_cmp);
    let mut left = room.max(0.0);
    for (place, width) in rising.iter().enumerate() {
        let share = left / (rising.len() - place) as f32;
        if *width > share {
            return widths.iter().map(|width| width.min(share)).collect();
        }
        left -= width;
    }
    widths.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_columns_give_way() {
        assert_eq!(cut_to(&[10.0, 50.0, 20.0], 100.0), [10.0, 50.0, 20.0]);
        assert_eq!(cut_to(&[10.0, 50.0, 20.0], 60.0), [10.0, 30.0, 20.0]);
        assert_eq!(cut_to(&[10.0, 50.0, 40.0], 50.0), [10.0, 20.0, 20.0]);
    }
}
