//! Dates in the ways that files write them: ISO, with slashes or dots, with names of months, with a clock and a zone.

use super::{DAY, SECOND, days_of};

/// What a text says of a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// Milliseconds since 1970, UTC.
    Moment(i64),
    /// Day and month in an order that the text alone does not tell.
    Numbers(DayAndMonth),
}

/// Which number of `07/08/2014` is the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    DayFirst,
    MonthFirst,
}

/// A date like `07/23/2014`, with its time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayAndMonth {
    first: i64,
    second: i64,
    year: i64,
    /// Milliseconds after midnight, UTC.
    rest: i64,
    /// What stands between the numbers.
    pub separator: u8,
}

impl DayAndMonth {
    /// The time in an order; none where there is no such date.
    pub fn in_order(self, order: Order) -> Option<i64> {
        let (day, month) = match order {
            Order::DayFirst => (self.first, self.second),
            Order::MonthFirst => (self.second, self.first),
        };
        Some(days_of(self.year, month, day)? * DAY + self.rest)
    }
}

/// Reads a date, with or without a time of day. A time without a zone is UTC; of zones `Z`, `UTC`, `GMT` and offsets are known.
///
/// `2014-07-23`, `2014/07/23 10:15`, `2014-07-23T10:15:30.5+02:00`, `07/23/2014 10:15 PM`, `23.07.2014`, `Jul 23, 2014`,
/// `23 July 2014`, `Wed Aug 27 13:08:45 +0000 2008`, `07 23, 2014`.
pub fn written(text: &str) -> Option<Written> {
    let mut scanner = Scanner { rest: text.trim().as_bytes() };
    let written = scanner.date()?;
    scanner.rest.is_empty().then_some(written)
}

/// Whether a text is a time of day without a date: `10:15`, `10:15:30`.
pub fn is_clock(text: &str) -> bool {
    let mut scanner = Scanner { rest: text.trim().as_bytes() };
    scanner.clock().is_some() && scanner.rest.is_empty()
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A text of which the beginning was read.
#[derive(Clone, Copy)]
struct Scanner<'t> {
    rest: &'t [u8],
}

