//! What the directions of an update mean: its singular vectors read through the rows of embedding and head as scores of codes
//! and items.
//!
//! A module that writes the residual stream (`o_proj`, `down_proj`) adds `σ (vᵀ x) u` to it. The logit of a token with the head
//! row `h` then moves by `σ (vᵀ x) · hᵀ (w ⊙ u)` over the stream's root mean square, where `w` is the final norm's weight. A module that reads the stream
//! takes from a token with the embedding `e` the share `vᵀ (w ⊙ e)`, where `w` is the weight of the norm before it.
//! Both are up to a positive factor, and leave out what later layers make of it.

use faer::Mat;

use crate::linalg;

/// One direction of an update `scale · B A = Σ_k σ_k u_k v_kᵀ`, signed so that the entry of `u` that is largest in size is
/// positive.
#[derive(Debug, Clone, PartialEq)]
pub struct SingularDirection {
    /// `σ`
    pub value: f64,
    /// `u`, `[out]`
    pub left: Vec<f64>,
    /// `v`, `[in]`
    pub right: Vec<f64>,
}

/// The singular directions of `scale · B A`, at most `rank` of them, by falling `σ`. `A` is `[rank, in]`, `B` `[out, rank]`; their
/// product is not formed.
///
/// # Panics
/// If a factor has values that are no numbers.
pub fn singular_directions(a: &Mat<f64>, b: &Mat<f64>, scale: f64) -> Vec<SingularDirection> {
    // B A = (U Σ Vᵀ) (U' Σ' V'ᵀ): what is between U and V'ᵀ is rank x rank.
    let (outer, inner) = (linalg::svd(b.as_ref()), linalg::svd(a.as_ref()));
    let middle = outer.v.transpose() * &inner.u;
    let core =
        Mat::from_fn(middle.nrows(), middle.ncols(), |i, j| scale * outer.values[i] * middle[(i, j)] * inner.values[j]);
    let core = linalg::svd(core.as_ref());
    let (left, right) = (&outer.u * &core.u, &inner.v * &core.v);
    let direction = |(k, &value): (usize, &f64)| {
        let column = |matrix: &Mat<f64>| -> Vec<f64> { matrix.col(k).iter().copied().collect() };
        let (mut left, mut right) = (column(&left), column(&right));
        let largest =
            left.iter().copied().fold(0.0, |largest: f64, x| if x.abs() > largest.abs() { x } else { largest });
        if largest < 0.0 {
            left.iter_mut().chain(&mut right).for_each(|x| *x = -*x);
        }
        SingularDirection { value, left, right }
    };
    core.values.iter().enumerate().map(direction).collect()
}

/// Scores `rowᵀ (weight ⊙ direction)` of the rows of codes, each above or below the mean of its level: what all codes of a
/// level share changes no choice between them.
///
/// `rows` are `[codes, width]`, row-major; `levels` has the level of each code.
pub fn code_scores(rows: &[f32], weight: &[f32], direction: &[f64], levels: &[u8]) -> Vec<f64> {
    let seen: Vec<f64> = weight.iter().zip(direction).map(|(w, d)| f64::from(*w) * d).collect();
    let score = |row: &[f32]| row.iter().zip(&seen).map(|(r, d)| f64::from(*r) * d).sum::<f64>();
    let mut scores: Vec<f64> = rows.chunks_exact(seen.len().max(1)).map(score).collect();
    for level in 0..levels.iter().map(|level| level + 1).max().unwrap_or(0) {
        let of_level = || levels.iter().enumerate().filter(|(_, other)| **other == level).map(|(code, _)| code);
        let mean = of_level().map(|code| scores[code]).sum::<f64>() / of_level().count().max(1) as f64;
        of_level().for_each(|code| scores[code] -= mean);
    }
    scores
}

/// Scores of items: the sums over their codes. `codes` are `[items, levels]`, row-major, as indices of the scores.
pub fn item_scores(codes: &[u32], levels: usize, scores: &[f64]) -> Vec<f64> {
    codes.chunks_exact(levels.max(1)).map(|item| item.iter().map(|&code| scores[code as usize]).sum()).collect()
}

/// The indices of the `count` greatest scores, greatest first, and of the `count` least, least first; of equal ones the first. No
/// index is in both.
pub fn extremes(scores: &[f64], count: usize) -> [Vec<usize>; 2] {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let raised = order[..count.min(order.len().div_ceil(2))].to_vec();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let lowered = order.into_iter().filter(|index| !raised.contains(index)).take(count).collect();
    [raised, lowered]
}
