//! Ticks of an axis of dates.

use super::scale::Range;
use crate::calendar::{self, DAY};

const HOUR: i64 = DAY / 24;

/// From one tick to the next.
#[derive(Clone, Copy)]
enum Step {
    Hours(i64),
    Days(i64),
    Months(i64),
}

const STEPS: [Step; 18] = [
    Step::Hours(1),
    Step::Hours(3),
    Step::Hours(6),
    Step::Hours(12),
    Step::Days(1),
    Step::Days(2),
    Step::Days(5),
    Step::Days(10),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
    Step::Months(24),
    Step::Months(60),
    Step::Months(120),
    Step::Months(240),
    Step::Months(1200),
];
/// More ticks than this are not looked at.
const MAX_TICKS: usize = 60;

/// The closest dates in a range of milliseconds since 1970 that have `room` beside each other.
pub fn ticks(range: Range, room: impl Fn(&[(f64, String)]) -> bool) -> Vec<(f64, String)> {
    let found = STEPS.iter().filter_map(|step| step.ticks(range)).find(|ticks| room(ticks));
    found.unwrap_or_default()
}

impl Step {
    /// The ticks in a range; none where there are too many.
    fn ticks(self, range: Range) -> Option<Vec<(f64, String)>> {
        let (low, high) = (range.low.ceil() as i64, range.high.floor() as i64);
        let every = |length: i64| {
            let first = low.div_euclid(length) + i64::from(low.rem_euclid(length) != 0);
            let count = (high.div_euclid(length) - first + 1).max(0) as usize;
            (count <= MAX_TICKS).then(|| (0..count as i64).map(|index| (first + index) * length).collect::<Vec<i64>>())
        };
        let label = |time: i64, text: String| (time as f64, text);
        match self {
            // The date stands where a day begins, and at the first tick.
            Self::Hours(hours) => {
                let times = every(hours * HOUR)?;
                let first = times.first().copied();
                let words = |time: i64| match calendar::moment(time) {
                    text if Some(time) == first => text,
                    text => text.split_once(' ').map_or(text.clone(), |(_, clock)| clock.to_owned()),
                };
                Some(times.into_iter().map(|time| label(time, words(time))).collect())
            }
            Self::Days(days) => {
                Some(every(days * DAY)?.into_iter().map(|time| label(time, calendar::date(time))).collect())
            }
            Self::Months(months) => {
                let month_of = |time: i64| {
                    let date = calendar::date(time);
                    let mut parts = date.split('-').filter_map(|part| part.parse::<i64>().ok());
                    Some(parts.next()? * 12 + parts.next()? - 1)
                };
                let (from, to) = (month_of(low)?, month_of(high)?);
                let first = from.div_euclid(months) * months;
                let count = ((to - first) / months + 1).max(0) as usize;
                if count > MAX_TICKS {
                    return None;
                }
                let tick = |index: i64| {
                    let month = first + index * months;
                    let text = format!("{:04}-{:02}", month.div_euclid(12), month.rem_euclid(12) + 1);
                    let time = calendar::parse(&format!("{text}-01")).filter(|time| (low..=high).contains(time))?;
                    let short = if months % 12 == 0 { text[..4].to_owned() } else { text };
                    Some(label(time, short))
                };
                Some((0..count as i64).filter_map(tick).collect())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from: &str, to: &str, max: usize) -> Vec<String> {
        let [low, high] = [from, to].map(|date| calendar::parse(date).unwrap() as f64);
        let ticks = ticks(Range { low, high }, |ticks| ticks.len() <= max);
        assert!(ticks.iter().all(|(time, _)| (low..=high).contains(time)));
        ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_stand_at_round_dates() {
        assert_eq!(labels("1997-09-20", "1998-04-23", 8)[..2], ["1997-10", "1997-11"]);
        assert_eq!(labels("1997-09-20", "1998-04-23", 4), ["1997-11", "1998-01", "1998-03"]);
        assert_eq!(labels("1996-05-17", "2014-07-23", 5), ["2000", "2005", "2010"]);
        assert_eq!(labels("2014-07-23", "2014-07-26", 6), ["2014-07-23", "2014-07-24", "2014-07-25", "2014-07-26"]);
        assert_eq!(labels("2014-07-23 05:00", "2014-07-23 11:00", 3), ["2014-07-23 06:00", "09:00"]);
    }
}