impl<'t> Scanner<'t> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn blanks(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_ascii_start();
        self.rest.len() < before
    }

    /// The bytes of a kind from here on.
    fn run(&mut self, of: fn(&u8) -> bool) -> &'t [u8] {
        let end = self.rest.iter().position(|byte| !of(byte)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    /// A number of so many digits.
    fn number(&mut self, digits: std::ops::RangeInclusive<usize>) -> Option<i64> {
        let run = self.run(u8::is_ascii_digit);
        let value = || run.iter().fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
        digits.contains(&run.len()).then(value)
    }

    /// The place of the next word among names, which three letters shorten.
    fn name(&mut self, names: &[&str]) -> Option<i64> {
        let word = self.run(u8::is_ascii_alphabetic);
        let fits = |name: &str| {
            word.len() >= 3 && name.len() >= word.len() && { name.as_bytes()[..word.len()].eq_ignore_ascii_case(word) }
        };
        let place = names.iter().position(|name| fits(name))?;
        self.eat(b'.');
        Some(place as i64)
    }

    fn date(&mut self) -> Option<Written> {
        if self.peek()?.is_ascii_alphabetic() {
            let mut behind = *self;
            if behind.name(&WEEKDAYS).is_some() {
                behind.eat(b',');
                behind.blanks();
                *self = behind;
            }
        }
        if self.peek()?.is_ascii_alphabetic() { self.month_day_year() } else { self.of_numbers() }
    }

    /// What begins with a number.
    fn of_numbers(&mut self) -> Option<Written> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let first = self.number(1..=8)?;
        if digits == 8 && !self.rest.is_empty() {
            // `20140723 10:15`; without a clock it may be any number.
            return self.with_clock(first / 10_000, first / 100 % 100, first % 100);
        }
        let separator = self.peek()?;
        self.rest = &self.rest[1..];
        match (digits, separator) {
            (4, b'-' | b'/' | b'.') => {
                let month = self.number(1..=2)?;
                let day = (self.eat(separator)).then(|| self.number(1..=2))??;
                self.with_clock(first, month, day)
            }
            (1..=2, b'-' | b'/' | b'.' | b' ') => {
                if self.peek()?.is_ascii_alphabetic() {
                    let month = self.name(&MONTHS)? + 1;
                    let between = if separator == b'.' { b' ' } else { separator };
                    let _ = self.eat(between) || self.eat(b',');
                    self.blanks();
                    let year = self.year()?;
                    return self.with_clock(year, month, first);
                }
                let second = self.number(1..=2)?;
                if separator == b' ' {
                    // `07 23, 2014`, as Amazon writes the day of a review.
                    let comma = self.eat(b',') && self.blanks();
                    let year = comma.then(|| self.number(4..=4))??;
                    return self.with_clock(year, first, second);
                }
                let year = (self.eat(separator)).then(|| self.year())??;
                let rest = self.clock_and_zone()?;
                let numbers = DayAndMonth { first, second, year, rest, separator };
                [Order::DayFirst, Order::MonthFirst].iter().find_map(|order| numbers.in_order(*order))?;
                Some(Written::Numbers(numbers))
            }
            _ => None,
        }
    }

    /// What begins with the name of a month: `Jul 23, 2014 10:15`, `Aug 27 13:08:45 +0000 2008`.
    fn month_day_year(&mut self) -> Option<Written> {
        let month = self.name(&MONTHS)? + 1;
        self.blanks();
        let day = self.number(1..=2)?;
        let suffix = self.run(u8::is_ascii_alphabetic);
        let ordinal = matches!(suffix, b"" | b"st" | b"nd" | b"rd" | b"th");
        self.eat(b',');
        let apart = ordinal && self.blanks();
        apart.then_some(())?;
        let mut behind = *self;
        let Some(clock) = behind.clock() else {
            let year = self.number(4..=4)?;
            return self.with_clock(year, month, day);
        };
        *self = behind;
        let offset = self.zone()?;
        self.blanks();
        let year = self.number(4..=4)?;
        Some(Written::Moment(days_of(year, month, day)? * DAY + clock - offset))
    }

    /// A year of four digits, or of two, which are those from 1969 to 2068.
    fn year(&mut self) -> Option<i64> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let year = self.number(2..=4)?;
        match digits {
            4 => Some(year),
            2 => Some(if year < 69 { 2000 + year } else { 1900 + year }),
            _ => None,
        }
    }

    fn with_clock(&mut self, year: i64, month: i64, day: i64) -> Option<Written> {
        Some(Written::Moment(days_of(year, month, day)? * DAY + self.clock_and_zone()?))
    }

    /// Milliseconds after midnight, UTC, of what follows a date.
    fn clock_and_zone(&mut self) -> Option<i64> {
        if self.rest.is_empty() {
            return Some(0);
        }
        let apart = self.eat(b'T') || self.eat(b't') || {
            self.eat(b',');
            self.blanks()
        };
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            apart.then_some(())?;
            let clock = self.clock()?;
            return Some(clock - self.zone()?);
        }
        // A zone right behind the date: `2014-07-23Z`.
        Some(-self.zone()?)
    }

    /// Milliseconds of a time of day.
    fn clock(&mut self) -> Option<i64> {
        let mut hour = self.number(1..=2)?;
        let minute = self.eat(b':').then(|| self.number(2..=2))??;
        let (mut second, mut milliseconds) = (0, 0);
        if self.eat(b':') {
            second = self.number(1..=2)?;
            if self.eat(b'.') || self.eat(b',') {
                let fraction = self.run(u8::is_ascii_digit);
                (!fraction.is_empty()).then_some(())?;
                let digit = |place: usize| fraction.get(place).map_or(0, |digit| i64::from(digit - b'0'));
                milliseconds = digit(0) * 100 + digit(1) * 10 + digit(2);
            }
        }
        let mut behind = *self;
        behind.blanks();
        let half = behind.run(u8::is_ascii_alphabetic);
        if let Some(after_noon) = [b"am", b"pm"].iter().position(|name| half.eq_ignore_ascii_case(*name)) {
            (1..=12).contains(&hour).then_some(())?;
            hour = hour % 12 + 12 * after_noon as i64;
            *self = behind;
        }
        // A leap second is the last second once more.
        let holds = hour < 24 && minute < 60 && second <= 60;
        holds.then(|| ((hour * 60 + minute) * 60 + second.min(59)) * SECOND + milliseconds)
    }

    /// Milliseconds by which a zone is before UTC; 0 where none is named.
    fn zone(&mut self) -> Option<i64> {
        let before = *self;
        self.blanks();
        match self.peek() {
            Some(sign @ (b'+' | b'-')) => {
                self.rest = &self.rest[1..];
                let hours = self.two_digits()?;
                self.eat(b':');
                let minutes =
                    if self.peek().is_some_and(|byte| byte.is_ascii_digit()) { self.two_digits()? } else { 0 };
                (hours < 24 && minutes < 60).then_some(())?;
                let offset = (hours * 60 + minutes) * 60 * SECOND;
                Some(if sign == b'-' { -offset } else { offset })
            }
            Some(byte) if byte.is_ascii_alphabetic() => {
                let name = self.run(u8::is_ascii_alphabetic);
                [b"Z".as_slice(), b"UTC", b"GMT"].iter().any(|zone| name.eq_ignore_ascii_case(zone)).then_some(0)
            }
            _ => {
                *self = before;
                Some(0)
            }
        }
    }

    fn two_digits(&mut self) -> Option<i64> {
        let digits = self.rest.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
        self.rest = &self.rest[2..];
        Some(i64::from(digits[0] - b'0') * 10 + i64::from(digits[1] - b'0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_in_many_words_equal_those_of_pandas() {
        // `pandas.Timestamp(text).value // 10**6`, pandas 3.1.
        for (text, milliseconds) in [
            ("2019-10-01T00:00:00+02:00", 1_569_880_800_000),
            ("2019-10-01 00:00:00 UTC", 1_569_888_000_000),
            ("2019-10-01 00:00:00 GMT", 1_569_888_000_000),
            ("2014-07-23T10:15:30.123456789Z", 1_406_110_530_123),
            ("2014/07/23", 1_406_073_600_000),
            ("2014.07.23", 1_406_073_600_000),
            ("Wed Aug 27 13:08:45 +0000 2008", 1_219_842_525_000),
            ("Wed, 27 Aug 2008 13:08:45 +0000", 1_219_842_525_000),
            ("Aug 27, 2008 1:08:45 PM", 1_219_842_525_000),
            ("Jul 23, 2014", 1_406_073_600_000),
            ("23 July 2014", 1_406_073_600_000),
            ("23-Jul-2014", 1_406_073_600_000),
            ("07 23, 2014", 1_406_073_600_000),
            ("2014-07-23 10:15:00-0730", 1_406_137_500_000),
            ("2014-07-23T10:15:00.5+05", 1_406_092_500_500),
            ("2014-07-23 12:05 AM", 1_406_073_900_000),
            ("2014-07-23 10:15:00 +0200", 1_406_103_300_000),
            ("20140723 10:15", 1_406_110_500_000),
        ] {
            assert_eq!(written(text), Some(Written::Moment(milliseconds)), "{text}");
        }
    }

    #[test]
    fn numbers_are_day_and_month_in_the_order_that_is_asked_for() {
        let of = |text: &str, order| match written(text) {
            Some(Written::Numbers(numbers)) => numbers.in_order(order),
            other => panic!("{text}: {other:?}"),
        };
        // `pandas.Timestamp(text)`, and `pandas.to_datetime(text, dayfirst=True)` for the day first.
        for (text, order, milliseconds) in [
            ("7/23/2014 10:15 PM", Order::MonthFirst, 1_406_153_700_000),
            ("7/23/14 10:15", Order::MonthFirst, 1_406_110_500_000),
            ("07/23/2014", Order::MonthFirst, 1_406_073_600_000),
            ("23/07/2014", Order::DayFirst, 1_406_073_600_000),
            ("23.07.2014 08:05", Order::DayFirst, 1_406_102_700_000),
        ] {
            assert_eq!(of(text, order), Some(milliseconds), "{text}");
        }
        assert_eq!(of("23/07/2014", Order::MonthFirst), None);
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "32/13/2014",
            "2014-07-23 10:15 CEST",
            "2014-07-23 13:00 PM",
            "2014-07-23T10:15:30.",
            "2014-07-23 10:15:30+2",
            "2014-07-2310:15",
            "Jul 2014",
            "Jux 23, 2014",
            "23 July",
            "1/2",
            "1/2/3",
            "1/2/345",
            "2014/07-23",
            "10:15",
            "20140723",
            "20141323 10:15",
            "07 23 2014",
            "Wed",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
        assert!(is_clock("10:15") && is_clock("9:05:07") && is_clock("1:05 PM"));
        assert!(!is_clock("25:00") && !is_clock("2014-07-23 10:15") && !is_clock("10"));
    }
}
