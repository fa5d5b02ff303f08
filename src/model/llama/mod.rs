//! The decoder of the Llama family on packed tokens, with LoRA on its seven projections,
//! or on the four of attention where the feed-forward part is a mixture of experts.
//!
//! `parts` are its weights and `visit` their names; `forward` is the forward pass, `layer` one layer of it, `pass` what is the
//! same for all layers. `recompute` is the backward pass in less memory.

mod dropout;
mod forward;
mod gate;
mod inputs;
mod layer;
mod parts;
mod pass;
mod recompute;
mod rows;
mod visit;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::config::{LlamaConfig, PROJECTIONS};
use super::ranks::Ranks;

pub use self::dropout::StepDropout;
pub use self::inputs::{InputMoment, input_site};
pub use self::layer::KeyValue;
pub use self::parts::{FeedForward, HeadNorms, Layer, Linear, LoraPair, OutputNorms, Rows};
pub use self::rows::ROWS_AT_ONCE;
pub use self::visit::{Kind, Visit};

/// A decoder with its weights on a device.
#[derive(Debug, Clone)]
pub struct Llama<B: Backend> {
    pub config: LlamaConfig,
    /// Factor `alpha / rank` on the adapters' update.
    pub lora_scale: f64,
    /// `[1, 1 + past adapters]`: learned factors on the update of the current adapter, then of each past one, whose ranks
    /// are equal in each module. None where all are 1.
    pub magnitudes: Option<Tensor<B, 2>>,
    pub embedding: Rows<B>,
    pub layers: Vec<Layer<B>>,
    /// `[1, width]`
    pub norm: Tensor<B, 2>,
    /// None where the head is the embedding.
    pub head: Option<Rows<B>>,
}

impl<B: Backend> Llama<B> {
    /// The same decoder with every tensor mapped, e.g. to a backend with automatic differentiation or from it.
    pub fn map<C: Backend>(self, f: &impl Fn(Tensor<B, 2>) -> Tensor<C, 2>) -> Llama<C> {
        Llama {
            config: self.config,
            lora_scale: self.lora_scale,
            magnitudes: self.magnitudes.map(f),
            embedding: self.embedding.map(f),
            layers: self.layers.into_iter().map(|l| l.map(f)).collect(),
            norm: f(self.norm),
            head: self.head.map(|h| h.map(f)),
        }
    }

    /// What a norm of this decoder multiplies by, from its weights: Gemma's by 1 more than these.
    pub fn norm_factors(&self, weights: &Tensor<B, 2>) -> Tensor<B, 2> {
        pass::Norms::of(&self.config).factors(weights)
    }

    /// The model with as many first directions of each module's adapter as `ranks` say, and no adapter where they say none. It
    /// shares every other tensor.
    #[must_use]
    pub fn cut(mut self, ranks: &Ranks) -> Self {
        for (i, layer) in self.layers.iter_mut().enumerate() {
            for (linear, projection) in layer.projections_mut().into_iter().zip(PROJECTIONS) {
                let rank = ranks.get(&format!("model.layers.{i}.{projection}")).copied().unwrap_or(0);
                let kept = linear.lora.take().filter(|_| rank > 0);
                linear.lora = kept.map(|pair| if pair.a.dims()[0] > rank { pair.first_ranks(rank) } else { pair });
            }
        }
        self
    }

    /// The device that holds the weights.
    pub fn device(&self) -> B::Device {
        self.norm.device()
    }
}
