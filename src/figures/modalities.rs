//! Sources of item vectors beside each other: how many neighbours they have in common, what ids are without each, and which items
//! this is about.

use std::cmp::Ordering;

use super::context::FigureContext;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use crate::error::InputError;
use crate::id_training::modalities::{ItemFigures, Modalities, NEIGHBOURS, Pair};
use crate::plot::listing::{Cell, Column, Listing};
use crate::plot::{Axis, Better, Body, Chart, Lines, Point, Series, SeriesStyle};
use crate::train::semantic_ids::IdFiles;

pub static SPEC: FigureSpec = FigureSpec {
    name: "modalities",
    aliases: &[],
    label: "Modalities",
    title: "Sources of item vectors beside each other",
    summary: "How far the sources of item vectors agree on which items are alike, and which items change codes without one; `peso semantic-ids PROJECT --modalities` finds it out",
    tooltip: "Whether text and image agree, and which items change codes without one of them",
    options: &[],
    alone: false,
    make: Make::Data(made),
};

fn made(context: &FigureContext<'_>) -> Result<Vec<NamedChart>, InputError> {
    let Some(id_files) = IdFiles::of(context.project()) else { return Ok(Vec::new()) };
    let Some(found) = id_files.kept_modalities()? else { return Ok(Vec::new()) };
    let synthetic = context.is_synthetic();
    let chart = |of: ModalitiesChart| NamedChart::new(of.name(), of.draw(&found, synthetic));
    Ok(ModalitiesChart::ALL.map(chart).into())
}

/// Items that a list has, at most.
const LISTED: usize = 20;

/// The charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ModalitiesChart {
    #[default]
    Agreement,
    Groups,
    Least,
    Moved,
}

impl ModalitiesChart {
    pub const ALL: [Self; 4] = [Self::Agreement, Self::Groups, Self::Least, Self::Moved];

    /// Its name among the figure's charts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Agreement => "modalities-agreement",
            Self::Groups => "modalities-groups",
            Self::Least => "modalities-least",
            Self::Moved => "modalities-moved",
        }
    }

    /// Draws it.
    pub fn draw(self, found: &Modalities, synthetic: bool) -> Chart {
        let chart = match self {
            Self::Agreement => agreement(found),
            Self::Groups => groups(found),
            Self::Least => {
                let chart = items("Items whose sources agree least", found, &least_agreeing(found, LISTED));
                let caption = "Of items that agree alike, those whose first companions stay least come first";
                Chart { caption: Some(caption.to_owned()), ..chart }
            }
            Self::Moved => {
                let chart = items("Items that change codes without a source", found, &moved(found, LISTED));
                let all = moved(found, usize::MAX).len();
                let caption = format!(
                    "Those whose first code is another one without a source and with no other seed: {all} of {}",
                    found.items
                );
                Chart { caption: Some(caption), ..chart }
            }
        };
        chart.synthetic(synthetic)
    }
}

/// How many items have how many neighbours in common, and how many would by chance.
fn agreement(found: &Modalities) -> Chart {
    let points = |shares: &[f64]| -> Vec<Point> {
        shares.iter().enumerate().map(|(common, share)| Point::new(common as f64, 100.0 * share)).collect()
    };
    let mut series = Vec::with_capacity(2 * found.pairs.len());
    for (slot, pair) in found.pairs.iter().enumerate() {
        let (name, style) = (found.pair_name(pair), SeriesStyle::method(slot));
        series.push(Series { name, points: points(&pair.in_common), style });
    }
    // Pairs of as many items have the same chance, and one line says it.
    let mut chances: Vec<&[f64]> = Vec::new();
    for pair in &found.pairs {
        if chances.contains(&pair.in_common_by_chance.as_slice()) {
            continue;
        }
        chances.push(&pair.in_common_by_chance);
        let name =
            if chances.len() == 1 { "By chance".to_owned() } else { format!("By chance, {}", found.pair_name(pair)) };
        let style = SeriesStyle::baseline(chances.len() - 1);
        series.push(Series { name, points: points(&pair.in_common_by_chance), style });
    }
    let y = Axis { unit: Some("%".to_owned()), ..Axis::new("Share of the items") };
    let lines = Lines { x: Axis::whole("Neighbours in common"), y, series, boundaries: Vec::new() };
    let words = |pair: &Pair| {
        let Pair { agreement, chance, alignment, alignment_by_chance, .. } = pair;
        let aligned = alignment
            .zip(*alignment_by_chance)
            .map_or_else(String::new, |(value, by_chance)| format!(", linear CKA {value:.2} ({by_chance:.2})"));
        format!("{}: agreement {agreement:.3} (by chance {chance:.3}){aligned}", found.pair_name(pair))
    };
    let caption = found.pairs.iter().map(words).collect::<Vec<_>>().join("; ");
    let subtitle =
        format!("Of the {NEIGHBOURS} nearest items by one source, those that are among the nearest by another");
    let chart = Chart::new("Agreement of sources on neighbours", Body::Lines(lines));
    Chart { subtitle: Some(subtitle), caption: Some(caption), ..chart }
}

