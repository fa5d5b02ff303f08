//! Weights on disk: Hugging Face folders in, compact base models and PEFT adapters out and in.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use burn::tensor::backend::Backend;
use half::{bf16, f16};
use memmap2::Mmap;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::adapter::{Adapter, Matrix, Pair};
use super::config::LlamaConfig;
use super::llama::{Layer, Linear, Llama, PROJECTIONS, Rows};
use super::options::LoraShape;
use crate::error::Unusable;
use crate::files;
use crate::seeds;

/// Trained rows of embedding and head, beside an adapter.
pub const ROWS_FILE: &str = "token_rows.safetensors";

/// A safetensors file, memory-mapped, its header checked.
struct Shard {
    path: PathBuf,
    map: Mmap,
}

impl Shard {
    #[allow(unsafe_code, reason = "a memory map; see SAFETY")]
    fn open(path: &Path) -> Result<Self, Unusable> {
        let file = File::open(path).map_err(|e| Unusable::io(path, "open the weights", &e))?;
        // SAFETY: the map is read-only; a file that another process cuts short while it is read is the one hazard,
        // and it is the same for every reader of weights.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| Unusable::io(path, "read the weights", &e))?;
        let shard = Self { path: path.to_path_buf(), map };
        shard.tensors()?;
        Ok(shard)
    }

    fn tensors(&self) -> Result<SafeTensors<'_>, Unusable> {
        SafeTensors::deserialize(&self.map).map_err(|e| {
            Unusable::new(&self.path, format!("not a valid safetensors file: {e}"))
                .advice("the file may be cut short or damaged; copy it again")
        })
    }
}

/// All tensors of a model folder or file, by name.
pub struct Weights {
    shards: Vec<Shard>,
    /// Shard of each tensor.
    places: BTreeMap<String, usize>,
    folder: PathBuf,
}

impl Weights {
    /// Opens `model.safetensors` of a folder, or the shards that `model.safetensors.index.json` lists.
    ///
    /// # Errors
    /// A missing, damaged or lying file; an index that leads out of the folder.
    pub fn open(folder: &Path) -> Result<Self, Unusable> {
        let index = folder.join("model.safetensors.index.json");
        let files = if index.is_file() { shard_names(&index)? } else { vec!["model.safetensors".to_owned()] };
        let shards = files.iter().map(|f| Shard::open(&folder.join(f))).collect::<Result<_, _>>()?;
        Self::of_shards(shards, folder)
    }

    /// Opens one safetensors file.
    ///
    /// # Errors
    /// See [`Self::open`].
    pub fn open_file(path: &Path) -> Result<Self, Unusable> {
        Self::of_shards(vec![Shard::open(path)?], path)
    }

    fn of_shards(shards: Vec<Shard>, folder: &Path) -> Result<Self, Unusable> {
        let mut places = BTreeMap::new();
        for (i, shard) in shards.iter().enumerate() {
            for name in shard.tensors()?.names() {
                places.insert(name.to_owned(), i);
            }
        }
        Ok(Self { shards, places, folder: folder.to_path_buf() })
    }

