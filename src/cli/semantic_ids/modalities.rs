//! `peso semantic-ids --modalities`: sources of vectors side by side, as text and JSON.

use super::Arguments;
use crate::cli::outcome::{Ended, print, print_json};
use crate::cli::table::{self, Table};
use crate::cli::words;
use crate::figures::modalities::{least_agreeing, moved};
use crate::id_training::modalities::{Change, ItemFigures, Modalities, Pair};

/// What each column says of two sources, of what is left out, and of an item.
pub(super) const MEASURES: [&str; 8] = [
    "Agreement",
    "Agreement by chance",
    "Beyond chance",
    "Alignment",
    "Alignment by chance",
    "First code changed",
    "Companions kept",
    "Adjusted Rand index",
];
/// Items that are listed, at most; JSON has all.
const LISTED: usize = 10;

pub(super) fn show(found: &Modalities, arguments: &Arguments) -> anyhow::Result<Ended> {
    if arguments.json {
        print_json(found)?;
    } else {
        print(&(text(found) + &if arguments.explain { table::explained(MEASURES) } else { String::new() }))?;
    }
    Ok(Ended::Done)
}

fn text(found: &Modalities) -> String {
    let count = |number: usize| words::count(number as u64);
    let mut parts = Table::new(1, ["Source", "Weight", "Values", "Items without"]);
    for part in &found.parts {
        parts.row([part.name.clone(), part.weight.to_string(), part.width.to_string(), count(part.lacking)]);
    }
    let mut pairs = Table::new(1, ["Sources", "Items"].into_iter().chain(MEASURES[..5].iter().copied()));
    for pair in &found.pairs {
        let Pair { agreement, chance, beyond, alignment, alignment_by_chance, .. } = *pair;
        pairs.row([
            found.pair_name(pair),
            count(pair.asked),
            format!("{agreement:.3}"),
            format!("{chance:.3}"),
            percent(beyond),
            number(alignment),
            number(alignment_by_chance),
        ]);
    }
    let changed = MEASURES[5..].iter().map(|measure| (*measure).to_owned());
    let levels = found.changes.first().map_or(0, |change| change.levels.len());
    let heading = ["Ids".to_owned()].into_iter().chain(changed);
    let deeper = (2..=levels).map(|level| format!("on level {level}"));
    let mut changes = Table::new(1, heading.chain(deeper));
    for change in &found.changes {
        let Change { trainings, first_code, levels, .. } = change;
        let name = found.change_name(change);
        let name = if *trainings > 1 { format!("{name}, mean of {trainings}") } else { name };
        let companions = levels.first().map(|level| percent(level.companions)).unwrap_or_default();
        let indices = levels.iter().map(|level| format!("{:.3}", level.rand_index));
        changes.row([name, percent(*first_code), companions].into_iter().chain(indices));
    }
    format!(
        "{} items; ids of all sources, without each, and of all with other seeds, of {} codes a level\n\n{}\n{}\n{}\n{}{}",
        count(found.items),
        found.codes,
        parts.to_text(),
        pairs.to_text(),
        changes.to_text(),
        listed("Items whose sources agree least", &least_agreeing(found, LISTED)),
        listed("Items whose first code changes without a source, and with no other seed", &moved(found, LISTED)),
    )
}

fn listed(heading: &str, items: &[&ItemFigures]) -> String {
    if items.is_empty() {
        return String::new();
    }
    let mut text = format!("{heading}:\n");
    for ItemFigures { item, title, .. } in items {
        text += &title.as_ref().map_or_else(|| format!("  {item}\n"), |title| format!("  {item}  {title}\n"));
    }
    text + "\n"
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}
