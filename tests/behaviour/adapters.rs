//! What is trained, and adapters out and in: against PyTorch and PEFT (`tests/fixtures/peft/README.md`), and whole runs.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use burn::backend::Flex;
use burn::tensor::Tensor;
use peso_workbench::method::term::{Teacher, Toward};
use peso_workbench::method::{Guides, Term};
use peso_workbench::model::adapter::{Matrix, Pair};
use peso_workbench::model::llama::Kind;
use peso_workbench::model::packing::{Branch, Packed, Sequence};
use peso_workbench::model::score::all_logits;
use peso_workbench::model::weights::{self, PeftAdapter, Weights, load_pretrained};
use peso_workbench::model::{Adapter, Llama, VocabularyMode};
use peso_workbench::train::batches;
use peso_workbench::train::jobs::trained;
use peso_workbench::train::step::{Gradients, StepOptions, accumulated, gradients};
use serde_json::Value;

use crate::model_reference::{Tracked, json, relative};

const BASE_TOKENS: usize = 24;
const ADDED: usize = 6;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/peft").join(name)
}

fn base(name: &str) -> Llama<Flex> {
    load_pretrained::<Flex>(&fixture(name), ADDED, 3, &Default::default()).unwrap()
}

fn rows_of_tokens(file: &Weights) -> (Vec<Vec<u32>>, usize) {
    let (shape, ids) = file.integers("input_ids").unwrap();
    (ids.chunks(shape[1]).map(|row| row.iter().map(|&t| t as u32).collect()).collect(), shape[1])
}

fn logits(model: &Llama<Flex>, file: &Weights) -> Vec<f32> {
    let (rows, length) = rows_of_tokens(file);
    all_logits(model, &rows.concat(), length).values
}

fn largest_difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

/// The case of `gradients.safetensors` on a base.
struct Case {
    model: Llama<Tracked>,
    sequences: Vec<Sequence>,
    expected: Weights,
}

const OPTIONS: StepOptions = StepOptions {
    temperature: 0.8,
    clip: 0.0,
    adapter_dropout: 0.0,
    residual_dropout: 0.0,
    checkpointing: false,
    equal_pieces: false,
};

impl Case {
    fn load(name: &str) -> Self {
        let expected = Weights::open_file(&fixture(name).join("gradients.safetensors")).unwrap();
        let mut model = load_pretrained::<Tracked>(&fixture(name), ADDED, 3, &Default::default()).unwrap();
        let device = model.device();
        let mut adapter = Adapter::default();
        for a in expected.names().filter_map(|n| n.strip_prefix("value.")?.strip_suffix(Adapter::A)) {
            let part = |end: &str| expected.matrix(&format!("value.{a}{end}"), None).unwrap();
            adapter.modules.insert(a.to_owned(), Pair { a: part(Adapter::A), b: part(Adapter::B) });
        }
        assert_eq!(adapter.modules.len(), 14);
        adapter.put_on(&mut model);
        model.lora_scale = 3.0;
        model.visit(&mut |name, kind, tensor| {
            if kind == Kind::AddedRows {
                let table = if name.starts_with("lm_head") { "rows.head" } else { "rows.embed" };
                *tensor = expected.matrix(table, Some([ADDED, 16])).unwrap().to_tensor(&device);
            }
        });
        let (rows, _) = rows_of_tokens(&expected);
        let (_, first) = expected.integers("first").unwrap();
        let sequence = |(row, first): (&Vec<u32>, &i64)| {
            let at = *first as usize - 1;
            let branch =
                Branch { targets: row[at + 1..].to_vec(), ..Branch::unscored(at, row[at..row.len() - 1].to_vec()) };
            Sequence { prefix: row[..at].to_vec(), branches: vec![branch] }
        };
        let sequences = rows.iter().zip(&first).map(sequence).collect();
        Self { model, sequences, expected }
    }

    fn gradients(&mut self, mode: VocabularyMode, options: &StepOptions) -> Gradients<Tracked> {
        let packed = Packed::new(&self.sequences);
        gradients(&mut self.model, &packed, &trained(mode, true), &Guides::default(), options, 0)
    }

