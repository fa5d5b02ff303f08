//! Training on base models that others trained: every prompt in words, weights in half precision, and the same numbers
//! after a stop.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use burn::backend::{Autodiff, Flex};
use burn::tensor::ElementConversion;
use peso_workbench::data::{Dataset, DatasetSource, SyntheticOptions};
use peso_workbench::device::DeviceChoice;
use peso_workbench::method::Guides;
use peso_workbench::model::adapter::Matrix;
use peso_workbench::model::llama::Kind;
use peso_workbench::model::packing::{Packed, Sequence};
use peso_workbench::model::tokenizer::Tokenizer;
use peso_workbench::model::weights::{initialise_compact, load_pretrained, write_compact};
use peso_workbench::model::{Adapter, Compact, LlamaConfig, LoraShape, Prompt, PromptWriter, Vocabulary};
use peso_workbench::project::Project;
use peso_workbench::run::observer::{Level, Phase, Progress, StepRecord};
use peso_workbench::run::{RunConfig, RunFolder, RunOptions, RunSelection, Status};
use peso_workbench::train::adapter_export::Handover;
use peso_workbench::train::recorder::Watcher;
use peso_workbench::train::step::{StepOptions, cross_entropy, gradients};
use peso_workbench::train::worker;
use serde_json::{Value, json};

use crate::base_models::models;

type Tracked = Autodiff<Flex>;

const PROJECT: &str = r#"(
    format: 1,
    name: "Words",
    dataset: Synthetic(users: 40, items: 40, stages: 2, codes: 5, interactions: (7.0, 5.0)),
    base_model: HuggingFace("MODEL"),
    prompt: PROMPT,
    training: (epochs: 2, batch: 4, learning_rate: 0.02, later_stage_factor: 1.0, lora: (rank: 2, alpha: 4.0), MORE),
    evaluation: (beams: 5, k: [1, 5]),
    experiments: [(name: "PESO", method: Peso(lambda: 1.0))],
    seeds: [1],
)"#;

/// A small model with a tokenizer of 522 tokens: random weights, but everything that a model folder has.
fn model_with_words(folder: &Path, rows: usize) -> PathBuf {
    let shape = Compact { width: 32, layers: 2, heads: 4, kv_heads: 2, ffn: 64, ..Compact::default() };
    let model = folder.join("model");
    let mut random = initialise_compact::<Flex>(&LlamaConfig::compact(&shape), rows, 3, &Default::default());
    write_compact(&model, &mut random).unwrap();
    let file = model.join("config.json");
    let mut config: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    config["bos_token_id"] = json!(520);
    config["eos_token_id"] = json!(521);
    fs::write(&file, config.to_string()).unwrap();
    fs::copy(models().join("tokenizer.json"), model.join("tokenizer.json")).unwrap();
    model
}

fn write_project(folder: &Path, model: &Path, prompt: &str, more: &str) -> Project {
    fs::create_dir_all(folder).unwrap();
    let text = PROJECT.replace("MODEL", model.to_str().unwrap()).replace("PROMPT", prompt).replace("MORE", more);
    fs::write(folder.join("project.ron"), text).unwrap();
    Project::load(folder).unwrap()
}

/// Interrupts the worker after so many reports of progress; keeps what it says.
#[derive(Default)]
struct Watching {
    left: Option<usize>,
    said: Vec<String>,
}

impl Watcher for Watching {
    fn run_started(&mut self, _number: usize, _of: usize, _config: &RunConfig) {}

    fn progress(&mut self, _progress: &Progress) {
        self.left = self.left.map(|left| left.saturating_sub(1));
    }

    fn event(&mut self, _level: Level, text: &str) {
        self.said.push(text.to_owned());
    }

    fn interrupted(&self) -> bool {
        self.left == Some(0)
    }
}

/// Runs PESO until it ends, or is interrupted after so many reports of progress; and what was said meanwhile.
fn run(project: &Project, left: Option<usize>) -> (RunFolder, Status, Vec<String>) {
    let selection = RunSelection { experiments: vec!["PESO".to_owned()], ..RunSelection::default() };
    let options = RunOptions {
        device: DeviceChoice::Cpu,
        checkpoint_every: if left.is_some() { Duration::ZERO } else { Duration::from_secs(60) },
        ..RunOptions::default()
    };
    let mut watching = Watching { left, said: Vec::new() };
    let outcome = worker::run(project, &selection, &options, &mut watching).unwrap().pop().unwrap();
    let folder = RunFolder::open(&project.folder.join("runs").join(outcome.run)).unwrap();
    (folder, outcome.status, watching.said)
}

