use super::*;
use crate::baseline::{CountingBaseline, Popularity, evaluate, evaluate_trained, fixture};
use crate::data::Sequence;
use crate::measure::ranking::aggregate;

/// Users choose among the ten items of their parity, each in an order of its own; all act in both stages, and every
/// fourth changes its parity in the second.
fn parities() -> Dataset {
    let chosen = |user: u32, parity: u32| -> Vec<u32> {
        let start = user / 2;
        (0..7).map(|at| 2 * ((start + 3 * at) % 10) + parity).collect()
    };
    let sequence = |user: u32, stage: u32| {
        let first = chosen(user, user % 2);
        let second = chosen(user + 7, (user + u32::from(user.is_multiple_of(4))) % 2);
        let current_from = if stage == 0 { 0 } else { first.len() };
        let items = if stage == 0 { first } else { [first, second].concat() };
        Sequence { user, items, current_from }
    };
    let stages = (0..2).map(|stage| Stage { sequences: (0..40).map(|user| sequence(user, stage)).collect() });
    let mut dataset = fixture::dataset(20, &[]);
    dataset.users = (0..40).map(|user: u32| user.to_string()).collect();
    dataset.stages = stages.collect();
    dataset
}

fn options(variant: Variant) -> TwoTower {
    TwoTower { width: 8, variant, epochs: 15, batch: 32, learning_rate: 2e-2, ..TwoTower::default() }
}

fn all() -> [Variant; 5] {
    let clustered = Clustered { clusters: 2, ..Clustered::default() };
    let contrastive = Variant::Contrastive(Contrastive::default());
    [Variant::Frozen, Variant::FineTune, contrastive, Variant::ContrastivePiw(clustered), Variant::Pisa(clustered)]
}

fn recommender(variant: Variant, seed: u64) -> TwoTowerRecommender {
    TwoTowerRecommender::new(options(variant), 40, 20, seed).unwrap()
}

fn trained(variant: Variant, seed: u64, stages: usize) -> TwoTowerRecommender {
    let (dataset, mut recommender) = (parities(), recommender(variant, seed));
    for stage in 0..stages {
        recommender.train_stage(&dataset, stage, &mut |_| Ok(())).unwrap();
    }
    recommender
}

#[test]
fn planted_tastes_are_learned() {
    let dataset = parities();
    let users = &dataset.stages[0].sequences;
    let recommender = trained(Variant::FineTune, 1, 1);
    // Of twenty items a user knows six; four of his parity are left, the target among them.
    let hits = |outcomes: &[_]| aggregate(outcomes, &[4])["hit@4"];
    let learned = hits(&evaluate_trained(&recommender, users, 10));
    let counted = hits(&evaluate(&Popularity::fit(&dataset, 0) as &dyn CountingBaseline, users, 10));
    assert!(learned > 0.85 && counted < 0.6, "learned {learned}, popularity {counted}");
}

#[test]
fn the_same_seed_gives_the_same_numbers_on_any_number_of_threads() {
    for variant in all() {
        let state = |seed, threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| trained(variant, seed, 2).state())
        };
        assert_eq!(state(1, 1), state(1, 3), "{variant:?}");
        assert_ne!(state(1, 1), state(2, 1), "{variant:?}");
    }
}

#[test]
fn a_weight_of_zero_is_fine_tuning() {
    let tuned = trained(Variant::FineTune, 1, 2).state();
    let clustered = Clustered { weight: 0.0, clusters: 2, ..Clustered::default() };
    let contrastive = Contrastive { weight: 0.0, ..Contrastive::default() };
    for variant in [Variant::Contrastive(contrastive), Variant::ContrastivePiw(clustered), Variant::Pisa(clustered)] {
        assert_eq!(trained(variant, 1, 2).state(), tuned, "{variant:?}");
    }
    for variant in &all()[2..] {
        assert_ne!(trained(*variant, 1, 2).state(), tuned, "{variant:?}");
    }
}

#[test]
fn frozen_stays_as_stage_one_left_it() {
    assert_eq!(trained(Variant::Frozen, 1, 2).state(), trained(Variant::FineTune, 1, 1).state());
}

#[test]
fn the_contrastive_term_is_zero_where_nothing_has_moved_and_pulls_back_what_has() {
    let reference = normal_matrix(6, 4, 1.0, 1);
    let pull = Pull { reference: reference.clone(), weights: vec![1.0; 6] };
    let value = |users: &Matrix, gradient: &mut Matrix| loss::contrastive(users, &[0, 2, 5], &pull, 0.5, 2.0, gradient);
    let mut gradient = Matrix::zeros(6, 4);
    assert_eq!(value(&reference, &mut gradient), 0.0);
    let mut moved = reference.clone();
    moved.values[8..12].iter_mut().for_each(|value| *value = -*value);
    assert!(value(&moved, &mut gradient) > 0.1);
    gradient.values.fill(0.0);
    let before = value(&moved, &mut gradient);
    assert_eq!(row(&gradient, 1), [0.0; 4], "users that are not in the step stay");
    moved.values.iter_mut().zip(&gradient.values).for_each(|(value, slope)| *value -= 0.1 * slope);
    assert!(value(&moved, &mut gradient) < before);
}

