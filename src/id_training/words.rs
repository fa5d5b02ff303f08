//! Item vectors without a model: the words of an item's text, hashed into a few dimensions.

use std::collections::BTreeMap;

use crate::data::{DataDrift, Dataset, ItemVectors};
use crate::seeds;

/// A vector an item (`width` values, of length 1, or all 0 for a text without words).
///
/// A word counts `(1 + ln n) · ln((1 + items) / (1 + items with it))`: more where it occurs more often in the text, less where
/// many texts have it. Its hash chooses its dimension and sign, so that words that fall together do not add up on average
/// (Weinberger et al. 2009).
pub fn vectors(texts: &[String], width: usize) -> Vec<Vec<f64>> {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let counts = Rarity::of(&texts);
    texts.iter().map(|text| counts.vector(text, width)).collect()
}

/// How rare words are among some texts: what vectors of other texts are made with, so that these know nothing of each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rarity {
    /// Texts that were counted.
    pub texts: usize,
    /// By hash of a word: the texts with it.
    pub texts_with: BTreeMap<u64, u64>,
}

impl Rarity {
    /// Counts the texts that have each word.
    pub fn of(texts: &[&str]) -> Self {
        let mut texts_with = BTreeMap::new();
        for word in texts.iter().flat_map(|text| count(text).into_keys()) {
            *texts_with.entry(hash(&word)).or_default() += 1;
        }
        Self { texts: texts.len(), texts_with }
    }

    /// The vector of a text, whether or not it was counted; a word of none of those that were is as rare as can be.
    pub fn vector(&self, text: &str, width: usize) -> Vec<f64> {
        let mut vector = vec![0.0; width];
        for (word, times) in count(text) {
            let hash = hash(&word);
            let with = self.texts_with.get(&hash).copied().unwrap_or(0);
            let rarity = ((1 + self.texts) as f64 / (1 + with) as f64).ln();
            let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
            vector[(hash % width as u64) as usize] += sign * rarity * (1.0 + (times as f64).ln());
        }
        let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            vector.iter_mut().for_each(|value| *value /= length);
        }
        vector
    }
}

fn hash(word: &str) -> u64 {
    seeds::derive(0, &["word", word])
}

/// The words of a text, in lower case, with how often each occurs.
fn count(text: &str) -> BTreeMap<String, usize> {
    let mut words = BTreeMap::new();
    for word in text.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    words
}

/// Numbers of a title's vector.
const TITLE_WIDTH: usize = 64;

/// All measures of data drift, centroids of users by the words of titles among them where there are titles.
pub fn data_drift(dataset: &Dataset) -> DataDrift {
    let vectors = title_vectors(dataset);
    DataDrift::measure(dataset, vectors.as_deref().and_then(|vectors| ItemVectors::new(vectors, TITLE_WIDTH)))
}

/// Items by the words of their titles, no numbers for those without; none where no item has a title.
fn title_vectors(dataset: &Dataset) -> Option<Vec<f32>> {
    dataset.items.iter().any(|item| item.title.is_some()).then(|| {
        let titles: Vec<String> = dataset.items.iter().map(|item| item.title.clone().unwrap_or_default()).collect();
        let placed = vectors(&titles, TITLE_WIDTH).into_iter().zip(&titles);
        let vector = |(vector, title): (Vec<f64>, &String)| {
            let known = !title.is_empty();
            vector.into_iter().map(move |value| if known { value as f32 } else { f32::NAN })
        };
        placed.flat_map(vector).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cosine(one: &[f64], other: &[f64]) -> f64 {
        one.iter().zip(other).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_that_share_rare_words_are_near_whatever_their_case_and_order() {
        let texts = ["Dark Castle, the game", "the GAME: castle (dark)", "the game of golf", ""].map(str::to_owned);
        let found = vectors(&texts, 512);
        assert!((cosine(&found[0], &found[1]) - 1.0).abs() < 1e-12);
        assert!(cosine(&found[0], &found[2]) < 0.3, "{}", cosine(&found[0], &found[2]));
        assert!(found[3].iter().all(|&value| value == 0.0));
    }

    #[test]
    fn vectors_of_later_texts_know_nothing_of_each_other() {
        let counts = Rarity::of(&["a b", "a c"]);
        let found = counts.vector("a b d", 4096);
        // By hand: `a` is in both of two texts and counts ln(3/3), `b` ln(3/2), `d`, in neither, ln(3/1).
        let length = (1.5f64.ln().powi(2) + 3f64.ln().powi(2)).sqrt();
        let mut sizes: Vec<f64> = found.iter().map(|value| value.abs()).filter(|value| *value > 0.0).collect();
        sizes.sort_by(f64::total_cmp);
        assert_eq!(sizes.len(), 2, "{sizes:?}");
        let expected = [1.5f64.ln() / length, 3f64.ln() / length];
        sizes.iter().zip(expected).for_each(|(size, expected)| assert!((size - expected).abs() < 1e-12, "{sizes:?}"));
    }

    #[test]
    fn weights_are_those_of_the_formula() {
        // `a` is in both of two texts and counts nothing; `b` occurs twice in one, `c` once in it.
        let found = vectors(&["a b b c".to_owned(), "a".to_owned()], 4096);
        let mut sizes: Vec<f64> = found[0].iter().map(|value| value.abs()).filter(|&value| value > 1e-9).collect();
        sizes.sort_by(f64::total_cmp);
        // A word of one text has the rarity ln(3 / 2), which is a factor of all; lengths are 1.
        let (c, b) = (1.0, 1.0 + 2f64.ln());
        let length = (b * b + c * c).sqrt();
        let expected = [c / length, b / length];
        assert!(found[1].iter().all(|value| value.abs() < 1e-9));
        assert_eq!(sizes.len(), 2);
        sizes.iter().zip(expected).for_each(|(size, expected)| assert!((size - expected).abs() < 1e-12, "{sizes:?}"));
    }
}
