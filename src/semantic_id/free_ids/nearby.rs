//! Free ids near a vector, kept for the items that come after it: many items are alike, and each takes the next of a list instead
//! of a search of its own.
//!
//! A list is exact for another vector too, as long as it reaches far enough: an id that is `d` from the list's vector is at least
//! `d - δ` from a vector that is `δ` from it (the triangle inequality). If what the list offers is nearer than that for all that is
//! not on it, it is the nearest.

use super::super::clustering::squared_distance;
use super::super::codebooks::dot;
use super::search::{Candidate, ROUNDING};

/// The shortest list that is made, and the longest.
pub(super) const SHORTEST: usize = 16;
const LONGEST: usize = 8192;

/// The nearest ids to a vector that were free when the list was made, ascending.
#[derive(Debug)]
pub(super) struct Nearby {
    /// What is left of the vector after the prefix.
    left: Vec<f64>,
    list: Vec<Candidate>,
    /// Those before are taken.
    first: usize,
    /// Whether no other id was free.
    complete: bool,
    /// Items that the list was of use to.
    served: usize,
}

impl Nearby {
    pub fn new(left: Vec<f64>, list: Vec<Candidate>, wanted: usize) -> Self {
        Self { left, complete: list.len() < wanted, list, first: 0, served: 0 }
    }

    /// How many ids the next list should have, after this one was of no use: more if most of it was used.
    pub fn next_length(&self) -> usize {
        let length = self.list.len();
        let next = if 2 * self.served > length { 2 * length } else { length / 2 };
        next.clamp(SHORTEST, LONGEST)
    }

    /// Squared distance of its vector.
    pub fn away(&self, left: &[f64]) -> f64 {
        squared_distance(&self.left, left)
    }

    /// The nearest id to its own vector, which it was made for.
    pub fn first(&mut self) -> Option<Box<[u32]>> {
        self.served += 1;
        self.list.first().map(|candidate| candidate.codes.clone())
    }

    /// Whether little is left of it.
    pub fn is_used_up(&self) -> bool {
        2 * self.first >= self.list.len()
    }

    /// The nearest free id to what is left of a vector, if the list can tell; `error` is its squared distance from codes.
    pub fn nearest(
        &mut self,
        left: &[f64],
        is_free: impl Fn(&[u32]) -> bool,
        error: impl Fn(&[u32]) -> f64,
    ) -> Option<Box<[u32]>> {
        while self.list.get(self.first).is_some_and(|candidate| !is_free(&candidate.codes)) {
            self.first += 1;
        }
        let listed = &self.list[self.first..];
        let squared = self.away(left);
        let found = if squared == 0.0 {
            listed.first().map(|candidate| candidate.codes.clone())
        } else {
            let away = squared.sqrt();
            let size = dot(left, left) + dot(&self.left, &self.left);
            let mut best: Option<Candidate> = None;
            let mut certain = self.complete;
            for (at, candidate) in listed.iter().enumerate() {
                let slack = ROUNDING * (size + candidate.error.abs());
                let least = ((candidate.error - slack).max(0.0).sqrt() - away).max(0.0).powi(2) - slack;
                if best.as_ref().is_some_and(|best| least > best.error) {
                    certain = true;
                    break;
                }
                if at > 0 && !is_free(&candidate.codes) {
                    continue;
                }
                let other = Candidate { error: error(&candidate.codes), codes: candidate.codes.clone() };
                if best.as_ref().is_none_or(|best| other < *best) {
                    best = Some(other);
                }
            }
            best.filter(|_| certain).map(|best| best.codes)
        };
        self.served += usize::from(found.is_some());
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ids at 1, 2, 4 and 8, whose codes are 0 to 3; the list is of the vector 0.
    fn nearby(complete: bool) -> Nearby {
        let list = [1.0_f64, 2.0, 4.0, 8.0].into_iter().zip(0..);
        let list = list.map(|(at, code)| Candidate { error: at * at, codes: [code].into() }).collect();
        Nearby::new(vec![0.0], list, if complete { 5 } else { 4 })
    }

    fn nearest(nearby: &mut Nearby, vector: f64, taken: &[u32]) -> Option<u32> {
        let error = |codes: &[u32]| (2f64.powi(codes[0] as i32) - vector).powi(2);
        nearby.nearest(&[vector], |codes| !taken.contains(&codes[0]), error).map(|codes| codes[0])
    }

    #[test]
    fn a_list_answers_only_where_nothing_beyond_it_can_be_nearer() {
        let mut list = nearby(false);
        assert_eq!(nearest(&mut list, 0.0, &[]), Some(0));
        assert_eq!(nearest(&mut list, 0.0, &[0, 1]), Some(2));
        // 3.5 is 0.5 from 4; what is not on the list is at least 8 from 0, and 4.5 from 3.5.
        assert_eq!(nearest(&mut list, 3.5, &[0, 1]), Some(2));
        // With 4 taken, the list has 8 left, which is 4.5 away; so may be an id that the list does not know.
        assert_eq!(nearest(&mut list, 3.5, &[0, 1, 2]), None);
        assert_eq!(nearest(&mut list, 0.0, &[0, 1, 2, 3]), None);
        let mut whole = nearby(true);
        assert_eq!(nearest(&mut whole, 3.5, &[0, 1, 2]), Some(3));
    }

    #[test]
    fn lists_grow_as_they_are_used() {
        let mut list = nearby(false);
        assert_eq!(list.next_length(), SHORTEST);
        (0..20).for_each(|_| assert_eq!(nearest(&mut list, 0.0, &[]), Some(0)));
        list.list = vec![list.list[0].clone(); 30];
        assert_eq!(list.next_length(), 60);
    }
}
