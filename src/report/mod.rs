//! A report of a project: what was compared, what came of it, how sure that is, and how it was made.
//!
//! It is made once, as plain data ([`Document`]), of results and figures (`contents`); HTML, PDF and Markdown are three ways
//! to write the same.

mod contents;
pub mod document;
mod html;
mod markdown;
mod pdf;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use self::contents::{Reported, document};
pub use self::document::Document;
use self::document::Figure;
use crate::error::InputError;
use crate::files::write_atomically;
use crate::plot::{Style, Theme, Undrawable, file};

/// What a report is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// One file that needs no other.
    #[default]
    Html,
    /// Pages of A4.
    Pdf,
    /// A text for a wiki, with its figures in a folder beside it.
    Markdown,
}

impl Format {
    pub const ALL: [Self; 3] = [Self::Html, Self::Pdf, Self::Markdown];

    /// The ending of its files.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Pdf => "pdf",
            Self::Markdown => "md",
        }
    }

    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Html => "Web page (HTML)",
            Self::Pdf => "PDF",
            Self::Markdown => "Markdown",
        }
    }

    /// What a file of this name is.
    ///
    /// # Errors
    /// [`InputError`] where its ending is none of a report's.
    pub fn of(path: &Path) -> Result<Self, InputError> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
        match ending.as_str() {
            "html" | "htm" => Ok(Self::Html),
            "pdf" => Ok(Self::Pdf),
            "md" | "markdown" => Ok(Self::Markdown),
            _ => Err(InputError::new(path, format!("a report cannot be written as {ending:?}"))
                .advice("name a file that ends in .html, .pdf or .md")),
        }
    }
}

/// Writes a report to `path`, as its ending says; each file whole or not at all. Returns every file that was written, the
/// report itself first.
///
/// # Errors
/// [`InputError`] where the ending is none of a report's, or a file cannot be written.
pub fn write(document: &Document, path: &Path) -> Result<Vec<PathBuf>, InputError> {
    let bytes = match Format::of(path)? {
        Format::Html => html::write(document).into_bytes(),
        Format::Pdf => pdf::write(&told(document)).map_err(|problem| InputError::new(path, problem.to_string()))?,
        Format::Markdown => return markdown::write(document, path),
    };
    write_atomically(path, &bytes)?;
    Ok(vec![path.to_path_buf()])
}

/// The document as a file has it that brings its own fonts: with a remark on letters that none of them has.
fn told(document: &Document) -> Document {
    let mut told = document.clone();
    told.warnings.extend(document.missing_letters());
    told
}

/// A figure as SVG, whose names begin with `names`; why it is left out, where it cannot be drawn.
fn drawn(figure: &Figure, theme: Theme, names: &str) -> Result<String, String> {
    let [width, height] = figure.pixels();
    let style = Style { theme, width, height, ..Style::default() };
    file::svg_part(&figure.chart, &style, names).map_err(|problem| match problem {
        Undrawable::Device(_) => {
            format!("Left out: a graphics device draws this picture, and none could be used ({problem})")
        }
        _ => format!("Left out: {problem}"),
    })
}
