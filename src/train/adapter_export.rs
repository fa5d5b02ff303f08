//! What a stage has learned, for other programs: a PEFT adapter, or a model folder with the adapter merged in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use serde_json::{Value, json};

use super::Task;
use super::base_model::{base_folder, load_base};
use super::model_loading::unreported;
use super::stage_artifacts::{BESIDE, StageState};
use super::steering::StageStep;
use crate::device::DeviceChoice;
use crate::error::{InputError, RunError};
use crate::files;
use crate::method::steered::Coefficients;
use crate::method::{AdapterMethod, Combination};
use crate::model::adapter::Matrix;
use crate::model::backend::{OnDevice, TrainingBackend, run_on};
use crate::model::llama::{Kind, Llama};
use crate::model::tokenizer::{Tokenizer, without_texts};
use crate::model::weights::{self, PeftAdapter, TokenRows};
use crate::model::{BaseModel, Storage, VocabularyMode};
use crate::run::{RunFolder, RunOptions};

/// Names and numbers of the tokens that were added to the base model, in what is handed over.
pub const ADDED_TOKENS: &str = "added_tokens.json";

/// The same as metadata of a GGUF file, where a compact model has them alone.
pub const ADDED_KEY: &str = "peso.added_tokens";

/// Files of a base model's folder that belong to it whatever its weights are.
const TOKENIZER_FILES: [&str; 4] =
    ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"];

/// Largest configuration of a base model that is read.
const LARGEST_CONFIG: u64 = 16 << 20;

/// A stage of a run, and the folder to write, which does not exist yet.
#[derive(Debug, Clone)]
pub struct Handover {
    pub run: PathBuf,
    /// From 1.
    pub stage: usize,
    pub to: PathBuf,
    /// How much of the stage's step is taken, where it is not all of it.
    pub steered: Option<Coefficients>,
    /// Folder of the project, which relative paths of its files start from; the one above the run's where none is given.
    pub project: Option<PathBuf>,
}

impl Handover {
    /// Writes the stage's adapter as a folder that Hugging Face PEFT loads, trained token rows included.
    ///
    /// # Errors
    /// The run, its stage, its data or its base model cannot be used; the folder cannot be written.
    pub fn adapter(&self) -> Result<(), RunError> {
        self.with(Form::Adapter)
    }

    /// Writes base model and adapter as one model that Transformers loads.
    ///
    /// # Errors
    /// As [`Self::adapter`]; the stage predicts with two models.
    pub fn merged(&self) -> Result<(), RunError> {
        self.with(Form::Merged)
    }

    /// Writes base model and adapter as one GGUF file, which llama.cpp loads.
    ///
    /// # Errors
    /// As [`Self::merged`]; or something of the model or its tokenizer has no place in such a file.
    pub fn gguf(&self) -> Result<(), RunError> {
        if self.to.exists() {
            return Err(InputError::new(&self.to, "there is something already")
                .advice("name a file that does not exist yet")
                .into());
        }
        self.with(Form::Gguf)
    }

    fn with(&self, form: Form) -> Result<(), RunError> {
        let run = RunFolder::open(&self.run)?;
        let mut project = run.config().project.clone();
        let above = run.path().parent().and_then(Path::parent).map(Path::to_path_buf);
        project.folder = self.project.clone().or(above).unwrap_or_default();
        // What is written is float32, made of the base model's own numbers.
        project.training.storage = Storage::Float32;
        let options = RunOptions {
            device: DeviceChoice::Cpu,
            out: run.path().parent().map(Path::to_path_buf),
            ..RunOptions::default()
        };
        let task = Task::load(&project, &options)?;
        if task.dataset.hash != run.config().data_hash {
            return Err(InputError::new(&project.folder, "the data is not what the run was trained on")
                .advice("name the folder of the run's project with `--project`")
                .into());
        }
        let stage = run.adapter(self.stage);
        if !stage.join("adapter_config.json").is_file() {
            let problem = format!("the run has no adapter of stage {}", self.stage);
            return Err(InputError::new(run.path(), problem)
                .advice(format!("stages go from 1 to {}; those that are trained have one", run.config().stages))
                .into());
        }
        let combination = run.config().method.adapter_method().and_then(AdapterMethod::combination);
        let two = matches!(combination, Some((Combination::Predictions, _))) && stage.join(BESIDE).is_dir();
        if form != Form::Adapter && two {
            return Err(InputError::new(
                &stage,
                "this stage averages the predictions of two models, so there is no single one",
            )
            .advice("export its two adapters instead: `peso adapter export`")
            .into());
        }
        let device = task.device.clone();
        let write =
            |state: StageState, to: PathBuf| run_on(&device, Writing { task: &task, run: &run, state, to, form });
        let state = || match &self.steered {
            None => StageState::read(&task, &stage),
            Some(coefficients) => {
                let mut state = StageStep::read(&task, &run, self.stage)?.state(coefficients);
                state.adapter = state.adapter.of_one_rank();
                Ok(state)
            }
        };
        if form == Form::Gguf {
            return Ok(write(state()?, self.to.clone())?);
        }
        files::write_folder(&self.to, |folder| {
            write(state()?, folder.to_path_buf())?;
            if two { write(StageState::read(&task, &stage.join(BESIDE))?, folder.join(BESIDE)) } else { Ok(()) }
        })?;
        Ok(())
    }
}

