//! The floors of ARCHITECTURE.md: a module imports from its own floor and those below, never from above.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate's root, from the ground up.
const FLOORS: &[&[&str]] = &[
    &["calendar", "canonical", "error", "files", "json", "linalg", "peak_memory", "schema", "seeds"],
    &["device"],
    &["semantic_id"],
    &["data"],
    &["model"],
    &["id_training"],
    &["measure"],
    &["subspace"],
    &["baseline"],
    &["method"],
    &["project"],
    &["run"],
    &["train"],
    &["budget"],
    &["results"],
    &["analysis"],
    &["plot"],
    &["render"],
    &["figures"],
    &["app"],
    &["cli"],
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|modules| modules.contains(&module))
}

#[test]
fn every_import_goes_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect_rust_files(&root, &mut files);
    files.sort();
    assert!(files.len() > 2, "no sources under {}", root.display());

    let violations: Vec<String> = files
        .iter()
        .flat_map(|file| violations(file.strip_prefix(&root).unwrap(), &fs::read_to_string(file).unwrap()))
        .collect();
    assert!(violations.is_empty(), "imports from a higher floor:\n{}", violations.join("\n"));
}

#[test]
fn an_import_from_above_is_found_however_it_is_written() {
    let file = Path::new("data/dataset.rs");
    for (source, line, module) in [
        ("use crate::chart::Chart;", 1, "chart"),
        ("pub(crate) use crate::{error::InputError, app::{theme, state}};", 1, "app"),
        ("\nfn f() -> usize {\n    crate::cli::columns()\n}", 3, "cli"),
        ("use super::super::report;", 1, "report"),
        ("const QUOTE: char = '\"';\nuse crate::render;", 2, "render"),
        ("mod tests {\n    use super::super::super::experiment::Project;\n}", 2, "experiment"),
        ("macro_rules! m { () => { $crate::method::all() } }", 1, "method"),
    ] {
        let upper = floor(module).unwrap();
        let expected = format!("src/data/dataset.rs:{line}: data (floor 2) imports {module} (floor {upper})");
        assert_eq!(violations(file, source), [expected], "{source}");
    }
}

#[test]
fn imports_from_below_comments_and_texts_are_allowed() {
    let source = r##"
        //! Drawn by [`crate::chart`]
        /* use crate::app; /* use crate::cli; */ */
        use crate::{device::Device, semantic_id::{self, Trie}};
        use super::{source, Stage};
        const TEXT: &str = "\"crate::app";
        const RAW: &str = r#"a "crate::app" "#;
        pub(crate) fn first<'a>(text: &'a str) -> &'a str { text }
        mod tests { use super::super::source; }
    "##;
    assert_eq!(violations(Path::new("data/dataset.rs"), source), [""; 0]);
}

#[test]
fn a_module_on_no_floor_is_found() {
    assert_eq!(
        violations(Path::new("data/mod.rs"), "use crate::helpers::*;"),
        ["src/data/mod.rs:1: data (floor 2) imports helpers, which is on no floor"]
    );
    assert_eq!(violations(Path::new("helpers.rs"), ""), ["src/helpers.rs:1: helpers is on no floor"]);
}

fn collect_rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// What breaks the rule in `source`, the text of `file`, whose path is relative to `src`: one line each.
fn violations(file: &Path, source: &str) -> Vec<String> {
    let place = |line| format!("src/{}:{line}", file.display());
    let mut modules: Vec<&str> = file.iter().map(|part| part.to_str().unwrap().trim_end_matches(".rs")).collect();
    modules.pop_if(|last| *last == "mod");
    let own = modules[0];
    if file == Path::new("lib.rs") || file == Path::new("main.rs") {
        return Vec::new(); // the roof
    }
    let Some(own_floor) = floor(own) else {
        return vec![format!("{}: {own} is on no floor", place(1))];
    };
    root_modules(source, modules.len())
        .into_iter()
        .filter_map(|(line, module)| match floor(module) {
            Some(other) if other <= own_floor => None,
            Some(other) => Some(format!("{}: {own} (floor {own_floor}) imports {module} (floor {other})", place(line))),
            None => Some(format!("{}: {own} (floor {own_floor}) imports {module}, which is on no floor", place(line))),
        })
        .collect()
}

