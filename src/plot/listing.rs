//! Rows of words and numbers under headings: what a table, a user's lists or the meaning of a direction are as a file.

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Listing {
    pub columns: Vec<Column>,
    /// Each with as many cells as there are columns.
    pub rows: Vec<Vec<Cell>>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub heading: String,
    /// Whether its cells are numbers, which are set to the right.
    pub numbers: bool,
}

/// A cell as it is shown, and in full as a file of numbers has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    pub shown: String,
    pub full: String,
}

impl Column {
    /// A column of words.
    pub fn words(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), numbers: false }
    }

    /// A column of numbers.
    pub fn numbers(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), numbers: true }
    }
}

impl Cell {
    /// A number as it is shown; files of numbers have all of its digits.
    pub fn number(value: f64, shown: impl Into<String>) -> Self {
        Self { shown: shown.into(), full: if value.is_finite() { value.to_string() } else { String::new() } }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(words: T) -> Self {
        let shown = words.into();
        Self { full: shown.clone(), shown }
    }
}

impl Listing {
    /// A table with these columns and no rows yet.
    pub fn new(columns: Vec<Column>) -> Self {
        Self { columns, rows: Vec::new() }
    }

    /// What its columns are called.
    pub fn headings(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.heading.as_str())
    }
}
