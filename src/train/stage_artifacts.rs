//! What a stage leaves in its folder: adapters as PEFT, trained token rows, a method's memory; and the models they make.

use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;

use super::Task;
use super::base_model::load_base;
use super::jobs::trained;
use super::model_loading::OnProgress;
use crate::error::InputError;
use crate::files;
use crate::method::gradient_surgery::Meeting;
use crate::method::plan::Matrices;
use crate::method::{AdapterMethod, Combination};
use crate::model::Llama;
use crate::model::adapter::{Adapter, Matrix, Snapshot};
use crate::model::backend::TrainingBackend;
use crate::model::beam::Ensemble;
use crate::model::llama::Kind;
use crate::model::ranks::Ranks;
use crate::model::weights::{self, Weights, write_peft};
use crate::run::RunFolder;

/// What a method keeps of a stage, in the stage's folder.
pub const MEMORY_FILE: &str = "memory.safetensors";

/// How the stage's first gradient met the last stage's movement, in the stage's folder, where it started with gradient surgery.
pub const MEETINGS_FILE: &str = "conflicts.json";

/// Larger than that file is for any model.
const MOST_MEETINGS: u64 = 64 << 20;

/// The two adapters of a stage, in its folder, where it trains two.
pub const MAIN: &str = "main";
pub const BESIDE: &str = "beside";

/// Folder of the adapter that the next stage calls the latest.
pub fn main_folder(folder: &RunFolder, stage: usize) -> PathBuf {
    let whole = folder.adapter(stage);
    let main = whole.join(MAIN);
    if main.is_dir() { main } else { whole }
}

/// The rank of each module that a run's adapters have of their own: those of stage 1, beside which later stages may carry past
/// adapters.
///
/// # Errors
/// The adapter of stage 1 cannot be read.
pub fn own_ranks(task: &Task<'_>, folder: &RunFolder) -> Result<Ranks, InputError> {
    Ok(weights::read_peft(&folder.adapter(1), &task.llama)?.0.ranks())
}

/// The model as a stage left it, with its main adapter.
///
/// # Errors
/// Its files cannot be used.
pub fn after_stage<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    stage: usize,
    device: &B::Device,
    on_progress: &mut OnProgress<'_>,
) -> Result<Llama<B>, InputError> {
    with_adapter(task, folder, &main_folder(folder, stage), device, on_progress)
}

/// The base model with the adapter and the token rows that lie in a folder.
///
/// # Errors
/// Its files cannot be used.
pub fn with_adapter<B: TrainingBackend>(
    task: &Task<'_>,
    run: &RunFolder,
    folder: &Path,
    device: &B::Device,
    on_progress: &mut OnProgress<'_>,
) -> Result<Llama<B>, InputError> {
    let mut model = load_base::<B>(task, run, device, on_progress)?;
    StageState::read(task, folder)?.put_on(&mut model);
    Ok(model)
}

/// What a stage's folder puts on the base model.
#[derive(Debug, Clone, PartialEq)]
pub struct StageState {
    pub adapter: Adapter,
    /// Trained token rows; none where none were trained.
    pub rows: Snapshot,
}

impl StageState {
    /// Reads the adapter and the token rows that lie in a folder.
    ///
    /// # Errors
    /// Its files cannot be used.
    pub fn read(task: &Task<'_>, folder: &Path) -> Result<Self, InputError> {
        Ok(Self { adapter: weights::read_peft(folder, &task.llama)?.0, rows: read_token_rows(folder)? })
    }

    /// Puts it on the base model, or on one that another state of the same run is on.
    pub fn put_on<B: Backend>(&self, model: &mut Llama<B>) {
        self.rows.restore(model);
        self.adapter.put_on(model);
    }

    /// Writes it into a folder, as a stage leaves it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(self, task: &Task<'_>, folder: &Path) -> Result<(), InputError> {
        write_peft(folder, &self.adapter.of_one_rank(), task.project.training.lora, &self.rows.parameters)
    }
}