/// The steps of the adapters' training by stage, without their times.
fn steps(run: &RunFolder, stage: usize) -> Vec<StepRecord> {
    let steps = run.reader().unwrap().steps_after(0).unwrap().into_iter().map(|(_, step)| step);
    steps.filter(|step| step.phase == Phase::Train && step.stage == stage).collect()
}

fn losses(run: &RunFolder, stage: usize) -> Vec<f64> {
    steps(run, stage).iter().map(|step| step.loss).collect()
}

/// Hit@5 and the users of every cell that was measured.
fn cells(run: &RunFolder) -> Vec<String> {
    run.reader().unwrap().evaluations().unwrap().iter().map(|cell| format!("{cell:?}")).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn every_prompt_in_words_trains_through_two_stages_and_goes_on_after_a_stop() {
    let folder = tempfile::tempdir().unwrap();
    let model = model_with_words(folder.path(), 522);
    for (name, prompt) in [
        ("instruction", "Instruction"),
        ("paper", "Paper"),
        ("custom", "Custom(\"The user liked {history}. What is next?\")"),
    ] {
        let project = write_project(&folder.path().join(name), &model, prompt, "");
        let (whole, status, _) = run(&project, None);
        assert_eq!(status, Status::Finished, "{name}");
        for stage in 1..=2 {
            let losses = losses(&whole, stage);
            let third = losses.len() / 3;
            let (first, last) = (mean(&losses[..third]), mean(&losses[losses.len() - third..]));
            assert!(last < 0.95 * first, "{name}, stage {stage}: from {first} to {last}");
        }
        // What is learned first is that codes are the only tokens that follow.
        let (first, last) = (losses(&whole, 1)[0], losses(&whole, 2).pop().unwrap());
        assert!(last < 0.5 * first, "{name}: {first} to {last}");
        let reader = whole.reader().unwrap();
        let evaluations = reader.evaluations().unwrap();
        assert!(evaluations.len() >= 4, "{name}: {evaluations:?}");
        for cell in &evaluations {
            let record = reader.evaluation(cell).unwrap();
            assert!(record.users.len() > 10, "{name}: {cell:?}");
            assert!(record.users.iter().all(|user| user.rank <= 5), "{name}: {cell:?}");
            let (hit, ndcg) = (record.metrics["hit@5"], record.metrics["ndcg@5"]);
            let found = record.users.iter().filter(|user| user.rank > 0).count() as f64 / record.users.len() as f64;
            assert!((hit - found).abs() < 1e-9 && ndcg <= hit, "{name}: {hit} and {found}, {ndcg}");
        }

        let stopped = write_project(&folder.path().join(format!("{name} stopped")), &model, prompt, "");
        for after in [4, 30] {
            assert_eq!(run(&stopped, Some(after)).1, Status::Stopped, "{name}, after {after}");
        }
        let (resumed, status, _) = run(&stopped, None);
        assert_eq!(status, Status::Finished, "{name}");
        for stage in 1..=2 {
            assert_eq!(losses(&resumed, stage), losses(&whole, stage), "{name}, stage {stage}");
        }
        assert_eq!(cells(&resumed), cells(&whole), "{name}");
    }
}

#[test]
fn weights_of_half_precision_train_as_those_of_float32() {
    let folder = tempfile::tempdir().unwrap();
    // In float16, bfloat16 and float32: where the files have the type, no weight changes, and no number does.
    for (family, stored, tolerance) in
        [("llama", "float16", 0.0), ("qwen2", "bfloat16", 0.0), ("qwen3", "float16", 1e-2)]
    {
        let train = |storage: &str, more: &str| {
            let name = format!("{family} {storage} {more}").replace([':', ' '], "-");
            let settings = format!("dropout: 0.0, storage: {storage}{more}");
            let project = write_project(&folder.path().join(name), &models().join(family), "Compact", &settings);
            run(&project, None)
        };
        let ways: &[&str] =
            if family == "llama" { &["", ", checkpointing: true", ", vocabulary: Full"] } else { &[""] };
        for more in ways {
            let ((float32, status, _), (half, _, said)) = (train("Float32", more), train("Half", more));
            assert_eq!(status, Status::Finished, "{family}{more}");
            assert!(said.iter().any(|text| text.ends_with(&format!("stored as {stored}"))), "{said:?}");
            for stage in 1..=2 {
                let (a, b) = (losses(&half, stage), losses(&float32, stage));
                assert!(a.len() >= 20 && a.len() == b.len(), "{} steps", a.len());
                let error = (a[19] / b[19] - 1.0).abs();
                assert!(error <= tolerance, "{family}{more}, stage {stage}: {} instead of {}", a[19], b[19]);
            }
            if tolerance == 0.0 {
                assert_eq!(cells(&half), cells(&float32), "{family}{more}");
            }
        }
    }
}

#[test]
fn gradients_reach_adapters_and_rows_beside_weights_of_half_precision() {
    let folder = tempfile::tempdir().unwrap();
    let project = write_project(&folder.path().join("half"), &models().join("qwen2"), "Compact", "storage: Half");
    let (half, ..) = run(&project, None);
    let adapter = fs::read(half.adapter(1).join("adapter_model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&adapter).unwrap();
    assert!(!tensors.is_empty());
    for (name, tensor) in tensors.tensors() {
        assert_eq!(tensor.dtype(), safetensors::Dtype::F32, "{name}");
        // B is zero in a fresh adapter.
        assert!(!name.contains("lora_B") || tensor.data().iter().any(|&byte| byte != 0), "{name} was trained");
    }
}

#[test]
fn a_compact_model_is_not_stored_in_half_precision() {
    let folder = tempfile::tempdir().unwrap();
    let text = PROJECT.replace("HuggingFace(\"MODEL\")", "Compact()").replace("PROMPT", "Compact");
    fs::write(folder.path().join("project.ron"), text.replace("MORE", "storage: Half")).unwrap();
    let error = Project::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("training.storage") && error.contains("float32"), "{error}");
}

/// The merged folder's tokenizer must write an example as training did; also where the model has more rows than its tokenizer
/// has tokens, as large models do.
#[test]
fn a_merged_model_has_a_tokenizer_with_the_codes() {
    for rows in [522, 540] {
        let folder = tempfile::tempdir().unwrap();
        let model = model_with_words(folder.path(), rows);
        let project = write_project(&folder.path().join("run"), &model, "Instruction", "max_history: 4");
        let (run, ..) = run(&project, None);
        let merged = folder.path().join("merged");
        Handover { run: run.path().to_path_buf(), stage: 2, to: merged.clone(), steered: None, project: None }
            .merged()
            .unwrap();

        let read = |name: &str| -> Value { serde_json::from_slice(&fs::read(merged.join(name)).unwrap()).unwrap() };
        let added = read("added_tokens.json");
        let added = added.as_object().unwrap();
        assert_eq!(read("config.json")["vocab_size"], rows + added.len());
        let tokenizer = tokenizers::Tokenizer::from_file(merged.join("tokenizer.json")).unwrap();
        for (token, number) in added {
            assert_eq!(tokenizer.token_to_id(token).map(u64::from), number.as_u64(), "{token}");
        }
        assert_eq!(tokenizer.get_vocab_size(true), rows + added.len());

        let dataset = Dataset::load(&project.dataset, None, &project.folder).unwrap();
        let vocabulary = project.vocabulary(&project.architecture().unwrap(), &dataset.index).unwrap();
        let writer = PromptWriter { vocabulary: &vocabulary, index: &dataset.index, max_history: 4, existing: None };
        let user = dataset.stages[0].participants().next().unwrap();
        let example = user.test().unwrap();
        let preview = writer.preview(example, Some(&project.tokenizer().unwrap()));
        let sequence = writer.example(example);
        let text = preview.text;
        let text = text.strip_suffix("<|end_of_text|>").unwrap();
        let expected = [sequence.prefix.as_slice(), &sequence.branches[0].tokens].concat();
        assert_eq!(tokenizer.encode(text, true).unwrap().get_ids(), expected, "{text}");
    }
}

/// Loading must not need the file and the weights in memory at once.
#[test]
fn loading_takes_little_more_memory_than_the_weights() {
    let shape = Compact { width: 512, layers: 4, heads: 8, kv_heads: 4, ffn: 1408, ..Compact::default() };
    let config = LlamaConfig { vocabulary: 16_000, ..LlamaConfig::compact(&shape) };
    for (kind, half, most) in [
        (safetensors::Dtype::F32, false, 1.3),
        (safetensors::Dtype::BF16, false, 1.3),
        (safetensors::Dtype::BF16, true, 0.9),
    ] {
        let folder = tempfile::tempdir().unwrap();
        checkpoint(folder.path(), &config, kind);
        let path = folder.path().to_str().unwrap();
        let options: &[&str] = if half { &["--half"] } else { &[] };
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_peso"));
        let output = command.args(["bench", "--json", "--load", path]).args(options).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["stored"], if half { "bfloat16" } else { "float32" });
        let ratio = report["ratio"].as_f64().unwrap();
        // 0 where the system does not tell.
        assert!(ratio <= most, "{kind:?}, half {half}: {report}");
        assert!(cfg!(not(target_os = "linux")) || ratio > 0.4, "{report}");
    }
}

/// Writes a model folder of a shape whose numbers are of a type: zeros, and ones in the norms.
fn checkpoint(folder: &Path, config: &LlamaConfig, kind: safetensors::Dtype) {
    let one: &[u8] = if kind == safetensors::Dtype::F32 { &[0, 0, 0x80, 0x3f] } else { &[0x80, 0x3f] };
    let tensors: Vec<_> = config
        .tensors()
        .map(|(name, [rows, columns])| {
            let shape = if rows == 1 { vec![columns] } else { vec![rows, columns] };
            let bytes = if rows == 1 { one.repeat(columns) } else { vec![0; rows * columns * one.len()] };
            (name, shape, bytes)
        })
        .collect();
    let views = tensors.iter().map(|(name, shape, bytes)| {
        (name.as_str(), safetensors::tensor::TensorView::new(kind, shape.clone(), bytes).unwrap())
    });
    safetensors::serialize_to_file(views, None, &folder.join("model.safetensors")).unwrap();
    fs::write(folder.join("config.json"), config.hugging_face(config.vocabulary).to_string()).unwrap();
}

/// A user's targets, packed with a shared history and one by one, under a prompt in words.
#[test]
fn targets_that_share_a_history_in_words_are_those_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = model_with_words(folder.path(), 522);
    let options = SyntheticOptions { users: 30, items: 40, stages: 2, codes: 5, ..SyntheticOptions::default() };
    let dataset = Dataset::load(&DatasetSource::Synthetic(options), None, Path::new(".")).unwrap();
    let config = LlamaConfig::read(&path.join("config.json")).unwrap();
    for prompt in [Prompt::Instruction, Prompt::Paper, Prompt::Custom("After {history}, what?".to_owned())] {
        let vocabulary = Vocabulary::of_prompt(&prompt, &config, || Tokenizer::open(&path), &dataset.index).unwrap();
        let mut model = load_pretrained::<Tracked>(&path, vocabulary.added, 1, &Default::default()).unwrap();
        let mut adapter = Adapter::fresh(&config, LoraShape::default(), 1, "test");
        // B is zero in a fresh adapter; here both factors count.
        for pair in adapter.modules.values_mut() {
            pair.b.values.iter_mut().enumerate().for_each(|(i, v)| *v = ((i * 37 % 11) as f32 - 5.0) * 0.02);
        }
        adapter.put_on(&mut model);
        model.lora_scale = 2.0;
        let writer = PromptWriter { vocabulary: &vocabulary, index: &dataset.index, max_history: 20, existing: None };
        let users: Vec<_> = dataset.stages[1].participants().take(12).collect();
        let packed: Vec<Sequence> = users.iter().flat_map(|user| writer.training(user, 6)).collect();
        let single: Vec<Sequence> = users
            .iter()
            .flat_map(|user| user.training_targets().map(move |at| (user, at)))
            .map(|(user, at)| {
                let history = &user.items[..at];
                writer.example(peso_workbench::data::Example { user: user.user, history, target: user.items[at] })
            })
            .collect();
        assert!(packed.len() < single.len(), "{prompt:?}: histories are shared");
        let loss = |sequences: &[Sequence]| -> f64 {
            cross_entropy(&model, &Packed::new(sequences), 0.8, None).into_scalar().elem()
        };
        assert!((loss(&packed) / loss(&single) - 1.0).abs() <= 1e-5, "{prompt:?}");
        let of = |sequences: &[Sequence]| {
            let options = StepOptions { temperature: 0.8, clip: 1.0, ..StepOptions::default() };
            let trains = |kind| matches!(kind, Kind::LoraA | Kind::LoraB | Kind::AddedRows);
            gradients(&mut model.clone(), &Packed::new(sequences), &trains, &Guides::default(), &options, 0).by_name
        };
        let (packed, mut single) = (of(&packed), of(&single));
        assert_eq!(packed.len(), single.len());
        for (name, gradient) in packed {
            let (a, b) = (Matrix::from_tensor(gradient), Matrix::from_tensor(single.remove(&name).unwrap()));
            let difference = a.values.iter().zip(&b.values).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>().sqrt();
            assert!(difference <= 1e-5 * b.norm().max(1e-3), "{prompt:?}, {name}: {difference:e} of {:e}", b.norm());
        }
    }
}
