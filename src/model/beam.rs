//! Beam search for the next item's codes: constrained to the items of a trie, many users a batch.
//!
//! A user's history is read once; its keys and values are shared by the user's beams. The score of an item is the sum
//! of the log-probabilities of its codes and EOS, divided by their number: over the whole vocabulary, as Transformers'
//! constrained beam search has it, or over what may be generated ([`Softmax::ExistingItems`]).

use std::ops::Range;

use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData};

use super::kernels::Kernels;
use super::llama::{KeyValue, Llama};
use super::options::{Decoding, Softmax};
use super::packing::{AttentionPlan, Packed, PackedRow, Sequence, Span};
use super::prompt::Vocabulary;
use crate::semantic_id::{SemanticIndex, Trie};

/// One generated id.
#[derive(Debug, Clone, PartialEq)]
pub struct Hypothesis {
    /// Codes, as indices into the index's list of code tokens.
    pub codes: Vec<u32>,
    /// The leaf of the items that have these codes; none where no item has (per-position decoding only).
    pub leaf: Option<u32>,
    /// Mean log-probability of codes and EOS.
    pub score: f64,
}

/// What may be generated.
#[derive(Debug, Clone, Copy)]
pub struct Decoder<'a> {
    pub vocabulary: &'a Vocabulary,
    pub index: &'a SemanticIndex,
    /// Of the items that may be generated.
    pub trie: &'a Trie,
    pub decoding: Decoding,
    pub softmax: Softmax,
    /// Hypotheses kept at each level.
    pub beams: usize,
}

/// A hypothesis that is being extended.
#[derive(Debug, Clone)]
struct Beam {
    codes: Vec<u32>,
    node: u32,
    log_probability: f64,
}

/// Models that predict together: the mean of their next-token probabilities, each with its weight.
#[derive(Debug, Clone)]
pub struct Ensemble<B: Backend> {
    /// Weights add up to 1.
    pub models: Vec<(f64, Llama<B>)>,
}

impl<B: Backend> From<Llama<B>> for Ensemble<B> {
    fn from(model: Llama<B>) -> Self {
        Self { models: vec![(1.0, model)] }
    }
}

/// What each model says of EOS and the codes, a row a beam.
struct Scores {
    voices: Vec<Voice>,
    columns: usize,
    /// Token of the second column; the first is EOS's.
    first: u32,
    eos: u32,
}

/// One model's logits, and what makes them log-probabilities over the whole vocabulary.
struct Voice {
    weight: f64,
    /// Of EOS, then of the codes.
    logits: Vec<f32>,
    log_sums: Vec<f32>,
}

impl Scores {
    /// Only what may be generated comes to the host: a base vocabulary can be large.
    fn new<B: Kernels>(logits: Vec<(f64, Tensor<B, 2>)>, vocabulary: &Vocabulary) -> Self {
        let host = |t: Tensor<B, 2>| t.into_data().convert::<f32>().into_vec::<f32>().unwrap_or_default();
        let first = vocabulary.first_code;
        let codes = logits.first().map_or(0, |(_, logits)| logits.dims()[1] - first as usize);
        let voices = logits.into_iter().map(|(weight, logits)| {
            let log_sums = host(B::log_sum_exp(logits.clone()));
            let end = logits.clone().narrow(1, vocabulary.eos as usize, 1);
            let wanted = Tensor::cat(vec![end, logits.narrow(1, first as usize, codes)], 1);
            Voice { weight, logits: host(wanted), log_sums }
        });
        Self { voices: voices.collect(), columns: 1 + codes, first, eos: vocabulary.eos }
    }

    fn logit_index(&self, row: usize, token: u32) -> usize {
        row * self.columns + if token == self.eos { 0 } else { 1 + (token - self.first) as usize }
    }

    /// Each model's log-sum of a row over the whole vocabulary.
    fn log_sums(&self, row: usize) -> Vec<f32> {
        self.voices.iter().map(|voice| voice.log_sums[row]).collect()
    }

    /// Each model's log-sum of a row over some tokens.
    fn log_sums_of(&self, row: usize, tokens: &[u32]) -> Vec<f32> {
        let of = |voice: &Voice| {
            let logits = tokens.iter().map(|&token| voice.logits[self.logit_index(row, token)]);
            let top = logits.clone().fold(f32::NEG_INFINITY, f32::max);
            logits.map(|logit| (logit - top).exp()).sum::<f32>().ln() + top
        };
        self.voices.iter().map(of).collect()
    }

