//! A report as one HTML file: figures inside it, light and dark, nothing that is fetched from anywhere.

use std::fmt::{self, Write};

use super::document::{Block, Document, Figure, Section, Table, Term};
use super::drawn;
use crate::plot::Theme;
use crate::text::Markup;

const STYLE: &str = include_str!("report.css");
/// Nothing may be loaded or run; what is drawn is in the file.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// The document as HTML.
pub(super) fn write(document: &Document) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = page(&mut html, document);
    html
}

fn page(html: &mut String, document: &Document) -> fmt::Result {
    let title = Markup(&document.title);
    writeln!(html, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(html, "<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">")?;
    writeln!(html, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")?;
    writeln!(html, "<meta name=\"color-scheme\" content=\"light dark\">")?;
    writeln!(html, "<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{title}</h1>")?;
    for line in &document.lines {
        writeln!(html, "<p class=\"made\">{}</p>", Markup(line))?;
    }
    for warning in &document.warnings {
        writeln!(html, "<p class=\"warning\" role=\"note\">{}</p>", Markup(warning))?;
    }
    writeln!(html, "</header>\n<nav aria-label=\"Contents\">\n<h2>Contents</h2>\n<ol>")?;
    for Section { key, title, .. } in &document.sections {
        writeln!(html, "<li><a href=\"#{key}\">{title}</a></li>")?;
    }
    writeln!(html, "</ol>\n</nav>\n<main>")?;
    for section in &document.sections {
        writeln!(html, "<section id=\"{}\">\n<h2>{}</h2>", section.key, section.title)?;
        for block in &section.blocks {
            write_block(html, block)?;
        }
        writeln!(html, "</section>")?;
    }
    writeln!(html, "</main>\n</body>\n</html>")
}

fn write_block(html: &mut String, block: &Block) -> fmt::Result {
    match block {
        Block::Heading(text) => writeln!(html, "<h3>{}</h3>", Markup(text)),
        Block::Paragraph(text) => writeln!(html, "<p>{}</p>", Markup(text)),
        Block::Formula(text) => writeln!(html, "<p class=\"formula\">{}</p>", Markup(text)),
        Block::List(items) => {
            writeln!(html, "<ul>")?;
            for item in items {
                writeln!(html, "<li>{}</li>", Markup(item))?;
            }
            writeln!(html, "</ul>")
        }
        Block::Terms(terms) => {
            writeln!(html, "<dl>")?;
            for Term { name, text } in terms {
                writeln!(html, "<dt>{}</dt><dd>{}</dd>", Markup(name), Markup(text))?;
            }
            writeln!(html, "</dl>")
        }
        Block::Table(table) => write_table(html, table),
        Block::Figure(figure) => write_figure(html, figure),
    }
}

fn write_table(html: &mut String, table: &Table) -> fmt::Result {
    // It may be wider than a phone: then it is moved within its own frame, by keys as well.
    writeln!(html, "<div class=\"wide\" role=\"region\" aria-label=\"Table\" tabindex=\"0\">\n<table>\n<thead><tr>")?;
    let class = |numbers: bool| if numbers { " class=\"number\"" } else { "" };
    for column in &table.columns {
        write!(html, "<th scope=\"col\"{}>{}</th>", class(column.numbers), Markup(&column.heading))?;
    }
    writeln!(html, "</tr></thead>\n<tbody>")?;
    for row in &table.rows {
        html.write_str("<tr>")?;
        for (cell, column) in row.iter().zip(&table.columns) {
            write!(html, "<td{}>{}</td>", class(column.numbers), Markup(cell))?;
        }
        writeln!(html, "</tr>")?;
    }
    writeln!(html, "</tbody>\n</table>\n</div>")
}

/// The figure in both themes, of which a reader's is shown.
fn write_figure(html: &mut String, figure: &Figure) -> fmt::Result {
    let [width, _] = figure.pixels();
    writeln!(html, "<figure id=\"figure-{}\" style=\"max-width: {width}px\">", figure.number)?;
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        match drawn(figure, theme, &format!("f{}{name}-", figure.number)) {
            Ok(svg) => writeln!(html, "<div class=\"{name}\">{svg}</div>")?,
            Err(problem) => writeln!(html, "<p class=\"{name} warning\">{}</p>", Markup(&problem))?,
        }
    }
    writeln!(html, "<figcaption>{}</figcaption>\n</figure>", Markup(&figure.words()))
}
