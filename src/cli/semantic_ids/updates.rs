//! `peso semantic-ids --compare-updates`: ways to update the tokenizer side by side, as text and JSON.

use serde::Serialize;

use super::Arguments;
use crate::cli::outcome::{Ended, print, print_json};
use crate::cli::table::{self, Table};
use crate::cli::words;
use crate::id_training::updates::{StageFigures, Way, WayFigures};
use crate::train::semantic_ids::IdUpdates;

/// What each column says of a way.
pub(super) const MEASURES: [&str; 8] = [
    "Ids moved",
    "First code kept",
    "Items that share an id",
    "Explained",
    "Category predictability",
    "Old model",
    "Fitted anew",
    "Cost of the move",
];

/// What is printed as JSON.
#[derive(Serialize)]
struct Report<'u> {
    #[serde(flatten)]
    updates: &'u IdUpdates,
    ways: [WayWords; Way::ALL.len()],
    reading: String,
}

#[derive(Serialize)]
struct WayWords {
    way: Way,
    words: &'static str,
}

pub(super) fn show(updates: &IdUpdates, arguments: &Arguments) -> anyhow::Result<Ended> {
    if arguments.json {
        let ways = Way::ALL.map(|way| WayWords { way, words: way.words() });
        print_json(&Report { updates, ways, reading: reading(updates) })?;
    } else {
        print(&(text(updates) + &if arguments.explain { table::explained(MEASURES) } else { String::new() }))?;
    }
    Ok(Ended::Done)
}

fn text(updates: &IdUpdates) -> String {
    let count = |number: usize| words::count(number as u64);
    let mut ways = Table::new(2, ["Update", "What it does"]);
    for way in Way::ALL {
        ways.row([way.name(), way.words()]);
    }
    let mut table = Table::new(2, ["Stage", "Update"].into_iter().chain(MEASURES));
    for StageFigures { stage, ways, .. } in &updates.stages {
        for way in ways {
            let first = way.levels.first();
            table.row([
                stage.to_string(),
                way.way.name().to_owned(),
                percent(Some(way.ids_moved)),
                percent(first.map(|level| level.code_kept)),
                percent(Some(way.sharing)),
                percent(Some(way.explained)),
                percent(first.and_then(|level| level.category)),
                nats(way.old_model),
                nats(way.new_model),
                nats(way.cost()),
            ]);
        }
    }
    let grown: Vec<String> = updates
        .stages
        .iter()
        .map(|stage| format!("{} ({} new) after stage {}", count(stage.items), count(stage.new), stage.stage))
        .collect();
    let tests: usize = updates.stages.iter().map(|stage| stage.tests).sum();
    let alike: Vec<String> = updates.stages.iter().map(|stage| signed(stage.alike())).collect();
    format!(
        "Ids after each stage by five ways to update the tokenizer, all from the same ids of the {} items of stage 1\n{} items\nModels count which codes follow which, and are asked {} {} tests, in nats an item\nTo whom all items are alike gives {}\n\n{}\n{}\n{}\n",
        count(updates.items),
        grown.join(", "),
        count(tests),
        updates.protocol,
        alike.join(", "),
        ways.to_text(),
        table.to_text(),
        reading(updates),
    )
}

/// What the table says, in a sentence or two: means over the stages.
fn reading(updates: &IdUpdates) -> String {
    let stages = updates.stages.len().max(1) as f64;
    let mean = |way: Way, value: &dyn Fn(&WayFigures) -> Option<f64>| -> Option<f64> {
        let of_way = |stage: &StageFigures| stage.ways.iter().find(|figures| figures.way == way).and_then(value);
        let sum = updates.stages.iter().map(of_way).sum::<Option<f64>>();
        sum.map(|sum| sum / stages)
    };
    let moves = Way::ALL.map(|way| {
        let moved = percent(mean(way, &|figures| Some(figures.ids_moved)));
        let cost = mean(way, &WayFigures::cost).map_or_else(String::new, |cost| format!(" at {} nats", signed(cost)));
        format!("{} {moved}{cost}", way.name())
    });
    let anew = |way: &Way| mean(*way, &|figures| figures.new_model);
    let known = Way::ALL.into_iter().filter_map(|way| Some((way, anew(&way)?)));
    let best = known.max_by(|one, other| one.1.total_cmp(&other.1));
    let alike = updates.stages.iter().map(StageFigures::alike).sum::<f64>() / stages;
    let best = best.map_or_else(String::new, |(way, likelihood)| {
        let nothing = if likelihood <= alike {
            " To none of them counts tell more than that all items are alike: next to nothing comes again in these data, and what moves cost here says little."
        } else {
            ""
        };
        format!(" To a model that is fitted anew, ids by {} say most: {likelihood:.3} nats an item.{nothing}", way.name())
    });
    format!(
        "Mean over stages: of the items that were there move by {}, which is what a model that knows the old ids loses an item.{best}",
        moves.join(", ")
    )
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "–".to_owned(), |share| format!("{:.1} %", 100.0 * share))
}

fn nats(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), signed)
}

/// Three digits, and no sign before 0.
fn signed(value: f64) -> String {
    let text = format!("{value:.3}");
    if text == "-0.000" { "0.000".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Protocol;

    /// One stage of 100 items, where a model that is fitted anew has this log-likelihood by every way.
    fn updates(new_model: Option<f64>) -> IdUpdates {
        let figures = |way| WayFigures {
            way,
            ids_moved: 0.5,
            levels: Vec::new(),
            sharing: 0.0,
            explained: 0.5,
            error: 1.0,
            old_model: new_model,
            new_model,
        };
        let stage = StageFigures { stage: 2, items: 100, new: 10, tests: 7, ways: Way::ALL.map(figures).into() };
        IdUpdates { protocol: Protocol::SameBlock, items: 90, stages: vec![stage] }
    }

    #[test]
    fn counts_that_tell_nothing_are_called_so_and_none_are_not() {
        let says_little = |new_model| reading(&updates(new_model)).contains("next to nothing comes again");
        // All alike are -ln 100, -4.605.
        assert_eq!([Some(-4.7), Some(-4.5), None].map(says_little), [true, false, false]);
    }
}
