//! Fonts of this machine, for letters that a program's own fonts lack: titles of items may be in any script.
//!
//! They are looked for when a text needs them, so that nobody else waits for the folders of fonts to be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use resvg::usvg::fontdb::{Database, FaceInfo, ID, Style};
use ttf_parser::Face;

/// Families that have many letters and are drawn well, the first that has a letter being taken; then any other.
const FAMILIES: [&str; 22] = [
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Noto Sans CJK JP",
    "Noto Sans JP",
    "Noto Sans KR",
    "Noto Sans Arabic",
    "Noto Sans Hebrew",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "DejaVu Sans",
    "Segoe UI",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "PingFang SC",
    "Hiragino Sans",
    "Apple SD Gothic Neo",
    "Geeza Pro",
    "Arial Unicode MS",
    "Noto Sans Symbols2",
    "Noto Emoji",
];

/// Families that draw a box, or nothing, for every letter.
const BOXES: [&str; 3] = ["lastresort", "adobeblank", "adobenotdef"];

/// A face of this machine.
#[derive(Debug, PartialEq, Eq)]
pub struct Fallback {
    pub family: String,
    /// The font's file.
    pub data: Arc<Vec<u8>>,
    /// Which face of the file.
    pub index: u32,
}

/// What was found for some letters.
#[derive(Debug, Default)]
pub struct Found {
    /// Each face once, in the order in which they are to be asked.
    pub faces: Vec<Arc<Fallback>>,
    /// Letters that no font of this machine has.
    pub missing: BTreeSet<char>,
}

/// A letter in the face that has it.
#[derive(Debug, Clone, Copy)]
struct Letter {
    /// Among the chosen faces.
    face: usize,
    /// Width, as a share of the font's size.
    advance: f32,
}

/// The fonts of this machine, as far as they were asked for.
struct Machine {
    database: Database,
    /// Every face, the preferred ones first.
    order: Vec<ID>,
    chosen: Vec<(ID, Arc<Fallback>)>,
    /// Letters that were looked for; nothing where no face has one.
    letters: BTreeMap<char, Option<Letter>>,
}

static MACHINE: LazyLock<Mutex<Machine>> = LazyLock::new(|| Mutex::new(Machine::read()));

/// Reads which fonts this machine has, so that whoever asks for a letter later does not wait for that.
pub fn prepare() {
    LazyLock::force(&MACHINE);
}

/// How many faces this machine has.
pub fn count() -> usize {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner).order.len()
}

/// Whether a letter is drawn at all: spaces, controls and what only joins or directs others is not.
pub fn is_drawn(letter: char) -> bool {
    let joins = matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}');
    !(letter.is_whitespace() || letter.is_control() || joins)
}

/// The faces for these letters.
pub fn faces(letters: impl IntoIterator<Item = char>) -> Found {
    let wanted: BTreeSet<char> = letters.into_iter().filter(|letter| is_drawn(*letter)).collect();
    if wanted.is_empty() {
        return Found::default();
    }
    let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    machine.look_for(&wanted);
    let found = |letter: &char| machine.letters.get(letter).copied().flatten();
    let faces: BTreeSet<usize> = wanted.iter().filter_map(found).map(|letter| letter.face).collect();
    Found {
        faces: faces.into_iter().map(|face| Arc::clone(&machine.chosen[face].1)).collect(),
        missing: wanted.into_iter().filter(|letter| found(letter).is_none()).collect(),
    }
}

/// Width of a letter as a share of the font's size; nothing where no font has it.
pub fn advance(letter: char) -> Option<f32> {
    if !is_drawn(letter) {
        return Some(0.0);
    }
    let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    machine.look_for(&BTreeSet::from([letter]));
    machine.letters.get(&letter).copied().flatten().map(|letter| letter.advance)
}

/// What a reader is told of names with letters that no font has; nothing where there are none.
pub fn remark<'t>(names: impl IntoIterator<Item = &'t str>, missing: &BTreeSet<char>) -> Option<String> {
    if missing.is_empty() {
        return None;
    }
    let affected = names.into_iter().filter(|name| name.contains(|letter| missing.contains(&letter)));
    let affected = affected.collect::<BTreeSet<_>>().len();
    let subject = if affected == 1 { "1 name has".to_owned() } else { format!("{affected} names have") };
    Some(format!("{subject} characters that no font of this machine has: {}", listed(missing)))
}

