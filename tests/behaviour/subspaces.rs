//! What moved in a run folder with known adapters: the report, its cache, directions, and `peso subspace`.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use faer::Mat;
use peso_workbench::analysis::subspace_report::{
    Source, SubspaceReport, compare, delta_weight, directions, module_directions, subspace_report,
};
use peso_workbench::model::LoraShape;
use peso_workbench::model::adapter::{Adapter, Matrix, Pair};
use peso_workbench::model::weights::write_peft;
use peso_workbench::project::Project;
use peso_workbench::run::RunFolder;
use peso_workbench::subspace::Side;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

use crate::runs;

const PROJECT: &str = r#"(
    format: 1,
    name: "Moves",
    dataset: Synthetic(users: 90, items: 60, stages: 2),
    base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32),
    training: (lora: (rank: 2, alpha: 6.0)),
    experiments: [
        (name: "PESO", method: Peso()),
        (name: "SumLoRA", method: SumLora()),
        (name: "LSAT", method: Lsat(combination: Weights)),
        (name: "SASRec", method: SasRec()),
    ],
)"#;

const LORA: LoraShape = LoraShape::of(2, 6.0);
static NEVER: AtomicBool = AtomicBool::new(false);
const Q: &str = "model.layers.0.self_attn.q_proj";
const DOWN: &str = "model.layers.1.mlp.down_proj";

fn matrix(rows: usize, columns: usize, seed: usize) -> Matrix {
    let value = |place: usize| ((place * 7 + seed * 13 + place * place % 11) % 17) as f32 / 8.5 - 1.0;
    Matrix { rows, columns, values: (0..rows * columns).map(value).collect() }
}

fn adapter(rank: usize, seed: usize) -> Adapter {
    let pair = |output, input, seed| Pair { a: matrix(rank, input, seed), b: matrix(output, rank, seed + 1) };
    Adapter { modules: [(Q.to_owned(), pair(16, 16, seed)), (DOWN.to_owned(), pair(16, 32, seed + 5))].into() }
}

/// A run of both stages: the second has an adapter of this rank, and its token rows moved by 3 in one entry.
fn trained(project: &Project, name: &str, rank: usize, seed: usize) -> RunFolder {
    let run = runs::create(project, name, &runs::learned(project, name), 1);
    let mut rows = matrix(4, 16, 9);
    let named = |rows: &Matrix| [("model.embed_tokens.weight.added".to_owned(), rows.clone())].into();
    write_peft(&run.adapter(1), &adapter(2, 3), LORA, &named(&rows)).unwrap();
    rows.values[2 * 16 + 5] += 3.0;
    write_peft(&run.adapter(2), &adapter(rank, seed), LORA, &named(&rows)).unwrap();
    run
}

fn project() -> (tempfile::TempDir, Project) {
    let folder = tempfile::tempdir().unwrap();
    let project = runs::project(folder.path(), PROJECT);
    (folder, project)
}

fn report(run: &RunFolder) -> SubspaceReport {
    subspace_report(run, &NEVER).unwrap().unwrap()
}

/// 3 B A: alpha / rank is 3.
fn whole(pair: &Pair) -> Mat<f64> {
    let dense = |m: &Matrix| Mat::from_fn(m.rows, m.columns, |r, c| f64::from(m.values[r * m.columns + c]));
    3.0 * dense(&pair.b) * dense(&pair.a)
}

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() <= 1e-9 * (1.0 + other.abs())
}

