//! Recording an operation for automatic differentiation, with its gradient written out.

use std::marker::PhantomData;

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::NoCheckpointing};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::{Autodiff, Flex};
use burn::tensor::ops::FloatTensor;
use burn::tensor::{Tensor, TensorPrimitive};

use super::matrix::Matrix;

pub(super) type Tracked = Autodiff<Flex>;
pub(super) type Node = FloatTensor<Tracked>;

/// What an operation keeps for its gradient, and the gradient.
pub(super) trait Gradient<const N: usize>: std::fmt::Debug + Clone + Send + 'static {
    /// Gradients of the inputs that are wanted, given the output's.
    fn gradients(self, grad: &Matrix, wanted: [bool; N]) -> [Option<FlexTensor>; N];
}

#[derive(Debug)]
struct Rule<S>(PhantomData<S>);

impl<S: Gradient<N>, const N: usize> Backward<Flex, N> for Rule<S> {
    type State = S;

    fn backward(self, ops: Ops<S, N>, grads: &mut Gradients, _checkpointer: &mut Checkpointer) {
        let wanted = std::array::from_fn(|i| ops.parents[i].is_some());
        let grad = Matrix::of(&grads.consume::<Flex>(&ops.node));
        for (parent, gradient) in ops.parents.into_iter().zip(ops.state.gradients(&grad, wanted)) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

pub(super) fn record<S: Gradient<N>, const N: usize>(
    inputs: [&Node; N],
    output: FlexTensor,
    state: S,
) -> Tensor<Tracked, 2> {
    let prepared = Rule::<S>(PhantomData).prepare::<NoCheckpointing>(inputs.map(|n| n.node.clone()));
    let output = match prepared.compute_bound().stateful() {
        OpsKind::Tracked(prepared) => prepared.finish(state, output),
        OpsKind::UnTracked(prepared) => prepared.finish(output),
    };
    Tensor::from_primitive(TensorPrimitive::Float(output))
}

/// The tracked node and its values.
pub(super) fn input(tensor: Tensor<Tracked, 2>) -> (Node, Matrix) {
    let node = node(tensor);
    let values = Matrix::of(&node.primitive);
    (node, values)
}

/// The tracked node alone, its values as they are stored.
pub(super) fn node(tensor: Tensor<Tracked, 2>) -> Node {
    tensor.into_primitive().tensor()
}
