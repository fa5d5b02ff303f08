//! What each option of the generator does, measured in the data that it makes.

use std::collections::BTreeSet;

use super::vectors::dot;
use super::*;

fn made(options: &SyntheticOptions) -> (Dataset, Truth) {
    generate(options).unwrap()
}

/// A choice: who, in which stage (0-based), after which history, what.
struct Choice<'d> {
    user: u32,
    stage: usize,
    history: &'d [u32],
    item: u32,
}

fn choices(dataset: &Dataset) -> Vec<Choice<'_>> {
    let mut all = Vec::new();
    for (stage, block) in dataset.stages.iter().enumerate() {
        for Sequence { user, items, current_from } in &block.sequences {
            let choice = |at: usize| Choice { user: *user, stage, history: &items[..at], item: items[at] };
            all.extend((*current_from..items.len()).map(choice));
        }
    }
    all
}

/// Stages in which each user acts.
fn acts(dataset: &Dataset) -> Vec<BTreeSet<usize>> {
    let mut acts = vec![BTreeSet::new(); dataset.users.len()];
    for (stage, block) in dataset.stages.iter().enumerate() {
        block.sequences.iter().for_each(|sequence| _ = acts[sequence.user as usize].insert(stage));
    }
    acts
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.collect();
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn recurring_users_are_dormant_in_between_and_come_back_with_the_old_taste() {
    let recurring = Recurring::Users { share: 0.4, every: 3 };
    let options = SyntheticOptions { recurring, stages: 7, arrivals: 0.05, ..SyntheticOptions::default() };
    let (dataset, truth) = made(&options);
    let count = truth.recurring_users.len();
    assert!((270..370).contains(&count), "{count} of 800");
    let acts = acts(&dataset);
    for (&user, cycle) in &truth.recurring_users {
        let arrival = arrival(user as usize, options.users, &options);
        let expected: BTreeSet<usize> = (0..7).filter(|&stage| cycle.is_on(arrival, stage)).collect();
        assert_eq!(acts[user as usize], expected, "user {user}");
        assert!(truth.drifting_users.binary_search(&user).is_err(), "user {user} keeps the old taste");
    }
    // Others are as they were without anybody who recurs.
    let (usual, _) = made(&SyntheticOptions { recurring: Recurring::None, ..options });
    let of = |dataset: &Dataset, user: u32| -> Vec<Vec<u32>> {
        let sequences = dataset.stages.iter().flat_map(|stage| &stage.sequences);
        sequences.filter(|sequence| sequence.user == user).map(|sequence| sequence.items.clone()).collect()
    };
    let other = (0..800).find(|user| !truth.recurring_users.contains_key(user)).unwrap();
    assert_eq!(of(&dataset, other), of(&usual, other));
}

#[test]
fn a_taste_that_is_away_does_not_decide() {
    let recurring = Recurring::Tastes { share: 0.5, every: 3 };
    let (dataset, truth) =
        made(&SyntheticOptions { recurring, drift: 0.0, stages: 7, arrivals: 0.05, ..SyntheticOptions::default() });
    assert_eq!(truth.recurring_tastes.len(), 8);
    // How far choices agree with the preference along the dimensions that come and go, in stages where they count or do not.
    let agreement = |on: bool| {
        mean(choices(&dataset).iter().filter(|choice| choice.stage > 0).map(|choice| {
            let preference = truth.preference(choice.user, choice.history);
            let item = &truth.item_vectors[choice.item as usize];
            let counted = truth.recurring_tastes.iter().filter(|(_, cycle)| cycle.is_on(0, choice.stage) == on);
            counted.map(|(&dimension, _)| preference[dimension as usize] * item[dimension as usize]).sum()
        }))
    };
    let per_dimension = [agreement(true) / (8.0 / 3.0), agreement(false) / (16.0 / 3.0)];
    assert!(per_dimension[0] > 2.0 * per_dimension[1], "{per_dimension:?}");
}

#[test]
fn seasonal_items_are_chosen_in_their_season_alone() {
    let options = SyntheticOptions { seasonal_items: 0.3, season: 2, ..SyntheticOptions::default() };
    let (dataset, truth) = made(&options);
    assert!((90..150).contains(&truth.seasonal_items.len()), "{} of 400", truth.seasonal_items.len());
    let seasonal: Vec<(usize, &Cycle, usize)> = choices(&dataset)
        .iter()
        .filter_map(|choice| Some((choice.stage, truth.seasonal_items.get(&choice.item)?, choice.item as usize)))
        .collect();
    assert!(seasonal.len() > 500 && seasonal.iter().any(|(stage, ..)| *stage == 4));
    for (stage, cycle, item) in seasonal {
        assert!(cycle.is_on(arrival(item, options.items, &options), stage), "item {item} in stage {stage}");
    }
}

#[test]
fn choices_are_less_like_the_preference_the_more_noise_there_is() {
    let likeness = |choice_noise: f64| {
        let (dataset, truth) = made(&SyntheticOptions { choice_noise, drift: 0.0, ..SyntheticOptions::default() });
        mean(choices(&dataset).iter().map(|choice| {
            dot(&truth.preference(choice.user, choice.history), &truth.item_vectors[choice.item as usize])
        }))
    };
    let [none, some, all] = [0.0, 0.4, 1.0].map(likeness);
    assert!(none > 0.5 && all < 0.1, "{none}, {some}, {all}");
    // A share of 0.4 costs about that share of the likeness, and what newer random items take from the preference.
    assert!((0.35..0.7).contains(&((none - some) / (none - all))), "{none}, {some}, {all}");
}

#[test]
fn contradictory_users_turn_the_other_way_by_the_same_angle() {
    let options =
        SyntheticOptions { drift: 0.3, drifting_share: 0.8, contradictory: 0.5, ..SyntheticOptions::default() };
    let (dataset, truth) = made(&options);
    let (drifting, contrary) = (truth.drifting_users.len(), truth.contradictory_users.len());
    assert!((270..380).contains(&contrary) && contrary < drifting, "{contrary} of {drifting}");
    // Choices lag behind a turn, since they also follow the newest items. The angle from what a user would want had nothing turned to what the user chose, in the planes, over all choices.
    let angle = |stage: usize, is: &dyn Fn(u32) -> bool| {
        let (mut along, mut across) = (0.0, 0.0);
        for choice in choices(&dataset).iter().filter(|choice| choice.stage == stage && is(choice.user)) {
            let preference = truth.preference(choice.user, choice.history);
            let item = &truth.item_vectors[choice.item as usize];
            for [first, second] in &truth.planes {
                let [x, y] = [first, second].map(|basis| dot(&preference, basis));
                let [u, v] = [first, second].map(|basis| dot(item, basis));
                (along, across) = (along + x * u + y * v, across + x * v - y * u);
            }
        }
        f64::atan2(across, along)
    };
    let against = |user: u32| truth.contradictory_users.binary_search(&user).is_ok();
    let drifts = |user: u32| truth.drifting_users.binary_search(&user).is_ok();
    for stage in 1..5 {
        let turned = truth.angles[stage];
        let found = [
            angle(stage, &|user| drifts(user) && !against(user)) - turned,
            angle(stage, &against) + turned,
            angle(stage, &|user| !drifts(user)),
        ];
        assert!(found.iter().all(|off| off.abs() < 0.4), "stage {stage}: {found:?} off");
    }
}

#[test]
fn the_chance_of_a_return_is_the_share_of_known_users_that_act() {
    for return_chance in [0.2, 0.5, 0.9] {
        let (dataset, _) = made(&SyntheticOptions { return_chance, arrivals: 0.0, ..SyntheticOptions::default() });
        let share = mean(dataset.stages[1..].iter().map(|stage| stage.sequences.len() as f64 / 800.0));
        assert!((share - return_chance).abs() < 0.04, "{share} for {return_chance}");
    }
}

#[test]
fn a_truth_of_before_anything_came_and_went_is_read() {
    let (_, truth) = made(&SyntheticOptions { users: 30, items: 150, ..SyntheticOptions::default() });
    let mut old = serde_json::to_value(&truth).unwrap();
    for field in ["contradictory_users", "recurring_users", "recurring_tastes", "seasonal_items"] {
        old.as_object_mut().unwrap().remove(field).unwrap();
    }
    let read: Truth = serde_json::from_value(old).unwrap();
    assert_eq!((&read.drifting_users, read.tastes.len()), (&truth.drifting_users, 30));
    assert!(read.contradictory_users.is_empty() && read.seasonal_items.is_empty());
}
