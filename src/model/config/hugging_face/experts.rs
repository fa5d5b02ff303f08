//! Which layers a `config.json` gives experts.

use serde_json::Value;

use super::Reader;
use crate::error::InputError;
use crate::model::config::{Activation, Experts, Family, MAX_EXPERTS, MAX_LAYERS};
use crate::model::kernels::Routing;

/// What Transformers takes of Qwen3-MoE where nothing is said.
const COUNT: usize = 128;
const CHOSEN: usize = 8;
const WIDTH: usize = 768;

impl Reader<'_> {
    /// The experts of Qwen3-MoE; none in other families, and none of what is no model, which is refused elsewhere.
    pub(super) fn experts(&self, layers: usize) -> Result<Option<Experts>, InputError> {
        if self.family != Family::Qwen3Moe || layers > MAX_LAYERS {
            return Ok(None);
        }
        if self.activation(&self.family.defaults())? != Activation::Silu {
            return Err(self.error("hidden_act", "experts with another activation than \"silu\" are not supported"));
        }
        let (field, count) = self.number_of_experts()?;
        if count > MAX_EXPERTS {
            return Err(self.error(field, "more experts than any model has"));
        }
        let chosen = self.size("num_experts_per_tok", CHOSEN)?;
        if chosen > count {
            let problem = format!("{chosen} experts a token, of the {count} that a layer has");
            return Err(self.error("num_experts_per_tok", &problem));
        }
        let every = self.size("decoder_sparse_step", 1)?;
        let dense = self.layers_without_experts()?;
        Ok(Some(Experts {
            count,
            routing: Routing { chosen, normalised: self.flag("norm_topk_prob")? },
            width: self.size("moe_intermediate_size", WIDTH)?,
            layers: (0..layers).map(|layer| (layer + 1) % every == 0 && !dense.contains(&(layer as u64))).collect(),
        }))
    }

    /// Newer versions of Transformers write `num_local_experts`.
    fn number_of_experts(&self) -> Result<(&'static str, usize), InputError> {
        let [own, local] = ["num_experts", "num_local_experts"];
        match (self.optional_size(own)?, self.optional_size(local)?) {
            (Some(own), Some(local)) if own != local => {
                Err(self.error("num_local_experts", &format!("{local} experts, and `num_experts` says {own}")))
            }
            (Some(count), _) => Ok((own, count)),
            (None, Some(count)) => Ok((local, count)),
            (None, None) => Ok((own, COUNT)),
        }
    }

    fn layers_without_experts(&self) -> Result<Vec<u64>, InputError> {
        match self.get("mlp_only_layers") {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(listed) => listed
                .as_array()
                .and_then(|listed| listed.iter().map(Value::as_u64).collect())
                .ok_or_else(|| self.error("mlp_only_layers", "expected a list of layers' numbers, from 0")),
        }
    }
}
