//! Progress of runs on standard error: a bar on a terminal, a line every few seconds elsewhere.

use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::outcome::say;
use super::words;
use crate::data::formats;
use crate::run::RunConfig;
use crate::run::observer::{Level, Phase, Progress};
use crate::train::recorder::Watcher;

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);
const IMPORTING_BAR: &str = "Reading the data {bar:20} {percent} %";

/// Shows the progress of one run after the other.
pub(super) struct Bars {
    interrupted: Arc<AtomicBool>,
    terminal: bool,
    bar: ProgressBar,
    /// The bars of the workers beside this one.
    all: MultiProgress,
    /// `PESO · seed 42`.
    run: String,
    /// Phase and stage of the last line, and when it was written.
    line: Option<(Phase, usize, Instant)>,
    /// When the last line about an import was written.
    importing: Option<Instant>,
}

impl Bars {
    /// `interrupted` is raised when the user wants to end.
    pub(super) fn new(interrupted: Arc<AtomicBool>) -> Self {
        Self::beside(interrupted, &MultiProgress::new())
    }

    /// Of one of several workers, whose bars stand below each other.
    pub(super) fn beside(interrupted: Arc<AtomicBool>, all: &MultiProgress) -> Self {
        let (terminal, all) = (stderr().is_terminal(), all.clone());
        Self { interrupted, terminal, bar: ProgressBar::hidden(), all, run: String::new(), line: None, importing: None }
    }

    /// A run begins, of this name, with a line about it.
    pub(super) fn begin(&mut self, run: String, line: &str) {
        self.all.remove(&self.bar);
        self.run = run;
        self.line = None;
        self.line(line);
        if self.terminal {
            // The template is a constant; where it could not be read, the bar's default shows the same figures.
            let style = ProgressStyle::with_template("{prefix} {bar:20} {percent} % · {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            self.bar = self.all.add(ProgressBar::new(0)).with_style(style.progress_chars("━━┄"));
        }
    }

    /// Leaves the last bar as it is.
    pub(super) fn finish(&self) {
        self.bar.abandon();
    }

    /// A line that does not disturb the bar.
    fn line(&self, text: &str) {
        if self.terminal {
            self.all.suspend(|| say(text));
        } else {
            say(text);
        }
    }

    fn draw(&self, progress: &Progress) {
        self.bar.set_length(progress.total);
        self.bar.set_position(progress.done);
        self.bar.set_prefix(format!("{} · {}", self.run, phase_of(progress)));
        self.bar.set_message(speed_of(progress));
    }

    /// A line when a phase begins, and every few seconds in it.
    fn write(&mut self, progress: &Progress) {
        let due = self.line.is_none_or(|(phase, stage, written)| {
            (phase, stage) != (progress.phase, progress.stage) || written.elapsed() >= LINE_EVERY
        });
        if due {
            self.line = Some((progress.phase, progress.stage, Instant::now()));
            say(&plain(&self.run, progress));
        }
    }
}

impl Watcher for Bars {
    fn importing(&mut self, progress: formats::Progress) {
        let formats::Progress { done, total } = progress;
        if self.importing.is_none() && self.terminal {
            let style = ProgressStyle::with_template(IMPORTING_BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
            self.bar = self.all.add(ProgressBar::new(total)).with_style(style.progress_chars("━━┄"));
        }
        self.bar.set_position(done);
        if self.importing.is_none_or(|written| written.elapsed() >= LINE_EVERY) {
            self.importing = Some(Instant::now());
            if !self.terminal {
                say(&format!("Reading the data · {} %", (100 * done).checked_div(total).unwrap_or(100)));
            }
        }
    }

    fn run_started(&mut self, number: usize, of: usize, config: &RunConfig) {
        self.begin(name_of(config), &format!("Run {number} of {of}: {} on {}", config.run, config.device));
    }

    fn progress(&mut self, progress: &Progress) {
        if self.terminal {
            self.draw(progress);
        } else {
            self.write(progress);
        }
    }

    fn event(&mut self, level: Level, text: &str) {
        match level {
            Level::Info => self.line(text),
            Level::Warning | Level::Error => self.line(&format!("{}: {text}", level.word())),
        }
    }

    fn interrupted(&self) -> bool {
        self.interrupted.load(Ordering::SeqCst)
    }
}

/// `PESO · seed 42`.
pub(super) fn name_of(config: &RunConfig) -> String {
    if config.method.is_learned() {
        format!("{} · seed {}", config.experiment, config.seed)
    } else {
        config.method.label().to_owned()
    }
}

/// `PESO · seed 42 · stage 3/5 · train 62 % · 812 examples/s · ETA 1 min 12 s`.
fn plain(run: &str, progress: &Progress) -> String {
    let percent = (100 * progress.done).checked_div(progress.total).unwrap_or(100);
    format!("{run} · {} {percent} % · {}", phase_of(progress), speed_of(progress))
}

/// `stage 3/5 · train`.
fn phase_of(progress: &Progress) -> String {
    let phase = match progress.phase {
        Phase::Load => "read base model",
        Phase::Base => "base model",
        Phase::Train => "train",
        Phase::Evaluate => "evaluate",
    };
    format!("stage {}/{} · {phase}", progress.stage, progress.stages)
}

/// `812 examples/s · ETA 1 min 12 s`.
fn speed_of(progress: &Progress) -> String {
    let (rate, what) = match progress.phase {
        Phase::Load => (progress.rate / 1e6, "million parameters"),
        Phase::Base | Phase::Train => (progress.rate, "examples"),
        Phase::Evaluate => (progress.rate, "users"),
    };
    let eta = progress.eta_seconds.map(|seconds| format!(" · ETA {}", words::duration(seconds))).unwrap_or_default();
    format!("{rate:.0} {what}/s{eta}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_run_stage_phase_speed_and_eta() {
        let mut progress = Progress {
            phase: Phase::Train,
            stage: 3,
            stages: 5,
            done: 62,
            total: 100,
            rate: 811.6,
            eta_seconds: Some(72.0),
            memory_bytes: 0,
        };
        let line = plain("PESO · seed 42", &progress);
        assert_eq!(line, "PESO · seed 42 · stage 3/5 · train 62 % · 812 examples/s · ETA 1 min 12 s");
        progress = Progress { phase: Phase::Evaluate, total: 0, eta_seconds: None, ..progress };
        assert_eq!(plain("Frozen", &progress), "Frozen · stage 3/5 · evaluate 100 % · 812 users/s");
        progress = Progress { phase: Phase::Load, done: 40, total: 160, rate: 2.31e8, ..progress };
        assert_eq!(plain("Frozen", &progress), "Frozen · stage 3/5 · read base model 25 % · 231 million parameters/s");
    }
}
