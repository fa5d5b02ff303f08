//! The directions in which a stage's data pulls an adapter: generalised eigenpairs `Σ q = ρ H q` of the loss's curvature and of
//! the proximal metric, by way of the Gram matrix of a few examples' gradients.
//!
//! Let `G` `[P, N]` have the gradients of N examples as columns, and `Σ = G Gᵀ / N`. The eigenvalues of the N x N matrix
//! `Gᵀ H⁺ G / N` are the `ρ`, and its eigenvectors `c` give `q = H⁺ G c / √(N ρ)`, with `qᵀ H q = 1`. No P x P matrix is
//! made. Nor is a `q` where only `<d, q>_H` is asked for, which is `Σ_i c_i <R d, g_i> / √(N ρ)`: `R = H H⁺` takes from each
//! group its mean, where the metric does not see constants, and else changes nothing.

use faer::{Mat, MatRef};

use crate::linalg;

/// Gradients of single examples by all P parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gradients {
    parameters: usize,
    /// `[examples, parameters]`, row-major.
    values: Vec<f32>,
}

/// One group of the proximal term: so many of the parameters, `stride` apart.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    pub first: usize,
    pub stride: usize,
    pub count: usize,
    /// Factor on the group's metric.
    pub weight: f64,
    /// `p = softmax(v')` of the state that pulls; none where the metric is the identity.
    pub softmax: Option<Vec<f64>>,
}

/// The proximal metric `H`, block-diagonal over groups: `weight · I`, or `weight · (diag(p) - p pᵀ)`, which is the softmax
/// divergence to second order and does not see a constant that is added to its whole group.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metric {
    pub groups: Vec<Group>,
}

/// What becomes of the constants that a softmax metric does not see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constants {
    /// Nothing holds them, so they go where the loss is least given the rest: the pairs are those of the whole `Σ`. Exact
    /// for a minimum. Every group takes one direction off the N that the examples span.
    Free,
    /// They are the same with the pull and without it: the pairs are those of `Σ` restricted to the range of `H`.
    Held,
}

/// Generalised eigenpairs, by falling `ρ`; those of `ρ = 0` are left out.
#[derive(Debug, Clone)]
pub struct Directions {
    pub rho: Vec<f64>,
    /// `[examples, directions]`: `q_k = H⁺ Σ_i coefficients[i, k] g_i`, up to constants that the metric does not see.
    pub coefficients: Mat<f64>,
}

/// An eigenvalue below this share of the largest is rounding.
const MIN_SHARE: f64 = 1e-10;

/// The gradients' mean over a group counts as 0 below this share of their size: they are float32.
const MIN_CONSTANT: f64 = 1e-6;

/// Parameters that are taken to float64 at once.
const CHUNK: usize = 4096;

impl Gradients {
    /// No example yet, of so many parameters.
    pub fn new(parameters: usize) -> Self {
        Self { parameters, values: Vec::new() }
    }

    /// Adds the gradient of an example.
    ///
    /// # Panics
    /// If it has another number of parameters.
    pub fn push(&mut self, gradient: &[f32]) {
        assert_eq!(gradient.len(), self.parameters, "a gradient has a value for each parameter");
        self.values.extend_from_slice(gradient);
    }

    /// Number of examples.
    pub fn examples(&self) -> usize {
        self.values.len().checked_div(self.parameters).unwrap_or(0)
    }

    /// Number of parameters.
    pub fn parameters(&self) -> usize {
        self.parameters
    }

    /// The gradient of every example.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.parameters.max(1))
    }

    /// `<d, g_i>` of every example.
    pub fn dots(&self, direction: &[f64]) -> Vec<f64> {
        self.rows().map(|row| row.iter().zip(direction).map(|(g, d)| f64::from(*g) * d).sum()).collect()
    }
}

impl Group {
    /// A group of the metric `weight · I` over consecutive parameters.
    pub fn identity(first: usize, count: usize, weight: f64) -> Self {
        Self { first, stride: 1, count, weight, softmax: None }
    }

