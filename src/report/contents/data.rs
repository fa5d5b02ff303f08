//! What was learned from: the dataset and the base model.

use super::Source;
use crate::model::BaseModel;
use crate::report::document::{Block, Section, Table};

pub(super) fn section(source: &Source<'_>) -> Section {
    let mut section = Section::new("data", "Data and base model");
    match &source.dataset {
        Err(problem) => section.say(format!("The data cannot be read any more: {problem}")),
        Ok(dataset) => {
            let summary = dataset.summary();
            let kind = if summary.synthetic { "generated (synthetic)" } else { "measured" };
            section.terms([
                ("Name", summary.name.clone()),
                ("Kind", kind.to_owned()),
                ("Users", summary.users.to_string()),
                ("Items", format!("{}, {} with a title", summary.items, summary.titles)),
                ("Semantic ids", format!("{} of {} codes", summary.distinct_ids, summary.levels)),
                ("Stages", summary.stages.len().to_string()),
                ("Hash", summary.hash.clone()),
            ]);
            let headings =
                ["Stage", "Users", "New users", "Interactions", "New items", "Training targets", "Test users"];
            let mut table = Table::new(0, headings);
            for stage in &summary.stages {
                let cells = [
                    stage.stage,
                    stage.users,
                    stage.new_users,
                    stage.interactions,
                    stage.new_items,
                    stage.training_examples,
                    stage.test_users,
                ];
                table.row(cells.map(|cell| cell.to_string()));
            }
            section.blocks.push(Block::Table(table));
            if let Some(note) = source.project.semantic_ids.note() {
                section.say(note);
            }
            if source.configurations.iter().any(|config| config.data_hash != summary.hash) {
                section.say(
                    "Some runs were trained on other data than the project has now: see the hashes of the runs below",
                );
            }
        }
    }
    let mut hashes: Vec<&str> = source.configurations.iter().map(|config| config.model_hash.as_str()).collect();
    hashes.retain(|hash| !hash.is_empty());
    hashes.sort_unstable();
    hashes.dedup();
    section.blocks.push(Block::Heading("Base model".to_owned()));
    let hash = (!hashes.is_empty()).then(|| ("Hash before stage 1", hashes.join(", ")));
    section.terms([("Model", model(&source.project.base_model))].into_iter().chain(hash));
    section
}

fn model(model: &BaseModel) -> String {
    let named = |path: &std::path::Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    match model {
        BaseModel::Compact(shape) => format!(
            "a small Llama, trained on stage 1 and then frozen: width {}, {} layers, {} heads",
            shape.width, shape.layers, shape.heads
        ),
        BaseModel::HuggingFace(path) => format!("{} (Hugging Face folder)", named(path)),
        BaseModel::Gguf(path) => format!("{} (GGUF)", named(path)),
    }
}
