//! Files as streams of text: pipes, compression and encodings, so that no reader knows of them.

pub mod encoding;
pub mod foreign;
pub mod gzip;
pub mod input;
pub mod spool;
