//! The forward pass: logits of packed tokens.

use burn::tensor::Tensor;

use super::pass::{Chosen, Norms, Pass};
use super::{KeyValue, Llama, StepDropout};
use crate::model::kernels::Kernels;
use crate::model::packing::{AttentionPlan, Packed};

impl<B: Kernels> Llama<B> {
    /// Logits `[scored, vocabulary]` of the scored tokens of a packed batch.
    pub fn logits(&self, packed: &Packed<B>, dropout: Option<StepDropout>) -> Tensor<B, 2> {
        self.scored_logits(packed, dropout, &mut |_| {})
    }

    /// As [`Self::logits`], with the keys and values of every token of every layer.
    pub fn prefill(&self, packed: &Packed<B>, dropout: Option<StepDropout>) -> (Tensor<B, 2>, Vec<KeyValue<B>>) {
        let mut cache = Vec::with_capacity(self.layers.len());
        let logits = self.scored_logits(packed, dropout, &mut |own| cache.push(own));
        (logits, cache)
    }

    /// The last hidden state of every token of a packed batch, after the final norm: `[tokens, width]`.
    pub fn hidden(&self, packed: &Packed<B>) -> Tensor<B, 2> {
        let x = self.embed(&packed.tokens);
        let mut pass = self.pass(&packed.positions, &packed.plan, None);
        let x = self.decode(x, None, None, &mut pass, &mut |_| {});
        pass.norms.apply(x, &self.norm)
    }

    fn scored_logits(
        &self,
        packed: &Packed<B>,
        dropout: Option<StepDropout>,
        keep: &mut dyn FnMut(KeyValue<B>),
    ) -> Tensor<B, 2> {
        let x = self.embed(&packed.tokens);
        let scored = Chosen::scored(&self.config, packed, &self.device());
        let mut pass = self.pass(&packed.positions, &packed.plan, dropout);
        let x = self.decode(x, Some(&scored), None, &mut pass, keep);
        self.head_logits(x)
    }

    /// Logits of every given token, each of which sees what `plan` says of the cached keys and this call's own
    /// (which come after them), and this call's keys and values.
    pub fn step(
        &self,
        tokens: &[u32],
        positions: &[u32],
        plan: &AttentionPlan<B>,
        cached: &[KeyValue<B>],
    ) -> (Tensor<B, 2>, Vec<KeyValue<B>>) {
        let x = self.embed(tokens);
        let mut own = Vec::with_capacity(self.layers.len());
        let mut pass = self.pass(positions, plan, None);
        let x = self.decode(x, None, Some(cached), &mut pass, &mut |layer| own.push(layer));
        (self.head_logits(x), own)
    }

    /// What the first layer reads of tokens, `[tokens, width]`.
    pub(super) fn embed(&self, tokens: &[u32]) -> Tensor<B, 2> {
        let x = self.embedding.embed(tokens, &self.device());
        match self.config.gemma {
            None => x,
            Some(_) => x.mul_scalar((self.config.width as f64).sqrt()),
        }
    }

    /// All layers; `keep` is given each one's own keys and values, which take memory as long as they are kept.
    pub(super) fn decode(
        &self,
        mut x: Tensor<B, 2>,
        last: Option<&Chosen<'_, B>>,
        cached: Option<&[KeyValue<B>]>,
        pass: &mut Pass<'_, B>,
        keep: &mut dyn FnMut(KeyValue<B>),
    ) -> Tensor<B, 2> {
        x = pass.dropouts.residual(x);
        for (i, layer) in self.layers.iter().enumerate() {
            let chosen = if i + 1 == self.layers.len() { last } else { None };
            let (y, key_value) = layer.forward(x, chosen, cached.map(|c| &c[i]), pass);
            x = y;
            keep(key_value);
        }
        x
    }

    pub(super) fn head_logits(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let x = Norms::of(&self.config).apply(x, &self.norm);
        let logits = self.head.as_ref().unwrap_or(&self.embedding).logits(x);
        match self.config.gemma.and_then(|gemma| gemma.logit_cap) {
            None => logits,
            Some(cap) => B::soft_cap(logits, cap),
        }
    }
}
