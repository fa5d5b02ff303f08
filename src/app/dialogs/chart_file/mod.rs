//! A chart as a file: how it is written, and what it will look like.

mod choices;
mod preview;

pub(crate) use self::choices::{ExportChoices, Format, Size};
pub(crate) use self::preview::{Preview, PreviewOf, Previewed};
