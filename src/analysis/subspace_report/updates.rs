//! The updates of a run's stages, read from its adapters as thin factors.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use faer::Mat;
use serde::{Deserialize, Serialize};

use crate::error::InputError;
use crate::model::adapter::{Adapter, Pair};
use crate::model::weights::{PeftConfig, ROWS_FILE, Weights};
use crate::run::RunFolder;
use crate::subspace::Factors;
use crate::train::stage_artifacts::main_folder;

/// The adapters of a run, open for reading.
pub struct Updates {
    /// Largest rank that the trained adapter may have.
    pub rank: usize,
    pub modules: Vec<Module>,
    stages: Vec<Stage>,
}

/// A weight that has an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    pub name: String,
    pub layer: usize,
    pub projection: String,
    pub output: usize,
    pub input: usize,
    /// Rank of the trained adapter here.
    pub rank: usize,
}

/// The adapters of one stage.
struct Stage {
    number: usize,
    /// The whole update.
    whole: Weights,
    /// alpha / rank
    scale: f64,
    /// The adapter that was trained, where it lies in another file.
    trained: Option<Weights>,
}

const FILE: &str = "adapter_model.safetensors";
const PREFIX: &str = "base_model.model.";

impl Updates {
    /// Opens the adapters of all stages that are there.
    ///
    /// # Errors
    /// There is none, or one is damaged.
    pub fn open(run: &RunFolder) -> Result<Self, InputError> {
        let stages: Vec<Stage> = numbers(run).map(|number| Stage::open(run, number)).collect::<Result<_, _>>()?;
        if stages.is_empty() && run.config().project.read_only {
            return Err(InputError::new(run.path(), "this bundle of results has no adapters")
                .advice("ask for the whole project, which `peso pack` writes"));
        }
        let Some(first) = stages.first() else {
            let label = run.config().method.label();
            return Err(InputError::new(run.path(), format!("the run has no adapter ({label})")).advice(
                "a run of a method that adapts the language model has one from the end of its first stage on",
            ));
        };
        let rank = run.config().project.training.lora.rank;
        let mut modules = first.modules()?;
        modules.iter_mut().for_each(|module| module.rank = module.rank.min(rank));
        modules.sort_by_key(|module| (module.layer, place_in_layer(&module.projection)));
        Ok(Self { rank, modules, stages })
    }

    /// Numbers of the stages.
    pub fn stages(&self) -> Vec<usize> {
        self.stages.iter().map(|stage| stage.number).collect()
    }

    /// The place of a stage, by its number.
    ///
    /// # Errors
    /// Its adapter is not there.
    pub fn index(&self, run: &RunFolder, stage: usize) -> Result<usize, InputError> {
        let index = self.stages.iter().position(|there| there.number == stage);
        index.ok_or_else(|| {
            let last = self.stages.last().map_or(0, |stage| stage.number);
            InputError::new(run.path(), format!("the run has no adapter of stage {stage}"))
                .advice(format!("there are adapters of stages 1 to {last}"))
        })
    }

    /// A module by name.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn module(&self, run: &RunFolder, name: &str) -> Result<&Module, InputError> {
        self.modules.iter().find(|module| module.name == name).ok_or_else(|| {
            let example = self.modules.first().map_or("", |module| &module.name);
            InputError::new(run.path(), format!("the adapters have no module `{name}`"))
                .advice(format!("a module is named as `{example}`"))
        })
    }

    /// Both factors of the whole update, by the stage's place, with alpha / rank in B.
    ///
    /// # Errors
    /// They are missing, damaged, or of another shape than in the first stage.
    pub fn factors(&self, index: usize, module: &Module) -> Result<Factors, InputError> {
        let stage = &self.stages[index];
        let Pair { a, b } = stage.whole_pair(module)?;
        let scale = stage.scale;
        Ok(Factors {
            b: Mat::from_fn(b.rows, b.columns, |row, column| scale * f64::from(b.values[row * b.columns + column])),
            a: Mat::from_fn(a.rows, a.columns, |row, column| f64::from(a.values[row * a.columns + column])),
        })
    }

    /// Both factors of the whole update as they are stored, and alpha / rank.
    ///
    /// # Errors
    /// See [`Self::factors`].
    pub fn stored(&self, index: usize, module: &Module) -> Result<(Pair, f64), InputError> {
        Ok((self.stages[index].whole_pair(module)?, self.stages[index].scale))
    }

    /// The factors of the adapter that was trained, without what it carries of earlier ones.
    ///
    /// # Errors
    /// See [`Self::factors`].
    pub fn trained(&self, index: usize, module: &Module) -> Result<Pair, InputError> {
        let stage = &self.stages[index];
        let pair = pair(stage.trained.as_ref().unwrap_or(&stage.whole), module)?;
        let adapter = Adapter { modules: [(module.name.clone(), pair)].into() }.first_ranks(module.rank);
        Ok(adapter.modules.into_values().next().expect("first_ranks keeps the modules"))
    }
}

