//! The operations fused for the CPU, with their gradients written out.
//!
//! Tensors are contiguous float32; products go to `gemm`, everything between them is one pass over the data. An operation
//! is one file, with its recorded form beside the plain one.

mod adamw;
mod attention;
mod divergence;
mod dropout;
mod geglu;
mod likelihood;
mod linear;
mod matrix;
mod mixture;
mod norm;
mod record;
mod rotary;
mod soft_cap;
mod swiglu;

pub use adamw::adamw;
pub use attention::attention;
pub use divergence::softmax_kl;
pub use dropout::drop_out;
pub use geglu::geglu;
pub use likelihood::{log_sum_exp, negative_log_likelihood};
pub use linear::{linear, lora_linear};
pub use mixture::mixture;
pub use norm::rms_norm;
pub use rotary::rotate;
pub use soft_cap::soft_cap;
pub use swiglu::swiglu;

/// The same operations, recorded for automatic differentiation.
pub mod tracked {
    pub use super::attention::attention_tracked as attention;
    pub use super::dropout::drop_out_tracked as drop_out;
    pub use super::geglu::geglu_tracked as geglu;
    pub use super::likelihood::negative_log_likelihood_tracked as negative_log_likelihood;
    pub use super::linear::{linear_tracked as linear, lora_linear_tracked as lora_linear};
    pub use super::mixture::mixture_tracked as mixture;
    pub use super::norm::rms_norm_tracked as rms_norm;
    pub use super::rotary::rotate_tracked as rotate;
    pub use super::soft_cap::soft_cap_tracked as soft_cap;
    pub use super::swiglu::swiglu_tracked as swiglu;
}
