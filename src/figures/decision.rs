//! Ship or hold: the gates of the project, method by method, as a table.

use super::gains::usual_baseline;
use super::options::FigureOption;
use super::provenance::Provenance as _;
use super::spec::{FigureSpec, Make, NamedChart};
use super::words::metric_label;
use crate::plot::listing::{Cell, Column, Listing};
use crate::plot::{Body, Chart};
use crate::results::decision::{Decision, GateResult, MethodDecision};

pub static SPEC: FigureSpec = FigureSpec {
    name: "decision",
    aliases: &["decide"],
    label: "Decision",
    title: "Ship or hold",
    summary: "Ship, hold or how much more data, gate by gate, for every method against the baseline",
    tooltip: "What the project's gates say of every method: ship, hold, or how much more data it takes to tell",
    options: &[FigureOption::Baseline],
    alone: false,
    make: Make::Project(|context, options| {
        let lines = context.lines();
        let Some(usual) = lines.get(usual_baseline(lines.iter().map(|line| line.item))) else { return Ok(Vec::new()) };
        let baseline = options.baseline.as_deref().unwrap_or(&usual.item.name);
        // What cannot be judged is told in its place, and keeps no other figure from being made.
        let chart = match context.decision(baseline) {
            Ok(decision) => table(&decision),
            Err(error) => Chart::empty(SPEC.title, error.to_string()).synthetic(context.is_synthetic()),
        };
        Ok(vec![NamedChart::new("decision", chart)])
    }),
};

/// The decision as a table: the gates of every method, of the slices the worst.
pub fn table(decision: &Decision) -> Chart {
    let title = format!("Decision against {}", decision.baseline);
    if decision.methods.is_empty() {
        let missing = format!("Only {} is finished: a decision needs a second method", decision.baseline);
        return Chart::empty(title, missing).synthetic(decision.synthetic);
    }
    let words = ["Method", "Decision", "Gate"].map(Column::words);
    let numbers = ["Value", "Low", "High", "Must be"].map(Column::numbers);
    let columns = words.into_iter().chain(numbers).chain([Column::words("State")]);
    let mut listing = Listing::new(columns.collect());
    for method in &decision.methods {
        let outcome = method.outcome.to_string();
        if method.gates.is_empty() {
            let mut row: Vec<Cell> = [method.name.as_str(), outcome.as_str()].map(Cell::from).into();
            row.extend(["", "", "", "", "", method.sentence.as_str()].map(Cell::from));
            listing.rows.push(row);
        }
        listing.rows.extend(method.arranged().shown.into_iter().map(|gate| row(method, &outcome, gate)));
    }
    let subtitle = Some(format!("By {}", metric_label(&decision.gates.metric)));
    let caption = Some(decision.remarks().join(". "));
    Chart { subtitle, caption, ..Chart::new(title, Body::Listing(listing)) }
        .of("baseline", decision.baseline.clone())
        .under(decision.protocol)
        .synthetic(decision.synthetic)
}

fn row(method: &MethodDecision, outcome: &str, gate: &GateResult) -> Vec<Cell> {
    let number = |value: Option<f64>| match value {
        Some(value) => Cell::number(value, gate.gate.number(value)),
        None => Cell::from("–"),
    };
    vec![
        Cell::from(method.name.as_str()),
        Cell::from(outcome),
        Cell::from(gate.gate.to_string()),
        number(gate.value),
        number(gate.interval.map(|interval| interval.low)),
        number(gate.interval.map(|interval| interval.high)),
        Cell::number(gate.bound, gate.bound_words()),
        Cell::from(gate.state_words()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Protocol;
    use crate::measure::statistics::Interval;
    use crate::project::decision::Gates;
    use crate::results::decision::{Gate, Outcome, State};

    #[test]
    fn every_gate_is_a_row_under_its_method() {
        let gate = GateResult {
            gate: Gate::NegativeFlips,
            value: Some(0.08),
            interval: Some(Interval { low: 0.06, high: 0.1, level: 0.95 }),
            bound: 0.05,
            tests: 400,
            state: State::Failed,
            more: None,
            note: None,
        };
        let method = MethodDecision {
            name: "PESO".to_owned(),
            counted: false,
            outcome: Outcome::Hold,
            sentence: String::new(),
            gates: vec![gate],
            harmed: Vec::new(),
        };
        let decision = Decision {
            project: "Demo".to_owned(),
            protocol: Protocol::SameBlock,
            baseline: "Frozen".to_owned(),
            gates: Gates::default(),
            default_gates: true,
            runs_before_gates: 0,
            synthetic: true,
            tests: 400,
            seeds: vec![1, 2],
            missing: Vec::new(),
            small_slices: Vec::new(),
            methods: vec![method],
        };
        let chart = table(&decision);
        let Body::Listing(listing) = &chart.body else { panic!("no table") };
        let shown: Vec<&str> = listing.rows[0].iter().map(|cell| cell.shown.as_str()).collect();
        assert_eq!(shown, ["PESO", "Hold", "negative flips", "8.0 %", "6.0 %", "10.0 %", "at most 5.0 %", "failed"]);
        assert_eq!(listing.rows[0][3].full, "0.08");
        assert!(chart.caption.unwrap().starts_with("The project has no gates"));
        let alone = Decision { methods: Vec::new(), ..decision };
        assert!(matches!(table(&alone).body, Body::Empty(_)));
    }
}
