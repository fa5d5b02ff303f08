//! Interactions over time, and where stages may be cut: what a hand that drags a cut needs to know at once.
//!
//! Counts come from equal parts of the period, so that those of a cut inside a part are near, and exact at its edge.

use super::StageCuts;
use super::prepare::PrepareReport;
use crate::calendar;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Interactions in equal parts of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeline {
    /// First and last interaction, in milliseconds since 1970.
    first: i64,
    last: i64,
    bins: Vec<u64>,
    /// Interactions before each part, and all of them at the end.
    before: Vec<u64>,
}

impl Timeline {
    /// The timeline of prepared interactions; none where they have no times, or one time alone.
    pub fn of(report: &PrepareReport) -> Option<Self> {
        let periods = || report.stages.iter().filter_map(|stage| stage.period);
        let (first, last) = periods().map(|(from, _)| from).min().zip(periods().map(|(_, to)| to).max())?;
        Self::new(first, last, report.timeline.clone())
    }

    fn new(first: i64, last: i64, bins: Vec<u64>) -> Option<Self> {
        let sums = bins.iter().scan(0, |sum, bin| {
            *sum += bin;
            Some(*sum)
        });
        let before = [0].into_iter().chain(sums).collect();
        (first < last && !bins.is_empty()).then_some(Self { first, last, bins, before })
    }

    /// First and last interaction, in milliseconds since 1970.
    pub fn period(&self) -> (i64, i64) {
        (self.first, self.last)
    }

    /// Interactions by part.
    pub fn bins(&self) -> &[u64] {
        &self.bins
    }

    /// The first millisecond of a part; that after the last part ends it.
    pub fn start(&self, bin: usize) -> i64 {
        let (length, parts) = (i128::from(self.last - self.first) + 1, self.bins.len() as i128);
        let offset = (bin as i128 * length).div_euclid(parts) + i128::from((bin as i128 * length) % parts != 0);
        self.first + offset as i64
    }

    /// Length of a part in milliseconds.
    pub fn width(&self) -> i64 {
        ((self.last - self.first + 1) / self.bins.len() as i64).max(1)
    }

    /// What cuts are rounded to: the largest of day, hour, minute, second and millisecond that is no longer than a part.
    fn unit(&self) -> i64 {
        [calendar::DAY, HOUR, MINUTE, SECOND].into_iter().find(|unit| *unit <= self.width()).unwrap_or(1)
    }

    /// Interactions before a time.
    fn before(&self, time: i64) -> u64 {
        let inside = time.clamp(self.first, self.last + 1);
        let length = i128::from(self.last - self.first) + 1;
        let bin = (i128::from(inside - self.first) * self.bins.len() as i128 / length) as usize;
        let Some(&count) = self.bins.get(bin) else { return self.before[self.bins.len()] };
        let (from, to) = (self.start(bin), self.start(bin + 1));
        let part = (inside - from).max(0) as f64 / (to - from).max(1) as f64;
        self.before[bin] + (part * count as f64).round() as u64
    }

    /// Interactions of each stage between cuts.
    pub fn counts(&self, cuts: &[i64]) -> Vec<u64> {
        let ends = cuts.iter().map(|&cut| self.before(cut)).chain([self.before[self.bins.len()]]);
        let mut start = 0;
        ends.map(|end| end.saturating_sub(std::mem::replace(&mut start, end))).collect()
    }

    /// Where stages begin, but for the first: the dates of the project, or the first interaction of each stage.
    pub fn cuts(&self, stages: &StageCuts, report: &PrepareReport) -> Vec<i64> {
        let mut cuts: Vec<i64> = match stages {
            StageCuts::Dates(dates) => dates.iter().filter_map(|date| calendar::parse(date)).collect(),
            _ => report.stages.iter().skip(1).filter_map(|stage| Some(stage.period?.0)).collect(),
        };
        cuts.dedup();
        cuts
    }

    /// The earliest and latest time of a cut that leave a part with interactions on both sides of it; none where they do not
    /// have room.
    pub fn room(&self, cuts: &[i64], at: usize) -> Option<(i64, i64)> {
        let from = at.checked_sub(1).map_or(self.first, |before| cuts[before]);
        let to = cuts.get(at + 1).copied().unwrap_or(self.last + 1);
        let mut whole = (0..self.bins.len())
            .filter(|&bin| self.bins[bin] > 0 && from <= self.start(bin) && self.start(bin + 1) <= to);
        let (lowest, highest) = (whole.next()?, whole.next_back()?);
        let unit = self.unit();
        let low = (self.start(lowest + 1) + unit - 1).div_euclid(unit) * unit;
        let high = self.start(highest).div_euclid(unit) * unit;
        (low <= high).then_some((low, high))
    }

    /// The cuts with one of them moved to a time, as near as there is room.
    #[must_use]
    pub fn moved(&self, cuts: &[i64], at: usize, to: i64) -> Vec<i64> {
        let mut moved = cuts.to_vec();
        if let Some((low, high)) = self.room(cuts, at) {
            let unit = self.unit();
            moved[at] = ((to + unit / 2).div_euclid(unit) * unit).clamp(low, high);
        }
        moved
    }

