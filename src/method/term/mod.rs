//! Terms of the loss beside the cross-entropy: as data that a method gives, and on a device for a stage's training.
//!
//! Gradients of terms of the parameters alone are written out rather than left to automatic differentiation: it is
//! cheaper, and their norm beside the cross-entropy's (the *pull ratio*) tells at every step whether the terms act.

mod fisher;
mod orthogonal;
pub mod proximal;
pub mod released;
mod teacher;

use std::collections::BTreeMap;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

pub use fisher::Fisher;
pub use orthogonal::Orthogonal;
pub use proximal::Proximal;
use proximal::{Aggregation, Distance};
pub use teacher::{Teacher, Toward};

use super::{State, Strength};
use crate::model::adapter::Matrices;
use crate::model::kernels::Kernels;
use crate::model::optimizer::sum;
use crate::model::{Adapter, Llama};

/// A term of the loss.
#[derive(Debug, Clone, PartialEq)]
pub enum Term {
    /// A distance to past states: the mean over them.
    Proximal(Proximal, Vec<State>),
    /// The same with each group's distance weighted once more.
    ByGroup(Proximal, Strength, Vec<State>),
    /// The softmax-KL at a temperature to past states, as the released code computes it; see [`released`].
    Released(Proximal, f64, Vec<State>),
    Fisher(Fisher),
    Orthogonal(Orthogonal),
    Teacher(Teacher),
}

impl Term {
    /// The term with its weight times `factor`.
    pub fn times(mut self, factor: f64) -> Self {
        let (Self::Proximal(Proximal { lambda, .. }, _)
        | Self::ByGroup(Proximal { lambda, .. }, ..)
        | Self::Released(Proximal { lambda, .. }, ..)
        | Self::Fisher(Fisher { lambda, .. })
        | Self::Orthogonal(Orthogonal { lambda, .. })
        | Self::Teacher(Teacher { lambda, .. })) = &mut self;
        *lambda *= factor;
        self
    }

    /// The term with each group's weight times its own factor, where it is a distance of the parameters.
    pub fn by_group(self, factors: &Strength) -> Self {
        match self {
            Self::Proximal(proximal, states) => Self::ByGroup(proximal, factors.clone(), states),
            other => other,
        }
    }

    /// The states that it pulls toward; none of a term that pulls toward none.
    pub fn states(&self) -> &[State] {
        match self {
            Self::Proximal(_, states) | Self::ByGroup(.., states) | Self::Released(.., states) => states,
            Self::Fisher(_) | Self::Orthogonal(_) | Self::Teacher(_) => &[],
        }
    }

    /// The term pulling toward one state alone, which has token rows where the states that it pulled toward had some.
    pub fn toward(mut self, state: &State) -> Self {
        if let Self::Proximal(_, states) | Self::ByGroup(.., states) | Self::Released(.., states) = &mut self {
            let with_rows = states.iter().any(|state| !state.rows.is_empty());
            let rows = if with_rows { state.rows.clone() } else { Matrices::new() };
            *states = vec![State { adapter: state.adapter.clone(), rows }];
        }
        self
    }

    /// The term as the released code has it: averaged over modules, and the softmax-KL in bfloat16.
    pub fn as_released(self) -> Self {
        match self {
            Self::Proximal(proximal, states) => {
                let proximal = Proximal { aggregation: Aggregation::Mean, ..proximal };
                match proximal.distance {
                    Distance::SoftmaxKl { temperature } => Self::Released(proximal, temperature, states),
                    _ => Self::Proximal(proximal, states),
                }
            }
            other => other,
        }
    }
}

/// Parameters on a device, by name.
pub type Parameters<B> = BTreeMap<String, Tensor<B, 2>>;

/// Value and gradient of a weighted term.
#[derive(Debug, Clone)]
pub struct Pull<B: Backend> {
    pub penalty: f64,
    /// Gradient of `penalty` by parameter name.
    pub gradients: Parameters<B>,
}

impl<B: Backend> Default for Pull<B> {
    fn default() -> Self {
        Self { penalty: 0.0, gradients: Parameters::new() }
    }
}

impl<B: Backend> Pull<B> {
    /// The sum of both.
    fn add(&mut self, other: Self) {
        self.penalty += other.penalty;
        for (name, gradient) in other.gradients {
            add_gradient(&mut self.gradients, name, gradient);
        }
    }
}

/// Adds to what there is under a name.
pub fn add_gradient<B: Backend>(gradients: &mut Parameters<B>, name: String, gradient: Tensor<B, 2>) {
    let sum = match gradients.remove(&name) {
        Some(before) => before + gradient,
        None => gradient,
    };
    gradients.insert(name, sum);
}

