//! Gradients of single examples, their Gram matrix and what modules read, against PyTorch
//! (`tests/fixtures/subspace/README.md` has the formulas).

use std::path::Path;

use burn::tensor::Tensor;
use peso_workbench::method::metric::metric;
use peso_workbench::method::{Distance, Peso, Strength};
use peso_workbench::model::Adapter;
use peso_workbench::model::adapter::Matrix;
use peso_workbench::model::packing::Packed;
use peso_workbench::subspace::curvature::{Constants, Gradients, directions};
use peso_workbench::train::stage_statistics::example_gradient;
use serde_json::Value;

use crate::model_reference::{LoraCase, Tracked, json, number, relative};

fn expected() -> Value {
    json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/subspace/gradients.json"))
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|value| number(value) as f32).collect()
}

#[test]
fn gradients_of_examples_and_their_directions_match_the_reference() {
    let (mut case, expected) = (LoraCase::committed(), expected());
    let adapter = Adapter::of(&case.model);
    let mut gradients = Gradients::new(expected["parameters"].as_u64().unwrap() as usize);
    for sequence in case.sequences() {
        gradients.push(&example_gradient(&mut case.model, &adapter, &sequence, 0.8));
    }
    let rows: Vec<Vec<f64>> = gradients.rows().map(|row| row.iter().map(|g| f64::from(*g)).collect()).collect();
    for (row, expected) in rows.iter().zip(expected["gram"].as_array().unwrap()) {
        let gram: Vec<f32> = gradients.dots(row).iter().map(|dot| (dot / 6.0) as f32).collect();
        let error = relative(&gram, &numbers(expected));
        assert!(error < 2e-4, "the Gram matrix's relative error is {error:e}");
    }
    let softmax = Peso::default();
    let l2 = Peso { distance: Distance::L2 { squared: true, per_element: false }, ..Peso::default() };
    for (peso, name) in [(softmax, "rho_softmax"), (l2, "rho_identity")] {
        let (metric, _) = metric(&peso, &Strength::One(1.0), &case.previous).unwrap();
        let found: Vec<f32> =
            directions(&gradients, &metric, Constants::Held).rho.iter().map(|rho| *rho as f32).collect();
        let error = relative(&found, &numbers(&expected[name]));
        assert!(found.len() == 6 && error < 2e-4, "{name}: the relative error is {error:e}");
    }
}

#[test]
fn what_a_module_reads_matches_the_reference() {
    let (case, expected) = (LoraCase::committed(), expected());
    let model = case.model.clone().map(&|t: Tensor<Tracked, 2>| t.inner());
    let packed = Packed::new(&case.sequences());
    let (row, place) = (expected["inputs_row"].as_u64().unwrap(), expected["inputs_place"].as_u64().unwrap());
    let place = packed.plan.rows[row as usize].queries.start + place as usize;
    for (module, values) in expected["inputs"].as_object().unwrap() {
        let read = model.inputs_at(&packed, module, &[0, place]).unwrap();
        let read = Matrix::from_tensor(read);
        let error = relative(&read.values[read.columns..], &numbers(values));
        assert!(read.rows == 2 && error < 1e-4, "{module}: the relative error is {error:e}");
    }
    assert!(model.inputs_at(&packed, "model.layers.9.mlp.down_proj", &[0]).is_none());
}
