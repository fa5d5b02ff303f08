//! Quantities in words, and read from them.

use crate::data::Protocol;

/// `45 s`, `1 min 12 s`, `3 h 5 min`.
pub(super) fn duration(seconds: f64) -> String {
    // A saturating cast: what is no number or below 0 becomes 0.
    let seconds = seconds.round() as u64;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

/// Bytes as `96 KiB`, `812 MiB`, `20.0 GiB`.
pub(super) fn bytes(bytes: u64) -> String {
    const MEBI: f64 = 1024.0 * 1024.0;
    let mebi = bytes as f64 / MEBI;
    if bytes < 1 << 20 {
        return format!("{:.0} KiB", bytes as f64 / 1024.0);
    }
    if mebi < 10_240.0 { format!("{mebi:.0} MiB") } else { format!("{:.1} GiB", mebi / 1024.0) }
}

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

/// A stage, from 1.
pub(super) fn stage(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|stage| *stage > 0).ok_or_else(|| "expected a stage, from 1".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_easy_to_read() {
        assert_eq!(
            [f64::NAN, 0.4, 59.6, 72.0, 11_100.0].map(duration),
            ["0 s", "0 s", "1 min 0 s", "1 min 12 s", "3 h 5 min"]
        );
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!(
            [0, 96 << 10, 1 << 20, 812 << 20, 20 << 30].map(bytes),
            ["0 KiB", "96 KiB", "1 MiB", "812 MiB", "20.0 GiB"]
        );
    }
}
