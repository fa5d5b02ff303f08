//! What the matrix R of a continual run says: `R[i][j]` is a metric on the test set of stage j+1 after training stage i+1.

use serde::{Deserialize, Serialize};

/// Continual measures of a run of T stages. Those that compare stages have the divisor T-1 and are absent where T is 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Continual {
    /// Mean of the diagonal: how well each stage is learned when it is new.
    pub plasticity: f64,
    /// Mean over the earlier stages of the last row: how well they are served in the end.
    pub stability: Option<f64>,
    /// Mean of the last row.
    pub average_accuracy: f64,
    /// Mean of `R[T, j] - R[j, j]` over the earlier stages; below 0 where later stages did harm (Lopez-Paz and Ranzato 2017).
    pub backward_transfer: Option<f64>,
    /// Mean of `R[j-1, j] - b_j` over the stages from 2 on, where b_j is the metric of the model before any training
    /// (Lopez-Paz and Ranzato 2017): what earlier stages did for a stage that is still to come. Absent where no such model
    /// was measured.
    pub forward_transfer: Option<f64>,
    /// Mean of `max_i R[i, j] - R[T, j]` over the earlier stages (Chaudhry et al. 2018); never below 0.
    pub forgetting: Option<f64>,
}

impl Continual {
    /// The measures of a square matrix and of `untrained[j]`, the metric of the model before any training on the test set
    /// of stage j+2 (no number where it was not measured); `None` where the matrix is empty, not square, or has a cell that
    /// is not a number.
    pub fn of(matrix: &[Vec<f64>], untrained: &[f64]) -> Option<Self> {
        let stages = matrix.len();
        if matrix.iter().any(|row| row.len() != stages || row.iter().any(|cell| !cell.is_finite())) {
            return None;
        }
        let last = matrix.last()?;
        let earlier = stages - 1;
        let mean_of_earlier =
            |of: &dyn Fn(usize) -> f64| (earlier > 0).then(|| (0..earlier).map(of).sum::<f64>() / earlier as f64);
        let is_measured = untrained.len() == earlier && untrained.iter().all(|cell| cell.is_finite());
        let forward_transfer = is_measured.then(|| mean_of_earlier(&|j| matrix[j][j + 1] - untrained[j])).flatten();
        let best = |j: usize| matrix.iter().map(|row| row[j]).fold(f64::NEG_INFINITY, f64::max);
        Some(Self {
            plasticity: (0..stages).map(|j| matrix[j][j]).sum::<f64>() / stages as f64,
            stability: mean_of_earlier(&|j| last[j]),
            average_accuracy: last.iter().sum::<f64>() / stages as f64,
            backward_transfer: mean_of_earlier(&|j| last[j] - matrix[j][j]),
            forward_transfer,
            forgetting: mean_of_earlier(&|j| best(j) - last[j]),
        })
    }

    /// The measures by name, in the order of the struct.
    pub fn named(&self) -> [(&'static str, Option<f64>); 6] {
        [
            ("plasticity", Some(self.plasticity)),
            ("stability", self.stability),
            ("average_accuracy", Some(self.average_accuracy)),
            ("backward_transfer", self.backward_transfer),
            ("forward_transfer", self.forward_transfer),
            ("forgetting", self.forgetting),
        ]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn three_stages_by_hand() {
        let matrix = [vec![0.5, 0.1, 0.0], vec![0.6, 0.4, 0.2], vec![0.3, 0.35, 0.6]];
        let measures = Continual::of(&matrix, &[]).unwrap();
        let close = |value: f64, expected: f64| (value - expected).abs() < 1e-12;
        assert!(close(measures.plasticity, 0.5));
        assert!(close(measures.stability.unwrap(), 0.325));
        assert!(close(measures.average_accuracy, 1.25 / 3.0));
        assert!(close(measures.backward_transfer.unwrap(), -0.125));
        assert!(close(measures.forgetting.unwrap(), (0.3 + 0.05) / 2.0));
        assert_eq!(measures.forward_transfer, None, "the model before any training was not measured");
        let with = |untrained: &[f64]| Continual::of(&matrix, untrained).unwrap().forward_transfer;
        assert!(close(with(&[0.05, 0.1]).unwrap(), (0.05 + 0.1) / 2.0));
        assert_eq!(with(&[f64::NAN, 0.1]), None);
    }

    #[test]
    fn one_stage_has_nothing_to_forget() {
        let measures = Continual::of(&[vec![0.25]], &[]).unwrap();
        assert_eq!((measures.plasticity, measures.average_accuracy), (0.25, 0.25));
        assert_eq!((measures.stability, measures.backward_transfer, measures.forgetting), (None, None, None));
        assert_eq!(measures.forward_transfer, None);
    }

    #[test]
    fn what_is_no_full_matrix_has_no_measures() {
        assert_eq!(Continual::of(&[], &[]), None);
        assert_eq!(Continual::of(&[vec![0.1, 0.2], vec![0.1]], &[]), None);
        assert_eq!(Continual::of(&[vec![f64::NAN]], &[]), None);
    }

    proptest! {
        #[test]
        fn forgetting_is_at_least_what_was_lost(cells in proptest::collection::vec(0.0..1.0f64, 16)) {
            let matrix: Vec<Vec<f64>> = cells.chunks(4).map(<[f64]>::to_vec).collect();
            let measures = Continual::of(&matrix, &[]).unwrap();
            let (forgetting, transfer) = (measures.forgetting.unwrap(), measures.backward_transfer.unwrap());
            prop_assert!(forgetting >= 0.0);
            prop_assert!(forgetting >= -transfer - 1e-12);
        }
    }
}
