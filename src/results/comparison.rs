//! The table of a comparison: what each line measured, what it cost, how it validated, and whether its gain over a
//! baseline may be called one.

use std::collections::BTreeMap;
use std::path::Path;

use super::paired_scores::{Tests, UserScores, scores_of_runs};
use super::{Results, RunResult, StageResult, summary};
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::UserMetric;
use crate::measure::statistics::{self, ALPHA, Aim, Bootstrap, Comparison, Interval, LEVEL, SeedMean, Verdict};
use crate::run::RunFolder;
use crate::run::observer::StageRecord;

/// One line: the finished runs of an experiment with one configuration. See [`summary::Line`] for what keeps runs apart.
#[derive(Debug, Clone, PartialEq)]
pub struct ComparisonLine {
    /// The experiment's name; where several configurations have it, with a part of its hash.
    pub name: String,
    /// Key of the method.
    pub method: String,
    /// A baseline that only counts.
    pub counted: bool,
    /// Ids of its runs, one a seed.
    pub runs: Vec<String>,
    /// By metric, over the stages from 2 on (stage 1 where there is no other) and then over seeds.
    pub metrics: BTreeMap<String, Estimate>,
    /// By metric and name of the continual measure, over seeds; of metrics whose matrix is whole.
    pub continual: BTreeMap<String, BTreeMap<&'static str, Estimate>>,
    /// Wall time of training a stage, as a mean over the same stages and over seeds.
    pub train_seconds: f64,
    /// The most that any of its stages took.
    pub peak_memory_bytes: u64,
    /// Parameters that training changes.
    pub trainable_parameters: u64,
    /// See [`validation_loss`], as a mean over seeds.
    pub validation_loss: Option<f64>,
}

/// A mean over seeds with the t interval that their spread gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub mean: f64,
    /// None for a single seed.
    pub interval: Option<Interval>,
}

impl Estimate {
    /// Of at least one value, one a seed; none of none, or where one is no finite number.
    pub fn of(values: &[f64]) -> Option<Self> {
        let finite = !values.is_empty() && values.iter().all(|value| value.is_finite());
        let mean = statistics::mean(values);
        let interval = SeedMean::of(values, LEVEL).ok().map(|found| found.interval);
        finite.then_some(Self { mean, interval })
    }

    /// Half the length of the interval, where there is one.
    pub fn half(self) -> Option<f64> {
        self.interval.map(|interval| (interval.high - interval.low) / 2.0)
    }
}

/// The lines of the finished runs, in the order in which `results` names their runs; non-learned baselines come last.
///
/// `validation` has the validation losses by run id, of those runs that have one.
pub fn lines(results: &Results, validation: &BTreeMap<String, f64>) -> Vec<ComparisonLine> {
    let by_id: BTreeMap<&str, &RunResult> = results.runs.iter().map(|run| (run.run.as_str(), run)).collect();
    let index = |line: &ComparisonLine| results.runs.iter().position(|run| line.runs.contains(&run.run));
    let finished = summary::lines(results).into_iter().filter(|line| line.finished);
    let mut lines: Vec<ComparisonLine> = finished
        .map(|found| {
            let runs: Vec<&RunResult> = found.runs.iter().filter_map(|id| by_id.get(id.as_str()).copied()).collect();
            line(&found, &runs, validation)
        })
        .collect();
    lines.sort_by_key(|line| (line.counted, index(line)));
    lines
}

fn line(found: &summary::Line, runs: &[&RunResult], validation: &BTreeMap<String, f64>) -> ComparisonLine {
    let mut values: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for run in runs {
        for metric in later_stages(run).next().into_iter().flat_map(|stage| stage.metrics.keys()) {
            let of_stages = later_stages(run).filter_map(|stage| stage.metrics.get(metric).copied());
            values.entry(metric).or_default().extend(mean(of_stages));
        }
    }
    let metrics = values.into_iter().filter_map(|(metric, values)| Some((metric.to_owned(), Estimate::of(&values)?)));
    ComparisonLine {
        name: found.name.clone(),
        method: found.method.clone(),
        counted: found.counted,
        runs: found.runs.clone(),
        metrics: metrics.collect(),
        continual: continual(runs),
        train_seconds: train_seconds(runs),
        peak_memory_bytes: peak_memory_bytes(runs),
        trainable_parameters: runs.iter().map(|run| run.trainable_parameters).max().unwrap_or(0),
        validation_loss: mean(found.runs.iter().filter_map(|id| validation.get(id).copied())),
    }
}

/// Wall time of training a stage, as a mean over the stages in which methods differ.
pub(super) fn train_seconds(runs: &[&RunResult]) -> f64 {
    mean(runs.iter().flat_map(|run| later_stages(run)).map(|stage| stage.train_seconds)).unwrap_or(0.0)
}

/// The most that any stage took.
pub(super) fn peak_memory_bytes(runs: &[&RunResult]) -> u64 {
    runs.iter().flat_map(|run| &run.stages).map(|stage| stage.peak_memory_bytes).max().unwrap_or(0)
}

