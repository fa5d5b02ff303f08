//! A map of gains: a heat map about 0 whose cells say how sure they are.

use super::HeatMap;
use super::scale::{self, Range};

/// Gains by two settings.
#[derive(Debug, Clone, PartialEq)]
pub struct GainMap {
    /// Rows, columns and gains; none where there are not enough runs to tell.
    pub map: HeatMap,
    /// `cells[row][column]`: how sure each gain is.
    pub cells: Vec<Vec<GainCell>>,
}

/// What there is to say of one gain.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GainCell {
    pub interval: Option<[f64; 2]>,
    /// What it is made of, or what is missing: `3 seeds, 1,204 test cases`.
    pub words: String,
}

/// How a cell is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Certainty {
    NotEnoughRuns,
    /// The interval holds 0: it may be a gain or a loss.
    Open,
    /// The interval leaves 0 out.
    Certain,
}

impl Certainty {
    /// All of them, as a legend has them.
    pub const ALL: [Self; 3] = [Self::Certain, Self::Open, Self::NotEnoughRuns];

    pub const fn words(self) -> &'static str {
        match self {
            Self::Certain => "Interval leaves 0 out",
            Self::Open => "Interval holds 0",
            Self::NotEnoughRuns => "Not enough runs",
        }
    }
}

/// Gains in shares of users are told to four decimals, as tables have them.
const MOST_DECIMALS: usize = 4;

impl GainMap {
    /// How sure the gain of a cell is.
    pub fn certainty(&self, row: usize, column: usize) -> Certainty {
        match (self.map.values[row][column], self.cells[row][column].interval) {
            (None, _) => Certainty::NotEnoughRuns,
            (Some(_), Some([low, high])) if low > 0.0 || high < 0.0 => Certainty::Certain,
            (Some(_), _) => Certainty::Open,
        }
    }

    /// What the colours span: as far to either side of 0 as the greatest gain or loss.
    pub fn range(&self) -> Range {
        let values = self.map.values.iter().flatten().flatten();
        let greatest = values.map(|value| value.abs()).filter(|value| scale::can_be_drawn(*value)).fold(0.0, f64::max);
        let greatest = if greatest > 0.0 { greatest } else { 1.0 };
        Range { low: -greatest, high: greatest }
    }

    /// The decimals of all values.
    pub fn decimals(&self) -> usize {
        scale::decimals([self.range().high]).min(MOST_DECIMALS)
    }

    /// A cell in a sentence: where it is, its gain and interval, what these are made of.
    pub fn cell_words(&self, row: usize, column: usize) -> String {
        let Self { map, cells } = self;
        let decimals = self.decimals();
        let place = format!("{} {}, {} {}", map.column_label, map.columns[column], map.row_label, map.rows[row]);
        let cell = &cells[row][column];
        match (map.values[row][column], cell.interval) {
            (Some(value), Some([low, high])) => format!(
                "{place}: {}, from {} to {}; {}",
                signed(value, decimals),
                signed(low, decimals),
                signed(high, decimals),
                cell.words
            ),
            (Some(value), None) => format!("{place}: {}; {}", signed(value, decimals), cell.words),
            (None, _) => format!("{place}: not enough runs; {}", cell.words),
        }
    }

    /// What is drawn, in a sentence.
    pub(super) fn description(&self) -> String {
        let all =
            || (0..self.map.rows.len()).flat_map(|row| (0..self.map.columns.len()).map(move |column| (row, column)));
        let count = |wanted: Certainty| all().filter(|&(row, column)| self.certainty(row, column) == wanted).count();
        let [certain, open, missing] = Certainty::ALL.map(count);
        format!(
            "{} by {} and {}; the interval leaves 0 out in {certain} of {} cells, holds it in {open}, and {missing} have not enough runs",
            self.map.value.label,
            self.map.column_label,
            self.map.row_label,
            all().count()
        )
    }

    /// The heading, then a row a cell, those without enough runs too; `low` and `high` are the headings of the interval's ends.
    pub(super) fn table(&self, [low, high]: [&str; 2], number: impl Fn(f64) -> String) -> Vec<Vec<String>> {
        let map = &self.map;
        let heading = [&map.column_label, &map.row_label, &map.value.heading(), low, high, "in words"];
        let mut rows = vec![heading.map(str::to_owned).to_vec()];
        for (row, cells) in self.cells.iter().enumerate() {
            for (column, cell) in cells.iter().enumerate() {
                let value = map.values[row][column].map(&number).unwrap_or_default();
                let [low, high] = cell.interval.map_or([String::new(), String::new()], |ends| ends.map(&number));
                let certainty = self.certainty(row, column).words();
                let words = format!("{certainty}; {}", cell.words);
                rows.push(vec![map.columns[column].clone(), map.rows[row].clone(), value, low, high, words]);
            }
        }
        rows
    }
}

/// A gain with its sign.
pub fn signed(value: f64, decimals: usize) -> String {
    format!("{value:+.decimals$}").replace('-', "−")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::plot::Axis;

    /// Two columns in one row and two in another: a certain gain, a certain loss, an open gain, and one without enough runs.
    pub(in crate::plot) fn four_cells() -> GainMap {
        let cell = |interval: Option<[f64; 2]>| GainCell { interval, words: "3 seeds".to_owned() };
        GainMap {
            map: HeatMap {
                row_label: "Drift".to_owned(),
                rows: vec!["0.2".to_owned(), "0.6".to_owned()],
                column_label: "Later interactions".to_owned(),
                columns: vec!["3.2".to_owned(), "8".to_owned()],
                value: Axis::new("Gain in NDCG@10"),
                values: vec![vec![Some(0.0044), Some(-0.02)], vec![Some(0.001), None]],
            },
            cells: vec![
                vec![cell(Some([0.001, 0.008])), cell(Some([-0.03, -0.01]))],
                vec![cell(Some([-0.004, 0.006])), cell(None)],
            ],
        }
    }

    #[test]
    fn a_cell_is_as_sure_as_its_interval() {
        let map = four_cells();
        let found = [[0, 0], [0, 1], [1, 0], [1, 1]].map(|[row, column]| map.certainty(row, column));
        use Certainty::{Certain, NotEnoughRuns, Open};
        assert_eq!(found, [Certain, Certain, Open, NotEnoughRuns]);
        assert_eq!(map.range(), Range { low: -0.02, high: 0.02 });
        assert_eq!(map.cell_words(0, 1), "Later interactions 8, Drift 0.2: −0.0200, from −0.0300 to −0.0100; 3 seeds");
        assert_eq!(map.cell_words(1, 1), "Later interactions 8, Drift 0.6: not enough runs; 3 seeds");
    }
}
