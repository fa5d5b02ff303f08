//! The parts of an estimate against the formula, and what lowers it.

use super::*;
use crate::model::Compact;
use crate::model::config::Gemma;
use crate::model::packing::Branch;

/// A model of width 8 with 2 layers, and a step of 2 sequences of 20 tokens, 8 of them scored.
pub(super) fn sizes() -> Sizes {
    let shape = Compact { width: 8, layers: 2, heads: 2, kv_heads: 1, ffn: 16, ..Compact::default() };
    let branch = |at: usize| Branch { targets: vec![1; 4], ..Branch::unscored(at, vec![1; 4]) };
    let sequence = Sequence { prefix: vec![1; 12], branches: vec![branch(6), branch(12)] };
    Sizes {
        llama: LlamaConfig { vocabulary: 100, ..LlamaConfig::compact(&shape) },
        added: 10,
        training: Training { batch: 4, ..Training::default() },
        trains_base: false,
        first_step: vec![sequence.clone()],
        largest_step: vec![sequence.clone(), sequence],
        search: Batch { sequences: 2, tokens: 26, scored: 2 },
        beams: 3,
        data_bytes: 1000,
    }
}

#[test]
fn parts_are_those_of_the_formula() {
    let parts = sizes().on("cpu", None).parts;
    // q, o: 64 each; k, v: 32 each; gate, up, down: 128 each; two norms; embedding and head of 110 rows.
    let base = 2 * (2 * 64 + 2 * 32 + 3 * 128 + 2 * 8) + 8 + 2 * 110 * 8;
    assert_eq!(parts.weights, 4 * base);
    // q, o: 8 + 8; k, v: 8 + 4; gate, up, down: 8 + 16; new rows of two tables.
    let trained = 2 * 8 * (2 * 16 + 2 * 12 + 3 * 24) + 2 * 10 * 8;
    assert_eq!(parts.adapters, 4 * 2 * trained);
    assert_eq!(parts.optimizer, 4 * 4 * trained);
    let layer = 40 * (4 * 8 + 2 * 8 + 2 * 4 + 3 * 16 + 7 * 8);
    let last = 40 * (2 * 8 + 2 * 4 + 2 * 8) + 16 * (3 * 8 + 2 * 8 + 3 * 16 + 5 * 8);
    let logits = 16 * (2 * 110 + 2 * 8);
    assert_eq!(parts.logits, 4 * logits);
    assert!(40 * (3 * 16 + 2 * 8) < logits + last, "the logits hide a layer's backward pass");
    assert_eq!(parts.activations, 4 * (layer + last));
    assert_eq!(parts.search, 4 * (2 * 2 * 4 * (2 * 26 + 9 * 6) + 3 * 6 * 110 + 26 * (2 * 8 + 3 * 16)));
}

#[test]
fn weights_of_half_precision_take_half() {
    let with = |storage, vocabulary| {
        // A model of a real one's proportions, in which rows and projections are all that counts.
        let shape = Compact { width: 512, layers: 24, heads: 8, kv_heads: 2, ffn: 2048, ..Compact::default() };
        let llama = LlamaConfig { vocabulary: 32_000, ..LlamaConfig::compact(&shape) };
        let training = Training { storage, vocabulary, ..Training::default() };
        Sizes { llama, training, ..sizes() }.parts("cpu")
    };
    let new = VocabularyMode::NewTokens;
    let (whole, half) = (with(Storage::Float32, new), with(Storage::Half, new));
    let share = half.weights as f64 / whole.weights as f64;
    assert!((0.5..0.55).contains(&share), "{share}");
    assert_eq!(Parts { weights: 0, ..half }, Parts { weights: 0, ..whole }, "what is trained stays float32");
    let rows = with(Storage::Half, VocabularyMode::Full).weights;
    assert!(half.weights < rows && rows < whole.weights, "rows that are trained are float32");
}

#[test]
fn a_compact_model_is_trained_before_its_adapters() {
    let llama = LlamaConfig { vocabulary: 1000, ..sizes().llama };
    let plain = Sizes { llama: llama.clone(), ..sizes() }.parts("cpu");
    let compact = Sizes { trains_base: true, llama, ..sizes() }.parts("cpu");
    assert_eq!((compact.optimizer, compact.adapters), (4 * plain.weights, 0));
    assert!(compact.activations < plain.activations, "of stage 1's step");
    let small = Sizes { trains_base: true, added: 0, llama: LlamaConfig { vocabulary: 0, ..sizes().llama }, ..sizes() };
    assert!(small.parts("cpu").adapters > 0, "there the adapters' phase takes more");
}

#[test]
fn settings_that_save_memory_lower_the_estimate() {
    let with = |change: &dyn Fn(&mut Training)| {
        let mut sizes = sizes();
        change(&mut sizes.training);
        sizes.parts("cpu")
    };
    let plain = with(&|_| ());
    let cut = with(&|training| training.accumulation = 4);
    assert!(cut.activations < plain.activations / 2 && cut.logits == plain.logits / 4);
    assert!(with(&|training| training.checkpointing = true).peak() <= plain.peak());
    let full = with(&|training| training.vocabulary = VocabularyMode::Full);
    assert_eq!(full.adapters - plain.adapters, 4 * 2 * (2 * 100 * 8));
    assert!(sizes().on("wgpu", None).parts.activations > plain.activations);
}

#[test]
fn norms_of_outputs_and_capped_logits_are_counted() {
    let plain = sizes();
    let gemma = |logit_cap| {
        let gemma = Some(Gemma { query_scalar: 4.0, attention_cap: None, logit_cap });
        Sizes { llama: LlamaConfig { gemma, ..plain.llama.clone() }, ..plain.clone() }.parts("cpu")
    };
    let (plain, with_norms, capped) = (plain.parts("cpu"), gemma(None), gemma(Some(30.0)));
    assert_eq!(with_norms.weights - plain.weights, 4 * 2 * 2 * 8, "two norms a layer");
    assert_eq!(with_norms.activations - plain.activations, 4 * (40 * 2 * 8 + 16 * 2 * 8));
    assert_eq!((with_norms.logits, capped.logits - with_norms.logits), (plain.logits, 4 * 16 * 110));
}
