//! Larger and larger catalogues, whose ids are simulated: the trie of ids, looking items up, and the search over it.

use std::hint::black_box;
use std::time::Instant;

use burn::tensor::Tensor;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::learning::model;
use super::{Costs, costs};
use crate::device::{self, DeviceChoice};
use crate::error::RunError;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::beam::{Decoder, Ensemble};
use crate::model::{Decoding, LlamaConfig, PromptWriter, Softmax, Vocabulary, weights};
use crate::semantic_id::{SemanticIndex, Trie};
use crate::train::evaluate::USERS_A_BATCH;

/// As in the paper's ids.
const LEVELS: usize = 4;
const CODES: u32 = 256;

/// Items that are looked up.
const LOOK_UPS: usize = 100_000;

/// Items of each history that is asked.
const HISTORY: usize = 10;

const SEED: u64 = 0;

/// Costs of a catalogue of so many items.
pub(super) fn items(size: usize, device: DeviceChoice) -> Result<Costs, RunError> {
    let (device, _) = device::required(device)?;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let numbers: Vec<u32> = (0..size * LEVELS).map(|_| random.random_range(0..CODES)).collect();
    let index = SemanticIndex::from_numbers(LEVELS, &numbers);
    let began = Instant::now();
    let trie = Trie::new(&index);
    let built = began.elapsed().as_secs_f64();
    let wanted: Vec<u32> = (0..LOOK_UPS).map(|_| random.random_range(0..size as u32)).collect();
    let began = Instant::now();
    wanted.iter().for_each(|&item| _ = black_box(trie.find(index.item(item))));
    let looked_up = began.elapsed().as_secs_f64();
    let histories: Vec<&[u32]> = wanted.chunks(HISTORY).take(USERS_A_BATCH).collect();
    let searched = run_on(&device, Search { index: &index, trie: &trie, histories: &histories });
    Ok(costs([
        ("trie_seconds", built),
        ("trie_bytes", trie.bytes() as f64),
        ("look_ups_seconds", looked_up),
        ("search_seconds", searched),
    ]))
}

/// The search of a batch of users by a model that knows nothing.
struct Search<'a> {
    index: &'a SemanticIndex,
    trie: &'a Trie,
    histories: &'a [&'a [u32]],
}

impl OnDevice for Search<'_> {
    type Output = f64;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> f64 {
        let Self { index, trie, histories } = self;
        let vocabulary = Vocabulary::new(0, index);
        let writer = PromptWriter { vocabulary: &vocabulary, index, max_history: HISTORY, existing: None };
        let model = weights::initialise_compact::<B>(&LlamaConfig::compact(&model()), vocabulary.added, SEED, device);
        let model = Ensemble::from(model.map(&|tensor: Tensor<B, 2>| tensor.inner()));
        let decoder = Decoder {
            vocabulary: &vocabulary,
            index,
            trie,
            decoding: Decoding::Trie,
            softmax: Softmax::AllTokens,
            beams: 10,
        };
        let questions: Vec<_> = histories.iter().map(|history| writer.question(history)).collect();
        black_box(decoder.search(&model, &questions[..questions.len().min(4)]));
        let began = Instant::now();
        // The hypotheses are read back from the device, so that all its work is done by then.
        black_box(decoder.search(&model, &questions));
        began.elapsed().as_secs_f64()
    }
}
