//! Packed batches: sequences of different lengths one after another, with what each token may see.

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::Arc;

use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Int, Tensor, TensorData};

/// The keys that one query sees: ranges of the packed keys, in order, empty where there are fewer than three.
///
/// A token of the shared history sees the history up to itself. A token of a response sees the history up to where
/// the response branches off, and its own response up to itself; where that was generated step by step, what was
/// cached of it and the token itself lie apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span(pub [Range<u32>; 3]);

impl Span {
    /// Sees one range only.
    pub fn one(range: Range<u32>) -> Self {
        Self([range, 0..0, 0..0])
    }

    /// Sees two ranges.
    pub fn two(first: Range<u32>, second: Range<u32>) -> Self {
        Self([first, second, 0..0])
    }

    /// Number of keys. They are those of a sequence from its beginning, so it is also the query's position and one.
    pub fn keys(&self) -> usize {
        self.0.iter().map(ExactSizeIterator::len).sum()
    }

    /// Sees of these keys the last so many alone.
    fn last(&self, window: usize) -> Self {
        let mut hidden = self.keys().saturating_sub(window);
        Self(self.0.each_ref().map(|range| {
            let skipped = hidden.min(range.len());
            hidden -= skipped;
            range.start + skipped as u32..range.end
        }))
    }
}

/// One sequence of a packed batch: its queries, and the keys that they look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedRow {
    pub queries: Range<usize>,
    /// Keys of the row; more than one range where a cached prefix and what was generated since lie apart.
    pub keys: [Range<usize>; 3],
}

impl PackedRow {
    /// Number of keys of the row.
    pub fn key_count(&self) -> usize {
        self.keys.iter().map(ExactSizeIterator::len).sum()
    }

    /// All keys of the row, in order.
    pub fn all_keys(&self) -> impl Iterator<Item = usize> + '_ {
        self.keys.iter().cloned().flatten()
    }

    /// Places among [`Self::all_keys`] of a range of packed keys, which lies in one of the row's ranges.
    pub fn local(&self, range: &Range<u32>) -> Range<usize> {
        let (from, to) = (range.start as usize, range.end as usize);
        let mut before = 0;
        for keys in &self.keys {
            if from >= keys.start && to <= keys.end && !range.is_empty() {
                return before + from - keys.start..before + to - keys.start;
            }
            before += keys.len();
        }
        0..0
    }
}

/// Who sees what in one attention call.
#[derive(Debug, Clone)]
pub struct AttentionPlan<B: Backend> {
    pub rows: Vec<PackedRow>,
    /// One span a query, in the order of the packed queries.
    pub spans: Vec<Span>,
    padded: OnceCell<Padded<B>>,
}

/// The plan as index tensors over rows padded to the longest.
#[derive(Debug, Clone)]
pub struct Padded<B: Backend> {
    pub rows: usize,
    /// Queries and keys of the longest row.
    pub queries: usize,
    pub keys: usize,
    /// `[rows * queries]`: packed query at each slot (0 where there is none).
    pub query_index: Tensor<B, 1, Int>,
    /// `[rows * keys]`: packed key at each slot (0 where there is none).
    pub key_index: Tensor<B, 1, Int>,
    /// `[packed queries]`: slot of each packed query.
    pub unpad_index: Tensor<B, 1, Int>,
    /// `[rows, queries, keys]`: what must not be seen.
    pub hidden: Tensor<B, 3, Bool>,
}

impl<B: Backend> AttentionPlan<B> {
    /// A plan of rows that lie one after another; `spans` has one entry a query.
    pub fn new(rows: Vec<PackedRow>, spans: Vec<Span>) -> Self {
        Self { rows, spans, padded: OnceCell::new() }
    }

    /// The plan of layers that see the last `window` keys alone; none where all queries see no more than that anyway.
    pub fn within(&self, window: usize) -> Option<Self> {
        let narrows = self.spans.iter().any(|span| span.keys() > window);
        narrows.then(|| Self::new(self.rows.clone(), self.spans.iter().map(|span| span.last(window)).collect()))
    }

    /// The plan as tensors on a device, made once.
    pub fn padded(&self, device: &B::Device) -> &Padded<B> {
        self.padded.get_or_init(|| self.pad(device))
    }

    fn pad(&self, device: &B::Device) -> Padded<B> {
        let rows = self.rows.len();
        let queries = self.rows.iter().map(|r| r.queries.len()).max().unwrap_or(0);
        let keys = self.rows.iter().map(PackedRow::key_count).max().unwrap_or(0);
        let mut query_index = vec![0i32; rows * queries];
        let mut key_index = vec![0i32; rows * keys];
        let mut unpad_index = vec![0i32; self.spans.len()];
        let mut hidden = vec![true; rows * queries * keys];
        for (r, row) in self.rows.iter().enumerate() {
            for (slot, key) in row.all_keys().enumerate() {
                key_index[r * keys + slot] = key as i32;
            }
            for (slot, query) in row.queries.clone().enumerate() {
                query_index[r * queries + slot] = query as i32;
                unpad_index[query] = (r * queries + slot) as i32;
                for key in self.spans[query].0.iter().flat_map(|range| row.local(range)) {
                    hidden[(r * queries + slot) * keys + key] = false;
                }
            }
        }
        Padded {
            rows,
            queries,
            keys,
            query_index: Tensor::from_data(TensorData::from(query_index.as_slice()), device),
            key_index: Tensor::from_data(TensorData::from(key_index.as_slice()), device),
            unpad_index: Tensor::from_data(TensorData::from(unpad_index.as_slice()), device),
            hidden: Tensor::from_data(TensorData::new(hidden, [rows, queries, keys]), device),
        }
    }
}