    /// Names of all tensors, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.places.keys().map(String::as_str)
    }

    /// An error about one of the tensors.
    pub fn unusable(&self, problem: &str, name: &str) -> Unusable {
        Unusable::new(&self.folder, problem).at(format!("tensor `{name}`"))
    }

    fn missing(&self, name: &str) -> Unusable {
        self.unusable("a tensor is missing", name)
    }

    fn with<R>(&self, name: &str, f: impl FnOnce(&TensorView<'_>) -> Result<R, String>) -> Result<R, Unusable> {
        let shard = &self.shards[*self.places.get(name).ok_or_else(|| self.missing(name))?];
        let tensors = shard.tensors()?;
        let view = tensors.tensor(name).map_err(|_| self.missing(name))?;
        f(&view).map_err(|problem| Unusable::new(&shard.path, problem).at(format!("tensor `{name}`")))
    }

    /// An entry of the first file's metadata.
    ///
    /// # Errors
    /// If the header cannot be read.
    pub fn metadata(&self, key: &str) -> Result<Option<String>, Unusable> {
        let Some(shard) = self.shards.first() else { return Ok(None) };
        let header = SafeTensors::read_metadata(&shard.map);
        let (_, metadata) =
            header.map_err(|e| Unusable::new(&shard.path, format!("not a valid safetensors file: {e}")))?;
        Ok(metadata.metadata().as_ref().and_then(|m| m.get(key).cloned()))
    }

    /// Shape of a tensor.
    ///
    /// # Errors
    /// If there is no such tensor.
    pub fn shape(&self, name: &str) -> Result<Vec<usize>, Unusable> {
        self.with(name, |view| Ok(view.shape().to_vec()))
    }

    /// Number type of a tensor and its stored bytes.
    ///
    /// # Errors
    /// If there is no such tensor.
    pub fn stored(&self, name: &str) -> Result<(String, u64), Unusable> {
        self.with(name, |view| Ok((format!("{:?}", view.dtype()), view.data().len() as u64)))
    }

    /// The floats of a tensor of any shape, row-major.
    ///
    /// # Errors
    /// A missing tensor, or one that is not of floats.
    pub fn floats(&self, name: &str) -> Result<Vec<f32>, Unusable> {
        self.with(name, floats)
    }

    /// A matrix (or a vector as one row) in float32.
    ///
    /// # Errors
    /// A missing tensor, another shape than expected (where one is), a type that is not a float, values that are no numbers.
    pub fn matrix(&self, name: &str, expected: Option<[usize; 2]>) -> Result<Matrix, Unusable> {
        self.with(name, |view| {
            let (rows, columns) = match *view.shape() {
                [n] => (1, n),
                [r, c] => (r, c),
                ref other => return Err(format!("expected a matrix or a vector, got the shape {other:?}")),
            };
            if let Some([r, c]) = expected.filter(|e| *e != [rows, columns]) {
                return Err(format!("expected the shape [{r}, {c}], got [{rows}, {columns}]"));
            }
            let values = floats(view)?;
            if values.iter().any(|v| !v.is_finite()) {
                return Err("holds values that are not finite numbers".to_owned());
            }
            Ok(Matrix { rows, columns, values })
        })
    }

    /// Integers of any width as they are, with their shape.
    ///
    /// # Errors
    /// A missing tensor, or one that is not of integers.
    pub fn integers(&self, name: &str) -> Result<(Vec<usize>, Vec<i64>), Unusable> {
        self.with(name, |view| {
            let data = view.data();
            let values = match view.dtype() {
                Dtype::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
                Dtype::I32 => data.as_chunks::<4>().0.iter().map(|b| i64::from(i32::from_le_bytes(*b))).collect(),
                other => return Err(format!("expected whole numbers (I64 or I32), got {other:?}")),
            };
            Ok((view.shape().to_vec(), values))
        })
    }
}

fn shard_names(index: &Path) -> Result<Vec<String>, Unusable> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: BTreeMap<String, String>,
    }
    let text = std::fs::read_to_string(index).map_err(|e| Unusable::io(index, "read the list of shards", &e))?;
    let parsed: Index = serde_json::from_str(&text).map_err(|e| {
        Unusable::new(index, "not a list of shards").at(format!("line {}, column {}", e.line(), e.column()))
    })?;
    let mut names: Vec<String> = parsed.weight_map.into_values().collect();
    names.sort();
    names.dedup();
    // A shard is a file in the same folder: a name with a path in it could lead anywhere.
    match names.iter().find(|n| Path::new(n).components().count() != 1 || n.contains("..")) {
        Some(name) => Err(Unusable::new(index, format!("shard \"{name}\" lies outside the folder"))),
        None => Ok(names),
    }
}

fn floats(view: &TensorView<'_>) -> Result<Vec<f32>, String> {
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => Ok(data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Dtype::F64 => Ok(data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect()),
        Dtype::F16 => Ok(data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()),
        Dtype::BF16 => Ok(data.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect()),
        other => Err(format!("expected floats (F32, F16 or BF16), got {other:?}")),
    }
}

