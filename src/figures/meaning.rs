//! What the directions of a module mean: items, codes and users at both ends of each, as a table and in a few words.

use std::collections::{BTreeMap, BTreeSet};

use super::adapters::projection_words;
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::space::Meant;
use super::spec::{FigureSpec, Make};
use crate::analysis::meaning::{Ends, MeaningReport, NamedItem, Reading, ScoredItem, cached};
use crate::plot::listing::{Cell, Column};
use crate::plot::scale::value_label;
use crate::plot::{Body, Chart, Listing};
use crate::subspace::Side;

pub static SPEC: FigureSpec = FigureSpec {
    name: "meaning",
    aliases: &[],
    label: "Meaning",
    title: "Meaning of a direction",
    summary: "What a direction of a module means, as far as `peso interpret` has read it; the strongest where none is named",
    tooltip: "The items and codes that a direction raises and lowers, and the users it is about",
    options: &[FigureOption::Module, FigureOption::Stage, FigureOption::Direction],
    alone: true,
    make: Make::Run(|context, run, options| {
        let Some(adapters) = context.adapters(run) else { return Ok(None) };
        let module = context.module(run, adapters.report, options)?;
        let stage = options.stage.or(adapters.report.stages.last().copied()).unwrap_or(1);
        let report = cached(&run.folder, stage, &module.name);
        let place = options.direction.map_or(0, |direction| direction.saturating_sub(1));
        Ok(report.map(|report| direction(&report, place, &run.name)))
    }),
};

/// Columns: things at an end, each with how far it is there.
const ENDS: [&str; 6] = [
    "Makes likelier",
    "Makes less likely",
    "Codes raised",
    "Codes lowered",
    "Users along it most",
    "Users against it most",
];

/// The meaning of the direction at a place of a report; `run` is how the run reads. Empty where there is no such direction.
pub fn direction(report: &MeaningReport, place: usize, run: &str) -> Chart {
    let title = format!("Meaning of direction {}: {}", place + 1, module_in_words(&report.module));
    let Some(found) = report.directions.get(place) else {
        return Chart::empty(title, "The module has no such direction").synthetic(report.synthetic);
    };
    let ends = ENDS.iter().flat_map(|end| [Column::words(*end), Column::numbers("Score")]);
    let mut listing = Listing::new([Column::words("Side")].into_iter().chain(ends).collect());
    let users = [&found.activation.users.raised, &found.activation.users.lowered]
        .map(|users| users.iter().map(|user| (user.user.clone(), user.activation)).collect::<Vec<_>>());
    let [mut along, mut against] = users;
    for (reading, side) in [(&found.writes, "writes"), (&found.reads, "reads")] {
        let Some(Reading { items, codes }) = reading else { continue };
        let items = [&items.raised, &items.lowered]
            .map(|items| items.iter().map(|found| (item_words(&found.item), found.score)).collect::<Vec<_>>());
        let codes = [&codes.raised, &codes.lowered]
            .map(|codes| codes.iter().map(|found| (found.code.clone(), found.score)).collect::<Vec<_>>());
        // Users are of the direction as a whole, and stand in the rows of its first side.
        let users = [std::mem::take(&mut along), std::mem::take(&mut against)];
        let columns: Vec<Vec<(String, f64)>> = items.into_iter().chain(codes).chain(users).collect();
        for row in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
            let cells = columns.iter().flat_map(|column| match column.get(row) {
                Some((name, score)) => [Cell::from(name.as_str()), Cell::number(*score, value_label(*score))],
                None => [Cell::from(""), Cell::from("")],
            });
            listing.rows.push([Cell::from(side)].into_iter().chain(cells).collect());
        }
    }
    let subtitle = Some(format!("{run}, stage {}; {:.0} % of the update's energy", report.stage, 100.0 * found.share));
    let caption = Some(
        "What the direction makes likelier and less likely, or reads, and the users whose histories run along it"
            .to_owned(),
    );
    let chart = Chart { subtitle, caption, ..Chart::new(title, Body::Listing(listing)) }.synthetic(report.synthetic);
    let chart = chart.of("run", report.run.clone()).of("stage", report.stage.to_string());
    chart.of("module", report.module.clone()).of("direction", (place + 1).to_string())
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
