//! The learning rate over a stage: a warm-up, then a schedule.

use crate::project::Schedule;

/// Factor on the learning rate at a step (from 0) of `steps`: linear from 0 over the warm-up, then as the schedule says
/// (Transformers' `get_cosine_schedule_with_warmup`).
pub fn schedule(kind: Schedule, step: usize, steps: usize, warm_up_steps: usize) -> f64 {
    if step < warm_up_steps {
        return step as f64 / warm_up_steps as f64;
    }
    match kind {
        Schedule::Constant => 1.0,
        Schedule::Cosine => {
            let share = (step - warm_up_steps) as f64 / (steps.saturating_sub(warm_up_steps)).max(1) as f64;
            0.5 * (1.0 + (std::f64::consts::PI * share).cos())
        }
    }
}

/// Steps of a warm-up that is a share of all steps (rounded up, as Transformers does).
pub fn warm_up_steps(share: f64, steps: usize) -> usize {
    (share * steps as f64).ceil() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_rises_and_falls() {
        let at = |step| schedule(Schedule::Cosine, step, 20, 2);
        assert_eq!([at(0), at(1), at(2)], [0.0, 0.5, 1.0]);
        assert!((at(11) - 0.5).abs() < 1e-12, "half-way down: {}", at(11));
        assert!(at(20).abs() < 1e-12);
        assert_eq!(schedule(Schedule::Constant, 19, 20, 2), 1.0);
        assert_eq!(warm_up_steps(0.01, 150), 2);
    }
}
