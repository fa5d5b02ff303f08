//! One hostile document, written three times.

use std::fs;
use std::path::Path;

use super::document::{Block, Document, Figure, Section, Table};
use super::{Format, html, pdf, write};
use crate::plot::{Axis, Body, Chart, HeatMap, Lines, Point, Series, SeriesStyle};
use crate::project::board::FigureSize;

const HOSTILE: &str = "<script>alert(1)</script> & \"x\" | *y* =1";

fn heat_map() -> Chart {
    let map = HeatMap {
        row_label: "After stage".to_owned(),
        rows: vec!["1".to_owned(), HOSTILE.to_owned()],
        column_label: "Tested".to_owned(),
        columns: vec!["1".to_owned(), "2".to_owned()],
        value: Axis::new("Hit@10"),
        values: vec![vec![Some(0.1), None], vec![Some(0.2), Some(0.3)]],
    };
    Chart::new(format!("Matrix of {HOSTILE}"), Body::HeatMap(map))
}

fn lines() -> Chart {
    let points = vec![Point::new(1.0, 0.1), Point::new(2.0, 0.2)];
    let series = vec![Series { name: HOSTILE.to_owned(), points, style: SeriesStyle::method(0) }];
    let lines = Lines { x: Axis::whole("Stage"), y: Axis::new("Hit@10"), series, boundaries: Vec::new() };
    Chart::new("Hit@10 by stage", Body::Lines(lines))
}

fn figure(number: usize, name: &str, chart: Chart) -> Block {
    let caption = Some(format!("Caption of {HOSTILE}"));
    Block::Figure(Box::new(Figure { number, name: name.to_owned(), chart, caption, size: FigureSize::Page }))
}

/// Sections with everything that a report can have, and enough rows for several pages.
fn document() -> Document {
    let mut answer = Section::new("answer", "The answer");
    answer.say(format!("{HOSTILE} is better"));
    answer.list(vec![HOSTILE.to_owned(), "見る or http://example.org/x".to_owned()]);
    answer.terms([(HOSTILE, HOSTILE)]);
    answer.blocks.push(Block::Formula("L(t) = CE(t) + λ Σ D(v(t), v(t−1))".to_owned()));
    let mut figures = Section::new("figures", "Figures");
    figures.blocks.extend([
        figure(1, "matrix", heat_map()),
        figure(2, "matrix-2", heat_map()),
        figure(3, "loss", lines()),
    ]);
    let mut rows = Section::new("comparison", "All lines side by side");
    rows.blocks.push(Block::Heading("A heading".to_owned()));
    let mut table = Table::new(1, ["Experiment", "Hit@10"]);
    (0..90).for_each(|row| table.row([format!("{HOSTILE} {row}"), "0.1234".to_owned()]));
    rows.blocks.push(Block::Table(table));
    Document {
        title: HOSTILE.to_owned(),
        lines: vec!["Made on 2026-11-29".to_owned()],
        warnings: vec![format!("Not finished: {HOSTILE}")],
        sections: vec![answer, figures, rows],
    }
}

/// The values of an attribute, wherever it stands.
fn attributes<'h>(html: &'h str, name: &str) -> Vec<&'h str> {
    let start = format!(" {name}=\"");
    html.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn html_is_self_contained_and_nothing_of_the_data_is_markup() {
    let html = html::write(&document());
    assert!(!html.to_lowercase().contains("<script"), "names are text");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;x&quot;"));
    let links = [attributes(&html, "href"), attributes(&html, "src"), attributes(&html, "xlink:href")].concat();
    assert!(links.iter().all(|link| link.starts_with('#') || link.starts_with("data:")), "{links:?}");
    let drawn_with: Vec<&str> = html.split("url(").skip(1).map(|rest| rest.trim_start_matches(['"', '\''])).collect();
    assert!(
        drawn_with.iter().all(|rest| rest.starts_with('#') || rest.starts_with("data:")),
        "a style fetches something"
    );
    for fetches in ["srcset", "poster", "data", "action", "formaction", "ping", "background", "manifest"] {
        assert!(attributes(&html, fetches).is_empty(), "{fetches}");
    }
    for asks in ["@import", "<link", "<iframe", "<img", "javascript:", " onload", "@font-face"] {
        assert!(!html.contains(asks), "{asks}");
    }
    assert!(html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\""));
}

