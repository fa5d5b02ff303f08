//! A large matrix as colours: its values with the coarser levels that stand for them from afar, as plain data. [`pass`]
//! draws it.

mod levels;
pub mod pass;

use std::sync::Arc;

pub use self::pass::HeatMapPass;

use crate::plot::picture::Bar;
use crate::plot::series_style::ColourMap;

/// The values of a matrix, ready to be drawn at any zoom. Making one takes a moment: not on the window's thread.
#[derive(Debug, PartialEq)]
pub struct Field {
    rows: usize,
    columns: usize,
    /// Level 0 has the values themselves by rows; each further one has for 2 x 2, 1 x 2 or 2 x 1 cells of the one before
    /// the value of the largest magnitude among them.
    levels: Vec<Level>,
    /// The least and the greatest value; both 0 where there is none.
    extremes: [f32; 2],
    usual: f32,
}

/// A matrix at one resolution.
#[derive(Debug, PartialEq)]
pub(crate) struct Level {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// Powers of two of the columns and rows of the matrix that a cell stands for.
    pub(crate) shifts: [u32; 2],
    pub(crate) values: Vec<f32>,
}

/// A matrix with what it means and the colours that it is drawn in.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    pub field: Arc<Field>,
    /// What the rows are, from the top: `Output of down_proj`.
    pub row_label: String,
    /// What the columns are, from the left.
    pub column_label: String,
    /// What a value is: `ΔW`.
    pub value_label: String,
    pub map: ColourMap,
    /// Values of the least and the greatest colour; see [`Field::around_zero`].
    pub range: [f32; 2],
}

/// Which part of a matrix is shown, in cells from its upper left corner; may reach beyond the matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    pub row: usize,
    pub column: usize,
    /// Not a number where nothing was measured.
    pub value: f32,
}

/// Why values are no matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoMatrix {
    #[error("{rows} x {columns} cells need {rows} x {columns} values, not {values}")]
    Count { rows: usize, columns: usize, values: usize },
    #[error("a matrix of {rows} x {columns} cells cannot be drawn; at most {longest} rows or columns and {all} cells can",
        longest = Field::MAX_LENGTH, all = Field::MAX_CELLS)]
    Size { rows: usize, columns: usize },
}

impl Field {
    /// Rows or columns at most.
    pub const MAX_LENGTH: usize = 1 << 15;
    /// Cells at most: with their levels they take half a gigabyte on the device.
    pub const MAX_CELLS: usize = 1 << 26;
    /// Part of the values that lie within [`Field::usual`].
    const USUAL: f64 = 0.995;

    /// The field of `values`, by rows; what is no finite number is a gap.
    ///
    /// # Errors
    /// [`NoMatrix`] where there are no cells, too many, or another number of values.
    pub fn new(rows: usize, columns: usize, values: Vec<f32>) -> Result<Self, NoMatrix> {
        let sides_fit = [rows, columns].iter().all(|count| (1..=Self::MAX_LENGTH).contains(count));
        if !sides_fit || rows * columns > Self::MAX_CELLS {
            return Err(NoMatrix::Size { rows, columns });
        }
        if values.len() != rows * columns {
            return Err(NoMatrix::Count { rows, columns, values: values.len() });
        }
        let levels = levels::levels(Level { rows, columns, shifts: [0, 0], values });
        let extremes = levels::extremes(&levels[0].values);
        let usual = levels::magnitude_of_part(&levels[0].values, Self::USUAL);
        Ok(Self { rows, columns, levels, extremes, usual })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The values by rows.
    pub fn values(&self) -> &[f32] {
        &self.levels[0].values
    }

    pub(crate) fn levels(&self) -> &[Level] {
        &self.levels
    }

    /// The cell at a place in cells from the upper left corner.
    pub fn cell(&self, [x, y]: [f64; 2]) -> Option<Cell> {
        let inside = (0.0..self.columns as f64).contains(&x) && (0.0..self.rows as f64).contains(&y);
        let [column, row] = [x as usize, y as usize];
        inside.then(|| Cell { row, column, value: self.values()[row * self.columns + column] })
    }

    /// The least and the greatest value; both 0 where there is none.
    pub fn extremes(&self) -> [f32; 2] {
        self.extremes
    }

    /// The magnitude that all but one in 200 values stay within.
    pub fn usual(&self) -> f32 {
        self.usual
    }

    /// A range of colours with 0 in the middle, which few large values do not wash out.
    pub fn around_zero(&self) -> [f32; 2] {
        let [min, max] = self.extremes;
        let reach = if self.usual > 0.0 { self.usual } else { max.max(-min).max(f32::MIN_POSITIVE) };
        [-reach, reach]
    }
}

impl Matrix {
    /// A matrix of values around 0.
    pub fn around_zero(field: Arc<Field>, value_label: impl Into<String>) -> Self {
        Self {
            row_label: "Row".to_owned(),
            column_label: "Column".to_owned(),
            value_label: value_label.into(),
            map: ColourMap::Diverging,
            range: field.around_zero(),
            field,
        }
    }

