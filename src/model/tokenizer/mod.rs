//! Tokenizers of base models, by the `tokenizers` library: `tokenizer.json`, or rebuilt from what a GGUF file holds.

mod for_gguf;
mod gguf;
mod pieces;
mod trial;

use std::path::{Path, PathBuf};

use serde::Serialize;
use tokenizers::AddedToken;
use tokenizers::models::ModelWrapper;

use super::foreign;
use super::weights::gguf::{Gguf, Item};
use crate::error::InputError;
use crate::{crash, files};

pub use self::for_gguf::without_texts;
pub use self::pieces::Pieces;
pub use self::trial::{Piece, Trial};

/// The most bytes of a `tokenizer.json` that are read.
const LARGEST_FILE: u64 = 1 << 28;

/// Turns text into token numbers of a base model.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    path: PathBuf,
}

/// What a tokenizer is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TokenizerSummary {
    /// `BPE`, `Unigram`, …
    pub model: &'static str,
    /// Tokens, with those that were added to the model's.
    pub tokens: usize,
    /// Tokens that were added, special ones among them.
    pub added: usize,
    pub special: Vec<String>,
    /// The token that is put before a text.
    pub beginning: Option<String>,
}

impl Tokenizer {
    /// Opens a `tokenizer.json`, that of a Hugging Face folder, or the tokenizer inside a GGUF file.
    ///
    /// # Errors
    /// There is none, it is damaged, or of a kind that is not supported.
    pub fn open(path: &Path) -> Result<Self, InputError> {
        if path.is_file() && Gguf::is_one(path) {
            return Self::of_gguf(&Gguf::open(path)?);
        }
        let file = if path.is_dir() { path.join("tokenizer.json") } else { path.to_path_buf() };
        if !file.is_file() {
            return Err(InputError::new(&file, "there is no tokenizer").advice(missing(&file)));
        }
        let text = files::read_text(&file, LARGEST_FILE)?;
        let read = || tokenizers::Tokenizer::from_bytes(text.as_bytes()).map_err(|e| e.to_string());
        let mut inner = guarded(read).map_err(|problem| {
            let other =
                InputError::new(&file, format!("not a tokenizer: {problem}")).advice("expected a tokenizer.json");
            foreign::beginning_of(&file, text.as_bytes()).unwrap_or(other)
        })?;
        // What a file says of cutting and filling texts is meant for batches of them.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(|e| InputError::new(&file, e.to_string()))?;
        Ok(Self { inner, path: file })
    }

    /// Rebuilds the tokenizer inside a GGUF file.
    ///
    /// # Errors
    /// There is none, it is damaged, or of a kind that is not supported.
    pub fn of_gguf(file: &Gguf) -> Result<Self, InputError> {
        let inner = gguf::rebuild(file)?;
        Ok(Self { inner, path: file.path().to_path_buf() })
    }

