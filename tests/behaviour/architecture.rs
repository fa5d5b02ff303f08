//! The order of the house: a folder imports only from those before it in `src/lib.rs`, and no files import each other in a ring.
//!
//! `src/lib.rs` is the one list: its blocks of `pub mod` are the floors, from the ground up; modules of one block stand side by
//! side. The facade of a folder (`mod.rs`) and the files in that folder may name each other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A source file: its module's path from the crate's root, and its text.
type Sources = BTreeMap<Vec<String>, String>;

#[test]
fn every_import_goes_down() {
    let (lib, sources) = (lib(), sources());
    let floors = floors(&lib);
    let violations: Vec<String> = sources.iter().flat_map(|(module, text)| violations(&floors, module, text)).collect();
    assert!(violations.is_empty(), "imports from a higher floor:\n{}", violations.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_ring() {
    let rings = rings(&sources());
    assert!(rings.is_empty(), "rings of files:\n{}", rings.join("\n"));
}

#[test]
fn nobody_imports_the_window_or_the_command_line() {
    for (module, text) in &sources() {
        for import in imports(module, text) {
            let above = import.path.first().is_some_and(|first| ["app", "cli"].contains(&first.as_str()));
            assert!(
                !above || module[0] == import.path[0],
                "{}:{} imports {}",
                module.join("::"),
                import.line,
                import.path[0]
            );
        }
    }
}

#[test]
fn the_list_is_read_by_blocks() {
    let floors =
        floors("//! Text\n\n// The ground\npub mod error;\npub mod files;\n\npub mod data;\n// Above\npub mod app;\n");
    assert_eq!(floors, [vec!["error", "files"], vec!["data"], vec!["app"]]);
}

#[test]
fn an_import_from_above_is_found_however_it_is_written() {
    let floors = [vec!["error"], vec!["data"], vec!["train", "plot"], vec!["app", "cli"]].map(|floor| floor.to_vec());
    let module = ["data", "dataset"].map(str::to_owned);
    for (source, line, above) in [
        ("use crate::plot::Chart;", 1, "plot"),
        ("pub(crate) use crate::{error::InputError, app::{theme, state}};", 1, "app"),
        ("\nfn f() -> usize {\n    crate::cli::columns()\n}", 3, "cli"),
        ("use super::super::train;", 1, "train"),
        ("const QUOTE: char = '\"';\nuse crate::plot;", 2, "plot"),
        ("mod tests {\n    use super::super::super::train::Task;\n}", 2, "train"),
        ("macro_rules! m { () => { $crate::app::all() } }", 1, "app"),
    ] {
        let expected = format!("data::dataset:{line} imports {above}, which stands above it");
        assert_eq!(violations(&floors, &module, source), [expected], "{source}");
    }
    let unknown = violations(&floors, &module, "use crate::helpers::*;");
    assert_eq!(unknown, ["data::dataset:1 imports helpers, which is not in src/lib.rs"]);
}

#[test]
fn imports_from_below_comments_and_texts_are_allowed() {
    let floors = [vec!["error", "device"], vec!["data"], vec!["app", "cli"]].map(|floor| floor.to_vec());
    let source = r##"
        //! Drawn by [`crate::app`]
        /* use crate::app; /* use crate::cli; */ */
        use crate::{device::Device, error::{self, InputError}};
        use super::{source, Stage};
        const TEXT: &str = "\"crate::app";
        const RAW: &str = r#"a "crate::app" "#;
        pub(crate) fn first<'a>(text: &'a str) -> &'a str { text }
        mod tests { use super::super::source; }
    "##;
    assert_eq!(violations(&floors, &["data", "dataset"].map(str::to_owned), source), [""; 0]);
}

#[test]
fn a_ring_is_found_and_a_facade_with_its_children_is_none() {
    let ring = |files: &[(&str, &str)]| {
        let module = |name: &str| name.split("::").map(str::to_owned).collect();
        rings(&files.iter().map(|(name, text)| (module(name), (*text).to_owned())).collect())
    };
    let facade = [("a", "pub mod x;\npub use x::X;"), ("a::x", "use super::Y;"), ("b", "use crate::a::X;")];
    assert_eq!(ring(&facade), [""; 0]);
    let pair = [("a", ""), ("a::x", "use super::y::Y;"), ("a::y", "use crate::a::x;\nfn f() {}")];
    assert_eq!(ring(&pair), ["a::x, a::y"]);
    let long =
        [("a", "use crate::b;"), ("b", "fn f() { crate::c::g() }"), ("c", "use crate::{b, a::{self, A}};"), ("d", "")];
    assert_eq!(ring(&long), ["a, b, c"]);
    let tests_only = [("a", "use crate::b;"), ("b", "#[cfg(test)]\nmod tests {\n    use crate::a;\n}")];
    assert_eq!(ring(&tests_only), [""; 0]);
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn lib() -> String {
    fs::read_to_string(root().join("lib.rs")).unwrap()
}

/// The floors of `src/lib.rs`, from the ground up.
fn floors(lib: &str) -> Vec<Vec<&str>> {
    let mut floors: Vec<Vec<&str>> = vec![Vec::new()];
    for line in lib.lines() {
        match line.strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';')) {
            Some(module) => floors.last_mut().unwrap().push(module),
            None => floors.push(Vec::new()),
        }
    }
    floors.retain(|floor| !floor.is_empty());
    floors
}

