//! Quantities in words, and read from them.

use crate::data::Protocol;

pub(super) use crate::text::{duration_words as duration, memory_words as bytes};

/// `1,234,567`.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `, next-block`: a protocol that is not the usual one.
pub(super) fn unusual(protocol: Protocol) -> String {
    if protocol == Protocol::default() { String::new() } else { format!(", {protocol}") }
}

/// A share above 0 and below 1, as an argument gives it.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
    share.ok_or_else(|| "expected a number above 0 and below 1, such as 0.9".to_owned())
}

/// A mean loss that can be asked for.
pub(super) fn loss(text: &str) -> Result<f64, String> {
    let loss = text.parse().ok().filter(|loss: &f64| *loss > -1.0 && *loss < 1.0);
    loss.ok_or_else(|| "expected a number above -1 and below 1, such as 0.02".to_owned())
}

/// A number of stages, from 1.
pub(super) fn stages(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|stages| *stages > 0).ok_or_else(|| "expected a number of stages, from 1".to_owned())
}

/// A stage, from 1.
pub(super) fn stage(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|stage| *stage > 0).ok_or_else(|| "expected a stage, from 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_are_in_groups_of_three_digits() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }
}
