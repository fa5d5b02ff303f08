//! What the directions of a module mean, as a table: items, codes and users at both ends of each.

use std::collections::{BTreeMap, BTreeSet};

use super::adapters::projection_words;
use super::provenance::Provenance as _;
use super::space::Meant;
use crate::analysis::meaning::{Ends, MeaningReport, NamedItem, Reading, ScoredItem};
use crate::plot::listing::{Cell, Column};
use crate::plot::scale::value_label;
use crate::plot::{Body, Chart, Listing};
use crate::subspace::Side;

/// The meaning of all directions; `run` is how the run reads.
pub fn directions(report: &MeaningReport, run: &str) -> Chart {
    let columns = vec![
        Column::numbers("Direction"),
        Column::words("Side"),
        Column::words("End"),
        Column::words("Name"),
        Column::words("Codes"),
        Column::numbers("Score"),
    ];
    let mut listing = Listing::new(columns);
    for (direction, number) in report.directions.iter().zip(1..) {
        let mut row = |side: &str, end: &str, [name, codes]: [String; 2], score: f64| {
            let words = [side, end].map(Cell::from);
            let number = Cell::from(number.to_string());
            let named = [Cell::from(name), Cell::from(codes), Cell::number(score, value_label(score))];
            listing.rows.push([number].into_iter().chain(words).chain(named).collect());
        };
        for (reading, side) in [(&direction.writes, "writes"), (&direction.reads, "reads")] {
            reading.iter().for_each(|reading| reading_rows(reading, |end, words, score| row(side, end, words, score)));
        }
        let users = &direction.activation.users;
        for (users, end) in [(&users.raised, "raised"), (&users.lowered, "lowered")] {
            users.iter().for_each(|user| row("users", end, [user.user.clone(), String::new()], user.activation));
        }
    }
    let title = format!("Meaning of directions: {}", module_in_words(&report.module));
    let subtitle = Some(format!("{run}, stage {}", report.stage));
    let caption = Some(
        "What each direction makes likelier (raised) and less likely (lowered), or reads; whose histories run along it"
            .to_owned(),
    );
    let chart = Chart { subtitle, caption, ..Chart::new(title, Body::Listing(listing)) }.synthetic(report.synthetic);
    chart.of("run", report.run.clone()).of("stage", report.stage.to_string()).of("module", report.module.clone())
}

fn reading_rows(reading: &Reading, mut row: impl FnMut(&str, [String; 2], f64)) {
    let ends = [
        (&reading.items.raised, &reading.codes.raised, "raised"),
        (&reading.items.lowered, &reading.codes.lowered, "lowered"),
    ];
    for (items, codes, end) in ends {
        items.iter().for_each(|found| row(end, [item_words(&found.item), found.item.codes.join(" ")], found.score));
        codes.iter().for_each(|found| row(end, [String::new(), found.code.clone()], found.score));
    }
}

/// Words that say nothing of what a title is about.
const EMPTY_WORDS: [&str; 10] = ["the", "and", "for", "with", "from", "your", "you", "edition", "vol", "new"];
/// Items at an end that are asked for their words.
const ASKED: usize = 10;

/// What an end of a direction has in common, in two words: those in most of its items' titles that the other end's have not; the
/// first title where no two share a word.
pub fn title_words(items: &[ScoredItem], others: &[ScoredItem]) -> String {
    let words_of = |found: &ScoredItem| -> BTreeSet<String> {
        let title = item_words(&found.item).to_lowercase();
        let words = title.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned);
        words.filter(|word| word.chars().count() > 2 && !EMPTY_WORDS.contains(&word.as_str())).collect()
    };
    let mut counts: BTreeMap<String, i32> = BTreeMap::new();
    for (items, weight) in [(items, 1), (others, -1)] {
        for word in items.iter().take(ASKED).flat_map(words_of) {
            *counts.entry(word).or_default() += weight;
        }
    }
    let mut common: Vec<(String, i32)> = counts.into_iter().filter(|(_, count)| *count > 1).collect();
    common.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let common: Vec<String> = common.into_iter().take(2).map(|(word, _)| word).collect();
    if common.is_empty() {
        items.first().map(|found| shortened(&item_words(&found.item))).unwrap_or_default()
    } else {
        common.join(", ")
    }
}

/// The first letters of a title.
fn shortened(title: &str) -> String {
    const LETTERS: usize = 24;
    let mut letters = title.chars();
    let kept: String = letters.by_ref().take(LETTERS).collect();
    if letters.next().is_some() { format!("{}…", kept.trim_end()) } else { kept }
}

/// What a direction of a module means on one side, seen along it or against it; none where that side is not read.
pub fn meant(report: &MeaningReport, place: usize, side: Side, reversed: bool) -> Option<Meant> {
    let direction = report.directions.get(place)?;
    let reading = if side == Side::Right { &direction.reads } else { &direction.writes };
    let Ends { raised, lowered } = &reading.as_ref()?.items;
    let [along, against] = if reversed { [lowered, raised] } else { [raised, lowered] };
    let titles =
        |items: &[ScoredItem]| items.iter().take(3).map(|found| item_words(&found.item)).collect::<Vec<_>>().join(", ");
    Some(Meant {
        label: format!("{}: {}", place + 1, title_words(along, against)),
        details: format!("▲ {}\n▼ {}", titles(along), titles(against)),
    })
}

/// An item by its title, or its id where it has none.
pub fn item_words(item: &NamedItem) -> String {
    item.title.clone().unwrap_or_else(|| item.id.clone())
}

/// `Layer 1, down` for `model.layers.0.mlp.down_proj`; the name itself where it is none of a layer.
fn module_in_words(module: &str) -> String {
    let layer = module.split('.').find_map(|part| part.parse::<usize>().ok());
    let projection = module.rsplit('.').next().unwrap_or(module);
    layer.map_or_else(|| module.to_owned(), |layer| format!("Layer {}, {}", layer + 1, projection_words(projection)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(titles: &[&str]) -> Vec<ScoredItem> {
        let item = |title: &&str| ScoredItem {
            item: NamedItem { id: "7".to_owned(), title: Some((*title).to_owned()), codes: Vec::new() },
            score: 1.0,
        };
        titles.iter().map(item).collect()
    }

    #[test]
    fn an_end_is_called_by_what_its_titles_share_and_the_others_do_not() {
        let raised = items(&["The Velvet market adventure", "Market Adventure 2", "Quiet Adventure", "Golden market"]);
        let lowered = items(&["Orbit farming adventure", "Wild farming"]);
        // Adventure is in three titles and in one of the other end, market in three.
        assert_eq!(title_words(&raised, &lowered), "market, adventure");
        assert_eq!(
            title_words(&items(&["A title that is far too long to stand there"]), &[]),
            "A title that is far too…"
        );
        assert_eq!(title_words(&[], &lowered), "");
    }

    #[test]
    fn a_module_reads_as_in_other_charts() {
        assert_eq!(module_in_words("model.layers.0.mlp.down_proj"), "Layer 1, down");
        assert_eq!(module_in_words("lm_head"), "lm_head");
    }
}
