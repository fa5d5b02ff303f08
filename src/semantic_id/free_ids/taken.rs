//! Which ids are taken, and below which prefixes none is left.

use std::collections::HashMap;

/// Ids of allowed codes that some item has. Others are never given, and need not be known.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// By all codes but the last: the last codes that are taken, by their places among the allowed ones, ascending.
    last: HashMap<Vec<u32>, Vec<usize>>,
    /// By prefix: ids that are taken below it.
    below: HashMap<Vec<u32>, u128>,
}

impl Taken {
    /// Takes an id; `allowed` are the codes of each level that may be given.
    pub fn mark(&mut self, id: &[u32], allowed: &[Vec<u32>]) {
        let places = id.iter().zip(allowed).map(|(code, allowed)| allowed.binary_search(code).ok());
        let (Some(Some(last)), Some((_, before))) =
            (places.collect::<Option<Vec<_>>>().map(|mut all| all.pop()), id.split_last())
        else {
            return;
        };
        let taken = self.last.entry(before.to_vec()).or_default();
        let Err(at) = taken.binary_search(&last) else { return };
        taken.insert(at, last);
        (0..id.len()).for_each(|length| *self.below.entry(id[..length].to_vec()).or_insert(0) += 1);
    }

    /// Whether an id of allowed codes is free.
    pub fn is_free(&self, id: &[u32], allowed: &[Vec<u32>]) -> bool {
        let (Some((last, before)), Some(allowed)) = (id.split_last(), allowed.last()) else { return false };
        allowed.binary_search(last).is_ok_and(|place| self.last_codes(before).binary_search(&place).is_err())
    }

    /// The last codes that are taken after all others, by their places among the allowed ones, ascending.
    pub fn last_codes(&self, before: &[u32]) -> &[usize] {
        self.last.get(before).map_or(&[], Vec::as_slice)
    }

    /// Whether all ids of allowed codes below a prefix are taken.
    pub fn is_full(&self, prefix: &[u32], allowed: &[Vec<u32>]) -> bool {
        let all = allowed[prefix.len()..].iter().fold(1_u128, |all, codes| all.saturating_mul(codes.len() as u128));
        self.below.get(prefix).copied().unwrap_or(0) >= all
    }
}
