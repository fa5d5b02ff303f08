//! `peso results --latex`: the means over the later stages, and the continual measures.

use super::text::{DIVISORS, continual_table};
use super::{means_over, metrics};
use crate::figures::words::{TWO_COUNTS, metric_label};
use crate::results::Results;
use crate::results::seeds::SeedBasis;
use crate::results::summary;
use crate::results::summary::{Line, Mean};
use crate::text::{latex_escaped, one_line};

pub(super) fn as_latex(results: &Results, basis: &SeedBasis) -> String {
    let lines: Vec<Line> = summary::lines(results).into_iter().filter(|line| line.finished).collect();
    let metrics = metrics::columns(&lines);
    let best: Vec<f64> = metrics.iter().map(|metric| best_of(&lines, metric)).collect();
    let mut text = format!("% {}: {}\n", one_line(&results.project), means_over(results.protocol));
    text.extend(basis.words().map(|words| format!("% {words}\n")));
    if !metrics::released(&lines).is_empty() {
        text.push_str(&format!("% {TWO_COUNTS}\n"));
    }
    text.push_str(&format!("\\begin{{tabular}}{{l{}}}\n\\toprule\nMethod", "r".repeat(metrics.len())));
    text.extend(metrics.iter().map(|metric| format!(" & {}", latex_escaped(&metric_label(metric)))));
    text.push_str(" \\\\\n\\midrule\n");
    for (index, line) in lines.iter().enumerate() {
        if line.counted && index > 0 && !lines[index - 1].counted {
            text.push_str("\\midrule\n");
        }
        text.push_str(&latex_escaped(&line.name));
        for (metric, best) in metrics.iter().zip(&best) {
            text.push_str(" & ");
            text.extend(line.later_stages.get(metric).map(|mean| in_latex(mean, mean.mean == *best)));
        }
        text.push_str(" \\\\\n");
    }
    text.push_str("\\bottomrule\n\\end{tabular}\n");
    if lines.iter().any(|line| !line.continual.is_empty()) {
        let comment = format!("{}: continual measures; {DIVISORS}", results.project);
        text.push_str(&format!("\n{}", continual_table(&lines).to_latex(&comment)));
    }
    text
}

/// The greatest mean, for the rate of invalid ids the least.
fn best_of(lines: &[Line], metric: &str) -> f64 {
    let means = lines.iter().filter_map(|line| line.later_stages.get(metric)).map(|mean| mean.mean);
    if metric == "invalid_rate" { means.fold(f64::INFINITY, f64::min) } else { means.fold(f64::NEG_INFINITY, f64::max) }
}

fn in_latex(mean: &Mean, best: bool) -> String {
    let value = format!("{:.4}", mean.mean);
    let value = if best { format!("\\textbf{{{value}}}") } else { value };
    mean.deviation.map_or_else(|| value.clone(), |deviation| format!("{value} $\\pm$ {deviation:.4}"))
}
