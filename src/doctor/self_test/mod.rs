//! A training step of PESO and a search with a tiny model, held against what PyTorch says of the same weights, on every
//! device that training can take.

mod step;

use std::time::Duration;

use self::step::{Measured, TinyStep};
use super::{Check, in_time};
use crate::device::{self, Device, DeviceChoice};
use crate::model::backend::run_on;

/// What `tests/fixtures/self_test.py` prints, with PyTorch 2.15 and Transformers 5.24 in float64. Nothing in it is ours
/// but the description of the model: it has its own decoder, automatic gradients, optimiser and softmax, and scores each
/// item by itself.
const EXPECTED: Measured = Measured {
    loss: 2.821_496_4,
    penalty: 0.294_325_5,
    gradient_norm: 11.327_853_0,
    loss_after: 2.681_658_9,
    items: [3, 1, 4, 5, 2, 0, 6, 7],
};

/// Greatest difference, as a share: of float32 on the CPU, and on devices that may multiply in fewer bits.
const ON_CPU: f64 = 1e-4;
const ELSEWHERE: f64 = 5e-3;
/// The first step on a device compiles what it computes with.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn checks() -> Vec<Check> {
    let choices = [DeviceChoice::Cpu, DeviceChoice::Wgpu, DeviceChoice::Cuda];
    choices.into_iter().filter_map(usable).map(|(device, name)| check(device, &name)).collect()
}

/// The device that a choice leads to, with its name; none where it leads to none, or to a software adapter.
fn usable(choice: DeviceChoice) -> Option<(Device, String)> {
    let (device, survey) = device::choose(choice).ok()?;
    let is_it = |found: &&device::DeviceReport| found.kind == survey.chosen && found.name == survey.name;
    let software = survey.found.iter().find(is_it).is_some_and(|found| found.software);
    (!software).then_some((device, survey.name))
}

fn check(device: Device, device_name: &str) -> Check {
    let kind = device.kind();
    let advice = match kind {
        "cpu" => "the program or the machine is damaged: install it again, and test the memory",
        _ => "train with `--device cpu`, and update the device's driver",
    };
    let largest = if device == Device::Cpu { ON_CPU } else { ELSEWHERE };
    let Some(measured) = in_time(PATIENCE, move || run_on(&device, TinyStep)) else {
        let found = format!("{device_name}: the step was cut off, or was not done within {} s", PATIENCE.as_secs());
        return Check::problem(kind, found, advice);
    };
    let Measured { loss, loss_after, .. } = measured;
    match measured.difference(&EXPECTED, largest) {
        None => Check::fine(kind, format!("loss {loss:.4}, {loss_after:.4} after a step, as PyTorch has it")),
        Some(what) => Check::problem(kind, format!("{device_name}: {what}"), advice),
    }
}

impl Measured {
    /// The first number that is farther from another than this share of it, in words.
    fn difference(&self, expected: &Self, largest: f64) -> Option<String> {
        let numbers = [
            ("the loss", self.loss, expected.loss),
            ("the penalty", self.penalty, expected.penalty),
            ("the gradient's norm", self.gradient_norm, expected.gradient_norm),
            ("the loss after the step", self.loss_after, expected.loss_after),
        ];
        // What is no number is not within anything.
        let within = |own: f64, other: f64| (own - other).abs() <= largest * other.abs();
        let far = numbers.into_iter().find(|(_, own, other)| !within(*own, *other));
        let number = far.map(|(name, own, other)| format!("{name} is {own:.6} instead of {other:.6}"));
        let lists = || format!("the items are {:?} instead of {:?}", self.items, expected.items);
        number.or_else(|| (self.items != expected.items).then(lists))
    }
}

#[cfg(test)]
mod tests {
    use super::step::{adapted, measured};
    use super::*;
    use crate::doctor::State;
    use crate::model::adapter::Matrix;

    type Tracked = burn::backend::Autodiff<burn::backend::Flex>;

    #[test]
    fn the_cpu_has_the_numbers_of_pytorch() {
        let found = check(Device::Cpu, "CPU");
        assert_eq!(found.state, State::Fine, "{found:?}");
        assert!(found.found.starts_with("loss 2.8215, 2.6817 after a step"), "{found:?}");
    }

    #[test]
    fn one_changed_weight_is_found() {
        let device = Default::default();
        for name in
            ["model.embed_tokens.weight.added", "model.layers.1.mlp.down_proj.lora_B.weight", "model.norm.weight"]
        {
            let mut model = adapted::<Tracked>(0.0, &device);
            model.visit(&mut |known, _, tensor| {
                if known == name {
                    let mut matrix = Matrix::from_tensor(tensor.clone());
                    matrix.values[5] += 0.25;
                    *tensor = matrix.into_tensor(&device);
                }
            });
            let found = measured(model, &device).difference(&EXPECTED, ELSEWHERE);
            assert!(found.is_some_and(|what| what.contains("instead of")), "{name}");
        }
    }

    #[test]
    fn each_number_and_the_list_are_held_against_the_others() {
        assert_eq!(EXPECTED.difference(&EXPECTED, ON_CPU), None);
        let spoiled = [
            Measured { loss: EXPECTED.loss * 1.001, ..EXPECTED },
            Measured { penalty: f64::NAN, ..EXPECTED },
            Measured { gradient_norm: 0.0, ..EXPECTED },
            Measured { loss_after: EXPECTED.loss, ..EXPECTED },
            Measured { items: [1, 3, 4, 5, 2, 0, 6, 7], ..EXPECTED },
        ];
        for other in spoiled {
            assert!(other.difference(&EXPECTED, ON_CPU).is_some(), "{other:?}");
        }
    }
}
