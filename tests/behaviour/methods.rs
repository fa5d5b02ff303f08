//! What must hold of the methods whatever the data: where two of them are the same, where a term is zero, and that every
//! one of them can be interrupted anywhere.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use burn::backend::Flex;
use burn::tensor::Tensor;
use peso_workbench::data::Protocol;
use peso_workbench::device::DeviceChoice;
use peso_workbench::method::pull_ratio::Window;
use peso_workbench::method::term::{Parameters, on_device};
use peso_workbench::method::{
    AdapterMethod, Anchor, Distance, Ewc, Guides, Lambda, Matrices, MethodOptions, OLora, Peso, Plan, Rows, Stage,
    StageLambda, Strength, SumLora, Term,
};
use peso_workbench::model::adapter::{Matrix, Pair};
use peso_workbench::model::{Adapter, Compact, Llama, LlamaConfig, weights};
use peso_workbench::project::Project;
use peso_workbench::results::{Results, RunResult};
use peso_workbench::run::observer::{Level, Phase, Progress, StepRecord};
use peso_workbench::run::{RunConfig, RunFolder, RunOptions, RunSelection, Status};
use peso_workbench::train::recorder::Watcher;
use peso_workbench::train::worker;
use proptest::prelude::*;

/// A decoder that terms are put on a device beside; its own weights play no part.
fn model() -> Llama<Flex> {
    let compact = Compact { width: 8, layers: 1, heads: 1, kv_heads: 1, ffn: 8, ..Compact::default() };
    weights::initialise_compact(&LlamaConfig::compact(&compact), 4, 0, &Default::default())
}

/// One module of rank 2 that reads 3 values and writes 4.
fn adapter(values: &[f32]) -> Adapter {
    let pair = Pair {
        a: Matrix { rows: 2, columns: 3, values: values[..6].to_vec() },
        b: Matrix { rows: 4, columns: 2, values: values[6..14].to_vec() },
    };
    Adapter { modules: [("m".to_owned(), pair)].into() }
}

fn values() -> impl Strategy<Value = Vec<f32>> {
    proptest::collection::vec(-1.0f32..1.0, 14)
}

fn plan(method: &dyn AdapterMethod, past: &[Adapter], memories: &[Matrices]) -> Plan {
    let fresh: &dyn Fn(&str) -> Adapter = &|_| adapter(&[0.5; 14]);
    method.plan(&Stage { number: past.len() + 1, past, rows: &[], memories, statistics: &Matrices::new(), fresh })
}

/// Value and largest gradient of terms.
fn pull(terms: &[Term], at: &Adapter) -> (f64, f32) {
    let at = on_device::<Flex>(at, &Default::default());
    match Guides::new(terms, &Default::default(), &model()).pull(&at) {
        None => (0.0, 0.0),
        Some(pull) => (pull.penalty, largest(&pull.gradients)),
    }
}

fn largest(gradients: &Parameters<Flex>) -> f32 {
    let all = gradients.values().flat_map(|gradient| Matrix::from_tensor(gradient.clone()).values);
    all.fold(0.0, |most, value| most.max(value.abs()))
}

const DISTANCES: [Distance; 7] = [
    Distance::SoftmaxKl { temperature: 1.0 },
    Distance::SoftmaxKl { temperature: 0.1 },
    Distance::PerRankKl { temperature: 1.0 },
    Distance::L2 { squared: true, per_element: false },
    Distance::L2 { squared: false, per_element: false },
    Distance::L2 { squared: false, per_element: true },
    Distance::Orthogonal,
];

