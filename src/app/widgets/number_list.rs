//! A field for a list of whole numbers, which says what is wrong with what is typed and keeps it.

use eframe::egui;
use egui::{Button, Id, RichText, TextEdit, Ui};

use crate::app::theme;

/// Numbers that a range may have: more seeds than anybody trains, and few enough to be listed.
const LONGEST_RANGE: u64 = 100;

/// The whole numbers that a text lists, each once: `1, 2, 3` or `1-3`.
///
/// # Errors
/// What in it is no whole number and no range, in words.
pub(crate) fn whole_numbers(text: &str) -> Result<Vec<u64>, String> {
    let mut numbers = Vec::new();
    for part in text.split([',', ';', ' ']).map(str::trim).filter(|part| !part.is_empty()) {
        let range = match part.split_once(['-', '–']) {
            Some((first, last)) if !first.is_empty() => whole_number(first, part)?..=whole_number(last, part)?,
            _ => {
                let number = whole_number(part, part)?;
                number..=number
            }
        };
        if range.is_empty() {
            return Err(format!("“{part}” ends before it begins"));
        }
        if range.end() - range.start() >= LONGEST_RANGE {
            return Err(format!("“{part}” has more than {LONGEST_RANGE} numbers"));
        }
        for number in range {
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
    }
    if numbers.is_empty() { Err("Type at least one whole number".to_owned()) } else { Ok(numbers) }
}

/// One number, which stands in `part`.
fn whole_number(text: &str, part: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            format!("{text} is too large")
        } else {
            format!("“{part}” is not a whole number")
        }
    })
}

/// The numbers as [`whole_numbers`] reads them.
pub(crate) fn numbers_text(numbers: &[u64]) -> String {
    numbers.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

/// State of the field: what is being typed.
#[derive(Debug, Default)]
pub(crate) struct NumberList {
    typed: Option<String>,
}

impl NumberList {
    /// Draws the field behind its label; the numbers where the user has typed others and left it. What cannot be read stays
    /// with its reason below it.
    pub(crate) fn ui(&mut self, ui: &mut Ui, label: Id, help: &str, now: &[u64]) -> Option<Vec<u64>> {
        let tokens = theme::tokens(ui);
        ui.vertical(|ui| {
            let mut text = self.typed.clone().unwrap_or_else(|| numbers_text(now));
            let read = whole_numbers(&text);
            let (response, reset) = ui
                .horizontal(|ui| {
                    let field = TextEdit::singleline(&mut text).desired_width(140.0);
                    let field = if read.is_err() { field.text_color(tokens.error) } else { field };
                    let response = ui.add(field).labelled_by(label).on_hover_text(help);
                    (response, read.is_err() && reset_button(ui, now))
                })
                .inner;
            let read = if response.changed() { whole_numbers(&text) } else { read };
            if let Err(problem) = &read {
                ui.label(RichText::new(problem).small().color(tokens.error));
            }
            if response.changed() {
                self.typed = Some(text);
            }
            if reset {
                self.typed = None;
            }
            match read {
                Ok(numbers) if !response.has_focus() => {
                    self.typed = None;
                    Some(numbers).filter(|numbers| numbers != now)
                }
                _ => None,
            }
        })
        .inner
    }
}

fn reset_button(ui: &mut Ui, now: &[u64]) -> bool {
    let back = format!("Back to {}", numbers_text(now));
    let button = ui.add(Button::new(RichText::new("↺").small()).frame(false)).on_hover_text(&back);
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &back));
    button.clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_type_them() {
        assert_eq!(whole_numbers("42"), Ok(vec![42]));
        assert_eq!(whole_numbers(" 1,2, 3 2;4"), Ok(vec![1, 2, 3, 4]));
        assert_eq!(whole_numbers("1-3, 2–4, 42"), Ok(vec![1, 2, 3, 4, 42]));
        assert_eq!(numbers_text(&[1, 2]), "1, 2");
    }

    #[test]
    fn what_is_no_number_is_said_in_words() {
        assert_eq!(whole_numbers("1,2,x"), Err("“x” is not a whole number".to_owned()));
        assert_eq!(whole_numbers("-1"), Err("“-1” is not a whole number".to_owned()));
        assert_eq!(whole_numbers("99999999999999999999"), Err("99999999999999999999 is too large".to_owned()));
        assert_eq!(whole_numbers("1-x"), Err("“1-x” is not a whole number".to_owned()));
        assert_eq!(whole_numbers("1-"), Err("“1-” is not a whole number".to_owned()));
        assert_eq!(whole_numbers("3-1"), Err("“3-1” ends before it begins".to_owned()));
        assert_eq!(
            whole_numbers("0-18446744073709551615"),
            Err("“0-18446744073709551615” has more than 100 numbers".to_owned())
        );
        assert_eq!(whole_numbers(" , "), Err("Type at least one whole number".to_owned()));
    }
}
