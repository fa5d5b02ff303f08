//! The drift alarm: from when on a model that is no longer trained serves its users worse than it did at first.
//!
//! What a run's model after stage 1 answered to the tests of every stage is kept (`R[1, j]`), whatever the method did later. A test's
//! score is the place of its target in that model's list: the later, the worse; all targets that are not in the list stand
//! behind it. A [`Martingale`] bets that scores grow. Its reference is stage 2: of stage 1's users the model has learned other interactions, so
//! that it does better there whether anything drifts or not.
//!
//! Groups of users, items and codes have a martingale each, of their own tests, whose line lies as many times higher as there are
//! groups (Bonferroni): all groups together raise a false alarm as rarely as the whole.

use std::collections::{BTreeMap, HashSet};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::data::{Dataset, Example, Protocol};
use crate::error::InputError;
use crate::measure::slice_means::FEW;
use crate::measure::statistics::{Crossing, Martingale, conformal_p_values};
use crate::measure::{Place, Slice, Slicer};
use crate::run::observer::CellIndex;
use crate::run::{RunFolder, Status};
use crate::seeds;

/// Confidence where no other is asked for: a false alarm in one of twenty projects in which nothing changes.
pub const USUAL_CONFIDENCE: f64 = 0.95;
/// The stage that later ones are held against where no other is asked for, from 1.
pub const USUAL_REFERENCE: usize = 2;

/// How the alarm is set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlarmSettings {
    /// One less the chance of a false alarm, between 0 and 1.
    pub confidence: f64,
    /// The stage (from 1) that the later ones are held against. Earlier ones are left out.
    pub reference: usize,
}

impl Default for AlarmSettings {
    fn default() -> Self {
        Self { confidence: USUAL_CONFIDENCE, reference: USUAL_REFERENCE }
    }
}

/// The drift alarm of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DriftAlarm {
    /// The run's id.
    pub run: String,
    pub experiment: String,
    pub seed: u64,
    pub protocol: Protocol,
    pub synthetic: bool,
    pub confidence: f64,
    pub reference_stage: usize,
    /// The watched stages, the reference first, and their tests.
    pub stages: Vec<WatchedStage>,
    /// All tests.
    pub overall: Watch,
    /// Tests of one kind of users, items or codes.
    pub groups: Vec<GroupWatch>,
    /// Groups with fewer tests in the reference than can be judged by.
    pub small_groups: Vec<Group>,
}

/// A stage of the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WatchedStage {
    /// From 1.
    pub stage: usize,
    pub tests: usize,
    /// Share of the tests whose target is in the model's list.
    pub listed: f64,
}

/// What became of one bet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Watch {
    /// Capital at which the alarm is raised, of 1 at first.
    pub line: f64,
    /// Of the reference, and of all stages.
    pub reference_tests: usize,
    pub tests: usize,
    /// Common logarithm of the capital at its largest.
    pub largest: f64,
    /// Absent where the line was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Raised>,
    /// The capital after each test, in time order.
    #[serde(skip)]
    pub path: Vec<PathPoint>,
}

/// The capital after a test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PathPoint {
    /// Of all watched tests, from 1.
    pub test: usize,
    /// Common logarithm.
    pub capital: f64,
}

/// An alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Raised {
    /// The stage in which it is raised, from 1.
    pub stage: usize,
    /// The test with which it is, counted from 1 through all watched tests, the reference among them.
    pub test: usize,
    /// The stage with which the change most likely began: betting from there had won most.
    pub began: usize,
    /// Tests of the group from the beginning of that stage to the alarm.
    pub delay: usize,
}

/// Whose tests a bet is on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Group {
    pub kind: GroupKind,
    /// `known users`, `new items`, `code 7`.
    pub name: String,
}

/// What tests are grouped by; every test is in one group of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// Whether the user was there in stage 1.
    Users,
    /// How popular the target was in stage 1, or whether it is new since.
    Items,
    /// The first code of the target's semantic id.
    Codes,
}

/// A group with what became of its bet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupWatch {
    #[serde(flatten)]
    pub group: Group,
    #[serde(flatten)]
    pub watch: Watch,
}

/// A test as the alarm sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ScoredTest {
    /// From 1.
    stage: usize,
    user: u32,
    target: u32,
    /// Place in the list: the larger, the worse; infinite where it is not in it.
    score: f64,
}

/// A test with its place among all watched tests in time order, from 1.
#[derive(Debug, Clone, Copy)]
struct InOrder {
    number: usize,
    test: ScoredTest,
}

