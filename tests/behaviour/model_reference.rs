//! The model, the adapters, the loss, the optimiser and beam search against PyTorch and Transformers.

use std::path::{Path, PathBuf};

use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use peso_workbench::method::term::on_device;
use peso_workbench::method::{Aggregation, Distance, Guides, Proximal, Term};
use peso_workbench::model::adapter::{Matrix, Pair};
use peso_workbench::model::beam::Decoder;
use peso_workbench::model::llama::Kind;
use peso_workbench::model::optimizer::AdamW;
use peso_workbench::model::packing::{Branch, Packed, Sequence};
use peso_workbench::model::prompt::Template;
use peso_workbench::model::score::all_logits;
use peso_workbench::model::weights::{Weights, load_pretrained};
use peso_workbench::model::{Adapter, Decoding, Llama, LlamaConfig, Softmax, Vocabulary};
use peso_workbench::project::Schedule;
use peso_workbench::semantic_id::{SemanticIndex, Trie};
use peso_workbench::train::learning_rate::schedule;
use peso_workbench::train::step::{Gradients, StepOptions, apply, gradients};
use serde_json::Value;

use crate::reference::{committed_reference, reference_dir};

pub type Tracked = Autodiff<Flex>;

pub fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// Frobenius norm of the difference, relative to the expected one.
pub fn relative(got: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let square = |v: f64| v * v;
    let difference: f64 = got.iter().zip(expected).map(|(a, b)| square(f64::from(a - b))).sum();
    let size: f64 = expected.iter().map(|b| square(f64::from(*b))).sum();
    difference.sqrt() / size.sqrt().max(1e-12)
}

fn assert_logits(name: &str, got: &[f32], expected: &[f32], columns: usize) {
    let largest = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    let top = |row: &[f32]| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).map(|(i, _)| i);
    for (row, (a, b)) in got.chunks(columns).zip(expected.chunks(columns)).enumerate() {
        assert_eq!(top(a), top(b), "{name}: largest logit of row {row}");
        for (x, y) in a.iter().zip(b) {
            assert!((x - y).abs() <= 2e-3 * largest, "{name}, row {row}: {x} instead of {y}");
        }
    }
}

#[test]
fn forward_matches_the_reference_in_four_variants() {
    for variant in ["llama_tied_rope", "llama_tied_rope3", "llama_untied_rope", "llama_untied_rope3"] {
        let folder = reference_dir().join(variant);
        let expected = Weights::open_file(&folder.join("expected.safetensors")).unwrap();
        let (shape, ids) = expected.integers("input_ids").unwrap();
        let tokens: Vec<u32> = ids.iter().map(|&t| t as u32).collect();
        let model = load_pretrained::<Flex>(&folder, 0, 0, &Default::default()).unwrap();
        let logits = all_logits(&model, &tokens, shape[1]);
        let expected = expected.floats("logits").unwrap();
        assert_eq!(logits.values.len(), expected.len());
        assert_logits(variant, &logits.values, &expected, logits.columns);
    }
}

#[test]
fn both_forms_of_the_reference_configurations_are_the_same() {
    for variant in ["llama_tied_rope", "llama_tied_rope3", "llama_untied_rope", "llama_untied_rope3"] {
        let folder = reference_dir().join(variant);
        let new = LlamaConfig::read(&folder.join("config.json")).unwrap();
        let old = LlamaConfig::read(&folder.join("config_v4.json")).unwrap();
        assert_eq!(new, old, "{variant}");
    }
}

/// The adapted model of the reference, its batch, and the previous state.
pub struct LoraCase {
    folder: PathBuf,
    pub model: Llama<Tracked>,
    pub packed: Packed<Tracked>,
    pub previous: Adapter,
    expected: Value,
}

impl LoraCase {
    /// Of the set of reference values that is asked for.
    fn of_reference() -> Self {
        Self::load(reference_dir().join("lora"))
    }

