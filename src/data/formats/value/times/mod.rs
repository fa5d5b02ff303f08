//! Times of a column: one way of writing for all of them, which the values tell unless the project names it.

mod evidence;
mod orders;

use std::path::Path;

pub use self::evidence::Value;
use self::evidence::{END, Kind, Unit, kind_of, lowest, year_month_day};
use self::orders::Orders;
use super::field::Field;
use super::missing::is_missing;
use crate::calendar::{self, Order, Written};
use crate::data::formats::assumption::Assumption;
use crate::data::formats::reading::TimesAs;
use crate::error::InputError;

/// Reads the times of a column.
#[derive(Debug)]
pub struct Times {
    named: Option<TimesAs>,
    kind: Kind,
    /// What is before or after is no time of this column, in milliseconds.
    lowest: i64,
    highest: i64,
    orders: Orders,
    read: u64,
    /// Numbers that only another unit explains.
    other_unit: u64,
    /// Whether all were of a type that says its unit.
    typed: bool,
}

impl Times {
    /// Decides by the first values how all are written.
    pub fn of(named: Option<TimesAs>, first: &[Value]) -> Self {
        let kind = match named {
            Some(TimesAs::Seconds) => Kind::Number(Unit::Seconds),
            Some(TimesAs::Milliseconds) => Kind::Number(Unit::Milliseconds),
            Some(TimesAs::Microseconds) => Kind::Number(Unit::Microseconds),
            Some(TimesAs::Nanoseconds) => Kind::Number(Unit::Nanoseconds),
            Some(TimesAs::YearMonthDay) => Kind::YearMonthDay,
            Some(TimesAs::Dates | TimesAs::DayFirst | TimesAs::MonthFirst) => Kind::Dates,
            None => kind_of(first),
        };
        let orders = Orders::of(named, first);
        let (lowest_all, highest_all) = (i64::MIN, i64::MAX);
        let mut times =
            Self { named, kind, lowest: lowest_all, highest: highest_all, orders, read: 0, other_unit: 0, typed: true };
        if named.is_none() {
            let known = first.iter().filter_map(|value| times.milliseconds(*value));
            let known: Vec<i64> = known.filter(|time| *time < END).collect();
            (times.lowest, times.highest) = (lowest(kind, known), END);
        }
        times
    }

    /// The time of a value, or of a date whose order is not clear yet the one with the month first.
    fn milliseconds(&self, value: Value) -> Option<i64> {
        match (value, self.kind) {
            (Value::Moment(time), _) | (Value::Date(time), Kind::Dates) => Some(time),
            (Value::Integer(number), Kind::Number(unit)) => unit.of_integer(number),
            (Value::Float(number), Kind::Number(unit)) => unit.of_float(number),
            (Value::Integer(number), Kind::YearMonthDay) => year_month_day(number as f64),
            (Value::Float(number), Kind::YearMonthDay) => year_month_day(number),
            (Value::Numbers(numbers), Kind::Dates) => match self.orders.order {
                Some(order) => numbers.in_order(order),
                None => numbers.in_order(Order::MonthFirst).or(numbers.in_order(Order::DayFirst)),
            },
            _ => None,
        }
    }

    /// The time of a field, of an interaction that will be of this number.
    ///
    /// # Errors
    /// It is no time as the others are: says why, as it reads behind "the time".
    pub fn read(&mut self, field: &Field<'_>, row: usize) -> Result<i64, String> {
        let value = value_of(field)?;
        if let (Value::Numbers(numbers), Kind::Dates) = (value, self.kind) {
            self.orders.meet(numbers, row, field);
        }
        self.read += 1;
        self.typed &= matches!(value, Value::Moment(_));
        let Some(time) = self.milliseconds(value) else {
            return Err(format!("is `{}`, {}", field.short(), self.misfit(value)));
        };
        if (self.lowest..self.highest).contains(&time) {
            return Ok(time);
        }
        self.orders.take_back(row);
        let text = field.short();
        match self.kind {
            Kind::Number(unit) if !matches!(value, Value::Integer(0 | -1)) => {
                self.other_unit += 1;
                let side = if time < self.lowest { "long before the others" } else { "after 2100" };
                Err(format!("is `{text}`, which as {}, like the others, is {side}", unit.words()))
            }
            _ if time < self.lowest => Err(format!("is `{text}`, which is before 1970-01-02, long before the others")),
            _ => Err(format!("is `{text}`, which is after 2100")),
        }
    }

