//! What training of semantic ids tells, and what it asks.

use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;
use crate::error::InputError;

/// How far training is.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// So many texts have their vectors.
    Embedded { done: usize, of: usize },
    /// So many of these items have no vector in one of several sources, and get the mean of those that have one.
    Lacking { source: String, items: usize, of: usize },
    /// An epoch is done.
    Epoch(Epoch),
    /// So many of the trainings are done that are compared.
    Compared { done: usize, of: usize },
    /// A level (from 0) has its codes; the mean squared error of the vectors as the codes so far describe them.
    Level { level: usize, error: f64 },
}

/// Figures of an epoch of the autoencoder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    pub of: usize,
    /// Mean over the epoch's items of what is minimised: reconstruction and quantisation.
    pub loss: f64,
    /// Mean squared error of the decoder's output.
    pub reconstruction: f64,
    /// What encoder and codebooks are apart, a mean over levels. The loss that draws the codebooks and the one that draws the
    /// encoder (commitment, weight 0.25) measure the same distance: four fifths and one fifth of it.
    pub quantisation: f64,
    /// Codes of a level.
    pub codes: usize,
    /// Codes of each level that are the nearest of some item at the epoch's end.
    pub used: Vec<usize>,
    /// Share of items whose nearest codes are those of another item too, at the epoch's end.
    pub collisions: f64,
}

/// Whoever has ids trained.
pub trait Observer {
    /// Hears how far it is.
    fn hear(&mut self, step: &Step);

    /// Whether training is to end; asked between steps.
    fn stopped(&mut self) -> bool;

    /// Whether the state should be kept; asked between epochs.
    fn due(&mut self) -> bool;

    /// Keeps a state that training can go on from.
    ///
    /// # Errors
    /// It cannot be written.
    fn keep(&mut self, state: &Checkpoint) -> Result<(), InputError>;
}

/// Nobody looks, and training goes on to its end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unobserved;

impl Observer for Unobserved {
    fn hear(&mut self, _: &Step) {}

    fn stopped(&mut self) -> bool {
        false
    }

    fn due(&mut self) -> bool {
        false
    }

    fn keep(&mut self, _: &Checkpoint) -> Result<(), InputError> {
        Ok(())
    }
}
