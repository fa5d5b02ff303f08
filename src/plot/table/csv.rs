//! One value a line, at full precision.

use super::super::river::River;
use super::super::{Band, Body, Chart, Fact, HeatMap, Panel};
use super::{on_axis, pictures_table};
use crate::text::csv_field;

/// The numbers of `chart` as CSV (RFC 4180, lines end in `\n`), one value a line at full precision.
///
/// Pictures: their own heading and rows. Forest: a row a value, with its sentence. Bars: a row a bar, a column a part. Lines, points and dots: `series`, x, y, where a point has
/// a band its ends under names that say what it is (`lowest seed`), `note`. Map of gains: a row a cell, those
/// without enough runs too. Heat map: row, column, value, `note`; of several, `series`
/// before them. Parallel coordinates: a row a line. River: a row a flow. Cells that were not measured are left out. Before these stand
/// the chart's facts (`run`, `module`), each in a column, and after them, where the chart has definitions, a last column
/// `definitions`.
pub fn csv(chart: &Chart) -> String {
    let note = chart.note.as_deref().unwrap_or_default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    match &chart.body {
        Body::Empty(missing) => rows.extend([vec!["missing".to_owned()], vec![missing.clone()]]),
        Body::Lines(lines) | Body::Scatter(lines) | Body::Dots(lines) => {
            let banded = lines.series.iter().flat_map(|series| &series.points).any(|point| point.spread.is_some());
            let ends = banded.then(|| chart.band.map_or(["low", "high"], Band::headings).map(str::to_owned));
            let heading = [String::from("series"), lines.x.heading(), lines.y.heading()].into_iter();
            rows.push(heading.chain(ends.into_iter().flatten()).chain([String::from("note")]).collect());
            for (series, point) in
                lines.series.iter().flat_map(|series| series.points.iter().map(move |point| (series, point)))
            {
                let ends = banded.then(|| point.spread.map_or_else(Default::default, |ends| ends.map(number)));
                let x = lines.x.name(point.x).unwrap_or_else(|| number(lines.x.number(point.x)));
                let values = [series.name.clone(), x, number(point.y)].into_iter();
                rows.push(values.chain(ends.into_iter().flatten()).chain([note.to_owned()]).collect());
            }
        }
        Body::Forest(forest) => {
            let ends = chart.band.map_or(["low", "high"], Band::headings);
            let table = forest.table(ends, number).into_iter().enumerate();
            rows.extend(table.map(|(index, mut line)| {
                line.push(if index == 0 { "note" } else { note }.to_owned());
                line
            }));
        }
        Body::GainMap(gains) => {
            let ends = chart.band.map_or(["low", "high"], Band::headings);
            let table = gains.table(ends, number).into_iter().enumerate();
            rows.extend(table.map(|(index, mut line)| {
                line.push(if index == 0 { "note" } else { note }.to_owned());
                line
            }));
        }
        Body::Bars(bars) => {
            let [heading, lines] = bars.table();
            let noted = |line: Vec<String>, note: &str| line.into_iter().chain([note.to_owned()]).collect();
            rows.extend(heading.into_iter().map(|line| noted(line, "note")));
            rows.extend(lines.into_iter().map(|line| noted(line, note)));
        }
        Body::Parallel(parallel) => {
            let axes = parallel.axes.iter().map(|axis| axis.label.clone());
            rows.push([String::from("series")].into_iter().chain(axes).chain([String::from("note")]).collect());
            for line in &parallel.lines {
                let values = parallel.axes.iter().zip(&line.values).map(|(axis, value)| on_axis(axis, *value, number));
                rows.push([line.name.clone()].into_iter().chain(values).chain([note.to_owned()]).collect());
            }
        }
        Body::River(river) => rows.extend(river_rows(river, note)),
        Body::Listing(listing) => {
            let noted = |line: Vec<String>, note: &str| line.into_iter().chain([note.to_owned()]).collect();
            rows.push(noted(listing.headings().map(str::to_owned).collect(), "note"));
            let full = listing.rows.iter().map(|row| row.iter().map(|cell| cell.full.clone()).collect());
            rows.extend(full.map(|row| noted(row, note)));
        }
        Body::Picture(_) | Body::Pictures(_) => match pictures_table(&chart.body.pictures()) {
            Ok([heading, lines]) => {
                let noted = |line: Vec<String>, note: &str| line.into_iter().chain([note.to_owned()]).collect();
                rows.extend(heading.into_iter().map(|line| noted(line, "note")));
                rows.extend(lines.into_iter().map(|line| noted(line, note)));
            }
            Err(problem) => rows.extend([vec!["missing".to_owned()], vec![problem]]),
        },
        Body::HeatMap(map) => {
            rows.push([&map.row_label, &map.column_label, &map.value.heading(), "note"].map(str::to_owned).to_vec());
            rows.extend(cells(map).map(|cell| cell.into_iter().chain([note.to_owned()]).collect()));
        }
        Body::HeatMaps(panels) => {
            for (index, Panel { name, map }) in panels.iter().enumerate() {
                if index == 0 {
                    let heading = ["series", &map.row_label, &map.column_label, &map.value.heading(), "note"];
                    rows.push(heading.map(str::to_owned).to_vec());
                }
                let named =
                    |cell: [String; 3]| [name.clone()].into_iter().chain(cell).chain([note.to_owned()]).collect();
                rows.extend(cells(map).map(named));
            }
        }
    }
    if !matches!(chart.body, Body::Empty(_)) {
        state(&mut rows, &chart.facts);
    }
    define(&mut rows, &chart.definitions);
    rows.iter().map(|row| row.iter().map(|field| csv_field(field)).collect::<Vec<_>>().join(",") + "\n").collect()
}

