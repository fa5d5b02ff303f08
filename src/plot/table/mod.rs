//! Charts as tables: CSV with one value a line, LaTeX as it goes into a paper.

mod csv;
mod latex;

pub use self::csv::csv;
pub use self::latex::latex;
use super::parallel::ParallelAxis;
use super::{Body, Chart, Picture};

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

#[cfg(test)]
mod tests {
    use super::super::listing::{Cell, Column};
    use super::super::{Axis, Band, Better, HeatMap, Lines, Listing, Point, Series, SeriesStyle};
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
