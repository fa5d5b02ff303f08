//! What a model that has learned ids makes of others, without training one: counts of which codes follow which.
//!
//! The probability of an item's next code given its codes so far and the codes of the item before is counted under all of the
//! latter, under all but the last, and so on down to none, and joined by the rule of Witten and Bell: under `n` codes, of which `T`
//! are distinct, a code that occurred `c` times has `(c + T p) / (n + T)`, with `p` of the shorter context; at last all codes of the
//! level are alike. As generation follows the trie of ids, codes that no item has there are left out, and the others scaled to 1.

use std::collections::{BTreeMap, HashMap};

/// An item and the one that followed, as rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub last: usize,
    pub next: usize,
}

/// Ids of items, row-major, and the codes that a level may use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coded<'i> {
    pub ids: &'i [u32],
    pub levels: usize,
    pub codes: usize,
}

impl<'i> Coded<'i> {
    fn id(&self, item: usize) -> &'i [u32] {
        &self.ids[item * self.levels..(item + 1) * self.levels]
    }
}

/// The codes of the next item so far, and of the last one as many as are looked at.
type Context<'i> = (&'i [u32], &'i [u32]);

/// Codes that followed a context.
#[derive(Debug, Default)]
struct Counts {
    all: f64,
    by_code: HashMap<u32, f64>,
}

/// Counts of codes.
pub(super) struct CountModel<'i> {
    after: HashMap<Context<'i>, Counts>,
}

impl<'i> CountModel<'i> {
    pub fn fit(coded: Coded<'i>, pairs: &[Pair]) -> Self {
        let mut after: HashMap<Context<'i>, Counts> = HashMap::new();
        for pair in pairs {
            let (last, next) = (coded.id(pair.last), coded.id(pair.next));
            for level in 0..coded.levels {
                for known in 0..=coded.levels {
                    let counts = after.entry((&next[..level], &last[..known])).or_default();
                    counts.all += 1.0;
                    *counts.by_code.entry(next[level]).or_default() += 1.0;
                }
            }
        }
        Self { after }
    }

    /// Mean log-likelihood of the next items of pairs, in nats an item, under ids that need not be those of the model; none without
    /// pairs. Items that share an id share its probability.
    pub fn log_likelihood(&self, coded: Coded<'_>, pairs: &[Pair]) -> Option<f64> {
        let existing = Existing::of(coded);
        let of_pair = |pair: &Pair| {
            let (last, next) = (coded.id(pair.last), coded.id(pair.next));
            let of_level = |level: usize| self.of_code(coded, &existing, (&next[..level], last), next[level]).ln();
            let items = existing.items_of.get(next).copied().unwrap_or(1);
            (0..coded.levels).map(of_level).sum::<f64>() - (items as f64).ln()
        };
        (!pairs.is_empty()).then(|| pairs.iter().map(of_pair).sum::<f64>() / pairs.len() as f64)
    }

    /// The probability of a code among those that some item has after the codes before.
    fn of_code(&self, coded: Coded<'_>, existing: &Existing<'_>, (before, last): Context<'_>, code: u32) -> f64 {
        let codes = existing.after.get(before).map_or(&[][..], Vec::as_slice);
        let mut shares = vec![1.0 / coded.codes as f64; codes.len()];
        for known in 0..=last.len() {
            let Some(counts) = self.after.get(&(before, &last[..known])) else { break };
            let distinct = counts.by_code.len() as f64;
            for (share, code) in shares.iter_mut().zip(codes) {
                let count = counts.by_code.get(code).copied().unwrap_or(0.0);
                *share = (count + distinct * *share) / (counts.all + distinct);
            }
        }
        let own = codes.iter().zip(&shares).find(|(known, _)| **known == code).map_or(0.0, |(_, share)| *share);
        own / shares.iter().sum::<f64>()
    }
}

