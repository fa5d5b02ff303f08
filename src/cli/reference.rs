//! The command line as Markdown, for the reference pages.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// Every command with its usage, arguments, defaults and help: a section of level 2 a command.
pub fn reference() -> String {
    let mut program = super::command();
    // Usage lines name the whole path of a command only after this.
    program.build();
    let mut text = String::new();
    write_commands(&mut text, program, "");
    if let Some(after) = super::command().get_after_help() {
        let _ = write!(text, "\n{after}\n");
    }
    text
}

/// A command, then those below it; `above` is the path that leads to it, with a space at its end.
fn write_commands(text: &mut String, mut command: Command, above: &str) {
    let path = format!("{above}{}", command.get_name());
    // A command that only holds others says nothing of its own.
    if !command.is_subcommand_required_set() {
        write_command(text, &mut command, &path);
    }
    let below: Vec<Command> = command.get_subcommands().filter(|command| is_listed(command)).cloned().collect();
    for command in below {
        write_commands(text, command, &format!("{path} "));
    }
}

/// Clap adds a command `help` of its own, which repeats the others.
fn is_listed(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

fn write_command(text: &mut String, command: &mut Command, path: &str) {
    let separator = if text.is_empty() { "" } else { "\n" };
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let usage = command.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = write!(text, "{separator}## `{path}`\n\n{about}.\n\n```text\n{usage}\n```\n");
    let arguments: Vec<String> = command.get_arguments().filter(|argument| is_documented(argument)).map(row).collect();
    if !arguments.is_empty() {
        let _ = write!(text, "\n| argument | default | meaning |\n|---|---|---|\n{}\n", arguments.join("\n"));
    }
}

fn is_documented(argument: &Arg) -> bool {
    !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
}

/// An argument as a row of the table.
fn row(argument: &Arg) -> String {
    let takes_values = argument.get_action().takes_values();
    let default = if argument.is_required_set() {
        "required".to_owned()
    } else if takes_values && !argument.get_default_values().is_empty() {
        let values: Vec<_> = argument.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
        format!("`{}`", in_cell(&values.join(" ")))
    } else {
        String::new()
    };
    let mut meaning = in_cell(&argument.get_help().map(ToString::to_string).unwrap_or_default());
    for value in argument.get_possible_values().iter().filter(|value| !value.is_hide_set()) {
        let help = value.get_help().map(|help| format!(": {}", in_cell(&help.to_string()))).unwrap_or_default();
        let _ = write!(meaning, "<br>`{}`{help}", value.get_name());
    }
    format!("| `{}` | {default} | {meaning} |", in_cell(&signature(argument)))
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