    /// A group of the divergence `KL(softmax(v / temperature) || softmax(v' / temperature))` times `weight`, whose parameters
    /// lie `stride` apart; `previous` are all parameters of `v'`.
    pub fn softmax_kl(
        (first, stride, count): (usize, usize, usize),
        weight: f64,
        temperature: f64,
        previous: &[f64],
    ) -> Self {
        let values = || previous[first..].iter().step_by(stride).take(count).map(|value| value / temperature);
        let top = values().fold(f64::NEG_INFINITY, f64::max);
        let mut p: Vec<f64> = values().map(|value| (value - top).exp()).collect();
        let sum: f64 = p.iter().sum();
        p.iter_mut().for_each(|p| *p /= sum);
        Self { first, stride, count, weight: weight / (temperature * temperature), softmax: Some(p) }
    }

    fn indices(&self) -> impl Iterator<Item = usize> + Clone {
        (self.first..).step_by(self.stride).take(self.count)
    }

    fn values<'v>(&self, all: &'v [f64]) -> impl Iterator<Item = f64> + Clone + use<'v, '_> {
        self.indices().map(|index| all[index])
    }

    /// The least and the greatest `n p_i`: 1 and 1 where `p` is uniform. None for the identity.
    pub fn evenness(&self) -> Option<(f64, f64)> {
        let scaled = self.softmax.as_ref()?.iter().map(|p| p * self.count as f64);
        Some(scaled.fold((f64::INFINITY, 0.0), |(min, max), p| (min.min(p), max.max(p))))
    }

    fn inner(&self, a: &[f64], b: &[f64]) -> f64 {
        let (a, b) = (self.values(a), self.values(b));
        let plain = match &self.softmax {
            None => a.zip(b).map(|(a, b)| a * b).sum(),
            Some(p) => {
                // Around the weighted means, so that a large constant does not swallow the rest.
                let mean =
                    |values: &mut dyn Iterator<Item = f64>| p.iter().zip(values).map(|(p, v)| p * v).sum::<f64>();
                let (mean_a, mean_b) = (mean(&mut a.clone()), mean(&mut b.clone()));
                p.iter().zip(a.zip(b)).map(|(p, (a, b))| p * (a - mean_a) * (b - mean_b)).sum::<f64>()
            }
        };
        self.weight * plain
    }
}

impl Metric {
    /// `<a, b>_H = aᵀ H b`.
    pub fn inner(&self, a: &[f64], b: &[f64]) -> f64 {
        self.groups.iter().map(|group| group.inner(a, b)).sum()
    }

    /// `R d = H H⁺ d`: without each softmax group's mean.
    pub fn in_range(&self, direction: &[f64]) -> Vec<f64> {
        let mut direction = direction.to_vec();
        for group in self.groups.iter().filter(|group| group.softmax.is_some()) {
            let mean = group.values(&direction).sum::<f64>() / group.count as f64;
            group.indices().for_each(|index| direction[index] -= mean);
        }
        direction
    }

    /// `H⁺ g`, without constants in each softmax group: there `(diag(p) - p pᵀ) x = y` with `Σ y = 0` has the solutions
    /// `x = y / p - constant`.
    pub fn inverse(&self, gradient: &[f64]) -> Vec<f64> {
        let mut inverse = self.in_range(gradient);
        for group in &self.groups {
            if let Some(p) = &group.softmax {
                group.indices().zip(p).for_each(|(index, p)| inverse[index] /= p);
            }
            group.indices().for_each(|index| inverse[index] /= group.weight);
        }
        self.in_range(&inverse)
    }
}

/// The directions of a metric in which the examples' gradients lie; none where no gradient does.
///
/// # Panics
/// If a gradient or the metric has values that are no numbers.
pub fn directions(gradients: &Gradients, metric: &Metric, constants: Constants) -> Directions {
    let examples = gradients.examples();
    let (mut gram, means) = gram_and_means(gradients, metric);
    let size = gradients.rows().flatten().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
    let kept = match constants {
        Constants::Held => None,
        Constants::Free => free_examples(means.as_ref(), MIN_CONSTANT * size),
    };
    if let Some(kept) = &kept {
        gram = kept.transpose() * gram * kept;
    }
    let (values, vectors) = linalg::symmetric_eigen(gram.as_ref());
    let largest = values.first().copied().unwrap_or(0.0).max(0.0);
    let known = values.iter().take_while(|value| **value > MIN_SHARE * largest).count();
    let vectors = match kept {
        None => vectors,
        Some(kept) => kept * vectors,
    };
    let coefficients = Mat::from_fn(examples, known, |i, k| vectors[(i, k)] / (values[k] * examples as f64).sqrt());
    Directions { rho: values[..known].to_vec(), coefficients }
}

