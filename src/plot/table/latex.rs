//! As a table goes into a paper.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::gain_map::GainCell;
use super::super::listing::Cell;
use super::super::parallel::{Parallel, Polyline};
use super::super::river::River;
use super::super::{Band, Better, Body, Chart, Fact, Forest, GainMap, HeatMap, Lines, Panel, Point, Ticks, scale};
use super::{on_axis, pictures_table};
use crate::text::{latex_comment, latex_escaped, one_line};

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
    let row = |line: &Polyline| {
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
