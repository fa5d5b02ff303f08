//! Codes of a batch that use all codes alike, by optimal transport.

/// Rounds of the algorithm.
pub const ROUNDS: usize = 50;

/// The transport plan (`rows x columns`, row-major, as the distances) of entropy `epsilon` in which every column gets the same
/// share; each row gives 1, as far as the rounds have come (Cuturi 2013).
pub fn plan(distances: &[f64], columns: usize, epsilon: f64) -> Vec<f64> {
    let rows = distances.len() / columns.max(1);
    let mut plan: Vec<f64> = distances.iter().map(|distance| (-distance / epsilon).exp()).collect();
    for _ in 0..ROUNDS {
        for row in plan.chunks_mut(columns) {
            let sum = row.iter().sum::<f64>() * rows as f64;
            row.iter_mut().for_each(|value| *value /= sum);
        }
        let mut sums = vec![0.0; columns];
        plan.chunks(columns).for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value));
        for row in plan.chunks_mut(columns) {
            row.iter_mut().zip(&sums).for_each(|(value, sum)| *value /= sum * columns as f64);
        }
    }
    plan.iter_mut().for_each(|value| *value *= rows as f64);
    plan
}

/// Distances moved and scaled to -1 to 1, so that one epsilon suits all.
pub fn centred(distances: &[f64]) -> Vec<f64> {
    let max = distances.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let middle = f64::midpoint(max, min);
    let amplitude = max - middle + 1e-5;
    distances.iter().map(|distance| (distance - middle) / amplitude).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_get_the_same_and_rows_give_one() {
        let distances = [0.1, 0.5, 0.9, 0.1, 0.4, 0.8, 0.0, 0.7, 0.9, 0.2, 0.3, 1.0];
        let found = plan(&distances, 3, 0.1);
        for row in found.chunks(3) {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-3, "{found:?}");
        }
        for column in 0..3 {
            let sum: f64 = found.iter().skip(column).step_by(3).sum();
            assert!((sum - 4.0 / 3.0).abs() < 1e-12, "{found:?}");
        }
    }

    #[test]
    fn centred_distances_lie_between_minus_one_and_one() {
        let found = centred(&[2.0, 3.0, 6.0]);
        let expected = [-1.0, -0.5, 1.0];
        assert!(found.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-4), "{found:?}");
    }
}