fn information(value: f32) -> Matrices {
    let whole = adapter(&[value; 14]);
    whole.parameters().map(|(name, matrix)| (name, matrix.clone())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_penalty_is_zero_where_a_stage_starts(now in values()) {
        let past = [adapter(&now)];
        for distance in DISTANCES {
            let plan = plan(&Peso { distance, lambda: 3.0.into(), ..Peso::default() }, &past, &[]);
            let (penalty, gradient) = pull(&plan.main.terms, &plan.main.start);
            prop_assert!(penalty.abs() < 1e-9 && gradient < 1e-6, "{distance:?}: {penalty} {gradient}");
        }
        let plan = plan(&Ewc::default(), &past, &[information(1.0)]);
        prop_assert_eq!(pull(&plan.main.terms, &plan.main.start), (0.0, 0.0));
    }

    #[test]
    fn a_penalty_is_positive_and_pulls_back_where_the_adapter_has_moved(now in values(), before in values()) {
        prop_assume!(now.iter().zip(&before).any(|(a, b)| (a - b).abs() > 0.1));
        let past = [adapter(&before)];
        for distance in [DISTANCES[0], DISTANCES[2], DISTANCES[3], DISTANCES[4]] {
            let terms = plan(&Peso { distance, lambda: 1.0.into(), ..Peso::default() }, &past, &[]).main.terms;
            let (here, _) = pull(&terms, &adapter(&now));
            let nearer: Vec<f32> = now.iter().zip(&before).map(|(a, b)| a + 0.1 * (b - a)).collect();
            let (there, _) = pull(&terms, &adapter(&nearer));
            prop_assert!(there < here, "{distance:?}: {there} nearer, {here} here");
        }
    }

    #[test]
    fn softmax_kl_does_not_see_a_constant_added_to_a_group(now in values(), before in values(), shift in -2.0f32..2.0) {
        let terms = plan(&Peso { lambda: 1.0.into(), ..Peso::default() }, &[adapter(&before)], &[]).main.terms;
        let mut moved = adapter(&now);
        let (first, _) = pull(&terms, &moved);
        for pair in moved.modules.values_mut() {
            pair.a.values.iter_mut().for_each(|value| *value += shift);
            pair.b.values.iter_mut().for_each(|value| *value -= shift);
        }
        let (second, _) = pull(&terms, &moved);
        prop_assert!((first - second).abs() < 1e-5, "{first} and {second}");
    }

    #[test]
    fn without_weight_or_information_nothing_is_pulled(now in values(), before in values()) {
        let past = [adapter(&before)];
        for distance in DISTANCES {
            let terms = plan(&Peso { lambda: 0.0.into(), distance, ..Peso::default() }, &past, &[]).main.terms;
            prop_assert_eq!(pull(&terms, &adapter(&now)), (0.0, 0.0));
        }
        let ewc = plan(&Ewc { lambda: 1e6.into(), ..Ewc::default() }, &past, &[information(0.0)]).main.terms;
        prop_assert_eq!(pull(&ewc, &adapter(&now)), (0.0, 0.0), "EWC with a zero Fisher");
        let o_lora = plan(&OLora { lambda: 0.0 }, &past, &[]).main.terms;
        prop_assert_eq!(pull(&o_lora, &adapter(&now)), (0.0, 0.0));
    }

    #[test]
    fn a_quadratic_stage_ends_between_its_optimum_and_its_past(optimum in values(), before in values(), weight in 0.0f64..50.0) {
        // ½‖v - v*‖² + λ ½‖v - v'‖² has its least value at (v* + λ v') / (1 + λ).
        let l2 = Distance::L2 { squared: true, per_element: false };
        let peso = Peso { lambda: weight.into(), distance: l2, anchor: Anchor::Latest, ..Peso::default() };
        let terms = plan(&peso, &[adapter(&before)], &[]).main.terms;
        let guides = Guides::new(&terms, &Default::default(), &model());
        let goal = on_device::<Flex>(&adapter(&optimum), &Default::default());
        let mut now = on_device::<Flex>(&adapter(&before), &Default::default());
        for _ in 0..60 {
            let gradients = guides.pull(&now).unwrap().gradients;
            let step = |name: &String, value: Tensor<Flex, 2>| {
                let gradient = value.clone() - goal[name].clone() + gradients[name].clone();
                value - gradient.mul_scalar(0.7 / (1.0 + weight))
            };
            now = now.into_iter().map(|(name, value)| (name.clone(), step(&name, value))).collect();
        }
        let expected: Vec<f32> =
            optimum.iter().zip(&before).map(|(o, b)| (o + weight as f32 * b) / (1.0 + weight as f32)).collect();
        for (name, matrix) in adapter(&expected).parameters() {
            let got = Matrix::from_tensor(now[&name].clone());
            for (got, expected) in got.values.iter().zip(&matrix.values) {
                prop_assert!((got - expected).abs() < 1e-4, "{name}: {got} instead of {expected}");
            }
        }
    }

    #[test]
    fn a_past_of_zeros_adds_nothing(now in values()) {
        let zeros = adapter(&[0.0; 14]);
        let plan = plan(&SumLora { inherit: false, ..SumLora::default() }, std::slice::from_ref(&zeros), &[]);
        prop_assert_eq!(&plan.main.added, &[zeros]);
        prop_assert_eq!(&plan.main.start, &adapter(&[0.5; 14]), "from scratch");
        prop_assert!(plan.main.terms.is_empty());
        prop_assert_eq!(adapter(&now).concatenated(&plan.main.added[0]).first_ranks(2), adapter(&now));
    }
}

#[test]
fn groups_are_pulled_by_their_own_weights() {
    let (now, before) = (adapter(&[1.0; 14]), adapter(&[0.0; 14]));
    let peso = Peso {
        lambda: Lambda::Kalman,
        distance: Distance::L2 { squared: true, per_element: false },
        ..Peso::default()
    };
    let term = plan(&peso, &[before], &[]).main.terms.remove(0);
    let weights = Strength::PerGroup([("m.lora_A.weight".to_owned(), 2.0), ("m.lora_B.weight".to_owned(), 3.0)].into());
    let guides = Guides::new(&[term.by_group(&weights)], &Default::default(), &model());
    let pull = guides.pull(&on_device::<Flex>(&now, &Default::default())).unwrap();
    // ½ (2 · 6 values of A + 3 · 8 of B), and each value's gradient is its group's weight.
    assert_eq!(pull.penalty, 18.0);
    for (name, weight) in [("m.lora_A.weight", 2.0), ("m.lora_B.weight", 3.0)] {
        let gradient = Matrix::from_tensor(pull.gradients[name].clone());
        assert!(gradient.values.iter().all(|value| *value == weight), "{name}: {gradient:?}");
    }
}

#[test]
fn a_filter_is_refused_where_there_is_none() {
    let kalman = |peso: Peso| MethodOptions::Peso(Peso { lambda: Lambda::Kalman, ..peso }).check();
    kalman(Peso::default()).unwrap();
    kalman(Peso { anchor: Anchor::Ema { decay: 0.5 }, ..Peso::default() }).unwrap();
    for (peso, word) in [
        (Peso { distance: Distance::Orthogonal, ..Peso::default() }, "absolute values"),
        (Peso { distance: Distance::L2 { squared: false, per_element: false }, ..Peso::default() }, "not squared"),
        (Peso { distance: Distance::OutputKl, ..Peso::default() }, "predictions"),
        (Peso { anchor: Anchor::All, ..Peso::default() }, "several states"),
        (Peso { rows: Rows::Pulled, ..Peso::default() }, "token rows"),
    ] {
        let error = kalman(peso).unwrap_err();
        assert!(error.field == "lambda" && error.problem.contains(word), "{error:?}");
    }
    let ewc = MethodOptions::Ewc(Ewc { lambda: Lambda::Kalman, ..Ewc::default() });
    assert_eq!(ewc.check().unwrap_err().field, "lambda");
}

/// Every method on data small enough for a test, and pairs of them that must be the same.
const PROJECT: &str = r#"(
    format: 1,
    name: "Methods",
    dataset: Synthetic(users: 60, items: 50, stages: 3, codes: 6, interactions: (8.0, 5.0)),
    base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 2),
    training: (epochs: 2, batch: 16, learning_rate: 0.01, later_stage_factor: 0.5, lora: (rank: 2, alpha: 4.0)),
    evaluation: (beams: 5, k: [1, 5]),
    experiments: [
        (name: "single", method: Single),
        (name: "frozen", method: Frozen),
        (name: "peso", method: Peso(lambda: 50.0)),
        (name: "peso 0", method: Peso(lambda: 0.0)),
        (name: "peso none", method: Peso(distance: None)),
        (name: "peso infinite", method: Peso(lambda: 1e9, distance: L2(squared: true, per_element: false))),
        (name: "peso output", method: Peso(distance: OutputKl)),
        (name: "ewc", method: Ewc(examples: 20)),
        (name: "ewc online", method: Ewc(variant: Online(decay: 0.5), examples: 20)),
        (name: "ewc 0", method: Ewc(lambda: 0.0, examples: 20)),
        (name: "lwf", method: Lwf(lambda: 1.0)),
        (name: "lwf 0", method: Lwf(lambda: 0.0)),
        (name: "replay", method: Replay(examples: 10)),
        (name: "retrain", method: Retrain),
        (name: "restart", method: Restart()),
        (name: "restart never", method: Restart(every: 9)),
        (name: "sum all", method: SumLora(past: All, inherit: false)),
        (name: "sd", method: SdLora(past: All)),
        (name: "inf", method: InfLora(examples: 20)),
        (name: "o", method: OLora()),
        (name: "lsat", method: Lsat()),
        (name: "lsat weights", method: Lsat(combination: Weights)),
        (name: "lsat long", method: Lsat(share: 0.0)),
        (name: "lsat weights long", method: Lsat(combination: Weights, share: 0.0)),
        (name: "surgery", method: GradientSurgery(method: Single, examples: 20)),
        (name: "federated", method: Federated(
            method: Peso(lambda: 50.0), clients: 4, participation: 0.7, rounds: 3, local_steps: 2, clip: 0.1, noise: 0.5, anchor: Server,
        )),
        (name: "federated directions", method: Federated(
            method: Peso(lambda: 50.0), clients: 3, split: Taste(alpha: 0.5), rounds: 2, local_steps: 2, share: Directions(length: 0.01),
        )),
        (name: "sasrec", method: SasRec(width: 8, layers: 1, heads: 1, inner: 8, batch: 32, epochs: 3)),
        (name: "towers", method: TwoTower(width: 8, batch: 32, epochs: 3)),
        (name: "pisa", method: TwoTower(width: 8, batch: 32, epochs: 3, variant: Pisa(clusters: 3))),
        (name: "hybrid", method: Hybrid(adapter: "single", towers: "towers")),
        (name: "surgery 0", method: GradientSurgery(method: Single, length: 0.0, examples: 20)),
        (name: "peso by ratio", method: Peso(lambda: PullRatio(0.3), distance: L2(squared: true, per_element: false))),
        (name: "peso validated", method: Peso(lambda: Validated([0.5, 200, 5000]))),
        (name: "peso 0.5", method: Peso(lambda: 0.5)),
        (name: "peso 200", method: Peso(lambda: 200.0)),
        (name: "peso 5000", method: Peso(lambda: 5000.0)),
        (name: "peso by filter", method: Peso(lambda: Kalman)),
        (name: "peso rows", method: Peso(lambda: 50.0, rows: Pulled)),
        (name: "ewc rows", method: Ewc(examples: 20, rows: Pulled)),
    ],
    seeds: [1],
)"#;

