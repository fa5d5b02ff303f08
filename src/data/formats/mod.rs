//! Datasets of others: which format a file has, and its interactions as a stream into one shape.
//!
//! A format is one file here and one line in the list below. Its [`FormatSpec`] has the words for people and says which files
//! belong together and where a record's parts are, as a [`plan::Plan`]; a reader for each kind of file (`delimited`, `objects`,
//! `histories`, `parquet_file`) takes the records in.

mod delimited;
mod detect;
mod error;
mod excerpt;
mod field;
mod first_rows;
mod histories;
mod import;
mod input;
mod item_file;
mod item_texts;
mod object;
mod objects;
pub mod options;
mod parquet_file;
pub mod plan;
mod python;
mod reason;
mod reference;
mod sample;
mod sink;
mod spec;

/// Declares the formats: a module each, and the list of their specs.
macro_rules! formats {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// In the order in which a file is asked for them: those whose content leaves the least doubt first.
        static SPECS: &[&FormatSpec] = &[$(&$name::SPEC),*];
    };
}

formats! {
    lc_rec,
    recbole,
    movielens,
    amazon_2023,
    amazon_2018,
    amazon_2014,
    yelp,
    table,
    peso_release,
}

/// What the editions of Amazon have in common.
mod amazon;

pub use self::detect::{
    Detected, detect, formats_in_words, is_parquet, plan_of, plan_of_table, propose_items, propose_table,
};
pub use self::error::ImportError;
pub use self::excerpt::{Excerpt, ExcerptLine};
pub use self::field::time_span;
pub use self::first_rows::FirstRows;
pub use self::import::{ImportReport, ReadFile, files, import};
pub use self::input::{Monitor, OnProgress, Progress};
pub use self::reference::reference;
pub use self::sink::{Skipped, SkippedLine, SkippedProblem, kind_of_problem};
pub use self::spec::{Format, FormatSpec, SourceFields};
pub use self::table::{column_index, column_name};