/// Puts what is so of all values before each row, under its name; what has a column of its own stays as that has it.
fn state(rows: &mut [Vec<String>], facts: &[Fact]) {
    let Some((heading, rows)) = rows.split_first_mut() else { return };
    let facts = facts.iter().filter(|fact| !heading.iter().any(|column| column.eq_ignore_ascii_case(fact.name)));
    let facts: Vec<&Fact> = facts.collect();
    heading.splice(0..0, facts.iter().map(|fact| fact.name.to_owned()));
    for row in rows {
        row.splice(0..0, facts.iter().map(|fact| fact.value.clone()));
    }
}

/// Puts definitions into a last column, one a row from the first on; the last row takes those that have none. So every row
/// stays a row of the table, whoever reads it.
fn define(rows: &mut [Vec<String>], definitions: &[String]) {
    let Some((heading, rows)) = rows.split_first_mut() else { return };
    if definitions.is_empty() || rows.is_empty() {
        return;
    }
    heading.push("definitions".to_owned());
    let last = rows.len() - 1;
    for (index, row) in rows.iter_mut().enumerate() {
        let end = if index == last { definitions.len() } else { (index + 1).min(definitions.len()) };
        row.push(definitions.get(index..end).unwrap_or_default().join("; "));
    }
}

/// A row a flow, and one for each direction that goes on in none.
fn river_rows(river: &River, note: &str) -> Vec<Vec<String>> {
    let value = river.value.heading();
    let heading = ["stage", "direction", &value, "next direction", "cosine", "note"].map(str::to_owned).to_vec();
    let mut rows = vec![heading];
    for (index, stage) in river.stages.iter().enumerate() {
        for (from, direction) in stage.directions.iter().enumerate() {
            let start = [stage.name.clone(), (from + 1).to_string(), number(direction.value)];
            let flows = river.flows.iter().filter(|flow| (flow.stage, flow.from) == (index, from));
            let mut ends: Vec<[String; 2]> =
                flows.map(|flow| [(flow.to + 1).to_string(), number(flow.cosine)]).collect();
            if ends.is_empty() {
                ends.push([String::new(), String::new()]);
            }
            rows.extend(ends.into_iter().map(|end| [&start[..], &end[..], &[note.to_owned()]].concat()));
        }
    }
    rows
}

/// Row, column and value of the cells that were measured.
fn cells(map: &HeatMap) -> impl Iterator<Item = [String; 3]> {
    map.rows.iter().zip(&map.values).flat_map(|(row, values)| {
        let cell = |(column, value): (&String, &Option<f64>)| Some([row.clone(), column.clone(), number((*value)?)]);
        map.columns.iter().zip(values).filter_map(cell)
    })
}

/// A number that reads back as the same; nothing where it is none.
fn number(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}
