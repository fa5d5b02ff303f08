//! SASRec against RecBole's; the two towers' losses and gradients against PyTorch's.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::backend::{Autodiff, Flex};
use peso_workbench::baseline::two_tower::loss::{Choice, Pull, Towers, contrastive, sampled_softmax};
use peso_workbench::baseline::two_tower::shift::{imitation_weights, plasticity};
use peso_workbench::baseline::{Query, SasRec, SasRecommender, StageRecommender};
use peso_workbench::data::dataset::{Dataset, Example, Item, Sequence, Stage};
use peso_workbench::measure::ranking::{UserOutcome, aggregate};
use peso_workbench::model::adapter::Matrix;
use peso_workbench::model::weights::Weights;
use peso_workbench::semantic_id::SemanticIndex;
use serde::Deserialize;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/baselines").join(name)
}

fn json<T: for<'de> Deserialize<'de>>(name: &str) -> T {
    serde_json::from_str(&fs::read_to_string(fixture(name)).unwrap()).unwrap()
}

/// The greatest difference, relative to the greatest expected value.
fn relative(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let difference = found.iter().zip(expected).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    difference / largest.max(f32::MIN_POSITIVE)
}

/// RecBole's network of random parameters, its loss on windows and its logits.
#[derive(Deserialize)]
struct Network {
    items: usize,
    width: usize,
    layers: usize,
    heads: usize,
    inner: usize,
    max_history: usize,
    /// What is read, and the targets that follow its last items.
    windows: Vec<(Vec<u32>, Vec<u32>)>,
    loss: f64,
    queries: Vec<Vec<u32>>,
}

impl Network {
    fn load() -> (Self, SasRecommender<Autodiff<Flex>>, Weights) {
        let network: Self = json("sasrec.json");
        let Self { width, layers, heads, inner, max_history, .. } = network;
        let options = SasRec { width, layers, heads, inner, max_history, stride: 1, ..SasRec::default() };
        let mut recommender = SasRecommender::new(options, network.items, 0, &Default::default()).unwrap();
        let weights = Weights::open_file(&fixture("sasrec.safetensors")).unwrap();
        recommender.restore(&weights).unwrap();
        (network, recommender, weights)
    }
}