/// A stage's terms on a device.
pub struct Guides<B: Backend> {
    pulls: Vec<OnDevice<B>>,
    /// The model as it was before the stage, where a term asks for its predictions.
    pub teacher: Option<(Teacher, Llama<B>)>,
    /// Whether the terms of the parameters act; else a step only measures them.
    pub acts: bool,
}

enum OnDevice<B: Backend> {
    Proximal(Proximal, Vec<Parameters<B>>),
    ByGroup(Proximal, Strength, Vec<Parameters<B>>),
    Released(Proximal, f64, Vec<Parameters<B>>),
    Fisher(f64, Vec<fisher::Anchor<B>>),
    Orthogonal(f64, Vec<Parameters<B>>),
}

impl<B: Backend> Default for Guides<B> {
    fn default() -> Self {
        Self { pulls: Vec::new(), teacher: None, acts: true }
    }
}

impl<B: Kernels> Guides<B> {
    /// Copies what terms need to a device; `before` is the model as it was before the stage.
    pub fn new(terms: &[Term], device: &B::Device, before: &Llama<B>) -> Self {
        let mut guides = Self::default();
        let all = |adapters: &[Adapter]| adapters.iter().map(|adapter| on_device(adapter, device)).collect();
        for term in terms {
            match term {
                Term::Proximal(proximal, states) => {
                    let states = states.iter().map(|state| state_on_device(state, device)).collect();
                    guides.pulls.push(OnDevice::Proximal(*proximal, states));
                }
                Term::ByGroup(proximal, weights, states) => {
                    let states = states.iter().map(|state| state_on_device(state, device)).collect();
                    guides.pulls.push(OnDevice::ByGroup(*proximal, weights.clone(), states));
                }
                Term::Released(proximal, temperature, states) => {
                    let states = states.iter().map(|state| state_on_device(state, device)).collect();
                    guides.pulls.push(OnDevice::Released(*proximal, *temperature, states));
                }
                Term::Fisher(term) => guides.pulls.push(OnDevice::Fisher(term.lambda, term.on_device(device))),
                Term::Orthogonal(term) => guides.pulls.push(OnDevice::Orthogonal(term.lambda, all(&term.past))),
                Term::Teacher(teacher) => guides.teacher = Some((*teacher, before.clone())),
            }
        }
        guides
    }

    /// Multiplies the weight of the terms of the parameters alone.
    pub fn weigh(&mut self, factor: f64) {
        for pull in &mut self.pulls {
            match pull {
                OnDevice::Proximal(Proximal { lambda, .. }, _)
                | OnDevice::ByGroup(Proximal { lambda, .. }, ..)
                | OnDevice::Released(Proximal { lambda, .. }, ..)
                | OnDevice::Fisher(lambda, _)
                | OnDevice::Orthogonal(lambda, _) => *lambda *= factor,
            }
        }
    }

    /// Value and gradient of the terms of the parameters alone; none where there is no such term.
    pub fn pull(&self, current: &Parameters<B>) -> Option<Pull<B>> {
        let mut sum: Option<Pull<B>> = None;
        for pull in &self.pulls {
            let pull = match pull {
                OnDevice::Proximal(proximal, states) => proximal.pull(current, states),
                OnDevice::ByGroup(proximal, weights, states) => proximal.pull_by_group(current, states, weights),
                OnDevice::Released(proximal, temperature, states) => {
                    released::pull(proximal, *temperature, current, states)
                }
                OnDevice::Fisher(lambda, anchors) => fisher::pull(*lambda, anchors, current),
                OnDevice::Orthogonal(lambda, past) => orthogonal::pull(*lambda, past, current),
            };
            sum.get_or_insert_default().add(pull);
        }
        sum
    }
}

/// An adapter's factors on a device, by parameter name.
pub fn on_device<B: Backend>(adapter: &Adapter, device: &B::Device) -> Parameters<B> {
    adapter.parameters().map(|(name, matrix)| (name, matrix.to_tensor(device))).collect()
}

fn state_on_device<B: Backend>(state: &State, device: &B::Device) -> Parameters<B> {
    state.parameters().map(|(name, matrix)| (name, matrix.to_tensor(device))).collect()
}

fn matrices_on_device<B: Backend>(matrices: &Matrices, device: &B::Device) -> Parameters<B> {
    matrices.iter().map(|(name, matrix)| (name.clone(), matrix.to_tensor(device))).collect()
}
