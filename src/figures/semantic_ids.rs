//! Charts of semantic ids: their training epoch by epoch, and what came of it level by level.

use super::context::FigureContext;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use crate::error::InputError;
use crate::id_training::Quality;
use crate::id_training::observer::Epoch;
use crate::plot::{Axis, Better, Body, Chart, Lines, Point, Series, SeriesStyle};
use crate::train::semantic_ids::{IdFiles, IdsState};

pub static SPEC: FigureSpec = FigureSpec {
    name: "semantic-ids",
    aliases: &["ids"],
    label: "Semantic ids",
    title: "Training and quality of semantic ids",
    summary: "The training of the project's semantic ids epoch by epoch, and what came of it level by level; nothing of ids that came with the data",
    tooltip: "How semantic ids were trained, and how good they are",
    options: &[],
    alone: false,
    make: Make::Data(made),
};

fn made(context: &FigureContext<'_>) -> Result<Vec<NamedChart>, InputError> {
    let Some(id_files) = IdFiles::of(context.project()) else { return Ok(Vec::new()) };
    let (state, synthetic) = (IdsState::read(&id_files)?, context.is_synthetic());
    Ok(IdsChart::ALL
        .into_iter()
        .filter_map(|of| Some(NamedChart::new(of.name(), of.draw(&state, synthetic)?)))
        .collect())
}

/// The charts of semantic ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IdsChart {
    #[default]
    Loss,
    Codes,
    Levels,
}

impl IdsChart {
    pub const ALL: [Self; 3] = [Self::Loss, Self::Codes, Self::Levels];

    /// Its name among the figure's charts.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "semantic-ids-loss",
            Self::Codes => "semantic-ids-codes",
            Self::Levels => "semantic-ids-levels",
        }
    }

    /// Draws it; none where there is nothing to draw yet.
    pub fn draw(self, state: &IdsState, synthetic: bool) -> Option<Chart> {
        let trained = !state.epochs.is_empty();
        match self {
            Self::Loss => trained.then(|| loss(&state.epochs, synthetic)),
            Self::Codes => trained.then(|| codes_in_use(&state.epochs, synthetic)),
            Self::Levels => state.quality.as_ref().map(|quality| levels(quality, synthetic)),
        }
    }
}

/// A line has about this many points at most: more than a screen shows apart.
const MAX_POINTS: usize = 400;

/// What the autoencoder minimises by epoch, and its parts.
fn loss(epochs: &[Epoch], synthetic: bool) -> Chart {
    let series = vec![
        line(epochs, 0, "Loss".to_owned(), |epoch| epoch.loss),
        line(epochs, 1, "Reconstruction".to_owned(), |epoch| epoch.reconstruction),
        line(epochs, 2, "Quantisation".to_owned(), |epoch| epoch.quantisation),
    ];
    let y = Axis { better: Some(Better::Lower), ..Axis::new("Loss") };
    by_epoch("Training loss", y, series, epochs).synthetic(synthetic)
}

/// Codes in use on each level, and items that share an id, by epoch.
fn codes_in_use(epochs: &[Epoch], synthetic: bool) -> Chart {
    let levels = epochs.iter().map(|epoch| epoch.used.len()).max().unwrap_or(0);
    let mut series: Vec<Series> = (0..levels)
        .map(|level| {
            let share =
                |epoch: &Epoch| percent(*epoch.used.get(level).unwrap_or(&0) as f64 / epoch.codes.max(1) as f64);
            line(epochs, level, format!("Codes used, level {}", level + 1), share)
        })
        .collect();
    let style = SeriesStyle::baseline(0);
    series.push(Series {
        style,
        ..line(epochs, 0, "Items that share an id".to_owned(), |epoch: &Epoch| percent(epoch.collisions))
    });
    let y = Axis { unit: Some("%".to_owned()), ..Axis::new("Share") };
    by_epoch("Codes and collisions", y, series, epochs).synthetic(synthetic)
}

