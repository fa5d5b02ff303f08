//! Charts as tables: CSV with one value a line, LaTeX as it goes into a paper.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::gain_map::GainCell;
use super::listing::Cell;
use super::parallel::{Parallel, ParallelAxis};
use super::river::River;
use super::{Band, Better, Body, Chart, Fact, Forest, GainMap, HeatMap, Lines, Panel, Picture, Point, Ticks, scale};
use crate::text::{csv_field, latex_comment, latex_escaped, one_line};

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

/// Heading and rows of pictures, with their names where there are several.
///
/// # Errors
/// A sentence, where one has too many numbers for a table.
fn pictures_table(pictures: &[(&str, &Picture)]) -> Result<[Vec<Vec<String>>; 2], String> {
    if let [(_, picture)] = pictures {
        return picture.table();
    }
    let named = |lines: Vec<Vec<String>>, name: &str| {
        lines.into_iter().map(|line| [name.to_owned()].into_iter().chain(line).collect()).collect::<Vec<Vec<String>>>()
    };
    let (mut heading, mut rows) = (Vec::new(), Vec::new());
    for (name, picture) in pictures {
        let [first, lines] = picture.table()?;
        heading = named(first, "picture");
        rows.extend(named(lines, name));
    }
    Ok([heading, rows])
}

/// Rows of a LaTeX table at most.
const MAX_LATEX_ROWS: usize = 1000;

/// Why the numbers of `chart` do not go into a file with this ending, where they do not.
pub fn too_large(chart: &Chart, ending: &str) -> Option<String> {
    let pictures = chart.body.pictures();
    let rows = match &chart.body {
        Body::Listing(listing) => listing.rows.len(),
        _ if pictures.is_empty() || !["csv", "tex"].contains(&ending) => return None,
        _ => match pictures_table(&pictures) {
            Err(problem) => return Some(problem),
            Ok([_, rows]) => rows.len(),
        },
    };
    (ending == "tex" && rows > MAX_LATEX_ROWS)
        .then(|| format!("{rows} rows are too many for a LaTeX table, which takes {MAX_LATEX_ROWS}; write a .csv file"))
}

