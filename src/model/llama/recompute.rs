//! Gradients in less memory: of the forward pass only what each layer reads is kept, and the backward pass computes one layer
//! after the other again (activation checkpointing). The gradients are the same; a step takes about a third longer.

use burn::tensor::Tensor;

use super::dropout::Dropouts;
use super::pass::Chosen;
use super::{Llama, Rows, StepDropout};
use crate::model::backend::TrainingBackend;
use crate::model::packing::Packed;

/// What a layer read in the forward pass, and the dropouts that came next: all that it takes to compute it again.
struct Kept<B: TrainingBackend> {
    x: Tensor<B::InnerBackend, 2>,
    dropouts: StepDropout,
}

impl<B: TrainingBackend> Llama<B> {
    /// The backward pass of a loss of the scored tokens' logits, layer by layer.
    ///
    /// `loss` gives the loss `[1]` and whatever else its caller wants of the logits, which is returned. `collect` is called
    /// after each part with the gradients that it brought; a parameter that several parts read has its gradient in
    /// several of them.
    pub fn backward_by_layer<L>(
        &self,
        packed: &Packed<B>,
        dropout: Option<StepDropout>,
        loss: impl FnOnce(Tensor<B, 2>) -> (Tensor<B, 1>, L),
        collect: &mut dyn FnMut(&mut B::Gradients),
    ) -> L {
        let (kept, last) = self.forward_kept(packed, dropout);
        let read = Tensor::from_inner(last).require_grad();
        let (loss, wanted) = loss(self.head_logits(read.clone()));
        let mut towards = slope(&loss, &read, collect);
        let scored = Chosen::scored(&self.config, packed, &self.device());
        let mut pass = self.pass(&packed.positions, &packed.plan, dropout);
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let Some(Kept { x, dropouts }) = kept.get(i) else { break };
            let read = Tensor::from_inner(x.clone()).require_grad();
            pass.dropouts = Dropouts(*dropouts);
            // A part of the graph is used up by its backward pass.
            pass.factors = self.factors();
            let chosen = (i + 1 == self.layers.len()).then_some(&scored);
            let (y, _) = layer.forward(read.clone(), chosen, None, &mut pass);
            towards = slope(&along(y, towards), &read, collect);
        }
        if self.embedding.is_trained() {
            let x = self.embed(&packed.tokens);
            let x = Dropouts(dropout.unwrap_or_default()).residual(x);
            let mut gradients = along(x, towards).backward();
            collect(&mut gradients);
        }
        wanted
    }

    /// What each layer reads, and what the last one gives of the scored tokens.
    fn forward_kept(
        &self,
        packed: &Packed<B>,
        dropout: Option<StepDropout>,
    ) -> (Vec<Kept<B>>, Tensor<B::InnerBackend, 2>) {
        let model: Llama<B::InnerBackend> = self.clone().map(&|t: Tensor<B, 2>| t.inner());
        let packed = packed.on::<B::InnerBackend>();
        let scored = Chosen::scored(&model.config, &packed, &model.device());
        let mut pass = model.pass(&packed.positions, &packed.plan, dropout);
        let mut x = model.embed(&packed.tokens);
        x = pass.dropouts.residual(x);
        let mut kept = Vec::with_capacity(model.layers.len());
        for (i, layer) in model.layers.iter().enumerate() {
            kept.push(Kept { x: x.clone(), dropouts: pass.dropouts.0 });
            let chosen = (i + 1 == model.layers.len()).then_some(&scored);
            x = layer.forward(x, chosen, None, &mut pass).0;
        }
        (kept, x)
    }
}

impl<B: TrainingBackend> Rows<B> {
    fn is_trained(&self) -> bool {
        [&self.base, &self.added].into_iter().flatten().any(Tensor::is_require_grad)
    }
}

/// A scalar whose gradient by `y` is `slope`.
fn along<B: TrainingBackend>(y: Tensor<B, 2>, slope: Tensor<B::InnerBackend, 2>) -> Tensor<B, 1> {
    (y * Tensor::from_inner(slope)).sum()
}

/// The gradient of a scalar by what a part read; those of the parameters are collected.
fn slope<B: TrainingBackend>(
    scalar: &Tensor<B, 1>,
    read: &Tensor<B, 2>,
    collect: &mut dyn FnMut(&mut B::Gradients),
) -> Tensor<B::InnerBackend, 2> {
    let mut gradients = scalar.backward();
    collect(&mut gradients);
    let device = read.device();
    let shape = read.dims();
    read.grad_remove(&mut gradients).unwrap_or_else(|| Tensor::zeros(shape, &device))
}