    /// What PyTorch has for a parameter of ours: of the rows of a table, those of the base or of the added tokens.
    fn expected(&self, name: &str) -> Vec<f32> {
        let table = self.expected.matrix(&format!("grad.{}", name.trim_end_matches(".added")), None).unwrap();
        let base = BASE_TOKENS * table.columns;
        match name {
            _ if name.ends_with(".added") => table.values[base..].to_vec(),
            "model.embed_tokens.weight" | "lm_head.weight" => table.values[..base].to_vec(),
            _ => table.values,
        }
    }

    fn assert_gradients(&self, got: &BTreeMap<String, Tensor<Flex, 2>>) {
        for (name, gradient) in got {
            let error = relative(&Matrix::from_tensor(gradient.clone()).values, &self.expected(name));
            assert!(error <= 1e-4, "gradient of {name}: relative error {error:e}");
        }
    }
}

#[test]
fn each_vocabulary_mode_trains_its_rows_with_the_gradients_of_the_reference() {
    for (base, tables) in
        [("untied", &["model.embed_tokens.weight", "lm_head.weight"][..]), ("tied", &["model.embed_tokens.weight"])]
    {
        let mut case = Case::load(base);
        let expected_loss = case.expected.floats("loss").unwrap()[0];
        for (mode, endings) in [
            (VocabularyMode::Frozen, &[][..]),
            (VocabularyMode::NewTokens, &[".added"]),
            (VocabularyMode::Full, &["", ".added"]),
        ] {
            let Gradients { by_name, figures } = case.gradients(mode, &OPTIONS);
            assert!((figures.loss as f32 / expected_loss - 1.0).abs() < 1e-5, "{base} {mode:?}: loss {}", figures.loss);
            let rows: BTreeSet<&str> = by_name.keys().map(String::as_str).filter(|n| !n.contains("lora_")).collect();
            let wanted: BTreeSet<String> =
                tables.iter().flat_map(|table| endings.iter().map(move |ending| format!("{table}{ending}"))).collect();
            assert_eq!(rows, wanted.iter().map(String::as_str).collect(), "{base} {mode:?}");
            assert_eq!(by_name.len(), 28 + rows.len());
            case.assert_gradients(&by_name);
        }
    }
}

#[test]
fn pieces_of_a_step_add_up_to_its_gradients() {
    for base in ["untied", "tied"] {
        let mut case = Case::load(base);
        for most in [2, 5] {
            let pieces = batches::pieces(case.sequences.clone(), most);
            assert_eq!(pieces.len(), 2, "as many as there are targets");
            let all = trained(VocabularyMode::Full, true);
            let step = accumulated(&mut case.model, &pieces, &all, &Guides::default(), &OPTIONS, 0);
            let loss = case.expected.floats("loss").unwrap()[0];
            assert!((step.figures.loss as f32 / loss - 1.0).abs() < 1e-5, "{}", step.figures.loss);
            case.assert_gradients(&step.by_name);
        }
    }
}

/// One user with targets of different histories, and another.
fn shared_history() -> Vec<Sequence> {
    let branch =
        |at: usize, tokens: [u32; 2]| Branch { targets: vec![tokens[1], 1], ..Branch::unscored(at, tokens.to_vec()) };
    vec![
        Sequence {
            prefix: vec![2, 25, 7, 29, 24, 3, 28],
            branches: vec![branch(2, [24, 25]), branch(4, [26, 27]), branch(7, [28, 29])],
        },
        Sequence { prefix: vec![5, 26], branches: vec![branch(2, [23, 24])] },
    ]
}

#[test]
fn pieces_cut_through_a_history_that_targets_share() {
    let mut case = Case::load("untied");
    case.sequences = shared_history();
    let whole = case.gradients(VocabularyMode::Full, &OPTIONS);
    let teacher = Teacher { lambda: 0.7, temperature: 2.0, toward: Toward::Teacher };
    let before = base("untied");
    let guides = Guides::new(&[Term::Teacher(teacher)], &before.device(), &before);
    let all = trained(VocabularyMode::Full, true);
    let packed = Packed::new(&case.sequences);
    let taught = gradients(&mut case.model, &packed, &all, &guides, &OPTIONS, 0);
    assert!(taught.figures.penalty > 0.0);
    for most in [2, 3, 4] {
        let pieces = batches::pieces(case.sequences.clone(), most);
        assert_eq!(pieces.len(), most);
        for (guides, whole) in [(&Guides::default(), &whole), (&guides, &taught)] {
            let step = accumulated(&mut case.model, &pieces, &all, guides, &OPTIONS, 0);
            assert!((step.figures.loss - whole.figures.loss).abs() < 1e-5);
            assert!((step.figures.penalty - whole.figures.penalty).abs() < 1e-5);
            assert_same(&step, whole, 1e-5);
        }
    }
}

