//! Ranges, ticks and digits: how numbers become an axis and text.

use super::{HeatMap, Lines, Ticks};

/// The values an axis shows, from `low` to `high`; `low < high`, both finite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    pub low: f64,
    pub high: f64,
}

impl Range {
    /// The range of those among `values` that can be drawn.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        values.into_iter().filter(|value| can_be_drawn(*value)).fold(None, |range, value| match range {
            None => Some(Self { low: value, high: value }),
            Some(Self { low, high }) => Some(Self { low: low.min(value), high: high.max(value) }),
        })
    }

    /// Where `value` lies, 0 at the low end and 1 at the high one.
    pub fn part(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }

    /// Wider by `part` of its length at both ends; a single value gets room on both sides.
    #[must_use]
    pub fn padded(self, part: f64) -> Self {
        let length = self.high - self.low;
        if length > 1e-9 * self.low.abs().max(self.high.abs()) {
            return Self { low: self.low - part * length, high: self.high + part * length };
        }
        let room = if self.low == 0.0 { 1.0 } else { self.low.abs() * 0.5 };
        Self { low: self.low - room, high: self.high + room }
    }
}

/// Whether a value has a place on an axis: numbers so large that room around them overflows have none.
pub fn can_be_drawn(value: f64) -> bool {
    value.abs() < 1e250
}

/// Range of the x axis: whole numbers get half a step of room where they are few, so that marks stand clear of the axis.
pub fn x_range(lines: &Lines) -> Range {
    if !lines.x.names.is_empty() {
        return Range { low: -0.5, high: lines.x.names.len() as f64 - 0.5 };
    }
    let points = lines.series.iter().flat_map(|series| series.points.iter().map(|point| point.x));
    let Some(range) = Range::of(points) else { return Range { low: 0.0, high: 1.0 } };
    if lines.x.ticks == Ticks::Whole && range.high - range.low <= 20.0 {
        return Range { low: range.low - 0.3, high: range.high + 0.3 };
    }
    if lines.x.ticks == Ticks::Decades {
        return Range { low: range.low - 0.2, high: range.high + 0.2 };
    }
    // Steps are counted from the start: an axis that begins near it begins at it.
    let low =
        if lines.x.ticks == Ticks::Whole && (0.0..0.05 * range.high).contains(&range.low) { 0.0 } else { range.low };
    if range.high > low { Range { low, high: range.high } } else { range.padded(0.0) }
}

/// Range of the y axis: from 0 where the values are not all far above it, else a range around them, with room above.
///
/// A metric that moves between 0.09 and 0.12 is drawn from 0: lines do not style further apart than they are.
/// Only values whose least is above 60 % of their greatest get an axis that is cut off.
pub fn y_range(lines: &Lines) -> Range {
    if let Some([low, high]) = lines.y.limits.filter(|[low, high]| low < high) {
        return Range { low, high };
    }
    let values = lines.series.iter().flat_map(|series| &series.points).flat_map(|point| {
        let [low, high] = point.spread.unwrap_or([point.y, point.y]);
        [low, point.y, high]
    });
    let Some(range) = Range::of(values) else { return Range { low: 0.0, high: 1.0 } };
    if lines.y.ticks == Ticks::Decades {
        let range = range.padded(0.06);
        // Logarithms have no 0 to begin at; what hardly changes is not blown up to fill the chart.
        let room = (0.5 - (range.high - range.low)).max(0.0) / 2.0;
        return Range { low: range.low - room, high: range.high + room };
    }
    if range.low >= 0.0 && range.high > 0.0 && range.low <= 0.6 * range.high {
        return Range { low: 0.0, high: range.high * 1.06 };
    }
    let padded = range.padded(0.08);
    if range.low >= 0.0 { Range { low: padded.low.max(0.0), high: padded.high } } else { padded }
}

/// Range of a heat map's colours.
pub fn heat_range(map: &HeatMap) -> Option<Range> {
    Range::of(map.values.iter().flatten().flatten().copied())
}

/// Round numbers (1, 2 or 5 times a power of ten apart) in `range`, about `wanted` of them, rising. With
/// [`Ticks::Whole`] never less than 1 apart.
pub fn ticks(range: Range, wanted: usize, kind: Ticks) -> Vec<f64> {
    let step = step(range, wanted, kind);
    if !(step > 0.0 && step.is_finite()) {
        return Vec::new();
    }
    let room = step * 1e-6;
    let first = ((range.low - room) / step).ceil();
    let last = ((range.high + room) / step).floor();
    // The count is bounded by the choice of the step; the limit guards against rounding at huge numbers.
    (0..=(last - first).clamp(-1.0, 1000.0) as i64).map(|index| clean((first + index as f64) * step, step)).collect()
}

