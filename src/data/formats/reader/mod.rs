//! Readers, one for each kind of file: they take records into the sink, and count what they cannot read.

pub mod any_table;
pub mod delimited;
pub mod histories;
pub mod item_file;
pub mod item_texts;
pub mod json_repair;
pub mod object;
pub mod object_stream;
pub mod objects;
pub mod parquet_file;
pub mod python;
pub mod records;
pub mod sequences;
pub mod sink;
pub mod skipped;
