//! How metrics and experiments read in figures.

use std::collections::{BTreeMap, BTreeSet};

use crate::measure::{Gain, Ranking, UserMetric};
use crate::plot::Better;
use crate::results::{Results, RunResult};

/// How a metric's key reads: `hit@10_corrected` is `Hit@10`, `ndcg@5` is `NDCG@5, released count`.
pub fn metric_label(metric: &str) -> String {
    match metric.parse::<UserMetric>() {
        Ok(UserMetric { gain, k, corrected, known }) => {
            let gain = match gain {
                Gain::Hit => "Hit",
                Gain::Ndcg => "NDCG",
            };
            let count = if corrected { "" } else { ", released count" };
            format!("{gain}@{k}{count}{}", if known { ", known items" } else { "" })
        }
        Err(_) if metric == "invalid_rate" => "Invalid rate".to_owned(),
        Err(_) => metric.to_owned(),
    }
}

/// The key under which `metric` is shown: its own, or that of the released count where that alone was measured.
pub fn shown_key(metric: UserMetric, measured: impl Fn(&str) -> bool) -> String {
    let (own, released) = (metric.to_string(), metric.released().to_string());
    if !measured(&own) && measured(&released) { released } else { own }
}

/// The metric that is shown where nobody asks for one: tie-corrected NDCG@10, or NDCG of the longest lists where these are shorter;
/// the released count where that alone was measured. `measured` are the keys of what there is.
pub fn usual_metric<'k>(measured: impl Iterator<Item = &'k str>) -> String {
    let (usual, measured): (_, Vec<&str>) = (UserMetric::default(), measured.collect());
    let cut_offs = measured.iter().filter_map(|key| key.parse::<UserMetric>().ok()).filter(|metric| !metric.known);
    let cut_offs: Vec<usize> = cut_offs.map(|metric| metric.k).collect();
    let k = match cut_offs.iter().max() {
        Some(&longest) if !cut_offs.contains(&usual.k) => longest,
        _ => usual.k,
    };
    shown_key(UserMetric { k, ..usual }, |key| measured.contains(&key))
}

/// Whether the released count of a metric says something else than the tie-corrected one, of values by key: it does where
/// the test users' items share ids.
pub fn counts_differ<V>(values: &BTreeMap<String, V>, metric: UserMetric, mean: impl Fn(&V) -> f64) -> bool {
    let mean = |metric: UserMetric| values.get(&metric.to_string()).map(&mean);
    match (mean(metric), mean(metric.released())) {
        (Some(corrected), Some(released)) => (corrected - released).abs() > 1e-12,
        _ => false,
    }
}

/// Why a table has two counts of one metric.
pub const TWO_COUNTS: &str = "Some items share a semantic id: Hit and NDCG rank items, the target's place among those of its \
                              id by expectation; the released count ranks ids and takes any item of the target's id for a hit";

/// Which lines a chart of a released count does not have, and why; nothing where it has all.
pub fn without_released(results: &Results, metric: &str) -> Option<String> {
    let released = metric.parse::<UserMetric>().is_ok_and(UserMetric::is_released);
    let items = results.runs.iter().filter(|run| run.ranking == Ranking::Items).map(experiment_label);
    let names: BTreeSet<String> = items.collect();
    if !released || names.is_empty() || !results.ids_are_shared() {
        return None;
    }
    let names = names.into_iter().collect::<Vec<_>>().join(", ");
    let shared = results.catalogue.map_or_else(|| "items share ids".to_owned(), |counts| counts.to_string());
    Some(format!("Without {names}: they rank items, and this counts whole ids ({shared})"))
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
    use crate::semantic_id::IdCounts;

    #[test]
    fn metrics_read_as_people_write_them() {
        assert_eq!(metric_label("hit@10_corrected"), "Hit@10");
        assert_eq!(metric_label("hit@10"), "Hit@10, released count");
        assert_eq!(metric_label("ndcg@5"), "NDCG@5, released count");
        assert_eq!(metric_label("invalid_rate"), "Invalid rate");
        for count in ["", "_corrected"] {
            let whole = metric_label(&format!("hit@10{count}"));
            assert_eq!(metric_label(&format!("hit@10_known{count}")), format!("{whole}, known items"));
        }
    }

    #[test]
    fn a_chart_says_which_lines_have_no_released_count() {
        let run = |experiment: &str, ranking| RunResult {
            experiment: experiment.to_owned(),
            ranking,
            ..RunResult::default()
        };
        let runs = vec![run("PESO", Ranking::Ids), run("SASRec", Ranking::Items)];
        let results = Results { runs, catalogue: Some(IdCounts { items: 145, ids: 93 }), ..Results::default() };
        let said = without_released(&results, "hit@10");
        assert_eq!(said.unwrap(), "Without SASRec: they rank items, and this counts whole ids (145 items have 93 ids)");
        assert_eq!(without_released(&results, "hit@10_corrected"), None);
        let unshared = Results { catalogue: Some(IdCounts { items: 145, ids: 145 }), ..results };
        assert_eq!(without_released(&unshared, "hit@10"), None);
    }

    #[test]
    fn the_released_count_stands_in_where_nothing_else_was_measured_and_under_its_own_name() {
        let only = |there: &'static str| shown_key(UserMetric::hit(10), move |key| key == there);
        assert_eq!(metric_label(&only("hit@10")), "Hit@10, released count");
        assert_eq!(metric_label(&only("hit@10_corrected")), "Hit@10");
        assert_eq!(shown_key(UserMetric::hit(10), |_| true), "hit@10_corrected");
        let usual = |keys: &[&'static str]| usual_metric(keys.iter().copied());
        assert_eq!(usual(&["hit@1_corrected", "ndcg@10_corrected", "ndcg@20_corrected"]), "ndcg@10_corrected");
        assert_eq!(
            usual(&["ndcg@1_corrected", "ndcg@5_corrected", "ndcg@20_known"]),
            "ndcg@5_corrected",
            "of whole lists"
        );
        assert_eq!(usual(&["hit@5", "ndcg@5"]), "ndcg@5", "the released count alone");
        assert_eq!(usual(&[]), "ndcg@10_corrected");
    }

    #[test]
    fn counts_differ_where_a_released_one_is_larger() {
        let differ = |released| {
            let values = BTreeMap::from([("hit@10_corrected".to_owned(), 0.25), ("hit@10".to_owned(), released)]);
            counts_differ(&values, UserMetric::hit(10), |value| *value)
        };
        assert!(differ(0.5) && !differ(0.25));
        assert!(!counts_differ(&BTreeMap::from([("hit@10".to_owned(), 0.5)]), UserMetric::hit(10), |value| *value));
    }
}
