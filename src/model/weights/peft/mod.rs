//! PEFT adapter folders, in and out: `adapter_config.json` and `adapter_model.safetensors`.

mod config;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use burn::tensor::backend::Backend;
use serde_json::{Value, json};

pub use self::config::PeftConfig;

use self::config::ADAPTER_CONFIG;
use super::store::write_matrices;
use super::writer::{Written, write_safetensors};
use super::{ROWS_FILE, Weights};
use crate::error::InputError;
use crate::files;
use crate::model::adapter::{Adapter, Matrix, Pair};
use crate::model::config::{LlamaConfig, PROJECTIONS};
use crate::model::llama::{Kind, Llama};
use crate::model::options::LoraShape;

/// Tensors of an adapter, in its folder.
const ADAPTER_MODEL: &str = "adapter_model.safetensors";

/// What PEFT puts before the base model's names.
const PREFIX: &str = "base_model.model.";

/// What PEFT calls the rows of trained tokens, after the table's name; they are the rows themselves, not differences.
const TOKEN_ROWS: &str = ".token_adapter.trainable_tokens_delta";

/// Embedding and head: their names in the base model, and in a PEFT configuration.
pub const TABLES: [(&str, &str); 2] = [("model.embed_tokens", "embed_tokens"), ("lm_head", "lm_head")];

/// The table (`embed_tokens`, `lm_head`) whose rows a tensor of an adapter has: of some tokens, or the whole table.
pub fn token_rows_of(tensor: &str) -> Option<&'static str> {
    let name = tensor.strip_prefix(PREFIX)?;
    let of_table = |table: &str| name.strip_prefix(table).is_some_and(|rest| rest == TOKEN_ROWS || rest == ".weight");
    TABLES.into_iter().find(|(table, _)| of_table(table)).map(|(_, short)| short)
}

/// Rows of the embedding or the head, by token.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenRows {
    /// Token of each row.
    pub tokens: Vec<u32>,
    /// `[tokens, width]`
    pub rows: Matrix,
}

/// Opens the tensors in an adapter's folder.
///
/// # Errors
/// They are missing or damaged, or an older form that is not read.
pub fn adapter_weights(folder: &Path) -> Result<Weights, InputError> {
    let (file, old) = (folder.join(ADAPTER_MODEL), folder.join("adapter_model.bin"));
    if !file.is_file() && old.is_file() {
        let quoted = folder.display().to_string().replace('\'', "'\\''");
        return Err(InputError::new(old, "an adapter as a pickle of PyTorch, which is a program and is not run here")
            .advice(format!(
                "make safetensors of it: python -c \"import sys, torch; from safetensors.torch import save_file; \
                 d = sys.argv[1]; t = torch.load(d + '/adapter_model.bin', weights_only=True); \
                 save_file({{k: v.contiguous() for k, v in t.items()}}, d + '/{ADAPTER_MODEL}')\" '{quoted}'"
            )));
    }
    Weights::open_file(&file)
}

/// An adapter as PEFT keeps it.
#[derive(Debug, Clone, PartialEq)]
pub struct PeftAdapter {
    pub adapter: Adapter,
    pub rank: usize,
    pub alpha: f64,
    /// The factor on the update (of a module with a rank or alpha of its own, too: what it has more is in its B): `alpha / r`, or `alpha / √r` where PEFT's rank-stabilised LoRA made it.
    pub scale: f64,
    /// Trained rows by the table's name: `model.embed_tokens.weight`, `lm_head.weight`.
    pub rows: BTreeMap<String, TokenRows>,
}

/// Writes an adapter as a PEFT folder, with trained token rows in a file beside it: what a run keeps of a stage.
///
/// # Errors
/// If the folder cannot be written.
pub fn write_peft(
    folder: &Path,
    adapter: &Adapter,
    shape: LoraShape,
    rows: &BTreeMap<String, Matrix>,
) -> Result<(), InputError> {
    files::create_folder(folder)?;
    if !rows.is_empty() {
        write_matrices(&folder.join(ROWS_FILE), rows)?;
    }
    write(folder, adapter.parameters().map(prefixed), &config_json(adapter, shape.scale(), 0.0))
}

