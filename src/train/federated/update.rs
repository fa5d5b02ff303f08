//! What clients send and what the server makes of it: changes of parameters, their norm, clip, mean and noise.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::model::adapter::{Matrices, Matrix};

/// A change of parameters, by name. In float64, so that a mean of one is that one.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Update {
    groups: BTreeMap<String, Vec<f64>>,
}

impl Update {
    /// No change of parameters of these shapes.
    pub fn none(parameters: &Matrices) -> Self {
        let zeros = |(name, matrix): (&String, &Matrix)| (name.clone(), vec![0.0; matrix.values.len()]);
        Self { groups: parameters.iter().map(zeros).collect() }
    }

    /// What changed from one state to another of the same parameters.
    pub fn between(before: &Matrices, after: &Matrices) -> Self {
        let mut update = Self::none(before);
        for (name, group) in &mut update.groups {
            let pairs = before[name].values.iter().zip(after.get(name).map_or(&[][..], |after| &after.values));
            group.iter_mut().zip(pairs).for_each(|(d, (before, after))| *d = f64::from(*after) - f64::from(*before));
        }
        update
    }

    /// The state after the change.
    pub fn applied(&self, before: &Matrices) -> Matrices {
        let mut after = before.clone();
        for (name, matrix) in &mut after {
            let group = self.groups.get(name).map_or(&[][..], Vec::as_slice);
            matrix.values.iter_mut().zip(group).for_each(|(value, d)| *value = (f64::from(*value) + d) as f32);
        }
        after
    }

    /// Euclidean norm over all parameters together.
    pub fn norm(&self) -> f64 {
        self.groups.values().flatten().map(|d| d * d).sum::<f64>().sqrt()
    }

    /// The change times `factor`.
    pub fn times(mut self, factor: f64) -> Self {
        self.groups.values_mut().flatten().for_each(|d| *d *= factor);
        self
    }

    /// The change brought down to a norm; 0 clips nothing.
    pub fn clipped(self, most: f64) -> Self {
        let norm = self.norm();
        if most > 0.0 && norm > most { self.times(most / norm) } else { self }
    }

    /// The direction of every group alone, scaled to a root mean square of `length`; a group that did not change stays.
    pub fn directions(mut self, length: f64) -> Self {
        for group in self.groups.values_mut() {
            let mean = group.iter().map(|d| d * d).sum::<f64>() / group.len().max(1) as f64;
            let factor = if mean > 0.0 { length / mean.sqrt() } else { 0.0 };
            group.iter_mut().for_each(|d| *d *= factor);
        }
        self
    }

    /// Adds another change `weight` times.
    pub fn add(&mut self, other: &Self, weight: f64) {
        for (name, group) in &mut self.groups {
            let other = other.groups.get(name).map_or(&[][..], Vec::as_slice);
            group.iter_mut().zip(other).for_each(|(sum, d)| *sum += weight * d);
        }
    }

    /// Adds normal noise of this standard deviation to every number, from a seed.
    pub fn add_noise(&mut self, deviation: f64, seed: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut drawn = || -> f64 { StandardNormal.sample(&mut random) };
        self.groups.values_mut().flatten().for_each(|d| *d += deviation * drawn());
    }
}

/// What the server gathers in a round.
#[derive(Debug, Clone)]
pub struct Gathered {
    sum: Update,
    weight: f64,
}

/// How the server makes a mean of what it gathered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mean {
    /// Over those who took part, by their examples. Where nobody did nothing changes.
    ByExamples,
    /// With equal weights over as many as are expected to take part, and noise of this standard deviation on the sum: what is
    /// divided by must tell nothing of who took part.
    Private { expected: f64, deviation: f64, seed: u64 },
}

impl Gathered {
    /// Nothing yet, of parameters of these shapes.
    pub fn new(parameters: &Matrices) -> Self {
        Self { sum: Update::none(parameters), weight: 0.0 }
    }

    /// Adds what a client with so many examples sent.
    pub fn add(&mut self, sent: &Update, examples: usize, mean: Mean) {
        let weight = if mean == Mean::ByExamples { examples as f64 } else { 1.0 };
        self.sum.add(sent, weight);
        self.weight += weight;
    }

