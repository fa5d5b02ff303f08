//! What a column of times is, by its values together: one alone may be seconds, a date without its dashes, or neither.

use crate::calendar::{self, DAY, DayAndMonth};

/// 2100-01-01 in milliseconds. What is later is another unit, or stands for something else.
pub const END: i64 = 4_102_444_800_000;
/// 1980-01-01 in milliseconds: a column that mostly is later has no times of the first weeks of 1970.
const MODERN: i64 = 315_532_800_000;

/// A time as it is written, before the column tells what it means.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    /// Milliseconds since 1970, of a typed file.
    Moment(i64),
    Integer(i64),
    Float(f64),
    /// A date that says its order itself.
    Date(i64),
    Numbers(DayAndMonth),
}

/// What numbers count, since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Unit {
    const ALL: [Self; 4] = [Self::Seconds, Self::Milliseconds, Self::Microseconds, Self::Nanoseconds];

    pub fn words(self) -> &'static str {
        match self {
            Self::Seconds => "seconds",
            Self::Milliseconds => "milliseconds",
            Self::Microseconds => "microseconds",
            Self::Nanoseconds => "nanoseconds",
        }
    }

    /// Milliseconds of an integer; none beyond what time there is.
    pub fn of_integer(self, number: i64) -> Option<i64> {
        match self {
            Self::Seconds => number.checked_mul(1000),
            Self::Milliseconds => Some(number),
            Self::Microseconds => Some(number.div_euclid(1000)),
            Self::Nanoseconds => Some(number.div_euclid(1_000_000)),
        }
    }

    pub fn of_float(self, number: f64) -> Option<i64> {
        let factor = match self {
            Self::Seconds => 1e3,
            Self::Milliseconds => 1.0,
            Self::Microseconds => 1e-3,
            Self::Nanoseconds => 1e-6,
        };
        let milliseconds = (number * factor).round();
        (milliseconds.abs() < 9e15).then_some(milliseconds as i64)
    }

    /// The coarsest unit in which a number is before 2100; none for what is no time in any.
    pub fn of_size(number: f64) -> Option<Self> {
        let mut end = END as f64 / 1000.0;
        Self::ALL.into_iter().find(|_| {
            let fits = number.abs() < end;
            end *= 1000.0;
            fits
        })
    }
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Number(Unit),
    /// `20140723`, `201407231015`, `20140723101530`.
    YearMonthDay,
    Dates,
}

/// What the values of a column are: what most of them fit.
pub fn kind_of(values: &[Value]) -> Kind {
    let dates = values.iter().filter(|value| matches!(value, Value::Date(_) | Value::Numbers(_))).count();
    let numbers: Vec<f64> = values.iter().copied().filter_map(number).collect();
    if dates > 0 && dates >= numbers.len() {
        return Kind::Dates;
    }
    let telling: Vec<f64> = numbers.into_iter().filter(|number| !is_sentinel(*number)).collect();
    let compact = telling.iter().filter(|number| year_month_day(**number).is_some()).count();
    if compact > 0 && 20 * compact >= 19 * telling.len() {
        return Kind::YearMonthDay;
    }
    let count = |unit: &Unit| telling.iter().filter(|number| Unit::of_size(**number) == Some(*unit)).count();
    // Of equals the coarsest.
    let most = Unit::ALL.into_iter().rev().max_by_key(count);
    Kind::Number(most.unwrap_or(Unit::Seconds))
}

fn number(value: Value) -> Option<f64> {
    match value {
        Value::Integer(number) => Some(number as f64),
        Value::Float(number) => Some(number),
        Value::Moment(_) | Value::Date(_) | Value::Numbers(_) => None,
    }
}

/// Whether a number is what programs write where there is no time.
fn is_sentinel(number: f64) -> bool {
    number == 0.0 || number == -1.0
}

/// Milliseconds of a number whose digits are year, month, day and perhaps hour, minute and second.
pub fn year_month_day(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && (19_000_101.0..1e14).contains(&number)).then_some(())?;
    let number = number as i64;
    let (day, clock) = match number {
        0..100_000_000 => (number, 0),
        100_000_000_000..1_000_000_000_000 => (number / 10_000, number % 10_000 * 100),
        10_000_000_000_000.. => (number / 1_000_000, number % 1_000_000),
        _ => return None,
    };
    let year = day / 10_000;
    let days = calendar::days_of(year, day / 100 % 100, day % 100)?;
    let [hour, minute, second] = [clock / 10_000, clock / 100 % 100, clock % 100];
    let holds = (1900..=2100).contains(&year) && hour < 24 && minute < 60 && second < 60;
    holds.then(|| days * DAY + ((hour * 60 + minute) * 60 + second) * 1000)
}

/// The first time of a column that is no stand-in for one that is missing, given the times of its beginning.
pub fn lowest(kind: Kind, mut times: Vec<i64>) -> i64 {
    if times.is_empty() {
        return i64::MIN;
    }
    let middle = times.len() / 2;
    let (_, median, _) = times.select_nth_unstable(middle);
    match kind {
        _ if *median < MODERN => i64::MIN,
        // In a finer unit, what would be before is seconds, or the like.
        Kind::Number(Unit::Milliseconds | Unit::Microseconds | Unit::Nanoseconds) => END / 1000,
        _ => DAY,
    }
}
