//! Ranks of an adapter, module by module: which there are to choose from, what they cost, and which a step trains.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::config::LlamaConfig;
use super::options::LoraShape;
use crate::seeds;

/// The rank of each module that has an adapter, by its name (`model.layers.0.self_attn.q_proj`).
pub type Ranks = BTreeMap<String, usize>;

/// A rung of every module of a [`RankSpace`], in its order.
pub type Configuration = Vec<usize>;

/// A module that can have an adapter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    pub name: String,
    /// Parameters a rank: inputs and outputs.
    pub width: usize,
}

/// The ranks that each module can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RankSpace {
    /// From 0, no adapter, up to the whole rank.
    pub rungs: Vec<usize>,
    /// By layer, then in the order of [`PROJECTIONS`](super::config::PROJECTIONS).
    pub modules: Vec<Site>,
}

/// 0, and the rank halved as long as it is not below the smallest one; ascending.
pub fn rungs(lora: LoraShape) -> Vec<usize> {
    let halved = |rank: &usize| Some(rank / 2).filter(|half| *half >= lora.smallest_rank.max(1));
    let mut rungs: Vec<usize> = std::iter::successors(Some(lora.rank), halved).collect();
    rungs.push(0);
    rungs.reverse();
    rungs
}

impl RankSpace {
    /// The ranks of a model's modules.
    pub fn of(config: &LlamaConfig, lora: LoraShape) -> Self {
        let modules = config.modules().map(|(name, (output, input))| Site { name, width: output + input });
        Self { rungs: rungs(lora), modules: modules.collect() }
    }

    /// The ranks of a configuration, without modules that have none.
    pub fn ranks(&self, configuration: &[usize]) -> Ranks {
        let ranks = self.modules.iter().zip(configuration).map(|(site, &rung)| (site.name.clone(), self.rungs[rung]));
        ranks.filter(|(_, rank)| *rank > 0).collect()
    }

    /// Parameters of a configuration's adapter.
    pub fn parameters(&self, configuration: &[usize]) -> u64 {
        self.modules.iter().zip(configuration).map(|(site, &rung)| (site.width * self.rungs[rung]) as u64).sum()
    }

    /// Every module at the same rung.
    pub fn uniform(&self, rung: usize) -> Configuration {
        vec![rung; self.modules.len()]
    }

    /// The highest rung.
    pub fn top(&self) -> usize {
        self.rungs.len() - 1
    }

    /// Parameters of the whole adapter.
    pub fn whole(&self) -> u64 {
        self.parameters(&self.uniform(self.top()))
    }

    /// The part of the adapter that a step (from 0) trains: of each four steps one trains the whole, one the same rank in every
    /// module, and two a rank drawn for each module. It depends on seed and step alone.
    pub fn draw(&self, seed: u64, step: usize) -> Configuration {
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(seed, &["ranks", &step.to_string()]));
        match step % 4 {
            0 => self.uniform(self.top()),
            1 => self.uniform(random.random_range(1..=self.top())),
            _ => self.modules.iter().map(|_| random.random_range(0..=self.top())).collect(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// A space of so many modules of the widths 10, 20, ….
    pub(crate) fn space(modules: usize, rungs: &[usize]) -> RankSpace {
        let site = |number: usize| Site { name: format!("m{number}"), width: 10 * number };
        RankSpace { rungs: rungs.to_vec(), modules: (1..=modules).map(site).collect() }
    }

    #[test]
    fn rungs_are_none_and_the_rank_halved() {
        let of = |rank, smallest_rank| rungs(LoraShape { rank, smallest_rank, ..LoraShape::default() });
        assert_eq!(of(16, 2), [0, 2, 4, 8, 16]);
        assert_eq!(of(12, 2), [0, 3, 6, 12]);
        assert_eq!(of(8, 8), [0, 8], "only where there is an adapter");
        assert_eq!(of(1, 2), [0, 1]);
    }

    #[test]
    fn a_configuration_costs_its_ranks_times_inputs_and_outputs() {
        let space = space(3, &[0, 2, 4]);
        assert_eq!(space.parameters(&[1, 0, 2]), 10 * 2 + 30 * 4);
        assert_eq!(space.whole(), 4 * 60);
        assert_eq!(space.ranks(&[1, 0, 2]), [("m1".to_owned(), 2), ("m3".to_owned(), 4)].into());
    }

    #[test]
    fn draws_follow_from_seed_and_step_and_reach_every_rank_of_every_module() {
        let space = space(5, &[0, 2, 4, 8]);
        let drawn = |seed| (0..200).map(|step| space.draw(seed, step)).collect::<Vec<_>>();
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        for module in 0..5 {
            let seen: BTreeSet<usize> = drawn(1).iter().map(|configuration| configuration[module]).collect();
            assert_eq!(seen, (0..4).collect(), "module {module}");
        }
        assert_eq!(space.draw(7, 4), space.uniform(3), "a fourth of the steps trains the whole");
        let alike = space.draw(7, 5);
        assert!(alike[0] > 0 && alike.iter().all(|rung| *rung == alike[0]), "{alike:?}");
    }
}
