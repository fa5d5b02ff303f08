//! Generated interactions whose preferences turn by a known rotation from stage to stage.
//!
//! Items have latent vectors made of attribute words, and their semantic ids are clusters of these vectors, so that codes
//! carry meaning. What a user chooses next depends on a lasting taste and on the newest items. Between stages the
//! preferences of the *drifting* users turn in a few planes, some of them against the others; users, tastes and items may come
//! and go. The truth about it is kept, so that a view can show how much of the planted drift a model has picked up.

mod catalogue;
mod choice;
mod cycle;
mod fields;
mod options;
mod rotation;
mod streams;
mod vectors;

#[cfg(test)]
mod regime_tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::catalogue::Catalogue;
use self::choice::{Preferences, Turns, User};
pub use self::cycle::Cycle;
pub use self::fields::{FIELDS, reference};
pub use self::options::{Onset, Recurring, SyntheticOptions};
use self::rotation::Rotation;
use self::streams::stream;
use self::vectors::unit;
use super::{Dataset, Sequence, Stage};
use crate::semantic_id::{SemanticIndex, clustering};

/// What the generator planted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// The planes in which preferences turn: two basis vectors each, all orthonormal, in the latent space of the items.
    pub planes: Vec<[Vec<f64>; 2]>,
    /// The angle by which they have turned in each stage, in radians, from the first basis vector to the second.
    pub angles: Vec<f64>,
    /// Users whose preferences turn, ascending.
    pub drifting_users: Vec<u32>,
    /// Those of them whose preferences turn the other way, ascending.
    #[serde(default)]
    pub contradictory_users: Vec<u32>,
    /// Users that act only every so many stages, with when they do.
    #[serde(default)]
    pub recurring_users: BTreeMap<u32, Cycle>,
    /// Latent dimensions that count only every so many stages, with when they do.
    #[serde(default)]
    pub recurring_tastes: BTreeMap<u32, Cycle>,
    /// Items that are there only every so many stages, with when they are.
    #[serde(default)]
    pub seasonal_items: BTreeMap<u32, Cycle>,
    /// `users x latent`: each user's lasting taste before any turn, of length 1.
    pub tastes: Vec<Vec<f64>>,
    /// `items x latent`: each item's latent vector, of length 1.
    pub item_vectors: Vec<Vec<f64>>,
}

impl Truth {
    /// What a user wants after a history, had nothing turned: of length 1.
    pub fn preference(&self, user: u32, history: &[u32]) -> Vec<f64> {
        unit(choice::unturned(&self.tastes[user as usize], history, &self.item_vectors))
    }

    /// A preference as it has turned in a stage (index from 0).
    ///
    /// # Panics
    /// If there is no such stage.
    pub fn turned(&self, preference: &[f64], stage: usize) -> Vec<f64> {
        Rotation { planes: self.planes.clone(), angles: self.angles.clone() }.turn(preference, stage)
    }
}

/// An option that has no meaning.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{field}`: {problem}")]
pub struct InvalidOption {
    /// The field of [`SyntheticOptions`].
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: String,
}

/// Stages from one return to the next.
const CYCLE: std::ops::RangeInclusive<usize> = 2..=50;

/// Levels of the generated semantic ids.
pub const LEVELS: usize = 4;

/// Generates a dataset and the truth about it; the same options give the same data.
///
/// # Errors
/// Names the option that has no meaning.
pub fn generate(options: &SyntheticOptions) -> Result<(Dataset, Truth), InvalidOption> {
    check(options)?;
    let catalogue = Catalogue::new(options);
    let rotation = Rotation::new(options, &catalogue);
    let (users, tastes) = (choice::users(options, &catalogue), choice::tastes(options));
    let preferences = Preferences { options, catalogue: &catalogue, rotation: &rotation, tastes: &tastes };
    let mut dataset = Dataset {
        name: "Synthetic drift".into(),
        index: semantic_ids(options, &catalogue.vectors),
        items: catalogue.items.clone(),
        users: (1..=users.len()).map(|user| format!("u{user}")).collect(),
        stages: stages(options, &users, &preferences),
        synthetic: true,
        hash: String::new(),
    };
    dataset.hash = dataset.content_hash();
    let who = |is: fn(Turns) -> bool| {
        (0..).zip(&users).filter(|(_, user)| is(user.turns)).map(|(number, _)| number).collect()
    };
    let truth = Truth {
        planes: rotation.planes,
        angles: rotation.angles,
        drifting_users: who(|turns| turns != Turns::Not),
        contradictory_users: who(|turns| turns == Turns::AgainstDrift),
        recurring_users: cycles(users.iter().map(|user| user.recurs)),
        recurring_tastes: cycles(tastes.into_iter()),
        seasonal_items: cycles(catalogue.seasons.into_iter()),
        tastes: users.into_iter().map(|user| user.taste).collect(),
        item_vectors: catalogue.vectors,
    };
    Ok((dataset, truth))
}

