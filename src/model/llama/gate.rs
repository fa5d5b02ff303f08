//! The gate of the feed-forward part, for every activation.

use std::f64::consts::PI;

use burn::tensor::{Tensor, activation};

use crate::model::config::Activation;
use crate::model::kernels::Kernels;

/// `activation(gate) * up`. SwiGLU has a kernel of its own; the others, which are rare, are made of the backend's operations.
pub(super) fn gated<B: Kernels>(kind: Activation, gate: Tensor<B, 2>, up: Tensor<B, 2>) -> Tensor<B, 2> {
    let gate = match kind {
        Activation::Silu => return B::swiglu(gate, up),
        Activation::Gelu => activation::gelu(gate),
        // Cubed by products: a power of a negative number is none in some shaders.
        Activation::GeluTanh => {
            let cubed = gate.clone() * gate.clone() * gate.clone();
            let inner = (gate.clone() + cubed.mul_scalar(0.044_715)).mul_scalar((2.0 / PI).sqrt());
            gate * inner.tanh().add_scalar(1.0).mul_scalar(0.5)
        }
        Activation::QuickGelu => gate.clone() * activation::sigmoid(gate.mul_scalar(1.702)),
        Activation::Relu => activation::relu(gate),
        Activation::SquaredRelu => {
            let positive = activation::relu(gate);
            positive.clone() * positive
        }
    };
    gate * up
}
