//! How the state of a run looks: an icon, a word and a colour, never the colour alone.

use eframe::egui;

use crate::app::session::RowState;
use crate::app::theme::Tokens;
use crate::run::Status;
use crate::run::observer::{Phase, Progress};

/// Icon, word and colour of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StatusLook {
    pub(crate) icon: &'static str,
    pub(crate) word: &'static str,
    pub(crate) colour: egui::Color32,
}

/// How the state of a row of the runs table looks.
pub(crate) fn status_look(state: RowState, tokens: &Tokens) -> StatusLook {
    let (icon, word, colour) = match state {
        RowState::Reading => ("…", "Reading", tokens.muted),
        RowState::NotRun => ("○", "Not run", tokens.muted),
        RowState::Queued => ("◐", "Queued", tokens.muted),
        RowState::Starting => ("▶", "Starting", tokens.accent),
        RowState::Run(Status::Queued) => ("◐", "Queued", tokens.muted),
        RowState::Run(Status::Running) => ("▶", "Running", tokens.accent),
        RowState::Run(Status::Paused) => ("‖", "Paused", tokens.warning),
        RowState::Run(Status::Stopped) => ("■", "Stopped", tokens.warning),
        RowState::Run(Status::Failed) => ("⚠", "Failed", tokens.error),
        RowState::Run(Status::Finished) => ("✓", "Finished", tokens.success),
    };
    StatusLook { icon, word, colour }
}

/// What a run is doing: `Stage 2 of 5, training`.
pub(crate) fn phase_words(progress: &Progress) -> String {
    let doing = match progress.phase {
        Phase::Load => "reading the base model",
        Phase::Base => "training the base model",
        Phase::Train => "training",
        Phase::Evaluate => "testing",
    };
    format!("Stage {} of {}, {doing}", progress.stage, progress.stages)
}

/// How fast a run is: `412 examples/s`.
pub(crate) fn pace_words(progress: &Progress) -> String {
    match progress.phase {
        Phase::Load => format!("{:.0} million parameters/s", progress.rate / 1e6),
        Phase::Base | Phase::Train => format!("{:.0} examples/s", progress.rate),
        Phase::Evaluate => format!("{:.0} users/s", progress.rate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_says_what_it_does_and_how_fast() {
        let mut progress = Progress {
            phase: Phase::Load,
            stage: 1,
            stages: 5,
            done: 40,
            total: 160,
            rate: 2.31e8,
            eta_seconds: None,
            memory_bytes: 0,
        };
        assert_eq!(phase_words(&progress), "Stage 1 of 5, reading the base model");
        assert_eq!(pace_words(&progress), "231 million parameters/s");
        progress = Progress { phase: Phase::Evaluate, rate: 31.6, ..progress };
        assert_eq!(
            (phase_words(&progress), pace_words(&progress)),
            ("Stage 1 of 5, testing".into(), "32 users/s".into())
        );
    }
}
