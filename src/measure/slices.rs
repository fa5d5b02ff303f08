//! Slices of a stage's tests: kinds of users and targets that a mean over all of them hides.
//!
//! *Earlier* means the stages before the tested one, as the dataset lists them; nothing of the tested stage or a later one
//! decides a slice, but for the test's own history.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::data::activity::dormant_users;
use crate::data::{Dataset, Example};

/// What tests are sliced by; every test has one slice of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// When the user was active before.
    User,
    /// Whether the target occurred before.
    Target,
    /// How often the target occurred before.
    Popularity,
    /// Interactions before the target.
    History,
}

/// One slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Slice {
    /// The user is first seen in this stage.
    New,
    /// The user was seen before and is not dormant.
    Returning,
    /// The user was active in stage 1, in none of at least one stage since, and is back.
    Dormant,
    /// The target occurred in an earlier stage.
    Warm,
    /// The target did not.
    Cold,
    /// The target is one of the most popular items, which make up the first third of the earlier interactions. Items that
    /// occurred equally often are in one slice: that of the first of them.
    Head,
    /// The target is one of the items of the second third.
    Mid,
    /// The target is one of the items of the last third, or did not occur.
    Tail,
    /// At most [`SHORT`] interactions before the target.
    Short,
    /// More than short, fewer than long.
    Medium,
    /// At least [`LONG`] interactions before the target.
    Long,
}

/// Interactions that a short history has at most.
pub const SHORT: usize = 5;
/// Interactions that a long history has at least: as many as the paper's model reads.
pub const LONG: usize = 20;

/// One test's slices: by user, target, popularity and history.
pub type Slices = [Slice; 4];

impl Dimension {
    /// All of them, in the order of [`Slices`].
    pub const ALL: [Self; 4] = [Self::User, Self::Target, Self::Popularity, Self::History];

    /// Its slices.
    pub fn slices(self) -> &'static [Slice] {
        match self {
            Self::User => &[Slice::New, Slice::Returning, Slice::Dormant],
            Self::Target => &[Slice::Warm, Slice::Cold],
            Self::Popularity => &[Slice::Head, Slice::Mid, Slice::Tail],
            Self::History => &[Slice::Short, Slice::Medium, Slice::Long],
        }
    }

    /// The word in results.
    pub fn key(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Target => "target",
            Self::Popularity => "popularity",
            Self::History => "history",
        }
    }
}

impl Slice {
    /// All slices, by dimension.
    pub fn all() -> impl Iterator<Item = Self> {
        Dimension::ALL.into_iter().flat_map(|dimension| dimension.slices().iter().copied())
    }

    /// The word in results and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Returning => "returning",
            Self::Dormant => "dormant",
            Self::Warm => "warm",
            Self::Cold => "cold",
            Self::Head => "head",
            Self::Mid => "mid",
            Self::Tail => "tail",
            Self::Short => "short",
            Self::Medium => "medium",
            Self::Long => "long",
        }
    }
}

impl fmt::Display for Slice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl FromStr for Slice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::all().find(|slice| slice.key() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::all().map(Self::key).collect();
            format!("\"{text}\" is no slice; expected one of {}", known.join(", "))
        })
    }
}

/// Tells the slices of the tests of one stage.
#[derive(Debug, Clone)]
pub struct Slicer {
    /// By item: interactions in earlier stages.
    counts: Vec<u32>,
    /// Least count of a head item, and of one that is at least mid.
    head_from: u32,
    mid_from: u32,
    /// By user: whether the user did anything before the stage.
    known: Vec<bool>,
    /// By user: whether the user is dormant.
    dormant: Vec<bool>,
}