/// Loads a Hugging Face Llama folder; `added` rows for new tokens are drawn from the seed.
///
/// # Errors
/// Names the configuration field or the tensor that is missing, of the wrong shape, or not supported.
pub fn load_hugging_face<B: Backend>(
    folder: &Path,
    added: usize,
    seed: u64,
    device: &B::Device,
) -> Result<Llama<B>, Unusable> {
    if !folder.is_dir() {
        return Err(Unusable::new(folder, "not a folder")
            .advice("expected a Hugging Face folder with config.json and model.safetensors"));
    }
    let config = LlamaConfig::read(&folder.join("config.json"))?;
    let weights = Weights::open(folder)?;
    let rows = |name: &str| -> Result<Rows<B>, Unusable> {
        let base = weights.matrix(name, Some([config.vocabulary, config.width]))?;
        let added =
            (added > 0).then(|| new_rows(&base, added, seeds::derive(seed, &["added rows", name])).to_tensor(device));
        Ok(Rows { base: Some(base.to_tensor(device)), added })
    };
    let embedding = rows("model.embed_tokens.weight")?;
    let head = if config.tied { None } else { Some(rows("lm_head.weight")?) };
    assemble(config.clone(), embedding, head, device, &mut |name, shape| weights.matrix(name, Some(shape)))
}

/// Rows for new tokens, drawn around the mean of the old ones with their spread, so that they start as likely as others.
fn new_rows(base: &Matrix, added: usize, seed: u64) -> Matrix {
    let mut mean = vec![0.0f64; base.columns];
    for row in base.values.chunks_exact(base.columns) {
        for (m, v) in mean.iter_mut().zip(row) {
            *m += f64::from(*v) / base.rows as f64;
        }
    }
    let variance = base
        .values
        .chunks_exact(base.columns)
        .flat_map(|row| row.iter().zip(&mean))
        .map(|(v, m)| (f64::from(*v) - m).powi(2));
    let spread = (variance.sum::<f64>() / base.values.len() as f64).sqrt();
    let noise = normal(added * base.columns, spread, seed);
    let values = noise.iter().enumerate().map(|(i, n)| mean[i % base.columns] as f32 + n).collect();
    Matrix { rows: added, columns: base.columns, values }
}

/// Normal values of a standard deviation, from a seed.
fn normal(count: usize, deviation: f64, seed: u64) -> Vec<f32> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    match Normal::new(0.0, deviation) {
        Ok(normal) => (0..count).map(|_| normal.sample(&mut random) as f32).collect(),
        Err(_) => vec![0.0; count],
    }
}

/// A compact model of random weights (standard deviation 0.02, as Llama's), all its tokens new.
pub fn initialise_compact<B: Backend>(config: &LlamaConfig, tokens: usize, seed: u64, device: &B::Device) -> Llama<B> {
    let draw = |name: &str, [rows, columns]: [usize; 2]| {
        let values = if rows == 1 {
            vec![1.0; columns]
        } else {
            normal(rows * columns, 0.02, seeds::derive(seed, &["base", name]))
        };
        Matrix { rows, columns, values }
    };
    let rows = |name: &str| Rows { base: None, added: Some(draw(name, [tokens, config.width]).to_tensor(device)) };
    let embedding = rows("model.embed_tokens.weight");
    let head = (!config.tied).then(|| rows("lm_head.weight"));
    match assemble(config.clone(), embedding, head, device, &mut |name, shape| {
        Ok::<_, std::convert::Infallible>(draw(name, shape))
    }) {
        Ok(model) => model,
        Err(never) => match never {},
    }
}

/// Writes a compact model as a Hugging Face folder.
///
/// # Errors
/// The folder cannot be written.
pub fn write_compact<B: Backend>(folder: &Path, model: &mut Llama<B>) -> Result<(), Unusable> {
    files::create_folder(folder)?;
    let mut matrices = BTreeMap::new();
    model.visit(&mut |name, _, tensor| {
        matrices.insert(name.trim_end_matches(".added").to_owned(), Matrix::from_tensor(tensor.clone()));
    });
    let vocabulary = matrices.get("model.embed_tokens.weight").map_or(0, |m| m.rows);
    let file = folder.join("model.safetensors");
    let bytes =
        safetensors_bytes(matrices.iter().map(|(n, m)| (n.clone(), m)), &[]).map_err(|e| Unusable::new(&file, e))?;
    files::write_atomically(&file, &bytes)?;
    let mut json = serde_json::to_string_pretty(&model.config.hugging_face(vocabulary)).unwrap_or_default();
    json.push('\n');
    files::write_atomically(&folder.join("config.json"), json.as_bytes())
}

