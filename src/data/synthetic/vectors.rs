//! Plain vectors of the latent space.

use rand::Rng;

use super::streams::normal;

/// A random direction, not yet of length 1.
pub fn random(latent: usize, random: &mut impl Rng) -> Vec<f64> {
    (0..latent).map(|_| normal(random)).collect()
}

pub fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// `to += factor * vector`.
pub fn add_scaled(to: &mut [f64], factor: f64, vector: &[f64]) {
    to.iter_mut().zip(vector).for_each(|(to, value)| *to += factor * value);
}

/// The vector at length 1; one that has no length stays as it is.
pub fn unit(mut vector: Vec<f64>) -> Vec<f64> {
    let length = dot(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}
