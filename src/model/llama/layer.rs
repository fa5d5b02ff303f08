//! One decoder layer, and a projection with what its adapters add.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::gate::gated;
use super::pass::{Chosen, Norms, Pass};
use super::{FeedForward, Layer, Linear};
use crate::model::kernels::Kernels;

/// Keys and values of one layer, rotated, `[tokens, kv heads * head width]`.
#[derive(Debug, Clone)]
pub struct KeyValue<B: Backend> {
    pub key: Tensor<B, 2>,
    pub value: Tensor<B, 2>,
}

impl<B: Kernels> Linear<B> {
    fn forward(&self, x: Tensor<B, 2>, pass: &mut Pass<'_, B>) -> Tensor<B, 2> {
        let scale = pass.scale;
        let times = |b: &Tensor<B, 2>, factors: Option<&Tensor<B, 2>>| match factors {
            None => b.clone(),
            Some(factors) => b.clone() * factors.clone(),
        };
        let factors = pass.factors.as_ref();
        let current = factors.map(|factors| &factors.current);
        let past = self.past.as_ref().map(|p| {
            let b = times(&p.b, factors.and_then(|factors| factors.of_past(p.a.dims()[0])));
            B::project(B::project(x.clone(), p.a.clone()), b).mul_scalar(scale)
        });
        let y = match &self.lora {
            None => B::project(x, self.weight.clone()),
            Some(l) => {
                let b = times(&l.b, current);
                B::lora_linear(x, self.weight.clone(), l.a.clone(), b, scale, pass.dropouts.adapter())
            }
        };
        let y = match &self.bias {
            None => y,
            Some(bias) => y + bias.clone(),
        };
        match past {
            None => y,
            Some(past) => y + past,
        }
    }
}

/// Normalises each head of queries or keys `[tokens, heads * width]`.
fn normalise_heads<B: Kernels>(x: Tensor<B, 2>, norm: &Tensor<B, 2>, norms: Norms) -> Tensor<B, 2> {
    let [tokens, all] = x.dims();
    let width = norm.dims()[1];
    norms.apply(x.reshape([tokens * all / width, width]), norm).reshape([tokens, all])
}

impl<B: Kernels> FeedForward<B> {
    fn forward(&self, h: Tensor<B, 2>, pass: &mut Pass<'_, B>) -> Tensor<B, 2> {
        match self {
            Self::Dense { gate, up, down } => {
                pass.tap(&h);
                let gate = gate.forward(h.clone(), pass);
                let up = up.forward(h, pass);
                let inner = gated(pass.activation, gate, up);
                pass.tap(&inner);
                down.forward(inner, pass)
            }
            Self::Mixture(mixture) => B::mixture(h, mixture),
        }
    }
}

impl<B: Kernels> Layer<B> {
    /// Hidden states of the tokens that ask, after the layer.
    ///
    /// `x` are all tokens; where some are `chosen` (the last layer computes scored tokens only), only they are asked for. `cached` comes before this call's own keys.
    pub(super) fn forward(
        &self,
        x: Tensor<B, 2>,
        chosen: Option<&Chosen<'_, B>>,
        cached: Option<&KeyValue<B>>,
        pass: &mut Pass<'_, B>,
    ) -> (Tensor<B, 2>, KeyValue<B>) {
        let norms = pass.norms;
        let h = norms.apply(x.clone(), &self.input_norm);
        pass.tap(&h);
        let (x, asking) = match chosen {
            None => (x, h.clone()),
            Some(Chosen { index, .. }) => (x.select(0, index.clone()), h.clone().select(0, index.clone())),
        };
        let q = self.q.forward(asking, pass);
        let k = self.k.forward(h.clone(), pass);
        let v = self.v.forward(h, pass);
        let (q, k) = match &self.head_norms {
            None => (q, k),
            Some(own) => (normalise_heads(q, &own.q, norms), normalise_heads(k, &own.k, norms)),
        };
        let sight = pass.sight(self.slides);
        let asked = chosen.map_or(sight, |chosen| &chosen.sight);
        let q = B::rotate(q, asked.rotations.cos.clone(), asked.rotations.sin.clone());
        let own = KeyValue { key: B::rotate(k, sight.rotations.cos.clone(), sight.rotations.sin.clone()), value: v };
        let (key, value) = match cached {
            None => (own.key.clone(), own.value.clone()),
            Some(c) => (
                Tensor::cat(vec![c.key.clone(), own.key.clone()], 0),
                Tensor::cat(vec![c.value.clone(), own.value.clone()], 0),
            ),
        };
        let mixed = B::attend(q, key, value, pass.heads, &asked.plan);
        pass.tap(&mixed);
        let mixed = self.o.forward(mixed, pass);
        let mixed = match &self.output_norms {
            None => mixed,
            Some(own) => norms.apply(mixed, &own.attention),
        };
        let x = x + pass.dropouts.residual(mixed);
        let h = norms.apply(x.clone(), &self.post_norm);
        let fed = self.ffn.forward(h, pass);
        let fed = match &self.output_norms {
            None => fed,
            Some(own) => norms.apply(fed, &own.ffn),
        };
        (x + pass.dropouts.residual(fed), own)
    }
}