    /// Of the committed set, which the other fixtures were made with.
    pub fn committed() -> Self {
        Self::load(committed_reference().join("lora"))
    }

    fn load(folder: PathBuf) -> Self {
        let expected = json(&folder.join("expected.json"));
        let file = Weights::open_file(&folder.join("adapters.safetensors")).unwrap();
        let (mut current, mut previous) = (Adapter::default(), Adapter::default());
        for name in file.names().filter_map(|n| n.strip_suffix(".A")) {
            let pair = |suffix: &str| Pair {
                a: file.matrix(&format!("{name}.A{suffix}"), None).unwrap(),
                b: file.matrix(&format!("{name}.B{suffix}"), None).unwrap(),
            };
            current.modules.insert(name.to_owned(), pair(""));
            previous.modules.insert(name.to_owned(), pair("_prev"));
        }
        let mut model = load_pretrained::<Tracked>(&folder.join("base"), 0, 0, &Default::default()).unwrap();
        model.lora_scale = number(&expected["alpha"]) / number(&expected["rank"]);
        current.put_on(&mut model);
        let packed = Packed::new(&sequences(&folder));
        Self { folder, model, packed, previous, expected }
    }

    /// See [`sequences`].
    pub fn sequences(&self) -> Vec<Sequence> {
        sequences(&self.folder)
    }

    /// Tokens of the batch's first row.
    pub fn first_row(&self) -> Vec<u32> {
        let file = Weights::open_file(&self.folder.join("expected.safetensors")).unwrap();
        let (shape, ids) = file.integers("input_ids").unwrap();
        ids[..shape[1]].iter().map(|&t| t as u32).collect()
    }

    fn proximal(&self) -> Proximal {
        Proximal {
            lambda: number(&self.expected["lambda"]),
            distance: Distance::SoftmaxKl { temperature: 1.0 },
            aggregation: Aggregation::Mean,
        }
    }

    fn gradients(&mut self) -> Gradients<Tracked> {
        let options =
            StepOptions { temperature: number(&self.expected["temperature"]), clip: 1.0, ..Default::default() };
        let terms = [Term::Proximal(self.proximal(), vec![self.previous.clone().into()])];
        let before = self.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner());
        let guides = Guides::new(&terms, &Default::default(), &before);
        let trains = |kind| matches!(kind, Kind::LoraA | Kind::LoraB | Kind::BaseRows);
        gradients(&mut self.model, &self.packed, &trains, &guides, &options, 0)
    }
}

/// Each row of the padded batch as a history and the response that is scored.
fn sequences(folder: &Path) -> Vec<Sequence> {
    let file = Weights::open_file(&folder.join("expected.safetensors")).unwrap();
    let (shape, ids) = file.integers("input_ids").unwrap();
    let (labels, mask) = (file.integers("labels").unwrap().1, file.integers("attention_mask").unwrap().1);
    let rows = ids.chunks(shape[1]).zip(labels.chunks(shape[1])).zip(mask.chunks(shape[1]));
    rows.map(|((ids, labels), mask)| {
        let scored: Vec<usize> = (0..ids.len()).filter(|&i| labels[i] != -100).collect();
        let (first, last) = (scored[0], scored[scored.len() - 1]);
        assert_eq!(scored.len(), last - first + 1, "the response is in one piece");
        assert!(mask[..=last].iter().all(|&m| m == 1));
        let token = |i: usize| ids[i] as u32;
        let branch = Branch {
            targets: labels[first..=last].iter().map(|&t| t as u32).collect(),
            ..Branch::unscored(first - 1, (first - 1..last).map(token).collect())
        };
        Sequence { prefix: (0..first - 1).map(token).collect(), branches: vec![branch] }
    })
    .collect()
}

/// The reference's name of a parameter.
fn reference_name(name: &str) -> String {
    match name {
        "model.embed_tokens.weight" => "embed_tokens".to_owned(),
        "lm_head.weight" => "lm_head".to_owned(),
        lora => lora.replace(".lora_A.weight", ".A").replace(".lora_B.weight", ".B"),
    }
}