#[test]
fn the_report_is_that_of_the_whole_updates() {
    let (_folder, project) = project();
    // Rank 4: the adapter of the stage and a past one that is added to it.
    let run = trained(&project, "SumLoRA", 4, 4);
    let report = report(&run);
    assert_eq!((report.stages.as_slice(), report.rank, report.method.as_str()), (&[1, 2][..], 2, "sum_lora"));
    let names: Vec<&str> = report.modules.iter().map(|module| module.name.as_str()).collect();
    assert_eq!(names, [Q, DOWN]);
    let (first, second) = (adapter(2, 3), adapter(4, 4));
    for module in &report.modules {
        let (before, now) = (whole(&first.modules[&module.name]), whole(&second.modules[&module.name]));
        let values = now.singular_values().unwrap();
        let [one, two] = &module.stages[..] else { panic!("two stages") };
        assert_eq!(two.singular_values.len(), 4);
        assert!(two.singular_values.iter().zip(&values).all(|(thin, dense)| close(*thin, *dense)));
        assert!(close(one.norm, before.norm_l2()) && close(two.norm, now.norm_l2()));
        let moved = two.moved.unwrap();
        assert!(close(moved.norm, (&now - &before).norm_l2()));
        // Of the four ranks, the first two were trained.
        let own = second.clone().first_ranks(2).modules[&module.name].clone();
        let square = |one: &Matrix, two: &Matrix| {
            one.values.iter().zip(&two.values).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>()
        };
        let start = &first.modules[&module.name];
        assert!((moved.parameters - (square(&own.a, &start.a) + square(&own.b, &start.b)).sqrt()).abs() < 1e-5);
        assert!(close(moved.chance_left, 2.0 / 16.0) && close(moved.chance_right, 2.0 / module.input as f64));
        let [pair] = &module.pairs[..] else { panic!("one pair") };
        assert_eq!((pair.from, pair.to, pair.left.radians.len()), (1, 2, 2));
        assert!(close(pair.distance, moved.norm));
        assert_eq!(two.matches.iter().flatten().count(), 2, "two of four directions continue");
    }
    let together = report.modules.iter().map(|module| module.stages[1].moved.unwrap().norm.powi(2)).sum::<f64>().sqrt();
    assert!(close(report.whole.stages[1].moved.unwrap().norm, together));
    assert_eq!((report.layers.len(), report.projections.len(), report.whole.modules), (2, 2, 2));
    let [rows] = &report.rows[..] else { panic!("one matrix of rows") };
    assert_eq!((rows.rows, rows.width, rows.stages[0].most_moved[0].0), (4, 16, 2));
    assert!((rows.stages[0].moved - 3.0).abs() < 1e-6 && (rows.stages[0].mean_row - 0.75).abs() < 1e-6);
}

#[test]
fn the_report_is_kept_until_an_adapter_changes_and_a_damaged_one_is_made_anew() {
    let (_folder, project) = project();
    let run = trained(&project, "PESO", 2, 4);
    let cache = run.path().join("subspace.json");
    let first = report(&run);
    let kept = std::fs::read(&cache).unwrap();
    assert_eq!(report(&run), first, "read back as it was");
    std::fs::write(&cache, &kept[..kept.len() / 2]).unwrap();
    assert_eq!(report(&run), first);
    assert_eq!(std::fs::read(&cache).unwrap(), kept);
    write_peft(&run.adapter(2), &adapter(2, 6), LORA, &[].into()).unwrap();
    assert_ne!(report(&run).modules, first.modules);
    std::fs::remove_file(&cache).unwrap();
    assert_eq!(subspace_report(&run, &AtomicBool::new(true)).unwrap(), None, "cancelled");
    assert!(!cache.exists());
}

#[test]
fn a_damaged_adapter_is_named_and_a_run_without_adapters_says_so() {
    let (_folder, project) = project();
    let run = trained(&project, "PESO", 2, 4);
    let mut other = adapter(2, 4);
    other.modules.get_mut(Q).unwrap().a = matrix(2, 15, 0);
    write_peft(&run.adapter(2), &other, LORA, &[].into()).unwrap();
    let error = subspace_report(&run, &NEVER).unwrap_err();
    assert!(error.to_string().contains("expected 16 columns, got 15"), "{error}");
    assert!(error.place.unwrap().contains(Q));
    std::fs::write(run.adapter(1).join("adapter_model.safetensors"), b"\xff\xff\xff\xff\xff\xff\xff\x7f").unwrap();
    assert!(subspace_report(&run, &NEVER).unwrap_err().problem.contains("not a valid safetensors file"));
    let towers = runs::create(&project, "SASRec", &runs::learned(&project, "SASRec"), 1);
    assert!(subspace_report(&towers, &NEVER).unwrap_err().problem.contains("no adapter"));
}

#[test]
fn what_predicts_and_what_was_trained_are_told_apart_where_two_adapters_become_one() {
    let (_folder, project) = project();
    let run = trained(&project, "LSAT", 4, 4);
    write_peft(&run.adapter(2).join("main"), &adapter(2, 3), LORA, &[].into()).unwrap();
    let report = report(&run);
    assert!(report.note.unwrap().contains("mean of both"));
    let moved = report.whole.stages[1].moved.unwrap();
    assert!(moved.parameters == 0.0 && moved.norm > 1.0, "the main adapter is as it was: {moved:?}");
}

