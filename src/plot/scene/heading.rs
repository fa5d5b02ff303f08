//! Headings of axes in the room that they have: smaller, then in two lines, then without the unit, before a word is cut.

use super::{Anchor, Scene, Shape, Text, size};
use crate::plot::font::{self, Weight};

/// Height of a line of a heading in two lines, in its size.
const LEADING: f32 = 1.15;

/// A heading in one line or two, all of one size.
#[derive(Debug, Clone, PartialEq)]
struct Heading {
    lines: Vec<String>,
    size: f32,
}

impl Heading {
    /// `text` in the largest way that fits `room`; `size` is the ordinary one.
    fn fitted(text: &str, size: f32, room: f32) -> Self {
        let without_unit =
            text.strip_suffix(')').and_then(|text| text.rsplit_once(" (")).map_or(text, |(label, _)| label);
        let ways = [
            (text, 1, 1.0),
            (text, 1, 0.88),
            (text, 1, 0.75),
            (text, 2, 0.75),
            (without_unit, 1, 0.75),
            (without_unit, 2, 0.75),
            (without_unit, 2, 0.6),
        ];
        let lines = |(text, lines, part): (&str, usize, f32)| {
            let size = size * part;
            Self { lines: font::wrapped(text, size, Weight::Regular, room, lines), size }
        };
        let whole = |heading: &Self, text: &str| heading.lines.join(" ").split(' ').eq(text.split_whitespace());
        let fits = ways.into_iter().map(|way| (lines(way), way.0)).find(|(heading, text)| whole(heading, text));
        fits.map_or_else(|| lines(ways[ways.len() - 1]), |(heading, _)| heading)
    }

    /// How far the baselines of the lines lie below that of a heading in one line.
    fn offsets(&self) -> impl Iterator<Item = f32> {
        let middle = (self.lines.len() as f32 - 1.0) / 2.0;
        let pitch = self.size * LEADING;
        (0..self.lines.len()).map(move |line| (line as f32 - middle) * pitch)
    }
}

impl Scene {
    /// Adds the heading of an upright axis, which reads upwards and is centred at `at` in `room`.
    pub fn heading_upwards(&mut self, at: [f32; 2], heading: &str, room: f32) {
        self.heading(at, heading, room, true);
    }

    /// Adds the heading of a level axis, centred at `at` in `room`.
    pub fn heading_level(&mut self, at: [f32; 2], heading: &str, room: f32) {
        self.heading(at, heading, room, false);
    }

    fn heading(&mut self, [x, y]: [f32; 2], heading: &str, room: f32, upwards: bool) {
        let heading = Heading::fitted(heading, self.scaled(size::LABEL), room);
        let (colour, size) = (self.theme.text(), heading.size);
        for (offset, text) in heading.offsets().zip(&heading.lines) {
            let at = if upwards { [x + offset, y] } else { [x, y + offset] };
            let (text, weight, anchor) = (text.clone(), Weight::Regular, Anchor::Middle);
            self.shapes.push(Shape::Text(Text { at, text, size, weight, colour, anchor, upwards }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_shrinks_then_breaks_then_gives_up_its_unit_and_is_not_cut() {
        let text = "Grassmann distance (radians)";
        let width = font::width(text, 16.0, Weight::Regular);
        let fitted = |part: f32| Heading::fitted(text, 16.0, width * part);
        assert_eq!(fitted(1.0), Heading { lines: vec![text.to_owned()], size: 16.0 });
        assert_eq!(fitted(0.8), Heading { lines: vec![text.to_owned()], size: 12.0 });
        assert_eq!(
            fitted(0.55),
            Heading { lines: vec!["Grassmann distance".to_owned(), "(radians)".to_owned()], size: 12.0 }
        );
        assert_eq!(fitted(0.3), Heading { lines: vec!["Grassmann".to_owned(), "distance".to_owned()], size: 12.0 });
        for heading in ["Share or divergence", "Gain in NDCG@10 over Single evolving LoRA"] {
            let room = 0.4 * font::width(heading, 16.0, Weight::Regular);
            let fitted = Heading::fitted(heading, 16.0, room);
            assert_eq!(fitted.lines.join(" "), heading, "no word is cut");
            assert!(fitted.lines.iter().all(|line| font::width(line, fitted.size, Weight::Regular) <= room));
        }
    }
}
