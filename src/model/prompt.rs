//! How examples are written for the model: token numbers, histories and responses.

use std::sync::Arc;

use super::packing::{Branch, Sequence};
use crate::data;
use crate::semantic_id::{SemanticIndex, Trie};

/// Token numbers of a model: the base vocabulary's, then the added ones (special tokens, then every code).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// Rows that the base model came with; 0 for a compact model.
    pub base: usize,
    /// Tokens that are added to them.
    pub added: usize,
    /// Start of a sequence, end of a response, and the separator between history and response.
    pub bos: u32,
    pub eos: u32,
    pub separator: u32,
    /// Token of the first code; the others follow.
    pub first_code: u32,
}

/// Special tokens that are added before the codes.
const SPECIAL: usize = 3;

impl Vocabulary {
    /// The vocabulary of a base model with `base` tokens and the codes of an index.
    pub fn new(base: usize, index: &SemanticIndex) -> Self {
        let first = base as u32;
        let (added, first_code) = (SPECIAL + index.tokens.len(), first + SPECIAL as u32);
        Self { base, added, bos: first, eos: first + 1, separator: first + 2, first_code }
    }

    /// All tokens.
    pub fn tokens(&self) -> usize {
        self.base + self.added
    }

    /// Name and number of every token that is added to the base model's: start, end and separator, then the codes.
    pub fn added_tokens(&self, index: &SemanticIndex) -> impl Iterator<Item = (String, u32)> {
        let special = ["<|history|>", "<|end of item|>", "<|next item|>"].into_iter().map(str::to_owned);
        let names: Vec<String> = special.chain(index.tokens.iter().cloned()).collect();
        names.into_iter().zip(self.base as u32..)
    }

    /// The token of a code (a place in the index's list of code tokens).
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

/// Writes histories and responses in the compact prompt: BOS, the history's codes, a separator; the response is the
/// item's codes and EOS.
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

    fn prefix(&self, items: &[u32]) -> Vec<u32> {
        let codes = items.iter().flat_map(|&item| self.index.item(item)).map(|&c| self.vocabulary.code(c));
        std::iter::once(self.vocabulary.bos).chain(codes).collect()
    }

    /// Tokens of a history of `items`.
    fn prefix_length(&self, items: usize) -> usize {
        1 + items * self.index.levels
    }

    fn response(&self, at: usize, target: u32) -> Branch {
        let codes = self.index.item(target);
        let candidates = self.existing.map_or_else(Vec::new, |(trie, continuations)| {
            let codes = trie.path(codes).map(|node| Arc::clone(&continuations.codes[node as usize]));
            codes.chain([Arc::clone(&continuations.end)]).collect()
        });
        let codes: Vec<u32> = codes.iter().map(|&c| self.vocabulary.code(c)).collect();
        let tokens = std::iter::once(self.vocabulary.separator).chain(codes.iter().copied()).collect();
        let targets = codes.into_iter().chain([self.vocabulary.eos]).collect();
        Branch { at, tokens, targets, candidates }
    }

    /// One example with its response.
    pub fn example(&self, example: data::Example<'_>) -> Sequence {
        let prefix = self.prefix(self.window(example.history));
        let branches = vec![self.response(prefix.len(), example.target)];
        Sequence { prefix, branches }
    }

    /// The history alone, ending in the separator whose logits are the first code's.
    pub fn question(&self, history: &[u32]) -> Sequence {
        let prefix = self.prefix(self.window(history));
        let branches = vec![Branch::unscored(prefix.len(), vec![self.vocabulary.separator])];
        Sequence { prefix, branches }
    }

    /// All training targets of a user's stage, sharing histories where that is exact: targets whose history is the
    /// user's first items, up to `max_history` of them, see a prefix of the same sequence. Longer histories start at a
    /// later item, so every token before the target differs, and the target gets a sequence of its own.
    ///
    /// `most` bounds the targets of one sequence.
    pub fn training(&self, user: &data::Sequence, most: usize) -> Vec<Sequence> {
        let (shared, own): (Vec<usize>, Vec<usize>) = user.training_targets().partition(|&at| at <= self.max_history);
        let shared = shared.chunks(most.max(1)).map(|targets| {
            let longest = targets.last().copied().unwrap_or(0);
            let prefix = self.prefix(&user.items[..longest]);
            let branch = |&at: &usize| self.response(self.prefix_length(at), user.items[at]);
            Sequence { prefix, branches: targets.iter().map(branch).collect() }
        });
        let own = own.into_iter().map(|at| {
            self.example(data::Example { user: user.user, history: &user.items[..at], target: user.items[at] })
        });
        shared.chain(own).collect()
    }
}
