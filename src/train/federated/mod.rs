//! The training of a stage by simulated clients: rounds of local steps, and a server that takes the mean of what they send.
//!
//! A round is a function of seed, stage, round and the server's state, so a run goes on from the beginning of the round in which
//! it was cut off. Clients take part one after the other, on one model.

mod split;
mod update;

use std::path::Path;
use std::time::Instant;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use self::split::Clients;
use self::update::{Gathered, Mean, Update};
use super::stage_data::writer;
use super::step::StepPlace;
use super::trainer::{Job, validation_loss};
use super::{Task, batches};
use crate::error::{InputError, RunError};
use crate::method::federated::{ClientAnchor, Share};
use crate::method::{Federated, Guides, State, Term};
use crate::model::Llama;
use crate::model::adapter::{Adapter, Matrices, Snapshot};
use crate::model::backend::TrainingBackend;
use crate::model::llama::Kind;
use crate::model::optimizer::AdamW;
use crate::model::packing::Sequence;
use crate::run::checkpoint::{Checkpoint, Cursor, TrainingCursor};
use crate::run::federation::{LastRound, MOST_KEPT, Round, write};
use crate::run::observer::{Control, Level, Observer, Progress, StageRecord};
use crate::{peak_memory, seeds};

/// Bytes of a number that is sent.
const NUMBER: u64 = 4;

/// The training of one adapter by clients.
pub struct Simulation<'a> {
    /// What the stage's training would be in one place: its options, its seed and its checkpoint.
    job: &'a Job<'a>,
    options: &'a Federated,
    terms: &'a [Term],
    clients: Vec<Client>,
}

/// A client with its examples of the stage.
struct Client {
    /// From 1.
    number: usize,
    sequences: Vec<Sequence>,
    examples: usize,
    /// Places in the sequences, by step over all rounds that there may be.
    steps: Vec<Vec<usize>>,
}

/// A training between two rounds.
struct Between {
    cursor: TrainingCursor,
    server: Snapshot,
    saved: Instant,
    resumed: Instant,
}

/// What the clients of a round are, and where its steps stand.
struct InRound<'s> {
    /// From 0.
    round: usize,
    /// Those who take part, as places among the clients.
    chosen: &'s [usize],
    /// Steps of all rounds.
    steps: usize,
}

impl<'a> Simulation<'a> {
    /// Splits the examples of a stage over the clients of a run.
    ///
    /// # Errors
    /// The users cannot be split.
    pub fn new(
        task: &Task<'_>,
        job: &'a Job<'a>,
        options: &'a Federated,
        terms: &'a [Term],
    ) -> Result<Self, InputError> {
        let split = Clients::of(&task.dataset, options, &task.project.folder, job.seed)?;
        let mut sequences: Vec<Vec<Sequence>> = vec![Vec::new(); split.count];
        let writer = writer(task);
        for user in task.dataset.stages[job.stage - 1].participants() {
            sequences[split.of_user[user.user as usize]].extend(writer.training(user, task.project.training.batch));
        }
        let alone = split.count == 1;
        let client = |(number, sequences): (usize, Vec<Sequence>)| {
            let examples = sequences.iter().map(|sequence| sequence.branches.len()).sum();
            let mut client = Client { number, sequences, examples, steps: Vec::new() };
            let wanted = options.rounds * options.local_steps;
            let stream = client.stream(job, alone);
            for epoch in 0.. {
                if client.steps.len() >= wanted || examples == 0 {
                    break;
                }
                client.steps.extend(batches::epoch(&client.sequences, job.batch, job.seed, &stream, epoch));
            }
            client.steps.truncate(wanted);
            client
        };
        let clients = (1..).zip(sequences).map(client).collect();
        Ok(Self { job, options, terms, clients })
    }