    /// Why a value is no time.
    fn misfit(&self, value: Value) -> &'static str {
        match (self.kind, value) {
            (Kind::Dates, Value::Integer(_) | Value::Float(_)) => "a number where the others are dates",
            (Kind::Number(_) | Kind::YearMonthDay, Value::Date(_) | Value::Numbers(_)) => {
                "a date where the others are numbers"
            }
            (Kind::YearMonthDay, _) => "which is no day written as year, month and day",
            (Kind::Dates, Value::Numbers(_)) => match self.orders.order {
                Some(Order::DayFirst) => "which is no date with the day first",
                _ => "which is no date with the month first",
            },
            _ => "which is not a time",
        }
    }

    /// Puts right what was read before it was clear how, and says what was taken for granted.
    ///
    /// # Errors
    /// Times have several units, or dates whose day and month nothing tells apart.
    pub fn finish(mut self, times: &mut [i64], path: &Path) -> Result<Option<Assumption>, InputError> {
        if let (Kind::Number(unit), true) = (self.kind, 20 * self.other_unit > self.read) {
            let problem = format!(
                "the times are of several units: {} of {} are not {}, as the most are",
                self.other_unit,
                self.read,
                unit.words()
            );
            return Err(InputError::new(path, problem).advice(format!(
                "write them in one unit; {} takes all of them for {}",
                self.named_line(unit),
                unit.words()
            )));
        }
        self.orders.finish(times, path)?;
        let Some((first, last)) = times.iter().min().zip(times.iter().max()) else { return Ok(None) };
        let period = format!("{} to {}", calendar::date(*first), calendar::date(*last));
        Ok(Some(match (self.named, self.kind) {
            _ if self.typed => Assumption::fact(format!("Times are moments, as the file's type says: {period}")),
            (Some(named), _) => Assumption::fact(format!("Times are {}, as the project says: {period}", named.words())),
            (None, Kind::Number(Unit::Seconds)) if *last < SMALL => Assumption::new(
                "Times are small numbers, of which only the order counts",
                format!("write {} or another unit", TimesAs::Milliseconds.line()),
            ),
            (None, Kind::Number(unit)) => {
                let other = if unit == Unit::Seconds { TimesAs::Milliseconds } else { TimesAs::Seconds };
                Assumption::new(
                    format!("Times are {} since 1970: {period}", unit.words()),
                    format!("write {} or another unit", other.line()),
                )
            }
            (None, Kind::YearMonthDay) => Assumption::new(
                format!("Times are numbers of year, month and day: {period}"),
                format!("write {}", TimesAs::Seconds.line()),
            ),
            (None, Kind::Dates) => self.orders.assumption(&period),
        }))
    }

    fn named_line(&self, unit: Unit) -> String {
        let named = match unit {
            Unit::Seconds => TimesAs::Seconds,
            Unit::Milliseconds => TimesAs::Milliseconds,
            Unit::Microseconds => TimesAs::Microseconds,
            Unit::Nanoseconds => TimesAs::Nanoseconds,
        };
        named.line()
    }
}

/// A field as a time, before the column tells what it means.
///
/// # Errors
/// It is none; says why, as it reads behind "the time".
pub fn value_of(field: &Field<'_>) -> Result<Value, String> {
    match field {
        Field::Milliseconds(time) => Ok(Value::Moment(*time)),
        Field::Integer(number) => Ok(Value::Integer(*number)),
        Field::Float(number) => of_float(*number).ok_or_else(|| format!("is {number}, which is no time")),
        Field::Text(text) => {
            let text = text.trim();
            if let Ok(number) = text.parse::<i64>() {
                return Ok(Value::Integer(number));
            }
            if is_missing(text) {
                return Err("is missing".to_owned());
            }
            let number = || text.parse().ok().and_then(of_float);
            let date = calendar::written(text).map(|written| match written {
                Written::Moment(time) => Value::Date(time),
                Written::Numbers(numbers) => Value::Numbers(numbers),
            });
            date.or_else(number).ok_or_else(|| {
                format!(
                    "is `{}`, which is not a time: seconds or milliseconds since 1970, or a date like 2014-07-23",
                    field.short()
                )
            })
        }
        Field::Missing => Err("is missing".to_owned()),
    }
}

/// Whole numbers that pandas has written with a fraction are whole.
fn of_float(number: f64) -> Option<Value> {
    let whole = number.fract() == 0.0 && number.abs() < 9e15;
    number.is_finite().then_some(if whole { Value::Integer(number as i64) } else { Value::Float(number) })
}