#[test]
fn the_whole_update_and_the_difference_of_two_are_as_multiplied() {
    let (_folder, project) = project();
    let run = trained(&project, "PESO", 2, 4);
    let (first, second) = (whole(&adapter(2, 3).modules[DOWN]), whole(&adapter(2, 4).modules[DOWN]));
    for (since, expected) in [(None, second.clone()), (Some(1), &second - &first)] {
        let delta = delta_weight(&run, DOWN, 2, since).unwrap();
        assert_eq!((delta.rows, delta.columns), (16, 32));
        let entry = |row: usize, column: usize| f64::from(delta.values[row * 32 + column]);
        assert!((0..16).all(|r| (0..32).all(|c| (entry(r, c) - expected[(r, c)]).abs() < 1e-4)));
    }
    assert!(delta_weight(&run, DOWN, 3, None).unwrap_err().problem.contains("no adapter of stage 3"));
    assert!(delta_weight(&run, "q_proj", 1, None).unwrap_err().problem.contains("no module `q_proj`"));
}

#[test]
fn directions_share_a_basis_and_know_what_they_continue() {
    let (_folder, project) = project();
    let run = trained(&project, "PESO", 2, 3);
    let other = trained(&project, "SumLoRA", 4, 8);
    let sources = [(&run, 1), (&run, 2), (&other, 2)].map(|(run, stage)| Source { run, stage });
    let drawn = directions(&sources, &[DOWN.to_owned()], Side::Left, 3, &NEVER).unwrap().unwrap();
    assert_eq!((drawn.width, drawn.arrows.len()), (16, 2 + 2 + 3));
    assert!(drawn.explained.iter().sum::<f64>() <= 1.0 + 1e-9 && drawn.explained[0] > 0.0);
    // The second stage is the first again: the same arrows, each continuing itself.
    for place in 0..2 {
        let (first, again) = (&drawn.arrows[place], &drawn.arrows[2 + place]);
        let continues = again.continues.unwrap();
        assert_eq!((first.continues, continues.arrow, continues.same_run), (None, place, true));
        assert!((continues.cosine - 1.0).abs() < 1e-9);
        assert!(first.tip.iter().zip(again.tip).all(|(one, two)| (one - two).abs() < 1e-9));
    }
    assert!(drawn.arrows[4..].iter().flat_map(|arrow| arrow.continues).all(|found| !found.same_run && found.arrow < 2));
    let length = |tip: [f64; 3]| tip.iter().map(|along| along * along).sum::<f64>();
    assert!(drawn.arrows.iter().all(|arrow| length(arrow.tip) <= 1.0 + 1e-9));
    let mixed = directions(&sources, &[Q.to_owned(), DOWN.to_owned()], Side::Right, 3, &NEVER).unwrap_err();
    assert!(mixed.problem.contains("32 wide, and others 16"), "{mixed}");
    assert_eq!(directions(&sources, &[Q.to_owned()], Side::Left, 3, &AtomicBool::new(true)).unwrap(), None);

    let river = module_directions(&other, Q).unwrap();
    let [first, second] = &river.stages[..] else { panic!("two stages") };
    assert_eq!((first.left.len(), second.left.len(), second.left[0].len()), (0, 4, 2));
    // Before has fewer dimensions, so a direction of it spreads over at most all of those now.
    let spread = |before: usize| second.left.iter().map(|row| row[before].powi(2)).sum::<f64>();
    assert!((0..2).all(|before| (0.0..=1.0 + 1e-9).contains(&spread(before))));
}

#[test]
fn two_runs_are_compared_module_by_module() {
    let (_folder, project) = project();
    let (one, other) = (trained(&project, "PESO", 2, 4), trained(&project, "SumLoRA", 4, 8));
    let at = |run, stage| Source { run, stage };
    let same = compare(&at(&one, 1), &at(&other, 1), &NEVER).unwrap().unwrap();
    for module in &same.modules {
        assert!(module.distance < 1e-9 && close(module.cosine, 1.0) && module.left.grassmann < 1e-9, "{module:?}");
    }
    let differs = compare(&at(&one, 2), &at(&other, 2), &NEVER).unwrap().unwrap();
    for module in &differs.modules {
        let (first, second) =
            (whole(&adapter(2, 4).modules[&module.name]), whole(&adapter(4, 8).modules[&module.name]));
        assert!(close(module.distance, (&second - &first).norm_l2()));
        let product = first.norm_l2() * second.norm_l2();
        let dot = (0..first.nrows()).flat_map(|r| (0..first.ncols()).map(move |c| (r, c)));
        assert!(close(module.cosine, dot.map(|at| first[at] * second[at]).sum::<f64>() / product));
        assert_eq!((module.left.radians.len(), module.ranks, module.matches.len()), (2, [2, 4], 4));
    }
}