/// Stops the worker after so many reports of progress.
struct Patience(Cell<usize>);

impl Watcher for Patience {
    fn run_started(&mut self, _number: usize, _of: usize, _config: &RunConfig) {}

    fn progress(&mut self, _progress: &Progress) {
        self.0.set(self.0.get().saturating_sub(1));
    }

    fn event(&mut self, _level: Level, _text: &str) {}

    fn interrupted(&self) -> bool {
        self.0.get() == 0
    }
}

fn run(
    project: &Project,
    selection: &RunSelection,
    options: &RunOptions,
    patience: usize,
) -> Vec<(String, Status, Option<String>)> {
    let outcomes = worker::run(project, selection, options, &mut Patience(Cell::new(patience))).unwrap();
    outcomes.into_iter().map(|o| (o.experiment, o.status, o.reason)).collect()
}

/// The matrices of each experiment's results.
fn matrices(project: &Project) -> BTreeMap<String, BTreeMap<String, Vec<Vec<f64>>>> {
    let (results, unusable) = Results::read(project, &project.runs_dir(None), Protocol::SameBlock);
    assert!(unusable.is_empty(), "{unusable:?}");
    results.runs.into_iter().map(|run| (run.experiment, run.matrix)).collect()
}

/// What each experiment's stages were trained on and ended with.
fn training_figures(project: &Project) -> BTreeMap<String, Vec<(u64, f64)>> {
    let (results, _) = Results::read(project, &project.runs_dir(None), Protocol::SameBlock);
    let stages = |run: RunResult| run.stages.iter().map(|stage| (stage.train_examples, stage.final_loss)).collect();
    results.runs.into_iter().map(|run| (run.experiment.clone(), stages(run))).collect()
}