#[test]
fn lora_loss_penalty_and_gradients_match_the_reference() {
    let mut case = LoraCase::of_reference();
    let Gradients { by_name, figures } = case.gradients();
    let close = |name: &str, got: f64, expected: f64| {
        assert!((got / expected - 1.0).abs() <= 1e-4, "{name}: {got} instead of {expected}");
    };
    close("cross-entropy", figures.loss, number(&case.expected["cross_entropy"]));
    let lambda = number(&case.expected["lambda"]);
    close("penalty", figures.penalty / lambda, number(&case.expected["proximal_kl_mean_over_modules"]));
    close("total", figures.loss + figures.penalty, number(&case.expected["total"]));
    let expected = Weights::open_file(&case.folder.join("expected.safetensors")).unwrap();
    assert_eq!(by_name.len(), 2 * case.previous.modules.len() + 2);
    for (name, gradient) in by_name {
        let error = relative(&Matrix::from_tensor(gradient).values, &expected.floats(&reference_name(&name)).unwrap());
        assert!(error <= 1e-3, "gradient of {name}: relative error {error:e}");
    }
    let modules = case.expected["proximal_kl_per_module"].as_object().unwrap().clone();
    for (module, expected) in &modules {
        let one = |adapter: &Adapter| Adapter { modules: [(module.clone(), adapter.modules[module].clone())].into() };
        let parameters = |adapter| on_device::<Flex>(&one(adapter), &Default::default());
        let pull = case.proximal().pull(&parameters(&Adapter::of(&case.model)), &[parameters(&case.previous)]);
        close(module, pull.penalty / lambda, number(expected));
    }
}

#[test]
fn lora_logits_match_the_reference() {
    let case = LoraCase::of_reference();
    let file = Weights::open_file(&case.folder.join("expected.safetensors")).unwrap();
    let (shape, ids) = file.integers("input_ids").unwrap();
    let mask = file.integers("attention_mask").unwrap().1;
    let tokens: Vec<u32> = ids.iter().map(|&t| t as u32).collect();
    let model: Llama<Flex> = case.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner());
    let logits = all_logits(&model, &tokens, shape[1]);
    let expected = file.floats("logits").unwrap();
    let columns = logits.columns;
    // Padding on the right changes nothing before it; what stands after it is nobody's.
    let real = |values: &[f32]| -> Vec<f32> {
        values.chunks(columns).zip(&mask).filter(|(_, m)| **m == 1).flat_map(|(row, _)| row.to_vec()).collect()
    };
    assert_logits("lora", &real(&logits.values), &real(&expected), columns);
}

#[test]
fn twenty_adamw_steps_match_the_reference() {
    let mut case = LoraCase::of_reference();
    let curve = case.expected["curve"].as_array().unwrap().clone();
    let adamw = case.expected["adamw"].clone();
    let mut optimizer = AdamW::new(number(&adamw["weight_decay"]));
    let lambda = number(&case.expected["lambda"]);
    for (step, point) in curve.iter().take(20).enumerate() {
        let learning_rate = number(&adamw["lr"]) * schedule(Schedule::Cosine, step, 20, 2);
        assert!((learning_rate - number(&point["lr"])).abs() < 1e-9, "step {step}: learning rate {learning_rate}");
        let gradients = case.gradients();
        let figures =
            apply(&mut case.model, gradients, &mut optimizer, learning_rate, number(&adamw["clip_grad_norm"]));
        for (name, got, expected) in [
            ("cross-entropy", figures.loss, &point["cross_entropy"]),
            ("penalty", figures.penalty / lambda, &point["proximal_kl"]),
            ("gradient norm", figures.gradient_norm, &point["grad_norm"]),
        ] {
            let expected = number(expected);
            assert!((got / expected - 1.0).abs() <= 2e-3, "step {step}, {name}: {got} instead of {expected}");
        }
    }
    let expected = Weights::open_file(&case.folder.join("after_20_steps.safetensors")).unwrap();
    let mut compared = 0;
    case.model.visit(&mut |name, kind, tensor| {
        if matches!(kind, Kind::LoraA | Kind::LoraB | Kind::BaseRows) {
            let values = Matrix::from_tensor(tensor.clone()).values;
            let error = relative(&values, &expected.floats(&reference_name(name)).unwrap());
            assert!(error <= 5e-3, "{name} after 20 steps: relative error {error:e}");
            compared += 1;
        }
    });
    assert_eq!(compared, expected.names().count());
}

