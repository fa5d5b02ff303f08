//! Which coefficients of the whole step are tried on validation, one after the other.

use super::protocol::{Search, Tried};
use crate::method::steered::{MAX, MIN};

/// Coefficients in hundredths: every tenth within the bounds, then four on either side of the best of these.
const COARSE: i32 = 10;
const FINE: i32 = 2;
const AROUND: i32 = 4;

impl Search {
    /// The next coefficient to try; none where all is tried.
    pub(super) fn next(&mut self) -> Option<f64> {
        let coarse: Vec<i32> = (hundredths(MIN)..=hundredths(MAX)).step_by(COARSE as usize).collect();
        let tried = |hundredth: &i32| self.tried.iter().any(|tried| hundredths(tried.step) == *hundredth);
        let open = |list: &[i32]| list.iter().find(|hundredth| !tried(hundredth)).map(|h| f64::from(*h) / 100.0);
        let next = open(&coarse);
        if next.is_some() {
            self.of = self.of.max(coarse.len() + 2 * AROUND as usize);
            return next;
        }
        let of_coarse = |tried: &&Tried| hundredths(tried.step) % COARSE == 0;
        let best = self.tried.iter().filter(of_coarse).min_by(|one, other| one.loss.total_cmp(&other.loss))?;
        let centre = hundredths(best.step);
        let fine: Vec<i32> = (-AROUND..=AROUND)
            .map(|number| centre + number * FINE)
            .filter(|hundredth| (hundredths(MIN)..=hundredths(MAX)).contains(hundredth))
            .collect();
        self.of = coarse.len() + fine.len() - 1;
        open(&fine)
    }

    /// Takes in what was tried.
    pub(super) fn add(&mut self, tried: Tried) {
        let at = self.tried.partition_point(|other| other.step < tried.step);
        self.tried.insert(at, tried);
    }
}

fn hundredths(step: f64) -> i32 {
    (100.0 * step).round() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(loss: impl Fn(f64) -> f64) -> Search {
        let mut search = Search::default();
        while let Some(step) = search.next() {
            search.add(Tried { step, loss: loss(step) });
        }
        assert!(search.is_done() && search.tried.is_sorted_by(|one, other| one.step < other.step));
        search
    }

    #[test]
    fn the_least_loss_is_found_to_a_fiftieth_and_at_the_bounds() {
        let inside = found(|step| (step - 0.731).powi(2));
        assert_eq!(inside.best().map(|best| best.step), Some(0.74));
        assert_eq!(inside.tried.len(), 29);
        assert_eq!(found(|step| -step).best().map(|best| best.step), Some(MAX));
        assert_eq!(found(|step| step).best().map(|best| best.step), Some(MIN));
        assert_eq!(found(|_| 1.0).best().map(|best| best.step), Some(MIN), "of equal ones the smallest step");
    }
}