impl DriftAlarm {
    /// Reads what the model after stage 1 of a run answered, and watches it. `dataset` is what the run was trained on.
    ///
    /// # Errors
    /// The run's records cannot be read, or fewer than two stages from the reference on were tested with that model.
    pub fn of_run(
        folder: &RunFolder,
        protocol: Protocol,
        dataset: &Dataset,
        settings: AlarmSettings,
    ) -> Result<Self, InputError> {
        let reader = folder.reader()?;
        let config = folder.config();
        let mut tests = Vec::new();
        for tested in settings.reference..=config.stages {
            let outcomes = reader.user_outcomes(CellIndex { protocol, trained: 1, tested })?;
            tests.extend(outcomes.iter().map(|outcome| ScoredTest {
                stage: tested,
                user: outcome.user,
                target: outcome.target,
                score: score(outcome.whole()),
            }));
        }
        let beyond = |test: &&ScoredTest| {
            test.target as usize >= dataset.items.len() || test.user as usize >= dataset.users.len()
        };
        if let Some(test) = tests.iter().find(beyond) {
            return Err(InputError::new(
                folder.path(),
                format!("the data have no user {} or no item {}", test.user, test.target),
            )
            .advice("the run was made of other data than the project has now: start it over with `--fresh`"));
        }
        let watched = watch(&tests, dataset, settings, config.seed).ok_or_else(|| {
            InputError::new(
                folder.path(),
                format!("the model after stage 1 was not tested in stage {} and a later one", settings.reference),
            )
            .advice("an alarm needs a reference and a stage after it: train the run to its end, or name an earlier reference")
        })?;
        Ok(Self {
            run: config.run.clone(),
            experiment: config.experiment.clone(),
            seed: config.seed,
            protocol,
            synthetic: dataset.synthetic,
            confidence: settings.confidence,
            reference_stage: watched.stages[0].stage,
            stages: watched.stages,
            overall: watched.overall,
            groups: watched.groups,
            small_groups: watched.small_groups,
        })
    }

    /// What it comes to, in a sentence.
    pub fn sentence(&self) -> String {
        match self.overall.alarm {
            Some(Raised { stage, began, delay, .. }) => format!(
                "An update would pay from here: in stage {stage} the model of stage 1 serves users worse than in stage {}, most \
                 likely since stage {began} began, {delay} tests before the alarm",
                self.reference_stage
            ),
            None => format!(
                "No alarm: nothing shows that the model of stage 1 serves users worse than in stage {}",
                self.reference_stage
            ),
        }
    }

    /// What a reader has to know beside it, a sentence each.
    pub fn remarks(&self) -> Vec<String> {
        let chance = (1000.0 * (1.0 - self.confidence)).round() / 10.0;
        let mut remarks = vec![
            format!("Where nothing changes an alarm is raised with a chance of at most {chance} %, however long one watches"),
            format!(
                "Groups raise theirs at a line {} times as high, so that all of them together have the same chance",
                self.groups.len().max(1)
            ),
            "Runs keep no times: stages follow one another, and within a stage tests stand in a random order, the same every time"
                .to_owned(),
        ];
        if !self.small_groups.is_empty() {
            let names: Vec<&str> = self.small_groups.iter().map(|group| group.name.as_str()).collect();
            let stage = self.reference_stage;
            remarks.push(format!("Fewer than {FEW} tests in stage {stage}, and not watched: {}", names.join(", ")));
        }
        remarks
    }
}

/// The run of a project whose alarm is shown where none is named: the first finished one that keeps the adapter of stage 1, else the
/// first finished one that adapts the language model. All of them begin with the same model a seed.
pub fn usual_run(folders: &[RunFolder]) -> Option<&RunFolder> {
    let finished = || folders.iter().filter(|folder| folder.status() == Status::Finished);
    let frozen = finished().find(|folder| folder.config().method.key() == "frozen");
    frozen.or_else(|| finished().find(|folder| folder.config().method.adapter_method().is_some()))
}

/// The place of a target in a list; among items of the same id the middle one.
fn score(place: Place) -> f64 {
    if place.sharing == 0 { f64::INFINITY } else { f64::from(place.before) + 0.5 * (f64::from(place.sharing) + 1.0) }
}

/// What [`watch`] finds.
struct Watched {
    stages: Vec<WatchedStage>,
    overall: Watch,
    groups: Vec<GroupWatch>,
    small_groups: Vec<Group>,
}

