//! A dataset cut into stages, whatever format it came from.

use serde::{Deserialize, Serialize};

use crate::semantic_id::SemanticIndex;

/// Interactions in chronological stages, the catalogue, and every item's semantic id.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// Short name for titles and file names.
    pub name: String,
    /// The catalogue; an item is its index in this list everywhere else.
    pub items: Vec<Item>,
    /// Users' names as the files give them; a user is its index in this list.
    pub users: Vec<String>,
    /// Codes of every item, by index in `items`.
    pub index: SemanticIndex,
    /// Stages in time order: `stages[0]` is stage 1 (the base stage).
    pub stages: Vec<Stage>,
    /// True for generated data; every view that shows it says so.
    pub synthetic: bool,
    /// SHA-256 (hex) over what was read, in a fixed order: the same data gives the same hash.
    pub hash: String,
}

/// One item of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The id in the files.
    pub id: String,
    /// A title for people, where the data has one.
    pub title: Option<String>,
}

/// One chronological block: every user who acts in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stage {
    /// Users active in the stage, in file order.
    pub sequences: Vec<Sequence>,
}

/// What one user did up to and in one stage, in time order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sequence {
    /// The user, as an index in [`Dataset::users`].
    pub user: u32,
    /// Every interaction up to the end of the stage, as indices in [`Dataset::items`].
    pub items: Vec<u32>,
    /// Where the stage begins in `items`; what is before it is the user's earlier history.
    pub current_from: usize,
}

/// One prediction task: the history that a model reads and the item that followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Example<'a> {
    pub user: u32,
    /// Everything before the target, oldest first (the model reads the newest part of it).
    pub history: &'a [u32],
    pub target: u32,
}

/// Interactions that a user needs in a stage to take part in it (same-block protocol).
pub const MIN_INTERACTIONS: usize = 3;

impl Dataset {
    /// An item's title; its id where it has none. An item of other data is said to be one.
    pub fn item_words(&self, item: u32) -> String {
        match self.items.get(item as usize) {
            Some(known) => known.title.clone().unwrap_or_else(|| known.id.clone()),
            None => format!("item {item}, which is not in the dataset"),
        }
    }

    /// Whether two items are one to a model: the same, or of one semantic id.
    pub fn is_same(&self, item: u32, other: u32) -> bool {
        let codes = |item: u32| ((item as usize) < self.index.len()).then(|| self.index.item(item));
        item == other || (codes(other).is_some() && codes(item) == codes(other))
    }
}

impl Sequence {
    /// Whether the user has enough interactions in the stage to be trained and tested on.
    pub fn takes_part(&self) -> bool {
        self.items.len() - self.current_from >= MIN_INTERACTIONS
    }

    fn example(&self, at: usize) -> Example<'_> {
        Example { user: self.user, history: &self.items[..at], target: self.items[at] }
    }

    /// Places in `items` of the training targets: all in the stage but the last two (same-block protocol).
    pub fn training_targets(&self) -> std::ops::Range<usize> {
        if self.takes_part() { self.current_from..self.items.len() - 2 } else { 0..0 }
    }

    /// The validation example: the last interaction but one of the stage.
    pub fn validation(&self) -> Option<Example<'_>> {
        self.takes_part().then(|| self.example(self.items.len() - 2))
    }

    /// The test example: the last interaction of the stage.
    pub fn test(&self) -> Option<Example<'_>> {
        self.takes_part().then(|| self.example(self.items.len() - 1))
    }

    /// The test of the next-block protocol: the first interaction of the stage, after everything the user did in earlier
    /// stages. A user without earlier interactions cannot be asked; few interactions in the stage do not matter.
    pub fn next_block_test(&self) -> Option<Example<'_>> {
        (self.current_from > 0 && self.current_from < self.items.len()).then(|| self.example(self.current_from))
    }
}

impl Stage {
    /// Users with enough interactions in the stage.
    pub fn participants(&self) -> impl Iterator<Item = &Sequence> {
        self.sequences.iter().filter(|s| s.takes_part())
    }

    /// Number of training targets (same-block protocol).
    pub fn training_examples(&self) -> usize {
        self.participants().map(|s| s.training_targets().len()).sum()
    }

    /// Number of test users, which is the number of validation users too (same-block protocol).
    pub fn test_users(&self) -> usize {
        self.participants().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(items: &[u32], current_from: usize) -> Sequence {
        Sequence { user: 7, items: items.to_vec(), current_from }
    }

    #[test]
    fn the_next_block_is_asked_from_all_earlier_interactions() {
        let returning = sequence(&[4, 5, 6, 7, 8, 9], 3);
        let asked = returning.next_block_test().unwrap();
        assert_eq!((asked.user, asked.history, asked.target), (7, &[4, 5, 6][..], 7));
        // What same-block tests of the same stage is another interaction.
        assert_eq!(returning.test().unwrap().target, 9);
        // One interaction is enough to be asked, though not to take part in the stage.
        let rare = sequence(&[4, 5], 1);
        assert_eq!((rare.next_block_test().unwrap().target, rare.takes_part()), (5, false));
    }

    #[test]
    fn who_did_nothing_before_or_nothing_now_cannot_be_asked() {
        assert_eq!(sequence(&[4, 5, 6, 7], 0).next_block_test(), None);
        assert_eq!(sequence(&[4, 5], 2).next_block_test(), None);
    }
}
