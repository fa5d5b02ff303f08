//! Run folders with known content, written as a worker writes them.

use std::path::Path;

use peso_workbench::data::Protocol;
use peso_workbench::measure::{Slice, Slices};
use peso_workbench::project::Project;
use peso_workbench::run::observer::{CellIndex, EvaluationRecord, Observer as _, TestSet, UserOutcome};
use peso_workbench::run::{RunConfig, RunFolder, RunMethod};
use peso_workbench::semantic_id::IdCounts;

/// The method of an experiment of a project.
pub fn learned(project: &Project, name: &str) -> RunMethod {
    RunMethod::Learned(project.experiments.iter().find(|e| e.name == name).unwrap().method.clone())
}

/// A new run folder of two stages in the project's own folder of runs.
pub fn create(project: &Project, name: &str, method: &RunMethod, seed: u64) -> RunFolder {
    let config_hash = RunConfig::hash_of(project, method).unwrap();
    let config = RunConfig {
        format: RunConfig::FORMAT,
        identity: RunConfig::IDENTITY,
        run: RunConfig::id_of(name, method, seed, &config_hash),
        experiment: name.to_owned(),
        method: method.clone(),
        seed,
        project: project.clone(),
        device: "cpu".to_owned(),
        version: "0.1.0".to_owned(),
        config_hash,
        data_hash: "da7a".to_owned(),
        model_hash: "0de1".to_owned(),
        synthetic: true,
        stages: 2,
        catalogue: Some(IdCounts { items: 145, ids: 93 }),
        trainable_parameters: 1234,
        created_unix: 0,
    };
    RunFolder::create(&project.runs_dir(None), &config).unwrap()
}

/// Users whom [`hits`] asks.
pub const USERS: u32 = 40;

/// Writes the tests of stage 2 as the newest model answers them, of which the first `hits` of 40 are hit in place 3. The
/// first 24 users are new, the next 15 returning, the last dormant.
pub fn hits(run: &RunFolder, protocol: Protocol, hits: u32, first_user: u32) {
    shared_hits(run, protocol, hits, first_user, 1);
}

/// [`hits`] of ids that `sharing` items have each: the two before the target's, and the target's own.
pub fn shared_hits(run: &RunFolder, protocol: Protocol, hits: u32, first_user: u32, sharing: u32) {
    let mut writer = run.writer().unwrap();
    let outcome = |user: u32| {
        let hit = u32::from(user < hits);
        UserOutcome {
            user: first_user + user,
            target: 1,
            rank: 3 * hit,
            before: 2 * sharing * hit,
            sharing: sharing * hit,
            top: vec![],
            known: None,
        }
    };
    let at = CellIndex { protocol, trained: protocol.newest(2), tested: 2 };
    let metrics = [("hit@10".to_owned(), f64::from(hits) / f64::from(USERS))].into();
    let users = (0..USERS).map(outcome).collect();
    writer.evaluation(&EvaluationRecord { at, metrics, users, seconds: 0.0 }).unwrap();
    let group = |user| match user {
        0..24 => Slice::New,
        24..39 => Slice::Returning,
        _ => Slice::Dormant,
    };
    let slices: Vec<Slices> = (0..USERS).map(|user| [group(user), Slice::Warm, Slice::Head, Slice::Short]).collect();
    writer.test_set(&TestSet { protocol, stage: 2, left_out: 6, slices }).unwrap();
}

/// The project in a folder that has a `project.ron` of this text.
pub fn project(folder: &Path, text: &str) -> Project {
    std::fs::write(folder.join("project.ron"), text).unwrap();
    Project::load(folder).unwrap()
}
