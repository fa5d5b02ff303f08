//! What `peso results --json` prints: the runs of a project, read back from their folders.

pub mod alarm;
pub mod certificate;
pub mod churn;
pub mod comparison;
pub mod config_diff;
pub mod decision;
pub mod fairness;
pub mod paired_scores;
pub mod plain_words;
pub mod regimes;
pub mod seeds;
pub mod slices;
pub mod summary;
pub mod tensorboard;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::baseline::ChosenOptions;
use crate::data::Protocol;
use crate::error::InputError;
use crate::measure::{Continual, Ranking, UserMetric};
use crate::project::Project;
use crate::run::marks::{Marks, MarksFile};
use crate::run::observer::{CellIndex, StageRecord};
use crate::run::{EvaluationSummary, RunConfig, RunFolder, RunReader, Status};
use crate::semantic_id::IdCounts;

/// Results of all runs of a project.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Results {
    /// The project's name.
    pub project: String,
    /// How the stages were tested, of all that follows.
    pub protocol: Protocol,
    /// How many items and ids the catalogue has, where a run says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<IdCounts>,
    /// Sorted by id.
    pub runs: Vec<RunResult>,
}

/// The runs in a folder that tables, comparisons and charts are made of: all but the archived ones.
#[derive(Debug, Default)]
pub struct ShownRuns {
    /// Sorted by id.
    pub folders: Vec<RunFolder>,
    /// Runs that are left out because someone archived them.
    pub archived: usize,
    /// Folders that look like runs but cannot be used, and marks that cannot be read.
    pub unreadable: Vec<InputError>,
}

impl ShownRuns {
    /// Those in `runs_dir`.
    pub fn read(runs_dir: &Path) -> Self {
        let (mut folders, mut unreadable) = RunFolder::list_all(runs_dir);
        let marks = MarksFile::new(runs_dir).read().unwrap_or_else(|error| {
            unreadable.push(error);
            Marks::default()
        });
        let all = folders.len();
        folders.retain(|folder| !marks.of(&folder.config().run).archived);
        Self { archived: all - folders.len(), folders, unreadable }
    }
}

impl Results {
    /// Reads the results of a project's runs under a protocol, sorted by run id, and says which run folders cannot be used.
    ///
    /// Runs that have not begun and archived ones are left out. One folder may hold the runs of several project files: those that have
    /// neither this project's name nor its dataset belong to another.
    pub fn read(project: &Project, runs_dir: &Path, protocol: Protocol) -> (Self, Vec<InputError>) {
        let ShownRuns { folders, mut unreadable, .. } = ShownRuns::read(runs_dir);
        let (mut runs, mut catalogue) = (Vec::new(), None);
        for folder in folders.iter().filter(|folder| folder.config().belongs_to(project)) {
            match folder.reader().and_then(|reader| RunResult::read(&reader, protocol)) {
                Ok(run) if run.status == Status::Queued => {}
                Ok(run) => {
                    catalogue = catalogue.or(folder.config().catalogue);
                    runs.push(run);
                }
                Err(error) => unreadable.push(error),
            }
        }
        (Self { project: project.name.clone(), protocol, catalogue, runs }, unreadable)
    }

    /// Whether items share ids; of runs that do not say so, whether both counts of some run differ.
    pub fn ids_are_shared(&self) -> bool {
        if let Some(counts) = self.catalogue {
            return counts.are_shared();
        }
        let mut measured = self.runs.iter().flat_map(|run| &run.stages).map(|stage| &stage.metrics);
        measured.any(|metrics| {
            let corrected = |metric: &str| metrics.get(&format!("{metric}_corrected"));
            metrics.iter().any(|(metric, value)| corrected(metric).is_some_and(|corrected| corrected != value))
        })
    }

    /// The results as tables and charts hold runs against each other: without the released count of runs that rank items, where
    /// items share ids. It takes a whole id for one place, which their lists do not have.
    #[must_use]
    pub fn side_by_side(mut self) -> Self {
        if self.ids_are_shared() {
            let released = |metric: &str| metric.parse::<UserMetric>().is_ok_and(UserMetric::is_released);
            for run in self.runs.iter_mut().filter(|run| run.ranking == Ranking::Items) {
                run.stages.iter_mut().for_each(|stage| stage.metrics.retain(|metric, _| !released(metric)));
                run.matrix.retain(|metric, _| !released(metric));
                run.continual.retain(|metric, _| !released(metric));
            }
        }
        self
    }
}

/// The error for a run that lacks a protocol.
pub fn not_measured(path: &Path, protocol: Protocol) -> InputError {
    let setting = match protocol {
        Protocol::SameBlock | Protocol::GlobalTime => "SameBlock",
        Protocol::NextBlock => "NextBlock",
    };
    InputError::new(path, format!("{} was not measured", protocol.key())).advice(format!(
        "set `evaluation: (protocol: {setting})`, or `Both`, in the project file and `peso run` again: what is trained is \
         kept and only measured"
    ))
}