/// Writes an adapter with trained token rows as Hugging Face PEFT writes them: rows of some tokens as `trainable_token_indices`, a
/// whole table as one of `modules_to_save`.
///
/// `vocabulary` is the number of tokens of the base model with the added ones; `tied` says whether its head is its embedding.
///
/// # Errors
/// If the folder cannot be written.
pub fn export_peft(
    folder: &Path,
    peft: &PeftAdapter,
    dropout: f64,
    (vocabulary, tied): (usize, bool),
) -> Result<(), InputError> {
    files::create_folder(folder)?;
    let mut config = config_json(&peft.adapter, peft.scale, dropout);
    let mut tensors: Vec<(String, &Matrix)> = peft.adapter.parameters().map(prefixed).collect();
    let (mut indices, mut whole) = (serde_json::Map::new(), Vec::new());
    for (table, short) in TABLES {
        let Some(rows) = peft.rows.get(&format!("{table}.weight")) else { continue };
        if rows.tokens.len() == vocabulary {
            whole.push(short);
            tensors.push((format!("{PREFIX}{table}.weight"), &rows.rows));
            if tied {
                // PEFT writes a tied table under both names, and ties them again.
                tensors.push((format!("{PREFIX}lm_head.weight"), &rows.rows));
            }
        } else {
            indices.insert(short.to_owned(), json!(rows.tokens));
            tensors.push((format!("{PREFIX}{table}{TOKEN_ROWS}"), &rows.rows));
        }
    }
    let ties = tied && !whole.is_empty();
    config["modules_to_save"] = if whole.is_empty() { Value::Null } else { json!(whole) };
    config["trainable_token_indices"] = if indices.is_empty() { Value::Null } else { Value::Object(indices) };
    config["ensure_weight_tying"] = json!(ties);
    write(folder, tensors.into_iter(), &config)
}

fn prefixed((name, matrix): (String, &Matrix)) -> (String, &Matrix) {
    (format!("{PREFIX}{name}"), matrix)
}

/// The configuration of an adapter with a factor on its updates. Modules whose rank is not the largest have it, and the alpha that
/// gives them the same factor, in patterns; where some module has no adapter, those that have one are named one by one.
fn config_json(adapter: &Adapter, scale: f64, dropout: f64) -> Value {
    let ranks = adapter.ranks();
    let rank = ranks.values().copied().max().unwrap_or(1);
    let others = || ranks.iter().filter(|(_, other)| **other != rank);
    let rank_pattern: BTreeMap<&String, usize> = others().map(|(name, rank)| (name, *rank)).collect();
    let alpha_pattern: BTreeMap<&String, f64> = others().map(|(name, rank)| (name, scale * *rank as f64)).collect();
    let layers = ranks.keys().filter_map(|name| name.split('.').nth(2)).collect::<BTreeSet<_>>().len();
    let targets: Vec<&str> = if ranks.len() == layers * PROJECTIONS.len() {
        PROJECTIONS.map(|p| p.rsplit('.').next().unwrap_or(p)).into()
    } else {
        ranks.keys().map(String::as_str).collect()
    };
    json!({
        "peft_type": "LORA",
        "task_type": "CAUSAL_LM",
        "base_model_name_or_path": null,
        "r": rank,
        "lora_alpha": scale * rank as f64,
        "lora_dropout": dropout,
        "bias": "none",
        "fan_in_fan_out": false,
        "use_rslora": false,
        "use_dora": false,
        "rank_pattern": rank_pattern,
        "alpha_pattern": alpha_pattern,
        "init_lora_weights": true,
        "inference_mode": true,
        "target_modules": targets,
    })
}

/// Writes the tensors, then the configuration, which makes the folder an adapter.
fn write<'a>(
    folder: &Path,
    tensors: impl Iterator<Item = (String, &'a Matrix)>,
    config: &Value,
) -> Result<(), InputError> {
    let matrices = tensors.map(|(name, matrix)| Written::matrix(&name, matrix));
    write_safetensors(&folder.join(ADAPTER_MODEL), matrices, &[])?;
    files::write_atomically(&folder.join(ADAPTER_CONFIG), format!("{config:#}\n").as_bytes())
}

impl PeftAdapter {
    /// Reads a PEFT adapter folder.
    ///
    /// # Errors
    /// Names the file and the field or tensor that cannot be used: a kind of LoRA that is not supported, a shape that does
    /// not fit the model, a tensor that would be left out.
    pub fn read(folder: &Path, config: &LlamaConfig) -> Result<Self, InputError> {
        let peft = PeftConfig::read(folder)?;
        if peft.r > config.width.max(config.ffn) {
            let file = folder.join(ADAPTER_CONFIG);
            return Err(
                InputError::new(&file, format!("rank {} is not possible for this model", peft.r)).at("field `r`")
            );
        }
        let reader = Reader { weights: adapter_weights(folder)?, folder, config, peft: &peft };
        let adapter = reader.adapter()?;
        let rows = reader.rows()?;
        reader.check_names(&adapter)?;
        Ok(Self { adapter, rank: peft.r, alpha: peft.lora_alpha, scale: peft.scale(), rows })
    }

    /// The tokens whose rows it brings, each once.
    pub fn tokens(&self) -> BTreeSet<u32> {
        self.rows.values().flat_map(|rows| &rows.tokens).copied().collect()
    }

