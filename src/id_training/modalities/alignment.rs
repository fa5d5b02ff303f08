//! Linear centred kernel alignment: whether two sources tell items apart in the same proportions.

use rayon::prelude::*;

/// Alignment, 0 to 1, and what it is by chance.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alignment {
    pub value: f64,
    pub by_chance: f64,
}

/// `|YᵀX|² / (|XᵀX| |YᵀY|)` of the centred vectors of the same items (Kornblith et al. 2019), from the inner products of items
/// `K = X Xᵀ` and `L = Y Yᵀ`: `⟨K, L⟩ / (|K| |L|)`. It does not change when a source is turned or scaled.
///
/// With wide vectors of few items it is far from 0 for sources that have nothing to do with each other, so chance stands beside: the
/// mean over all ways to give one source's vectors to other items. Of `P L Pᵀ` that mean is `tr L / (n - 1) · (I - 11ᵀ / n)`, since
/// the rows of a centred L add up to 0; so chance is `tr K · tr L / ((n - 1) |K| |L|)`. None where all vectors of a source are alike.
pub(super) fn linear(one: &[&[f64]], other: &[&[f64]]) -> Option<Alignment> {
    let (one, other) = (centred(one), centred(other));
    let items = one.len();
    let of_row = |row: usize| -> [f64; 5] {
        let mut sums = [0.0; 5];
        for column in 0..items {
            let (k, l) = (product(&one[row], &one[column]), product(&other[row], &other[column]));
            let own = f64::from(u8::from(row == column));
            let terms = [k * l, k * k, l * l, own * k, own * l];
            sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
        }
        sums
    };
    let rows: Vec<[f64; 5]> = (0..items).into_par_iter().map(of_row).collect();
    let [both, own, others, trace, others_trace] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at]).sum::<f64>());
    let size = (own * others).sqrt();
    (size > 0.0)
        .then(|| Alignment { value: both / size, by_chance: trace * others_trace / ((items as f64 - 1.0) * size) })
}

fn centred(vectors: &[&[f64]]) -> Vec<Vec<f64>> {
    let width = vectors.first().map_or(0, |vector| vector.len());
    let mean = |at: usize| vectors.iter().map(|vector| vector[at]).sum::<f64>() / vectors.len() as f64;
    let means: Vec<f64> = (0..width).map(mean).collect();
    vectors.iter().map(|vector| vector.iter().zip(&means).map(|(value, mean)| value - mean).collect()).collect()
}

fn product(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows<const N: usize>(rows: &[[f64; N]]) -> Vec<&[f64]> {
        rows.iter().map(<[f64; N]>::as_slice).collect()
    }

    #[test]
    fn alignment_and_chance_are_those_of_numpy() {
        // NumPy 2.4: X = [[1, 2, 0], [0, 1, 3], [-2, .5, 1], [4, -1, 2], [1, 1, -3]], Y = [[2, 1], [0, 3], [-1, 0], [3, -2], [.5, 5]],
        // both less their means: `norm(Y.T @ X)**2 / (norm(X.T @ X) * norm(Y.T @ Y))`, and the mean of the same over
        // `Y[list(p)] for p in permutations(range(5))`.
        let x = [[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [-2.0, 0.5, 1.0], [4.0, -1.0, 2.0], [1.0, 1.0, -3.0]];
        let y = [[2.0, 1.0], [0.0, 3.0], [-1.0, 0.0], [3.0, -2.0], [0.5, 5.0]];
        let found = linear(&rows(&x), &rows(&y)).unwrap();
        assert!((found.value - 0.489_109_106_564_750_8).abs() < 1e-12, "{found:?}");
        assert!((found.by_chance - 0.448_269_805_330_189_9).abs() < 1e-12, "{found:?}");
        // Turned by a quarter, moved and scaled it is the same source.
        let turned = y.map(|[a, b]| [7.0 - 3.0 * b, 3.0 * a]);
        let found = linear(&rows(&y), &rows(&turned)).unwrap();
        assert!((found.value - 1.0).abs() < 1e-12, "{found:?}");
        assert_eq!(linear(&rows(&x), &rows(&[[2.0]; 5])), None);
    }
}
