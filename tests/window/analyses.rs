//! Analyses with fixed content, kept in a run's folder as those that computed them keep them.

use peso_workbench::analysis::meaning::{self, MeaningReport};
use peso_workbench::analysis::retention::{self, RetentionReport};
use peso_workbench::method::{Aggregation, Distance};
use peso_workbench::run::RunFolder;
use serde_json::{Value, json};

/// Keeps the retention of stage 5: what moves much is kept as predicted, and what hardly moves anyhow.
pub fn retention(run: &RunFolder) {
    let direction = |place: usize| {
        let rho = 400.0 * 0.93_f64.powi(place as i32);
        let predicted = 2.0 / (rho + 2.0);
        let noise = ((place * 37 % 23) as f64 / 11.0 - 1.0) * if place.is_multiple_of(3) { 0.02 } else { 0.35 };
        let weight = if place.is_multiple_of(3) { 0.02 } else { 0.0001 };
        let measured = if place % 29 == 4 { 9.0 * noise } else { predicted + noise };
        json!({ "rho": rho, "predicted": predicted, "measured": measured, "weight": weight })
    };
    let report = json!({
        "run": run.config().run, "experiment": run.config().experiment, "synthetic": true, "stage": 5, "lambda": 2.0,
        "distance": Distance::SoftmaxKl { temperature: 1.0 }, "aggregation": Aggregation::Sum,
        "options": { "examples": 120, "at": "twin" }, "examples": 120, "of": 1200,
        "directions": (0..120).map(direction).collect::<Vec<_>>(),
        "outside": { "measured": 0.98, "weight": 0.1 },
        "correlations": {
            "directions": 120, "pearson": null, "spearman": null, "weighted_pearson": null, "weighted_spearman": null
        },
        "groups": [], "pull_ratio": null, "movement": { "twin": 1.0, "run": 0.9, "apart": 0.2 },
        "quadratic": {
                "loss_twin": 1.0, "loss_previous": 1.1, "loss_before_stage": 1.2, "previous_token_rows": true,
                "slope": 0.04, "slope_measured": 0.04, "curvature": 0.06, "predicted_rise": 0.1
            },
        "twin": { "best_epoch": 1, "validation_losses": [1.0] }, "best_epoch": 1,
    });
    retention::keep(run, &serde_json::from_value::<RetentionReport>(report).unwrap()).unwrap();
}

const WORDS: [&str; 10] =
    ["Velvet", "Broken", "Quiet", "Wild", "Silver", "Hidden", "Golden", "Gentle", "Distant", "Restless"];

fn item(place: usize, kind: &str) -> Value {
    let codes: Vec<String> = ["a", "b", "c", "d"].iter().map(|level| format!("<{level}_{}>", place % 7)).collect();
    json!({ "id": format!("{}", 100 + place), "title": format!("{} {kind}", WORDS[place % 10]), "codes": codes })
}

fn with(mut thing: Value, name: &str, value: Value) -> Value {
    thing[name] = value;
    thing
}

/// Keeps the meaning of two directions of a module in stage 5.
pub fn meaning(run: &RunFolder, module: &str) {
    let items = |kind: &str, sign: f64| -> Vec<Value> {
        let score = |place: usize| json!(sign * (0.94 - 0.06 * place as f64));
        (0..10).map(|place| with(item(place, kind), "score", score(place))).collect()
    };
    let code = |place: usize, sign: f64| json!({ "code": format!("<c_{place}>"), "level": 3, "score": sign * (0.4 - 0.03 * place as f64) });
    let codes = |sign: f64| (0..10).map(|place| code(place, sign)).collect::<Vec<_>>();
    let user = |place: usize, kind: &str, sign: f64| {
        let history: Vec<Value> = (0..5).map(|newest| item(place + newest, kind)).collect();
        json!({
            "user": format!("u{}", 7 + 13 * place), "activation": sign * (1.5 - 0.1 * place as f64),
            "history": history, "target": item(place + 6, kind),
        })
    };
    let users = |kind: &str, sign: f64| (0..10).map(|place| user(place, kind, sign)).collect::<Vec<_>>();
    let direction = |value: f64, share: f64, kinds: [&str; 2]| {
        json!({
            "singular_value": value, "share": share, "reads": null,
            "writes": {
                "items": { "raised": items(kinds[0], 1.0), "lowered": items(kinds[1], -1.0) },
                "codes": { "raised": codes(1.0), "lowered": codes(-1.0) },
            },
            "activation": {
                "mean": -0.132, "deviation": 0.31,
                "users": { "raised": users(kinds[0], 1.0), "lowered": users(kinds[1], -1.0) },
            },
        })
    };
    let report = json!({
        "run": run.config().run, "experiment": run.config().experiment, "synthetic": true, "stage": 5,
        "module": module, "users": 200,
        "directions": [
            direction(1.22, 0.42, ["market adventure", "orbit farming"]),
            direction(0.81, 0.19, ["city racing", "garden puzzles"]),
        ],
    });
    meaning::keep(run, &serde_json::from_value::<MeaningReport>(report).unwrap()).unwrap();
}