fn assert_same(got: &Gradients<Tracked>, expected: &Gradients<Tracked>, tolerance: f64) {
    assert_eq!(got.by_name.keys().collect::<Vec<_>>(), expected.by_name.keys().collect::<Vec<_>>());
    for (name, gradient) in &got.by_name {
        let values = |tensor: &Tensor<Flex, 2>| Matrix::from_tensor(tensor.clone()).values;
        let error = relative(&values(gradient), &values(&expected.by_name[name]));
        assert!(error <= tolerance, "gradient of {name}: relative error {error:e}");
    }
}

#[test]
fn layers_that_are_computed_again_give_the_same_gradients() {
    for name in ["untied", "tied"] {
        let mut case = Case::load(name);
        let again = StepOptions { checkpointing: true, ..OPTIONS };
        for mode in [VocabularyMode::Frozen, VocabularyMode::NewTokens, VocabularyMode::Full] {
            let step = case.gradients(mode, &again);
            case.assert_gradients(&step.by_name);
        }
        // With everything that a stage can have: masks, past adapters with magnitudes, a teacher, all parameters.
        case.sequences = shared_history();
        Adapter::of(&case.model).scaled(0.5).put_as_past(&mut case.model);
        case.model.magnitudes = Some(Tensor::from_floats([[0.8, 1.3]], &case.model.device()));
        let teacher = Teacher { lambda: 0.7, temperature: 2.0, toward: Toward::Student };
        let before = base(name);
        let guides = Guides::new(&[Term::Teacher(teacher)], &before.device(), &before);
        let packed = Packed::new(&case.sequences);
        let dropout = StepOptions { adapter_dropout: 0.3, residual_dropout: 0.2, ..OPTIONS };
        let all = |kind: Kind| kind != Kind::Past;
        let plain = gradients(&mut case.model, &packed, &all, &guides, &dropout, 9);
        let again = StepOptions { checkpointing: true, ..dropout };
        let step = gradients(&mut case.model, &packed, &all, &guides, &again, 9);
        assert!(plain.by_name.contains_key("magnitudes") && plain.by_name.contains_key("model.norm.weight"));
        assert_same(&step, &plain, 1e-5);
        assert!((step.figures.loss - plain.figures.loss).abs() < 1e-6);
        assert!((step.figures.penalty - plain.figures.penalty).abs() < 1e-6);
    }
}

const WRITTEN_BY_PEFT: [(&str, &str); 4] =
    [("untied", "untied_tokens"), ("untied", "untied_full"), ("tied", "tied_tokens"), ("tied", "tied_full")];

#[test]
fn adapters_that_peft_wrote_give_its_logits() {
    for (name, adapter) in WRITTEN_BY_PEFT {
        let expected = Weights::open_file(&fixture(adapter).join("expected.safetensors")).unwrap();
        let mut model = base(name);
        let peft = PeftAdapter::read(&fixture(adapter), &model.config).unwrap();
        assert_eq!(peft.added(BASE_TOKENS), Ok(ADDED));
        peft.put_on(&mut model).unwrap();
        let error = largest_difference(&logits(&model, &expected), &expected.floats("logits").unwrap());
        assert!(error <= 1e-4, "{adapter}: largest error {error:e}");
    }
}

/// The last parts of listed names, each once.
fn short_names(list: &Value) -> BTreeSet<&str> {
    let names = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    names.filter_map(|name| name.rsplit('.').next()).collect()
}