    /// Its colour bar.
    pub fn bar(&self) -> Bar {
        let ([low, high], [min, max]) = (self.range, self.field.extremes);
        let beyond = [min < low, max > high];
        Bar { label: self.value_label.clone(), map: self.map, range: self.range.map(f64::from), beyond }
    }
}

impl Window {
    /// All of a field.
    pub fn whole(field: &Field) -> Self {
        Self { left: 0.0, top: 0.0, right: field.columns as f64, bottom: field.rows as f64 }
    }

    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    /// The place in cells that a picture shows at a part of its width and height.
    pub fn place(&self, [across, down]: [f64; 2]) -> [f64; 2] {
        [self.left + across * self.width(), self.top + down * self.height()]
    }

    /// Shows a part that is smaller by `factor`; what is at a part of width and height stays there.
    #[must_use]
    pub fn zoomed(&self, factor: f64, at: [f64; 2], field: &Field) -> Self {
        if !(factor.is_finite() && factor > 0.0) {
            return *self;
        }
        let [x, y] = self.place(at);
        let [widest, highest] = [field.columns, field.rows].map(|count| count as f64);
        // Four cells fill the view at the closest, and the whole fits it at the furthest.
        let closest = self.width().min(self.height()) / Self::CLOSEST;
        let furthest = (self.width() / widest).min(self.height() / highest);
        let factor = factor.clamp(furthest.min(1.0), closest.max(1.0));
        let [width, height] = [self.width() / factor, self.height() / factor];
        let [left, top] = [x - at[0] * width, y - at[1] * height];
        Self { left, top, right: left + width, bottom: top + height }.held(field)
    }

    /// Moved by parts of its own width and height, as far as there are cells.
    #[must_use]
    pub fn moved(&self, [across, down]: [f64; 2], field: &Field) -> Self {
        let [x, y] = [across * self.width(), down * self.height()];
        Self { left: self.left + x, top: self.top + y, right: self.right + x, bottom: self.bottom + y }.held(field)
    }

    /// Cells across a view at its closest.
    const CLOSEST: f64 = 4.0;

    fn held(self, field: &Field) -> Self {
        let held = |low: f64, length: f64, whole: f64| {
            if length >= whole { (whole - length) / 2.0 } else { low.clamp(0.0, whole - length) }
        };
        let [width, height] = [self.width(), self.height()];
        let left = held(self.left, width, field.columns as f64);
        let top = held(self.top, height, field.rows as f64);
        Self { left, top, right: left + width, bottom: top + height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(rows: usize, columns: usize) -> Field {
        let values = (0..rows * columns).map(|index| index as f32 - 3.0).collect();
        Field::new(rows, columns, values).unwrap()
    }

    #[test]
    fn a_field_needs_as_many_values_as_cells() {
        assert_eq!(Field::new(2, 3, vec![0.0; 5]), Err(NoMatrix::Count { rows: 2, columns: 3, values: 5 }));
        assert_eq!(Field::new(0, 3, vec![]), Err(NoMatrix::Size { rows: 0, columns: 3 }));
        let [rows, columns] = [Field::MAX_LENGTH; 2];
        assert_eq!(Field::new(rows, columns, vec![]), Err(NoMatrix::Size { rows, columns }));
        assert_eq!(Field::new(usize::MAX, 2, vec![]), Err(NoMatrix::Size { rows: usize::MAX, columns: 2 }));
    }

    #[test]
    fn cells_are_found_by_their_place() {
        let field = field(3, 4);
        assert_eq!(field.cell([2.5, 1.0]), Some(Cell { row: 1, column: 2, value: 3.0 }));
        assert_eq!(field.cell([3.999, 2.999]).unwrap().value, 8.0);
        for outside in [[4.0, 0.0], [-0.1, 0.0], [0.0, 3.0], [f64::NAN, 0.0]] {
            assert_eq!(field.cell(outside), None, "{outside:?}");
        }
    }

    #[test]
    fn what_is_under_the_pointer_stays_there_while_zooming() {
        let field = field(200, 300);
        let window = Window::whole(&field);
        let at = [0.3, 0.6];
        let closer = window.zoomed(3.0, at, &field);
        assert!((closer.width() - 100.0).abs() < 1e-9);
        for axis in 0..2 {
            assert!((closer.place(at)[axis] - window.place(at)[axis]).abs() < 1e-9);
        }
        let back = closer.zoomed(0.01, at, &field);
        assert!((back.width() - 300.0).abs() < 1e-9 && back.left.abs() < 1e-9, "{back:?}");
        let closest = window.zoomed(1e9, at, &field);
        assert!((closest.height() - 4.0).abs() < 1e-9, "{closest:?}");
        assert_eq!(window.zoomed(f64::NAN, at, &field), window);
    }

    #[test]
    fn a_window_stays_on_the_matrix() {
        let field = field(200, 300);
        let window = Window::whole(&field).zoomed(2.0, [0.5, 0.5], &field);
        let moved = window.moved([9.0, -9.0], &field);
        assert_eq!([moved.right, moved.top], [300.0, 0.0]);
        assert_eq!([moved.width(), moved.height()], [window.width(), window.height()]);
    }

    #[test]
    fn the_bar_says_what_lies_beyond_its_ends() {
        let field = Arc::new(Field::new(1, 3, vec![-5.0, 0.5, f32::NAN]).unwrap());
        let matrix = Matrix { range: [-1.0, 1.0], ..Matrix::around_zero(field, "ΔW") };
        assert_eq!(matrix.bar().beyond, [true, false]);
        let matrix = Matrix { range: [-9.0, 0.25], ..matrix };
        assert_eq!(matrix.bar().beyond, [false, true]);
    }
}