    /// How many tokens it adds to a base model's.
    ///
    /// # Errors
    /// A gap among them: the token that has no row.
    pub fn added(&self, base: usize) -> Result<usize, usize> {
        let added: Vec<usize> = self.tokens().into_iter().map(|t| t as usize).filter(|&t| t >= base).collect();
        match added.iter().zip(base..).find(|(token, expected)| *token != expected) {
            None => Ok(added.len()),
            Some((_, missing)) => Err(missing),
        }
    }

    /// Puts adapter and rows on a model, which has all their tokens.
    ///
    /// # Errors
    /// The first token that it has not.
    pub fn put_on<B: Backend>(&self, model: &mut Llama<B>) -> Result<(), u32> {
        let base = model.config.vocabulary;
        let added = model.embedding.added.as_ref().map_or(0, |added| added.dims()[0]);
        if let Some(&beyond) = self.tokens().iter().find(|&&token| token as usize >= base + added) {
            return Err(beyond);
        }
        let device = model.device();
        model.visit(&mut |name, kind, tensor| {
            let first = match kind {
                Kind::BaseRows => 0,
                Kind::AddedRows => base,
                _ => return,
            };
            let Some(brought) = self.rows.get(name.trim_end_matches(".added")) else { return };
            let here = first..first + tensor.dims()[0];
            if brought.tokens.iter().any(|&token| here.contains(&(token as usize))) {
                let mut table = Matrix::from_tensor(tensor.clone());
                brought.replace(&mut table, here);
                *tensor = table.to_tensor(&device);
            }
        });
        self.adapter.put_on(model);
        model.lora_scale = self.scale;
        Ok(())
    }
}

impl TokenRows {
    /// All rows of a table, whose first token is 0.
    fn whole(rows: Matrix) -> Self {
        Self { tokens: (0..rows.rows as u32).collect(), rows }
    }

    /// These rows, then others.
    pub fn followed_by(mut self, other: Self) -> Self {
        self.tokens.extend(other.tokens);
        self.rows.rows += other.rows.rows;
        self.rows.values.extend(other.rows.values);
        self
    }

    /// Puts the rows of tokens that a table has into it.
    fn replace(&self, table: &mut Matrix, tokens: Range<usize>) {
        let width = table.columns;
        for (&token, row) in self.tokens.iter().zip(self.rows.values.chunks_exact(width.max(1))) {
            if tokens.contains(&(token as usize)) {
                let at = (token as usize - tokens.start) * width;
                table.values[at..at + width].copy_from_slice(row);
            }
        }
    }
}

/// Reads a PEFT adapter folder: the adapter, and its factor `alpha / r`.
///
/// # Errors
/// See [`PeftAdapter::read`].
pub fn read_peft(folder: &Path, config: &LlamaConfig) -> Result<(Adapter, f64), InputError> {
    PeftAdapter::read(folder, config).map(|peft| (peft.adapter, peft.scale))
}

struct Reader<'a> {
    weights: Weights,
    folder: &'a Path,
    config: &'a LlamaConfig,
    peft: &'a PeftConfig,
}