/// Watches tests by rising stage; none where they are of fewer than two stages, or not of the reference.
fn watch(tests: &[ScoredTest], dataset: &Dataset, settings: AlarmSettings, seed: u64) -> Option<Watched> {
    let random = |what: &str| ChaCha8Rng::seed_from_u64(seeds::derive(seed, &["drift alarm", what]));
    let mut tests = tests.to_vec();
    let mut order = random("order");
    tests.chunk_by_mut(|a, b| a.stage == b.stage).for_each(|stage| stage.shuffle(&mut order));
    let stages: Vec<WatchedStage> = tests.chunk_by(|a, b| a.stage == b.stage).map(watched_stage).collect();
    if stages.len() < 2 || stages[0].stage != settings.reference {
        return None;
    }
    let line = 1.0 / (1.0 - settings.confidence);
    let all: Vec<InOrder> = (1..).zip(tests).map(|(number, test)| InOrder { number, test }).collect();
    let overall = bet(&all, line, &mut random("ties"));
    let grouping = Grouping::new(dataset);
    let mut members: BTreeMap<Group, Vec<InOrder>> = BTreeMap::new();
    for test in &all {
        for group in grouping.groups(&test.test) {
            members.entry(group).or_default().push(*test);
        }
    }
    // Which groups are watched is decided by how many tests the reference has, never by how they went.
    let of_reference = |members: &[InOrder]| members.iter().filter(|of| of.test.stage == settings.reference).count();
    let (large, small): (Vec<_>, Vec<_>) = members.into_iter().partition(|(_, members)| of_reference(members) >= FEW);
    let line = line * large.len() as f64;
    let groups = large.into_iter().map(|(group, members)| {
        let watch = bet(&members, line, &mut random(&group.name));
        GroupWatch { group, watch }
    });
    let groups = groups.collect();
    Some(Watched { stages, overall, groups, small_groups: small.into_iter().map(|(group, _)| group).collect() })
}

fn watched_stage(tests: &[ScoredTest]) -> WatchedStage {
    let listed = tests.iter().filter(|test| test.score.is_finite()).count();
    WatchedStage { stage: tests[0].stage, tests: tests.len(), listed: listed as f64 / tests.len() as f64 }
}

/// Bets on tests by rising stage, of which the first are the reference.
fn bet(tests: &[InOrder], line: f64, ties: &mut ChaCha8Rng) -> Watch {
    let stage = |index: usize| tests[index].test.stage;
    let starts: Vec<usize> = (1..tests.len()).filter(|&index| stage(index) != stage(index - 1)).collect();
    let scores: Vec<f64> = tests.iter().map(|of| of.test.score).collect();
    let martingale = Martingale::of(&conformal_p_values(&scores, ties), &starts);
    let raised = |Crossing { at, began }| Raised {
        stage: stage(at),
        test: tests[at].number,
        began: stage(starts[began]),
        delay: at + 1 - starts[began],
    };
    let point = |(of, log): (&InOrder, &f64)| PathPoint { test: of.number, capital: log / std::f64::consts::LN_10 };
    let path: Vec<PathPoint> = tests.iter().zip(&martingale.log_capital).map(point).collect();
    Watch {
        line,
        reference_tests: starts.first().copied().unwrap_or(tests.len()),
        tests: tests.len(),
        largest: path.iter().map(|point| point.capital).fold(0.0, f64::max),
        alarm: martingale.crossing(line).map(raised),
        path,
    }
}

/// Tells the groups of tests by what was there in stage 1.
struct Grouping<'d> {
    dataset: &'d Dataset,
    known_users: HashSet<u32>,
    items: Slicer,
}

impl<'d> Grouping<'d> {
    fn new(dataset: &'d Dataset) -> Self {
        let first = dataset.stages.first().into_iter().flat_map(|stage| &stage.sequences);
        Self { dataset, known_users: first.map(|sequence| sequence.user).collect(), items: Slicer::new(dataset, 1) }
    }

