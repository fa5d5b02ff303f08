//! `peso compare`: gains over a baseline, with intervals and corrected p-values.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::outcome::{Ended, print, print_json, say_archived};
use super::table::Table;
use super::words;
use crate::data::Protocol;
use crate::error::InputError;
use crate::figures::words::metric_label;
use crate::measure::statistics::{ALPHA, Comparison, Evidence, Interval, LEVEL, McNemar, Verdict, p_value_text};
use crate::measure::{Slice, UserMetric};
use crate::project::Project;
use crate::project::slug::slug;
use crate::results::comparison::{Judged, verdicts};
use crate::results::paired_scores::{Selection, UserScores, basis_of, user_scores};
use crate::results::plain_words;
use crate::results::seeds::{SeedBasis, SeedChoice};
use crate::semantic_id::IdCounts;

/// Compare every line with one of them: gains on the same test users, with intervals and corrected p-values
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// The experiment, or non-learned baseline, that the others are compared with
    #[arg(long, value_name = "NAME")]
    baseline: String,
    /// hit@K_corrected or ndcg@K_corrected, which rank items (ties of shared ids count by expectation); hit@K or ndcg@K by the
    /// released count, which takes a shared id for one place and is refused against lines that rank items; with `_known` after
    /// K, of lists of known items. Where none is given: ndcg@10_corrected, or that of the longest lists where these are shorter
    #[arg(long, value_name = "METRIC")]
    metric: Option<UserMetric>,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// same-block, next-block or global-time; the first that the project measures
    #[arg(long)]
    protocol: Option<Protocol>,
    /// Only the tests of a slice: new, returning, dormant; warm, cold; head, mid, tail; short, medium, long
    #[arg(long, value_name = "NAME")]
    slice: Option<Slice>,
    /// Each line over its own seeds, instead of all over those that they share
    #[arg(long)]
    all_seeds: bool,
    /// As JSON
    #[arg(long, conflicts_with_all = ["csv", "latex", "markdown"])]
    json: bool,
    /// As CSV
    #[arg(long, conflicts_with_all = ["latex", "markdown"])]
    csv: bool,
    /// As a LaTeX table (booktabs)
    #[arg(long, conflicts_with = "markdown")]
    latex: bool,
    /// As a Markdown document: Hit and NDCG at 10, or of the longest lists where these are shorter, under every protocol that the project measures
    #[arg(long, conflicts_with_all = ["metric", "protocol", "slice"])]
    markdown: bool,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report {
    project: String,
    protocol: Protocol,
    #[serde(skip_serializing_if = "Option::is_none")]
    slice: Option<Slice>,
    metric: String,
    baseline: String,
    /// Coverage of the intervals, and the bound that corrected p-values are held against.
    level: f64,
    alpha: f64,
    synthetic: bool,
    /// How many items and ids the catalogue has, where the runs say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    catalogue: Option<IdCounts>,
    /// The seeds that all lines are over; empty where they differ.
    seeds: Vec<u64>,
    #[serde(skip)]
    basis: SeedBasis,
    lines: Vec<ReportLine>,
    /// Lines that must not be, or cannot be, held against the baseline.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Refused>,
}

/// A line that is not compared.
#[derive(Debug, Serialize)]
struct Refused {
    name: String,
    reason: String,
}

/// One line against the baseline.
#[derive(Debug, Serialize)]
struct ReportLine {
    name: String,
    /// The verdict in plain words.
    sentence: String,
    #[serde(flatten)]
    verdict: Verdict,
    /// By seed; of a metric that is 0 or 1 for every user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    mcnemar: Vec<McNemar>,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    if arguments.markdown {
        print(&as_markdown(&project, arguments)?)?;
        return Ok(Ended::Done);
    }
    let selection = Selection {
        metric: arguments.metric.unwrap_or(UserMetric::ndcg(project.evaluation.usual_cut_off())),
        protocol: arguments.protocol.unwrap_or(project.evaluation.protocol.first()),
        slice: arguments.slice,
        seeds: SeedChoice::of(arguments.all_seeds),
    };
    let report = report(&project, arguments, selection)?;
    if arguments.json {
        print_json(&report)?;
    } else if arguments.csv {
        print(&as_csv(&report))?;
    } else if arguments.latex {
        print(&table(&report).to_latex(&title(&report)))?;
    } else {
        print(&as_text(&report))?;
    }
    Ok(Ended::Done)
}

