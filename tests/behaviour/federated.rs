//! Stages that simulated clients train: where they must be what the stage is in one place, and what they leave.

use std::fs;
use std::path::Path;
use std::time::Duration;

use peso_workbench::analysis::clients::ClientOverlaps;
use peso_workbench::device::DeviceChoice;
use peso_workbench::measure::privacy::SampledGaussian;
use peso_workbench::model::adapter::Matrices;
use peso_workbench::model::weights::Weights;
use peso_workbench::project::Project;
use peso_workbench::run::federation::Round;
use peso_workbench::run::observer::{Level, Phase, Progress, StepRecord};
use peso_workbench::run::{RunConfig, RunFolder, RunOptions, RunSelection, Status};
use peso_workbench::subspace::Side;
use peso_workbench::train::recorder::Watcher;
use peso_workbench::train::worker;

struct Silent;

impl Watcher for Silent {
    fn run_started(&mut self, _number: usize, _of: usize, _config: &RunConfig) {}

    fn progress(&mut self, _progress: &Progress) {}

    fn event(&mut self, _level: Level, _text: &str) {}

    fn interrupted(&self) -> bool {
        false
    }
}

/// A project of experiments (a line of the project file each) on data of two stages.
fn project(folder: &Path, experiments: &[String]) -> Project {
    let text = format!(
        r#"(
            format: 1,
            name: "Federated",
            dataset: Synthetic(users: 60, items: 50, stages: 2, codes: 6, interactions: (8.0, 5.0)),
            base_model: Compact(width: 16, layers: 2, heads: 2, kv_heads: 1, ffn: 32, epochs: 1),
            training: (
                epochs: 2, batch: 16, learning_rate: 0.01, warm_up: 0.2, dropout: 0.1, keep: LastEpoch,
                lora: (rank: 2, alpha: 4.0),
            ),
            evaluation: (beams: 5, k: [1, 5]),
            experiments: [{}],
            seeds: [1],
        )"#,
        experiments.join(", ")
    );
    fs::write(folder.join("project.ron"), text).unwrap();
    Project::load(folder).unwrap()
}

/// The same, trained.
fn trained(folder: &Path, experiments: &[String]) -> Project {
    let project = project(folder, experiments);
    let options =
        RunOptions { device: DeviceChoice::Cpu, checkpoint_every: Duration::from_secs(60), ..RunOptions::default() };
    for outcome in worker::run(&project, &RunSelection::default(), &options, &mut Silent).unwrap() {
        assert_eq!(outcome.status, Status::Finished, "{}: {:?}", outcome.experiment, outcome.reason);
    }
    project
}

fn folder_of(project: &Project, experiment: &str) -> RunFolder {
    let (folders, _) = RunFolder::list_all(&project.runs_dir(None));
    folders.into_iter().find(|folder| folder.config().experiment == experiment).unwrap()
}

/// The adapter and the token rows after stage 2.
fn state(folder: &RunFolder) -> Matrices {
    let read = |file: &str| {
        let weights = Weights::open_file(&folder.adapter(2).join(file)).unwrap();
        let names: Vec<String> = weights.names().map(str::to_owned).collect();
        names.into_iter().map(|name| (name.clone(), weights.matrix(&name, None).unwrap())).collect::<Vec<_>>()
    };
    read("adapter_model.safetensors").into_iter().chain(read("token_rows.safetensors")).collect()
}

fn steps(folder: &RunFolder) -> Vec<StepRecord> {
    let all = folder.reader().unwrap().steps_after(0).unwrap();
    let of_stage = |step: &StepRecord| step.phase == Phase::Train && step.stage == 2;
    all.into_iter().map(|(_, step)| step).filter(of_stage).collect()
}

fn single(name: &str) -> String {
    format!("(name: \"{name}\", method: Peso(lambda: 20.0))")
}

fn federated(name: &str, options: &str) -> String {
    format!("(name: \"{name}\", method: Federated(method: Peso(lambda: 20.0), {options}))")
}

