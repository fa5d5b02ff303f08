//! How the numbers were made: programs, devices, seeds, and every run.

use std::collections::BTreeSet;

use super::Source;
use crate::calendar;
use crate::report::document::{Block, Section, Table};

/// Letters of a hash that tell two apart.
const SHORT: usize = 12;

pub(super) fn section(source: &Source<'_>) -> Section {
    let mut section = Section::new("how", "How it was made");
    let runs = &source.configurations;
    let joined = |of: fn(&crate::run::RunConfig) -> String| {
        let found: BTreeSet<String> = runs.iter().map(of).filter(|text| !text.is_empty()).collect();
        found.into_iter().collect::<Vec<_>>().join(", ")
    };
    let learned = runs.iter().filter(|config| config.method.is_learned());
    let seeds: BTreeSet<u64> = learned.map(|config| config.seed).collect();
    let seeds = seeds.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    section.terms([
        ("Trained with", format!("PESO Workbench {}", joined(|config| config.version.clone()))),
        ("Devices", joined(|config| config.device.clone())),
        ("Seeds", seeds),
        ("Tests", source.context.results.protocol.key().to_owned()),
    ]);
    let headings = ["Run", "Experiment", "Seed", "Status", "Begun", "Settings", "Data", "Base model"];
    let mut table = Table::new(headings.len(), headings);
    for config in runs {
        let result = source.context.results.runs.iter().find(|run| run.run == config.run);
        let seed = if config.method.is_learned() { config.seed.to_string() } else { "–".to_owned() };
        table.row([
            config.run.clone(),
            config.experiment.clone(),
            seed,
            result.map(|run| run.status.key()).unwrap_or_default().to_owned(),
            calendar::date(i64::try_from(config.created_unix).unwrap_or(0).saturating_mul(1000)),
            short(&config.config_hash),
            short(&config.data_hash),
            short(&config.model_hash),
        ]);
    }
    section.blocks.push(Block::Table(table));
    section.say(format!("Hashes are shown by their first {SHORT} letters; the runs' own files have all of them."));
    if !source.project.notes.trim().is_empty() {
        section.blocks.push(Block::Heading("Notes of the project".to_owned()));
        section.say(source.project.notes.trim());
    }
    section
}

fn short(hash: &str) -> String {
    if hash.is_empty() { "–".to_owned() } else { hash.chars().take(SHORT).collect() }
}
