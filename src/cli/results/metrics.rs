//! Which metrics the tables of `peso results` have.

use crate::figures::words::{counts_differ, shown_key};
use crate::measure::UserMetric;
use crate::results::summary::{Line, Mean};

/// Columns of the table of means, in this order, as far as they were measured.
const COLUMNS: [UserMetric; 7] = [
    UserMetric::hit(1),
    UserMetric::hit(5),
    UserMetric::hit(10),
    UserMetric::hit(20),
    UserMetric::ndcg(5),
    UserMetric::ndcg(10),
    UserMetric::ndcg(20),
];

/// Metrics that have tables stage by stage and of continual measures, and their released counts where these differ.
const MAIN: [UserMetric; 2] = [UserMetric::hit(10), UserMetric::ndcg(10)];

/// Keys of the columns of the table of means: tie-corrected metrics, then released counts that differ, then those of lists
/// of known items, then the rate of invalid ids.
pub(super) fn columns(lines: &[Line]) -> Vec<String> {
    let measured = |key: &str| lines.iter().any(|line| line.later_stages.contains_key(key));
    let usual = COLUMNS.into_iter().map(|metric| shown_key(metric, measured)).filter(|key| measured(key));
    let released = released(lines).into_iter().map(|metric| metric.to_string());
    let invalid = Some("invalid_rate".to_owned()).filter(|key| measured(key));
    let known = MAIN.map(|metric| UserMetric { known: true, ..metric }.to_string());
    usual.chain(released).chain(known.into_iter().filter(|key| measured(key))).chain(invalid).collect()
}

/// The released counts that say something else than the tie-corrected ones.
pub(super) fn released(lines: &[Line]) -> Vec<UserMetric> {
    let differ = |line: &Line, metric| counts_differ(&line.later_stages, metric, |mean: &Mean| mean.mean);
    let differing = MAIN.into_iter().filter(|&metric| lines.iter().any(|line| differ(line, metric)));
    differing.map(UserMetric::released).collect()
}

/// Keys of the metrics that have tables of their own.
pub(super) fn main(lines: &[Line]) -> Vec<String> {
    let measured = |key: &str| lines.iter().any(|line| line.by_stage.values().any(|metrics| metrics.contains_key(key)));
    MAIN.into_iter().map(|metric| shown_key(metric, measured)).filter(|key| measured(key)).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn line(values: &[(&str, f64)]) -> Line {
        let mean = |&(key, value): &(&str, f64)| Some((key.to_owned(), Mean::of(&[value])?));
        let means: BTreeMap<String, Mean> = values.iter().filter_map(mean).collect();
        Line {
            name: "PESO".to_owned(),
            method: "peso".to_owned(),
            counted: false,
            seeds: 1,
            runs: Vec::new(),
            finished: true,
            later_stages: means.clone(),
            by_stage: BTreeMap::from([(2, means)]),
            continual: BTreeMap::new(),
            cost: None,
        }
    }

    #[test]
    fn released_counts_are_columns_only_where_they_differ_and_come_after() {
        let same = line(&[("hit@10", 0.5), ("hit@10_corrected", 0.5), ("invalid_rate", 0.0)]);
        assert_eq!(columns(std::slice::from_ref(&same)), ["hit@10_corrected", "invalid_rate"]);
        let other = line(&[("hit@10", 0.5), ("hit@10_corrected", 0.25), ("invalid_rate", 0.0)]);
        let lines = [same, other];
        assert_eq!(columns(&lines), ["hit@10_corrected", "hit@10", "invalid_rate"]);
        assert_eq!(main(&lines), ["hit@10_corrected"]);
        let known = line(&[("hit@10_corrected", 0.5), ("hit@10_known_corrected", 0.75), ("hit@10_known", 0.75)]);
        assert_eq!(columns(&[known]), ["hit@10_corrected", "hit@10_known_corrected"]);
    }

    #[test]
    fn runs_without_tie_corrected_metrics_are_shown_by_the_released_count() {
        let old = [line(&[("hit@10", 0.5)])];
        assert_eq!((columns(&old), main(&old)), (vec!["hit@10".to_owned()], vec!["hit@10".to_owned()]));
    }
}