    /// Tokens of a text; with `special`, those that the model wants before and after it too.
    ///
    /// # Errors
    /// The tokenizer has no token for a part of the text, nor one for the unknown.
    pub fn encode(&self, text: &str, special: bool) -> Result<Vec<u32>, InputError> {
        let encode = || self.inner.encode_fast(text, special).map_err(|e| e.to_string());
        let encoding = guarded(encode);
        let encoding = encoding.map_err(|e| InputError::new(&self.path, format!("cannot tokenise a text: {e}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The tokens that the model wants before a text, and the text's own, without those that it may want after it.
    ///
    /// # Errors
    /// As [`Self::encode`].
    pub fn own_tokens(&self, text: &str) -> Result<(Vec<u32>, Vec<u32>), InputError> {
        let (all, own) = (self.encode(text, true)?, self.encode(text, false)?);
        // Special tokens stand around the text, so its own are where they are found as a whole first.
        let before = (0..=all.len().saturating_sub(own.len())).find(|&from| all[from..].starts_with(&own));
        let before = before.map(|from| all[..from].to_vec()).unwrap_or_default();
        Ok((before, own))
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of a token, by its text in the vocabulary.
    pub fn number(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// The text of tokens in a row as a reader would see it; none where they are no text, such as a part of a letter.
    pub fn text(&self, tokens: &[u32]) -> Option<String> {
        let text = self.inner.decode(tokens, false).ok()?;
        (!text.is_empty() && !text.contains('\u{fffd}')).then_some(text)
    }

    /// The text of one token. Bytes that are no text by themselves, such as a part of a letter, are written in hexadecimal
    /// digits: `<E7 94>`; what has no bytes either, as the vocabulary writes it.
    pub fn token_text(&self, token: u32) -> Option<String> {
        let own = self.inner.id_to_token(token)?;
        let digits = |bytes: Vec<u8>| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" ");
        let in_digits = || self.bytes(token).map(|bytes| format!("<{}>", digits(bytes)));
        Some(self.text(&[token]).or_else(in_digits).unwrap_or(own))
    }

    /// The token that the model wants before every text.
    pub fn beginning(&self) -> Option<u32> {
        self.encode("", true).ok()?.first().copied()
    }

    /// The token of a number, as the vocabulary writes it.
    pub fn name(&self, token: u32) -> Option<String> {
        self.inner.id_to_token(token)
    }

    /// A `tokenizer.json` of this tokenizer with more tokens, whose numbers follow a model's `base` rows. Rows that the
    /// tokenizer has no token for get one that no text has, as the library numbers tokens without gaps. None where the numbers
    /// would be others: the tokenizer has more tokens than the model has rows, or has one of these already.
    ///
    /// # Errors
    /// The library cannot write the tokenizer down.
    pub fn extended(&self, tokens: &[String], base: usize) -> Result<Option<String>, InputError> {
        let unusable =
            |problem: tokenizers::Error| InputError::new(&self.path, format!("tokens cannot be added: {problem}"));
        let mut inner = self.inner.clone();
        let known = inner.get_vocab(true).into_values().max().map_or(0, |last| last as usize + 1);
        let unused = (known..base).map(|row| AddedToken::from(format!("<|unused row {row}|>"), true));
        inner.add_special_tokens(unused).map_err(unusable)?;
        inner.add_tokens(tokens.iter().map(|token| AddedToken::from(token.as_str(), false))).map_err(unusable)?;
        let mut numbers = tokens.iter().zip(base as u32..);
        if !numbers.all(|(token, number)| inner.token_to_id(token) == Some(number)) {
            return Ok(None);
        }
        inner.to_string(true).map(Some).map_err(unusable)
    }

    /// What a GGUF file says of this tokenizer with more tokens, whose numbers follow a model's `base` rows; `ends` are the tokens that
    /// begin and end a text.
    ///
    /// # Errors
    /// As [`Self::extended`]; the numbers would be others, or such a file cannot say how it cuts texts.
    pub fn for_gguf(
        &self,
        tokens: &[String],
        base: usize,
        ends: [Option<u32>; 2],
    ) -> Result<Vec<(String, Item)>, InputError> {
        let refused = |problem: String| InputError::new(&self.path, problem);
        let text = self.extended(tokens, base)?;
        let text = text.ok_or_else(|| refused("the added tokens cannot follow the tokenizer's own".to_owned()))?;
        let json = serde_json::from_str(&text).map_err(|error| refused(error.to_string()))?;
        let begins = self.beginning().is_some();
        for_gguf::metadata(&json, base + tokens.len(), ends, begins).map_err(refused)
    }

    /// What the tokenizer is.
    pub fn summary(&self) -> TokenizerSummary {
        let added = self.inner.get_added_tokens_decoder();
        let mut special: Vec<(u32, String)> =
            added.iter().filter(|(_, token)| token.special).map(|(id, token)| (*id, token.content.clone())).collect();
        special.sort();
        TokenizerSummary {
            model: match self.inner.get_model() {
                ModelWrapper::BPE(_) => "BPE",
                ModelWrapper::WordPiece(_) => "WordPiece",
                ModelWrapper::WordLevel(_) => "WordLevel",
                ModelWrapper::Unigram(_) => "Unigram",
            },
            tokens: self.inner.get_vocab_size(true),
            added: added.len(),
            special: special.into_iter().map(|(_, token)| token).collect(),
            beginning: self.beginning().and_then(|token| self.inner.id_to_token(token)),
        }
    }
}

/// What to do where there is no `tokenizer.json`.
fn missing(file: &Path) -> String {
    let folder = file.parent().unwrap_or(Path::new("."));
    let old = ["tokenizer.model", "vocab.json"].into_iter().find(|name| folder.join(name).is_file());
    match old {
        None => "expected tokenizer.json beside the weights, as Transformers' save_pretrained writes it".to_owned(),
        Some(old) => {
            let quoted = format!("'{}'", folder.display().to_string().replace('\'', "'\\''"));
            format!(
                "make it of {old}: python -c \"from transformers import AutoTokenizer as T; import sys; d = sys.argv[1]; \
                 T.from_pretrained(d).save_pretrained(d)\" {quoted}"
            )
        }
    }
}

/// Runs the library on a file from others: it panics on some that are damaged (merges of tokens that are longer than any in
/// the vocabulary), and a bad file must not end the program.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    crash::contained(work).unwrap_or_else(|_| Err("the tokenizer's parts do not fit each other".to_owned()))
}