    /// The server's change.
    pub fn mean(mut self, mean: Mean) -> Update {
        match mean {
            Mean::ByExamples if self.weight > 0.0 => self.sum.times(1.0 / self.weight),
            Mean::ByExamples => self.sum,
            Mean::Private { expected, deviation, seed } => {
                self.sum.add_noise(deviation, seed);
                self.sum.times(1.0 / expected)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(a: &[f32], b: &[f32]) -> Matrices {
        let matrix = |values: &[f32]| Matrix { rows: 1, columns: values.len(), values: values.to_vec() };
        [("a".to_owned(), matrix(a)), ("b".to_owned(), matrix(b))].into()
    }

    #[test]
    fn the_mean_weighs_by_examples_and_one_client_alone_is_itself() {
        let server = state(&[1.0, 2.0], &[0.25]);
        let [one, other] = [state(&[2.0, 2.0], &[0.5]), state(&[1.0, 6.0], &[0.25])];
        let mean_of = |server: &Matrices, clients: &[(&Matrices, usize)]| {
            let mut gathered = Gathered::new(server);
            for (client, examples) in clients {
                gathered.add(&Update::between(server, client), *examples, Mean::ByExamples);
            }
            gathered.mean(Mean::ByExamples).applied(server)
        };
        // (3 · [2, 2] + 1 · [1, 6]) / 4, and (3 · 0.5 + 1 · 0.25) / 4
        assert_eq!(mean_of(&server, &[(&one, 3), (&other, 1)]), state(&[1.75, 3.0], &[0.4375]));
        assert_eq!(mean_of(&server, &[]), server);
        let [before, after] = [state(&[0.1, -3e-7], &[123.4]), state(&[0.4, 0.7], &[0.001])];
        assert_eq!(mean_of(&before, &[(&after, 7)]), after, "to the last bit");
    }

    #[test]
    fn with_noise_the_mean_is_over_those_expected_and_weighs_alike() {
        let server = state(&[0.0, 0.0], &[0.0]);
        let mean = Mean::Private { expected: 4.0, deviation: 0.0, seed: 1 };
        let mut gathered = Gathered::new(&server);
        gathered.add(&Update::between(&server, &state(&[2.0, 0.0], &[4.0])), 100, mean);
        gathered.add(&Update::between(&server, &state(&[2.0, 8.0], &[0.0])), 1, mean);
        assert_eq!(gathered.mean(mean).applied(&server), state(&[1.0, 2.0], &[1.0]));
    }

    #[test]
    fn clipping_is_by_the_norm_over_all_parameters_and_only_shrinks() {
        let server = state(&[0.0, 0.0], &[0.0]);
        let update = Update::between(&server, &state(&[2.0, 3.0], &[6.0]));
        assert_eq!(update.norm(), 7.0);
        let clipped = update.clone().clipped(3.5);
        assert!((clipped.norm() - 3.5).abs() < 1e-12);
        assert_eq!(clipped.applied(&server), state(&[1.0, 1.5], &[3.0]));
        assert_eq!((update.clone().clipped(7.5), update.clone().clipped(0.0)), (update.clone(), update));
    }

    #[test]
    fn directions_have_the_length_that_all_have() {
        let server = state(&[0.0, 0.0], &[0.0]);
        let sent = Update::between(&server, &state(&[3.0, -4.0], &[0.0])).directions(0.5);
        // Root mean square 5 / √2, of 0.5.
        let scale = 0.5 * 2.0_f64.sqrt() / 5.0;
        let expected = state(&[(3.0 * scale) as f32, (-4.0 * scale) as f32], &[0.0]);
        assert_eq!(sent.applied(&server), expected);
        let longer = Update::between(&server, &state(&[30.0, -40.0], &[0.0])).directions(0.5);
        assert_eq!(longer.applied(&server), expected, "a client's own length does not matter");
    }

    #[test]
    fn noise_has_the_stated_deviation_and_the_seed_decides_it() {
        let server = state(&vec![0.0; 200_000], &[0.0]);
        let drawn = |seed, deviation| {
            let mut update = Update::none(&server);
            update.add_noise(deviation, seed);
            update
        };
        let noise = drawn(1, 0.25);
        let values: Vec<f64> = noise.groups["a"].clone();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let deviation = (values.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt();
        // Five standard errors of both: 0.25 / √n, and 0.25 / √(2 n).
        assert!(mean.abs() < 0.0028 && (deviation - 0.25).abs() < 0.002, "{mean} {deviation}");
        assert_eq!(noise, drawn(1, 0.25));
        assert_ne!(noise, drawn(2, 0.25));
        let of_mean = Gathered::new(&server).mean(Mean::Private { expected: 5.0, deviation: 0.25, seed: 1 });
        assert_eq!(of_mean, noise.times(0.2), "nobody sent anything, and the noise is there all the same");
    }
}
