//! The documentation holds together: generated tables are those of the code, links lead somewhere, every page is in the book.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use peso_workbench::data::SyntheticOptions;
use peso_workbench::id_training::TrainIds;
use peso_workbench::model::Compact;
use peso_workbench::project::{Evaluation, Training};
use ron::ser::PrettyConfig;
use serde::Serialize;

/// Makes a part of a page.
type Render = fn() -> String;

/// What stands between `<!-- generated: NAME -->` and `<!-- end -->` in a page.
const PARTS: &[(&str, Render)] = &[
    ("command line", peso_workbench::cli::reference),
    ("shortcuts", peso_workbench::app::reference),
    ("base model defaults", || defaults(&Compact::default())),
    ("semantic id defaults", || defaults(&TrainIds::default())),
    ("synthetic options", peso_workbench::data::synthetic::reference),
    ("synthetic defaults", || defaults(&SyntheticOptions::default())),
    ("training defaults", || defaults(&Training::default())),
    ("evaluation defaults", || defaults(&Evaluation::default())),
    ("formats", peso_workbench::data::formats::reference),
    ("measures", peso_workbench::figures::measures::reference),
    ("methods", peso_workbench::method::reference),
    ("training fields", peso_workbench::project::training_fields::reference),
    ("evaluation fields", peso_workbench::project::evaluation_fields::reference),
];

/// Settings as they stand in a project file.
fn defaults(settings: &impl Serialize) -> String {
    let pretty = PrettyConfig::new().depth_limit(2);
    format!("```ron\n{}\n```\n", ron::ser::to_string_pretty(settings, pretty).unwrap())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Markdown file for readers: those beside the sources, and the book.
fn pages() -> Vec<PathBuf> {
    let mut pages: Vec<PathBuf> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "ARCHITECTURE.md", "benches/README.md"]
            .map(PathBuf::from)
            .into();
    let mut folders = vec![root().join("docs")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path.strip_prefix(root()).unwrap().to_path_buf());
            }
        }
    }
    pages.sort();
    pages
}

fn read(page: &Path) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// A page with its generated parts made anew, and the names of these.
fn rendered(page: &Path, text: &str) -> (String, Vec<String>) {
    let mut pieces = text.split("<!-- generated: ");
    let mut new = pieces.next().unwrap_or_default().to_owned();
    let mut names = Vec::new();
    for piece in pieces {
        let broken = || panic!("{}: a generated part has no name or no end", page.display());
        let (name, rest) = piece.split_once(" -->\n").unwrap_or_else(broken);
        let (_, after) = rest.split_once("<!-- end -->").unwrap_or_else(broken);
        let content = match PARTS.iter().find(|(part, _)| *part == name) {
            Some((_, render)) => format!("\n{}\n", render().trim()),
            None => panic!("{}: nothing generates \"{name}\"", page.display()),
        };
        new += &format!("<!-- generated: {name} -->\n{content}\n<!-- end -->{after}");
        names.push(name.to_owned());
    }
    (new, names)
}

#[test]
fn generated_tables_are_those_of_the_code() {
    let update = std::env::var_os("UPDATE_REFERENCE").is_some();
    let (mut used, mut stale) = (BTreeSet::new(), Vec::new());
    for page in pages() {
        let old = read(&page);
        let (new, names) = rendered(&page, &old);
        used.extend(names);
        if new == old {
            continue;
        }
        if update {
            fs::write(root().join(&page), new).unwrap();
        } else {
            stale.push(page.display().to_string());
        }
    }
    assert!(stale.is_empty(), "stale pages (UPDATE_REFERENCE=1 writes them): {}", stale.join(", "));
    let known = PARTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(used, known, "every generated part stands in a page");
}

/// A page without its code, in which brackets are no links.
fn without_code(text: &str) -> String {
    let mut fenced = false;
    let prose = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    });
    // Of a line's parts between backticks, every second one is code.
    prose.map(|line| line.split('`').step_by(2).collect::<Vec<_>>().join("") + "\n").collect()
}

/// Targets of links and pictures.
fn targets(text: &str) -> Vec<String> {
    let prose = without_code(text);
    prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect()
}

/// The anchors of a page's headings, as GitHub and mdbook make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut fenced = false;
    let headings = text.lines().filter(|line| {
        fenced ^= line.trim_start().starts_with("```");
        !fenced && line.starts_with('#')
    });
    headings
        .map(|line| {
            let words = line.trim_start_matches('#').trim().to_lowercase();
            let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect()
        })
        .collect()
}

#[test]
fn every_link_and_every_picture_leads_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = read(&page);
        for target in targets(&text).iter().filter(|target| !target.contains("://") && !target.starts_with("mailto:")) {
            let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            let exists = root().join(&file).exists();
            if !exists || (!anchor.is_empty() && !anchors(&read(&file)).contains(anchor)) {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "links that lead nowhere:\n{}", broken.join("\n"));
}

#[test]
fn links_are_found_in_prose_and_not_in_code() {
    let text = "See [a](b.md#c) and ![d](e.png), not `[f](g)`\n```\n[h](i)\n```\n[j](k)\n";
    assert_eq!(targets(text), ["b.md#c", "e.png", "k"]);
    assert_eq!(anchors("# `peso run`, twice\n```\n# no heading\n```\n"), BTreeSet::from(["peso-run-twice".to_owned()]));
}

#[test]
fn every_page_of_the_book_is_in_its_contents() {
    let contents: BTreeSet<PathBuf> =
        targets(&read(Path::new("docs/SUMMARY.md"))).iter().map(|target| Path::new("docs").join(target)).collect();
    let written: BTreeSet<PathBuf> =
        pages().into_iter().filter(|page| page.starts_with("docs") && !page.ends_with("SUMMARY.md")).collect();
    assert_eq!(contents, written);
}

#[test]
fn the_readme_is_one_screen_and_links() {
    let size = read(Path::new("README.md")).len();
    assert!(size <= 8_000, "README.md has {size} bytes; what does not fit belongs to docs/");
}
