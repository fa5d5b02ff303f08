//! The planted drift: preferences turn in a few planes, from each stage to the next or once.

use super::catalogue::Catalogue;
use super::options::Onset;
use super::streams::stream;
use super::vectors::{add_scaled, dot, random, unit};
use crate::data::SyntheticOptions;

/// Orthonormal planes, and how far preferences have turned in each stage.
pub struct Rotation {
    pub planes: Vec<[Vec<f64>; 2]>,
    /// By stage, in radians; the first is 0.
    pub angles: Vec<f64>,
}

impl Rotation {
    /// Planes spanned by the kinds of items two by two (random directions where these are used up), so that the drift
    /// turns a preference for one kind into one for another.
    pub fn new(options: &SyntheticOptions, catalogue: &Catalogue) -> Self {
        let mut source = stream(options.seed, "rotation");
        let [_, _, kinds] = &catalogue.words;
        let mut kinds = kinds.iter().cloned();
        let mut basis: Vec<Vec<f64>> = Vec::new();
        while basis.len() < 2 * options.rotation_rank {
            let direction = kinds.next().unwrap_or_else(|| random(options.latent, &mut source));
            basis.extend(orthogonal_to(&basis, direction));
        }
        let planes = basis.chunks_exact(2).map(|pair| [pair[0].clone(), pair[1].clone()]).collect();
        Self { planes, angles: (0..options.stages).map(|stage| angle(options, stage)).collect() }
    }

    /// The vector as it has turned in a stage (index from 0).
    pub fn turn(&self, vector: &[f64], stage: usize) -> Vec<f64> {
        self.turn_by(vector, self.angles[stage])
    }

    /// The vector turned by an angle in radians, against the direction of the drift where it is negative.
    pub fn turn_by(&self, vector: &[f64], angle: f64) -> Vec<f64> {
        let (sine, cosine) = angle.sin_cos();
        let mut turned = vector.to_vec();
        for [first, second] in &self.planes {
            let (x, y) = (dot(vector, first), dot(vector, second));
            add_scaled(&mut turned, x * cosine - y * sine - x, first);
            add_scaled(&mut turned, x * sine + y * cosine - y, second);
        }
        turned
    }
}

/// How far preferences have turned in a stage (index from 0).
fn angle(options: &SyntheticOptions, stage: usize) -> f64 {
    match options.onset {
        Onset::Gradual => options.drift * stage as f64,
        Onset::Abrupt(first) if stage + 1 >= first => options.drift * (options.stages - 1) as f64,
        Onset::Abrupt(_) => 0.0,
    }
}

/// The part of a direction that is orthogonal to a basis, at length 1; none where hardly anything is left.
fn orthogonal_to(basis: &[Vec<f64>], direction: Vec<f64>) -> Option<Vec<f64>> {
    let mut rest = unit(direction);
    // Twice is enough for orthogonality to rounding.
    for vector in basis.iter().chain(basis) {
        let along = dot(&rest, vector);
        add_scaled(&mut rest, -along, vector);
    }
    (dot(&rest, &rest) > 1e-6).then(|| unit(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rotation(options: &SyntheticOptions) -> Rotation {
        Rotation::new(options, &Catalogue::new(options))
    }

    #[test]
    fn planes_are_orthonormal_even_where_they_fill_the_space() {
        let options = SyntheticOptions { latent: 10, rotation_rank: 5, ..SyntheticOptions::default() };
        let basis: Vec<Vec<f64>> = rotation(&options).planes.into_iter().flatten().collect();
        assert_eq!(basis.len(), 10);
        for (i, one) in basis.iter().enumerate() {
            for (j, other) in basis.iter().enumerate() {
                let expected = if i == j { 1.0 } else { 0.0 };
                assert!((dot(one, other) - expected).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn turning_keeps_lengths_and_what_is_outside_the_planes() {
        let rotation = rotation(&SyntheticOptions::default());
        let vector = random(16, &mut stream(1, "test"));
        let turned = rotation.turn(&vector, 3);
        assert!((dot(&turned, &turned) - dot(&vector, &vector)).abs() < 1e-9);
        let mut change = turned;
        add_scaled(&mut change, -1.0, &vector);
        for basis in rotation.planes.iter().flatten() {
            let along = dot(&change, basis);
            add_scaled(&mut change, -along, basis);
        }
        assert!(dot(&change, &change) < 1e-18);
    }

    #[test]
    fn a_basis_vector_turns_by_the_angle_towards_its_partner() {
        let rotation = rotation(&SyntheticOptions::default());
        let [first, second] = &rotation.planes[0];
        let turned = rotation.turn(first, 2);
        let angle = dot(&turned, second).atan2(dot(&turned, first));
        assert!((angle - rotation.angles[2]).abs() < 1e-12);
        assert_eq!(rotation.turn(first, 0), *first);
    }
}
