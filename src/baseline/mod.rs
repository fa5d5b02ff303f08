//! What the language model is compared with: counting, which no learned method may lose to unnoticed, and recommenders
//! that are trained stage by stage.

pub mod co_occurrence;
mod epochs;
mod popularity;
pub mod sasrec;
pub mod stage_recommender;
pub mod two_tower;

pub use co_occurrence::{ChosenOptions, CoOccurrence, CoOccurrenceOptions};
pub use popularity::Popularity;
pub use sasrec::{SasRec, SasRecommender};
pub use stage_recommender::{DatasetSize, Progress, Query, Scored, StageFigures, StageRecommender, evaluate_trained};
pub use two_tower::{TwoTower, TwoTowerRecommender};

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use crate::data::{Example, KnownItems, Sequence};
use crate::measure::UserOutcome;
use crate::model::adapter::Matrix;

/// A recommender that only counts the training targets of the stages it was fit on.
pub trait CountingBaseline {
    /// At most `n` items that are not in `history`, and of `known` items where these are given, best first; equal ones in
    /// catalogue order.
    fn recommend(&self, history: &[u32], n: usize, known: Option<&KnownItems>) -> Vec<u32>;
}

/// Tests a baseline on the test examples of users with lists of `length` items. Items are ranked one by one, so shared
/// semantic ids play no part.
pub fn evaluate<'d>(
    baseline: &dyn CountingBaseline,
    users: impl IntoIterator<Item = &'d Sequence>,
    length: usize,
) -> Vec<UserOutcome> {
    answers(baseline, users.into_iter().filter_map(Sequence::test), length, None)
}

/// What a baseline answers to tests, with lists of `length` items, and of known items where these are given.
pub fn answers<'d>(
    baseline: &dyn CountingBaseline,
    tests: impl IntoIterator<Item = Example<'d>>,
    length: usize,
    known: Option<&KnownItems>,
) -> Vec<UserOutcome> {
    let outcome = |test: Example<'_>| {
        let ranked = baseline.recommend(test.history, length, None);
        let known = known.map(|known| baseline.recommend(test.history, length, Some(known)));
        UserOutcome::of_items(test.user, test.target, &ranked, known.as_deref())
    };
    tests.into_iter().map(outcome).collect()
}

/// A matrix of normal values around 0, from a seed.
fn normal_matrix(rows: usize, columns: usize, deviation: f64, seed: u64) -> Matrix {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut draw = || -> f64 { StandardNormal.sample(&mut random) };
    Matrix { rows, columns, values: (0..rows * columns).map(|_| (deviation * draw()) as f32).collect() }
}

#[cfg(test)]
mod tests {
    use super::co_occurrence::SEARCH;
    use super::*;

    #[test]
    fn what_is_counted_later_is_not_listed_among_the_items_of_earlier_stages() {
        // Item 5 comes with stage 2, where it is the most popular one, and three times next to item 1; 0 is twice, in stage 1.
        let stages: [&[&[u32]]; 2] =
            [&[&[0, 1, 2, 3], &[1, 0, 2, 3]], &[&[1, 5, 2, 3], &[1, 5, 2, 3], &[1, 5, 2, 3], &[5, 0, 2, 3]]];
        let dataset = fixture::dataset(6, &stages);
        let known = [0, 1].map(|stage| KnownItems::by(&dataset, stage));
        let counted: [Box<dyn CountingBaseline>; 2] =
            [Box::new(Popularity::fit(&dataset, 1)), Box::new(CoOccurrence::fit(&dataset, 1, SEARCH.otherwise))];
        for baseline in counted {
            let list = |known| baseline.recommend(&[1], 2, known);
            assert_eq!((list(None)[0], list(Some(&known[0]))), (5, vec![0]));
            assert_eq!(list(Some(&known[1])), list(None), "whatever was counted is known by then");
        }
    }
}

#[cfg(test)]
pub(crate) mod fixture {
    use crate::data::{Dataset, Item, Sequence, Stage};
    use crate::semantic_id::SemanticIndex;

    /// A dataset of `items` items whose stages have one new user a sequence.
    pub fn dataset(items: u32, stages: &[&[&[u32]]]) -> Dataset {
        let mut users = 0..;
        let mut sequence =
            |items: &&[u32]| users.next().map(|user| Sequence { user, items: items.to_vec(), current_from: 0 });
        let stages: Vec<Stage> = stages
            .iter()
            .map(|sequences| Stage { sequences: sequences.iter().filter_map(&mut sequence).collect() })
            .collect();
        Dataset {
            name: "fixture".into(),
            items: (0..items).map(|id| Item { id: id.to_string(), title: None }).collect(),
            users: (0..stages.iter().map(|stage| stage.sequences.len()).sum())
                .map(|user: usize| user.to_string())
                .collect(),
            index: SemanticIndex::from_numbers(1, &(0..items).collect::<Vec<_>>()),
            stages,
            synthetic: true,
            hash: String::new(),
        }
    }
}
