//! The weights of a decoder, part by part.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use crate::model::kernels::Mixture;

/// Rows of the embedding or the head: those the base model came with, and those added for new tokens.
#[derive(Debug, Clone)]
pub struct Rows<B: Backend> {
    /// `[base vocabulary, width]`; of half precision where the project stores it so and does not train it.
    pub base: Option<Tensor<B, 2>>,
    /// `[new tokens, width]`; their token numbers follow the base vocabulary's.
    pub added: Option<Tensor<B, 2>>,
}

/// One decoder layer.
#[derive(Debug, Clone)]
pub struct Layer<B: Backend> {
    /// `[1, width]`
    pub input_norm: Tensor<B, 2>,
    pub q: Linear<B>,
    pub k: Linear<B>,
    pub v: Linear<B>,
    pub o: Linear<B>,
    /// Where queries and keys are normalised, head by head.
    pub head_norms: Option<HeadNorms<B>>,
    /// Of what the feed-forward part reads, `[1, width]`.
    pub post_norm: Tensor<B, 2>,
    /// Where what attention and feed-forward give is normalised before it is added.
    pub output_norms: Option<OutputNorms<B>>,
    /// Whether its attention sees the last tokens alone; see [`Sliding`](crate::model::config::Sliding).
    pub slides: bool,
    pub ffn: FeedForward<B>,
}

/// What a layer has after its attention.
#[derive(Debug, Clone)]
pub enum FeedForward<B: Backend> {
    /// One part for all tokens.
    Dense { gate: Linear<B>, up: Linear<B>, down: Linear<B> },
    /// Experts, without adapters.
    Mixture(Mixture<B>),
}

/// The norms of a layer's queries and keys, each `[1, head width]`.
#[derive(Debug, Clone)]
pub struct HeadNorms<B: Backend> {
    pub q: Tensor<B, 2>,
    pub k: Tensor<B, 2>,
}

/// The norms of what a layer's attention and feed-forward part give, each `[1, width]`.
#[derive(Debug, Clone)]
pub struct OutputNorms<B: Backend> {
    pub attention: Tensor<B, 2>,
    pub ffn: Tensor<B, 2>,
}

/// A projection, what a LoRA adapter adds to it, and what past adapters add that are no longer trained.
#[derive(Debug, Clone)]
pub struct Linear<B: Backend> {
    /// `[out, in]`; of half precision where the project stores it so.
    pub weight: Tensor<B, 2>,
    /// `[1, out]`
    pub bias: Option<Tensor<B, 2>>,
    pub lora: Option<LoraPair<B>>,
    pub past: Option<LoraPair<B>>,
}

/// The two factors of a low-rank update.
#[derive(Debug, Clone)]
pub struct LoraPair<B: Backend> {
    /// `[rank, in]`
    pub a: Tensor<B, 2>,
    /// `[out, rank]`
    pub b: Tensor<B, 2>,
}

impl<B: Backend> Rows<B> {
    pub(super) fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Rows<C> {
        Rows { base: self.base.map(f), added: self.added.map(f) }
    }
}

impl<B: Backend> LoraPair<B> {
    /// The first `rank` directions, of at least so many.
    pub(super) fn first_ranks(self, rank: usize) -> Self {
        let [rows, _] = self.b.dims();
        let input = self.a.dims()[1];
        Self { a: self.a.slice([0..rank, 0..input]), b: self.b.slice([0..rows, 0..rank]) }
    }

    pub(super) fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> LoraPair<C> {
        LoraPair { a: f(self.a), b: f(self.b) }
    }
}

impl<B: Backend> Linear<B> {
    pub(super) fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Linear<C> {
        Linear {
            weight: f(self.weight),
            bias: self.bias.map(f),
            lora: self.lora.map(|l| l.map(f)),
            past: self.past.map(|l| l.map(f)),
        }
    }
}

impl<B: Backend> FeedForward<B> {
    fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> FeedForward<C> {
        match self {
            Self::Dense { gate, up, down } => {
                FeedForward::Dense { gate: gate.map(f), up: up.map(f), down: down.map(f) }
            }
            Self::Mixture(mixture) => FeedForward::Mixture(mixture.map(f)),
        }
    }
}

impl<B: Backend> Layer<B> {
    pub(super) fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Layer<C> {
        Layer {
            input_norm: f(self.input_norm),
            q: self.q.map(f),
            k: self.k.map(f),
            v: self.v.map(f),
            o: self.o.map(f),
            head_norms: self.head_norms.map(|norms| HeadNorms { q: f(norms.q), k: f(norms.k) }),
            post_norm: f(self.post_norm),
            output_norms: self
                .output_norms
                .map(|norms| OutputNorms { attention: f(norms.attention), ffn: f(norms.ffn) }),
            slides: self.slides,
            ffn: self.ffn.map(f),
        }
    }

    /// The projections in the order of [`PROJECTIONS`](crate::model::config::PROJECTIONS): all seven, or the four of attention
    /// where the layer has experts.
    pub fn projections_mut(&mut self) -> Vec<&mut Linear<B>> {
        let mut projections = vec![&mut self.q, &mut self.k, &mut self.v, &mut self.o];
        if let FeedForward::Dense { gate, up, down } = &mut self.ffn {
            projections.extend([gate, up, down]);
        }
        projections
    }

    /// See [`Self::projections_mut`].
    pub fn projections(&self) -> Vec<&Linear<B>> {
        let mut projections = vec![&self.q, &self.k, &self.v, &self.o];
        if let FeedForward::Dense { gate, up, down } = &self.ffn {
            projections.extend([gate, up, down]);
        }
        projections
    }
}
