//! Adapters whose modules have ranks of their own: parts of an adapter, PEFT folders, and whole runs of every method.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use burn::backend::{Autodiff, Flex};
use burn::tensor::Tensor;
use peso_workbench::method::{Guides, MethodOptions};
use peso_workbench::model::adapter::{Matrix, Pair};
use peso_workbench::model::llama::Kind;
use peso_workbench::model::packing::{Branch, Packed, Sequence};
use peso_workbench::model::ranks::{RankSpace, Ranks};
use peso_workbench::model::score::all_logits;
use peso_workbench::model::weights::{self, PeftAdapter, write_peft};
use peso_workbench::model::{Adapter, Compact, Llama, LlamaConfig, LoraShape};
use peso_workbench::train::rank_search::RankRecord;
use peso_workbench::train::step::{Gradients, StepOptions, gradients};
use serde_json::Value;

type Tracked = Autodiff<Flex>;

const TOKENS: usize = 12;
const LORA: LoraShape = LoraShape::of(8, 16.0);

fn config() -> LlamaConfig {
    LlamaConfig::compact(&Compact { width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 24, ..Compact::default() })
}

/// An adapter of rank 8 whose factors have no pattern.
fn adapter() -> Adapter {
    let mut adapter = Adapter::fresh(&config(), LORA, 3, "test");
    for (number, pair) in adapter.modules.values_mut().enumerate() {
        let value = |index: usize| 0.1 * ((index as f32 + 1.0) * (12.9898 + number as f32)).sin();
        pair.b.values.iter_mut().enumerate().for_each(|(index, slot)| *slot = value(index));
    }
    adapter
}

fn model(adapter: &Adapter) -> Llama<Tracked> {
    let mut model = weights::initialise_compact::<Tracked>(&config(), TOKENS, 1, &Default::default());
    model.lora_scale = LORA.scale();
    adapter.put_on(&mut model);
    model
}

fn logits(model: &Llama<Tracked>) -> Vec<f32> {
    let model: Llama<Flex> = model.clone().map(&|tensor: Tensor<Tracked, 2>| tensor.inner());
    all_logits(&model, &[0, 3, 4, 5, 2, 7, 1, 9], 8).values
}

fn apart(one: &[f32], other: &[f32]) -> f32 {
    assert_eq!(one.len(), other.len());
    one.iter().zip(other).fold(0.0, |most, (one, other)| most.max((one - other).abs()))
}

/// Ranks that a search might find: all that there are, and modules without an adapter.
fn mixed() -> Ranks {
    let space = RankSpace::of(&config(), LORA);
    let configuration: Vec<usize> = (0..space.modules.len()).map(|module| (module * 5 + 1) % 4).collect();
    let ranks = space.ranks(&configuration);
    assert_eq!(ranks.values().copied().collect::<BTreeSet<_>>(), [2, 4, 8].into());
    assert!(ranks.len() < 14, "some module has none");
    ranks
}

/// The adapter with zeros in place of what `ranks` leave out: the same update in the whole shape.
fn masked(adapter: &Adapter, ranks: &Ranks) -> Adapter {
    let mut masked = adapter.clone();
    for (name, Pair { b, .. }) in &mut masked.modules {
        let rank = ranks.get(name).copied().unwrap_or(0);
        let columns = b.columns;
        b.values
            .iter_mut()
            .enumerate()
            .filter(|(index, _)| index % columns >= rank)
            .for_each(|(_, value)| *value = 0.0);
    }
    masked
}

#[test]
fn a_part_of_an_adapter_predicts_as_the_adapter_that_is_cut_out() {
    let (whole, ranks) = (adapter(), mixed());
    let part = logits(&model(&whole).cut(&ranks));
    let cut = whole.clone().cut(&ranks);
    assert_eq!(cut.ranks(), ranks);
    assert!(apart(&part, &logits(&model(&cut))) < 1e-6);
    assert!(apart(&part, &logits(&model(&masked(&whole, &ranks)))) < 1e-5, "as with zeros in place of the rest");
    assert!(apart(&part, &logits(&model(&whole))) > 1e-3, "and not as the whole");
}

fn gradients_of(model: &mut Llama<Tracked>) -> Gradients<Tracked> {
    let branch = Branch { targets: vec![5, 7], ..Branch::unscored(3, vec![2, 5]) };
    let sequence = Sequence { prefix: vec![0, 3, 4], branches: vec![branch] };
    let options = StepOptions { temperature: 0.8, ..StepOptions::default() };
    let trains = |kind| matches!(kind, Kind::LoraA | Kind::LoraB);
    gradients(model, &Packed::new(&[sequence]), &trains, &Guides::default(), &options, 0)
}