    /// The log of the mean probability of a token.
    fn log_probability(&self, row: usize, token: u32, log_sums: &[f32]) -> f64 {
        let index = self.logit_index(row, token);
        let of = |(voice, log_sum): (&Voice, &f32)| f64::from(voice.logits[index] - log_sum);
        let mut each = self.voices.iter().zip(log_sums);
        match (each.len(), each.next()) {
            (1, Some(only)) => of(only),
            _ => self.voices.iter().zip(log_sums).map(|pair| pair.0.weight * of(pair).exp()).sum::<f64>().ln(),
        }
    }
}

/// Keys and values of the histories and of what the beams have generated, one pair a layer.
struct Cache<B: Backend> {
    prefix: Vec<KeyValue<B>>,
    /// `[beams * generated, width]`: each beam's tokens together.
    generated: Vec<KeyValue<B>>,
    /// Tokens each beam has in `generated`.
    length: usize,
}

impl<B: Backend> Cache<B> {
    /// Appends one token a beam, then keeps and repeats beams as `parents` says.
    fn extend(&mut self, own: Vec<KeyValue<B>>, beams: usize, parents: &Tensor<B, 1, Int>) {
        let length = self.length;
        let grow = |old: Option<Tensor<B, 2>>, new: Tensor<B, 2>| {
            let width = new.dims()[1];
            let new = new.reshape([beams, 1, width]);
            let all = match old {
                Some(old) => Tensor::cat(vec![old.reshape([beams, length, width]), new], 1),
                None => new,
            };
            let all = all.select(0, parents.clone());
            let kept = all.dims()[0];
            all.reshape([kept * (length + 1), width])
        };
        let mut old = std::mem::take(&mut self.generated).into_iter();
        self.generated = own
            .into_iter()
            .map(|own| {
                let (key, value) = old.next().map_or((None, None), |kv| (Some(kv.key), Some(kv.value)));
                KeyValue { key: grow(key, own.key), value: grow(value, own.value) }
            })
            .collect();
        self.length += 1;
    }

    /// All cached keys and values, histories first.
    fn joined(&self) -> Vec<KeyValue<B>> {
        if self.generated.is_empty() {
            return self.prefix.clone();
        }
        let join = |a: &Tensor<B, 2>, b: &Tensor<B, 2>| Tensor::cat(vec![a.clone(), b.clone()], 0);
        let pairs = self.prefix.iter().zip(&self.generated);
        pairs.map(|(p, g)| KeyValue { key: join(&p.key, &g.key), value: join(&p.value, &g.value) }).collect()
    }
}

/// Questions as an ensemble has read them: what every search for their answers begins with, whatever may be generated.
pub struct ReadQuestions<B: Backend> {
    /// Of each question's first code.
    first: Scores,
    /// By model: keys and values of the histories, one pair a layer.
    prefixes: Vec<Vec<KeyValue<B>>>,
    /// Where each question's keys lie in a prefix.
    spans: Vec<Range<u32>>,
}

impl<B: Kernels> ReadQuestions<B> {
    /// Reads questions (see [`super::PromptWriter::question`]).
    pub fn new(ensemble: &Ensemble<B>, vocabulary: &Vocabulary, questions: &[Sequence]) -> Self {
        let packed = Packed::<B>::new(questions);
        // A question's keys are its history and the text after it, one after another.
        let spans: Vec<_> = packed.plan.rows.iter().map(|r| r.queries.start as u32..r.queries.end as u32).collect();
        let read = ensemble.models.iter().map(|(weight, model)| {
            let (logits, prefix) = model.prefill(&packed, None);
            ((*weight, logits), prefix)
        });
        let (logits, prefixes): (Vec<_>, Vec<_>) = read.unzip();
        Self { first: Scores::new::<B>(logits, vocabulary), prefixes, spans }
    }
}

impl<'a> Decoder<'a> {
    /// The same decoder over other items.
    pub fn among<'t>(&self, trie: &'t Trie) -> Decoder<'t>
    where
        'a: 't,
    {
        Decoder { trie, ..*self }
    }
}