/// The adapter after the last stage, of the first rank alone or with what it carries.
fn last_adapter(project: &Project, experiment: &str) -> Adapter {
    let (folders, _) = RunFolder::list_all(&project.runs_dir(None));
    let folder = folders.into_iter().find(|f| f.config().experiment == experiment).unwrap();
    let compact =
        LlamaConfig::compact(&Compact { width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, ..Compact::default() });
    weights::read_peft(&folder.adapter(3), &compact).unwrap().0
}

/// Root of the summed squared differences.
fn distance(left: &Adapter, right: &Adapter) -> f64 {
    let pairs = left.parameters().zip(right.parameters());
    let squares = pairs.flat_map(|((_, a), (_, b))| a.values.iter().zip(&b.values));
    squares.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
}

fn open(folder: &Path) -> Project {
    fs::write(folder.join("project.ron"), PROJECT).unwrap();
    Project::load(folder).unwrap()
}

#[test]
fn every_method_trains_and_those_that_must_be_the_same_are() {
    let folder = tempfile::tempdir().unwrap();
    let project = open(folder.path());
    let options =
        RunOptions { device: DeviceChoice::Cpu, checkpoint_every: Duration::from_secs(60), ..RunOptions::default() };
    for (experiment, status, reason) in run(&project, &RunSelection::default(), &options, usize::MAX) {
        assert_eq!(status, Status::Finished, "{experiment}: {reason:?}");
    }
    let used: Vec<&str> = project.experiments.iter().map(|e| e.method.card().key).collect();
    // What is made of a finished run has tests of its own.
    for method in MethodOptions::all().into_iter().filter(|method| method.card().key != "steered") {
        assert!(used.contains(&method.card().key), "{} is not tried", method.card().name);
    }

    let results = matrices(&project);
    for same in ["peso 0", "peso none", "ewc 0", "lwf 0", "surgery 0", "restart never"] {
        assert_eq!(results[same], results["single"], "{same} is a single evolving LoRA");
        assert_eq!(last_adapter(&project, same), last_adapter(&project, "single"), "{same}");
    }
    assert_eq!(results["lsat long"], results["lsat weights long"], "the long-term adapter alone, either way");
    let single = last_adapter(&project, "single");
    for other in [
        "peso",
        "peso output",
        "ewc",
        "ewc online",
        "lwf",
        "replay",
        "retrain",
        "restart",
        "sum all",
        "sd",
        "inf",
        "o",
        "lsat",
        "surgery",
        "peso by ratio",
        "peso by filter",
        "ewc rows",
    ] {
        assert_ne!(last_adapter(&project, other), single, "{other} does something");
    }
    assert_ne!(results["lsat"]["ndcg@5"], results["lsat weights"]["ndcg@5"]);

    for other in ["sasrec", "towers", "pisa", "hybrid"] {
        let cells = &results[other]["hit@5"];
        assert!(cells.iter().flatten().all(|value| (0.0..=1.0).contains(value)), "{other}: {cells:?}");
        assert_ne!(results[other]["ndcg@5"], results["single"]["ndcg@5"], "{other}");
    }
    assert_ne!(results["hybrid"]["ndcg@5"], results["towers"]["ndcg@5"]);
    assert_ne!(last_adapter(&project, "peso rows"), last_adapter(&project, "peso"), "rows that are held");
    assert_ne!(last_adapter(&project, "ewc rows"), last_adapter(&project, "ewc"), "rows that are held");
    the_chosen_candidate_is_the_run_with_that_lambda(&project);
    the_pull_has_its_share_of_the_gradient(&project, 0.3);
    every_group_has_a_weight_of_its_own(&project);
    let frozen = last_adapter(&project, "frozen");
    let held = distance(&last_adapter(&project, "peso infinite"), &frozen);
    let free = distance(&single, &frozen);
    assert!(held < 0.2 * free, "λ → ∞ holds the adapter: moved {held}, freely {free}");
    let inf = last_adapter(&project, "inf");
    assert_eq!(inf.modules.values().next().unwrap().a.rows, 6, "the current adapter and those of two stages");
}

