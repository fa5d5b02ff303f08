//! From interactions to stages: duplicates, ratings, k-core, chronological cuts, with the counts of every step.

mod core;
mod cuts;
mod options;
mod rows;

use serde::{Deserialize, Serialize};

pub(crate) use self::options::TERMS;
pub use self::options::{InvalidPrepare, MAX_STAGES, Prepare, StageCuts};
use self::rows::Row;
use super::catalogue::{Catalogue, order_of_ids};
use super::interactions::Interactions;
use super::leak::{self, LeakCounter, StageLeak};
use super::{Dataset, Item, Sequence, Stage};
use crate::semantic_id::SemanticIndex;

/// Parts of the timeline.
const TIMELINE: usize = 200;

/// A dataset in stages whose items may not have semantic ids yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    pub name: String,
    /// By ascending id (by value where all ids are numbers).
    pub catalogue: Catalogue,
    /// By first interaction.
    pub users: Vec<String>,
    pub stages: Vec<Stage>,
    pub report: PrepareReport,
}

/// What the preparation did, in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrepareReport {
    /// What was left after each step, beginning with what was read.
    pub steps: Vec<StepCount>,
    /// Rounds that the k-core took, the last of which removed nothing.
    pub core_rounds: usize,
    pub stages: Vec<StageCount>,
    /// Interactions that are left, in equal parts of the period; empty without times.
    pub timeline: Vec<u64>,
}

/// What is left after a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepCount {
    /// `read`, `deduplicated`, `rated` (where some have no rating and a least one is asked for), `rating`, `core`.
    pub step: String,
    pub interactions: u64,
    pub users: u64,
    pub items: u64,
}

/// A stage in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageCount {
    pub interactions: u64,
    pub users: u64,
    /// Users with enough interactions to be trained and tested on.
    pub participants: u64,
    /// First and last time in milliseconds since 1970; none without times.
    pub period: Option<(i64, i64)>,
    /// What its model learns from that lies after its tests; none without times.
    pub leak: Option<StageLeak>,
}

impl PrepareReport {
    /// What is to be known of training that lies after tests; none without times, or where nothing does.
    pub fn leak_warning(&self) -> Option<String> {
        let leaks: Option<Vec<StageLeak>> = self.stages.iter().map(|stage| stage.leak).collect();
        leak::warning(&leaks?)
    }
}

impl Prepared {
    /// The dataset under semantic ids, one for each item of the catalogue in its order.
    pub fn with_ids(self, index: SemanticIndex) -> Dataset {
        let mut dataset = Dataset {
            name: self.name,
            items: self.catalogue.items,
            users: self.users,
            index,
            stages: self.stages,
            synthetic: false,
            hash: String::new(),
        };
        dataset.hash = dataset.content_hash();
        dataset
    }
}

/// Prepares interactions and cuts them into stages.
///
/// # Errors
/// An option has no meaning, or not for these interactions, or leaves nothing of them.
pub fn prepare(interactions: &Interactions, options: &Prepare) -> Result<Prepared, InvalidPrepare> {
    options.check()?;
    let mut kept = rows::in_time(interactions);
    let mut steps = vec![count(interactions, &kept, "read")];
    if options.deduplicate {
        rows::keep_first_of_pairs(&mut kept);
        steps.push(count(interactions, &kept, "deduplicated"));
    }
    if let Some(min) = options.least_rating {
        if interactions.rating.is_empty() {
            return Err(InvalidPrepare::new("least_rating", "the interactions have no ratings", "leave it out"));
        }
        let unrated = |row: &Row| interactions.rating[row.at as usize].is_nan();
        if kept.iter().any(unrated) {
            kept.retain(|row| !unrated(row));
            steps.push(count(interactions, &kept, "rated"));
        }
        kept.retain(|row| f64::from(interactions.rating[row.at as usize]) >= min);
        steps.push(count(interactions, &kept, "rating"));
    }
    let core_rounds = core::shrink(interactions, options.core, &mut kept);
    steps.push(count(interactions, &kept, "core"));
    if kept.is_empty() {
        let problem = format!("no interaction is left of {} in the {}-core", interactions.len(), options.core);
        return Err(InvalidPrepare::new("core", problem, "choose a smaller number, or a lower `least_rating`"));
    }
    let timeline = timeline(interactions, &kept);
    let stages = cuts::cut(interactions, &kept, &options.stages)?;
    drop(kept);
    let report = |stages: Vec<StageCount>| PrepareReport { steps, core_rounds, stages, timeline };
    Ok(assemble(interactions, stages, report))
}

