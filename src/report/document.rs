//! A report as plain data: what it says, and nothing of how a format writes it.

use crate::plot::{Chart, missing_letters};
use crate::project::board::FigureSize;

/// A report.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The project's name.
    pub title: String,
    /// What stands below the title: when it was made and by what, each in one line.
    pub lines: Vec<String>,
    /// What must not be overlooked: data that are generated, runs that are not finished.
    pub warnings: Vec<String>,
    pub sections: Vec<Section>,
}

/// A part of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// Where links lead: `data`.
    pub key: &'static str,
    pub title: &'static str,
    pub blocks: Vec<Block>,
}

/// A piece of a section. Texts have no markup: every character of them is meant as it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// A heading within the section.
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
    Terms(Vec<Term>),
    Formula(String),
    Table(Table),
    Figure(Box<Figure>),
}

/// Something with what is said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    pub name: String,
    pub text: String,
}

/// Rows of cells under headings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    pub columns: Vec<Column>,
    /// Each with as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub heading: String,
    /// Numbers are set to the right.
    pub numbers: bool,
}

/// A chart with the words below it.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// From 1 on.
    pub number: usize,
    /// Its name among files: `gains`.
    pub name: String,
    /// Without the caption, which stands below it as text.
    pub chart: Chart,
    pub caption: Option<String>,
    pub size: FigureSize,
}

impl Section {
    /// A section with nothing in it yet.
    pub const fn new(key: &'static str, title: &'static str) -> Self {
        Self { key, title, blocks: Vec::new() }
    }

    /// Adds a paragraph.
    pub fn say(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Paragraph(text.into()));
    }

    /// Adds what is said of several things; nothing where there are none.
    pub fn terms<N: Into<String>, T: Into<String>>(&mut self, terms: impl IntoIterator<Item = (N, T)>) {
        let terms = terms.into_iter().map(|(name, text)| Term { name: name.into(), text: text.into() });
        let terms: Vec<Term> = terms.collect();
        if !terms.is_empty() {
            self.blocks.push(Block::Terms(terms));
        }
    }

    /// Adds a list; nothing where it is empty.
    pub fn list(&mut self, items: Vec<String>) {
        if !items.is_empty() {
            self.blocks.push(Block::List(items));
        }
    }
}

impl Table {
    /// A table without rows; the first `words` columns are words, the others numbers.
    pub fn new<S: Into<String>>(words: usize, headings: impl IntoIterator<Item = S>) -> Self {
        let column = |(index, heading): (usize, S)| Column { heading: heading.into(), numbers: index >= words };
        Self { columns: headings.into_iter().enumerate().map(column).collect(), rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<S: Into<String>>(&mut self, cells: impl IntoIterator<Item = S>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// What its columns are called.
    pub fn headings(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|column| column.heading.as_str())
    }
}

impl Figure {
    /// `Figure 3. Gain in NDCG@10 over Single. Bars are 95 % intervals`: what stands below it.
    pub fn words(&self) -> String {
        let caption = self.caption.as_ref().map(|caption| format!(". {caption}")).unwrap_or_default();
        format!("Figure {}. {}{caption}", self.number, self.chart.title)
    }

    /// Width and height in logical pixels.
    pub const fn pixels(&self) -> [u32; 2] {
        match self.size {
            FigureSize::Slide => [960, 540],
            FigureSize::Column => [640, 480],
            FigureSize::Page => [960, 600],
        }
    }

    /// Width in parts of the page's.
    pub const fn share_of_page(&self) -> f32 {
        match self.size {
            FigureSize::Column => 0.66,
            FigureSize::Slide | FigureSize::Page => 1.0,
        }
    }
}

impl Document {
    /// Its figures, in order.
    pub fn figures(&self) -> impl Iterator<Item = &Figure> {
        self.sections.iter().flat_map(|section| &section.blocks).filter_map(|block| match block {
            Block::Figure(figure) => Some(&**figure),
            _ => None,
        })
    }

    /// Every text of it, those of figures by their names.
    pub fn texts(&self) -> Vec<&str> {
        let above = self.lines.iter().chain(&self.warnings).map(String::as_str);
        let blocks = self.sections.iter().flat_map(|section| &section.blocks);
        [self.title.as_str()].into_iter().chain(above).chain(blocks.flat_map(texts_of)).collect()
    }

    /// What must be told of names with letters that no font of this machine has.
    pub fn missing_letters(&self) -> Option<String> {
        missing_letters(&self.texts())
    }
}

fn texts_of(block: &Block) -> Vec<&str> {
    match block {
        Block::Heading(text) | Block::Paragraph(text) | Block::Formula(text) => vec![text],
        Block::List(items) => items.iter().map(String::as_str).collect(),
        Block::Terms(terms) => terms.iter().flat_map(|term| [term.name.as_str(), &term.text]).collect(),
        Block::Table(table) => table.headings().chain(table.rows.iter().flatten().map(String::as_str)).collect(),
        Block::Figure(figure) => {
            let words = [figure.chart.title.as_str()].into_iter().chain(figure.caption.as_deref());
            figure.chart.names().into_iter().chain(words).collect()
        }
    }
}