fn folder_of(project: &Project, experiment: &str) -> RunFolder {
    let (folders, _) = RunFolder::list_all(&project.runs_dir(None));
    folders.into_iter().find(|folder| folder.config().experiment == experiment).unwrap()
}

/// What the stages of an experiment found, from stage 2 on.
fn lambdas(project: &Project, experiment: &str) -> Vec<(Lambda, f64)> {
    let stages = folder_of(project, experiment).reader().unwrap().stages().unwrap();
    let found = stages.into_iter().skip(1).map(|stage| stage.lambda.unwrap());
    found.map(|found| (found.rule, found.value.one().unwrap())).collect()
}

/// Steps of a stage, without their wall time.
fn steps_of(project: &Project, experiment: &str, stage: usize) -> Vec<StepRecord> {
    let steps = folder_of(project, experiment).reader().unwrap().steps_after(0).unwrap().into_iter();
    let steps = steps.map(|(_, step)| StepRecord { seconds: 0.0, ..step });
    steps.filter(|step| step.stage == stage && step.phase == Phase::Train).collect()
}

/// Stage 2 starts from the same state in all runs; there the candidate that is chosen has the lowest validation loss, and its
/// steps and the stage's figures are those of the run that has that λ alone.
fn the_chosen_candidate_is_the_run_with_that_lambda(project: &Project) {
    let candidates = [0.5, 200.0, 5000.0];
    let second = |experiment: &str| folder_of(project, experiment).reader().unwrap().stages().unwrap().remove(1);
    let first_loss = |lambda: &f64| second(&format!("peso {lambda}")).validation_losses[0];
    // Two epochs: the worst of three goes after the first, the rest are held against each other after the second.
    let mut left = candidates.to_vec();
    left.sort_by(|a, b| first_loss(a).total_cmp(&first_loss(b)));
    left.truncate(2);
    let least = |lambda: &f64| second(&format!("peso {lambda}")).validation_losses.into_iter().fold(f64::MAX, f64::min);
    let best = left.into_iter().min_by(|a, b| least(a).total_cmp(&least(b))).unwrap();
    let (rule, chosen) = lambdas(project, "peso validated").remove(0);
    assert_eq!((rule, chosen), (Lambda::Validated(candidates.to_vec()), best));
    let fixed = format!("peso {chosen}");
    assert_eq!(second("peso validated").validation_losses, second(&fixed).validation_losses);
    assert_eq!(steps_of(project, "peso validated", 2), steps_of(project, &fixed, 2));
}

