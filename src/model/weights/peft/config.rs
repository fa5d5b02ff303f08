//! What `adapter_config.json` says of an adapter: read, known to change nothing, or refused.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::error::InputError;
use crate::files;
use crate::model::foreign;

/// Configuration of an adapter, in its folder.
pub(super) const ADAPTER_CONFIG: &str = "adapter_config.json";

/// Largest configuration that is read.
const LARGEST_CONFIG: u64 = 16 << 20;

/// What `adapter_config.json` says of a LoRA adapter.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PeftConfig {
    /// The rank.
    pub r: usize,
    pub lora_alpha: f64,
    #[serde(default)]
    use_rslora: Option<bool>,
    /// Ranks and alphas of single modules, by the ends of their names.
    #[serde(default)]
    rank_pattern: Option<BTreeMap<String, usize>>,
    #[serde(default)]
    alpha_pattern: Option<BTreeMap<String, f64>>,
    /// Tokens whose rows are trained: a list for the embedding, or one for each table.
    #[serde(default)]
    trainable_token_indices: Option<Indices>,
    /// Everything else.
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
enum Indices {
    Embedding(Vec<u32>),
    Tables(BTreeMap<String, Vec<u32>>),
}

/// Fields of which it is known that they change nothing in what an adapter computes, beside those that are read.
const HARMLESS: [&str; 23] = [
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    // How CorDA and EVA found their first A; the base stays as it was with EVA, and CorDA is refused by its start.
    "corda_config",
    "ensure_weight_tying",
    "eva_config",
    "exclude_modules",
    "inference_mode",
    "init_lora_weights",
    "layers_pattern",
    "layers_to_transform",
    "loftq_config",
    "lora_dropout",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "unsloth_version",
];

/// Ways to start LoRA that leave the base model as it is.
const LEAVE_THE_BASE: [&str; 5] = ["gaussian", "eva", "orthogonal", "mica", "kaiming"];

/// Kinds of adapters that are no LoRA, or compute something else than `W x + s B A x`, by the fields that say so.
const UNSUPPORTED: [(&str, &str); 19] = [
    ("use_dora", "DoRA, whose weights are scaled by learned magnitudes"),
    ("use_qalora", "QALoRA"),
    ("use_bdlora", "block-diagonal LoRA"),
    ("fan_in_fan_out", "LoRA on transposed weights"),
    ("lora_bias", "a bias in LoRA's second factor"),
    ("layer_replication", "layers that occur several times"),
    ("target_parameters", "LoRA on parameters that are no projection"),
    ("alora_invocation_tokens", "activated LoRA, which begins at some tokens"),
    ("arrow_config", "Arrow, which chooses among adapters"),
    ("kasa_config", "KaSA"),
    ("lora_ga_config", "LoRA-GA"),
    ("megatron_config", "LoRA on Megatron's layers"),
    ("monteclora_config", "MonteCLoRA"),
    ("velora_config", "VeLoRA"),
    ("use_mora", "MoRA"),
    ("use_vera", "VeRA"),
    ("lora_nums", "several pairs a module"),
    ("moslora", "MoSLoRA"),
    ("use_moslora", "MoSLoRA"),
];

/// Which kind of adapter a configuration is of.
#[derive(Deserialize)]
struct Kind {
    #[serde(default)]
    peft_type: Option<String>,
}

/// What the entries say that name a module, or an end of its name; none where none does.
fn named<T: Copy + PartialEq>(entries: Option<&BTreeMap<String, T>>, module: &str) -> Result<Option<T>, ()> {
    let is_it = |name: &str| module.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    let mut values = entries.into_iter().flatten().filter(|(name, _)| is_it(name)).map(|(_, value)| *value);
    let first = values.next();
    if values.all(|other| Some(other) == first) { Ok(first) } else { Err(()) }
}

/// Whether a value asks for nothing.
fn says_no(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Bool(true) => false,
    }
}

impl PeftConfig {
    /// Reads the configuration in an adapter's folder.
    ///
    /// # Errors
    /// It is missing, not one, or of an adapter that is no plain LoRA.
    pub fn read(folder: &Path) -> Result<Self, InputError> {
        let file = folder.join(ADAPTER_CONFIG);
        let text = files::read_text(&file, LARGEST_CONFIG)?;
        let invalid = |e: serde_json::Error| {
            let place = format!("line {}, column {}", e.line(), e.column());
            let other = InputError::new(&file, format!("not an adapter configuration: {e}")).at(place);
            foreign::beginning_of(&file, text.as_bytes()).unwrap_or(other)
        };
        // The kind comes first: another kind of adapter lacks the fields of LoRA.
        let Kind { peft_type } = serde_json::from_str(&text).map_err(invalid)?;
        if let Some(kind) = peft_type.filter(|kind| kind != "LORA") {
            let kind: String = kind.chars().take(40).collect();
            return Err(InputError::new(&file, format!("expected \"LORA\", got \"{kind}\"")).at("field `peft_type`"));
        }
        let peft: Self = serde_json::from_str(&text).map_err(invalid)?;
        peft.check(&file)?;
        Ok(peft)
    }

