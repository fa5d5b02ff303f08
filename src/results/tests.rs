use std::fs;

use super::{Results, RunResult, StageResult};
use crate::data::Protocol;
use crate::measure::Ranking;
use crate::run::RunFolder;
use crate::run::observer::Observer;
use crate::run::tests::{config, evaluation, same_block, write_stage};
use crate::semantic_id::IdCounts;

fn read(run: &RunFolder, protocol: Protocol) -> RunResult {
    RunResult::read(&run.reader().unwrap(), protocol).unwrap()
}

#[test]
fn a_run_that_has_one_stage_has_its_row() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    write_stage(&mut run.writer().unwrap(), 1);
    let result = read(&run, Protocol::SameBlock);
    assert_eq!(result.protocols, Protocol::ALL);
    assert_eq!(result.stages.len(), 1);
    assert_eq!((result.stages[0].metrics["hit@10"], result.stages[0].train_examples_per_s), (11.0, Some(64.0)));
    assert_eq!(result.matrix["hit@10"], [[11.0, 12.0, 13.0]]);
}

#[test]
fn next_block_shows_each_stage_as_the_model_before_it_met_it() {
    let runs = tempfile::tempdir().unwrap();
    let run = RunFolder::create(runs.path(), &config()).unwrap();
    let mut writer = run.writer().unwrap();
    (1..=3).for_each(|stage| write_stage(&mut writer, stage));
    let adapter = run.adapter(2);
    fs::create_dir_all(&adapter).unwrap();
    fs::write(adapter.join("adapter_model.safetensors"), [0; 100]).unwrap();
    fs::write(adapter.join("adapter_config.json"), [0; 20]).unwrap();

    let result = read(&run, Protocol::NextBlock);
    let shown: Vec<_> = result.stages.iter().map(|s| (s.metrics.get("hit@10").copied(), s.test_users)).collect();
    assert_eq!(shown, [(None, 0), (Some(12.0), 2), (Some(23.0), 2)]);
    let defined: Vec<Vec<bool>> =
        result.matrix["hit@10"].iter().map(|row| row.iter().map(|cell| cell.is_finite()).collect()).collect();
    assert_eq!(defined, [[false, true, true], [false, false, true]], "a later model has seen the answer");
    assert!(result.continual.is_empty());
    assert_eq!(result.stages.iter().map(|s| s.stored_bytes).collect::<Vec<_>>(), [0, 120, 0]);
    let same = read(&run, Protocol::SameBlock);
    let continual = same.continual["hit@10"];
    assert_eq!((continual.plasticity, continual.average_accuracy), (22.0, 32.0));
    assert_eq!((continual.backward_transfer, continual.forward_transfer), (Some(15.0), None));

    let strict = read(&run, Protocol::GlobalTime);
    let shown: Vec<_> = strict.stages.iter().map(|s| (s.metrics.get("hit@10").copied(), s.test_users)).collect();
    assert_eq!(shown, [(None, 0), (Some(12.0), 2), (Some(23.0), 2)], "what same-block measured above its diagonal");
    assert!(strict.continual.is_empty());

    // The model before any training, which is no row of R: 2 and 3 against 12 and 23.
    (2..=3).for_each(|tested| writer.evaluation(&evaluation(same_block(0, tested))).unwrap());
    let with_untrained = read(&run, Protocol::SameBlock);
    assert_eq!(with_untrained.continual["hit@10"].forward_transfer, Some(15.0));
    assert_eq!(with_untrained.matrix["hit@10"], same.matrix["hit@10"]);
}

/// Results of a run that ranks ids and one that ranks items.
fn of_both_kinds(catalogue: Option<IdCounts>, corrected: f64) -> Results {
    let run = |ranking| {
        let metrics = [("hit@10".to_owned(), 0.5), ("hit@10_corrected".to_owned(), corrected)].into();
        RunResult { ranking, stages: vec![StageResult { metrics, ..StageResult::default() }], ..RunResult::default() }
    };
    Results { catalogue, runs: [Ranking::Ids, Ranking::Items].map(run).to_vec(), ..Results::default() }
}

#[test]
fn a_count_of_ids_does_not_stand_beside_one_of_items() {
    let metrics = |results: Results| {
        let names = |run: &RunResult| run.stages[0].metrics.keys().cloned().collect::<Vec<_>>();
        results.side_by_side().runs.iter().map(names).collect::<Vec<_>>()
    };
    let both = ["hit@10", "hit@10_corrected"];
    let shared = Some(IdCounts { items: 3, ids: 2 });
    assert_eq!(metrics(of_both_kinds(shared, 0.5)), [&both[..], &both[1..]]);
    assert_eq!(metrics(of_both_kinds(None, 0.25)), [&both[..], &both[1..]], "the counts differ, so ids are shared");
    assert_eq!(metrics(of_both_kinds(None, 0.5)), [both; 2]);
    assert_eq!(metrics(of_both_kinds(Some(IdCounts { items: 3, ids: 3 }), 0.5)), [both; 2]);
}
