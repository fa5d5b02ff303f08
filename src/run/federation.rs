//! What the clients of a federated stage left: `federation/stage_<t>/` in the run's folder.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::RunFolder;
use crate::error::InputError;
use crate::files;
use crate::model::adapter::Adapter;
use crate::model::weights::{Weights, write_matrices};

/// One round: the server sends its state, some clients train it, the server takes their mean.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Round {
    /// From 1 within the stage.
    pub round: usize,
    /// Clients that took part, by number from 1. One without examples in the stage sends nothing.
    pub clients: Vec<usize>,
    /// Training targets of all their steps.
    pub examples: u64,
    /// Mean cross-entropy a response token of their steps, in nats; 0 where there was none.
    pub loss: f64,
    /// The server's loss on validation users after the round, in nats a response token.
    pub validation_loss: f64,
    /// Mean norm of what the clients would have sent unclipped, over all trained parameters.
    pub update_norm: f64,
    /// How many of them were clipped.
    pub clipped: usize,
    /// Bytes that the server sent to all of them, and that they sent.
    pub bytes_down: u64,
    pub bytes_up: u64,
    /// The ε of all rounds of the run so far, at the method's δ; none without clipping and noise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epsilon: Option<f64>,
}

/// Adapters of the last round of a stage.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LastRound {
    /// The server's, at the round's beginning and at its end.
    pub before: Adapter,
    pub after: Adapter,
    /// Clients by number from 1, each with the server's state at the beginning plus what the client sent.
    pub clients: Vec<(usize, Adapter)>,
}

/// Clients of a round that are kept at most.
pub const MOST_KEPT: usize = 16;

const ROUNDS: &str = "rounds.json";
const LAST: &str = "last_round.safetensors";
const BEFORE: &str = "server before";
const AFTER: &str = "server after";
const CLIENT: &str = "client ";
/// Larger than the rounds of any stage.
const LARGEST: u64 = 1 << 28;

impl RunFolder {
    /// Folder of what the clients of a stage (from 1) left.
    pub fn federation(&self, stage: usize) -> PathBuf {
        self.path().join("federation").join(format!("stage_{stage}"))
    }

    /// The file of the rounds of a stage (from 1).
    pub fn rounds_file(&self, stage: usize) -> PathBuf {
        self.federation(stage).join(ROUNDS)
    }

    /// The rounds of a stage (from 1); none where clients did not train it, or have not yet.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn rounds(&self, stage: usize) -> Result<Option<Vec<Round>>, InputError> {
        let file = self.rounds_file(stage);
        if !file.is_file() {
            return Ok(None);
        }
        let text = files::read_text(&file, LARGEST)?;
        let rounds = serde_json::from_str(&text).map_err(|error| {
            let place = format!("line {}, column {}", error.line(), error.column());
            InputError::new(&file, "not the rounds of a stage").at(place).advice("start the run over with `--fresh`")
        })?;
        Ok(Some(rounds))
    }

    /// The adapters of a stage's last round; none where clients did not train it, have not yet, or where nobody
    /// took part in that round.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn last_round(&self, stage: usize) -> Result<Option<LastRound>, InputError> {
        let file = self.federation(stage).join(LAST);
        if file.is_file() { read(&file).map(Some) } else { Ok(None) }
    }
}

/// Writes what the clients of a stage left.
///
/// # Errors
/// The folder cannot be written.
pub fn write(folder: &Path, rounds: &[Round], last: Option<LastRound>) -> Result<(), InputError> {
    files::create_folder(folder)?;
    if let Some(LastRound { before, after, clients }) = last {
        let clients = clients.into_iter().map(|(number, adapter)| (format!("{CLIENT}{number}"), adapter));
        let all = [(BEFORE.to_owned(), before), (AFTER.to_owned(), after)].into_iter().chain(clients);
        let named = all.flat_map(|(of, adapter)| {
            let parameters = adapter.parameters().map(|(name, matrix)| (format!("{of}/{name}"), matrix.clone()));
            parameters.collect::<Vec<_>>()
        });
        write_matrices(&folder.join(LAST), &named.collect())?;
    }
    let file = folder.join(ROUNDS);
    let text = serde_json::to_string_pretty(rounds).map_err(|error| InputError::new(&file, error.to_string()))?;
    files::write_atomically(&file, text.as_bytes())
}

fn read(file: &Path) -> Result<LastRound, InputError> {
    let weights = Weights::open_file(file)?;
    let mut last = LastRound::default();
    for name in weights.names().map(str::to_owned).collect::<Vec<_>>() {
        let unknown = || InputError::new(file, format!("the tensor \"{name}\" is of no client"));
        let (of, parameter) = name.split_once('/').ok_or_else(unknown)?;
        let adapter = match of {
            BEFORE => &mut last.before,
            AFTER => &mut last.after,
            client => {
                let number = client.strip_prefix(CLIENT).and_then(|number| number.parse().ok()).ok_or_else(unknown)?;
                let place = last.clients.binary_search_by_key(&number, |(known, _)| *known).unwrap_or_else(|place| {
                    last.clients.insert(place, (number, Adapter::default()));
                    place
                });
                &mut last.clients[place].1
            }
        };
        if !adapter.insert(parameter, weights.matrix(&name, None)?) {
            return Err(unknown());
        }
    }
    Ok(last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::adapter::{Matrix, Pair};

    fn adapter(value: f32) -> Adapter {
        let pair = Pair {
            a: Matrix { rows: 1, columns: 2, values: vec![value, 1.0] },
            b: Matrix { rows: 3, columns: 1, values: vec![value; 3] },
        };
        Adapter { modules: [("model.layers.0.self_attn.q_proj".to_owned(), pair)].into() }
    }

    #[test]
    fn what_clients_left_comes_back_as_it_was() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let clients = vec![(2, adapter(3.0)), (10, adapter(4.0))];
        let last = LastRound { before: adapter(1.0), after: adapter(2.0), clients };
        let round = Round { round: 1, clients: vec![2, 10], epsilon: Some(0.1 + 0.2), ..Round::default() };
        write(folder.path(), std::slice::from_ref(&round), Some(last.clone())).expect("written");
        assert_eq!(read(&folder.path().join(LAST)).expect("read"), last);
        let text = files::read_text(&folder.path().join(ROUNDS), LARGEST).expect("read");
        assert_eq!(serde_json::from_str::<Vec<Round>>(&text).expect("rounds"), [round]);
    }
}