/// Reads the runs and compares them.
///
/// # Errors
/// No line can be compared with the baseline.
fn report(project: &Project, arguments: &Arguments, selection: Selection) -> Result<Report, InputError> {
    let runs_dir = project.runs_dir(arguments.out.as_deref());
    say_archived(&runs_dir);
    let lines = user_scores(project, &runs_dir, selection)?;
    let baseline = named(&lines, &arguments.baseline, &arguments.project)?;
    let report = compared(project, &lines, baseline, selection);
    match report.refused.first() {
        Some(Refused { name, reason }) if report.lines.is_empty() => {
            Err(InputError::new(&arguments.project, format!("{name} cannot be compared: {reason}")))
        }
        _ => Ok(report),
    }
}

fn as_markdown(project: &Project, arguments: &Arguments) -> Result<String, InputError> {
    let note = if project.is_synthetic() { " (synthetic data)" } else { "" };
    let mut text = format!("# {}{note}\n", project.name);
    let seeds = SeedChoice::of(arguments.all_seeds);
    for &protocol in project.evaluation.protocol.each() {
        for metric in [UserMetric::hit, UserMetric::ndcg].map(|metric| metric(project.evaluation.usual_cut_off())) {
            let report = report(project, arguments, Selection { metric, protocol, slice: None, seeds })?;
            text.push_str(&format!("\n## {}\n\n", title(&report)));
            if let Some(first) = report.lines.first() {
                let Comparison { value, gain, .. } = first.verdict.comparison;
                text.push_str(&format!("{} has {:.4}.\n\n", report.baseline, value - gain));
            }
            text.push_str(&table(&report).to_markdown());
            text.push('\n');
            text.extend(report.lines.iter().map(|line| format!("- {}\n", line.sentence)));
            text.push_str(&format!("\n{}", how(&report)));
        }
    }
    Ok(text)
}

/// The place of the line of a name, which may be written as in run ids.
fn named(lines: &[UserScores], name: &str, project: &std::path::Path) -> Result<usize, InputError> {
    let exact = lines.iter().position(|line| line.name == name);
    exact.or_else(|| lines.iter().position(|line| slug(&line.name) == slug(name))).ok_or_else(|| {
        let error = InputError::new(project, format!("there is no finished run of \"{name}\""));
        match lines.iter().map(|line| format!("\"{}\"", line.name)).collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => error.advice("no run is finished; `peso run` starts them"),
            names => error.advice(format!("finished are {names}")),
        }
    })
}

fn compared(project: &Project, lines: &[UserScores], baseline: usize, selection: Selection) -> Report {
    let judged = verdicts(&lines.iter().collect::<Vec<_>>(), baseline);
    let basis = basis_of(lines, selection.seeds);
    let baseline = &lines[baseline];
    let mut report = Report {
        project: project.name.clone(),
        protocol: selection.protocol,
        slice: selection.slice,
        metric: selection.metric.to_string(),
        baseline: baseline.name.clone(),
        level: LEVEL,
        alpha: ALPHA,
        synthetic: project.is_synthetic(),
        catalogue: lines.iter().find_map(|line| line.catalogue),
        seeds: basis.shared.clone(),
        basis,
        lines: Vec::new(),
        refused: Vec::new(),
    };
    for (line, judged) in lines.iter().zip(judged) {
        let name = line.name.clone();
        match judged {
            Judged::Baseline => {}
            Judged::Incomparable(reason) => report.refused.push(Refused { name, reason }),
            Judged::Verdict(verdict) => {
                let mcnemar = if selection.metric.is_binary() { line.hits_against(baseline) } else { Vec::new() };
                let sentence = plain_words::of_verdict(&name, &baseline.name, &verdict);
                report.lines.push(ReportLine { name, sentence, verdict: *verdict, mcnemar });
            }
        }
    }
    report
}

/// What is compared, in words.
fn title(report: &Report) -> String {
    let protocol = words::unusual(report.protocol);
    let mean = match report.slice {
        None => "mean over the stages from 2 on, on the same test users".to_owned(),
        Some(slice) => format!("mean over the same tests of the slice \"{slice}\" in the stages from 2 on"),
    };
    format!("{} against {}{protocol}, {mean}", metric_label(&report.metric), report.baseline)
}

fn as_text(report: &Report) -> String {
    let note = if report.synthetic { " · synthetic data" } else { "" };
    let sentences: String = report.lines.iter().map(|line| format!("{}\n", line.sentence)).collect();
    let table = table(report).to_text();
    format!("{}{note}\n\n{}\n{table}\n{sentences}\n{}", report.project, title(report), how(report))
}