/// The error for a run that lacks lists of known items.
pub fn without_known_items(path: &Path) -> InputError {
    InputError::new(path, "lists of known items were not measured").advice(
        "set `evaluation: (known_items: true)` in the project file and `peso run` again: what is trained is kept and only \
         measured",
    )
}

/// Results of one run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunResult {
    /// The run's id: its folder's name.
    pub run: String,
    /// Name of the experiment.
    pub experiment: String,
    /// `frozen`, `single`, `sum_lora`, `peso`, `popularity`, `co_occurrence`.
    pub method: String,
    /// What the places of its lists are.
    #[serde(default)]
    pub ranking: Ranking,
    /// Seed of data order, dropout and initialisation.
    pub seed: u64,
    /// Where the run stands.
    pub status: Status,
    /// Device that the run was started on.
    pub device: String,
    /// Parameters that training changes.
    pub trainable_parameters: u64,
    /// Hash of the settings that decide the numbers.
    pub config_hash: String,
    /// Hash of the dataset.
    pub data_hash: String,
    /// The options that co-occurrence chose, and what by; absent of other methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<ChosenOptions>,
    /// See [`comparison::validation_loss`]; absent where no stage after the first trains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_loss: Option<f64>,
    /// Protocols of which the run has measured cells.
    pub protocols: Vec<Protocol>,
    /// Finished stages, from 1 on; `metrics` are those of the newest model that may be asked: `R[t, t]` under same-block,
    /// `R[t-1, t]` under next-block and global-time.
    pub stages: Vec<StageResult>,
    /// By metric, what its matrix says; of metrics whose matrix is whole, which it never is under next-block.
    pub continual: BTreeMap<String, Continual>,
    /// By metric, `R[i][j]`: the metric on the test set of stage j+1 after training stage i+1. It has a row for each
    /// stage measured so far; a cell that is not measured (yet, or never under next-block) is NaN, in JSON null.
    pub matrix: BTreeMap<String, Vec<Vec<f64>>>,
}

impl RunResult {
    /// What the records of a run say, under a protocol.
    ///
    /// # Errors
    /// Its records cannot be read.
    pub fn read(reader: &RunReader, protocol: Protocol) -> Result<Self, InputError> {
        Ok(Records::read(reader)?.under(protocol))
    }

    /// What the records of a run say under each protocol, in the order of [`Protocol::ALL`].
    ///
    /// # Errors
    /// Its records cannot be read.
    pub fn read_each(reader: &RunReader) -> Result<[Self; Protocol::ALL.len()], InputError> {
        let records = Records::read(reader)?;
        Ok(Protocol::ALL.map(|protocol| records.under(protocol)))
    }
}

/// What is read of a run, whatever the protocol.
struct Records<'r> {
    config: &'r RunConfig,
    status: Status,
    chosen: Option<ChosenOptions>,
    cells: Vec<EvaluationSummary>,
    left_out: BTreeMap<(Protocol, usize), usize>,
    rates: BTreeMap<usize, f64>,
    finished: Vec<StageRecord>,
    /// What each of them left on disk.
    stored_bytes: Vec<u64>,
}

impl<'r> Records<'r> {
    fn read(reader: &'r RunReader) -> Result<Self, InputError> {
        let finished: Vec<StageRecord> = reader.stages()?.into_iter().filter(|stage| stage.finished).collect();
        Ok(Self {
            stored_bytes: finished.iter().map(|record| reader.stored_bytes(record.stage)).collect(),
            finished,
            config: reader.config(),
            status: reader.status()?,
            chosen: reader.chosen_options()?,
            cells: reader.evaluations()?,
            left_out: reader.left_out()?,
            rates: reader.training_rates()?,
        })
    }

    fn under(&self, protocol: Protocol) -> RunResult {
        let (config, cells) = (self.config, &self.cells);
        let protocols: BTreeSet<Protocol> = cells.iter().map(|cell| cell.at.protocol).collect();
        let matrix = matrix_of(cells.iter().filter(|cell| cell.at.protocol == protocol), config.stages);
        RunResult {
            run: config.run.clone(),
            experiment: config.experiment.clone(),
            method: config.method.key().to_owned(),
            ranking: config.method.ranking(),
            seed: config.seed,
            status: self.status,
            device: config.device.clone(),
            trainable_parameters: config.trainable_parameters,
            config_hash: config.config_hash.clone(),
            data_hash: config.data_hash.clone(),
            chosen: self.chosen,
            validation_loss: comparison::validation_loss(&self.finished),
            protocols: protocols.into_iter().collect(),
            stages: self
                .finished
                .iter()
                .zip(&self.stored_bytes)
                .map(|(record, &bytes)| self.stage(protocol, record, bytes))
                .collect(),
            continual: continual_of(&matrix, cells, protocol),
            matrix,
        }
    }

