//! The items that are known by a stage: what a list can hold that is made at that time.

use super::Dataset;

/// Which items of the catalogue are known by a stage: those of any interaction up to the end of the stage, validation and
/// test targets included, whatever the protocol. Who interacts with an item has found it in the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownItems {
    /// By item of the catalogue.
    is_known: Vec<bool>,
}

impl KnownItems {
    /// The items known by the stage at index `stage` of [`Dataset::stages`].
    ///
    /// # Panics
    /// Where the dataset has no such stage.
    pub fn by(dataset: &Dataset, stage: usize) -> Self {
        let mut is_known = vec![false; dataset.items.len()];
        for sequence in dataset.stages[..=stage].iter().flat_map(|stage| &stage.sequences) {
            for &item in &sequence.items {
                is_known[item as usize] = true;
            }
        }
        Self { is_known }
    }

    /// The items that the last `stages` stages up to the one at index `stage` brought: known by it, and not before them.
    ///
    /// # Panics
    /// Where the dataset has no such stage.
    pub fn brought(dataset: &Dataset, stage: usize, stages: usize) -> Self {
        let mut brought = Self::by(dataset, stage);
        if let Some(before) = stage.checked_sub(stages) {
            let before = Self::by(dataset, before);
            brought.is_known.iter_mut().zip(before.is_known).for_each(|(known, before)| *known &= !before);
        }
        brought
    }

    /// Whether an item is known.
    pub fn contains(&self, item: u32) -> bool {
        self.is_known.get(item as usize).copied().unwrap_or(false)
    }

    /// The known items in catalogue order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..).zip(&self.is_known).filter(|(_, is_known)| **is_known).map(|(item, _)| item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Item, Sequence, Stage};
    use crate::semantic_id::SemanticIndex;

    #[test]
    fn items_are_known_from_their_first_interaction_on_held_out_ones_too() {
        // Stage 1 tests on 3; item 5 comes with stage 2 in a sequence that is too short to take part; 4 never occurs.
        let sequence = |user, items: &[u32]| Sequence { user, items: items.to_vec(), current_from: 0 };
        let stages = [vec![sequence(0, &[0, 1, 2, 3])], vec![sequence(1, &[0, 5]), sequence(2, &[1, 2, 0])]];
        let dataset = Dataset {
            name: "six items".into(),
            items: (0..6).map(|id| Item { id: id.to_string(), title: None }).collect(),
            users: (0..3).map(|user| user.to_string()).collect(),
            index: SemanticIndex::from_numbers(1, &[0, 1, 2, 3, 4, 5]),
            stages: stages.map(|sequences| Stage { sequences }).into(),
            synthetic: true,
            hash: String::new(),
        };
        let known = [0, 1].map(|stage| KnownItems::by(&dataset, stage));
        assert_eq!(known[0].iter().collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(known[1].iter().collect::<Vec<_>>(), [0, 1, 2, 3, 5]);
        assert!(known[1].contains(5) && !known[0].contains(5) && !known[1].contains(4) && !known[1].contains(9));
        assert_eq!(KnownItems::brought(&dataset, 1, 1).iter().collect::<Vec<_>>(), [5]);
        assert_eq!(KnownItems::brought(&dataset, 0, 1), known[0], "before the first stage nothing is known");
        assert_eq!(KnownItems::brought(&dataset, 1, 9), known[1]);
    }
}