/// How the figures were found, and what is not in the table.
fn how(report: &Report) -> String {
    let users = report.lines.first().map_or(0, |line| line.verdict.comparison.users);
    let several = report.lines.iter().any(|line| line.verdict.comparison.seeds > 1);
    let seeds = if several { " and the seeds" } else { "" };
    let judged = report.lines.iter().filter(|line| line.verdict.p_corrected.is_some()).count();
    let lines = if judged == 1 { "1 line".to_owned() } else { format!("{judged} lines") };
    let mut text = format!(
        "Intervals and p-values are over {users} test cases{seeds} (Student's t), corrected by Holm over {lines}: an interval leaves \
         0 out exactly where the verdict is \"significant\".\n"
    );
    if report.lines.iter().any(|line| matches!(line.verdict.evidence, Evidence::NotEnoughSeeds { .. })) {
        text.push_str("Of a single seed they are over users alone, and not corrected.\n");
    }
    text.extend(report.basis.words().map(|words| format!("{words}.\n")));
    text.push_str("Users (seeds) for it: test cases (seeds) at which a gain of this size is found with 80 % chance.\n");
    if let Some(counts) = report.catalogue.filter(|counts| counts.are_shared()) {
        text.push_str(&counts.to_string());
        let corrected = report.metric.ends_with("_corrected");
        text.push_str(if corrected { "; those that share one count by expectation.\n" } else { ".\n" });
    }
    let mut refused: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Refused { name, reason } in &report.refused {
        refused.entry(reason).or_default().push(name);
    }
    for (reason, names) in refused {
        text.push_str(&format!("Not compared: {}: {reason}.\n", names.join(", ")));
    }
    text
}

/// With all digits, for other programs.
fn as_csv(report: &Report) -> String {
    let heading = "experiment,baseline,metric,seeds,users,value,gain,relative,interval_95_low,interval_95_high,p,\
                   corrected_interval_low,corrected_interval_high,p_holm,verdict";
    let mut table = Table::new(1, heading.split(','));
    for line in &report.lines {
        let Comparison { seeds, users, value, gain, relative, interval, p_value, .. } = line.verdict.comparison;
        let Verdict { p_corrected, interval_corrected: corrected, evidence, .. } = line.verdict;
        let words = [line.name.clone(), report.baseline.clone(), report.metric.clone()];
        let numbers = [Some(value), Some(gain), relative, Some(interval.low), Some(interval.high), Some(p_value)];
        let corrected = [corrected.map(|found| found.low), corrected.map(|found| found.high), p_corrected];
        let numbers = numbers.into_iter().chain(corrected);
        let numbers = numbers.map(|number| number.map(|number| number.to_string()).unwrap_or_default());
        let counts = [seeds, users].map(|count| count.to_string());
        table.row(words.into_iter().chain(counts).chain(numbers).chain([evidence.to_string()]));
    }
    table.to_csv()
}

fn table(report: &Report) -> Table {
    let hits = report.lines.iter().any(|line| !line.mcnemar.is_empty());
    let heading = ["Experiment", "n", "Value", "Gain", "Relative", "Interval", "p"];
    let heading =
        heading.into_iter().chain(hits.then_some("Users hit")).chain(["Users for it", "Seeds for it", "Verdict"]);
    let mut table = Table::new(1, heading);
    for line in &report.lines {
        let Comparison { value, gain, relative, seeds, total, .. } = line.verdict.comparison;
        let Interval { low, high, .. } = line.verdict.interval();
        let mut cells = vec![
            line.name.clone(),
            if seeds == 0 { "–".to_owned() } else { seeds.to_string() },
            format!("{value:.4}"),
            format!("{gain:+.4}"),
            relative.map_or("–".to_owned(), |relative| format!("{:+.1} %", 100.0 * relative)),
            format!("{low:+.4} … {high:+.4}"),
            line.verdict.p_corrected.map_or("–".to_owned(), p_value_text),
        ];
        if hits {
            cells.push(format!("{total:+.0}"));
        }
        let needed = |number: Option<u64>| number.map_or("–".to_owned(), |number| number.to_string());
        let Comparison { users_needed, seeds_needed, .. } = line.verdict.comparison;
        cells.extend([needed(users_needed), needed(seeds_needed), line.verdict.evidence.to_string()]);
        table.row(cells);
    }
    table
}
