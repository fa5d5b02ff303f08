//! How long the queue still takes, and what it came to when it is empty.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::rows::{Row, RowState};
use super::watch::RunView;
use super::widgets::{brief_duration, counted, duration_words};
use crate::measure::statistics;
use crate::run::Status;

/// What is left of the runs under way and of those that wait.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TimeLeft {
    /// Of all that can be told.
    seconds: f64,
    /// Runs that were told from finished ones, from the speed of the one under way, and not at all.
    from_finished: usize,
    from_speed: usize,
    unknown: usize,
}

impl TimeLeft {
    /// How long the queue of these rows still takes; nothing where nothing is under way, or nothing can be told of it.
    pub(crate) fn of(rows: &[Row], now_unix: u64) -> Option<Self> {
        let waits = |row: &&Row| {
            matches!(row.state, RowState::Queued | RowState::Starting | RowState::Run(Status::Running | Status::Paused))
        };
        let waiting: Vec<&Row> = rows.iter().filter(waits).collect();
        if waiting.is_empty() {
            return None;
        }
        let usual = UsualTimes::of(rows);
        let total_now =
            waiting.iter().find_map(|row| row.run.as_deref().and_then(|run| total_at_this_speed(run, now_unix)));
        let mut left = Self { seconds: 0.0, from_finished: 0, from_speed: 0, unknown: 0 };
        for row in waiting {
            let active = row.run.as_deref().filter(|run| run.is_active());
            let eta = active.and_then(|run| run.progress.as_ref()?.eta_seconds);
            let done = active.map_or(0.0, RunView::seconds);
            let (seconds, count) = match (eta, usual.of_row(row), total_now) {
                (Some(eta), ..) => (eta, &mut left.from_speed),
                (None, Some(usual), _) => ((usual - done).max(0.0), &mut left.from_finished),
                (None, None, Some(total)) => ((total - done).max(0.0), &mut left.from_speed),
                (None, None, None) => (0.0, &mut left.unknown),
            };
            *count += 1;
            left.seconds += seconds;
        }
        (left.from_finished + left.from_speed > 0).then_some(left)
    }

    /// `about 12 min left`.
    pub(crate) fn words(self) -> String {
        let least = if self.unknown > 0 { "more than" } else { "about" };
        format!("{least} {} left", brief_duration(self.seconds))
    }

    /// What that rests on.
    pub(crate) fn basis_words(self) -> String {
        let parts = [
            (self.from_finished, "from the time that finished runs of the same method took"),
            (self.from_speed, "from the speed of the run under way"),
            (self.unknown, "not known yet"),
        ];
        let parts = parts.iter().filter(|(runs, _)| *runs > 0);
        parts.map(|(runs, words)| format!("{}: {words}", counted(*runs, "run"))).collect::<Vec<_>>().join("\n")
    }
}

/// What the run under way takes as a whole: what has passed since it was started, and what it says is left.
fn total_at_this_speed(run: &RunView, now_unix: u64) -> Option<f64> {
    let eta = run.progress.as_ref().filter(|_| run.is_active())?.eta_seconds?;
    Some(eta + (now_unix.saturating_sub(run.config.created_unix) as f64).max(run.seconds()))
}

/// What finished runs took, in seconds.
struct UsualTimes<'r> {
    by_experiment: BTreeMap<&'r str, Vec<f64>>,
    by_method: BTreeMap<&'r str, Vec<f64>>,
}

impl<'r> UsualTimes<'r> {
    fn of(rows: &'r [Row]) -> Self {
        let mut times = Self { by_experiment: BTreeMap::new(), by_method: BTreeMap::new() };
        for row in rows.iter().filter(|row| row.state == RowState::Run(Status::Finished)) {
            if let Some(seconds) = row.run.as_deref().map(RunView::seconds).filter(|seconds| *seconds > 0.0) {
                times.by_experiment.entry(&row.key.experiment).or_default().push(seconds);
                times.by_method.entry(row.method.key()).or_default().push(seconds);
            }
        }
        times
    }