/// The cycles of those that have one, by number.
fn cycles(all: impl Iterator<Item = Option<Cycle>>) -> BTreeMap<u32, Cycle> {
    (0..).zip(all).filter_map(|(number, cycle)| Some((number, cycle?))).collect()
}

fn semantic_ids(options: &SyntheticOptions, vectors: &[Vec<f64>]) -> SemanticIndex {
    let mut random = stream(options.seed, "semantic ids");
    SemanticIndex::from_numbers(LEVELS, &clustering::residual_codes(vectors, LEVELS, options.codes, &mut random))
}

/// Lets the users act, stage by stage.
fn stages(options: &SyntheticOptions, users: &[User], preferences: &Preferences) -> Vec<Stage> {
    let mut histories: Vec<Vec<u32>> = vec![Vec::new(); users.len()];
    let mut run_stage = |stage: usize| {
        let mut sequences = Vec::new();
        for (number, (user, history)) in users.iter().zip(&mut histories).enumerate() {
            let mut random = stream(options.seed, &format!("stage {stage}, user {number}"));
            if user.is_active(stage, options.return_chance, &mut random) {
                let current_from = history.len();
                preferences.act(user, stage, history, &mut random);
                sequences.push(Sequence { user: number as u32, items: history.clone(), current_from });
            }
        }
        Stage { sequences }
    };
    (0..options.stages).map(&mut run_stage).collect()
}

/// How many of `total` exist in a stage (0-based) when a share of `arrivals` comes in each later one.
fn present(total: usize, arrivals: f64, stages: usize, stage: usize) -> usize {
    let to_come = (stages - 1 - stage) as f64 * arrivals;
    ((total as f64 * (1.0 - to_come)).round() as usize).clamp(1, total)
}

/// The stage (0-based) in which the one of this number among `total` users, or items, first appears.
fn arrival(number: usize, total: usize, options: &SyntheticOptions) -> usize {
    let known = |stage| present(total, options.arrivals, options.stages, stage);
    (0..options.stages).find(|&stage| number < known(stage)).unwrap_or(options.stages - 1)
}