#[test]
fn the_command_prints_tables_and_every_figure_as_json() {
    let (_folder, project) = project();
    let (run, other) = (trained(&project, "PESO", 2, 4), trained(&project, "SumLoRA", 4, 8));
    let call = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peso"));
        command.arg("subspace").arg(run.path()).args(arguments).output().unwrap()
    };
    let text = |arguments: &[&str]| {
        let output = call(arguments);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let path = |run: &RunFolder| run.path().to_str().unwrap().to_owned();
    let tables = [text(&[]), text(&["--stage", "1"]), text(&["--with", &path(&other)])].join("\n----\n");
    // The end of a run's id depends on the format of projects.
    let id = |run: &RunFolder| run.path().file_name().unwrap().to_str().unwrap().to_owned();
    insta::assert_snapshot!(tables.replace(&id(&run), "ONE").replace(&id(&other), "OTHER"));
    let json: SubspaceReport = serde_json::from_str(&text(&["--json"])).unwrap();
    let there = report(&run);
    assert_eq!((&json.run, json.modules.len(), &json.rows), (&there.run, there.modules.len(), &there.rows));
    let moved = |report: &SubspaceReport| report.modules[1].stages[1].moved.unwrap().norm;
    assert!(close(moved(&json), moved(&there)));
    let json: Value = serde_json::from_str(&text(&["--json", "--stage", "1"])).unwrap();
    assert_eq!(json["modules"][0]["stages"].as_array().unwrap().len(), 1);
    assert!(json["modules"][0]["pairs"].as_array().unwrap().is_empty());
    assert_eq!(call(&["--stage", "7"]).status.code(), Some(2));
    let nothing = Command::new(env!("CARGO_BIN_EXE_peso")).arg("subspace").arg(Path::new("/nowhere")).output().unwrap();
    assert_eq!(nothing.status.code(), Some(2));
}

/// Linear layers of Llama 3.2 1B as `[output, input]`, of which it has 16 layers.
const LLAMA_1B: [(&str, usize, usize); 7] = [
    ("self_attn.q_proj", 2048, 2048),
    ("self_attn.k_proj", 512, 2048),
    ("self_attn.v_proj", 512, 2048),
    ("self_attn.o_proj", 2048, 2048),
    ("mlp.gate_proj", 8192, 2048),
    ("mlp.up_proj", 8192, 2048),
    ("mlp.down_proj", 2048, 8192),
];

#[test]
#[ignore = "takes the time, so nothing else may run; the command is in benches/README.md"]
fn all_figures_of_a_model_of_a_billion_parameters_take_less_than_two_seconds() {
    let (_folder, project) = project();
    let mut config = runs::create(&project, "PESO", &runs::learned(&project, "PESO"), 1).config().clone();
    config.stages = 5;
    config.run.push_str("-large");
    let run = RunFolder::create(&project.runs_dir(None), &config).unwrap();
    for stage in 1..=5 {
        let mut random = ChaCha8Rng::seed_from_u64(stage);
        let mut matrix = |rows: usize, columns: usize| {
            let values = (0..rows * columns).map(|_| random.random_range(-1.0..1.0)).collect();
            Matrix { rows, columns, values }
        };
        let mut modules = BTreeMap::new();
        for layer in 0..16 {
            for (path, output, input) in LLAMA_1B {
                let pair = Pair { a: matrix(8, input), b: matrix(output, 8) };
                modules.insert(format!("model.layers.{layer}.{path}"), pair);
            }
        }
        let shape = LoraShape::default();
        write_peft(&run.adapter(stage as usize), &Adapter { modules }, shape, &[].into()).unwrap();
    }
    let start = Instant::now();
    let report = report(&run);
    let first = start.elapsed();
    let start = Instant::now();
    assert_eq!(self::report(&run), report);
    println!("computed in {first:.2?}, read again in {:.2?}", start.elapsed());
    assert_eq!((report.modules.len(), report.stages.len()), (16 * 7, 5));
    assert!(report.modules.iter().all(|module| module.pairs.len() == 10 && module.stages[4].rank == 8));
    assert!(first.as_secs_f64() < 2.0, "{first:.2?}");
}
