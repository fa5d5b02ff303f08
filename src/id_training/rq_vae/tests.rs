//! Equality with a re-implementation of the recipe in PyTorch 2, float32: an encoder 6-5-3, three codebooks of 4, a decoder
//! 3-5-6, seven items; AdamW with learning rate 1e-3 and weight decay 1e-4.

use burn::tensor::Tensor;
use serde_json::Value;

use super::*;
use crate::id_training::observer::Epoch;
use crate::id_training::quantiser::Quantiser;
use crate::model::optimizer::AdamW;
use crate::semantic_id::Codebooks;

fn fixture() -> Value {
    serde_json::from_str(include_str!("../../../tests/fixtures/rq_vae.json")).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
}

fn codes(value: &Value) -> Vec<u32> {
    floats(value).into_iter().map(|code| code as u32).collect()
}

fn tensor(value: &Value, shape: [usize; 2]) -> Tensor<Cpu, 2> {
    let values: Vec<f32> = floats(value).into_iter().map(|value| value as f32).collect();
    Tensor::from_data(TensorData::new(values, shape), &Default::default())
}

fn network(fixture: &Value) -> (Network<Cpu>, Tensor<Cpu, 2>) {
    let layers = [[5, 6], [1, 5], [3, 5], [1, 3], [5, 3], [1, 5], [6, 5], [1, 6]];
    let shapes = layers.into_iter().chain([[4, 3]; 3]);
    let values = fixture["parameters"].as_array().unwrap();
    let parameters = values.iter().zip(shapes).map(|(value, shape)| tensor(value, shape)).collect();
    (Network { parameters, depth: 2 }, tensor(&fixture["x"], [7, 6]))
}

fn assert_near(found: &[f64], expected: &[f64], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-4, "{what}: {found} instead of {expected}");
    }
}

#[test]
fn outputs_losses_codes_and_gradients_are_those_of_pytorch() {
    let fixture = fixture();
    let (mut network, x) = network(&fixture);
    let nearest = network.forward(x.clone(), None);
    assert_eq!(nearest.codes, codes(&fixture["nearest_codes"]));
    assert_near(&numbers(nearest.reconstruction), &[fixture["nearest_reconstruction"].as_f64().unwrap()], "nearest");

    network.parameters = network.parameters.into_iter().map(Tensor::require_grad).collect();
    let forward = network.forward(x, Some(EPSILON));
    assert_eq!(forward.codes, codes(&fixture["codes"]));
    let output = network.decode(forward.sums[2].clone());
    assert_near(&numbers(output), &floats(&fixture["output"]), "output");
    let parts = [numbers(forward.reconstruction.clone())[0], numbers(forward.quantisation.clone())[0]];
    let expected = ["reconstruction", "quantisation"].map(|name| fixture[name].as_f64().unwrap());
    assert_near(&parts, &expected, "losses");
    let gradients = (forward.reconstruction + forward.quantisation).backward();
    for (index, parameter) in network.parameters.iter().enumerate() {
        let gradient = numbers(parameter.grad(&gradients).unwrap());
        assert_near(&gradient, &floats(&fixture["gradients"][index]), &format!("gradient {index}"));
    }
}

#[test]
fn five_steps_are_those_of_pytorch() {
    let fixture = fixture();
    let (mut network, x) = network(&fixture);
    let mut optimizer = AdamW::new(1e-4);
    for _ in 0..5 {
        network.step(x.clone(), &mut optimizer, 1e-3);
    }
    for (index, parameter) in network.parameters.iter().enumerate() {
        let expected = floats(&fixture["parameters_after_five_steps"][index]);
        assert_near(&numbers(parameter.clone()), &expected, &format!("parameter {index}"));
    }
    let losses = network.step(x, &mut optimizer, 1e-3);
    assert_near(
        &[losses.reconstruction + losses.quantisation],
        &[fixture["loss_after_five_steps"].as_f64().unwrap()],
        "loss",
    );
}

#[test]
fn the_transport_plan_is_that_of_pytorch() {
    let fixture = fixture();
    assert_near(&sinkhorn::plan(&floats(&fixture["sinkhorn_of"]), 3, 0.1), &floats(&fixture["sinkhorn"]), "plan");
}

#[test]
fn layers_shrink_with_the_vectors() {
    assert_eq!(widths(4096), [4096, 2048, 1024, 512, 256, 128, 64, 32]);
    assert_eq!(widths(576), [576, 512, 256, 128, 64, 32]);
    assert_eq!((widths(64), widths(8)), (vec![64, 32], vec![8, 8]));
}

/// Four groups of ten near vectors.
fn groups() -> Vec<Vec<f64>> {
    (0..40u8).map(|i| (0..8u8).map(|at| f64::from(i % 4 == at % 4) * 3.0 + f64::from(i / 4) * 0.02).collect()).collect()
}