/// Numbers in `range`, an axis of common logarithms, that are 1, 2 and 5 times powers of ten where they have `room` beside each
/// other, else powers of ten, else powers further apart; with their labels.
pub fn decade_ticks(range: Range, room: impl Fn(&[(f64, String)]) -> bool) -> Vec<(f64, String)> {
    let powers = range.low.floor().max(-300.0) as i32..=range.high.ceil().min(300.0) as i32;
    let of = |step: i32, factors: &[f64]| {
        let every = powers.clone().filter(|power| power.rem_euclid(step) == 0);
        let numbers = every.flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
        let tick = |number: f64| (number.log10(), value_of_tick(number));
        numbers.map(tick).filter(|(at, _)| (range.low..=range.high).contains(at)).collect::<Vec<_>>()
    };
    let choices = [(1, [1.0, 2.0, 5.0].as_slice()), (1, &[1.0]), (2, &[1.0]), (5, &[1.0]), (20, &[1.0]), (100, &[1.0])];
    choices.into_iter().map(|(step, factors)| of(step, factors)).find(|ticks| room(ticks)).unwrap_or_default()
}

/// A number with one significant digit.
fn value_of_tick(number: f64) -> String {
    if !(1e-4..1e7).contains(&number) {
        return format!("{number:.0e}").replace('-', "−");
    }
    grouped(number, (-number.log10().floor()).max(0.0) as usize)
}

/// Distance of the ticks in `range`.
pub fn step(range: Range, wanted: usize, kind: Ticks) -> f64 {
    let rough = (range.high - range.low) / wanted.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    // The boundaries are the geometric means of 1, 2, 5 and 10: the step nearest to the one asked for is taken.
    let step = match rough / power {
        part if part < 2f64.sqrt() => power,
        part if part < 10f64.sqrt() => 2.0 * power,
        part if part < 50f64.sqrt() => 5.0 * power,
        _ => 10.0 * power,
    };
    if kind == Ticks::Whole { step.max(1.0).round() } else { step }
}

/// `value` without the rounding error of a multiple of `step`, and 0 without a sign.
fn clean(value: f64, step: f64) -> f64 {
    if value.abs() < step * 1e-6 { 0.0 } else { value }
}

/// A tick's label, with as many decimals as ticks `step` apart need.
pub fn tick_label(value: f64, step: f64) -> String {
    if value != 0.0 && (value.abs() >= 1e7 || step < 1e-6) {
        return scientific(value);
    }
    let decimals = (-(step.log10() + 1e-9).floor()).clamp(0.0, 9.0) as usize;
    grouped(value, decimals)
}

/// Decimals that give the greatest of `values` three significant digits, four where it begins with a 1.
pub fn decimals(values: impl IntoIterator<Item = f64>) -> usize {
    let max = values.into_iter().filter(|value| value.is_finite()).map(f64::abs).fold(0.0, f64::max);
    if max == 0.0 {
        return 0;
    }
    let power = max.log10().floor();
    let begins_with_one = max / 10f64.powf(power) < 2.0;
    (2.0 + f64::from(u8::from(begins_with_one)) - power).clamp(0.0, 9.0) as usize
}

