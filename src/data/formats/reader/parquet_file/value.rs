//! Values of Parquet as fields of a record.

use std::borrow::Cow;

use parquet::basic::TimeUnit;
use parquet::data_type::Decimal;
use parquet::record::Field as Value;

use super::columns::Unit;
use crate::calendar;
use crate::data::formats::value::field::Field;

/// A value; what has no meaning as an id, a time or a number is missing.
pub fn field(value: &Value, unit: Unit) -> Field<'_> {
    match value {
        Value::Str(text) => Field::of_bytes(text.as_bytes()),
        Value::Bytes(bytes) => match (unit, std::str::from_utf8(bytes.data())) {
            (Unit::Uuid, _) => text(uuid(bytes.data())),
            (_, Ok(_)) => Field::of_bytes(bytes.data()),
            // No text: the bytes themselves tell one from another.
            (_, Err(_)) => text(hex(bytes.data())),
        },
        Value::Bool(truth) => Field::Integer(i64::from(*truth)),
        Value::Byte(number) => Field::Integer(i64::from(*number)),
        Value::Short(number) => Field::Integer(i64::from(*number)),
        Value::Int(number) => Field::Integer(i64::from(*number)),
        Value::Long(number) => match unit {
            Unit::Time(unit) => Field::Milliseconds(milliseconds(*number, unit)),
            _ => Field::Integer(*number),
        },
        Value::UByte(number) => Field::Integer(i64::from(*number)),
        Value::UShort(number) => Field::Integer(i64::from(*number)),
        Value::UInt(number) => Field::Integer(i64::from(*number)),
        Value::ULong(number) => i64::try_from(*number).map_or_else(|_| text(number.to_string()), Field::Integer),
        Value::Float16(number) => Field::Float(f64::from(f32::from(*number))),
        Value::Float(number) => Field::Float(f64::from(*number)),
        Value::Double(number) => Field::Float(*number),
        Value::Decimal(number) => decimal(number).map_or(Field::Missing, text),
        Value::Date(days) => Field::Milliseconds(i64::from(*days) * calendar::DAY),
        Value::TimestampMillis(time) => Field::Milliseconds(*time),
        Value::TimestampMicros(time) => Field::Milliseconds(time.div_euclid(1000)),
        _ => Field::Missing,
    }
}

fn text(text: String) -> Field<'static> {
    Field::Text(Cow::Owned(text))
}

fn milliseconds(number: i64, unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::MILLIS => number,
        TimeUnit::MICROS => number.div_euclid(1000),
        TimeUnit::NANOS => number.div_euclid(1_000_000),
    }
}

/// The digits of a decimal, without zeros at the end of its fraction, so that 500.00 is the id 500; none where it has more
/// than 38 of them.
fn decimal(number: &Decimal) -> Option<String> {
    let bytes = number.data();
    let negative = bytes.first().is_some_and(|byte| *byte >= 0x80);
    let mut whole = [if negative { 0xff } else { 0 }; 16];
    whole.get_mut(16_usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    let unscaled = i128::from_be_bytes(whole);
    let scale = usize::try_from(number.scale()).ok().filter(|scale| *scale <= 38)?;
    let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let fraction = fraction.trim_end_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let sign = if unscaled < 0 { "-" } else { "" };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn uuid(bytes: &[u8]) -> String {
    let mut digits = hex(bytes);
    if digits.len() == 32 {
        [20, 16, 12, 8].into_iter().for_each(|at| digits.insert(at, '-'));
    }
    digits
}

/// A value as it is shown in a table.
pub fn shown(value: &Value, unit: Unit) -> String {
    match field(value, unit) {
        Field::Text(text) => text.into_owned(),
        Field::Milliseconds(time) => calendar::moment(time),
        Field::Integer(number) if !matches!(value, Value::Bool(_)) => number.to_string(),
        _ if *value == Value::Null => String::new(),
        _ => value.to_string().trim_matches('"').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_keep_their_digits() {
        // `str(decimal.Decimal(unscaled).scaleb(-scale).normalize())`, for 500.00 as `f"{…:f}"`
        for (unscaled, scale, digits) in [
            (50_000i64, 2, "500"),
            (-5, 2, "-0.05"),
            (25, 2, "0.25"),
            (0, 3, "0"),
            (1_234_567_890_123_456_789, 0, "1234567890123456789"),
            (-1050, 2, "-10.5"),
        ] {
            assert_eq!(decimal(&Decimal::from_i64(unscaled, 19, scale)).as_deref(), Some(digits));
        }
        let long = Decimal::from_bytes(vec![1; 17].into(), 40, 0);
        assert_eq!(decimal(&long), None);
    }
}