/// The modules of the crate's root that `source` names, with the line; `depth` is its own depth below that root.
fn root_modules(source: &str, depth: usize) -> Vec<(usize, &str)> {
    let tokens = tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut found = Vec::new();
    let mut braces = Vec::new(); // whether each open one is the body of an inline module
    for at in 0..tokens.len() {
        let continues_a_path = at > 0 && text(at - 1) == "::";
        match text(at) {
            "{" => braces.push(at > 1 && text(at - 2) == "mod"),
            "}" => {
                braces.pop();
            }
            "crate" if text(at + 1) == "::" => found.extend(first_segments(&tokens[at + 2..])),
            "super" if !continues_a_path => {
                let supers = (0..).take_while(|&step| text(at + 2 * step) == "super").count();
                let inline = braces.iter().filter(|&&is_module| is_module).count();
                if supers == depth + inline && text(at + 2 * supers - 1) == "::" {
                    found.extend(first_segments(&tokens[at + 2 * supers..]));
                }
            }
            _ => {}
        }
    }
    found
}

/// The first name of a path, or that of each path of a `{…}` group.
fn first_segments<'a>(tokens: &[Token<'a>]) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let (mut nesting, mut expects_name) = (0, true);
    for &Token { line, text } in tokens {
        match text {
            "{" => nesting += 1,
            "}" => nesting -= 1,
            "," if nesting == 1 => expects_name = true,
            "self" if expects_name => expects_name = false,
            _ if expects_name => {
                found.push((line, text));
                expects_name = false;
            }
            _ => {}
        }
        if nesting == 0 {
            break;
        }
    }
    found
}

#[derive(Clone, Copy)]
struct Token<'a> {
    line: usize,
    text: &'a str,
}

/// Names and signs of Rust source, without blanks, comments and texts; `::` is one sign.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let (mut tokens, mut line, mut rest) = (Vec::new(), 1, source);
    while let Some(first) = rest.chars().next() {
        let skipped = comment(rest).or_else(|| string(rest)).or_else(|| character(rest));
        let length = skipped.unwrap_or_else(|| match rest.find(|c: char| !c.is_alphanumeric() && c != '_') {
            Some(0) if rest.starts_with("::") => 2,
            Some(0) => first.len_utf8(),
            Some(end) => end,
            None => rest.len(),
        });
        let (text, next) = rest.split_at(length);
        if skipped.is_none() && !first.is_whitespace() {
            tokens.push(Token { line, text });
        }
        line += text.matches('\n').count();
        rest = next;
    }
    tokens
}

/// The length of the comment that `rest` starts with.
fn comment(rest: &str) -> Option<usize> {
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    rest.strip_prefix("/*")?;
    let (mut nesting, mut at) = (1, 2);
    while nesting > 0 && at < rest.len() {
        let (change, length) = match rest.as_bytes()[at..] {
            [b'/', b'*', ..] => (1, 2),
            [b'*', b'/', ..] => (-1, 2),
            _ => (0, 1),
        };
        nesting += change;
        at += length;
    }
    Some(at)
}

/// The length of the text literal that `rest` starts with.
fn string(rest: &str) -> Option<usize> {
    let literal = rest.trim_start_matches(['b', 'c']);
    let (body, end) = if let Some(raw) = literal.strip_prefix('r') {
        let body = raw.trim_start_matches('#').strip_prefix('"')?;
        let quote = format!("\"{}", "#".repeat(raw.len() - body.len() - 1));
        (body, body.find(&quote).map(|at| at + quote.len()))
    } else {
        let body = literal.strip_prefix('"')?;
        let mut escaped = false;
        let closing = body.find(|c| {
            let closes = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            closes
        });
        (body, closing.map(|at| at + 1))
    };
    Some(rest.len() - body.len() + end.unwrap_or(body.len()))
}

/// The length of the character literal that `rest` starts with; a lifetime is none.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let start = if body.starts_with('\\') { 2 } else { body.chars().next()?.len_utf8() };
    let closing = start + body.get(start..)?.find('\'')?;
    (body.starts_with('\\') || closing == start).then_some(closing + 2)
}
