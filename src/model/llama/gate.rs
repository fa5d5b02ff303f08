//! The gate of the feed-forward part, for every activation.

use burn::tensor::{Tensor, activation};

use crate::model::config::Activation;
use crate::model::kernels::Kernels;

/// `activation(gate) * up`. SwiGLU and Gemma's have kernels of their own; the others, which are rare, are made of the backend's operations.
pub(super) fn gated<B: Kernels>(kind: Activation, gate: Tensor<B, 2>, up: Tensor<B, 2>) -> Tensor<B, 2> {
    let gate = match kind {
        Activation::Silu => return B::swiglu(gate, up),
        Activation::GeluTanh => return B::geglu(gate, up),
        Activation::Gelu => activation::gelu(gate),
        Activation::QuickGelu => gate.clone() * activation::sigmoid(gate.mul_scalar(1.702)),
        Activation::Relu => activation::relu(gate),
        Activation::SquaredRelu => {
            let positive = activation::relu(gate);
            positive.clone() * positive
        }
    };
    gate * up
}