/// Refuses options that have no meaning or would need more memory than any demonstration should.
///
/// # Errors
/// The field, and what a usable value is.
pub fn check(options: &SyntheticOptions) -> Result<(), InvalidOption> {
    let require = |holds: bool, field, problem: &str| {
        if holds { Ok(()) } else { Err(InvalidOption { field, problem: problem.into() }) }
    };
    let (first, later) = options.interactions;
    require((1..=1_000_000).contains(&options.users), "users", "from 1 to 1,000,000")?;
    require((20..=200_000).contains(&options.items), "items", "from 20 to 200,000")?;
    require((1..=50).contains(&options.stages), "stages", "from 1 to 50")?;
    require([first, later].iter().all(|mean| (3.0..=200.0).contains(mean)), "interactions", "each mean from 3 to 200")?;
    require((2..=1024).contains(&options.codes), "codes", "from 2 to 1,024")?;
    require((2..=256).contains(&options.latent), "latent", "from 2 to 256")?;
    require(
        options.rotation_rank <= options.latent / 2,
        "rotation_rank",
        "each plane takes 2 latent dimensions; at most half of `latent`",
    )?;
    require(options.drift.is_finite(), "drift", "an angle in radians")?;
    if let Onset::Abrupt(stage) = options.onset {
        require((2..=options.stages).contains(&stage), "onset", "a stage from 2 to the last one")?;
    }
    require((0.0..=3.0).contains(&options.popularity_skew), "popularity_skew", "from 0 to 3")?;
    require((0.0..=1.0).contains(&options.drifting_share), "drifting_share", "from 0 to 1")?;
    require((0.0..=1.0).contains(&options.contradictory), "contradictory", "from 0 to 1")?;
    require((0.0..=1.0).contains(&options.choice_noise), "choice_noise", "from 0 to 1")?;
    require((0.05..=1.0).contains(&options.return_chance), "return_chance", "from 0.05 to 1")?;
    if let Recurring::Users { share, every } | Recurring::Tastes { share, every } = options.recurring {
        let holds = (0.0..=1.0).contains(&share) && CYCLE.contains(&every);
        require(holds, "recurring", "a share from 0 to 1, and back every 2 to 50 stages")?;
    }
    require((0.0..=1.0).contains(&options.seasonal_items), "seasonal_items", "from 0 to 1")?;
    require(CYCLE.contains(&options.season), "season", "from 2 to 50 stages")?;
    let later_stages = (options.stages - 1) as f64;
    let all_arrivals = options.arrivals * later_stages;
    require(
        options.arrivals >= 0.0 && all_arrivals <= 0.9,
        "arrivals",
        "at least 0, and at most 0.9 over all later stages, so that stage 1 has users and items",
    )?;
    let mean_total = first + later * later_stages;
    // Of the seasonal items a stage has its share.
    let away = options.seasonal_items * (1.0 - 1.0 / options.season as f64);
    let there = (1.0 - away) * present(options.items, options.arrivals, options.stages, 0) as f64;
    let problem = "a stage needs twice as many items as a user has interactions, because none comes twice";
    require(mean_total * 2.0 <= there, "items", problem)?;
    require(mean_total * options.users as f64 <= 5e7, "users", "more than 50 million interactions in all")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::semantic_id::Trie;

    fn small() -> SyntheticOptions {
        SyntheticOptions { users: 120, items: 150, ..SyntheticOptions::default() }
    }

    #[test]
    fn the_same_options_give_the_same_data_and_another_seed_others() {
        let (first, truth) = generate(&small()).unwrap();
        assert_eq!(generate(&small()).unwrap(), (first.clone(), truth));
        let (other, _) = generate(&SyntheticOptions { seed: 8, ..small() }).unwrap();
        assert_ne!(first.hash, other.hash);
        assert!(first.synthetic);
    }

    #[test]
    fn nobody_has_an_item_twice_or_before_it_exists() {
        let options = small();
        let (dataset, _) = generate(&options).unwrap();
        for (stage, block) in dataset.stages.iter().enumerate() {
            let items = present(options.items, options.arrivals, options.stages, stage);
            let users = present(options.users, options.arrivals, options.stages, stage);
            for sequence in &block.sequences {
                let distinct: HashSet<u32> = sequence.items.iter().copied().collect();
                assert_eq!(distinct.len(), sequence.items.len());
                assert!(sequence.items.iter().all(|&item| (item as usize) < items));
                assert!((sequence.user as usize) < users);
            }
        }
    }

    #[test]
    fn histories_go_on_from_stage_to_stage() {
        let (dataset, _) = generate(&small()).unwrap();
        let mut histories = vec![Vec::new(); dataset.users.len()];
        for sequence in dataset.stages.iter().flat_map(|stage| &stage.sequences) {
            assert_eq!(histories[sequence.user as usize], sequence.items[..sequence.current_from]);
            histories[sequence.user as usize].clone_from(&sequence.items);
        }
    }

    #[test]
    fn users_and_items_arrive_in_every_stage_and_most_take_part() {
        let (dataset, _) = generate(&SyntheticOptions::default()).unwrap();
        let summary = dataset.summary();
        for stage in &summary.stages {
            assert!(stage.new_users > 0 && stage.new_items > 0, "{stage:?}");
            assert!(stage.participants * 10 >= stage.users * 9, "{stage:?}");
        }
        assert!((4_000..6_500).contains(&summary.stages[0].training_examples), "{:?}", summary.stages[0]);
        assert!(summary.stages[1..].iter().all(|stage| (250..500).contains(&stage.test_users)));
    }

    #[test]
    fn most_items_have_an_id_and_a_title_of_their_own() {
        let (dataset, _) = generate(&SyntheticOptions::default()).unwrap();
        let titles: HashSet<&str> = dataset.items.iter().filter_map(|item| item.title.as_deref()).collect();
        assert_eq!(titles.len(), dataset.items.len());
        let leaves = Trie::new(&dataset.index).leaves();
        assert!(leaves * 100 >= dataset.items.len() * 95, "{leaves} ids for {} items", dataset.items.len());
    }

    #[test]
    fn options_without_meaning_are_named() {
        let default = SyntheticOptions::default;
        for (options, field) in [
            (SyntheticOptions { users: 0, ..default() }, "users"),
            (SyntheticOptions { items: 0, ..default() }, "items"),
            (SyntheticOptions { items: usize::MAX, ..default() }, "items"),
            (SyntheticOptions { items: 40, ..default() }, "items"),
            (SyntheticOptions { stages: 0, ..default() }, "stages"),
            (SyntheticOptions { interactions: (f64::NAN, 5.0), ..default() }, "interactions"),
            (SyntheticOptions { codes: 1, ..default() }, "codes"),
            (SyntheticOptions { latent: 1, ..default() }, "latent"),
            (SyntheticOptions { rotation_rank: 9, ..default() }, "rotation_rank"),
            (SyntheticOptions { drift: f64::INFINITY, ..default() }, "drift"),
            (SyntheticOptions { onset: Onset::Abrupt(1), ..default() }, "onset"),
            (SyntheticOptions { onset: Onset::Abrupt(6), ..default() }, "onset"),
            (SyntheticOptions { popularity_skew: f64::NAN, ..default() }, "popularity_skew"),
            (SyntheticOptions { drifting_share: 1.5, ..default() }, "drifting_share"),
            (SyntheticOptions { arrivals: 0.3, ..default() }, "arrivals"),
            (SyntheticOptions { arrivals: -0.1, ..default() }, "arrivals"),
            (SyntheticOptions { contradictory: 1.1, ..default() }, "contradictory"),
            (SyntheticOptions { choice_noise: -0.1, ..default() }, "choice_noise"),
            (SyntheticOptions { return_chance: 0.0, ..default() }, "return_chance"),
            (SyntheticOptions { recurring: Recurring::Users { share: 0.4, every: 1 }, ..default() }, "recurring"),
            (SyntheticOptions { recurring: Recurring::Tastes { share: f64::NAN, every: 3 }, ..default() }, "recurring"),
            (SyntheticOptions { seasonal_items: 2.0, ..default() }, "seasonal_items"),
            (SyntheticOptions { season: 0, ..default() }, "season"),
            (SyntheticOptions { seasonal_items: 1.0, season: 12, ..default() }, "items"),
        ] {
            assert_eq!(generate(&options).unwrap_err().field, field, "{options:?}");
        }
    }

    #[test]
    fn the_defaults_give_what_they_always_gave() {
        let (dataset, truth) = generate(&SyntheticOptions::default()).unwrap();
        assert_eq!(dataset.hash, "b3bc119c5c4d46d960342b49aace291a8f2fbdea3c007b080bec40741800e930");
        assert_eq!(truth.angles, [0.0, 0.6, 1.2, 3.0 * 0.6, 2.4]);
    }

    #[test]
    fn an_abrupt_drift_changes_nothing_before_its_stage_and_ends_where_a_gradual_one_ends() {
        let options = SyntheticOptions { onset: Onset::Abrupt(3), ..small() };
        let (abrupt, truth) = generate(&options).unwrap();
        let (still, _) = generate(&SyntheticOptions { drift: 0.0, ..small() }).unwrap();
        assert_eq!(abrupt.stages[..2], still.stages[..2]);
        assert_ne!(abrupt.stages[2], still.stages[2]);
        assert_eq!(truth.angles, [0.0, 0.0, 2.4, 2.4, 2.4]);
    }

    #[test]
    fn popularity_is_as_skewed_as_it_should_be() {
        let share_of_top = |popularity_skew: f64| {
            let (dataset, _) = generate(&SyntheticOptions { popularity_skew, ..SyntheticOptions::default() }).unwrap();
            let mut counts = vec![0usize; dataset.items.len()];
            for sequence in dataset.stages.iter().flat_map(|stage| &stage.sequences) {
                sequence.items[sequence.current_from..].iter().for_each(|&item| counts[item as usize] += 1);
            }
            counts.sort_unstable_by(|one, other| other.cmp(one));
            counts[..40].iter().sum::<usize>() as f64 / counts.iter().sum::<usize>() as f64
        };
        let [even, usual, strong] = [0.0, 0.45, 1.2].map(share_of_top);
        assert!(even + 0.015 < usual && usual + 0.1 < strong, "{even}, {usual}, {strong}");
    }

    #[test]
    fn the_least_options_work() {
        let options = SyntheticOptions {
            users: 1,
            items: 20,
            stages: 1,
            interactions: (3.0, 3.0),
            codes: 2,
            latent: 2,
            rotation_rank: 0,
            ..SyntheticOptions::default()
        };
        let (dataset, truth) = generate(&options).unwrap();
        assert_eq!((dataset.users.len(), dataset.items.len(), dataset.stages.len()), (1, 20, 1));
        assert!(truth.planes.is_empty());
    }
}
