//! Random numbers by name: each part draws from a stream of its own, so that a change of one leaves the others alone.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The stream of a seed that belongs to `name`.
pub fn stream(seed: u64, name: &str) -> ChaCha8Rng {
    let digest = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(name.as_bytes()).finalize();
    ChaCha8Rng::from_seed(digest.into())
}

/// A draw from the standard normal distribution (Box and Muller).
pub fn normal(random: &mut impl Rng) -> f64 {
    let radius = (-2.0 * (1.0 - random.random::<f64>()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random::<f64>()).cos()
}

/// A draw from the Poisson distribution, by multiplication (Knuth); for means up to a few hundred.
pub fn poisson(mean: f64, random: &mut impl Rng) -> usize {
    let threshold = (-mean).exp();
    let mut product = random.random::<f64>();
    let mut count = 0;
    while product > threshold {
        product *= random.random::<f64>();
        count += 1;
    }
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_seeds_tell_streams_apart() {
        let draw = |seed, name| stream(seed, name).random::<u64>();
        assert_eq!(draw(1, "a"), draw(1, "a"));
        assert_ne!(draw(1, "a"), draw(1, "b"));
        assert_ne!(draw(1, "a"), draw(2, "a"));
    }

    #[test]
    fn draws_have_their_moments() {
        let mut random = stream(3, "moments");
        let count = 20_000;
        let normals: Vec<f64> = (0..count).map(|_| normal(&mut random)).collect();
        let mean = normals.iter().sum::<f64>() / f64::from(count);
        let variance = normals.iter().map(|value| value * value).sum::<f64>() / f64::from(count);
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean}, {variance}");
        let total: usize = (0..count).map(|_| poisson(3.5, &mut random)).sum();
        assert!((total as f64 / f64::from(count) - 3.5).abs() < 0.06);
    }
}
