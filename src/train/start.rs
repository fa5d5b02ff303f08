//! What stage 1 begins with: a fresh adapter, or one that Hugging Face PEFT wrote.

use burn::tensor::backend::Backend;

use super::Task;
use super::model_identity::start_folder;
use crate::error::InputError;
use crate::model::weights::PeftAdapter;
use crate::model::{Adapter, Llama, LlamaConfig, Vocabulary, VocabularyMode};
use crate::project::Project;

/// The adapter that the project starts from, where it is not a fresh one.
///
/// # Errors
/// It cannot be read, does not fit the base model, has another rank or factor than the project's, or brings token rows that
/// the project's vocabulary mode would not keep.
pub fn read(
    project: &Project,
    llama: &LlamaConfig,
    vocabulary: &Vocabulary,
) -> Result<Option<PeftAdapter>, InputError> {
    let Some(folder) = start_folder(project) else { return Ok(None) };
    let peft = PeftAdapter::read(&folder, llama)?;
    let bad = |field: &str, problem: String, advice: String| {
        Err(InputError::new(folder.join("adapter_config.json"), problem).at(format!("field `{field}`")).advice(advice))
    };
    let lora = project.training.lora;
    if peft.rank != lora.rank {
        let problem = format!("the adapter has rank {}, the project trains rank {}", peft.rank, lora.rank);
        return bad("r", problem, format!("set `training.lora.rank` to {}", peft.rank));
    }
    if (peft.scale - lora.scale()).abs() > 1e-9 * lora.scale() {
        let problem = format!("the adapter's update has the factor {}, the project's {}", peft.scale, lora.scale());
        return bad("lora_alpha", problem, format!("set `training.lora.alpha` to {}", peft.scale * peft.rank as f64));
    }
    let tokens = peft.tokens();
    let mode = project.training.vocabulary;
    if let Some(token) = tokens.iter().find(|&&token| token as usize >= vocabulary.tokens()) {
        return Err(InputError::new(
            &folder,
            format!(
                "it has a row of token {token}; the base model has {} tokens and this dataset adds {}",
                vocabulary.base, vocabulary.added
            ),
        )
        .advice("it was trained with other added tokens; they must be this dataset's, in their order"));
    }
    let of_base = tokens.first().is_some_and(|&token| (token as usize) < vocabulary.base);
    let of_added = tokens.last().is_some_and(|&token| token as usize >= vocabulary.base);
    let problem = match mode {
        VocabularyMode::NewTokens if of_base => "rows of the base model's tokens",
        VocabularyMode::Frozen if of_base || of_added => "rows of tokens",
        _ => return Ok(Some(peft)),
    };
    Err(InputError::new(&folder, format!("it brings {problem}, which `vocabulary: {mode:?}` keeps as they are"))
        .advice("set `training.vocabulary` to `Full`"))
}

/// Puts on the base model what stage 1 begins with. Modules that an adapter from elsewhere has not are fresh.
///
/// # Errors
/// See [`read`].
pub fn put_on<B: Backend>(task: &Task<'_>, model: &mut Llama<B>, seed: u64) -> Result<(), InputError> {
    let fresh = Adapter::fresh(&task.llama, task.project.training.lora, seed, "adapter 1");
    let Some(mut peft) = read(task.project, &task.llama, &task.vocabulary)? else {
        fresh.put_on(model);
        return Ok(());
    };
    for (name, pair) in fresh.modules {
        peft.adapter.modules.entry(name).or_insert(pair);
    }
    let token = |token: u32| InputError::new(task.project.folder.as_path(), format!("the model has no token {token}"));
    peft.put_on(model).map_err(token)
}