#[test]
fn gradients_of_a_part_are_those_of_the_whole_where_it_takes_part_and_0_elsewhere() {
    let (whole, ranks) = (adapter(), mixed());
    let mut shared = model(&whole);
    let part = gradients_of(&mut shared.clone().cut(&ranks)).of_whole(&mut shared);
    let expected = gradients_of(&mut model(&masked(&whole, &ranks)));
    assert_eq!(part.by_name.len(), 28, "both factors of 14 modules");
    for (name, gradient) in part.by_name {
        let module = name.trim_end_matches(Adapter::A).trim_end_matches(Adapter::B);
        let rank = ranks.get(module).copied().unwrap_or(0);
        let found = Matrix::from_tensor(gradient);
        let reference = Matrix::from_tensor(expected.by_name[&name].clone());
        let takes_part = |index: usize| match name.ends_with(Adapter::A) {
            true => index / found.columns < rank,
            false => index % found.columns < rank,
        };
        for (index, (found, reference)) in found.values.iter().zip(&reference.values).enumerate() {
            let reference = if takes_part(index) { *reference } else { 0.0 };
            assert!((found - reference).abs() < 1e-6, "{name}[{index}]: {found} and not {reference}");
        }
    }
}

#[test]
fn a_peft_folder_keeps_the_rank_of_each_module() {
    let (ranks, folder) = (mixed(), tempfile::tempdir().unwrap());
    let cut = adapter().cut(&ranks);
    write_peft(folder.path(), &cut, LORA, &BTreeMap::new()).unwrap();
    let file = folder.path().join("adapter_config.json");
    let config_of = || -> Value { serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap() };
    let written = config_of();
    assert_eq!((written["r"].as_u64(), written["lora_alpha"].as_f64()), (Some(8), Some(16.0)));
    for (name, rank) in &ranks {
        let own = written["rank_pattern"].get(name).and_then(Value::as_u64);
        assert_eq!(own, (*rank != 8).then_some(*rank as u64), "{name}");
        let alpha = written["alpha_pattern"].get(name).and_then(Value::as_f64);
        assert_eq!(alpha, (*rank != 8).then_some(2.0 * *rank as f64), "alpha / rank is the same everywhere");
        assert!(written["target_modules"].as_array().unwrap().iter().any(|target| target == name), "{name}");
    }
    let read = PeftAdapter::read(folder.path(), &config()).unwrap();
    assert_eq!((&read.adapter, read.scale), (&cut, 2.0));

    // Another alpha for some modules, named by their end as PEFT users do: the factor goes into B.
    let mut other = written;
    let gate: BTreeMap<&String, f64> =
        ranks.iter().filter(|(name, _)| name.contains("gate")).map(|(n, r)| (n, 6.0 * *r as f64)).collect();
    assert!(!gate.is_empty());
    for (name, alpha) in &gate {
        other["alpha_pattern"][name.as_str()] = (*alpha).into();
    }
    fs::write(&file, other.to_string()).unwrap();
    let read = PeftAdapter::read(folder.path(), &config()).unwrap();
    for (name, pair) in &read.adapter.modules {
        let factor = if gate.contains_key(name) { 3.0 } else { 1.0 };
        let expected: Vec<f32> = cut.modules[name].b.values.iter().map(|value| factor * value).collect();
        assert!(apart(&pair.b.values, &expected) < 1e-6, "{name}");
    }
}

/// A small project of every method that adapts the language model.
fn project(search: &str) -> tempfile::TempDir {
    let methods = [
        "Frozen",
        "Single",
        "Retrain",
        "Peso(lambda: 5.0)",
        "Peso(lambda: Kalman)",
        "SumLora(past: All)",
        "SdLora(past: All)",
        "InfLora()",
        "OLora()",
        "Ewc()",
        "Lwf()",
        "Replay()",
        "Lsat()",
        "Lsat(combination: Weights)",
        "GradientSurgery()",
    ];
    let experiments: Vec<String> =
        methods.iter().map(|method| format!("(name: \"{}\", method: {method})", method.replace('"', ""))).collect();
    let text = format!(
        r#"(
        format: 1,
        name: "Ranks",
        dataset: Synthetic(users: 90, items: 60, stages: 3, codes: 6, interactions: (9.0, 5.0)),
        base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 2),
        training: (epochs: 2, batch: 16, learning_rate: 0.01, lora: (rank: 4, alpha: 8.0, smallest_rank: 1, {search})),
        evaluation: (beams: 5, k: [1, 5]),
        experiments: [{}],
        seeds: [1],
    )"#,
        experiments.join(", ")
    );
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("project.ron"), text).unwrap();
    folder
}

fn peso(arguments: &[&str], folder: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_peso")).args(arguments).arg(folder).stdin(Stdio::null()).output().unwrap()
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn results(folder: &Path) -> Value {
    let output = peso(&["results", "--json"], folder);
    assert_done(&output);
    let mut results = serde_json::from_slice(&output.stdout).unwrap();
    crate::training::without_times(&mut results);
    results
}

/// The folders of runs that have adapters.
fn runs(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.join("runs")).unwrap().flatten().map(|entry| entry.path());
    let mut runs: Vec<PathBuf> = entries.filter(|path| path.join("adapters/stage_1").is_dir()).collect();
    runs.sort();
    runs
}