#[test]
fn sasrec_logits_are_those_of_the_reference() {
    let (network, recommender, weights) = Network::load();
    let queries: Vec<Query<'_>> = network.queries.iter().map(|history| Query { user: 0, history }).collect();
    let scores = recommender.scores(&queries);
    let difference = relative(&scores.values, &weights.floats("logits").unwrap());
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn sasrec_loss_and_gradients_are_those_of_the_reference() {
    let (network, recommender, weights) = Network::load();
    let windows: Vec<(&[u32], &[u32])> =
        network.windows.iter().map(|(inputs, targets)| (inputs.as_slice(), targets.as_slice())).collect();
    let (loss, gradients) = recommender.loss_and_gradients(&windows);
    assert!((loss - network.loss).abs() < 1e-5 * network.loss, "{loss} instead of {}", network.loss);
    assert_eq!(gradients.len(), recommender.state().len());
    for (name, gradient) in &gradients {
        let expected = weights.floats(&format!("gradient.{name}")).unwrap();
        // A key's bias adds the same to all scores of a query, so that its gradient is rounding alone.
        if name.ends_with("key.bias") {
            assert!(gradient.norm() < 1e-6, "{name}: {}", gradient.norm());
            continue;
        }
        let difference = relative(&gradient.values, &expected);
        assert!(difference < 1e-4, "{name}: {difference}");
    }
}

/// A loss and its gradients, row-major.
#[derive(Deserialize)]
struct Expected {
    loss: f64,
    user_gradient: Vec<f32>,
}

#[derive(Deserialize)]
struct Ranking {
    /// User, and the items of whom the first is the target.
    choices: Vec<(u32, Vec<u32>)>,
    item_gradient: Vec<f32>,
    #[serde(flatten)]
    expected: Expected,
}

/// Embeddings of two stages, and the losses of PyTorch on them.
#[derive(Deserialize)]
struct TwoTowers {
    width: usize,
    users: Vec<f32>,
    items: Vec<f32>,
    rankings: Vec<Ranking>,
    /// Of the model of the stage before, and of one that was fine-tuned.
    previous: Vec<f32>,
    tuned: Vec<f32>,
    previous_items: Vec<f32>,
    tuned_items: Vec<f32>,
    /// Of each item.
    clusters: Vec<u32>,
    /// What each user chose before and chooses now.
    choices: Vec<(Vec<u32>, Vec<u32>)>,
    imitation_weights: Vec<f32>,
    plasticity: Vec<f32>,
    /// Users of the step, temperature and weight of the contrastive term.
    among: Vec<u32>,
    temperature: f64,
    weight: f64,
    contrastive: Expected,
    piw: Expected,
    pisa: Expected,
}

impl TwoTowers {
    fn matrix(&self, values: &[f32]) -> Matrix {
        Matrix { rows: values.len() / self.width, columns: self.width, values: values.to_vec() }
    }

    fn towers(&self, users: &[f32], items: &[f32]) -> Towers {
        Towers { users: self.matrix(users), items: self.matrix(items) }
    }

    fn assert_pulled(&self, name: &str, pulls: &[(&[f32], Vec<f32>)], expected: &Expected) {
        let users = self.matrix(&self.users);
        let mut gradient = Matrix::zeros(users.rows, users.columns);
        let mut loss = 0.0;
        for (reference, weights) in pulls {
            let pull = Pull { reference: self.matrix(reference), weights: weights.clone() };
            loss += contrastive(&users, &self.among, &pull, self.temperature, self.weight, &mut gradient);
        }
        assert!((loss - expected.loss).abs() < 1e-5 * expected.loss, "{name}: {loss} instead of {}", expected.loss);
        let difference = relative(&gradient.values, &expected.user_gradient);
        assert!(difference < 1e-5, "{name}: {difference}");
    }
}

#[test]
fn ranking_losses_and_gradients_are_those_of_the_reference() {
    let reference: TwoTowers = json("two_tower.json");
    let towers = reference.towers(&reference.users, &reference.items);
    for ranking in &reference.rankings {
        let choices: Vec<Choice> =
            ranking.choices.iter().map(|(user, items)| Choice { user: *user, items: items.clone() }).collect();
        let mut gradient = towers.zeros_like();
        let (loss, expected) = (sampled_softmax(&towers, &choices, &mut gradient), &ranking.expected);
        assert!((loss - expected.loss).abs() < 1e-5 * expected.loss, "{loss} instead of {}", expected.loss);
        let differences = [
            relative(&gradient.users.values, &expected.user_gradient),
            relative(&gradient.items.values, &ranking.item_gradient),
        ];
        assert!(differences.iter().all(|difference| *difference < 1e-5), "{differences:?}");
    }
}

#[test]
fn contrastive_losses_and_gradients_are_those_of_the_reference() {
    let reference: TwoTowers = json("two_tower.json");
    let (previous, tuned) = (reference.previous.as_slice(), reference.tuned.as_slice());
    let ones = vec![1.0; previous.len() / reference.width];
    reference.assert_pulled("contrastive", &[(previous, ones)], &reference.contrastive);

    let choices: Vec<(&[u32], &[u32])> =
        reference.choices.iter().map(|(before, now)| (before.as_slice(), now.as_slice())).collect();
    let weights = imitation_weights(&choices, &reference.clusters);
    assert!(relative(&weights, &reference.imitation_weights) < 1e-6, "{weights:?}");
    reference.assert_pulled("imitation weights", &[(previous, weights)], &reference.piw);

    let before = reference.towers(previous, &reference.previous_items);
    let now = reference.towers(tuned, &reference.tuned_items);
    let users: Vec<u32> = (0..before.users.rows as u32).collect();
    let dynamic = plasticity(&users, &before, &now, &reference.clusters);
    assert!(relative(&dynamic, &reference.plasticity) < 1e-6, "{dynamic:?}");
    let stable = dynamic.iter().map(|dynamic| 1.0 - dynamic).collect();
    reference.assert_pulled("PISA", &[(previous, stable), (tuned, dynamic)], &reference.pisa);
}

/// MovieLens 100K as RecBole reads its atomic file, in one stage.
fn movielens() -> Dataset {
    let folder =
        std::env::var_os("PESO_DATASETS_DIR").expect("PESO_DATASETS_DIR names a folder with ml-100k/ml-100k.inter");
    let text = fs::read_to_string(Path::new(&folder).join("ml-100k/ml-100k.inter")).unwrap();
    let (mut items, mut users) = (BTreeMap::new(), BTreeMap::<&str, Vec<(f32, u32)>>::new());
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let next = items.len() as u32;
        let item = *items.entry(fields[1]).or_insert(next);
        // RecBole has times in float32, which makes them equal within a minute; equal ones stay in the file's order.
        users.entry(fields[0]).or_default().push((fields[3].parse().unwrap(), item));
    }
    assert_eq!((users.len(), items.len()), (943, 1682));
    for interactions in users.values_mut() {
        interactions.sort_by(|one, other| one.0.total_cmp(&other.0));
    }
    let sequences = (0..).zip(users.values()).map(|(user, interactions)| Sequence {
        user,
        items: interactions.iter().map(|&(_, item)| item).collect(),
        current_from: 0,
    });
    Dataset {
        name: "ml-100k".into(),
        stages: vec![Stage { sequences: sequences.collect() }],
        items: items.keys().map(|id| Item { id: (*id).to_owned(), title: None }).collect(),
        users: users.keys().map(|user| (*user).to_owned()).collect(),
        index: SemanticIndex::from_numbers(1, &(0..items.len() as u32).collect::<Vec<_>>()),
        synthetic: false,
        hash: String::new(),
    }
}