/// Writes a trained adapter: with what past ones add to it, as PEFT, and the trained rows.
///
/// # Errors
/// The folder cannot be written.
pub fn write_adapter<B: TrainingBackend>(
    task: &Task<'_>,
    model: &mut Llama<B>,
    added: &[Adapter],
    folder: &Path,
) -> Result<(), InputError> {
    let magnitudes = model.magnitudes.clone().map(|magnitudes| Matrix::from_tensor(magnitudes).values);
    let magnitude = |index: usize| magnitudes.as_ref().map_or(1.0, |all| all[index]);
    let current = Adapter::of(model).scaled(magnitude(0));
    let added = added.iter().cloned().zip(1..).map(|(adapter, index)| adapter.scaled(magnitude(index)));
    let whole = added.fold(current, |whole, next| whole.concatenated(&next));
    let mode = task.project.training.vocabulary;
    let rows = |kind| trained(mode, true)(kind) && matches!(kind, Kind::BaseRows | Kind::AddedRows);
    write_peft(folder, &whole, task.project.training.lora, &Snapshot::of(model, rows).parameters)
}

/// Writes how a stage's first gradient met the last stage's movement into the stage's folder.
///
/// # Errors
/// The file cannot be written.
pub fn write_meetings(meetings: &[Meeting], folder: &Path) -> Result<(), InputError> {
    let file = folder.join(MEETINGS_FILE);
    let json = serde_json::to_vec(meetings).map_err(|error| InputError::new(&file, error.to_string()))?;
    files::write_atomically(&file, &json)
}

/// What [`write_meetings`] wrote; none where the stage did not start with gradient surgery.
///
/// # Errors
/// The file is there and cannot be read.
pub fn read_meetings(run: &RunFolder, stage: usize) -> Result<Option<Vec<Meeting>>, InputError> {
    let file = run.adapter(stage).join(MEETINGS_FILE);
    if !file.is_file() {
        return Ok(None);
    }
    let text = files::read_text(&file, MOST_MEETINGS)?;
    let advice = "its run wrote it; train the stage again, or leave the figure out";
    serde_json::from_str(&text).map(Some).map_err(|error| InputError::new(&file, error.to_string()).advice(advice))
}

/// The trained token rows that lie beside an adapter; none where none were trained.
///
/// # Errors
/// They cannot be read.
pub fn read_token_rows(folder: &Path) -> Result<Snapshot, InputError> {
    let file = folder.join(weights::ROWS_FILE);
    let parameters = if file.is_file() { read_matrices(&file)? } else { Matrices::new() };
    Ok(Snapshot { parameters })
}

/// Whether trained token rows lie beside an adapter.
pub fn has_token_rows(folder: &Path) -> bool {
    folder.join(weights::ROWS_FILE).is_file()
}

/// Matrices of a file, by name.
///
/// # Errors
/// They cannot be read.
pub fn read_matrices(file: &Path) -> Result<Matrices, InputError> {
    let weights = Weights::open_file(file)?;
    let names: Vec<String> = weights.names().map(str::to_owned).collect();
    names.into_iter().map(|name| weights.matrix(&name, None).map(|matrix| (name, matrix))).collect()
}

/// What predicts after a stage.
///
/// # Errors
/// Its files cannot be used.
pub fn predicting<B: TrainingBackend>(
    task: &Task<'_>,
    folder: &RunFolder,
    stage: usize,
    device: &B::Device,
    on_progress: &mut OnProgress<'_>,
) -> Result<Ensemble<B::InnerBackend>, InputError> {
    let mut load = |folder_of_adapter: &Path| -> Result<_, InputError> {
        Ok(with_adapter::<B>(task, folder, folder_of_adapter, device, on_progress)?.map(&|t: Tensor<B, 2>| t.inner()))
    };
    let whole = folder.adapter(stage);
    let combination = folder.config().method.adapter_method().and_then(AdapterMethod::combination);
    let beside = whole.join(BESIDE);
    match combination {
        Some((Combination::Predictions, share)) if beside.is_dir() => {
            Ok(Ensemble { models: vec![(1.0 - share, load(&whole)?), (share, load(&beside)?)] })
        }
        _ => Ok(load(&whole)?.into()),
    }
}
