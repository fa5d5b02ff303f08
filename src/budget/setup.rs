//! What a project's data, prompt and base model come to together, before anything is loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::memory_estimate::Sizes;
use crate::data::{Dataset, Stage};
use crate::error::{InputError, RunError};
use crate::model::prompt::Preview;
use crate::model::{BaseModel, Compact};
use crate::project::{Evaluation, Project, Training};
use crate::run::RunOptions;
use crate::train::Task;
use crate::train::prompt_preview::preview_of;
use crate::train::stage_data::writer;
use crate::{device, peak_memory};

/// Everything that depends on the data.
#[derive(Debug)]
pub struct Setup {
    /// An example as the model reads it.
    pub preview: Result<Preview, InputError>,
    /// Names of the tokens that are added to the base model's, in the order of their numbers.
    pub added: Arc<Vec<String>>,
    /// Number of the first of them: the tokens that the base model came with.
    pub base_tokens: usize,
    /// Training targets of all stages, and those among them that share their user's history.
    pub targets: usize,
    pub shared_targets: usize,
    pub sizes: Sizes,
    pub devices: Vec<DeviceMemory>,
}

/// A device that could train.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceMemory {
    /// `cpu`, `wgpu`, `cuda`.
    pub kind: String,
    pub name: String,
    /// Whether runs take it by themselves.
    pub chosen: bool,
    /// Memory that is free now, in bytes, where the device tells.
    pub available_bytes: Option<u64>,
}

impl Setup {
    /// Looks at the base model's headers and writes the steps of every stage; nothing is loaded.
    ///
    /// # Errors
    /// Model, tokenizer or prompt cannot be used with the data.
    pub fn of(project: &Project, dataset: Arc<Dataset>) -> Result<Self, RunError> {
        let task = Task::of(project, dataset, &RunOptions::default())?;
        let writer = writer(&task);
        let (mut targets, mut shared_targets) = (0, 0);
        for user in task.dataset.stages.iter().flat_map(Stage::participants) {
            let of_user = user.training_targets();
            targets += of_user.len();
            shared_targets += of_user.filter(|&at| writer.shares(at)).count();
        }
        Ok(Self {
            preview: preview_of(&task),
            added: Arc::new(task.vocabulary.added_tokens(&task.dataset.index).map(|(name, _)| name).collect()),
            base_tokens: task.vocabulary.base,
            targets,
            shared_targets,
            sizes: Sizes::of(&task),
            devices: devices(),
        })
    }
}

/// The devices that can be used, that of the runs first. One that emulates a GPU is left out: no run takes it by itself.
fn devices() -> Vec<DeviceMemory> {
    let survey = device::survey();
    let found = survey.found.iter().filter(|found| found.usable && !found.software);
    let mut devices: Vec<DeviceMemory> = found
        .map(|found| DeviceMemory {
            kind: found.kind.clone(),
            name: found.name.clone(),
            chosen: found.kind == survey.chosen && found.name == survey.name,
            // Neither wgpu nor CUDA through it tells how much memory is free.
            available_bytes: if found.kind == "cpu" { peak_memory::available_bytes() } else { None },
        })
        .collect();
    devices.sort_by_key(|device| !device.chosen);
    devices
}

/// The project with everything at its default that [`Setup`] does not depend on: projects that come to the same have equal
/// setups, but for what [`Sizes::under`] puts in.
pub fn relevant(project: &Project) -> Project {
    let Training { batch, max_history, softmax, ref validation_users, .. } = project.training;
    let Evaluation { beams, users, .. } = project.evaluation;
    Project {
        format: project.format,
        name: String::new(),
        dataset: project.dataset.clone(),
        base_model: match &project.base_model {
            BaseModel::Compact(_) => BaseModel::Compact(Compact::default()),
            others => others.clone(),
        },
        semantic_ids: project.semantic_ids.clone(),
        prompt: project.prompt.clone(),
        training: Training { batch, max_history, softmax, validation_users: *validation_users, ..Training::default() },
        evaluation: Evaluation { beams, users, ..Evaluation::default() },
        experiments: Vec::new(),
        sweeps: Vec::new(),
        seeds: project.seeds.iter().take(1).copied().collect(),
        styles: BTreeMap::new(),
        board: Vec::new(),
        read_only: false,
        decision: None,
        notes: String::new(),
        tags: Vec::new(),
        folder: project.folder.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::{LoraShape, VocabularyMode};
    use crate::project::file::DEMO;

    fn demo() -> Project {
        Project::parse(DEMO, Path::new("project.ron")).unwrap()
    }

    fn setup(project: &Project) -> Setup {
        let dataset = Dataset::load(&project.dataset, None, &project.folder).unwrap();
        Setup::of(&relevant(project), Arc::new(dataset)).unwrap()
    }

    #[test]
    fn sizes_under_other_settings_are_those_of_a_project_with_them() {
        let demo = demo();
        let mut other = demo.clone();
        other.training.lora = LoraShape::of(3, 6.0);
        other.training.vocabulary = VocabularyMode::Frozen;
        (other.training.accumulation, other.training.checkpointing) = (4, true);
        other.base_model = BaseModel::Compact(Compact { layers: 7, ..Compact::default() });
        assert_eq!(relevant(&demo), relevant(&other), "one question for both");
        let found = setup(&demo);
        let estimate = found.sizes.under(&other).on("cpu", None);
        let task = Task::load(&other, &RunOptions::default()).unwrap();
        assert_eq!(estimate, Sizes::of(&task).on("cpu", None));
        assert_ne!(estimate.parts, found.sizes.under(&demo).on("cpu", None).parts);
        other.training.batch += 1;
        assert_ne!(relevant(&demo), relevant(&other));
    }

    #[test]
    fn what_is_added_and_shared_is_counted() {
        let found = setup(&demo());
        assert_eq!((found.base_tokens, found.added[0].as_str()), (0, "<|history|>"));
        assert!(found.added[3].starts_with("<a_"));
        assert!(0 < found.shared_targets && found.shared_targets <= found.targets);
        let mut short = demo();
        short.training.max_history = 1;
        assert!(setup(&short).shared_targets < found.shared_targets);
        assert!(found.devices[0].chosen && found.devices.iter().any(|device| device.available_bytes.is_some()));
    }
}