/// Loads a compact model that [`write_compact`] wrote; all its rows are new tokens.
///
/// # Errors
/// Names the tensor that is missing or of the wrong shape.
pub fn load_compact<B: Backend>(
    folder: &Path,
    config: &LlamaConfig,
    tokens: usize,
    device: &B::Device,
) -> Result<Llama<B>, Unusable> {
    let weights = Weights::open(folder)?;
    let rows = |name: &str| -> Result<Rows<B>, Unusable> {
        Ok(Rows { base: None, added: Some(weights.matrix(name, Some([tokens, config.width]))?.to_tensor(device)) })
    };
    let embedding = rows("model.embed_tokens.weight")?;
    let head = if config.tied { None } else { Some(rows("lm_head.weight")?) };
    assemble(config.clone(), embedding, head, device, &mut |name, shape| weights.matrix(name, Some(shape)))
}

/// Gives the matrix of a name and a shape.
type Source<'a, E> = dyn FnMut(&str, [usize; 2]) -> Result<Matrix, E> + 'a;

/// Puts a decoder together from a source of matrices by name and shape.
fn assemble<B: Backend, E>(
    config: LlamaConfig,
    embedding: Rows<B>,
    head: Option<Rows<B>>,
    device: &B::Device,
    source: &mut Source<'_, E>,
) -> Result<Llama<B>, E> {
    let mut layers = Vec::with_capacity(config.layers);
    for i in 0..config.layers {
        let name = |part: &str| format!("model.layers.{i}.{part}.weight");
        let mut norm = |part: &str| source(&name(part), [1, config.width]).map(|m| m.to_tensor(device));
        let (input_norm, post_norm) = (norm("input_layernorm")?, norm("post_attention_layernorm")?);
        let mut linears = Vec::with_capacity(PROJECTIONS.len());
        for projection in PROJECTIONS {
            let (output, input) = config.projection(projection);
            let weight = source(&name(projection), [output, input])?.to_tensor(device);
            linears.push(Linear { weight, lora: None, past: None });
        }
        let mut linears = linears.into_iter();
        let mut next = || linears.next();
        if let (Some(q), Some(k), Some(v), Some(o), Some(gate), Some(up), Some(down)) =
            (next(), next(), next(), next(), next(), next(), next())
        {
            layers.push(Layer { input_norm, q, k, v, o, post_norm, gate, up, down });
        }
    }
    let norm = source("model.norm.weight", [1, config.width])?.to_tensor(device);
    Ok(Llama { config, lora_scale: 0.0, magnitudes: None, embedding, layers, norm, head })
}

/// A safetensors file of float32 matrices; vectors are those with one row whose name says norm.
pub fn safetensors_bytes<'a>(
    matrices: impl IntoIterator<Item = (String, &'a Matrix)>,
    metadata: &[(&str, String)],
) -> Result<Vec<u8>, String> {
    let entries: Vec<(String, Vec<usize>, Vec<u8>)> = matrices
        .into_iter()
        .map(|(name, m)| {
            let shape = if m.rows == 1 && name.contains("norm") { vec![m.columns] } else { vec![m.rows, m.columns] };
            (name, shape, m.values.iter().flat_map(|v| v.to_le_bytes()).collect())
        })
        .collect();
    let views = entries
        .iter()
        .map(|(name, shape, bytes)| TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.as_str(), view)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|e| e.to_string())?;
    let metadata =
        metadata.iter().map(|(k, v)| ((*k).to_owned(), v.clone())).chain([("format".to_owned(), "pt".to_owned())]);
    safetensors::tensor::serialize(views, Some(metadata.collect())).map_err(|e| e.to_string())
}

