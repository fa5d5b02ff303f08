//! The k-core: users and items that have enough interactions with each other.

use super::rows::Row;
use crate::data::interactions::Interactions;

/// Removes interactions until every user and every item that is left has at least `core` of them; how many rounds it
/// took, the last of which removed nothing.
pub fn shrink(interactions: &Interactions, core: usize, kept: &mut Vec<Row>) -> usize {
    if core <= 1 {
        return 0;
    }
    let mut rounds = 0;
    loop {
        rounds += 1;
        let (mut users, mut items) = (vec![0u32; interactions.users.len()], vec![0u32; interactions.items.len()]);
        for row in &*kept {
            users[row.user as usize] += 1;
            items[row.item as usize] += 1;
        }
        let before = kept.len();
        kept.retain(|row| users[row.user as usize] as usize >= core && items[row.item as usize] as usize >= core);
        if kept.len() == before {
            return rounds;
        }
    }
}
