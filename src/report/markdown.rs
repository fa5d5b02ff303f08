//! A report as Markdown: tables as tables of it, figures as SVG files in a folder beside it.

use std::path::{Path, PathBuf};

use super::document::{Block, Document, Figure, Section, Table, Term};
use super::drawn;
use crate::error::InputError;
use crate::files::{create_folder, write_atomically};
use crate::plot::Theme;
use crate::text::markdown_escaped as escaped;

/// Writes the document to `path` and its figures into `NAME_files` beside it, figures first: a text that is there has them.
pub(super) fn write(document: &Document, path: &Path) -> Result<Vec<PathBuf>, InputError> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let folder_name = format!("{stem}_files");
    let folder = path.with_file_name(&folder_name);
    let mut written = vec![path.to_path_buf()];
    let mut text = heading(document);
    for section in &document.sections {
        text.push_str(&format!("\n## {}\n", section.title));
        for block in &section.blocks {
            text.push('\n');
            if let Block::Figure(figure) = block {
                let file = format!("{:02}-{}.svg", figure.number, figure.name);
                text.push_str(&match drawn(figure, Theme::Light, "") {
                    Ok(svg) => {
                        create_folder(&folder)?;
                        write_atomically(&folder.join(&file), svg.as_bytes())?;
                        written.push(folder.join(&file));
                        picture(figure, &format!("{folder_name}/{file}"))
                    }
                    Err(problem) => format!("> {}\n\n*{}*\n", escaped(&problem), escaped(&figure.words())),
                });
            } else {
                text.push_str(&words(block));
            }
        }
    }
    write_atomically(path, text.as_bytes())?;
    Ok(written)
}

fn heading(document: &Document) -> String {
    let mut text = format!("# {}\n", escaped(&document.title));
    text.extend(document.lines.iter().map(|line| format!("\n{}\n", escaped(line))));
    text.extend(document.warnings.iter().map(|warning| format!("\n> **{}**\n", escaped(warning))));
    text.push('\n');
    let anchor = |title: &str| title.to_lowercase().replace(' ', "-");
    let entry = |Section { title, .. }: &Section| format!("- [{title}](#{})\n", anchor(title));
    text.extend(document.sections.iter().map(entry));
    text
}

/// A block that is no figure.
fn words(block: &Block) -> String {
    match block {
        Block::Heading(text) => format!("### {}\n", escaped(text)),
        Block::Paragraph(text) => format!("{}\n", escaped(text)),
        Block::Formula(text) => format!("> {}\n", escaped(text)),
        Block::List(items) => items.iter().map(|item| format!("- {}\n", escaped(item))).collect(),
        Block::Terms(terms) => {
            let line = |Term { name, text }: &Term| format!("- **{}**: {}\n", escaped(name), escaped(text));
            terms.iter().map(line).collect()
        }
        Block::Table(table) => table_of(table),
        Block::Figure(figure) => escaped(&figure.words()),
    }
}

fn picture(figure: &Figure, link: &str) -> String {
    // In a link's address spaces end it, and brackets close it.
    let link: String = link
        .chars()
        .map(|letter| match letter {
            ' ' => "%20".to_owned(),
            '(' => "%28".to_owned(),
            ')' => "%29".to_owned(),
            '<' => "%3C".to_owned(),
            '>' => "%3E".to_owned(),
            other => other.to_string(),
        })
        .collect();
    format!("![{}]({link})\n\n*{}*\n", escaped(&figure.chart.title), escaped(&figure.words()))
}

fn table_of(table: &Table) -> String {
    let row = |cells: &mut dyn Iterator<Item = &str>| {
        let cells: Vec<String> = cells.map(escaped).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rules = table.columns.iter().map(|column| if column.numbers { "---:" } else { "---" });
    let mut text = row(&mut table.headings());
    text.push_str(&format!("|{}|\n", rules.collect::<Vec<_>>().join("|")));
    text.extend(table.rows.iter().map(|cells| row(&mut cells.iter().map(String::as_str))));
    text
}
