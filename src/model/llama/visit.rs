//! Every parameter of a decoder by name and kind.

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::{FeedForward, Llama, Rows};
use crate::model::config::{HEAD_NORMS, OUTPUT_NORMS, PROJECTIONS};

/// What a parameter is, for those who choose which are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Weights and norms of the base model.
    Base,
    /// Rows that the base model came with.
    BaseRows,
    /// Rows of added tokens.
    AddedRows,
    LoraA,
    LoraB,
    /// A past adapter that the forward pass adds.
    Past,
    /// Factors on the adapters.
    Magnitudes,
}

/// Called with a parameter's name, kind and tensor.
pub type Visit<'a, B> = dyn FnMut(&str, Kind, &mut Tensor<B, 2>) + 'a;

impl<B: Backend> Rows<B> {
    fn visit(&mut self, name: &str, f: &mut Visit<'_, B>) {
        if let Some(base) = &mut self.base {
            f(name, Kind::BaseRows, base);
        }
        if let Some(added) = &mut self.added {
            f(&format!("{name}.added"), Kind::AddedRows, added);
        }
    }
}

impl<B: Backend> Llama<B> {
    /// Goes through all parameters, always in the same order, under Hugging Face's names.
    pub fn visit(&mut self, f: &mut Visit<'_, B>) {
        let ffn_norm = self.config.ffn_norm();
        self.embedding.visit("model.embed_tokens.weight", f);
        for (i, layer) in self.layers.iter_mut().enumerate() {
            f(&format!("model.layers.{i}.input_layernorm.weight"), Kind::Base, &mut layer.input_norm);
            f(&format!("model.layers.{i}.{ffn_norm}.weight"), Kind::Base, &mut layer.post_norm);
            if let Some(norms) = &mut layer.output_norms {
                for (norm, name) in [&mut norms.attention, &mut norms.ffn].into_iter().zip(OUTPUT_NORMS) {
                    f(&format!("model.layers.{i}.{name}.weight"), Kind::Base, norm);
                }
            }
            if let Some(norms) = &mut layer.head_norms {
                for (norm, name) in [&mut norms.q, &mut norms.k].into_iter().zip(HEAD_NORMS) {
                    f(&format!("model.layers.{i}.{name}.weight"), Kind::Base, norm);
                }
            }
            for (linear, projection) in layer.projections_mut().into_iter().zip(PROJECTIONS) {
                let name = format!("model.layers.{i}.{projection}");
                f(&format!("{name}.weight"), Kind::Base, &mut linear.weight);
                if let Some(bias) = &mut linear.bias {
                    f(&format!("{name}.bias"), Kind::Base, bias);
                }
                if let Some(lora) = &mut linear.lora {
                    f(&format!("{name}.lora_A.weight"), Kind::LoraA, &mut lora.a);
                    f(&format!("{name}.lora_B.weight"), Kind::LoraB, &mut lora.b);
                }
                if let Some(past) = &mut linear.past {
                    f(&format!("{name}.past_A.weight"), Kind::Past, &mut past.a);
                    f(&format!("{name}.past_B.weight"), Kind::Past, &mut past.b);
                }
            }
            if let FeedForward::Mixture(mixture) = &mut layer.ffn {
                f(&format!("model.layers.{i}.mlp.gate.weight"), Kind::Base, &mut mixture.router);
                for (number, expert) in mixture.experts.iter_mut().enumerate() {
                    let name = format!("model.layers.{i}.mlp.experts.{number}");
                    f(&format!("{name}.gate_proj.weight"), Kind::Base, &mut expert.gate);
                    f(&format!("{name}.up_proj.weight"), Kind::Base, &mut expert.up);
                    f(&format!("{name}.down_proj.weight"), Kind::Base, &mut expert.down);
                }
            }
        }
        f("model.norm.weight", Kind::Base, &mut self.norm);
        if let Some(head) = &mut self.head {
            head.visit("lm_head.weight", f);
        }
        if let Some(magnitudes) = &mut self.magnitudes {
            f("magnitudes", Kind::Magnitudes, magnitudes);
        }
    }
}