#[test]
fn html_has_every_figure_in_both_themes_under_names_of_its_own() {
    let html = html::write(&document());
    assert_eq!(html.matches("<figure").count(), 3);
    assert_eq!(html.matches("<svg ").count(), 6);
    assert_eq!(html.matches("role=\"img\"").count(), 6);
    let mut ids = attributes(&html, "id");
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
    for used in html.split("url(#").skip(1).filter_map(|rest| rest.split(')').next()) {
        assert!(ids.contains(&used), "{used} is drawn with and not there");
    }
    for link in attributes(&html, "href") {
        assert!(ids.contains(&link.trim_start_matches('#')), "{link} leads nowhere");
    }
}

#[test]
fn markdown_has_its_figures_beside_it_and_nothing_of_the_data_is_markup() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a report.md");
    let written = write(&document(), &path).unwrap();
    assert_eq!(written.len(), 4);
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("<script") && text.contains("&lt;script&gt;"));
    assert!(!text.contains("http://"), "what is no link becomes none");
    for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter(|link| !link.starts_with('#'))
    {
        let svg = fs::read_to_string(folder.path().join(link.replace("%20", " "))).unwrap();
        assert!(svg.starts_with("<svg ") && !svg.contains("<script"), "{link}");
    }
    // Two bars of a cell are escaped, so that each row has the two cells of its heading.
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
    assert_eq!(rows.len(), 91);
    assert!(rows.iter().all(|row| row.replace("\\|", "").matches('|').count() == 3), "{rows:?}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left half-written");
}

#[test]
fn all_three_say_the_same() {
    let (document, folder) = (document(), tempfile::tempdir().unwrap());
    let html = html::write(&document);
    let path = folder.path().join("report.md");
    write(&document, &path).unwrap();
    let markdown = fs::read_to_string(path).unwrap();
    for Section { title, .. } in &document.sections {
        assert!(html.contains(&format!("<h2>{title}</h2>")), "{title}");
        assert!(markdown.contains(&format!("\n## {title}\n")), "{title}");
    }
    for figure in document.figures() {
        let number = format!("Figure {}.", figure.number);
        assert!(html.contains(&number) && markdown.contains(&number), "{number}");
    }
    let bytes = pdf::write(&document).unwrap();
    assert!(bytes.starts_with(b"%PDF-"));
    let pages = pdf::words_of_pages(&document);
    assert!(pages.len() > 2, "ninety rows take more than a page");
    let all = pages.concat().join(" ");
    for part in document.sections.iter().map(|section| section.title).chain(["Figure 1.", "Figure 2.", "Figure 3."]) {
        assert!(all.contains(part), "{part}");
    }
}

#[test]
fn a_table_has_its_heading_on_every_page_and_no_heading_stands_alone() {
    let pages = pdf::words_of_pages(&document());
    let with_rows: Vec<&Vec<String>> = pages.iter().filter(|page| page.iter().any(|words| words == "0.1234")).collect();
    assert!(with_rows.len() > 1);
    for page in with_rows {
        assert!(page.iter().any(|words| words == "Experiment"), "{page:?}");
    }
    for page in &pages {
        assert!(page.last().is_some_and(|last| last != "A heading" && last != "Figures"), "{page:?}");
    }
}

#[test]
fn other_endings_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let refused = write(&document(), &folder.path().join("report.docx")).unwrap_err();
    assert!(refused.to_string().contains("docx"), "{refused}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    assert_eq!(Format::of(Path::new("A.HTML")).unwrap(), Format::Html);
}