/// A value of an axis: its name where the axis has names, nothing where there is none.
fn on_axis(axis: &ParallelAxis, value: Option<f64>, number: impl Fn(f64) -> String) -> String {
    let name = |value: f64| axis.names.get(value as usize).cloned().unwrap_or_default();
    value.map(|value| if axis.names.is_empty() { number(value) } else { name(value) }).unwrap_or_default()
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

/// How the columns are set: words to the left, numbers to the right. But for listings, the first column is one of words.
fn alignment(body: &Body, columns: usize) -> String {
    match body {
        Body::Listing(listing) => listing.columns.iter().map(|column| if column.numbers { 'r' } else { 'l' }).collect(),
        _ => format!("l{}", "r".repeat(columns.saturating_sub(1))),
    }
}

/// A table with more x values than this is set with them down the page.
const MAX_COLUMNS: usize = 12;

/// The numbers of `chart` as a LaTeX `table` (package `booktabs`).
///
/// Methods are rows and stages columns; where x values are many, they are rows and series columns. Values have three
/// to four significant digits, the ends of a band follow in brackets, and the best value of an x is bold where the axis
/// says which end is better.
pub fn latex(chart: &Chart) -> String {
    let (columns, rows) = match &chart.body {
        Body::Empty(missing) => return format!("% {}: {}\n", one_line(&chart.title), one_line(missing)),
        Body::Lines(lines) | Body::Dots(lines) => lines_table(lines),
        Body::Scatter(points) => scatter_table(points),
        Body::Forest(forest) => forest_table(chart, forest),
        Body::GainMap(gains) => gain_map_table(gains),
        Body::Bars(bars) => {
            let escape = |line: Vec<String>| line.iter().map(|field| latex_escaped(field)).collect::<Vec<_>>();
            let [heading, lines] = bars.table();
            (heading.into_iter().flat_map(escape).collect(), lines.into_iter().map(escape).collect())
        }
        Body::HeatMap(map) => heat_map_table(map),
        Body::HeatMaps(panels) => panels_table(panels),
        Body::Parallel(parallel) => parallel_table(parallel),
        Body::River(river) => river_table(river),
        Body::Listing(listing) => {
            let row = |row: &Vec<Cell>| row.iter().map(|cell| latex_escaped(&cell.shown)).collect();
            (listing.headings().map(latex_escaped).collect(), listing.rows.iter().map(row).collect())
        }
        Body::Picture(_) | Body::Pictures(_) => match pictures_table(&chart.body.pictures()) {
            Ok([heading, lines]) => {
                let escape = |line: Vec<String>| line.iter().map(|field| latex_escaped(field)).collect::<Vec<_>>();
                (heading.into_iter().flat_map(escape).collect(), lines.into_iter().map(escape).collect())
            }
            Err(problem) => return format!("% {}: {}\n", one_line(&chart.title), one_line(&problem)),
        },
    };
    let mut text: String = chart.definitions.iter().map(|definition| format!("% {}\n", one_line(definition))).collect();
    let facts: Vec<String> =
        chart.facts.iter().map(|Fact { name, value }| format!("{name}: {}", one_line(value))).collect();
    if !facts.is_empty() {
        text.push_str(&format!("% {}\n", facts.join(", ")));
    }
    let parts = [Some(&chart.title), chart.subtitle.as_ref(), chart.caption.as_ref(), chart.note.as_ref()];
    let caption: Vec<String> = parts.into_iter().flatten().map(|part| latex_escaped(part)).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "% needs \\usepackage{{booktabs}}\n\\begin{{table}}\n  \\centering\n  \\caption{{{}}}\n  \\begin{{tabular}}{{{}}}\n    \\toprule",
        caption.join(". "),
        alignment(&chart.body, columns.len())
    );
    let _ = writeln!(text, "    {} \\\\\n    \\midrule", columns.join(" & "));
    for row in rows {
        let _ = writeln!(text, "    {} \\\\", row.join(" & "));
    }
    text.push_str("    \\bottomrule\n  \\end{tabular}\n\\end{table}\n");
    // What stands in comments is not set.
    let set = text.lines().filter(|line| !line.starts_with('%')).collect::<String>();
    format!("{}{text}", latex_comment(&set))
}

type Table = (Vec<String>, Vec<Vec<String>>);

fn lines_table(lines: &Lines) -> Table {
    // Keys that order as the numbers do: x values are finite in every chart, others are left out.
    let mut by_x: BTreeMap<Ordered, Vec<Option<Point>>> = BTreeMap::new();
    for (index, series) in lines.series.iter().enumerate() {
        for point in series.points.iter().filter(|point| point.x.is_finite()) {
            let x = if lines.x.names.is_empty() { point.x } else { point.x.round() };
            by_x.entry(Ordered(x)).or_insert_with(|| vec![None; lines.series.len()])[index] = Some(*point);
        }
    }
    let decimals = scale::decimals(lines.series.iter().flat_map(|series| &series.points).map(|point| point.y));
    let x_name = |x: f64| match lines.x.name(x) {
        Some(name) => name,
        None if lines.x.ticks == Ticks::Whole => format!("{x:.0}"),
        None => lines.x.number(x).to_string(),
    };
    let columns: Vec<(String, Vec<String>)> = by_x
        .iter()
        .map(|(x, points)| (latex_escaped(&x_name(x.0)), points_cells(points, decimals, lines.y.better)))
        .collect();
    let names: Vec<String> = lines.series.iter().map(|series| latex_escaped(&series.name)).collect();
    let corner = latex_escaped(&lines.x.heading());
    if columns.len() > MAX_COLUMNS {
        let heading = std::iter::once(corner).chain(names).collect();
        let rows = columns.into_iter().map(|(x, cells)| std::iter::once(x).chain(cells).collect()).collect();
        return (heading, rows);
    }
    let heading = std::iter::once(corner).chain(columns.iter().map(|(x, _)| x.clone())).collect();
    let row = |(index, name): (usize, String)| {
        std::iter::once(name).chain(columns.iter().map(|(_, cells)| cells[index].clone())).collect()
    };
    (heading, names.into_iter().enumerate().map(row).collect())
}

