use burn::backend::{Autodiff, Flex};

use super::*;
use crate::baseline::stage_recommender::Progress;
use crate::baseline::{CountingBaseline, Popularity, evaluate, evaluate_trained, fixture};
use crate::measure::ranking::aggregate;

type Recommender = SasRecommender<Autodiff<Flex>>;

/// Users go round the items by a step of 3; two stages of new users.
fn rounds() -> Dataset {
    let round = |user: u32| -> Vec<u32> { (0..8).map(|at| (user + 3 * at) % 20).collect() };
    let users: Vec<Vec<u32>> = (0..60).map(round).collect();
    let all: Vec<&[u32]> = users.iter().map(Vec::as_slice).collect();
    fixture::dataset(20, &[&all[..40], &all[40..]])
}

fn options() -> SasRec {
    SasRec {
        width: 16,
        inner: 32,
        layers: 1,
        dropout: 0.1,
        max_history: 5,
        stride: 2,
        epochs: 25,
        batch: 64,
        learning_rate: 1e-2,
        ..SasRec::default()
    }
}

fn recommender(seed: u64) -> Recommender {
    Recommender::new(options(), 20, seed, &Default::default()).unwrap()
}

fn train(recommender: &mut Recommender, dataset: &Dataset, stage: usize) -> StageFigures {
    recommender.train_stage(dataset, stage, &mut |_| Ok(())).unwrap()
}

#[test]
fn a_planted_order_is_learned() {
    let dataset = rounds();
    let mut recommender = recommender(1);
    let figures = train(&mut recommender, &dataset, 0);
    let users = &dataset.stages[0].sequences;
    let hits = |outcomes: &[_]| aggregate(outcomes, &[1])["hit@1"];
    let learned = hits(&evaluate_trained(&recommender, users, 10));
    let counted = hits(&evaluate(&Popularity::fit(&dataset, 0) as &dyn CountingBaseline, users, 10));
    assert!(learned > 0.9 && counted < 0.3, "learned {learned}, popularity {counted}");
    assert_eq!(figures.validation_losses.len(), 25);
    let min = figures.validation_losses.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(figures.validation_losses[figures.best_epoch - 1], min);
    assert!(figures.validation_losses[0] > 2.0 && min < 0.7, "{:?}", figures.validation_losses);
}

#[test]
fn the_same_seed_gives_the_same_numbers_on_any_number_of_threads() {
    let dataset = rounds();
    let trained = |seed, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let mut recommender =
                Recommender::new(SasRec { epochs: 2, ..options() }, 20, seed, &Default::default()).unwrap();
            let mut told = vec![];
            recommender
                .train_stage(&dataset, 0, &mut |progress| {
                    told.push(progress);
                    Ok(())
                })
                .unwrap();
            (recommender.state(), told)
        })
    };
    let first = trained(1, 1);
    assert_eq!(first, trained(1, 3));
    assert_ne!(first.0, trained(2, 1).0);
    let steps = first.1.iter().filter(|told| matches!(told, Progress::Step { .. })).count();
    // 40 users with 5 targets each (the first item of all is none), at least 64 a step, hence 13 users; two epochs.
    assert_eq!((steps, first.1.len()), (8, 10));
}

#[test]
fn a_run_that_is_resumed_ends_like_one_that_was_not() {
    let dataset = rounds();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sasrec.safetensors");
    let mut whole = recommender(3);
    train(&mut whole, &dataset, 0);
    whole.save(&file).unwrap();
    let before = whole.state();
    train(&mut whole, &dataset, 1);
    assert_ne!(whole.state(), before, "stage 2 trains");
    // Another seed's parameters are all replaced; the streams of stage 2 are those of the seed.
    let mut resumed = Recommender { seed: 3, ..recommender(4) };
    resumed.load(&file).unwrap();
    assert_eq!(resumed.state(), before);
    train(&mut resumed, &dataset, 1);
    assert_eq!(resumed.state(), whole.state());
}

#[test]
fn a_state_of_another_catalogue_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sasrec.safetensors");
    recommender(1).save(&file).unwrap();
    let mut other = Recommender::new(options(), 21, 1, &Default::default()).unwrap();
    let message = other.load(&file).unwrap_err().to_string();
    assert!(message.contains("item_embedding.weight") && message.contains("[21, 16]"), "{message}");
}

#[test]
fn scores_do_not_depend_on_the_other_queries() {
    let recommender = recommender(5);
    let long: Vec<u32> = (0..9).collect();
    let histories: [&[u32]; 4] = [&[3], &[], &long, &[3, 9]];
    let queries = histories.map(|history| Query { user: 0, history });
    let together = recommender.scores(&queries);
    for (query, row) in queries.iter().zip(together.values.chunks(20)) {
        let alone = recommender.scores(&[*query]);
        for (one, other) in alone.values.iter().zip(row) {
            assert!((one - other).abs() < 1e-6, "{one}, {other}");
        }
    }
    assert_eq!(together.values[20..40], [0.0; 20]);
    let newest = recommender.scores(&[Query { user: 0, history: &long[4..] }]);
    assert_eq!(recommender.scores(&[queries[2]]), newest, "only the newest five items are read");
    let picked = recommender.score_items(&queries, &[&[7], &[], &[1, 0], &[]]);
    assert_eq!(picked[0], [together.values[7]]);
    assert_eq!(picked[2], [together.values[41], together.values[40]]);
    let lists = recommender.recommend(&queries, 3, None);
    assert!(lists.iter().all(|list| list.len() == 3));
    assert!(lists[2].iter().all(|scored| scored.item > 8), "the history is not recommended: {lists:?}");
}

#[test]
fn a_stage_without_targets_changes_nothing() {
    let dataset = fixture::dataset(20, &[&[&[1, 2]]]);
    let mut recommender = recommender(1);
    let before = recommender.state();
    assert_eq!(train(&mut recommender, &dataset, 0), StageFigures::default());
    assert_eq!(recommender.state(), before);
}

#[test]
fn parameters_are_counted() {
    // Items, positions, three norms, four projections and two feed-forward layers with their biases.
    let expected = 20 * 16 + 5 * 16 + 3 * 2 * 16 + 4 * (16 * 16 + 16) + (16 * 32 + 32) + (32 * 16 + 16);
    assert_eq!(recommender(1).trainable_parameters(), expected);
}

#[test]
fn values_that_cannot_be_used_are_named() {
    let problem = |options: SasRec| options.check().unwrap_err();
    assert_eq!(problem(SasRec { heads: 3, ..SasRec::default() }), "`heads` (3) does not divide `width` (64)");
    assert!(problem(SasRec { batch: 0, ..SasRec::default() }).starts_with("`batch` is 0"));
    assert!(problem(SasRec { stride: 51, ..SasRec::default() }).starts_with("`stride` (51)"));
    assert!(problem(SasRec { dropout: 1.0, ..SasRec::default() }).starts_with("`dropout` is 1"));
    assert!(problem(SasRec { learning_rate: f64::NAN, ..SasRec::default() }).starts_with("`learning_rate`"));
    assert!(problem(SasRec { weight_decay: -1.0, ..SasRec::default() }).starts_with("`weight_decay`"));
    assert_eq!(SasRec::default().check(), Ok(()));
}
