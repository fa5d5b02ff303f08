//! What a model that has learned ids makes of others, without training one: counts of which codes follow which.
//!
//! The probability of an item's next code given its codes so far and the codes of the item before is counted under none of the
//! latter, under the first of them, and so on up to all. Each adds to the one before as far as it is trusted (Jelinek and Mercer,
//! 1980, *deleted interpolation*): with trust w under a context of `n` codes, of which `c` are this one, w c / n + (1 − w) p, `p`
//! that of the context before. At first all items are alike. Trust depends on the level, the context's length and the magnitude of
//! `n`, and makes the counted pairs likeliest when each is asked about with itself left out. As generation follows the trie of ids,
//! codes that no item has there are left out, and the others scaled to 1.

use std::collections::{BTreeMap, HashMap};

/// An item and the one that followed, as rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    pub last: usize,
    pub next: usize,
}

/// Ids of items, row-major.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coded<'i> {
    pub ids: &'i [u32],
    pub levels: usize,
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

/// Counts of codes, and how far they are trusted.
pub(super) struct CountModel<'i> {
    after: HashMap<Context<'i>, Counts>,
    /// By level and known codes of the item before.
    trust: Vec<Vec<Trust>>,
}

impl<'i> CountModel<'i> {
    /// Counts pairs of items, of which all are known that have ids here.
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
        let existing = Existing::of(coded);
        let trust = (0..coded.levels).map(|level| trusted(coded, pairs, &after, &existing, level)).collect();
        Self { after, trust }
    }

    /// Mean log-likelihood of the next items of pairs, in nats an item, under ids that need not be those of the model; none without
    /// pairs. Items that share an id share its probability.
    pub fn log_likelihood(&self, coded: Coded<'_>, pairs: &[Pair]) -> Option<f64> {
        let existing = Existing::of(coded);
        let of_pair = |pair: &Pair| {
            let (last, next) = (coded.id(pair.last), coded.id(pair.next));
            let of_level = |level: usize| self.of_code(&existing, (&next[..level], last), next[level]).ln();
            let items = existing.items_of.get(next).copied().unwrap_or(1);
            (0..coded.levels).map(of_level).sum::<f64>() - (items as f64).ln()
        };
        (!pairs.is_empty()).then(|| pairs.iter().map(of_pair).sum::<f64>() / pairs.len() as f64)
    }

    /// The probability of a code among those that some item has after the codes before.
    fn of_code(&self, existing: &Existing<'_>, (before, last): Context<'_>, code: u32) -> f64 {
        let codes = existing.after.get(before).map_or(&[][..], Vec::as_slice);
        let items: f64 = codes.iter().map(|(_, items)| *items as f64).sum();
        let mut shares: Vec<f64> = codes.iter().map(|(_, count)| *count as f64 / items).collect();
        for (known, trust) in self.trust[before.len()].iter().enumerate() {
            let Some(counts) = self.after.get(&(before, &last[..known])) else { break };
            let trust = trust.of(counts.all);
            for (share, (code, _)) in shares.iter_mut().zip(codes) {
                let count = counts.by_code.get(code).copied().unwrap_or(0.0);
                *share = trust * count / counts.all + (1.0 - trust) * *share;
            }
        }
        let own = codes.iter().zip(&shares).find(|((known, _), _)| *known == code).map_or(0.0, |(_, share)| *share);
        own / shares.iter().sum::<f64>()
    }
}

/// Magnitudes of counts, by powers of two; the last one holds what is larger.
const MAGNITUDES: usize = 12;
/// Steps of expectation and maximisation; one weight is found at a time, and they settle long before.
const STEPS: usize = 40;

/// How far counts are trusted, by the magnitude of their sum.
#[derive(Debug, Clone, PartialEq)]
struct Trust([f64; MAGNITUDES]);

/// What is known of a pair's code with the pair itself left out: the number of codes that its context had, and this one's share.
#[derive(Debug, Clone, Copy)]
struct LeftOut {
    all: f64,
    share: f64,
}