/// `value` with `decimals` after the point and a thin space between thousands; `–` where it is no number.
pub fn grouped(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = plain.split_once('.').map_or((plain.as_str(), ""), |(whole, fraction)| (whole, fraction));
    let mut text = String::new();
    if value < 0.0 && plain.bytes().any(|digit| (b'1'..=b'9').contains(&digit)) {
        text.push('−');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && whole.len() > 4 && (whole.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    if !fraction.is_empty() {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// A value on its own with three to four significant digits.
pub fn value_label(value: f64) -> String {
    if value != 0.0 && value.is_finite() && !(1e-5..1e7).contains(&value.abs()) {
        return scientific(value);
    }
    grouped(value, decimals([value]))
}

fn scientific(value: f64) -> String {
    format!("{value:.2e}").replace('-', "−")
}

pub use crate::text::counted as plural;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Axis, Point, Series, SeriesStyle};
    use super::*;

    fn lines(x: Axis, points: &[(f64, f64)]) -> Lines {
        let points = points.iter().map(|&(x, y)| Point::new(x, y)).collect();
        let series = vec![Series { name: "a".to_owned(), points, style: SeriesStyle::method(0) }];
        Lines { x, y: Axis::new("y"), series, boundaries: Vec::new() }
    }

    #[test]
    fn stages_get_whole_ticks() {
        let range = x_range(&lines(Axis::whole("Stage"), &[(1.0, 0.1), (5.0, 0.2)]));
        assert_eq!(ticks(range, 8, Ticks::Whole), [1.0, 2.0, 3.0, 4.0, 5.0]);
        let one = x_range(&lines(Axis::whole("Stage"), &[(1.0, 0.1)]));
        assert_eq!(ticks(one, 8, Ticks::Whole), [1.0]);
    }

    #[test]
    fn logarithmic_axes_have_ticks_at_round_numbers() {
        let range = x_range(&lines(Axis::logarithmic("λ"), &[(2f64.log10(), 0.1), (200f64.log10(), 0.2)]));
        let labels = |wanted: usize| -> Vec<String> {
            decade_ticks(range, |ticks| ticks.len() <= wanted).into_iter().map(|(_, label)| label).collect()
        };
        assert_eq!(labels(9), ["2", "5", "10", "20", "50", "100", "200"]);
        assert_eq!(labels(3), ["10", "100"]);
        assert_eq!(labels(1), ["100"]);
        assert_eq!([0.05, 1e-5, 20_000.0].map(value_of_tick), ["0.05", "1e−5", "20\u{202f}000"]);
        assert_eq!([2.0, 0.3, 20.0].map(|number: f64| Axis::logarithmic("λ").number(number.log10())), [2.0, 0.3, 20.0]);
    }

    #[test]
    fn the_y_axis_is_cut_only_where_values_are_far_from_zero() {
        let low = |values: [f64; 2]| y_range(&lines(Axis::new("x"), &[(1.0, values[0]), (2.0, values[1])])).low;
        assert_eq!(low([0.05, 0.12]), 0.0);
        assert!(low([0.09, 0.12]) > 0.0 && low([0.09, 0.12]) < 0.09);
        assert!(low([-1.0, 1.0]) < -1.0);
        assert_eq!(low([0.0, 0.0]), 0.0);
    }

    #[test]
    fn a_logarithmic_y_axis_holds_its_values_and_is_not_cut_at_1() {
        let of = |values: [f64; 2]| {
            let points = [(1.0, values[0].log10()), (2.0, values[1].log10())];
            y_range(&Lines { y: Axis::logarithmic("Time"), ..lines(Axis::new("x"), &points) })
        };
        let wide = of([0.02, 300.0]);
        assert!(wide.low < -1.69 && wide.low > -2.0 && wide.high > 2.47 && wide.high < 2.8, "{wide:?}");
        let flat = of([1.0, 1.01]);
        assert!((flat.high - flat.low - 0.5).abs() < 1e-6, "{flat:?}");
    }

    #[test]
    fn labels_have_the_digits_their_distance_needs() {
        assert_eq!(tick_label(0.3, 0.1), "0.3");
        assert_eq!(tick_label(0.25, 0.05), "0.25");
        assert_eq!(tick_label(5000.0, 1000.0), "5000");
        assert_eq!(tick_label(20_000.0, 5000.0), "20\u{202f}000");
        assert_eq!(tick_label(-2.0, 1.0), "−2");
    }

    #[test]
    fn values_have_three_to_four_significant_digits() {
        assert_eq!(value_label(0.123_45), "0.1235");
        assert_eq!(value_label(0.083_44), "0.0834");
        assert_eq!(value_label(2.3456), "2.35");
        assert_eq!(value_label(0.0), "0");
        assert_eq!(value_label(-0.5), "−0.500");
        assert_eq!(value_label(1.5e-8), "1.50e−8");
        assert_eq!(value_label(f64::NAN), "–");
    }

    proptest! {
        #[test]
        fn ticks_lie_in_their_range_and_are_few(low in -1e6..1e6f64, length in 1e-6..1e6f64, wanted in 2usize..12) {
            let range = Range { low, high: low + length };
            let step = step(range, wanted, Ticks::Real);
            let ticks = ticks(range, wanted, Ticks::Real);
            prop_assert!(ticks.len() as f64 <= wanted as f64 * 1.6 + 1.0);
            prop_assert!(ticks.len() * 2 + 2 >= wanted);
            for tick in ticks {
                prop_assert!(tick >= low - step * 1e-3 && tick <= low + length + step * 1e-3);
            }
        }
    }
}
