//! What moved in a run: subspaces of its adapters' updates, stage by stage and module by module.
//!
//! *The update after stage t* is the whole `ΔW` that predicts then: with past adapters that a method adds, and their
//! magnitudes. What *trained* in the stage is the adapter that the next stage calls the latest; the two differ for methods
//! that add adapters. Everything here reads a run folder alone, and may be called off the window's thread; what takes long
//! looks at a flag now and then and ends early where it is set.

mod compared;
mod delta_weight;
mod directions;
mod grouped;
mod measured;
mod report;
mod token_rows;
mod updates;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};

use self::updates::{FileState, Updates};
use crate::error::InputError;
use crate::files;
use crate::model::Adapter;
use crate::run::RunFolder;

pub use self::compared::{ComparedModule, Comparison, compare};
pub use self::delta_weight::delta_weight;
pub use self::directions::{
    Arrow, Continuation, Directions, ModuleDirections, Source, StageDirections, directions, module_directions,
};
pub use self::report::{
    Between, Group, GroupStage, ModuleReport, ModuleStage, Moved, RowsReport, RowsStage, SidedAngles, SubspaceReport,
};

/// The report of a run lies in its folder, so that it is computed once.
const CACHE: &str = "subspace.json";
/// Larger than any report.
const LARGEST_CACHE: u64 = 1 << 30;
/// Version of the cache's layout; another one is computed anew.
const VERSION: u32 = 1;

/// A report with what it was made of.
#[derive(Serialize, Deserialize)]
struct Cached {
    version: u32,
    made_of: Vec<FileState>,
    report: SubspaceReport,
}

/// The report of a run, from the run's folder where it is there and no adapter has changed; none where `cancelled` was set
/// meanwhile.
///
/// # Errors
/// The run has no adapters, or they cannot be used.
pub fn subspace_report(run: &RunFolder, cancelled: &AtomicBool) -> Result<Option<SubspaceReport>, InputError> {
    let file = run.path().join(CACHE);
    let made_of = updates::files_of(run);
    if let Some(report) = read_cache(&file, &made_of) {
        return Ok(Some(report));
    }
    let Some(report) = measured::report(run, cancelled)? else { return Ok(None) };
    let bytes = serde_json::to_vec(&Cached { version: VERSION, made_of: made_of.clone(), report });
    let bytes = bytes.map_err(|error| InputError::new(&file, error.to_string()))?;
    // In a folder that cannot be written the report is computed each time.
    let _ = files::write_atomically(&file, &bytes);
    // A number may differ in its last bit after it was written, so the first answer is read back as all later ones are.
    let cached: Cached = serde_json::from_slice(&bytes).map_err(|error| InputError::new(&file, error.to_string()))?;
    Ok(Some(cached.report))
}

/// A report as it lies in the folder of a run that has no adapters, in a bundle.
pub fn bundled(report: SubspaceReport) -> impl Serialize {
    Cached { version: VERSION, made_of: Vec::new(), report }
}

fn read_cache(file: &Path, made_of: &[FileState]) -> Option<SubspaceReport> {
    // Whatever is wrong with it, the report is computed anew.
    let cached: Cached = serde_json::from_str(&files::read_text(file, LARGEST_CACHE).ok()?).ok()?;
    (cached.version == VERSION && cached.made_of == made_of).then_some(cached.report)
}

/// Whether somebody no longer waits for the answer.
fn is_set(cancelled: &AtomicBool) -> bool {
    cancelled.load(Ordering::Relaxed)
}

/// The adapter that was trained in each stage (from 1) whose adapter is there, without what it carries of earlier ones.
///
/// # Errors
/// The run has no adapters, or they cannot be used.
pub fn trained_adapters(run: &RunFolder) -> Result<Vec<(usize, Adapter)>, InputError> {
    let updates = Updates::open(run)?;
    let stages = updates.stages();
    let adapter = |(index, stage): (usize, usize)| {
        let pairs = updates.modules.iter().map(|module| Ok((module.name.clone(), updates.trained(index, module)?)));
        Ok((stage, Adapter { modules: pairs.collect::<Result<_, InputError>>()? }))
    };
    stages.into_iter().enumerate().map(adapter).collect()
}