impl Trust {
    fn of(&self, all: f64) -> f64 {
        self.0[magnitude(all)]
    }

    /// The most likely one, held off 0 and 1 by half a pair each. What no pair has is trusted as the magnitude below.
    fn fit(seen: &[Option<LeftOut>], shorter: &[f64]) -> Self {
        let mut trust = [0.5; MAGNITUDES];
        for _ in 0..STEPS {
            let mut sums = [(0.0, 0.0); MAGNITUDES];
            for (seen, shorter) in seen.iter().zip(shorter) {
                let Some(LeftOut { all, share }) = *seen else { continue };
                let (told, pairs) = &mut sums[magnitude(all)];
                let own = trust[magnitude(all)] * share;
                *told += own / (own + (1.0 - trust[magnitude(all)]) * shorter);
                *pairs += 1.0;
            }
            let mut below = 0.0;
            trust = sums.map(|(told, pairs)| {
                below = if pairs > 0.0 { (told + 0.5) / (pairs + 1.0) } else { below };
                below
            });
        }
        Self(trust)
    }
}

fn magnitude(all: f64) -> usize {
    (all.max(1.0).log2() as usize).min(MAGNITUDES - 1)
}

/// How far each context's length is trusted on a level.
fn trusted<'i>(
    coded: Coded<'i>,
    pairs: &[Pair],
    after: &HashMap<Context<'i>, Counts>,
    existing: &Existing<'i>,
    level: usize,
) -> Vec<Trust> {
    let ids = |pair: &Pair| (coded.id(pair.last), coded.id(pair.next));
    let alike = |pair: &Pair| existing.share(&ids(pair).1[..=level]);
    let mut shorter: Vec<f64> = pairs.iter().map(alike).collect();
    let of_length = |known: usize| {
        let left_out = |pair: &Pair| {
            let (last, next) = ids(pair);
            let counts = after.get(&(&next[..level], &last[..known]))?;
            let (all, own) = (counts.all - 1.0, counts.by_code.get(&next[level])? - 1.0);
            (all > 0.0).then(|| LeftOut { all, share: own / all })
        };
        let seen: Vec<Option<LeftOut>> = pairs.iter().map(left_out).collect();
        let trust = Trust::fit(&seen, &shorter);
        for (shorter, seen) in shorter.iter_mut().zip(&seen) {
            if let Some(LeftOut { all, share }) = seen {
                *shorter = trust.of(*all) * share + (1.0 - trust.of(*all)) * *shorter;
            }
        }
        trust
    };
    (0..=coded.levels).map(of_length).collect()
}

/// The ids that some item has.
struct Existing<'i> {
    /// By codes so far: those that come next, ascending, with how many items have them.
    after: HashMap<&'i [u32], Vec<(u32, usize)>>,
    /// By id: how many items have it.
    items_of: BTreeMap<&'i [u32], usize>,
}

impl<'i> Existing<'i> {
    fn of(coded: Coded<'i>) -> Self {
        let mut items_of: BTreeMap<&[u32], usize> = BTreeMap::new();
        coded.ids.chunks(coded.levels).for_each(|id| *items_of.entry(id).or_default() += 1);
        let mut after: HashMap<&[u32], Vec<(u32, usize)>> = HashMap::new();
        // Ids ascend, so that codes after the same ones do.
        for (id, items) in &items_of {
            for level in 0..coded.levels {
                let codes = after.entry(&id[..level]).or_default();
                match codes.last_mut() {
                    Some((code, count)) if *code == id[level] => *count += items,
                    _ => codes.push((id[level], *items)),
                }
            }
        }
        Self { after, items_of }
    }

