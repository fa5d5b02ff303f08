//! Results put together for a table: one line an experiment, means over its seeds with their spread.

use std::collections::{BTreeMap, BTreeSet};

use super::{Results, RunResult, StageResult};
use crate::measure::statistics;
use crate::run::Status;

/// One line: the finished runs of an experiment with one configuration, or one run that is not finished.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The experiment's name; where several configurations have it, with a part of its hash; with seed and status
    /// where the run is not finished.
    pub name: String,
    /// Key of the method.
    pub method: String,
    /// A baseline that only counts.
    pub counted: bool,
    /// Seeds put together.
    pub seeds: usize,
    /// Ids of its runs, one a seed.
    pub runs: Vec<String>,
    /// Whether all runs of the line are finished.
    pub finished: bool,
    /// By metric, over the stages from 2 on (stage 1 where there is no other): each seed's mean, then over seeds. Under
    /// next-block that is the mean of `R[i, i+1]`.
    /// Empty where the run is not finished, since a mean over fewer stages compares with nothing.
    pub later_stages: BTreeMap<String, Mean>,
    /// By stage and metric, over the seeds.
    pub by_stage: BTreeMap<usize, BTreeMap<String, Mean>>,
    /// By metric and name of the continual measure, over the seeds. Empty where the run is not finished, and under
    /// next-block.
    pub continual: BTreeMap<String, BTreeMap<&'static str, Mean>>,
    /// Nothing where the run is not finished.
    pub cost: Option<Cost>,
}

/// What a run costs, over the seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cost {
    /// Wall time of all stages.
    pub train_seconds: Mean,
    pub eval_seconds: Mean,
    /// Training targets a second, mean over the stages that train.
    pub train_examples_per_s: Option<Mean>,
    /// The largest of any stage.
    pub peak_memory_bytes: u64,
    pub stored_bytes: u64,
    pub trainable_parameters: u64,
}

impl Cost {
    fn of(runs: &[&RunResult]) -> Option<Self> {
        let total = |of: fn(&StageResult) -> f64| {
            Mean::of(&runs.iter().map(|run| run.stages.iter().map(of).sum()).collect::<Vec<f64>>())
        };
        let rate = |run: &&RunResult| {
            let rates: Vec<f64> = run.stages.iter().filter_map(|stage| stage.train_examples_per_s).collect();
            Mean::of(&rates).map(|mean| mean.mean)
        };
        let largest =
            |of: fn(&StageResult) -> u64| runs.iter().flat_map(|run| &run.stages).map(of).max().unwrap_or_default();
        Some(Self {
            train_seconds: total(|stage| stage.train_seconds)?,
            eval_seconds: total(|stage| stage.eval_seconds)?,
            train_examples_per_s: Mean::of(&runs.iter().filter_map(rate).collect::<Vec<_>>()),
            peak_memory_bytes: largest(|stage| stage.peak_memory_bytes),
            stored_bytes: largest(|stage| stage.stored_bytes),
            trainable_parameters: runs.iter().map(|run| run.trainable_parameters).max().unwrap_or_default(),
        })
    }
}

/// A mean over seeds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub mean: f64,
    /// Sample standard deviation (over n - 1); none for a single seed.
    pub deviation: Option<f64>,
}

impl Mean {
    /// Of at least one value; none of no value.
    pub fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        let n = values.len() as f64;
        let mean = statistics::mean(values);
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self { mean, deviation: (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt()) })
    }
}

/// The lines of a project's results: learned methods in order of their names, then the non-learned baselines.
pub fn lines(results: &Results) -> Vec<Line> {
    let mut groups: BTreeMap<Key<'_>, Vec<&RunResult>> = BTreeMap::new();
    for run in &results.runs {
        groups.entry(Key::of(run)).or_default().push(run);
    }
    let configurations = |experiment: &str| {
        let of_experiment = results.runs.iter().filter(|run| run.experiment == experiment);
        of_experiment.map(|run| (&run.config_hash, &run.data_hash)).collect::<BTreeSet<_>>().len()
    };
    groups.into_iter().map(|(key, runs)| line(&key, &runs, configurations(key.experiment) > 1)).collect()
}

/// What keeps runs apart; its order is that of the lines.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a> {
    counted: bool,
    experiment: &'a str,
    config_hash: &'a str,
    data_hash: &'a str,
    /// The seed of a run that is not finished.
    unfinished: Option<u64>,
}

impl<'a> Key<'a> {
    fn of(run: &'a RunResult) -> Self {
        Self {
            counted: matches!(run.method.as_str(), "popularity" | "co_occurrence"),
            experiment: &run.experiment,
            config_hash: &run.config_hash,
            data_hash: &run.data_hash,
            unfinished: (run.status != Status::Finished).then_some(run.seed),
        }
    }
}

fn line(key: &Key<'_>, runs: &[&RunResult], several_configurations: bool) -> Line {
    let mut name = key.experiment.to_owned();
    if several_configurations {
        let short: String = key.config_hash.chars().take(8).collect();
        name.push_str(&format!(" [{short}]"));
    }
    if let (Some(seed), Some(run)) = (key.unfinished, runs.first()) {
        name.push_str(&format!(" (seed {seed}, {})", run.status.key()));
    }
    let finished = key.unfinished.is_none();
    Line {
        name,
        method: runs.first().map(|run| run.method.clone()).unwrap_or_default(),
        counted: key.counted,
        seeds: runs.len(),
        runs: runs.iter().map(|run| run.run.clone()).collect(),
        finished,
        later_stages: if finished { later_stages(runs) } else { BTreeMap::new() },
        by_stage: by_stage(runs),
        continual: if finished { continual(runs) } else { BTreeMap::new() },
        cost: finished.then(|| Cost::of(runs)).flatten(),
    }
}