/// Numbers users and items anew, and lists every user's interactions stage by stage.
fn assemble(
    interactions: &Interactions,
    cut: Vec<Vec<Row>>,
    report: impl FnOnce(Vec<StageCount>) -> PrepareReport,
) -> Prepared {
    const NONE: u32 = u32::MAX;
    let mut user_numbers = vec![NONE; interactions.users.len()];
    let mut users = Vec::new();
    let mut item_used = vec![false; interactions.items.len()];
    for &Row { user, item, .. } in cut.iter().flatten() {
        item_used[item as usize] = true;
        if user_numbers[user as usize] == NONE {
            user_numbers[user as usize] = users.len() as u32;
            users.push(interactions.users.get(user).to_owned());
        }
    }
    let used: Vec<u32> = (0..interactions.items.len() as u32).filter(|&item| item_used[item as usize]).collect();
    let ids: Vec<&str> = used.iter().map(|&item| interactions.items.get(item)).collect();
    let mut item_numbers = vec![NONE; interactions.items.len()];
    let mut catalogue = Catalogue::default();
    for (row, number) in order_of_ids(&ids).into_iter().zip(0..) {
        item_numbers[used[row] as usize] = number;
        let text = interactions.texts.get(used[row] as usize).cloned().unwrap_or_default();
        catalogue.items.push(Item { id: ids[row].to_owned(), title: text.title.clone() });
        catalogue.texts.push(text);
    }

    let mut histories: Vec<Vec<u32>> = vec![Vec::new(); users.len()];
    let (mut stages, mut counts) = (Vec::new(), Vec::new());
    let mut leaks = LeakCounter::default();
    // A stage's rows are let go once it is there.
    for events in cut {
        let before: Vec<usize> = histories.iter().map(Vec::len).collect();
        for &Row { user, item, .. } in &events {
            histories[user_numbers[user as usize] as usize].push(item_numbers[item as usize]);
        }
        let active = histories.iter().zip(before).zip(0..).filter(|((history, before), _)| history.len() > *before);
        let sequence = |((history, before), user): ((&Vec<u32>, usize), u32)| Sequence {
            user,
            items: history.clone(),
            current_from: before,
        };
        let stage = Stage { sequences: active.map(sequence).collect() };
        let leak = (!interactions.time.is_empty()).then(|| {
            let (training, tests) = times_of_targets(interactions, &events, &stage, &user_numbers);
            leaks.stage(training, &tests)
        });
        let times = || events.iter().filter_map(|row| interactions.time.get(row.at as usize).copied());
        counts.push(StageCount {
            interactions: events.len() as u64,
            users: stage.sequences.len() as u64,
            participants: stage.participants().count() as u64,
            period: times().min().zip(times().max()),
            leak,
        });
        stages.push(stage);
    }
    Prepared { name: interactions.name.clone(), catalogue, users, stages, report: report(counts) }
}

/// When a stage's training targets and its tests were (same-block protocol); `events` are its interactions, each user's in order,
/// and `user_numbers` those of users in the stage.
fn times_of_targets(
    interactions: &Interactions,
    events: &[Row],
    stage: &Stage,
    user_numbers: &[u32],
) -> (Vec<i64>, Vec<i64>) {
    let most = stage.sequences.iter().map(|sequence| sequence.user as usize + 1).max().unwrap_or(0);
    // By user: how many training targets come before the validation target; none who does not take part.
    let mut left: Vec<Option<usize>> = vec![None; most];
    for sequence in stage.participants() {
        left[sequence.user as usize] = Some(sequence.training_targets().len());
    }
    let mut seen = vec![0; most];
    let (mut training, mut tests) = (Vec::new(), Vec::new());
    for row in events {
        let user = user_numbers[row.user as usize] as usize;
        let place = seen[user];
        seen[user] += 1;
        let time = interactions.time[row.at as usize];
        match left[user] {
            Some(targets) if place < targets => training.push(time),
            Some(targets) if place > targets => tests.push(time),
            _ => {}
        }
    }
    (training, tests)
}

fn count(interactions: &Interactions, kept: &[Row], step: &str) -> StepCount {
    let (mut users, mut items) = (vec![false; interactions.users.len()], vec![false; interactions.items.len()]);
    for row in kept {
        users[row.user as usize] = true;
        items[row.item as usize] = true;
    }
    let distinct = |seen: &[bool]| seen.iter().filter(|&&seen| seen).count() as u64;
    StepCount {
        step: step.to_owned(),
        interactions: kept.len() as u64,
        users: distinct(&users),
        items: distinct(&items),
    }
}

/// Interactions in equal parts of the period.
fn timeline(interactions: &Interactions, kept: &[Row]) -> Vec<u64> {
    let times = || kept.iter().filter_map(|row| interactions.time.get(row.at as usize).copied());
    let Some((first, last)) = times().min().zip(times().max()) else { return Vec::new() };
    let mut timeline = vec![0; TIMELINE];
    for time in times() {
        let part = i128::from(time - first) * TIMELINE as i128 / (i128::from(last - first) + 1);
        timeline[part as usize] += 1;
    }
    timeline
}