impl Slicer {
    /// For the tests of the stage at index `stage` of [`Dataset::stages`].
    pub fn new(dataset: &Dataset, stage: usize) -> Self {
        let mut counts = vec![0; dataset.items.len()];
        for sequence in dataset.stages.iter().take(stage).flat_map(|earlier| &earlier.sequences) {
            for &item in &sequence.items[sequence.current_from..] {
                counts[item as usize] += 1;
            }
        }
        let [head_from, mid_from] = thirds(&counts);
        let mut known = vec![false; dataset.users.len()];
        for sequence in dataset.stages.get(stage).into_iter().flat_map(|tested| &tested.sequences) {
            known[sequence.user as usize] = sequence.current_from > 0;
        }
        Self { counts, head_from, mid_from, known, dormant: dormant_users(dataset, stage) }
    }

    /// The slices of a test of the stage.
    pub fn slices(&self, test: &Example<'_>) -> Slices {
        let (user, count) = (test.user as usize, self.counts[test.target as usize]);
        let group = match (self.dormant[user], self.known[user]) {
            (true, _) => Slice::Dormant,
            (false, true) => Slice::Returning,
            (false, false) => Slice::New,
        };
        let popularity = match count {
            0 => Slice::Tail,
            count if count >= self.head_from => Slice::Head,
            count if count >= self.mid_from => Slice::Mid,
            _ => Slice::Tail,
        };
        let history = match test.history.len() {
            0..=SHORT => Slice::Short,
            LONG.. => Slice::Long,
            _ => Slice::Medium,
        };
        [group, if count > 0 { Slice::Warm } else { Slice::Cold }, popularity, history]
    }
}