    /// The cuts with one of them moved by a number of parts.
    #[must_use]
    pub fn stepped(&self, cuts: &[i64], at: usize, parts: i64) -> Vec<i64> {
        self.moved(cuts, at, cuts[at] + parts * self.width())
    }

    /// The cuts with another one at a time, or near it; none where there is no room.
    pub fn added(&self, cuts: &[i64], time: i64) -> Option<Vec<i64>> {
        let at = cuts.partition_point(|&cut| cut <= time);
        let mut more = cuts.to_vec();
        more.insert(at, time);
        self.room(&more, at)?;
        Some(self.moved(&more, at, time))
    }

    /// The cuts with another one in the middle of the stage with most interactions that has room for it.
    pub fn halved(&self, cuts: &[i64]) -> Option<Vec<i64>> {
        let counts = self.counts(cuts);
        let mut stages: Vec<usize> = (0..counts.len()).collect();
        stages.sort_by_key(|&stage| std::cmp::Reverse(counts[stage]));
        stages.into_iter().find_map(|stage| {
            let middle = counts[..stage].iter().sum::<u64>() + counts[stage] / 2;
            let bin = self.before.partition_point(|&before| before <= middle).saturating_sub(1);
            self.added(cuts, self.start(bin))
        })
    }

    /// The cuts as a project file says them.
    pub fn dates(cuts: &[i64]) -> StageCuts {
        StageCuts::Dates(cuts.iter().map(|&cut| calendar::moment(cut)).collect())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::DAY;

    /// Ten days of 1, 2, …, 10 interactions a day.
    fn timeline() -> Timeline {
        Timeline::new(0, 10 * DAY - 1, (1..=10).collect()).unwrap()
    }

    #[test]
    fn counts_are_exact_at_the_edges_of_parts_and_near_between() {
        let timeline = timeline();
        assert_eq!(timeline.counts(&[]), [55]);
        assert_eq!(timeline.counts(&[2 * DAY, 9 * DAY]), [3, 42, 10]);
        assert_eq!(timeline.counts(&[9 * DAY + DAY / 2]), [50, 5]);
        assert_eq!(timeline.counts(&[-DAY, 40 * DAY]), [0, 55, 0]);
    }

    #[test]
    fn a_moved_cut_keeps_the_order_and_an_interaction_in_each_stage() {
        let timeline = timeline();
        let cuts = [3 * DAY, 6 * DAY];
        assert_eq!(timeline.moved(&cuts, 0, 4 * DAY + 7 * HOUR), [4 * DAY, 6 * DAY], "rounded to days");
        assert_eq!(timeline.moved(&cuts, 0, 30 * DAY), [5 * DAY, 6 * DAY]);
        assert_eq!(timeline.moved(&cuts, 1, -DAY), [3 * DAY, 4 * DAY]);
        assert_eq!(timeline.stepped(&cuts, 1, -1), [3 * DAY, 5 * DAY]);
        assert_eq!(timeline.room(&[4 * DAY, 5 * DAY, 6 * DAY], 1), Some((5 * DAY, 5 * DAY)));
        // A day without interactions is no stage.
        let gap = Timeline::new(0, 4 * DAY - 1, vec![5, 0, 0, 5]).unwrap();
        assert_eq!(gap.room(&[2 * DAY], 0), Some((DAY, 3 * DAY)));
        assert_eq!(gap.added(&[2 * DAY], 2 * DAY + HOUR), None);
    }

    #[test]
    fn a_cut_is_added_in_the_middle_of_the_largest_stage() {
        let timeline = timeline();
        // The second stage has 49 of 55 interactions; 28 of them are before day 8.
        assert_eq!(timeline.halved(&[3 * DAY]), Some(vec![3 * DAY, 7 * DAY]));
        assert_eq!(timeline.added(&[3 * DAY], DAY), Some(vec![DAY, 3 * DAY]));
        let all: Vec<i64> = (1..10).map(|day| day * DAY).collect();
        assert_eq!(timeline.halved(&all), None, "every day is a stage");
    }

    #[test]
    fn cuts_are_written_as_dates_with_a_time_of_day_where_they_have_one() {
        let cuts = [DAY, 2 * DAY + 90 * MINUTE];
        assert_eq!(Timeline::dates(&cuts), StageCuts::Dates(vec!["1970-01-02".into(), "1970-01-03 01:30".into()]));
    }

    proptest! {
        #[test]
        fn cuts_that_were_moved_leave_no_stage_empty(
            bins in proptest::collection::vec(0u64..4, 4..60),
            length in 1i64..10_000_000_000,
            moves in proptest::collection::vec((0usize..6, -10_000_000_000i64..20_000_000_000), 1..12),
        ) {
            let mut bins = bins;
            let last = bins.len() - 1;
            (bins[0], bins[last]) = (1, 1);
            let timeline = Timeline::new(0, length + bins.len() as i64, bins).unwrap();
            let mut cuts = Vec::new();
            while let Some(more) = timeline.halved(&cuts).filter(|more| more.len() < 6) {
                cuts = more;
            }
            for (at, to) in moves {
                if at < cuts.len() {
                    cuts = timeline.moved(&cuts, at, to);
                }
                prop_assert!(cuts.is_sorted_by(|one, other| one < other), "{:?}", cuts);
                prop_assert!(timeline.counts(&cuts).iter().all(|&count| count > 0));
            }
        }
    }
}