#[test]
fn one_client_that_always_takes_part_is_the_stage_in_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let project = trained(folder.path(), &[single("whole")]);
    let whole = folder_of(&project, "whole");
    let (wanted, count) = (state(&whole), steps(&whole).len());
    let options = format!("clients: 1, rounds: 1, local_steps: {count}");
    let halves = format!("clients: 1, rounds: 2, local_steps: {}", count / 2);
    let project = trained(folder.path(), &[single("whole"), federated("one", &options), federated("halves", &halves)]);
    let one = folder_of(&project, "one");
    let losses = |folder| steps(folder).iter().map(|step| (step.step, step.loss, step.examples)).collect::<Vec<_>>();
    assert_eq!(losses(&one), losses(&whole));
    assert_eq!(state(&one), wanted);
    // An optimiser that starts over is another training, of the same data.
    let halves = folder_of(&project, "halves");
    assert_ne!(state(&halves), wanted);
    assert_eq!(losses(&halves)[..=count / 2], losses(&whole)[..=count / 2]);
}

#[test]
fn what_rounds_cost_is_told_and_clients_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let private = "clients: 5, participation: 0.6, rounds: 4, local_steps: 2, clip: 0.001, noise: 1.5, delta: 0.001";
    let open = "clients: 5, rounds: 2, local_steps: 2";
    let project = trained(folder.path(), &[federated("private", private), federated("open", open)]);
    let rounds = |name| -> Vec<Round> { folder_of(&project, name).rounds(2).unwrap().unwrap() };

    let told = rounds("private");
    assert_eq!(told.len(), 4);
    let mechanism = SampledGaussian { sampling: 0.6, noise: 1.5 };
    for (round, number) in told.iter().zip(1..) {
        assert_eq!(round.epsilon, Some(mechanism.epsilon(number, 0.001)), "round {number}");
        assert_eq!(round.clipped, round.clients.len(), "steps of AdamW go further than 0.001");
    }
    let of_round = |round: usize| steps(&folder_of(&project, "private")).iter().filter(|s| s.epoch == round).count();
    for round in &told {
        assert_eq!(of_round(round.round), 2 * round.clients.len());
    }

    let numbers: usize = state(&folder_of(&project, "open")).values().map(|matrix| matrix.values.len()).sum();
    for round in rounds("open") {
        assert_eq!((round.clients.as_slice(), round.epsilon), (&[1, 2, 3, 4, 5][..], None));
        // All take part in the first round, whose state is what PESO pulls toward: it is not sent twice.
        assert_eq!((round.bytes_down, round.bytes_up), (5 * 4 * numbers as u64, 5 * 4 * numbers as u64));
    }
    let run = folder_of(&project, "open");
    let last = run.last_round(2).unwrap().unwrap();
    assert_eq!(last.clients.len(), 5);
    let overlaps = ClientOverlaps::of_stage(&run, 2, Side::Left).unwrap().unwrap();
    for (row, values) in overlaps.overlaps.iter().enumerate() {
        assert!((values[row].unwrap() - 1.0).abs() < 1e-9);
        assert!(values.iter().all(|value| (0.0..=1.0 + 1e-9).contains(&value.unwrap())), "{values:?}");
    }
    // The server's change is the mean of the clients', which have different numbers of examples: it lies between them.
    for (name, after) in last.after.parameters() {
        let of = |adapter: &peso_workbench::model::Adapter, at: usize| {
            adapter.parameters().find(|(other, _)| *other == name).unwrap().1.values[at]
        };
        for (at, &value) in after.values.iter().enumerate() {
            let all = last.clients.iter().map(|(_, client)| of(client, at));
            let (low, high) = all.fold((f32::MAX, f32::MIN), |(low, high), value| (low.min(value), high.max(value)));
            assert!((low..=high).contains(&value), "{name}: {value} is not between {low} and {high}");
        }
    }
}

#[test]
fn a_table_that_cannot_be_used_is_told_before_anything_is_trained() {
    let folder = tempfile::tempdir().unwrap();
    let project = project(folder.path(), &[federated("by column", "split: Column(users: \"../users.csv:region\")")]);
    let options = RunOptions { device: DeviceChoice::Cpu, ..RunOptions::default() };
    let outcomes = worker::run(&project, &RunSelection::default(), &options, &mut Silent).unwrap();
    let refused = outcomes.iter().find(|outcome| outcome.experiment == "by column").unwrap();
    assert!(refused.status == Status::Failed && refused.unusable_input, "{refused:?}");
    assert!(refused.reason.as_ref().unwrap().contains("outside the project's folder"), "{refused:?}");
    let runs = fs::read_dir(project.runs_dir(None)).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<String> = runs.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.starts_with("shared-base")), "no base model was trained for it: {names:?}");
}
