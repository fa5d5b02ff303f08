//! A backtrace for somebody else: names of functions, and of source files only what every machine calls them.

/// Functions of a backtrace that are told; a recursion without end has more.
const MOST: usize = 120;
/// Letters of a function's name: types of numeric code grow long.
const LONGEST: usize = 240;

/// The functions of a backtrace as the standard library writes it, one a line, without the panic's own.
pub(super) fn frames(backtrace: &str) -> String {
    let mut frames: Vec<String> = Vec::new();
    for line in backtrace.lines() {
        let line = line.trim();
        if let Some(place) = line.strip_prefix("at ") {
            if let Some(frame) = frames.last_mut() {
                frame.push_str(&format!("  ({})", source(place)));
            }
        } else if let Some((number, name)) = line.split_once(": ")
            && number.parse::<usize>().is_ok()
        {
            frames.push(shortened(name));
        }
    }
    // What stands before these is how the panic came here.
    let ours = |name: &String| name.contains("rust_begin_unwind") || name.contains("begin_panic_handler");
    let first = frames.iter().position(ours).map_or(0, |at| at + 1);
    let told = frames.len().saturating_sub(first);
    let mut text: String =
        frames.iter().skip(first).take(MOST).enumerate().map(|(at, frame)| format!("{at:4}: {frame}\n")).collect();
    if told > MOST {
        text += &format!("      and {} more\n", told - MOST);
    }
    if told == 0 { "no backtrace\n".to_owned() } else { text }
}

fn shortened(name: &str) -> String {
    let short: String = name.chars().take(LONGEST).collect();
    if short.len() < name.len() { short + "…" } else { short }
}

/// A source file as every machine calls it: from this crate's folder, from that of the crate that it belongs to, or its
/// name alone. Absolute paths tell whose machine it was built on.
pub(super) fn source(path: &str) -> String {
    let path = path.replace('\\', "/");
    let path = path.strip_prefix("./").unwrap_or(&path);
    let after = |mark: &str, parts: usize| {
        let (_, rest) = path.split_once(mark)?;
        // The registry's or the commit's own folder comes first.
        rest.splitn(parts + 1, '/').nth(parts).map(str::to_owned)
    };
    let whole = after("/registry/src/", 1).or_else(|| after("/git/checkouts/", 2)).or_else(|| after("/rustc/", 1));
    let is_absolute = path.starts_with('/') || path.get(1..2) == Some(":") || path.starts_with("..");
    whole.unwrap_or_else(|| {
        let name = path.rsplit('/').next().unwrap_or(path);
        if is_absolute { name.to_owned() } else { path.to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_a_machine_is_told() {
        for (path, told) in [
            ("src/train/step.rs:97:13", "src/train/step.rs:97:13"),
            ("./src/train/step.rs:97:13", "src/train/step.rs:97:13"),
            ("/home/anna/.cargo/registry/src/index.crates.io-19f/burn-0.21.0/src/x.rs:1:2", "burn-0.21.0/src/x.rs:1:2"),
            ("C:\\Users\\anna\\.cargo\\registry\\src\\index-1\\zip-7.0.0\\src\\a.rs:3", "zip-7.0.0/src/a.rs:3"),
            ("/rustc/59807616e1fa/library/core/src/panicking.rs:80:14", "library/core/src/panicking.rs:80:14"),
            ("/home/anna/.cargo/git/checkouts/egui-1f/ab12/crates/egui/src/ui.rs:4", "crates/egui/src/ui.rs:4"),
            ("/home/anna/peso/src/main.rs:9:1", "main.rs:9:1"),
            ("../anna/src/main.rs:9:1", "main.rs:9:1"),
            ("C:/anna/main.rs:9:1", "main.rs:9:1"),
        ] {
            assert_eq!(source(path), told, "{path}");
        }
    }

    #[test]
    fn functions_are_told_one_a_line_from_where_the_panic_began() {
        let backtrace = "   0: std::backtrace::Backtrace::force_capture\n   1: rust_begin_unwind\n             at /rustc/5f/library/std/src/panicking.rs:697:5\n   2: core::panicking::panic_fmt\n   3: peso_workbench::train::step::apply\n             at ./src/train/step.rs:201:9\n";
        let told =
            "   0: core::panicking::panic_fmt\n   1: peso_workbench::train::step::apply  (src/train/step.rs:201:9)\n";
        assert_eq!(frames(backtrace), told);
        let endless: String = (0..500).map(|at| format!("{at}: f::<{}>\n", "x".repeat(1000))).collect();
        let told = frames(&endless);
        assert_eq!(told.lines().count(), MOST + 1);
        assert!(told.ends_with("and 380 more\n") && told.lines().all(|line| line.chars().count() < 260), "{told}");
        assert_eq!(frames("disabled backtrace"), "no backtrace\n");
    }
}
