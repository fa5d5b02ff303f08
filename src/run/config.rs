//! The frozen configuration of a run, its hash and its id.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::baseline::co_occurrence;
use crate::canonical;
use crate::error::InputError;
use crate::id_training::TrainIds;
use crate::measure::Ranking;
use crate::method::{AdapterMethod, MethodOptions, Peso};
use crate::model::BaseModel;
use crate::project::slug::{SHARED_PREFIX, slug};
use crate::project::{Evaluation, Project, Protocols, SemanticIds, Training};
use crate::semantic_id::IdCounts;

/// Everything that a run was started with, written once as `run.ron`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Version of the run folder's layout.
    pub format: u32,
    /// [`RunConfig::IDENTITY`] of the program that made the run.
    #[serde(default = "first_identity")]
    pub identity: u32,
    /// The run's id, its folder's name where both are of one identity.
    pub run: String,
    /// Name of the experiment.
    pub experiment: String,
    /// What is trained or counted.
    pub method: RunMethod,
    /// Seed of data order, dropout and initialisation.
    pub seed: u64,
    /// The project as it was.
    pub project: Project,
    /// The device that the run was started on.
    pub device: String,
    /// Version of the program.
    pub version: String,
    /// [`RunConfig::hash_of`]: equal hashes (and data, model and seed) give equal numbers.
    pub config_hash: String,
    /// The dataset's hash.
    pub data_hash: String,
    /// Hash of the base model as it was before stage 1, of the run's own [`identity`](Self::identity).
    pub model_hash: String,
    /// Whether the data is generated; whatever shows the run says so.
    pub synthetic: bool,
    /// Number of stages.
    pub stages: usize,
    /// How many items and ids the catalogue has; absent in runs of before it was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalogue: Option<IdCounts>,
    /// Parameters that training changes.
    pub trainable_parameters: u64,
    /// Seconds since 1970.
    pub created_unix: u64,
}

/// Runs of before the number was written.
fn first_identity() -> u32 {
    1
}

/// Name of the compact base model as a shared part, in its folder's name.
pub const BASE: &str = "base";

/// What a run trains or counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum RunMethod {
    /// Trains adapters on the base model.
    Learned(MethodOptions),
    /// Recommends what is popular in the block.
    Popularity,
    /// Recommends what occurs together with the history's items.
    CoOccurrence,
}

impl RunConfig {
    /// The layout of run folders that this program reads and writes.
    pub const FORMAT: u32 = 1;

    /// How hashes of settings and models are made (see [`canonical`]). A run of another identity has the hash of its settings
    /// made again when it is opened, so that it stays a run of its project.
    pub const IDENTITY: u32 = 2;

    /// SHA-256 (hex) of the settings that decide a run's numbers: the data's and the model's options, the prompt,
    /// training, evaluation and the method. Names, notes, seeds, other experiments and the folders that files lie in
    /// do not count; what the files hold has hashes of its own. Nor do the protocol and whether
    /// lists of known items are made too: they decide which numbers there are, not what they are, and a run is given those
    /// that it lacks. Settings at their defaults are left out, so that an option
    /// that comes with a later version leaves the hashes of those who do not use it as they are.
    ///
    /// # Errors
    /// Never for a project that was read; serde's own error otherwise.
    pub fn hash_of(project: &Project, method: &RunMethod) -> Result<String, InputError> {
        match settings(project, method) {
            Ok(settings) => Ok(canonical::hash(&format!("run settings {}", Self::IDENTITY), &settings)),
            Err(error) => Err(InputError::new(&project.folder, error.to_string())),
        }
    }

    /// [`Self::hash_of`] of an experiment, or a point of a sweep, as the project has it now; none where it has it not.
    pub fn hash_now(project: &Project, experiment: &str) -> Option<String> {
        let variants = project.variants().ok()?;
        let variant = variants.into_iter().find(|variant| variant.experiment.name == experiment)?;
        Self::hash_of(&variant.project(project), &RunMethod::Learned(variant.experiment.method)).ok()
    }

