//! Ids of items that come after codebooks were trained: the nearest codes where they are free, else the nearest free ones.

use rayon::prelude::*;

use super::quantiser::Quantiser;
use crate::semantic_id::codebooks::NearestCodes;
use crate::semantic_id::free_ids::{Found, FreeIds};

/// Items between two questions whether to go on.
const ASK_EVERY: usize = 256;

/// Gives ids to group after group.
#[derive(Debug)]
pub struct Appending<'q> {
    quantiser: &'q Quantiser,
    free: FreeIds<'q>,
}

/// A group's ids.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Appended {
    /// `items x levels`, row-major: the nearest codes.
    pub nearest: Vec<u32>,
    /// `items x levels`, row-major.
    pub ids: Vec<u32>,
    /// Items whose id is not that of their nearest codes, because that was taken.
    pub moved: usize,
    /// Items that share the id of their nearest codes, because no id was free.
    pub shared: usize,
    /// By level: mean squared error, over items and dimensions, of the vectors as their nearest codes so far describe them.
    pub errors: Vec<f64>,
    /// The same of all levels, as their ids describe them.
    pub error: f64,
}

impl<'q> Appending<'q> {
    /// Beside published ids (`items x levels`, row-major), which stay as they are.
    pub fn beside(quantiser: &'q Quantiser, published: &[u32]) -> Self {
        Self { quantiser, free: FreeIds::beside(&quantiser.books, published) }
    }

    /// Beside `published` ids, where others of those that are `known` were taken back, and are free.
    pub fn among(quantiser: &'q Quantiser, known: &[u32], published: &[u32]) -> Self {
        Self { quantiser, free: FreeIds::among(&quantiser.books, known, published) }
    }

    /// Gives items with these vectors ids that are from then on taken; none where `stopped` ended it. Those who are nearest to what
    /// their own codes stand for choose first, of equal ones the first.
    pub fn append(&mut self, vectors: &[Vec<f64>], stopped: &mut dyn FnMut() -> bool) -> Option<Appended> {
        let Self { quantiser, free } = self;
        let latent = quantiser.encode(vectors);
        let mut own: Vec<NearestCodes> = Vec::with_capacity(latent.len());
        for latent in latent.chunks(ASK_EVERY * rayon::current_num_threads()) {
            if stopped() {
                return None;
            }
            own.par_extend(latent.par_iter().map(|latent| free.own(latent)));
        }
        let levels = quantiser.books.levels();
        let mut order: Vec<usize> = (0..own.len()).collect();
        order.sort_by(|&one, &other| own[one].error.total_cmp(&own[other].error));
        let mut found = Appended { ids: vec![0; own.len() * levels], ..Appended::default() };
        for (turn, item) in order.into_iter().enumerate() {
            if turn % ASK_EVERY == 0 && stopped() {
                return None;
            }
            let (id, how) = free.take(&latent[item], &own[item]);
            found.ids[item * levels..(item + 1) * levels].copy_from_slice(&id);
            match how {
                Found::Own => {}
                Found::Free { .. } => found.moved += 1,
                Found::Shared => found.shared += 1,
            }
        }
        found.nearest = own.into_iter().flat_map(|own| own.codes).collect();
        found.errors = quantiser.errors(vectors, &found.nearest);
        found.error = quantiser.errors(vectors, &found.ids).last().copied().unwrap_or(0.0);
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semantic_id::Codebooks;

    fn quantiser() -> Quantiser {
        let level = |values: &[f64]| values.iter().map(|&value| vec![value]).collect::<Vec<_>>();
        let books = Codebooks::new(&[level(&[0.0, 10.0]), level(&[0.0, 1.0])]).unwrap();
        Quantiser { books, autoencoder: None }
    }

    #[test]
    fn the_nearest_item_chooses_first_and_later_groups_find_ids_taken() {
        let quantiser = quantiser();
        let mut appending = Appending::beside(&quantiser, &[0, 0, 1, 1]);
        // Both are nearest to (1, 0); the second is nearer. (0, 1) is free, but not below the first code 1.
        let found = appending.append(&[vec![10.3], vec![10.2]], &mut || false).unwrap();
        assert_eq!((&found.nearest[..], &found.ids[..]), (&[1, 0, 1, 0][..], &[0, 1, 1, 0][..]));
        assert_eq!((found.moved, found.shared), (1, 0));
        // By hand: 10.3 - 1 and 10.2 - 10 after all; 0.3 and 0.2 by their nearest codes.
        assert!((found.error - (9.3f64.powi(2) + 0.04) / 2.0).abs() < 1e-12, "{}", found.error);
        assert!((found.errors[1] - (0.09 + 0.04) / 2.0).abs() < 1e-12, "{:?}", found.errors);
        let full = appending.append(&[vec![0.1]], &mut || false).unwrap();
        assert_eq!((&full.ids[..], full.moved, full.shared), (&[0, 0][..], 0, 1));
    }

    #[test]
    fn it_can_be_ended() {
        let quantiser = quantiser();
        let mut appending = Appending::beside(&quantiser, &[0, 0, 1, 1]);
        assert_eq!(appending.append(&[vec![1.0]], &mut || true), None);
    }
}