/// The ids that some item has.
struct Existing<'i> {
    /// By codes so far: those that come next, ascending.
    after: HashMap<&'i [u32], Vec<u32>>,
    /// By id: how many items have it.
    items_of: BTreeMap<&'i [u32], usize>,
}

impl<'i> Existing<'i> {
    fn of(coded: Coded<'i>) -> Self {
        let mut items_of: BTreeMap<&[u32], usize> = BTreeMap::new();
        coded.ids.chunks(coded.levels).for_each(|id| *items_of.entry(id).or_default() += 1);
        let mut after: HashMap<&[u32], Vec<u32>> = HashMap::new();
        // Ids ascend, so that codes after the same ones do.
        for id in items_of.keys() {
            for level in 0..coded.levels {
                let codes = after.entry(&id[..level]).or_default();
                if codes.last() != Some(&id[level]) {
                    codes.push(id[level]);
                }
            }
        }
        Self { after, items_of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair((last, next): (usize, usize)) -> Pair {
        Pair { last, next }
    }

    #[test]
    fn likelihoods_are_those_counted_by_hand() {
        // Items 0, 1 and 2 have the codes 0, 1 and 2 of 4. After 0 comes 1, twice; after 1 comes 2.
        let coded = Coded { ids: &[0, 1, 2], levels: 1, codes: 4 };
        let model = CountModel::fit(coded, &[(0, 1), (0, 1), (1, 2)].map(pair));
        // Without a context n = 3 and T = 2: (0 + 2/4) / 5, (2 + 2/4) / 5, (1 + 2/4) / 5 = 0.1, 0.5, 0.3.
        // After 0 n = 2 and T = 1: 0.1 / 3, 2.5 / 3, 0.3 / 3, of which the second is 25 of 29.
        let found = model.log_likelihood(coded, &[pair((0, 1))]).unwrap();
        assert!((found - (25.0_f64 / 29.0).ln()).abs() < 1e-12, "{found}");
        // After 2 nothing is known: 3 of 9.
        let found = model.log_likelihood(coded, &[pair((2, 2))]).unwrap();
        assert!((found - (3.0_f64 / 9.0).ln()).abs() < 1e-12, "{found}");
        assert_eq!(model.log_likelihood(coded, &[]), None);
    }

    #[test]
    fn a_model_of_old_ids_is_asked_under_new_ones_and_shared_ids_are_shared() {
        let old = Coded { ids: &[0, 1, 2], levels: 1, codes: 4 };
        let model = CountModel::fit(old, &[(0, 1), (0, 1), (1, 2)].map(pair));
        // 0 and 1 have changed names: after what is called 1 now came 2 before. n = 1 and T = 1: (1 + 0.3) / 2 for 2, and 0.05 and 0.25
        // for 0 and 1. The item 1, called 0, has 0.05 of 0.95.
        let renamed = Coded { ids: &[1, 0, 2], levels: 1, codes: 4 };
        let found = model.log_likelihood(renamed, &[pair((0, 1))]).unwrap();
        assert!((found - (0.05_f64 / 0.95).ln()).abs() < 1e-12, "{found}");
        // 1 and 2 share an id: 2.5 of 2.6 for both.
        let shared = Coded { ids: &[0, 1, 1], levels: 1, codes: 4 };
        let found = model.log_likelihood(shared, &[pair((0, 1))]).unwrap();
        assert!((found - (2.5_f64 / 2.6 / 2.0).ln()).abs() < 1e-12, "{found}");
    }

    #[test]
    fn probabilities_of_all_items_add_up_to_1() {
        let coded = Coded { ids: &[0, 0, 0, 1, 1, 0, 1, 1, 3, 1, 3, 1], levels: 2, codes: 5 };
        let model = CountModel::fit(coded, &[(0, 1), (1, 4), (4, 2), (2, 2), (5, 0)].map(pair));
        for last in 0..6 {
            let of = |next: usize| model.log_likelihood(coded, &[pair((last, next))]).unwrap().exp();
            assert!(((0..6).map(of).sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