#[test]
fn what_is_exported_has_the_layout_that_peft_wrote() {
    for (name, adapter) in WRITTEN_BY_PEFT {
        let config = base(name).config;
        let peft = PeftAdapter::read(&fixture(adapter), &config).unwrap();
        let folder = tempfile::tempdir().unwrap();
        weights::export_peft(folder.path(), &peft, 0.05, (BASE_TOKENS + ADDED, config.tied)).unwrap();
        let open = |folder: &Path| Weights::open_file(&folder.join("adapter_model.safetensors")).unwrap();
        let (ours, theirs) = (open(folder.path()), open(&fixture(adapter)));
        assert_eq!(ours.names().collect::<Vec<_>>(), theirs.names().collect::<Vec<_>>(), "{adapter}");
        for name in theirs.names() {
            assert_eq!(ours.shape(name).unwrap(), theirs.shape(name).unwrap(), "{adapter}, {name}");
            assert_eq!(ours.floats(name).unwrap(), theirs.floats(name).unwrap(), "{adapter}, {name}");
        }
        let fields = |folder: &Path| json(&folder.join("adapter_config.json")).as_object().unwrap().clone();
        let (ours, mut theirs) = (fields(folder.path()), fields(&fixture(adapter)));
        for (field, value) in &ours {
            let theirs = theirs.remove(field).unwrap_or_else(|| panic!("PEFT has no field {field}"));
            match (value.as_f64(), theirs.as_f64()) {
                (Some(ours), Some(theirs)) => assert_eq!(ours, theirs, "{adapter}, {field}"),
                // PEFT lists a tied table a second time, under its long name.
                _ if field == "modules_to_save" => assert_eq!(short_names(value), short_names(&theirs), "{adapter}"),
                _ => assert_eq!(*value, theirs, "{adapter}, {field}"),
            }
        }
        // What we leave out is at its default.
        for (field, value) in theirs {
            let defaults = ["peft_version", "megatron_core", "qalora_group_size"];
            let is_nothing = value.is_null() || value == false || value == serde_json::json!({});
            assert!(is_nothing || defaults.contains(&field.as_str()), "{adapter}: {field} is {value}");
        }
        assert_eq!(PeftAdapter::read(folder.path(), &config).unwrap(), peft);
    }
}

#[test]
fn a_merged_model_is_the_base_with_its_adapter() {
    for (name, adapter) in WRITTEN_BY_PEFT {
        let expected = Weights::open_file(&fixture(adapter).join("expected.safetensors")).unwrap();
        let mut model = base(name);
        PeftAdapter::read(&fixture(adapter), &model.config).unwrap().put_on(&mut model).unwrap();
        let adapted = logits(&model, &expected);
        weights::merge(&mut model);
        let folder = tempfile::tempdir().unwrap();
        weights::write_model(folder.path(), &mut model, json(&fixture(name).join("config.json"))).unwrap();
        let merged = load_pretrained::<Flex>(folder.path(), 0, 0, &Default::default()).unwrap();
        assert_eq!(merged.config.vocabulary, BASE_TOKENS + ADDED);
        assert_eq!(merged.config.tied, name == "tied");
        let error = largest_difference(&logits(&merged, &expected), &adapted);
        assert!(error <= 1e-5, "{adapter}: largest error {error:e}");
    }
}

#[test]
fn a_model_in_one_gguf_file_is_the_model() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/models");
    let folder = tempfile::tempdir().unwrap();
    for family in ["llama", "qwen2", "qwen3"] {
        let expected = Weights::open_file(&models.join(family).join("expected.safetensors")).unwrap();
        let mut model = load_pretrained::<Flex>(&models.join(family), 0, 0, &Default::default()).unwrap();
        let config = model.config.clone();
        let file = folder.path().join(format!("{family}.gguf"));
        let tokenizer = peso_workbench::model::tokenizer::without_texts();
        weights::gguf::write_gguf(&file, &mut model, &config, family, tokenizer).unwrap();
        let written = load_pretrained::<Flex>(&file, 0, 0, &Default::default()).unwrap();
        assert_eq!((written.config.tied, written.config.family), (config.tied, config.family));
        let error = largest_difference(&logits(&written, &expected), &logits(&model, &expected));
        assert!(error <= 1e-5, "{family}: largest error {error:e}");
    }
}

