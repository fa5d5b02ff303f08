//! Dropout of a training step: a seed for each place that drops.

use burn::tensor::Tensor;

use crate::model::kernels::{Dropout, Kernels};

/// Dropout of one training step: its probabilities and the step's seed.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StepDropout {
    /// On the adapters' inputs.
    pub adapters: f64,
    /// On the embedded tokens and on what attention and feed-forward add to them.
    pub residual: f64,
    pub seed: u64,
}

/// Seeds for each dropout of a forward pass in turn.
pub(super) struct Dropouts(pub(super) StepDropout);

impl Dropouts {
    /// The dropout of the next adapter's input.
    pub(super) fn adapter(&mut self) -> Option<Dropout> {
        self.next(self.0.adapters)
    }

    /// What the residual stream is given, some of it dropped.
    pub(super) fn residual<B: Kernels>(&mut self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        match self.next(self.0.residual) {
            None => x,
            Some(dropout) => B::drop_out(x, dropout),
        }
    }

    fn next(&mut self, probability: f64) -> Option<Dropout> {
        // SplitMix64's step: neighbouring places and steps get unrelated masks.
        self.0.seed = self.0.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut seed = self.0.seed;
        seed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        seed = (seed ^ (seed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (probability > 0.0).then_some(Dropout { probability, seed: seed ^ (seed >> 31) })
    }
}