/// All files but the roof: `lib.rs` and `main.rs`.
fn sources() -> Sources {
    fn collect(folder: &Path, module: &[String], sources: &mut Sources) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let mut inner = module.to_vec();
            let name = path.file_stem().unwrap().to_str().unwrap();
            if path.is_dir() || name != "mod" {
                inner.push(name.to_owned());
            }
            if path.is_dir() {
                collect(&path, &inner, sources);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.insert(inner, fs::read_to_string(&path).unwrap());
            }
        }
    }
    let mut sources = Sources::new();
    collect(&root(), &[], &mut sources);
    for roof in ["lib", "main"] {
        sources.remove(&[roof.to_owned()][..]);
    }
    assert!(sources.len() > 300, "{} sources", sources.len());
    sources
}

/// What breaks the order in the text of a module: one line each.
fn violations(floors: &[Vec<&str>], module: &[String], text: &str) -> Vec<String> {
    let floor = |name: &str| floors.iter().position(|floor| floor.contains(&name));
    let Some(own) = floor(&module[0]) else {
        return vec![format!("{} is not in src/lib.rs", module[0])];
    };
    let mut found = BTreeSet::new();
    for Import { line, path, .. } in imports(module, text) {
        let Some(first) = path.first() else { continue };
        match floor(first) {
            Some(other) if other < own || *first == module[0] => {}
            Some(other) if other == own => {} // side by side: the rings see to it
            Some(_) => {
                found.insert((line, format!("{}:{line} imports {first}, which stands above it", module.join("::"))));
            }
            None => {
                found.insert((
                    line,
                    format!("{}:{line} imports {first}, which is not in src/lib.rs", module.join("::")),
                ));
            }
        }
    }
    found.into_iter().map(|(_, words)| words).collect()
}

/// The rings of files, each as its modules. Tests and what only tests import do not count.
fn rings(sources: &Sources) -> Vec<String> {
    let modules: Vec<&Vec<String>> = sources.keys().collect();
    let index =
        |path: &[String]| (1..=path.len()).rev().find_map(|end| modules.binary_search(&&path[..end].to_vec()).ok());
    let is_test = |module: &[String]| module.iter().any(|name| name == "tests" || name.ends_with("_tests"));
    let edges: Vec<BTreeSet<usize>> = sources
        .iter()
        .map(|(module, text)| {
            let imports = if is_test(module) { Vec::new() } else { imports(module, text) };
            let imported = imports.iter().filter(|import| !import.in_tests).filter_map(|import| index(&import.path));
            // A facade names the files in its folder, and they name it.
            imported
                .filter(|&other| !modules[other].starts_with(module) && !module.starts_with(modules[other]))
                .collect()
        })
        .collect();
    let reached: Vec<BTreeSet<usize>> = (0..modules.len()).map(|from| reachable(&edges, from)).collect();
    let mut rings = BTreeSet::new();
    for (from, there) in reached.iter().enumerate() {
        let ring: Vec<String> = there
            .iter()
            .filter(|&&other| reached[other].contains(&from))
            .map(|&other| modules[other].join("::"))
            .collect();
        if there.contains(&from) {
            rings.insert(ring.join(", "));
        }
    }
    rings.into_iter().collect()
}