/// What is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Adapter,
    Merged,
    Gguf,
}

struct Writing<'a> {
    task: &'a Task<'a>,
    run: &'a RunFolder,
    state: StageState,
    to: PathBuf,
    form: Form,
}

impl OnDevice for Writing<'_> {
    type Output = Result<(), InputError>;

    fn run<B: TrainingBackend>(self, device: &B::Device) -> Self::Output {
        let Self { task, run, state, to, form } = &self;
        let mut model = load_base::<B>(task, run, device, &mut unreported)?;
        state.put_on(&mut model);
        let mut model: Llama<B::InnerBackend> = model.map(&|t: Tensor<B, 2>| t.inner());
        match form {
            Form::Gguf => {
                weights::merge(&mut model);
                let name = format!("{}, {}", task.project.name, run.config().experiment);
                let mut metadata = self.gguf_tokenizer()?;
                let tokens: BTreeMap<String, u32> = task.vocabulary.added_tokens(&task.dataset.index).collect();
                metadata.push((ADDED_KEY.to_owned(), weights::gguf::Item::Text(json!(tokens).to_string())));
                return weights::gguf::write_gguf(to, &mut model, &task.llama, &name, metadata);
            }
            Form::Merged => {
                weights::merge(&mut model);
                weights::write_model(to, &mut model, self.base_config()?)?;
                self.write_tokenizer()?;
            }
            Form::Adapter => self.write_adapter(&mut model)?,
        }
        let tokens: BTreeMap<String, u32> = task.vocabulary.added_tokens(&task.dataset.index).collect();
        files::write_atomically(&to.join(ADDED_TOKENS), format!("{:#}\n", json!(tokens)).as_bytes())
    }
}

