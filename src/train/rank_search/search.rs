//! Which configurations are measured: greedy or evolutionary, each once, until so many are.

use std::collections::BTreeMap;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::pareto::ranked;
use crate::error::RunError;
use crate::model::ranks::{Configuration, RankSpace};

/// Configurations of a generation.
const POPULATION: usize = 24;

/// Generations in a row that bring nothing new before an evolution gives up.
const STALE: usize = 10;

/// Parts of the modules of which a greedy step takes one at a time.
const GREEDY_PARTS: usize = 8;

/// What is known of a space: its configurations with their loss, in the order in which they were measured.
pub struct Search<'a> {
    space: &'a RankSpace,
    limit: usize,
    evaluate: &'a mut dyn FnMut(&[usize]) -> Result<f64, RunError>,
    losses: BTreeMap<Configuration, f64>,
    order: Vec<Configuration>,
}

impl<'a> Search<'a> {
    /// A search that measures at most so many configurations.
    pub fn new(
        space: &'a RankSpace,
        limit: usize,
        evaluate: &'a mut dyn FnMut(&[usize]) -> Result<f64, RunError>,
    ) -> Self {
        Self { space, limit, evaluate, losses: BTreeMap::new(), order: Vec::new() }
    }

    /// The loss of a configuration, measured unless it is known; none where no more may be measured.
    ///
    /// # Errors
    /// Those of measuring.
    pub fn loss(&mut self, configuration: &[usize]) -> Result<Option<f64>, RunError> {
        if let Some(known) = self.losses.get(configuration) {
            return Ok(Some(*known));
        }
        if self.order.len() >= self.limit {
            return Ok(None);
        }
        let loss = (self.evaluate)(configuration)?;
        self.losses.insert(configuration.to_vec(), loss);
        self.order.push(configuration.to_vec());
        Ok(Some(loss))
    }

    /// What was measured, in that order.
    pub fn measured(self) -> Vec<(Configuration, f64)> {
        let losses = self.losses;
        let with_loss = |configuration: Configuration| {
            let loss = losses.get(&configuration).copied().unwrap_or(f64::NAN);
            (configuration, loss)
        };
        self.order.into_iter().map(with_loss).collect()
    }

    fn costs(&self, configuration: &[usize]) -> [f64; 2] {
        let loss = self.losses.get(configuration).copied().unwrap_or(f64::INFINITY);
        [self.space.parameters(configuration) as f64, loss]
    }

    /// From the whole adapter down: of every module the next smaller rank is measured, and an eighth of the modules takes it, those
    /// whose loss rises least for the parameters that go.
    ///
    /// # Errors
    /// Those of measuring.
    pub fn greedy(&mut self) -> Result<(), RunError> {
        let mut current = self.space.uniform(self.space.top());
        let at_once = self.space.modules.len().div_ceil(GREEDY_PARTS);
        loop {
            let mut lowered = Vec::new();
            for module in (0..current.len()).filter(|&module| current[module] > 0) {
                let mut candidate = current.clone();
                candidate[module] -= 1;
                let Some(loss) = self.loss(&candidate)? else { return Ok(()) };
                let saved = self.space.parameters(&current) - self.space.parameters(&candidate);
                lowered.push((module, loss, saved));
            }
            let Some(before) = self.loss(&current)? else { return Ok(()) };
            if lowered.is_empty() {
                return Ok(());
            }
            let price = |&(_, loss, saved): &(usize, f64, u64)| (loss - before) / saved as f64;
            // Stable: of equal ones the first module's comes first.
            lowered.sort_by(|one, other| price(one).total_cmp(&price(other)));
            for (module, ..) in lowered.into_iter().take(at_once) {
                current[module] -= 1;
            }
            if self.loss(&current)?.is_none() {
                return Ok(());
            }
        }
    }

    /// From what is measured already and random configurations: the better of parents and children go on (NSGA-II).
    ///
    /// # Errors
    /// Those of measuring.
    pub fn evolution(&mut self, seed: u64) -> Result<(), RunError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (modules, top) = (self.space.modules.len(), self.space.top());
        let mut population = self.order.clone();
        while population.len() < POPULATION {
            // Each with its own share of high ranks, so that small and large adapters are among them.
            let share: f64 = random.random_range(0.0..1.0);
            let rung = |random: &mut ChaCha8Rng| {
                if random.random_bool(share) { random.random_range(0..=top) } else { 0 }
            };
            population.push((0..modules).map(|_| rung(&mut random)).collect());
        }
        let mut stale = 0;
        while stale < STALE {
            let before = self.order.len();
            for configuration in &population {
                if self.loss(configuration)?.is_none() {
                    return Ok(());
                }
            }
            stale = if self.order.len() > before { 0 } else { stale + 1 };
            population.sort();
            population.dedup();
            let costs: Vec<[f64; 2]> = population.iter().map(|one| self.costs(one)).collect();
            let parents: Vec<Configuration> =
                ranked(&costs).into_iter().take(POPULATION).map(|index| population[index].clone()).collect();
            let children = (0..POPULATION).map(|_| child(&parents, top, &mut random)).collect::<Vec<_>>();
            population = parents.into_iter().chain(children).collect();
        }
        Ok(())
    }
}