/// One user's shared history and the responses that branch off from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The text before the history and its codes, oldest first.
    pub prefix: Vec<u32>,
    pub branches: Vec<Branch>,
}

/// A response after the first `at` tokens of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    pub at: usize,
    /// What the model reads: the text after the history and all but the last token of the response.
    pub tokens: Vec<u32>,
    /// How many of these, at the beginning, are read without being scored.
    pub read_only: usize,
    /// What it should predict after each of the others; empty where there is nothing to score against.
    pub targets: Vec<u32>,
    /// The tokens that each target was one of, where the softmax is over those alone; empty where it is over all.
    pub candidates: Vec<Arc<[u32]>>,
}

impl Branch {
    /// A response without targets.
    pub fn unscored(at: usize, tokens: Vec<u32>) -> Self {
        Self { at, tokens, read_only: 0, targets: Vec::new(), candidates: Vec::new() }
    }
}

/// Sequences packed for one forward pass. Every token of a branch is scored but those that are only read.
#[derive(Debug)]
pub struct Packed<B: Backend> {
    pub tokens: Vec<u32>,
    /// Position of each token in its own history-and-response sequence.
    pub positions: Vec<u32>,
    pub plan: AttentionPlan<B>,
    /// Places in `tokens` whose logits are computed.
    pub scored: Vec<u32>,
    /// The plan of the scored tokens alone, over all keys.
    pub scored_plan: AttentionPlan<B>,
    /// The right token after each scored one (empty where there are no targets).
    pub targets: Vec<u32>,
    /// See [`Branch::candidates`]: a list for each target, or none at all.
    pub candidates: Vec<Arc<[u32]>>,
}

impl<B: Backend> Packed<B> {
    /// The same for another backend.
    pub fn on<C: Backend>(&self) -> Packed<C> {
        let plan = |plan: &AttentionPlan<B>| AttentionPlan::new(plan.rows.clone(), plan.spans.clone());
        Packed {
            tokens: self.tokens.clone(),
            positions: self.positions.clone(),
            plan: plan(&self.plan),
            scored: self.scored.clone(),
            scored_plan: plan(&self.scored_plan),
            targets: self.targets.clone(),
            candidates: self.candidates.clone(),
        }
    }

    /// Packs sequences one after another, each as its history and then its branches.
    pub fn new(sequences: &[Sequence]) -> Self {
        let (mut tokens, mut positions, mut spans) = (Vec::new(), Vec::new(), Vec::new());
        let (mut scored, mut targets, mut scored_spans) = (Vec::new(), Vec::new(), Vec::new());
        let (mut rows, mut scored_rows) = (Vec::new(), Vec::new());
        let mut candidates = Vec::new();
        for sequence in sequences {
            let (start, scored_start) = (tokens.len(), scored.len());
            let first = start as u32;
            for (i, &token) in sequence.prefix.iter().enumerate() {
                tokens.push(token);
                positions.push(i as u32);
                spans.push(Span::one(first..first + i as u32 + 1));
            }
            for branch in &sequence.branches {
                let branch_start = tokens.len() as u32;
                for (i, &token) in branch.tokens.iter().enumerate() {
                    let position = tokens.len() as u32;
                    let span = Span::two(first..first + branch.at as u32, branch_start..position + 1);
                    tokens.push(token);
                    positions.push((branch.at + i) as u32);
                    if i >= branch.read_only {
                        scored.push(position);
                        scored_spans.push(span.clone());
                    }
                    spans.push(span);
                }
                targets.extend_from_slice(&branch.targets);
                candidates.extend(branch.candidates.iter().cloned());
            }
            let keys = [start..tokens.len(), 0..0, 0..0];
            rows.push(PackedRow { queries: start..tokens.len(), keys: keys.clone() });
            scored_rows.push(PackedRow { queries: scored_start..scored.len(), keys });
        }
        Self {
            tokens,
            positions,
            plan: AttentionPlan::new(rows, spans),
            scored,
            scored_plan: AttentionPlan::new(scored_rows, scored_spans),
            targets,
            candidates,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_counts_positions_of_the_sequence_and_not_places_of_the_batch() {
        // Three tokens of the history of nine, and after other branches the third token of a response: positions 0 to 5.
        let span = Span::two(10..13, 30..33);
        assert_eq!(span.last(6), span);
        assert_eq!(span.last(4), Span::two(12..13, 30..33));
        assert_eq!(span.last(3).0.map(|range| range.len()), [0, 3, 0]);
        assert_eq!(span.last(1), Span([13..13, 32..33, 0..0]));
        // Step by step: history, what was generated of it, and the token itself.
        assert_eq!(Span([0..8, 40..42, 77..78]).last(2).0.map(|range| range.len()), [0, 1, 1]);
        let packed = |length: u32| {
            let branch = Branch::unscored(3, vec![1, 2, 3]);
            Packed::<burn::backend::Flex>::new(&[Sequence { prefix: (0..length).collect(), branches: vec![branch] }])
        };
        assert!(packed(6).plan.within(6).is_none(), "nothing is longer than the window");
        let plan = packed(9).plan.within(2).unwrap();
        assert!(plan.spans.iter().all(|span| span.keys() <= 2));
        assert_eq!(plan.spans[9], Span::two(2..3, 9..10), "the response goes on where it branches off");
    }
}