    /// The mean of runs of the same experiment, or of the same method where there is none.
    fn of_row(&self, row: &Row) -> Option<f64> {
        let found =
            self.by_experiment.get(row.key.experiment.as_str()).or_else(|| self.by_method.get(row.method.key()));
        found.map(|times| statistics::mean(times))
    }
}

/// What the queue has done since it began.
#[derive(Debug, Default)]
pub(crate) struct QueueStory {
    began: Option<Began>,
}

#[derive(Debug)]
struct Began {
    unix: u64,
    /// Of the runs that were there, by id: those that are as they were have no part in it.
    before: BTreeMap<String, Status>,
    /// Ids of the runs that were seen under way.
    seen: BTreeSet<String>,
    /// Whether it is over; what the last run came to may still be on its way here.
    over: bool,
}

/// What a queue came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QueueEnd {
    finished: usize,
    failed: usize,
    seconds: u64,
}

impl QueueEnd {
    pub(crate) const fn has_failures(self) -> bool {
        self.failed > 0
    }

    /// `9 runs finished in 12 min 04 s, 1 failed`.
    pub(crate) fn words(self) -> String {
        let mut text = format!("{} finished in {}", counted(self.finished, "run"), duration_words(self.seconds as f64));
        if self.failed > 0 {
            text.push_str(&format!(", {} failed", self.failed));
        }
        text
    }
}

impl QueueStory {
    /// Takes in how things stand; what the queue came to when it has just ended and some run with it.
    pub(crate) fn look(&mut self, busy: bool, runs: &[Arc<RunView>], now_unix: u64) -> Option<QueueEnd> {
        if busy {
            self.began.take_if(|began| began.over);
            let began = self.began.get_or_insert_with(|| Began {
                unix: now_unix,
                before: runs.iter().map(|run| (run.id.clone(), run.status)).collect(),
                seen: BTreeSet::new(),
                over: false,
            });
            began.seen.extend(runs.iter().filter(|run| run.is_active()).map(|run| run.id.clone()));
            return None;
        }
        let Began { unix, before, seen, over } = self.began.as_mut()?;
        *over = true;
        let took_part = |run: &&Arc<RunView>| seen.contains(&run.id) || before.get(&run.id) != Some(&run.status);
        let count = |status: Status| {
            let learned = |run: &&Arc<RunView>| run.config.method.is_learned();
            runs.iter().filter(learned).filter(took_part).filter(|run| run.status == status).count()
        };
        let end = QueueEnd {
            finished: count(Status::Finished),
            failed: count(Status::Failed),
            seconds: now_unix.saturating_sub(*unix),
        };
        let told = (end.finished + end.failed > 0).then_some(end)?;
        self.began = None;
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_says_what_it_rests_on() {
        let left = TimeLeft { seconds: 720.0, from_finished: 8, from_speed: 1, unknown: 0 };
        assert_eq!(left.words(), "about 12 min left");
        assert_eq!(
            left.basis_words(),
            "8 runs: from the time that finished runs of the same method took\n1 run: from the speed of the run under way"
        );
        assert_eq!(TimeLeft { unknown: 1, ..left }.words(), "more than 12 min left");
    }

    #[test]
    fn an_end_is_told_in_words() {
        let end = QueueEnd { finished: 9, failed: 1, seconds: 724 };
        assert_eq!(end.words(), "9 runs finished in 12 min 04 s, 1 failed");
        assert_eq!(QueueEnd { finished: 1, failed: 0, seconds: 4 }.words(), "1 run finished in 4 s");
    }

    #[test]
    fn a_queue_of_nothing_has_no_end() {
        let mut story = QueueStory::default();
        assert_eq!(story.look(false, &[], 10), None);
        assert_eq!(story.look(true, &[], 10), None);
        assert_eq!(story.look(false, &[], 20), None);
    }
}
