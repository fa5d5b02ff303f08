//! A text tried on a tokenizer: which pieces it is cut into, for people.

use std::collections::BTreeMap;

use tokenizers::AddedToken;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;

use super::{Tokenizer, guarded};
use crate::error::InputError;

/// A tokenizer with the tokens that a dataset adds, which keep the numbers that the model has for them.
#[derive(Debug, Clone)]
pub struct Trial {
    tokenizer: Tokenizer,
    /// The model's number of each added token, by the tokenizer's own.
    added: BTreeMap<u32, u32>,
}

/// A token of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub number: u32,
    /// As a reader would see it, or the vocabulary's own word where it is no text by itself.
    pub text: String,
    /// The bytes that it stands for.
    pub bytes: Vec<u8>,
    /// Whether the dataset adds it.
    pub added: bool,
}

impl Tokenizer {
    /// Adds tokens whose numbers in the model begin at `base`.
    ///
    /// # Errors
    /// The tokenizer takes no new tokens.
    pub fn trial(&self, added: &[String], base: usize) -> Result<Trial, InputError> {
        let mut tokenizer = self.clone();
        let tokens = added.iter().map(|token| AddedToken::from(token.as_str(), false).normalized(false));
        let unusable = |e: tokenizers::Error| InputError::new(&self.path, format!("tokens cannot be added: {e}"));
        tokenizer.inner.add_tokens(tokens).map_err(unusable)?;
        let numbers = added.iter().zip(base as u32..);
        let added = numbers.filter_map(|(token, number)| Some((tokenizer.number(token)?, number))).collect();
        Ok(Trial { tokenizer, added })
    }
}

impl Trial {
    /// Cuts a text into its tokens, without those that the model wants before or after it.
    ///
    /// # Errors
    /// The tokenizer has no token for a part of the text, nor one for the unknown.
    pub fn pieces(&self, text: &str) -> Result<Vec<Piece>, InputError> {
        let piece = |own: u32| {
            let number = self.added.get(&own).copied();
            let text = self.tokenizer.token_text(own).unwrap_or_default();
            let bytes = self.tokenizer.bytes(own).unwrap_or_else(|| text.as_bytes().to_vec());
            Piece { number: number.unwrap_or(own), added: number.is_some(), text, bytes }
        };
        Ok(self.tokenizer.encode(text, false)?.into_iter().map(piece).collect())
    }
}

impl Tokenizer {
    /// The bytes of a token that is no text by itself: of a byte-level vocabulary, or a byte written as `<0x0A>`. None where
    /// the token is text.
    pub(super) fn bytes(&self, token: u32) -> Option<Vec<u8>> {
        let decoded = guarded(|| self.inner.decode(&[token], false).map_err(|e| e.to_string())).ok()?;
        if !decoded.is_empty() && !decoded.contains('\u{fffd}') {
            return Some(decoded.into_bytes());
        }
        let own = self.inner.id_to_token(token)?;
        if let Some(digits) = own.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>')) {
            return u8::from_str_radix(digits, 16).ok().map(|byte| vec![byte]);
        }
        own.chars().map(byte_of).collect()
    }
}

/// The byte that a character of a byte-level vocabulary stands for. Bytes that print stand for themselves; the others are the
/// characters from 256 on, in their order.
fn byte_of(character: char) -> Option<u8> {
    let code = u32::from(character);
    let prints = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    if !ByteLevel::alphabet().contains(&character) {
        return None;
    }
    if code < 256 {
        return u8::try_from(code).ok();
    }
    (0..256u32).filter(|&byte| !prints(byte)).nth(code as usize - 256).and_then(|byte| u8::try_from(byte).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_has_one_character_of_the_byte_level_vocabulary() {
        let mut bytes: Vec<u8> = ByteLevel::alphabet().into_iter().filter_map(byte_of).collect();
        bytes.sort_unstable();
        assert_eq!(bytes, (0..=255).collect::<Vec<u8>>());
        assert_eq!(
            [byte_of('Ġ'), byte_of('Ċ'), byte_of('a'), byte_of('日')],
            [Some(0x20), Some(0x0a), Some(b'a'), None]
        );
    }
}
