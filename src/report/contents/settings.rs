//! Which settings differ between the lines, and which they share.

use super::Source;
use crate::report::document::{Block, Section, Table};
use crate::results::config_diff::{Difference, side_by_side};
use crate::run::RunConfig;

pub(super) fn section(source: &Source<'_>) -> Section {
    let mut section = Section::new("settings", "Settings");
    // The settings of a run that counts are those of no training.
    let lines: Vec<(&str, &RunConfig)> = source
        .lines
        .iter()
        .filter(|line| !line.counted)
        .filter_map(|line| Some((line.name.as_str(), source.configuration(line.runs.first()?)?)))
        .collect();
    if lines.is_empty() {
        return section;
    }
    let configurations: Vec<&RunConfig> = lines.iter().map(|(_, config)| *config).collect();
    let (common, different): (Vec<Difference>, Vec<Difference>) =
        side_by_side(&configurations).into_iter().partition(Difference::is_common);
    if !different.is_empty() {
        section.blocks.push(Block::Heading("What differs".to_owned()));
        let mut table = Table::new(4, ["Part", "Setting", "Value", "Of"]);
        for setting in &different {
            for (value, names) in by_value(setting, &lines) {
                table.row([setting.part, &setting.name, &value, &names.join(", ")]);
            }
        }
        section.blocks.push(Block::Table(table));
    }
    if !common.is_empty() {
        section.blocks.push(Block::Heading("What all lines share".to_owned()));
        let mut table = Table::new(3, ["Part", "Setting", "Value"]);
        for Difference { part, name, values } in common {
            let value = values.into_iter().flatten().next().map(|value| value.text).unwrap_or_default();
            table.row([(*part).to_owned(), name, value]);
        }
        section.blocks.push(Block::Table(table));
    }
    section
}

/// The values of a setting in order of the lines, each with the lines that have it.
fn by_value(setting: &Difference, lines: &[(&str, &RunConfig)]) -> Vec<(String, Vec<String>)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for (value, (name, _)) in setting.values.iter().zip(lines) {
        let Some(value) = value else { continue };
        match found.iter_mut().find(|(known, _)| *known == value.text) {
            Some((_, names)) => names.push((*name).to_owned()),
            None => found.push((value.text.clone(), vec![(*name).to_owned()])),
        }
    }
    found
}