/// The reference's items as an index, over a base vocabulary whose rows after `base_vocab` are the codes.
struct BeamCase {
    index: SemanticIndex,
    model: Llama<Flex>,
    expected: Value,
}

impl BeamCase {
    fn load() -> Self {
        let folder = reference_dir().join("beam");
        let expected = json(&folder.join("expected.json"));
        let size = |name: &str| expected[name].as_u64().unwrap() as usize;
        let (levels, codes) = (size("levels"), size("codes_per_level"));
        let item = |item: &Value| -> Vec<u32> {
            let codes_of = item.as_array().unwrap().iter().enumerate();
            codes_of.map(|(level, code)| (level * codes) as u32 + code.as_u64().unwrap() as u32).collect()
        };
        let index = SemanticIndex {
            levels,
            tokens: (0..levels * codes)
                .map(|i| format!("<{}_{}>", char::from(b'a' + (i / codes) as u8), i % codes))
                .collect(),
            token_level: (0..levels * codes).map(|i| (i / codes) as u8).collect(),
            codes: expected["items"].as_array().unwrap().iter().flat_map(item).collect(),
        };
        let model = load_pretrained::<Flex>(&folder.join("base"), 0, 0, &Default::default()).unwrap();
        Self { index, model, expected }
    }
}

#[test]
fn beam_search_matches_the_reference() {
    let case = BeamCase::load();
    let trie = Trie::new(&case.index);
    let number_of = |name: &str| case.expected[name].as_u64().unwrap() as u32;
    let (eos, first_code) = (number_of("eos"), number_of("base_vocab"));
    let template = Template { before: vec![0], between: vec![], after: vec![0] };
    let vocabulary = Vocabulary { base: case.model.config.vocabulary, added: 0, eos, first_code, template };
    let decoder = Decoder {
        vocabulary: &vocabulary,
        index: &case.index,
        trie: &trie,
        decoding: Decoding::Trie,
        softmax: Softmax::AllTokens,
        beams: number_of("num_beams") as usize,
    };
    let cases = case.expected["cases"].as_array().unwrap();
    let tokens = |case: &Value| -> Vec<u32> {
        case["prompt"].as_array().unwrap().iter().map(|t| t.as_u64().unwrap() as u32).collect()
    };
    let questions: Vec<Sequence> = cases
        .iter()
        .map(|case| {
            let prompt = tokens(case);
            let (last, prefix) = prompt.split_last().unwrap();
            let branch = Branch::unscored(prefix.len(), vec![*last]);
            Sequence { prefix: prefix.to_vec(), branches: vec![branch] }
        })
        .collect();
    let codes = number_of("codes_per_level");
    for (number_of_case, (list, expected)) in
        decoder.search(&case.model.clone().into(), &questions).iter().zip(cases).enumerate()
    {
        let got: Vec<Vec<u32>> = list
            .iter()
            .map(|h| h.codes.iter().enumerate().map(|(level, code)| code - level as u32 * codes).collect())
            .collect();
        let items: Vec<Vec<u32>> = serde_json::from_value(expected["beam_items"].clone()).unwrap();
        assert_eq!(got, items, "case {number_of_case}");
        for (h, score) in list.iter().zip(expected["beam_scores_hf_length_normalised"].as_array().unwrap()) {
            assert!((h.score - number(score)).abs() <= 1e-3, "case {number_of_case}: {} instead of {score}", h.score);
        }
    }
}
