//! The frozen configuration of a run, its hash and its id.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::data::{DatasetSource, SyntheticOptions};
use crate::error::InputError;
use crate::id_training::TrainIds;
use crate::method::{AdapterMethod, MethodOptions, Peso};
use crate::model::{BaseModel, Compact, Prompt};
use crate::project::slug::slug;
use crate::project::{Evaluation, Project, Protocols, SemanticIds, Training};

/// Everything that a run was started with, written once as `run.ron`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Version of the run folder's layout.
    pub format: u32,
    /// The run's id, its folder's name.
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
    /// Hash of the base model's weights as they were before stage 1.
    pub model_hash: String,
    /// Whether the data is generated; whatever shows the run says so.
    pub synthetic: bool,
    /// Number of stages.
    pub stages: usize,
    /// Parameters that training changes.
    pub trainable_parameters: u64,
    /// Seconds since 1970.
    pub created_unix: u64,
}

/// Names of a hybrid's parts in what is hashed.
const PARTS: [&str; 2] = ["part 1", "part 2"];

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

    /// SHA-256 (hex) of the settings that decide a run's numbers: the data's and the model's options, the prompt,
    /// training, evaluation and the method. Names, notes, seeds, other experiments and the folders that files lie in
    /// do not count; what the files hold has hashes of its own. Nor does the protocol: it decides which numbers there are,
    /// not what they are, and a run is given those that it lacks. Settings at their defaults are left out, so that an option
    /// that comes with a later version leaves the hashes of those who do not use it as they are.
    ///
    /// # Errors
    /// Never for a project that was read; serde's own error otherwise.
    pub fn hash_of(project: &Project, method: &RunMethod) -> Result<String, InputError> {
        let dataset = project.dataset.clone().with_paths(without_folder);
        let mut base_model = project.base_model.clone();
        if let BaseModel::HuggingFace(path) | BaseModel::Gguf(path) = &mut base_model {
            *path = without_folder(path);
        }
        let semantic_ids = match project.semantic_ids.clone() {
            SemanticIds::Dataset => SemanticIds::Dataset,
            SemanticIds::Index(path) => SemanticIds::Index(without_folder(&path)),
            SemanticIds::Train(options) => {
                SemanticIds::Train(TrainIds { source: options.source.with_paths(without_folder), ..options })
            }
        };
        let start = project.training.start.clone().map(without_folder);
        let training = Training { start, ..project.training.clone() };
        let evaluation = Evaluation { protocol: Protocols::SameBlock, ..project.evaluation.clone() };
        let (synthetic, compact) = (SyntheticOptions::default(), Compact::default());
        let mut settings = vec![
            ("dataset", changed(&dataset, &DatasetSource::Synthetic(synthetic))),
            ("semantic_ids", changed(&semantic_ids, &SemanticIds::default())),
            ("evaluation", changed(&evaluation, &Evaluation::default())),
        ];
        if let RunMethod::Learned(options) = method {
            let all = MethodOptions::all();
            // Every variant is in the list; the method's key says which it is.
            let default = all.iter().find(|default| default.card().key == options.card().key).unwrap_or(options);
            settings.push(("method", changed(options, default)));
            if method.adapts_model() {
                settings.extend([
                    ("base_model", changed(&base_model, &BaseModel::Compact(compact))),
                    ("prompt", changed(&project.prompt, &Prompt::default())),
                    ("training", changed(&training, &Training::default())),
                ]);
            }
        }
        // A hybrid names experiments: what they are decides its numbers.
        let parts = method.parts();
        settings.extend(
            PARTS
                .into_iter()
                .zip(parts)
                .filter_map(|(name, experiment)| Some((name, serde_json::to_value(project.method_of(experiment)?)))),
        );
        let changed: Result<BTreeMap<_, _>, _> = settings.into_iter().map(|(name, value)| Ok((name, value?))).collect();
        let text = changed.and_then(|settings| serde_json::to_string(&(method.key(), settings)));
        let text = text.map_err(|error: serde_json::Error| InputError::new(&project.folder, error.to_string()))?;
        Ok(Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// A run's id: `<experiment>-s<seed>-<8 digits of the hash>`, for a counting baseline `<name>-<8 digits>`.
    pub fn id_of(experiment: &str, method: &RunMethod, seed: u64, config_hash: &str) -> String {
        let short: String = config_hash.chars().take(8).collect();
        match method {
            RunMethod::Learned(_) => format!("{}-s{seed}-{short}", slug(experiment)),
            RunMethod::Popularity => format!("popularity-{short}"),
            RunMethod::CoOccurrence => format!("co-occurrence-{short}"),
        }
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
        const MOST_STAGES: usize = 1_000;
        if !(1..=MOST_STAGES).contains(&self.stages) {
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

    /// The proximal term of its loss, where that has one; see [`crate::method::Method::proximal`].
    pub fn proximal(&self) -> Option<&Peso> {
        match self {
            Self::Learned(options) => options.method().proximal(),
            Self::Popularity | Self::CoOccurrence => None,
        }
    }

    /// The experiments that it joins.
    pub fn parts(&self) -> Vec<&str> {
        let fusion = match self {
            Self::Learned(options) => options.method().fusion(),
            Self::Popularity | Self::CoOccurrence => None,
        };
        fusion.map_or_else(Vec::new, |hybrid| vec![hybrid.adapter.as_str(), hybrid.towers.as_str()])
    }

    /// Whether it trains a model; the others count.
    pub fn is_learned(&self) -> bool {
        matches!(self, Self::Learned(_))
    }
}

/// What a value has that its default has not, by name down to the single fields. A choice other than the default's is whole.
fn changed<T: Serialize>(value: &T, default: &T) -> serde_json::Result<Value> {
    fn differing(value: Value, default: &Value) -> Value {
        let (Value::Object(fields), Value::Object(defaults)) = (&value, default) else { return value };
        let differs = |(name, _): &(&String, &Value)| defaults.get(*name) != fields.get(*name);
        let field = |(name, value): (&String, &Value)| {
            (name.clone(), differing(value.clone(), defaults.get(name).unwrap_or(&Value::Null)))
        };
        Value::Object(fields.iter().filter(differs).map(field).collect::<Map<_, _>>())
    }
    Ok(differing(serde_json::to_value(value)?, &serde_json::to_value(default)?))
}

/// A file's or folder's own name, without the folders that it lies in.
pub(crate) fn without_folder(path: &Path) -> PathBuf {
    path.file_name().map_or_else(|| path.to_path_buf(), PathBuf::from)
}