impl Stage {
    fn open(run: &RunFolder, number: usize) -> Result<Self, InputError> {
        let (folder, main) = (run.adapter(number), main_folder(run, number));
        let peft = PeftConfig::read(&folder)?;
        if !peft.lora_alpha.is_finite() {
            return Err(InputError::new(&folder, "alpha is no finite number").at("field `lora_alpha`"));
        }
        let open = |folder: &Path| Weights::open_file(&folder.join(FILE));
        Ok(Self {
            number,
            whole: open(&folder)?,
            scale: peft.lora_alpha / peft.r as f64,
            trained: if main == folder { None } else { Some(open(&main)?) },
        })
    }

    fn modules(&self) -> Result<Vec<Module>, InputError> {
        let names = self.whole.names().filter_map(|name| name.strip_prefix(PREFIX)?.strip_suffix(Adapter::A));
        names.map(|name| Module::of(name, &self.whole)).collect()
    }

    fn whole_pair(&self, module: &Module) -> Result<Pair, InputError> {
        pair(&self.whole, module)
    }
}

impl Module {
    fn of(name: &str, weights: &Weights) -> Result<Self, InputError> {
        let index = name.strip_prefix("model.layers.").and_then(|rest| rest.split_once('.'));
        let layer = index.and_then(|(layer, path)| Some((layer.parse().ok()?, path)));
        let height = |factor: &str, side: usize| {
            Ok::<_, InputError>(weights.shape(&format!("{PREFIX}{name}{factor}"))?.get(side).copied().unwrap_or(0))
        };
        let (output, input, rank) = (height(Adapter::B, 0)?, height(Adapter::A, 1)?, height(Adapter::A, 0)?);
        let Some((layer, path)) = layer else {
            return Err(weights
                .input_error("not a module of a decoder's layer", name)
                .advice("expected names such as base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"));
        };
        let projection = path.rsplit('.').next().unwrap_or(path).to_owned();
        Ok(Self { name: name.to_owned(), layer, projection, output, input, rank })
    }
}

/// Both factors of a module, of its shape.
fn pair(weights: &Weights, module: &Module) -> Result<Pair, InputError> {
    let name = |factor: &str| format!("{PREFIX}{}{factor}", module.name);
    let a = weights.matrix(&name(Adapter::A), None)?;
    let b = weights.matrix(&name(Adapter::B), Some([module.output, a.rows]))?;
    if a.columns != module.input {
        let problem = format!("expected {} columns, got {}", module.input, a.columns);
        return Err(weights.input_error(&problem, &name(Adapter::A)));
    }
    Ok(Pair { a, b })
}

/// Where a projection stands in its layer.
fn place_in_layer(projection: &str) -> usize {
    let places = crate::model::config::PROJECTIONS;
    places.iter().position(|path| path.ends_with(projection)).unwrap_or(places.len())
}

/// Stages whose adapter is there, from the first on without a gap.
fn numbers(run: &RunFolder) -> impl Iterator<Item = usize> {
    (1..=run.config().stages).take_while(|&stage| run.adapter(stage).join(FILE).is_file())
}

/// A file as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Relative to the run's folder.
    path: PathBuf,
    bytes: u64,
    /// Nanoseconds since 1970.
    changed: u64,
}

/// Every file that a report is made of.
pub fn files_of(run: &RunFolder) -> Vec<FileState> {
    let names = ["adapter_config.json", FILE, ROWS_FILE];
    let folders = numbers(run).flat_map(|stage| {
        let (whole, main) = (run.adapter(stage), main_folder(run, stage));
        let main = (main != whole).then_some(main);
        [Some(whole), main].into_iter().flatten()
    });
    let files = folders.flat_map(|folder| names.map(|name| folder.join(name)));
    let state = |file: PathBuf| {
        let about = file.metadata().ok()?;
        let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos() as u64;
        Some(FileState { path: file.strip_prefix(run.path()).ok()?.to_path_buf(), bytes: about.len(), changed })
    };
    files.filter_map(state).collect()
}