/// `Gᵀ H⁺ G / N`, and `[examples, softmax groups]`: each gradient along the group's constant direction of length 1.
fn gram_and_means(gradients: &Gradients, metric: &Metric) -> (Mat<f64>, Mat<f64>) {
    let examples = gradients.examples();
    let rows: Vec<&[f32]> = gradients.rows().collect();
    let mut gram = Mat::<f64>::zeros(examples, examples);
    let mut constants: Vec<Vec<f64>> = Vec::new();
    for group in &metric.groups {
        let means: Vec<f64> = match group.softmax {
            None => vec![0.0; examples],
            Some(_) => {
                let mean =
                    |row: &&[f32]| group.indices().map(|index| f64::from(row[index])).sum::<f64>() / group.count as f64;
                rows.iter().map(mean).collect()
            }
        };
        for from in (0..group.count).step_by(CHUNK) {
            let count = CHUNK.min(group.count - from);
            // Half of the inverse metric on either side: `y / √(weight p)`.
            let root = |j: usize| {
                let p = group.softmax.as_ref().map_or(1.0, |p| p[from + j]);
                1.0 / (group.weight * p).sqrt()
            };
            let roots: Vec<f64> = (0..count).map(root).collect();
            let value = |i: usize, j: usize| {
                let index = group.first + (from + j) * group.stride;
                (f64::from(rows[i][index]) - means[i]) * roots[j]
            };
            let part = Mat::from_fn(examples, count, value);
            gram += &part * part.transpose();
        }
        if group.softmax.is_some() {
            let root = (group.count as f64).sqrt();
            constants.push(means.into_iter().map(|mean| mean * root).collect());
        }
    }
    let gram = Mat::from_fn(examples, examples, |i, j| gram[(i, j)] / examples.max(1) as f64);
    (gram, Mat::from_fn(examples, constants.len(), |i, k| constants[k][i]))
}

/// An orthonormal basis, in columns, of the combinations of examples whose gradients cancel along every constant direction;
/// none where all do. With it the curvature is that which is left when the constants go where the loss is least:
/// `Σ - Σ C (Cᵀ Σ C)⁺ Cᵀ Σ`.
fn free_examples(means: MatRef<'_, f64>, threshold: f64) -> Option<Mat<f64>> {
    if means.ncols() == 0 {
        return None;
    }
    // The eigenvectors of the outer product are a whole basis of the examples, those of eigenvalue 0 last.
    let (values, vectors) = linalg::symmetric_eigen((means * means.transpose()).as_ref());
    let taken = values.iter().take_while(|value| value.max(0.0).sqrt() > threshold).count();
    Some(vectors.subcols(taken, vectors.ncols() - taken).to_owned())
}

impl Directions {
    /// Number of directions.
    pub fn len(&self) -> usize {
        self.rho.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rho.is_empty()
    }

    /// `<d, q_k>_H` of every direction.
    pub fn coordinates(&self, gradients: &Gradients, metric: &Metric, d: &[f64]) -> Vec<f64> {
        let dots = gradients.dots(&metric.in_range(d));
        (0..self.len()).map(|k| dots.iter().enumerate().map(|(i, dot)| self.coefficients[(i, k)] * dot).sum()).collect()
    }

    /// The direction `q_k` itself, `[parameters]`.
    pub fn vector(&self, gradients: &Gradients, metric: &Metric, k: usize) -> Vec<f64> {
        let mut sum = vec![0.0; gradients.parameters()];
        for (i, row) in gradients.rows().enumerate() {
            sum.iter_mut().zip(row).for_each(|(sum, g)| *sum += self.coefficients[(i, k)] * f64::from(*g));
        }
        metric.inverse(&sum)
    }
}
