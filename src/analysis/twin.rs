//! The twin of a stage: the same training without the proximal term, from the same start, with the same order of data and the
//! same dropout. It says where the stage's data alone leads.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{Unrecorded, analysis_folder, cache};
use crate::error::RunError;
use crate::files;
use crate::method::{Guides, Part};
use crate::model::Adapter;
use crate::model::backend::TrainingBackend;
use crate::run::RunFolder;
use crate::run::checkpoint::Checkpoint;
use crate::run::observer::{Level, Observer, StageRecord};
use crate::train::stage_artifacts::{after_stage, write_adapter};
use crate::train::stage_data::StageData;
use crate::train::{Task, jobs, model_loading};

/// A trained twin.
pub struct Twin {
    /// Folder of its adapter and its token rows.
    pub folder: PathBuf,
    pub record: TwinRecord,
}

/// How its training went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TwinRecord {
    /// Epoch of the least validation loss, which is kept, from 1.
    pub best_epoch: usize,
    pub validation_losses: Vec<f64>,
}

/// The twin of a stage (from 1), trained once: from `start`, on the stage's own data. A training that was stopped goes on.
///
/// # Errors
/// The user stops; the loss is no number; a folder cannot be read or written.
pub fn twin<B: TrainingBackend>(
    task: &Task<'_>,
    run: &RunFolder,
    (data, start): (&StageData, &Adapter),
    device: &B::Device,
    observer: &mut Unrecorded<'_>,
) -> Result<Twin, RunError> {
    let stage = data.index + 1;
    let made_from = cache::made_from(run, 1..stage)?;
    // A start of another hash has a folder of its own, so that neither its adapter nor its checkpoint is taken for this one's.
    let folder = analysis_folder(run, stage).join(format!("twin-{}", &made_from[..8]));
    let (done, checkpoint) = (folder.join("twin.json"), folder.join("checkpoint"));
    if let Some(record) = cache::read(&done, &made_from) {
        return Ok(Twin { folder, record });
    }
    observer
        .event(Level::Info, &format!("stage {stage}: training once without the pull, to see where the data leads"))?;
    let stages = task.dataset.stages.len();
    let mut model =
        after_stage::<B>(task, run, stage - 1, device, &mut model_loading::on_progress(observer, stage, stages))?;
    let part = Part::from(start.clone());
    jobs::put(&part, &mut model, device);
    let job = jobs::stage_job(task, data, &part, 0, run.config().seed, checkpoint.clone());
    let mut record = StageRecord { stage, ..StageRecord::default() };
    job.run(&mut model, &mut Guides::default(), Checkpoint::load(&checkpoint)?, &mut record, observer)?;
    write_adapter(task, &mut model, &[], &folder)?;
    let StageRecord { best_epoch, validation_losses, .. } = record;
    let record = TwinRecord { best_epoch, validation_losses };
    cache::write(&done, &made_from, &record)?;
    // The twin is whole; a checkpoint that cannot be removed only takes room.
    let _ = files::remove_folder(&checkpoint);
    Ok(Twin { folder, record })
}
