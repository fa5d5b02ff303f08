//! Sources whose agreement is planted, and what ids are without one of them.

use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::super::observer::Unobserved;
use super::super::source::VectorSource;
use super::*;

const WIDTH: usize = 8;

/// Vectors around the centre of each item's group.
fn vectors(groups: &[usize], noise: f64, random: &mut ChaCha8Rng) -> Vec<Option<Vec<f64>>> {
    let normal = |random: &mut ChaCha8Rng| -> f64 { StandardNormal.sample(random) };
    let count = groups.iter().max().map_or(0, |most| most + 1);
    let centres: Vec<Vec<f64>> = (0..count).map(|_| (0..WIDTH).map(|_| 5.0 * normal(random)).collect()).collect();
    let around = |group: &usize| Some(centres[*group].iter().map(|value| value + noise * normal(random)).collect());
    groups.iter().map(around).collect()
}

fn modality(name: &str, vectors: Vec<Option<Vec<f64>>>) -> Modality {
    let centring = Centring::of(&vectors, 1.0);
    Modality { name: name.to_owned(), weight: 1.0, vectors, centring }
}

fn options() -> TrainIds {
    TrainIds { levels: 2, codes: Some(8), source: VectorSource::Words(8), ..TrainIds::default() }
}

fn compared(parts: &[Modality]) -> Modalities {
    let names: Vec<String> = (0..parts[0].vectors.len()).map(|item| format!("i{item}")).collect();
    let items: Vec<(&str, Option<&str>)> = names.iter().map(|name| (name.as_str(), None)).collect();
    compare(&options(), parts, &items, &mut Unobserved).unwrap().unwrap()
}

#[test]
fn independent_sources_agree_by_chance() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let groups = vec![0; 600];
    let parts = ["text", "image"].map(|name| modality(name, vectors(&groups, 1.0, &mut random)));
    let found = compared(&parts);
    let pair = &found.pairs[0];
    // The number in common has the variance of the hypergeometric distribution, 10 · 10/599 · 589/599 · 589/598 = 0.162, and a
    // Jaccard value is at most 1/19 + a little of it a neighbour: a deviation of about 0.4 / 19 an item, 0.00087 of a mean of 600.
    assert!((pair.agreement - pair.chance).abs() < 4.0 * 0.000_87, "{} {}", pair.agreement, pair.chance);
    assert!(pair.chance > 0.008 && pair.chance < 0.01, "{}", pair.chance);
    assert!(pair.beyond < 0.02, "{}", pair.beyond);
    let (alignment, by_chance) = (pair.alignment.unwrap(), pair.alignment_by_chance.unwrap());
    // By chance about width / items; of independent sources it strays from that by a few tenths.
    assert!((alignment - by_chance).abs() < 0.01 && by_chance < 0.02, "{alignment} {by_chance}");
    assert_eq!((pair.items, pair.asked, pair.alignment_items), (600, 600, 600));
}

#[test]
fn sources_of_the_same_vectors_agree_on_every_item() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let text = vectors(&(0..200).map(|item| item % 8).collect::<Vec<_>>(), 1.0, &mut random);
    // Turned, moved and scaled: the same distances but for a factor.
    let image = text.iter().flatten().map(|vector| Some(vector.iter().rev().map(|value| 3.0 - 2.0 * value).collect()));
    let found = compared(&[modality("text", text.clone()), modality("image", image.collect())]);
    let pair = &found.pairs[0];
    assert!((pair.agreement - 1.0).abs() < 1e-12 && (pair.alignment.unwrap() - 1.0).abs() < 1e-9, "{pair:?}");
    assert!(found.each.iter().all(|item| item.agreement == [Some(1.0)]));
    assert_eq!(
        (found.pair_name(pair).as_str(), found.change_name(&found.changes[2])),
        ("text – image", "another seed".into())
    );
}

#[test]
fn items_whose_sources_are_planted_apart_are_those_that_agree_least_and_change() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    // Eight groups by text; every fifth item has the image of another one.
    let text: Vec<usize> = (0..400).map(|item| item % 8).collect();
    let apart = |item: usize| item.is_multiple_of(5);
    let image: Vec<usize> =
        text.iter().enumerate().map(|(item, group)| if apart(item) { (group + 3) % 8 } else { *group }).collect();
    let mut images = vectors(&image, 1.0, &mut random);
    images[399] = None;
    let texts = modality("text", vectors(&text, 1.0, &mut random));
    let found = compared(&[texts, Modality { weight: 0.5, ..modality("image", images) }]);
    assert_eq!((found.parts[1].lacking, found.pairs[0].items), (1, 399));
    let each = |wanted: bool| found.each[..399].iter().enumerate().filter(move |(item, _)| apart(*item) == wanted);
    let mean = |wanted: bool, value: &dyn Fn(&ItemFigures) -> f64| {
        let values: Vec<f64> = each(wanted).map(|(_, item)| value(item)).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let agreement = |item: &ItemFigures| item.mean_agreement().unwrap();
    // Each source names 10 of the 49 others of its group, and 40 are in the groups of both: so 40 · (10/49)² = 1.67 are in common of
    // 18.33 that either names; of those apart none.
    assert!((mean(false, &agreement) - 0.09).abs() < 0.015, "{}", mean(false, &agreement));
    assert!(mean(true, &agreement) < 0.02, "{}", mean(true, &agreement));
    assert_eq!(found.each[399].agreement, [None]);
    // By text alone an item that is apart goes back to the group of its text: its companions change, and others keep theirs.
    let kept = |item: &ItemFigures| item.companions[1];
    assert_eq!(found.changes[1].without, Some(1));
    assert!(mean(false, &kept) > mean(true, &kept) + 0.2, "{} {}", mean(false, &kept), mean(true, &kept));
    let same = compared_again(&found);
    assert_eq!(same, found);
}

/// What was written and read back.
fn compared_again(found: &Modalities) -> Modalities {
    serde_json::from_str(&serde_json::to_string(found).unwrap()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_figures_and_too_little_is_refused() {
    let parts = || {
        let mut random = ChaCha8Rng::seed_from_u64(6);
        let groups: Vec<usize> = (0..60).map(|_| random.random_range(0..4)).collect();
        ["text", "image", "sound"].map(|name| modality(name, vectors(&groups, 2.0, &mut random)))
    };
    let found = compared(&parts());
    assert_eq!(found, compared(&parts()));
    assert_eq!((found.pairs.len(), found.changes.len(), found.each[0].agreement.len()), (3, 4, 3));
    assert_eq!(found.changes.last().map(|change| (change.without, change.trainings)), Some((None, 3)));
    let items = [("a", None); 60];
    let refused = |parts: &[Modality]| compare(&options(), parts, &items, &mut Unobserved).unwrap_err();
    assert!(refused(&parts()[..1]).problem.contains("two or more"));
    let mut sparse = parts();
    sparse[1].vectors[2..].iter_mut().for_each(|vector| *vector = None);
    assert!(refused(&sparse).problem.contains("2 items have a vector in text and in image"));
}
