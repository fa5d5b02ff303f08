//! A text around codes, tokenised once.

use tokenizers::AddedToken;

use super::Tokenizer;
use crate::error::InputError;

/// Stands for a code while a text is tokenised; a private-use character, so no text has it.
const CODE: &str = "\u{f8ff}";

/// A text with a history of codes in it, as tokens around and between the history's items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pieces {
    pub before: Vec<u32>,
    /// Between two items.
    pub between: Vec<u32>,
    pub after: Vec<u32>,
}

impl Tokenizer {
    /// Tokenises `before`, items with `between` between them, and `after`, where items are codes with tokens of their own.
    ///
    /// The whole is tokenised at once with a stand-in for each item, since a tokenizer may treat the beginning of a text
    /// unlike what follows a token. Codes are tokens that were added, at which a text is cut before it is tokenised, so the
    /// pieces are the same around every history. Tokens that the model wants before a text are part of `before`; those that
    /// it wants after one are left out, for the response follows.
    ///
    /// # Errors
    /// The text cannot be tokenised.
    pub fn pieces(&self, before: &str, between: &str, after: &str) -> Result<Pieces, InputError> {
        let mut with_code = self.clone();
        let stand_in = AddedToken::from(CODE, false).normalized(false);
        let added = with_code.inner.add_tokens([stand_in]).map_err(|e| InputError::new(&self.path, e.to_string()))?;
        let code = with_code.number(CODE).filter(|_| added == 1);
        let code = code.ok_or_else(|| InputError::new(&self.path, "the tokenizer takes no new tokens"))?;
        let mut tokens = with_code.encode(&format!("{before}{CODE}{between}{CODE}{after}"), true)?;
        let plain = with_code.encode(&format!("{before}{CODE}{between}{CODE}{after}"), false)?;
        // Without and with special tokens, a text ends alike but for those after it.
        let ending = self.ending()?;
        if tokens.len() > plain.len() && !ending.is_empty() && tokens.ends_with(&ending) {
            tokens.truncate(tokens.len() - ending.len());
        }
        let mut pieces = tokens.split(|&token| token == code).map(<[u32]>::to_vec);
        match (pieces.next(), pieces.next(), pieces.next(), pieces.next()) {
            (Some(before), Some(between), Some(after), None) => Ok(Pieces { before, between, after }),
            _ => Err(InputError::new(&self.path, "the tokenizer does not keep new tokens apart")),
        }
    }

    /// Tokens that the model wants after a text.
    fn ending(&self) -> Result<Vec<u32>, InputError> {
        let (plain, special) = (self.encode("a", false)?, self.encode("a", true)?);
        let start = special.windows(plain.len().max(1)).position(|window| window == plain);
        Ok(start.map_or_else(Vec::new, |start| special[start + plain.len()..].to_vec()))
    }
}