/// A finite number as a key.
#[derive(PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The values of all series at one x.
fn points_cells(points: &[Option<Point>], decimals: usize, better: Option<Better>) -> Vec<String> {
    let values: Vec<Option<f64>> =
        points.iter().map(|point| point.map(|point| point.y).filter(|value| value.is_finite())).collect();
    let texts = values.iter().map(|value| value.map_or_else(|| "--".to_owned(), |value| fixed(value, decimals)));
    let best = best(&values, better).map(|best| fixed(best, decimals));
    let cell = |(point, text): (&Option<Point>, String)| {
        let shown = if best.as_ref() == Some(&text) { format!("\\textbf{{{text}}}") } else { text };
        match point.and_then(|point| point.spread) {
            Some([low, high]) => {
                format!("{shown} {{\\scriptsize [{}, {}]}}", fixed(low, decimals), fixed(high, decimals))
            }
            None => shown,
        }
    };
    points.iter().zip(texts).map(cell).collect()
}

fn best(values: &[Option<f64>], better: Option<Better>) -> Option<f64> {
    let values = values.iter().copied().flatten();
    match better? {
        Better::Higher => values.reduce(f64::max),
        Better::Lower => values.reduce(f64::min),
    }
}

/// A row a value: its name, the value and the ends of its interval.
fn forest_table(chart: &Chart, forest: &Forest) -> Table {
    let values = forest.rows.iter().flat_map(|row| row.value.into_iter().chain(row.interval.into_iter().flatten()));
    let decimals = scale::decimals(values);
    let ends = chart.band.map_or(["low", "high"], Band::headings);
    let mut table = forest.table(ends, |value| fixed(value, decimals)).into_iter();
    let escaped = |line: Vec<String>| line.iter().take(4).map(|field| latex_escaped(field)).collect::<Vec<_>>();
    let heading = table.next().map(escaped).unwrap_or_default();
    (heading, table.map(escaped).collect())
}

/// Rows and columns as on the map: each gain, and below it its interval.
fn gain_map_table(gains: &GainMap) -> Table {
    let decimals = gains.decimals();
    let heading = [latex_escaped(&gains.map.row_label)]
        .into_iter()
        .chain(gains.map.columns.iter().map(|name| latex_escaped(name)));
    let cell = |(value, cell): (&Option<f64>, &GainCell)| match (value, cell.interval) {
        (Some(value), Some([low, high])) => {
            let [value, low, high] = [*value, low, high].map(|value| fixed(value, decimals));
            format!("{value} {{\\scriptsize [{low}, {high}]}}")
        }
        (Some(value), None) => fixed(*value, decimals),
        (None, _) => "--".to_owned(),
    };
    let rows = gains.map.rows.iter().zip(gains.map.values.iter().zip(&gains.cells));
    let row = |(name, (values, cells)): (&String, (&Vec<Option<f64>>, &Vec<GainCell>))| {
        [latex_escaped(name)].into_iter().chain(values.iter().zip(cells).map(cell)).collect()
    };
    (heading.collect(), rows.map(row).collect())
}

/// A row a point: its name, x and y.
fn scatter_table(scatter: &Lines) -> Table {
    let points: Vec<(&str, Point)> = scatter
        .series
        .iter()
        .flat_map(|series| series.points.iter().map(|point| (series.name.as_str(), *point)))
        .collect();
    let column = |value: fn(&Point) -> Point, better| {
        let points: Vec<Option<Point>> = points.iter().map(|(_, point)| Some(value(point))).collect();
        points_cells(&points, scale::decimals(points.iter().flatten().map(|point| point.y)), better)
    };
    let x = column(|point| Point::new(point.x, point.x), scatter.x.better);
    let y = column(|point| *point, scatter.y.better);
    let heading = [String::new(), latex_escaped(&scatter.x.heading()), latex_escaped(&scatter.y.heading())].to_vec();
    let rows = points.iter().zip(x.into_iter().zip(y)).map(|((name, _), (x, y))| vec![latex_escaped(name), x, y]);
    (heading, rows.collect())
}