fn ranks_of(adapter: &Path) -> BTreeMap<String, usize> {
    let bytes = fs::read(adapter.join("adapter_model.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let rank = |(name, tensor): (&str, safetensors::tensor::TensorView<'_>)| {
        let module = name.strip_prefix("base_model.model.")?.strip_suffix(Adapter::A)?;
        Some((module.to_owned(), tensor.shape()[0]))
    };
    tensors.iter().filter_map(rank).collect()
}

#[test]
fn every_method_goes_on_with_the_ranks_that_stage_1_found() {
    let folder = project("search: Evolution, candidates: 40, budget: 0.4");
    assert_done(&peso(&["run", "--device", "cpu"], folder.path()));
    let adapting = MethodOptions::all().iter().filter(|method| method.adapter_method().is_some()).count();
    let runs = runs(folder.path());
    assert!(runs.len() > adapting - 3, "{} runs of {adapting} kinds", runs.len());
    let record = RankRecord::read(&runs[0].join("adapters/stage_1")).unwrap().unwrap();
    let chosen = &record.candidates[record.chosen];
    assert!(chosen.parameters > 0 && chosen.parameters as f64 <= 0.4 * record.whole as f64);
    assert_eq!(record.candidates.len(), 40);
    let least =
        record.candidates.iter().filter(|c| c.parameters > 0 && c.parameters as f64 <= 0.4 * record.whole as f64);
    assert!(least.map(|candidate| candidate.loss).all(|loss| loss >= chosen.loss));
    let named = record.modules.iter().map(|module| module.name.clone()).zip(chosen.ranks.iter().copied());
    let ranks: BTreeMap<String, usize> = named.filter(|(_, rank)| *rank > 0).collect();
    for run in &runs {
        assert_eq!(ranks_of(&run.join("adapters/stage_1")), ranks, "{}", run.display());
        assert_eq!(RankRecord::read(&run.join("adapters/stage_1")).unwrap().as_ref(), Some(&record));
        let last = run.join("adapters/stage_3");
        if last.is_dir() {
            let own = ranks_of(&last);
            assert!(own.keys().eq(ranks.keys()), "{}", run.display());
            // Methods that add past adapters carry them beside their own.
            assert!(own.iter().all(|(name, rank)| rank % ranks[name] == 0), "{}: {own:?}", run.display());
        }
    }
    let all = results(folder.path());
    for run in all["runs"].as_array().unwrap() {
        assert_eq!(run["status"], "finished", "{run}");
    }
    // What is made of adapters afterwards takes such ones too.
    for run in runs.iter().filter(|run| run.to_string_lossy().contains("past-all")) {
        assert_done(&peso(&["subspace"], run));
        let to = run.with_extension("peft");
        assert_done(&peso(&["adapter", "export", "--stage", "3", "--to", to.to_str().unwrap()], run));
        assert_eq!(ranks_of(&to), ranks_of(&run.join("adapters/stage_3")));
        let to = run.with_extension("gguf");
        assert_done(&peso(&["adapter", "merge", "--gguf", "--stage", "3", "--to", to.to_str().unwrap()], run));
    }
    let figures = folder.path().join("figures");
    let to = figures.to_str().unwrap();
    assert_done(&peso(&["export", "--figure", "ranks", "--to", to], folder.path()));
    let again = project("search: Evolution, candidates: 40, budget: 0.4");
    assert_done(&peso(&["run", "--device", "cpu"], again.path()));
    assert_eq!(results(again.path()), all, "the same project gives the same ranks and numbers");
}

#[test]
fn the_spectrum_gives_ranks_without_data_and_a_greedy_search_others() {
    for (search, measured) in [("search: Spectrum", 1), ("search: Greedy, candidates: 60", 60)] {
        let folder = project(search);
        assert_done(&peso(&["run", "--device", "cpu", "--experiment", "Single"], folder.path()));
        let run = runs(folder.path()).remove(0);
        let record = RankRecord::read(&run.join("adapters/stage_1")).unwrap().unwrap();
        assert_eq!(record.candidates.len(), measured, "{search}");
        let kept: Vec<usize> =
            record.candidates[record.chosen].ranks.iter().copied().filter(|rank| *rank > 0).collect();
        assert_eq!(ranks_of(&run.join("adapters/stage_1")).len(), kept.len(), "{search}");
    }
}

#[test]
fn a_search_that_cannot_be_is_refused_with_its_field() {
    for (search, field) in [
        ("search: Greedy, budget: 0.1", "training.lora.budget"),
        ("search: Evolution, candidates: 0", "training.lora.candidates"),
    ] {
        let folder = project(search);
        let output = peso(&["run", "--dry-run"], folder.path());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(field), "{search}: {text}");
    }
}
