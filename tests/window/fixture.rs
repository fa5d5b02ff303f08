//! Run folders with fixed content, written as a worker writes them.

use std::collections::BTreeMap;
use std::path::Path;

use peso_workbench::data::Protocol;
use peso_workbench::measure::{Slice, Slices};
use peso_workbench::model::LoraShape;
use peso_workbench::model::adapter::{Adapter, Matrix, Pair};
use peso_workbench::model::weights::write_peft;
use peso_workbench::project::Project;
use peso_workbench::run::observer::{
    CellIndex, EvaluationRecord, Level, Observer, Phase, Progress, StageRecord, StepRecord, TestSet, UserOutcome,
};
use peso_workbench::run::{RunConfig, RunFolder, RunMethod, RunWriter, Status};

/// A project that is trained in a few seconds on one core.
pub const TINY: &str = r#"(
    format: 1,
    name: "Tiny",
    dataset: Synthetic((users: 60, items: 40, stages: 2, codes: 8)),
    base_model: Compact((width: 16, layers: 1, heads: 2, kv_heads: 1, ffn: 32, epochs: 1)),
    training: (epochs: 1),
    evaluation: (beams: 10, k: [10], users: Sample(20)),
    experiments: [(name: "Pulled", method: Peso(())), (name: "Free", method: Single)],
)"#;

/// When every fixed run was started, in seconds since 1970.
pub const STARTED: u64 = 1_700_000_000;

/// What a fixed run has come to.
#[derive(Clone, Copy)]
pub struct Come {
    /// Stages that are finished.
    pub stages: usize,
    pub status: Status,
    pub reason: Option<&'static str>,
}

impl Come {
    pub const FINISHED: Self = Self { stages: 5, status: Status::Finished, reason: None };
}

/// The frozen configuration of a run of `method`.
pub fn config(project: &Project, experiment: &str, method: RunMethod, seed: u64) -> RunConfig {
    let config_hash = RunConfig::hash_of(project, &method).unwrap();
    RunConfig {
        format: RunConfig::FORMAT,
        identity: RunConfig::IDENTITY,
        run: RunConfig::id_of(experiment, &method, seed, &config_hash),
        experiment: experiment.to_owned(),
        method,
        seed,
        project: project.clone(),
        device: "CPU".to_owned(),
        version: "0.1.0".to_owned(),
        config_hash,
        data_hash: "5f2a".to_owned(),
        model_hash: "9b1c".to_owned(),
        synthetic: true,
        stages: 5,
        catalogue: None,
        trainable_parameters: 41_984,
        created_unix: STARTED,
    }
}

/// The run of the project's experiment at `place` with its first seed.
pub fn planned(project: &Project, place: usize) -> RunConfig {
    let experiment = &project.experiments[place];
    config(project, &experiment.name, RunMethod::Learned(experiment.method.clone()), project.seeds[0])
}

/// Writes a run; the returned folder can be locked and written to further.
pub fn write(runs_dir: &Path, config: &RunConfig, level: f64, come: Come) -> RunFolder {
    let folder = RunFolder::create(runs_dir, config).unwrap();
    let _lock = folder.lock().unwrap();
    let mut writer = folder.writer().unwrap();
    writer.set_status(Status::Running, None).unwrap();
    writer.event(Level::Info, "Training on CPU, 2 threads").unwrap();
    for stage in 1..=come.stages {
        write_stage(&mut writer, config, stage, level);
    }
    if come.status == Status::Failed {
        writer.event(Level::Error, "The loss is no number any more").unwrap();
    }
    writer.set_status(come.status, come.reason).unwrap();
    writer.flush().unwrap();
    folder
}

/// Writes one stage: its steps, its tests and its figures.
pub fn write_stage(writer: &mut RunWriter, config: &RunConfig, stage: usize, level: f64) {
    write_stage_of(writer, config, stage, level, 60);
}

/// The same with so many steps, where its method takes any.
pub fn write_stage_of(writer: &mut RunWriter, config: &RunConfig, stage: usize, level: f64, steps: usize) {
    let mut record = StageRecord { stage, train_examples: 1200, test_users: 200, ..Default::default() };
    writer.stage(&record).unwrap();
    let learned = config.method.is_learned();
    let steps = if learned { steps } else { 0 };
    for step in 1..=steps {
        writer.step(&step_record(config, stage, step, steps)).unwrap();
    }
    for &protocol in config.project.evaluation.protocol.each() {
        for tested in (1..=5).filter(|tested| protocol.measures(stage, *tested)) {
            writer.evaluation(&evaluation(protocol, stage, tested, level)).unwrap();
        }
        let slices = (0..users(protocol)).map(slices_of).collect();
        writer.test_set(&TestSet { protocol, stage, left_out: 6, slices }).unwrap();
    }
    if learned {
        record.validation_losses = [2.31, 2.28].map(|loss| loss - 0.05 * stage as f64 - level).to_vec();
        record.best_epoch = 2;
    }
    record.train_seconds = 11.0;
    record.eval_seconds = 3.0;
    record.peak_memory_bytes = 320 << 20;
    record.final_loss = 2.1;
    record.finished = true;
    writer.stage(&record).unwrap();
    writer.event(Level::Info, &format!("Stage {stage} of 5 is finished")).unwrap();
    writer.progress(&progress(stage, 60)).unwrap();
}

/// A worker `done` steps into a stage of 60.
pub fn progress(stage: usize, done: u64) -> Progress {
    let phase = Phase::Train;
    Progress { phase, stage, stages: 5, done, total: 60, rate: 412.0, eta_seconds: Some(75.0), memory_bytes: 320 << 20 }
}

