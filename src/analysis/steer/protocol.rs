//! What the scoring process is asked and what it answers: one JSON value a line.

use serde::{Deserialize, Serialize};

use crate::measure::statistics::Interval;
use crate::method::steered::{Coefficients, DirectionCoefficient};

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Show what the model does with so much of the step. It takes the place of an earlier one that is still in work.
    Steer(Request),
    /// Find the coefficients of the whole step that validation and the closed form prefer, whenever nothing else is asked.
    FindBest,
}

/// So much of a step, for one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Comes back with every answer.
    pub id: u64,
    #[serde(flatten)]
    pub coefficients: Coefficients,
    /// The user whose list is made, as the files name the user; the first of the sample where none is given.
    #[serde(default)]
    pub user: Option<String>,
}

/// What is answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The model is loaded. First of all.
    Ready(Box<Description>),
    /// The user's list. First of a request.
    List(UserList),
    /// The sample's hits so far; again with every part of the sample.
    Hits(Hits),
    /// A newer request has taken the place of this one.
    Superseded { id: u64 },
    /// The sample's hits at both ends of the step.
    Ends(Ends),
    /// How far the search for the best coefficient is.
    Best(Search),
    /// The coefficient of the closed form.
    Merged(Merged),
    /// Why there is no answer; without an id where the line could not be read.
    Failed { id: Option<u64>, message: String },
}

/// What can be steered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Description {
    pub run: String,
    pub experiment: String,
    pub seed: u64,
    /// Whether the data is generated.
    pub synthetic: bool,
    /// From 2.
    pub stage: usize,
    /// By falling strength.
    pub directions: Vec<Direction>,
    /// Where other runs' steps from the same state end on this one.
    pub marks: Vec<Mark>,
    /// Why runs have no mark.
    pub notes: Vec<String>,
    /// The test users of the sample, as the files name them.
    pub users: Vec<String>,
    /// Length of the list that counts as a hit.
    pub k: usize,
}

/// One of the leading directions of the step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Direction {
    /// From 1.
    pub number: usize,
    /// `model.layers.0.mlp.down_proj`
    pub module: String,
    pub singular_value: f64,
    /// Its share of the squared norm of what the stage changed in all modules.
    pub share: f64,
    /// Whether the items are what it makes likelier and less likely; else those that it answers to.
    pub writes: bool,
    /// Titles (ids where there are none) of the items at both ends, the strongest first.
    pub raised: Vec<String>,
    pub lowered: Vec<String>,
}

/// A place on the whole step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    /// The experiment.
    pub name: String,
    pub step: f64,
    /// Share of that run's own step that goes along this one, from 0 to 1.
    pub along: f64,
}

/// What is recommended to a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UserList {
    pub id: u64,
    pub user: String,
    /// The newest items of the history, oldest first.
    pub history: Vec<String>,
    /// What the user turned to next.
    pub target: String,
    /// Best first.
    pub items: Vec<ListedItem>,
    /// From the request to this answer.
    pub milliseconds: f64,
}

/// An item of a user's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedItem {
    /// The id in the files.
    pub id: String,
    pub title: Option<String>,
    /// Its place in the list before the stage, from 1; none where it was not in it.
    pub before: Option<usize>,
    /// Whether it is what the user turned to.
    pub target: bool,
}

/// Hit@k of the sample.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hits {
    pub id: u64,
    /// Users so far, and in the whole sample.
    pub users: usize,
    pub of: usize,
    /// Share of them whose target is in the list, places shared by an id counted in parts.
    pub hit: f64,
    /// Wilson's interval.
    pub interval: Interval,
    pub milliseconds: f64,
}

/// Hit@k of the whole sample before and after the stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Ends {
    pub before: f64,
    pub after: f64,
}

/// The search for the coefficient of the whole step with the least validation loss.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Search {
    /// What was tried, in rising order of the coefficient.
    pub tried: Vec<Tried>,
    /// Coefficients that are tried in all.
    pub of: usize,
}

/// Validation loss at a coefficient of the whole step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    pub step: f64,
    pub loss: f64,
}

/// Perturb-and-Merge's coefficient of the whole step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Merged {
    pub step: f64,
}

impl Search {
    /// The best so far; of equal ones the smallest step.
    pub fn best(&self) -> Option<Tried> {
        self.tried.iter().copied().min_by(|one, other| one.loss.total_cmp(&other.loss))
    }

    /// Whether all is tried.
    pub fn is_done(&self) -> bool {
        self.of > 0 && self.tried.len() >= self.of
    }
}

/// Reads `NUMBER=COEFFICIENT`.
///
/// # Errors
/// In words.
pub fn direction_coefficient(text: &str) -> Result<DirectionCoefficient, String> {
    let expected = || format!("expected NUMBER=COEFFICIENT, for example 1=0.5, not \"{text}\"");
    let (direction, coefficient) = text.split_once('=').ok_or_else(expected)?;
    let direction = direction.trim().parse().map_err(|_| expected())?;
    let coefficient = coefficient.trim().parse().map_err(|_| expected())?;
    Ok(DirectionCoefficient { direction, coefficient })
}
