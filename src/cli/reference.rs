//! The command line as Markdown, for the reference pages.

use clap::builder::PossibleValue;
use clap::{Arg, Command};

use crate::this_build::VERSION;

/// Every command with its usage, arguments, defaults and help: a section of level 2 a command.
pub fn reference() -> String {
    let mut program = super::command();
    // Usage lines name the whole path of a command only after this.
    program.build();
    sections(program, "").join("\n")
}

/// The program without the commands that nobody is told of, for manual pages and completions.
pub(super) fn listed() -> Command {
    let whole = super::command();
    let mut listed = Command::new("peso").version(VERSION).args_conflicts_with_subcommands(true);
    if let Some(about) = whole.get_about() {
        listed = listed.about(about.clone());
    }
    if let Some(after) = whole.get_after_help() {
        listed = listed.after_help(after.clone());
    }
    let commands = whole.get_subcommands().filter(|command| is_listed(command));
    listed.args(whole.get_arguments().cloned()).subcommands(commands.cloned())
}

/// The sections of a command and of those below it; `above` is the path that leads to it, with a space at its end.
fn sections(mut command: Command, above: &str) -> Vec<String> {
    let path = format!("{above}{}", command.get_name());
    let below: Vec<Command> = command.get_subcommands().filter(|command| is_listed(command)).cloned().collect();
    // A command that only holds others says nothing of its own.
    let own = (!command.is_subcommand_required_set()).then(|| section(&mut command, &path));
    own.into_iter().chain(below.into_iter().flat_map(|command| sections(command, &format!("{path} ")))).collect()
}

/// Clap adds a command `help` of its own, which repeats the others.
fn is_listed(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn section(command: &mut Command, path: &str) -> String {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage: Vec<&str> = usage.lines().map(|line| line.trim_start_matches("Usage:").trim()).collect();
    let arguments: Vec<&Arg> = command.get_arguments().filter(|argument| is_documented(argument)).collect();
    let mut text = format!("## `{path}`\n\n{about}.\n\n```text\n{}\n```\n", usage.join("\n"));
    if !arguments.is_empty() {
        let rows: String = arguments.iter().map(|argument| row(argument)).collect();
        text += &format!("\n| argument | default | meaning |\n|---|---|---|\n{rows}");
    }
    text + &arguments.iter().map(|argument| explained_values(argument)).collect::<String>()
}

fn is_documented(argument: &Arg) -> bool {
    !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
}

/// An argument as a row of the table.
fn row(argument: &Arg) -> String {
    let defaults: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    let default = if argument.is_required_set() {
        "required".to_owned()
    } else if argument.get_action().takes_values() && !defaults.is_empty() {
        format!("`{}`", in_cell(&defaults.join(" ")))
    } else {
        String::new()
    };
    let mut meaning = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values = values(argument);
    if !values.is_empty() && values.iter().all(|value| value.get_help().is_none()) {
        let names: Vec<_> = values.iter().map(PossibleValue::get_name).collect();
        meaning += &format!(": {}", names.join(" or "));
    }
    format!("| `{}` | {default} | {} |\n", in_cell(&signature(argument)), in_cell(&meaning))
}

/// The values that an argument chooses from, as a list, where they have words of their own.
fn explained_values(argument: &Arg) -> String {
    let lines = values(argument).into_iter().filter_map(|value| {
        let help = value.get_help()?;
        Some(format!("- `{}`: {help}\n", value.get_name()))
    });
    let list: String = lines.collect();
    if list.is_empty() { list } else { format!("\nValues of `{}`:\n\n{list}", signature(argument)) }
}

fn values(argument: &Arg) -> Vec<PossibleValue> {
    argument.get_possible_values().into_iter().filter(|value| !value.is_hide_set()).collect()
}

/// `--seed <N>`, `--fresh`, `<PROJECT>`.
fn signature(argument: &Arg) -> String {
    let names = argument.get_value_names().unwrap_or_default();
    let values: Vec<String> = names.iter().map(|name| format!("<{name}>")).collect();
    match argument.get_long() {
        Some(long) if argument.get_action().takes_values() => format!("--{long} {}", values.join(" ")),
        Some(long) => format!("--{long}"),
        None => values.join(" "),
    }
}

/// A bar would end the cell, even inside code.
fn in_cell(text: &str) -> String {
    text.replace('|', "\\|")
}
