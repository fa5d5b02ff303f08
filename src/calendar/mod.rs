//! Dates as files write them, in milliseconds since 1970, UTC.

mod written;

pub use self::written::{DayAndMonth, Order, Written, is_clock, written};

/// Milliseconds of a second, and of a day.
const SECOND: i64 = 1000;
pub const DAY: i64 = 86_400 * SECOND;

/// Reads `2014-07-23`, with `T` or a blank also a time of day: `2014-07-23 10:15`, `2014-07-23T10:15:30.5Z`, and what else
/// says a moment without doubt.
pub fn parse(text: &str) -> Option<i64> {
    match written(text)? {
        Written::Moment(time) => Some(time),
        Written::Numbers(_) => None,
    }
}

/// A date as `2014-07-23`.
pub fn date(milliseconds: i64) -> String {
    // Hinnant, "chrono-compatible low-level date algorithms": years begin in March, so that leap days come last.
    let days = milliseconds.div_euclid(DAY) + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A date with as much of the time of day as it takes: `2014-07-23`, `2014-07-23 10:15`, `2014-07-23 10:15:30.250`.
pub fn moment(milliseconds: i64) -> String {
    let of_day = milliseconds.rem_euclid(DAY);
    let (seconds, rest) = (of_day / SECOND, of_day % SECOND);
    let clock = format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    let date = date(milliseconds);
    match (of_day, seconds % 60, rest) {
        (0, ..) => date,
        (_, 0, 0) => format!("{date} {clock}"),
        (_, second, 0) => format!("{date} {clock}:{second:02}"),
        (_, second, rest) => format!("{date} {clock}:{second:02}.{rest:03}"),
    }
}

/// `2026-03-01 12:34:56Z` for seconds since 1970.
pub fn to_the_second(unix: u64) -> String {
    let second = unix % 86_400;
    let date = date(i64::try_from(unix).unwrap_or(i64::MAX / 1000).saturating_mul(1000));
    format!("{date} {:02}:{:02}:{:02}Z", second / 3_600, second / 60 % 60, second % 60)
}

/// Days since 1970 of a date that exists.
pub fn days_of(year: i64, month: i64, day: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_equal_those_of_pandas() {
        // `pandas.Timestamp(text).value // 10**6`
        for (text, milliseconds) in [
            ("1970-01-01", 0),
            ("2014-07-23", 1_406_073_600_000),
            ("2000-02-29 23:59:59", 951_868_799_000),
            ("2021-12-31T10:15", 1_640_945_700_000),
            ("2018-07-07 22:09:11.25", 1_531_001_351_250),
            ("1969-12-31T23:59:59.999Z", -1),
            ("1900-03-01", -2_203_891_200_000),
        ] {
            assert_eq!(parse(text), Some(milliseconds), "{text}");
        }
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(to_the_second(0), "1970-01-01 00:00:00Z");
        assert_eq!(to_the_second(951_782_399), "2000-02-28 23:59:59Z");
        assert_eq!(to_the_second(951_782_400), "2000-02-29 00:00:00Z");
        assert_eq!(to_the_second(1_767_225_599), "2025-12-31 23:59:59Z");
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "",
            "2014",
            "2014-13-01",
            "2015-02-29",
            "1900-02-29",
            "2014-00-10",
            "2014-01-00",
            "2014-01-01 24:00",
            "x-y-z",
            "2014-01-01 10",
            "2014-01-01 10:61",
            "20140101",
            "07/08/2014",
            "2014-1-1-1",
            "99999-01-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_written_date_is_read_back(day in -700_000i64..2_900_000, rest in 0..DAY) {
            prop_assume!(day >= -719_162); // year 1
            prop_assert_eq!(parse(&date(day * DAY + rest)), Some(day * DAY));
            for part in [1, SECOND, 60 * SECOND, DAY] {
                let time = day * DAY + rest / part * part;
                prop_assert_eq!(parse(&moment(time)), Some(time));
            }
        }
    }
}