impl Writing<'_> {
    /// Writes the base model's tokenizer with the added tokens, where it has one.
    fn write_tokenizer(&self) -> Result<(), InputError> {
        let Self { task, to, .. } = self;
        if let Some(base) = self.base_files() {
            for name in TOKENIZER_FILES.iter().filter(|name| base.join(name).is_file()) {
                let bytes = std::fs::read(base.join(name)).map_err(|e| InputError::io(base.join(name), "read", &e))?;
                files::write_atomically(&to.join(name), &bytes)?;
            }
        }
        let Some(base) = task.project.base_model.path().map(|path| task.project.folder.join(path)) else {
            return Ok(());
        };
        // A model without a tokenizer is none the worse: the compact prompt needs none.
        let Ok(tokenizer) = Tokenizer::open(&base) else { return Ok(()) };
        let tokens: Vec<String> = task.vocabulary.added_tokens(&task.dataset.index).map(|(name, _)| name).collect();
        if let Some(text) = tokenizer.extended(&tokens, task.vocabulary.base)? {
            files::write_atomically(&to.join("tokenizer.json"), text.as_bytes())?;
            if self.base_files().is_none() {
                let config = self.tokenizer_config(&tokenizer);
                files::write_atomically(&to.join("tokenizer_config.json"), format!("{config:#}\n").as_bytes())?;
            }
        }
        Ok(())
    }

    /// What a GGUF file says of texts; of a compact model, that it knows none.
    fn gguf_tokenizer(&self) -> Result<Vec<(String, weights::gguf::Item)>, InputError> {
        let Some(base) = self.task.project.base_model.path() else { return Ok(without_texts()) };
        let tokenizer = Tokenizer::open(&self.task.project.folder.join(base))?;
        let tokens = self.task.vocabulary.added_tokens(&self.task.dataset.index).map(|(name, _)| name);
        let ends = [self.task.llama.bos, self.task.llama.eos];
        tokenizer.for_gguf(&tokens.collect::<Vec<_>>(), self.task.vocabulary.base, ends)
    }

    /// A `tokenizer_config.json` for a tokenizer from a GGUF file: that `tokenizer.json` says everything but which tokens
    /// begin and end a text.
    fn tokenizer_config(&self, tokenizer: &Tokenizer) -> Value {
        let name = |token: Option<u32>| token.and_then(|token| tokenizer.name(token));
        json!({
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": name(self.task.llama.bos),
            "eos_token": name(self.task.llama.eos),
            "clean_up_tokenization_spaces": false,
        })
    }

    fn write_adapter<B: Backend>(&self, model: &mut Llama<B>) -> Result<(), InputError> {
        let Self { task, state, to, .. } = self;
        let (adapter, scale) = (state.adapter.clone(), task.project.training.lora.scale());
        let rank = adapter.ranks().into_values().max().unwrap_or(1);
        let rows = self.rows(model);
        let peft = PeftAdapter { adapter, rank, alpha: scale * rank as f64, scale, rows };
        let dropout = task.project.training.dropout;
        weights::export_peft(to, &peft, dropout, (task.vocabulary.tokens(), task.llama.tied))
    }

    /// The rows that the base model on disk has not: trained ones, and those of added tokens whether they were trained or not.
    fn rows<B: Backend>(&self, model: &mut Llama<B>) -> BTreeMap<String, TokenRows> {
        let mode = self.task.project.training.vocabulary;
        let travels = |kind| match (kind, &self.task.project.base_model) {
            (Kind::BaseRows, _) => mode == VocabularyMode::Full,
            // The folder of a compact model has its rows.
            (Kind::AddedRows, BaseModel::Compact(_)) => mode != VocabularyMode::Frozen,
            (Kind::AddedRows, _) => true,
            _ => false,
        };
        let base = self.task.vocabulary.base;
        let mut tables: BTreeMap<String, TokenRows> = BTreeMap::new();
        model.visit(&mut |name, kind, tensor| {
            if travels(kind) {
                let first = if kind == Kind::AddedRows { base } else { 0 };
                let rows = Matrix::from_tensor(tensor.clone());
                let tokens = (first as u32..).take(rows.rows).collect();
                let here = TokenRows { tokens, rows };
                let table = name.trim_end_matches(".added").to_owned();
                let whole = match tables.remove(&table) {
                    None => here,
                    Some(above) => above.followed_by(here),
                };
                tables.insert(table, whole);
            }
        });
        tables
    }

    /// The folder that the base model's files lie in.
    fn base_files(&self) -> Option<PathBuf> {
        match &self.task.project.base_model {
            BaseModel::Compact(_) => Some(base_folder(self.run)),
            BaseModel::HuggingFace(path) => Some(self.task.project.folder.join(path)),
            BaseModel::Gguf(_) => None,
        }
    }

    /// The base model's `config.json`, or one that says the same.
    fn base_config(&self) -> Result<Value, InputError> {
        let Some(folder) = self.base_files() else {
            return Ok(self.task.llama.hugging_face(self.task.vocabulary.tokens()));
        };
        let file = folder.join("config.json");
        let text = files::read_text(&file, LARGEST_CONFIG)?;
        let config: Value = serde_json::from_str(&text).map_err(|error| {
            InputError::new(&file, "not valid JSON").at(format!("line {}, column {}", error.line(), error.column()))
        })?;
        // Of a model that reads pictures too, the decoder alone is written.
        if config["text_config"].is_object() {
            return Ok(self.task.llama.hugging_face(self.task.vocabulary.tokens()));
        }
        Ok(config)
    }
}