/// Nothing is pulled before the ratio is set, and the share over the rest of the stage is what was asked for, within a half.
fn the_pull_has_its_share_of_the_gradient(project: &Project, ratio: f64) {
    for (stage, (rule, lambda)) in (2..).zip(lambdas(project, "peso by ratio")) {
        assert!(rule == Lambda::PullRatio(ratio) && lambda > 0.0, "{rule:?} {lambda}");
        let ratios: Vec<f64> = steps_of(project, "peso by ratio", stage).iter().map(|step| step.pull_ratio).collect();
        let window = Window::of(ratios.len());
        let (before, after) = ratios.split_at(window.skipped + window.measured);
        assert!(before.iter().all(|ratio| *ratio == 0.0), "stage {stage}: {before:?}");
        let mean = after.iter().sum::<f64>() / after.len() as f64;
        assert!((ratio / 1.5..ratio * 1.5).contains(&mean), "stage {stage}: {mean} of {ratios:?}");
    }
}

/// What the filter found for each group, by stage from 2 on.
fn filtered(project: &Project) -> Vec<BTreeMap<String, f64>> {
    let stages = folder_of(project, "peso by filter").reader().unwrap().stages().unwrap();
    let found = stages.into_iter().skip(1).map(|stage| stage.lambda.unwrap());
    let groups = |found: StageLambda| match found.value {
        Strength::PerGroup(groups) if found.rule == Lambda::Kalman && found.cost_seconds > 0.0 => groups,
        other => panic!("{:?} by {:?}", other, found.rule),
    };
    found.map(groups).collect()
}

