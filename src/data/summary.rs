//! What a dataset is, in figures.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Dataset, Sequence};

/// A dataset in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub name: String,
    pub synthetic: bool,
    pub users: usize,
    /// Items of the catalogue.
    pub items: usize,
    /// Items that have a title.
    pub titles: usize,
    /// Semantic ids that at least one item has.
    pub distinct_ids: usize,
    /// Items of the id that most items share.
    pub largest_collision: usize,
    /// Codes an id.
    pub levels: usize,
    /// Distinct codes on each level.
    pub codes: Vec<usize>,
    pub stages: Vec<StageSummary>,
    /// SHA-256 (hex) of the content.
    pub hash: String,
}

/// One stage in figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageSummary {
    /// Stage, from 1.
    pub stage: usize,
    /// Users active in it.
    pub users: usize,
    /// Users with enough interactions to be trained and tested on.
    pub participants: usize,
    pub interactions: usize,
    /// Training targets (same-block protocol).
    pub training_examples: usize,
    pub test_users: usize,
    /// Active users that no earlier stage has.
    pub new_users: usize,
    /// Items interacted with that no earlier stage has.
    pub new_items: usize,
}

impl Dataset {
    /// The dataset in figures.
    pub fn summary(&self) -> Summary {
        let mut sharing: HashMap<&[u32], usize> = HashMap::new();
        for item in 0..self.index.len() as u32 {
            *sharing.entry(self.index.item(item)).or_default() += 1;
        }
        let mut codes = vec![0; self.index.levels];
        self.index.token_level.iter().for_each(|&level| codes[usize::from(level)] += 1);
        Summary {
            name: self.name.clone(),
            synthetic: self.synthetic,
            users: self.users.len(),
            items: self.items.len(),
            titles: self.items.iter().filter(|item| item.title.is_some()).count(),
            distinct_ids: sharing.len(),
            largest_collision: sharing.into_values().max().unwrap_or(0),
            levels: self.index.levels,
            codes,
            stages: self.stage_summaries(),
            hash: self.hash.clone(),
        }
    }

    fn stage_summaries(&self) -> Vec<StageSummary> {
        let mut known_users = vec![false; self.users.len()];
        let mut known_items = vec![false; self.items.len()];
        let summary = |(at, stage): (usize, &super::Stage)| {
            let current = |sequence: &Sequence| sequence.items.len() - sequence.current_from;
            let users = stage.sequences.iter().map(|s| s.user);
            let items = stage.sequences.iter().flat_map(|s| &s.items[s.current_from..]).copied();
            StageSummary {
                stage: at + 1,
                users: stage.sequences.len(),
                participants: stage.participants().count(),
                interactions: stage.sequences.iter().map(current).sum(),
                training_examples: stage.training_examples(),
                test_users: stage.test_users(),
                new_users: count_new(&mut known_users, users),
                new_items: count_new(&mut known_items, items),
            }
        };
        self.stages.iter().enumerate().map(summary).collect()
    }
}

/// Marks `places` as known and counts those that were not.
fn count_new(known: &mut [bool], places: impl Iterator<Item = u32>) -> usize {
    places.filter(|&index| !std::mem::replace(&mut known[index as usize], true)).count()
}