fn continual(runs: &[&RunResult]) -> BTreeMap<String, BTreeMap<&'static str, Estimate>> {
    let mut values: BTreeMap<&str, BTreeMap<&'static str, Vec<f64>>> = BTreeMap::new();
    for (metric, measures) in runs.iter().flat_map(|run| &run.continual) {
        for (name, value) in measures.named() {
            values.entry(metric).or_default().entry(name).or_default().extend(value);
        }
    }
    let estimates = |measures: BTreeMap<&'static str, Vec<f64>>| {
        measures.into_iter().filter_map(|(name, values)| Some((name, Estimate::of(&values)?))).collect()
    };
    values.into_iter().map(|(metric, measures)| (metric.to_owned(), estimates(measures))).collect()
}

/// The stages in which methods differ: those from 2 on, or stage 1 where there is no other.
fn later_stages(run: &RunResult) -> impl Iterator<Item = &StageResult> {
    let first = if run.stages.len() > 1 { 2 } else { 1 };
    run.stages.iter().filter(move |stage| stage.stage >= first)
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let values: Vec<f64> = values.collect();
    (!values.is_empty()).then(|| statistics::mean(&values))
}

/// A run's validation loss: of each stage from 2 on the loss of the epoch that was kept, as a mean over those stages, in nats a
/// response token. None where no stage after the first trains.
pub fn validation_loss(stages: &[StageRecord]) -> Option<f64> {
    let min = |stage: &StageRecord| stage.validation_losses.iter().copied().reduce(f64::min);
    mean(stages.iter().filter(|stage| stage.stage >= 2).filter_map(min))
}

/// Where a line stands among the configurations of its method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// There is no other.
    Only,
    /// It has the least validation loss of several.
    Chosen,
    /// Another one has a lower validation loss.
    Passed,
}

/// Which configuration of each method its validation loss chooses, without a look at the test users; of equal ones the first.
pub fn standings(lines: &[ComparisonLine]) -> Vec<Standing> {
    let loss = |line: &ComparisonLine| line.validation_loss.filter(|loss| loss.is_finite()).unwrap_or(f64::INFINITY);
    let standing = |(index, line): (usize, &ComparisonLine)| {
        let rivals = || lines.iter().enumerate().filter(|(_, other)| other.method == line.method);
        let best = rivals().min_by(|(_, a), (_, b)| loss(a).total_cmp(&loss(b))).map(|(index, _)| index);
        match rivals().count() {
            0 | 1 => Standing::Only,
            _ if best == Some(index) => Standing::Chosen,
            _ => Standing::Passed,
        }
    };
    lines.iter().enumerate().map(standing).collect()
}

/// What can be said of a line against the baseline.
#[derive(Debug, Clone, PartialEq)]
pub enum Judged {
    /// It is the baseline.
    Baseline,
    /// Its gain with its interval and its p-value, corrected over all lines that have one.
    Verdict(Box<Verdict>),
    /// Why the two cannot be compared.
    Incomparable(String),
}

/// Compares each of the `lines` (name and run ids) with the one at `baseline`, on the same test users.
///
/// This reads every user's outcome and resamples them: it takes from a part of a second to many.
///
/// # Errors
/// The baseline's runs cannot be read, or there is no such line.
pub fn judge(
    runs_dir: &Path,
    lines: &[(String, Vec<String>)],
    baseline: usize,
    metric: UserMetric,
    protocol: Protocol,
) -> Result<Vec<Judged>, InputError> {
    let mut tests = Tests::default();
    let mut read = |(name, runs): &(String, Vec<String>)| {
        let paths: Vec<_> = runs.iter().map(|run| RunFolder::path_of(runs_dir, run)).collect();
        scores_of_runs(name, &paths, metric, protocol, &mut tests)
    };
    let against = lines.get(baseline).ok_or_else(|| InputError::new(runs_dir, "the baseline has no finished run"))?;
    // It is read first: the others are held to its test users.
    let against = read(against)?;
    let others = lines.iter().enumerate().map(|(index, line)| match index == baseline {
        true => Ok(against.clone()),
        false => read(line).map_err(|error| error.to_string()),
    });
    let scores: Vec<Result<UserScores, String>> = others.collect();
    let readable: Vec<&UserScores> = scores.iter().flatten().collect();
    let index = scores.iter().take(baseline).flatten().count();
    let mut found = verdicts(&readable, index).into_iter();
    let judged = |scores: &Result<UserScores, String>| match scores {
        // There is one for each that could be read, in their order
        Ok(_) => found.next().unwrap_or(Judged::Baseline),
        Err(problem) => Judged::Incomparable(problem.clone()),
    };
    Ok(scores.iter().map(judged).collect())
}

/// What can be said of each line against the one at `baseline`. Those that can be compared with it are one family, over
/// which p-values are corrected.
pub fn verdicts(lines: &[&UserScores], baseline: usize) -> Vec<Judged> {
    verdicts_by(lines, baseline, &Bootstrap::new(0))
}

