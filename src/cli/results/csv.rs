//! `peso results --csv`: one row a run and stage.

use std::collections::BTreeSet;

use crate::results::Results;
use crate::text::csv_field;

pub(super) fn as_csv(results: &Results) -> String {
    let metrics: BTreeSet<&str> = results
        .runs
        .iter()
        .flat_map(|run| &run.stages)
        .flat_map(|stage| stage.metrics.keys().map(String::as_str))
        .collect();
    let heading = "run,experiment,method,seed,status,stage,train_examples,test_users,train_seconds,eval_seconds,\
                   peak_memory_bytes,final_loss";
    let mut text = heading.to_owned();
    text.extend(metrics.iter().map(|metric| format!(",{}", csv_field(metric))));
    text.push('\n');
    for run in &results.runs {
        for stage in &run.stages {
            let words = [&run.run, &run.experiment, &run.method].map(|word| csv_field(word)).join(",");
            text.push_str(&format!(
                "{words},{},{},{},{},{},{},{},{},{}",
                run.seed,
                run.status.key(),
                stage.stage,
                stage.train_examples,
                stage.test_users,
                stage.train_seconds,
                stage.eval_seconds,
                stage.peak_memory_bytes,
                stage.final_loss
            ));
            for metric in &metrics {
                text.push(',');
                text.extend(stage.metrics.get(*metric).map(f64::to_string));
            }
            text.push('\n');
        }
    }
    text
}
