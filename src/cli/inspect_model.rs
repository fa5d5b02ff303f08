//! What `peso inspect` says of models, tokenizers, adapters, tensors and semantic ids.

use super::table::Table;
use super::words;
use crate::id_training::quality::IndexSummary;
use crate::model::config::{Activation, Gemma};
use crate::model::inspect::{AdapterSummary, ModelSummary, TensorsSummary};
use crate::model::tokenizer::TokenizerSummary;
use crate::model::weights::StoredTensor;

pub(super) fn tokenizer_text(tokenizer: &TokenizerSummary) -> String {
    let beginning =
        tokenizer.beginning.as_ref().map_or_else(String::new, |token| format!(", texts begin with {token}"));
    format!(
        "Tokenizer: {} with {} tokens, {} of them special{beginning}",
        tokenizer.model,
        words::count(tokenizer.tokens as u64),
        tokenizer.special.len(),
    )
}

pub(super) fn model_text(model: &ModelSummary) -> String {
    let llama = &model.architecture;
    let types: Vec<&str> = model.types.iter().map(String::as_str).collect();
    let named = model.name.as_ref().map_or_else(String::new, |name| format!(" \"{name}\""));
    let family = llama.family.name();
    let gate = match llama.activation {
        Activation::Silu => String::new(),
        other => format!(" ({})", other.gated()),
    };
    let mut text = format!(
        "{family} model{named} ({}): {} parameters, {} as {}, {} when loaded\n{} layers of width {}, {} heads \
         ({} for keys and values) of width {}, feed-forward {}{gate}, vocabulary {}, {} head\n",
        model.format,
        words::count(model.parameters),
        words::bytes(model.bytes),
        types.join(", "),
        words::bytes(model.loaded_bytes),
        llama.layers,
        llama.width,
        llama.heads,
        llama.kv_heads,
        llama.head_width,
        llama.ffn,
        words::count(llama.vocabulary as u64),
        if model.headless {
            "no"
        } else if llama.tied {
            "tied"
        } else {
            "untied"
        },
    );
    if let Some(experts) = &llama.experts {
        text.push_str(&format!("Experts: {}\n", experts.words()));
        text.push_str("Adapters: on q, k, v and o, and on gate, up and down of layers without experts\n");
    }
    let stretched = llama.rope.stretched().map_or_else(String::new, |stretched| format!(", {stretched}"));
    text.push_str(&format!("Positions: rotary, theta {}{stretched}\n", llama.rope.theta));
    if let Some(sliding) = &llama.sliding {
        text.push_str(&format!("Attention: {}\n", sliding.words()));
    }
    if let Some(caps) = llama.gemma.as_ref().and_then(Gemma::caps) {
        text.push_str(&format!("Held within caps: {caps}\n"));
    }
    if let Some(licence) = &model.licence {
        text.push_str(&format!("Licence: {licence}\n"));
    }
    if let Some(context) = llama.context {
        text.push_str(&format!("Context: {} tokens\n", words::count(context as u64)));
    }
    match (&model.tokenizer, &model.tokenizer_problem) {
        (Some(tokenizer), _) => text.push_str(&(tokenizer_text(tokenizer) + "\n")),
        (None, Some(problem)) => text.push_str(&format!("No tokenizer, so only the prompt Compact: {problem}\n")),
        (None, None) => {}
    }
    if !model.unused.is_empty() {
        text.push_str(&format!("Tensors not used: {}\n", model.unused.join(", ")));
    }
    if !model.unused_fields.is_empty() {
        text.push_str(&format!("Fields not used, as nothing is known of them: {}\n", model.unused_fields.join(", ")));
    }
    for note in &model.notes {
        text.push_str(&format!("Note: {note}\n"));
    }
    text + "\n" + &stored_text(&model.tensors)
}

/// A line a tensor.
fn stored_text(tensors: &[StoredTensor]) -> String {
    let mut table = Table::new(1, ["Tensor", "Shape", "Type", "Bytes"]);
    for tensor in tensors {
        let shape: Vec<String> = tensor.shape.iter().map(usize::to_string).collect();
        table.row([tensor.name.clone(), shape.join(" × "), tensor.kind.clone(), words::count(tensor.bytes)]);
    }
    table.to_text()
}

/// A safetensors file by itself.
pub(super) fn tensors_text(file: &TensorsSummary) -> String {
    let numbers = words::count(file.numbers);
    let heading = format!("{} tensors of {numbers} numbers, {}", file.tensors.len(), words::bytes(file.bytes));
    format!("{heading}\n\n{}", stored_text(&file.tensors))
}

/// An index of semantic ids.
pub(super) fn index_text(index: &IndexSummary) -> String {
    let IndexSummary { items, levels, codes, collisions } = index;
    let codes: Vec<String> = codes.iter().map(usize::to_string).collect();
    let shared = match collisions.items {
        0 => "every item has an id of its own".to_owned(),
        items => format!(
            "{} items share theirs, at most {} the same one",
            words::count(items as u64),
            words::count(collisions.largest as u64)
        ),
    };
    format!(
        "Semantic ids of {} items: {levels} codes each ({} on the levels)\n{} distinct ids; {shared}\n",
        words::count(*items as u64),
        codes.join(", "),
        words::count(collisions.distinct_ids as u64),
    )
}

pub(super) fn adapter_text(adapter: &AdapterSummary) -> String {
    let modules: Vec<String> = adapter.modules.iter().map(|(name, count)| format!("{name} x {count}")).collect();
    let base = adapter.base_model.as_ref().map_or_else(String::new, |name| format!("Trained on: {name}\n"));
    let rows: Vec<String> =
        adapter.rows.iter().map(|(table, rows)| format!("{} of {table}", words::count(*rows as u64))).collect();
    let rows = if rows.is_empty() { String::new() } else { format!("Token rows: {}\n", rows.join(", ")) };
    format!(
        "LoRA adapter: rank {}, alpha {}, {} parameters\nModules: {}\n{rows}{base}",
        adapter.rank,
        adapter.alpha,
        words::count(adapter.parameters),
        modules.join(", "),
    )
}
