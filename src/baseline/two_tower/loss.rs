//! Losses of user and item embeddings, with their gradients written out.

use rayon::prelude::*;

use crate::model::adapter::Matrix;

/// User and item embeddings, or a gradient by them.
#[derive(Debug, Clone, PartialEq)]
pub struct Towers {
    /// `[users, width]`
    pub users: Matrix,
    /// `[items, width]`
    pub items: Matrix,
}

impl Towers {
    /// Zeros of the same shape.
    pub fn zeros_like(&self) -> Self {
        let zeros = |matrix: &Matrix| Matrix::zeros(matrix.rows, matrix.columns);
        Self { users: zeros(&self.users), items: zeros(&self.items) }
    }
}

/// A user's choice among items: the first is the target, the others are negatives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub user: u32,
    pub items: Vec<u32>,
}

/// Where users are pulled to.
#[derive(Debug, Clone, PartialEq)]
pub struct Pull {
    /// Their embeddings in another model, `[users, width]`.
    pub reference: Matrix,
    /// How strongly each user is pulled.
    pub weights: Vec<f32>,
}

/// Mean over choices of `-log softmax(u · i)` at the target; adds its gradient to `gradient`.
///
/// With one negative this is BPR, `-log σ(u · i - u · j)` (Rendle et al. 2009); with more it is the sampled softmax.
///
/// # Panics
/// Where a choice names a user or an item that has no embedding, or has no item.
pub fn sampled_softmax(towers: &Towers, choices: &[Choice], gradient: &mut Towers) -> f64 {
    let share = 1.0 / choices.len().max(1) as f32;
    let mut loss = 0.0;
    for choice in choices {
        let user = row(&towers.users, choice.user);
        let scores: Vec<f32> = choice.items.iter().map(|&item| dot(user, row(&towers.items, item))).collect();
        let (normaliser, probabilities) = softmax(&scores);
        loss += normaliser - f64::from(scores[0]);
        for (index, (&item, probability)) in choice.items.iter().zip(probabilities).enumerate() {
            let slope = share * (probability - f32::from(u8::from(index == 0)));
            add(row_mut(&mut gradient.users, choice.user), row(&towers.items, item), slope);
            add(row_mut(&mut gradient.items, item), user, slope);
        }
    }
    loss * f64::from(share)
}

/// `scale` times the weighted mean over the users `among` of the contrastive (InfoNCE) distance to their references,
/// less its value where a user is at the reference; adds its gradient to `gradient`.
///
/// The distance is `-log softmax over v of (cos(u, r_v) / temperature)` at the user's own reference `r_u`, where `v`
/// goes over `among`: a user is to be told from the others by where the other model has them. The value subtracted
/// has no gradient; it makes the term 0 where nothing has moved. InfoNCE also pushes users apart, so at the reference
/// its gradient need not be 0.
///
/// # Panics
/// Where `among` names a user that has no embedding.
pub fn contrastive(
    users: &Matrix,
    among: &[u32],
    pull: &Pull,
    temperature: f64,
    scale: f64,
    gradient: &mut Matrix,
) -> f64 {
    let references: Vec<Vec<f32>> = among.iter().map(|&user| unit(row(&pull.reference, user)).0).collect();
    let parts: Vec<(f64, Vec<f32>)> = among
        .par_iter()
        .enumerate()
        .map(|(index, &user)| {
            let share = scale as f32 * pull.weights[user as usize] / among.len() as f32;
            let (unit, length) = unit(row(users, user));
            let (distance, mut slope) = info_nce(&unit, &references, index, temperature as f32);
            let at_reference = info_nce(&references[index], &references, index, temperature as f32).0;
            // The gradient by the embedding has no part along it: its length does not count.
            let along = dot(&slope, &unit);
            for (slope, unit) in slope.iter_mut().zip(&unit) {
                *slope = share * (*slope - along * unit) / length;
            }
            (f64::from(share) * (distance - at_reference), slope)
        })
        .collect();
    for (&user, (_, slope)) in among.iter().zip(&parts) {
        add(row_mut(gradient, user), slope, 1.0);
    }
    parts.iter().map(|(value, _)| value).sum()
}

/// The distance and its gradient by `unit`.
fn info_nce(unit: &[f32], references: &[Vec<f32>], own: usize, temperature: f32) -> (f64, Vec<f32>) {
    let scores: Vec<f32> = references.iter().map(|reference| dot(unit, reference) / temperature).collect();
    let (normaliser, probabilities) = softmax(&scores);
    let mut slope = vec![0.0; unit.len()];
    for (reference, probability) in references.iter().zip(probabilities) {
        add(&mut slope, reference, probability / temperature);
    }
    add(&mut slope, &references[own], -1.0 / temperature);
    (normaliser - f64::from(scores[own]), slope)
}

/// `log Σ exp(scores)` and the probabilities.
fn softmax(scores: &[f32]) -> (f64, Vec<f32>) {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = scores.iter().map(|score| (score - top).exp()).collect();
    let sum: f32 = powers.iter().sum();
    (f64::from(top) + f64::from(sum).ln(), powers.into_iter().map(|power| power / sum).collect())
}

/// The vector at length 1, and its length.
fn unit(vector: &[f32]) -> (Vec<f32>, f32) {
    let length = dot(vector, vector).sqrt().max(f32::MIN_POSITIVE);
    (vector.iter().map(|value| value / length).collect(), length)
}

/// Row `at` of a matrix.
pub(super) fn row(matrix: &Matrix, at: u32) -> &[f32] {
    let first = at as usize * matrix.columns;
    &matrix.values[first..first + matrix.columns]
}

/// Row `at` of a matrix, to change.
pub(super) fn row_mut(matrix: &mut Matrix, at: u32) -> &mut [f32] {
    let first = at as usize * matrix.columns;
    &mut matrix.values[first..first + matrix.columns]
}

/// `to += factor * from`.
pub(super) fn add(to: &mut [f32], from: &[f32], factor: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

/// The inner product, in eight sums side by side so that it uses the processor's vectors.
pub(super) fn dot(one: &[f32], other: &[f32]) -> f32 {
    let (ones, one_rest) = one.as_chunks::<8>();
    let (others, other_rest) = other.as_chunks::<8>();
    let mut sums = [0.0f32; 8];
    for (one, other) in ones.iter().zip(others) {
        for ((sum, one), other) in sums.iter_mut().zip(one).zip(other) {
            *sum += one * other;
        }
    }
    sums.iter().sum::<f32>() + one_rest.iter().zip(other_rest).map(|(one, other)| one * other).sum::<f32>()
}