/// Counts from which an item belongs to the first third of all interactions, and to the first two thirds.
fn thirds(counts: &[u32]) -> [u32; 2] {
    let mut sorted: Vec<u32> = counts.iter().copied().filter(|&count| count > 0).collect();
    sorted.sort_unstable_by_key(|&count| std::cmp::Reverse(count));
    let total: u64 = sorted.iter().copied().map(u64::from).sum();
    [1, 2].map(|third| {
        let (mut before, mut min_count) = (0, u32::MAX);
        for &count in &sorted {
            if 3 * before >= third * total {
                break;
            }
            min_count = count;
            before += u64::from(count);
        }
        min_count
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::{Item, Sequence, Stage};
    use crate::semantic_id::SemanticIndex;

    /// A dataset of what each user does in each stage, `[user][stage]`.
    fn dataset(items: u32, users: &[Vec<Vec<u32>>]) -> Dataset {
        let stages = users.first().map_or(0, Vec::len);
        let sequence = |user: usize, stage: usize| {
            let earlier: Vec<u32> = users[user][..stage].concat();
            let current = &users[user][stage];
            let items = [&earlier[..], current].concat();
            (!current.is_empty()).then_some(Sequence { user: user as u32, items, current_from: earlier.len() })
        };
        let stage = |stage| Stage { sequences: (0..users.len()).filter_map(|user| sequence(user, stage)).collect() };
        Dataset {
            name: "fixture".to_owned(),
            items: (0..items).map(|id| Item { id: id.to_string(), title: None }).collect(),
            users: (0..users.len()).map(|user| user.to_string()).collect(),
            index: SemanticIndex::from_numbers(1, &(0..items).collect::<Vec<_>>()),
            stages: (0..stages).map(stage).collect(),
            synthetic: true,
            hash: String::new(),
        }
    }

    #[test]
    fn users_are_new_returning_or_dormant() {
        let (some, none) = (|| vec![0, 0, 0], Vec::new);
        let users = [
            vec![none(), none(), some(), some()],
            vec![some(), none(), none(), some()],
            vec![some(), some(), none(), some()],
            vec![some(), none(), some(), some()],
            vec![none(), some(), none(), some()],
            vec![none(), none(), none(), some()],
        ];
        let dataset = dataset(1, &users);
        let groups = |stage: usize| {
            let slicer = Slicer::new(&dataset, stage);
            let tests = dataset.stages[stage].sequences.iter().filter_map(Sequence::test);
            tests.map(|test| slicer.slices(&test)[0].key()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(groups(0), "new new new", "nobody was there before stage 1");
        assert_eq!(groups(1), "returning new", "there is no stage between 1 and 2");
        assert_eq!(groups(2), "new dormant");
        assert_eq!(groups(3), "returning dormant returning returning returning new");
    }

    #[test]
    fn targets_are_sliced_by_what_happened_before_the_stage() {
        // Before stage 2: item 0 six times, 1 four times, 2 and 3 three times, 4 once, 5 once; 18 in all.
        let first: Vec<u32> = [[0; 6].as_slice(), &[1; 4], &[2; 3], &[3; 3], &[4, 5]].concat();
        let users: Vec<Vec<Vec<u32>>> = (0..7).map(|target| vec![vec![], vec![6, 6, target]]).collect();
        let users = [vec![vec![first, vec![6, 6, 6, 6]]], users].concat();
        let dataset = dataset(7, &users);
        let slicer = Slicer::new(&dataset, 1);
        let tests = dataset.stages[1].sequences[1..].iter().filter_map(Sequence::test);
        let found: Vec<String> = tests
            .map(|test| slicer.slices(&test))
            .map(|[_, target, popularity, _]| format!("{target} {popularity}"))
            .collect();
        // 6 is a third; 6 + 4 is less than two thirds, so 2 is mid, and 3 with it.
        let expected = ["warm head", "warm mid", "warm mid", "warm mid", "warm tail", "warm tail", "cold tail"];
        assert_eq!(found, expected);
    }

    #[test]
    fn histories_are_cut_at_fixed_lengths() {
        let dataset = dataset(1, &[vec![vec![0; 30]]]);
        let slicer = Slicer::new(&dataset, 0);
        let items = [0; 30];
        let at = |length: usize| slicer.slices(&Example { user: 0, history: &items[..length], target: 0 })[3];
        assert_eq!(
            [0, 5, 6, 19, 20, 30].map(at).map(Slice::key),
            ["short", "short", "medium", "medium", "long", "long"]
        );
    }

    #[test]
    fn slices_are_read_by_the_words_they_are_written_in() {
        for slice in Slice::all() {
            assert_eq!(slice.to_string().parse::<Slice>().unwrap(), slice);
        }
        assert!("lukewarm".parse::<Slice>().unwrap_err().contains("warm, cold"));
    }

    proptest! {
        #[test]
        fn every_test_has_one_slice_of_each_dimension_and_the_future_does_not_change_it(
            users in proptest::collection::vec(
                proptest::collection::vec(proptest::collection::vec(0u32..9, 0..7), 4), 1..12),
        ) {
            let whole = dataset(9, &users);
            for stage in 0..4 {
                let mut cut = whole.clone();
                cut.stages.truncate(stage + 1);
                let (slicer, of_the_past) = (Slicer::new(&whole, stage), Slicer::new(&cut, stage));
                for test in whole.stages[stage].sequences.iter().flat_map(|s| [s.test(), s.next_block_test()]).flatten() {
                    let slices = slicer.slices(&test);
                    for (slice, dimension) in slices.iter().zip(Dimension::ALL) {
                        prop_assert!(dimension.slices().contains(slice));
                    }
                    prop_assert_eq!(slices, of_the_past.slices(&test));
                    prop_assert!(slices[1] == Slice::Warm || slices[2] == Slice::Tail, "a cold item is of the tail");
                }
                for test in whole.stages[stage].sequences.iter().filter_map(Sequence::next_block_test) {
                    prop_assert_ne!(slicer.slices(&test)[0], Slice::New);
                }
            }
        }

        #[test]
        fn the_head_holds_a_third_of_the_interactions_and_no_more_than_its_last_count(
            counts in proptest::collection::vec(0u32..50, 1..40),
        ) {
            let total: u32 = counts.iter().sum();
            let [head_from, mid_from] = thirds(&counts);
            let held = |min: u32| counts.iter().filter(|&&count| count > 0 && count >= min).sum::<u32>();
            let above = |min: u32| counts.iter().filter(|&&count| count > min).sum::<u32>();
            prop_assert!(total == 0 || (3 * held(head_from) >= total && 3 * above(head_from) < total));
            prop_assert!(total == 0 || (3 * held(mid_from) >= 2 * total && 3 * above(mid_from) < 2 * total));
        }
    }
}
