//! One AdamW step.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use burn::tensor::Tensor;
use rayon::prelude::*;

use super::super::{AdamWStep, Moments, simd};
use super::matrix::{take, wrap};

/// Moments that nobody else holds are changed in place.
pub fn adamw(parameter: Moments<Flex>, gradient: Tensor<Flex, 2>, step: AdamWStep) -> Moments<Flex> {
    let gradient = take(gradient);
    let (mut value, mut first, mut second) = (owned(parameter.0), owned(parameter.1), owned(parameter.2));
    let correction1 = 1.0 - step.beta1.powf(step.step as f64);
    let constants = Constants {
        rate: (step.learning_rate / correction1) as f32,
        keep: (1.0 - step.learning_rate * step.weight_decay) as f32,
        beta1: step.beta1 as f32,
        beta2: step.beta2 as f32,
        epsilon: step.epsilon as f32,
        scale: step.gradient_scale as f32,
        correction2: (1.0 - step.beta2.powf(step.step as f64)) as f32,
    };
    let piece = 16 * 1024;
    value
        .storage_mut::<f32>()
        .par_chunks_mut(piece)
        .zip(first.storage_mut::<f32>().par_chunks_mut(piece))
        .zip(second.storage_mut::<f32>().par_chunks_mut(piece))
        .zip(gradient.values().par_chunks(piece))
        .for_each(|(((value, first), second), gradient)| update(value, first, second, gradient, constants));
    (wrap(value), wrap(first), wrap(second))
}

/// What is the same for every number of a step.
#[derive(Clone, Copy)]
struct Constants {
    rate: f32,
    /// What weight decay leaves.
    keep: f32,
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    /// Factor on the gradient.
    scale: f32,
    /// Of the second moment's bias.
    correction2: f32,
}

simd::vectorised! {
    fn update(values: &mut [f32], first: &mut [f32], second: &mut [f32], gradient: &[f32], constants: Constants) {
        let Constants { rate, keep, beta1, beta2, epsilon, scale, correction2 } = constants;
        for (((value, m), v), g) in values.iter_mut().zip(first).zip(second).zip(gradient) {
            let g = g * scale;
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *value = *value * keep - rate * *m / ((*v / correction2).sqrt() + epsilon);
        }
    }
}

/// The tensor as contiguous storage; what it came from is let go, so that the storage may be its own.
fn owned(tensor: Tensor<Flex, 2>) -> FlexTensor {
    tensor.into_primitive().tensor().to_contiguous()
}
