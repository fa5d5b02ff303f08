//! How metrics and experiments read in figures.

use crate::plot::Better;
use crate::results::RunResult;

/// How a metric's key reads: `hit@10` is `Hit@10`, `ndcg@5_corrected` is `NDCG@5, tie-corrected`.
pub fn metric_label(metric: &str) -> String {
    if let Some((gain, count)) = metric.split_once("_known") {
        return format!("{}, known items", metric_label(&format!("{gain}{count}")));
    }
    let (plain, corrected) = match metric.strip_suffix("_corrected") {
        Some(plain) => (plain, ", tie-corrected"),
        None => (metric, ""),
    };
    let label = match plain.split_once('@') {
        Some(("hit", cutoff)) => format!("Hit@{cutoff}"),
        Some(("ndcg", cutoff)) => format!("NDCG@{cutoff}"),
        _ if plain == "invalid_rate" => "Invalid rate".to_owned(),
        _ => plain.to_owned(),
    };
    format!("{label}{corrected}")
}

/// How a run's experiment reads.
pub fn experiment_label(run: &RunResult) -> String {
    match run.method.as_str() {
        "popularity" => "Popularity".to_owned(),
        "co_occurrence" => "Co-occurrence".to_owned(),
        _ => run.experiment.clone(),
    }
}

/// Whether a run only counts.
pub fn is_baseline(run: &RunResult) -> bool {
    matches!(run.method.as_str(), "popularity" | "co_occurrence")
}

/// Which end of a metric is the good one.
pub fn better(metric: &str) -> Better {
    if metric == "invalid_rate" { Better::Lower } else { Better::Higher }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_read_as_people_write_them() {
        assert_eq!(metric_label("hit@10"), "Hit@10");
        assert_eq!(metric_label("ndcg@5_corrected"), "NDCG@5, tie-corrected");
        assert_eq!(metric_label("invalid_rate"), "Invalid rate");
        for count in ["", "_corrected"] {
            let whole = metric_label(&format!("hit@10{count}"));
            assert_eq!(metric_label(&format!("hit@10_known{count}")), format!("{whole}, known items"));
        }
    }
}
