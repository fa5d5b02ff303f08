//! The font that charts are set in, and how wide text is in it.
//!
//! Inter (SIL Open Font License, `assets/fonts/`) is part of the binary, so that a chart looks the same everywhere. It
//! has the Latin, Greek and Cyrillic letters and common signs; others are taken from the machine's fonts ([`fallback`]).

use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb::{Database, Source};
use ttf_parser::Face;

use super::fallback::{self, Found};

const REGULAR: &[u8] = include_bytes!("../../assets/fonts/Inter-Regular.otf");
const SEMIBOLD: &[u8] = include_bytes!("../../assets/fonts/Inter-SemiBold.otf");

/// The family to ask for in an SVG file, with fall-backs that are no wider.
pub const FAMILY: &str = "Inter, 'Helvetica Neue', Arial, sans-serif";

/// Weight of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    Regular,
    SemiBold,
}

impl Weight {
    /// The number that CSS has for it.
    pub fn css(self) -> u16 {
        match self {
            Self::Regular => 400,
            Self::SemiBold => 600,
        }
    }

    fn face(self) -> &'static Face<'static> {
        static FACES: LazyLock<[Face<'static>; 2]> = LazyLock::new(|| {
            [REGULAR, SEMIBOLD].map(|font| Face::parse(font, 0).expect("the font in assets is a font: a test reads it"))
        });
        match self {
            Self::Regular => &FACES[0],
            Self::SemiBold => &FACES[1],
        }
    }
}

/// The fonts for resvg and krilla: the charts' own alone, none of the system's, so that files are the same everywhere.
fn database() -> Arc<Database> {
    static DATABASE: LazyLock<Arc<Database>> = LazyLock::new(|| {
        let mut database = Database::new();
        database.load_font_data(REGULAR.to_vec());
        database.load_font_data(SEMIBOLD.to_vec());
        Arc::new(database)
    });
    Arc::clone(&DATABASE)
}

/// The fonts for a text: the charts' own, and for the letters that they lack fonts of this machine.
pub fn database_for(text: &str) -> Arc<Database> {
    let Found { faces, .. } = fallbacks(text);
    if faces.is_empty() {
        return database();
    }
    let mut with_others = (*database()).clone();
    for face in faces {
        with_others.load_font_source(Source::Binary(Arc::clone(&face.data) as _));
    }
    Arc::new(with_others)
}

/// What this machine has for the letters of a text that the charts' own font lacks.
pub fn fallbacks(text: &str) -> Found {
    let face = Weight::Regular.face();
    fallback::faces(text.chars().filter(|letter| !letter.is_ascii() && face.glyph_index(*letter).is_none()))
}

/// Width of `text` at `size`, in the unit of `size`. Kerning is left out: it makes text narrower, if anything.
pub fn width(text: &str, size: f32, weight: Weight) -> f32 {
    let face = weight.face();
    let em = f32::from(face.units_per_em());
    let own = |letter| face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph));
    // What no font has takes half an em.
    let other = |letter| fallback::advance(letter).unwrap_or(0.5);
    text.chars().map(|letter| own(letter).map_or_else(|| other(letter), |units| f32::from(units) / em)).sum::<f32>()
        * size
}

/// `text`, or as much of it as fits `room` with an ellipsis.
pub fn fitted(text: &str, size: f32, weight: Weight, room: f32) -> String {
    if width(text, size, weight) <= room {
        return text.to_owned();
    }
    let mut kept: String = text.to_owned();
    while kept.pop().is_some() {
        let cut = format!("{}…", kept.trim_end());
        if width(&cut, size, weight) <= room {
            return cut;
        }
    }
    String::new()
}

/// The size, at most `size` and at least 0.7 of it, at which the longest of `names` fits `room`.
pub fn size_for(names: &[String], size: f32, room: f32) -> f32 {
    let rows = names.iter().flat_map(|name| name.lines());
    let widest = rows.map(|row| width(row, size, Weight::Regular)).fold(f32::MIN_POSITIVE, f32::max);
    size * (room / widest).clamp(0.7, 1.0)
}

/// `text` in at most `max_lines` lines no wider than `room`, broken between words; what does not fit ends in an ellipsis.
pub fn wrapped(text: &str, size: f32, weight: Weight, room: f32, max_lines: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let full = lines.len() >= max_lines;
        match lines.last_mut() {
            // The last line takes all that is left and is cut below.
            Some(line) if full || width(&format!("{line} {word}"), size, weight) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter().map(|line| fitted(&line, size, weight, room)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_what_charts_write() {
        assert_eq!(database().len(), 2);
        for weight in [Weight::Regular, Weight::SemiBold] {
            for letter in "AZaz09@.,–−±…λΔ‖×→()%\u{202f}éß".chars() {
                assert!(weight.face().glyph_index(letter).is_some(), "{letter:?} is missing");
            }
        }
    }

    #[test]
    fn text_is_cut_and_broken_to_its_room() {
        let name = "PESO with a per-module softmax and a very long description of it";
        let cut = fitted(name, 15.0, Weight::Regular, 120.0);
        assert!(cut.ends_with('…') && name.starts_with(cut.trim_end_matches('…')));
        assert!(width(&cut, 15.0, Weight::Regular) <= 120.0);
        assert_eq!(fitted("PESO", 15.0, Weight::Regular, 120.0), "PESO");

        let lines = wrapped(name, 15.0, Weight::Regular, 200.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line, 15.0, Weight::Regular) <= 200.0));
        let whole = wrapped(name, 15.0, Weight::Regular, 200.0, 9);
        assert_eq!(whole.join(" "), name);
    }
}