/// A row a line, a column an axis.
fn parallel_table(parallel: &Parallel) -> Table {
    let heading =
        [String::new()].into_iter().chain(parallel.axes.iter().map(|axis| latex_escaped(&axis.label))).collect();
    let row = |line: &super::parallel::Polyline| {
        let values = parallel.axes.iter().zip(&line.values);
        let cells = values.map(|(axis, value)| latex_escaped(&on_axis(axis, *value, scale::value_label)));
        [latex_escaped(&line.name)].into_iter().chain(cells).collect()
    };
    (heading, parallel.lines.iter().map(row).collect())
}

/// A row a direction, with the one that it goes on as most of all.
fn river_table(river: &River) -> Table {
    let value = latex_escaped(&river.value.heading());
    let heading = ["Stage", "Direction", &value, "Goes on as", "Cosine"].map(str::to_owned).to_vec();
    let values = river.stages.iter().flat_map(|stage| &stage.directions).map(|direction| direction.value);
    let decimals = scale::decimals(values);
    let mut rows = Vec::new();
    for (index, stage) in river.stages.iter().enumerate() {
        for (from, direction) in stage.directions.iter().enumerate() {
            let flows = river.flows.iter().filter(|flow| (flow.stage, flow.from) == (index, from));
            let strongest = flows.max_by(|a, b| a.cosine.total_cmp(&b.cosine));
            let nothing = || "--".to_owned();
            rows.push(vec![
                latex_escaped(&stage.name),
                (from + 1).to_string(),
                fixed(direction.value, decimals),
                strongest.map_or_else(nothing, |flow| (flow.to + 1).to_string()),
                strongest.map_or_else(nothing, |flow| fixed(flow.cosine, 3)),
            ]);
        }
    }
    (heading, rows)
}

/// The maps below each other, each under its name.
fn panels_table(panels: &[Panel]) -> Table {
    let mut heading = Vec::new();
    let mut rows = Vec::new();
    for Panel { name, map } in panels {
        let (columns, own) = heat_map_table(map);
        rows.push(
            std::iter::once(latex_escaped(name)).chain(vec![String::new(); columns.len().saturating_sub(1)]).collect(),
        );
        rows.extend(own);
        heading = columns;
    }
    (heading, rows)
}

fn heat_map_table(map: &HeatMap) -> Table {
    let decimals = scale::decimals(map.values.iter().flatten().flatten().copied());
    let corner = format!("{} / {}", latex_escaped(&map.row_label), latex_escaped(&map.column_label));
    let heading = std::iter::once(corner).chain(map.columns.iter().map(|name| latex_escaped(name))).collect();
    let cell = |value: &Option<f64>| value.map_or_else(|| "--".to_owned(), |value| fixed(value, decimals));
    let row = |(name, values): (&String, &Vec<Option<f64>>)| {
        std::iter::once(latex_escaped(name)).chain(values.iter().map(cell)).collect()
    };
    (heading, map.rows.iter().zip(&map.values).map(row).collect())
}

/// `value` in maths, so that a minus is one.
fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.starts_with('-') { format!("${text}$") } else { text }
}

#[cfg(test)]
mod tests {
    use super::super::listing::Column;
    use super::super::{Axis, Listing, Series, SeriesStyle};
    use super::*;

    fn chart() -> Chart {
        let series =
            |name: &str, points: Vec<Point>| Series { name: name.to_owned(), points, style: SeriesStyle::method(0) };
        let band = Point { x: 1.0, y: 0.25, spread: Some([0.2, 0.3]) };
        let lines = Lines {
            x: Axis::whole("Stage"),
            y: Axis { better: Some(Better::Higher), ..Axis::new("Hit@10") },
            series: vec![
                series("LoRA, \"r_8\" & 50%", vec![band, Point::new(2.0, 0.125)]),
                series("b", vec![Point::new(2.0, 0.5)]),
            ],
            boundaries: Vec::new(),
        };
        Chart { note: Some("Synthetic data".to_owned()), ..Chart::new("Hit_10", Body::Lines(lines)) }
    }

