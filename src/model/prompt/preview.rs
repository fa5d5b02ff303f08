//! One example as people read it: what the model is given, token by token.

use serde::Serialize;

use super::{PromptWriter, Template};
use crate::data;
use crate::model::tokenizer::Tokenizer;

/// What a token of an example belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    Text,
    History,
    Response,
}

/// A token of an example.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PreviewToken {
    pub number: u32,
    pub text: String,
    pub part: Part,
}

/// An example, and how the targets of its user are packed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    pub tokens: Vec<PreviewToken>,
    /// All of it as one text: letters that several tokens make together are whole.
    pub text: String,
    /// Tokens of the text and the history; those of the response follow.
    pub prompt_tokens: usize,
    /// What the targets of one user share, and where they do not.
    pub sharing: String,
}

impl PromptWriter<'_> {
    /// An example in words. Tokens that the compact prompt adds, and those of a base model whose tokenizer is not given, are
    /// named by what they are for.
    pub fn preview(&self, example: data::Example<'_>, tokenizer: Option<&Tokenizer>) -> Preview {
        let sequence = self.example(example);
        let Template { before, after, .. } = &self.vocabulary.template;
        let mut tokens: Vec<PreviewToken> = sequence.prefix.iter().map(|&token| self.token(token, tokenizer)).collect();
        for branch in &sequence.branches {
            tokens.extend(branch.tokens.iter().map(|&token| self.token(token, tokenizer)));
        }
        tokens.push(self.token(self.vocabulary.eos, tokenizer));
        let response = tokens.len() - self.index.levels - 1;
        for token in &mut tokens[response..] {
            token.part = Part::Response;
        }
        let repeated = match after.len() {
            0 | 1 => String::new(),
            n => format!(", and each reads the {n} tokens after it for itself"),
        };
        let sharing = format!(
            "The targets of one user share the {} before the history and the history up to {} items{repeated}; a longer \
             history begins at a later item, so each target after it is read on its own",
            if before.len() == 1 { "token".to_owned() } else { format!("{} tokens", before.len()) },
            self.max_history,
        );
        let text = self.text(&tokens, tokenizer);
        Preview { tokens, text, prompt_tokens: response, sharing }
    }

    /// Tokens of the tokenizer that follow each other are read together, the others as they are named.
    fn text(&self, tokens: &[PreviewToken], tokenizer: Option<&Tokenizer>) -> String {
        let own = |token: &PreviewToken| token.part == Part::Text && (token.number as usize) < self.vocabulary.base;
        let of_span = |span: &[PreviewToken]| {
            let numbers: Vec<u32> = span.iter().map(|token| token.number).collect();
            let read = tokenizer.filter(|_| own(&span[0])).and_then(|tokenizer| tokenizer.text(&numbers));
            read.unwrap_or_else(|| span.iter().map(|token| token.text.as_str()).collect())
        };
        tokens.chunk_by(|one, next| own(one) == own(next)).map(of_span).collect()
    }

    fn token(&self, number: u32, tokenizer: Option<&Tokenizer>) -> PreviewToken {
        let vocabulary = self.vocabulary;
        let code = number.checked_sub(vocabulary.first_code).and_then(|code| self.index.tokens.get(code as usize));
        if let Some(code) = code {
            return PreviewToken { number, text: code.clone(), part: Part::History };
        }
        let own = tokenizer
            .filter(|_| (number as usize) < vocabulary.base)
            .and_then(|tokenizer| tokenizer.token_text(number));
        let text = own.unwrap_or_else(|| {
            let Template { before, after, .. } = &vocabulary.template;
            let name = if number == vocabulary.eos {
                "end"
            } else if before.contains(&number) {
                "start"
            } else if after.contains(&number) {
                "separator"
            } else {
                "token"
            };
            format!("[{name}]")
        });
        PreviewToken { number, text, part: Part::Text }
    }
}