fn step_record(config: &RunConfig, stage: usize, step: usize, steps: usize) -> StepRecord {
    let at = step as f64 / steps as f64;
    let ripple = ((stage * 97 + step * 31) % 17) as f64 / 17.0 - 0.5;
    let pulled = config.method.key() == "peso" && stage > 1;
    let penalty = if pulled { 0.12 * at * (1.0 - 0.4 * at) } else { 0.0 };
    let loss = 2.2 + 0.9 / (1.0 + 4.0 * at + stage as f64) + 0.08 * ripple + config.seed as f64 * 1e-4;
    StepRecord {
        phase: Phase::Train,
        stage,
        epoch: 1 + usize::from(at > 0.5),
        step,
        steps,
        loss,
        penalty,
        penalty_share: penalty / (loss + penalty),
        pull_ratio: penalty * 2.5,
        gradient_norm: 0.8,
        learning_rate: 1e-3 * (1.0 - at),
        examples: 32,
        seconds: 0.08,
    }
}

/// Users that a stage tests: who is new cannot be asked of a model before the stage.
const fn users(protocol: Protocol) -> u32 {
    match protocol {
        Protocol::SameBlock | Protocol::GlobalTime => 100,
        Protocol::NextBlock => 60,
    }
}

/// Of 100 users 57 are returning, 40 new and 3 dormant, which are 12 tests of stages 2 to 5.
fn slices_of(user: u32) -> Slices {
    let group = match user {
        0..57 => Slice::Returning,
        57..97 => Slice::New,
        _ => Slice::Dormant,
    };
    let target = if user.is_multiple_of(4) { Slice::Cold } else { Slice::Warm };
    let popularity = match user % 5 {
        _ if target == Slice::Cold => Slice::Tail,
        0 | 1 => Slice::Head,
        2 | 3 => Slice::Mid,
        _ => Slice::Tail,
    };
    let history = [Slice::Short, Slice::Medium, Slice::Long][user as usize % 3];
    [group, target, popularity, history]
}

/// A list of which every stage's training changes about a fifth.
fn top_ten(user: u32, trained_stage: u32, found: bool) -> Vec<u32> {
    let item = |place: u32| {
        let changes =
            (2..=trained_stage).filter(|stage| (user * 31 + stage * 17 + place * 7).is_multiple_of(5)).count();
        (user * 7 + place * 13 + changes as u32 * 101) % 380 + 10
    };
    (0..10).map(|place| if found && place == 1 { 3 } else { item(place) }).collect()
}

/// Writes adapters of `layers` layers and a width into a run: in every stage their directions turn a little.
pub fn adapters(run: &RunFolder, layers: usize, width: usize) {
    let shapes =
        [("self_attn.q_proj", 1, 1), ("self_attn.v_proj", 2, 1), ("self_attn.o_proj", 1, 1), ("mlp.down_proj", 1, 3)];
    for stage in 1..=run.config().stages {
        let mut adapter = Adapter::default();
        for layer in 0..layers {
            for (place, (name, less, more)) in shapes.into_iter().enumerate() {
                let turn = (0.08 + 0.01 * run.config().experiment.len() as f64)
                    * (stage - 1) as f64
                    * (1.0 + layer as f64 + place as f64 / 2.0);
                let entry = |row: usize, column: usize, kind: f64| {
                    let wave = |phase: f64| ((row + 1) as f64 * (column as f64 * 0.61 + kind + phase)).sin();
                    (turn.cos() * wave(0.0) + turn.sin() * wave(2.1)) / (row + 1) as f64
                };
                let a = matrix(8, width * more, |row, column| entry(row, column, layer as f64));
                let b = matrix(width / less, 8, |row, column| entry(column, row, 0.5 + place as f64) * stage as f64);
                adapter.modules.insert(format!("model.layers.{layer}.{name}"), Pair { a, b });
            }
        }
        write_peft(&run.adapter(stage), &adapter, LoraShape::default(), &BTreeMap::new()).unwrap();
    }
}

fn matrix(rows: usize, columns: usize, entry: impl Fn(usize, usize) -> f64) -> Matrix {
    let values = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    Matrix { rows, columns, values: values.map(|(row, column)| entry(row, column) as f32).collect() }
}

fn evaluation(protocol: Protocol, trained_stage: usize, test_stage: usize, level: f64) -> EvaluationRecord {
    let level = if protocol == Protocol::NextBlock { 0.7 * level } else { level };
    let distance = trained_stage.abs_diff(test_stage) as f64;
    let value = level * (1.0 - 0.12 * distance) * (1.0 + 0.03 * test_stage as f64);
    let metrics = [
        ("hit@5", 1.3),
        ("hit@10", 1.9),
        ("ndcg@5", 0.9),
        ("ndcg@10", 1.0),
        ("hit@10_corrected", 1.85),
        ("ndcg@10_corrected", 0.97),
    ];
    let mut metrics: BTreeMap<String, f64> =
        metrics.into_iter().map(|(name, factor)| (name.to_owned(), value * factor)).collect();
    metrics.insert("invalid_rate".to_owned(), 0.0);
    let user = |user: u32| {
        let found = (user * 37 + test_stage as u32 * 11 + distance as u32 * 5) % 100 < (level * 600.0) as u32;
        let rank = if found { 2 } else { 0 };
        UserOutcome {
            user,
            target: 3,
            rank,
            before: u32::from(found),
            sharing: u32::from(found),
            top: top_ten(user, trained_stage as u32, found),
            known: None,
        }
    };
    let at = CellIndex { protocol, trained: trained_stage, tested: test_stage };
    EvaluationRecord { at, metrics, users: (0..users(protocol)).map(user).collect(), seconds: 0.6 }
}
