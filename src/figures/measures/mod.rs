//! What every metric and measure is: one text for the headings of tables, for files of charts and for the reference page.

mod definitions;

use std::fmt;

use self::definitions::GROUPS;
use crate::plot::{Better, Body, Chart, GainMap, Lines};

/// A metric or measure that tables, charts or files show.
#[derive(Debug, Clone, Copy)]
pub struct Measure {
    /// Its name in files.
    pub key: &'static str,
    /// Its heading.
    pub label: &'static str,
    /// Other headings of it.
    pub also: &'static [&'static str],
    pub unit: Option<&'static str>,
    /// Which end is better, where one is.
    pub better: Option<Better>,
    /// One or two sentences, without the last full stop.
    pub text: &'static str,
}

/// Measures of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    pub title: &'static str,
    pub measures: &'static [Measure],
}

const fn measure(key: &'static str, label: &'static str, text: &'static str) -> Measure {
    Measure { key, label, also: &[], unit: None, better: None, text }
}

impl Measure {
    const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    const fn better(self, better: Better) -> Self {
        Self { better: Some(better), ..self }
    }

    fn is_called(&self, heading: &str) -> bool {
        [self.label].iter().chain(self.also).any(|label| label.to_lowercase() == heading)
    }
}

/// What a heading means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// `Hit@10`.
    pub label: String,
    pub text: String,
}

impl fmt::Display for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.label, self.text)
    }
}

/// What a heading of a table, an axis or the name of a line means; none where it names no measure. `PESO: move of ΔW` is the
/// move of ΔW.
pub fn definition(heading: &str) -> Option<Definition> {
    let (general, number) = without_number(heading);
    let measures = || GROUPS.iter().flat_map(|group| group.measures);
    let called = |heading: &str| measures().find(|measure| measure.is_called(&heading.to_lowercase()));
    let own = called(heading).or_else(|| called(&general));
    let found = own.or_else(|| general.rsplit_once(": ").and_then(|(_, measure)| called(measure)))?;
    let label = if own.is_some() { heading.to_owned() } else { found.label.replace("{n}", &number) };
    Some(Definition { label, text: found.text.replace("{n}", &number) })
}

/// The definition's text; nothing where a heading names no measure.
pub fn text(heading: &str) -> String {
    definition(heading).map(|found| found.text).unwrap_or_default()
}

/// `Hit@10` as `Hit@{n}`, and `10`: the first number of a heading.
/// The heading of the measure of this key; the key itself where there is none.
pub fn label(key: &'static str) -> &'static str {
    let measure = GROUPS.iter().flat_map(|group| group.measures).find(|measure| measure.key == key);
    measure.map_or(key, |measure| measure.label)
}

fn without_number(heading: &str) -> (String, String) {
    let Some(start) = heading.find(|letter: char| letter.is_ascii_digit()) else {
        return (heading.to_owned(), String::new());
    };
    let rest = &heading[start..];
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    (format!("{}{{n}}{}", &heading[..start], &rest[end..]), rest[..end].to_owned())
}

/// The definitions of headings, each once, in their order.
pub fn definitions<'h>(headings: impl IntoIterator<Item = &'h str>) -> Vec<Definition> {
    let mut found: Vec<Definition> = Vec::new();
    for heading in headings {
        // An axis may be the gain in some metric.
        let parts = match heading.strip_prefix("Gain in ") {
            Some(metric) => vec!["Gain", metric],
            None => vec![heading],
        };
        for definition in parts.into_iter().filter_map(definition) {
            if found.iter().all(|known| known.text != definition.text) {
                found.push(definition);
            }
        }
    }
    found
}

/// `chart` with the definitions of what it shows, which its files then have.
#[must_use]
pub fn defined(chart: Chart) -> Chart {
    let definitions = definitions(headings(&chart).iter().map(String::as_str));
    Chart { definitions: definitions.iter().map(ToString::to_string).collect(), ..chart }
}

/// How the labels of metrics begin.
const METRICS: [&str; 3] = ["Hit@", "NDCG@", "Invalid rate"];

