//! What leave-last-out trains on that lies after its tests: later interactions of other users, which nobody has at the time.

use serde::{Deserialize, Serialize};

use crate::text::counted;

/// The tests of one stage (same-block protocol) against the times of what the model that answers them was trained on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StageLeak {
    pub tests: u64,
    /// Training targets of the stage and of those before it.
    pub training: u64,
    /// Tests that lie before some of them.
    pub early_tests: u64,
    /// How many of them lie after a test: the median over the tests, and the most.
    pub median_later: u64,
    pub most_later: u64,
    /// Tests that lie before training targets of *earlier* stages: none where stages are cut in time, so that protocols which
    /// ask the model of the stage before are strict.
    pub early_across_stages: u64,
}

/// Counts stage by stage.
#[derive(Debug, Default)]
pub struct LeakCounter {
    /// By stage, the times of its training targets in ascending order.
    training: Vec<Vec<i64>>,
}

impl LeakCounter {
    /// Takes in a stage: the times of its training targets, and of its tests.
    pub fn stage(&mut self, mut training: Vec<i64>, tests: &[i64]) -> StageLeak {
        if !training.is_sorted() {
            training.sort_unstable();
        }
        self.training.push(training);
        let after = |times: &Vec<i64>, test: i64| times.len() - times.partition_point(|&time| time <= test);
        let own = self.training.len() - 1;
        let mut leak = StageLeak {
            tests: tests.len() as u64,
            training: self.training.iter().map(|times| times.len() as u64).sum(),
            ..StageLeak::default()
        };
        let mut later: Vec<u64> = Vec::with_capacity(tests.len());
        for &test in tests {
            let before: usize = self.training[..own].iter().map(|times| after(times, test)).sum();
            leak.early_across_stages += u64::from(before > 0);
            later.push((before + after(&self.training[own], test)) as u64);
        }
        later.sort_unstable();
        leak.early_tests = later.iter().filter(|&&count| count > 0).count() as u64;
        leak.median_later = later.get(later.len() / 2).copied().unwrap_or(0);
        leak.most_later = later.last().copied().unwrap_or(0);
        leak
    }
}

/// What is to be known of the stages from 2 on, in two or three sentences; none where nothing leaks, or there are no tests.
pub fn warning(stages: &[StageLeak]) -> Option<String> {
    let later = stages.get(1..)?;
    let (tests, early) =
        later.iter().fold((0, 0), |(tests, early), leak| (tests + leak.tests, early + leak.early_tests));
    if early == 0 {
        return None;
    }
    let share = |of: fn(&StageLeak) -> u64| later.iter().map(of).max().unwrap_or(0);
    let mut words = format!(
        "Leave-last-out looks ahead: {early} of {} of the stages from 2 on lie before interactions that the model was trained on \
         (before {} of them by the median of a stage, {} at most)",
        counted(tests as usize, "test"),
        share(|leak| leak.median_later),
        share(|leak| leak.most_later),
    );
    if later.iter().any(|leak| leak.early_across_stages > 0) {
        words.push_str(
            ". Stages are cut by each user's order and overlap in time, so no protocol is strict: cut them in time for that",
        );
    } else {
        words.push_str(
            ". `global-time` asks the same tests of the model of the stage before, which was trained on nothing later",
        );
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_training_is_counted_test_by_test() {
        let mut counter = LeakCounter::default();
        let first = counter.stage(vec![1, 2, 3], &[4, 2]);
        assert_eq!((first.tests, first.training, first.early_tests, first.most_later), (2, 3, 1, 1));
        let second = counter.stage(vec![30, 10, 20], &[10, 25, 40]);
        // By hand: after 10 lie 20 and 30, after 25 lies 30, after 40 nothing; a time that is equal does not lie after.
        assert_eq!((second.early_tests, second.median_later, second.most_later), (2, 1, 2));
        assert_eq!((second.training, second.early_across_stages), (6, 0));
        let words = warning(&[first, second]).unwrap();
        assert!(words.starts_with("Leave-last-out looks ahead: 2 of 3 tests"), "{words}");
        assert!(words.contains("global-time"), "{words}");
        assert_eq!(warning(&[first]), None, "stage 1 is the base of all");
    }

    #[test]
    fn stages_that_overlap_in_time_make_no_protocol_strict() {
        let mut counter = LeakCounter::default();
        let first = counter.stage(vec![1, 50], &[60]);
        let second = counter.stage(vec![10], &[20]);
        assert_eq!((second.early_tests, second.early_across_stages), (1, 1));
        assert!(warning(&[first, second]).unwrap().contains("no protocol is strict"));
    }
}