/// A child of two parents, each the better of two that were drawn: every module's rung is one of theirs, and about one module
/// goes a rung up or down. Parents are sorted from the best on.
fn child(parents: &[Configuration], top: usize, random: &mut ChaCha8Rng) -> Configuration {
    let places: Vec<usize> = (0..parents.len()).collect();
    let mut drawn = || {
        let mut one = || places.choose(random).copied().unwrap_or(0);
        one().min(one())
    };
    let (mother, father) = (&parents[drawn()], &parents[drawn()]);
    let mutation = 1.0 / mother.len().max(1) as f64;
    let rung = |(mother, father): (&usize, &usize)| {
        let rung = if random.random_bool(0.5) { *mother } else { *father };
        match random.random_bool(mutation) {
            false => rung,
            true if random.random_bool(0.5) => (rung + 1).min(top),
            true => rung.saturating_sub(1),
        }
    };
    mother.iter().zip(father).map(rung).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ranks::tests::space;
    use crate::train::rank_search::pareto::fronts;

    /// A loss whose front is known: each module's first ranks are worth what it weighs, the next half as much, and so on. All
    /// modules cost the same for a rung, so that the best configurations take gains in falling order.
    fn toy(space: &RankSpace) -> impl FnMut(&[usize]) -> Result<f64, RunError> + use<> {
        let weights: Vec<f64> = (0..space.modules.len()).map(|module| 1.0 / (1.0 + module as f64).powi(2)).collect();
        move |configuration: &[usize]| {
            let worth = |rung: usize| (0..rung).map(|step| 0.5_f64.powi(step as i32)).sum::<f64>();
            Ok(10.0 - configuration.iter().zip(&weights).map(|(&rung, weight)| weight * worth(rung)).sum::<f64>())
        }
    }

    fn alike(modules: usize) -> RankSpace {
        let mut space = space(modules, &[0, 1, 2, 3]);
        space.modules.iter_mut().for_each(|site| site.width = 5);
        space
    }

    /// The true front by trying all configurations: least loss for each number of parameters.
    fn best(space: &RankSpace) -> BTreeMap<u64, f64> {
        let (mut loss, mut best) = (toy(space), BTreeMap::new());
        for number in 0..4_usize.pow(space.modules.len() as u32) {
            let configuration: Vec<usize> =
                (0..space.modules.len()).map(|module| number / 4_usize.pow(module as u32) % 4).collect();
            let loss = loss(&configuration).unwrap();
            let least = best.entry(space.parameters(&configuration)).or_insert(f64::INFINITY);
            *least = loss.min(*least);
        }
        best
    }

    fn found(space: &RankSpace, measured: &[(Configuration, f64)]) -> BTreeMap<u64, f64> {
        let points: Vec<[f64; 2]> = measured.iter().map(|(one, loss)| [space.parameters(one) as f64, *loss]).collect();
        let front = fronts(&points);
        let kept = points.iter().zip(front).filter(|(_, front)| *front == 0);
        kept.map(|(point, _)| (point[0] as u64, point[1])).collect()
    }

    #[test]
    fn an_evolution_finds_the_front_of_a_toy_and_the_same_one_again() {
        let space = alike(5);
        let run = |seed| {
            let mut loss = toy(&space);
            let mut search = Search::new(&space, 400, &mut loss);
            search.loss(&space.uniform(0)).unwrap();
            search.loss(&space.uniform(3)).unwrap();
            search.evolution(seed).unwrap();
            search.measured()
        };
        let measured = run(1);
        assert!(measured.len() <= 400, "{}", measured.len());
        let (best, found) = (best(&space), found(&space, &measured));
        let hit = best.iter().filter(|(cost, loss)| found.get(cost).is_some_and(|own| (own - *loss).abs() < 1e-12));
        // Of the 4^5 configurations at most 400 are measured; 16 numbers of parameters have a best one.
        assert_eq!(best.len(), 16);
        assert!(hit.count() >= 15, "{found:?} of {best:?}");
        assert_eq!(run(1), measured);
        assert_ne!(run(2), measured);
    }

    #[test]
    fn a_greedy_search_walks_the_front_where_gains_add_up() {
        // With one module a step it is exact: gains fall from rung to rung.
        let space = alike(5);
        let mut loss = toy(&space);
        let mut search = Search::new(&space, 1000, &mut loss);
        search.greedy().unwrap();
        let (best, found) = (best(&space), found(&space, &search.measured()));
        for (cost, loss) in &best {
            assert!((found[cost] - loss).abs() < 1e-12, "{cost}: {} and not {loss}", found[cost]);
        }
    }

    #[test]
    fn nothing_is_measured_twice_or_beyond_the_limit() {
        let space = alike(3);
        let mut count = 0;
        let mut toy = toy(&space);
        let mut loss = |configuration: &[usize]| {
            count += 1;
            toy(configuration)
        };
        let mut search = Search::new(&space, 30, &mut loss);
        search.greedy().unwrap();
        search.evolution(5).unwrap();
        let measured = search.measured();
        assert_eq!((measured.len(), count), (30, 30));
        let once: std::collections::BTreeSet<_> = measured.iter().map(|(one, _)| one.clone()).collect();
        assert_eq!(once.len(), 30);
    }
}