    fn groups(&self, test: &ScoredTest) -> [Group; 3] {
        let [_, target, popularity, _] =
            self.items.slices(&Example { user: test.user, history: &[], target: test.target });
        let users = if self.known_users.contains(&test.user) { "known users" } else { "new users" };
        let items = match (target, popularity) {
            (Slice::Cold, _) => "new items".to_owned(),
            (_, popularity) => format!("{popularity} items"),
        };
        let code = self.dataset.index.item(test.target).first().copied().unwrap_or_default();
        let group = |kind, name| Group { kind, name };
        [
            group(GroupKind::Users, users.to_owned()),
            group(GroupKind::Items, items),
            group(GroupKind::Codes, format!("code {code}")),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::synthetic::{Onset, SyntheticOptions, Truth, generate};

    /// Scores of the best model of stage 1 that there could be: the generator's own preferences before any turn, which rank every item
    /// that stage 1 had. Nothing of it was learned, so that stage 1 is a fair reference.
    fn tests_of(options: &SyntheticOptions) -> (Dataset, Vec<ScoredTest>) {
        let (dataset, truth) = generate(options).unwrap();
        let mut tests = Vec::new();
        for (stage, block) in (1..).zip(&dataset.stages) {
            for test in block.sequences.iter().filter_map(crate::data::Sequence::test) {
                let score = place_by_truth(&truth, &test);
                tests.push(ScoredTest { stage, user: test.user, target: test.target, score });
            }
        }
        (dataset, tests)
    }

    fn place_by_truth(truth: &Truth, test: &Example<'_>) -> f64 {
        let preference = truth.preference(test.user, test.history);
        let like =
            |item: u32| -> f64 { truth.item_vectors[item as usize].iter().zip(&preference).map(|(a, b)| a * b).sum() };
        let target = like(test.target);
        let items = 0..truth.item_vectors.len() as u32;
        items.filter(|item| !test.history.contains(item) && like(*item) > target).count() as f64
    }

    fn options(seed: u64) -> SyntheticOptions {
        // Few interactions and no arrivals: what users have had already changes little of what is left.
        let few =
            SyntheticOptions { users: 500, items: 400, interactions: (4.0, 4.0), arrivals: 0.0, ..Default::default() };
        SyntheticOptions { drift: 0.6, drifting_share: 1.0, onset: Onset::Abrupt(3), stages: 5, seed, ..few }
    }

    fn alarm(options: &SyntheticOptions) -> Watched {
        let (dataset, tests) = tests_of(options);
        watch(&tests, &dataset, AlarmSettings { reference: 1, ..AlarmSettings::default() }, 1).unwrap()
    }

    #[test]
    fn an_abrupt_change_is_told_in_its_stage_and_none_where_there_is_none() {
        let (mut delays, mut false_alarms) = (Vec::new(), 0);
        for seed in 1..=10 {
            let found = alarm(&options(seed)).overall;
            let raised = found.alarm.unwrap_or_else(|| panic!("no alarm with seed {seed}: {}", found.largest));
            assert_eq!((raised.stage, raised.began), (3, 3), "{raised:?} with seed {seed}");
            delays.push(raised.delay);
            let still = alarm(&SyntheticOptions { drift: 0.0, ..options(seed) });
            false_alarms += usize::from(still.overall.alarm.is_some());
        }
        delays.sort_unstable();
        assert!(delays[5] <= 100, "{delays:?}");
        assert!(false_alarms <= 1, "{false_alarms} of 10 without drift");
    }

    #[test]
    fn every_test_is_in_a_group_of_each_kind_and_lines_are_corrected() {
        let found = alarm(&options(1));
        let tests: usize = found.stages.iter().map(|stage| stage.tests).sum();
        assert_eq!(found.overall.tests, tests);
        let users = found.groups.iter().filter(|group| group.group.kind == GroupKind::Users);
        assert_eq!(users.map(|group| group.watch.tests).sum::<usize>(), tests, "all users are there from stage 1 on");
        let line = 20.0 * found.groups.len() as f64;
        assert!(
            found
                .groups
                .iter()
                .all(|group| (group.watch.line - line).abs() < 1e-6 && group.watch.reference_tests >= FEW)
        );
        assert!(found.groups.len() >= 5, "users, items by popularity and codes: {:?}", found.groups.len());
    }

    #[test]
    fn places_beyond_the_list_are_the_worst_and_shared_ids_stand_in_their_middle() {
        assert_eq!(score(Place::default()), f64::INFINITY);
        assert_eq!(score(Place { rank: 2, before: 4, sharing: 3 }), 6.0);
    }

    #[test]
    fn without_a_stage_after_the_reference_there_is_no_alarm() {
        let (dataset, tests) =
            tests_of(&SyntheticOptions { users: 40, stages: 2, onset: Onset::Gradual, ..options(1) });
        let of = |reference| watch(&tests, &dataset, AlarmSettings { reference, confidence: 0.95 }, 1);
        assert!(of(1).is_some());
        let later: Vec<ScoredTest> = tests.iter().filter(|test| test.stage == 2).copied().collect();
        assert!(watch(&later, &dataset, AlarmSettings { reference: 2, confidence: 0.95 }, 1).is_none());
    }
}
