//! Datasets of others: which format a file has, and its interactions as a stream into one shape.
//!
//! A format is one file in `known` and one line in its list. Its [`FormatSpec`] has the words for people and says which files
//! belong together and where a record's parts are, as a [`plan::Plan`]. From the ground up:
//!
//! - `stream`: files as streams of text;
//! - `value`: what one value of a record is;
//! - `reader`: a reader for each kind of file, which takes the records in;
//! - `known`: the formats;
//! - `telling`: what a path is.

mod assumption;
mod error;
mod import;
mod known;
pub mod options;
pub mod plan;
mod reader;
pub mod reading;
mod reason;
mod reference;
mod spec;
mod stream;
mod telling;
mod value;

pub use self::assumption::Assumption;
pub use self::error::ImportError;
pub use self::import::{ImportReport, ReadFile, files, import};
use self::known::SPECS;
pub use self::known::peso_release;
pub use self::known::table::column_index;
pub use self::options::column_name;
pub use self::reader::any_table::read_table;
pub use self::reader::skipped::{Skipped, SkippedLine, SkippedProblem, kind_of_problem};
pub use self::reference::reference;
pub use self::spec::{Events, Format, FormatSpec, SourceFields};
pub use self::stream::input::{Monitor, OnProgress, Progress};
pub use self::stream::spool::Spool;
pub use self::telling::detect::{
    Detected, detect, first_file, is_delimited, plan_of, plan_of_table, propose_items, propose_table, unclear_table,
};
pub use self::telling::excerpt::{Excerpt, ExcerptLine};
pub use self::telling::file_set::is_pattern;
pub use self::telling::first_rows::FirstRows;
pub use self::telling::unknown::{formats_in_words, unknown};
pub use self::value::times::time_span;
