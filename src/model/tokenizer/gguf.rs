//! Tokenizers rebuilt from the vocabulary in a GGUF file.

use std::collections::HashMap;

use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::BPE;
use tokenizers::normalizers::{NFC, NormalizerWrapper, Prepend, Replace, Sequence as Normalizers};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::processors::template::TemplateProcessing;
use tokenizers::{AddedToken, SplitDelimiterBehavior};

use super::guarded;
use crate::error::InputError;
use crate::model::weights::gguf::{Array, Gguf, Value};

/// The longest token that is believed. Pieces of tokens are looked up, so the work grows with the square of their length.
const LONGEST_TOKEN: usize = 1024;

/// What `tokenizer.ggml.token_type` says of a token.
mod token_type {
    pub const UNKNOWN: u64 = 2;
    pub const CONTROL: u64 = 3;
    pub const USER_DEFINED: u64 = 4;
}

/// Rebuilds the tokenizer.
///
/// # Errors
/// Names the metadata that is missing, damaged or not supported.
pub(super) fn rebuild(file: &Gguf) -> Result<tokenizers::Tokenizer, InputError> {
    Builder::new(file)?.build()
}

struct Builder<'a> {
    file: &'a Gguf,
    tokens: Vec<&'a str>,
    types: Vec<u64>,
}

/// A key of the tokenizer's metadata.
fn key(name: &str) -> String {
    format!("tokenizer.ggml.{name}")
}

impl<'a> Builder<'a> {
    fn new(file: &'a Gguf) -> Result<Self, InputError> {
        let mut builder = Self { file, tokens: Vec::new(), types: Vec::new() };
        builder.tokens = builder.texts("tokens")?;
        if let Some(number) = builder.tokens.iter().position(|token| token.len() > LONGEST_TOKEN) {
            return Err(builder.error("tokens", &format!("token {number} is longer than {LONGEST_TOKEN} bytes")));
        }
        if let Some(types) = builder.array("token_type") {
            builder.types = types.values().map(|value| value.as_u64().unwrap_or(0)).collect();
        }
        Ok(builder)
    }

    fn error(&self, name: &str, problem: &str) -> InputError {
        InputError::new(self.file.path(), problem).at(format!("metadata `{}`", key(name)))
    }

