//! Figures of `peso bench` as text, and beside earlier ones.

use super::outcome::{Ended, print, print_json, say};
use super::table::Table;
use crate::budget::against::{Against, Ratio};

/// Prints figures then and now, and says what was not the same.
pub(super) fn compared(both: &Against, json: bool) -> anyhow::Result<Ended> {
    if json {
        print_json(both)?;
    } else {
        let mut table = Table::new(1, ["measured", "before", "now", "now / before"]);
        for Ratio { name, before, now, ratio } in &both.measured {
            let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.3}"));
            table.row([name.clone(), digits(*before), digits(*now), ratio]);
        }
        print(&table.to_text())?;
    }
    for difference in &both.differs {
        say(&format!("warning: not the same: {difference}"));
    }
    Ok(Ended::Done)
}

/// Four digits, which is more than a measurement of time repeats.
pub(super) fn digits(value: f64) -> String {
    let whole = value.abs().max(1e-12).log10().floor() as i32 + 1;
    format!("{value:.*}", (4 - whole).clamp(0, 9) as usize)
}
