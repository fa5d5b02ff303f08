//! `peso devices`: what can train here.

use clap::Args;

use super::outcome::{Ended, print, print_json};
use super::table::Table;
use crate::device::{self, Survey};

/// Show the devices found, the one that `auto` takes, and why
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let survey = device::survey();
    if arguments.json {
        print_json(&survey)?;
    } else {
        print(&as_text(&survey))?;
    }
    Ok(Ended::Done)
}

fn as_text(survey: &Survey) -> String {
    let mut table = Table::new(4, ["Kind", "Name", "Usable", "Detail"]);
    for found in &survey.found {
        let usable = match (found.usable, found.software) {
            (true, true) => "in software",
            (true, false) => "yes",
            (false, _) => "no",
        };
        table.row([&found.kind, &found.name, usable, &found.detail]);
    }
    format!("{}\n`auto` takes {} ({}): {}\n", table.to_text(), survey.chosen, survey.name, survey.reason)
}
