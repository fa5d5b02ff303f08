//! How far the reading of a base model is, as the progress of a run: a large one takes minutes.

use std::time::Instant;

use crate::model::weights::LoadProgress;
use crate::peak_memory;
use crate::run::observer::{Observer, Phase, Progress};

/// Called after every tensor.
pub type OnProgress<'a> = dyn FnMut(LoadProgress<'_>) + 'a;

/// Reports to an observer, before the work of a stage (from 1).
pub fn on_progress(observer: &mut dyn Observer, stage: usize, stages: usize) -> impl FnMut(LoadProgress<'_>) {
    let began = Instant::now();
    move |LoadProgress { parameters, of, .. }| {
        let progress = Progress {
            phase: Phase::Load,
            stage,
            stages,
            done: parameters,
            total: of,
            rate: parameters as f64 / began.elapsed().as_secs_f64().max(1e-9),
            eta_seconds: None,
            memory_bytes: peak_memory::peak_bytes(),
        };
        // Progress that cannot be written is no reason to stop reading; the next record tells of it.
        let _ = observer.progress(&progress);
    }
}

/// Reports to nobody.
pub fn unreported(_: LoadProgress<'_>) {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::InputError;
    use crate::run::observer::{Control, EvaluationRecord, Level, StageRecord, StepRecord};

    #[derive(Default)]
    struct Heard(Vec<Progress>);

    impl Observer for Heard {
        fn step(&mut self, _: &StepRecord) -> Result<(), InputError> {
            Ok(())
        }

        fn evaluation(&mut self, _: &EvaluationRecord) -> Result<(), InputError> {
            Ok(())
        }

        fn stage(&mut self, _: &StageRecord) -> Result<(), InputError> {
            Ok(())
        }

        fn progress(&mut self, progress: &Progress) -> Result<(), InputError> {
            self.0.push(progress.clone());
            Err(InputError::new("run", "the disk is full"))
        }

        fn event(&mut self, _: Level, _: &str) -> Result<(), InputError> {
            Ok(())
        }

        fn is_pausing(&mut self) -> bool {
            false
        }

        fn control(&mut self) -> Control {
            Control::Run
        }
    }

    #[test]
    fn every_tensor_is_reported_as_progress_of_the_stage() {
        let mut heard = Heard::default();
        {
            let mut on_progress = on_progress(&mut heard, 2, 5);
            on_progress(LoadProgress { tensor: "a", parameters: 30, of: 100 });
            on_progress(LoadProgress { tensor: "b", parameters: 100, of: 100 });
        }
        let [first, last] = &heard.0[..] else { panic!("{} reports", heard.0.len()) };
        assert_eq!((first.phase, first.stage, first.stages), (Phase::Load, 2, 5));
        assert_eq!((first.done, last.done, last.total, last.eta_seconds), (30, 100, 100, None));
        assert!(last.rate > 0.0);
    }
}