/// By level: the share of codes in use and how evenly, and how well the codes so far tell an item's category.
fn levels(quality: &Quality, synthetic: bool) -> Chart {
    let codes = quality.codes.max(1) as f64;
    let points = |value: &dyn Fn(usize) -> Option<f64>| -> Vec<Point> {
        let point = |level: usize| Some(Point { x: level as f64 + 1.0, y: percent(value(level)?), spread: None });
        (0..quality.levels.len()).filter_map(point).collect()
    };
    let of = |level: usize| &quality.levels[level];
    let parts = [
        ("Codes used", points(&|level| Some(of(level).used as f64 / codes)), SeriesStyle::method(0)),
        (
            "Used as if so many were used alike",
            points(&|level| Some(of(level).perplexity / codes)),
            SeriesStyle::method(1),
        ),
        ("Category predictability by the codes so far", points(&|level| of(level).category), SeriesStyle::method(2)),
        ("The most frequent category", points(&|_| quality.category_baseline), SeriesStyle::baseline(0)),
    ];
    let series = parts.into_iter().filter(|(_, points, _)| !points.is_empty());
    let series = series.map(|(name, points, style)| Series { name: name.to_owned(), points, style });
    let y = Axis { unit: Some("%".to_owned()), better: Some(Better::Higher), ..Axis::new("Share") };
    let lines = Lines { x: Axis::whole("Level"), y, series: series.collect(), boundaries: Vec::new() };
    Chart::new("Codes by level", Body::Lines(lines)).synthetic(synthetic)
}

fn percent(share: f64) -> f64 {
    100.0 * share
}

/// A value by epoch; of many epochs every n-th, and the last.
fn line(epochs: &[Epoch], slot: usize, name: String, value: impl Fn(&Epoch) -> f64) -> Series {
    let step = epochs.len().div_ceil(MAX_POINTS).max(1);
    let shown = epochs.iter().enumerate().filter(|(index, _)| (epochs.len() - 1 - index).is_multiple_of(step));
    let points = shown.map(|(_, epoch)| Point { x: epoch.epoch as f64, y: value(epoch), spread: None });
    Series { name, points: points.collect(), style: SeriesStyle::curve(slot) }
}

fn by_epoch(title: &str, y: Axis, series: Vec<Series>, epochs: &[Epoch]) -> Chart {
    if epochs.is_empty() {
        return Chart::empty(title, "No epoch yet: curves appear while the autoencoder trains");
    }
    Chart::new(title, Body::Lines(Lines { x: Axis::whole("Epoch"), y, series, boundaries: Vec::new() }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id_training::quality::{Collisions, LevelQuality};

    fn epochs(count: usize) -> Vec<Epoch> {
        let epoch = |epoch: usize| Epoch {
            epoch,
            of: count,
            loss: 3.0,
            reconstruction: 2.0,
            quantisation: 1.0,
            codes: 8,
            used: vec![8, 2],
            collisions: 0.125,
        };
        (1..=count).map(epoch).collect()
    }

    fn lines(chart: &Chart) -> &Lines {
        match &chart.body {
            Body::Lines(lines) => lines,
            other => panic!("no lines: {other:?}"),
        }
    }

    #[test]
    fn epochs_are_thinned_and_the_last_is_there() {
        let chart = loss(&epochs(1001), false);
        for series in &lines(&chart).series {
            assert!(series.points.len() <= MAX_POINTS && series.points.is_sorted_by(|a, b| a.x < b.x));
            assert_eq!(series.points.last().map(|point| point.x), Some(1001.0));
        }
        let chart = codes_in_use(&epochs(2), true);
        let ends: Vec<(&str, f64)> =
            lines(&chart).series.iter().map(|series| (series.name.as_str(), series.points[1].y)).collect();
        let expected =
            [("Codes used, level 1", 100.0), ("Codes used, level 2", 25.0), ("Items that share an id", 12.5)];
        assert_eq!(ends, expected);
        assert!(chart.note.is_some() && matches!(loss(&[], false).body, Body::Empty(_)));
    }

    #[test]
    fn levels_without_categories_say_nothing_of_them() {
        let level = |category| LevelQuality { used: 4, dead: 4, perplexity: 2.0, error: 0.5, category };
        let none = Collisions { distinct_ids: 2, items: 0, largest: 1 };
        let quality = |category| Quality {
            items: 2,
            codes: 8,
            levels: vec![level(category), level(category)],
            before: none,
            spread: None,
            after: none,
            reassigned: 0,
            category_baseline: category.map(|_| 0.5),
        };
        let names = |quality: &Quality| lines(&levels(quality, false)).series.len();
        assert_eq!((names(&quality(None)), names(&quality(Some(0.75)))), (2, 4));
        let chart = levels(&quality(Some(0.75)), false);
        let at_two: Vec<f64> = lines(&chart).series.iter().map(|series| series.points[1].y).collect();
        assert_eq!(at_two, [50.0, 25.0, 75.0, 50.0]);
    }
}