/// [`verdicts`] with another bootstrap, which is shown beside the interval and decides nothing.
pub(super) fn verdicts_by(lines: &[&UserScores], baseline: usize, bootstrap: &Bootstrap) -> Vec<Judged> {
    let Some(against) = lines.get(baseline) else { return Vec::new() };
    corrected(lines.iter().map(|line| compared(line, against, bootstrap)).collect(), baseline)
}

fn compared(line: &UserScores, baseline: &UserScores, bootstrap: &Bootstrap) -> Result<Comparison, String> {
    if let Some(problem) = line.incomparable(baseline) {
        return Err(problem);
    }
    let paired = line.against(baseline).map_err(|problem| problem.to_string())?;
    Comparison::of(&paired, bootstrap, &Aim::default()).map_err(|problem| problem.to_string())
}

/// Corrects the p-values over those lines that have one.
fn corrected(found: Vec<Result<Comparison, String>>, baseline: usize) -> Vec<Judged> {
    let others = found.iter().enumerate().filter(|(index, _)| *index != baseline);
    let family: Vec<Comparison> = others.filter_map(|(_, found)| found.as_ref().ok().copied()).collect();
    let mut verdicts = Verdict::of_family(&family, ALPHA).into_iter();
    let judged = |(index, found): (usize, Result<Comparison, String>)| match found {
        _ if index == baseline => Judged::Baseline,
        Err(problem) => Judged::Incomparable(problem),
        // There is a verdict for every comparison of the family, in its order
        Ok(_) => verdicts
            .next()
            .map_or_else(|| Judged::Incomparable("no verdict".to_owned()), |found| Judged::Verdict(Box::new(found))),
    };
    found.into_iter().enumerate().map(judged).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Status;

    fn run(experiment: &str, method: &str, seed: u64, status: Status, values: &[f64]) -> RunResult {
        let stages = values.iter().zip(1..).map(|(&value, stage)| StageResult {
            stage,
            train_examples: 1,
            test_users: 1,
            train_seconds: stage as f64,
            peak_memory_bytes: 10 * seed,
            metrics: BTreeMap::from([("hit@10".to_owned(), value)]),
            ..StageResult::default()
        });
        RunResult {
            run: format!("{experiment}-{seed}"),
            experiment: experiment.to_owned(),
            method: method.to_owned(),
            seed,
            status,
            trainable_parameters: 7,
            config_hash: experiment.to_owned(),
            stages: stages.collect(),
            ..RunResult::default()
        }
    }

    fn results(runs: Vec<RunResult>) -> Results {
        Results { runs, ..Results::default() }
    }

    #[test]
    fn a_line_is_the_finished_seeds_of_one_configuration() {
        let results = results(vec![
            run("Popularity", "popularity", 0, Status::Finished, &[1.0, 1.0, 1.0]),
            run("Z", "peso", 1, Status::Finished, &[9.0, 1.0, 3.0]),
            run("Z", "peso", 2, Status::Finished, &[9.0, 3.0, 3.0]),
            run("A", "single", 1, Status::Finished, &[9.0, 4.0, 4.0]),
            run("A", "single", 2, Status::Running, &[9.0, 8.0]),
        ]);
        let lines = lines(&results, &BTreeMap::from([("Z-1".to_owned(), 2.0), ("Z-2".to_owned(), 3.0)]));
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["Z", "A", "Popularity"], "as the results name them, counting last");
        let hit = lines[0].metrics["hit@10"];
        // t(1) at 97.5 % is 12.706; the deviation of 2 and 3 is 1 / √2
        assert!((hit.mean - 2.5).abs() < 1e-12 && (hit.half().unwrap() - 12.706 / 2.0).abs() < 1e-3, "{hit:?}");
        assert_eq!(
            (lines[0].train_seconds, lines[0].peak_memory_bytes, lines[0].validation_loss),
            (2.5, 20, Some(2.5))
        );
        assert_eq!(lines[1].runs, ["A-1"]);
        assert_eq!((lines[1].metrics["hit@10"].interval, lines[1].validation_loss), (None, None));
    }

    #[test]
    fn validation_chooses_one_configuration_a_method() {
        let runs = ["a", "b", "c"].map(|name| run(name, "peso", 1, Status::Finished, &[1.0, 1.0]));
        let mut runs = runs.to_vec();
        runs.push(run("d", "single", 1, Status::Finished, &[1.0, 1.0]));
        let validation = BTreeMap::from([("a-1".to_owned(), 2.0), ("b-1".to_owned(), 1.0)]);
        let lines = lines(&results(runs), &validation);
        assert_eq!(standings(&lines), [Standing::Passed, Standing::Chosen, Standing::Passed, Standing::Only]);
    }

    #[test]
    fn the_validation_loss_is_that_of_the_epochs_that_were_kept() {
        let stage =
            |stage, losses: &[f64]| StageRecord { stage, validation_losses: losses.to_vec(), ..StageRecord::default() };
        let stages = [stage(1, &[0.1]), stage(2, &[3.0, 2.0, 4.0]), stage(3, &[1.0, 1.5])];
        assert_eq!(validation_loss(&stages), Some(1.5));
        assert_eq!(validation_loss(&stages[..1]), None);
    }
}
