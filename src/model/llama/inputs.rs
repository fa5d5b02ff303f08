//! What the projections of a decoder read.

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::Llama;
use super::pass::InputTap;
use crate::model::kernels::Kernels;
use crate::model::packing::Packed;

/// The projection that stands for all that read the same input as a module: `…q_proj` for `…v_proj`.
pub fn input_site(module: &str) -> String {
    for (reader, first) in [("k_proj", "q_proj"), ("v_proj", "q_proj"), ("up_proj", "gate_proj")] {
        if let Some(stem) = module.strip_suffix(reader) {
            return format!("{stem}{first}");
        }
    }
    module.to_owned()
}

/// The first of the projections that read each of a layer's four inputs; where it has experts, the first two are all.
const INPUT_SITES: [&str; 4] = ["self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj"];

/// The sum over tokens of `x xᵀ`, `[in, in]`, of what a projection reads.
#[derive(Debug, Clone)]
pub struct InputMoment<B: Backend> {
    pub sum: Tensor<B, 2>,
    pub tokens: usize,
}

impl<B: Kernels> Llama<B> {
    /// Second moments of what the projections read of a packed batch, by [`input_site`].
    pub fn input_moments(&self, packed: &Packed<B>) -> Vec<(String, InputMoment<B>)> {
        let moments = self.take_inputs(packed, &|x| x.clone().transpose().matmul(x.clone()));
        moments.map(|(site, sum)| (site, InputMoment { sum, tokens: packed.tokens.len() })).collect()
    }

    /// What a module reads at given positions of a packed batch, `[positions, in]`; none where there is no such module.
    pub fn inputs_at(&self, packed: &Packed<B>, module: &str, positions: &[usize]) -> Option<Tensor<B, 2>> {
        let positions: Vec<i32> = positions.iter().map(|&position| position as i32).collect();
        let index = Tensor::<B, 1, Int>::from_data(TensorData::from(positions.as_slice()), &self.device());
        let site = input_site(module);
        self.take_inputs(packed, &|x| x.clone().select(0, index.clone()))
            .find(|(name, _)| *name == site)
            .map(|(_, x)| x)
    }

    /// What `take` makes of each input of a packed batch, by [`input_site`].
    fn take_inputs(
        &self,
        packed: &Packed<B>,
        take: &dyn Fn(&Tensor<B, 2>) -> Tensor<B, 2>,
    ) -> impl Iterator<Item = (String, Tensor<B, 2>)> + use<B> {
        let x = self.embed(&packed.tokens);
        let mut pass = self.pass(&packed.positions, &packed.plan, None);
        pass.inputs = Some(InputTap { take, taken: Vec::new() });
        self.decode(x, None, None, &mut pass, &mut |_| {});
        let has = |layer: usize, site: &&str| self.config.projections(layer).contains(site);
        let of_layer = |layer: usize| INPUT_SITES.into_iter().filter(move |site| has(layer, site));
        let named = |layer: usize| of_layer(layer).map(move |site| format!("model.layers.{layer}.{site}"));
        let sites: Vec<String> = (0..self.layers.len()).flat_map(named).collect();
        sites.into_iter().zip(pass.inputs.map(|tap| tap.taken).unwrap_or_default())
    }
}