    /// Of the items with all codes but the last, the share that has that one too.
    fn share(&self, codes: &[u32]) -> f64 {
        let Some((last, before)) = codes.split_last() else { return 1.0 };
        let there = self.after.get(before).map_or(&[][..], Vec::as_slice);
        let own = there.iter().find(|(code, _)| code == last).map_or(0, |(_, items)| *items);
        own as f64 / there.iter().map(|(_, items)| items).sum::<usize>() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair((last, next): (usize, usize)) -> Pair {
        Pair { last, next }
    }

    /// Values here and below are those of the same rule in plain Python.
    #[test]
    fn likelihoods_are_those_of_the_rule() {
        // Items 0, 1 and 2 have the codes 0, 1 and 2. After 0 comes 1, twice; after 1 comes 2.
        let coded = Coded { ids: &[0, 1, 2], levels: 1 };
        let model = CountModel::fit(coded, &[(0, 1), (0, 1), (1, 2)].map(pair));
        let found = model.log_likelihood(coded, &[pair((0, 1))]).unwrap();
        assert!((found + 0.141_836_312_706_513_84).abs() < 1e-12, "{found}");
        // After 2 nothing is known, and 0, 1 and 2 came never, twice and once: 2 is in the middle.
        let found = model.log_likelihood(coded, &[pair((2, 2))]).unwrap();
        assert!((found - (1.0_f64 / 3.0).ln()).abs() < 1e-12, "{found}");
        assert_eq!(model.log_likelihood(coded, &[]), None);
        let coded = Coded { ids: &[0, 0, 0, 1, 1, 0, 1, 1, 3, 1, 3, 1], levels: 2 };
        let model = CountModel::fit(coded, &[(0, 1), (1, 4), (4, 2), (2, 2), (5, 0), (0, 1), (0, 2)].map(pair));
        let found = model.log_likelihood(coded, &[(0, 1), (5, 3), (2, 4)].map(pair)).unwrap();
        assert!((found + 2.497_615_917_826_154_8).abs() < 1e-12, "{found}");
    }

    #[test]
    fn a_model_of_old_ids_is_asked_under_new_ones_and_shared_ids_are_shared() {
        let old = Coded { ids: &[0, 1, 2], levels: 1 };
        let model = CountModel::fit(old, &[(0, 1), (0, 1), (1, 2)].map(pair));
        // 0 and 1 have changed names.
        let renamed = Coded { ids: &[1, 0, 2], levels: 1 };
        let found = model.log_likelihood(renamed, &[pair((0, 1))]).unwrap();
        assert!((found + 2.951_468_895_710_153).abs() < 1e-12, "{found}");
        // 1 and 2 share an id.
        let shared = Coded { ids: &[0, 1, 1], levels: 1 };
        let found = model.log_likelihood(shared, &[pair((0, 1))]).unwrap();
        assert!((found + 0.748_398_203_051_255_8).abs() < 1e-12, "{found}");
    }

    #[test]
    fn what_never_comes_again_is_not_trusted() {
        const ITEMS: usize = 300;
        let ids: Vec<u32> = (0..ITEMS as u32).flat_map(|item| [item % 7, item / 7 % 7, item / 49]).collect();
        let coded = Coded { ids: &ids, levels: 3 };
        let next =
            |step: usize| (0..ITEMS).map(|last| Pair { last, next: (last * step + 11) % ITEMS }).collect::<Vec<_>>();
        let alike = -(ITEMS as f64).ln();
        let (learned, asked) = (next(77), next(131));
        let found = CountModel::fit(coded, &learned).log_likelihood(coded, &asked).unwrap();
        assert!((alike - 0.1..alike + 0.1).contains(&found), "{found}, and {alike} where all items are alike");
        let known = CountModel::fit(coded, &[&learned[..], &learned].concat()).log_likelihood(coded, &learned).unwrap();
        assert!(known > 0.2 * alike, "{known}: what comes again is");
    }

    #[test]
    fn probabilities_of_all_items_add_up_to_1() {
        let coded = Coded { ids: &[0, 0, 0, 1, 1, 0, 1, 1, 3, 1, 3, 1], levels: 2 };
        let model = CountModel::fit(coded, &[(0, 1), (1, 4), (4, 2), (2, 2), (5, 0)].map(pair));
        for last in 0..6 {
            let of = |next: usize| model.log_likelihood(coded, &[pair((last, next))]).unwrap().exp();
            assert!(((0..6).map(of).sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
