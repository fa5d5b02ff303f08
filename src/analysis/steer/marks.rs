//! Where the other methods stand on a step.

use super::protocol::Mark;
use crate::run::{RunConfig, RunFolder, Status};
use crate::train::Task;
use crate::train::steering::StageStep;

/// Marks at most; of more the first by name.
const MOST: usize = 6;

/// The marks of finished runs of Single and PESO beside a run, with its seed, data and model; and why others have none.
pub(super) fn marks(task: &Task<'_>, run: &RunFolder, stage: usize, step: &StageStep) -> (Vec<Mark>, Vec<String>) {
    let (mut marks, mut elsewhere) = (Vec::new(), Vec::new());
    let config = run.config();
    for other in run.path().parent().map(RunFolder::list).unwrap_or_default() {
        if !is_comparable(config, other.config()) || other.status() != Status::Finished {
            continue;
        }
        let name = other.config().experiment.clone();
        let place = StageStep::read(task, &other, stage).ok().and_then(|theirs| step.place_of(&theirs));
        match place {
            Some(place) => marks.push(Mark { name, step: place.step, along: place.along }),
            None => elsewhere.push(name),
        }
    }
    marks.sort_by(|one, other| one.name.cmp(&other.name));
    let surplus = marks.len().saturating_sub(MOST);
    marks.truncate(MOST);
    let mut notes = Vec::new();
    if !elsewhere.is_empty() {
        let verb = if elsewhere.len() == 1 { "has" } else { "have" };
        notes.push(format!(
            "{} {verb} no mark: before stage {stage} the adapter was another one, so the steps begin in different places",
            elsewhere.join(", ")
        ));
    }
    if surplus > 0 {
        notes.push(format!("{surplus} more runs are left out of the marks"));
    }
    (marks, notes)
}

/// Whether both runs' states can be compared, and the other is of a method whose place is of interest.
fn is_comparable(config: &RunConfig, other: &RunConfig) -> bool {
    let made_of = |config: &RunConfig| {
        let RunConfig { seed, data_hash, model_hash, project, .. } = config;
        (*seed, data_hash.clone(), model_hash.clone(), project.training.lora, project.training.vocabulary)
    };
    other.run != config.run && ["single", "peso"].contains(&other.method.key()) && made_of(config) == made_of(other)
}