    fn array(&self, name: &str) -> Option<Array<'a>> {
        match self.file.value(&key(name)) {
            Some(Value::Array(array)) => Some(array),
            _ => None,
        }
    }

    fn texts(&self, name: &str) -> Result<Vec<&'a str>, InputError> {
        let texts = self.array(name).and_then(Array::texts);
        texts.map(Iterator::collect).ok_or_else(|| self.error(name, "expected an array of texts"))
    }

    fn flag(&self, name: &str) -> Option<bool> {
        match self.file.value(&key(name)) {
            Some(Value::Bool(flag)) => Some(flag),
            _ => None,
        }
    }

    /// A special token that the metadata names by its number.
    fn special(&self, name: &str) -> Option<(u32, &'a str)> {
        let number = self.file.value(&key(&format!("{name}_token_id"))).and_then(Value::as_u64)?;
        let token = self.tokens.get(usize::try_from(number).ok()?)?;
        Some((u32::try_from(number).ok()?, token))
    }

    fn build(&self) -> Result<tokenizers::Tokenizer, InputError> {
        let model = self.file.text(&key("model")).ok_or_else(|| self.error("model", "there is no tokenizer"))?;
        let (mut tokenizer, begins) = match model {
            "gpt2" => self.byte_level()?,
            "llama" => (self.sentence_piece()?, true),
            other => {
                let other: String = other.chars().take(80).collect();
                let problem = format!("tokenizer model \"{other}\" is not supported");
                return Err(self.error("model", &problem).advice("expected gpt2 or llama"));
            }
        };
        let library = |e: tokenizers::Error| InputError::new(self.file.path(), format!("not a usable tokenizer: {e}"));
        for (special, kind) in [(true, token_type::CONTROL), (false, token_type::USER_DEFINED)] {
            let of_kind = self.tokens.iter().zip(&self.types).filter(|(_, of)| **of == kind);
            let tokens: Vec<AddedToken> =
                of_kind.map(|(token, _)| AddedToken::from(*token, special).normalized(false)).collect();
            if special { tokenizer.add_special_tokens(tokens) } else { tokenizer.add_tokens(tokens) }
                .map_err(library)?;
        }
        if self.flag("add_bos_token").unwrap_or(begins) {
            let (number, token) = self
                .special("bos")
                .ok_or_else(|| self.error("bos_token_id", "texts begin with a token that is not named"))?;
            let template = TemplateProcessing::builder()
                .try_single(vec!["[beginning]".to_owned(), "$A".to_owned()])
                .map(|template| template.special_tokens(vec![("[beginning]".to_owned(), number)]).build());
            match template {
                Ok(Ok(template)) => tokenizer.with_post_processor(Some(template)),
                _ => return Err(self.error("bos_token_id", &format!("cannot put `{token}` before texts"))),
            };
        }
        Ok(tokenizer)
    }

    /// Numbers of tokens by their texts.
    fn vocabulary(&self) -> HashMap<String, u32> {
        self.tokens.iter().zip(0..).map(|(token, number)| ((*token).to_owned(), number)).collect()
    }

    /// The model of a vocabulary and merges, whose results were looked up in it.
    fn bpe(
        &self,
        vocabulary: HashMap<String, u32>,
        merges: Vec<(String, String)>,
        special: Special,
    ) -> Result<BPE, InputError> {
        let builder =
            BPE::builder().vocab_and_merges(vocabulary.into_iter().collect::<tokenizers::models::bpe::Vocab>(), merges);
        let builder = match special {
            Special::IgnoreMerges(ignore) => builder.ignore_merges(ignore),
            Special::ByteFallback(unknown) => {
                let builder = builder.byte_fallback(true).fuse_unk(true);
                match unknown {
                    Some(token) => builder.unk_token(token),
                    None => builder,
                }
            }
        };
        guarded(|| builder.build().map_err(|e| e.to_string()))
            .map_err(|problem| self.error("merges", &format!("not a usable tokenizer: {problem}")))
    }

    /// A tokenizer on bytes as GPT-2's, with the pieces that the model was trained with, and whether texts begin with a token
    /// where the file does not say.
    fn byte_level(&self) -> Result<(tokenizers::Tokenizer, bool), InputError> {
        let vocabulary = self.vocabulary();
        let mut merges = Vec::new();
        for (number, merge) in self.texts("merges")?.into_iter().enumerate() {
            let pair = merge.split_once(' ').filter(|(first, second)| {
                [*first, second, &format!("{first}{second}")].into_iter().all(|part| vocabulary.contains_key(part))
            });
            let (first, second) = pair.ok_or_else(|| {
                self.error("merges", &format!("merge {number} is not of two tokens that make a third"))
            })?;
            merges.push((first.to_owned(), second.to_owned()));
        }
        let pieces = self.text_pieces()?;
        let model = self.bpe(vocabulary, merges, Special::IgnoreMerges(pieces.ignore_merges))?;
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_pre_tokenizer(Some(Sequence::new(pieces.steps)));
        tokenizer.with_decoder(Some(ByteLevel::default()));
        if pieces.composed {
            tokenizer.with_normalizer(Some(NFC)).map_err(|e| InputError::new(self.file.path(), e.to_string()))?;
        }
        Ok((tokenizer, pieces.begins))
    }

    /// How texts are cut before they are tokenised: the expressions that llama.cpp has under the same names (several names
    /// have the same one), and the models' own `tokenizer.json`.
    fn text_pieces(&self) -> Result<TextPieces, InputError> {
        let split = |expression: &str| {
            let pattern = SplitPattern::Regex(expression.to_owned());
            Split::new(pattern, SplitDelimiterBehavior::Isolated, false)
                .map(PreTokenizerWrapper::from)
                .map_err(|e| self.error("pre", &e.to_string()))
        };
        let bytes = |use_regex| PreTokenizerWrapper::from(ByteLevel::new(false, true, use_regex));
        let plain = TextPieces { steps: Vec::new(), ignore_merges: false, composed: false, begins: false };
        let name = match self.file.value(&key("pre")) {
            None => "default",
            Some(Value::Text(name)) => name,
            Some(_) => return Err(self.error("pre", "expected a text")),
        };
        Ok(match name {
            "gpt-2" | "phi-2" | "jina-es" | "jina-de" | "jina-v2-es" | "jina-v2-de" | "gigachat" | "a.x-4.0"
            | "mellum" | "modern-bert" | "exaone4" | "mpt" | "olmo" | "jais" | "trillion" | "granite-docling" => {
                TextPieces { steps: vec![bytes(true)], ..plain }
            }
            "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" | "exaone" | "minerva-7b" => {
                TextPieces { steps: vec![Digits::new(true).into(), bytes(true)], ..plain }
            }
            "llama-bpe" | "llama3" | "llama-v3" | "falcon3" | "falcon-h1" | "pixtral" | "midm-2.0" | "lfm2"
            | "jina-v5-nano" => TextPieces {
                steps: vec![split(&format!("{WORDS}|\\p{{N}}{{1,3}}|{REST}"))?, bytes(false)],
                ignore_merges: true,
                begins: true,
                ..plain
            },
            "dbrx" | "smaug-bpe" => {
                TextPieces { steps: vec![split(&format!("{WORDS}|\\p{{N}}{{1,3}}|{REST}"))?, bytes(false)], ..plain }
            }
            "qwen2" | "deepseek-r1-qwen" | "kormo" | "f2llmv2" | "megrez" | "stablelm2" | "hunyuan" | "grok-2" => {
                TextPieces {
                    steps: vec![split(&format!("{WORDS}|\\p{{N}}|{REST}"))?, bytes(false)],
                    // Of Qwen's own tokenizer; llama.cpp composes for none of them.
                    composed: name == "qwen2",
                    ..plain
                }
            }
            "default" => TextPieces {
                steps: vec![
                    split(r"[\p{P}\$\+<=>\^~\|]+")?,
                    split(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)")?,
                    split(r"\p{N}+")?,
                    split("[0-9][0-9][0-9]")?,
                    bytes(false),
                ],
                ..plain
            },
            other => {
                let other: String = other.chars().take(80).collect();
                let problem = format!("texts cut as for \"{other}\" are not supported");
                return Err(self.error("pre", &problem).advice(
                    "expected one that cuts as gpt-2, smollm, llama-bpe, qwen2 or default do; or use the model's Hugging Face \
                     folder, or the prompt Compact, which has no text",
                ));
            }
        })
    }

    /// A tokenizer as SentencePiece's: the tokens that make a token are merged in the order of the tokens' scores.
    fn sentence_piece(&self) -> Result<tokenizers::Tokenizer, InputError> {
        let scores = self.array("scores").map(|array| array.values().filter_map(Value::as_f64).collect::<Vec<_>>());
        let scores = scores.filter(|scores| scores.len() == self.tokens.len() && !scores.iter().any(|s| s.is_nan()));
        let scores = scores.ok_or_else(|| self.error("scores", "expected a score for each token"))?;
        let vocabulary = self.vocabulary();
        let merges = merges_by_score(&self.tokens, &scores, &vocabulary);
        let unknown = self.special("unknown").or_else(|| {
            let number = self.types.iter().position(|kind| *kind == token_type::UNKNOWN)?;
            Some((u32::try_from(number).ok()?, *self.tokens.get(number)?))
        });
        let unknown = unknown.map(|(_, token)| token.to_owned());
        let mut tokenizer = tokenizers::Tokenizer::new(self.bpe(vocabulary, merges, Special::ByteFallback(unknown))?);
        let library = |e: tokenizers::Error| InputError::new(self.file.path(), e.to_string());
        let begins_with_space = self.flag("add_space_prefix").unwrap_or(true);
        let mut steps = Vec::new();
        if begins_with_space {
            steps.push(NormalizerWrapper::from(Prepend::new(SPACE.to_owned())));
        }
        steps.push(Replace::new(" ", SPACE).map_err(library)?.into());
        tokenizer.with_normalizer(Some(Normalizers::new(steps))).map_err(library)?;
        let decoders = vec![
            Replace::new(SPACE, " ").map_err(library)?.into(),
            ByteFallback::new().into(),
            Fuse::new().into(),
            Strip::new(' ', usize::from(begins_with_space), 0).into(),
        ];
        tokenizer.with_decoder(Some(tokenizers::decoders::sequence::Sequence::new(decoders)));
        Ok(tokenizer)
    }
}

