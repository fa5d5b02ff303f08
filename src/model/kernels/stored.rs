//! Products with a frozen matrix that lies in half precision on the device.
//!
//! The matrix is float32 only while a product is computed, in the backward pass once more: recorded as a cast and a product,
//! the float32 copies of all layers would stay until the backward pass has ended, and nothing would be saved.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::tensor::backend::Backend;
use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, FloatDType, Tensor, TensorPrimitive};

use super::plain;

/// `x Wᵀ`, recorded for automatic differentiation; a `weight` in half precision is a constant.
pub fn project<B: Backend>(x: Tensor<Autodiff<B>, 2>, weight: Tensor<Autodiff<B>, 2>) -> Tensor<Autodiff<B>, 2> {
    if weight.dtype() == DType::F32 {
        return plain::linear(x, weight);
    }
    let weight = weight.inner();
    let output = plain::linear(x.clone().inner(), weight.clone()).into_primitive().tensor();
    let x = x.into_primitive().tensor();
    let output = match Product.prepare::<NoCheckpointing>([x.node]).compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(weight.into_primitive().tensor(), output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Tensor::from_primitive(TensorPrimitive::Float(output))
}

/// The gradient of `x Wᵀ` by `x`: that of the output times `W`.
#[derive(Debug)]
struct Product;

impl<B: Backend> Backward<B, 1> for Product {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let gradient = grads.consume::<B>(&ops.node);
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            let weight = B::float_cast(ops.state, FloatDType::F32);
            grads.register::<B>(parent.id, B::float_matmul(gradient, weight));
        }
    }
}