impl Decoder<'_> {
    /// The best hypotheses of each question (see [`super::PromptWriter::question`]), best first.
    pub fn search<B: Kernels>(&self, ensemble: &Ensemble<B>, questions: &[Sequence]) -> Vec<Vec<Hypothesis>> {
        self.answers(ensemble, &ReadQuestions::new(ensemble, self.vocabulary, questions))
    }

    /// As [`Self::search`], of questions that the same ensemble has read.
    pub fn answers<B: Kernels>(&self, ensemble: &Ensemble<B>, read: &ReadQuestions<B>) -> Vec<Vec<Hypothesis>> {
        let Some((_, model)) = ensemble.models.first() else { return Vec::new() };
        let (device, spans) = (model.device(), &read.spans);
        let cache = |prefix: &Vec<_>| Cache { prefix: prefix.clone(), generated: Vec::new(), length: 0 };
        let mut caches: Vec<Cache<B>> = read.prefixes.iter().map(cache).collect();
        let root = Beam { codes: Vec::new(), node: Trie::ROOT, log_probability: 0.0 };
        let mut users: Vec<Vec<Beam>> =
            (0..spans.len()).map(|user| self.extended(std::slice::from_ref(&root), user, &read.first).0).collect();
        for level in 1..=self.index.levels {
            let read = ensemble.models.iter().zip(&caches).map(|((weight, model), cache)| {
                let (logits, own) = self.read_last_codes(model, &users, spans, cache, level);
                ((*weight, logits), own)
            });
            let (logits, own): (Vec<_>, Vec<_>) = read.unzip();
            let scores = Scores::new::<B>(logits, self.vocabulary);
            let rows = users.iter().map(Vec::len).sum();
            if level == self.index.levels {
                return self.finished(users, &scores);
            }
            let (mut first_row, mut parents) = (0, Vec::new());
            for beams in &mut users {
                let (next, from) = self.extended(beams, first_row, &scores);
                parents.extend(from.into_iter().map(|beam| (first_row + beam) as i32));
                first_row += beams.len();
                *beams = next;
            }
            let parents = Tensor::from_data(TensorData::from(parents.as_slice()), &device);
            caches.iter_mut().zip(own).for_each(|(cache, own)| cache.extend(own, rows, &parents));
        }
        Vec::new()
    }

    /// Feeds each beam's newest code to the model.
    fn read_last_codes<B: Kernels>(
        &self,
        model: &Llama<B>,
        users: &[Vec<Beam>],
        prefixes: &[Range<u32>],
        cache: &Cache<B>,
        level: usize,
    ) -> (Tensor<B, 2>, Vec<KeyValue<B>>) {
        let beams: usize = users.iter().map(Vec::len).sum();
        let prefix_end = prefixes.last().map_or(0, |p| p.end) as usize;
        let own_start = prefix_end + beams * cache.length;
        let (mut tokens, mut positions) = (Vec::with_capacity(beams), Vec::with_capacity(beams));
        let (mut spans, mut rows) = (Vec::with_capacity(beams), Vec::with_capacity(users.len()));
        for (user, prefix) in users.iter().zip(prefixes) {
            let first = tokens.len();
            for beam in user {
                let row = tokens.len();
                let cached = (prefix_end + row * cache.length) as u32;
                let own = (own_start + row) as u32;
                tokens.extend(beam.codes.last().map(|&c| self.vocabulary.code(c)));
                positions.push(prefix.len() as u32 + level as u32 - 1);
                spans.push(Span([prefix.clone(), cached..cached + cache.length as u32, own..own + 1]));
            }
            let keys = [
                prefix.start as usize..prefix.end as usize,
                prefix_end + first * cache.length..prefix_end + tokens.len() * cache.length,
                own_start + first..own_start + tokens.len(),
            ];
            rows.push(PackedRow { queries: first..tokens.len(), keys });
        }
        model.step(&tokens, &positions, &AttentionPlan::new(rows, spans), &cache.joined())
    }

    /// The best extensions of a user's beams by one code, and which beam each comes from.
    fn extended(&self, beams: &[Beam], first_row: usize, scores: &Scores) -> (Vec<Beam>, Vec<usize>) {
        let mut candidates: Vec<(f64, usize, u32, u32)> = Vec::new();
        for (i, beam) in beams.iter().enumerate() {
            let row = first_row + i;
            let codes: Vec<(u32, u32)> = match self.decoding {
                Decoding::Trie => self.trie.edges(beam.node).collect(),
                Decoding::PerPosition => {
                    self.trie.level_codes(beam.codes.len()).iter().map(|&code| (code, Trie::ROOT)).collect()
                }
            };
            let log_sums = match self.softmax {
                Softmax::AllTokens => scores.log_sums(row),
                Softmax::ExistingItems => {
                    let tokens: Vec<u32> = codes.iter().map(|&(code, _)| self.vocabulary.code(code)).collect();
                    scores.log_sums_of(row, &tokens)
                }
            };
            candidates.extend(codes.into_iter().map(|(code, node)| {
                let more = scores.log_probability(row, self.vocabulary.code(code), &log_sums);
                (beam.log_probability + more, i, code, node)
            }));
        }
        // Ties keep the order of the candidates, so that results do not depend on the sort.
        let better = |a: &(f64, usize, u32, u32), b: &(f64, usize, u32, u32)| {
            b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2)))
        };
        if candidates.len() > self.beams {
            candidates.select_nth_unstable_by(self.beams - 1, better);
            candidates.truncate(self.beams);
        }
        candidates.sort_unstable_by(better);
        candidates
            .into_iter()
            .map(|(log_probability, from, code, node)| {
                let codes = beams[from].codes.iter().copied().chain([code]).collect();
                (Beam { codes, node, log_probability }, from)
            })
            .unzip()
    }

    /// Adds EOS, and finds the items.
    fn finished(&self, users: Vec<Vec<Beam>>, scores: &Scores) -> Vec<Vec<Hypothesis>> {
        let mut row = 0;
        let length = (self.index.levels + 1) as f64;
        let mut finish = |beam: Beam| {
            let end = match self.softmax {
                Softmax::AllTokens => scores.log_probability(row, self.vocabulary.eos, &scores.log_sums(row)),
                // Nothing else can follow.
                Softmax::ExistingItems => 0.0,
            };
            let score = (beam.log_probability + end) / length;
            row += 1;
            let leaf = match self.decoding {
                Decoding::Trie => Some(beam.node),
                Decoding::PerPosition => self.trie.find(&beam.codes),
            };
            Hypothesis { codes: beam.codes, leaf, score }
        };
        let mut lists: Vec<Vec<Hypothesis>> =
            users.into_iter().map(|beams| beams.into_iter().map(&mut finish).collect()).collect();
        for list in &mut lists {
            list.sort_by(|a, b| b.score.total_cmp(&a.score));
        }
        lists
    }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;

    use super::*;
    use crate::model::prompt::Template;

    #[test]
    fn several_models_predict_the_mean_of_their_probabilities() {
        let template = Template { before: vec![0], between: vec![], after: vec![2] };
        let vocabulary = Vocabulary { base: 0, added: 5, eos: 1, first_code: 3, template };
        let rows = [[0.5f32, -1.0, 2.0, 0.25, 1.0], [1.5, 0.0, -0.5, 3.0, -2.0]];
        let logits = |row: [f32; 5]| Tensor::<Flex, 2>::from_floats([row], &Default::default());
        let scores = Scores::new(vec![(0.3, logits(rows[0])), (0.7, logits(rows[1]))], &vocabulary);
        let softmax = |row: [f32; 5], among: &[usize], token: usize| {
            let sum: f64 = among.iter().map(|&other| f64::from(row[other]).exp()).sum();
            f64::from(row[token]).exp() / sum
        };
        let expected =
            |among: &[usize], token| (0.3 * softmax(rows[0], among, token) + 0.7 * softmax(rows[1], among, token)).ln();
        let whole = scores.log_probability(0, 4, &scores.log_sums(0));
        assert!((whole - expected(&[0, 1, 2, 3, 4], 4)).abs() < 1e-6, "{whole}");
        let among = scores.log_probability(0, 3, &scores.log_sums_of(0, &[3, 4]));
        assert!((among - expected(&[3, 4], 3)).abs() < 1e-6, "{among}");
    }
}
