//! A chart of costs by size, each against what the smallest size costs.

use super::{Axis, Costs, Growth};
use crate::plot::{self, Body, Chart, Lines, Point, Series, SeriesStyle};

/// Costs along an axis, on logarithmic axes: a line as steep as that of proportion grows as fast as the size.
pub fn chart(axis: Axis, growth: &Growth, device: &str) -> Chart {
    let title = format!("Costs by {}", axis.label().to_lowercase());
    let Some((&smallest, first)) = growth.measured.first_key_value().filter(|_| !growth.laws.is_empty()) else {
        return Chart::empty(title, "Two sizes at least show how costs grow");
    };
    let relative = |costs: &Costs, name: &String| Some((costs.get(name)? / first.get(name)?).log10());
    let line = |(slot, name): (usize, &String)| {
        let points = growth
            .measured
            .iter()
            .filter_map(|(size, costs)| Some(Point::new((*size as f64).log10(), relative(costs, name)?)));
        Series { name: cost_words(name), points: points.collect(), style: SeriesStyle::method(slot) }
    };
    let mut series: Vec<Series> = growth.laws.keys().enumerate().map(line).collect();
    let proportional =
        growth.measured.keys().map(|&size| Point::new((size as f64).log10(), (size as f64 / smallest as f64).log10()));
    let style = SeriesStyle { marker: None, ..SeriesStyle::baseline(0) };
    series.push(Series { name: "In proportion".to_owned(), points: proportional.collect(), style });
    let exponents = growth.laws.iter().map(|(name, law)| format!("{} {:.2}", cost_words(name), law.exponent));
    let caption = format!("Exponents of the power laws through them: {}", exponents.collect::<Vec<_>>().join(", "));
    let x = plot::Axis::logarithmic(axis.label());
    let mut y = plot::Axis::logarithmic("Cost against the smallest size");
    y.unit = Some("times".to_owned());
    let body = Body::Lines(Lines { x, y, series, boundaries: Vec::new() });
    Chart { subtitle: Some(device.to_owned()), caption: Some(caption), ..Chart::new(title, body) }
}

/// The words for a cost: `trie_bytes` is `Trie, bytes`.
fn cost_words(name: &str) -> String {
    let (what, unit) = name.rsplit_once('_').unwrap_or((name, ""));
    let what = what.replace('_', " ");
    let mut letters = what.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().collect::<String>()).unwrap_or_default();
    let unit = if unit == "bytes" { "memory" } else { "time" };
    match what.as_str() {
        "memory" => "Memory added".to_owned(),
        "disk" => "Disk".to_owned(),
        _ => format!("{first}{}, {unit}", letters.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::costs;
    use super::*;
    use crate::plot::scale;

    #[test]
    fn every_cost_begins_at_1_beside_proportion() {
        let at = |size: usize| costs([("trie_bytes", 20.0 * size as f64), ("look_ups_seconds", 0.1)]);
        let growth = Growth::of([100, 1000, 10_000].map(|size| (size, at(size))).into());
        let chart = chart(Axis::Items, &growth, "cpu");
        let Body::Lines(lines) = &chart.body else { panic!("no lines") };
        let names: Vec<&str> = lines.series.iter().map(|series| series.name.as_str()).collect();
        assert_eq!(names, ["Look ups, time", "Trie, memory", "In proportion"]);
        let ends: Vec<f64> = lines.series.iter().map(|series| series.points[2].y).collect();
        assert!(ends.iter().zip([0.0, 2.0, 2.0]).all(|(end, expected)| (end - expected).abs() < 1e-9), "{ends:?}");
        assert!(lines.series.iter().all(|series| series.points[0].y.abs() < 1e-12));
        assert!(chart.caption.as_ref().is_some_and(|words| words.contains("Trie, memory 1.00")), "{:?}", chart.caption);
        assert!(scale::y_range(lines).high > 2.0);
        let one = Growth::of([(100, at(100))].into());
        assert!(matches!(super::chart(Axis::Items, &one, "cpu").body, Body::Empty(_)));
    }
}