    #[test]
    fn csv_quotes_and_keeps_every_digit() {
        let expected = "series,Stage,Hit@10,low,high,note\n\
            \"LoRA, \"\"r_8\"\" & 50%\",1,0.25,0.2,0.3,Synthetic data\n\
            \"LoRA, \"\"r_8\"\" & 50%\",2,0.125,,,Synthetic data\n\
            b,2,0.5,,,Synthetic data\n";
        assert_eq!(csv(&chart()), expected);
    }

    #[test]
    fn a_file_says_what_its_values_and_bands_are() {
        let chart =
            Chart { band: Some(Band::SeedRange), ..chart() }.of("run", "peso-s1").of("Stage", "no second column");
        let csv = csv(&chart);
        let mut lines = csv.lines();
        assert_eq!(lines.next(), Some("run,series,Stage,Hit@10,lowest seed,highest seed,note"));
        assert_eq!(lines.last(), Some("peso-s1,b,2,0.5,,,Synthetic data"));
    }

    #[test]
    fn latex_escapes_aligns_and_sets_the_best_bold() {
        let expected = r#"% needs \usepackage{booktabs}
\begin{table}
  \centering
  \caption{Hit\_10. Synthetic data}
  \begin{tabular}{lrr}
    \toprule
    Stage & 1 & 2 \\
    \midrule
    LoRA, "r\_8" \& 50\% & \textbf{0.250} {\scriptsize [0.200, 0.300]} & 0.125 \\
    b & -- & \textbf{0.500} \\
    \bottomrule
  \end{tabular}
\end{table}
"#;
        assert_eq!(latex(&chart()), expected);
    }

    #[test]
    fn many_x_values_go_down_the_page() {
        let mut chart = chart();
        let Body::Lines(lines) = &mut chart.body else { panic!("no lines") };
        lines.series[1].points = (1..=20).map(|x| Point::new(f64::from(x), 0.1)).collect();
        let table = latex(&chart);
        assert!(table.contains("Stage & LoRA"));
        assert!(table.contains("\n    20 & -- & \\textbf{0.100} \\\\\n"));
    }

    #[test]
    fn a_heat_map_leaves_out_what_was_not_measured() {
        let map = HeatMap {
            row_label: "After".to_owned(),
            rows: vec!["1".to_owned(), "2".to_owned()],
            column_label: "On".to_owned(),
            columns: vec!["1".to_owned(), "2".to_owned()],
            value: Axis::new("Hit@10"),
            values: vec![vec![Some(0.5), None], vec![Some(0.25), Some(0.75)]],
        };
        let chart = Chart::new("R", Body::HeatMap(map));
        assert_eq!(csv(&chart), "After,On,Hit@10,note\n1,1,0.5,\n2,1,0.25,\n2,2,0.75,\n");
        assert!(latex(&chart).contains("    1 & 0.500 & -- \\\\\n    2 & 0.250 & 0.750 \\\\\n"));
    }

    #[test]
    fn a_listing_is_shown_with_sensible_digits_and_written_with_all() {
        let columns = vec![Column::words("Method"), Column::numbers("Hit@10"), Column::words("Verdict")];
        let row = vec!["PESO & co".into(), Cell::number(0.123_456_7, "0.123"), "better".into()];
        let chart =
            Chart::new("Results", Body::Listing(Listing { columns, rows: vec![row] })).of("protocol", "same-block");
        assert_eq!(csv(&chart), "protocol,Method,Hit@10,Verdict,note\nsame-block,PESO & co,0.1234567,better,\n");
        let latex = latex(&chart);
        assert!(
            latex.contains(r"\begin{tabular}{lrl}") && latex.contains(r"PESO \& co & 0.123 & better \\"),
            "{latex}"
        );
    }

    #[test]
    fn an_empty_chart_says_what_is_missing() {
        let chart = Chart::empty("Hit@10", "No runs yet, so far");
        assert_eq!(csv(&chart), "missing\n\"No runs yet, so far\"\n");
        assert_eq!(latex(&chart), "% Hit@10: No runs yet, so far\n");
    }
}