/// A copy of an adapter of the fixture with another configuration.
fn changed(adapter: &str, change: impl Fn(&mut Value)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["adapter_config.json", "adapter_model.safetensors"] {
        fs::copy(fixture(adapter).join(file), folder.path().join(file)).unwrap();
    }
    let file = folder.path().join("adapter_config.json");
    let mut config = json(&file);
    change(&mut config);
    fs::write(file, config.to_string()).unwrap();
    folder
}

#[test]
fn adapters_that_would_be_misread_are_refused_with_the_place() {
    let config = base("untied").config;
    let refused = |folder: &Path| PeftAdapter::read(folder, &config).unwrap_err().to_string();
    for (field, value) in [
        ("use_dora", serde_json::json!(true)),
        ("use_qalora", serde_json::json!(true)),
        ("lora_bias", serde_json::json!(true)),
        ("alpha_pattern", serde_json::json!({".*q_proj": 4})),
        ("alpha_pattern", serde_json::json!({"q_proj": 4, "self_attn.q_proj": 5})),
        ("layer_replication", serde_json::json!([[0, 2], [1, 2]])),
        ("target_parameters", serde_json::json!(["mlp.experts.gate_up_proj"])),
        ("megatron_config", serde_json::json!({"tensor_model_parallel_size": 1})),
        ("kasa_config", serde_json::json!({"beta": 1e-4})),
        ("lora_ga_config", serde_json::json!({"direction": "ArB2r"})),
        ("alora_invocation_tokens", serde_json::json!([1, 2])),
        ("use_something_new", serde_json::json!(true)),
        ("velora_config", serde_json::json!({"x": 1})),
        ("bias", serde_json::json!("lora_only")),
        ("peft_type", serde_json::json!("VERA")),
        ("peft_type", serde_json::json!("LOHA")),
        ("peft_type", serde_json::json!("ADALORA")),
        ("init_lora_weights", serde_json::json!("lora_ga")),
        ("init_lora_weights", serde_json::json!("olora")),
        ("init_lora_weights", serde_json::json!("corda")),
        ("init_lora_weights", serde_json::json!("loftq")),
        ("init_lora_weights", serde_json::json!("another")),
        ("rank_pattern", serde_json::json!({"^model.layers.0": 4})),
        ("rank_pattern", serde_json::json!({"q_proj": 0})),
        ("rank_pattern", serde_json::json!({"q_proj": 100_000})),
        ("bias", serde_json::json!("all")),
        ("peft_type", serde_json::json!("IA3")),
        ("init_lora_weights", serde_json::json!("pissa_niter_16")),
        ("fan_in_fan_out", serde_json::json!(true)),
        ("trainable_token_indices", serde_json::json!({"embed_tokens": [24], "lm_head": [24]})),
        ("r", serde_json::json!(0)),
    ] {
        let folder = changed("untied_tokens", |config| config[field] = value.clone());
        let text = refused(folder.path());
        assert!(text.contains(field), "{field}: {text}");
    }
    // What leaves the base as it is, or asks for nothing.
    let plain = PeftAdapter::read(&fixture("untied_tokens"), &config).unwrap();
    for (field, value) in [
        ("init_lora_weights", serde_json::json!("eva")),
        ("init_lora_weights", serde_json::json!("gaussian")),
        ("init_lora_weights", serde_json::json!("orthogonal")),
        ("init_lora_weights", serde_json::json!(false)),
        ("eva_config", serde_json::json!({"rho": 2.0})),
        ("lora_ga_config", serde_json::json!(null)),
        ("rank_pattern", serde_json::json!({})),
        ("use_something_new", serde_json::json!(false)),
        ("layers_to_transform", serde_json::json!([0, 1])),
    ] {
        let folder = changed("untied_tokens", |config| config[field] = value.clone());
        assert_eq!(PeftAdapter::read(folder.path(), &config).unwrap(), plain, "{field}: {value}");
    }
    // Names as other ways to save an adapter make them: nothing is taken for nothing.
    for (from, to) in [(".lora_A.", ".lora_A.default."), ("base_model.model.", "base_model.model._orig_mod.")] {
        let folder = changed("untied_tokens", |_| {});
        let file = folder.path().join("adapter_model.safetensors");
        let bytes = fs::read(&file).unwrap();
        let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let renamed = tensors.iter().map(|(name, tensor)| (name.replacen(from, to, 1), tensor));
        fs::write(&file, safetensors::serialize(renamed, None).unwrap()).unwrap();
        let text = refused(folder.path());
        assert!(text.contains("base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"), "{to}: {text}");
    }
    let stabilised = changed("untied_tokens", |config| config["use_rslora"] = true.into());
    let scale = PeftAdapter::read(stabilised.path(), &config).unwrap().scale;
    assert!((scale - 6.0 / 2f64.sqrt()).abs() < 1e-12, "{scale}");

    // A tensor that nothing reads, and a layer that the model has not.
    let mut smaller = config.clone();
    smaller.layers = 1;
    let text = PeftAdapter::read(&fixture("untied_tokens"), &smaller).unwrap_err().to_string();
    assert!(text.contains("layers.1"), "{text}");
    let mut tied = base("tied").config;
    tied.layers = config.layers;
    let text = PeftAdapter::read(&fixture("untied_tokens"), &tied).unwrap_err().to_string();
    assert!(text.contains("lm_head"), "{text}");
    // Rows of tokens that the model has not.
    let gap = changed("tied_tokens", |config| {
        config["trainable_token_indices"] = serde_json::json!({"embed_tokens": [24, 25, 26, 27, 28, 4_000_000_000u32]});
    });
    let peft = PeftAdapter::read(gap.path(), &tied).unwrap();
    assert_eq!(peft.added(BASE_TOKENS), Err(29), "the tokens from 29 on have no rows");
    assert_eq!(peft.put_on(&mut base("tied")), Err(4_000_000_000));
}

