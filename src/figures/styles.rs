//! Which style a run's series has: the same in every chart.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{experiment_label, is_baseline};
use crate::plot::SeriesStyle;
use crate::results::{Results, RunResult};

/// Something that is drawn as a series, with the style that it has in every chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Styled<'a, T> {
    pub item: &'a T,
    pub style: SeriesStyle,
}

/// The style that each run's line has in every chart of these results, by run id.
pub fn run_styles(results: &Results) -> BTreeMap<String, SeriesStyle> {
    let styled = |group: Group<'_>| {
        let ids = group.runs.into_iter().map(|run| run.run.clone());
        ids.map(move |id| (id, group.style)).collect::<Vec<_>>()
    };
    groups(results).into_iter().flat_map(styled).collect()
}

/// Runs that one line is the mean of.
pub(super) struct Group<'a> {
    pub(super) name: String,
    /// Methods and baselines are counted apart.
    pub(super) style: SeriesStyle,
    /// At least one.
    pub(super) runs: Vec<&'a RunResult>,
}

/// The runs by experiment, in order of appearance; those that share a seed within one, by configuration and data.
pub(super) fn groups<'r>(results: &'r Results) -> Vec<Group<'r>> {
    let mut by_experiment: Vec<(String, Vec<&RunResult>)> = Vec::new();
    for run in &results.runs {
        let name = experiment_label(run);
        match by_experiment.iter_mut().find(|(other, _)| *other == name) {
            Some((_, runs)) => runs.push(run),
            None => by_experiment.push((name, vec![run])),
        }
    }
    let [mut methods, mut baselines] = [0, 0];
    let styled = |(name, runs): (String, Vec<&'r RunResult>)| {
        let (slots, of): (&mut usize, fn(usize) -> SeriesStyle) = if is_baseline(runs[0]) {
            (&mut baselines, SeriesStyle::baseline)
        } else {
            (&mut methods, SeriesStyle::method)
        };
        let style = of(*slots);
        *slots += 1;
        Group { name, style, runs }
    };
    by_experiment.into_iter().flat_map(|(name, runs)| split(name, runs)).map(styled).collect()
}

/// Apart by configuration and data where runs share a seed or differ in their data, each then named by its hashes.
fn split(name: String, runs: Vec<&RunResult>) -> Vec<(String, Vec<&RunResult>)> {
    let seeds: BTreeSet<u64> = runs.iter().map(|run| run.seed).collect();
    let datasets: BTreeSet<&str> = runs.iter().map(|run| run.data_hash.as_str()).collect();
    if seeds.len() == runs.len() && datasets.len() == 1 {
        return vec![(name, runs)];
    }
    let mut parts: BTreeMap<(&str, &str), Vec<&RunResult>> = BTreeMap::new();
    for run in runs {
        parts.entry((&run.config_hash, &run.data_hash)).or_default().push(run);
    }
    let short = |hash: &str| hash.chars().take(8).collect::<String>();
    let part = |((config, data), runs): ((&str, &str), _)| {
        let data = if datasets.len() > 1 { format!(", data {}", short(data)) } else { String::new() };
        (format!("{name} ({}{data})", short(config)), runs)
    };
    parts.into_iter().map(part).collect()
}
