//! `peso share-files`: what a package installs beside the program and only the program knows: manual pages, shell completions
//! and the icon in its sizes.

use std::path::{Path, PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::completions::completions;
use super::outcome::{Ended, say};
use super::reference;
use crate::error::InputError;
use crate::files;
use crate::plot::icon;

/// Write manual pages, shell completions and icons below a folder, as they lie below `/usr/share`
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Stands for `/usr/share`
    folder: PathBuf,
}

/// Where shells look, below `/usr/share`.
const COMPLETIONS: [(Shell, &str); 3] = [
    (Shell::Bash, "bash-completion/completions/peso"),
    (Shell::Zsh, "zsh/site-functions/_peso"),
    (Shell::Fish, "fish/vendor_completions.d/peso.fish"),
];
/// What panels, menus and software centres ask for.
const ICON_SIDES: [u32; 6] = [16, 32, 48, 64, 128, 256];

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let folder = &arguments.folder;
    let mut program = reference::listed();
    // Usage lines name the whole path of a command only after this.
    program.build();
    let pages = manual(&program, "peso");
    for (name, page) in &pages {
        write(folder, &format!("man/man1/{name}.1"), page)?;
    }
    for (shell, place) in COMPLETIONS {
        write(folder, place, &completions(shell))?;
    }
    for side in ICON_SIDES {
        write(folder, &format!("icons/hicolor/{side}x{side}/apps/peso-workbench.png"), &icon::as_png(side)?)?;
    }
    write(folder, "icons/hicolor/scalable/apps/peso-workbench.svg", icon::SVG.as_bytes())?;
    say(&format!("Wrote {} manual pages, {} completions and the icon", pages.len(), COMPLETIONS.len()));
    Ok(Ended::Done)
}

fn write(folder: &Path, place: &str, bytes: &[u8]) -> Result<(), InputError> {
    let path = folder.join(place);
    if let Some(parent) = path.parent() {
        files::create_folder(parent)?;
    }
    files::write_atomically(&path, bytes)
}

/// The pages of a command and of those below it, by name: `peso`, `peso-run`, …
fn manual(command: &Command, name: &str) -> Vec<(String, Vec<u8>)> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).title(name.to_uppercase()).section("1").manual("PESO Workbench");
    man.render(&mut page).expect("memory takes what is written");
    let below = command.get_subcommands().filter(|command| command.get_name() != "help");
    let pages = below.flat_map(|below| manual(below, &format!("{name}-{}", below.get_name())));
    std::iter::once((name.to_owned(), page)).chain(pages).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_command_has_a_page_that_shows_its_options() {
        let mut program = reference::listed();
        program.build();
        let pages = manual(&program, "peso");
        let page = |name: &str| {
            let found = pages.iter().find(|(page, _)| page == name);
            String::from_utf8(found.unwrap_or_else(|| panic!("no page {name}")).1.clone()).unwrap()
        };
        assert!(page("peso").contains("peso\\-export(1)"), "{}", page("peso"));
        assert!(page("peso-run").contains("\\-\\-dry\\-run"), "{}", page("peso-run"));
        page("peso-adapter-merge");
        assert!(!pages.iter().any(|(name, _)| name.contains("server") || name.contains("share-files")));
    }

    #[test]
    fn files_lie_where_a_system_looks() {
        let folder = tempfile::tempdir().unwrap();
        run(&Arguments { folder: folder.path().to_owned() }).unwrap();
        for (place, holds) in [
            ("man/man1/peso-run.1", ".TH PESO-RUN 1"),
            ("bash-completion/completions/peso", "_peso()"),
            ("zsh/site-functions/_peso", "#compdef peso"),
            ("fish/vendor_completions.d/peso.fish", "complete -c peso"),
            ("icons/hicolor/scalable/apps/peso-workbench.svg", "<svg"),
        ] {
            let text = std::fs::read_to_string(folder.path().join(place)).unwrap();
            assert!(text.contains(holds), "{place}: {}", &text[..text.len().min(300)]);
        }
        let png = std::fs::read(folder.path().join("icons/hicolor/48x48/apps/peso-workbench.png")).unwrap();
        assert_eq!(u32::from_be_bytes(png[16..20].try_into().unwrap()), 48);
    }
}
