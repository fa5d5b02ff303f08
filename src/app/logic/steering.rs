//! Steering by hand: starts the scoring process, hands it what the sliders say, exports what was found.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, mpsc};

use super::super::action::Action;
use super::super::dialogs::dialog::PathPurpose;
use super::super::launcher::JobHandle;
use super::super::message::Message;
use super::super::steering::{SteerAction, Steering, StepOf};
use super::super::widgets::{Notice, Weight};
use super::super::workbench::Workbench;
use crate::error::InputError;

impl Workbench {
    pub(super) fn steer(&mut self, action: SteerAction) {
        let Some(session) = &mut self.session else { return };
        match action {
            SteerAction::Move(of, position) => {
                if session.steering.as_ref().is_none_or(|steering| steering.of != of) {
                    self.start_steering(of);
                }
                if let Some(steering) = self.session.as_mut().and_then(|session| session.steering.as_mut()) {
                    steering.move_to(position);
                }
            }
            SteerAction::FindBest => session.steering.iter_mut().for_each(Steering::find_best),
            SteerAction::Restart => session.steering = None,
            SteerAction::Export(coefficients) => {
                if let Some(steering) = &mut session.steering {
                    steering.exporting = Some(coefficients);
                    self.ask_path(PathPurpose::SteeredAdapter, None);
                }
            }
        }
    }

    /// Starts the process of a step; that of another one ends.
    fn start_steering(&mut self, of: StepOf) {
        let Some(session) = &mut self.session else { return };
        self.jobs += 1;
        let (number, session_number) = (self.jobs, session.number);
        let (orders, received) = mpsc::channel();
        let job = Arc::new(JobHandle::default());
        let arguments: Vec<OsString> =
            vec!["steer-server".into(), of.run.clone().into(), "--stage".into(), of.stage.to_string().into()];
        session.steering = Some(Steering::new(number, of.clone(), orders, Arc::clone(&job)));
        let (launcher, outbox) = (Arc::clone(&self.services.launcher), self.background.outbox());
        self.spawn("steering", move || {
            let ended = launcher.converse(&arguments, received, &job, &|line| {
                outbox.send(Message::Steered { session: session_number, number, line });
            });
            let result = ended.and_then(|ended| {
                if ended.code == Some(0) || job.is_cancelled() {
                    return Ok(());
                }
                let words = ended.last_words.trim_start_matches("error: ");
                let words = if words.is_empty() { "the process that scores was ended" } else { words };
                Err(InputError::new(&of.run, words))
            });
            Message::SteeringEnded { session: session_number, number, result }
        });
    }

    /// The scoring process with a number, where it is the one of now.
    fn steering_numbered(&mut self, session: u64, number: u64) -> Option<&mut Steering> {
        self.session_numbered(session)?.steering.as_mut().filter(|steering| steering.number == number)
    }

    pub(super) fn steered(&mut self, session: u64, number: u64, line: &str) {
        if let Some(steering) = self.steering_numbered(session, number) {
            steering.hear(line);
        }
    }

    pub(super) fn steering_ended(&mut self, session: u64, number: u64, result: Result<(), InputError>) {
        if let Some(steering) = self.steering_numbered(session, number) {
            let words = "the process that scores was ended";
            steering.ended = Some(result.err().unwrap_or_else(|| InputError::new(&steering.of.run, words)));
        }
    }

    /// Where a steered adapter is suggested to be written to.
    pub(super) fn steered_folder(&self) -> PathBuf {
        let Some(session) = &self.session else { return PathBuf::new() };
        let above = session.file.parent().map(PathBuf::from).unwrap_or_default();
        let stage = session.steering.as_ref().map_or(0, |steering| steering.of.stage);
        above.join(format!("steered-adapter-stage-{stage}"))
    }

    /// Has a process write the steered adapter.
    pub(super) fn export_steered(&mut self, to: PathBuf) {
        let Some(steering) = self.session.as_mut().and_then(|session| session.steering.as_mut()) else { return };
        let Some(coefficients) = steering.exporting.take() else { return };
        let StepOf { run, stage, .. } = steering.of.clone();
        let mut arguments: Vec<OsString> = vec!["steer".into(), run.into()];
        arguments.extend(["--stage".into(), stage.to_string().into(), "--users".into(), "1".into()]);
        arguments.push(format!("--step={}", coefficients.step).into());
        for own in &coefficients.directions {
            arguments.push(format!("--direction={}={}", own.direction, own.coefficient).into());
        }
        arguments.extend(["--to".into(), to.clone().into()]);
        let launcher = Arc::clone(&self.services.launcher);
        self.spawn("export a steered adapter", move || {
            let ended = launcher.compute(&arguments, &JobHandle::default());
            let result = ended.and_then(|ended| match ended.code {
                Some(0) => Ok(to.clone()),
                _ => Err(InputError::new(&to, ended.last_words.trim_start_matches("error: "))),
            });
            Message::SteeredExported(result)
        });
    }

    pub(super) fn steered_exported(&mut self, result: Result<PathBuf, InputError>) {
        match result {
            Ok(folder) => {
                self.asked = None;
                let notice = Notice::new(Weight::Done, "The steered adapter was written").path(folder.clone());
                self.notices.push(notice.offer("Open folder", Action::ShowFolder(folder)));
            }
            Err(error) => self.give_back("The steered adapter cannot be written", error),
        }
    }
}
