//! What each method gains over a baseline, with the interval that its verdict is judged by.

use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::styles::Styled;
use super::words::metric_label;
use crate::error::InputError;
use crate::measure::statistics::{Evidence, Verdict};
use crate::plot::forest::{Forest, ForestRow};
use crate::plot::{Axis, Band, Body, Chart};
use crate::results::comparison::{ComparisonLine, Judged};
use crate::results::plain_words;
use crate::text::counted;

pub static SPEC: FigureSpec = FigureSpec {
    name: "gains",
    aliases: &["forest"],
    label: "Gains",
    title: "Gain over the baseline",
    summary: "The gain of every method over the baseline, with the interval that its verdict is judged by",
    tooltip: "What every method gains over the baseline and how sure that is, as a chart and in plain words",
    options: &[FigureOption::Metric, FigureOption::Baseline],
    alone: false,
    make: Make::Project(|context, options| {
        let lines = context.lines();
        let Some(baseline) = baseline_of(&lines, options.baseline.as_deref())? else { return Ok(Vec::new()) };
        let judged = context.judged(&options.metric, baseline)?;
        let report = GainsReport { lines: &lines, judged: &judged, baseline, metric: &options.metric };
        let (results, basis) = context.compared();
        let chart = gains(&report, context.is_synthetic()).over(basis).under(results.protocol);
        Ok(vec![NamedChart::new("gains", chart)])
    }),
};

/// What the chart is made of.
#[derive(Debug, Clone, Copy)]
pub struct GainsReport<'a> {
    pub lines: &'a [Styled<'a, ComparisonLine>],
    /// By line.
    pub judged: &'a [Judged],
    /// Index of the line that the others are held against.
    pub baseline: usize,
    pub metric: &'a str,
}

/// The line of this name, or the usual baseline; none where there is no line.
pub(super) fn baseline_of(
    lines: &[Styled<'_, ComparisonLine>],
    name: Option<&str>,
) -> Result<Option<usize>, InputError> {
    let Some(name) = name else { return Ok((!lines.is_empty()).then(|| usual_baseline(lines.iter().map(|l| l.item)))) };
    let found = lines.iter().position(|line| line.item.name == name);
    found.map(Some).ok_or_else(|| {
        let names: Vec<String> = lines.iter().map(|line| format!("\"{}\"", line.item.name)).collect();
        InputError::new("--baseline", format!("there is no finished run of \"{name}\""))
            .advice(format!("finished are {}", names.join(", ")))
    })
}

/// What the others are held against until somebody chooses: the method without any pull, else the first line.
pub fn usual_baseline<'l>(mut lines: impl Iterator<Item = &'l ComparisonLine>) -> usize {
    lines.position(|line| line.method == "single").unwrap_or(0)
}

/// The gains as a forest plot, the greatest on top.
pub fn gains(report: &GainsReport<'_>, synthetic: bool) -> Chart {
    let Some(baseline) = report.lines.get(report.baseline).map(|line| line.item) else {
        return Chart::empty(SPEC.title, "No run is finished yet: gains are those of finished runs")
            .synthetic(synthetic);
    };
    let title = format!("Gain in {} over {}", metric_label(report.metric), baseline.name);
    let row = |(line, judged): (&Styled<'_, ComparisonLine>, &Judged)| {
        let sentence = plain_words::sentence(&line.item.name, &baseline.name, judged)?;
        Some(row_of(line, judged, sentence))
    };
    let mut rows: Vec<ForestRow> = report.lines.iter().zip(report.judged).filter_map(row).collect();
    if rows.is_empty() {
        let missing = format!("Only {} is finished: a gain needs a second method", baseline.name);
        return Chart::empty(title, missing).synthetic(synthetic);
    }
    let value = |row: &ForestRow| row.value.unwrap_or(f64::NEG_INFINITY);
    rows.sort_by(|a, b| value(b).total_cmp(&value(a)));
    let verdicts: Vec<&Verdict> = report
        .judged
        .iter()
        .filter_map(|judged| if let Judged::Verdict(verdict) = judged { Some(verdict.as_ref()) } else { None })
        .collect();
    let x = Axis::new(format!("Gain in {}", metric_label(report.metric)));
    let chart = Chart::new(title, Body::Forest(Forest { x, rows }));
    Chart { caption: Some(how(&verdicts)), band: Some(Band::Interval95), ..chart }
        .of("baseline", baseline.name.clone())
        .synthetic(synthetic)
}

