//! What comes and goes: users, tastes and items that are there only every so many stages.

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::streams::stream;

/// When something is there: in the stage in which it first appears, and from then on in every `every`-th one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    /// Stages from one return to the next.
    pub every: usize,
    /// It is there in the stages (index from 0) that leave this remainder when they are divided by `every`.
    pub phase: usize,
}

impl Cycle {
    /// Whether it is there in a stage, where it first appeared in `arrival` (both counted from 0).
    pub fn is_on(&self, arrival: usize, stage: usize) -> bool {
        stage == arrival || stage > arrival && stage % self.every == self.phase
    }

    /// A cycle whose phase is drawn by chance.
    pub(super) fn draw(every: usize, source: &mut impl Rng) -> Self {
        Self { every, phase: source.random_range(0..every) }
    }

    /// The cycle of a thing by its name, for a share of all things; the others are always there. It draws from a stream of its
    /// own, so that what comes and goes leaves everything else as it is.
    pub(super) fn of_share(share: f64, every: usize, seed: u64, name: &str) -> Option<Self> {
        let mut source = stream(seed, name);
        source.random_bool(share).then(|| Self::draw(every, &mut source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_there_at_first_and_then_at_every_return() {
        let cycle = Cycle { every: 3, phase: 1 };
        let stages = |arrival| (0..8).filter(|&stage| cycle.is_on(arrival, stage)).collect::<Vec<usize>>();
        assert_eq!(stages(0), [0, 1, 4, 7]);
        assert_eq!(stages(2), [2, 4, 7]);
        assert_eq!(stages(4), [4, 7]);
    }

    #[test]
    fn shares_and_phases_are_drawn_evenly() {
        let drawn: Vec<Cycle> =
            (0..3_000).filter_map(|thing| Cycle::of_share(0.4, 3, 7, &format!("thing {thing}"))).collect();
        assert!((1_100..1_300).contains(&drawn.len()), "{}", drawn.len());
        for phase in 0..3 {
            let count = drawn.iter().filter(|cycle| cycle.phase == phase).count();
            assert!((340..460).contains(&count), "{count} of phase {phase}");
        }
    }
}