/// 1970-04-26 in milliseconds: seconds before it are counted from somewhere else.
const SMALL: i64 = 10_000_000_000;

/// How texts are understood as times: in words, and the first and last of them in milliseconds since 1970; none where fewer than
/// half of them are times.
pub fn time_span<'t>(texts: impl Iterator<Item = &'t str>, named: Option<TimesAs>) -> Option<(&'static str, i64, i64)> {
    let fields: Vec<Field<'t>> = texts.map(|text| Field::of_bytes(text.as_bytes())).collect();
    let values: Vec<Value> = fields.iter().filter_map(|field| value_of(field).ok()).collect();
    let mut times = Times::of(named, &values);
    let mut read: Vec<i64> = Vec::new();
    for field in &fields {
        if let Ok(time) = times.read(field, read.len()) {
            read.push(time);
        }
    }
    (2 * read.len() >= fields.len()).then_some(())?;
    let words = match (times.kind, times.orders.any, times.orders.order) {
        (Kind::Number(unit), ..) => unit.words(),
        (Kind::YearMonthDay, ..) => "numbers of year, month and day",
        (Kind::Dates, false, _) => "dates",
        (Kind::Dates, true, Some(Order::DayFirst)) => "dates with the day first",
        (Kind::Dates, true, Some(Order::MonthFirst)) => "dates with the month first",
        (Kind::Dates, true, None) => "dates of which these rows do not tell whether the day or the month is first",
    };
    Some((words, *read.iter().min()?, *read.iter().max()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of texts as a column, with what was assumed.
    fn column(texts: &[&str], named: Option<TimesAs>) -> Result<(Vec<Result<i64, String>>, String), InputError> {
        let fields: Vec<Field<'_>> = texts.iter().map(|text| Field::of_bytes(text.as_bytes())).collect();
        let values: Vec<Value> = fields.iter().filter_map(|field| value_of(field).ok()).collect();
        let mut times = Times::of(named, &values);
        let (mut kept, mut read): (Vec<i64>, Vec<Result<usize, String>>) = (Vec::new(), Vec::new());
        for field in &fields {
            read.push(times.read(field, kept.len()).map(|time| {
                kept.push(time);
                kept.len() - 1
            }));
        }
        let assumption = times.finish(&mut kept, Path::new("a.csv"))?;
        let read = read.into_iter().map(|row| row.map(|row| kept[row])).collect();
        Ok((read, assumption.map(|assumption| assumption.to_string()).unwrap_or_default()))
    }

    fn read(texts: &[&str]) -> Vec<i64> {
        column(texts, None).unwrap().0.into_iter().map(Result::unwrap).collect()
    }

    #[test]
    fn times_of_every_unit_are_one_moment() {
        // `pandas.to_datetime(number, unit=…).value // 10**6`, and `pandas.to_datetime(text, format=…)` for digits of dates.
        for text in [
            "1406073600",
            "1406073600.0",
            "1.4060736E9",
            "1406073600000",
            "1406073600000000",
            "1406073600000000000",
            " 2014-07-23 00:00:00 ",
            "20140723",
            "20140723.0",
            "201407230000",
            "20140723000000",
        ] {
            assert_eq!(read(&[text]), [1_406_073_600_000], "{text}");
        }
        for text in ["", "soon", "nan", "inf", "1e40", "10:15"] {
            assert!(column(&[text], None).unwrap().0[0].is_err(), "{text}");
        }
    }

    #[test]
    fn early_times_have_the_unit_of_the_column() {
        // `pandas.to_datetime([31536000000, 94694400000, 1406073600000], unit="ms")`: 1971, 1973 and 2014.
        let times = [31_536_000_000, 94_694_400_000, 1_406_073_600_000];
        assert_eq!(read(&["31536000000", "94694400000", "1406073600000"]), times);
        assert_eq!(read(&["31536000000", "94694400000"]), times[..2]);
        assert_eq!(read(&["31536000", "94694400"]), times[..2]);
        assert_eq!(read(&["31536000000000000", "94694400000000000"]), times[..2]);
    }

    #[test]
    fn what_is_of_another_unit_or_stands_for_no_time_is_rejected() {
        let usual: Vec<String> = (0..60).map(|day| (1_406_073_600 + 86_400 * day).to_string()).collect();
        let with = |odd: &[&str]| {
            let texts: Vec<&str> = usual.iter().map(String::as_str).chain(odd.iter().copied()).collect();
            column(&texts, None)
        };
        let (times, assumption) = with(&["0", "-1", "1406073600000", "253402214400"]).unwrap();
        let problems: Vec<&str> = times.iter().filter_map(|time| time.as_ref().err()).map(String::as_str).collect();
        assert_eq!(
            problems,
            [
                "is `0`, which is before 1970-01-02, long before the others",
                "is `-1`, which is before 1970-01-02, long before the others",
                "is `1406073600000`, which as seconds, like the others, is after 2100",
                "is `253402214400`, which as seconds, like the others, is after 2100",
            ]
        );
        assert_eq!(
            assumption,
            "Times are seconds since 1970: 2014-07-23 to 2014-09-20. If not, write `reading: (times: Milliseconds)` or another unit"
        );
        let error = with(&["1406073600000"; 20]).unwrap_err();
        assert_eq!(error.problem, "the times are of several units: 20 of 80 are not seconds, as the most are");
        // Named, they are what the project says.
        let (times, _) = column(&["1406073600", "1406073600000"], Some(TimesAs::Milliseconds)).unwrap();
        assert_eq!(times, [Ok(1_406_073_600), Ok(1_406_073_600_000)]);
        let (times, _) = column(&["2014-07-23", "2014-07-24", "9999-12-31", "1900-01-01"], None).unwrap();
        assert_eq!(times.iter().filter(|time| time.is_err()).count(), 2);
        assert_eq!(read(&["1", "2", "3"]), [1000, 2000, 3000]);
    }

    #[test]
    fn day_and_month_are_told_by_any_value_of_the_column_or_asked_for() {
        // `pandas.to_datetime(texts, dayfirst=…)`
        let (day, month) = (1_407_369_600_000, 1_404_777_600_000);
        let swapped = ["07/08/2014", "07/08/2014"];
        let error = column(&swapped, None).unwrap_err();
        assert_eq!(
            error.problem,
            "the times may have the day or the month first, like `07/08/2014`, and none of them tells"
        );
        assert!(error.advice.unwrap().contains("`reading: (times: DayFirst)` or `reading: (times: MonthFirst)`"));
        let of = |texts: &[&str], named| column(texts, named).unwrap().0[0].clone();
        assert_eq!(of(&swapped, Some(TimesAs::DayFirst)), Ok(day));
        assert_eq!(of(&swapped, Some(TimesAs::MonthFirst)), Ok(month));
        assert_eq!(of(&["07/08/2014", "23/07/2014"], None), Ok(day));
        assert_eq!(of(&["07/08/2014", "07/23/2014"], None), Ok(month));
        assert_eq!(of(&["07.08.2014"], None), Ok(day));
        // Sorted with the day first: 7 August, 2 September.
        let (times, assumption) = column(&["07/08/2014", "02/09/2014"], None).unwrap();
        assert_eq!(times[0], Ok(day));
        assert_eq!(
            assumption,
            "Times are dates with the day first, like 07/08/2014, in which they ascend: 2014-08-07 to 2014-09-02. If not, write \
             `reading: (times: MonthFirst)`"
        );
        // A value that tells comes late, when those before it were taken in.
        let values = [Field::of_bytes(b"07/08/2014"), Field::of_bytes(b"23/07/2014")];
        let mut times = Times::of(None, &[value_of(&values[0]).unwrap()]);
        let mut kept: Vec<i64> = values.iter().zip(0..).map(|(field, row)| times.read(field, row).unwrap()).collect();
        times.finish(&mut kept, Path::new("a.csv")).unwrap();
        assert_eq!(kept, [day, 1_406_073_600_000]);
    }

    #[test]
    fn the_unit_of_times_is_told_where_they_agree() {
        let span = |texts: &[&str]| time_span(texts.iter().copied(), None);
        assert_eq!(span(&["1406073600", "1406073601"]), Some(("seconds", 1_406_073_600_000, 1_406_073_601_000)));
        assert_eq!(span(&["2014-07-23"]), Some(("dates", 1_406_073_600_000, 1_406_073_600_000)));
        assert_eq!(span(&["1406073600", "soon"]), Some(("seconds", 1_406_073_600_000, 1_406_073_600_000)));
        assert_eq!(span(&["1406073600", "soon", "never"]), None);
        assert_eq!(span(&[]), None);
    }
}