/// Ranks among all items, the history's too, as RecBole ranks for sequential models.
fn full_ranks(recommender: &dyn StageRecommender, tests: &[Example<'_>]) -> Vec<UserOutcome> {
    let queries: Vec<Query<'_>> = tests.iter().map(|&test| test.into()).collect();
    let scores = recommender.scores(&queries);
    let rows = scores.values.chunks(scores.columns).zip(tests);
    rows.map(|(row, test)| {
        let score = row[test.target as usize];
        let rank = 1 + row.iter().filter(|&&other| other > score).count() as u32;
        UserOutcome {
            user: test.user,
            target: test.target,
            rank,
            before: rank - 1,
            sharing: 1,
            top: Vec::new(),
            known: None,
        }
    })
    .collect()
}

/// What RecBole measured, and with what.
#[derive(Deserialize)]
struct Measured {
    epochs: usize,
    batch: usize,
    max_history: usize,
    /// Of the epoch that validation chose.
    metrics: BTreeMap<String, f64>,
}

#[test]
#[ignore = "needs RecBole's ml-100k and minutes: PESO_DATASETS_DIR=DIR cargo test -- --ignored sasrec_on_movielens"]
fn sasrec_on_movielens_ranks_as_well_as_the_reference() {
    let (dataset, reference) = (movielens(), json::<Measured>("movielens.json"));
    let Measured { epochs, batch, max_history, metrics } = reference;
    // Windows of five targets each: a fourth of the time, and histories of 16 to 20 items where RecBole has 20.
    let options = SasRec { epochs, batch, max_history, stride: 5, ..SasRec::default() };
    let items = dataset.items.len();
    let mut recommender = SasRecommender::<Autodiff<Flex>>::new(options, items, 42, &Default::default()).unwrap();
    let figures = recommender.train_stage(&dataset, 0, &mut |_| Ok(())).unwrap();
    let tests: Vec<Example<'_>> = dataset.stages[0].sequences.iter().filter_map(Sequence::test).collect();
    let measured = aggregate(&full_ranks(&recommender, &tests), &[10]);
    for (name, expected) in &metrics {
        let found = measured[name];
        assert!((found / expected - 1.0).abs() < 0.05, "{name}: {found} instead of {expected}; {figures:?}");
    }
    assert_eq!(metrics.len(), 2);
}
