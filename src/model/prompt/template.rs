//! The text around a history's codes, tokenised once.

use super::Vocabulary;
use crate::error::InputError;
use crate::model::config::LlamaConfig;
use crate::model::options::Prompt;
use crate::model::tokenizer::{Pieces, Tokenizer};
use crate::semantic_id::SemanticIndex;

/// Where the history stands in a text.
pub const HISTORY: &str = "{history}";

/// The instruction of PESO's released code (`Fine-tuning/prompt.py`: `sft_prompt` around its one `seqrec` prompt), which is
/// LC-Rec's. Items are joined by a comma and a space, as its `his_sep` is; the response follows the colon at once.
pub const INSTRUCTION: &str = "Below is an instruction that describes a task. Write a response that appropriately \
    completes the request.\n\n### Instruction:\nThe user has interacted with items {history} in chronological order. \
    Can you predict the next possible item that the user may expect?\n\n### Response:";

/// What stands around the codes of a history, as tokens. `before` and `after` are not both empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    pub before: Vec<u32>,
    /// Between two items.
    pub between: Vec<u32>,
    pub after: Vec<u32>,
}

impl Prompt {
    /// The text with [`HISTORY`] in it, and what stands between two items; none for the compact prompt, which has no text.
    pub fn text(&self) -> Option<(&str, &'static str)> {
        match self {
            Self::Compact => None,
            Self::Instruction => Some((INSTRUCTION, ", ")),
            Self::Paper => Some((HISTORY, "")),
            Self::Custom(text) => Some((text, ", ")),
        }
    }

    /// The text before and after the history, and between two items.
    ///
    /// # Errors
    /// The history is not in the text, or more than once.
    pub fn parts(&self) -> Result<Option<[&str; 3]>, String> {
        let Some((text, between)) = self.text() else { return Ok(None) };
        let mut parts = text.split(HISTORY);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(before), Some(after), None) => Ok(Some([before, between, after])),
            (_, None, _) => Err(format!("the prompt does not say where the history stands: put {HISTORY} into it")),
            _ => Err(format!("the prompt has {HISTORY} more than once")),
        }
    }
}

impl Vocabulary {
    /// The vocabulary of a prompt for a base model whose tokenizer `open` opens, where there is text to tokenise. Codes are
    /// the only tokens that are added to the base's; a response ends with the base's own end of text.
    ///
    /// # Errors
    /// The tokenizer cannot be used or does not fit the model, or the model names no end of text.
    pub fn of_prompt(
        prompt: &Prompt,
        config: &LlamaConfig,
        open: impl FnOnce() -> Result<Tokenizer, InputError>,
        index: &SemanticIndex,
    ) -> Result<Self, InputError> {
        let parts = prompt.parts().map_err(|problem| InputError::new("prompt", problem))?;
        let Some([before, between, after]) = parts else { return Ok(Self::new(config.vocabulary, index)) };
        let tokenizer = open()?;
        let Pieces { mut before, between, after } = tokenizer.pieces(before, between, after)?;
        let eos = config.eos.ok_or_else(|| {
            InputError::new(tokenizer.path(), "the base model names no token that ends a text, which a response needs")
                .advice("name `eos_token_id` in its config.json")
        })?;
        if before.is_empty() && after.is_empty() {
            // Something must be read before the first code of a user without history.
            before.push(config.bos.unwrap_or(eos));
        }
        let base = config.vocabulary;
        let all = before.iter().chain(&between).chain(&after).chain([&eos]);
        if let Some(token) = all.copied().find(|&token| token as usize >= base) {
            return Err(InputError::new(tokenizer.path(), format!("token {token} is not in the model's {base} rows"))
                .advice("the tokenizer is that of another model"));
        }
        let template = Template { before, between, after };
        Ok(Self { base, added: index.tokens.len(), eos, first_code: base as u32, template })
    }
}
