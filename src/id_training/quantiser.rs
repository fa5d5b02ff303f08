//! Codes for vectors after training: codebooks, behind an encoder where one was trained.

use super::rq_vae::Autoencoder;
use crate::semantic_id::Codebooks;

/// What makes codes of an item's vector, as training left it.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiser {
    pub books: Codebooks,
    /// None where the vectors themselves are quantised.
    pub autoencoder: Option<Autoencoder>,
}

impl Quantiser {
    /// Values of an item's vector.
    pub fn width(&self) -> usize {
        self.autoencoder.as_ref().map_or(self.books.width(), |autoencoder| autoencoder.mean.len())
    }

    /// What is quantised of items' vectors.
    pub fn encode(&self, vectors: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.autoencoder.as_ref().map_or_else(|| vectors.to_vec(), |autoencoder| autoencoder.encode(vectors))
    }

    /// The same with other entries, of the width that they had.
    ///
    /// # Panics
    /// Where they have another width, or none.
    #[must_use]
    pub fn with_entries(&self, levels: &[Vec<Vec<f64>>]) -> Self {
        let books = Codebooks::new(levels).expect("entries that went on from others have their width");
        Self { books, autoencoder: self.autoencoder.clone() }
    }

    /// By level: mean squared error, over items and dimensions, of vectors as their ids (`items x levels`, row-major) describe
    /// them up to this level.
    pub fn errors(&self, vectors: &[Vec<f64>], ids: &[u32]) -> Vec<f64> {
        let levels = self.books.levels();
        let values = (vectors.len() * self.width()).max(1);
        let error = |level: usize| {
            let sums: Vec<Vec<f64>> = ids.chunks(levels).map(|id| self.books.sum(&id[..=level])).collect();
            let described = self.autoencoder.as_ref().map_or_else(|| sums.clone(), |decoder| decoder.decode(&sums));
            let pairs = vectors.iter().zip(&described).flat_map(|(vector, described)| vector.iter().zip(described));
            pairs.map(|(value, described)| (value - described) * (value - described)).sum::<f64>() / values as f64
        };
        (0..levels).map(error).collect()
    }
}