fn every_group_has_a_weight_of_its_own(project: &Project) {
    let (names, stages) = (last_adapter(project, "peso by filter"), filtered(project));
    for groups in &stages {
        assert!(names.parameters().map(|(name, _)| name).eq(groups.keys().cloned()), "{groups:?}");
        assert!(groups.values().all(|lambda| lambda.is_finite() && *lambda > 0.0), "{groups:?}");
        let (least, most) =
            (groups.values().copied().fold(f64::MAX, f64::min), groups.values().fold(0.0, |a: f64, b| a.max(*b)));
        assert!(most > 1.5 * least, "groups differ: {least} to {most}");
    }
    assert_ne!(stages[0], stages[1], "each stage finds its own");
}

#[test]
fn every_method_ends_with_the_same_numbers_however_often_it_is_interrupted() {
    let (whole, interrupted) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (undisturbed, project) = (open(whole.path()), open(interrupted.path()));
    let names = [
        "sd",
        "inf",
        "ewc online",
        "lwf",
        "replay",
        "lsat",
        "lsat weights",
        "surgery",
        "single",
        "peso by ratio",
        "peso validated",
        "peso by filter",
        "ewc rows",
        "sasrec",
        "pisa",
        "towers",
        "hybrid",
        "federated",
        "federated directions",
    ];
    let experiments = names.map(str::to_owned).to_vec();
    let selection = RunSelection { experiments, ..RunSelection::default() };
    let options =
        RunOptions { device: DeviceChoice::Cpu, checkpoint_every: Duration::from_secs(60), ..RunOptions::default() };
    run(&undisturbed, &selection, &options, usize::MAX);
    let mut stops = 0;
    while run(&project, &selection, &options, 23 + 7 * (stops % 5))
        .iter()
        .any(|(_, status, _)| *status != Status::Finished)
    {
        stops += 1;
        assert!(stops < 1_000, "it never comes to an end");
    }
    assert!(stops > 10, "interrupted {stops} times");
    assert_eq!(matrices(&project), matrices(&undisturbed));
    assert_eq!(training_figures(&project), training_figures(&undisturbed));
    assert_eq!(filtered(&project), filtered(&undisturbed));
    assert_eq!(steps_of(&project, "peso by filter", 3), steps_of(&undisturbed, "peso by filter", 3));
    for rule in ["peso by ratio", "peso validated"] {
        assert_eq!(lambdas(&project, rule), lambdas(&undisturbed, rule));
        assert_eq!(steps_of(&project, rule, 3), steps_of(&undisturbed, rule, 3));
    }
}
