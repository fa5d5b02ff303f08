//! How examples are written for the model: token numbers, the text around codes, histories and responses.

mod preview;
mod template;

use std::sync::Arc;

use super::packing::{Branch, Sequence};
use crate::data;
use crate::semantic_id::{SemanticIndex, Trie};

pub use self::preview::{Part, Preview, PreviewToken};
pub use self::template::{HISTORY, INSTRUCTION, Template};

/// Token numbers of a model: the base vocabulary's, then the added ones; and what stands around codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// Rows that the base model came with; 0 for a compact model.
    pub base: usize,
    /// Tokens that are added to them.
    pub added: usize,
    /// End of a response.
    pub eos: u32,
    /// Token of the first code; the others follow.
    pub first_code: u32,
    pub template: Template,
}

/// Special tokens that the compact prompt adds before the codes: start of a sequence, end of a response, and the separator
/// between history and response.
const SPECIAL: usize = 3;

impl Vocabulary {
    /// The vocabulary of the compact prompt: a base model with `base` tokens, special ones, and the codes of an index.
    pub fn new(base: usize, index: &SemanticIndex) -> Self {
        let first = base as u32;
        let (added, first_code) = (SPECIAL + index.tokens.len(), first + SPECIAL as u32);
        let template = Template { before: vec![first], between: Vec::new(), after: vec![first + 2] };
        Self { base, added, eos: first + 1, first_code, template }
    }

    /// All tokens.
    pub fn tokens(&self) -> usize {
        self.base + self.added
    }

    /// Name and number of every token that is added to the base model's: the compact prompt's special ones where there are
    /// such, then the codes.
    pub fn added_tokens(&self, index: &SemanticIndex) -> impl Iterator<Item = (String, u32)> {
        let special = ["<|history|>", "<|end of item|>", "<|next item|>"].into_iter().map(str::to_owned);
        let special = special.take(self.first_code as usize - self.base);
        let names: Vec<String> = special.chain(index.tokens.iter().cloned()).collect();
        names.into_iter().zip(self.base as u32..)
    }

    /// The token of a code (an index into the index's list of code tokens).
    pub fn code(&self, code: u32) -> u32 {
        self.first_code + code
    }
}

/// The tokens that may follow at each node of the trie: what a softmax over existing items is over.
#[derive(Debug, Clone)]
pub struct Continuations {
    /// By node of the trie.
    codes: Vec<Arc<[u32]>>,
    /// After the last code.
    end: Arc<[u32]>,
}

impl Continuations {
    /// The continuations of all nodes.
    pub fn new(trie: &Trie, vocabulary: &Vocabulary) -> Self {
        let tokens = |node: usize| trie.edges(node as u32).map(|(code, _)| vocabulary.code(code)).collect();
        Self { codes: (0..trie.nodes()).map(tokens).collect(), end: Arc::new([vocabulary.eos]) }
    }
}

/// Writes histories and responses: the template's text around the codes of the history; the response is the item's codes
/// and EOS.
#[derive(Debug, Clone, Copy)]
pub struct PromptWriter<'a> {
    pub vocabulary: &'a Vocabulary,
    pub index: &'a SemanticIndex,
    /// Newest items of a history that are written.
    pub max_history: usize,
    /// Where given, a target's softmax is over what continues an existing item.
    pub existing: Option<(&'a Trie, &'a Continuations)>,
}

impl PromptWriter<'_> {
    /// The newest items of a history.
    fn window<'h>(&self, history: &'h [u32]) -> &'h [u32] {
        &history[history.len().saturating_sub(self.max_history)..]
    }

    /// Tokens up to the end of the history.
    fn prefix(&self, items: &[u32]) -> Vec<u32> {
        let Template { before, between, .. } = &self.vocabulary.template;
        let mut tokens = before.clone();
        for (number, &item) in items.iter().enumerate() {
            if number > 0 {
                tokens.extend(between);
            }
            tokens.extend(self.index.item(item).iter().map(|&code| self.vocabulary.code(code)));
        }
        tokens
    }

    /// Length of [`Self::prefix`] of so many items.
    fn prefix_length(&self, items: usize) -> usize {
        let Template { before, between, .. } = &self.vocabulary.template;
        before.len() + items * self.index.levels + items.saturating_sub(1) * between.len()
    }

    /// What comes after a history: the text after it, whose last token's logits are the first code's. Where there is no such
    /// text, the first code follows the history's last token, which the branch then reads itself.
    fn head(&self, history: &[u32]) -> Branch {
        let after = &self.vocabulary.template.after;
        match (after.len().checked_sub(1), history.split_last()) {
            (Some(read_only), _) => Branch { read_only, ..Branch::unscored(history.len(), after.clone()) },
            (None, Some((last, rest))) => Branch::unscored(rest.len(), vec![*last]),
            (None, None) => Branch::unscored(0, Vec::new()),
        }
    }

    fn response(&self, history: &[u32], target: u32) -> Branch {
        let codes = self.index.item(target);
        let candidates = self.existing.map_or_else(Vec::new, |(trie, continuations)| {
            let codes = trie.path(codes).map(|node| Arc::clone(&continuations.codes[node as usize]));
            codes.chain([Arc::clone(&continuations.end)]).collect()
        });
        let codes: Vec<u32> = codes.iter().map(|&c| self.vocabulary.code(c)).collect();
        let mut branch = self.head(history);
        branch.tokens.extend(&codes);
        let targets = codes.into_iter().chain([self.vocabulary.eos]).collect();
        Branch { targets, candidates, ..branch }
    }

    /// One example with its response.
    pub fn example(&self, example: data::Example<'_>) -> Sequence {
        let history = self.prefix(self.window(example.history));
        one(&history, self.response(&history, example.target))
    }

    /// The history and the text after it, whose last token's logits are the first code's.
    pub fn question(&self, history: &[u32]) -> Sequence {
        let history = self.prefix(self.window(history));
        one(&history, self.head(&history))
    }

    /// All training targets of a user's stage, sharing histories where that is exact: targets whose history is the
    /// user's first items, up to `max_history` of them, see the text before the history and a part of the same history;
    /// each reads the text after it for itself. Longer histories start at a later item, so every token before the target
    /// differs, and the target gets a sequence of its own.
    ///
    /// `most` bounds the targets of one sequence.
    pub fn training(&self, user: &data::Sequence, max_targets: usize) -> Vec<Sequence> {
        let (shared, own): (Vec<usize>, Vec<usize>) = user.training_targets().partition(|&at| self.shares(at));
        let shared = shared.chunks(max_targets.max(1)).map(|targets| {
            let longest = targets.last().copied().unwrap_or(0);
            let mut prefix = self.prefix(&user.items[..longest]);
            let branch = |&at: &usize| self.response(&prefix[..self.prefix_length(at)], user.items[at]);
            let branches: Vec<Branch> = targets.iter().map(branch).collect();
            prefix.truncate(branches.iter().map(|branch| branch.at).max().unwrap_or(0));
            Sequence { prefix, branches }
        });
        let own = own.into_iter().map(|at| {
            self.example(data::Example { user: user.user, history: &user.items[..at], target: user.items[at] })
        });
        shared.chain(own).collect()
    }

    /// Whether a target after so many items shares its history with the user's other targets.
    pub fn shares(&self, items: usize) -> bool {
        items <= self.max_history
    }
}

/// A sequence of one response.
fn one(history: &[u32], branch: Branch) -> Sequence {
    Sequence { prefix: history[..branch.at].to_vec(), branches: vec![branch] }
}