/// Writes an adapter as a PEFT folder: `adapter_config.json` and `adapter_model.safetensors`.
///
/// # Errors
/// If the folder cannot be written.
pub fn write_peft(
    folder: &Path,
    adapter: &Adapter,
    shape: LoraShape,
    rows: &BTreeMap<String, Matrix>,
) -> Result<(), Unusable> {
    std::fs::create_dir_all(folder).map_err(|e| Unusable::io(folder, "make the adapter's folder", &e))?;
    let rank = adapter.modules.values().next().map_or(shape.rank, |p| p.a.rows);
    let config = serde_json::json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": null,
        "r": rank,
        // An adapter that carries a past one beside its own has a greater rank and the same factor alpha / r.
        "lora_alpha": shape.alpha * rank as f64 / shape.rank as f64,
        "lora_dropout": 0.0,
        "bias": "none",
        "fan_in_fan_out": false,
        "inference_mode": true,
        "target_modules": PROJECTIONS.map(|p| p.rsplit('.').next().unwrap_or(p)),
    });
    let mut config = serde_json::to_string_pretty(&config).unwrap_or_default();
    config.push('\n');
    let factors = adapter.parameters().map(|(name, matrix)| (format!("base_model.model.{name}"), matrix));
    let file = folder.join("adapter_model.safetensors");
    let bytes = safetensors_bytes(factors, &[]).map_err(|e| Unusable::new(&file, e))?;
    files::write_atomically(&file, &bytes)?;
    if !rows.is_empty() {
        write_matrices(&folder.join(ROWS_FILE), rows)?;
    }
    files::write_atomically(&folder.join(ADAPTER_CONFIG), config.as_bytes())
}

/// Writes matrices by name, all at once.
///
/// # Errors
/// If the file cannot be written.
pub fn write_matrices(file: &Path, matrices: &BTreeMap<String, Matrix>) -> Result<(), Unusable> {
    let bytes = safetensors_bytes(matrices.iter().map(|(name, matrix)| (name.clone(), matrix)), &[]);
    files::write_atomically(file, &bytes.map_err(|problem| Unusable::new(file, problem))?)
}

/// Configuration of an adapter, in its folder.
const ADAPTER_CONFIG: &str = "adapter_config.json";

/// What `adapter_config.json` says of a LoRA adapter.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
pub struct PeftConfig {
    /// The rank.
    pub r: usize,
    pub lora_alpha: f64,
}

impl PeftConfig {
    /// Reads the configuration in an adapter's folder.
    ///
    /// # Errors
    /// It is missing or not one.
    pub fn read(folder: &Path) -> Result<Self, Unusable> {
        let file = folder.join(ADAPTER_CONFIG);
        let text =
            std::fs::read_to_string(&file).map_err(|e| Unusable::io(&file, "read the adapter's configuration", &e))?;
        let peft: Self = serde_json::from_str(&text).map_err(|e| {
            Unusable::new(&file, format!("not an adapter configuration: {e}")).at(format!(
                "line {}, column {}",
                e.line(),
                e.column()
            ))
        })?;
        if peft.r == 0 {
            return Err(Unusable::new(&file, "the rank is 0").at("field `r`"));
        }
        Ok(peft)
    }
}

/// Reads a PEFT adapter folder: the adapter, and its factor `alpha / r`.
///
/// # Errors
/// Names the file and the field or tensor that cannot be used.
pub fn read_peft(folder: &Path, config: &LlamaConfig) -> Result<(Adapter, f64), Unusable> {
    let peft = PeftConfig::read(folder)?;
    if peft.r > config.width.max(config.ffn) {
        let file = folder.join(ADAPTER_CONFIG);
        return Err(Unusable::new(&file, format!("rank {} is not possible for this model", peft.r)).at("field `r`"));
    }
    let weights = Weights::open_file(&folder.join("adapter_model.safetensors"))?;
    let mut adapter = Adapter::default();
    for layer in 0..config.layers {
        for projection in PROJECTIONS {
            let name = format!("model.layers.{layer}.{projection}");
            let a = format!("base_model.model.{name}.lora_A.weight");
            let b = format!("base_model.model.{name}.lora_B.weight");
            if !weights.names().any(|n| n == a) {
                continue;
            }
            let (output, input) = config.projection(projection);
            let pair =
                Pair { a: weights.matrix(&a, Some([peft.r, input]))?, b: weights.matrix(&b, Some([output, peft.r]))? };
            adapter.modules.insert(name, pair);
        }
    }
    if adapter.modules.is_empty() {
        return Err(Unusable::new(folder, "no adapter tensor fits this model")
            .advice("expected names such as base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"));
    }
    Ok((adapter, peft.lora_alpha / peft.r as f64))
}