    fn stage(&self, protocol: Protocol, record: &StageRecord, stored_bytes: u64) -> StageResult {
        let stage = record.stage;
        let at = CellIndex { protocol, trained: protocol.newest(stage), tested: stage };
        let cell = self.cells.binary_search_by_key(&at, |cell| cell.at).ok().map(|at| &self.cells[at]);
        StageResult {
            stage,
            train_examples: record.train_examples,
            test_users: match protocol {
                Protocol::SameBlock => record.test_users,
                Protocol::NextBlock | Protocol::GlobalTime => cell.map_or(0, |cell| cell.users as u64),
            },
            left_out_users: self.left_out.get(&(protocol, stage)).map(|&users| users as u64),
            train_seconds: record.train_seconds,
            train_examples_per_s: self.rates.get(&stage).copied(),
            eval_seconds: record.eval_seconds,
            peak_memory_bytes: record.peak_memory_bytes,
            stored_bytes,
            final_loss: record.final_loss,
            validation_losses: record.validation_losses.clone(),
            best_epoch: record.best_epoch,
            metrics: cell.map(|cell| cell.metrics.clone()).unwrap_or_default(),
        }
    }
}

/// Results of one stage of one run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StageResult {
    /// Stage number, from 1.
    pub stage: usize,
    /// Training targets.
    pub train_examples: u64,
    /// Users tested on.
    pub test_users: u64,
    /// Users active in the stage whom the protocol cannot ask: with fewer than 3 interactions in it (same-block), or with
    /// none before it (next-block); absent where that was not recorded.
    pub left_out_users: Option<u64>,
    /// Wall time of training.
    pub train_seconds: f64,
    /// Training targets a second over the optimiser's steps; absent where none was taken.
    pub train_examples_per_s: Option<f64>,
    /// Wall time of evaluation.
    pub eval_seconds: f64,
    /// Most memory in use.
    pub peak_memory_bytes: u64,
    /// Size of what the stage leaves on disk: its adapter and the trained token rows.
    pub stored_bytes: u64,
    /// Mean training loss of the last epoch, in nats a response token.
    pub final_loss: f64,
    /// Validation loss after each epoch, in the method's own unit: of the language model in nats a response token, of the
    /// other recommenders in nats a target. Empty where nothing was trained.
    #[serde(default)]
    pub validation_losses: Vec<f64>,
    /// Epoch that was kept, from 1: the one of the least validation loss; 0 where nothing was trained.
    #[serde(default)]
    pub best_epoch: usize,
    /// `hit@1` … `ndcg@20`, the same with `_corrected` (ties of shared ids by expectation; without it any item of the
    /// id is a hit, as released), the same with `_known` of lists of known items where these were made (`hit@10_known`,
    /// `hit@10_known_corrected`), `invalid_rate`.
    pub metrics: BTreeMap<String, f64>,
}

/// `R[i][j]` of every metric, one row for each stage up to the last that was measured; cells not measured are NaN.
fn matrix_of<'c>(
    cells: impl Iterator<Item = &'c EvaluationSummary> + Clone,
    stages: usize,
) -> BTreeMap<String, Vec<Vec<f64>>> {
    let within =
        |cell: &&EvaluationSummary| (1..=stages).contains(&cell.at.trained) && (1..=stages).contains(&cell.at.tested);
    let rows = cells.clone().filter(within).map(|cell| cell.at.trained).max().unwrap_or(0);
    let mut matrix: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    for cell in cells.filter(within) {
        for (name, value) in &cell.metrics {
            let of_metric = matrix.entry(name.clone()).or_insert_with(|| vec![vec![f64::NAN; stages]; rows]);
            of_metric[cell.at.trained - 1][cell.at.tested - 1] = *value;
        }
    }
    matrix
}

/// The continual measures of every metric whose matrix is whole.
fn continual_of(
    matrix: &BTreeMap<String, Vec<Vec<f64>>>,
    cells: &[EvaluationSummary],
    protocol: Protocol,
) -> BTreeMap<String, Continual> {
    let untrained = |metric: &str, tested: usize| {
        let at = CellIndex { protocol, trained: 0, tested };
        let cell = cells.iter().find(|cell| cell.at == at);
        cell.and_then(|cell| cell.metrics.get(metric).copied()).unwrap_or(f64::NAN)
    };
    let measures = |(metric, rows): (&String, &Vec<Vec<f64>>)| {
        let untrained: Vec<f64> = (2..=rows.len()).map(|tested| untrained(metric, tested)).collect();
        Some((metric.clone(), Continual::of(rows, &untrained)?))
    };
    matrix.iter().filter_map(measures).collect()
}
