//! Feed-forward parts that are mixtures of experts.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::kernels::Routing;

/// More experts than any model has in a layer.
pub const MAX_EXPERTS: usize = 4096;

/// Layers whose feed-forward part is a mixture of experts, of which a router chooses some for each token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experts {
    /// Experts of each such layer.
    pub count: usize,
    /// How a token's are chosen.
    pub routing: Routing,
    /// Width between the two halves of an expert.
    pub width: usize,
    /// Whether each layer has experts; the others have one feed-forward part for all tokens.
    pub layers: Vec<bool>,
}

impl Experts {
    /// How many there are and which layers have them, in words.
    pub fn words(&self) -> String {
        let (layers, all) = (self.layers.iter().filter(|&&has| has).count(), self.layers.len());
        let of = if layers == all { String::new() } else { format!(" in {layers} of {all} layers") };
        format!("{} a layer{of}, {} a token, of width {}", self.count, self.routing.chosen, self.width)
    }

    /// Writes Transformers' fields.
    pub(super) fn write(&self, json: &mut Value) {
        let dense = self.layers.iter().enumerate().filter(|(_, has)| !**has).map(|(layer, _)| layer);
        json["num_experts"] = self.count.into();
        json["num_experts_per_tok"] = self.routing.chosen.into();
        json["norm_topk_prob"] = self.routing.normalised.into();
        json["moe_intermediate_size"] = self.width.into();
        json["decoder_sparse_step"] = 1.into();
        json["mlp_only_layers"] = dense.collect::<Vec<_>>().into();
    }

    /// The tensors of a layer that has them, by Hugging Face's names within the layer, with their shapes.
    pub(super) fn tensors(&self, width: usize) -> impl Iterator<Item = (String, [usize; 2])> + use<> {
        let (count, inner) = (self.count, self.width);
        let router = ("mlp.gate.weight".to_owned(), [count, width]);
        std::iter::once(router).chain((0..count).flat_map(move |expert| {
            [("gate_proj", [inner, width]), ("up_proj", [inner, width]), ("down_proj", [width, inner])]
                .map(|(part, shape)| (format!("mlp.experts.{expert}.{part}.weight"), shape))
        }))
    }
}
