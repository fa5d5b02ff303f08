//! When users were active, and how often items were gone for.

use super::{Dataset, Sequence};

/// By user: active in stage 1, and in no stage between it and `stage` (index from 0), of which there is at least one. Such a
/// user who acts in `stage` has come back after a pause.
pub fn dormant_users(dataset: &Dataset, stage: usize) -> Vec<bool> {
    let mut dormant = vec![false; dataset.users.len()];
    if stage < 2 {
        return dormant;
    }
    for (index, earlier) in dataset.stages.iter().take(stage).enumerate() {
        for sequence in &earlier.sequences {
            dormant[sequence.user as usize] = index == 0;
        }
    }
    dormant
}

/// What a user did before the stage in which it is active.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserGroup {
    /// Nothing.
    New,
    /// Something, and not dormant.
    Returning,
    /// Active in stage 1, absent in all of the at least one stage since, and back.
    Dormant,
}

impl UserGroup {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::New, Self::Returning, Self::Dormant];

    /// How it reads.
    pub const fn label(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Returning => "Returning",
            Self::Dormant => "Dormant",
        }
    }
}

/// Interactions of each user, or with each item, by stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByStage {
    stages: usize,
    /// Row-major: a row a user or an item.
    counts: Vec<u32>,
}

impl ByStage {
    /// Interactions of each user.
    pub fn of_users(dataset: &Dataset) -> Self {
        Self::count(dataset, dataset.users.len(), |sequence, count| {
            count(sequence.user, current(sequence).len() as u32);
        })
    }

    /// Interactions with each item.
    pub fn of_items(dataset: &Dataset) -> Self {
        Self::count(dataset, dataset.items.len(), |sequence, count| {
            current(sequence).iter().for_each(|&item| count(item, 1));
        })
    }

    fn count(dataset: &Dataset, rows: usize, of: impl Fn(&Sequence, &mut dyn FnMut(u32, u32))) -> Self {
        let stages = dataset.stages.len();
        let mut counts = vec![0; rows * stages];
        for (index, stage) in dataset.stages.iter().enumerate() {
            for sequence in &stage.sequences {
                of(sequence, &mut |row, number| counts[row as usize * stages + index] += number);
            }
        }
        Self { stages, counts }
    }

    /// Stages.
    pub fn stages(&self) -> usize {
        self.stages
    }

    /// Counts of a user or an item by stage.
    pub fn row(&self, index: u32) -> &[u32] {
        let from = index as usize * self.stages;
        &self.counts[from..from + self.stages]
    }

    /// All interactions of a user or with an item.
    pub fn total(&self, index: u32) -> u64 {
        self.row(index).iter().map(|&count| u64::from(count)).sum()
    }

    /// The stage (index from 0) of the first interaction; none where there is none.
    pub fn first(&self, index: u32) -> Option<usize> {
        self.row(index).iter().position(|&count| count > 0)
    }

    /// Of counts of users: interactions by stage and by what the users did before, in the order of [`UserGroup::ALL`].
    pub fn by_group(&self) -> Vec<[u64; 3]> {
        let mut stages = vec![[0; 3]; self.stages()];
        for user in 0..(self.counts.len() / self.stages.max(1)) as u32 {
            for (stage, groups) in stages.iter_mut().enumerate() {
                if let Some(group) = self.group(user, stage) {
                    groups[group as usize] += u64::from(self.row(user)[stage]);
                }
            }
        }
        stages
    }

    /// The group of a user in a stage (index from 0); none where the user does nothing in it.
    pub fn group(&self, user: u32, stage: usize) -> Option<UserGroup> {
        let row = self.row(user);
        let first = self.first(user).filter(|_| row[stage] > 0)?;
        Some(match first {
            first if first == stage => UserGroup::New,
            0 if stage > 1 && row[1..stage].iter().all(|&count| count == 0) => UserGroup::Dormant,
            _ => UserGroup::Returning,
        })
    }
}

/// What a user did in the sequence's stage.
fn current(sequence: &Sequence) -> &[u32] {
    &sequence.items[sequence.current_from..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::DataDrift;
    use crate::data::synthetic::generate;
    use crate::data::{Summary, SyntheticOptions};

    #[test]
    fn counts_and_groups_are_those_of_summary_and_drift() {
        let options = SyntheticOptions { users: 200, items: 150, stages: 4, codes: 8, ..Default::default() };
        let (dataset, _) = generate(&options).unwrap();
        let Summary { stages, .. } = dataset.summary();
        let drift = DataDrift::measure(&dataset, None);
        let (users, items) = (ByStage::of_users(&dataset), ByStage::of_items(&dataset));
        for (index, (stage, drift)) in stages.iter().zip(&drift.stages).enumerate() {
            let all =
                |of: &ByStage, rows: usize| -> u64 { (0..rows as u32).map(|row| u64::from(of.row(row)[index])).sum() };
            assert_eq!(all(&users, dataset.users.len()), stage.interactions as u64);
            assert_eq!(all(&items, dataset.items.len()), stage.interactions as u64);
            let group = |group| (0..200).filter(|&user| users.group(user, index) == Some(group)).count();
            let found = UserGroup::ALL.map(group);
            assert_eq!(found, [drift.users.new, drift.users.returning, drift.users.dormant]);
        }
        assert!(drift.stages[2].users.dormant > 0, "someone pauses");
    }
}