/// What a chart's axes, colours and lines are called.
fn headings(chart: &Chart) -> Vec<String> {
    let of_lines = |lines: &Lines| {
        let axes = [&lines.y.label, &lines.x.label].into_iter().cloned();
        axes.chain(lines.series.iter().map(|series| series.name.clone())).collect()
    };
    match &chart.body {
        Body::Lines(lines) | Body::Scatter(lines) | Body::Dots(lines) => of_lines(lines),
        Body::Forest(forest) => vec![forest.x.label.clone()],
        Body::Bars(bars) => {
            [bars.y.label.clone()].into_iter().chain(bars.parts.iter().map(|part| part.name.clone())).collect()
        }
        Body::HeatMap(map) | Body::GainMap(GainMap { map, .. }) => vec![map.value.label.clone()],
        Body::HeatMaps(panels) => panels.iter().map(|panel| panel.map.value.label.clone()).collect(),
        // The other axes are settings, which have names of their own.
        Body::Parallel(parallel) => {
            let axes = parallel.axes.iter().filter(|axis| METRICS.iter().any(|metric| axis.label.starts_with(metric)));
            axes.map(|axis| axis.label.clone()).collect()
        }
        Body::Listing(listing) => listing.headings().map(str::to_owned).collect(),
        Body::River(river) => vec![river.value.label.clone(), "Cosine".to_owned()],
        Body::Picture(_) | Body::Pictures(_) => {
            let bars = chart.body.pictures().into_iter().filter_map(|(_, picture)| picture.frame().bar);
            bars.map(|bar| bar.label).collect()
        }
        Body::Empty(_) => Vec::new(),
    }
}

/// Every measure as Markdown, for the reference page: a section of level 2 a group.
pub fn reference() -> String {
    let row = |measure: &Measure| {
        let better = match measure.better {
            Some(Better::Higher) => "higher",
            Some(Better::Lower) => "lower",
            None => "",
        };
        let [key, label, text] =
            [measure.key, measure.label, measure.text].map(|words| words.replace("{n}", "k").replace('|', "\\|"));
        format!("| {label} | `{key}` | {} | {better} | {text} |\n", measure.unit.unwrap_or_default())
    };
    let section = |group: &Group| {
        let rows: String = group.measures.iter().map(row).collect();
        format!("## {}\n\n| measure | key | unit | better | meaning |\n|---|---|---|---|---|\n{rows}", group.title)
    };
    GROUPS.iter().map(section).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::figures::churn::ChurnMeasure;
    use crate::figures::cost::Cost;
    use crate::figures::drift_map::DriftMapValue;
    use crate::figures::words::metric_label;
    use crate::plot::{Axis, Point, Series, SeriesStyle, table};

    #[test]
    fn no_two_measures_share_a_heading_or_a_key() {
        let (mut headings, mut keys) = (BTreeSet::new(), BTreeSet::new());
        for measure in GROUPS.iter().flat_map(|group| group.measures) {
            assert!(keys.insert(measure.key), "{}", measure.key);
            for heading in [measure.label].iter().chain(measure.also) {
                assert!(headings.insert(heading.to_lowercase()), "{heading}");
            }
            assert!(!measure.text.ends_with('.') && measure.text.len() > 20, "{}", measure.label);
        }
    }

    #[test]
    fn what_figures_choose_from_is_defined() {
        let metrics = ["hit@10_corrected", "ndcg@5_corrected", "hit@1", "ndcg@20", "invalid_rate"].map(metric_label);
        let costs = Cost::ALL.map(|cost| cost.label().to_owned());
        let moves = DriftMapValue::ALL.map(|value| value.label().to_owned());
        let churn = ChurnMeasure::ALL.map(|measure| measure.label().to_owned());
        for heading in metrics.into_iter().chain(costs).chain(moves).chain(churn) {
            assert!(definition(&heading).is_some(), "{heading}");
        }
    }

    #[test]
    fn numbers_and_names_before_a_measure_are_understood() {
        let hit = definition("Hit@7").unwrap();
        assert!(hit.to_string().starts_with("Hit@7: Share of tests whose target is among the first 7 items"));
        assert_ne!(hit.text, text("Hit@7, released count"));
        assert_eq!(definition("PESO, seed 1: move of ΔW").unwrap().label, "Move of ΔW");
        assert_eq!(definition("Stage"), None);
        let labels: Vec<String> =
            definitions(["Gain in NDCG@10", "Stage", "NDCG@10"]).into_iter().map(|found| found.label).collect();
        assert_eq!(labels, ["Gain", "NDCG@10"]);
    }

    #[test]
    fn a_chart_takes_its_definitions_into_its_tables() {
        let series = vec![Series {
            name: "PESO".to_owned(),
            points: vec![Point::new(1.0, 0.5), Point::new(2.0, 0.25)],
            style: SeriesStyle::method(0),
        }];
        let lines = Lines { x: Axis::whole("Stage"), y: Axis::new("Hit@10"), series, boundaries: Vec::new() };
        let chart = defined(Chart::new("Hit@10 by stage", Body::Lines(lines)));
        let csv = table::csv(&chart);
        let mut rows = csv.lines();
        assert_eq!(rows.next(), Some("series,Stage,Hit@10,note,definitions"));
        assert!(rows.next().is_some_and(|row| row.starts_with("PESO,1,0.5,,\"Hit@10: Share of tests")), "{csv}");
        assert_eq!(csv.lines().last(), Some("PESO,2,0.25,,"));
        assert!(table::latex(&chart).contains("% Hit@10: Share of tests"));
    }
}
