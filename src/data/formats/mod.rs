//! Datasets of others: which format a file has, and its interactions as a stream into one shape.
//!
//! A format is one file here and one line in the list below. Its [`FormatSpec`] has the words for people and says which files
//! belong together and where a record's parts are, as a [`plan::Plan`]; a reader for each kind of file (`delimited`, `objects`,
//! `histories`, `parquet_file`) takes the records in.

mod assumption;
mod dataset_files;
mod delimited;
mod detect;
mod encoding;
mod error;
mod events;
mod excerpt;
mod field;
mod file_names;
mod file_set;
mod first_rows;
mod foreign;
mod found;
mod gzip;
mod histories;
mod ids;
mod import;
mod input;
mod item_file;
mod item_texts;
mod json_repair;
mod missing;
mod object;
mod object_stream;
mod object_table;
mod objects;
pub mod options;
mod parquet_file;
pub mod plan;
mod python;
pub mod reading;
mod reason;
mod records;
mod reference;
mod sample;
mod sequences;
mod sink;
mod skipped;
mod spec;
mod spool;
mod times;
mod unknown;

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
    steam,
    hm,
    kuairand,
    rees46,
    retailrocket,
    taobao,
    gowalla,
    lastfm,
    book_crossing,
    mind,
    minionerec,
    item_lists,
    table,
    peso_release,
}

/// Tables that their header tells.
mod named_table;

/// What the editions of Amazon have in common.
mod amazon;

pub use self::assumption::Assumption;
pub use self::detect::{
    Detected, detect, first_file, is_delimited, plan_of, plan_of_table, propose_items, propose_table, unclear_table,
};
pub use self::error::ImportError;
pub use self::excerpt::{Excerpt, ExcerptLine};
pub use self::file_set::is_pattern;
pub use self::first_rows::FirstRows;
pub use self::import::{ImportReport, ReadFile, files, import};
pub use self::input::{Monitor, OnProgress, Progress};
pub use self::options::column_name;
pub use self::reference::reference;
pub use self::skipped::{Skipped, SkippedLine, SkippedProblem, kind_of_problem};
pub use self::spec::{Format, FormatSpec, SourceFields};
pub use self::spool::Spool;
pub use self::table::column_index;
pub use self::times::time_span;
pub use self::unknown::{formats_in_words, unknown};
