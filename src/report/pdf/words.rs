//! Text in lines of a width.

use crate::plot::font::{Weight, width};

/// A text in lines no wider than `room`, broken between words, and within words that are wider than a line.
pub(super) fn lines(text: &str, size: f32, weight: Weight, room: f32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if width(&joined, size, weight) <= room {
                line = joined;
                continue;
            }
            if !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line = last_of_broken(word, size, weight, room, &mut lines);
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

/// Adds the full lines of a word to `lines` and returns what is left of it.
fn last_of_broken(word: &str, size: f32, weight: Weight, room: f32, lines: &mut Vec<String>) -> String {
    let mut line = String::new();
    let mut taken = 0.0;
    for letter in word.chars() {
        let advance = width(letter.encode_utf8(&mut [0; 4]), size, weight);
        if taken + advance > room && !line.is_empty() {
            lines.push(std::mem::take(&mut line));
            taken = 0.0;
        }
        line.push(letter);
        taken += advance;
    }
    line
}

/// Widths of columns that share `room`: each as wide as it wants to be, as far as the others leave it.
pub(super) fn shared(wanted: &[f32], room: f32) -> Vec<f32> {
    let mut widths = wanted.to_vec();
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|&a, &b| wanted[a].total_cmp(&wanted[b]));
    let mut left = room;
    for (place, &column) in order.iter().enumerate() {
        let share = left / (order.len() - place) as f32;
        widths[column] = wanted[column].min(share);
        left -= widths[column];
    }
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_every_letter_and_fit() {
        let text = "A table of a long-name-that-is-wider-than-the-line-itself and 日本語日本語日本語日本語\nnext";
        let found = lines(text, 10.0, Weight::Regular, 80.0);
        let letters = |text: &str| text.chars().filter(|letter| !letter.is_whitespace()).collect::<String>();
        assert_eq!(letters(&found.concat()), letters(text));
        assert!(found.iter().all(|line| width(line, 10.0, Weight::Regular) <= 80.0), "{found:?}");
        assert_eq!(found.last().map(String::as_str), Some("next"));
        assert_eq!(lines("", 10.0, Weight::Regular, 80.0), [""]);
    }

    #[test]
    fn narrow_columns_keep_their_width_and_wide_ones_share_the_rest() {
        assert_eq!(shared(&[10.0, 200.0, 100.0], 110.0), [10.0, 50.0, 50.0]);
        assert_eq!(shared(&[10.0, 20.0], 110.0), [10.0, 20.0]);
    }
}
