//! What each method does, with its formula.

use super::Source;
use crate::method::Card;
use crate::report::document::{Block, Section};
use crate::run::RunMethod;

pub(super) fn section(source: &Source<'_>) -> Section {
    let mut section = Section::new("methods", "Methods");
    let mut told: Vec<&str> = Vec::new();
    let methods = source.configurations.iter().map(|config| &config.method);
    // What is trained comes first.
    let (trained, counted): (Vec<&RunMethod>, Vec<&RunMethod>) = methods.partition(|method| method.is_learned());
    for method in trained.into_iter().chain(counted) {
        if told.contains(&method.key()) {
            continue;
        }
        told.push(method.key());
        section.blocks.push(Block::Heading(method.label().to_owned()));
        describe(&mut section, method);
        let mut lines: Vec<&str> = Vec::new();
        for config in source.configurations.iter().filter(|config| config.method.key() == method.key()) {
            if !lines.contains(&config.experiment.as_str()) {
                lines.push(&config.experiment);
            }
        }
        if lines != [method.label()] {
            section.say(format!("Here: {}", lines.join(", ")));
        }
    }
    section
}

fn describe(section: &mut Section, method: &RunMethod) {
    match method {
        RunMethod::Learned(options) => {
            let Card { sentence, formula, source, .. } = options.card();
            section.say(*sentence);
            section.blocks.push(Block::Formula((*formula).to_owned()));
            section.say(format!("Source: {source}"));
        }
        RunMethod::Popularity => {
            section.say("Recommends to everybody what most users of the stage chose; it trains nothing.");
        }
        RunMethod::CoOccurrence => {
            section.say("Recommends what others chose beside the items of the user's history; it trains nothing.");
        }
    }
}
