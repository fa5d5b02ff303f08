//! What a run's models answered to the same tests, one stage after the other: prediction churn, and single users' lists.

use std::path::Path;

use serde::Serialize;

use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::UserMetric;
use crate::measure::churn::{Change, Churn, MostChanged, SliceChurn, by_slice};
use crate::measure::{Slices, UserOutcome};
use crate::run::observer::CellIndex;
use crate::run::{RunFolder, RunReader};

/// How far training on each stage changed what users see.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChurnReport {
    /// The run's id.
    pub run: String,
    pub experiment: String,
    pub seed: u64,
    /// What `gain` is in.
    pub metric: String,
    /// The stages whose model and the one before it were asked the same tests, in order.
    pub stages: Vec<StageChurn>,
    /// Over the tests of all these stages; empty where slices are not recorded.
    pub slices: Vec<SliceChurn>,
}

/// How far the lists of one stage's tests changed with the newest model that may be asked them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageChurn {
    /// The tested stage, from 2 on.
    pub stage: usize,
    /// Part of the first ten items that were not there before: one less the overlap.
    pub new_items: f64,
    #[serde(flatten)]
    pub churn: Churn,
    /// Absent where no list changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_changed: Option<MostChanged>,
    /// Over the tests of this stage; empty where slices are not recorded.
    pub slices: Vec<SliceChurn>,
}

/// The churn of a run, as far as it is measured: for each stage's tests, the lists of the newest model that may be asked
/// them against those of the model before it.
///
/// # Errors
/// The run's records cannot be read, or two of its models were asked different users.
pub fn churn(folder: &RunFolder, protocol: Protocol, metric: UserMetric) -> Result<ChurnReport, InputError> {
    let reader = folder.reader()?;
    let (mut stages, mut changes, mut slices) = (Vec::new(), Vec::new(), Vec::new());
    for stage in 2..=folder.config().stages {
        let Some([before, now]) = both(&reader, folder.path(), protocol, stage)? else { continue };
        let change = |(before, now): (&UserOutcome, &UserOutcome)| {
            Change::of([&before.top, &now.top], [metric.of(before), metric.of(now)])
        };
        let of_stage: Vec<Change> = before.iter().zip(&now).map(change).collect();
        let slices_of_stage = reader.slices(protocol, stage)?;
        if let Some(churn) = Churn::of(&of_stage) {
            stages.push(StageChurn {
                stage,
                new_items: 1.0 - churn.overlap,
                churn,
                most_changed: MostChanged::of(&of_stage),
                slices: sliced(folder, &of_stage, &slices_of_stage)?,
            });
        }
        changes.extend(of_stage);
        slices.extend(slices_of_stage);
    }
    let slices = sliced(folder, &changes, &slices)?;
    let config = folder.config();
    Ok(ChurnReport {
        run: config.run.clone(),
        experiment: config.experiment.clone(),
        seed: config.seed,
        metric: metric.to_string(),
        stages,
        slices,
    })
}

/// Churn and gain by slice; nothing where slices are not recorded.
fn sliced(folder: &RunFolder, changes: &[Change], slices: &[Slices]) -> Result<Vec<SliceChurn>, InputError> {
    if slices.len() != changes.len() || changes.is_empty() {
        return Ok(Vec::new());
    }
    by_slice(changes, slices).map_err(|problem| {
        InputError::new(folder.path(), format!("its tests cannot be sliced: {problem}"))
            .advice("start the run over with `--fresh`")
    })
}

/// The outcomes of a stage's tests under the model before the newest that may be asked them, and under that one; `None`
/// where one of them is not measured.
fn both(
    reader: &RunReader,
    run: &Path,
    protocol: Protocol,
    stage: usize,
) -> Result<Option<[Vec<UserOutcome>; 2]>, InputError> {
    let newest = protocol.newest(stage);
    let at = |trained| CellIndex { protocol, trained, tested: stage };
    if newest < 2 {
        return Ok(None);
    }
    let [before, now] = [reader.user_outcomes(at(newest - 1))?, reader.user_outcomes(at(newest))?];
    if before.is_empty() || now.is_empty() {
        return Ok(None);
    }
    let same =
        before.len() == now.len() && before.iter().zip(&now).all(|(a, b)| (a.user, a.target) == (b.user, b.target));
    if !same {
        return Err(InputError::new(
            run,
            format!("two models of the run were tested on different users of stage {stage}"),
        )
        .advice("start the run over with `--fresh`"));
    }
    Ok(Some([before, now]))
}

/// The tests of one stage with what each of several runs answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StageTests {
    /// User and target of every test.
    pub tests: Vec<(u32, u32)>,
    /// One a test; empty where they are not recorded.
    pub slices: Vec<Slices>,
    /// One a run that has measured the stage, in the order of the question.
    pub answers: Vec<Answers>,
}

/// What the models of one run answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// The run's id.
    pub run: String,
    /// Outcomes under the newest model that may be asked, one a test.
    pub now: Vec<UserOutcome>,
    /// The same under the model before it; empty where there is none.
    pub before: Vec<UserOutcome>,
}

impl Answers {
    /// How far the list of a test changed, 0 to 1; none without an earlier model.
    pub fn change(&self, test: usize, metric: UserMetric) -> Option<Change> {
        let (before, now) = (self.before.get(test)?, self.now.get(test)?);
        Some(Change::of([&before.top, &now.top], [metric.of(before), metric.of(now)]))
    }
}

/// Reads what `runs` answered to the tests of a stage (from 1); those that have not measured it are left out.
///
/// # Errors
/// A run's records cannot be read, or two runs were tested on different users.
pub fn stage_tests(runs: &[RunFolder], protocol: Protocol, stage: usize) -> Result<StageTests, InputError> {
    let mut found = StageTests::default();
    for folder in runs {
        let reader = folder.reader()?;
        let (before, now) = match both(&reader, folder.path(), protocol, stage)? {
            Some([before, now]) => (before, now),
            None => {
                let at = CellIndex { protocol, trained: protocol.newest(stage), tested: stage };
                (Vec::new(), reader.user_outcomes(at)?)
            }
        };
        if now.is_empty() {
            continue;
        }
        let tests: Vec<(u32, u32)> = now.iter().map(|outcome| (outcome.user, outcome.target)).collect();
        if found.answers.is_empty() {
            found.slices = reader.slices(protocol, stage)?;
            found.slices.truncate(tests.len());
            found.tests = tests;
        } else if found.tests != tests {
            return Err(InputError::new(folder.path(), "the run was tested on other users than the others")
                .advice("start it over with `--fresh`"));
        }
        found.answers.push(Answers { run: folder.config().run.clone(), now, before });
    }
    if found.slices.len() != found.tests.len() {
        found.slices.clear();
    }
    Ok(found)
}
