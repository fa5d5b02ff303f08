//! The tiny model of the self-test, its step and its search. `tests/fixtures/self_test.py` has the same in PyTorch.

use burn::tensor::backend::Backend;
use burn::tensor::{ElementConversion, Tensor};

use crate::data::Example;
use crate::method::{Aggregation, Distance, Guides, Proximal, Term};
use crate::model::adapter::Matrix;
use crate::model::backend::{OnDevice, TrainingBackend};
use crate::model::beam::{Decoder, Ensemble};
use crate::model::optimizer::AdamW;
use crate::model::packing::Packed;
use crate::model::{
    Adapter, Compact, Decoding, Llama, LlamaConfig, LoraShape, PromptWriter, Softmax, Vocabulary, VocabularyMode,
    weights,
};
use crate::semantic_id::{SemanticIndex, Trie};
use crate::train::jobs::trained;
use crate::train::step::{StepOptions, apply, cross_entropy, gradients};

/// The codes of each item.
const ITEMS: [[u32; 3]; 8] = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [1, 0, 1], [1, 1, 0], [1, 2, 2], [2, 1, 1], [2, 2, 0]];
/// Histories, each with what comes next.
const EXAMPLES: [(&[u32], u32); 2] = [(&[0, 3, 5], 6), (&[2, 1], 4)];
const LORA: LoraShape = LoraShape::of(2, 4.0);
const TEMPERATURE: f64 = 0.8;
const LAMBDA: f64 = 2.0;
const CLIP: f64 = 1.0;
const LEARNING_RATE: f64 = 0.02;
const WEIGHT_DECAY: f64 = 0.01;
/// Where the sines of the adapter that the step is pulled toward begin.
const BEFORE: f64 = 0.5;

/// What the step and the search came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    pub(super) loss: f64,
    pub(super) penalty: f64,
    pub(super) gradient_norm: f64,
    pub(super) loss_after: f64,
    /// All items by their scores after the step, best first.
    pub(super) items: [u32; ITEMS.len()],
}

/// The step as work for a device.
pub(super) struct TinyStep;

impl OnDevice for TinyStep {
    type Output = Measured;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Measured {
        measured(adapted::<B>(0.0, device), device)
    }
}

fn index() -> SemanticIndex {
    SemanticIndex::from_numbers(ITEMS[0].len(), &ITEMS.concat())
}

/// The model with its adapter. Every tensor is sines of its places, shifted by `shift`, times 0.3; norms are around 1.
pub(super) fn adapted<B: Backend>(shift: f64, device: &B::Device) -> Llama<B> {
    let compact = Compact { width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, ..Compact::default() };
    let config = LlamaConfig::compact(&compact);
    let mut model = weights::initialise_compact::<B>(&config, Vocabulary::new(0, &index()).added, 0, device);
    model.lora_scale = LORA.scale();
    Adapter::fresh(&config, LORA, 0, "self-test").put_on(&mut model);
    let mut number = 0.0;
    model.visit(&mut |name, _, tensor| {
        number += 1.0;
        let [rows, columns] = tensor.dims();
        let wave = (1..=rows * columns).map(|place| (number * place as f64 + shift).sin());
        let value = |wave: f64| if name.contains("norm") { 1.0 + 0.1 * wave } else { 0.3 * wave };
        let values = wave.map(|wave| value(wave) as f32).collect();
        *tensor = Matrix { rows, columns, values }.into_tensor(device);
    });
    model
}

/// Takes a step with a model, and searches with what it leaves.
pub(super) fn measured<B: TrainingBackend>(mut model: Llama<B>, device: &B::Device) -> Measured {
    let index = index();
    let vocabulary = Vocabulary::new(0, &index);
    let writer = PromptWriter { vocabulary: &vocabulary, index: &index, max_history: 20, existing: None };
    let sequences = EXAMPLES.map(|(history, target)| writer.example(Example { user: 0, history, target }));
    let packed = Packed::<B>::new(&sequences);
    let proximal =
        Proximal { lambda: LAMBDA, distance: Distance::SoftmaxKl { temperature: 1.0 }, aggregation: Aggregation::Sum };
    let before = adapted::<B::InnerBackend>(BEFORE, device);
    let guides = Guides::new(&[Term::Proximal(proximal, vec![Adapter::of(&before).into()])], device, &before);
    let options = StepOptions { temperature: TEMPERATURE, clip: CLIP, ..StepOptions::default() };
    let trains = trained(VocabularyMode::NewTokens, true);
    let gradients = gradients(&mut model, &packed, &trains, &guides, &options, 0);
    let figures = apply(&mut model, gradients, &mut AdamW::new(WEIGHT_DECAY), LEARNING_RATE, CLIP);
    let loss_after = cross_entropy(&model, &packed, TEMPERATURE, None).into_scalar().elem::<f64>();

    let trie = Trie::new(&index);
    let decoder = Decoder {
        vocabulary: &vocabulary,
        index: &index,
        trie: &trie,
        decoding: Decoding::Trie,
        softmax: Softmax::AllTokens,
        beams: ITEMS.len(),
    };
    let ensemble = Ensemble::from(model.map(&|tensor: Tensor<B, 2>| tensor.inner()));
    let found = decoder.search(&ensemble, &[writer.question(EXAMPLES[0].0)]);
    let items = found.iter().flatten().filter_map(|found| trie.leaf(found.leaf?).first().copied());
    // What is not found is told by a number that no item has.
    let mut ranked = [u32::MAX; ITEMS.len()];
    ranked.iter_mut().zip(items).for_each(|(place, item)| *place = item);
    Measured {
        loss: figures.loss,
        penalty: figures.penalty,
        gradient_norm: figures.gradient_norm,
        loss_after,
        items: ranked,
    }
}