    /// [`Self::hash_of`] for the compact base model of a project's runs, which depends on fewer settings than they do.
    ///
    /// # Errors
    /// As [`Self::hash_of`].
    pub fn hash_of_base(project: &Project) -> Result<String, InputError> {
        Self::hash_of(&base_settings(project), &RunMethod::Learned(MethodOptions::Frozen))
    }

    /// A run's id: `<experiment>-s<seed>-<8 digits of the hash>`, for a non-learned baseline `<name>-<8 digits>`.
    pub fn id_of(experiment: &str, method: &RunMethod, seed: u64, config_hash: &str) -> String {
        let short: String = config_hash.chars().take(8).collect();
        match method {
            RunMethod::Learned(_) => format!("{}-s{seed}-{short}", slug(experiment)),
            RunMethod::Popularity => format!("popularity-{short}"),
            RunMethod::CoOccurrence => format!("co-occurrence-{short}"),
        }
    }

    /// The configuration with hash and id as this program makes them, whatever program made the run.
    ///
    /// # Errors
    /// As [`Self::hash_of`].
    pub(super) fn recognised(self) -> Result<Self, InputError> {
        // Co-occurrence had options of its own before they were chosen: such a run is none of this program's.
        if self.identity == Self::IDENTITY || self.method == RunMethod::CoOccurrence {
            return Ok(self);
        }
        Ok(match self.run.strip_prefix(SHARED_PREFIX) {
            Some(part) if part.starts_with(BASE) => Self { config_hash: Self::hash_of_base(&self.project)?, ..self },
            Some(_) => Self { config_hash: Self::hash_of(&self.project, &self.method)?, ..self },
            None => {
                let config_hash = Self::hash_of(&self.project, &self.method)?;
                let run = Self::id_of(&self.experiment, &self.method, self.seed, &config_hash);
                Self { run, config_hash, ..self }
            }
        })
    }

    /// Whether the run was made from this project: it has its name, or its dataset.
    pub fn belongs_to(&self, project: &Project) -> bool {
        self.project.name == project.name || self.project.dataset == project.dataset
    }

    /// Refuses a configuration that no run of this program can have.
    pub(super) fn check(&self, file: &Path) -> Result<(), InputError> {
        if self.format != Self::FORMAT {
            return Err(InputError::new(file, format!("format {} is not known", self.format))
                .at("field `format`")
                .advice(format!("this version reads format {}", Self::FORMAT)));
        }
        // The id is a part of paths.
        if self.run.is_empty() || self.run.contains(|c: char| !c.is_alphanumeric() && c != '-') {
            return Err(InputError::new(file, format!("\"{}\" is no run id", self.run)).at("field `run`"));
        }
        // A matrix of stages x stages is made from this number.
        const MAX_STAGES: usize = 1_000;
        if !(1..=MAX_STAGES).contains(&self.stages) {
            return Err(InputError::new(file, format!("{} stages are impossible", self.stages)).at("field `stages`"));
        }
        Ok(())
    }
}

impl RunMethod {
    /// The method's key in results: its card's ([`crate::method::Card::key`]), `popularity` or `co_occurrence`.
    pub fn key(&self) -> &'static str {
        match self {
            Self::Learned(options) => options.card().key,
            Self::Popularity => "popularity",
            Self::CoOccurrence => "co_occurrence",
        }
    }

    /// The method's name for people.
    pub fn label(&self) -> &'static str {
        match self {
            Self::Learned(options) => options.card().name,
            Self::Popularity => "Popularity",
            Self::CoOccurrence => "Co-occurrence",
        }
    }

    /// Whether the language model takes part.
    pub fn adapts_model(&self) -> bool {
        match self {
            Self::Learned(options) => options.uses_language_model(),
            Self::Popularity | Self::CoOccurrence => false,
        }
    }

    /// How an adapted language model goes through the stages; none where none is adapted.
    pub fn adapter_method(&self) -> Option<&dyn AdapterMethod> {
        match self {
            Self::Learned(options) => options.adapter_method(),
            Self::Popularity | Self::CoOccurrence => None,
        }
    }

    /// What the places of its lists are.
    pub fn ranking(&self) -> Ranking {
        if self.adapter_method().is_some() { Ranking::Ids } else { Ranking::Items }
    }

    /// The proximal term of its loss, where that has one; see [`crate::method::Method::proximal`].
    pub fn proximal(&self) -> Option<&Peso> {
        match self {
            Self::Learned(options) => options.method().proximal(),
            Self::Popularity | Self::CoOccurrence => None,
        }
    }

    /// The experiments whose finished runs it is made of.
    pub fn parts(&self) -> Vec<&str> {
        match self {
            Self::Learned(options) => options.method().parts(),
            Self::Popularity | Self::CoOccurrence => Vec::new(),
        }
    }

    /// Whether its stages start with gradient surgery.
    pub fn has_surgery(&self) -> bool {
        matches!(self, Self::Learned(MethodOptions::GradientSurgery(_)))
    }

    /// Whether simulated clients train its stages.
    pub fn has_clients(&self) -> bool {
        matches!(self, Self::Learned(options) if options.method().federated().is_some())
    }

    /// Whether it trains a model; the others count.
    pub fn is_learned(&self) -> bool {
        matches!(self, Self::Learned(_))
    }
}