fn later_stages(runs: &[&RunResult]) -> BTreeMap<String, Mean> {
    let mut by_metric: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for run in runs {
        let first = if run.stages.len() > 1 { 2 } else { 1 };
        let mut of_run: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for stage in run.stages.iter().filter(|stage| stage.stage >= first) {
            for (metric, value) in &stage.metrics {
                of_run.entry(metric).or_default().push(*value);
            }
        }
        for (metric, values) in of_run {
            by_metric.entry(metric).or_default().extend(Mean::of(&values).map(|mean| mean.mean));
        }
    }
    means(by_metric)
}

fn by_stage(runs: &[&RunResult]) -> BTreeMap<usize, BTreeMap<String, Mean>> {
    let mut values: BTreeMap<usize, BTreeMap<&str, Vec<f64>>> = BTreeMap::new();
    for stage in runs.iter().flat_map(|run| &run.stages) {
        let of_stage = values.entry(stage.stage).or_default();
        for (metric, value) in &stage.metrics {
            of_stage.entry(metric).or_default().push(*value);
        }
    }
    values.into_iter().map(|(stage, metrics)| (stage, means(metrics))).collect()
}

fn continual(runs: &[&RunResult]) -> BTreeMap<String, BTreeMap<&'static str, Mean>> {
    let mut values: BTreeMap<&str, BTreeMap<&'static str, Vec<f64>>> = BTreeMap::new();
    for (metric, measures) in runs.iter().flat_map(|run| &run.continual) {
        for (name, value) in measures.named() {
            values.entry(metric).or_default().entry(name).or_default().extend(value);
        }
    }
    let of_metric = |measures: BTreeMap<&'static str, Vec<f64>>| {
        measures.into_iter().filter_map(|(name, values)| Some((name, Mean::of(&values)?))).collect()
    };
    values.into_iter().map(|(metric, measures)| (metric.to_owned(), of_metric(measures))).collect()
}

fn means(values: BTreeMap<&str, Vec<f64>>) -> BTreeMap<String, Mean> {
    values.into_iter().filter_map(|(metric, values)| Some((metric.to_owned(), Mean::of(&values)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::Continual;

    fn run(experiment: &str, method: &str, seed: u64, status: Status, values: &[f64]) -> RunResult {
        let stages = values.iter().zip(1..).map(|(&value, stage)| StageResult {
            stage,
            metrics: BTreeMap::from([("hit@10".to_owned(), value)]),
            ..StageResult::default()
        });
        RunResult {
            run: format!("{experiment}-{seed}"),
            experiment: experiment.to_owned(),
            method: method.to_owned(),
            seed,
            status,
            config_hash: "0123456789".to_owned(),
            stages: stages.collect(),
            ..RunResult::default()
        }
    }

    #[test]
    fn finished_seeds_are_averaged_over_later_stages_and_unfinished_ones_stay_apart() {
        let results = Results {
            runs: vec![
                run("PESO", "peso", 1, Status::Finished, &[9.0, 1.0, 3.0]),
                run("PESO", "peso", 2, Status::Finished, &[9.0, 4.0, 4.0]),
                run("PESO", "peso", 3, Status::Running, &[9.0, 8.0]),
                run("A popular one", "popularity", 1, Status::Finished, &[1.0, 1.0, 1.0]),
            ],
            ..Results::default()
        };
        let lines = lines(&results);
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["PESO", "PESO (seed 3, running)", "A popular one"]);
        let of_seeds = lines[0].later_stages["hit@10"];
        assert_eq!((of_seeds.mean, lines[0].seeds), (3.0, 2));
        assert!((of_seeds.deviation.unwrap() - 2.0_f64.sqrt()).abs() < 1e-12);
        assert!(lines[1].later_stages.is_empty());
        assert_eq!(lines[1].by_stage[&2]["hit@10"].mean, 8.0);
        assert!(lines[2].counted);
    }

    #[test]
    fn continual_measures_and_costs_are_put_together_over_seeds() {
        let seed = |seed: u64, cell: f64| {
            let mut run = run("PESO", "peso", seed, Status::Finished, &[0.5, 0.5]);
            let matrix = [vec![0.5, 0.0], vec![cell, 0.5]];
            run.continual = Continual::of(&matrix, &[]).map(|of| ("hit@10".to_owned(), of)).into_iter().collect();
            for (stage, stored) in run.stages.iter_mut().zip([3, 7]) {
                (stage.train_seconds, stage.stored_bytes) = (10.0 * seed as f64, stored);
            }
            run.stages[1].train_examples_per_s = Some(100.0 * seed as f64);
            run
        };
        let line = lines(&Results { runs: vec![seed(1, 0.25), seed(3, 0.5)], ..Results::default() }).remove(0);
        let measures = &line.continual["hit@10"];
        assert_eq!((measures["plasticity"].mean, measures["backward_transfer"].mean), (0.5, -0.125));
        assert!(!measures.contains_key("forward_transfer"), "it was not measured");
        let cost = line.cost.unwrap();
        assert_eq!((cost.train_seconds.mean, cost.stored_bytes), (40.0, 7));
        assert_eq!(cost.train_examples_per_s.unwrap().mean, 200.0, "stage 1 did not train");
    }

    #[test]
    fn configurations_of_one_name_are_not_averaged() {
        let mut other = run("PESO", "peso", 1, Status::Finished, &[1.0, 1.0]);
        other.config_hash = "abcdefghij".to_owned();
        let results =
            Results { runs: vec![run("PESO", "peso", 1, Status::Finished, &[1.0, 2.0]), other], ..Results::default() };
        let names: Vec<String> = lines(&results).into_iter().map(|line| line.name).collect();
        assert_eq!(names, ["PESO [01234567]", "PESO [abcdefgh]"]);
    }
}
