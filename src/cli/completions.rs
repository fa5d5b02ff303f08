//! `peso completions`: what a shell needs to complete the command line.

use clap::Args;
use clap_complete::Shell;

use super::outcome::{Ended, print};
use super::reference;

/// Print what a shell completes `peso` with: `peso completions bash > ~/.local/share/bash-completion/completions/peso`
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    print(&String::from_utf8(completions(arguments.shell))?)?;
    Ok(Ended::Done)
}

/// The completion script of a shell.
pub(super) fn completions(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut reference::listed(), "peso", &mut script);
    script
}
