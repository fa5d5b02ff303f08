//! Items made of attribute words: a mood, a place and a kind.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::cycle::Cycle;
use super::options::SyntheticOptions;
use super::streams::stream;
use super::vectors::{add_scaled, random, unit};
use crate::data::Item;

const MOODS: [&str; 12] = [
    "Crimson", "Quiet", "Golden", "Frozen", "Restless", "Hidden", "Velvet", "Broken", "Silver", "Wild", "Distant",
    "Gentle",
];
const PLACES: [&str; 12] = [
    "harbour", "forest", "desert", "city", "island", "castle", "orbit", "valley", "railway", "garden", "glacier",
    "market",
];
const KINDS: [&str; 8] = ["puzzle", "strategy", "racing", "mystery", "farming", "music", "adventure", "football"];

/// Ways to put a mood, a place and a kind together.
const COMBINATIONS: usize = MOODS.len() * PLACES.len() * KINDS.len();

/// How much a word of each family says about an item: mood, place, kind.
const WEIGHTS: [f64; 3] = [0.6, 0.8, 1.0];
/// Size of what no word says.
const NOISE: f64 = 0.3;

/// The items with what the generator knows of them.
pub struct Catalogue {
    pub items: Vec<Item>,
    /// `items x latent`, each of length 1.
    pub vectors: Vec<Vec<f64>>,
    /// Natural logarithm of each item's popularity, at most 0.
    pub popularity: Vec<f64>,
    /// When each item is there, where that is only every so many stages.
    pub seasons: Vec<Option<Cycle>>,
    /// A vector of length 1 for each word: moods, places, kinds.
    pub words: [Vec<Vec<f64>>; 3],
}

impl Catalogue {
    /// Words, items, vectors and popularity of `options.items` items, in order of arrival.
    pub fn new(options: &SyntheticOptions) -> Self {
        let words = word_vectors(options);
        let mut source = stream(options.seed, "items");
        let mut combinations: Vec<usize> = (0..COMBINATIONS).collect();
        combinations.shuffle(&mut source);
        let (mut items, mut vectors) = (Vec::new(), Vec::new());
        for index in 0..options.items {
            let chosen = words_of(combinations[index % COMBINATIONS]);
            let mut vector = random(options.latent, &mut source);
            let noise = NOISE / (options.latent as f64).sqrt();
            vector.iter_mut().for_each(|value| *value *= noise);
            for ((family, word), weight) in words.iter().zip(chosen).zip(WEIGHTS) {
                add_scaled(&mut vector, weight, &family[word]);
            }
            let number = index / COMBINATIONS + 1;
            items.push(Item { id: index.to_string(), title: Some(title(chosen, number)) });
            vectors.push(unit(vector));
        }
        Self { items, vectors, popularity: popularity(options), seasons: seasons(options), words }
    }
}

/// A vector of length 1 for every word of the three families.
fn word_vectors(options: &SyntheticOptions) -> [Vec<Vec<f64>>; 3] {
    let mut source = stream(options.seed, "words");
    [MOODS.len(), PLACES.len(), KINDS.len()]
        .map(|count| (0..count).map(|_| unit(random(options.latent, &mut source))).collect())
}

/// The mood, place and kind of a combination.
fn words_of(combination: usize) -> [usize; 3] {
    let (rest, kind) = (combination / KINDS.len(), combination % KINDS.len());
    [rest / PLACES.len(), rest % PLACES.len(), kind]
}

/// `Crimson harbour puzzle`, and `Crimson harbour puzzle 2` for the next of the same words.
fn title([mood, place, kind]: [usize; 3], number: usize) -> String {
    let words = format!("{} {} {}", MOODS[mood], PLACES[place], KINDS[kind]);
    if number == 1 { words } else { format!("{words} {number}") }
}

/// A power law over the items in random order.
fn popularity(options: &SyntheticOptions) -> Vec<f64> {
    let mut source = stream(options.seed, "popularity");
    let mut ranks: Vec<usize> = (1..=options.items).collect();
    ranks.shuffle(&mut source);
    ranks.into_iter().map(|rank| -options.popularity_skew * (rank as f64).ln()).collect()
}

/// When each item is there, where that is only every so many stages.
fn seasons(options: &SyntheticOptions) -> Vec<Option<Cycle>> {
    let SyntheticOptions { items, seasonal_items, season, seed, .. } = *options;
    (0..items).map(|item| Cycle::of_share(seasonal_items, season, seed, &format!("season of item {item}"))).collect()
}

/// A word of a family, by chance.
pub fn any_word<'w>(family: &'w [Vec<f64>], source: &mut impl Rng) -> &'w [f64] {
    family.choose(source).map_or(&[], Vec::as_slice)
}