/// The settings that [`RunConfig::hash_of`] is the hash of.
pub(super) fn settings(project: &Project, method: &RunMethod) -> serde_json::Result<Value> {
    let evaluation = Evaluation { protocol: Protocols::SameBlock, known_items: false, ..project.evaluation.clone() };
    let mut settings = json!({
        "method": canonical::settings(method)?,
        "dataset": canonical::settings(&project.dataset.clone().with_paths(without_folder))?,
        "semantic_ids": canonical::settings(&ids_without_folder(project))?,
        "evaluation": canonical::settings(&evaluation)?,
    });
    if *method == RunMethod::CoOccurrence {
        // Its options are not the project's: they are what this search finds.
        settings["search"] = serde_json::to_value(co_occurrence::SEARCH)?;
    }
    // What the experiments are that it is made of decides its numbers.
    let parts = method.parts().into_iter().filter_map(|experiment| project.method_of(experiment));
    let parts = parts.map(canonical::settings).collect::<serde_json::Result<Vec<_>>>()?;
    if !parts.is_empty() {
        settings["parts"] = parts.into();
    }
    if method.adapts_model() {
        let base_model = match &project.base_model {
            BaseModel::Compact(compact) => BaseModel::Compact(compact.clone()),
            BaseModel::HuggingFace(path) => BaseModel::HuggingFace(without_folder(path)),
            BaseModel::Gguf(path) => BaseModel::Gguf(without_folder(path)),
        };
        let start = project.training.start.clone().map(without_folder);
        settings["base_model"] = canonical::settings(&base_model)?;
        settings["prompt"] = canonical::settings(&project.prompt)?;
        settings["training"] = canonical::settings(&Training { start, ..project.training.clone() })?;
    }
    Ok(settings)
}

fn ids_without_folder(project: &Project) -> SemanticIds {
    match project.semantic_ids.clone() {
        SemanticIds::Dataset => SemanticIds::Dataset,
        SemanticIds::Index(path) => SemanticIds::Index(without_folder(&path)),
        SemanticIds::Train(options) => {
            SemanticIds::Train(TrainIds { source: options.source.with_paths(&without_folder).unnamed(), ..options })
        }
    }
}

/// The project with everything that a compact base model does not depend on at its default.
fn base_settings(project: &Project) -> Project {
    let Training { batch, accumulation, checkpointing, schedule, warm_up, weight_decay, clip, .. } = project.training;
    let Training { max_history, temperature, softmax, validation_users, .. } = project.training;
    let training = Training {
        batch,
        accumulation,
        checkpointing,
        schedule,
        warm_up,
        weight_decay,
        clip,
        max_history,
        temperature,
        softmax,
        validation_users,
        ..Training::default()
    };
    Project { training, evaluation: Evaluation::default(), ..project.clone() }
}

/// A file's or folder's own name, without the folders that it lies in.
pub(crate) fn without_folder(path: &Path) -> PathBuf {
    path.file_name().map_or_else(|| path.to_path_buf(), PathBuf::from)
}