/// By level: how alike the groups of items are that ids make, without each source and with other seeds.
fn groups(found: &Modalities) -> Chart {
    let series = found.changes.iter().enumerate().map(|(slot, change)| {
        let points = change.levels.iter().enumerate();
        let points = points.map(|(level, change)| Point::new(level as f64 + 1.0, change.rand_index)).collect();
        let style = if change.without.is_some() { SeriesStyle::method(slot) } else { SeriesStyle::baseline(0) };
        let name = found.change_name(change);
        let mut letters = name.chars();
        let name = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or(name);
        Series { name, points, style }
    });
    let y = Axis { better: Some(Better::Higher), ..Axis::new("Adjusted Rand index") };
    let lines = Lines { x: Axis::whole("Level"), y, series: series.collect(), boundaries: Vec::new() };
    let seeds = found.changes.last().map_or(0, |change| change.trainings);
    let chart = Chart::new("Groups that ids make without a source", Body::Lines(lines));
    Chart {
        subtitle: Some("Against ids of all sources: items that share their codes up to a level".to_owned()),
        caption: Some(format!("Another seed: the mean of {seeds} trainings, which say what changes without a reason")),
        ..chart
    }
}

/// Items with what is known of them.
fn items(title: &str, found: &Modalities, rows: &[&ItemFigures]) -> Chart {
    if rows.is_empty() {
        return Chart::empty(title, "There is no such item");
    }
    let mut columns = vec![Column::words("Item"), Column::words("Title")];
    columns.extend(found.pairs.iter().map(|pair| {
        let of = if found.pairs.len() == 1 { String::new() } else { format!(" ({})", found.pair_name(pair)) };
        Column::numbers(format!("Agreement{of}"))
    }));
    for measure in ["First code changed", "Companions kept"] {
        columns.extend(
            found.changes.iter().map(|change| Column::numbers(format!("{measure} ({})", found.change_name(change)))),
        );
    }
    let mut listing = Listing::new(columns);
    for item in rows {
        let mut cells: Vec<Cell> = vec![item.item.as_str().into(), item.title.as_deref().unwrap_or("").into()];
        let number = |value: f64, digits: usize| Cell::number(value, format!("{value:.digits$}"));
        cells.extend(item.agreement.iter().map(|value| value.map_or_else(|| "–".into(), |value| number(value, 2))));
        // Of one training yes or no.
        let digits = |change: usize| if found.changes[change].trainings == 1 { 0 } else { 2 };
        cells.extend(item.first_code.iter().enumerate().map(|(change, value)| number(*value, digits(change))));
        cells.extend(item.companions.iter().map(|value| number(*value, 2)));
        listing.rows.push(cells);
    }
    Chart::new(title, Body::Listing(listing))
}

/// The items whose sources agree least; of equal ones those whose companions stay least without a source.
pub fn least_agreeing(found: &Modalities, most: usize) -> Vec<&ItemFigures> {
    let known = |item: &&ItemFigures| item.mean_agreement().is_some();
    let by_agreement = |one: &ItemFigures, other: &ItemFigures| {
        let [one, other] = [one, other].map(|item| item.mean_agreement().unwrap_or(f64::INFINITY));
        one.total_cmp(&other)
    };
    first(found.each.iter().filter(known), most, |one, other| {
        by_agreement(one, other).then(kept(found, one).total_cmp(&kept(found, other)))
    })
}

/// The items whose first code is another one without some source, and with no other seed; first those whose companions stay least.
pub fn moved(found: &Modalities, most: usize) -> Vec<&ItemFigures> {
    let moves = |item: &&ItemFigures| {
        let with_a_reason = found.changes.iter().zip(&item.first_code);
        let (mut without, mut seeds) = (false, false);
        for (change, share) in with_a_reason {
            *(if change.without.is_some() { &mut without } else { &mut seeds }) |= *share > 0.0;
        }
        without && !seeds
    };
    first(found.each.iter().filter(moves), most, |one, other| kept(found, one).total_cmp(&kept(found, other)))
}

fn first<'f>(
    items: impl Iterator<Item = &'f ItemFigures>,
    most: usize,
    order: impl Fn(&ItemFigures, &ItemFigures) -> Ordering,
) -> Vec<&'f ItemFigures> {
    let mut items: Vec<&ItemFigures> = items.collect();
    items.sort_by(|one, other| order(one, other));
    items.truncate(most);
    items
}