    /// Trains, from a checkpoint of the same stage where there is one, and leaves the server's last state in the model. `before` is
    /// the model as it was before the stage; what the clients left is written into `folder`.
    ///
    /// # Errors
    /// As [`Job::run`]; or what the clients left cannot be written.
    pub fn run<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        before: &Llama<B::InnerBackend>,
        resume: Option<Checkpoint>,
        record: &mut StageRecord,
        folder: &Path,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let mut between = Between {
            cursor: TrainingCursor::default(),
            server: Snapshot::of(model, self.job.trains.as_ref()),
            saved: Instant::now(),
            resumed: Instant::now(),
        };
        let start = between.server.clone();
        if let Some(Checkpoint { cursor: Cursor { training: Some(cursor), .. }, parameters, .. }) = resume {
            between.cursor = cursor;
            between.server = Snapshot { parameters };
        }
        let chosen: Vec<Vec<usize>> = (0..self.options.rounds).map(|round| self.participants(round)).collect();
        let steps = chosen.iter().map(Vec::len).sum::<usize>() * self.options.local_steps;
        let mut guides = Guides::new(self.terms, &model.device(), before);
        let mut last = None;
        while let Some(chosen_now) = chosen.get(between.cursor.rounds.len()) {
            let round = between.cursor.rounds.len();
            between.server.restore(model);
            if self.options.anchor == ClientAnchor::Server {
                let state = self.state(model);
                let terms: Vec<Term> = self.terms.iter().map(|term| term.clone().toward(&state)).collect();
                guides = Guides::new(&terms, &model.device(), before);
            }
            let here = InRound { round, chosen: chosen_now, steps };
            let (mut done, kept) = self.round(model, &guides, &mut between, &here, observer)?;
            let anchors = |client: &usize| {
                let first = !chosen[..round].iter().flatten().any(|earlier| earlier == client);
                if first { self.anchor_bytes(round, &start.parameters) } else { 0 }
            };
            let state = NUMBER * numbers(&between.server.parameters);
            (done.bytes_up, done.bytes_down) = (chosen_now.len() as u64 * state, chosen_now.len() as u64 * state);
            done.bytes_down += chosen_now.iter().map(anchors).sum::<u64>();
            self.end_round(model, &mut between, done, record, observer)?;
            last = kept;
        }
        between.server.restore(model);
        write(folder, &between.cursor.rounds, last)?;
        Ok(())
    }

    /// Trains the clients of a round one after the other, and moves the server. What is kept of it is that of the last round.
    fn round<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        guides: &Guides<B::InnerBackend>,
        between: &mut Between,
        here: &InRound<'_>,
        observer: &mut dyn Observer,
    ) -> Result<(Round, Option<LastRound>), RunError> {
        let Federated { rounds, clip, share, .. } = *self.options;
        let before = between.server.parameters.clone();
        let (mean, mut gathered) = (self.mean(here.round), Gathered::new(&before));
        let mut done = Round { round: here.round + 1, ..Round::default() };
        let (mut kept, keeps) = (Vec::new(), here.round + 1 == rounds && !here.chosen.is_empty());
        for (place, &chosen) in here.chosen.iter().enumerate() {
            let client = &self.clients[chosen];
            between.server.restore(model);
            self.local_steps(model, guides, (client, place), between, here, &mut done, observer)?;
            let after = Snapshot::of(model, self.job.trains.as_ref()).parameters;
            let changed = Update::between(&before, &after);
            let changed = match share {
                Share::Whole => changed,
                Share::Directions { length } => changed.directions(length),
            };
            let norm = changed.norm();
            self.job.finite(
                "what a client learned",
                between.cursor.step + (place + 1) * self.options.local_steps,
                norm,
            )?;
            done.update_norm += norm / here.chosen.len() as f64;
            done.clipped += usize::from(clip > 0.0 && norm > clip);
            let sent = changed.clipped(clip);
            gathered.add(&sent, client.examples, mean);
            done.clients.push(client.number);
            if keeps && kept.len() < MOST_KEPT {
                kept.push((client.number, adapter(&sent.applied(&before))));
            }
        }
        done.loss /= done.examples.max(1) as f64;
        between.server.parameters = gathered.mean(mean).applied(&before);
        between.cursor.step += here.chosen.len() * self.options.local_steps;
        let last = || LastRound { before: adapter(&before), after: adapter(&between.server.parameters), clients: kept };
        Ok((done, keeps.then(last)))
    }

    /// The steps of one client in a round, from the server's state, with an optimiser of its own.
    #[expect(clippy::too_many_arguments, reason = "a round's state is taken apart by what changes")]
    fn local_steps<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        guides: &Guides<B::InnerBackend>,
        (client, place): (&Client, usize),
        between: &mut Between,
        here: &InRound<'_>,
        done: &mut Round,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let Federated { local_steps, rounds, .. } = *self.options;
        let mut optimizer = AdamW::<B::InnerBackend>::new(self.job.weight_decay);
        let stream = client.stream(self.job, self.clients.len() == 1);
        for step in 0..local_steps {
            let scheduled = here.round * local_steps + step;
            let number = between.cursor.step + place * local_steps + step + 1;
            let at = StepPlace {
                stream: &stream,
                epoch: here.round + 1,
                scheduled: (scheduled, rounds * local_steps),
                recorded: (number, here.steps),
            };
            let sequences: Vec<Sequence> =
                client.steps[scheduled].iter().map(|&place| client.sequences[place].clone()).collect();
            let examples = sequences.iter().map(|sequence| sequence.branches.len()).sum::<usize>();
            let figures = self.job.step_on(model, &mut optimizer, guides, sequences, at, observer)?;
            done.examples += examples as u64;
            done.loss += figures.loss * examples as f64;
            observer.progress(&self.progress(between, number, here.steps))?;
            if observer.is_pausing() {
                self.save(between)?;
            }
            let waited = Instant::now();
            let control = observer.control();
            between.resumed += waited.elapsed();
            if control == Control::Stop {
                self.save(between)?;
                return Err(RunError::Stopped);
            }
        }
        Ok(())
    }

    fn end_round<B: TrainingBackend>(
        &self,
        model: &mut Llama<B>,
        between: &mut Between,
        mut done: Round,
        record: &mut StageRecord,
        observer: &mut dyn Observer,
    ) -> Result<(), RunError> {
        let (stage, rounds) = (self.job.stage, self.options.rounds);
        between.server.restore(model);
        done.validation_loss = validation_loss(model, self.job.validation, self.job.step.temperature);
        self.job.finite("the loss on validation users", between.cursor.step, done.validation_loss)?;
        // Stage 1 is trained in one place; from stage 2 on all rounds are of one mechanism.
        done.epsilon = self.options.epsilon((stage - 2) * rounds + done.round);
        observer
            .event(Level::Info, &format!("stage {stage}, round {} of {rounds}: {}", done.round, self.words(&done)))?;
        let cursor = &mut between.cursor;
        cursor.validation_losses.push(done.validation_loss);
        (cursor.epoch, cursor.best_epoch, cursor.epoch_loss) = (done.round, done.round, done.loss);
        cursor.rounds.push(done);
        record.final_loss = cursor.epoch_loss;
        record.best_epoch = cursor.best_epoch;
        record.validation_losses.clone_from(&cursor.validation_losses);
        record.train_seconds = between.seconds();
        record.peak_memory_bytes = peak_memory::peak_bytes();
        observer.stage(record)?;
        if between.cursor.rounds.len() < rounds && between.saved.elapsed() >= self.job.checkpoint_every {
            self.save(between)?;
        }
        Ok(())
    }

    /// A round in words.
    fn words(&self, round: &Round) -> String {
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let mut words = format!(
            "{} of {} clients, training loss {:.4}, validation loss {:.4}, {:.2} MB down, {:.2} MB up",
            round.clients.len(),
            self.clients.len(),
            round.loss,
            round.validation_loss,
            megabytes(round.bytes_down),
            megabytes(round.bytes_up),
        );
        if self.options.clip > 0.0 {
            words.push_str(&format!(", {} clipped", round.clipped));
        }
        if let Some(epsilon) = round.epsilon {
            words.push_str(&format!(", ε {epsilon:.2} at δ {:e}", self.options.delta));
        }
        words
    }

    /// Who takes part in a round (from 0), of the clients with examples: each by itself with the same chance.
    fn participants(&self, round: usize) -> Vec<usize> {
        let path = ["participants", &self.job.stage.to_string(), &round.to_string()];
        let mut random = ChaCha8Rng::seed_from_u64(seeds::derive(self.job.seed, &path));
        let mut takes_part = || random.random::<f64>() < self.options.participation;
        let drawn: Vec<bool> = self.clients.iter().map(|_| takes_part()).collect();
        let places = drawn.into_iter().zip(&self.clients).enumerate();
        places.filter(|(_, (drawn, client))| *drawn && client.examples > 0).map(|(place, _)| place).collect()
    }

    fn mean(&self, round: usize) -> Mean {
        if !self.options.is_private() {
            return Mean::ByExamples;
        }
        let path = ["noise", &self.job.stage.to_string(), &round.to_string()];
        Mean::Private {
            expected: self.options.participation * self.clients.len() as f64,
            deviation: self.options.noise * self.options.clip,
            seed: seeds::derive(self.job.seed, &path),
        }
    }

    /// Bytes of what the terms pull toward, which a client is sent once, where it is not the server's state of that round anyway.
    fn anchor_bytes(&self, round: usize, start: &Matrices) -> u64 {
        if self.options.anchor == ClientAnchor::Server {
            return 0;
        }
        let is_start = |state: &State| state.parameters().all(|(name, matrix)| start.get(&name) == Some(matrix));
        let states = self.terms.iter().flat_map(Term::states);
        let sent = states.filter(|state| round > 0 || !is_start(state));
        let numbers = |state: &State| state.parameters().map(|(_, matrix)| matrix.values.len() as u64).sum::<u64>();
        NUMBER * sent.map(numbers).sum::<u64>()
    }

    /// What a model's terms pull toward where they pull toward the server.
    fn state<B: TrainingBackend>(&self, model: &Llama<B>) -> State {
        let trains = self.job.trains.as_ref();
        let rows = |kind| matches!(kind, Kind::AddedRows | Kind::BaseRows) && trains(kind);
        State { adapter: Adapter::of(model), rows: Snapshot::of(model, rows).parameters }
    }

    fn progress(&self, between: &Between, done: usize, steps: usize) -> Progress {
        let examples = |steps: usize| (steps * self.job.batch) as f64;
        let rate = examples(done) / between.seconds().max(1e-9);
        let left = examples(steps.saturating_sub(done)) + self.job.examples_afterwards as f64;
        Progress {
            phase: self.job.phase,
            stage: self.job.stage,
            stages: self.job.stages,
            done: done as u64,
            total: steps as u64,
            rate,
            eta_seconds: (rate > 0.0).then(|| left / rate),
            memory_bytes: peak_memory::peak_bytes(),
        }
    }

    /// Saves the state at the beginning of the round.
    fn save(&self, between: &mut Between) -> Result<(), InputError> {
        let mut checkpoint = Checkpoint::at(self.job.stage, self.job.phase);
        let cursor = TrainingCursor { seconds: between.seconds(), ..between.cursor.clone() };
        checkpoint.cursor.training = Some(cursor);
        checkpoint.parameters.clone_from(&between.server.parameters);
        checkpoint.save(&self.job.checkpoint)?;
        between.saved = Instant::now();
        Ok(())
    }
}

impl Client {
    /// The name of its streams of random numbers. One that has all users goes through them as the stage would.
    fn stream(&self, job: &Job<'_>, alone: bool) -> String {
        if alone { job.stream() } else { format!("{} client {}", job.stream(), self.number) }
    }
}

impl Between {
    fn seconds(&self) -> f64 {
        self.cursor.seconds + self.resumed.elapsed().as_secs_f64()
    }
}

/// The adapter among parameters.
fn adapter(parameters: &Matrices) -> Adapter {
    let mut adapter = Adapter::default();
    for (name, matrix) in parameters {
        // The others are token rows and magnitudes.
        adapter.insert(name, matrix.clone());
    }
    adapter
}

fn numbers(parameters: &Matrices) -> u64 {
    parameters.values().map(|matrix| matrix.values.len() as u64).sum()
}

/// Refuses a split that cannot be made, before anything is trained.
///
/// # Errors
/// As [`Clients::of`].
pub fn check(task: &Task<'_>, options: &Federated, seed: u64) -> Result<(), InputError> {
    Clients::of(&task.dataset, options, &task.project.folder, seed).map(drop)
}
