//! What the runs of a project share: data, tokens, the shape of the base model, the device.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::evaluate::KnownCatalogue;
use super::model_identity::ModelIdentity;
use crate::baseline::DatasetSize;
use crate::data::Dataset;
use crate::data::formats::OnProgress;
use crate::device::{self, Device};
use crate::error::{InputError, RunError};
use crate::method::AdapterMethod;
use crate::model::prompt::Continuations;
use crate::model::{LlamaConfig, Vocabulary, VocabularyMode};
use crate::project::Project;
use crate::run::RunOptions;
use crate::run::config::{RunConfig, RunMethod};
use crate::semantic_id::Trie;

/// What all runs of a project share: its data, and the tokens made of it. A clone shares them too.
#[derive(Clone)]
pub struct Task<'a> {
    pub project: &'a Project,
    pub dataset: Arc<Dataset>,
    pub trie: Arc<Trie>,
    /// By stage: the items known by it, made when they are first asked for.
    pub known: Arc<[OnceLock<KnownCatalogue>]>,
    pub vocabulary: Vocabulary,
    /// What follows at each node of the trie, as tokens.
    pub continuations: Arc<Continuations>,
    /// Shape of the base model.
    pub llama: LlamaConfig,
    pub device: Device,
    pub device_name: String,
    pub runs_dir: PathBuf,
    pub fresh: bool,
    pub checkpoint_every: Duration,
}

impl<'a> Task<'a> {
    /// Loads a project's data and looks at its base model.
    ///
    /// # Errors
    /// Data or model cannot be used, or the device is not there.
    pub fn load(project: &'a Project, options: &RunOptions) -> Result<Self, RunError> {
        Self::load_watched(project, options, &mut |_| ControlFlow::Continue(()))
    }

    /// The same, with the progress of an import told to `watch`.
    ///
    /// # Errors
    /// As [`Task::load`], or stopped where `watch` ended the import.
    pub fn load_watched(project: &'a Project, options: &RunOptions, watch: OnProgress<'_>) -> Result<Self, RunError> {
        project.check_trainable()?;
        let index = project.index_path();
        let dataset = Dataset::load_with_progress(&project.dataset, index.as_deref(), &project.folder, watch)?.dataset;
        Self::of(project, Arc::new(dataset), options)
    }

    /// As [`Self::load`], of data that are read already.
    ///
    /// # Errors
    /// The base model cannot be used, or the device is not there.
    pub fn of(project: &'a Project, dataset: Arc<Dataset>, options: &RunOptions) -> Result<Self, RunError> {
        project.check_trainable()?;
        let llama = project.architecture()?;
        let (device, survey) = device::required(options.device)?;
        let trie = Trie::new(&dataset.index);
        let vocabulary = project.vocabulary(&llama, &dataset.index)?;
        Ok(Self {
            project,
            continuations: Arc::new(Continuations::new(&trie, &vocabulary)),
            trie: Arc::new(trie),
            known: dataset.stages.iter().map(|_| OnceLock::new()).collect(),
            vocabulary,
            dataset,
            llama,
            device_name: format!("{} ({})", survey.chosen, survey.name),
            device,
            runs_dir: project.runs_dir(options.out.as_deref()),
            fresh: options.fresh,
            checkpoint_every: options.checkpoint_every,
        })
    }

    /// The task of one of the project's runs: the same but for the project, or with other data where the run has data of its own.
    ///
    /// # Errors
    /// As [`Self::load`], of the run's data.
    pub fn of_run<'r>(&self, project: &'r Project) -> Result<Task<'r>, RunError> {
        if project.dataset == self.project.dataset {
            return Ok(Task { project, ..self.clone() });
        }
        let dataset = Arc::new(Dataset::load(&project.dataset, project.index_path().as_deref(), &project.folder)?);
        let trie = Trie::new(&dataset.index);
        let vocabulary = project.vocabulary(&self.llama, &dataset.index)?;
        Ok(Task {
            project,
            continuations: Arc::new(Continuations::new(&trie, &vocabulary)),
            trie: Arc::new(trie),
            known: dataset.stages.iter().map(|_| OnceLock::new()).collect(),
            vocabulary,
            dataset,
            ..self.clone()
        })
    }

    /// Parameters that a method trains in a stage: the adapter's and the chosen rows of embedding and head.
    pub fn trainable_parameters(&self, method: &dyn AdapterMethod) -> u64 {
        let rank = self.project.training.lora.rank;
        let (mut a, mut b) = (0, 0);
        for (_, (output, input)) in self.llama.modules() {
            a += (rank * input) as u64;
            b += (rank * output) as u64;
        }
        let rows = match self.project.training.vocabulary {
            VocabularyMode::Frozen => 0,
            VocabularyMode::NewTokens => self.vocabulary.added,
            VocabularyMode::Full => self.vocabulary.tokens(),
        };
        let tables = if self.llama.tied { 1 } else { 2 };
        method.trainable([a, b], (tables * rows * self.llama.width) as u64)
    }

    /// What identifies the model that runs of a seed begin with.
    pub(super) fn model(&self, seed: u64) -> ModelIdentity<'_> {
        ModelIdentity { project: self.project, llama: &self.llama, vocabulary: &self.vocabulary, seed }
    }

    /// The configuration of a run of this task.
    pub(super) fn config(&self, experiment: &str, method: RunMethod, seed: u64) -> Result<RunConfig, InputError> {
        let config_hash = RunConfig::hash_of(self.project, &method)?;
        let learned = method.is_learned();
        Ok(RunConfig {
            format: RunConfig::FORMAT,
            identity: RunConfig::IDENTITY,
            run: RunConfig::id_of(experiment, &method, seed, &config_hash),
            experiment: experiment.to_owned(),
            trainable_parameters: match &method {
                RunMethod::Learned(options) => {
                    let recommender = options.method().recommender_parameters(DatasetSize::of(&self.dataset));
                    let adapter = || options.adapter_method().map(|method| self.trainable_parameters(method));
                    recommender.or_else(adapter).unwrap_or(0)
                }
                RunMethod::Popularity | RunMethod::CoOccurrence => 0,
            },
            device: if learned { self.device_name.clone() } else { "cpu".to_owned() },
            model_hash: if method.adapts_model() { self.model(seed).start_hash()? } else { String::new() },
            method,
            seed,
            project: self.project.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config_hash,
            data_hash: self.dataset.hash.clone(),
            synthetic: self.dataset.synthetic,
            stages: self.dataset.stages.len(),
            catalogue: Some(self.dataset.index.id_counts()),
            created_unix: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
        })
    }
}
