//! The k-core: users and items that have enough interactions with each other.

use crate::data::interactions::Interactions;

/// Removes interactions until every user and every item that is left has at least `core` of them; how many rounds it
/// took, the last of which removed nothing.
pub fn shrink(interactions: &Interactions, core: usize, kept: &mut Vec<u32>) -> usize {
    if core <= 1 {
        return 0;
    }
    let counts = |of: &[u32], all: usize, kept: &[u32]| {
        let mut counts = vec![0u32; all];
        kept.iter().for_each(|&at| counts[of[at as usize] as usize] += 1);
        counts
    };
    let mut rounds = 0;
    loop {
        rounds += 1;
        let users = counts(&interactions.user, interactions.users.len(), kept);
        let items = counts(&interactions.item, interactions.items.len(), kept);
        let before = kept.len();
        kept.retain(|&at| {
            let (user, item) = (interactions.user[at as usize], interactions.item[at as usize]);
            users[user as usize] as usize >= core && items[item as usize] as usize >= core
        });
        if kept.len() == before {
            return rounds;
        }
    }
}
