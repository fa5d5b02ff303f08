//! Event files, read back by a reader of their own.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use peso_workbench::data::Protocol;
use peso_workbench::project::file::DEMO;
use peso_workbench::run::observer::{CellIndex, EvaluationRecord, Observer, Phase, StageRecord, StepRecord};

use crate::runs;

/// The fields of a message: numbers, eight or four bytes, and bytes.
fn fields(mut bytes: &[u8]) -> Vec<(u64, Vec<u8>)> {
    fn varint(bytes: &mut &[u8]) -> u64 {
        let mut number = 0;
        for shift in (0..).step_by(7) {
            let byte = bytes[0];
            *bytes = &bytes[1..];
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
    }
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let length = match key & 7 {
            0 => {
                found.push((key >> 3, varint(&mut bytes).to_le_bytes().to_vec()));
                continue;
            }
            1 => 8,
            5 => 4,
            2 => varint(&mut bytes) as usize,
            other => panic!("kind {other}"),
        };
        found.push((key >> 3, bytes[..length].to_vec()));
        bytes = &bytes[length..];
    }
    found
}

fn of(fields: &[(u64, Vec<u8>)], number: u64) -> &[u8] {
    &fields.iter().find(|(field, _)| *field == number).unwrap().1
}

#[test]
fn a_run_is_exported_as_scalars_by_step_and_stage() {
    let folder = tempfile::tempdir().unwrap();
    let project = runs::project(folder.path(), DEMO);
    let run = runs::create(&project, "PESO", &runs::learned(&project, "PESO"), 1);
    let mut writer = run.writer().unwrap();
    for stage in 1..=2 {
        for step in 1..=3 {
            let loss = if step == 2 { f64::NAN } else { stage as f64 + 0.25 * step as f64 };
            let record = StepRecord {
                phase: Phase::Train,
                stage,
                epoch: 1,
                step,
                steps: 3,
                loss,
                penalty: 0.5,
                penalty_share: 0.1,
                pull_ratio: 0.125,
                gradient_norm: 1.0,
                learning_rate: 0.001,
                examples: 4,
                seconds: 1.0,
            };
            writer.step(&record).unwrap();
        }
        for tested in 1..=2 {
            let at = CellIndex { protocol: Protocol::SameBlock, trained: stage, tested };
            let metrics = [("ndcg@10".to_owned(), 0.5 * stage as f64 + 0.0625 * tested as f64)].into();
            writer.evaluation(&EvaluationRecord { at, metrics, users: vec![], seconds: 0.0 }).unwrap();
        }
        let record = StageRecord {
            stage,
            train_seconds: 10.0,
            finished: true,
            validation_losses: vec![2.0, 1.5],
            ..StageRecord::default()
        };
        writer.stage(&record).unwrap();
    }
    writer.flush().unwrap();
    let to = folder.path().join("events");
    let output = Command::new(env!("CARGO_BIN_EXE_peso"))
        .args(["export", ".", "--figure", "events", "--to", "events"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let of_run = to.join(&run.config().run);
    let [file] = &fs::read_dir(&of_run).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>()[..] else {
        panic!("one file a run")
    };
    assert!(file.file_name().unwrap().to_str().unwrap().starts_with("events.out.tfevents."));
    let mut bytes = &fs::read(file).unwrap()[..];
    let mut scalars: BTreeMap<String, Vec<(u64, f32)>> = BTreeMap::new();
    let mut texts = Vec::new();
    let mut events = 0;
    while !bytes.is_empty() {
        let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let event = fields(&bytes[12..12 + length]);
        bytes = &bytes[16 + length..];
        events += 1;
        if events == 1 {
            assert_eq!(of(&event, 3), b"brain.Event:2");
            continue;
        }
        let step = u64::from_le_bytes(of(&event, 2).try_into().unwrap());
        let summary = fields(of(&event, 5));
        let value = fields(of(&summary, 1));
        let tag = String::from_utf8(of(&value, 1).to_vec()).unwrap();
        match value.iter().find(|(field, _)| *field == 2) {
            Some((_, number)) => {
                let number = f32::from_le_bytes(number[..].try_into().unwrap());
                scalars.entry(tag).or_default().push((step, number));
            }
            None => texts.push((tag, String::from_utf8(of(&fields(of(&value, 8)), 8).to_vec()).unwrap())),
        }
    }
    assert_eq!(scalars["train/loss"], [(1, 1.25), (3, 1.75), (4, 2.25), (6, 2.75)], "without what is no number");
    assert_eq!(scalars["train/pull_ratio"].len(), 6);
    assert_eq!(scalars["train/learning_rate"][0], (1, 0.001));
    assert_eq!(scalars["validation/loss"], [(1, 2.0), (2, 1.5), (3, 2.0), (4, 1.5)]);
    assert_eq!(scalars["same-block/ndcg@10"], [(1, 0.5625), (2, 1.125)]);
    assert_eq!(scalars["same-block/ndcg@10/tests_of_stage_1"], [(1, 0.5625), (2, 1.0625)]);
    assert_eq!(scalars["same-block/ndcg@10/tests_of_stage_2"], [(1, 0.625), (2, 1.125)]);
    let [(tag, text)] = &texts[..] else { panic!("{texts:?}") };
    assert!(tag == "settings" && text.contains("lambda: 2.0"), "{text}");
}
