//! What `release_compatible` changes, against PyTorch in bfloat16 (`tests/fixtures/methods/released.py`) and by hand.

use std::path::Path;

use peso_workbench::method::Guides;
use peso_workbench::method::term::Term;
use peso_workbench::method::term::proximal::{Aggregation, Distance, Proximal};
use peso_workbench::method::term::released::divergence;
use peso_workbench::model::adapter::Matrix;
use peso_workbench::model::llama::Kind;
use peso_workbench::model::packing::Sequence;
use peso_workbench::train::step::{StepOptions, accumulated};
use serde_json::Value;

use crate::model_reference::{LoraCase, json, number, relative};

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|value| number(value) as f32).collect()
}

#[test]
fn the_penalty_in_bfloat16_matches_pytorch() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/methods/released.json");
    let cases = json(&file);
    for (number_of, case) in cases.as_array().unwrap().iter().enumerate() {
        let temperature = number(&case["temperature"]) as f32;
        let got = divergence(&numbers(&case["now"]), &numbers(&case["before"]), temperature);
        let expected = number(&case["penalty"]);
        // One unit of bfloat16's last place: sums are added in another order.
        let error = (f64::from(got.value) - expected).abs();
        assert!(error <= expected.abs() / 128.0, "case {number_of}: {} is not {expected}", got.value);
        let error = relative(&got.gradient, &numbers(&case["gradient"]));
        assert!(error < 0.02, "case {number_of}: the gradient's relative error is {error}");
    }
    let small = &cases.as_array().unwrap()[3];
    let (rounded, exact) = (number(&small["penalty"]), number(&small["in_float64"]));
    assert!((rounded - exact).abs() > 0.5 * exact, "a real update drowns in rounding: {rounded}, exactly {exact}");
}

#[test]
fn a_term_as_released_is_the_mean_over_modules() {
    let case = LoraCase::committed();
    let proximal =
        Proximal { lambda: 3.0, distance: Distance::SoftmaxKl { temperature: 1.0 }, aggregation: Aggregation::Sum };
    let term = Term::Proximal(proximal, vec![case.previous.clone().into()]).as_released();
    let current = peso_workbench::model::Adapter::of(&case.model);
    let before = case.model.clone().map(&|t: burn::tensor::Tensor<crate::model_reference::Tracked, 2>| t.inner());
    let guides = Guides::new(&[term], &Default::default(), &before);
    let pull = guides.pull(&peso_workbench::method::term::on_device(&current, &Default::default())).unwrap();
    let groups = current.parameters().map(|(name, now)| {
        let before = case.previous.parameters().find(|(other, _)| *other == name).unwrap().1;
        f64::from(divergence(&now.values, &before.values, 1.0).value)
    });
    let expected = 3.0 * groups.sum::<f64>() / case.previous.modules.len() as f64;
    assert!(expected > 0.0 && (pull.penalty / expected - 1.0).abs() < 1e-6, "{} is not {expected}", pull.penalty);
}

#[test]
fn pieces_as_released_count_alike_however_many_targets_they_have() {
    let mut case = LoraCase::committed();
    let sequences = case.sequences();
    let pieces: Vec<Vec<Sequence>> = vec![sequences[..1].to_vec(), sequences[1..].to_vec()];
    let trains = |kind| matches!(kind, Kind::LoraA | Kind::LoraB);
    let mut step = |pieces: &[Vec<Sequence>], equal_pieces| {
        let options = StepOptions { temperature: 0.8, equal_pieces, ..StepOptions::default() };
        accumulated(&mut case.model, pieces, &trains, &Guides::default(), &options, 0)
    };
    let alone: Vec<_> = pieces.iter().map(|piece| step(std::slice::from_ref(piece), false)).collect();
    let (alike, weighted) = (step(&pieces, true), step(&pieces, false));
    let mean = (alone[0].figures.loss + alone[1].figures.loss) / 2.0;
    assert!((alike.figures.loss - mean).abs() < 1e-6, "{} is not {mean}", alike.figures.loss);
    assert!((weighted.figures.loss - mean).abs() > 1e-4, "the pieces have different numbers of targets");
    for (name, gradient) in &alike.by_name {
        let of = |number: usize| Matrix::from_tensor(alone[number].by_name[name].clone()).values;
        let mean: Vec<f32> = of(0).iter().zip(of(1)).map(|(a, b)| (a + b) / 2.0).collect();
        assert!(relative(&Matrix::from_tensor(gradient.clone()).values, &mean) < 1e-4, "{name}");
    }
}
