//! Sound files that are spoilt at random, as on a bad disk or by somebody who means harm.

use std::ops::Range;

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// What separates one thing from the next in a text.
const SEPARATORS: &[u8] = b",;\t|: \"'{}[]()\n\r";
/// Words that a reader of texts may stumble over.
const WORDS: [&str; 12] = [
    "\0",
    "\u{feff}",
    "NaN",
    "1e308",
    "-",
    "99999999999999999999",
    "\"",
    "\r\n",
    "{\"a\":",
    "[[[[[[[[",
    "../",
    "\\ud800",
];
/// Values that are not what a field should have.
const ODD_VALUES: [&str; 14] = [
    "null",
    "true",
    "-1",
    "0",
    "1e999",
    "1e-320",
    "18446744073709551616",
    "4294967295",
    "0.5",
    "\"\"",
    "[]",
    "{}",
    "[[[[",
    "\"\\ud800\"",
];
/// Lengths and offsets that a reader must not believe.
const ODD_NUMBERS: [u64; 8] = [0, 1, 0x7f, 0xff, 0x7fff_ffff, 0xffff_ffff, i64::MAX as u64, u64::MAX];
/// Bytes at either end of a binary file in which readers are told what follows.
const HEADER: usize = 4096;

/// A spoilt copy, and how it was spoilt.
pub fn spoilt(sound: &[u8], random: &mut ChaCha8Rng) -> (Vec<u8>, &'static str) {
    let mut bytes = sound.to_vec();
    if bytes.is_empty() {
        return (vec![random.random()], "a byte in an empty file");
    }
    let how = match random.random_range(0..10) {
        0..4 if std::str::from_utf8(sound).is_ok() => spoil_text(&mut bytes, random),
        0..4 => overwrite_number(&mut bytes, random),
        4 => {
            bytes.truncate(place(bytes.len(), random));
            "cut off"
        }
        5 | 6 => {
            for _ in 0..random.random_range(1..=4) {
                let at = place(bytes.len(), random);
                bytes[at] ^= 1 << random.random_range(0..8);
            }
            "bits flipped"
        }
        7 => {
            let at = place(bytes.len(), random);
            let inserted: Vec<u8> = (0..random.random_range(1..=6)).map(|_| random.random()).collect();
            bytes.splice(at..at, inserted);
            "bytes inserted"
        }
        8 => {
            let piece = piece(bytes.len(), random);
            bytes.drain(piece);
            "bytes deleted"
        }
        _ => {
            let piece = bytes[piece(bytes.len(), random)].to_vec();
            let at = place(bytes.len(), random);
            bytes.splice(at..at, piece);
            "a piece of it elsewhere"
        }
    };
    (bytes, how)
}

/// A place in a file, in most cases where it begins or ends: long files are long by what is not looked at.
fn place(length: usize, random: &mut ChaCha8Rng) -> usize {
    let near = length.min(HEADER);
    match random.random_range(0..10) {
        0..6 => random.random_range(0..near),
        6..9 => length - near + random.random_range(0..near),
        _ => random.random_range(0..length),
    }
}

fn piece(length: usize, random: &mut ChaCha8Rng) -> Range<usize> {
    let start = place(length, random);
    start..(start + random.random_range(1..=40)).min(length)
}

fn spoil_text(bytes: &mut Vec<u8>, random: &mut ChaCha8Rng) -> &'static str {
    let at = place(bytes.len(), random);
    match random.random_range(0..4) {
        0 => {
            let from = bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            let to = bytes[at..].iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |end| at + end + 1);
            let line = bytes[from..to].to_vec();
            bytes.splice(to..to, line);
            "a line twice"
        }
        1 => {
            let next = bytes[at..].iter().position(|byte| SEPARATORS.contains(byte));
            if let Some(next) = next {
                bytes[at + next] = SEPARATORS[random.random_range(0..SEPARATORS.len())];
            }
            "a separator for another"
        }
        2 => {
            let word = WORDS[random.random_range(0..WORDS.len())];
            bytes.splice(at..at, word.bytes());
            "a word inserted"
        }
        _ => {
            let Some(colon) = bytes[at..].iter().position(|&byte| byte == b':') else { return "nothing" };
            let start = at + colon + 1;
            let length = bytes[start..].iter().position(|byte| b",})\n".contains(byte)).unwrap_or(0);
            let odd = ODD_VALUES[random.random_range(0..ODD_VALUES.len())];
            bytes.splice(start..start + length, odd.bytes());
            "an odd value"
        }
    }
}

/// Puts a number of one to eight bytes, of either byte order, where another may stand.
fn overwrite_number(bytes: &mut [u8], random: &mut ChaCha8Rng) -> &'static str {
    let at = place(bytes.len(), random);
    let number = ODD_NUMBERS[random.random_range(0..ODD_NUMBERS.len())];
    let width = [1, 2, 4, 8][random.random_range(0..4)].min(bytes.len() - at);
    let into = &mut bytes[at..at + width];
    if random.random() {
        into.copy_from_slice(&number.to_le_bytes()[..width]);
    } else {
        into.copy_from_slice(&number.to_be_bytes()[8 - width..]);
    }
    "a number for another"
}