    fn check(&self, file: &Path) -> Result<(), InputError> {
        let bad = |field: &str, problem: String| Err(InputError::new(file, problem).at(format!("field `{field}`")));
        if self.r == 0 {
            return bad("r", "the rank is 0".to_owned());
        }
        if !self.lora_alpha.is_finite() {
            return bad("lora_alpha", "not a finite number".to_owned());
        }
        if let Some(bias) = self.others.get("bias").filter(|bias| !says_no(bias) && bias.as_str() != Some("none")) {
            return bad("bias", format!("trained biases ({bias}) are not supported"));
        }
        self.check_patterns(file)?;
        self.check_start(file)?;
        let changing = |(field, _): &&(&str, &str)| self.others.get(*field).is_some_and(|value| !says_no(value));
        if let Some((field, what)) = UNSUPPORTED.iter().find(changing) {
            return Err(InputError::new(file, format!("not supported: {what}")).at(format!("field `{field}`")).advice(
                "merge it into its base model with PEFT (`merge_and_unload`), and name the result as base model",
            ));
        }
        let known = |field: &str| HARMLESS.binary_search(&field).is_ok();
        match self.others.iter().find(|(field, value)| !known(field) && !says_no(value)) {
            None => Ok(()),
            Some((field, _)) => {
                Err(InputError::new(file, "nothing is known of this field, which may change the adapter")
                    .at(format!("field `{}`", field.chars().take(80).collect::<String>()))
                    .advice("take it out if it has nothing to do with what the adapter computes"))
            }
        }
    }

    /// PEFT reads the names of patterns as regular expressions; here they are ends of modules' names.
    fn check_patterns(&self, file: &Path) -> Result<(), InputError> {
        let is_name = |name: &String| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.'));
        let ranks = self.rank_pattern.iter().flatten().map(|(name, _)| ("rank_pattern", name));
        let alphas = self.alpha_pattern.iter().flatten().map(|(name, _)| ("alpha_pattern", name));
        if let Some((field, name)) = ranks.chain(alphas).find(|(_, name)| !is_name(name)) {
            let shown: String = name.chars().take(80).collect();
            return Err(InputError::new(file, format!("`{shown}` is no module's name"))
                .at(format!("field `{field}`"))
                .advice("name each module, such as `model.layers.0.self_attn.q_proj`, instead of an expression"));
        }
        if self.rank_pattern.iter().flatten().any(|(_, rank)| *rank == 0) {
            return Err(InputError::new(file, "a rank is 0").at("field `rank_pattern`"));
        }
        if self.alpha_pattern.iter().flatten().any(|(_, alpha)| !alpha.is_finite()) {
            return Err(InputError::new(file, "not a finite number").at("field `alpha_pattern`"));
        }
        Ok(())
    }

    /// Some ways to start LoRA take a part out of the base model's weights: such an adapter belongs to a base that is not on
    /// disk.
    fn check_start(&self, file: &Path) -> Result<(), InputError> {
        let Some(start) = self.others.get("init_lora_weights") else { return Ok(()) };
        let start = match start {
            Value::Null | Value::Bool(_) => return Ok(()),
            Value::String(start) if LEAVE_THE_BASE.contains(&start.to_lowercase().as_str()) => return Ok(()),
            Value::String(start) => start.chars().take(40).collect(),
            other => other.to_string(),
        };
        Err(InputError::new(file, format!("an adapter that was started as \"{start}\" changes its base model"))
            .at("field `init_lora_weights`")
            .advice("let PEFT convert it to plain LoRA: `path_initial_model_for_weight_conversion`"))
    }

    /// The base model that it was trained on, where the file names one.
    pub fn base_model(&self) -> Option<String> {
        let name = self.others.get("base_model_name_or_path").and_then(Value::as_str)?;
        (!name.is_empty()).then(|| name.to_owned())
    }

    /// The factor on the update, of modules without a rank or an alpha of their own.
    pub fn scale(&self) -> f64 {
        self.factor(self.lora_alpha, self.r)
    }

    fn factor(&self, alpha: f64, rank: usize) -> f64 {
        let rank = rank as f64;
        alpha / if self.use_rslora == Some(true) { rank.sqrt() } else { rank }
    }

    /// The rank of a module (`model.layers.0.self_attn.q_proj`), and the factor on its update.
    ///
    /// # Errors
    /// The field in which two entries name the module and say different things.
    pub(super) fn of_module(&self, module: &str) -> Result<(usize, f64), &'static str> {
        let rank = named(self.rank_pattern.as_ref(), module).map_err(|()| "rank_pattern")?.unwrap_or(self.r);
        let alpha = named(self.alpha_pattern.as_ref(), module).map_err(|()| "alpha_pattern")?;
        Ok((rank, self.factor(alpha.unwrap_or(self.lora_alpha), rank)))
    }

    /// The tokens of a table whose rows are trained.
    pub(super) fn tokens(&self, short: &str) -> Option<&[u32]> {
        match self.trainable_token_indices.as_ref()? {
            Indices::Embedding(tokens) => (short == "embed_tokens").then_some(tokens),
            Indices::Tables(tables) => {
                let named = tables.iter().find(|(name, _)| name.rsplit('.').next() == Some(short));
                named.map(|(_, tokens)| tokens.as_slice())
            }
        }
    }
}
