//! Values made with other tools, which pin what is computed here. `PESO_REFERENCE_DIR` names another set of them, made
//! with another seed.
//!
//! A test that takes both its inputs and what it expects from the set reads [`reference_dir`]. One that expects what other
//! fixtures or its own code say of the committed set reads [`committed_reference`], whatever set is asked for.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use peso_workbench::measure::ranking::{UserOutcome, aggregate};
use serde::Deserialize;

/// The folder of the set of reference values that is asked for, which is the committed one unless another is named.
pub fn reference_dir() -> PathBuf {
    std::env::var_os("PESO_REFERENCE_DIR").map_or_else(committed_reference, PathBuf::from)
}

/// The folder of the committed set of reference values.
pub fn committed_reference() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reference")
}

#[test]
fn ranking_metrics_match_the_reference() {
    #[derive(Deserialize)]
    struct Case {
        ranked: Vec<u32>,
        target: u32,
    }
    #[derive(Deserialize)]
    struct Reference {
        cases: Vec<Case>,
        expected: BTreeMap<String, f64>,
    }
    let text = std::fs::read_to_string(reference_dir().join("ranking_metrics.json")).unwrap();
    let reference: Reference = serde_json::from_str(&text).unwrap();
    let outcomes: Vec<UserOutcome> =
        reference.cases.iter().map(|case| UserOutcome::of_items(0, case.target, &case.ranked, None)).collect();
    let metrics = aggregate(&outcomes, &[1, 5, 10]);
    assert_eq!(reference.expected.len(), 6);
    for (name, expected) in &reference.expected {
        for name in [name.clone(), format!("{name}_corrected")] {
            assert!((metrics[&name] - expected).abs() <= 1e-12, "{name}: {} instead of {expected}", metrics[&name]);
        }
    }
}