impl Reader<'_> {
    fn has(&self, name: &str) -> bool {
        self.weights.shape(name).is_ok()
    }

    fn adapter(&self) -> Result<Adapter, InputError> {
        let mut adapter = Adapter::default();
        for (name, (output, input)) in self.config.modules() {
            let (a, b) = (format!("{PREFIX}{name}{}", Adapter::A), format!("{PREFIX}{name}{}", Adapter::B));
            if !self.has(&a) {
                continue;
            }
            let (rank, scale) = self.of_module(&name)?;
            let mut pair = Pair {
                a: self.weights.matrix(&a, Some([rank, input]))?,
                b: self.weights.matrix(&b, Some([output, rank]))?,
            };
            let whole = self.peft.scale();
            if (scale - whole).abs() > 1e-9 * whole.abs() {
                // One factor is for all modules: what is the module's own goes into its B.
                let own = (scale / whole) as f32;
                pair.b.values.iter_mut().for_each(|value| *value *= own);
            }
            adapter.modules.insert(name, pair);
        }
        if adapter.modules.is_empty() {
            return Err(InputError::new(self.folder, "no adapter tensor fits this model")
                .advice("expected names such as base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"));
        }
        Ok(adapter)
    }

    fn of_module(&self, name: &str) -> Result<(usize, f64), InputError> {
        let bad = |field: &str, problem: String| {
            InputError::new(self.folder.join(ADAPTER_CONFIG), problem).at(format!("field `{field}`"))
        };
        let (rank, scale) = self.peft.of_module(name).map_err(|field| {
            bad(field, format!("two entries name {name} and say different things"))
                .advice("name each module once, in full")
        })?;
        if rank > self.config.width.max(self.config.ffn) {
            return Err(bad("rank_pattern", format!("rank {rank} is not possible for this model")));
        }
        if scale != 0.0 && self.peft.scale() == 0.0 {
            return Err(bad("lora_alpha", "the alpha is 0 but for some modules".to_owned()));
        }
        Ok((rank, scale))
    }

    /// Rows of single tokens, whole tables, and tables that were resized with rows of single tokens trained in them.
    fn rows(&self) -> Result<BTreeMap<String, TokenRows>, InputError> {
        let mut all = BTreeMap::new();
        for (table, short) in TABLES {
            let whole = [".weight", ".token_adapter.base_layer.weight", ".base_layer.weight"]
                .into_iter()
                .map(|ending| format!("{PREFIX}{table}{ending}"))
                .find(|name| self.has(name));
            let mut rows = match whole {
                Some(name) => {
                    let rows = self.weights.matrix(&name, None)?;
                    self.check_width(&name, &rows)?;
                    Some(TokenRows::whole(rows))
                }
                None => None,
            };
            let name = format!("{PREFIX}{table}{TOKEN_ROWS}");
            if self.has(&name) {
                let trained = self.token_rows(&name, short)?;
                rows = Some(match rows {
                    None => trained,
                    Some(table) => self.replaced(&name, table, &trained)?,
                });
            }
            if let Some(rows) = rows {
                all.insert(format!("{table}.weight"), rows);
            }
        }
        if self.config.tied
            && let Some(head) = all.remove("lm_head.weight")
            && all.get("model.embed_tokens.weight") != Some(&head)
        {
            return Err(InputError::new(self.folder, "the adapter has a head of its own, the base model has not")
                .at("tensor `base_model.model.lm_head.weight`")
                .advice("the base model's head is its embedding; train both as one (`ensure_weight_tying` in PEFT)"));
        }
        Ok(all)
    }

    fn token_rows(&self, name: &str, short: &str) -> Result<TokenRows, InputError> {
        let rows = self.weights.matrix(name, None)?;
        self.check_width(name, &rows)?;
        let tokens = self.peft.tokens(short).unwrap_or_default().to_vec();
        if tokens.len() != rows.rows {
            let problem = format!("{} tokens are listed for the {} rows of `{name}`", tokens.len(), rows.rows);
            return Err(
                InputError::new(self.folder.join(ADAPTER_CONFIG), problem).at("field `trainable_token_indices`")
            );
        }
        Ok(TokenRows { tokens, rows })
    }

    fn check_width(&self, name: &str, rows: &Matrix) -> Result<(), InputError> {
        if rows.columns == self.config.width {
            return Ok(());
        }
        let problem = format!("expected rows of width {}, got {}", self.config.width, rows.columns);
        Err(InputError::new(self.folder.join(ADAPTER_MODEL), problem).at(format!("tensor `{name}`")))
    }

    /// A table with the trained rows where they belong.
    fn replaced(&self, name: &str, mut table: TokenRows, trained: &TokenRows) -> Result<TokenRows, InputError> {
        let tokens = 0..table.rows.rows;
        if let Some(token) = trained.tokens.iter().find(|&&token| !tokens.contains(&(token as usize))) {
            let problem = format!("token {token} is not among the {} rows of the table", tokens.end);
            return Err(InputError::new(self.folder, problem).at(format!("tensor `{name}`")));
        }
        trained.replace(&mut table.rows, tokens);
        Ok(table)
    }

    fn supported(&self) -> &'static str {
        if self.config.experts.is_some() {
            "LoRA on q, k, v and o, on gate, up and down of layers without experts, and rows of embedding and head are supported"
        } else {
            "LoRA on q, k, v, o, gate, up and down and rows of embedding and head are supported"
        }
    }

    /// Refuses tensors that nothing above has read: a result without them would be another model's.
    fn check_names(&self, adapter: &Adapter) -> Result<(), InputError> {
        let is_known = |name: &str| {
            let Some(name) = name.strip_prefix(PREFIX) else { return false };
            let module = name.strip_suffix(Adapter::A).or_else(|| name.strip_suffix(Adapter::B));
            module.is_some_and(|module| adapter.modules.contains_key(module))
                || TABLES.iter().any(|(table, _)| {
                    name.strip_prefix(table).is_some_and(|ending| {
                        [".weight", TOKEN_ROWS, ".token_adapter.base_layer.weight", ".base_layer.weight"]
                            .contains(&ending)
                    })
                })
        };
        match self.weights.names().find(|name| !is_known(name)) {
            None => Ok(()),
            Some(name) => {
                Err(InputError::new(self.folder.join(ADAPTER_MODEL), "a tensor that does not fit this model")
                    .at(format!("tensor `{name}`"))
                    .advice(self.supported()))
            }
        }
    }
}