/// What makes two models of merges differ.
enum Special {
    /// A word that is a token is taken as it is.
    IgnoreMerges(bool),
    /// What has no token is written as bytes; what has no bytes either, as this token.
    ByteFallback(Option<String>),
}

/// How texts are cut into words.
struct TextPieces {
    steps: Vec<PreTokenizerWrapper>,
    ignore_merges: bool,
    /// Whether characters and their accents are put together first.
    composed: bool,
    begins: bool,
}

/// What SentencePiece writes for a space.
const SPACE: &str = "\u{2581}";

/// Contractions and words, in Llama 3's and Qwen's expressions.
const WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+";

/// Signs and white space, in the same.
const REST: &str = r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Merges that make the tokens, those of the greatest score first (Transformers' conversion of SentencePiece models).
fn merges_by_score(tokens: &[&str], scores: &[f64], vocabulary: &HashMap<String, u32>) -> Vec<(String, String)> {
    let mut merges = Vec::new();
    for (token, &score) in tokens.iter().zip(scores) {
        let cuts = token.char_indices().skip(1).map(|(at, _)| token.split_at(at));
        let mut own: Vec<_> = cuts
            .filter_map(|(first, second)| Some(((*vocabulary.get(first)?, *vocabulary.get(second)?), first, second)))
            .collect();
        own.sort_unstable();
        merges.extend(own.into_iter().map(|(_, first, second)| (score, first, second)));
    }
    let characters = |text: &str| text.chars().count();
    // The longer first where scores are equal; the sort keeps the order of those that are alike in all.
    merges.sort_by(|a, b| {
        b.0.total_cmp(&a.0).then_with(|| (characters(b.1), characters(b.2)).cmp(&(characters(a.1), characters(a.2))))
    });
    merges.into_iter().map(|(_, first, second)| (first.to_owned(), second.to_owned())).collect()
}
