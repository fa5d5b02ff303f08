//! λ by its effect: the weight at which a term has a share of the cross-entropy's gradient, from a stage's first steps.
//!
//! A stage starts where its term is zero, so nothing can be measured there. The first steps are made without the pull; once
//! the adapter has moved, both gradients' norms are measured over a few more such steps, and
//! `λ = ratio · mean ‖∇cross-entropy‖ / ‖∇term at λ = 1‖` acts from the next step on, to the end of the stage. The term's
//! gradient grows as the adapter moves on, so it is taken as it will be in as many steps to come, along a straight line through the
//! first and the last that were measured.

use serde::{Deserialize, Serialize};

/// Norms of two gradients over the parameters that are pulled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Norms {
    pub cross_entropy: f64,
    pub pull: f64,
}

/// The steps of a stage in which λ is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Steps before anything is measured.
    pub skipped: usize,
    /// Steps that are measured.
    pub measured: usize,
}

impl Window {
    /// About the first tenth of so many steps, half of it measured: from 2 to 10 steps, fewer where there are not as many.
    pub fn of(steps: usize) -> Self {
        let half = (steps / 20).clamp(2, 10).min(steps / 3).max(1);
        Self { skipped: half, measured: half }
    }
}

/// What was measured so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Measured {
    steps: usize,
    /// Sum over the steps.
    cross_entropy: f64,
    /// Of the first step and of the last.
    first_pull: f64,
    last_pull: f64,
}

impl Measured {
    /// Takes in the step of that number, from 0. Before the window, and where nothing has moved yet, it is not counted.
    pub fn add(&mut self, step: usize, norms: Norms, window: Window) {
        if step >= window.skipped && norms.pull > 0.0 && norms.pull.is_finite() {
            if self.steps == 0 {
                self.first_pull = norms.pull;
            }
            self.steps += 1;
            self.cross_entropy += norms.cross_entropy;
            self.last_pull = norms.pull;
        }
    }

    /// The weight that gives the term its share; none before the window is full.
    pub fn lambda(&self, ratio: f64, window: Window) -> Option<f64> {
        let steps = self.steps as f64;
        (self.steps >= window.measured).then(|| ratio * self.cross_entropy / steps / self.coming_pull())
    }

    /// The pull's norm in the middle of as many steps to come; not less than the last.
    fn coming_pull(&self) -> f64 {
        let steps = self.steps as f64;
        let growth = (self.last_pull - self.first_pull) / (steps - 1.0).max(1.0);
        self.last_pull + growth.max(0.0) * f64::midpoint(steps, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_is_about_the_first_tenth() {
        let of = |steps| {
            let Window { skipped, measured } = Window::of(steps);
            (skipped, measured)
        };
        assert_eq!([of(1_000), of(100), of(30), of(4), of(1)], [(10, 10), (5, 5), (2, 2), (1, 1), (1, 1)]);
    }

    #[test]
    fn lambda_is_the_ratio_of_the_norms_as_they_will_be_after_the_steps_that_moved() {
        let window = Window { skipped: 1, measured: 2 };
        let mut measured = Measured::default();
        for (step, (cross_entropy, pull)) in [(9.0, 9.0), (8.0, 0.0), (2.0, 0.1), (4.0, 0.2)].into_iter().enumerate() {
            assert_eq!(measured.lambda(0.5, window), None);
            measured.add(step, Norms { cross_entropy, pull }, window);
        }
        // The pull grows by .1 a step from .2, and the middle of two more steps is 1.5 steps on: 0.5 · 3 / (0.2 + 0.15)
        assert!((measured.lambda(0.5, window).unwrap() - 1.5 / 0.35).abs() < 1e-12);
    }
}