#[test]
fn the_contrastive_term_keeps_users_nearer_to_the_past() {
    let past = trained(Variant::FineTune, 1, 1).towers.users;
    let mean_cosine = |variant| {
        let users = trained(variant, 1, 2).towers.users;
        let cosine = |user| {
            let (one, other) = (row(&users, user), row(&past, user));
            dot(one, other) / (dot(one, one) * dot(other, other)).sqrt()
        };
        (0..40).map(cosine).sum::<f32>() / 40.0
    };
    let strong = Variant::Contrastive(Contrastive { weight: 3.0, ..Contrastive::default() });
    let (held, free) = (mean_cosine(strong), mean_cosine(Variant::FineTune));
    assert!(held > free + 0.05, "held {held}, free {free}");
}

#[test]
fn users_whose_interests_change_imitate_less() {
    let clusters = [0, 0, 1, 1];
    let choices: [(&[u32], &[u32]); 3] = [(&[0, 1], &[1]), (&[0, 1], &[2, 3]), (&[0, 2], &[1, 1, 3])];
    let weights = shift::imitation_weights(&choices, &clusters);
    assert!(weights[0] > weights[2] && weights[2] > weights[1], "{weights:?}");
    assert!((weights.iter().sum::<f32>() - 3.0).abs() < 1e-6);
    assert!((weights[1] / weights[0] - (-1.0f32).exp()).abs() < 1e-6);
}

#[test]
fn the_users_that_moved_most_are_dynamic() {
    let previous = Towers { users: normal_matrix(4, 3, 1.0, 1), items: normal_matrix(6, 3, 1.0, 2) };
    let mut current = previous.clone();
    for (user, factor) in [(1, 4.0), (3, 1.5)] {
        row_mut(&mut current.users, user).iter_mut().for_each(|value| *value *= factor);
    }
    let clusters = shift::item_clusters(&previous.items, 2, 1);
    let dynamic = shift::plasticity(&[0, 1, 2, 3], &previous, &current, &clusters);
    let third = 1.0 / 3.0;
    assert_eq!(dynamic, [0.0, 1.0, 0.0, 2.0 * third]);
}

#[test]
fn a_run_that_is_resumed_ends_like_one_that_was_not() {
    let folder = tempfile::tempdir().unwrap();
    for variant in all() {
        let file = folder.path().join("two_tower.safetensors");
        trained(variant, 1, 1).save(&file).unwrap();
        // Another seed's embeddings are all replaced; the streams of stage 2 are those of the seed.
        let mut resumed = TwoTowerRecommender { seed: 1, ..recommender(variant, 9) };
        resumed.load(&file).unwrap();
        resumed.train_stage(&parities(), 1, &mut |_| Ok(())).unwrap();
        assert_eq!(resumed.state(), trained(variant, 1, 2).state(), "{variant:?}");
    }
    let mut other = TwoTowerRecommender::new(options(Variant::Frozen), 41, 20, 1).unwrap();
    let message = other.load(&folder.path().join("two_tower.safetensors")).unwrap_err().to_string();
    assert!(message.contains("user_embedding.weight") && message.contains("[41, 8]"), "{message}");
}

#[test]
fn a_user_who_was_never_trained_on_is_the_mean_of_the_history() {
    let recommender = recommender(Variant::FineTune, 1);
    let scores = recommender.scores(&[Query { user: 3, history: &[4, 6] }, Query { user: 3, history: &[] }]);
    let items = &recommender.towers.items;
    let expected = (dot(row(items, 4), row(items, 9)) + dot(row(items, 6), row(items, 9))) / 2.0;
    assert!((scores.values[9] - expected).abs() < 1e-6);
    assert_eq!(scores.values[20..], [0.0; 20]);
}

#[test]
fn an_item_of_a_later_stage_starts_afresh() {
    // Item 19 is a negative in stage 1 and a target in stage 2.
    let mut dataset = fixture::dataset(20, &[&[&[0, 1, 2, 3, 4], &[2, 1, 0, 3, 4]], &[&[19, 1, 2, 3]]]);
    dataset.users = (0..40).map(|user: u32| user.to_string()).collect();
    let mut recommender = recommender(Variant::FineTune, 1);
    let fresh = row(&recommender.towers.items, 19).to_vec();
    recommender.train_stage(&dataset, 0, &mut |_| Ok(())).unwrap();
    assert_ne!(row(&recommender.towers.items, 19), fresh);
    assert_eq!(recommender.meet(&dataset.stages[1]), BTreeSet::new());
    assert_eq!(row(&recommender.towers.items, 19), fresh);
    assert_eq!(recommender.meet(&dataset.stages[1]), BTreeSet::from([2]), "now the user is known");
}

#[test]
fn values_that_cannot_be_used_are_named() {
    let problem = |options: TwoTower| options.check().unwrap_err();
    assert!(problem(TwoTower { width: 0, ..TwoTower::default() }).starts_with("`width` is 0"));
    let contrastive = |weight, temperature| problem(options(Variant::Contrastive(Contrastive { weight, temperature })));
    assert!(contrastive(-1.0, 1.0).starts_with("`weight` is -1"));
    assert!(contrastive(1.0, 0.0).starts_with("`temperature` is 0"));
    let clustered = Clustered { clusters: 0, ..Clustered::default() };
    assert!(problem(options(Variant::Pisa(clustered))).starts_with("`clusters` is 0"));
    for variant in all() {
        assert_eq!(options(variant).check(), Ok(()));
    }
}