fn row_of(line: &Styled<'_, ComparisonLine>, judged: &Judged, sentence: String) -> ForestRow {
    let (value, interval, words) = match judged {
        Judged::Verdict(verdict) => {
            let interval = verdict.interval();
            let gain = verdict.comparison.gain;
            let relative = verdict.comparison.relative.map(|relative| format!("{:+.1} %", 100.0 * relative));
            let size = relative.unwrap_or_else(|| format!("{gain:+.4}"));
            // A mark as the table has it, so that colour is not all that says it.
            let mark = match verdict.evidence {
                Evidence::Significant if gain > 0.0 => " ▲",
                Evidence::Significant => " ▼",
                _ => "",
            };
            (Some(gain), Some([interval.low, interval.high]), format!("{size}{mark}").replace('-', "−"))
        }
        Judged::Incomparable(_) => (None, None, "not comparable".to_owned()),
        Judged::Baseline => (None, None, String::new()),
    };
    ForestRow { name: line.item.name.clone(), style: line.style, value, interval, words, sentence }
}

/// What the intervals are.
fn how(verdicts: &[&Verdict]) -> String {
    let corrected = verdicts.iter().filter(|verdict| verdict.p_corrected.is_some()).count();
    let single = verdicts.iter().any(|verdict| verdict.comparison.seeds == 1);
    let intervals = match corrected {
        0 => "Bars are 95 % intervals over the test users".to_owned(),
        1 => "Bars are 95 % intervals over test users and seeds: ▲ or ▼ where one leaves 0 out".to_owned(),
        _ => format!(
            "Bars are 95 % intervals over test users and seeds, corrected by Holm over {}: ▲ or ▼ where one leaves 0 out",
            counted(corrected, "line")
        ),
    };
    let alone =
        if single { ". Of a single seed they are over users alone, and say nothing of other seeds" } else { "" };
    format!("{intervals}{alone}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::measure::statistics::{Aim, Bootstrap, Comparison, Paired};
    use crate::plot::{SeriesStyle, table};

    fn line(name: &str, method: &str) -> ComparisonLine {
        ComparisonLine {
            name: name.to_owned(),
            method: method.to_owned(),
            counted: false,
            runs: Vec::new(),
            metrics: BTreeMap::new(),
            continual: BTreeMap::new(),
            train_seconds: 1.0,
            peak_memory_bytes: 1,
            trainable_parameters: 1,
            validation_loss: None,
        }
    }

    /// Three seeds of a method that hits `hits` of 1000 users and more under each further seed, against 100 hits of the same.
    fn comparison(hits: usize) -> Comparison {
        let of = |end: usize| (0..1000).map(|user| f64::from(u8::from(user < end))).collect::<Vec<f64>>();
        let a: Vec<Vec<f64>> = (0..3).map(|seed| of(hits + seed)).collect();
        let paired = Paired::of_one_stage(&a, &vec![of(100); 3]).unwrap();
        let bootstrap = Bootstrap { resamples: 100, ..Bootstrap::new(1) };
        Comparison::of(&paired, &bootstrap, &Aim::default()).unwrap()
    }

    #[test]
    fn rows_have_the_interval_of_the_verdict_and_say_it_in_words() {
        let verdicts = Verdict::of_family(&[comparison(140), comparison(101)], 0.05);
        let judged = [
            Judged::Verdict(Box::new(verdicts[1])),
            Judged::Baseline,
            Judged::Verdict(Box::new(verdicts[0])),
            Judged::Incomparable("they share no seed".to_owned()),
        ];
        let items = [line("Frozen", "frozen"), line("Single", "single"), line("PESO", "peso"), line("Old", "ewc")];
        let lines: Vec<Styled<'_, ComparisonLine>> =
            items.iter().zip(0..).map(|(item, slot)| Styled { item, style: SeriesStyle::method(slot) }).collect();
        assert_eq!(usual_baseline(items.iter()), 1);
        let report = GainsReport { lines: &lines, judged: &judged, baseline: 1, metric: "hit@10_corrected" };
        let chart = gains(&report, true);
        let Body::Forest(forest) = &chart.body else { panic!("no forest") };
        let names: Vec<&str> = forest.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["PESO", "Frozen", "Old"], "the greatest gain first, what has none last");
        let interval = verdicts[0].interval();
        assert_eq!(forest.rows[0].interval, Some([interval.low, interval.high]));
        assert_eq!((forest.rows[0].style, forest.rows[0].words.as_str()), (SeriesStyle::method(2), "+41.0 % ▲"));
        assert!(chart.caption.as_ref().unwrap().contains("corrected by Holm over 2 lines"));
        let csv = table::csv(&chart);
        assert!(
            csv.starts_with("baseline,series,\"Gain in Hit@10\",")
                || csv.starts_with("baseline,series,Gain in Hit@10,"),
            "{csv}"
        );
        assert!(csv.contains("PESO is better than Single by 41 %"), "{csv}");
        assert!(table::latex(&chart).contains("PESO & "), "{}", table::latex(&chart));
    }

    #[test]
    fn a_baseline_alone_has_no_gain() {
        let only = line("Single", "single");
        let lines = [Styled { item: &only, style: SeriesStyle::method(0) }];
        let report = GainsReport { lines: &lines, judged: &[Judged::Baseline], baseline: 0, metric: "hit@10" };
        assert!(matches!(gains(&report, false).body, Body::Empty(_)));
    }
}
