//! The card of a base model that others trained: its architecture in the field's words, and how it is stored.

use std::collections::BTreeMap;

use eframe::egui;
use egui::{Grid, RichText, Ui};

use super::figures::Figures;
use super::memory::stacked_bar;
use crate::app::action::Action;
use crate::app::panels::Context;
use crate::app::queries::Answer;
use crate::app::queries::model::WeightsHash;
use crate::app::theme::{self, space};
use crate::app::widgets::{self, counted, grouped, memory_words};
use crate::model::LlamaConfig;
use crate::model::config::{AttentionBias, Gemma, Rope};
use crate::model::inspect::ModelSummary;

/// Height of a line of a card at least.
pub(super) const FACT: f32 = 18.0;

/// Weights up to here are hashed without being asked.
const HASHED_AT_ONCE: u64 = 256 << 20;

pub(super) fn ui(ui: &mut Ui, context: &mut Context<'_>, summary: &ModelSummary, figures: Option<&Figures>) {
    let tokens = theme::tokens(ui);
    widgets::card(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            widgets::section(ui, summary.name.as_deref().unwrap_or_else(|| summary.architecture.family.name()));
            widgets::pill(ui, summary.architecture.family.name(), tokens.accent);
            widgets::pill(ui, &summary.format, tokens.muted);
        });
        Grid::new("architecture").num_columns(2).min_row_height(FACT).spacing([space::M, space::XS]).show(ui, |ui| {
            parameters(ui, summary, figures);
            for (name, value) in architecture(&summary.architecture) {
                widgets::fact(ui, name, value);
            }
            if let Some(licence) = &summary.licence {
                widgets::fact(ui, "Licence", licence.as_str());
            }
            widgets::fact(ui, "On disk", memory_words(summary.bytes));
            widgets::fact(ui, "In float32", memory_words(summary.loaded_bytes));
            hash(ui, context, summary.bytes);
        });
        types(ui, summary);
        if !summary.unused.is_empty() {
            let names = summary.unused.join(", ");
            widgets::remark(ui, format!("{} not used: {names}", counted(summary.unused.len(), "tensor")));
        }
        if !summary.unused_fields.is_empty() {
            widgets::remark(
                ui,
                format!("Fields not used, as nothing is known of them: {}", summary.unused_fields.join(", ")),
            );
        }
        for note in &summary.notes {
            widgets::remark(ui, note.as_str());
        }
    });
}

fn parameters(ui: &mut Ui, summary: &ModelSummary, figures: Option<&Figures>) {
    widgets::fact(ui, "Parameters", format!("{} ({})", millions(summary.parameters), grouped(summary.parameters)));
    if let Some(figures) = figures {
        widgets::fact(ui, "Trained", trained_words(figures));
    }
}

/// What is trained, and its share of the whole.
pub(super) fn trained_words(figures: &Figures) -> String {
    let share = 100.0 * figures.trained as f64 / figures.parameters.max(1) as f64;
    format!("{}, {share:.2} % of the base model's", millions(figures.trained))
}

/// A number of parameters for people: `134.5 M`.
pub(super) fn millions(parameters: u64) -> String {
    match parameters {
        0..10_000 => grouped(parameters),
        10_000..1_000_000 => format!("{:.0} K", parameters as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} M", parameters as f64 / 1e6),
        _ => format!("{:.2} B", parameters as f64 / 1e9),
    }
}

