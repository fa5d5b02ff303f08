//! `peso decide`: ship, hold or how much more data, gate by gate.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::outcome::{Ended, print, print_json};
use super::table::Table;
use super::words;
use crate::data::Protocol;
use crate::figures::words::metric_label;
use crate::project::Project;
use crate::results::decision::{Decision, Harmed, MethodDecision};

/// Decide on every method: ship, hold or needs more, by the gates of the project against a baseline
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A `.ron` file or a folder with `project.ron`
    project: PathBuf,
    /// The experiment, or non-learned baseline, that holds now
    #[arg(long, value_name = "NAME")]
    baseline: String,
    /// Folder of the runs, instead of `runs` beside the project file
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// same-block, next-block or global-time; the first that the project measures
    #[arg(long)]
    protocol: Option<Protocol>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What is printed as JSON.
#[derive(Debug, Serialize)]
struct Report<'d> {
    #[serde(flatten)]
    decision: &'d Decision,
    /// In sentences: what gates hold, what is left out, how sure it is.
    remarks: Vec<String>,
    /// By method, the tests that lose most by it.
    harmed: Vec<HarmedBy<'d>>,
}

/// Tests that lose by a method.
#[derive(Debug, Serialize)]
struct HarmedBy<'d> {
    name: &'d str,
    /// All that lose.
    tests: usize,
    /// The first of them.
    most: &'d [Harmed],
}

/// Harmed tests that the JSON has by method.
const SHOWN: usize = 20;

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Ended> {
    let project = Project::load(&arguments.project)?;
    let protocol = arguments.protocol.unwrap_or(project.evaluation.protocol.first());
    let runs_dir = project.runs_dir(arguments.out.as_deref());
    let decision = Decision::of_project(&project, &runs_dir, protocol, &arguments.baseline)?;
    if arguments.json {
        print_json(&report(&decision))?;
    } else {
        print(&as_text(&decision))?;
    }
    Ok(Ended::Done)
}

fn report(decision: &Decision) -> Report<'_> {
    let harmed = |method: &'_ MethodDecision| !method.gates.is_empty();
    let by = |method| {
        let MethodDecision { name, harmed, .. }: &MethodDecision = method;
        HarmedBy { name, tests: harmed.len(), most: &harmed[..harmed.len().min(SHOWN)] }
    };
    Report {
        decision,
        remarks: decision.remarks(),
        harmed: decision.methods.iter().filter(|method| harmed(method)).map(by).collect(),
    }
}

fn as_text(decision: &Decision) -> String {
    let note = if decision.synthetic { " · synthetic data" } else { "" };
    let protocol = words::unusual(decision.protocol);
    let metric = metric_label(&decision.gates.metric);
    let mut text =
        format!("{}{note}\n\nDecision against {} by {metric}{protocol}\n", decision.project, decision.baseline);
    let mut table = Table::new(2, ["Method", "Gate", "Value", "Interval", "Must be", "State"]);
    for method in &decision.methods {
        table.row(
            [method.name.clone(), method.outcome.to_string()].into_iter().chain(["", "", "", ""].map(str::to_owned)),
        );
        for gate in &method.gates {
            table.row([
                String::new(),
                gate.gate.to_string(),
                gate.value_words(),
                gate.interval_words(),
                gate.bound_words(),
                gate.state_words(),
            ]);
        }
    }
    text.push_str(&table.to_text());
    text.push('\n');
    text.extend(decision.methods.iter().map(|method| format!("{}\n", method.sentence)));
    text.push('\n');
    text.extend(decision.remarks().iter().map(|remark| format!("{remark}.\n")));
    text
}