/// Notes the epochs, ends training after so many questions, and keeps states in memory.
#[derive(Default)]
struct Notes {
    epochs: Vec<Epoch>,
    asked: usize,
    end_after: Option<usize>,
    kept: Option<Checkpoint>,
}

impl Observer for Notes {
    fn hear(&mut self, step: &Step) {
        if let Step::Epoch(epoch) = step {
            self.epochs.push(epoch.clone());
        }
    }

    fn stopped(&mut self) -> bool {
        self.asked += 1;
        self.end_after.is_some_and(|end| self.asked > end)
    }

    fn due(&mut self) -> bool {
        false
    }

    fn keep(&mut self, state: &Checkpoint) -> Result<(), InputError> {
        self.kept = Some(state.clone());
        Ok(())
    }
}

const SMALL: RqVae = RqVae { epochs: 60, batch: 16, learning_rate: 0.01, weight_decay: 1e-4 };

fn train(options: RqVae, from: Option<&Checkpoint>, notes: &mut Notes) -> Option<Clustered> {
    options.train(&groups(), CodeShape { levels: 2, codes: 4 }, 5, from, notes).unwrap().map(|(found, _)| found)
}

#[test]
fn what_is_kept_of_training_describes_vectors_as_training_did() {
    let shape = CodeShape { levels: 2, codes: 4 };
    let (found, autoencoder) = SMALL.train(&groups(), shape, 5, None, &mut Notes::default()).unwrap().unwrap();
    assert!(autoencoder.fits(found.centres[0][0].len()) && !autoencoder.fits(3));
    let books = Codebooks::new(&found.centres).unwrap();
    let quantiser = Quantiser { books, autoencoder: Some(autoencoder) };
    let errors = quantiser.errors(&groups(), &found.numbers);
    for (kept, trained) in errors.iter().zip(&found.errors) {
        assert!((kept - trained).abs() < 1e-4 * trained, "{errors:?} {:?}", found.errors);
    }
    let all = [vec![0, 1, 2, 3], vec![0, 1, 2, 3]];
    let nearest = quantiser
        .encode(&groups())
        .iter()
        .flat_map(|latent| quantiser.books.nearest(latent, &all).codes)
        .collect::<Vec<_>>();
    assert_eq!(nearest, found.numbers);
}

#[test]
fn training_learns_the_groups_and_tells_its_figures() {
    let mut notes = Notes::default();
    let found = train(SMALL, None, &mut notes).unwrap();
    let [first, last] = [&notes.epochs[0], &notes.epochs[59]];
    assert!(last.loss < 0.3 * first.loss, "{first:?} {last:?}");
    assert!(notes.epochs.iter().all(|epoch| epoch.loss == epoch.reconstruction + epoch.quantisation));
    // The first codes are the groups, or finer: items of different groups never share both codes.
    for (one, row) in found.numbers.chunks(2).enumerate() {
        for (other, beside) in found.numbers.chunks(2).enumerate() {
            assert!(row != beside || one % 4 == other % 4, "{one} and {other} share {row:?}");
        }
    }
    // The last epoch's figures are those of the codes that come out.
    let distinct = |level: usize| {
        let codes: std::collections::BTreeSet<u32> = found.numbers.chunks(2).map(|row| row[level]).collect();
        codes.len()
    };
    assert_eq!(last.used, [distinct(0), distinct(1)]);
    let together = crate::id_training::quality::Collisions::of(&found.numbers, 2).items;
    assert_eq!(last.collisions, together as f64 / 40.0);
}

#[test]
fn training_that_was_stopped_in_an_epoch_and_goes_on_gives_the_numbers_of_one_that_was_not() {
    let mut whole = Notes::default();
    let expected = train(SMALL, None, &mut whole);
    // Three steps an epoch: the 32nd question is in the eleventh epoch, of which nothing is kept.
    let mut cut = Notes { end_after: Some(31), ..Notes::default() };
    assert_eq!(train(SMALL, None, &mut cut), None);
    assert_eq!((cut.epochs.len(), cut.kept.as_ref().unwrap().epoch), (10, 10));
    // Through a file, as after the end of the process.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state.safetensors");
    cut.kept.unwrap().save(&file, "these").unwrap();
    let state = Checkpoint::load(&file, "these").unwrap();
    let mut rest = Notes::default();
    assert_eq!(train(SMALL, state.as_ref(), &mut rest), expected);
    assert_eq!([cut.epochs, rest.epochs].concat(), whole.epochs);
    // Stopped before its first step it goes on from the beginning; a state of another shape is none to go on from.
    let mut at_once = Notes { end_after: Some(0), ..Notes::default() };
    assert_eq!(train(SMALL, None, &mut at_once), None);
    assert_eq!(train(SMALL, at_once.kept.as_ref(), &mut Notes::default()), expected);
    let other =
        SMALL.train(&groups(), CodeShape { levels: 3, codes: 4 }, 5, state.as_ref(), &mut Notes::default()).unwrap();
    assert_eq!(other.map(|(found, _)| found.numbers.len()), Some(120));
}