/// Name and value of each line on the shape.
pub(super) fn architecture(config: &LlamaConfig) -> Vec<(&'static str, String)> {
    let mut lines = vec![
        ("Layers", config.layers.to_string()),
        ("Width", grouped(config.width as u64)),
        ("Attention heads", heads(config)),
        ("Feed-forward", format!("{}, {}", grouped(config.ffn as u64), config.activation.gated())),
    ];
    if config.vocabulary > 0 {
        lines.push(("Vocabulary", format!("{} tokens", grouped(config.vocabulary as u64))));
    }
    if let Some(context) = config.context {
        lines.push(("Context", format!("{} tokens", grouped(context as u64))));
    }
    lines.push(("Positions", rope(&config.rope)));
    lines.push((
        "Embeddings",
        if config.tied { "tied: the head is the embedding" } else { "a head of its own" }.to_owned(),
    ));
    let bias = match config.attention_bias {
        AttentionBias::None => None,
        AttentionBias::Inputs => Some("on queries, keys and values"),
        AttentionBias::All => Some("on all of attention"),
    };
    lines.extend(bias.map(|bias| ("Biases", bias.to_owned())));
    if config.ffn_bias {
        lines.push(("Feed-forward biases", "on gate, up and down".to_owned()));
    }
    if config.head_norms {
        lines.push(("Head norms", "queries and keys, head by head".to_owned()));
    }
    lines.extend(config.experts.as_ref().map(|experts| ("Experts", experts.words())));
    lines.extend(config.sliding.as_ref().map(|sliding| ("Window", sliding.words())));
    lines.extend(config.gemma.as_ref().and_then(Gemma::caps).map(|caps| ("Caps", caps)));
    lines
}

fn heads(config: &LlamaConfig) -> String {
    let LlamaConfig { heads, kv_heads, head_width, .. } = config;
    let shared = if heads == kv_heads { String::new() } else { format!(", {kv_heads} key-value heads") };
    format!("{heads} of width {head_width}{shared}")
}

fn rope(rope: &Rope) -> String {
    let scaling = rope.stretched().map_or_else(String::new, |stretched| format!(", {stretched}"));
    format!("rotary, θ = {}{scaling}", grouped(rope.theta as u64))
}

/// The hash of the weights: at once where they are small, else when asked for.
fn hash(ui: &mut Ui, context: &mut Context<'_>, bytes: u64) {
    let project = context.session.project();
    let Some(path) = project.base_model.path() else { return };
    let query = WeightsHash { path: project.folder.join(path) };
    ui.label(RichText::new("SHA-256").color(theme::tokens(ui).muted));
    match context.session.queries.get(&query) {
        Answer::Ready(hash) => {
            ui.label(RichText::new(format!("{}…", &hash[..hash.len().min(16)])).monospace())
                .on_hover_text(hash)
                .on_hover_text("Of the weights' file; of a folder's safetensors files one after another");
        }
        Answer::Failed(error) => {
            ui.colored_label(theme::tokens(ui).error, widgets::sentence(&error.problem));
        }
        Answer::Pending if bytes <= HASHED_AT_ONCE || context.session.queries.was_requested(&query) => {
            context.actions.push(Action::compute(&query));
            ui.horizontal(|ui| {
                widgets::remark(ui, "Reading the weights");
                if bytes > HASHED_AT_ONCE && ui.small_button("Cancel").clicked() {
                    context.actions.push(Action::cancel(&query));
                }
            });
        }
        Answer::Pending | Answer::Cancelled => {
            if ui.button("Compute").on_hover_text("Reads all of the weights once").clicked() {
                context.actions.push(Action::retry(&query));
            }
        }
    }
    ui.end_row();
}

/// The number types of the tensors, by their share of the bytes.
fn types(ui: &mut Ui, summary: &ModelSummary) {
    let mut bytes: BTreeMap<&str, u64> = BTreeMap::new();
    summary.tensors.iter().for_each(|tensor| *bytes.entry(&tensor.kind).or_default() += tensor.bytes);
    let mut parts: Vec<(&str, u64)> = bytes.into_iter().collect();
    parts.sort_by_key(|&(_, bytes)| std::cmp::Reverse(bytes));
    ui.add_space(space::XS);
    let words: Vec<String> = parts.iter().map(|(kind, bytes)| format!("{kind} {}", memory_words(*bytes))).collect();
    widgets::remark(ui, format!("Stored as {}", words.join(", ")));
    stacked_bar(ui, "Numbers as stored", &parts, None);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_as_people_say_them() {
        assert_eq!([millions(912), millions(41_984), millions(134_515_008)], ["912", "42 K", "134.5 M"]);
        assert_eq!(millions(1_540_000_000), "1.54 B");
    }
}