/// The fewest companions that an item keeps without a source.
fn kept(found: &Modalities, item: &ItemFigures) -> f64 {
    let without = found.changes.iter().zip(&item.companions).filter(|(change, _)| change.without.is_some());
    without.map(|(_, kept)| *kept).fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::measures::definition;
    use crate::id_training::modalities::{Change, LevelChange, PartFigures};

    fn item(name: &str, agreement: Option<f64>, first_code: [f64; 3], companions: [f64; 3]) -> ItemFigures {
        ItemFigures {
            item: name.to_owned(),
            title: Some(format!("Title of {name}")),
            agreement: vec![agreement],
            first_code: first_code.to_vec(),
            companions: companions.to_vec(),
        }
    }

    fn found() -> Modalities {
        let part = |name: &str| PartFigures { name: name.to_owned(), weight: 1.0, width: 8, lacking: 0 };
        let pair = Pair {
            parts: [0, 1],
            items: 5,
            asked: 5,
            neighbours: 2,
            agreement: 0.5,
            chance: 0.25,
            beyond: 0.2,
            in_common: vec![0.25, 0.5, 0.25],
            in_common_by_chance: vec![0.5, 0.25, 0.25],
            alignment: Some(0.75),
            alignment_by_chance: Some(0.125),
            alignment_items: 5,
        };
        let change = |without, rand_index| Change {
            without,
            trainings: if without.is_some() { 1 } else { 3 },
            first_code: 0.5,
            levels: vec![LevelChange { rand_index, companions: 0.5 }; 2],
        };
        Modalities {
            items: 5,
            parts: vec![part("text"), part("image")],
            pairs: vec![pair],
            codes: 4,
            changes: vec![change(Some(0), 0.25), change(Some(1), 0.5), change(None, 0.75)],
            each: vec![
                item("a", Some(1.0), [0.0; 3], [1.0; 3]),
                item("b", Some(0.0), [1.0, 0.0, 0.0], [0.5, 1.0, 0.0]),
                item("c", Some(0.0), [0.0, 1.0, 0.0], [0.25, 1.0, 1.0]),
                item("d", Some(0.5), [1.0, 1.0, 1.0 / 3.0], [0.0, 0.0, 0.0]),
                item("e", None, [0.0; 3], [0.0; 3]),
            ],
        }
    }

    fn names<'f>(items: &[&'f ItemFigures]) -> Vec<&'f str> {
        items.iter().map(|item| item.item.as_str()).collect()
    }

    #[test]
    fn items_are_those_that_agree_least_and_those_that_move_with_a_reason() {
        let found = found();
        // c keeps fewer companions without a source than b, and nothing is known of e.
        assert_eq!(names(&least_agreeing(&found, 3)), ["c", "b", "d"]);
        assert_eq!(least_agreeing(&found, 10).len(), 4);
        // d moves with another seed too.
        assert_eq!(names(&moved(&found, 10)), ["c", "b"]);
    }

    #[test]
    fn charts_have_the_figures_and_chance_beside_them() {
        let found = found();
        let chart = ModalitiesChart::Agreement.draw(&found, true);
        let Body::Lines(lines) = &chart.body else { panic!("{chart:?}") };
        let values = |series: &Series| series.points.iter().map(|point| point.y).collect::<Vec<_>>();
        assert_eq!(
            lines.series.iter().map(|series| series.name.as_str()).collect::<Vec<_>>(),
            ["text – image", "By chance"]
        );
        assert_eq!([values(&lines.series[0]), values(&lines.series[1])], [[25.0, 50.0, 25.0], [50.0, 25.0, 25.0]]);
        let caption = chart.caption.as_deref().unwrap_or_default();
        assert!(caption.contains("0.500 (by chance 0.250), linear CKA 0.75 (0.12)"), "{caption}");
        let chart = ModalitiesChart::Groups.draw(&found, false);
        let Body::Lines(lines) = &chart.body else { panic!("{chart:?}") };
        let names: Vec<&str> = lines.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["Without text", "Without image", "Another seed"]);
        assert_eq!(values(&lines.series[1]), [0.5, 0.5]);
    }

    #[test]
    fn lists_have_a_column_for_each_figure_and_every_one_is_defined() {
        let chart = ModalitiesChart::Moved.draw(&found(), false);
        let Body::Listing(listing) = &chart.body else { panic!("{chart:?}") };
        let headings: Vec<&str> = listing.headings().collect();
        assert_eq!(headings[..4], ["Item", "Title", "Agreement", "First code changed (without text)"]);
        assert!(listing.rows.iter().all(|row| row.len() == headings.len()));
        let shown: Vec<&str> = listing.rows[0].iter().map(|cell| cell.shown.as_str()).collect();
        assert_eq!(shown, ["c", "Title of c", "0.00", "0", "1", "0.00", "0.25", "1.00", "1.00"]);
        let measures = headings[2..].iter().map(|heading| heading.split(" (").next().unwrap_or_default());
        for measure in measures.chain(["Neighbours in common", "Share of the items", "Adjusted Rand index"]) {
            assert!(definition(measure).is_some(), "{measure}");
        }
        assert!(chart.caption.is_some_and(|caption| caption.ends_with("2 of 5")));
        let nothing = Modalities { each: Vec::new(), ..found() };
        assert!(ModalitiesChart::Least.draw(&nothing, false).body.missing().is_some());
    }
}