/// A run of two stages on a compact model, whose head is its own.
const PROJECT: &str = r#"(
    format: 1,
    name: "Small",
    dataset: Synthetic(users: 90, items: 60, stages: 2, codes: 6, interactions: (9.0, 5.0)),
    base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
    training: (epochs: 1, batch: 16, learning_rate: 0.01, later_stage_factor: 0.5, lora: (rank: 2, alpha: 4.0), MORE),
    evaluation: (beams: 5, k: [1, 5]),
    experiments: [(name: "EXPERIMENT", method: Single)],
    seeds: [1],
)"#;

fn project(folder: &Path, experiment: &str, more: &str) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("project.ron"), PROJECT.replace("MORE", more).replace("EXPERIMENT", experiment)).unwrap();
}

fn peso(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn done(arguments: &[&str]) -> Vec<u8> {
    let output = peso(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run_folder(project: &Path, name: &str) -> PathBuf {
    let entries = fs::read_dir(project.join("runs")).unwrap().flatten().map(|entry| entry.path());
    entries.into_iter().find(|path| path.file_name().unwrap().to_str().unwrap().starts_with(name)).unwrap()
}

fn matrix(project: &Path) -> Value {
    let results: Value = serde_json::from_slice(&done(&["results", text(project), "--json"])).unwrap();
    let runs = results["runs"].as_array().unwrap();
    runs.iter().find(|run| run["method"] == "single").unwrap()["matrix"]["ndcg@5"].clone()
}

fn train(project: &Path) {
    done(&["run", text(project), "--device", "cpu"]);
}

#[test]
fn a_stage_is_exported_merged_and_another_run_starts_from_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    project(&at("first"), "Single", "");
    train(&at("first"));
    let run = run_folder(&at("first"), "single-");
    let (adapter, merged) = (at("adapter"), at("merged"));
    done(&["adapter", "export", text(&run), "--stage", "2", "--to", text(&adapter)]);
    done(&["adapter", "merge", text(&run), "--stage", "2", "--to", text(&merged)]);
    let tokens = json(&adapter.join("added_tokens.json"));
    assert_eq!(tokens["<a_0>"], 3, "{tokens}");
    assert_eq!(
        json(&adapter.join("adapter_config.json"))["modules_to_save"],
        serde_json::json!(["embed_tokens", "lm_head"])
    );
    let again = peso(&["adapter", "export", text(&run), "--stage", "2", "--to", text(&adapter)]);
    assert_eq!(again.status.code(), Some(2), "what is there is not overwritten");
    let none = peso(&["adapter", "export", text(&run), "--stage", "3", "--to", text(&at("none"))]);
    assert_eq!(none.status.code(), Some(2));
    assert!(!at("none").exists(), "nothing is left behind");

    let ids = at("ids.safetensors");
    let values: Vec<u8> = [0i64, 3, 4, 5, 2].iter().flat_map(|v| v.to_le_bytes()).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::I64, vec![1, 5], &values).unwrap();
    safetensors::serialize_to_file([("input_ids", view)], None, &ids).unwrap();
    let score = |model: &Path, more: &[&str]| {
        let out = at("logits.safetensors");
        let fixed = ["score", text(model), "--ids", text(&ids), "--out", text(&out), "--device", "cpu"];
        done(&[&fixed[..], more].concat());
        Weights::open_file(&out).unwrap().floats("logits").unwrap()
    };
    let adapted = score(&run.join("base"), &["--adapter", text(&adapter)]);
    assert!(largest_difference(&score(&merged, &[]), &adapted) <= 1e-5);
    let gguf = at("merged.gguf");
    let command = ["adapter", "merge", text(&run), "--stage", "2", "--to", text(&gguf), "--gguf"];
    done(&command);
    assert!(largest_difference(&score(&gguf, &[]), &adapted) <= 1e-5);
    let there = peso(&command);
    assert_eq!(there.status.code(), Some(2), "what is there is not overwritten");
    let file = weights::gguf::Gguf::open(&gguf).unwrap();
    let added: Value = serde_json::from_str(file.text("peso.added_tokens").unwrap()).unwrap();
    assert_eq!(added, tokens);
    assert!(largest_difference(&score(&run.join("base"), &[]), &adapted) > 1e-3, "the adapter changes something");

    // As stage 1, untrained: the first row is what the model of the other run's last stage reached on stage 1.
    project(&at("second"), "Single", "start: Stage1(\"../adapter\")");
    train(&at("second"));
    assert_eq!(matrix(&at("second"))[0][0], matrix(&at("first"))[1][0]);
    // Trained further: another result, and the run is resumed and left alone like any other.
    project(&at("third"), "Single", "start: Adapter(\"../adapter\")");
    train(&at("third"));
    assert_ne!(matrix(&at("third"))[0][0], matrix(&at("second"))[0][0]);
    let before = matrix(&at("third"));
    train(&at("third"));
    assert_eq!(matrix(&at("third")), before);

    // Another adapter under the same path is another run.
    fs::remove_dir_all(&adapter).unwrap();
    done(&["adapter", "export", text(&run), "--stage", "1", "--to", text(&adapter)]);
    let other = peso(&["run", text(&at("second")), "--device", "cpu"]);
    assert_eq!(other.status.code(), Some(2), "{}", String::from_utf8_lossy(&other.stderr));

    project(&at("fourth"), "Single", "start: Stage1(\"../adapter\"), vocabulary: Frozen");
    let frozen = peso(&["run", text(&at("fourth")), "--device", "cpu"]);
    assert_eq!(frozen.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&frozen.stderr).contains("Frozen"), "{}", String::from_utf8_lossy(&frozen.stderr));
}

#[test]
fn a_run_in_pieces_with_layers_computed_again_gives_the_same_losses() {
    let folder = tempfile::tempdir().unwrap();
    let losses = |name: &str, more: &str| -> Vec<f64> {
        let project_folder = folder.path().join(name);
        project(&project_folder, "Single", more);
        train(&project_folder);
        let results: Value = serde_json::from_slice(&done(&["results", text(&project_folder), "--json"])).unwrap();
        let runs = results["runs"].as_array().unwrap();
        let run = runs.iter().find(|run| run["method"] == "single").unwrap();
        run["stages"].as_array().unwrap().iter().map(|stage| stage["final_loss"].as_f64().unwrap()).collect()
    };
    let whole = losses("whole", "dropout: 0.0");
    let cut = losses("cut", "dropout: 0.0, accumulation: 3, checkpointing: true");
    assert_eq!(whole.len(), 2);
    for (a, b) in whole.iter().zip(&cut) {
        assert!((a - b).abs() < 2e-4 * a, "{whole:?} and {cut:?}");
    }
}