fn reachable(edges: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let mut there = BTreeSet::new();
    let mut next: Vec<usize> = edges[from].iter().copied().collect();
    while let Some(at) = next.pop() {
        if there.insert(at) {
            next.extend(&edges[at]);
        }
    }
    there
}

/// A path that a file names.
#[derive(Debug)]
struct Import {
    line: usize,
    /// From the crate's root.
    path: Vec<String>,
    /// Whether it stands in an inline module that is compiled for tests alone.
    in_tests: bool,
}

/// The paths in the text of a module that begin with `crate`, `self` or `super`.
fn imports(module: &[String], text: &str) -> Vec<Import> {
    let tokens = tokens(text);
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut found = Vec::new();
    let mut braces: Vec<Option<&str>> = Vec::new(); // the inline modules whose bodies are open, and other braces
    for at in 0..tokens.len() {
        match word(at) {
            "{" => braces.push((at > 1 && word(at - 2) == "mod").then(|| word(at - 1))),
            "}" => {
                braces.pop();
            }
            "crate" | "self" | "super" if (at == 0 || word(at - 1) != "::") && word(at + 1) == "::" => {
                let inline: Vec<&str> = braces.iter().copied().flatten().collect();
                let mut base: Vec<String> =
                    module.iter().cloned().chain(inline.iter().map(|&name| name.to_owned())).collect();
                let mut next = at;
                while ["crate", "self", "super"].contains(&word(next)) && word(next + 1) == "::" {
                    match word(next) {
                        "crate" => base.clear(),
                        "super" => drop(base.pop()),
                        _ => {}
                    }
                    next += 2;
                }
                let in_tests = inline.contains(&"tests");
                let line = tokens[next.min(tokens.len() - 1)].line;
                for (line, rest) in branches(&tokens, next, line) {
                    let path = base.iter().cloned().chain(rest.into_iter().map(str::to_owned)).collect();
                    found.push(Import { line, path, in_tests });
                }
            }
            _ => {}
        }
    }
    found
}

/// The paths that go on at a token: one, or several in braces.
fn branches<'a>(tokens: &[Token<'a>], mut at: usize, line: usize) -> Vec<(usize, Vec<&'a str>)> {
    let word = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut prefix = Vec::new();
    loop {
        match word(at) {
            "{" => {
                let mut found = Vec::new();
                let mut nesting = 1;
                let mut begins = true;
                at += 1;
                while nesting > 0 && at < tokens.len() {
                    match word(at) {
                        "{" => nesting += 1,
                        "}" => nesting -= 1,
                        "," if nesting == 1 => begins = true,
                        _ if begins => {
                            begins = false;
                            for (line, rest) in branches(tokens, at, tokens[at].line) {
                                found.push((line, prefix.iter().copied().chain(rest).collect()));
                            }
                        }
                        _ => {}
                    }
                    at += 1;
                }
                return found;
            }
            "self" | "*" => return vec![(line, prefix)],
            name if name.chars().next().is_some_and(|first| first.is_alphanumeric() || first == '_') => {
                prefix.push(name);
                if word(at + 1) != "::" {
                    return vec![(line, prefix)];
                }
                at += 2;
            }
            _ => return vec![(line, prefix)],
        }
    }
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