/// `U+0378, U+1F680 and 3 more`: letters that cannot be shown, by their numbers.
pub fn listed(missing: &BTreeSet<char>) -> String {
    let shown: Vec<String> = missing.iter().take(5).map(|letter| format!("U+{:04X}", u32::from(*letter))).collect();
    let more =
        if missing.len() > shown.len() { format!(" and {} more", missing.len() - shown.len()) } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

impl Machine {
    fn read() -> Self {
        let mut database = Database::new();
        database.load_system_fonts();
        let mut order: Vec<(usize, String, ID)> = database.faces().filter_map(ranked).collect();
        order.sort_unstable_by(|a, b| (a.0, &a.1, a.2).cmp(&(b.0, &b.1, b.2)));
        Self {
            database,
            order: order.into_iter().map(|(_, _, id)| id).collect(),
            chosen: Vec::new(),
            letters: BTreeMap::new(),
        }
    }

    /// Finds faces for those of the letters that were not looked for yet.
    fn look_for(&mut self, wanted: &BTreeSet<char>) {
        let mut open: BTreeSet<char> =
            wanted.iter().copied().filter(|letter| !self.letters.contains_key(letter)).collect();
        for id in self.order.clone() {
            if open.is_empty() {
                break;
            }
            self.take_from(id, &mut open);
        }
        self.letters.extend(open.into_iter().map(|letter| (letter, None)));
    }

    /// Takes the letters that a face has out of `open`.
    fn take_from(&mut self, id: ID, open: &mut BTreeSet<char>) {
        let had = self.database.with_face_data(id, |data, index| {
            let face = Face::parse(data, index).ok()?;
            let had: Vec<(char, f32)> =
                open.iter().filter_map(|&letter| Some((letter, outlined(&face, letter)?))).collect();
            let known = self.chosen.iter().any(|(known, _)| *known == id);
            Some((had, index, (!known).then(|| data.to_vec())))
        });
        let Some((had, index, data)) = had.flatten().filter(|(had, ..)| !had.is_empty()) else { return };
        if let Some(data) = data {
            let family = self.database.face(id).and_then(|info| info.families.first());
            let family = family.map(|(name, _)| name.clone()).unwrap_or_default();
            self.chosen.push((id, Arc::new(Fallback { family, data: Arc::new(data), index })));
        }
        let Some(face) = self.chosen.iter().position(|(known, _)| *known == id) else { return };
        for (letter, advance) in had {
            open.remove(&letter);
            self.letters.insert(letter, Some(Letter { face, advance }));
        }
    }
}

/// A face with its rank, the least first, and its family; nothing of one that draws boxes.
fn ranked(face: &FaceInfo) -> Option<(usize, String, ID)> {
    let family = &face.families.first()?.0;
    let plain: String = family.to_lowercase().chars().filter(|letter| letter.is_alphanumeric()).collect();
    if BOXES.iter().any(|boxes| plain.contains(boxes)) {
        return None;
    }
    let preferred = FAMILIES.iter().position(|known| known == family).unwrap_or(FAMILIES.len());
    // Of a family the upright face of ordinary weight comes first.
    let odd = usize::from(face.style != Style::Normal) * 2 + usize::from(face.weight.0 != 400);
    Some((preferred * 4 + odd, family.clone(), face.id))
}

/// Width of a letter that a face has an outline for: pictures in colours are not drawn here.
fn outlined(face: &Face<'_>, letter: char) -> Option<f32> {
    let glyph = face.glyph_index(letter)?;
    face.glyph_bounding_box(glyph)?;
    // Signs above or below others have no width of their own.
    let advance = face.glyph_hor_advance(glyph).unwrap_or(0);
    Some(f32::from(advance) / f32::from(face.units_per_em()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_drawn_needs_no_font() {
        assert!(faces(" \n\u{200b}\u{feff}\u{202e}".chars()).faces.is_empty());
        assert_eq!(advance('\u{200d}'), Some(0.0));
    }

    #[test]
    fn what_no_font_has_is_missing_and_told() {
        // Not characters, and never assigned.
        let found = faces(['\u{10fffd}', '\u{e123}', '\u{378}']);
        assert!(found.missing.contains(&'\u{378}'), "{found:?}");
        let told = remark(["a\u{378}", "b", "c\u{378}d"], &BTreeSet::from(['\u{378}']));
        assert_eq!(told.as_deref(), Some("2 names have characters that no font of this machine has: U+0378"));
        assert_eq!(remark(["a"], &BTreeSet::new()), None);
    }

    #[test]
    fn a_letter_is_found_in_the_same_face_again() {
        let (first, again) = (faces(['漢']), faces(['漢']));
        assert_eq!(first.faces, again.faces);
        assert_eq!(first.missing, again.missing);
        assert_eq!(advance('漢').is_some(), first.missing.is_empty());
    }
}
